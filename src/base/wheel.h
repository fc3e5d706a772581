/* wheel.h - many timers, cheaply: a hierarchical wheel of one worker, moved by its clock.
 * Millisecond grain near, coarser far away, never early. Knows no loop: the worker asks when it
 * must look again. */
#ifndef XS_BASE_WHEEL_H
#define XS_BASE_WHEEL_H

#include "base/list.h"
#include <stdint.h>

struct xs_timer;
typedef void (*xs_timer_fire)(struct xs_timer *timer);

/* Lies inside what it belongs to. Zeroed = not running. */
struct xs_timer {
    struct xs_list node;
    uint64_t at; /* ms, of the wheel's clock */
    xs_timer_fire fire;
};

#define XS_WHEEL_LEVELS 5
#define XS_WHEEL_SLOTS  64

struct xs_wheel {
    uint64_t now;                   /* ms */
    uint64_t used[XS_WHEEL_LEVELS]; /* a bit a slot */
    struct xs_list slots[XS_WHEEL_LEVELS][XS_WHEEL_SLOTS];
};

void xs_wheel_init(struct xs_wheel *wheel, uint64_t now);
/* Starts or moves. `at` in the past fires at the next turn. */
void xs_wheel_set(struct xs_wheel *wheel, struct xs_timer *timer, uint64_t at,
                  xs_timer_fire fire);
/* Harmless when it does not run. */
void xs_wheel_stop(struct xs_wheel *wheel, struct xs_timer *timer);
static inline int xs_timer_runs(const struct xs_timer *timer)
{
    return timer->node.next != NULL;
}
/* Fires all that are due, each already stopped; a callback may set and stop any timer, itself
 * included. */
void xs_wheel_turn(struct xs_wheel *wheel, uint64_t now);
/* Milliseconds until something may be due (0 = now), UINT64_MAX if nothing runs. May be earlier
 * than the first timer, never later. */
uint64_t xs_wheel_wait(const struct xs_wheel *wheel);

#endif
