/* daemon - the main thread: it makes everything, then waits for signals. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/daemon.h"
#include "server/notify.h"
#include "server/report.h"
#include "server/worker.h"

_Static_assert(XS_WORKERS_MAX <= XS_INTEREST_WORKERS, "every worker that may be asked for");

/* Persistent ids remembered after their clients left, at most. */
#define AWAY_MAX ((size_t)1 << 20)

/* The main thread's own state: what it waits for. */
struct life {
    struct xs_daemon daemon;
    const struct xs_command *command;
    uv_signal_t signals[5];
    uv_timer_t deadline;
    uv_timer_t watchdog;
    struct xs_config *next; /* a reload under way */
    bool reload_again;      /* and the next one asked for already */
    uint64_t pings;
    bool ready;
    bool draining;
    bool stopping;
    int code;
};

static int complain(char *error, int code)
{
    (void)fprintf(stderr, "xsocketsd: %s\n", error);
    xs_free(error);
    return code;
}

static struct xs_config *read_config(const struct xs_command *command, int *code)
{
    char *error = NULL;
    struct xs_config *config = xs_config_read(command->config, command->overrides,
                                              command->override_count, &error, code);

    if (config == NULL)
        *code = complain(error, *code);
    return config;
}

static void prepare_log(const struct xs_config *config)
{
    struct xs_log_options options = config->log;

    options.fd = STDERR_FILENO;
    options.with_time = getenv("JOURNAL_STREAM") == NULL;
    options.colour = isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    xs_log_set(&options);
}

static void say_warning(void *context, const char *sentence)
{
    (void)context;
    xs_log(XS_LOG_WARNING, "%s", sentence);
}

static void say_plain(void *context, const char *sentence)
{
    (void)context;
    (void)printf("note: %s\n", sentence);
}

static struct xs_registry *load(const struct xs_config *config,
                                void (*say)(void *context, const char *sentence), int *code)
{
    char *error = NULL;
    struct xs_registry *registry = xs_registry_load(config, &error, code);

    if (registry == NULL) {
        *code = complain(error, *code);
        return NULL;
    }
    if (xs_registry_check(registry, config, say, NULL, &error))
        return registry;
    *code = complain(error, XS_EXIT_CONFIG);
    xs_registry_free(registry);
    return NULL;
}

int xs_daemon_test(const struct xs_command *command)
{
    int code = XS_EXIT_OK;
    struct xs_config *config = read_config(command, &code);
    struct xs_registry *registry;

    if (config == NULL)
        return code;
    registry = load(config, say_plain, &code);
    if (registry != NULL)
        (void)printf("%s: the configuration is good: %zu endpoints, %zu protocols, "
                     "%zu subprotocols, %zu controllers\n",
                     command->config, config->endpoint_count, registry->protocol_count,
                     registry->subprotocol_count, registry->controller_count);
    xs_registry_free(registry);
    xs_config_free(config);
    return registry != NULL ? XS_EXIT_OK : code;
}

/* What the shipped modules have to say, if they lie where they are installed (or where -D
 * says). */
static struct xs_registry *load_shipped(const struct xs_command *command,
                                        struct xs_config **config)
{
    struct xs_registry *registry = NULL;
    char *error = NULL;
    int code;

    *config = xs_config_read_text("defaults", XS_SLICE(""), command->overrides,
                                  command->override_count, &error);
    if (*config != NULL)
        registry = xs_registry_load(*config, &error, &code);
    xs_free(error);
    return registry;
}

int xs_daemon_help_config(const struct xs_command *command)
{
    bool colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    struct xs_registry *registry = NULL;
    struct xs_config *config = NULL;
    int code = XS_EXIT_OK;

    if (command->config != NULL) {
        config = read_config(command, &code);
        registry = config != NULL ? load(config, say_plain, &code) : NULL;
    } else {
        registry = load_shipped(command, &config);
    }
    if (code == XS_EXIT_OK)
        xs_config_help(stdout, colour);
    if (registry != NULL)
        xs_plugin_help(registry, stdout, colour);
    xs_registry_free(registry);
    xs_config_free(config);
    return code;
}

/* ---- making ---- */

static void add_scope(struct xs_daemon *daemon, const char *name)
{
    for (unsigned i = 0; i < daemon->scope_count; i++)
        if (strcmp(daemon->scopes[i], name) == 0)
            return;
    daemon->scopes[daemon->scope_count++] = xs_strdup(name);
}

