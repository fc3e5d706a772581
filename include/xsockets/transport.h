/* transport.h - a layer between the socket and the protocol: bytes in, bytes out. The host owns
 * the socket. */
#ifndef XSOCKETS_TRANSPORT_H
#define XSOCKETS_TRANSPORT_H

#include <xsockets/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One socket of the host. */
struct xs_wire;

/* Hands plain bytes up; they may be overwritten and are borrowed for the call. False: the
 * connection is gone. [worker] */
XS_API bool xs_wire_deliver(struct xs_wire *wire, char *at, size_t len);
/* The transport's own handshake is done: the protocol may begin. [worker] */
XS_API void xs_wire_ready(struct xs_wire *wire);
/* Offers bytes to the socket, in order, without blocking; `*taken` says how many it took.
 * XS_EAGAIN: not all, sent() is called when it takes more. XS_EIO: the socket has failed.
 * [worker] */
XS_API XS_MUST_CHECK enum xs_err
xs_wire_write(struct xs_wire *wire, const struct xs_slice *parts, size_t count, size_t *taken);
/* This worker's memory of the module. [worker] */
XS_API void *xs_wire_worker_state(struct xs_wire *wire);

struct xs_transport_ops {
    size_t size;
    const char *name;
    size_t state_size;        /* per connection, zeroed; 0 costs nothing */
    size_t worker_size;       /* per worker, zeroed */
    struct xs_table settings; /* of struct xs_setting */

    /* May be NULL. [worker] */
    enum xs_err (*worker_start)(void *worker_state, const struct xs_settings *settings);
    void (*worker_stop)(void *worker_state);

    /* The socket is connected. Calls xs_wire_ready() now or later. [worker] */
    enum xs_err (*open)(void *self, struct xs_wire *wire);
    /* Bytes came from the socket; what they mean goes to xs_wire_deliver(). [worker] */
    enum xs_err (*received)(void *self, struct xs_wire *wire, char *at, size_t len);
    /* Plain bytes are to go out: takes as many as it can get rid of or hold. Same answers as
     * xs_wire_write(). [worker] */
    enum xs_err (*send)(void *self, struct xs_wire *wire, const struct xs_slice *parts,
                        size_t count, size_t *taken);
    /* The socket takes bytes again: sends what the module itself holds. XS_EAGAIN: still not
     * all. May be NULL. [worker] */
    enum xs_err (*sent)(void *self, struct xs_wire *wire);
    /* Nothing more will be sent: the module's last words. May be NULL. [worker] */
    void (*finish)(void *self, struct xs_wire *wire);
    /* The socket is closed. May be NULL. [worker] */
    void (*close)(void *self);
};

#ifdef __cplusplus
}
#endif

#endif
