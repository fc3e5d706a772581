/* binding - the matrix: every kind of row with every kind of value, and the exact answer.
 *
 * rooms: base message   needs: src/controller/binding.c */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/binding.h"
#include "message/message.h"

struct user {
    char name[8];
    uint8_t age;
};

struct item {
    int32_t id;
    struct user by;
};

struct all {
    bool b;
    int8_t i8;
    int32_t i;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint64_t u64;
    double d;
    char s[8];
    struct xs_slice text;
    struct xs_slice json;
    struct user user;
    int16_t numbers[3];
    uint32_t number_count;
    char words[2][4];
    uint32_t word_count;
    struct item items[2];
    uint32_t item_count;
};

static const struct xs_property user_rows[] = {
    XS_STRING(struct user, name, XS_OPTIONAL),
    XS_UINT(struct user, age, 0),
};
static const struct xs_property item_rows[] = {
    XS_INT(struct item, id, 0),
    { "by", XS_TYPE_OBJECT, offsetof(struct item, by), sizeof(struct user), XS_OPTIONAL, 0, 0,
      user_rows, 2, 0 },
};
static const struct xs_property number_row = { "",   XS_TYPE_INT, 0, sizeof(int16_t), 0, 0, 0,
                                               NULL, 0,           0 };
static const struct xs_property word_row = { "", XS_TYPE_STRING, 0, 4, XS_NULLABLE, 0,
                                             0,  NULL,           0, 0 };
static const struct xs_property item_row = {
    "", XS_TYPE_OBJECT, 0, sizeof(struct item), 0, 0, 0, item_rows, 2, 0
};

#define O XS_OPTIONAL
static const struct xs_property all_rows[] = {
    XS_BOOL(struct all, b, O),
    XS_INT(struct all, i8, O),
    XS_INT(struct all, i, O),
    XS_INT(struct all, i64, O),
    XS_UINT(struct all, u8, O),
    { "u16", XS_TYPE_UINT, offsetof(struct all, u16), sizeof(uint16_t), O | XS_RANGE, 9.5,
      1000.5, NULL, 0, 0 },
    XS_UINT(struct all, u64, O),
    XS_DOUBLE(struct all, d, O),
    XS_STRING(struct all, s, O),
    XS_TEXT_SLICE(struct all, text, O),
    XS_JSON_SLICE(struct all, json, O),
    { "user", XS_TYPE_OBJECT, offsetof(struct all, user), sizeof(struct user), O, 0, 0,
      user_rows, 2, 0 },
    { "numbers", XS_TYPE_ARRAY, offsetof(struct all, numbers), sizeof(int16_t[3]), O, 0, 0,
      &number_row, 1, offsetof(struct all, number_count) },
    { "words", XS_TYPE_ARRAY, offsetof(struct all, words), sizeof(char[2][4]), O, 0, 0,
      &word_row, 1, offsetof(struct all, word_count) },
    { "items", XS_TYPE_ARRAY, offsetof(struct all, items), sizeof(struct item[2]), O, 0, 0,
      &item_row, 1, offsetof(struct all, item_count) },
};

static const struct xs_table all_table = XS_TABLE(all_rows);

/* Binds text in a form. What was not given is recognised by its 0x55. */
static enum xs_err bind_as(enum xs_form form, struct xs_slice data, struct xs_table rows,
                           void *target, size_t size)
{
    struct xs_message msg = { .data = data, .form = (uint8_t)form };

    memset(target, 0x55, size);
    return xs_bind(&msg, rows, target);
}

static struct all bound(const char *json)
{
    struct all all;
    enum xs_err err = bind_as(XS_JSON, xs_slice_of(json), all_table, &all, sizeof all);

    if (err != XS_OK)
        fail_msg("%s: %s", json, xs_bind_error());
    assert_string_equal(xs_bind_error(), "");
    return all;
}

static void is_refused(const char *json, const char *sentence)
{
    struct all all;

    if (bind_as(XS_JSON, xs_slice_of(json), all_table, &all, sizeof all) != XS_EINVAL)
        fail_msg("accepted: %s", json);
    if (strcmp(xs_bind_error(), sentence) != 0)
        fail_msg("%s: %s, not: %s", json, xs_bind_error(), sentence);
}

static void is(struct xs_slice slice, const char *wanted)
{
    assert_int_equal(slice.len, strlen(wanted));
    assert_memory_equal(slice.at, wanted, slice.len);
}

/* ---- each kind of row ---- */

static void every_kind_of_member_is_filled(void **state)
{
    struct all all =
        bound("{\"b\":true,\"i8\":-128,\"i\":42,\"i64\":9223372036854775807,\"u8\":255,"
              "\"u16\":1000,\"u64\":18446744073709551615,\"d\":-1.5,\"s\":\"caf\\u00e9\","
              "\"text\":\"a\\\"b\",\"json\":{\"x\": [1]},\"user\":{\"name\":\"ann\",\"age\":7},"
              "\"numbers\":[1,-2,3],\"words\":[\"one\",\"two\"],"
              "\"items\":[{\"id\":1},{\"id\":2,\"by\":{\"age\":3}}]}");

    (void)state;
    assert_true(all.b);
    assert_int_equal(all.i8, -128);
    assert_int_equal(all.i, 42);
    assert_int_equal(all.i64, INT64_MAX);
    assert_int_equal(all.u8, 255);
    assert_int_equal(all.u16, 1000);
    assert_true(all.u64 == UINT64_MAX);
    assert_true(all.d == -1.5);
    assert_string_equal(all.s, "caf\xc3\xa9");
    is(all.text, "a\"b");
    is(all.json, "{\"x\": [1]}");
    assert_string_equal(all.user.name, "ann");
    assert_int_equal(all.user.age, 7);
    assert_int_equal(all.number_count, 3);
    assert_int_equal(all.numbers[0], 1);
    assert_int_equal(all.numbers[1], -2);
    assert_int_equal(all.numbers[2], 3);
    assert_int_equal(all.word_count, 2);
    assert_string_equal(all.words[0], "one");
    assert_string_equal(all.words[1], "two");
    assert_int_equal(all.item_count, 2);
    assert_int_equal(all.items[0].id, 1);
    assert_int_equal(all.items[1].id, 2);
    assert_int_equal(all.items[1].by.age, 3);
    xs_message_thread_end();
}

