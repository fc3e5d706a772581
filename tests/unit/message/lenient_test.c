/* lenient - single quotes and bare keys become strict JSON; what is not even that is refused
 * whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "message/json.h"

#define DEPTH 8

static void the_lenient_forms_become_strict(void **state)
{
    static const struct {
        const char *lenient, *strict;
    } forms[] = {
        { "{'T':'8','D':'x','C':''}", "{\"T\":\"8\",\"D\":\"x\",\"C\":\"\"}" },
        { "{s:'bar',i:42}", "{\"s\":\"bar\",\"i\":42}" },
        { "{D:\"hi\",T:'say',C:'chat'}", "{\"D\":\"hi\",\"T\":\"say\",\"C\":\"chat\"}" },
        { "{T:1,C:'chat'}", "{\"T\":1,\"C\":\"chat\"}" },
        { "{t:'foo', c:'bar', d:{name:'Steve', Age:42}}",
          "{\"t\":\"foo\", \"c\":\"bar\", \"d\":{\"name\":\"Steve\", \"Age\":42}}" },
        { "'it\\'s'", "\"it's\"" },
        { "'say \"hi\"'", "\"say \\\"hi\\\"\"" },
        { "'{\"a\":1}'", "\"{\\\"a\\\":1}\"" },
        { "'a\\n\\u0041\\\\'", "\"a\\n\\u0041\\\\\"" },
        { "'one\ntwo\t'", "\"one\\ntwo\\t\"" },
        { "'\x01'", "\"\\u0001\"" },
        { "'\xc3\xa9'", "\"\xc3\xa9\"" },
        { "{\xc3\xa9t\xc3\xa9:1}", "{\"\xc3\xa9t\xc3\xa9\":1}" },
        { "{_a$1 : true , b\n:\nnull}", "{\"_a$1\" : true , \"b\"\n:\nnull}" },
        { "{1:2,true:false}", "{\"1\":2,\"true\":false}" },
        { "['a',-1.5e+3,[],{}]", "[\"a\",-1.5e+3,[],{}]" },
        { "{'a:b':\"c'd\"}", "{\"a:b\":\"c'd\"}" },
        { "{\"strict\": [1, \"\\u0022\"]}", "{\"strict\": [1, \"\\u0022\"]}" },
        { "''", "\"\"" },
        { " 12 ", " 12 " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct xs_buf out = { 0 };

        xs_buf_append(&out, XS_SLICE("before"));
        if (xs_json_from_lenient(xs_slice_of(forms[i].lenient), DEPTH, &out) != XS_OK)
            fail_msg("refused: %s", forms[i].lenient);
        xs_buf_append_byte(&out, '\0');
        assert_string_equal(out.at + strlen("before"), forms[i].strict);
        xs_free(out.at);
    }
}

static void what_is_not_even_lenient_leaves_nothing_behind(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "hello",
        "{s:bar}",
        "{s:'bar'",
        "{s:'bar}",
        "{'s':'it's'}",
        "{s:'bar',}",
        "{'a':'\\x'}",
        "{a b:1}",
        "{-a:1}",
        "{a-b:1}",
        "{1.5:2}",
        "{a:01}",
        "{a:undefined}",
        "['a' 'b']",
        "{'a'='b'}",
        "'\xff'",
        "{\xff:1}",
        "'a\\",
        "\"a",
        "\"a\nb\"",
        "{a:1}{b:2}",
        "'a'b",
        "/*x*/1",
        "{\"a\":\"\\q\"}",
        ":",
        "a:",
        "[1 2]",
        "{a:1 2}",
        "[tr ue]",
        "'a':1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct xs_buf out = { 0 };

        xs_buf_append(&out, XS_SLICE("before"));
        if (xs_json_from_lenient(xs_slice_of(texts[i]), DEPTH, &out) != XS_EINVAL)
            fail_msg("accepted: %s", texts[i]);
        assert_int_equal(out.len, strlen("before"));
        xs_free(out.at);
    }
}

static void depth_is_limited(void **state)
{
    struct xs_buf out = { 0 };

    (void)state;
    assert_int_equal(xs_json_from_lenient(XS_SLICE("{a:[{b:'c'}]}"), 3, &out), XS_OK);
    out.len = 0;
    assert_int_equal(xs_json_from_lenient(XS_SLICE("{a:[{b:'c'}]}"), 2, &out), XS_ETOOBIG);
    assert_int_equal(out.len, 0);
    xs_free(out.at);
}

static void a_full_buffer_is_said(void **state)
{
    struct xs_buf out = { .limit = 8 };

    (void)state;
    assert_int_equal(xs_json_from_lenient(XS_SLICE("{a:'bcdefgh'}"), DEPTH, &out), XS_ENOMEM);
    assert_int_equal(out.len, 0);
    xs_free(out.at);
}

static void white_space_behind_words_costs_no_more_than_once(void **state)
{
    size_t len = 1000000;
    char *text = malloc(len);
    struct xs_buf out = { 0 };

    (void)state;
    memset(text, ' ', len);
    for (size_t i = 0; i < len; i += 2)
        text[i] = 'a';
    assert_int_equal(xs_json_from_lenient((struct xs_slice){ text, len }, DEPTH, &out),
                     XS_EINVAL);
    memset(text, '[', len);
    assert_int_equal(xs_json_from_lenient((struct xs_slice){ text, len }, DEPTH, &out),
                     XS_ETOOBIG);
    free(text);
    xs_free(out.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lenient_forms_become_strict),
        cmocka_unit_test(what_is_not_even_lenient_leaves_nothing_behind),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_full_buffer_is_said),
        cmocka_unit_test(white_space_behind_words_costs_no_more_than_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
