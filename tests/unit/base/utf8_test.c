/* utf8 - every sequence of one, two and three bytes, and the edges of four, against a decoder
 * that follows the definition and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

/* Length of a code point's shortest form. */
static size_t shortest(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static bool naive_valid(const uint8_t *at, size_t len)
{
    while (len > 0) {
        size_t n = at[0] < 0x80             ? 1
                   : (at[0] & 0xE0) == 0xC0 ? 2
                   : (at[0] & 0xF0) == 0xE0 ? 3
                   : (at[0] & 0xF8) == 0xF0 ? 4
                                            : 0;
        uint32_t code = n <= 1 ? at[0] : at[0] & (0x7Fu >> n);
        size_t i;

        if (n == 0 || n > len)
            return false;
        for (i = 1; i < n; i++) {
            if ((at[i] & 0xC0) != 0x80)
                return false;
            code = code << 6 | (at[i] & 0x3F);
        }
        if (shortest(code) != n || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
            return false;
        at += n;
        len -= n;
    }
    return true;
}

static void check(const uint8_t *at, size_t len)
{
    if (xs_utf8_valid((const char *)at, len) != naive_valid(at, len))
        fail_msg("%zu bytes: %02x %02x %02x %02x", len, at[0], at[1], at[2], at[3]);
}

static void all_sequences_up_to_three_bytes_agree_with_the_definition(void **state)
{
    uint32_t code;

    (void)state;
    for (code = 0; code < 0x1000000; code++) {
        uint8_t at[4] = { (uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(code >> 16), 0 };

        if (code < 0x100)
            check(at, 1);
        if (code < 0x10000)
            check(at, 2);
        check(at, 3);
    }
}

static void four_bytes_agree_for_all_first_two_and_edges_of_the_others(void **state)
{
    static const uint8_t edges[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                     0xBF, 0xC0, 0xC2, 0xE0, 0xF0, 0xFF };
    unsigned first, second;
    size_t i, j;

    (void)state;
    for (first = 0; first < 256; first++)
        for (second = 0; second < 256; second++)
            for (i = 0; i < sizeof edges; i++)
                for (j = 0; j < sizeof edges; j++) {
                    uint8_t at[4] = { (uint8_t)first, (uint8_t)second, edges[i], edges[j] };

                    check(at, 4);
                }
}

static void every_code_point_is_written_and_read_back(void **state)
{
    uint32_t code;

    (void)state;
    for (code = 0; code <= 0x10FFFF; code++) {
        char at[5] = { 0 };
        size_t len = xs_utf8_put(at, code);
        bool valid = false;

        if (code >= 0xD800 && code <= 0xDFFF) {
            assert_int_equal(len, 3);
            assert_memory_equal(at, "\xEF\xBF\xBD", 3);
            continue;
        }
        assert_int_equal(len, shortest(code));
        assert_true(naive_valid((const uint8_t *)at, len));
        assert_int_equal(xs_utf8_step(at, len, &valid), len);
        assert_true(valid);
        if (len > 1) {
            assert_int_equal(xs_utf8_step(at, len - 1, &valid), len - 1);
            assert_false(valid);
        }
    }
    {
        char at[4];

        assert_int_equal(xs_utf8_put(at, 0x110000), 3);
        assert_memory_equal(at, "\xEF\xBF\xBD", 3);
    }
}

static void one_bad_byte_is_found_wherever_it_stands_in_a_long_text(void **state)
{
    char text[200];
    size_t len, at;

    (void)state;
    for (len = 1; len <= sizeof text; len++) {
        memset(text, 'a', sizeof text);
        assert_true(xs_utf8_valid(text, len));
        for (at = 0; at < len; at++) {
            text[at] = (char)0x80;
            assert_false(xs_utf8_valid(text, len));
            if (at + 1 < len) {
                text[at] = (char)0xC3;
                text[at + 1] = (char)0xA4;
                assert_true(xs_utf8_valid(text, len));
                text[at + 1] = 'a';
                assert_false(xs_utf8_valid(text, len));
            }
            text[at] = 'a';
        }
    }
    assert_true(xs_utf8_valid(NULL, 0));
}

static void folding_touches_ascii_letters_only(void **state)
{
    int c;

    (void)state;
    for (c = 0; c < 256; c++) {
        char from = (char)c, to;

        xs_fold(&to, &from, 1);
        assert_int_equal(to, (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sequences_up_to_three_bytes_agree_with_the_definition),
        cmocka_unit_test(four_bytes_agree_for_all_first_two_and_edges_of_the_others),
        cmocka_unit_test(every_code_point_is_written_and_read_back),
        cmocka_unit_test(one_bad_byte_is_found_wherever_it_stands_in_a_long_text),
        cmocka_unit_test(folding_touches_ascii_letters_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
