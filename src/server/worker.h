/* worker.h - one loop, one thread, and everything that lives on it. */
#ifndef XS_SERVER_WORKER_H
#define XS_SERVER_WORKER_H

#include "base/stats.h"
#include "connection/connection.h"
#include "controller/clients.h"
#include "files/files.h"
#include "server/mailbox.h"

struct xs_daemon;

struct xs_worker {
    uv_thread_t thread;
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t timer;
    struct xs_daemon *daemon;
    unsigned index;
    struct xs_box box;
    struct xs_post post;
    struct xs_stats stats;
    struct xs_wheel wheel;
    struct xs_outbound out;
    struct xs_conns conns;
    struct xs_clients clients;
    struct xs_files files;
    struct xs_offer *offers; /* one an endpoint */
    struct xs_door *doors;   /* one a listening socket */
    unsigned door_count;
    struct xs_conn **stalled; /* not read because another worker's box is full */
    size_t stalled_count, stalled_cap;
    bool draining;
    bool drained; /* told */
    bool started;
    _Atomic uint64_t alive; /* pings answered, for the watchdog */
};

/* What all share; lives in the main thread. */
struct xs_daemon {
    struct xs_config *config;
    struct xs_registry *registry;
    struct xs_endpoint *endpoints;
    unsigned endpoint_count;
    const char **scopes;
    unsigned scope_count;
    const char **kept_headers, **kept_cookies;
    struct xs_worker **workers;
    unsigned worker_count;
    struct xs_box **boxes;
    struct xs_post outside;
    struct xs_file_thread files;
    struct xs_interest *interest;
    struct xs_directory *directory;
    struct xs_fd_budget budget;
    uint64_t fd_limit;
    uint64_t started_at; /* ms */
    uv_loop_t loop;      /* of the main thread */
    uv_async_t wake;
    atomic_uint drained;      /* workers without connections, after drain */
    atomic_uint acknowledged; /* workers that use the new configuration */
    atomic_uint failed;       /* workers that could not start */
};

/* Memory and modules; the loop is not running yet. XS_OK or what a module's worker_start said.
 * [main] */
enum xs_err xs_worker_init(struct xs_worker *worker, struct xs_daemon *daemon, unsigned index);
/* [main] */
int xs_worker_start(struct xs_worker *worker);
void xs_worker_join(struct xs_worker *worker);
void xs_worker_fini(struct xs_worker *worker);

/* Orders, carried as letters. `run` is called on the worker. [main] */
void xs_worker_order(struct xs_worker *worker,
                     void (*run)(struct xs_worker *worker, void *what), void *what);
void xs_worker_drain(struct xs_worker *worker, void *unused);
void xs_worker_abort(struct xs_worker *worker, void *unused);
void xs_worker_stop(struct xs_worker *worker, void *unused);
void xs_worker_reload(struct xs_worker *worker, void *config);
void xs_worker_ping(struct xs_worker *worker, void *unused);

#endif
