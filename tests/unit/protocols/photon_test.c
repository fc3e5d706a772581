/* host: fake
 * needs: modules/protocols/photon/photon.c */
/* photon - a greeting without an end, and frames of exactly three parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host.h"

const struct xs_plugin *xs_plugin_entry(void);

#define GUID "7c9e6679-7425-40de-944b-e07fc1f90ae7"

static const struct xs_slice welcome = { "\0welcome\xff", 9 };

static int set_up(void **state)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "photon"), NULL);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    xt_host_free(*state);
    return 0;
}

static void a_persistent_id_needs_no_end_and_no_silence(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed_bytewise(conn, XS_SLICE("PhotonProtocol?PersistentId=" GUID));
    assert_int_equal(conn->ready_count, 1);
    assert_true(xs_slice_equal(xt_slice(&conn->written), welcome));
    assert_int_equal(conn->write_count, 1);
    xt_feed(conn, XS_SLICE("\0foo|1|\xff"));
    assert_string_equal(conn->query.at, "PersistentId=" GUID);
    assert_int_equal(conn->delivered_count, 1);
    xt_conn_free(conn);
}

static void without_one_silence_ends_the_greeting(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PhotonProtocol"));
    assert_int_equal(conn->ready_count, 0);
    xt_quiet(conn);
    assert_true(xs_slice_equal(xt_slice(&conn->written), welcome));
    /* And what comes then counts as if it had come at once. */
    xt_feed(conn, XS_SLICE("?PersistentId=" GUID "\0foo|1|\xff"));
    assert_string_equal(conn->query.at, "PersistentId=" GUID);
    assert_int_equal(conn->delivered_count, 1);
    xt_conn_free(conn);
}

static void fewer_than_three_parts_are_passed_over_without_a_word(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PhotonProtocol\0foo\xff\0foo|1\xff\0\xff\0foo|3|\xff"
                           "\0foo|s1|k,v,w\xff\0foo|5|bar\xff"));
    assert_int_equal(conn->errors.count, 0);
    assert_int_equal(conn->frames, 3);
    assert_int_equal(conn->delivered_count, 3);
    assert_string_equal(conn->delivered[0].incoming.topic.at, "3");
    assert_string_equal(conn->delivered[1].incoming.data.bytes.at,
                        "{\"K\":\"k\",\"V\":\"v,w\"}");
    assert_string_equal(conn->delivered[2].incoming.topic.at, "5");
    assert_string_equal(conn->delivered[2].incoming.data.bytes.at, "bar");
    xt_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_persistent_id_needs_no_end_and_no_silence),
        TEST(without_one_silence_ends_the_greeting),
        TEST(fewer_than_three_parts_are_passed_over_without_a_word),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
