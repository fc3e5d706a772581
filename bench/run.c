/* run - one run: the warm-up, the measured part, the end, and what they gave. */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    QUIET = 50,        /* ms in which nothing more may come at the end */
    SPARE = 64,        /* numbered messages beyond those in flight; */
    SPARE_LARGE = 8,   /* of large ones, */
    LARGE = 16 * 1024, /* which these are; */
    SPARE_OPEN = 256,  /* and where there is no bound to what is in flight */
    FRAMES_MAX = 2047  /* MiB of all frames */
};

static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
    (void)number;
    /* Who asks twice wants an end and no result. */
    if (++interrupts > 1)
        _Exit(130);
}

uint32_t xs_bench_ring_count(const struct options *options, uint32_t multiple)
{
    uint32_t spare = options->size > LARGE ? SPARE_LARGE
                     : options->rate > 0   ? SPARE_OPEN
                                           : SPARE;
    uint32_t count = 2 * options->in_flight + spare;

    return (count + multiple - 1) / multiple * multiple;
}

void xs_bench_check_memory(const struct options *options, uint64_t frames)
{
    /* (An envelope is around each.) */
    uint64_t mebibytes = frames * (options->size + 100) / (1024 * 1024);

    if (mebibytes > FRAMES_MAX)
        xs_bench_die(EXIT_USAGE,
                     "frames made beforehand would need %llu MiB; take smaller "
                     "ones, fewer topics or fewer in flight",
                     (unsigned long long)mebibytes);
}

void xs_bench_run_init(struct run *run, const struct options *options, uint32_t links)
{
    *run = (struct run){ .options = options, .alive = links };
    run->left = options->count > 0 ? options->count : UINT64_MAX;
    run->interval = options->rate > 0 ? 1e9 / options->rate : 0;
    xs_bench_links_init(&run->links, options, links);
    /* So that what is due is sent when it is due; the usual slack is 50 us. */
    prctl(PR_SET_TIMERSLACK, 1);
}

void xs_bench_run_fini(struct run *run)
{
    xs_bench_links_fini(&run->links);
}

uint64_t xs_bench_run_when(const struct run *run, uint64_t number)
{
    return run->begun + (uint64_t)((double)number * run->interval);
}

uint64_t xs_bench_run_due(const struct run *run)
{
    return (uint64_t)((double)(run->links.now - run->begun) / run->interval) + 1;
}

uint64_t xs_bench_run_take(struct run *run, uint64_t wanted)
{
    if (run->phase == PHASE_OVER)
        return 0;
    if (wanted > run->left)
        wanted = run->left;
    if (run->left != UINT64_MAX)
        run->left -= wanted;
    return wanted;
}

/* ---- phases ---- */

static void begin_measuring(struct run *run, uint64_t now)
{
    run->phase = PHASE_MEASURING;
    run->from = now;
    run->first = run->came;
    run->received = run->links.received;
    if (run->counters != NULL)
        run->heap = *run->counters;
    xs_bench_usage_begin(&run->usage, run->options->pid);
}

static void end_measuring(struct run *run, uint64_t now)
{
    run->phase = PHASE_OVER;
    run->to = now;
    run->last = run->came;
    run->received = run->links.received - run->received;
    xs_bench_usage_end(&run->usage);
    if (run->counters == NULL)
        return;
    run->heap.malloc = run->counters->malloc - run->heap.malloc;
    run->heap.calloc = run->counters->calloc - run->heap.calloc;
    run->heap.realloc = run->counters->realloc - run->heap.realloc;
    run->heap.aligned = run->counters->aligned - run->heap.aligned;
    run->heap.free = run->counters->free - run->heap.free;
}

void xs_bench_run_begin(struct run *run)
{
    const struct sigaction action = { .sa_handler = on_signal };
    const struct options *options = run->options;

    /* From here on there is something to be told at an end. */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (options->mallocs != NULL && run->counters == NULL)
        run->counters = xs_bench_mallocs(options->mallocs);
    run->links.now = run->begun = run->last_came = xs_bench_now();
    run->from = run->begun + options->warmup;
    if (options->warmup == 0)
        begin_measuring(run, run->begun);
}

static void show_progress(const struct run *run, uint64_t now)
{
    static uint64_t then, came;
    double seconds = (double)(now - then) / 1e9;

    if (!xs_bench_progress_due(now))
        return;
    if (then > 0 && then >= run->begun)
        xs_bench_progress(
            "%s: %.1f k/s, %llu altogether, %llu errors, %.0f s%s",
            xs_bench_mode_name(run->options->mode), (double)(run->came - came) / seconds / 1000,
            (unsigned long long)run->came, (unsigned long long)xs_bench_errors(&run->errors),
            (double)(now - run->begun) / 1e9,
            run->phase == PHASE_WARMING     ? ", warming up"
            : run->phase == PHASE_MEASURING ? ""
                                            : ", waiting for the last ones");
    then = now;
    came = run->came;
}

static bool done_sending(const struct run *run, uint64_t now)
{
    if (interrupts > 0 || run->alive == 0 || run->stalled)
        return true;
    if (run->options->duration > 0 && now >= run->from + run->options->duration)
        return true;
    return run->left == 0 && run->outstanding == 0;
}

