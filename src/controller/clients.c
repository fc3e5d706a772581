/* clients - stages, slots and names of one worker's clients. */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/stats.h"
#include "base/utf8.h"
#include "controller/clients.h"

struct xs_everybody xs_everybody;
_Thread_local struct xs_clients *xs_clients_here;

/* A plugin's own thread may answer at any time, also while the server ends. */
static pthread_rwlock_t outside = PTHREAD_RWLOCK_INITIALIZER;
static bool ended; /* guarded by outside */

bool xs_everybody_enter(void)
{
    (void)pthread_rwlock_rdlock(&outside);
    if (!ended)
        return true;
    (void)pthread_rwlock_unlock(&outside);
    return false;
}

void xs_everybody_leave(void)
{
    (void)pthread_rwlock_unlock(&outside);
}

void xs_everybody_end(void)
{
    (void)pthread_rwlock_wrlock(&outside);
    ended = true;
    (void)pthread_rwlock_unlock(&outside);
}

static void fill_actions(struct xs_stage *stage)
{
    const struct xs_table *table = &stage->controller->ops.actions;
    const struct xs_action *actions = table->at;

    stage->rows = xs_alloc((table->count + 1) * sizeof *stage->rows);
    for (size_t i = 0; i < table->count; i++) {
        size_t len = strlen(actions[i].topic);
        char *topic = xs_alloc(len + 1);

        xs_fold(topic, actions[i].topic, len);
        stage->rows[i].topic = (struct xs_slice){ topic, len };
        stage->rows[i].call = actions[i].call;
        if (xs_map_get(&stage->actions, stage->rows[i].topic) == NULL)
            xs_map_put(&stage->actions, stage->rows[i].topic, &stage->rows[i]);
    }
}

static void stage_init(struct xs_clients *clients, struct xs_stage *stage, unsigned scope,
                       struct xs_module_controller *controller)
{
    struct xs_slice scope_name = xs_slice_of(clients->scopes[scope]);

    stage->home = clients;
    stage->controller = controller;
    stage->scope = scope;
    stage->index = (unsigned)(stage - clients->stages);
    stage->name = xs_slice_of(controller->name);
    xs_hall_init(&stage->hall, xs_hall_hash(scope_name, stage->name));
    xs_interest_watch(clients->interest, clients->worker, &stage->hall);
    /* Every worker must come to the same answer; the number is good enough to spread them. */
    stage->shared_worker = stage->index % clients->workers;
    fill_actions(stage);
    xs_map_put(&clients->by_name[scope], stage->name, stage);
}

void xs_clients_init(struct xs_clients *clients)
{
    size_t controllers = clients->registry->controller_count;

    clients->stage_count = clients->scope_count * (unsigned)controllers;
    clients->stages = xs_alloc((clients->stage_count + 1) * sizeof *clients->stages);
    clients->by_name = xs_alloc(clients->scope_count * sizeof *clients->by_name);
    clients->deferred_end = &clients->deferred;
    for (unsigned scope = 0; scope < clients->scope_count; scope++)
        for (size_t i = 0; i < controllers; i++)
            stage_init(clients, &clients->stages[scope * controllers + i], scope,
                       clients->registry->controllers[i]);
}

void xs_clients_start(struct xs_clients *clients)
{
    for (unsigned i = 0; i < clients->stage_count; i++) {
        struct xs_stage *stage = &clients->stages[i];
        const struct xs_controller_ops *ops = &stage->controller->ops;
        struct xs_call call;
        enum xs_err err = XS_OK;

        if (ops->sharing != XS_SHARED || stage->shared_worker != clients->worker)
            continue;
        stage->shared = xs_client_new(stage, NULL);
        stage->shared->is_me = true;
        stage->shared->state = XS_CLIENT_OPEN;
        xs_call_begin(stage->shared, &call);
        if (ops->started != NULL)
            err = ops->started(stage->shared->self, stage->shared);
        xs_call_end(stage->shared, &call);
        if (err != XS_OK)
            xs_log(XS_LOG_ERROR, "controller %s could not start: %s", stage->controller->name,
                   xs_err_text(err));
    }
}

static void stop_proxies(struct xs_stage *stage)
{
    struct xs_client *proxy;
    size_t at = 0;

    while ((proxy = xs_map_next(&stage->proxies, &at)) != NULL) {
        struct xs_slice key = { (const char *)&proxy->id, sizeof proxy->id };

        (void)xs_map_remove(&stage->proxies, key);
        xs_client_free(proxy);
        at = 0;
    }
}

void xs_clients_stop(struct xs_clients *clients)
{
    for (unsigned i = 0; i < clients->stage_count; i++) {
        struct xs_stage *stage = &clients->stages[i];
        struct xs_call call;

        stop_proxies(stage);
        if (stage->shared == NULL)
            continue;
        xs_call_begin(stage->shared, &call);
        if (stage->controller->ops.stopped != NULL)
            stage->controller->ops.stopped(stage->shared->self, stage->shared);
        xs_call_end(stage->shared, &call);
        xs_client_free(stage->shared);
        stage->shared = NULL;
    }
}

