/* worker - wires the rooms of one loop together and turns it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/thread.h"
#include "message/message.h"
#include "server/worker.h"

static struct xs_worker *worker_of(struct xs_clients *clients)
{
    return XS_CONTAINER(clients, struct xs_worker, clients);
}

/* A gauge of all workers together. */
static uint64_t sum_of(const struct xs_daemon *daemon, enum xs_stat stat)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < daemon->worker_count; i++)
        sum += xs_stat_read(&daemon->workers[i]->stats, stat);
    return sum;
}

/* ---- the connection's hooks: sessions of the controller room ---- */

static void hook_start(void *context, void *session, struct xs_conn *conn)
{
    xs_session_start(context, session, conn, &conn->out, conn->offer->scope);
}

static enum xs_err hook_deliver(void *session, const struct xs_incoming *incoming)
{
    return xs_session_deliver(session, incoming);
}

static void hook_error(void *session, const char *sentence)
{
    xs_session_fail(session, NULL, sentence, NULL);
}

static enum xs_err hook_set_query(void *session, struct xs_slice query)
{
    return xs_session_set_query(session, query);
}

static void hook_set_head(void *session, const struct xs_http_head *head)
{
    xs_session_set_head(session, head);
}

static void hook_handshake_done(void *session)
{
    xs_session_handshake_done(session);
}

static enum xs_err hook_open_controller(void *session, struct xs_slice name)
{
    return xs_session_open_quietly(session, name);
}

static enum xs_err hook_subscribe(void *session, struct xs_slice controller,
                                  struct xs_slice topic)
{
    return xs_session_subscribe(session, controller, topic);
}

static void forget_stalled(struct xs_conn *conn)
{
    struct xs_worker *worker = XS_CONTAINER(conn->home, struct xs_worker, conns);

    if ((conn->holds & XS_HOLD_STALLED) == 0)
        return;
    for (size_t i = 0; i < worker->stalled_count; i++)
        if (worker->stalled[i] == conn)
            worker->stalled[i] = NULL;
}

static void hook_end(void *session)
{
    forget_stalled(((struct xs_session *)session)->conn);
    xs_session_end(session);
}

/* A connection that a test wants on another worker: the fd and its first bytes. */
struct placing {
    struct xs_letter letter;
    unsigned offer;
    int fd;
    size_t len;
    char bytes[];
};

static void read_placing(struct xs_letter *letter, void *at)
{
    struct placing *placing = (struct placing *)letter;
    struct xs_worker *worker = at != NULL ? worker_of(at) : NULL;

    /* Nobody comes in any more where all have left. */
    if (worker != NULL && !worker->drained) {
        xs_conn_new(&worker->conns, &worker->offers[placing->offer], placing->fd,
                    (struct xs_slice){ placing->bytes, placing->len });
    } else {
        (void)close(placing->fd);
        if (worker != NULL)
            xs_door_left(worker->offers[placing->offer].endpoint, &worker->daemon->budget);
    }
    xs_free(placing);
}

static bool hook_holds_too_much(void *context)
{
    struct xs_worker *worker = worker_of(context);

    return sum_of(worker->daemon, XS_STAT_held_bytes) > worker->conns.config->max_held_bytes;
}

static bool hook_place(void *context, struct xs_offer *offer, int fd, struct xs_slice first)
{
    struct xs_worker *worker = worker_of(context);
    const char *at = memmem(first.at, first.len, "place=", 6);
    unsigned to = at != NULL && at + 6 < first.at + first.len ? (unsigned)(at[6] - '0') : 64;
    struct placing *placing;

    if (to >= worker->daemon->worker_count || worker->draining)
        return false;
    placing = xs_alloc(sizeof *placing + first.len);
    placing->letter.read = read_placing;
    placing->letter.owed = true;
    placing->offer = (unsigned)(offer - worker->offers);
    placing->fd = fd;
    placing->len = first.len;
    memcpy(placing->bytes, first.at, first.len);
    /* It is counted once more where it goes, and once less here. */
    (void)atomic_fetch_add(&offer->endpoint->connections, 1);
    (void)atomic_fetch_add(&worker->daemon->budget.used, 1);
    (void)worker->post.mail.post(&worker->post.mail, to, &placing->letter);
    return true;
}

