/* session - what a client's message means: open, close, subscribe, properties, or a
 * controller's business. */
#include <string.h>

#include "base/alloc.h"
#include "base/stats.h"
#include "base/utf8.h"
#include "controller/clients.h"
#include "message/json.h"

/* QoS ids seen lately, by controller and id; an id is forgotten after a minute or when its
 * place is taken. */
#define SEEN_PLACES 512
#define SEEN_MS     60000
struct xs_seen {
    struct {
        uint64_t hash;
        uint64_t at;
    } places[SEEN_PLACES];
};

void xs_session_start(struct xs_clients *clients, struct xs_session *session,
                      struct xs_conn *conn, struct xs_outq *out, unsigned scope)
{
    session->home = clients;
    session->conn = conn;
    session->out = out;
    session->scope = (uint16_t)scope;
    session->inbox_end = &session->inbox;
}

void xs_session_end(struct xs_session *session)
{
    struct xs_clients *clients = session->home;

    session->ended = true;
    while (session->first != NULL)
        xs_client_close(session->first);
    while (session->inbox != NULL) {
        struct xs_waiting *waiting = session->inbox;

        session->inbox = waiting->next;
        XS_COUNT_BY(inbox_messages, -1);
        xs_message_unref(waiting->msg);
        xs_free(waiting);
    }
    if (session->entered)
        (void)xs_directory_leave(clients->directory,
                                 xs_slice_of(clients->scopes[session->scope]), session->pi,
                                 xs_now());
    if (clients->causing == session)
        clients->causing = NULL;
    xs_context_free(session->context);
    xs_free(session->seen);
    session->context = NULL;
    session->seen = NULL;
}

/* ---- QoS 1 ---- */

/* Whether this id of this controller was seen within the last minute. */
static bool seen_before(struct xs_session *session, const struct xs_message *msg)
{
    uint64_t hash = xs_hash(msg->controller) + msg->qos_id * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t now = xs_now();
    size_t place = (size_t)(xs_hash(msg->controller) + msg->qos_id) % SEEN_PLACES;

    if (session->seen == NULL)
        session->seen = xs_alloc(sizeof *session->seen);
    if (session->seen->places[place].hash == hash &&
        now - session->seen->places[place].at < SEEN_MS)
        return true;
    session->seen->places[place].hash = hash;
    session->seen->places[place].at = now;
    return false;
}

static void acknowledge(struct xs_session *session, const struct xs_message *cause)
{
    struct xs_clients *clients = session->home;
    struct xs_message ack = { .controller = cause->controller,
                              .topic = XS_SLICE("9"),
                              .data = XS_SLICE("null"),
                              .qos = 1,
                              .qos_id = cause->qos_id };

    ack.id.worker = (uint16_t)clients->worker;
    ack.id.sequence = ++clients->sequence;
    xs_outbound_begin(clients->out, &ack);
    (void)xs_outbound_push(clients->out, session->out, XS_ENTRY_CONTROL, NULL);
    xs_outbound_end(clients->out);
}

/* ---- subscriptions ---- */

struct wish {
    char topic[XS_NAME_MAX];
    size_t len;
    bool confirm;
};

static bool take_topic(struct wish *wish, struct xs_slice topic)
{
    if (topic.len > sizeof wish->topic)
        return false;
    xs_fold(wish->topic, topic.at, topic.len);
    wish->len = topic.len;
    return true;
}

/* The data of topics 5 and 6: {"T":topic,"A":bool}, a JSON string, or the bare topic. */
static bool read_wish(const struct xs_message *msg, struct wish *wish)
{
    struct xs_slice json = xs_message_view(msg, XS_VIEW_RAW);
    struct xs_data value;

    wish->confirm = false;
    if (json.len >= 2 && json.at[0] == '"' && json.at[json.len - 1] == '"' &&
        msg->form != XS_TEXT) {
        struct xs_slice inside = { json.at + 1, json.len - 2 };

        if (inside.len > sizeof wish->topic)
            return false;
        wish->len = xs_json_unescape(inside, wish->topic);
        xs_fold(wish->topic, wish->topic, wish->len);
        return true;
    }
    if (xs_json_member(json, "T", &value) == XS_OK) {
        if (value.form != XS_TEXT || !take_topic(wish, value.bytes))
            return false;
        if (xs_json_member(json, "A", &value) == XS_OK)
            wish->confirm = xs_slice_equal_nocase(value.bytes, XS_SLICE("true"));
        return true;
    }
    return msg->form == XS_TEXT && take_topic(wish, json);
}

