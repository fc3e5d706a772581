/* host: fake */
/* The questions that modules may ask of a request head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <xsockets/http.h>

#define HEADER(name, value)                                                                    \
    {                                                                                          \
        { (name), sizeof(name) - 1 },                                                          \
        {                                                                                      \
            (value), sizeof(value) - 1                                                         \
        }                                                                                      \
    }

static const struct xs_http_header headers[] = {
    HEADER("Host", "a"),
    HEADER("Connection", "keep-alive , Upgrade"),
    HEADER("connection", ",,\tTE,,"),
    HEADER("Empty", ""),
};

static struct xs_http_head head(void)
{
    struct xs_http_head it;

    memset(&it, 0, sizeof it);
    it.size = sizeof it;
    it.headers = headers;
    it.header_count = sizeof headers / sizeof headers[0];
    return it;
}

static void a_header_is_found_by_name_in_any_case(void **state)
{
    struct xs_http_head it = head();

    (void)state;
    assert_ptr_equal(xs_http_header(&it, "host"), &headers[0]);
    assert_ptr_equal(xs_http_header(&it, "CONNECTION"), &headers[1]);
    assert_ptr_equal(xs_http_header(&it, "empty"), &headers[3]);
    assert_null(xs_http_header(&it, "hos"));
    assert_null(xs_http_header(&it, "hosts"));
    assert_null(xs_http_header(&it, ""));
}

static void headers_of_one_name_are_counted(void **state)
{
    struct xs_http_head it = head(), none;

    (void)state;
    memset(&none, 0, sizeof none);
    assert_int_equal(xs_http_header_count(&it, "Connection"), 2);
    assert_int_equal(xs_http_header_count(&it, "Host"), 1);
    assert_int_equal(xs_http_header_count(&it, "Cookie"), 0);
    assert_int_equal(xs_http_header_count(&none, "Host"), 0);
}

static void a_word_is_found_in_every_list_of_that_name(void **state)
{
    struct xs_http_head it = head();

    (void)state;
    assert_true(xs_http_header_has(&it, "Connection", "upgrade"));
    assert_true(xs_http_header_has(&it, "connection", "KEEP-ALIVE"));
    assert_true(xs_http_header_has(&it, "connection", "te"));
    assert_false(xs_http_header_has(&it, "connection", "keep"));
    assert_false(xs_http_header_has(&it, "connection", "keep-alive , Upgrade"));
    assert_false(xs_http_header_has(&it, "connection", ""));
    assert_false(xs_http_header_has(&it, "Empty", ""));
    assert_false(xs_http_header_has(&it, "Cookie", "te"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_found_by_name_in_any_case),
        cmocka_unit_test(headers_of_one_name_are_counted),
        cmocka_unit_test(a_word_is_found_in_every_list_of_that_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