static void what_is_missing_and_optional_stays_as_it_was(void **state)
{
    struct all all = bound("{}");

    (void)state;
    for (size_t i = 0; i < sizeof all; i++)
        assert_int_equal(((unsigned char *)&all)[i], 0x55);
}

static void names_have_no_case_and_may_be_escaped_and_the_last_of_two_counts(void **state)
{
    struct all all =
        bound("{\"I\":1,\"\\u0069\":2,\"S\":[],\"s\":\"x\",\"unknown\":{\"i\":9}}");

    (void)state;
    assert_int_equal(all.i, 2);
    assert_string_equal(all.s, "x");
}

static void integers_are_read_from_their_text(void **state)
{
    static const struct {
        const char *json;
        int64_t value;
    } rows[] = {
        { "{\"i64\":9007199254740993}", 9007199254740993 },
        { "{\"i64\":-9223372036854775808}", INT64_MIN },
        { "{\"i64\":-0}", 0 },
        { "{\"i64\":1.0}", 1 },
        { "{\"i64\":1e3}", 1000 },
        { "{\"i64\":12.5e1}", 125 },
        { "{\"i64\":1000e-3}", 1 },
        { "{\"i64\":\"42\"}", 42 },
        { "{\"i64\":\"-42\"}", -42 },
        { "{\"i64\":\"\\u0034\\u0032\"}", 42 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (bound(rows[i].json).i64 != rows[i].value)
            fail_msg("%s", rows[i].json);
    xs_message_thread_end();
}

static void doubles_are_read_as_they_are(void **state)
{
    (void)state;
    assert_true(bound("{\"d\":0.1}").d == 0.1);
    assert_true(bound("{\"d\":1e308}").d == 1e308);
    assert_true(bound("{\"d\":1e-400}").d == 0);
    assert_true(bound("{\"d\":5}").d == 5);
    assert_true(bound("{\"d\":\"2.5\"}").d == 2.5);
    xs_message_thread_end();
}

static void strings_take_what_clients_send_bare(void **state)
{
    (void)state;
    /* The JavaScript client sends the strings "42" and "true" so. */
    assert_string_equal(bound("{\"s\":42}").s, "42");
    assert_string_equal(bound("{\"s\":1.50}").s, "1.50");
    assert_string_equal(bound("{\"s\":true}").s, "true");
    assert_string_equal(bound("{\"s\":\"\"}").s, "");
    assert_string_equal(bound("{\"s\":\"1234567\"}").s, "1234567");
    assert_string_equal(bound("{\"s\":\"\xe2\x82\xac\xe2\x82\xac\"}").s,
                        "\xe2\x82\xac\xe2\x82\xac");
    is(bound("{\"text\":7}").text, "7");
    xs_message_thread_end();
}

static void bools_are_words(void **state)
{
    (void)state;
    assert_true(bound("{\"b\":true}").b);
    assert_false(bound("{\"b\":false}").b);
    assert_true(bound("{\"b\":\"True\"}").b);
    assert_false(bound("{\"b\":\"false\"}").b);
}

static void json_members_keep_their_text(void **state)
{
    (void)state;
    is(bound("{\"json\":null}").json, "null");
    is(bound("{\"json\": \"a\\n\" }").json, "\"a\\n\"");
    is(bound("{\"json\":[ 1 ]}").json, "[ 1 ]");
    is(bound("{\"json\":-1e5}").json, "-1e5");
}

static void arrays_may_be_short_and_their_elements_null_where_allowed(void **state)
{
    struct all all = bound("{\"numbers\":[],\"words\":[null,\"x\"]}");

    (void)state;
    assert_int_equal(all.number_count, 0);
    assert_int_equal(all.word_count, 2);
    assert_int_equal(all.words[0][0], 0x55);
    assert_string_equal(all.words[1], "x");
}

/* ---- every wrong value ---- */

static void a_wrong_value_is_answered_with_the_name_of_its_member(void **state)
{
    static const struct {
        const char *json, *sentence;
    } rows[] = {
        { "{\"b\":1}", "\"b\" must be true or false" },
        { "{\"b\":\"yes\"}", "\"b\" must be true or false" },
        { "{\"b\":null}", "\"b\" must not be null" },
        { "{\"b\":{}}", "\"b\" must be true or false" },
        { "{\"i\":1.5}", "\"i\" must be an integer" },
        { "{\"i\":\"\"}", "\"i\" must be an integer" },
        { "{\"i\":\"x\"}", "\"i\" must be an integer" },
        { "{\"i\":\"1 \"}", "\"i\" must be an integer" },
        { "{\"i\":\"0x10\"}", "\"i\" must be an integer" },
        { "{\"i\":true}", "\"i\" must be an integer" },
        { "{\"i\":[1]}", "\"i\" must be an integer" },
        { "{\"i\":null}", "\"i\" must not be null" },
        { "{\"i\":2147483648}", "\"i\" is out of range (-2147483648 to 2147483647)" },
        { "{\"i\":-2147483649}", "\"i\" is out of range (-2147483648 to 2147483647)" },
        { "{\"i\":1e400}", "\"i\" is out of range (-2147483648 to 2147483647)" },
        { "{\"i8\":128}", "\"i8\" is out of range (-128 to 127)" },
        { "{\"i8\":-129}", "\"i8\" is out of range (-128 to 127)" },
        { "{\"i64\":9223372036854775808}",
          "\"i64\" is out of range (-9223372036854775808 to 9223372036854775807)" },
        { "{\"i64\":-9223372036854775809}",
          "\"i64\" is out of range (-9223372036854775808 to 9223372036854775807)" },
        { "{\"u8\":256}", "\"u8\" is out of range (0 to 255)" },
        { "{\"u8\":-1}", "\"u8\" is out of range (0 to 255)" },
        { "{\"u64\":18446744073709551616}",
          "\"u64\" is out of range (0 to 18446744073709551615)" },
        { "{\"u16\":9}", "\"u16\" is out of range (10 to 1000)" },
        { "{\"u16\":1001}", "\"u16\" is out of range (10 to 1000)" },
        { "{\"u16\":70000}", "\"u16\" is out of range (10 to 1000)" },
        { "{\"d\":\"x\"}", "\"d\" must be a number" },
        { "{\"d\":\" 1\"}", "\"d\" must be a number" },
        { "{\"d\":\"inf\"}", "\"d\" must be a number" },
        { "{\"d\":true}", "\"d\" must be a number" },
        { "{\"d\":null}", "\"d\" must not be null" },
        { "{\"d\":1e400}", "\"d\" is out of range" },
        { "{\"s\":null}", "\"s\" must not be null" },
        { "{\"s\":{}}", "\"s\" must be a string" },
        { "{\"s\":[]}", "\"s\" must be a string" },
        { "{\"s\":\"12345678\"}", "\"s\" is too long (at most 7 bytes)" },
        { "{\"s\":\"123456\xc3\xa9\"}", "\"s\" is too long (at most 7 bytes)" },
        { "{\"s\":12345678}", "\"s\" is too long (at most 7 bytes)" },
        { "{\"s\":\"a\\u0000b\"}", "\"s\" must not hold a NUL character" },
        { "{\"text\":null}", "\"text\" must not be null" },
        { "{\"text\":{}}", "\"text\" must be a string" },
        { "{\"user\":1}", "\"user\" must be an object" },
        { "{\"user\":[]}", "\"user\" must be an object" },
        { "{\"user\":null}", "\"user\" must not be null" },
        { "{\"user\":{}}", "\"user.age\" is missing" },
        { "{\"user\":{\"age\":\"x\"}}", "\"user.age\" must be an integer" },
        { "{\"user\":{\"age\":1,\"name\":\"12345678\"}}",
          "\"user.name\" is too long (at most 7 bytes)" },
        { "{\"numbers\":1}", "\"numbers\" must be an array" },
        { "{\"numbers\":{}}", "\"numbers\" must be an array" },
        { "{\"numbers\":null}", "\"numbers\" must not be null" },
        { "{\"numbers\":[1,2,3,4]}", "\"numbers\" has too many elements (at most 3)" },
        { "{\"numbers\":[1,\"x\"]}", "\"numbers[1]\" must be an integer" },
        { "{\"numbers\":[1,2,null]}", "\"numbers[2]\" must not be null" },
        { "{\"numbers\":[40000]}", "\"numbers[0]\" is out of range (-32768 to 32767)" },
        { "{\"words\":[\"four\"]}", "\"words[0]\" is too long (at most 3 bytes)" },
        { "{\"items\":[{\"id\":1},2]}", "\"items[1]\" must be an object" },
        { "{\"items\":[{}]}", "\"items[0].id\" is missing" },
        { "{\"items\":[{\"id\":1},{\"id\":2,\"by\":{\"age\":-3}}]}",
          "\"items[1].by.age\" is out of range (0 to 255)" },
        { "{\"i\":1,\"i\":null}", "\"i\" must not be null" },
        { "[]", "the data must be an object" },
        { "1", "the data must be an object" },
        { "\"x\"", "the data must be an object" },
        { "\"[1]\"", "the data must be an object" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_refused(rows[i].json, rows[i].sentence);
    xs_message_thread_end();
}

static void a_wrong_string_leaves_the_member_as_it_was(void **state)
{
    struct all all;

    (void)state;
    assert_int_equal(
        bind_as(XS_JSON, XS_SLICE("{\"s\":\"a\\u0000b\"}"), all_table, &all, sizeof all),
        XS_EINVAL);
    assert_int_equal(all.s[0], 0x55);
}

/* ---- required, nullable, ranges ---- */

struct few {
    char s[32];
    int32_t i;
    int32_t n;
    int64_t wide;
    double d;
};

static const struct xs_property few_rows[] = {
    XS_STRING(struct few, s, 0),
    XS_INT(struct few, i, 0),
    XS_INT(struct few, n, XS_NULLABLE),
};
static const struct xs_table few_table = XS_TABLE(few_rows);

static void the_first_row_that_is_missing_is_named(void **state)
{
    static const struct {
        const char *json, *sentence;
    } rows[] = {
        { "{}", "\"s\" is missing" },
        { "null", "\"s\" is missing" },
        { "\"\"", "\"s\" is missing" },
        { "{\"i\":1}", "\"s\" is missing" },
        { "{\"s\":\"x\"}", "\"i\" is missing" },
        { "{\"s\":\"x\",\"i\":1}", "\"n\" is missing" },
        { "{\"s\":\"x\",\"i\":null,\"n\":null}", "\"i\" must not be null" },
        { "{\"s\":\"01234567890123456789012345678912\",\"i\":1,\"n\":1}",
          "\"s\" is too long (at most 31 bytes)" },
    };
    struct few few;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(
            bind_as(XS_JSON, xs_slice_of(rows[i].json), few_table, &few, sizeof few),
            XS_EINVAL);
        assert_string_equal(xs_bind_error(), rows[i].sentence);
    }
    xs_message_thread_end();
}

static void null_where_it_is_allowed_leaves_the_member(void **state)
{
    struct few few;

    (void)state;
    assert_int_equal(bind_as(XS_JSON, XS_SLICE("{\"s\":\"x\",\"i\":1,\"n\":null}"), few_table,
                             &few, sizeof few),
                     XS_OK);
    assert_int_equal(few.n, 0x55555555);
}

static void ranges_hold_at_their_edges(void **state)
{
    static const struct xs_property rows[] = {
        XS_INT_RANGE(struct few, i, XS_OPTIONAL, -5, 10),
        { "wide", XS_TYPE_INT, offsetof(struct few, wide), 8, XS_OPTIONAL | XS_RANGE, -1e300,
          1e300, NULL, 0, 0 },
        { "d", XS_TYPE_DOUBLE, offsetof(struct few, d), 8, XS_OPTIONAL | XS_RANGE, -0.5, 2.25,
          NULL, 0, 0 },
    };
    static const struct xs_table table = XS_TABLE(rows);
    static const struct {
        const char *json, *sentence;
    } cases[] = {
        { "{\"i\":-5}", NULL },
        { "{\"i\":10}", NULL },
        { "{\"i\":-6}", "\"i\" is out of range (-5 to 10)" },
        { "{\"i\":11}", "\"i\" is out of range (-5 to 10)" },
        { "{\"i\":1e99}", "\"i\" is out of range (-5 to 10)" },
        { "{\"wide\":9223372036854775807}", NULL },
        { "{\"wide\":-9223372036854775808}", NULL },
        { "{\"d\":-0.5}", NULL },
        { "{\"d\":2.25}", NULL },
        { "{\"d\":2.26}", "\"d\" is out of range (-0.5 to 2.25)" },
        { "{\"d\":-1}", "\"d\" is out of range (-0.5 to 2.25)" },
    };
    struct few few;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum xs_err err = bind_as(XS_JSON, xs_slice_of(cases[i].json), table, &few, sizeof few);

        assert_int_equal(err, cases[i].sentence == NULL ? XS_OK : XS_EINVAL);
        assert_string_equal(xs_bind_error(),
                            cases[i].sentence != NULL ? cases[i].sentence : "");
    }
}

/* ---- forms of data ---- */

static void every_form_in_which_an_object_may_come_is_bound(void **state)
{
    static const struct {
        enum xs_form form;
        const char *data;
    } rows[] = {
        { XS_JSON, "{\"s\":\"bar\",\"i\":42,\"n\":1}" },
        { XS_JSON, " {\"n\" : 1 , \"i\" : \"42\" , \"S\" : \"b\\u0061r\"} " },
        { XS_JSON_ESCAPED, "{\\\"s\\\":\\\"b\\\\u0061r\\\",\\\"i\\\":42,\\\"n\\\":1}" },
        { XS_TEXT, "{s:'bar',i:42,n:1}" },
        { XS_TEXT, " {'s':\"bar\",i:'42',n:1} " },
        { XS_JSON, "\"{\\\"s\\\":\\\"bar\\\",\\\"i\\\":42,\\\"n\\\":1}\"" },
        { XS_JSON, "\"{s:'bar',i:42,n:1}\"" },
        { XS_JSON_ESCAPED, "\\\"{s:'bar',i:42,n:1}\\\"" },
    };
    struct few few;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (bind_as(rows[i].form, xs_slice_of(rows[i].data), few_table, &few, sizeof few) !=
            XS_OK)
            fail_msg("%s: %s", rows[i].data, xs_bind_error());
        assert_string_equal(few.s, "bar");
        assert_int_equal(few.i, 42);
        assert_int_equal(few.n, 1);
    }
    xs_message_thread_end();
}

static void text_that_is_nothing_like_an_object_is_refused(void **state)
{
    static const char *const texts[] = { "hello", "{s:bar}", "{s:'bar'", "[1,2]",
                                         "{\"s\":\xff}" };
    struct few few;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(bind_as(XS_TEXT, xs_slice_of(texts[i]), few_table, &few, sizeof few),
                         XS_EINVAL);
        assert_string_equal(xs_bind_error(), "the data must be an object");
    }
    xs_message_thread_end();
}

