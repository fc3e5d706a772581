/* json - the scanner against tables and against a slow recogniser, in plain text and through
 * the escapes of a JSON string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../fuzz/json_reference.h"
#include "message/json.h"

#define DEPTH 64

/* Text that may hold zero bytes. */
#define TEXT(literal)                                                                          \
    {                                                                                          \
        (literal), sizeof(literal) - 1                                                         \
    }

/* In memory of exactly its length, so that the sanitizers see a read behind its end. */
static bool valid_exactly(struct xs_slice text, unsigned depth)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    bool valid;

    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    valid = xs_json_valid((struct xs_slice){ copy, text.len }, depth);
    assert_int_equal(valid, ref_valid(text, depth));
    free(copy);
    return valid;
}

static bool valid_inside_exactly(struct xs_slice inside, unsigned depth)
{
    char *copy = malloc(inside.len > 0 ? inside.len : 1);
    struct xs_slice plain;
    bool valid;

    if (inside.len > 0)
        memcpy(copy, inside.at, inside.len);
    valid = xs_json_valid_escaped((struct xs_slice){ copy, inside.len }, depth);
    assert_true(ref_inside(inside));
    plain = ref_unescape(inside);
    assert_int_equal(valid, ref_valid(plain, depth));
    free((char *)(uintptr_t)plain.at);
    free(copy);
    return valid;
}

static const struct xs_slice accepted[] = {
    TEXT("null"),
    TEXT("true"),
    TEXT("false"),
    TEXT("0"),
    TEXT("-0"),
    TEXT("12"),
    TEXT("-12.50"),
    TEXT("1e3"),
    TEXT("1E+3"),
    TEXT("0.0e-0"),
    TEXT("123456789012345678901234567890"),
    TEXT("1e400"),
    TEXT("\"\""),
    TEXT("\"a\""),
    TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\""),
    TEXT("\"\\ud83d\\ude00\""),
    TEXT("\"\\ud83d\""),
    TEXT("\"\\ude00 alone\""),
    TEXT("\"\x7f\""),
    TEXT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
    TEXT("\"sixteen bytes and more, then \xc3\xa9 and on and on and on\""),
    TEXT("[]"),
    TEXT("[ ]"),
    TEXT("[1]"),
    TEXT("[1,2 , 3]"),
    TEXT("[[],[[]]]"),
    TEXT("{}"),
    TEXT("{ }"),
    TEXT("{\"a\":1}"),
    TEXT("{\"a\":{\"b\":[null,true,{}]},\"\":\"x\"}"),
    TEXT("{\"a\":1,\"a\":2}"),
    TEXT(" \t\r\n null \t\r\n "),
    TEXT("\r\n{ \"a\" : [ 1 , \"x\" ] }\n"),
    TEXT("\"a string that is exactly of a length where vectors end: 64 b\""),
};

static const struct xs_slice refused[] = {
    TEXT(""),
    TEXT(" "),
    TEXT("nul"),
    TEXT("nulll"),
    TEXT("True"),
    TEXT("NaN"),
    TEXT("Infinity"),
    TEXT("undefined"),
    TEXT("01"),
    TEXT("-"),
    TEXT("-a"),
    TEXT("+1"),
    TEXT("1."),
    TEXT(".5"),
    TEXT("1.e3"),
    TEXT("1e"),
    TEXT("1e+"),
    TEXT("0x10"),
    TEXT("1 2"),
    TEXT("\""),
    TEXT("\"a"),
    TEXT("\"\\"),
    TEXT("\"\\\""),
    TEXT("\"\\x41\""),
    TEXT("\"\\u12\""),
    TEXT("\"\\u12g4\""),
    TEXT("\"\\U0041\""),
    TEXT("\"a\nb\""),
    TEXT("\"\0\""),
    TEXT("\"\x1f\""),
    TEXT("\"\x80\""),
    TEXT("\"\xc0\xaf\""),
    TEXT("\"\xed\xa0\x80\""),
    TEXT("\"\xf5\x80\x80\x80\""),
    TEXT("\"\xe2\x82\""),
    TEXT("'a'"),
    TEXT("["),
    TEXT("]"),
    TEXT("[1"),
    TEXT("[1,"),
    TEXT("[1,]"),
    TEXT("[,1]"),
    TEXT("[1 2]"),
    TEXT("[1}"),
    TEXT("{"),
    TEXT("}"),
    TEXT("{]"),
    TEXT("{\"a\"}"),
    TEXT("{\"a\":}"),
    TEXT("{\"a\":1,}"),
    TEXT("{,}"),
    TEXT("{a:1}"),
    TEXT("{1:1}"),
    TEXT("{\"a\" 1}"),
    TEXT("{\"a\":1 \"b\":2}"),
    TEXT("{\"a\":1]"),
    TEXT("{}{}"),
    TEXT("null,"),
    TEXT("\xef\xbb\xbfnull"),
    TEXT("\xc2\xa0null"),
    TEXT("\x0bnull"),
    TEXT("\x0cnull"),
    TEXT("null\0"),
    TEXT("// a\nnull"),
    TEXT("/**/null"),
};

