/* wheel - against a naive model: an array of times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wheel.h"

#define TIMERS 512

static uint64_t dice = 88172645463325252u;

static uint64_t roll(uint64_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % below;
}

struct entry {
    struct xs_timer timer;
    uint64_t at;          /* the model's: UINT64_MAX when it does not run */
    uint64_t may_fire_in; /* number of the first turn that may fire it */
};

static struct xs_wheel wheel;
static struct entry entries[TIMERS];
static uint64_t model_now, turns, fired, last_at;
static bool change_in_callbacks;

static void on_fire(struct xs_timer *timer);

static uint64_t some_time(void)
{
    switch (roll(8)) {
    case 0:
        return model_now - roll(model_now < 100 ? model_now + 1 : 100);
    case 1:
        return model_now + roll(4);
    case 2:
        return model_now + roll(UINT64_C(1) << 13);
    case 3:
        return model_now + roll(UINT64_C(1) << 20);
    case 4:
        return model_now + roll(UINT64_C(1) << 32);
    case 5:
        return ((model_now >> 12) + roll(3)) << 12;
    default:
        return model_now + roll(200);
    }
}

static void set(struct entry *entry, uint64_t at)
{
    xs_wheel_set(&wheel, &entry->timer, at, on_fire);
    entry->at = at;
    entry->may_fire_in = turns + 1;
    assert_true(xs_timer_runs(&entry->timer));
}

static void stop(struct entry *entry)
{
    xs_wheel_stop(&wheel, &entry->timer);
    entry->at = UINT64_MAX;
    assert_false(xs_timer_runs(&entry->timer));
}

static void on_fire(struct xs_timer *timer)
{
    struct entry *entry = XS_CONTAINER(timer, struct entry, timer);

    assert_false(xs_timer_runs(timer));
    assert_true(entry->at != UINT64_MAX);
    assert_true(entry->at <= model_now);
    assert_true(turns >= entry->may_fire_in);
    entry->at = UINT64_MAX;
    fired++;
    if (!change_in_callbacks)
        return;
    if (roll(3) == 0)
        set(entry, some_time());
    if (roll(4) == 0)
        set(&entries[roll(TIMERS)], some_time());
    if (roll(4) == 0)
        stop(&entries[roll(TIMERS)]);
}

static uint64_t earliest(void)
{
    uint64_t first = UINT64_MAX;
    size_t i;

    for (i = 0; i < TIMERS; i++)
        if (entries[i].at < first)
            first = entries[i].at;
    return first;
}

static void turn(uint64_t now)
{
    size_t i;

    model_now = now;
    turns++;
    xs_wheel_turn(&wheel, now);
    for (i = 0; i < TIMERS; i++)
        if (entries[i].at <= now)
            assert_true(entries[i].may_fire_in > turns);
}

static void check_wait(void)
{
    uint64_t first = earliest(), wait = xs_wheel_wait(&wheel);

    if (first == UINT64_MAX)
        assert_true(wait == UINT64_MAX);
    else if (first <= model_now)
        assert_true(wait == 0);
    else
        assert_true(wait > 0 && wait <= first - model_now);
}

static int begin(void **state)
{
    size_t i;

    (void)state;
    memset(entries, 0, sizeof entries);
    for (i = 0; i < TIMERS; i++)
        entries[i].at = UINT64_MAX;
    model_now = roll(UINT64_C(1) << 40);
    turns = fired = last_at = 0;
    change_in_callbacks = false;
    xs_wheel_init(&wheel, model_now);
    return 0;
}

static void random_timers_fire_once_never_early_and_none_is_lost(void **state)
{
    unsigned i;

    (void)state;
    change_in_callbacks = true;
    for (i = 0; i < 1500000; i++) {
        switch (roll(16)) {
        case 0:
            stop(&entries[roll(TIMERS)]);
            break;
        case 1:
            turn(model_now);
            break;
        case 2:
            turn(model_now + roll(3));
            break;
        case 3:
            turn(model_now + roll(500));
            break;
        case 4:
            if (roll(64) == 0)
                turn(model_now + roll(UINT64_C(1) << 31));
            break;
        default:
            set(&entries[roll(TIMERS)], some_time());
            break;
        }
        if (roll(16) == 0)
            check_wait();
    }
    assert_true(fired > 300000);
}

