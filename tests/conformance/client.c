/* client.c - see client.h. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

#include "message/message.h"

#define DEMAND(claim) ((claim) ? (void)0 : failed(__LINE__, #claim))

static _Noreturn void failed(int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", __FILE__, line, claim);
    abort();
}

struct xs_settings {
    struct xs_client client;
};

static void *take(size_t size)
{
    void *at = calloc(1, size > 0 ? size : 1);

    DEMAND(at != NULL);
    return at;
}

static char *text_of(struct xs_slice bytes)
{
    char *text = take(bytes.len + 1);

    if (bytes.len > 0)
        memcpy(text, bytes.at, bytes.len);
    return text;
}

const struct xs_controller_ops *xt_plugin_controller(const struct xs_plugin *plugin,
                                                     const char *name)
{
    for (size_t i = 0; i < XS_PLUGIN_MAX && plugin->controllers[i] != NULL; i++)
        if (strcmp(plugin->controllers[i]->name, name) == 0)
            return plugin->controllers[i];
    return NULL;
}

/* ---- life ---- */

static struct xs_client *client_new(const struct xs_controller_ops *ops)
{
    static uint64_t generation;
    struct xs_client *client = take(sizeof *client);

    DEMAND(ops != NULL);
    client->ops = ops;
    client->id.generation = ++generation;
    return client;
}

static void open_client(struct xs_client *client)
{
    if (client->ops->opened != NULL)
        DEMAND(client->ops->opened(client->state, client) == XS_OK);
    client->opened = true;
}

struct xs_client *xt_client_new(const struct xs_controller_ops *ops,
                                const char *const *settings)
{
    struct xs_client *client = client_new(ops);

    client->settings = settings;
    client->state = take(ops->state_size);
    client->owns_state = true;
    if (ops->sharing == XS_PER_CLIENT)
        open_client(client);
    else if (ops->started != NULL)
        DEMAND(ops->started(client->state, client) == XS_OK);
    return client;
}

struct xs_client *xt_client_join(struct xs_client *shared)
{
    struct xs_client *client = client_new(shared->ops);

    client->state = shared->state;
    client->settings = shared->settings;
    open_client(client);
    return client;
}

void xt_client_free(struct xs_client *client)
{
    if (client->opened && client->ops->closed != NULL)
        client->ops->closed(client->state, client);
    if (!client->opened && client->ops->stopped != NULL)
        client->ops->stopped(client->state, client);
    xt_client_forget(client);
    if (client->owns_state)
        free(client->state);
    free(client);
}

void xt_client_forget(struct xs_client *client)
{
    for (size_t i = 0; i < client->sent_count; i++) {
        free(client->sent[i].topic);
        free(client->sent[i].data);
        free(client->sent[i].blob);
        free(client->sent[i].where_property);
        free(client->sent[i].where_text);
    }
    client->sent_count = 0;
}

/* ---- in ---- */

static enum xs_err handle(struct xs_client *client, const struct xs_message *msg)
{
    const struct xs_action *action = client->ops->actions.at;

    DEMAND(client->opened);
    for (size_t i = 0; i < client->ops->actions.count; i++)
        if (xs_slice_equal_nocase(xs_slice_of(action[i].topic), msg->topic))
            return action[i].call(client->state, client, msg);
    DEMAND(client->ops->on_message != NULL);
    return client->ops->on_message(client->state, client, msg);
}

static enum xs_err say(struct xs_client *client, const char *topic, struct xs_data data,
                       const struct xs_slice *blob)
{
    struct xs_message msg;

    memset(&msg, 0, sizeof msg);
    msg.controller = xs_slice_of(client->ops->name);
    msg.topic = xs_slice_of(topic);
    msg.data = data.bytes;
    msg.form = (uint8_t)data.form;
    msg.has_blob = blob != NULL;
    if (blob != NULL)
        msg.blob = *blob;
    return handle(client, &msg);
}

enum xs_err xt_say(struct xs_client *client, const char *topic, struct xs_data data)
{
    return say(client, topic, data, NULL);
}

enum xs_err xt_say_blob(struct xs_client *client, const char *topic, struct xs_data data,
                        struct xs_slice blob)
{
    return say(client, topic, data, &blob);
}

/* ---- out ---- */

static struct xt_sent *record(struct xs_client *client, enum xt_how how, struct xs_slice topic,
                              struct xs_data data, const struct xs_slice *blob)
{
    struct xt_sent *sent = &client->sent[client->sent_count];

