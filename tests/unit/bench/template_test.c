/* rooms: base
 * needs: bench/template.c bench/base.c */
/* template - what stands there, and what is put in its places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../bench/template.h"

static const struct values values = {
    .payload = "say \"a\\b\"", .topic = "news/000001", .controller = "chat", .number = 42
};

static void expect(const char *source, const char *bytes, size_t len)
{
    struct template template;
    struct bytes out = { 0 };
    char error[TEMPLATE_ERROR] = "";

    if (!xs_bench_template_read(&template, source, error))
        fail_msg("%s: %s", source, error);
    xs_bench_template_put(&template, &values, &out);
    assert_int_equal(out.len, len);
    if (len > 0)
        assert_memory_equal(out.at, bytes, len);
    xs_bench_free(&out);
    xs_bench_template_free(&template);
}

static void expect_text(const char *source, const char *text)
{
    expect(source, text, strlen(text));
}

static void expect_error(const char *source, const char *sentence)
{
    struct template template;
    char error[TEMPLATE_ERROR] = "";

    assert_false(xs_bench_template_read(&template, source, error));
    assert_string_equal(error, sentence);
    xs_bench_template_free(&template);
}

static void places_are_filled_and_all_else_stands(void **state)
{
    (void)state;
    expect_text("", "");
    expect_text("hello", "hello");
    expect_text("{payload}", "say \"a\\b\"");
    expect_text("{size}", "9");
    expect_text("{json}", "say \\\"a\\\\b\\\"");
    expect_text("{number}{number}", "4242");
    expect_text("{controller}|{topic}|", "chat|news/000001|");
    expect_text("PUB {topic} {size}!", "PUB news/000001 9!");
}

static void braces_that_are_no_places_stand_for_themselves(void **state)
{
    (void)state;
    expect_text("{\"C\":\"{controller}\"}", "{\"C\":\"chat\"}");
    expect_text("{}", "{}");
    expect_text("{{number}}", "{42}");
    expect_text("{Payload}", "{Payload}");
    expect_text("{payload", "{payload");
}

static void escapes_are_bytes(void **state)
{
    (void)state;
    expect("a\\r\\n", "a\r\n", 3);
    expect("\\x00{number}\\xff\\xFE",
           "\0"
           "42\xff\xfe",
           5);
    expect_text("\\\\n", "\\n");
    expect_text("\\x7bpayload}", "{payload}");
}

static void what_is_no_template_is_told(void **state)
{
    (void)state;
    expect_error("{paylod}", "{paylod} is no place that is known; \\x7b is a {");
    expect_error("a\\tb", "\\tb is no escape; there are \\r \\n \\\\ and \\xHH");
    expect_error("\\x4", "\\x4 is no escape; there are \\r \\n \\\\ and \\xHH");
    expect_error("\\", "\\ is no escape; there are \\r \\n \\\\ and \\xHH");
    expect_error(
        "{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}"
        "{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}{size}",
        "more than 24 parts");
}

static void a_template_tells_which_places_it_has(void **state)
{
    struct template template;
    char error[TEMPLATE_ERROR];

    (void)state;
    assert_true(xs_bench_template_read(&template, "a {json} {number}", error));
    assert_true(xs_bench_template_has(&template, PLACE_JSON));
    assert_true(xs_bench_template_has(&template, PLACE_NUMBER));
    assert_false(xs_bench_template_has(&template, PLACE_PAYLOAD));
    xs_bench_template_free(&template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_and_all_else_stands),
        cmocka_unit_test(braces_that_are_no_places_stand_for_themselves),
        cmocka_unit_test(escapes_are_bytes),
        cmocka_unit_test(what_is_no_template_is_told),
        cmocka_unit_test(a_template_tells_which_places_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
