/* idle - what clients that do nothing cost the server in memory.
 * connect - clients connect, open, leave and come again. */
#include <stdlib.h>

#include "run.h"

enum { SETTLE = 500 /* ms until the server's memory is looked at */ };

static void never_moved(void *context, struct receiver *receiver, const struct lane *lane,
                        uint64_t from, uint64_t to)
{
    (void)context;
    (void)receiver;
    (void)lane;
    (void)from;
    (void)to;
}

static struct rules rules_of(struct run *run, const struct speech *speech)
{
    return (struct rules){ .ws = speech->ws,
                           .loose = true,
                           .deflate = true,
                           .ping = speech->ping,
                           .pong = speech->pong,
                           .errors = &run->errors,
                           .came = &run->came,
                           .context = run,
                           .moved = never_moved,
                           .answer = xs_bench_link_answer };
}

/* ---- idle ---- */

/* Lets the server come to rest; pings are answered meanwhile. */
static uint64_t settled_memory(struct run *run)
{
    static struct epoll_event events[LINK_TURN];
    uint64_t end = xs_bench_now() + SETTLE * SECOND / 1000, now, resident;

    while ((now = xs_bench_now()) < end) {
        int count =
            epoll_wait(run->links.poll, events, LINK_TURN, (int)((end - now) / 1000000) + 1);

        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;

            if (link->state != LINK_CLOSED)
                xs_bench_link_take(&run->links, link, events[i].events);
            if (link->receiver.ended)
                xs_bench_link_reset(link);
        }
    }
    resident = xs_bench_resident(run->options->pid);
    if (resident == 0)
        xs_bench_die(EXIT_FAILURE, "the memory of process %ld cannot be read",
                     (long)run->options->pid);
    return resident;
}

void xs_bench_idle(struct run *run, const struct options *options)
{
    struct speech speech;
    struct rules rules;

    xs_bench_speech(&speech, options, options->protocol, ROLE_IDLE);
    xs_bench_run_init(run, options, options->connections);
    rules = rules_of(run, &speech);
    for (uint32_t i = 0; i < run->links.count; i++) {
        run->links.at[i].speech = &speech;
        run->links.at[i].receiver.rules = &rules;
    }
    /* What the server makes once, whoever comes first, is not the price of a client. */
    run->resident_clients = run->links.count / 100;
    xs_bench_links_open(&run->links, 0, run->resident_clients);
    run->resident_before = settled_memory(run);
    run->phase = PHASE_MEASURING;
    run->from = xs_bench_now();
    xs_bench_usage_begin(&run->usage, options->pid);
    xs_bench_links_open(&run->links, run->resident_clients, run->links.count);
    run->to = xs_bench_now();
    xs_bench_usage_end(&run->usage);
    run->last = run->links.count - run->resident_clients;
    run->resident = settled_memory(run);
    for (uint32_t i = 0; i < run->links.count; i++)
        xs_bench_link_reset(&run->links.at[i]);
    run->resident_after = settled_memory(run);
    xs_bench_progress_end();
    xs_bench_run_fini(run);
    xs_bench_speech_free(&speech);
}

/* ---- connect ---- */

struct visits {
    uint64_t *when;      /* when each client's visit was due, or begun */
    uint32_t *free;      /* clients that are away, */
    uint32_t free_count; /* as a stack */
};

static void fail_visit(struct run *run, struct link *link)
{
    struct visits *visits = run->own;

    if (run->links.code == EXIT_UNREACHABLE && run->came == 0)
        xs_bench_die(run->links.code, "%s", run->links.failure);
    if (++run->errors.closed == 1)
        xs_bench_say("%s (the first one)", run->links.failure);
    run->outstanding--;
    visits->free[visits->free_count++] = link->receiver.number;
}

/* Brings in clients as long as there are some and one is due. */
static void invite(struct run *run)
{
    struct visits *visits = run->own;

    run->links.now = xs_bench_now();
    while (visits->free_count > 0 && run->phase != PHASE_OVER) {
        struct link *link;
        uint64_t when = run->links.now;

        if (run->interval > 0) {
            if (run->issued >= xs_bench_run_due(run))
                return;
            when = xs_bench_run_when(run, run->issued);
        }
        if (xs_bench_run_take(run, 1) == 0)
            return;
        run->issued++;
        run->outstanding++;
        link = &run->links.at[visits->free[--visits->free_count]];
        visits->when[link->receiver.number] = when;
        if (xs_bench_open_begin(&run->links, link) == OPEN_FAILED)
            fail_visit(run, link);
    }
}

static void go_on(struct run *run, struct link *link, uint32_t events)
{
    struct visits *visits = run->own;

    switch (xs_bench_open_step(&run->links, link, events)) {
    case OPEN_MORE:
        return;
    case OPEN_FAILED:
        fail_visit(run, link);
        return;
    case OPEN_READY:
        break;
    }
    run->links.now = xs_bench_now();
    run->came++;
    run->outstanding--;
    xs_bench_run_latency(run, visits->when[link->receiver.number], 1);
    xs_bench_link_reset(link);
    visits->free[visits->free_count++] = link->receiver.number;
}

static void run_visits(struct run *run)
{
    static struct epoll_event events[LINK_TURN];

    xs_bench_run_begin(run);
    invite(run);
    do {
        int count = xs_bench_run_wait(run, events);

        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;

            if (link->opening != NULL)
                go_on(run, link, events[i].events);
        }
        if (count > 0)
            run->last_came = run->links.now;
        invite(run);
    } while (xs_bench_run_step(run));
    run->errors.lost += run->outstanding;
    if (run->outstanding > 0)
        xs_bench_say("%llu clients were not let in, and nothing came for %.1f s",
                     (unsigned long long)run->outstanding, (double)run->options->stall / 1e9);
}

void xs_bench_connect(struct run *run, const struct options *options)
{
    struct speech speech;
    struct rules rules;
    struct visits visits = { .free_count = options->connections };

    xs_bench_speech(&speech, options, options->protocol, ROLE_ECHO);
    xs_bench_run_init(run, options, options->connections);
    rules = rules_of(run, &speech);
    visits.when = xs_bench_must(calloc(options->connections, sizeof *visits.when));
    visits.free = xs_bench_must(calloc(options->connections, sizeof *visits.free));
    run->own = &visits;
    for (uint32_t i = 0; i < run->links.count; i++) {
        run->links.at[i].speech = &speech;
        run->links.at[i].receiver.rules = &rules;
        visits.free[i] = run->links.count - 1 - i;
    }
    run_visits(run);
    xs_bench_progress_end();
    xs_bench_run_fini(run);
    free(visits.when);
    free(visits.free);
    xs_bench_speech_free(&speech);
}
