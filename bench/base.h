/* base.h - what every part of xsockets-bench uses: an end with a sentence, bytes that grow, the
 * clock. One thread, so nothing here is locked. */
#ifndef XS_BENCH_BASE_H
#define XS_BENCH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* sysexits: a bad command line, a server that cannot be reached. */
enum { EXIT_USAGE = 64, EXIT_UNREACHABLE = 69 };

#define SECOND UINT64_C(1000000000)

/* Bytes that grow; zeroed memory is an empty one. */
struct bytes {
    uint8_t *at;
    size_t len, room;
};

/* Makes room for `more` bytes and returns where they go; `len` is the caller's to raise. */
uint8_t *xs_bench_room(struct bytes *bytes, size_t more);
void xs_bench_put(struct bytes *bytes, const void *at, size_t len);
/* The first `len` bytes go. */
void xs_bench_cut(struct bytes *bytes, size_t len);
void xs_bench_free(struct bytes *bytes);

/* Ends the program if `memory` is NULL. */
void *xs_bench_must(void *memory);

/* Monotonic, ns. */
uint64_t xs_bench_now(void);

/* Random bytes for keys and masks; not for secrets. */
void xs_bench_random(void *at, size_t len);

/* Both clear the line of progress first. */
void xs_bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void xs_bench_die(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Replaces the line of progress, five times a second, if that is wanted and stderr a terminal.
 */
void xs_bench_progress_wanted(bool wanted);
bool xs_bench_progress_due(uint64_t now);
void xs_bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void xs_bench_progress_end(void);

#endif