static const struct xs_conn_hooks hooks = {
    .session_size = sizeof(struct xs_session),
    .start = hook_start,
    .deliver = hook_deliver,
    .error = hook_error,
    .set_query = hook_set_query,
    .set_head = hook_set_head,
    .handshake_done = hook_handshake_done,
    .open_controller = hook_open_controller,
    .subscribe = hook_subscribe,
    .end = hook_end,
    .holds_too_much = hook_holds_too_much,
    .place = hook_place,
};

/* ---- the session's host: connections ---- */

static void host_wait(struct xs_conn *conn, bool on)
{
    xs_conn_hold(conn, XS_HOLD_ANSWER, on);
}

static void host_stall(struct xs_conn *conn)
{
    struct xs_worker *worker = XS_CONTAINER(conn->home, struct xs_worker, conns);

    if ((conn->holds & XS_HOLD_STALLED) != 0 || conn->state >= XS_CONN_DRAINING)
        return;
    if (worker->stalled_count == worker->stalled_cap) {
        worker->stalled_cap = worker->stalled_cap == 0 ? 64 : 2 * worker->stalled_cap;
        worker->stalled = xs_realloc(worker->stalled, worker->stalled_cap * sizeof(void *));
    }
    worker->stalled[worker->stalled_count++] = conn;
    XS_COUNT(stalled);
    xs_conn_hold(conn, XS_HOLD_STALLED, true);
}

static void on_room(void *context)
{
    struct xs_worker *worker = context;
    size_t count = worker->stalled_count;

    worker->stalled_count = 0;
    XS_COUNT_BY(stalled, -(int64_t)count);
    for (size_t i = 0; i < count; i++)
        if (worker->stalled[i] != NULL)
            xs_conn_hold(worker->stalled[i], XS_HOLD_STALLED, false);
}

static void host_disconnect(struct xs_conn *conn, enum xs_close_reason reason,
                            const char *sentence)
{
    xs_conn_close(conn, reason, sentence);
}

static const char *host_protocol(const struct xs_conn *conn)
{
    if (conn->sub != NULL)
        return conn->sub->name;
    return conn->protocol != NULL ? conn->protocol->name : "";
}

static const char *host_endpoint(const struct xs_conn *conn)
{
    return conn->offer->config->name;
}

static bool host_names_errors(const struct xs_conn *conn)
{
    return conn->protocol != NULL && conn->protocol->ops.names_errors;
}

static const struct xs_session_host session_host = {
    .wait = host_wait,
    .stall = host_stall,
    .disconnect = host_disconnect,
    .protocol = host_protocol,
    .endpoint = host_endpoint,
    .names_errors = host_names_errors,
};

/* ---- the turn ---- */

/* All that waits in the kernel's queues of all workers, seldom asked: only when a queue is
 * blocked. */
static bool process_is_full(void *context)
{
    struct xs_worker *worker = context;

    return sum_of(worker->daemon, XS_STAT_queued_bytes) >
           worker->conns.config->max_queued_bytes;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer; /* it only ends the wait: time is dealt with before the next one */
}

static void arm(struct xs_worker *worker)
{
    uint64_t wait = xs_wheel_wait(&worker->wheel);

    if (wait == UINT64_MAX) {
        (void)uv_timer_stop(&worker->timer);
        return;
    }
    uv_update_time(&worker->loop);
    (void)uv_timer_start(&worker->timer, on_timer, wait, 0);
}

/* Before the loop waits: what is due, then everything that this turn has queued leaves. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct xs_worker *worker = prepare->data;

    xs_wheel_turn(&worker->wheel, xs_clock_tick());
    /* The others first: who hears an answer may rely on what was said before it being on its
     * way to them. */
    xs_post_flush(&worker->post);
    xs_conns_end_turn(&worker->conns);
    xs_post_flush(&worker->post);
    arm(worker);
    /* What clients leave behind for others must have been posted: shared controllers still hear
     * that they have gone. */
    if (worker->draining && !worker->drained && xs_conns_empty(&worker->conns) &&
        worker->clients.awaited == 0 && worker->post.keeping == 0) {
        worker->drained = true;
        (void)atomic_fetch_add(&worker->daemon->drained, 1);
        (void)uv_async_send(&worker->daemon->wake);
    }
}