static size_t count_names(const char *const *names)
{
    size_t n = 0;

    while (names != NULL && names[n] != NULL)
        n++;
    return n;
}

/* The headers and cookies that some controller wants, in one list. */
static const char **gather_names(const struct xs_registry *registry, bool cookies)
{
    size_t all = 0, n = 0;
    const char **names;

    for (size_t i = 0; i < registry->controller_count; i++) {
        const struct xs_controller_ops *ops = &registry->controllers[i]->ops;

        all += count_names(cookies ? ops->cookies : ops->headers);
    }
    if (all == 0)
        return NULL;
    names = xs_alloc((all + 1) * sizeof(char *));
    for (size_t i = 0; i < registry->controller_count; i++) {
        const struct xs_controller_ops *ops = &registry->controllers[i]->ops;
        const char *const *from = cookies ? ops->cookies : ops->headers;

        for (size_t j = 0; j < count_names(from); j++)
            names[n++] = from[j];
    }
    return names;
}

static int open_endpoints(struct xs_daemon *daemon)
{
    const struct xs_config *config = daemon->config;

    daemon->endpoints = xs_alloc((config->endpoint_count + 1) * sizeof *daemon->endpoints);
    daemon->scopes = xs_alloc((config->endpoint_count + 1) * sizeof(char *));
    for (size_t i = 0; i < config->endpoint_count; i++) {
        struct xs_endpoint *endpoint = &daemon->endpoints[i];
        char *error = NULL;

        endpoint->index = (unsigned)i;
        if (xs_endpoint_open(endpoint, &config->endpoints[i], daemon->worker_count, &error) !=
            XS_OK)
            return complain(error, XS_EXIT_CANNOT_BIND);
        daemon->endpoint_count++;
        add_scope(daemon, config->endpoints[i].scope);
    }
    return XS_EXIT_OK;
}

static int make_workers(struct xs_daemon *daemon)
{
    daemon->workers = xs_alloc(daemon->worker_count * sizeof(void *));
    daemon->boxes = xs_alloc(daemon->worker_count * sizeof(void *));
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        daemon->workers[i] = xs_alloc(sizeof *daemon->workers[i]);
        daemon->boxes[i] = &daemon->workers[i]->box;
    }
    xs_post_init(&daemon->outside, daemon->boxes, daemon->worker_count, XS_FROM_OUTSIDE);
    xs_everybody.workers = xs_alloc(daemon->worker_count * sizeof(void *));
    xs_everybody.count = daemon->worker_count;
    xs_everybody.mail = &daemon->outside.mail;
    for (unsigned i = 0; i < daemon->worker_count; i++)
        xs_everybody.workers[i] = &daemon->workers[i]->clients;
    for (unsigned i = 0; i < daemon->worker_count; i++)
        if (xs_worker_init(daemon->workers[i], daemon, i) != XS_OK)
            return complain(xs_strdup("a worker could not be made"), XS_EXIT_FAULT);
    return XS_EXIT_OK;
}

static int make(struct life *life)
{
    struct xs_daemon *daemon = &life->daemon;
    int code = XS_EXIT_OK;

    daemon->config = read_config(life->command, &code);
    if (daemon->config == NULL)
        return code;
    prepare_log(daemon->config);
    daemon->registry = load(daemon->config, say_warning, &code);
    if (daemon->registry == NULL)
        return code;
    daemon->worker_count = daemon->config->workers;
    daemon->started_at = xs_clock_ms();
    code = open_endpoints(daemon);
    if (code != XS_EXIT_OK)
        return code;
    daemon->kept_headers = gather_names(daemon->registry, false);
    daemon->kept_cookies = gather_names(daemon->registry, true);
    daemon->interest = xs_interest_new(daemon->worker_count);
    daemon->directory = xs_directory_new(daemon->config->remember_away, AWAY_MAX);
    code = make_workers(daemon);
    if (code == XS_EXIT_OK)
        xs_fd_budget_init(&daemon->budget, &daemon->fd_limit);
    return code;
}

/* ---- ending ---- */