static void what_json_parse_accepts_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (!valid_exactly(accepted[i], DEPTH))
            fail_msg("refused: %.*s", (int)accepted[i].len, accepted[i].at);
}

static void what_json_parse_refuses_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (valid_exactly(refused[i], DEPTH))
            fail_msg("accepted: %.*s", (int)refused[i].len, refused[i].at);
}

static void no_beginning_of_a_text_is_read_past_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        for (size_t len = 0; len < accepted[i].len; len++)
            valid_exactly((struct xs_slice){ accepted[i].at, len }, DEPTH);
}

static void an_empty_slice_without_a_place_is_no_json(void **state)
{
    (void)state;
    assert_false(xs_json_valid((struct xs_slice){ NULL, 0 }, DEPTH));
    assert_false(xs_json_valid_escaped((struct xs_slice){ NULL, 0 }, DEPTH));
    assert_int_equal(xs_json_unescape((struct xs_slice){ NULL, 0 }, NULL), 0);
}

/* `levels` of arrays and objects in turn. */
static struct xs_slice nested(unsigned levels)
{
    char *text = malloc(6 * levels + 8);
    size_t len = 0;
    unsigned i;

    for (i = 0; i < levels; i++)
        len += (size_t)(stpcpy(text + len, i % 3 == 0 ? "[" : "{\"a\":") - (text + len));
    text[len++] = '1';
    while (i-- > 0)
        text[len++] = i % 3 == 0 ? ']' : '}';
    return (struct xs_slice){ text, len };
}

static void depth_is_counted_in_levels(void **state)
{
    static const unsigned depths[] = { 1, 2, 63, 64, 65, 127, 128, 129, 500, 1023, 1024 };

    (void)state;
    assert_true(xs_json_valid(XS_SLICE("1"), 0));
    assert_false(xs_json_valid(XS_SLICE("[]"), 0));
    assert_true(xs_json_valid(XS_SLICE("[[],[],{}]"), 2));
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        struct xs_slice text = nested(depths[i]);

        assert_true(xs_json_valid(text, depths[i]));
        assert_false(xs_json_valid(text, depths[i] - 1));
        free((char *)(uintptr_t)text.at);
    }
}

static void a_hundred_thousand_levels_are_refused_whatever_is_allowed(void **state)
{
    struct xs_slice text = nested(100000);

    (void)state;
    assert_false(xs_json_valid(text, 64));
    assert_false(xs_json_valid(text, UINT32_MAX));
    free((char *)(uintptr_t)text.at);
}

/* ---- through escapes ---- */

/* A text as the inside of a JSON string, in five ways of escaping. */
static struct xs_slice inside_of(struct xs_slice text, unsigned way)
{
    char *to = malloc(6 * text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool must = c < 0x20 || c == '"' || c == '\\';
        bool may = way == 1 || (way == 2 && i % 2 == 0) || (way == 3 && c == '/');

        if (c == '/' && way == 3)
            len += (size_t)sprintf(to + len, "\\/");
        else if (c < 0x80 && (must || may) && (way != 0 || c < 0x20))
            len += (size_t)sprintf(to + len, c % 2 == 0 ? "\\u%04x" : "\\u%04X", c);
        else if (must)
            len += (size_t)sprintf(to + len, "\\%c", c);
        else
            to[len++] = (char)c;
    }
    return (struct xs_slice){ to, len };
}

static void a_text_counts_the_same_inside_a_string_however_it_is_escaped(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
            struct xs_slice inside = inside_of(accepted[i], way);

            if (!valid_inside_exactly(inside, DEPTH))
                fail_msg("refused: %.*s", (int)inside.len, inside.at);
            free((char *)(uintptr_t)inside.at);
        }
        for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
            struct xs_slice inside = inside_of(refused[i], way);

            if (ref_inside(inside) && valid_inside_exactly(inside, DEPTH))
                fail_msg("accepted: %.*s", (int)inside.len, inside.at);
            free((char *)(uintptr_t)inside.at);
        }
    }
}

