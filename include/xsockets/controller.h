/* controller.h - a module that holds state per client and answers: the caller, everybody, or
 * exactly the clients that match a condition, whatever protocol each of them speaks. */
#ifndef XSOCKETS_CONTROLLER_H
#define XSOCKETS_CONTROLLER_H

#include <xsockets/message.h>
#include <xsockets/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One client of one controller: its instance. Borrowed for the callback; to name it later take
 * its id. */
struct xs_client;

/* ---- tables: properties, bindings, actions ---- */

/* How a member of a C struct is stored. */
enum xs_type {
    XS_TYPE_BOOL,   /* bool */
    XS_TYPE_INT,    /* int8_t .. int64_t, by size */
    XS_TYPE_UINT,   /* uint8_t .. uint64_t, by size */
    XS_TYPE_DOUBLE, /* double */
    XS_TYPE_STRING, /* char[N], terminated; UTF-8 */
    XS_TYPE_SLICE,  /* struct xs_slice; text in the worker's scratch memory. Bindings only */
    XS_TYPE_JSON,   /* struct xs_slice; the value's JSON text. Bindings only */
    XS_TYPE_OBJECT, /* a struct, described by `inner`. Bindings only */
    XS_TYPE_ARRAY   /* T[N], elements as the one row in `inner` says; how many goes to
                       `count_offset`. Bindings only */
};

enum {
    XS_CLIENT_MAY_SET = 1, /* property: set_<name> is answered */
    XS_CLIENT_MAY_GET = 2, /* property: get_<name> is answered */
    XS_PERSISTENT =
        4,            /* property: kept for the persistent id, once a storage module is there */
    XS_OPTIONAL = 8,  /* binding: may be missing; the member stays as it was */
    XS_NULLABLE = 16, /* binding: null counts as missing */
    XS_RANGE = 32     /* binding, property: number must lie in [min, max] */
};

/* One member of a struct: a property of a controller, or an argument to bind. */
struct xs_property {
    const char *name;
    enum xs_type type;
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
    double min, max; /* with XS_RANGE; for integers compared as integers */
    const struct xs_property
        *inner; /* XS_TYPE_OBJECT: its rows; XS_TYPE_ARRAY: one row, offset 0 */
    uint32_t inner_count;
    uint32_t count_offset; /* XS_TYPE_ARRAY: a uint32_t in the same struct */
};

#define XS_MEMBER(kind, structure, member, member_flags)                                       \
    {                                                                                          \
#member, kind, (uint32_t)offsetof(structure, member),                                  \
            (uint32_t)sizeof(((structure *)0)->member), (member_flags), 0, 0, NULL, 0, 0       \
    }
#define XS_STRING(structure, member, flags) XS_MEMBER(XS_TYPE_STRING, structure, member, flags)
#define XS_BOOL(structure, member, flags)   XS_MEMBER(XS_TYPE_BOOL, structure, member, flags)
#define XS_INT(structure, member, flags)    XS_MEMBER(XS_TYPE_INT, structure, member, flags)
#define XS_UINT(structure, member, flags)   XS_MEMBER(XS_TYPE_UINT, structure, member, flags)
#define XS_DOUBLE(structure, member, flags) XS_MEMBER(XS_TYPE_DOUBLE, structure, member, flags)
#define XS_TEXT_SLICE(structure, member, flags)                                                \
    XS_MEMBER(XS_TYPE_SLICE, structure, member, flags)
#define XS_JSON_SLICE(structure, member, flags)                                                \
    XS_MEMBER(XS_TYPE_JSON, structure, member, flags)
#define XS_INT_RANGE(structure, member, flags, low, high)                                      \
    {                                                                                          \
#member, XS_TYPE_INT, (uint32_t)offsetof(structure, member),                           \
            (uint32_t)sizeof(((structure *)0)->member), (flags) | XS_RANGE, (low), (high),     \
            NULL, 0, 0                                                                         \
    }

/* Fills `target` from the message's JSON data: members by name without case, unknown ones
 * ignored, numbers read as integers from their text, lenient JSON taken (also as JSON text
 * inside a string). A table of one row also takes the bare value. XS_EINVAL: a member is
 * missing, null, of the wrong type, out of range or too long; when the handler returns that
 * error the client is told which. `target` is then partly filled. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_bind(const struct xs_message *msg, struct xs_table rows,
                                         void *target);

/* Remembers the sentence that goes to the client when the running handler returns an error.
 * Copied. [worker] */
XS_API void xs_fail_text(struct xs_client *client, const char *sentence);

typedef enum xs_err (*xs_action_cb)(void *self, struct xs_client *client,
                                    const struct xs_message *msg);

/* A topic and who handles it. The same handler may stand under several topics (aliases). */
struct xs_action {
    const char *topic; /* compared without case */
    xs_action_cb call;
};

/* ---- life ---- */

enum xs_sharing {
    XS_PER_CLIENT, /* one instance per client, on the client's worker */
    XS_SHARED      /* one per scope, on one worker; messages reach it in order */
};