static enum xs_err subscribe(struct xs_client *client, struct xs_slice filter)
{
    struct xs_session *session = client->session;
    enum xs_err err;

    err = xs_hall_subscribe(&client->member, filter);
    if (err != XS_OK)
        return err == XS_EEXIST ? XS_OK : err;
    /* Looked at afterwards: one that it has already is never too many. */
    if (session->subscriptions >= session->home->config->limits.subscriptions) {
        err = xs_hall_unsubscribe(&client->member, filter);
        return err == XS_OK ? XS_ETOOBIG : err;
    }
    session->subscriptions++;
    XS_COUNT(subscriptions);
    return XS_OK;
}

static void confirm(struct xs_client *client, const struct wish *wish,
                    const struct xs_message *cause)
{
    struct xs_slice topic = { wish->topic, wish->len };
    struct xs_buf data = { 0 }, name = { 0 };

    xs_buf_append(&data, XS_SLICE("{\"T\":\""));
    xs_buf_append_escaped(&data, topic);
    xs_buf_append(&data, XS_SLICE("\",\"C\":\""));
    xs_buf_append_escaped(&data, client->stage->name);
    xs_buf_append(&data, XS_SLICE("\",\"A\":true}"));
    xs_buf_append(&name, XS_SLICE("__"));
    xs_buf_append(&name, topic);
    xs_buf_append_byte(&name, '\0');
    xs_client_tell(client, name.at, (struct xs_data){ { data.at, data.len }, XS_JSON }, cause);
    xs_free(data.at);
    xs_free(name.at);
}

/* What a request without an answer of its own is told when it carries an N. */
static void done(struct xs_client *client, const struct xs_message *cause)
{
    if (cause->has_correlation)
        xs_client_tell(client, "9", xs_null(), cause);
}

static void on_subscribe(struct xs_client *client, const struct xs_message *msg)
{
    struct xs_session *session = client->session;
    struct xs_slice topic;
    struct wish wish;
    enum xs_err err;

    if (!read_wish(msg, &wish)) {
        xs_session_fail(session, client, "A subscription needs a topic", msg);
        return;
    }
    topic = (struct xs_slice){ wish.topic, wish.len };
    if (wish.len > session->home->config->limits.name) {
        xs_session_fail(session, client, "The topic is too long", msg);
        return;
    }
    if (xs_topic_kind(topic) == XS_TOPIC_CONFIRMATION) {
        done(client, msg); /* some clients subscribe to their own confirmations: harmless */
        return;
    }
    if (!xs_topic_subscribable(topic)) {
        XS_COUNT(reserved_topics);
        xs_session_fail(session, client, "Nobody can subscribe to this topic", msg);
        return;
    }
    err = subscribe(client, topic);
    if (err == XS_ETOOBIG)
        xs_session_fail(session, client, "Too many subscriptions on this connection", msg);
    else if (err != XS_OK)
        xs_session_fail(session, client, xs_err_text(err), msg);
    else if (wish.confirm)
        confirm(client, &wish, msg);
    else
        done(client, msg);
}

static void on_unsubscribe(struct xs_client *client, const struct xs_message *msg)
{
    struct wish wish;

    if (!read_wish(msg, &wish)) {
        xs_session_fail(client->session, client, "An unsubscription needs a topic", msg);
        return;
    }
    if (xs_hall_unsubscribe(&client->member, (struct xs_slice){ wish.topic, wish.len }) ==
        XS_OK) {
        client->session->subscriptions--;
        XS_COUNT_BY(subscriptions, -1);
    }
    done(client, msg);
}