static const struct {
    const char *inside;
    bool valid;
} through_escapes[] = {
    { "{\\\"a\\\":\\\"x\\\\n\\\"}", true },
    { "{\\u0022a\\u0022\\u003a1}", true },
    { "\\u007b\\u007d", true },
    { "\\n\\t\\r 1\\n", true },
    { "\\b1", false },
    { "\\f1", false },
    { "\\u00a01", false },
    { "\\\"a\\nb\\\"", false },    /* a raw line break within the inner string */
    { "\\\"a\\\\nb\\\"", true },   /* an escaped one */
    { "\\\"a\\/b\\\"", true },     /* a slash */
    { "\\\"a\\\\/b\\\"", true },   /* an escaped slash */
    { "\\\"a\\\\\\/b\\\"", true }, /* the same, with its slash escaped outside, too */
    { "\\\"\\\\\\\"\\\"", true },  /* an escaped quote */
    { "\\\"\\\\\\\\\\\"", true },  /* an escaped backslash */
    { "\\\"\\\\\\\"", false },     /* a quote that does not end the string */
    { "\\\"\\\\u0041\\\"", true },
    { "\\\"\\\\u004\\\"", false },
    { "\\\"\\\\\\u007504\\u0031\\u0031\\\"", true }, /* even the letter u and the digits */
    { "\\\"\\\\x\\\"", false },
    { "\\\"\\ud83d\\ude00\\\"", true },
    { "\\\"\\ud83d\\\"", true }, /* half a character within a string */
    { "\\ud83d", false },        /* and outside of one */
    { "\\\"\\ud83d\\\\ude00\\\"", true },
    { "\\\"\\u0000\\\"", false },
    { "\\u0000", false },
    { "1\\u0030", true },
    { "-\\u0031\\u002e\\u0035\\u0065\\u002b\\u0031", true },
    { "0\\u0030", false },
    { "tr\\u0075e", true },
    { "[1\\u002c2]", true },
    { "[1\\u002c]", false },
    { "[1\\,2]", false },
    { "\\", false },
    { "\\u00", false },
    { "1\\", false },
    { "\\\"a", false },
    { "\\\"a\\", false },
    { "\\\"a\\\\", false },
};

static void escapes_are_read_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof through_escapes / sizeof through_escapes[0]; i++) {
        struct xs_slice inside = xs_slice_of(through_escapes[i].inside);

        if (xs_json_valid_escaped(inside, DEPTH) != through_escapes[i].valid)
            fail_msg("wrong: %s", through_escapes[i].inside);
        if (ref_inside(inside))
            valid_inside_exactly(inside, DEPTH);
    }
}

static void what_cannot_stand_in_a_string_is_refused_even_as_white_space(void **state)
{
    (void)state;
    assert_false(xs_json_valid_escaped(XS_SLICE("\n1"), DEPTH));
    assert_false(xs_json_valid_escaped(XS_SLICE("\"a\""), DEPTH));
    assert_false(xs_json_valid_escaped(XS_SLICE("1\""), DEPTH));
    assert_false(xs_json_valid_escaped(XS_SLICE("\\\"\xff\\\""), DEPTH));
}

static const struct {
    struct xs_slice inside, plain;
} unescaped[] = {
    { TEXT(""), TEXT("") },
    { TEXT("plain"), TEXT("plain") },
    { TEXT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), TEXT("\"\\/\b\f\n\r\t") },
    { TEXT("\\u0041\\u00e9\\u20AC"), TEXT("A\xc3\xa9\xe2\x82\xac") },
    { TEXT("\\ud83d\\ude00!"), TEXT("\xf0\x9f\x98\x80!") },
    { TEXT("\\ud83d"), TEXT("\xef\xbf\xbd") },
    { TEXT("\\ud83dx"), TEXT("\xef\xbf\xbdx") },
    { TEXT("\\ude00\\ud83d"), TEXT("\xef\xbf\xbd\xef\xbf\xbd") },
    { TEXT("\\ud83d\\ud83d\\ude00"), TEXT("\xef\xbf\xbd\xf0\x9f\x98\x80") },
    { TEXT("\\ud83d\\n"), TEXT("\xef\xbf\xbd\n") },
    { TEXT("a\\u0000b"), TEXT("a\0b") },
    { TEXT("\xc3\xa9\\u00e9"), TEXT("\xc3\xa9\xc3\xa9") },
};

