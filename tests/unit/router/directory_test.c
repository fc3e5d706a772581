/* directory - who is live, who is away, and that nobody is remembered for ever. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "router/directory.h"

static struct xs_directory *directory;
static struct xs_directory_entry known;

struct id {
    uint8_t at[XS_PERSISTENT_ID_BYTES];
};

static struct id id_of(uint32_t number)
{
    struct id id = { { 0 } };

    memcpy(id.at, &number, sizeof number);
    return id;
}

static const struct xs_directory_entry *enter(const char *scope, uint32_t number, uint64_t now)
{
    xs_directory_enter(directory, xs_slice_of(scope), id_of(number).at, now, &known);
    return &known;
}

static unsigned leave(const char *scope, uint32_t number, uint64_t now)
{
    return xs_directory_leave(directory, xs_slice_of(scope), id_of(number).at, now);
}

static void check_count(size_t wanted_live, size_t wanted_away)
{
    size_t live, away;

    xs_directory_count(directory, &live, &away);
    assert_int_equal(live, wanted_live);
    assert_int_equal(away, wanted_away);
}

static int end(void **state)
{
    (void)state;
    xs_directory_free(directory);
    directory = NULL;
    return 0;
}

static void an_id_that_comes_back_was_away_for_so_long(void **state)
{
    (void)state;
    directory = xs_directory_new(1000, 10000);
    assert_false(enter("a", 1, 5000)->was_away);
    assert_int_equal(known.live_before, 0);
    check_count(1, 0);
    assert_int_equal(leave("a", 1, 6000), 0);
    check_count(0, 1);
    assert_true(enter("a", 1, 6700)->was_away);
    assert_int_equal(known.away_for, 700);
    assert_int_equal(known.live_before, 0);
    check_count(1, 0);
    /* A clock of another thread that lags behind. */
    leave("a", 1, 7000);
    assert_true(enter("a", 1, 6999)->was_away);
    assert_int_equal(known.away_for, 0);
}

static void several_connections_of_one_id_are_live_until_the_last_has_gone(void **state)
{
    (void)state;
    directory = xs_directory_new(1000, 10000);
    enter("a", 1, 1);
    assert_int_equal(enter("a", 1, 2)->live_before, 1);
    assert_false(known.was_away);
    assert_int_equal(enter("a", 1, 2)->live_before, 2);
    check_count(1, 0);
    assert_int_equal(leave("a", 1, 3), 2);
    assert_int_equal(leave("a", 1, 4), 1);
    assert_int_equal(enter("a", 1, 5)->live_before, 1);
    assert_false(known.was_away);
    assert_int_equal(leave("a", 1, 6), 1);
    check_count(1, 0);
    assert_int_equal(leave("a", 1, 7), 0);
    check_count(0, 1);
}

static void another_scope_is_another_world(void **state)
{
    (void)state;
    directory = xs_directory_new(1000, 10000);
    enter("a", 1, 1);
    assert_int_equal(enter("b", 1, 1)->live_before, 0);
    assert_int_equal(enter("", 1, 1)->live_before, 0);
    check_count(3, 0);
    leave("a", 1, 2);
    assert_int_equal(enter("b", 1, 3)->live_before, 1);
    assert_true(enter("a", 1, 3)->was_away);
}

static void an_id_away_for_too_long_is_forgotten(void **state)
{
    uint32_t i;

    (void)state;
    directory = xs_directory_new(1000, 100000);
    for (i = 0; i < 1000; i++) {
        enter("a", i, 5);
        leave("a", i, 10 + i / 500 * 1000);
    }
    assert_true(enter("a", 0, 1010)->was_away);
    assert_false(enter("a", 1, 1011)->was_away);
    assert_true(enter("a", 999, 1011)->was_away);
    /* Each part is swept when it is touched. */
    for (i = 2000; i < 4000; i++)
        enter("a", i, 1500);
    check_count(2000 + 3, 499);
}