bool xs_bench_run_step(struct run *run)
{
    uint64_t now = xs_bench_now();

    run->links.now = now;
    if (run->phase == PHASE_WARMING && now >= run->from)
        begin_measuring(run, now);
    if (run->outstanding > 0 && now >= run->last_came + run->options->stall)
        run->stalled = true;
    if (run->phase != PHASE_OVER && done_sending(run, now)) {
        if (run->phase == PHASE_WARMING)
            begin_measuring(run, now);
        end_measuring(run, run->stalled ? run->last_came : now);
    }
    run->interrupted = interrupts > 0;
    show_progress(run, now);
    return run->phase != PHASE_OVER ||
           (run->outstanding > 0 && !run->stalled && run->alive > 0);
}

/* ---- waiting ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something has to be done even if nothing comes. */
static uint64_t next_deadline(const struct run *run)
{
    uint64_t when = run->links.now + SECOND / 5;

    if (run->phase == PHASE_WARMING)
        when = sooner(when, run->from);
    if (run->phase == PHASE_MEASURING && run->options->duration > 0)
        when = sooner(when, run->from + run->options->duration);
    if (run->interval > 0 && run->phase != PHASE_OVER && run->left > 0)
        when = sooner(when, xs_bench_run_when(run, run->issued));
    if (run->outstanding > 0)
        when = sooner(when, run->last_came + run->options->stall);
    return when;
}

int xs_bench_run_wait(struct run *run, struct epoll_event *events)
{
    static bool coarse; /* the kernel has no epoll_pwait2, which came with 5.11 */
    uint64_t when = next_deadline(run),
             rest = when > run->links.now ? when - run->links.now : 0;
    const struct timespec timeout = { .tv_sec = (time_t)(rest / SECOND),
                                      .tv_nsec = (long)(rest % SECOND) };
    int count = -1;

    if (!coarse)
        count = epoll_pwait2(run->links.poll, events, LINK_TURN, &timeout, NULL);
    if (count < 0 && (coarse || errno == ENOSYS || errno == EPERM)) {
        coarse = true;
        count = epoll_wait(run->links.poll, events, LINK_TURN, (int)(rest / 1000000));
    }
    if (count < 0 && errno != EINTR)
        xs_bench_die(EXIT_FAILURE, "epoll_wait: %s", strerror(errno));
    return count < 0 ? 0 : count;
}

/* ---- the loop ---- */

/* What it should have got will not come. */
static void lose(struct run *run, struct link *link)
{
    run->outstanding -= xs_bench_receive_end(&link->receiver);
    run->load->gone(run, link);
    xs_bench_link_reset(link);
    run->alive--;
}

static void take_events(struct run *run, const struct epoll_event *events, int count)
{
    run->links.until_now = 1;
    for (int i = 0; i < count; i++) {
        struct link *link = events[i].data.ptr;

        if (i + 2 < count)
            __builtin_prefetch(events[i + 2].data.ptr);
        if (link->state == LINK_CLOSED)
            continue;
        if ((events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            xs_bench_link_take(&run->links, link, events[i].events);
        if (link->receiver.ended)
            lose(run, link);
        else if (link->owing > 0)
            xs_bench_link_pump(link);
    }
}

/* All came; whatever still comes is one too many. */
static void expect_silence(struct run *run)
{
    static struct epoll_event events[LINK_TURN];
    uint64_t end = xs_bench_now() + QUIET * SECOND / 1000, now;

    while (run->alive > 0 && (now = xs_bench_now()) < end)
        take_events(
            run, events,
            epoll_wait(run->links.poll, events, LINK_TURN, (int)((end - now) / 1000000) + 1));
}

static void end_links(struct run *run)
{
    for (uint32_t i = 0; i < run->links.count; i++) {
        if (run->links.at[i].state != LINK_CLOSED)
            xs_bench_receive_end(&run->links.at[i].receiver);
    }
}

void xs_bench_run(struct run *run)
{
    static struct epoll_event events[LINK_TURN];
    const struct options *options = run->options;
    uint64_t came;

    if (options->pid != 0)
        run->resident_before = xs_bench_resident(options->pid);
    xs_bench_links_open(&run->links, 0, run->links.count);
    for (uint32_t i = 0; i < run->links.count; i++) {
        if (run->links.at[i].receiver.ended)
            lose(run, &run->links.at[i]);
    }
    if (options->pid != 0)
        run->resident = xs_bench_resident(options->pid);
    xs_bench_run_begin(run);
    run->load->turn(run);
    do {
        came = run->came + xs_bench_errors(&run->errors);
        take_events(run, events, xs_bench_run_wait(run, events));
        if (run->came + xs_bench_errors(&run->errors) != came)
            run->last_came = run->links.now;
        if (run->phase != PHASE_OVER)
            run->load->turn(run);
    } while (xs_bench_run_step(run));
    if (run->stalled)
        xs_bench_say("%llu messages are missing and nothing came for %.1f s",
                     (unsigned long long)run->outstanding, (double)options->stall / 1e9);
    expect_silence(run);
    end_links(run);
    xs_bench_progress_end();
}