    DEMAND(client->sent_count++ < XT_SENT);
    memset(sent, 0, sizeof *sent);
    sent->how = how;
    sent->topic = text_of(topic);
    sent->data = text_of(data.bytes);
    sent->form = data.form;
    sent->has_blob = blob != NULL;
    if (blob != NULL) {
        sent->blob = text_of(*blob);
        sent->blob_len = blob->len;
    }
    return sent;
}

enum xs_err xs_send(struct xs_client *from, const struct xs_send *what)
{
    struct xt_sent *sent;

    DEMAND(what->size == sizeof *what);
    DEMAND(what->controller == NULL && what->where_count <= 1 && what->predicate == NULL);
    sent = record(from, XT_SEND, what->topic, what->data, what->has_blob ? &what->blob : NULL);
    sent->subscribers_only = what->subscribers_only;
    sent->but_me = what->but_me;
    if (what->where_count == 1) {
        DEMAND(what->where->compare == XS_EQ && what->where->kind == XS_VALUE_TEXT);
        sent->where_property = text_of(xs_slice_of(what->where->property));
        sent->where_text = text_of(what->where->text);
    }
    return XS_OK;
}

enum xs_err xs_reply(struct xs_client *client, const char *topic, struct xs_data data)
{
    record(client, XT_REPLY, xs_slice_of(topic), data, NULL);
    return XS_OK;
}

enum xs_err xs_reply_blob(struct xs_client *client, const char *topic, struct xs_data data,
                          struct xs_slice blob)
{
    record(client, XT_REPLY, xs_slice_of(topic), data, &blob);
    return XS_OK;
}

enum xs_err xs_publish(struct xs_client *client, const char *topic, struct xs_data data)
{
    record(client, XT_PUBLISH, xs_slice_of(topic), data, NULL);
    return XS_OK;
}

enum xs_err xs_forward(struct xs_client *from, const struct xs_message *msg,
                       bool subscribers_only)
{
    struct xt_sent *sent = record(from, XT_FORWARD, msg->topic, xs_message_data(msg),
                                  msg->has_blob ? &msg->blob : NULL);

    sent->subscribers_only = subscribers_only;
    return XS_OK;
}

/* ---- what else a module asks for ---- */

struct xs_client_id xs_client_id(const struct xs_client *client)
{
    return client->id;
}

const struct xs_settings *xs_client_settings(const struct xs_client *client)
{
    return (const struct xs_settings *)(const void *)client;
}

const char *xs_setting_text(const struct xs_settings *settings, const char *key)
{
    const struct xs_client *client = &settings->client;
    const struct xs_setting *rows = client->ops->settings.at;
    const char *const *pair = client->settings;

    for (; pair != NULL && *pair != NULL; pair += 2)
        if (strcmp(pair[0], key) == 0)
            return pair[1];
    for (size_t i = 0; i < client->ops->settings.count; i++)
        if (strcmp(rows[i].key, key) == 0)
            return rows[i].standard;
    return "";
}

/* Times in the units that the shipped controllers use. */
int64_t xs_setting_number(const struct xs_settings *settings, const char *key)
{
    char *unit;
    long number = strtol(xs_setting_text(settings, key), &unit, 10);

    return strcmp(unit, "s") == 0 ? 1000 * number : number;
}

void xs_fail_text(struct xs_client *client, const char *sentence)
{
    (void)client;
    (void)sentence;
}

struct xs_timer_handle *xs_timer_start(struct xs_client *owner, uint64_t ms, bool repeat,
                                       xs_timer_cb call)
{
    struct xs_timer_handle *timer = NULL;

    DEMAND(ms >= 1);
    for (size_t i = 0; i < XT_TIMERS && timer == NULL; i++)
        if (!owner->timers[i].runs)
            timer = &owner->timers[i];
    DEMAND(timer != NULL);
    *timer = (struct xs_timer_handle){ ms, repeat, true, call, owner };
    owner->timer_count++;
    return timer;
}

void xs_timer_stop(struct xs_timer_handle *timer)
{
    if (timer == NULL)
        return;
    DEMAND(timer->runs);
    timer->runs = false;
    timer->owner->timer_count--;
}

size_t xt_ring(struct xs_client *owner)
{
    size_t rang = 0;

    for (size_t i = 0; i < XT_TIMERS; i++) {
        struct xs_timer_handle *timer = &owner->timers[i];

        if (!timer->runs)
            continue;
        if (!timer->repeat)
            xs_timer_stop(timer);
        timer->call(owner->state, owner);
        rang++;
    }
    return rang;
}
