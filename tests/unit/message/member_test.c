/* member - one member of an object by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message/message.h"

static void members_are_found_in_strict_and_lenient_objects(void **state)
{
    static const struct {
        const char *object, *name, *value;
        enum xs_form form;
    } rows[] = {
        { "{\"M\":\"foo\",\"J\":\"{s:'bar',i:42}\"}", "M", "foo", XS_TEXT },
        { "{\"M\":\"foo\",\"J\":\"{s:'bar',i:42}\"}", "J", "{s:'bar',i:42}", XS_TEXT },
        { "{\"J\":\"{\\\"a\\\":1}\"}", "j", "{\"a\":1}", XS_TEXT },
        { "{M:'foo',J:'{s:\\'bar\\',i:42}'}", "J", "{s:'bar',i:42}", XS_TEXT },
        { "{M:'foo',J:{s:'bar'}}", "j", "{\"s\":\"bar\"}", XS_JSON },
        { " { \"a\" : 1 , \"A\" : [2, 3] } ", "a", "[2, 3]", XS_JSON },
        { "{\"a\":null}", "A", "null", XS_JSON },
        { "{\"a\":true}", "A", "true", XS_JSON },
        { "{\"a\":\"\"}", "a", "", XS_TEXT },
        { "{\"\\u0061\":\"\\u00e9\\n\\ud83d\"}", "a", "\xc3\xa9\n\xef\xbf\xbd", XS_TEXT },
        { "{\"a\":\"true\"}", "a", "true", XS_TEXT },
        { "{\"x\":{\"a\":1},\"a\":2}", "a", "2", XS_JSON },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xs_data value;

        if (xs_json_member(xs_slice_of(rows[i].object), rows[i].name, &value) != XS_OK)
            fail_msg("%s", rows[i].object);
        assert_int_equal(value.form, rows[i].form);
        assert_int_equal(value.bytes.len, strlen(rows[i].value));
        assert_memory_equal(value.bytes.at, rows[i].value, value.bytes.len);
    }
    xs_message_thread_end();
}

static void what_is_not_there_and_what_is_no_object_are_told_apart(void **state)
{
    static const char *const others[] = { "",      " ",          "[]",       "null",
                                          "\"a\"", "hello",      "{\"a\":1", "{\"a\":1}x",
                                          "{a}",   "[{\"a\":1}]" };
    struct xs_data value;

    (void)state;
    assert_int_equal(xs_json_member(XS_SLICE("{}"), "a", &value), XS_ENOTFOUND);
    assert_int_equal(xs_json_member(XS_SLICE("{\"b\":{\"a\":1}}"), "a", &value), XS_ENOTFOUND);
    assert_int_equal(xs_json_member(XS_SLICE("{b:'a'}"), "a", &value), XS_ENOTFOUND);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (xs_json_member(xs_slice_of(others[i]), "a", &value) != XS_EINVAL)
            fail_msg("%s", others[i]);
    assert_int_equal(xs_json_member((struct xs_slice){ NULL, 0 }, "a", &value), XS_EINVAL);
    xs_message_thread_end();
}

static void a_plain_member_of_a_strict_object_is_not_copied(void **state)
{
    struct xs_slice object = XS_SLICE("{\"a\":\"plain\"}");
    struct xs_data value;

    (void)state;
    assert_int_equal(xs_json_member(object, "a", &value), XS_OK);
    assert_ptr_equal(value.bytes.at, object.at + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_in_strict_and_lenient_objects),
        cmocka_unit_test(what_is_not_there_and_what_is_no_object_are_told_apart),
        cmocka_unit_test(a_plain_member_of_a_strict_object_is_not_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
