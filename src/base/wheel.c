/* wheel - a hierarchical timer wheel.
 *
 * A time is read as digits to the base of 64. A timer lies on the level of the first digit,
 * from the left, in which its time differs from now, in the slot of that digit; when now
 * reaches the slot it is put again, nearer. So the slots before now are always empty, with two
 * exceptions: level 0's slot of now itself holds what is due already, and the last level is a
 * ring, where a timer too far away waits in the farthest slot. */
#include "base/wheel.h"

#include "base/assert.h"

#define BITS 6
#define LAST (XS_WHEEL_LEVELS - 1)

static unsigned digit(uint64_t time, unsigned level)
{
    return (unsigned)(time >> (BITS * level)) & (XS_WHEEL_SLOTS - 1);
}

void xs_wheel_init(struct xs_wheel *wheel, uint64_t now)
{
    unsigned level, slot;

    wheel->now = now;
    for (level = 0; level < XS_WHEEL_LEVELS; level++) {
        wheel->used[level] = 0;
        for (slot = 0; slot < XS_WHEEL_SLOTS; slot++)
            xs_list_init(&wheel->slots[level][slot]);
    }
}

static void put(struct xs_wheel *wheel, struct xs_timer *timer)
{
    uint64_t at = timer->at > wheel->now ? timer->at : wheel->now;
    uint64_t differs = at ^ wheel->now;
    unsigned level = 0, slot;

    if (differs != 0)
        level = (unsigned)(63 - __builtin_clzll(differs)) / BITS;
    if (level >= LAST) {
        uint64_t ahead = (at >> (BITS * LAST)) - (wheel->now >> (BITS * LAST));

        level = LAST;
        if (ahead >= XS_WHEEL_SLOTS)
            slot = digit(wheel->now, LAST) + XS_WHEEL_SLOTS - 1;
        else
            slot = digit(at, LAST);
        slot &= XS_WHEEL_SLOTS - 1;
    } else {
        slot = digit(at, level);
    }
    xs_list_append(&wheel->slots[level][slot], &timer->node);
    wheel->used[level] |= UINT64_C(1) << slot;
}

void xs_wheel_set(struct xs_wheel *wheel, struct xs_timer *timer, uint64_t at,
                  xs_timer_fire fire)
{
    xs_wheel_stop(wheel, timer);
    timer->at = at;
    timer->fire = fire;
    put(wheel, timer);
}

void xs_wheel_stop(struct xs_wheel *wheel, struct xs_timer *timer)
{
    struct xs_list *other = timer->node.next;
    uintptr_t offset = (uintptr_t)other - (uintptr_t)wheel->slots;

    if (other == NULL)
        return;
    /* The last one in a slot has the slot's head on both sides. A timer that turn() is about to
     * fire lies in a list outside the wheel. */
    if (other == timer->node.prev && offset < sizeof wheel->slots) {
        size_t index = offset / sizeof(struct xs_list);

        wheel->used[index / XS_WHEEL_SLOTS] &= ~(UINT64_C(1) << index % XS_WHEEL_SLOTS);
    }
    xs_list_remove(&timer->node);
}

/* When the next slot is reached that holds anything; UINT64_MAX when none does. */
static uint64_t next_slot(const struct xs_wheel *wheel, unsigned *level, unsigned *slot)
{
    uint64_t now = wheel->now, used;
    unsigned n, here;

    for (n = 0; n < LAST; n++) {
        unsigned shift = BITS * n;

        here = digit(now, n);
        used = wheel->used[n] & (UINT64_MAX << here);
        if (used == 0)
            continue;
        *level = n;
        *slot = (unsigned)__builtin_ctzll(used);
        return ((now >> shift) - here + *slot) << shift;
    }
    used = wheel->used[LAST];
    if (used == 0)
        return UINT64_MAX;
    here = digit(now, LAST);
    /* Turned so that the slot of now comes first; nothing is ever in that one. */
    used = here == 0 ? used : used >> here | used << (XS_WHEEL_SLOTS - here);
    n = (unsigned)__builtin_ctzll(used);
    *level = LAST;
    *slot = (here + n) & (XS_WHEEL_SLOTS - 1);
    return ((now >> (BITS * LAST)) + n) << (BITS * LAST);
}

void xs_wheel_turn(struct xs_wheel *wheel, uint64_t now)
{
    struct xs_list due, *node;
    unsigned level, slot;

    xs_list_init(&due);
    if (now < wheel->now)
        now = wheel->now;
    for (;;) {
        uint64_t at = next_slot(wheel, &level, &slot);

        if (at == UINT64_MAX || at > now)
            break;
        wheel->now = at;
        wheel->used[level] &= ~(UINT64_C(1) << slot);
        while ((node = xs_list_shift(&wheel->slots[level][slot])) != NULL) {
            struct xs_timer *timer = XS_CONTAINER(node, struct xs_timer, node);

            if (timer->at <= at)
                xs_list_append(&due, node);
            else
                put(wheel, timer);
        }
    }
    wheel->now = now;
    /* What callbacks set to the past from here on is found by the next turn. */
    while ((node = xs_list_shift(&due)) != NULL) {
        struct xs_timer *timer = XS_CONTAINER(node, struct xs_timer, node);

        timer->fire(timer);
    }
    XS_ASSERT(xs_list_empty(&due));
}

uint64_t xs_wheel_wait(const struct xs_wheel *wheel)
{
    unsigned level, slot;
    uint64_t at = next_slot(wheel, &level, &slot);

    return at == UINT64_MAX ? at : at - wheel->now;
}
