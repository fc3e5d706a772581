/* auth.h - who is this, and may it? An authenticator answers by callback, so it may ask
 * elsewhere first. */
#ifndef XSOCKETS_AUTH_H
#define XSOCKETS_AUTH_H

#include <xsockets/http.h>
#include <xsockets/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One question of the host, answered exactly once with xs_auth_allow() or xs_auth_deny(). */
struct xs_auth_request;

/* What the question is about. Valid until it is answered. [any] */
XS_API struct xs_slice xs_auth_endpoint(const struct xs_auth_request *request);
XS_API struct xs_slice xs_auth_address(const struct xs_auth_request *request);
XS_API struct xs_slice xs_auth_parameter(const struct xs_auth_request *request,
                                         const char *name);
/* The request head, NULL if the protocol has none. [any] */
XS_API const struct xs_http_head *xs_auth_head(const struct xs_auth_request *request);

/* Lets the client in under a name and with roles (comma list), copied. [any] */
XS_API void xs_auth_allow(struct xs_auth_request *request, const char *user, const char *roles);
/* Turns it away (topic 0, then close). `sentence` goes to the client, copied. [any] */
XS_API void xs_auth_deny(struct xs_auth_request *request, const char *sentence);

/* What a client wants to do. */
enum xs_deed { XS_DEED_OPEN, XS_DEED_SUBSCRIBE, XS_DEED_SEND };

struct xs_auth_ops {
    size_t size;
    const char *name;
    size_t state_size;        /* one per daemon, zeroed */
    struct xs_table settings; /* of struct xs_setting */
    enum xs_err (*open)(void *state, const struct xs_settings *settings); /* [main] */
    void (*close)(void *state);                                           /* [main] */
    /* Asked once a connection, after the handshake, before its first message. Must not block.
     * [worker] */
    void (*authenticate)(void *state, struct xs_auth_request *request);
    /* May `user` with `roles` do this? Answers from memory, at once. NULL: everything is
     * allowed. [worker] */
    bool (*may)(const void *state, struct xs_slice user, struct xs_slice roles,
                enum xs_deed deed, struct xs_slice controller, struct xs_slice topic);
};

#ifdef __cplusplus
}
#endif

#endif