static void many_texts_with_escapes_stay_good_together(void **state)
{
    struct many {
        struct xs_slice text[20];
    } many;
    struct xs_property rows[20];
    char names[20][4], json[1024] = "{";
    struct xs_table table = { rows, 20, sizeof rows[0] };

    (void)state;
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "t%zu", i);
        rows[i].name = names[i];
        rows[i].type = XS_TYPE_SLICE;
        rows[i].offset = (uint32_t)(i * sizeof(struct xs_slice));
        rows[i].size = sizeof(struct xs_slice);
        snprintf(json + strlen(json), sizeof json - strlen(json), "%s\"t%zu\":\"\\\"%zu\\n\"",
                 i == 0 ? "" : ",", i, i);
    }
    strcat(json, "}");
    assert_int_equal(bind_as(XS_JSON, xs_slice_of(json), table, &many, sizeof many), XS_OK);
    for (size_t i = 0; i < 20; i++) {
        char wanted[8];

        snprintf(wanted, sizeof wanted, "\"%zu\n", i);
        is(many.text[i], wanted);
    }
    xs_message_thread_end();
}

static void two_rows_of_one_name_get_the_same_value(void **state)
{
    static const struct xs_property rows[] = {
        { "t", XS_TYPE_SLICE, 0, sizeof(struct xs_slice), 0, 0, 0, NULL, 0, 0 },
        { "T", XS_TYPE_SLICE, sizeof(struct xs_slice), sizeof(struct xs_slice), 0, 0, 0, NULL,
          0, 0 },
    };
    static const struct xs_table table = XS_TABLE(rows);
    struct xs_slice both[2];
    char json[2000] = "{\"t\":\"\\n";

    (void)state;
    memset(json + strlen(json), 'x', 1900);
    strcat(json, "\"}");
    assert_int_equal(bind_as(XS_JSON, xs_slice_of(json), table, both, sizeof both), XS_OK);
    assert_int_equal(both[0].len, 1901);
    assert_true(xs_slice_equal(both[0], both[1]));
    xs_message_thread_end();
}

