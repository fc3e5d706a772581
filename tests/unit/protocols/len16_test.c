/* host: fake
 * needs: modules/protocols/len16/len16.c */
/* len16 - lengths, as they are read and as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host.h"

const struct xs_plugin *xs_plugin_entry(void);

static int set_up(void **state)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "len16"), NULL);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    xt_host_free(*state);
    return 0;
}

static struct xs_conn *greeted(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("Len16Protocol?a=b\r\n"));
    assert_true(xs_slice_equal(xt_slice(&conn->written), XS_SLICE("\0\7welcome")));
    assert_string_equal(conn->query.at, "a=b");
    return conn;
}

static void silence_does_not_end_its_greeting(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("Len16Protocol"));
    xt_quiet(conn);
    assert_int_equal(conn->ready_count, 0);
    xt_conn_free(conn);
}

static void frames_are_read_by_their_length(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed_bytewise(conn, XS_SLICE("\0\10a|b|\r\n\0\xc2\0\0\0\5c|d|e"));
    assert_int_equal(conn->close_count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_BAD_UTF8);
    xt_conn_free(conn);
    conn = greeted(state);
    xt_feed_bytewise(conn, XS_SLICE("\0\7a|b|\r\n\0\0\0\0\5c|d|e\0\1x\0\5f|g|h"));
    assert_int_equal(conn->delivered_count, 3);
    assert_int_equal(conn->delivered[0].incoming.data.bytes.len, 3);
    assert_int_equal(conn->frames, 1);
    assert_int_equal(conn->errors.count, 1);
    assert_int_equal(conn->close_count, 0);
    xt_conn_free(conn);
}

static void a_length_over_the_limits_is_told_before_its_bytes_have_come(void **state)
{
    struct xt_host *host = *state;
    struct xs_conn *conn;

    host->limits.message = 64;
    host->limits.name = 16;
    conn = greeted(state);
    xt_feed(conn, XS_SLICE("\0\x69"));
    assert_int_equal(conn->errors.count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_TOO_BIG);
    xt_conn_free(conn);
}

static void a_message_goes_out_behind_its_length_unless_two_bytes_cannot_say_it(void **state)
{
    static char text[65536];
    struct xs_conn *conn = greeted(state);
    struct xt_bytes out = { NULL, 0, 0 };

    memset(text, 'x', sizeof text);
    /* a|b|"xxx" */
    for (size_t len = 65535 - 6; len <= 65536 - 6; len++) {
        struct xs_message *msg =
            xt_message_new("a", "b", xs_text_slice((struct xs_slice){ text, len }));

        assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL),
                         len == 65535 - 6 ? XS_OK : XS_EREFUSED);
        assert_int_equal(out.len, len == 65535 - 6 ? 2 + 65535 : 0);
        if (out.len > 0)
            assert_memory_equal(out.at,
                                "\xff\xff"
                                "a|b|\"x",
                                8);
        xt_message_free(msg);
    }
    xt_bytes_free(&out);
    xt_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(silence_does_not_end_its_greeting),
        TEST(frames_are_read_by_their_length),
        TEST(a_length_over_the_limits_is_told_before_its_bytes_have_come),
        TEST(a_message_goes_out_behind_its_length_unless_two_bytes_cannot_say_it),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
