/* host: fake
 * needs: modules/protocols/mcu/mcu.c */
/* mcu - what an Arduino gets, byte for byte, and what its frames mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xs_slice welcome = { "\0McuProtocol\xff", 13 };

static int set_up(void **state)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "mcu"), NULL);
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

    xt_feed(conn, XS_SLICE("McuProtocol\r\n"));
    return conn;
}

static void the_greeting_is_answered_in_one_write(void **state)
{
    struct xs_conn *conn = greeted(state);

    assert_true(xs_slice_equal(xt_slice(&conn->written), welcome));
    assert_int_equal(conn->write_count, 1);
    assert_int_equal(conn->ready_count, 1);
    assert_int_equal(conn->pace, 0);
    xt_conn_free(conn);
}

/* println() writes the text and the line end apart. */
static void a_line_end_that_comes_late_is_part_of_the_greeting(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("McuProtocol"));
    xt_quiet(conn);
    assert_true(xs_slice_equal(xt_slice(&conn->written), welcome));
    xt_feed(conn, XS_SLICE("\r\n"));
    xt_feed_bytewise(conn, XS_SLICE("\0sensor|data|12\xff"));
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->errors.count, 0);
    assert_string_equal(conn->delivered[0].incoming.controller.at, "sensor");
    xt_conn_free(conn);
}

static void what_follows_a_silent_greeting_is_told_and_ends_the_connection(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("McuProtocol"));
    xt_quiet(conn);
    xt_feed(conn, XS_SLICE("sensor|data|12\r\n"));
    assert_int_equal(conn->delivered_count, 0);
    assert_int_equal(conn->errors.count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_PROTOCOL);
    xt_conn_free(conn);
}

static void bytes_outside_of_frames_are_told_and_the_next_frame_is_read(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed_bytewise(conn, XS_SLICE("a|b|c\r\n\0sensor|data|12\xff\r\n\0\xff"));
    assert_int_equal(conn->errors.count, 1);
    assert_string_equal(conn->errors.at[0], "a message begins with 0x00 and ends with 0xFF");
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->frames, 1);
    assert_int_equal(conn->close_count, 0);
    xt_conn_free(conn);
}

static void an_endless_frame_is_told_and_ends_the_connection(void **state)
{
    struct xt_host *host = *state;
    struct xs_conn *conn;

    host->limits.message = 64;
    host->limits.name = 16;
    conn = greeted(state);
    xt_feed(conn, XS_SLICE("\0"));
    for (int i = 0; i < 200 && conn->close_count == 0; i++)
        xt_feed(conn, XS_SLICE("x"));
    assert_int_equal(conn->fed, 13 + 1 + 64 + 2 * 16 + 8 + 1);
    assert_int_equal(conn->errors.count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_TOO_BIG);
    xt_conn_free(conn);
}

static void a_message_is_one_frame(void **state)
{
    struct xs_message *msg = xt_message_new("sensor", "data", xs_json("{\r\n\"a\":1}"));
    struct xs_conn *conn = greeted(state);
    struct xt_bytes out = { NULL, 0, 0 };

    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_OK);
    assert_true(xs_slice_equal(xt_slice(&out), XS_SLICE("\0sensor|data|{\r\n\"a\":1}\xff")));
    xt_bytes_free(&out);
    xt_message_free(msg);
    xt_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_greeting_is_answered_in_one_write),
        TEST(a_line_end_that_comes_late_is_part_of_the_greeting),
        TEST(what_follows_a_silent_greeting_is_told_and_ends_the_connection),
        TEST(bytes_outside_of_frames_are_told_and_the_next_frame_is_read),
        TEST(an_endless_frame_is_told_and_ends_the_connection),
        TEST(a_message_is_one_frame),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