static void strings_are_unescaped_in_their_own_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unescaped / sizeof unescaped[0]; i++) {
        size_t size = unescaped[i].inside.len;
        char *own = malloc(size > 0 ? size : 1);
        size_t len;

        if (size > 0)
            memcpy(own, unescaped[i].inside.at, size);
        len = xs_json_unescape((struct xs_slice){ own, size }, own);
        assert_int_equal(len, unescaped[i].plain.len);
        assert_memory_equal(own, unescaped[i].plain.at, len);
        free(own);
    }
}

static void what_is_no_string_is_unescaped_without_overrunning(void **state)
{
    static const char *const broken[] = { "\\",   "\\x",    "a\\",       "\\u",
                                          "\\u1", "\\u123", "\\ud83d\\", "\\ud83d\\u" };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        size_t size = strlen(broken[i]);
        char *own = malloc(size);

        memcpy(own, broken[i], size);
        assert_true(xs_json_unescape((struct xs_slice){ own, size }, own) <= size);
        free(own);
    }
}

/* ---- at random ---- */

static uint64_t random_here = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    random_here ^= random_here << 13;
    random_here ^= random_here >> 7;
    random_here ^= random_here << 17;
    return (uint32_t)(random_here >> 33) % n;
}

/* Pieces of which random texts are made: many of them nearly JSON. */
static const char *const pieces[] = {
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\\"",
    "\\\\",
    "\\n",
    "\\u00",
    "\\u0022",
    "\\u005c",
    "\\ud83d",
    "\\ude00",
    "\\/",
    "/",
    "0",
    "1",
    "-",
    ".",
    "e",
    "E",
    "+",
    "true",
    "false",
    "null",
    " ",
    "\n",
    "\t",
    "\r",
    "\x01",
    "a",
    "key",
    "\"k\":",
    "\"a\"",
    "\\\"k\\\":",
    "\xc3\xa9",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "\x80",
    "\xed\xa0\x80",
    "\xff",
    "a long plain run of text",
    "u",
    "n",
    "[]",
    "{}",
    "\"\"",
    "\\\"\\\"",
};

static size_t random_text(char *to)
{
    unsigned count = below(12);
    size_t len = 0;

    while (count-- > 0) {
        const char *piece = pieces[below(sizeof pieces / sizeof pieces[0])];

        memcpy(to + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return len;
}

static void random_texts_are_judged_as_by_the_grammar(void **state)
{
    char text[512];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct xs_slice slice = { text, random_text(text) };

        assert_int_equal(xs_json_valid(slice, 3), ref_valid(slice, 3));
        if (ref_inside(slice))
            valid_inside_exactly(slice, 3);
        else
            assert_false(xs_json_valid_escaped(slice, 3));
    }
}

static void accepted_texts_with_one_byte_changed_are_judged_as_by_the_grammar(void **state)
{
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        for (size_t at = 0; at < accepted[i].len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                struct xs_slice slice = { text, accepted[i].len };

                memcpy(text, accepted[i].at, accepted[i].len);
                text[at] = (char)byte;
                assert_int_equal(xs_json_valid(slice, DEPTH), ref_valid(slice, DEPTH));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_json_parse_accepts_is_accepted),
        cmocka_unit_test(what_json_parse_refuses_is_refused),
        cmocka_unit_test(no_beginning_of_a_text_is_read_past_its_end),
        cmocka_unit_test(an_empty_slice_without_a_place_is_no_json),
        cmocka_unit_test(depth_is_counted_in_levels),
        cmocka_unit_test(a_hundred_thousand_levels_are_refused_whatever_is_allowed),
        cmocka_unit_test(a_text_counts_the_same_inside_a_string_however_it_is_escaped),
        cmocka_unit_test(escapes_are_read_through),
        cmocka_unit_test(what_cannot_stand_in_a_string_is_refused_even_as_white_space),
        cmocka_unit_test(strings_are_unescaped_in_their_own_place),
        cmocka_unit_test(what_is_no_string_is_unescaped_without_overrunning),
        cmocka_unit_test(random_texts_are_judged_as_by_the_grammar),
        cmocka_unit_test(accepted_texts_with_one_byte_changed_are_judged_as_by_the_grammar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
