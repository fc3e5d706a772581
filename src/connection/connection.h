/* connection.h - one client's socket with its protocol: a state machine an object. The one room
 * that sees transport and protocol together; controllers are behind the hooks. Everything here
 * belongs to one worker. */
#ifndef XS_CONNECTION_CONNECTION_H
#define XS_CONNECTION_CONNECTION_H

#include "base/list.h"
#include "base/wheel.h"
#include "config/config.h"
#include "endpoint/endpoint.h"
#include "outbound/outbound.h"
#include "plugin/plugin.h"
#include "transport/wire.h"
#include <xsockets/connection.h>
#include <xsockets/http.h>

/* state, and the states it may go to next */
#define XS_CONN_STATES(X, to)                                                                  \
    X(ACCEPTED, to(MATCHING) | to(CLOSING)) /* socket open, the transport shakes hands */      \
    X(MATCHING, to(OPENING) | to(DRAINING) | to(CLOSING)) /* which protocol is this? */        \
    X(OPENING, to(OPEN) | to(DRAINING) | to(CLOSING))     /* the protocol's own handshake */   \
    X(OPEN, to(DRAINING) | to(CLOSING))                   /* messages flow */                  \
    X(DRAINING, to(CLOSING)) /* flush what is queued, say goodbye */                           \
    X(CLOSING, to(CLOSED))   /* nothing is sent or read any more */                            \
    X(CLOSED, 0)             /* the fd is closed, memory may go */

enum xs_conn_state {
#define X(name, next) XS_CONN_##name,
    XS_CONN_STATES(X, )
#undef X
};

/* Why a connection is not read from, as bits. */
enum {
    XS_HOLD_ANSWER = 1,  /* an answer from elsewhere comes first */
    XS_HOLD_CONTROL = 2, /* its own answers pile up */
    XS_HOLD_STALLED = 4, /* the box of another worker is full */
    XS_HOLD_FILE = 8     /* the disk, or the rest of a file, comes first */
};

struct xs_conns;
struct xs_conn_file;
struct xs_files;

/* What an endpoint offers, resolved from names once. */
struct xs_offer {
    struct xs_endpoint *endpoint;
    const struct xs_config_endpoint *config; /* swapped by a reload; one offer a worker */
    struct xs_module_transport *transport;
    struct xs_module_protocol **protocols; /* allowed, in the endpoint's order */
    const struct xs_protocol_ops **ops;    /* the same, for the sniffer */
    size_t protocol_count;
    struct xs_module_subprotocol **subs;
    size_t sub_count;
    unsigned scope;
};

/* The other side of a connection: sessions of the controller room, as the server wires them. */
struct xs_conn_hooks {
    size_t session_size; /* bytes behind the connection, zeroed */
    void (*start)(void *context, void *session, struct xs_conn *conn);
    enum xs_err (*deliver)(void *session, const struct xs_incoming *incoming);
    void (*error)(void *session, const char *sentence);
    enum xs_err (*set_query)(void *session, struct xs_slice query);
    void (*set_head)(void *session, const struct xs_http_head *head);
    void (*handshake_done)(void *session);
    enum xs_err (*open_controller)(void *session, struct xs_slice name);
    enum xs_err (*subscribe)(void *session, struct xs_slice controller, struct xs_slice topic);
    /* Ends everything the client had; called exactly once if start was. */
    void (*end)(void *session);
    /* Whether all clients together have more unfinished input than may be. */
    bool (*holds_too_much)(void *context);
    /* Test hook: the fd and its first bytes go to another worker. True: taken. */
    bool (*place)(void *context, struct xs_offer *offer, int fd, struct xs_slice first);
};

/* The connections of one worker. */
struct xs_conns {
    struct xs_wires wires;
    struct xs_outbound *out;
    struct xs_files *files;
    struct xs_wheel *wheel;
    const struct xs_config *config; /* swapped by a reload */
    struct xs_fd_budget *budget;
    const struct xs_conn_hooks *hooks;
    void *context;          /* of the hooks */
    void **protocol_states; /* worker memory of the modules, by index */
    void **transport_states;
    struct xs_list all;
    struct xs_list pending;    /* to look at, at the end of the turn */
    uint64_t disk_quiet_until; /* ms; the log has been told */
    unsigned worker;
    bool draining;
};