/* ---- tables of one row ---- */

struct one {
    char s[32];
    struct xs_slice text, json;
    int32_t i;
    bool b;
    struct user user;
    int16_t numbers[3];
    uint32_t count;
};

static void is_bound(const struct xs_property *row, enum xs_form form, const char *data,
                     struct one *one, const char *sentence)
{
    struct xs_table table = { row, 1, sizeof *row };
    enum xs_err err = bind_as(form, xs_slice_of(data), table, one, sizeof *one);

    if (err != (sentence == NULL ? XS_OK : XS_EINVAL) ||
        strcmp(xs_bind_error(), sentence != NULL ? sentence : "") != 0)
        fail_msg("%s: %s", data, xs_bind_error());
}

static void one_string_takes_the_bare_value(void **state)
{
    static const struct xs_property row = XS_STRING(struct one, s, 0);
    static const struct {
        enum xs_form form;
        const char *data, *value, *sentence;
    } rows[] = {
        { XS_JSON, "{\"s\":\"by name\"}", "by name", NULL },
        { XS_TEXT, "{s:'by name'}", "by name", NULL },
        { XS_JSON, "\"{\\\"s\\\":\\\"by name\\\"}\"", "by name", NULL },
        { XS_JSON, "\"hello\"", "hello", NULL },
        { XS_JSON_ESCAPED, "\\\"hello\\\"", "hello", NULL },
        { XS_TEXT, "hello", "hello", NULL },
        { XS_TEXT, "say \"hi\"", "say \"hi\"", NULL },
        { XS_TEXT, "{hello}", "{hello}", NULL },
        { XS_TEXT, "{x:'y'}", "{x:'y'}", NULL },
        { XS_TEXT, "'quoted'", "'quoted'", NULL },
        { XS_JSON, "42", "42", NULL },
        { XS_JSON, "\"\"", "", NULL },
        { XS_TEXT, "", "", NULL },
        { XS_JSON, "null", NULL, "\"s\" is missing" },
        { XS_JSON, "{}", NULL, "\"s\" is missing" },
        { XS_JSON, "{\"x\":1}", NULL, "\"s\" is missing" },
        { XS_JSON, "[]", NULL, "\"s\" must be a string" },
        { XS_TEXT, "12345678901234567890123456789012", NULL,
          "\"s\" is too long (at most 31 bytes)" },
    };
    struct one one;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_bound(&row, rows[i].form, rows[i].data, &one, rows[i].sentence);
        if (rows[i].value != NULL)
            assert_string_equal(one.s, rows[i].value);
    }
    xs_message_thread_end();
}

