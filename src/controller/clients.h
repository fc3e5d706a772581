/* clients.h - the insides of the controller room: clients (instances), sessions (what a
 * connection has open), stages (one controller in one scope on one worker). Everything belongs
 * to one worker unless it says otherwise. */
#ifndef XS_CONTROLLER_CLIENTS_H
#define XS_CONTROLLER_CLIENTS_H

#include "base/list.h"
#include "base/map.h"
#include "base/wheel.h"
#include "config/config.h"
#include "controller/binding.h"
#include "message/message.h"
#include "outbound/outbound.h"
#include "plugin/plugin.h"
#include "router/directory.h"
#include "router/interest.h"
#include "router/letter.h"
#include "router/topics.h"
#include <xsockets/controller.h>
#include <xsockets/http.h>

struct xs_conn;
struct xs_session;
struct xs_context;

/* The folded name of a controller or topic. */
#define XS_NAME_MAX  XS_TOPIC_MAX
#define XS_GUID_TEXT 36

/* What the controller room needs of a connection. [worker] */
struct xs_session_host {
    /* Stops or goes on reading: an answer from elsewhere comes first / another worker's box is
     * full. */
    void (*wait)(struct xs_conn *conn, bool on);
    void (*stall)(struct xs_conn *conn);
    void (*disconnect)(struct xs_conn *conn, enum xs_close_reason reason, const char *sentence);
    const char *(*protocol)(const struct xs_conn *conn);
    const char *(*endpoint)(const struct xs_conn *conn);
    bool (*names_errors)(const struct xs_conn *conn);
};

/* A plain topic that a client of a stage has just used: the next message nearly always has the
 * same one, and then nothing is folded, looked up or classified. */
struct xs_recent {
    char came[24];         /* as it was written */
    char folded[24 + 1];   /* and its end */
    uint8_t len;           /* 0: none yet */
    xs_action_cb callback; /* NULL: nobody handles it */
};

/* One controller in one scope, on one worker. */
struct xs_stage {
    struct xs_hall hall;
    struct xs_clients *home;
    struct xs_module_controller *controller;
    unsigned index; /* in home->stages, the same on every worker */
    unsigned scope;
    struct xs_slice name;
    struct xs_map actions; /* folded topic -> struct xs_action_row */
    struct xs_action_row *rows;
    struct xs_recent recent;
    unsigned shared_worker;   /* XS_SHARED: where the instance lives */
    struct xs_client *shared; /* it, on that worker */
    struct xs_map proxies;    /* there: id -> struct xs_client, clients of other workers */
};

struct xs_action_row {
    struct xs_slice topic;
    xs_action_cb call;
};

enum xs_client_state {
    XS_CLIENT_OPENING, /* opened() has not returned, or not answered from another worker */
    XS_CLIENT_OPEN,
    XS_CLIENT_CLOSED /* nothing reaches it any more */
};

/* A client of a controller. With a session: of a connection here. Without: `me` of a shared
 * controller, or the proxy of a client on another worker. */
struct xs_client {
    struct xs_member member;
    struct xs_stage *stage;
    struct xs_session *session;
    struct xs_client *next; /* of the session */
    struct xs_list timers;
    struct xs_client_id id;
    void *self; /* the state the callbacks are handed: its own, or the shared one's */
    uint8_t ci[16];
    uint8_t state; /* enum xs_client_state */
    bool asked;    /* the shared controller's worker was asked and has not answered */
    bool is_me;
    bool by_server;       /* opened by the server, no message of the client asked for it */
    bool answers_open;    /* the request that opened it was topic 1, and topic 2 answers it */
    bool has_correlation; /* of that request */
    int64_t correlation;
    uint8_t *pi; /* proxies: a copy */
    max_align_t own[];
};

/* What a connection has open. Lies behind the connection. */
struct xs_session {
    struct xs_clients *home;
    struct xs_conn *conn;
    struct xs_outq *out;
    struct xs_client *first;
    struct xs_client *last_used;
    struct xs_context *context;            /* parameters, headers; NULL when there are none */
    const struct xs_http_head *head;       /* during the handshake */
    struct xs_waiting *inbox, **inbox_end; /* messages that wait for an answer from elsewhere */
    struct xs_seen *seen;                  /* QoS ids, NULL until the first */
    uint8_t pi[16];
    uint32_t subscriptions;
    uint16_t scope;
    uint16_t clients;
    uint16_t waits;
    bool has_pi;   /* pi is set */
    bool pi_given; /* by the client */
    bool entered;  /* in the directory */
    bool qos;
    bool ended;
};

/* A message kept for later. */
struct xs_waiting {
    struct xs_waiting *next;
    const struct xs_message *msg;
    struct xs_client *client; /* deferred replies: to whom */
    struct xs_personal who;
    bool personal;
    bool has_opened; /* of an inbox: its controller was asked for its sake */
};