struct xs_conn {
    struct xs_wire wire;
    struct xs_outq out;
    struct xs_conns *home;
    struct xs_offer *offer;
    struct xs_module_protocol *protocol; /* NULL until one has claimed it */
    struct xs_module_subprotocol *sub;
    void *self; /* the protocol's state */
    void *sub_self;
    char *held; /* an incomplete frame, NULL when there is none */
    uint32_t held_len, held_cap;
    uint32_t held_by_module; /* bytes */
    uint32_t variant;
    uint8_t state; /* enum xs_conn_state */
    uint8_t holds;
    uint8_t reason;      /* enum xs_close_reason */
    bool begun : 1;      /* the protocol's open() has run */
    bool upgraded : 1;   /* handed from one protocol to another just now */
    bool first_byte : 1; /* something has come */
    bool wait_peer : 1;  /* the peer's goodbye is worth waiting for */
    bool peer_done : 1;  /* it has come */
    bool flushed : 1;    /* our last byte is with the kernel */
    bool failed : 1;     /* the socket has failed */
    bool slow : 1;
    bool ended : 1; /* the session is closed */
    bool decoding : 1;
    bool backlog : 1; /* whole frames may be among what is held */
    bool answers : 1; /* one request after the other, each with an answer or a file */
    bool expects : 1; /* once the queue is empty, the next one is waited for */
    bool rests : 1;   /* it is waited for, and nothing of it has come */
    struct xs_timer timer;
    struct xs_list node;    /* in home->all */
    struct xs_list pending; /* in home->pending */
    uint64_t since;         /* ms; accepted */
    uint64_t deadline;      /* ms; of the state: handshake, sniff, quiet, flush, goodbye */
    uint64_t sniff_until;   /* ms */
    uint64_t last_in;       /* ms; bytes came, or some of an answer left */
    uint64_t last_ping;
    uint64_t held_since;       /* ms; XS_HOLD_CONTROL, 0 until the turn ends */
    uint64_t pace_until;       /* ms; nothing leaves before */
    uint32_t pace;             /* ms between two messages, 0: gathered */
    uint32_t rest;             /* ms; how long the next request is waited for */
    uint64_t stuck_since;      /* ms; the peer has taken nothing of what is queued */
    int64_t taken;             /* bytes, then */
    struct xs_conn_file *file; /* asked for, open or being sent; NULL for none */
    uint64_t frames_in, bytes_in, frames_out, bytes_out;
    max_align_t session[];
};

/* XS_EIO: there is no descriptor for it. */
enum xs_err xs_conns_init(struct xs_conns *conns, uv_loop_t *loop);
/* All have gone, and nobody comes any more. */
void xs_conns_stop(struct xs_conns *conns);
void xs_conns_fini(struct xs_conns *conns);
/* A new client. Takes over the fd. `first`: bytes that another worker has read already. */
void xs_conn_new(struct xs_conns *conns, struct xs_offer *offer, int fd, struct xs_slice first);
/* Flushes what this turn has queued and finishes what it has ended. */
void xs_conns_end_turn(struct xs_conns *conns);
/* Says goodbye to all; later ones are told at once. */
void xs_conns_drain(struct xs_conns *conns);
/* The timeouts of the configuration have changed. */
void xs_conns_rearm(struct xs_conns *conns);
/* Ends all without another word. */
void xs_conns_abort(struct xs_conns *conns);
static inline bool xs_conns_empty(const struct xs_conns *conns)
{
    return xs_list_empty(&conns->all);
}
/* Stops or goes on reading, for one reason. */
void xs_conn_hold(struct xs_conn *conn, unsigned why, bool on);
static inline void *xs_conn_session(struct xs_conn *conn)
{
    return conn->session;
}
/* Ends an offer's arrays. */
void xs_offer_fini(struct xs_offer *offer);
/* Resolves the names in an endpoint's configuration. XS_ENOTFOUND: *missing is a name nobody
 * serves. */
enum xs_err xs_offer_init(struct xs_offer *offer, const struct xs_registry *registry,
                          struct xs_endpoint *endpoint, const struct xs_config_endpoint *config,
                          const char **missing);

#endif
