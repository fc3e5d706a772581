/* measure.h - the clock, and what the kernel tells about the server's process. */
#ifndef XS_BENCH_MEASURE_H
#define XS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mallocs.h"

/* Monotonic, ns. */
uint64_t xs_bench_now(void);

/* CPU time of a process so far, in seconds. */
bool xs_bench_cpu(pid_t pid, double *user, double *system);

/* Resident bytes of a process, 0 when they cannot be read. */
uint64_t xs_bench_resident(pid_t pid);

/* Maps the counters of mallocs.so; ends the program when the file is none. */
const struct mallocs *xs_bench_mallocs(const char *path);

/* Replaces the line of progress on a terminal, some times a second; nothing elsewhere. */
void xs_bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void xs_bench_progress_end(void);

#endif
