/* wire.h - one socket of a client: bytes in, bytes out, through a transport module. All of a
 * worker's sockets are polled by one epoll descriptor, which the worker's loop polls; reading
 * and writing are plain non-blocking calls (docs/decisions/0002-poll-instead-of-streams.md). */
#ifndef XS_TRANSPORT_WIRE_H
#define XS_TRANSPORT_WIRE_H

#include <uv.h>

#include <xsockets/transport.h>

/* What the wires of one worker share. */
struct xs_wires {
    int poll;        /* all of them */
    uv_poll_t ready; /* some of them have something to do */
    char *buffer;    /* what is read lands here */
    size_t size;
    struct xs_wire *closed; /* not swept yet */
    unsigned worker;
};
#define XS_READ_BUFFER ((size_t)262144)
/* XS_EIO: there is no descriptor for it. */
enum xs_err xs_wires_init(struct xs_wires *wires, uv_loop_t *loop, unsigned worker);
/* Tells the hosts of all that were closed, whose memory may go then. Not from within an event.
 */
void xs_wires_sweep(struct xs_wires *wires);
/* There will be none any more: the loop may end. */
void xs_wires_stop(struct xs_wires *wires);
void xs_wires_fini(struct xs_wires *wires);

/* Whom a wire tells. All [worker]. */
struct xs_wire_host {
    /* The transport's handshake is done. */
    void (*ready)(struct xs_wire *wire);
    /* Plain bytes came. False: the wire is closing, deliver no more. */
    bool (*received)(struct xs_wire *wire, char *at, size_t len);
    /* It takes bytes again. */
    void (*writable)(struct xs_wire *wire);
    /* The peer has sent its last byte (half-close included). */
    void (*ended)(struct xs_wire *wire);
    /* The socket has failed or the transport has found a fault. */
    void (*failed)(struct xs_wire *wire, enum xs_err err);
    /* The file descriptor is closed; the memory may go. */
    void (*closed)(struct xs_wire *wire);
};

struct xs_wire {
    struct xs_wires *home;
    const struct xs_wire_host *host;
    const struct xs_transport_ops *ops;
    void *self;           /* the module's, NULL if its state_size is 0 */
    void *worker_state;   /* the module's, of this worker */
    struct xs_wire *next; /* closed */
    int fd;
    uint8_t events; /* polled now, as bits; 0: not at all */
    bool reading;   /* wanted */
    bool writing;   /* wanted */
    bool ended;     /* the peer has ended: nothing more is read */
    bool shut;      /* we have ended */
    bool dead;      /* close was called */
};

/* Takes over a connected, non-blocking fd. */
void xs_wire_open(struct xs_wire *wire, struct xs_wires *home, int fd,
                  const struct xs_transport_ops *ops, void *worker_state,
                  const struct xs_wire_host *host);
/* Begins the transport's handshake; may call the host back at once. */
void xs_wire_start(struct xs_wire *wire);
void xs_wire_read(struct xs_wire *wire, bool on);
/* Sends through the transport, in order. XS_EAGAIN: host->writable is called later. */
enum xs_err xs_wire_send(struct xs_wire *wire, const struct xs_slice *parts, size_t count,
                         size_t *taken);
/* Ends our direction; what was sent still goes out. */
void xs_wire_shutdown(struct xs_wire *wire);
/* Closes; host->closed follows when it is swept. `reset`: with a TCP reset, throwing away what
 * waits. */
void xs_wire_close(struct xs_wire *wire, bool reset);

#endif
