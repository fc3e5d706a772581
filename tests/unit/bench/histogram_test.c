/* rooms: base
 * needs: bench/histogram.c */
/* histogram - against a sorted array of the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../bench/histogram.h"

enum { VALUES = 100000 };

static struct histogram histogram;

static int begin(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void nothing_counted_is_all_zero(void **state)
{
    (void)state;
    assert_true(xs_bench_histogram_at(&histogram, 0) == 0);
    assert_true(xs_bench_histogram_at(&histogram, 0.5) == 0);
    assert_true(xs_bench_histogram_at(&histogram, 1) == 0);
    assert_true(xs_bench_histogram_mean(&histogram) <= 0);
}

static void one_value_is_told_exactly_at_every_share(void **state)
{
    static const uint64_t values[] = { 0, 1, 127, 128, 129, 1000003, UINT64_MAX };
    static const double shares[] = { 0, 0.001, 0.5, 0.999, 1 };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        begin(state);
        xs_bench_histogram_add(&histogram, values[i], 1);
        for (size_t j = 0; j < sizeof shares / sizeof shares[0]; j++)
            assert_true(xs_bench_histogram_at(&histogram, shares[j]) == values[i]);
    }
}

static void values_below_128_are_exact(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        xs_bench_histogram_add(&histogram, i, 1);
    for (uint64_t i = 0; i < 100; i++)
        assert_true(xs_bench_histogram_at(&histogram, (double)(i + 1) / 100) == i);
}

static void every_share_of_values_of_all_sizes_is_less_than_a_hundredth_off(void **state)
{
    static uint64_t values[VALUES];
    uint64_t dice = 88172645463325252u;

    (void)state;
    for (size_t i = 0; i < VALUES; i++) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        /* As many of each order of magnitude. */
        values[i] = dice >> (dice % 64);
        xs_bench_histogram_add(&histogram, values[i], 1);
    }
    qsort(values, VALUES, sizeof values[0], by_size);
    for (size_t i = 1; i <= VALUES; i++) {
        uint64_t told = xs_bench_histogram_at(&histogram, (double)i / VALUES);
        uint64_t exact = values[i - 1];
        uint64_t off = told > exact ? told - exact : exact - told;

        if (off > exact / 100)
            fail_msg("%llu instead of %llu", (unsigned long long)told,
                     (unsigned long long)exact);
        i += VALUES / 5000;
    }
    assert_true(histogram.count == VALUES);
    assert_true(histogram.min == values[0]);
    assert_true(histogram.max == values[VALUES - 1]);
}

static void many_at_a_time_are_as_many_one_by_one(void **state)
{
    static struct histogram other;

    (void)state;
    xs_bench_histogram_add(&histogram, 5000, 1000);
    xs_bench_histogram_add(&histogram, 70, 3);
    xs_bench_histogram_add(&histogram, 9, 0);
    for (int i = 0; i < 1000; i++)
        xs_bench_histogram_add(&other, 5000, 1);
    for (int i = 0; i < 3; i++)
        xs_bench_histogram_add(&other, 70, 1);
    assert_memory_equal(&histogram, &other, sizeof histogram);
}

static void the_largest_of_all_values_has_a_bucket(void **state)
{
    (void)state;
    xs_bench_histogram_add(&histogram, UINT64_MAX, 1);
    xs_bench_histogram_add(&histogram, UINT64_MAX - 1, 1);
    xs_bench_histogram_add(&histogram, 1, 1);
    assert_true(histogram.buckets[HISTOGRAM_BUCKETS - 1] == 2);
    assert_true(xs_bench_histogram_at(&histogram, 0.3) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_counted_is_all_zero, begin),
        cmocka_unit_test_setup(one_value_is_told_exactly_at_every_share, begin),
        cmocka_unit_test_setup(values_below_128_are_exact, begin),
        cmocka_unit_test_setup(every_share_of_values_of_all_sizes_is_less_than_a_hundredth_off,
                               begin),
        cmocka_unit_test_setup(many_at_a_time_are_as_many_one_by_one, begin),
        cmocka_unit_test_setup(the_largest_of_all_values_has_a_bucket, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
