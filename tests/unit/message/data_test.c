/* data - each form in each view, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "message/message.h"

#define TEXT(literal)                                                                          \
    {                                                                                          \
        (literal), sizeof(literal) - 1                                                         \
    }

struct row {
    enum xs_form form;
    struct xs_slice data, json, escaped, raw;
};

static const struct row rows[] = {
    { XS_JSON, TEXT("null"), TEXT("null"), TEXT("null"), TEXT("null") },
    { XS_JSON, TEXT("42"), TEXT("42"), TEXT("42"), TEXT("42") },
    { XS_JSON, TEXT("\"hello\""), TEXT("\"hello\""), TEXT("\\\"hello\\\""), TEXT("\"hello\"") },
    { XS_JSON, TEXT("{\"a\": \"x\\n\"}"), TEXT("{\"a\": \"x\\n\"}"),
      TEXT("{\\\"a\\\": \\\"x\\\\n\\\"}"), TEXT("{\"a\": \"x\\n\"}") },
    { XS_JSON, TEXT("[1,\r\n\t2]"), TEXT("[1,\r\n\t2]"), TEXT("[1,\\r\\n\\t2]"),
      TEXT("[1,\r\n\t2]") },
    { XS_JSON, TEXT("\"\xc3\xa9\\u00e9\""), TEXT("\"\xc3\xa9\\u00e9\""),
      TEXT("\\\"\xc3\xa9\\\\u00e9\\\""), TEXT("\"\xc3\xa9\\u00e9\"") },
    { XS_JSON_ESCAPED, TEXT("{\\\"a\\\":1}"), TEXT("{\"a\":1}"), TEXT("{\\\"a\\\":1}"),
      TEXT("{\"a\":1}") },
    { XS_JSON_ESCAPED, TEXT("\\\"x\\\\n\\/\\\""), TEXT("\"x\\n/\""), TEXT("\\\"x\\\\n\\/\\\""),
      TEXT("\"x\\n/\"") },
    { XS_JSON_ESCAPED, TEXT("\\u007b\\u007d\\n"), TEXT("{}\n"), TEXT("\\u007b\\u007d\\n"),
      TEXT("{}\n") },
    { XS_JSON_ESCAPED, TEXT("\\\"\\ud83d\\\""), TEXT("\"\xef\xbf\xbd\""),
      TEXT("\\\"\\ud83d\\\""), TEXT("\"\xef\xbf\xbd\"") },
    { XS_JSON_ESCAPED, TEXT("42"), TEXT("42"), TEXT("42"), TEXT("42") },
    { XS_TEXT, TEXT(""), TEXT("\"\""), TEXT("\\\"\\\""), TEXT("") },
    { XS_TEXT, TEXT("hello"), TEXT("\"hello\""), TEXT("\\\"hello\\\""), TEXT("hello") },
    { XS_TEXT, TEXT("say \"hi\" \\o/"), TEXT("\"say \\\"hi\\\" \\\\o/\""),
      TEXT("\\\"say \\\\\\\"hi\\\\\\\" \\\\\\\\o/\\\""), TEXT("say \"hi\" \\o/") },
    { XS_TEXT, TEXT("one\ntwo\t\x01\0."), TEXT("\"one\\ntwo\\t\\u0001\\u0000.\""),
      TEXT("\\\"one\\\\ntwo\\\\t\\\\u0001\\\\u0000.\\\""), TEXT("one\ntwo\t\x01\0.") },
    { XS_TEXT, TEXT("\xc3\xa9\xf0\x9f\x98\x80"), TEXT("\"\xc3\xa9\xf0\x9f\x98\x80\""),
      TEXT("\\\"\xc3\xa9\xf0\x9f\x98\x80\\\""), TEXT("\xc3\xa9\xf0\x9f\x98\x80") },
    { XS_TEXT, TEXT("a\xff\"\xe2\x82"), TEXT("\"a\xef\xbf\xbd\\\"\xef\xbf\xbd\""),
      TEXT("\\\"a\xef\xbf\xbd\\\\\\\"\xef\xbf\xbd\\\""), TEXT("a\xef\xbf\xbd\"\xef\xbf\xbd") },
    { XS_TEXT, TEXT("\x7f/"), TEXT("\"\x7f/\""), TEXT("\\\"\x7f/\\\""), TEXT("\x7f/") },
    /* Given as text, it is text, whatever it looks like. */
    { XS_TEXT, TEXT("null"), TEXT("\"null\""), TEXT("\\\"null\\\""), TEXT("null") },
};

static void is(struct xs_slice slice, struct xs_slice wanted)
{
    if (!xs_slice_equal(slice, wanted))
        fail_msg("\"%.*s\" is not \"%.*s\"", (int)slice.len, slice.at, (int)wanted.len,
                 wanted.at);
}