/* Bytes of a sentence for a client, its end included. */
#define XS_SENTENCE_SIZE 256

/* The running callback. */
struct xs_call {
    struct xs_call *outer;
    struct xs_client *client;
    int64_t correlation;
    bool has_correlation;
    bool replied;
    bool later;
    char sentence[XS_SENTENCE_SIZE];
};

/* The clients of one worker. */
struct xs_clients {
    struct xs_outbound *out;
    struct xs_wheel *wheel;
    struct xs_interest *interest;   /* of the process */
    struct xs_directory *directory; /* of the process */
    struct xs_mail *mail;
    const struct xs_config *config; /* swapped by a reload */
    const struct xs_registry *registry;
    const struct xs_session_host *host;
    unsigned worker, workers;
    uint16_t node;
    const char *const *scopes; /* names by number; frozen */
    unsigned scope_count;
    struct xs_stage *stages; /* [scope * controllers + controller] */
    unsigned stage_count;
    struct xs_map *by_name; /* per scope: folded name -> stage */
    struct xs_client **slots;
    uint32_t slot_count, free_slot_count;
    uint32_t *free_slots;
    uint64_t generation;
    unsigned awaited;  /* answers of shared controllers elsewhere to openings */
    uint64_t sequence; /* of messages made here */
    struct xs_call *call;
    uint64_t measured;                           /* ms; the end of the last callback */
    struct xs_session *causing;                  /* whose input is being handled */
    struct xs_waiting *deferred, **deferred_end; /* replies to clients that are still opening */
    uint8_t random[1024];
    unsigned random_left;
    const char *const *kept_headers; /* names that some controller wants, NULL-terminated */
    const char *const *kept_cookies;
};

/* All workers' clients, for calls from outside; set before the first worker runs. */
struct xs_everybody {
    struct xs_clients **workers;
    unsigned count;
    struct xs_mail *mail; /* for threads that are no workers */
};
extern struct xs_everybody xs_everybody;
/* Around every use of xs_everybody by a thread that is no worker. False: the server has ended,
 * and nothing of it may be touched. [any] */
bool xs_everybody_enter(void);
void xs_everybody_leave(void);
/* Waits for who is inside; nobody comes in again. Before any of it is freed. [main] */
void xs_everybody_end(void);
extern _Thread_local struct xs_clients *xs_clients_here;

/* ---- clients.c ---- */
/* `clients` has its plain members set. */
void xs_clients_init(struct xs_clients *clients);
/* Starts, and at the end stops, the shared instances that live here. */
void xs_clients_start(struct xs_clients *clients);
void xs_clients_stop(struct xs_clients *clients);
void xs_clients_fini(struct xs_clients *clients);
struct xs_stage *xs_clients_stage(struct xs_clients *clients, unsigned scope,
                                  struct xs_slice name);
struct xs_client *xs_clients_find(struct xs_clients *clients, struct xs_client_id id);
void xs_clients_random(struct xs_clients *clients, void *at, size_t len);
struct xs_client *xs_client_new(struct xs_stage *stage, struct xs_session *session);
void xs_client_free(struct xs_client *client);
/* 16 bytes as 8-4-4-4-12, lower case, not terminated; and back (also with braces, or as 32
 * digits). */
void xs_guid_write(const uint8_t id[16], char text[XS_GUID_TEXT]);
bool xs_guid_read(struct xs_slice text, uint8_t id[16]);

/* ---- session.c: the hooks of a connection ---- */
void xs_session_start(struct xs_clients *clients, struct xs_session *session,
                      struct xs_conn *conn, struct xs_outq *out, unsigned scope);
enum xs_err xs_session_deliver(struct xs_session *session, const struct xs_incoming *incoming);
void xs_session_end(struct xs_session *session);
/* The answer that was waited for has come: handles what has waited. */
void xs_session_resume(struct xs_session *session);

/* A reference to keep; NULL when there is no memory, and then the connection ends. */
const struct xs_message *xs_session_keep(struct xs_session *session,
                                         const struct xs_message *msg);

/* ---- instance.c ---- */
struct xs_client *xs_session_client(struct xs_session *session, struct xs_slice controller);
/* Opens a controller; the client, also when it is still opening; NULL when it was refused (the
 * client was told). */
struct xs_client *xs_session_open(struct xs_session *session, struct xs_stage *stage,
                                  const struct xs_message *cause);
/* The shared controller has answered. */
void xs_client_opened(struct xs_client *client, enum xs_err err, const char *sentence);
void xs_client_close(struct xs_client *client);
/* Who handles a topic: an action, or on_message; NULL for nobody. */
xs_action_cb xs_stage_callback(const struct xs_stage *stage, struct xs_slice topic);
/* Runs it, and answers what follows from its result. */
void xs_client_run(struct xs_client *client, const struct xs_message *msg,
                   xs_action_cb callback);