/* ---- making ---- */

static enum xs_err start_modules(struct xs_worker *worker)
{
    const struct xs_registry *registry = worker->daemon->registry;
    struct xs_conns *conns = &worker->conns;
    enum xs_err err = XS_OK;

    conns->protocol_states = xs_alloc((registry->protocol_count + 1) * sizeof(void *));
    conns->transport_states = xs_alloc((registry->transport_count + 1) * sizeof(void *));
    for (size_t i = 0; i < registry->protocol_count && err == XS_OK; i++) {
        const struct xs_module_protocol *module = registry->protocols[i];
        void **state = &conns->protocol_states[module->index];

        *state = module->ops.worker_size > 0 ? xs_alloc(module->ops.worker_size) : NULL;
        if (module->ops.worker_start != NULL)
            err = module->ops.worker_start(*state, &module->settings);
    }
    for (size_t i = 0; i < registry->transport_count && err == XS_OK; i++) {
        const struct xs_module_transport *module = registry->transports[i];
        void **state = &conns->transport_states[module->index];

        *state = module->ops.worker_size > 0 ? xs_alloc(module->ops.worker_size) : NULL;
        if (module->ops.worker_start != NULL)
            err = module->ops.worker_start(*state, &module->settings);
    }
    return err;
}

static void stop_modules(struct xs_worker *worker)
{
    const struct xs_registry *registry = worker->daemon->registry;
    struct xs_conns *conns = &worker->conns;

    for (size_t i = 0; i < registry->protocol_count; i++) {
        const struct xs_module_protocol *module = registry->protocols[i];

        if (module->ops.worker_stop != NULL)
            module->ops.worker_stop(conns->protocol_states[module->index]);
        xs_free(conns->protocol_states[module->index]);
    }
    for (size_t i = 0; i < registry->transport_count; i++) {
        const struct xs_module_transport *module = registry->transports[i];

        if (module->ops.worker_stop != NULL)
            module->ops.worker_stop(conns->transport_states[module->index]);
        xs_free(conns->transport_states[module->index]);
    }
    xs_free(conns->protocol_states);
    xs_free(conns->transport_states);
}

static unsigned scope_of(const struct xs_daemon *daemon, const char *name)
{
    unsigned i = 0;

    while (strcmp(daemon->scopes[i], name) != 0)
        i++;
    return i;
}

static void on_accepted(struct xs_door *door, int fd)
{
    struct xs_worker *worker = door->context;

    xs_conn_new(&worker->conns, &worker->offers[door->endpoint->index], fd,
                (struct xs_slice){ NULL, 0 });
}

static void make_doors(struct xs_worker *worker)
{
    struct xs_daemon *daemon = worker->daemon;
    unsigned n = 0;

    for (unsigned i = 0; i < daemon->endpoint_count; i++)
        n += daemon->endpoints[i].fds_per_worker;
    worker->doors = xs_alloc((n + 1) * sizeof *worker->doors);
    for (unsigned i = 0; i < daemon->endpoint_count; i++) {
        struct xs_endpoint *endpoint = &daemon->endpoints[i];

        /* The fds lie address by address, worker by worker. */
        for (unsigned at = 0; at < endpoint->fds_per_worker; at++) {
            struct xs_door *door = &worker->doors[worker->door_count++];
            unsigned place = at * daemon->worker_count + worker->index;

            door->fd = endpoint->fds[place];
            endpoint->fds[place] = -1;
            door->endpoint = endpoint;
            door->config = endpoint->config;
            door->budget = &daemon->budget;
            door->wheel = &worker->wheel;
            door->accepted = on_accepted;
            door->context = worker;
        }
    }
}

