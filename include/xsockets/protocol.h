/* protocol.h - a module that recognises the first bytes of a connection and turns bytes into
 * messages. */
#ifndef XSOCKETS_PROTOCOL_H
#define XSOCKETS_PROTOCOL_H

#include <xsockets/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a module says of the first bytes. */
enum xs_match {
    XS_MATCH_NO,
    XS_MATCH_MORE,  /* could be mine, more bytes will tell */
    XS_MATCH_QUIET, /* mine if nothing more comes for sniff_quiet; with more bytes, ask again */
    XS_MATCH_YES
};

/* Bytes that came. A module takes from the front (at += n, len -= n) and may overwrite what it
 * took; what it leaves is offered again together with what comes next. */
struct xs_input {
    char *at;
    size_t len;
};

/* The bits of a variant that are the protocol's own; a subprotocol gets the variant without
 * them. */
#define XS_VARIANT_OF_PROTOCOL 0xf0000000u
/* Of these, the one that the host looks at: what encode() makes is packed, and no edge can be
 * cut into it. For a receiver for whom something is personal, the host uses the encoding
 * WITHOUT this bit. */
#define XS_VARIANT_PACKED 0x80000000u

/* What makes bytes of a message. Two connections of a worker with equal encoders get the same
 * bytes, made once. */
struct xs_encoder {
    const struct xs_protocol_ops *protocol;
    const struct xs_subprotocol_ops *sub; /* NULL if the protocol has none */
    uint32_t variant;
    void *worker; /* this worker's memory of the protocol's module, NULL if it has none */
};

/* What differs by receiver. */
struct xs_personal {
    size_t size;
    bool has_correlation;
    int64_t correlation; /* N of the request this answers */
    unsigned qos_id;     /* 0: none, else deliver with QoS 1 under this id */
    const void *self;    /* with personal_always: the receiver's state, else NULL */
};

/* How shared bytes become one receiver's: leave out `skip` in front and `drop` at the end, put
 * head and tail there. */
struct xs_edges {
    size_t skip;
    size_t drop;
    uint8_t head_len;
    uint8_t tail_len;
    char head[80];
    char tail[80];
};

struct xs_protocol_ops {
    size_t size;
    const char *name;
    size_t
        state_size; /* per connection, zeroed by the host, handed to every function as `self` */
    size_t worker_size;       /* per worker, zeroed; see xs_conn_worker_state() */
    struct xs_table settings; /* of struct xs_setting */

    /* Beginnings of connections that this module claims, for -t to find two claimants.
     * NULL-terminated, may be NULL. */
    const char *const *beginnings;
    /* Bytes that match() may ask for once it has recognised its beginning; 0: the host's 4 KiB.
     */
    size_t sniff_limit;
    /* The Upgrade token (RFC 9110 section 7.8) by which HTTP hands a connection over, or NULL.
     */
    const char *upgrade;
    /* The view of data that encode() wants, when there is no subprotocol. */
    enum xs_view view;
    /* Errors name the controller of the message at fault even if the client has not opened it;
     * without this, they name none then. */
    bool names_errors;
    /* personal() is asked for every message to every client; without this, only for what one
     * client alone is answered. */
    bool personal_always;

    /* Memory of one worker. May be NULL. [worker] */
    enum xs_err (*worker_start)(void *worker_state, const struct xs_settings *settings);
    void (*worker_stop)(void *worker_state);

    /* Looks at the first bytes, keeps nothing. The same bytes always give the same answer. NULL
     * if the module is reached by an upgrade only. [worker] */
    enum xs_match (*match)(struct xs_slice head);
    /* The connection is ours, `in` holds all that came. Reads what belongs to the greeting,
     * answers it, calls xs_conn_ready(). [worker] */
    enum xs_err (*open)(void *self, struct xs_conn *conn, struct xs_input *in);
    /* The same after an HTTP upgrade: writes 101 or a refusal. [worker] */
    enum xs_err (*open_upgraded)(void *self, struct xs_conn *conn,
                                 const struct xs_http_head *head);
    /* Takes whole frames from `in` and delivers them. Also called while closing, for the peer's
     * goodbye; then the rest is thrown away. An error closes the connection: XS_EPROTO 1002,
     * XS_EINVAL 1003, XS_EUTF8 1007, XS_ETOOBIG 1009. [worker] */
    enum xs_err (*decode)(void *self, struct xs_conn *conn, struct xs_input *in);
    /* Appends the bytes of a message; knows no connection. Appending nothing means: nothing for
     * such clients. XS_EREFUSED: cannot be said in this format (counted). `data` is the view
     * asked for. NULL: the protocol has no messages. [worker] */
    enum xs_err (*encode)(const struct xs_encoder *by, const struct xs_message *msg,
                          struct xs_slice data, struct xs_buf *out);
    /* Fills `edges` for one receiver. NULL: the format has no room for such things. [worker] */
    void (*personal)(const struct xs_encoder *by, const struct xs_personal *who,
                     struct xs_slice shared, struct xs_edges *edges);
    /* Writes a ping; the host calls it at the heartbeat. NULL: no pings, and no idle timeout by
     * default. [worker] */
    void (*ping)(void *self, struct xs_conn *conn);
    /* Writes the protocol's last words. True: the peer's own goodbye is worth a short wait. May
     * be NULL. [worker] */
    bool (*goodbye)(void *self, struct xs_conn *conn, enum xs_close_reason reason,
                    const char *detail);
    /* The connection is gone; give back what is borrowed. The state's memory is the host's. May
     * be NULL. [worker] */
    void (*close)(void *self, struct xs_conn *conn);
};

#ifdef __cplusplus
}
#endif

#endif
