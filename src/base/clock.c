/* clock - the time as the kernel tells it, and as this thread's turn remembers it. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include <xsockets/base.h>

/* The last tick of this thread; 0 where none was made. */
static _Thread_local uint64_t turn;

uint64_t xs_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t xs_clock_ms(void)
{
    return xs_clock_ns() / 1000000u;
}

uint64_t xs_clock_tick(void)
{
    turn = xs_clock_ms();
    return turn;
}

uint64_t xs_now(void)
{
    return turn != 0 ? turn : xs_clock_ms();
}

void xs_random(void *at, unsigned len)
{
    unsigned char *to = at;

    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fprintf(stderr, "xsocketsd: the kernel gives no random bytes\n");
            _Exit(1);
        }
        to += got;
        len -= (unsigned)got;
    }
}
