/* mallocs.h - the counters that mallocs.so shares with xsockets-bench through a mapped file. */
#ifndef XS_BENCH_MALLOCS_H
#define XS_BENCH_MALLOCS_H

#include <stdint.h>

struct mallocs {
    uint64_t malloc, calloc, realloc, aligned, free;
};

#endif