/* ---- properties ---- */

static const struct xs_property *property(const struct xs_client *client, struct xs_slice name,
                                          unsigned flag)
{
    const struct xs_table *table = &client->stage->controller->ops.properties;
    const struct xs_property *rows = table->at;

    for (size_t i = 0; i < table->count; i++)
        if ((rows[i].flags & flag) != 0 &&
            xs_slice_equal_nocase(xs_slice_of(rows[i].name), name))
            return &rows[i];
    return NULL;
}

static void on_property(struct xs_client *client, const struct xs_message *msg, bool set)
{
    struct xs_slice name = { msg->topic.at + 4, msg->topic.len - 4 };
    const struct xs_property *row =
        property(client, name, set ? XS_CLIENT_MAY_SET : XS_CLIENT_MAY_GET);
    bool shared = client->stage->controller->ops.sharing == XS_SHARED;
    struct xs_buf json = { 0 };
    char topic[XS_NAME_MAX + 1];

    /* What clients of a shared controller have in common is not theirs to set or read past its
     * actions. */
    if (row == NULL || shared) {
        xs_session_fail(client->session, client, "There is no such property", msg);
        return;
    }
    if (set) {
        xs_bind_forget();
        if (xs_property_set(row, client->self, msg) == XS_OK)
            done(client, msg);
        else
            xs_session_fail(client->session, client, xs_bind_error(), msg);
        return;
    }
    memcpy(topic, msg->topic.at, msg->topic.len);
    topic[msg->topic.len] = '\0';
    xs_property_get(row, client->self, &json);
    xs_client_tell(client, topic, (struct xs_data){ { json.at, json.len }, XS_JSON }, msg);
    xs_free(json.at);
}

/* ---- storage, until there is a module for it ---- */

static void on_store_get(struct xs_client *client, const struct xs_message *msg)
{
    struct xs_slice json = xs_message_view(msg, XS_VIEW_JSON);
    struct xs_buf data = { 0 }, topic = { 0 };
    struct xs_data key;

    if (xs_json_member(json, "K", &key) != XS_OK || key.form != XS_TEXT || key.bytes.len == 0 ||
        key.bytes.len > client->session->home->config->limits.name) {
        xs_session_fail(client->session, client, "A key is needed", msg);
        return;
    }
    xs_buf_append(&data, XS_SLICE("{\"K\":\""));
    xs_buf_append_escaped(&data, key.bytes);
    xs_buf_append(&data, XS_SLICE("\",\"V\":null}"));
    xs_buf_append(&topic, XS_SLICE("s2:"));
    xs_buf_append(&topic, key.bytes);
    xs_buf_append_byte(&topic, '\0');
    xs_client_tell(client, topic.at, (struct xs_data){ { data.at, data.len }, XS_JSON }, msg);
    xs_free(data.at);
    xs_free(topic.at);
}

/* ---- one message ---- */

static void on_forbidden(struct xs_session *session, struct xs_slice controller,
                         const struct xs_message *msg)
{
    XS_COUNT(reserved_topics);
    xs_session_fail(session, xs_session_client(session, controller),
                    "This topic is reserved for the server", msg);
}

static void on_plain(struct xs_client *client, const struct xs_message *msg)
{
    if (client->stage->controller->ops.sharing == XS_SHARED)
        xs_shared_message(client, msg);
    else
        xs_client_dispatch(client, msg);
}

static void to_controller(struct xs_client *client, enum xs_topic_kind kind,
                          const struct xs_message *msg)
{
    switch (kind) {
    case XS_TOPIC_PLAIN:
        on_plain(client, msg);
        break;
    case XS_TOPIC_SUBSCRIBE:
        on_subscribe(client, msg);
        break;
    case XS_TOPIC_UNSUBSCRIBE:
        on_unsubscribe(client, msg);
        break;
    case XS_TOPIC_PROPERTY_SET:
    case XS_TOPIC_PROPERTY_GET:
        on_property(client, msg, kind == XS_TOPIC_PROPERTY_SET);
        break;
    case XS_TOPIC_STORE_GET:
        on_store_get(client, msg);
        break;
    default:
        xs_session_fail(client->session, client, "No storage is configured", msg);
        break;
    }
}

