/* walk - members in their order, keys by what they say, integers by their exact value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "message/json.h"

static void is_text(struct xs_slice slice, const char *text)
{
    assert_int_equal(slice.len, strlen(text));
    assert_memory_equal(slice.at, text, slice.len);
}

static void members_come_in_their_order_with_their_kinds(void **state)
{
    static const struct {
        const char *key;
        enum xs_json_kind kind;
        const char *text;
        bool escaped;
    } members[] = {
        { "n", XS_JSON_NULL, "null", false },
        { "t", XS_JSON_BOOL, "true", false },
        { "i", XS_JSON_NUMBER, "-1.5e3", false },
        { "s", XS_JSON_STRING, "a \\\"b\\\" ]}", true },
        { "p", XS_JSON_STRING, "plain \xc3\xa9", false },
        { "o", XS_JSON_OBJECT, "{ \"x\": [1, \"}\"] }", false },
        { "a", XS_JSON_ARRAY, "[ \"]\", {} ]", false },
        { "", XS_JSON_STRING, "", false },
    };
    struct xs_json_value value;
    struct xs_json_walk walk;
    struct xs_slice key;
    size_t i;

    (void)state;
    assert_true(xs_json_walk_object(
        &walk, XS_SLICE(" { \"n\" : null, \"t\":true ,\"i\":-1.5e3,\"s\":\"a \\\"b\\\" ]}\","
                        "\"p\":\"plain \xc3\xa9\",\n\"o\":{ \"x\": [1, \"}\"] },"
                        "\"a\":[ \"]\", {} ] , \"\":\"\" } ")));
    for (i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_true(xs_json_next(&walk, &key, &value));
        is_text(key, members[i].key);
        assert_int_equal(value.kind, members[i].kind);
        is_text(value.text, members[i].text);
        assert_int_equal(value.escaped, members[i].escaped);
    }
    assert_false(xs_json_next(&walk, &key, &value));
    assert_false(xs_json_next(&walk, &key, &value));
}

static void elements_have_no_keys(void **state)
{
    struct xs_json_value value;
    struct xs_json_walk walk;

    (void)state;
    assert_true(xs_json_walk_array(&walk, XS_SLICE("[1 , \"two\",[3]]")));
    assert_true(xs_json_next(&walk, NULL, &value));
    is_text(value.text, "1");
    assert_true(xs_json_next(&walk, NULL, &value));
    is_text(value.text, "two");
    assert_true(xs_json_next(&walk, NULL, &value));
    is_text(value.text, "[3]");
    assert_false(xs_json_next(&walk, NULL, &value));
}

static void what_is_empty_or_of_another_kind_has_no_members(void **state)
{
    struct xs_json_value value;
    struct xs_json_walk walk;
    struct xs_slice key;

    (void)state;
    assert_true(xs_json_walk_object(&walk, XS_SLICE("{ }")));
    assert_false(xs_json_next(&walk, &key, &value));
    assert_true(xs_json_walk_array(&walk, XS_SLICE("[ ]")));
    assert_false(xs_json_next(&walk, NULL, &value));
    assert_false(xs_json_walk_object(&walk, XS_SLICE("[]")));
    assert_false(xs_json_walk_object(&walk, XS_SLICE("null")));
    assert_false(xs_json_walk_object(&walk, (struct xs_slice){ NULL, 0 }));
    assert_false(xs_json_walk_array(&walk, XS_SLICE("{}")));
    assert_false(xs_json_value_of(XS_SLICE("  "), &value));
    assert_true(xs_json_value_of(XS_SLICE(" \"a\" "), &value));
    is_text(value.text, "a");
}

static void broken_text_ends_the_walk_within_its_memory(void **state)
{
    static const char whole[] = "{\"a\":\"b\\\"\",\"c\":[1,{\"d\":null}]}";

    (void)state;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *own = malloc(len > 0 ? len : 1);
        struct xs_json_value value;
        struct xs_json_walk walk;
        struct xs_slice key;
        unsigned members = 0;

        memcpy(own, whole, len);
        if (xs_json_walk_object(&walk, (struct xs_slice){ own, len }))
            while (members < 10 && xs_json_next(&walk, &key, &value))
                members++;
        assert_true(members <= 2);
        free(own);
    }
}

static void a_key_is_what_it_says_without_case(void **state)
{
    (void)state;
    assert_true(xs_json_key_is(XS_SLICE("Name"), XS_SLICE("nAME")));
    assert_true(xs_json_key_is(XS_SLICE("\\u004eame"), XS_SLICE("name")));
    assert_true(xs_json_key_is(XS_SLICE("n\\u0061m\\u0065"), XS_SLICE("NAME")));
    assert_true(xs_json_key_is(XS_SLICE("a\\/b"), XS_SLICE("a/b")));
    assert_true(xs_json_key_is(XS_SLICE("\\u00e9"), XS_SLICE("\xc3\xa9")));
    assert_true(xs_json_key_is(XS_SLICE("\\ud83d\\ude00"), XS_SLICE("\xf0\x9f\x98\x80")));
    assert_true(xs_json_key_is(XS_SLICE(""), XS_SLICE("")));
    assert_false(xs_json_key_is(XS_SLICE("nam"), XS_SLICE("name")));
    assert_false(xs_json_key_is(XS_SLICE("names"), XS_SLICE("name")));
    assert_false(xs_json_key_is(XS_SLICE("\\u006eames"), XS_SLICE("name")));
    assert_false(xs_json_key_is(XS_SLICE("\\u006eam"), XS_SLICE("name")));
    assert_false(xs_json_key_is(XS_SLICE("name\\u0000"), XS_SLICE("name")));
    assert_false(xs_json_key_is(XS_SLICE("a\\nb"), XS_SLICE("a\\nb")));
    assert_false(xs_json_key_is(XS_SLICE("\xc3\x89"), XS_SLICE("\xc3\xa9")));
    assert_false(xs_json_key_is((struct xs_slice){ NULL, 0 }, XS_SLICE("name")));
}

static void integers_are_exact_in_every_notation(void **state)
{
    static const struct {
        const char *text;
        bool negative;
        uint64_t magnitude;
    } integers[] = {
        { "0", false, 0 },
        { "-0", false, 0 },
        { "0.000", false, 0 },
        { "0e999999999999", false, 0 },
        { "-0.0e-5", false, 0 },
        { "42", false, 42 },
        { "-7", true, 7 },
        { "1.0", false, 1 },
        { "-12.000", true, 12 },
        { "1e3", false, 1000 },
        { "1.5e1", false, 15 },
        { "0.05e2", false, 5 },
        { "70e-1", false, 7 },
        { "1234500e-2", false, 12345 },
        { "1E+2", false, 100 },
        { "9007199254740993", false, 9007199254740993u },
        { "9223372036854775807", false, INT64_MAX },
        { "-9223372036854775808", true, 9223372036854775808u },
        { "18446744073709551615", false, UINT64_MAX },
        { "18446744073709551615.0", false, UINT64_MAX },
        { "1844674407370955161.5e1", false, UINT64_MAX },
        { "1e19", false, 10000000000000000000u },
        { "100000000000000000000e-10", false, 10000000000u },
    };

    (void)state;
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        uint64_t magnitude = 1;
        bool negative = true;
        enum xs_err err = xs_json_integer(xs_slice_of(integers[i].text), &negative, &magnitude);

        if (err != XS_OK || negative != integers[i].negative ||
            magnitude != integers[i].magnitude)
            fail_msg("%s", integers[i].text);
    }
}

static void fractions_words_and_what_is_too_large_are_no_integers(void **state)
{
    static const char *const invalid[] = { "",      "-",
                                           "1.5",   "1e-1",
                                           "0.1",   "15e-1",
                                           "01",    "-01",
                                           "+1",    "1.",
                                           ".5",    " 1",
                                           "1 ",    "1e",
                                           "0x1",   "true",
                                           "null",  "[1]",
                                           "\"1\"", "1,2",
                                           "--1",   "1e-9999999999999999999999",
                                           "1:0",   "1/0" };
    static const char *const large[] = { "18446744073709551616",
                                         "1e20",
                                         "1e400",
                                         "-99999999999999999999",
                                         "1e99999999999999999999",
                                         "123456789012345678901234567890" };
    uint64_t magnitude;
    bool negative;

    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        if (xs_json_integer(xs_slice_of(invalid[i]), &negative, &magnitude) != XS_EINVAL)
            fail_msg("%s", invalid[i]);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        if (xs_json_integer(xs_slice_of(large[i]), &negative, &magnitude) != XS_ETOOBIG)
            fail_msg("%s", large[i]);
}

static void a_number_of_a_million_digits_is_read_in_one_go(void **state)
{
    size_t len = 1000000;
    char *digits = malloc(len);
    uint64_t magnitude;
    bool negative;

    (void)state;
    memset(digits, '0', len);
    digits[0] = '1';
    assert_int_equal(xs_json_integer((struct xs_slice){ digits, len }, &negative, &magnitude),
                     XS_ETOOBIG);
    memcpy(digits + len - 7, "e-99991", 7);
    assert_int_equal(xs_json_integer((struct xs_slice){ digits, len }, &negative, &magnitude),
                     XS_ETOOBIG);
    memcpy(digits + len - 7, "e-99999", 7);
    digits[1] = '.';
    assert_int_equal(xs_json_integer((struct xs_slice){ digits, len }, &negative, &magnitude),
                     XS_EINVAL);
    free(digits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_their_order_with_their_kinds),
        cmocka_unit_test(elements_have_no_keys),
        cmocka_unit_test(what_is_empty_or_of_another_kind_has_no_members),
        cmocka_unit_test(broken_text_ends_the_walk_within_its_memory),
        cmocka_unit_test(a_key_is_what_it_says_without_case),
        cmocka_unit_test(integers_are_exact_in_every_notation),
        cmocka_unit_test(fractions_words_and_what_is_too_large_are_no_integers),
        cmocka_unit_test(a_number_of_a_million_digits_is_read_in_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
