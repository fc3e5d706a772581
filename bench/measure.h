/* measure.h - what the kernel tells about the server's process and our own thread. */
#ifndef XS_BENCH_MEASURE_H
#define XS_BENCH_MEASURE_H

#include <sys/types.h>

#include "base.h"
#include "mallocs.h"

enum { USAGE_THREADS = 256 };

/* CPU time between two looks; the first one is taken with begin, the second with end. */
struct usage {
    pid_t pid;           /* of the server; 0: not known */
    bool known;          /* whether the members of the server mean anything */
    bool parts;          /* whether `user` and `system` do each for itself; their sum does */
    double user, system; /* seconds of the server in between */
    double busiest;      /* seconds of its busiest thread */
    double own;          /* seconds of this thread */
    uint64_t ticks[2];   /* at the beginning: user, system */
    double own_begin;
    struct {
        pid_t tid;
        uint64_t ns;
    } threads[USAGE_THREADS];
    size_t thread_count;
};

void xs_bench_usage_begin(struct usage *usage, pid_t pid);
void xs_bench_usage_end(struct usage *usage);

/* Resident bytes of a process, 0 when they cannot be read. */
uint64_t xs_bench_resident(pid_t pid);

/* Maps the counters of mallocs.so; ends the program when the file is none. */
const struct mallocs *xs_bench_mallocs(const char *path);

/* All calls that gave memory. */
uint64_t xs_bench_malloc_calls(const struct mallocs *mallocs);

#endif