static void use_config(struct xs_worker *worker, const struct xs_config *config)
{
    worker->conns.config = config;
    worker->clients.config = config;
    worker->out.message_limit = config->limits.message;
    worker->out.queue_bytes = config->queue_bytes;
    worker->out.queue_messages = config->queue_messages;
    worker->post.max_letters = config->mailbox_letters;
    worker->post.max_bytes = config->mailbox_bytes;
}

static void make_rooms(struct xs_worker *worker)
{
    struct xs_daemon *daemon = worker->daemon;
    struct xs_clients *clients = &worker->clients;
    struct xs_conns *conns = &worker->conns;

    xs_wheel_init(&worker->wheel, xs_clock_ms());
    xs_outbound_init(&worker->out);
    worker->out.process_is_full = process_is_full;
    worker->out.context = worker;
    xs_files_init(&worker->files, &daemon->files, worker->index);
    conns->out = &worker->out;
    conns->files = &worker->files;
    conns->wheel = &worker->wheel;
    conns->budget = &daemon->budget;
    conns->hooks = &hooks;
    conns->context = clients;
    conns->worker = worker->index;
    clients->out = &worker->out;
    clients->wheel = &worker->wheel;
    clients->interest = daemon->interest;
    clients->directory = daemon->directory;
    clients->mail = &worker->post.mail;
    clients->registry = daemon->registry;
    clients->host = &session_host;
    clients->worker = worker->index;
    clients->workers = daemon->worker_count;
    clients->node = (uint16_t)daemon->config->node;
    clients->scopes = daemon->scopes;
    clients->scope_count = daemon->scope_count;
    clients->kept_headers = daemon->kept_headers;
    clients->kept_cookies = daemon->kept_cookies;
    use_config(worker, daemon->config);
    xs_clients_init(clients);
}

enum xs_err xs_worker_init(struct xs_worker *worker, struct xs_daemon *daemon, unsigned index)
{
    const char *missing;

    worker->daemon = daemon;
    worker->index = index;
    if (uv_loop_init(&worker->loop) != 0)
        return XS_EIO;
    xs_post_init(&worker->post, daemon->boxes, daemon->worker_count, index);
    worker->post.room = on_room;
    worker->post.context = worker;
    if (xs_box_open(&worker->box, &worker->loop, &worker->post, &worker->clients) != 0 ||
        uv_prepare_init(&worker->loop, &worker->prepare) != 0 ||
        uv_timer_init(&worker->loop, &worker->timer) != 0)
        return XS_EIO;
    worker->prepare.data = worker;
    make_rooms(worker);
    if (xs_conns_init(&worker->conns, &worker->loop) != XS_OK)
        return XS_EIO;
    worker->offers = xs_alloc((daemon->endpoint_count + 1) * sizeof *worker->offers);
    for (unsigned i = 0; i < daemon->endpoint_count; i++) {
        enum xs_err err =
            xs_offer_init(&worker->offers[i], daemon->registry, &daemon->endpoints[i],
                          daemon->endpoints[i].config, &missing);

        if (err != XS_OK)
            return err;
        worker->offers[i].scope = scope_of(daemon, daemon->endpoints[i].config->scope);
    }
    make_doors(worker);
    return XS_OK;
}

static void run(void *context)
{
    struct xs_worker *worker = context;
    struct xs_daemon *daemon = worker->daemon;
    struct xs_message_limits limits = { daemon->config->limits.name,
                                        daemon->config->limits.json_depth };

    xs_stats_here = &worker->stats;
    xs_thread_here = worker->index + 1;
    xs_clients_here = &worker->clients;
    xs_files_here = &worker->files;
    xs_message_limits_set(&limits);
    (void)xs_clock_tick();
    if (start_modules(worker) != XS_OK)
        (void)atomic_fetch_add(&daemon->failed, 1);
    xs_clients_start(&worker->clients);
    for (unsigned i = 0; i < worker->door_count; i++)
        if (xs_door_open(&worker->doors[i], &worker->loop) != XS_OK)
            (void)atomic_fetch_add(&daemon->failed, 1);
    (void)uv_prepare_start(&worker->prepare, on_prepare);
    (void)uv_async_send(&daemon->wake);
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    xs_conns_end_turn(&worker->conns);
    xs_post_flush(&worker->post);
    stop_modules(worker);
    xs_message_thread_end();
    xs_clients_here = NULL;
    xs_files_here = NULL;
    xs_stats_here = NULL;
}

