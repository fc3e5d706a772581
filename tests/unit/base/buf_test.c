/* base.h - buffers, escaping, slices, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/utf8.h"

static struct xs_slice contents(const struct xs_buf *buf)
{
    return (struct xs_slice){ buf->at, buf->len };
}

static void a_buffer_grows_by_doubling(void **state)
{
    struct xs_buf buf = { 0 };
    size_t i, moves = 0, cap = 0;

    (void)state;
    for (i = 0; i < 1000000; i++) {
        xs_buf_append_byte(&buf, (char)i);
        if (buf.cap != cap)
            moves++;
        cap = buf.cap;
    }
    assert_false(buf.failed);
    assert_int_equal(buf.len, 1000000);
    assert_in_range(moves, 1, 14);
    for (i = 0; i < buf.len; i++)
        assert_int_equal(buf.at[i], (char)i);
    xs_free(buf.at);
}

static void a_limit_is_reached_and_not_passed(void **state)
{
    struct xs_buf buf = { .limit = 10 };

    (void)state;
    xs_buf_append(&buf, XS_SLICE("0123456789"));
    assert_false(buf.failed);
    assert_int_equal(buf.len, 10);
    assert_true(xs_buf_reserve(&buf, 0));
    xs_buf_append_byte(&buf, 'x');
    assert_true(buf.failed);
    assert_int_equal(buf.len, 10);
    xs_free(buf.at);
}

static void after_a_failure_nothing_is_appended_even_if_it_would_fit(void **state)
{
    struct xs_buf buf = { .limit = 1000 };

    (void)state;
    xs_buf_append(&buf, XS_SLICE("abc"));
    assert_false(xs_buf_reserve(&buf, 998));
    assert_true(buf.failed);
    xs_buf_append_byte(&buf, 'x');
    xs_buf_append(&buf, XS_SLICE("x"));
    xs_buf_append_escaped(&buf, XS_SLICE("\"x"));
    assert_true(xs_slice_equal(contents(&buf), XS_SLICE("abc")));
    assert_false(xs_buf_reserve(&buf, 0));
    xs_free(buf.at);
}

static void a_length_beyond_all_memory_fails_without_wrapping(void **state)
{
    struct xs_buf buf = { 0 };

    (void)state;
    xs_buf_append(&buf, XS_SLICE("abc"));
    assert_false(xs_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    xs_free(buf.at);
}

static void escapes(struct xs_slice text, struct xs_slice wanted)
{
    struct xs_buf buf = { 0 };

    xs_buf_append_escaped(&buf, text);
    assert_false(buf.failed);
    assert_int_equal(buf.len, wanted.len);
    assert_memory_equal(buf.at, wanted.at, wanted.len);
    xs_free(buf.at);
}

static void what_json_wants_escaped_is_escaped_in_its_shortest_form(void **state)
{
    (void)state;
    escapes(XS_SLICE("plain text, nothing to do here"),
            XS_SLICE("plain text, nothing to do here"));
    escapes(XS_SLICE("say \"hi\\ho\""), XS_SLICE("say \\\"hi\\\\ho\\\""));
    escapes(XS_SLICE("\b\t\n\f\r"), XS_SLICE("\\b\\t\\n\\f\\r"));
    escapes(XS_SLICE("a\0b\x01\x1f"), XS_SLICE("a\\u0000b\\u0001\\u001f"));
    escapes(XS_SLICE("\x7f/\xC3\xA4\xF0\x9F\x98\x80"),
            XS_SLICE("\x7f/\xC3\xA4\xF0\x9F\x98\x80"));
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    (void)state;
    escapes(XS_SLICE("a\xFFz"), XS_SLICE("a\xEF\xBF\xBDz"));
    escapes(XS_SLICE("\xC0\xAF"), XS_SLICE("\xEF\xBF\xBD\xEF\xBF\xBD"));
    /* The maximal subpart counts as one fault (Unicode 3.9). */
    escapes(XS_SLICE("\xF0\x9F\x98x"), XS_SLICE("\xEF\xBF\xBDx"));
    escapes(XS_SLICE("\xE2\x82"), XS_SLICE("\xEF\xBF\xBD"));
    escapes(XS_SLICE("\xED\xA0\x80"), XS_SLICE("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
}

/* One byte at a time, without any fast path. */
static void naive_escape(struct xs_buf *buf, const char *at, size_t len)
{
    size_t n, step;

    for (n = 0; n < len; n += step) {
        uint8_t c = (uint8_t)at[n];
        char text[8];
        bool valid;

        step = xs_utf8_step(at + n, len - n, &valid);
        if (!valid) {
            xs_buf_append(buf, XS_SLICE("\xEF\xBF\xBD"));
            continue;
        }
        snprintf(text, sizeof text, c == '"' || c == '\\' ? "\\%c" : "\\u%04x", c);
        if (c == '\b' || c == '\t' || c == '\n' || c == '\f' || c == '\r')
            snprintf(text, sizeof text, "\\%c", "btn?fr"[c - '\b']);
        if (c < 0x20 || c == '"' || c == '\\')
            xs_buf_append(buf, xs_slice_of(text));
        else
            xs_buf_append(buf, (struct xs_slice){ at + n, step });
    }
}

static void random_bytes_are_escaped_as_the_naive_way_does(void **state)
{
    static const uint8_t some[] = { 'a',  'b',  '"',  '\\', 0x1F, 0x20, 0x7F, 0x80, 0xBF,
                                    0xC2, 0xE2, 0xF0, '\n', 0x00, 0x21, 0x23, 0x5B, 0x5D };
    uint32_t dice = 12345;
    unsigned round;

    (void)state;
    for (round = 0; round < 200000; round++) {
        struct xs_buf fast = { 0 }, naive = { 0 };
        char text[40];
        size_t len, i;

        dice = dice * 1664525u + 1013904223u;
        len = dice >> 16 & 31;
        for (i = 0; i < len; i++) {
            dice = dice * 1664525u + 1013904223u;
            text[i] = (dice >> 28) == 0 ? (char)some[(dice >> 16) % sizeof some]
                      : round % 2 == 0  ? (char)(dice >> 16)
                                        : 'x';
        }
        xs_buf_append_escaped(&fast, (struct xs_slice){ text, len });
        naive_escape(&naive, text, len);
        assert_true(xs_slice_equal(contents(&fast), contents(&naive)));
        assert_true(xs_utf8_valid(fast.at, fast.len));
        xs_free(fast.at);
        xs_free(naive.at);
    }
}

static void slices_compare_with_and_without_case(void **state)
{
    (void)state;
    assert_true(xs_slice_equal_nocase(XS_SLICE("Chat[@`{"), XS_SLICE("cHAT[@`{")));
    assert_false(xs_slice_equal_nocase(XS_SLICE("[@"), XS_SLICE("{`")));
    assert_false(xs_slice_equal_nocase(XS_SLICE("\xC3\x84"), XS_SLICE("\xC3\xA4")));
    assert_false(xs_slice_equal_nocase(XS_SLICE("ab"), XS_SLICE("abc")));
    assert_true(xs_slice_equal_nocase(xs_slice_of(NULL), XS_SLICE("")));
}

static void every_error_has_its_text(void **state)
{
    (void)state;
    assert_string_equal(xs_err_text(XS_OK), "no error");
    assert_string_equal(xs_err_text(XS_EINTERNAL), "internal fault");
    assert_string_equal(xs_err_text((enum xs_err)999), "unknown error");
    assert_string_equal(xs_err_text((enum xs_err) - 1), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_by_doubling),
        cmocka_unit_test(a_limit_is_reached_and_not_passed),
        cmocka_unit_test(after_a_failure_nothing_is_appended_even_if_it_would_fit),
        cmocka_unit_test(a_length_beyond_all_memory_fails_without_wrapping),
        cmocka_unit_test(what_json_wants_escaped_is_escaped_in_its_shortest_form),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(random_bytes_are_escaped_as_the_naive_way_does),
        cmocka_unit_test(slices_compare_with_and_without_case),
        cmocka_unit_test(every_error_has_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
