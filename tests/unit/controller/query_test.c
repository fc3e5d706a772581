/* query - the parameters of a connect request.
 * rooms: all */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/clients.h"

static char seen[512];

static enum xs_err note(void *context, struct xs_slice name, struct xs_slice value)
{
    size_t len = strlen(seen);

    (void)context;
    (void)snprintf(seen + len, sizeof seen - len, "[%.*s=%.*s]", (int)name.len, name.at,
                   (int)value.len, value.at);
    return XS_OK;
}

static void expect(const char *query, const char *pairs)
{
    seen[0] = '\0';
    assert_int_equal(xs_query_read(xs_slice_of(query), 255, note, NULL), XS_OK);
    assert_string_equal(seen, pairs);
}

static void pairs_are_read_in_order(void **state)
{
    (void)state;
    expect("?qos=1&PersistentId=abc", "[qos=1][PersistentId=abc]");
    expect("a=1", "[a=1]");
    expect("", "");
    expect("?", "");
    expect("&&a=1&&b&=c&", "[a=1][b=]");
    expect("a=b=c", "[a=b=c]");
}

static void percent_and_plus_are_decoded(void **state)
{
    (void)state;
    expect("name=J%C3%BCrgen+M", "[name=J\xc3\xbcrgen M]");
    expect("%61=%3D%26", "[a==&]");
    expect("a=100%", "[a=100%]");
    expect("a=%g1%4", "[a=%g1%4]");
}

static void a_name_over_the_limit_is_refused(void **state)
{
    (void)state;
    assert_int_equal(xs_query_read(XS_SLICE("abc=1"), 2, note, NULL), XS_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_in_order),
        cmocka_unit_test(percent_and_plus_are_decoded),
        cmocka_unit_test(a_name_over_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