static void no_more_than_the_limit_are_remembered_and_the_oldest_go_first(void **state)
{
    uint32_t i, remembered = 0;
    size_t live, away;

    (void)state;
    directory = xs_directory_new(UINT64_MAX, 6400);
    for (i = 0; i < 100000; i++) {
        enter("a", i, i);
        leave("a", i, i);
    }
    xs_directory_count(directory, &live, &away);
    assert_int_equal(live, 0);
    assert_int_equal(away, 6400);
    for (i = 97000; i < 100000; i++)
        remembered += enter("a", i, 100000)->was_away;
    assert_int_equal(remembered, 3000);
    assert_false(enter("a", 80000, 100000)->was_away);
    /* Fewer from now on. */
    xs_directory_limit(directory, UINT64_MAX, 0);
    for (i = 97000; i < 100000; i++)
        leave("a", i, 100001);
    leave("a", 80000, 100001);
    check_count(0, 0);
}

static void nothing_is_remembered_where_the_time_is_zero(void **state)
{
    (void)state;
    directory = xs_directory_new(0, 10000);
    enter("a", 1, 1);
    leave("a", 1, 1);
    check_count(0, 0);
    assert_false(enter("a", 1, 1)->was_away);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS  20000
#define IDS     50

static void *come_and_go(void *seed)
{
    static const char *const scopes[] = { "a", "b" };
    uint32_t dice = *(const uint32_t *)seed, i;
    unsigned live[2][IDS] = { { 0 } };
    uintptr_t wrong = 0;

    for (i = 0; i < ROUNDS; i++) {
        struct xs_directory_entry entry;
        unsigned number, scope;
        struct xs_slice name;

        dice = dice * 1664525u + 1013904223u;
        number = (dice >> 8) % IDS;
        scope = dice >> 24 & 1;
        name = xs_slice_of(scopes[scope]);
        if (dice >> 31 != 0) {
            xs_directory_enter(directory, name, id_of(number).at, i, &entry);
            wrong += entry.live_before < live[scope][number];
            wrong += entry.was_away && live[scope][number] > 0;
            live[scope][number]++;
        } else if (live[scope][number] > 0) {
            live[scope][number]--;
            wrong +=
                xs_directory_leave(directory, name, id_of(number).at, i) < live[scope][number];
        }
    }
    for (i = 0; i < 2 * IDS; i++)
        for (; live[i / IDS][i % IDS] > 0; live[i / IDS][i % IDS]--)
            xs_directory_leave(directory, xs_slice_of(scopes[i / IDS]), id_of(i % IDS).at,
                               ROUNDS);
    return (void *)wrong;
}

static void threads_that_come_and_go_leave_nobody_live(void **state)
{
    uint32_t seeds[THREADS] = { 1, 2, 3, 4 };
    pthread_t threads[THREADS];
    size_t live, away;
    unsigned i;
    void *wrong;

    (void)state;
    directory = xs_directory_new(UINT64_MAX, 10000);
    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &seeds[i]), 0);
    for (i = 0; i < 1000; i++) {
        xs_directory_count(directory, &live, &away);
        assert_in_range(live + away, 0, 2 * IDS);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    check_count(0, 2 * IDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_id_that_comes_back_was_away_for_so_long, end),
        cmocka_unit_test_teardown(
            several_connections_of_one_id_are_live_until_the_last_has_gone, end),
        cmocka_unit_test_teardown(another_scope_is_another_world, end),
        cmocka_unit_test_teardown(an_id_away_for_too_long_is_forgotten, end),
        cmocka_unit_test_teardown(no_more_than_the_limit_are_remembered_and_the_oldest_go_first,
                                  end),
        cmocka_unit_test_teardown(nothing_is_remembered_where_the_time_is_zero, end),
        cmocka_unit_test_teardown(threads_that_come_and_go_leave_nobody_live, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
