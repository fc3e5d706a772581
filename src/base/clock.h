/* clock.h - the time. xs_clock_ms is CLOCK_MONOTONIC; xs_now() (base.h) is the value of the
 * last tick on this thread. */
#ifndef XS_BASE_CLOCK_H
#define XS_BASE_CLOCK_H

#include <stdint.h>

uint64_t xs_clock_ms(void); /* [any] */
uint64_t xs_clock_ns(void); /* [any] */
/* Reads the clock for this thread's turn; xs_now() gives it until the next. [any] */
uint64_t xs_clock_tick(void);
/* `len` random bytes from the kernel; never fails. [any] */
void xs_random(void *at, unsigned len);

#endif