static void unmake(struct life *life)
{
    struct xs_daemon *daemon = &life->daemon;

    xs_everybody_end();
    for (unsigned i = 0; i < daemon->worker_count && daemon->workers != NULL; i++) {
        if (daemon->workers[i]->started)
            xs_worker_fini(daemon->workers[i]);
        xs_free(daemon->workers[i]);
    }
    for (unsigned i = 0; i < daemon->endpoint_count; i++)
        xs_endpoint_close(&daemon->endpoints[i]);
    for (unsigned i = 0; i < daemon->scope_count; i++)
        xs_free((void *)(uintptr_t)daemon->scopes[i]);
    xs_free(daemon->workers);
    xs_free(daemon->boxes);
    xs_free(daemon->endpoints);
    xs_free((void *)(uintptr_t)daemon->scopes);
    xs_free((void *)(uintptr_t)daemon->kept_headers);
    xs_free((void *)(uintptr_t)daemon->kept_cookies);
    xs_free(xs_everybody.workers);
    xs_interest_free(daemon->interest);
    xs_directory_free(daemon->directory);
    xs_registry_free(daemon->registry);
    xs_config_free(daemon->config);
    xs_config_free(life->next);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void order_all(struct life *life, void (*call)(struct xs_worker *, void *), void *what)
{
    for (unsigned i = 0; i < life->daemon.worker_count; i++)
        xs_worker_order(life->daemon.workers[i], call, what);
}

static void on_drain_deadline(uv_timer_t *timer)
{
    struct life *life = timer->data;

    xs_log(XS_LOG_WARNING, "some clients did not take what was sent to them in time");
    order_all(life, xs_worker_abort, NULL);
}

static void drain(struct life *life)
{
    life->draining = true;
    xs_notify("STOPPING=1");
    xs_log(XS_LOG_INFO, "stopping: no new clients, those who are here are told");
    (void)uv_timer_start(&life->deadline, on_drain_deadline, life->daemon.config->drain_timeout,
                         0);
    order_all(life, xs_worker_drain, NULL);
}

/* ---- reload ---- */

static void say_kept(void *context, const char *what)
{
    (void)context;
    xs_log(XS_LOG_WARNING, "%s is not changed by a reload, only by a restart", what);
}

static void reload(struct life *life)
{
    char *error = NULL;
    int code = 0;

    if (life->draining)
        return;
    /* The file may have changed since it was read: what was asked last must count. */
    life->reload_again = life->next != NULL;
    if (life->reload_again)
        return;
    xs_notify("RELOADING=1");
    life->next = xs_config_read(life->command->config, life->command->overrides,
                                life->command->override_count, &error, &code);
    if (life->next == NULL) {
        xs_log(XS_LOG_ERROR, "nothing is changed: %s", error);
        xs_free(error);
        xs_notify("READY=1");
        return;
    }
    xs_config_keep_fixed(life->daemon.config, life->next, say_kept, NULL);
    atomic_store(&life->daemon.acknowledged, 0);
    order_all(life, xs_worker_reload, life->next);
}

static void reloaded(struct life *life)
{
    struct xs_daemon *daemon = &life->daemon;
    struct xs_log_options options = life->next->log;

    for (unsigned i = 0; i < daemon->endpoint_count; i++)
        daemon->endpoints[i].config = daemon->workers[0]->offers[i].config;
    xs_config_free(daemon->config);
    daemon->config = life->next;
    life->next = NULL;
    options.fd = STDERR_FILENO;
    options.with_time = getenv("JOURNAL_STREAM") == NULL;
    options.colour = isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    xs_log_reload(&options);
    xs_directory_limit(daemon->directory, daemon->config->remember_away, AWAY_MAX);
    xs_log(XS_LOG_INFO, "the configuration is reloaded");
    xs_notify("READY=1");
    if (life->reload_again)
        reload(life);
}

/* ---- what the main thread hears ---- */

static void on_wake(uv_async_t *wake)
{
    struct life *life = wake->data;
    struct xs_daemon *daemon = &life->daemon;

    if (life->next != NULL && atomic_load(&daemon->acknowledged) == daemon->worker_count)
        reloaded(life);
    if (atomic_load(&daemon->failed) > 0 && !life->draining) {
        xs_log(XS_LOG_ERROR, "a worker could not start");
        life->code = XS_EXIT_FAULT;
        drain(life);
    }
    if (life->stopping || atomic_load(&daemon->drained) < daemon->worker_count)
        return;
    life->stopping = true;
    order_all(life, xs_worker_stop, NULL);
    uv_walk(&daemon->loop, close_handle, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct life *life = handle->data;

    if (number == SIGHUP) {
        reload(life);
    } else if (number == SIGUSR1) {
        xs_report(&life->daemon, STDOUT_FILENO);
    } else if (number == SIGTERM || number == SIGINT) {
        if (life->draining) {
            xs_log(XS_LOG_WARNING, "told twice: stopping at once");
            xs_log_stop();
            _exit(XS_EXIT_FAULT);
        }
        drain(life);
    }
}

/* The service manager hears that we live only while every worker turns. */
static void on_watchdog(uv_timer_t *timer)
{
    struct life *life = timer->data;
    bool all = true;

    for (unsigned i = 0; i < life->daemon.worker_count; i++)
        all = all && atomic_load(&life->daemon.workers[i]->alive) >= life->pings;
    if (!all) {
        xs_log(XS_LOG_ERROR, "a worker does not answer");
        return;
    }
    xs_notify("WATCHDOG=1");
    life->pings++;
    order_all(life, xs_worker_ping, NULL);
}

static int listen_to_signals(struct life *life)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
    uv_loop_t *loop = &life->daemon.loop;
    uint64_t every = xs_notify_watchdog();

    (void)signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(loop) != 0 || uv_async_init(loop, &life->daemon.wake, on_wake) != 0)
        return XS_EXIT_FAULT;
    life->daemon.wake.data = life;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (uv_signal_init(loop, &life->signals[i]) != 0)
            return XS_EXIT_FAULT;
        life->signals[i].data = life;
        (void)uv_signal_start(&life->signals[i], on_signal, numbers[i]);
    }
    (void)uv_timer_init(loop, &life->deadline);
    (void)uv_timer_init(loop, &life->watchdog);
    life->deadline.data = life->watchdog.data = life;
    if (every > 0)
        (void)uv_timer_start(&life->watchdog, on_watchdog, every, every);
    return XS_EXIT_OK;
}