void xs_clients_fini(struct xs_clients *clients)
{
    for (unsigned i = 0; i < clients->stage_count; i++) {
        struct xs_stage *stage = &clients->stages[i];

        for (size_t row = 0; row < stage->controller->ops.actions.count; row++)
            xs_free((void *)(uintptr_t)stage->rows[row].topic.at);
        xs_free(stage->rows);
        xs_map_fini(&stage->actions);
        xs_map_fini(&stage->proxies);
        xs_hall_fini(&stage->hall);
    }
    for (unsigned scope = 0; scope < clients->scope_count; scope++)
        xs_map_fini(&clients->by_name[scope]);
    while (clients->deferred != NULL) {
        struct xs_waiting *waiting = clients->deferred;

        clients->deferred = waiting->next;
        xs_message_unref(waiting->msg);
        xs_free(waiting);
    }
    xs_free(clients->by_name);
    xs_free(clients->stages);
    xs_free(clients->slots);
    xs_free(clients->free_slots);
}

struct xs_stage *xs_clients_stage(struct xs_clients *clients, unsigned scope,
                                  struct xs_slice name)
{
    return xs_map_get(&clients->by_name[scope], name);
}

void xs_clients_random(struct xs_clients *clients, void *at, size_t len)
{
    if (clients->random_left < len) {
        xs_random(clients->random, sizeof clients->random);
        clients->random_left = sizeof clients->random;
    }
    clients->random_left -= (unsigned)len;
    memcpy(at, clients->random + clients->random_left, len);
    memset(clients->random + clients->random_left, 0, len);
}

/* ---- slots ---- */

static uint32_t take_slot(struct xs_clients *clients, struct xs_client *client)
{
    if (clients->free_slot_count == 0) {
        uint32_t more = clients->slot_count == 0 ? 64 : clients->slot_count;
        uint32_t all = clients->slot_count + more;

        clients->slots = xs_realloc(clients->slots, all * sizeof(void *));
        clients->free_slots = xs_realloc(clients->free_slots, all * sizeof(uint32_t));
        for (uint32_t i = 0; i < more; i++) {
            clients->slots[clients->slot_count + i] = NULL;
            clients->free_slots[clients->free_slot_count++] = all - 1 - i;
        }
        clients->slot_count = all;
    }
    clients->slots[clients->free_slots[--clients->free_slot_count]] = client;
    return clients->free_slots[clients->free_slot_count];
}

struct xs_client *xs_clients_find(struct xs_clients *clients, struct xs_client_id id)
{
    struct xs_client *client = id.slot < clients->slot_count ? clients->slots[id.slot] : NULL;

    return client != NULL && client->id.generation == id.generation ? client : NULL;
}

struct xs_client *xs_client_new(struct xs_stage *stage, struct xs_session *session)
{
    struct xs_clients *clients = stage->home;
    const struct xs_controller_ops *ops = &stage->controller->ops;
    bool own = session == NULL || ops->sharing == XS_PER_CLIENT;
    struct xs_client *client = xs_alloc(sizeof *client + (own ? ops->state_size : 0));

    client->stage = stage;
    client->session = session;
    xs_list_init(&client->timers);
    client->self = client->own;
    client->id.node = clients->node;
    client->id.worker = (uint16_t)clients->worker;
    client->id.generation = ++clients->generation;
    client->id.slot = take_slot(clients, client);
    xs_clients_random(clients, client->ci, sizeof client->ci);
    if (session != NULL)
        XS_COUNT(instances);
    return client;
}

static void free_timers(struct xs_client *client)
{
    struct xs_list *node;

    while ((node = xs_list_shift(&client->timers)) != NULL)
        xs_client_timer_gone(node);
}

void xs_client_free(struct xs_client *client)
{
    struct xs_clients *clients = client->stage->home;

    free_timers(client);
    if (client->id.worker == clients->worker && client->pi == NULL) {
        clients->slots[client->id.slot] = NULL;
        clients->free_slots[clients->free_slot_count++] = client->id.slot;
    }
    if (client->session != NULL)
        XS_COUNT_BY(instances, -1);
    xs_free(client->pi);
    xs_free(client);
}

/* ---- names ---- */

void xs_guid_write(const uint8_t id[16], char text[XS_GUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;

    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[id[i] >> 4];
        *at++ = digits[id[i] & 15];
    }
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = xs_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool xs_guid_read(struct xs_slice text, uint8_t id[16])
{
    bool hyphens;
    const char *at;

    if (text.len == XS_GUID_TEXT + 2 && text.at[0] == '{' && text.at[text.len - 1] == '}') {
        text.at++;
        text.len -= 2;
    }
    hyphens = text.len == XS_GUID_TEXT;
    if (!hyphens && text.len != 32)
        return false;
    at = text.at;
    for (unsigned i = 0; i < 16; i++) {
        int high, low;

        if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-')
            return false;
        high = digit(*at++);
        low = digit(*at++);
        if (high < 0 || low < 0)
            return false;
        id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