int xs_worker_start(struct xs_worker *worker)
{
    int rc = uv_thread_create(&worker->thread, run, worker);

    worker->started = rc == 0;
    return rc;
}

void xs_worker_join(struct xs_worker *worker)
{
    if (worker->started)
        (void)uv_thread_join(&worker->thread);
}

void xs_worker_fini(struct xs_worker *worker)
{
    xs_post_fini(&worker->post);
    xs_box_fini(&worker->box);
    xs_files_fini(&worker->files);
    xs_clients_fini(&worker->clients);
    xs_conns_fini(&worker->conns);
    xs_outbound_fini(&worker->out);
    for (unsigned i = 0; i < worker->daemon->endpoint_count; i++)
        xs_offer_fini(&worker->offers[i]);
    xs_free(worker->offers);
    xs_free(worker->doors);
    xs_free(worker->stalled);
    XS_ASSERT(uv_loop_close(&worker->loop) == 0);
}

/* ---- orders ---- */

struct order {
    struct xs_letter letter;
    void (*run)(struct xs_worker *worker, void *what);
    void *what;
};

static void read_order(struct xs_letter *letter, void *at)
{
    struct order *order = (struct order *)letter;

    if (at != NULL)
        order->run(worker_of(at), order->what);
    xs_free(order);
}

void xs_worker_order(struct xs_worker *worker,
                     void (*call)(struct xs_worker *worker, void *what), void *what)
{
    struct order *order = xs_alloc(sizeof *order);

    order->letter.read = read_order;
    order->letter.owed = true;
    order->run = call;
    order->what = what;
    (void)worker->daemon->outside.mail.post(&worker->daemon->outside.mail, worker->index,
                                            &order->letter);
}

void xs_worker_drain(struct xs_worker *worker, void *unused)
{
    (void)unused;
    worker->draining = true;
    worker->conns.draining = true;
    /* Who is here is told; then who waits in the backlog comes in and has a moment to ask. */
    xs_conns_drain(&worker->conns);
    for (unsigned i = 0; i < worker->door_count; i++)
        xs_door_close(&worker->doors[i]);
}

void xs_worker_abort(struct xs_worker *worker, void *unused)
{
    (void)unused;
    xs_conns_abort(&worker->conns);
}

void xs_worker_stop(struct xs_worker *worker, void *unused)
{
    (void)unused;
    xs_clients_stop(&worker->clients);
    xs_conns_stop(&worker->conns);
    xs_box_close(&worker->box);
    (void)uv_prepare_stop(&worker->prepare);
    uv_close((uv_handle_t *)&worker->prepare, NULL);
    uv_close((uv_handle_t *)&worker->timer, NULL);
}

static const struct xs_config_endpoint *endpoint_named(const struct xs_config *config,
                                                       const char *name)
{
    for (size_t i = 0; i < config->endpoint_count; i++)
        if (strcmp(config->endpoints[i].name, name) == 0)
            return &config->endpoints[i];
    return NULL;
}

void xs_worker_reload(struct xs_worker *worker, void *config)
{
    const struct xs_config *next = config;
    struct xs_message_limits limits = { next->limits.name, next->limits.json_depth };

    use_config(worker, next);
    xs_message_limits_set(&limits);
    for (unsigned i = 0; i < worker->daemon->endpoint_count; i++)
        worker->offers[i].config = endpoint_named(next, worker->offers[i].config->name);
    for (unsigned i = 0; i < worker->door_count; i++)
        worker->doors[i].config = endpoint_named(next, worker->doors[i].config->name);
    xs_conns_rearm(&worker->conns);
    (void)atomic_fetch_add(&worker->daemon->acknowledged, 1);
    (void)uv_async_send(&worker->daemon->wake);
}

void xs_worker_ping(struct xs_worker *worker, void *unused)
{
    (void)unused;
    (void)atomic_fetch_add(&worker->alive, 1);
}
