/* host.h - a small host for tests: what protocol, subprotocol and transport modules call,
 * without sockets, loops or a router. It records everything they do. Linked with src/base,
 * src/message and src/protocol/{http_head,framing}.c, never with src/connection.
 *
 *   struct xt_host *host = xt_host_new();
 *   xt_host_protocol(host, &text_ops, NULL);
 *   struct xs_conn *conn = xt_conn_new(host);
 *   xt_feed(conn, XS_SLICE("PuttyProtocol\r\nchat|say|hello\r\n"));
 *   assert_int_equal(conn->delivered_count, 1);
 *   xt_conn_free(conn);
 *   xt_host_free(host);
 *
 * The ops are found as the daemon finds them: xt_plugin_protocol(xs_plugin_entry(), "text").
 * Where several modules are linked into one test, each but one is compiled under another name
 * for its entry, by a file of two lines: #define xs_plugin_entry xs_entry_native #include
 * "../../modules/protocols/native/native.c" */
#ifndef XT_HOST_H
#define XT_HOST_H

#include <xsockets/file.h>
#include <xsockets/http.h>
#include <xsockets/subprotocol.h>
#include <xsockets/transport.h>

#define XT_MODULES 8

/* Bytes that grow. Always terminated behind `len`, so that they may be compared as text. */
struct xt_bytes {
    char *at;
    size_t len;
    size_t cap;
};

void xt_append(struct xt_bytes *to, struct xs_slice bytes);
struct xs_slice xt_slice(const struct xt_bytes *bytes);

/* A list of strings, in the order of the calls. */
struct xt_list {
    char **at;
    size_t count;
};

/* A message as xs_conn_deliver() got it, copied. */
struct xt_delivered {
    struct xs_incoming
        incoming; /* slices point into `memory`; names as the module gave them, not folded */
    char *memory;
};

/* One served module. */
struct xt_protocol {
    struct xs_protocol_ops ops;
    const struct xs_settings *settings;
    void *worker_state;
};
struct xt_subprotocol {
    struct xs_subprotocol_ops ops;
    const struct xs_settings *settings;
};

/* What lies in every folder of a setting. */
struct xt_file {
    const char *path;
    const char *content; /* NULL: a folder */
    int64_t modified;
    uint32_t modified_ns;
    enum xs_err err; /* instead of the file */
};

/* An endpoint with one worker. Its limits are the daemon's standard ones and may be changed
 * before a connection is made. */
struct xt_host {
    struct xt_protocol protocols[XT_MODULES]; /* in the endpoint's order */
    size_t protocol_count;
    struct xt_subprotocol subprotocols[XT_MODULES];
    size_t subprotocol_count;
    struct xs_limits limits;
    bool draining;
    const struct xt_file
        *files;      /* one after the other, a path of NULL at the end; may be NULL */
    bool disk_waits; /* until xt_disk(); else it answers at once */
    size_t kept_all, kept_each;    /* xs_folder_keep() */
    const char *known_controllers; /* comma list; xs_conn_open_controller() answers XS_ENOTFOUND
                                      for others. NULL: all are known */
};

enum xt_phase {
    XT_MATCHING, /* no protocol has said yes */
    XT_OPEN,     /* a protocol has it */
    XT_CLOSING,  /* goodbye said, the peer's is waited for */
    XT_ENDED     /* all is over; what is fed is thrown away */
};

/* What one connection did. Read it; write only the members in the first group. */
struct xs_conn {
    /* scripted by the test */
    enum xs_err (*on_deliver)(struct xs_conn *conn, const struct xs_incoming *incoming,
                              void *context);
    void (*on_payload)(struct xs_conn *conn, struct xs_slice payload, bool binary,
                       void *context);
    void *context;
    size_t extra_control; /* added to what xs_conn_queued_control() answers */
    bool peer_reads;      /* true (standard): control counts as read at the end of each feed */

    struct xt_host *host;
    enum xt_phase phase;
    struct xt_protocol
        *protocol; /* who serves it, NULL while matching and for bare subprotocols */
    void *protocol_state;
    struct xt_subprotocol *sub;
    void *sub_state;
    bool sub_open; /* sub->open() ran */
    uint32_t variant;
    unsigned pace; /* of xs_conn_set_pace() */

    struct xt_bytes pending; /* what the module left in `in` */
    size_t fed;              /* bytes in all */

    struct xt_delivered *delivered;
    size_t delivered_count;
    struct xt_payload_record {
        char *at; /* as handed to xs_conn_payload(), copied, terminated behind `len` */
        size_t len;
        bool binary;
    } * payloads;
    size_t payload_count;
    struct xt_bytes written; /* every xs_conn_write(), one behind the other */
    size_t *write_lengths;   /* of each call */
    size_t write_count;
    size_t queued_control;
    struct xt_list errors;        /* xs_conn_error() */
    struct xt_list opened;        /* xs_conn_open_controller() that were answered XS_OK */
    struct xt_list subscriptions; /* "controller|topic" */
    struct xt_bytes query;        /* every xs_conn_set_query(), joined by '&' */
    struct xt_bytes uri;          /* the target of xs_conn_set_head() */
    size_t frames;                /* xs_conn_count_frame() */
    size_t ready_count;           /* xs_conn_ready() */
    size_t close_count;           /* xs_conn_close(), and errors of decode */
    enum xs_close_reason reason;  /* of the first */
    char *detail;                 /* of the first, may be NULL */
    enum xs_err last_error;       /* what the module's last open or decode returned */
    bool waits;                   /* goodbye() returned true and the peer's has not come */

