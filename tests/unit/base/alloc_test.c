/* alloc, clock - memory, pools and time. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <xsockets/base.h>

#include "base/alloc.h"
#include "base/clock.h"

static void memory_is_zeroed_and_strings_are_copied(void **state)
{
    unsigned char *at = xs_alloc(1000);
    char *text = xs_strdup("abc");
    size_t i;

    (void)state;
    for (i = 0; i < 1000; i++)
        assert_int_equal(at[i], 0);
    assert_string_equal(text, "abc");
    xs_free(text);
    xs_free(at);
    xs_free(NULL);
    at = xs_alloc(0);
    assert_non_null(at);
    xs_free(at);
}

static void pieces_of_a_pool_are_distinct_and_never_more_than_it_may_keep(void **state)
{
    struct xs_pool pool;
    unsigned *pieces[100];
    unsigned i, round;

    (void)state;
    xs_pool_init(&pool, sizeof(unsigned), 10);
    assert_true(pool.size >= sizeof(void *));
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 100; i++) {
            pieces[i] = xs_pool_take(&pool);
            *pieces[i] = i;
        }
        for (i = 0; i < 100; i++) {
            assert_int_equal(*pieces[i], i);
            xs_pool_give(&pool, pieces[i]);
            assert_in_range(pool.free_count, 0, pool.keep);
        }
    }
    xs_pool_give(&pool, NULL);
    xs_pool_fini(&pool);
    assert_null(pool.free);
}

static void *now_elsewhere(void *unused)
{
    static uint64_t now;

    (void)unused;
    now = xs_now();
    return &now;
}

static void the_time_of_a_turn_stands_still_and_other_threads_read_the_clock(void **state)
{
    uint64_t before = xs_clock_ms(), turn = xs_clock_tick(), elsewhere;
    pthread_t thread;
    void *result;

    (void)state;
    assert_true(turn >= before);
    while (xs_clock_ms() <= turn + 1)
        continue;
    assert_true(xs_now() == turn);
    assert_int_equal(pthread_create(&thread, NULL, now_elsewhere, NULL), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    elsewhere = *(uint64_t *)result;
    assert_true(elsewhere > turn);
    assert_true(xs_clock_tick() >= elsewhere);
    assert_true(xs_clock_ns() / 1000000 >= elsewhere);
}

static void random_bytes_differ_and_fill_the_whole_length(void **state)
{
    unsigned char a[64] = { 0 }, b[64] = { 0 };
    unsigned set = 0, i;

    (void)state;
    xs_random(a, sizeof a - 1);
    xs_random(b, sizeof b - 1);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(a[63], 0);
    for (i = 48; i < 63; i++)
        set |= a[i];
    assert_true(set != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_strings_are_copied),
        cmocka_unit_test(pieces_of_a_pool_are_distinct_and_never_more_than_it_may_keep),
        cmocka_unit_test(the_time_of_a_turn_stands_still_and_other_threads_read_the_clock),
        cmocka_unit_test(random_bytes_differ_and_fill_the_whole_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
