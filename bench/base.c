/* base - an end with a sentence, bytes that grow, the clock, the line of progress. */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool wanted, shown;
    uint64_t next;
} line;

void *xs_bench_must(void *memory)
{
    if (memory == NULL)
        xs_bench_die(EXIT_FAILURE, "out of memory");
    return memory;
}

uint8_t *xs_bench_room(struct bytes *bytes, size_t more)
{
    if (bytes->room - bytes->len < more) {
        bytes->room = bytes->len + more + bytes->room / 2;
        bytes->at = xs_bench_must(realloc(bytes->at, bytes->room));
    }
    return bytes->at + bytes->len;
}

void xs_bench_put(struct bytes *bytes, const void *at, size_t len)
{
    if (len == 0)
        return;
    memcpy(xs_bench_room(bytes, len), at, len);
    bytes->len += len;
}

void xs_bench_cut(struct bytes *bytes, size_t len)
{
    if (len == 0)
        return;
    bytes->len -= len;
    memmove(bytes->at, bytes->at + len, bytes->len);
}

void xs_bench_free(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){ 0 };
}

uint64_t xs_bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void xs_bench_random(void *at, size_t len)
{
    static uint64_t state;
    uint8_t *bytes = at;

    while (state == 0) {
        if (getrandom(&state, sizeof state, 0) != (ssize_t)sizeof state)
            state = xs_bench_now();
    }
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 32);
    }
}

static void say(const char *format, va_list list)
{
    xs_bench_progress_end();
    fputs("xsockets-bench: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

void xs_bench_say(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say(format, list);
    va_end(list);
}

void xs_bench_die(int code, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say(format, list);
    va_end(list);
    exit(code);
}

void xs_bench_progress_wanted(bool wanted)
{
    line.wanted = wanted && isatty(STDERR_FILENO);
}

bool xs_bench_progress_due(uint64_t now)
{
    if (!line.wanted || now < line.next)
        return false;
    line.next = now + SECOND / 5;
    return true;
}

void xs_bench_progress(const char *format, ...)
{
    va_list list;

    if (!line.wanted)
        return;
    fputs("\r\033[K", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fflush(stderr);
    line.shown = true;
}

void xs_bench_progress_end(void)
{
    if (line.shown)
        fputs("\r\033[K", stderr);
    line.shown = false;
}