static void one_number_or_bool_takes_the_bare_value(void **state)
{
    static const struct xs_property i = XS_INT(struct one, i, 0);
    static const struct xs_property b = XS_BOOL(struct one, b, 0);
    static const struct xs_property optional = XS_INT(struct one, i, XS_OPTIONAL);
    static const struct xs_property nullable = XS_INT(struct one, i, XS_NULLABLE);
    struct one one;

    (void)state;
    is_bound(&i, XS_JSON, "7", &one, NULL);
    assert_int_equal(one.i, 7);
    is_bound(&i, XS_JSON, "\"8\"", &one, NULL);
    assert_int_equal(one.i, 8);
    is_bound(&i, XS_JSON, "{\"I\":9}", &one, NULL);
    assert_int_equal(one.i, 9);
    is_bound(&i, XS_TEXT, "{i:10}", &one, NULL);
    assert_int_equal(one.i, 10);
    is_bound(&i, XS_JSON, "\"\"", &one, "\"i\" is missing");
    is_bound(&i, XS_JSON, "null", &one, "\"i\" is missing");
    is_bound(&i, XS_TEXT, "x", &one, "\"i\" must be an integer");
    is_bound(&i, XS_JSON, "[7]", &one, "\"i\" must be an integer");
    is_bound(&i, XS_JSON, "{\"i\":null}", &one, "\"i\" must not be null");
    is_bound(&optional, XS_JSON, "null", &one, NULL);
    is_bound(&optional, XS_JSON, "\"\"", &one, NULL);
    is_bound(&optional, XS_JSON, "{}", &one, NULL);
    is_bound(&nullable, XS_JSON, "null", &one, NULL);
    assert_int_equal(one.i, 0x55555555);
    is_bound(&nullable, XS_JSON, "{}", &one, "\"i\" is missing");
    is_bound(&b, XS_JSON, "true", &one, NULL);
    assert_true(one.b);
    is_bound(&b, XS_TEXT, "FALSE", &one, NULL);
    assert_false(one.b);
    xs_message_thread_end();
}