static void say_listening(const struct xs_config_endpoint *endpoint)
{
    XS_LOG(INFO, "listening", XS_F("endpoint", "%s", endpoint->name),
           XS_F("address", "%s", endpoint->address), XS_F("port", "%u", endpoint->port),
           XS_F("scope", "%s", endpoint->scope));
}

static void say_ready(const struct xs_daemon *daemon)
{
    for (unsigned i = 0; i < daemon->endpoint_count; i++)
        say_listening(daemon->endpoints[i].config);
    XS_LOG(INFO, "ready", XS_F("version", "%s", XS_VERSION),
           XS_F("workers", "%u", daemon->worker_count),
           XS_F("controllers", "%zu", daemon->registry->controller_count),
           XS_F("open_files", "%llu", (unsigned long long)daemon->fd_limit),
           XS_F("max_connections", "%u", daemon->budget.cap));
}

static int turn(struct life *life)
{
    struct xs_daemon *daemon = &life->daemon;
    bool stopped;

    xs_log_start();
    if (xs_file_thread_start(&daemon->files, &daemon->outside.mail, &daemon->budget.used,
                             daemon->budget.cap) != XS_OK)
        return XS_EXIT_FAULT;
    for (unsigned i = 0; i < daemon->worker_count; i++)
        if (xs_worker_start(daemon->workers[i]) != 0)
            return XS_EXIT_FAULT;
    say_ready(daemon);
    xs_notify("READY=1");
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < daemon->worker_count; i++)
        xs_worker_join(daemon->workers[i]);
    (void)uv_loop_close(&daemon->loop);
    stopped = xs_file_thread_stop(&daemon->files);
    if (!stopped)
        xs_log(XS_LOG_WARNING, "a disk does not answer: it is not waited for");
    xs_log(XS_LOG_INFO, "stopped");
    xs_log_stop();
    /* A thread that still waits may look at anything of ours when it goes on. */
    if (!stopped)
        _exit(life->code);
    return life->code;
}

int xs_daemon_run(const struct xs_command *command)
{
    struct life *life = xs_alloc(sizeof *life);
    int code;

    life->command = command;
    code = make(life);
    if (code == XS_EXIT_OK)
        code = listen_to_signals(life);
    if (code == XS_EXIT_OK)
        code = turn(life);
    unmake(life);
    xs_free(life);
    return code;
}