static void close_one(struct xs_session *session, struct xs_slice controller,
                      const struct xs_message *msg)
{
    struct xs_client *client = xs_session_client(session, controller);

    if (client == NULL)
        return;
    xs_client_tell_info(client, "3", msg);
    xs_client_close(client);
}

const struct xs_message *xs_session_keep(struct xs_session *session,
                                         const struct xs_message *msg)
{
    const struct xs_message *kept = xs_message_ref(msg);

    if (kept == NULL)
        session->home->host->disconnect(session->conn, XS_CLOSE_FAULT, "Out of memory");
    return kept;
}

static struct xs_waiting *keep_as_last(struct xs_session *session, const struct xs_message *msg)
{
    struct xs_waiting *waiting = xs_alloc(sizeof *waiting);

    waiting->msg = xs_session_keep(session, msg);
    *session->inbox_end = waiting;
    session->inbox_end = &waiting->next;
    XS_COUNT(inbox_messages);
    return waiting;
}

static bool keep_for_later(struct xs_session *session, const struct xs_message *msg)
{
    if (session->waits == 0)
        return false;
    (void)keep_as_last(session, msg);
    return true;
}

/* The message for whose sake a controller is being opened: the first to go on, and it has been
 * acknowledged. */
static void keep_as_first(struct xs_session *session, const struct xs_message *msg)
{
    struct xs_waiting *waiting = xs_alloc(sizeof *waiting);

    waiting->msg = xs_session_keep(session, msg);
    waiting->has_opened = true;
    waiting->next = session->inbox;
    if (session->inbox == NULL)
        session->inbox_end = &waiting->next;
    session->inbox = waiting;
    XS_COUNT(inbox_messages);
}

/* Topics of the connection itself. True: dealt with. */
static bool to_connection(struct xs_session *session, enum xs_topic_kind kind,
                          const struct xs_message *msg)
{
    switch (kind) {
    case XS_TOPIC_PING:
        xs_session_tell(session, XS_SLICE(""), "8", xs_null(), msg);
        return true;
    case XS_TOPIC_PONG:
    case XS_TOPIC_ACK:
        return true;
    case XS_TOPIC_CLOSE:
        close_one(session, msg->controller, msg);
        return true;
    case XS_TOPIC_FORBIDDEN:
    case XS_TOPIC_CONFIRMATION:
        on_forbidden(session, msg->controller, msg);
        return true;
    default:
        return false;
    }
}

static void handle(struct xs_session *session, const struct xs_message *msg)
{
    enum xs_topic_kind kind = xs_topic_kind(msg->topic);
    struct xs_client *client;
    struct xs_stage *stage;

    if (msg->qos == 1 && msg->qos_id > 0 && session->qos && kind != XS_TOPIC_ACK) {
        acknowledge(session, msg);
        if (seen_before(session, msg)) {
            XS_COUNT(duplicates);
            return;
        }
    }
    if (to_connection(session, kind, msg))
        return;
    client = xs_session_client(session, msg->controller);
    if (client == NULL) {
        stage = xs_clients_stage(session->home, session->scope, msg->controller);
        if (stage == NULL) {
            xs_session_fail(session, NULL, "Unknown controller", msg);
            return;
        }
        client = xs_session_open(session, stage, msg);
        if (client == NULL || kind == XS_TOPIC_OPEN)
            return;
        if (client->state == XS_CLIENT_OPENING) {
            keep_as_first(session, msg);
            return;
        }
    }
    if (kind == XS_TOPIC_OPEN)
        done(client, msg); /* open already: no second topic 2 */
    else
        to_controller(client, kind, msg);
}