static void one_object_takes_the_whole_or_the_member(void **state)
{
    static const struct xs_property row = { "user",
                                            XS_TYPE_OBJECT,
                                            offsetof(struct one, user),
                                            sizeof(struct user),
                                            0,
                                            0,
                                            0,
                                            user_rows,
                                            2,
                                            0 };
    static const char *const given[] = { "{\"name\":\"ann\",\"age\":7}",
                                         "{\"USER\":{\"name\":\"ann\",\"age\":7}}",
                                         "\"{name:'ann',age:7}\"" };
    struct one one;

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        is_bound(&row, XS_JSON, given[i], &one, NULL);
        assert_string_equal(one.user.name, "ann");
        assert_int_equal(one.user.age, 7);
    }
    is_bound(&row, XS_JSON, "{\"name\":\"ann\"}", &one, "\"user.age\" is missing");
    is_bound(&row, XS_JSON, "{\"user\":1}", &one, "\"user.age\" is missing");
    is_bound(&row, XS_JSON, "{\"user\":null}", &one, "\"user\" must not be null");
    is_bound(&row, XS_JSON, "1", &one, "\"user\" must be an object");
    is_bound(&row, XS_JSON, "null", &one, "\"user\" is missing");
    xs_message_thread_end();
}

static void one_array_takes_the_bare_array(void **state)
{
    static const struct xs_property row = { "numbers",
                                            XS_TYPE_ARRAY,
                                            offsetof(struct one, numbers),
                                            sizeof(int16_t[3]),
                                            0,
                                            0,
                                            0,
                                            &number_row,
                                            1,
                                            offsetof(struct one, count) };
    static const char *const given[] = { "[1,2]", "{\"numbers\":[1,2]}", "\"[1,'2']\"" };
    struct one one;

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        is_bound(&row, XS_JSON, given[i], &one, NULL);
        assert_int_equal(one.count, 2);
        assert_int_equal(one.numbers[0], 1);
        assert_int_equal(one.numbers[1], 2);
    }
    is_bound(&row, XS_JSON, "[1,true]", &one, "\"numbers[1]\" must be an integer");
    is_bound(&row, XS_JSON, "5", &one, "\"numbers\" must be an array");
    xs_message_thread_end();
}

static void one_json_takes_anything(void **state)
{
    static const struct xs_property row = XS_JSON_SLICE(struct one, json, 0);
    static const struct {
        enum xs_form form;
        const char *data, *value;
    } rows[] = {
        { XS_JSON, "null", "null" },
        { XS_JSON, " [1, 2] ", "[1, 2]" },
        { XS_JSON, "{\"x\":1}", "{\"x\":1}" },
        { XS_JSON, "{\"json\":[1]}", "[1]" },
        { XS_JSON, "\"a\\n\"", "\"a\\n\"" },
        { XS_TEXT, "say \"hi\"", "\"say \\\"hi\\\"\"" },
        { XS_TEXT, "", "\"\"" },
        { XS_JSON_ESCAPED, "{\\\"x\\\":1}", "{\"x\":1}" },
    };
    struct one one;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_bound(&row, rows[i].form, rows[i].data, &one, NULL);
        is(one.json, rows[i].value);
    }
    xs_message_thread_end();
}

static void one_text_is_seen_where_it_lies(void **state)
{
    static const struct xs_property row = XS_TEXT_SLICE(struct one, text, 0);
    struct one one;

    (void)state;
    is_bound(&row, XS_JSON, "\"hello\"", &one, NULL);
    is(one.text, "hello");
    is_bound(&row, XS_TEXT, "a\nb", &one, NULL);
    is(one.text, "a\nb");
    is_bound(&row, XS_JSON, "\"a\\u0000b\"", &one, NULL);
    assert_int_equal(one.text.len, 3);
    assert_memory_equal(one.text.at, "a\0b", 3);
    xs_message_thread_end();
}

/* ---- tables ---- */

static void an_empty_table_takes_any_object_and_nothing(void **state)
{
    struct xs_table none = { NULL, 0, sizeof(struct xs_property) };
    struct one one;

    (void)state;
    assert_int_equal(bind_as(XS_JSON, XS_SLICE("{\"a\":1}"), none, &one, sizeof one), XS_OK);
    assert_int_equal(bind_as(XS_JSON, XS_SLICE("null"), none, &one, sizeof one), XS_OK);
    assert_int_equal(bind_as(XS_JSON, (struct xs_slice){ NULL, 0 }, none, &one, sizeof one),
                     XS_OK);
}

static void rows_may_be_longer_than_this_host_knows(void **state)
{
    struct longer {
        struct xs_property row;
        uint64_t later;
    } rows[3];
    struct xs_table table = { rows, 3, sizeof rows[0] };
    struct few few;

    (void)state;
    memset(rows, 0xEE, sizeof rows);
    for (size_t i = 0; i < 3; i++)
        rows[i].row = few_rows[i];
    assert_int_equal(
        bind_as(XS_JSON, XS_SLICE("{\"s\":\"x\",\"i\":1,\"n\":2}"), table, &few, sizeof few),
        XS_OK);
    assert_string_equal(few.s, "x");
    assert_int_equal(few.n, 2);
}

static void more_rows_than_a_few_are_bound_as_well(void **state)
{
    struct xs_property rows[40];
    struct xs_table table = { rows, 40, sizeof rows[0] };
    char names[40][4];
    uint8_t values[40];

    (void)state;
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "v%zu", i);
        rows[i] = (struct xs_property){ names[i], XS_TYPE_UINT, (uint32_t)i, 1, XS_OPTIONAL, 0,
                                        0,        NULL,         0,           0 };
    }
    assert_int_equal(bind_as(XS_JSON, XS_SLICE("{\"v0\":1,\"v39\":2,\"v39\":3}"), table, values,
                             sizeof values),
                     XS_OK);
    assert_int_equal(values[0], 1);
    assert_int_equal(values[1], 0x55);
    assert_int_equal(values[39], 3);
}

