/* connection.h - what a protocol or subprotocol module may do with a connection. */
#ifndef XSOCKETS_CONNECTION_H
#define XSOCKETS_CONNECTION_H

#include <xsockets/message.h>
#include <xsockets/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One client's socket with its protocol. Lives and dies on one worker. */
struct xs_conn;
struct xs_http_head;

/* Why a connection ends: name, the close code of RFC 6455 section 7.4.1, text for the log. */
#define XS_CLOSE_REASONS(X)                                                                    \
    X(NORMAL, 1000, "closed by the peer")                                                      \
    X(GOING_AWAY, 1001, "the server stops")                                                    \
    X(PROTOCOL, 1002, "the peer broke its protocol")                                           \
    X(NOT_A_MESSAGE, 1003, "what came is no message")                                          \
    X(BAD_UTF8, 1007, "not valid UTF-8")                                                       \
    X(REFUSED, 1008, "refused")                                                                \
    X(SLOW, 1008, "the peer does not read")                                                    \
    X(TOO_BIG, 1009, "over a limit")                                                           \
    X(FAULT, 1011, "fault of the server")                                                      \
    X(HANDSHAKE_TIMEOUT, 1008, "no greeting in time")                                          \
    X(SNIFF_TIMEOUT, 1008, "the greeting was not finished in time")                            \
    X(IDLE_TIMEOUT, 1008, "nothing came for too long")                                         \
    X(UNKNOWN_PROTOCOL, 1002, "no protocol claims these bytes")                                \
    X(RESET, 1006, "reset by the peer")

enum xs_close_reason {
#define X(name, code, text) XS_CLOSE_##name,
    XS_CLOSE_REASONS(X)
#undef X
};

/* The RFC 6455 close code of a reason. [any] */
XS_API unsigned xs_close_code(enum xs_close_reason reason);
XS_API const char *xs_close_text(enum xs_close_reason reason);

/* Which limits hold on this connection (bytes, counts). */
struct xs_limits {
    size_t message; /* of a message's data and blob together, decoded */
    size_t name;    /* of a controller, topic, parameter or key */
    size_t head;    /* of an HTTP head */
    unsigned json_depth;
    unsigned controllers;   /* open at once on a connection */
    unsigned subscriptions; /* at once on a connection */
};
XS_API const struct xs_limits *xs_conn_limits(const struct xs_conn *conn); /* [worker] */

/* Hands a message to the router. The handler runs before this returns (or, when the connection
 * waits for something, later, from a copy). XS_EGONE: the connection is closing; stop decoding,
 * return XS_OK. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_deliver(struct xs_conn *conn,
                                                 const struct xs_incoming *incoming);

/* A frame without a message (ping, pong, empty line) was read: counted. [worker] */
XS_API void xs_conn_count_frame(struct xs_conn *conn);

/* Tells how many bytes of unfinished messages the module keeps for this connection in memory of
 * its own, in place of what it told before. The host counts them beside the input that decode()
 * left. XS_ETOOBIG: all clients together have more than may be, and this one more than a
 * little; return it from decode(). [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_hold_bytes(struct xs_conn *conn, size_t bytes);

/* Queues bytes as they are, as control: a greeting, a handshake's answer, a pong. Copies them.
 * They leave at the end of this turn. [worker] */
XS_API void xs_conn_write(struct xs_conn *conn, struct xs_slice bytes);

/* Bytes of control that wait for the peer to read; a module that answers pings looks here
 * first. [worker] */
XS_API size_t xs_conn_queued_control(const struct xs_conn *conn);

/* The protocol's handshake is done, messages may flow. Called from open(), open_upgraded() or
 * decode(). [worker] */
XS_API void xs_conn_ready(struct xs_conn *conn);

/* A request was answered before any xs_conn_ready(), and another may follow: it is waited for
 * `ms`, counted from when the peer has taken the answer; from its first byte on it has the
 * endpoint's handshake_timeout. A connection of which this is never said has handshake_timeout
 * from its beginning. [worker] */
XS_API void xs_conn_expect(struct xs_conn *conn, uint64_t ms);

/* Ends the connection: goodbye() is called once, what is queued is flushed, then the socket
 * closes. May be called again (from decode, when the peer's own goodbye has come): then the
 * peer is not waited for. `detail` is for the peer and the log, one sentence without a payload,
 * or NULL. [worker] */