/* Both. */
void xs_client_dispatch(struct xs_client *client, const struct xs_message *msg);
enum xs_err xs_session_open_quietly(struct xs_session *session, struct xs_slice name);
enum xs_err xs_session_subscribe(struct xs_session *session, struct xs_slice controller,
                                 struct xs_slice topic);
/* Copies whole characters as far as they fit; what is no UTF-8 becomes a question mark. */
void xs_sentence_copy(char to[XS_SENTENCE_SIZE], const char *from);
/* Wraps a callback: `call` becomes the running one. */
void xs_call_begin(struct xs_client *client, struct xs_call *call);
void xs_call_end(struct xs_client *client, struct xs_call *call);

/* ---- reply.c: messages from the host to one client ---- */
/* As control; correlation of `cause` when it has one. `client` may be a proxy. */
void xs_client_tell(struct xs_client *client, const char *topic, struct xs_data data,
                    const struct xs_message *cause);
void xs_session_tell(struct xs_session *session, struct xs_slice controller, const char *topic,
                     struct xs_data data, const struct xs_message *cause);
/* Topic 4. `client` NULL: no controller. */
void xs_session_fail(struct xs_session *session, struct xs_client *client, const char *sentence,
                     const struct xs_message *cause);
void xs_client_fail(struct xs_client *client, const char *sentence, bool has_correlation,
                    int64_t correlation);
/* Topic 2 and 3: {"CI","PI","C"}. */
void xs_client_tell_info(struct xs_client *client, const char *topic,
                         const struct xs_message *cause);
/* A message for one client of this worker, queued or deferred while it is opening. */
void xs_client_push(struct xs_client *client, const struct xs_message *msg,
                    enum xs_entry_kind kind, const struct xs_personal *who);
/* Queues what was deferred for it, or throws it away. */
void xs_client_undefer(struct xs_client *client, bool send);

/* ---- shared.c: letters of shared controllers ---- */
void xs_shared_open(struct xs_client *client, const struct xs_return *how);
void xs_shared_message(struct xs_client *client, const struct xs_message *msg);
void xs_shared_close(struct xs_client *client);
/* A reply from a proxy, or from outside, to a client elsewhere. */
enum xs_err xs_post_reply(struct xs_client_id to, const struct xs_message *msg,
                          const struct xs_personal *who);
void xs_post_disconnect(struct xs_client_id to, const char *sentence);
/* Posts, and stalls the connection whose input caused it when the box is full. */
bool xs_clients_post(struct xs_clients *clients, unsigned to, struct xs_letter *letter);

/* ---- timers.c ---- */
/* Frees the timer whose list node this is. */
void xs_client_timer_gone(struct xs_list *node);

/* ---- context.c: parameters, URI, headers and cookies of the connect request ---- */
enum xs_err xs_session_set_query(struct xs_session *session, struct xs_slice query);
void xs_session_set_head(struct xs_session *session, const struct xs_http_head *head);
void xs_session_handshake_done(struct xs_session *session);
struct xs_slice xs_session_parameter(const struct xs_session *session, const char *name);
void xs_context_free(struct xs_context *context);
/* What reopened() is told, kept for the controllers that the connection opens later. */
struct xs_return xs_context_return(const struct xs_context *context);
void xs_context_set_return(struct xs_context *context, const struct xs_return *how);
/* Decodes `a=1&b=2` pair by pair; also the fuzz target. False: not well formed (a bad percent
 * sign is kept as it is). */
typedef enum xs_err (*xs_query_cb)(void *context, struct xs_slice name, struct xs_slice value);
enum xs_err xs_query_read(struct xs_slice query, size_t name_limit, xs_query_cb each,
                          void *context);

/* ---- topic.c: what a client's topic means (docs/PROTOCOLS.md, reserved topics) ---- */
enum xs_topic_kind {
    XS_TOPIC_PLAIN,
    XS_TOPIC_OPEN,
    XS_TOPIC_CLOSE,
    XS_TOPIC_SUBSCRIBE,
    XS_TOPIC_UNSUBSCRIBE,
    XS_TOPIC_PING,
    XS_TOPIC_PONG,
    XS_TOPIC_ACK,
    XS_TOPIC_STORE_SET,
    XS_TOPIC_STORE_GET,
    XS_TOPIC_STORE_REMOVE,
    XS_TOPIC_STORE_CLEAR,
    XS_TOPIC_PROPERTY_SET,
    XS_TOPIC_PROPERTY_GET,
    XS_TOPIC_CONFIRMATION, /* begins with __ */
    XS_TOPIC_FORBIDDEN
};
/* `topic` is folded. */
enum xs_topic_kind xs_topic_kind(struct xs_slice topic);
/* Whether a client may subscribe to it: plain, wildcards allowed. */
bool xs_topic_subscribable(struct xs_slice filter);

#endif