static void a_row_that_cannot_be_is_a_fault_of_the_module(void **state)
{
    static const struct xs_property rows[] = {
        { "x", XS_TYPE_INT, 0, 3, 0, 0, 0, NULL, 0, 0 },
        { "x", XS_TYPE_DOUBLE, 0, 4, 0, 0, 0, NULL, 0, 0 },
        { "x", XS_TYPE_STRING, 0, 0, 0, 0, 0, NULL, 0, 0 },
        { "x", XS_TYPE_ARRAY, 0, 4, 0, 0, 0, NULL, 0, 0 },
        { "x", XS_TYPE_OBJECT, 0, 4, 0, 0, 0, NULL, 2, 0 },
        { "x", (enum xs_type)99, 0, 4, 0, 0, 0, NULL, 0, 0 },
    };
    uint64_t target;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xs_table table = { &rows[i], 1, sizeof rows[0] };

        assert_int_equal(bind_as(XS_JSON, XS_SLICE("{\"x\":1}"), table, &target, sizeof target),
                         XS_EINTERNAL);
        assert_string_equal(xs_bind_error(), "\"x\" is described by a row that cannot be");
    }
}

static void a_million_members_are_walked_once(void **state)
{
    size_t size = 1 << 20;
    char *json = malloc(size + 64);
    size_t len = 0;
    struct few few;

    (void)state;
    json[len++] = '{';
    while (len < size)
        len += (size_t)sprintf(json + len, "\"s\":0,");
    len += (size_t)sprintf(json + len, "\"i\":1,\"n\":2,\"s\":\"x\"}");
    assert_int_equal(
        bind_as(XS_JSON, (struct xs_slice){ json, len }, few_table, &few, sizeof few), XS_OK);
    assert_string_equal(few.s, "x");
    free(json);
    xs_message_thread_end();
}

/* ---- properties ---- */

struct state_of {
    char room[8];
    int32_t level;
    uint8_t small;
    uint64_t large;
    bool on;
    double factor;
};

static const struct xs_property room = XS_STRING(struct state_of, room, XS_CLIENT_MAY_SET);
static const struct xs_property level = XS_INT_RANGE(struct state_of, level, 0, 0, 9);
static const struct xs_property small = XS_UINT(struct state_of, small, 0);
static const struct xs_property large = XS_UINT(struct state_of, large, 0);
static const struct xs_property on = XS_BOOL(struct state_of, on, 0);
static const struct xs_property factor = XS_DOUBLE(struct state_of, factor, XS_NULLABLE);

static enum xs_err set(const struct xs_property *row, struct state_of *state, enum xs_form form,
                       const char *data)
{
    struct xs_message msg = { .data = xs_slice_of(data), .form = (uint8_t)form };

    return xs_property_set(row, state, &msg);
}

static void gets(const struct xs_property *row, const struct state_of *state, const char *json)
{
    struct xs_buf out = { 0 };

    xs_property_get(row, state, &out);
    is((struct xs_slice){ out.at, out.len }, json);
    xs_free(out.at);
}

static void properties_are_set_by_the_bare_value_and_read_back(void **unused)
{
    struct state_of state;

    (void)unused;
    memset(&state, 0, sizeof state);
    gets(&room, &state, "\"\"");
    assert_int_equal(set(&room, &state, XS_JSON, "\"red\""), XS_OK);
    gets(&room, &state, "\"red\"");
    assert_int_equal(set(&room, &state, XS_TEXT, "a \"b\"\n"), XS_OK);
    gets(&room, &state, "\"a \\\"b\\\"\\n\"");
    assert_int_equal(set(&room, &state, XS_JSON_ESCAPED, "{\\\"value\\\":\\\"blue\\\"}"),
                     XS_OK);
    gets(&room, &state, "\"blue\"");
    assert_int_equal(set(&room, &state, XS_JSON, "42"), XS_OK);
    gets(&room, &state, "\"42\"");
    assert_int_equal(set(&level, &state, XS_JSON, "{\"VALUE\": 7 }"), XS_OK);
    gets(&level, &state, "7");
    assert_int_equal(set(&level, &state, XS_TEXT, "{value:'8'}"), XS_OK);
    gets(&level, &state, "8");
    assert_int_equal(set(&small, &state, XS_JSON, "255"), XS_OK);
    gets(&small, &state, "255");
    assert_int_equal(set(&large, &state, XS_JSON, "18446744073709551615"), XS_OK);
    gets(&large, &state, "18446744073709551615");
    assert_int_equal(set(&on, &state, XS_JSON, "true"), XS_OK);
    gets(&on, &state, "true");
    assert_int_equal(set(&on, &state, XS_JSON, "{\"value\":false}"), XS_OK);
    gets(&on, &state, "false");
    assert_int_equal(set(&factor, &state, XS_JSON, "0.1"), XS_OK);
    gets(&factor, &state, "0.1");
    assert_int_equal(set(&factor, &state, XS_JSON, "null"), XS_OK);
    gets(&factor, &state, "0.1");
    xs_message_thread_end();
}