XS_API void xs_conn_close(struct xs_conn *conn, enum xs_close_reason reason,
                          const char *detail);

/* Sends the error message (topic 4) with no controller to this client. `sentence` is plain
 * text. [worker] */
XS_API void xs_conn_error(struct xs_conn *conn, const char *sentence);

/* Gives the connection its parameters, from `a=1&b=2` (a leading '?' is skipped; percent and
 * plus decoded). The persistent id is taken from a parameter `persistentid`, name in any case;
 * one that is no guid is ignored. May be called again: later values are added, the first of
 * equal names counts. XS_ETOOBIG: over a limit. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_set_query(struct xs_conn *conn, struct xs_slice query);

/* Gives the connection its URI and those headers and cookies that a loaded module has named.
 * Borrows. [worker] */
XS_API void xs_conn_set_head(struct xs_conn *conn, const struct xs_http_head *head);

/* Hands the connection to the protocol whose `upgrade` is the head's Upgrade header and that
 * this endpoint allows. On XS_OK the caller's state is gone when its function returns: return
 * at once. XS_ENOTFOUND: no such protocol. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_upgrade(struct xs_conn *conn,
                                                 const struct xs_http_head *head);

/* From now on one message is one write, with at least so many milliseconds to the next, for
 * clients that take what they read at once for one message. 0 (standard): messages are
 * gathered. [worker] */
XS_API void xs_conn_set_pace(struct xs_conn *conn, unsigned ms);

/* Chooses the subprotocol of that name ("" for none offered) if this endpoint allows it, and
 * makes its state; its open() runs with xs_conn_ready(). XS_ENOTFOUND: nobody speaks it here.
 * Name compared exactly. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_choose_subprotocol(struct xs_conn *conn,
                                                            struct xs_slice name);
/* The chosen one, NULL before. [worker] */
XS_API const struct xs_subprotocol_ops *xs_conn_subprotocol(const struct xs_conn *conn);

/* Hands a whole payload to the chosen subprotocol's decode(); it may be overwritten. Errors are
 * decode's. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_payload(struct xs_conn *conn, char *at, size_t len,
                                                 bool binary);

/* Sets which variant of its format this connection takes; encode() is called once per variant.
 * Default 0. Once the connection is ready this leaves XS_VARIANT_OF_PROTOCOL as it was: the
 * protocol has chosen by then, the rest is the subprotocol's. [worker] */
XS_API void xs_conn_set_variant(struct xs_conn *conn, uint32_t variant);

/* Opens a controller for the client as if it had asked (topic 1). XS_ENOTFOUND: not served.
 * XS_EREFUSED. A shared controller may refuse later: then the connection is closed as refused.
 * [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_conn_open_controller(struct xs_conn *conn,
                                                         struct xs_slice controller);
/* Subscribes the client, without confirmation. XS_ENOTFOUND: not open. XS_EINVAL: reserved.
 * XS_ETOOBIG: one too many. [worker] */
XS_API XS_MUST_CHECK enum xs_err
xs_conn_subscribe(struct xs_conn *conn, struct xs_slice controller, struct xs_slice topic);

/* The settings of the module that serves this connection, from its section of the ini file.
 * [worker] */
XS_API const struct xs_settings *xs_conn_protocol_settings(const struct xs_conn *conn);
XS_API const struct xs_settings *xs_conn_subprotocol_settings(const struct xs_conn *conn);

/* This worker's memory of the module that serves this connection (worker_size), NULL if it has
 * none. [worker] */
XS_API void *xs_conn_worker_state(const struct xs_conn *conn);

/* The state of a module, for callbacks that are handed only the connection. [worker] */
XS_API void *xs_conn_protocol_state(const struct xs_conn *conn);

/* Whether the daemon is about to stop (a health check answers 503 then). [worker] */
XS_API bool xs_conn_draining(const struct xs_conn *conn);
/* Whether nothing more should be decoded now: answers pile up, or one from elsewhere comes
 * first. decode() leaves the rest in its input; it is called again when the connection goes on.
 * [worker]
 */
XS_API bool xs_conn_busy(const struct xs_conn *conn);
/* Whether close() was called or the socket has failed: whatever is decoded now reaches nobody.
 * [worker] */
XS_API bool xs_conn_closing(const struct xs_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