static void each_form_in_each_view(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct xs_slice wanted[] = { rows[i].json, rows[i].escaped, rows[i].raw };
        struct xs_data data = { rows[i].data, rows[i].form };

        for (int view = XS_VIEW_JSON; view <= XS_VIEW_RAW; view++) {
            struct xs_buf scratch = { 0 };
            struct xs_slice out;

            xs_buf_append(&scratch, XS_SLICE("before"));
            assert_int_equal(xs_data_view(data, (enum xs_view)view, &scratch, 0, &out), XS_OK);
            is(out, wanted[view]);
            xs_free(scratch.at);
        }
    }
}

static void a_view_equal_to_the_form_is_the_data_itself(void **state)
{
    static const struct {
        enum xs_form form;
        enum xs_view view;
    } equal[] = {
        { XS_JSON, XS_VIEW_JSON },
        { XS_JSON, XS_VIEW_RAW },
        { XS_JSON_ESCAPED, XS_VIEW_ESCAPED },
        { XS_TEXT, XS_VIEW_RAW },
    };
    struct xs_slice bytes = XS_SLICE("[1,2]");

    (void)state;
    for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
        struct xs_data data = { bytes, equal[i].form };
        struct xs_buf scratch = { 0 };
        struct xs_slice out;

        assert_int_equal(xs_data_view(data, equal[i].view, &scratch, 0, &out), XS_OK);
        assert_ptr_equal(out.at, bytes.at);
        assert_null(scratch.at);
    }
}

static void a_view_over_the_limit_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct xs_slice wanted[] = { rows[i].json, rows[i].escaped, rows[i].raw };
        struct xs_data data = { rows[i].data, rows[i].form };

        for (int view = XS_VIEW_JSON; view <= XS_VIEW_RAW; view++) {
            for (size_t limit = 1; limit < wanted[view].len + 2; limit++) {
                struct xs_buf scratch = { 0 };
                struct xs_slice out;
                enum xs_err err;

                xs_buf_append(&scratch, XS_SLICE("before"));
                err = xs_data_view(data, (enum xs_view)view, &scratch, limit, &out);
                assert_int_equal(err, wanted[view].len <= limit ? XS_OK : XS_ETOOBIG);
                assert_false(scratch.failed);
                if (err == XS_OK)
                    is(out, wanted[view]);
                else
                    assert_int_equal(scratch.len, strlen("before"));
                /* It can be used again. */
                assert_int_equal(xs_data_view(xs_text("x"), XS_VIEW_JSON, &scratch, 0, &out),
                                 XS_OK);
                is(out, XS_SLICE("\"x\""));
                xs_free(scratch.at);
            }
        }
    }
}

static void a_full_scratch_is_said(void **state)
{
    struct xs_buf scratch = { .limit = 4 };
    struct xs_slice out;

    (void)state;
    assert_int_equal(xs_data_view(xs_text("hello"), XS_VIEW_JSON, &scratch, 100, &out),
                     XS_ENOMEM);
    assert_int_equal(xs_data_view(xs_text("x"), XS_VIEW_JSON, &scratch, 100, &out), XS_ENOMEM);
    assert_int_equal(out.len, 0);
    xs_free(scratch.at);
}

static void what_arrived_is_json_only_if_it_is_strictly_that(void **state)
{
    struct xs_message_limits limits = { 255, 2 };

    (void)state;
    assert_int_equal(xs_data_of(XS_SLICE("{\"a\":1}")).form, XS_JSON);
    assert_int_equal(xs_data_of(XS_SLICE(" 12 ")).form, XS_JSON);
    assert_int_equal(xs_data_of(XS_SLICE("hello")).form, XS_TEXT);
    assert_int_equal(xs_data_of(XS_SLICE("{a:1}")).form, XS_TEXT);
    assert_int_equal(xs_data_of(XS_SLICE("")).form, XS_TEXT);
    assert_int_equal(xs_data_of(XS_SLICE("\"\xff\"")).form, XS_TEXT);
    assert_int_equal(xs_data_of(XS_SLICE("[[[]]]")).form, XS_JSON);
    xs_message_limits_set(&limits);
    assert_int_equal(xs_data_of(XS_SLICE("[[]]")).form, XS_JSON);
    assert_int_equal(xs_data_of(XS_SLICE("[[[]]]")).form, XS_TEXT);
    limits.json_depth = 64;
    xs_message_limits_set(&limits);
}

static void plugins_give_json_or_text(void **state)
{
    (void)state;
    assert_int_equal(xs_json("[1]").form, XS_JSON);
    is(xs_json("[1]").bytes, XS_SLICE("[1]"));
    assert_int_equal(xs_text("[1]").form, XS_TEXT);
    is(xs_text_slice(XS_SLICE("a\0b")).bytes, XS_SLICE("a\0b"));
    is(xs_null().bytes, XS_SLICE("null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_in_each_view),
        cmocka_unit_test(a_view_equal_to_the_form_is_the_data_itself),
        cmocka_unit_test(a_view_over_the_limit_is_refused_and_leaves_nothing),
        cmocka_unit_test(a_full_scratch_is_said),
        cmocka_unit_test(what_arrived_is_json_only_if_it_is_strictly_that),
        cmocka_unit_test(plugins_give_json_or_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