static void what_a_property_cannot_be_changes_nothing(void **unused)
{
    static const struct {
        const struct xs_property *row;
        const char *json, *sentence;
    } rows[] = {
        { &room, "\"12345678\"", "\"room\" is too long (at most 7 bytes)" },
        { &room, "null", "\"room\" must not be null" },
        { &room, "{\"value\":1,\"more\":2}", "\"room\" must be a string" },
        { &room, "{\"other\":\"x\"}", "\"room\" must be a string" },
        { &room, "{}", "\"room\" must be a string" },
        { &room, "{\"value\":{\"value\":\"x\"}}", "\"room\" must be a string" },
        { &level, "10", "\"level\" is out of range (0 to 9)" },
        { &level, "\"\"", "\"level\" must be an integer" },
        { &level, "[1]", "\"level\" must be an integer" },
        { &on, "1", "\"on\" must be true or false" },
        { &factor, "\"x\"", "\"factor\" must be a number" },
    };
    struct state_of state, before;

    (void)unused;
    memset(&state, 0x33, sizeof state);
    before = state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(set(rows[i].row, &state, XS_JSON, rows[i].json), XS_EINVAL);
        assert_string_equal(xs_bind_error(), rows[i].sentence);
        assert_memory_equal(&state, &before, sizeof state);
    }
    xs_message_thread_end();
}

static void numbers_are_shown_so_that_they_read_back_the_same(void **unused)
{
    static const struct {
        double number;
        const char *json;
    } rows[] = {
        { 0, "0" },
        { -1.5, "-1.5" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1e300, "1e+300" },
        { 5e-324, "4.94065645841247e-324" },
        { 123456789012345680.0, "1.2345678901234568e+17" },
        { (double)INFINITY, "null" },
        { -(double)INFINITY, "null" },
        { (double)NAN, "null" },
    };
    struct state_of state;

    (void)unused;
    memset(&state, 0, sizeof state);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        state.factor = rows[i].number;
        gets(&factor, &state, rows[i].json);
    }
    state.level = INT32_MIN;
    gets(&level, &state, "-2147483648");
}

static void a_string_without_an_end_is_shown_to_the_end_of_its_member(void **unused)
{
    struct state_of state;

    (void)unused;
    memset(&state, 'x', sizeof state);
    gets(&room, &state, "\"xxxxxxxx\"");
}

static void other_kinds_of_rows_are_no_properties(void **unused)
{
    static const struct xs_property row = XS_TEXT_SLICE(struct one, text, 0);
    struct one one;
    struct xs_message msg = { .data = XS_SLICE("\"x\""), .form = XS_JSON };
    struct xs_buf out = { 0 };

    (void)unused;
    memset(&one, 0, sizeof one);
    assert_int_equal(xs_property_set(&row, &one, &msg), XS_EINTERNAL);
    xs_property_get(&row, &one, &out);
    is((struct xs_slice){ out.at, out.len }, "null");
    xs_free(out.at);
}

static void a_long_path_is_cut_and_not_overrun(void **unused)
{
    char name[300];
    struct xs_property row = { name, XS_TYPE_INT, 0, 4, 0, 0, 0, NULL, 0, 0 };
    struct xs_table table = { &row, 1, sizeof row };
    int32_t target;

    (void)unused;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(bind_as(XS_JSON, XS_SLICE("[]"), table, &target, sizeof target),
                     XS_EINVAL);
    assert_int_equal(strlen(xs_bind_error()), 127 + strlen("\"\" must be an integer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_member_is_filled),
        cmocka_unit_test(what_is_missing_and_optional_stays_as_it_was),
        cmocka_unit_test(names_have_no_case_and_may_be_escaped_and_the_last_of_two_counts),
        cmocka_unit_test(integers_are_read_from_their_text),
        cmocka_unit_test(doubles_are_read_as_they_are),
        cmocka_unit_test(strings_take_what_clients_send_bare),
        cmocka_unit_test(bools_are_words),
        cmocka_unit_test(json_members_keep_their_text),
        cmocka_unit_test(arrays_may_be_short_and_their_elements_null_where_allowed),
        cmocka_unit_test(a_wrong_value_is_answered_with_the_name_of_its_member),
        cmocka_unit_test(a_wrong_string_leaves_the_member_as_it_was),
        cmocka_unit_test(the_first_row_that_is_missing_is_named),
        cmocka_unit_test(null_where_it_is_allowed_leaves_the_member),
        cmocka_unit_test(ranges_hold_at_their_edges),
        cmocka_unit_test(every_form_in_which_an_object_may_come_is_bound),
        cmocka_unit_test(text_that_is_nothing_like_an_object_is_refused),
        cmocka_unit_test(many_texts_with_escapes_stay_good_together),
        cmocka_unit_test(two_rows_of_one_name_get_the_same_value),
        cmocka_unit_test(one_string_takes_the_bare_value),
        cmocka_unit_test(one_number_or_bool_takes_the_bare_value),
        cmocka_unit_test(one_object_takes_the_whole_or_the_member),
        cmocka_unit_test(one_array_takes_the_bare_array),
        cmocka_unit_test(one_json_takes_anything),
        cmocka_unit_test(one_text_is_seen_where_it_lies),
        cmocka_unit_test(an_empty_table_takes_any_object_and_nothing),
        cmocka_unit_test(rows_may_be_longer_than_this_host_knows),
        cmocka_unit_test(more_rows_than_a_few_are_bound_as_well),
        cmocka_unit_test(a_row_that_cannot_be_is_a_fault_of_the_module),
        cmocka_unit_test(a_million_members_are_walked_once),
        cmocka_unit_test(properties_are_set_by_the_bare_value_and_read_back),
        cmocka_unit_test(what_a_property_cannot_be_changes_nothing),
        cmocka_unit_test(numbers_are_shown_so_that_they_read_back_the_same),
        cmocka_unit_test(a_string_without_an_end_is_shown_to_the_end_of_its_member),
        cmocka_unit_test(other_kinds_of_rows_are_no_properties),
        cmocka_unit_test(a_long_path_is_cut_and_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