/* What reopened() is told. */
struct xs_return {
    size_t size;
    bool was_away; /* no live connection had this persistent id, and it had been here before */
    uint64_t away_for; /* ms, 0 if it was not away */
};

struct xs_controller_ops {
    size_t size;
    const char *name; /* by which clients call it, unless the ini file gives another */
    enum xs_sharing sharing;
    size_t state_size;          /* per instance, zeroed, handed on as `self` */
    struct xs_table settings;   /* of struct xs_setting */
    struct xs_table properties; /* of struct xs_property, members of the state */
    struct xs_table actions;    /* of struct xs_action */
    const char *const *headers; /* names of request headers to keep beyond `opened`;
                                   NULL-terminated, may be NULL */
    const char *const *cookies; /* the same for cookies */

    /* XS_SHARED only: the instance begins and ends; `me` sends to clients, owns timers, and
     * lives as long as the instance. May be NULL. [worker] */
    enum xs_err (*started)(void *self, struct xs_client *me);
    void (*stopped)(void *self, struct xs_client *me);

    /* The client has opened the controller; it is in no list yet. An error refuses it. May be
     * NULL. [worker] */
    enum xs_err (*opened)(void *self, struct xs_client *client);
    /* After opened, when the request brought a persistent id. May be NULL. [worker] */
    void (*reopened)(void *self, struct xs_client *client, const struct xs_return *how);
    /* A topic without an action. NULL: such a message is dropped and counted. [worker] */
    enum xs_err (*on_message)(void *self, struct xs_client *client,
                              const struct xs_message *msg);
    /* Exactly once, whatever ended it; the client cannot be answered any more. May be NULL.
     * [worker] */
    void (*closed)(void *self, struct xs_client *client);
};

/* ---- who is asking ---- */

/* The client's name for later. Of `me` in a shared controller: an id that no function accepts
 * as a receiver. [worker] */
XS_API struct xs_client_id xs_client_id(const struct xs_client *client);
/* Ids in the form 8-4-4-4-12 (36 characters, lower case): of this instance, and of the client.
 * The persistent id is a secret of the client: never log it or send it to others. [worker] */
XS_API struct xs_slice xs_client_connection_id(const struct xs_client *client);
XS_API struct xs_slice xs_client_persistent_id(const struct xs_client *client);
/* A parameter of the connect request, name without case; empty if there is none. [worker] */
XS_API struct xs_slice xs_client_parameter(const struct xs_client *client, const char *name);
/* The request's path as sent; a header or cookie (kept only if a module named it; during
 * `opened` at the handshake all are readable). [worker] */
XS_API struct xs_slice xs_client_uri(const struct xs_client *client);
XS_API struct xs_slice xs_client_header(const struct xs_client *client, const char *name);
XS_API struct xs_slice xs_client_cookie(const struct xs_client *client, const char *name);
/* The protocol or subprotocol it speaks, and the name of its endpoint. [worker] */
XS_API const char *xs_client_protocol(const struct xs_client *client);
XS_API const char *xs_client_endpoint(const struct xs_client *client);
/* The name by which the controller is served. [worker] */
XS_API const char *xs_client_controller(const struct xs_client *client);
/* The controller's settings. [worker] */
XS_API const struct xs_settings *xs_client_settings(const struct xs_client *client);
/* Ends the client's whole connection, with a sentence for it. [worker] */
XS_API void xs_client_disconnect(struct xs_client *client, const char *sentence);

/* ---- sending ---- */

/* One comparison of a property with a value. Data, so it crosses workers. */
enum xs_compare { XS_EQ, XS_NE, XS_LT, XS_LE, XS_GT, XS_GE };
enum xs_value_kind { XS_VALUE_TEXT, XS_VALUE_INT, XS_VALUE_DOUBLE, XS_VALUE_BOOL };

struct xs_where {
    const char *property; /* of the receiving controller; an unknown one matches nobody */
    enum xs_compare compare;
    enum xs_value_kind kind;
    struct xs_slice text; /* compared exactly, byte by byte */
    int64_t integer;      /* also bool: 0 or 1 */
    double number;
};

#define XS_WHERE_EQ(name, value)                                                               \
    ((struct xs_where){ (name), XS_EQ, XS_VALUE_TEXT, xs_slice_of(value), 0, 0 })
#define XS_WHERE_INT(name, how, value)                                                         \
    ((struct xs_where){ (name), (how), XS_VALUE_INT, { NULL, 0 }, (value), 0 })
#define XS_WHERE_BOOL(name, value)                                                             \
    ((struct xs_where){ (name), XS_EQ, XS_VALUE_BOOL, { NULL, 0 }, (value) ? 1 : 0, 0 })
#define XS_WHERE_DOUBLE(name, how, value)                                                      \
    ((struct xs_where){ (name), (how), XS_VALUE_DOUBLE, { NULL, 0 }, 0, (value) })

/* Looks at one receiver's state and the copied argument, nothing else; calls no xs_ function.
 * Runs on every worker. */