static void sleeping_as_long_as_it_says_fires_each_timer_in_its_own_millisecond(void **state)
{
    unsigned round, i;

    (void)state;
    for (round = 0; round < 20; round++) {
        for (i = 0; i < TIMERS; i++)
            set(&entries[i], model_now + 1 + roll(UINT64_C(1) << (1 + round * 2)));
        while (earliest() != UINT64_MAX) {
            uint64_t wait = xs_wheel_wait(&wheel), first = earliest(), before = fired;

            check_wait();
            turn(model_now + wait);
            assert_true((model_now == first) == (fired > before));
        }
        assert_true(xs_wheel_wait(&wheel) == UINT64_MAX);
    }
    assert_int_equal(fired, 20 * TIMERS);
}

static void on_fire_in_order(struct xs_timer *timer)
{
    assert_true(timer->at >= last_at);
    last_at = timer->at;
    fired++;
}

static void after_a_long_pause_timers_fire_in_the_order_of_their_times(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < TIMERS; i++)
        xs_wheel_set(&wheel, &entries[i].timer, model_now + 1 + roll(1000000),
                     on_fire_in_order);
    xs_wheel_turn(&wheel, model_now + 1000000);
    assert_int_equal(fired, TIMERS);
}

static struct xs_timer again;

static void on_fire_again(struct xs_timer *timer)
{
    fired++;
    xs_wheel_set(&wheel, timer, 0, on_fire_again);
}

static void a_callback_that_sets_itself_to_the_past_fires_once_a_turn(void **state)
{
    (void)state;
    xs_wheel_set(&wheel, &again, model_now, on_fire_again);
    xs_wheel_turn(&wheel, model_now);
    assert_int_equal(fired, 1);
    assert_int_equal(xs_wheel_wait(&wheel), 0);
    xs_wheel_turn(&wheel, model_now);
    assert_int_equal(fired, 2);
    xs_wheel_turn(&wheel, model_now + 100000);
    assert_int_equal(fired, 3);
    xs_wheel_stop(&wheel, &again);
    assert_true(xs_wheel_wait(&wheel) == UINT64_MAX);
}

static void a_clock_that_goes_back_is_taken_as_one_that_stands_still(void **state)
{
    (void)state;
    set(&entries[0], model_now + 10);
    set(&entries[1], model_now);
    turns++;
    xs_wheel_turn(&wheel, model_now - 5);
    assert_int_equal(fired, 1);
    assert_int_equal(xs_wheel_wait(&wheel), 10);
}

static void the_last_of_all_times_is_waited_for(void **state)
{
    (void)state;
    set(&entries[0], UINT64_MAX);
    assert_true(xs_wheel_wait(&wheel) != UINT64_MAX);
    turn(model_now + (UINT64_C(1) << 33));
    assert_int_equal(fired, 0);
    xs_wheel_stop(&wheel, &entries[0].timer);
    xs_wheel_stop(&wheel, &entries[0].timer);
    assert_true(xs_wheel_wait(&wheel) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(random_timers_fire_once_never_early_and_none_is_lost, begin),
        cmocka_unit_test_setup(
            sleeping_as_long_as_it_says_fires_each_timer_in_its_own_millisecond, begin),
        cmocka_unit_test_setup(after_a_long_pause_timers_fire_in_the_order_of_their_times,
                               begin),
        cmocka_unit_test_setup(a_callback_that_sets_itself_to_the_past_fires_once_a_turn,
                               begin),
        cmocka_unit_test_setup(a_clock_that_goes_back_is_taken_as_one_that_stands_still, begin),
        cmocka_unit_test_setup(the_last_of_all_times_is_waited_for, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
