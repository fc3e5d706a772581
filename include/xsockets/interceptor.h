/* interceptor.h - looks at what passes, and may stop it: connection filters and message
 * interceptors, 0 to n in order. */
#ifndef XSOCKETS_INTERCEPTOR_H
#define XSOCKETS_INTERCEPTOR_H

#include <xsockets/connection.h>
#include <xsockets/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xs_interceptor_ops {
    size_t size;
    const char *name;
    size_t worker_size;       /* per worker, zeroed, handed on as `state` */
    struct xs_table settings; /* of struct xs_setting */
    enum xs_err (*worker_start)(void *state, const struct xs_settings *settings); /* [worker] */
    void (*worker_stop)(void *state);                                             /* [worker] */

    /* At the door, before a connection exists: false closes the socket. `address` as text.
     * [worker] */
    bool (*accept)(void *state, struct xs_slice endpoint, struct xs_slice address);
    /* A handshake is done; a connection has ended. [worker] */
    void (*connected)(void *state, const struct xs_conn *conn);
    void (*disconnected)(void *state, const struct xs_conn *conn, enum xs_close_reason reason);
    /* A message on its way in (client to controller): false stops it, counted. [worker] */
    bool (*incoming)(void *state, const struct xs_client *from, const struct xs_message *msg);
    /* A message on its way out, once per worker, not per receiver: false stops it. [worker] */
    bool (*outgoing)(void *state, const struct xs_message *msg);
    /* An error went to a client. [worker] */
    void (*failed)(void *state, const struct xs_client *client, const char *sentence);
};

#ifdef __cplusplus
}
#endif

#endif
