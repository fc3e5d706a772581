/* map - against a naive model: an array of flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

#define KEYS 2000

struct value {
    char key[24];
    size_t len;
    bool in;
    bool seen;
};

static struct value values[KEYS];
static uint64_t dice = 2463534242u;

static uint64_t roll(uint64_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % below;
}

static struct xs_slice key_of(const struct value *value)
{
    return (struct xs_slice){ value->key, value->len };
}

static void make_keys(void)
{
    size_t i;

    for (i = 0; i < KEYS; i++) {
        values[i].in = false;
        values[i].len = (size_t)snprintf(values[i].key, sizeof values[i].key, "%zx%.*s",
                                         i * 7919, (int)(i % 15), "abcdefghijklmnop");
    }
    values[0].len = 0; /* the empty key is a key */
}

static void check_walk(const struct xs_map *map)
{
    size_t at = 0, i, found = 0;
    struct value *value;

    for (i = 0; i < KEYS; i++)
        values[i].seen = false;
    while ((value = xs_map_next(map, &at)) != NULL) {
        assert_true(value->in);
        assert_false(value->seen);
        value->seen = true;
        found++;
    }
    assert_int_equal(found, map->count);
}

static void random_changes_agree_with_a_naive_model(void **state)
{
    struct xs_map map = { 0 };
    size_t count = 0, i;

    (void)state;
    make_keys();
    for (i = 0; i < 2000000; i++) {
        /* Fills and empties in turn, so that the table grows and shrinks often. */
        bool fill = i / 20000 % 2 == 0;
        struct value *value = &values[roll(KEYS)];
        struct xs_slice key = key_of(value);

        if (roll(8) < (fill ? 6 : 2)) {
            assert_ptr_equal(xs_map_get(&map, key), value->in ? value : NULL);
            if (!value->in) {
                xs_map_put(&map, key, value);
                value->in = true;
                count++;
            }
        } else {
            assert_ptr_equal(xs_map_remove(&map, key), value->in ? value : NULL);
            count -= value->in;
            value->in = false;
        }
        assert_int_equal(map.count, count);
        if (i % 20000 == 0)
            check_walk(&map);
    }
    for (i = 0; i < KEYS; i++) {
        assert_ptr_equal(
            xs_map_get_hashed(&map, key_of(&values[i]), xs_hash(key_of(&values[i]))),
            values[i].in ? &values[i] : NULL);
        xs_map_remove(&map, key_of(&values[i]));
    }
    assert_int_equal(map.count, 0);
    assert_true(map.mask <= 7);
    xs_map_fini(&map);
    assert_null(map.slots);
}

static void a_zeroed_map_is_empty(void **state)
{
    struct xs_map map = { 0 };
    size_t at = 0;

    (void)state;
    assert_null(xs_map_get(&map, XS_SLICE("a")));
    assert_null(xs_map_remove(&map, XS_SLICE("a")));
    assert_null(xs_map_next(&map, &at));
    xs_map_fini(&map);
}

static void the_hash_depends_on_every_byte_and_on_the_length(void **state)
{
    char text[70];
    size_t len, i;

    (void)state;
    for (len = 0; len < sizeof text; len++) {
        uint64_t whole;

        memset(text, 0, sizeof text);
        whole = xs_hash((struct xs_slice){ text, len });
        assert_true(whole == xs_hash((struct xs_slice){ text, len }));
        if (len + 1 < sizeof text)
            assert_true(whole != xs_hash((struct xs_slice){ text, len + 1 }));
        for (i = 0; i < len; i++) {
            text[i] = 1;
            assert_true(whole != xs_hash((struct xs_slice){ text, len }));
            text[i] = 0;
        }
    }
}

static void a_mixed_hash_knows_where_one_part_ended(void **state)
{
    uint64_t first = xs_hash_mix(xs_hash(XS_SLICE("ab")), XS_SLICE("c"));

    (void)state;
    assert_true(first != xs_hash_mix(xs_hash(XS_SLICE("a")), XS_SLICE("bc")));
    assert_true(first != xs_hash_mix(xs_hash(XS_SLICE("c")), XS_SLICE("ab")));
    assert_true(first == xs_hash_mix(xs_hash(XS_SLICE("ab")), XS_SLICE("c")));
}

/* 64Ki keys that differ little, into 64Ki boxes by the low and by the high bits: as even as
 * chance. The number of empty boxes of a fair hash is 24,109 with a standard deviation of 80.
 */
static void similar_keys_are_spread_evenly(void **state)
{
    static bool low[65536], high[65536];
    unsigned empty_low = 0, empty_high = 0, i;

    (void)state;
    for (i = 0; i < 65536; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "sensor/%u/temp", i);
        uint64_t hash = xs_hash((struct xs_slice){ text, (size_t)len });

        low[hash & 65535] = true;
        high[hash >> 48] = true;
    }
    for (i = 0; i < 65536; i++) {
        empty_low += !low[i];
        empty_high += !high[i];
    }
    assert_in_range(empty_low, 23500, 24700);
    assert_in_range(empty_high, 23500, 24700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_a_naive_model),
        cmocka_unit_test(a_zeroed_map_is_empty),
        cmocka_unit_test(the_hash_depends_on_every_byte_and_on_the_length),
        cmocka_unit_test(a_mixed_hash_knows_where_one_part_ended),
        cmocka_unit_test(similar_keys_are_spread_evenly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