/* The controller has answered; if it has refused, the client has been told already. */
static void go_on(struct xs_session *session, const struct xs_message *msg)
{
    struct xs_client *client = xs_session_client(session, msg->controller);

    if (client != NULL)
        to_controller(client, xs_topic_kind(msg->topic), msg);
}

enum xs_err xs_session_subscribe(struct xs_session *session, struct xs_slice controller,
                                 struct xs_slice topic)
{
    char name[XS_NAME_MAX], filter[XS_NAME_MAX];
    struct xs_client *client;

    if (controller.len > sizeof name || topic.len > sizeof filter)
        return XS_ETOOBIG;
    xs_fold(name, controller.at, controller.len);
    xs_fold(filter, topic.at, topic.len);
    client = xs_session_client(session, (struct xs_slice){ name, controller.len });
    if (client == NULL)
        return XS_ENOTFOUND;
    if (!xs_topic_subscribable((struct xs_slice){ filter, topic.len }))
        return XS_EINVAL;
    if (client->state == XS_CLIENT_OPENING) {
        /* Its shared controller has not answered yet: as if the client had asked by message. */
        struct xs_message msg = { .controller = client->stage->name,
                                  .topic = XS_SLICE("5"),
                                  .data = { filter, topic.len },
                                  .form = XS_TEXT };

        keep_as_last(session, &msg)->has_opened = true;
        return XS_OK;
    }
    return subscribe(client, (struct xs_slice){ filter, topic.len });
}

void xs_session_resume(struct xs_session *session)
{
    struct xs_session *outer = session->home->causing;

    session->home->causing = session;
    while (session->inbox != NULL && session->waits == 0 && !session->ended) {
        struct xs_waiting *waiting = session->inbox;

        session->inbox = waiting->next;
        if (session->inbox == NULL)
            session->inbox_end = &session->inbox;
        XS_COUNT_BY(inbox_messages, -1);
        if (waiting->msg == NULL)
            ; /* there was no memory for it, and the connection is being closed */
        else if (waiting->has_opened)
            go_on(session, waiting->msg);
        else
            handle(session, waiting->msg);
        xs_message_unref(waiting->msg);
        xs_free(waiting);
    }
    session->home->causing = outer;
    if (session->waits == 0)
        session->home->host->wait(session->conn, false);
}

/* ---- the way in ---- */

/* What is over a limit, as a sentence; NULL if nothing is. */
static const char *over_limit(const struct xs_session *session, const struct xs_incoming *in)
{
    const struct xs_limits *limits = &session->home->config->limits;
    /* A blob comes with null as its data when there is no other. */
    bool bare = in->has_blob && xs_slice_equal(in->data.bytes, XS_SLICE("null"));
    size_t size = in->blob.len + (bare ? 0 : in->data.bytes.len);

    if (in->controller.len > limits->name || in->controller.len > XS_NAME_MAX)
        return "The controller's name is too long";
    if (in->topic.len > limits->name || in->topic.len > XS_NAME_MAX)
        return "The topic is too long";
    return size > limits->message ? "The message is too big" : NULL;
}

/* Tells the client; the connection goes on. Not inline: see deliver(). */
__attribute__((noinline)) static void refuse(struct xs_session *session,
                                             const struct xs_incoming *in, const char *sentence)
{
    char controller[XS_NAME_MAX + 1];
    struct xs_message cause;

    memset(&cause, 0, sizeof cause);
    cause.has_correlation = in->has_correlation;
    cause.correlation = in->correlation;
    if (in->controller.len < sizeof controller) {
        xs_fold(controller, in->controller.at, in->controller.len);
        controller[in->controller.len] = '\0';
        cause.controller = (struct xs_slice){ controller, in->controller.len };
    }
    xs_session_fail(session, NULL, sentence, &cause);
}

