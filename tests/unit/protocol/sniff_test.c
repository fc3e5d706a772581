/* sniff - the first that does not say no decides, however the bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/sniff.h"

static enum xs_match word(struct xs_slice head, const char *greeting, bool quiet)
{
    size_t len = strlen(greeting);
    size_t n = head.len < len ? head.len : len;

    if (memcmp(head.at, greeting, n) != 0)
        return XS_MATCH_NO;
    if (head.len < len)
        return XS_MATCH_MORE;
    return quiet && head.len == len ? XS_MATCH_QUIET : XS_MATCH_YES;
}

static enum xs_match match_abc(struct xs_slice head)
{
    return word(head, "abc", false);
}

static enum xs_match match_abcdef(struct xs_slice head)
{
    return word(head, "abcdef", false);
}

static enum xs_match match_hush(struct xs_slice head)
{
    return word(head, "hush", true);
}

static enum xs_match match_endless(struct xs_slice head)
{
    return head.at[0] == 'm' ? XS_MATCH_MORE : XS_MATCH_NO;
}

static const struct xs_protocol_ops abc = { .name = "abc", .match = match_abc };
static const struct xs_protocol_ops abcdef = { .name = "abcdef", .match = match_abcdef };
static const struct xs_protocol_ops hush = { .name = "hush", .match = match_hush };
static const struct xs_protocol_ops endless = { .name = "endless", .match = match_endless };
static const struct xs_protocol_ops patient = { .name = "patient",
                                                .match = match_endless,
                                                .sniff_limit = 16384 };
static const struct xs_protocol_ops upgraded = { .name = "upgraded" };

static enum xs_sniff ask(const struct xs_protocol_ops *first,
                         const struct xs_protocol_ops *second, const char *bytes, size_t len,
                         bool last, size_t *who)
{
    const struct xs_protocol_ops *both[] = { first, second };

    return xs_sniff(both, second != NULL ? 2 : 1, (struct xs_slice){ bytes, len }, last, who);
}

static void who_claims_the_bytes_gets_them(void **state)
{
    size_t who = 9;

    (void)state;
    assert_int_equal(ask(&hush, &abc, "abc", 3, false, &who), XS_SNIFF_FOUND);
    assert_int_equal(who, 1);
    assert_int_equal(ask(&hush, &abc, "xyz", 3, false, &who), XS_SNIFF_NOBODY);
}

static void of_two_claimants_the_order_decides_at_once_and_byte_by_byte(void **state)
{
    size_t who;

    (void)state;
    for (size_t n = 1; n < 6; n++)
        assert_int_equal(ask(&abcdef, &abc, "abcdef", n, false, &who), XS_SNIFF_MORE);
    assert_int_equal(ask(&abcdef, &abc, "abcdef", 6, false, &who), XS_SNIFF_FOUND);
    assert_int_equal(who, 0);
    assert_int_equal(ask(&abc, &abcdef, "abcdef", 6, false, &who), XS_SNIFF_FOUND);
    assert_int_equal(who, 0);
    assert_int_equal(ask(&abc, &abcdef, "abc", 3, false, &who), XS_SNIFF_FOUND);
    assert_int_equal(who, 0);
}

static void who_may_still_come_gives_way_when_no_more_bytes_come(void **state)
{
    size_t who;

    (void)state;
    assert_int_equal(ask(&abcdef, &abc, "abc", 3, true, &who), XS_SNIFF_FOUND);
    assert_int_equal(who, 1);
    assert_int_equal(ask(&abcdef, NULL, "abc", 3, true, &who), XS_SNIFF_NOBODY);
}

static void a_quiet_greeting_is_taken_when_nothing_more_comes(void **state)
{
    size_t who;

    (void)state;
    assert_int_equal(ask(&hush, NULL, "hus", 3, false, &who), XS_SNIFF_MORE);
    assert_int_equal(ask(&hush, NULL, "hush", 4, false, &who), XS_SNIFF_QUIET);
    assert_int_equal(ask(&hush, NULL, "hush", 4, true, &who), XS_SNIFF_FOUND);
    assert_int_equal(ask(&hush, NULL, "hush\n", 5, false, &who), XS_SNIFF_FOUND);
}

static void more_is_no_at_the_limit_unless_the_module_has_its_own(void **state)
{
    static char bytes[16384];
    size_t who;

    (void)state;
    memset(bytes, 'm', sizeof bytes);
    assert_int_equal(ask(&endless, NULL, bytes, 4095, false, &who), XS_SNIFF_MORE);
    assert_int_equal(ask(&endless, NULL, bytes, 4096, false, &who), XS_SNIFF_NOBODY);
    assert_int_equal(ask(&patient, NULL, bytes, 16383, false, &who), XS_SNIFF_MORE);
    assert_int_equal(ask(&patient, NULL, bytes, 16384, false, &who), XS_SNIFF_NOBODY);
}

static void who_is_reached_by_an_upgrade_claims_nothing(void **state)
{
    size_t who;

    (void)state;
    assert_int_equal(ask(&upgraded, NULL, "abc", 3, false, &who), XS_SNIFF_NOBODY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_claims_the_bytes_gets_them),
        cmocka_unit_test(of_two_claimants_the_order_decides_at_once_and_byte_by_byte),
        cmocka_unit_test(who_may_still_come_gives_way_when_no_more_bytes_come),
        cmocka_unit_test(a_quiet_greeting_is_taken_when_nothing_more_comes),
        cmocka_unit_test(more_is_no_at_the_limit_unless_the_module_has_its_own),
        cmocka_unit_test(who_is_reached_by_an_upgrade_claims_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
