/* subprotocol.h - a payload format inside WebSocket (RFC 6455 section 1.9): payload <->
 * message. */
#ifndef XSOCKETS_SUBPROTOCOL_H
#define XSOCKETS_SUBPROTOCOL_H

#include <xsockets/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xs_subprotocol_ops {
    size_t size;
    const char *name;  /* in the ini file */
    const char *token; /* in Sec-WebSocket-Protocol, compared exactly; "" for a client that
                          offers none */
    size_t state_size; /* per connection, zeroed, handed on as `self` */
    struct xs_table settings; /* of struct xs_setting */
    enum xs_view view;        /* of the data that encode() wants */
    /* The server says nothing, pings included, before the client's first frame; never masks,
     * never fragments, never sends a data or ping frame with a payload under 4 bytes; when it
     * stops, its close frame is the code alone. */
    bool client_speaks_first;

    /* The handshake is done. May open controllers and subscribe. May be NULL. [worker] */
    enum xs_err (*open)(void *self, struct xs_conn *conn);
    /* One whole payload (text is valid UTF-8); may be overwritten. Errors close as those of
     * xs_protocol_ops.decode. [worker] */
    enum xs_err (*decode)(void *self, struct xs_conn *conn, char *at, size_t len, bool binary);
    /* Appends the payload; sets *binary for a binary frame. Otherwise as
     * xs_protocol_ops.encode, but appending nothing for data (or a blob, if there is one) that
     * is itself empty makes an empty frame. [worker] */
    enum xs_err (*encode)(uint32_t variant, const struct xs_message *msg, struct xs_slice data,
                          struct xs_buf *out, bool *binary);
    /* As xs_protocol_ops.personal, over the payload alone; at most 64 bytes of `head`. May be
     * NULL. [worker] */
    void (*personal)(uint32_t variant, const struct xs_personal *who, struct xs_slice payload,
                     struct xs_edges *edges);
    /* The connection is gone. May be NULL. [worker] */
    void (*close)(void *self, struct xs_conn *conn);
};

#ifdef __cplusplus
}
#endif

#endif