/* All of a message but its names. */
static void compose(struct xs_clients *clients, struct xs_message *msg,
                    const struct xs_incoming *in)
{
    memset(msg, 0, sizeof *msg);
    msg->data = in->data.bytes.at != NULL ? in->data.bytes : XS_SLICE("null");
    msg->form = (uint8_t)(in->data.bytes.at != NULL ? in->data.form : XS_JSON);
    msg->blob = in->blob;
    msg->has_blob = in->has_blob;
    msg->retain = in->retain;
    msg->has_correlation = in->has_correlation;
    msg->correlation = in->correlation;
    msg->qos = (uint8_t)(in->qos != 0);
    msg->qos_id = (uint16_t)in->qos_id;
    msg->id.node = clients->node;
    msg->id.worker = (uint16_t)clients->worker;
    msg->id.sequence = ++clients->sequence;
}

/* The client to whose controller this goes with the topic that the controller heard last, as
 * most messages do; NULL for all others. */
static struct xs_client *usual(const struct xs_session *session, const struct xs_incoming *in)
{
    struct xs_client *client = session->last_used;
    const struct xs_recent *recent;

    if (client == NULL || client->state != XS_CLIENT_OPEN || session->waits > 0 || in->qos != 0)
        return NULL;
    recent = &client->stage->recent;
    if (in->topic.len != recent->len || recent->len == 0 ||
        memcmp(in->topic.at, recent->came, recent->len) != 0)
        return NULL;
    return xs_slice_equal(client->stage->name, in->controller) ? client : NULL;
}

static void remember(struct xs_session *session, const struct xs_incoming *in,
                     const struct xs_message *msg)
{
    struct xs_client *client = session->last_used;
    struct xs_recent *recent;

    if (client == NULL || msg->topic.len > sizeof recent->came ||
        client->stage->controller->ops.sharing == XS_SHARED ||
        !xs_slice_equal(client->stage->name, msg->controller) ||
        xs_topic_kind(msg->topic) != XS_TOPIC_PLAIN)
        return;
    recent = &client->stage->recent;
    recent->len = (uint8_t)msg->topic.len;
    memcpy(recent->came, in->topic.at, recent->len);
    memcpy(recent->folded, msg->topic.at, recent->len);
    recent->folded[recent->len] = '\0';
    recent->callback = xs_stage_callback(client->stage, msg->topic);
}

/* Not inline: most messages do without its stack. */
__attribute__((noinline)) static void deliver(struct xs_session *session,
                                              const struct xs_incoming *in)
{
    char controller[XS_NAME_MAX + 1], topic[XS_NAME_MAX + 1];
    struct xs_clients *clients = session->home;
    struct xs_message msg;

    compose(clients, &msg, in);
    xs_fold(controller, in->controller.at, in->controller.len);
    controller[in->controller.len] = '\0';
    xs_fold(topic, in->topic.at, in->topic.len);
    topic[in->topic.len] = '\0';
    msg.controller = (struct xs_slice){ controller, in->controller.len };
    msg.topic = (struct xs_slice){ topic, in->topic.len };
    if (keep_for_later(session, &msg))
        return;
    clients->causing = session;
    handle(session, &msg);
    clients->causing = NULL;
    if (!session->ended)
        remember(session, in, &msg);
}

enum xs_err xs_session_deliver(struct xs_session *session, const struct xs_incoming *in)
{
    const char *sentence = over_limit(session, in);
    struct xs_clients *clients = session->home;
    const struct xs_recent *recent;
    struct xs_client *client;
    struct xs_message msg;

    if (session->ended)
        return XS_EGONE;
    if (sentence != NULL) {
        refuse(session, in, sentence);
        return XS_OK;
    }
    client = usual(session, in);
    if (client == NULL) {
        deliver(session, in);
        return XS_OK;
    }
    compose(clients, &msg, in);
    /* Nothing else is delivered while the callback runs, so what is recent stays. */
    recent = &client->stage->recent;
    msg.controller = client->stage->name;
    msg.topic = (struct xs_slice){ recent->folded, recent->len };
    clients->causing = session;
    xs_client_run(client, &msg, recent->callback);
    clients->causing = NULL;
    return XS_OK;
}
