/* run.h - one run: the warm-up, the measured part, the end, and what they gave. */
#ifndef XS_BENCH_RUN_H
#define XS_BENCH_RUN_H

#include "histogram.h"
#include "measure.h"
#include "open.h"

enum phase {
    PHASE_WARMING,
    PHASE_MEASURING,
    PHASE_OVER /* nothing is sent any more; what is on its way is waited for */
};

struct run;

/* What a mode does in a run. */
struct load {
    /* Sends what may be sent now; called in every turn. */
    void (*turn)(struct run *run);
    /* A link was lost. */
    void (*gone)(struct run *run, struct link *link);
};

struct run {
    const struct options *options;
    const struct load *load;
    void *own; /* of the mode */
    struct links links;
    struct errors errors;
    enum phase phase;
    bool stalled, interrupted;
    uint32_t alive;           /* links */
    uint64_t came;            /* right messages */
    uint64_t outstanding;     /* messages that should come */
    uint64_t left;            /* that may still be sent */
    double interval;          /* open loop: ns between two messages; 0: closed loop */
    uint64_t issued;          /* messages of the schedule that were sent */
    uint64_t begun;           /* when the first one was due */
    uint64_t from, to;        /* the measured part, ns */
    uint64_t first, last;     /* messages that had come by then */
    uint64_t received;        /* bytes in the measured part */
    uint64_t last_came;       /* when something came */
    struct histogram latency; /* ns, of what was sent or due in the measured part */
    struct usage usage;
    const struct mallocs *counters;
    struct mallocs heap;                /* calls in between */
    uint64_t resident_before, resident; /* bytes of the server */
    uint64_t resident_after;            /* idle: when the clients had gone */
    uint32_t resident_clients;          /* of `resident_before` */
};

void xs_bench_run_init(struct run *run, const struct options *options, uint32_t links);
void xs_bench_run_fini(struct run *run);

/* Opens all links, sends and receives until the run is over. */
void xs_bench_run(struct run *run);

/* The pieces of it that `connect` uses too. */
void xs_bench_run_begin(struct run *run);
/* Waits until something happens or is due. */
int xs_bench_run_wait(struct run *run, struct epoll_event *events);
/* Looks at clock and counters; false when all is done. */
bool xs_bench_run_step(struct run *run);

/* Open loop: how many messages are due by now, and when message `number` is. */
uint64_t xs_bench_run_due(const struct run *run);
uint64_t xs_bench_run_when(const struct run *run, uint64_t number);

/* Up to `wanted` messages may be sent; takes them from what is left. */
uint64_t xs_bench_run_take(struct run *run, uint64_t wanted);

/* Messages that were sent, or due, at `when` have come now. */
static inline void xs_bench_run_latency(struct run *run, uint64_t when, uint64_t times)
{
    if (when < run->from || run->phase == PHASE_WARMING)
        return;
    xs_bench_histogram_add(&run->latency, run->links.now > when ? run->links.now - when : 0,
                           times);
}

/* The modes. Each runs and leaves its results in `run`. */
void xs_bench_echo(struct run *run, const struct options *options);
void xs_bench_fanout(struct run *run, const struct options *options);
void xs_bench_idle(struct run *run, const struct options *options);
void xs_bench_connect(struct run *run, const struct options *options);

/* How many frames a ring has for that many messages under way, a multiple of `multiple`. */
uint32_t xs_bench_ring_count(const struct options *options, uint32_t multiple);

/* Ends the program if the frames would need more than 2 GiB. */
void xs_bench_check_memory(const struct options *options, uint64_t frames);

#endif