typedef bool (*xs_predicate)(const void *state, const void *argument);

/* A message to many. Zero members mean the natural thing; set `size`. Everything is copied
 * where it must last. */
struct xs_send {
    size_t size;
    const char *controller; /* NULL: the sender's own */
    struct xs_slice topic;
    struct xs_data data; /* no bytes: null */
    struct xs_slice blob;
    bool has_blob;
    bool subscribers_only; /* publish; else invoke: everybody who has the controller open */
    bool but_me;
    bool retain;
    unsigned qos;
    const struct xs_where *where; /* all must hold */
    size_t where_count;
    xs_predicate predicate; /* with `argument_size` bytes of `argument`, copied */
    const void *argument;
    size_t argument_size;
    const struct xs_client_id *except; /* these do not get it */
    size_t except_count;
};

/* XS_OK: on its way (also to nobody). XS_ENOTFOUND: no such controller. XS_EINVAL: a topic over
 * the limit or with a control character. The receivers are those of the sender's scope.
 * [worker] */
XS_API enum xs_err xs_send(struct xs_client *from, const struct xs_send *what);
/* The same from anywhere; `scope` as in the ini file, `what->controller` must be given.
 * XS_EGONE: the server has ended. [any] */
XS_API enum xs_err xs_send_in(const char *scope, const struct xs_send *what);

/* To the caller. The first one from a handler answers the request (carries its N). XS_EGONE:
 * nobody there. [worker] */
XS_API enum xs_err xs_reply(struct xs_client *client, const char *topic, struct xs_data data);
/* The same with a blob. [worker] */
XS_API enum xs_err xs_reply_blob(struct xs_client *client, const char *topic,
                                 struct xs_data data, struct xs_slice blob);
/* To one client by its name, from any thread. XS_EGONE is only told when known at once: the
 * client, or the server, has ended. [any] */
XS_API enum xs_err xs_reply_to(struct xs_client_id client, const char *topic,
                               struct xs_data data);

/* A request to be answered later, from any thread: a plain value. */
struct xs_request {
    struct xs_client_id client;
    int64_t correlation;
    bool has_correlation;
};
/* Says that the running handler's request is answered later: no automatic acknowledgement.
 * [worker] */
XS_API struct xs_request xs_later(struct xs_client *client);
/* Answers it, once. XS_EGONE as for xs_reply_to. [any] */
XS_API enum xs_err xs_answer(struct xs_request request, const char *topic, struct xs_data data);

/* Everybody who has the caller's controller open, the caller included. [worker] */
static inline enum xs_err xs_invoke_all(struct xs_client *from, const char *topic,
                                        struct xs_data data)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = xs_slice_of(topic);
    what.data = data;
    return xs_send(from, &what);
}

/* Everybody but the caller. [worker] */
static inline enum xs_err xs_invoke_others(struct xs_client *from, const char *topic,
                                           struct xs_data data)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = xs_slice_of(topic);
    what.data = data;
    what.but_me = true;
    return xs_send(from, &what);
}

/* Everybody whose instance matches. [worker] */
static inline enum xs_err xs_invoke_where(struct xs_client *from, struct xs_where where,
                                          const char *topic, struct xs_data data)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = xs_slice_of(topic);
    what.data = data;
    what.where = &where;
    what.where_count = 1;
    return xs_send(from, &what);
}

/* Every subscriber of the topic on the caller's controller. [worker] */
static inline enum xs_err xs_publish_all(struct xs_client *from, const char *topic,
                                         struct xs_data data)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = xs_slice_of(topic);
    what.data = data;
    what.subscribers_only = true;
    return xs_send(from, &what);
}

/* Every subscriber whose instance matches. [worker] */
static inline enum xs_err xs_publish_where(struct xs_client *from, struct xs_where where,
                                           const char *topic, struct xs_data data)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = xs_slice_of(topic);
    what.data = data;
    what.subscribers_only = true;
    what.where = &where;
    what.where_count = 1;
    return xs_send(from, &what);
}

/* To the caller, if it has subscribed to the topic. [worker] */
XS_API enum xs_err xs_publish(struct xs_client *client, const char *topic, struct xs_data data);

/* A message as it came, data, blob, QoS and retain: to everybody who has the controller open,
 * or to the subscribers of its topic. [worker] */
XS_API enum xs_err xs_forward(struct xs_client *from, const struct xs_message *msg,
                              bool subscribers_only);

/* ---- time ---- */

struct xs_timer_handle;
typedef void (*xs_timer_cb)(void *self, struct xs_client *owner);

/* Calls back after `ms` (at least 1), again and again if `repeat`, until stopped or the owner
 * is gone. [worker] */
XS_API struct xs_timer_handle *xs_timer_start(struct xs_client *owner, uint64_t ms, bool repeat,
                                              xs_timer_cb call);
/* Stops and frees it; NULL is harmless. A timer that does not repeat is freed when its callback
 * has returned. [worker] */
XS_API void xs_timer_stop(struct xs_timer_handle *timer);

#ifdef __cplusplus
}
#endif

#endif