    const struct xt_file *file; /* open */
    struct xt_bytes asked;      /* the path that the disk is asked for, or was */
    bool waits_for_disk;        /* the connection is busy */
    bool told;                  /* the disk's answer is there, the module has not asked again */
    struct xs_slice sends;      /* of `file`, when the disk answers */
    xs_file_sent_cb sent;
    size_t file_count;    /* xs_conn_open_file() that were answered XS_OK */
    size_t expect_count;  /* xs_conn_expect() */
    uint64_t expected_ms; /* of the last */

    bool in_module;  /* a module's function is running */
    bool ended;      /* to be ended when it returns */
    bool upgraded;   /* xs_conn_upgrade() took place in the running call */
    void *old_state; /* to be freed when it returns */
};

/* A socket under a transport module. */
struct xs_wire {
    struct xt_bytes delivered; /* xs_wire_deliver(), decoded */
    size_t deliver_count;
    struct xt_bytes sent; /* what the socket took */
    size_t ready_count;
    size_t takes; /* bytes the socket takes before it answers XS_EAGAIN; SIZE_MAX (standard) for
                     all */
    bool failed;  /* the socket answers XS_EIO */
    bool gone;    /* xs_wire_deliver() answers false */
    void *worker_state;
};
void xt_wire_init(struct xs_wire *wire);
void xt_wire_fini(struct xs_wire *wire);

/* ---- the host ---- */

struct xt_host *xt_host_new(void);
/* Stops the modules. All connections must have been freed. */
void xt_host_free(struct xt_host *host);
/* Adds a module. `pairs`: key, value, key, value, NULL; may be NULL; a key that the module's
 * table lacks fails the test. Calls worker_start(). */
void xt_host_protocol(struct xt_host *host, const struct xs_protocol_ops *ops,
                      const char *const *pairs);
void xt_host_subprotocol(struct xt_host *host, const struct xs_subprotocol_ops *ops,
                         const char *const *pairs);

/* The ops of that name in a plugin, NULL if it brings none. */
const struct xs_protocol_ops *xt_plugin_protocol(const struct xs_plugin *plugin,
                                                 const char *name);
const struct xs_subprotocol_ops *xt_plugin_subprotocol(const struct xs_plugin *plugin,
                                                       const char *name);
const struct xs_transport_ops *xt_plugin_transport(const struct xs_plugin *plugin,
                                                   const char *name);

/* ---- a connection ---- */

/* A client that has sent nothing yet; the host's protocols are asked in their order. */
struct xs_conn *xt_conn_new(struct xt_host *host);
/* A client whose handshake chose `sub` (already added to the host), without a protocol around
 * it: open() has run when this returns. `query` may be NULL. Feed it with xt_payload(). */
struct xs_conn *xt_conn_new_sub(struct xt_host *host, const char *token, const char *query);
/* A client whose upgrade to the protocol of that name has just been asked for by `head`. */
struct xs_conn *xt_conn_new_upgraded(struct xt_host *host, const char *protocol,
                                     const struct xs_http_head *head);
/* Ends it if that has not happened (as when the peer resets) and frees it. */
void xt_conn_free(struct xs_conn *conn);

/* One read from the socket: exactly these bytes, in memory of exactly this length together with
 * what was left. Checks that the module leaves alone what it does not take. */
void xt_feed(struct xs_conn *conn, struct xs_slice bytes);
/* The same bytes one at a time; in two reads, the first `at` bytes long; in reads of `step`
 * bytes. */
void xt_feed_bytewise(struct xs_conn *conn, struct xs_slice bytes);
void xt_feed_cut(struct xs_conn *conn, struct xs_slice bytes, size_t at);
void xt_feed_steps(struct xs_conn *conn, struct xs_slice bytes, size_t step);
/* Nothing more has come for sniff_quiet: a module that said XS_MATCH_QUIET has it now. */
void xt_quiet(struct xs_conn *conn);
/* One payload for the subprotocol, in memory of exactly this length. An error closes. */
enum xs_err xt_payload(struct xs_conn *conn, struct xs_slice bytes, bool binary);
/* The disk answers, if it is asked. A connection that was busy for another reason goes on. */
void xt_disk(struct xs_conn *conn);
/* What the daemon does by itself: heartbeat, drain, the peer's end of stream. */
void xt_ping(struct xs_conn *conn);
void xt_close(struct xs_conn *conn, enum xs_close_reason reason, const char *detail);
void xt_reset(struct xs_conn *conn);

/* Forgets what was written, delivered and handed on so far. */
void xt_forget(struct xs_conn *conn);

/* ---- messages out ---- */

/* A message for the encoders; names are given as they are to appear (folded). Parts may be
 * empty. Free with xt_message_free(). */
struct xs_message;
struct xs_message *xt_message_new(const char *controller, const char *topic,
                                  struct xs_data data);
struct xs_message *xt_message_new_blob(const char *controller, const char *topic,
                                       struct xs_data data, struct xs_slice blob);
void xt_message_free(struct xs_message *msg);

/* What this connection's peer would get for a message: the encoder of protocol (and
 * subprotocol) over the view they want, then the personal edges if `who` is not NULL or the
 * protocol wants them always. `out` is
 * emptied first. Without a protocol it is the payload alone, and *binary says of which kind
 * (may be NULL). */
enum xs_err xt_encode(struct xs_conn *conn, const struct xs_message *msg,
                      const struct xs_personal *who, struct xt_bytes *out, bool *binary);

/* Frees the bytes; they may be used again. */
void xt_bytes_free(struct xt_bytes *bytes);

#endif
