/* host: fake
 * needs: modules/protocols/json/json.c */
/* json - envelopes in frames for a client that dies of every name but the one it typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "host.h"

const struct xs_plugin *xs_plugin_entry(void);

#define WELCOME "\0{\"T\":\"1\",\"D\":\"Welcome\",\"C\":\"\"}\xff"

static int set_up(void **state)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "json"), NULL);
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

    xt_feed(conn, XS_SLICE("JsonProtocol"));
    xt_quiet(conn);
    assert_true(xs_slice_equal(xt_slice(&conn->written), XS_SLICE(WELCOME)));
    return conn;
}

static void the_greeting_is_one_write_and_sets_the_pace(void **state)
{
    static const char *const pairs[] = { "pace", "0", NULL };
    struct xs_conn *conn = greeted(state);
    struct xt_host *host;

    assert_int_equal(conn->write_count, 1);
    assert_int_equal(conn->pace, 5);
    xt_conn_free(conn);
    host = xt_host_new();
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "json"), pairs);
    conn = xt_conn_new(host);
    xt_feed(conn, XS_SLICE("JsonProtocol?a=b\n"));
    assert_int_equal(conn->pace, 0);
    assert_string_equal(conn->query.at, "a=b");
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_frame_is_an_envelope(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed_bytewise(
        conn, XS_SLICE("\0{\"T\":\"1\",\"D\":\"{\\\"init\\\":true}\",\"C\":\"Generic\"}\xff"
                       "\0{'T':'say','D':'hi','C':'generic','N':7}\xff"));
    assert_int_equal(conn->delivered_count, 2);
    assert_string_equal(conn->delivered[0].incoming.controller.at, "Generic");
    assert_string_equal(conn->delivered[0].incoming.topic.at, "1");
    assert_int_equal(conn->delivered[0].incoming.data.form, XS_JSON_ESCAPED);
    assert_string_equal(conn->delivered[1].incoming.data.bytes.at, "hi");
    assert_int_equal(conn->delivered[1].incoming.correlation, 7);
    xt_conn_free(conn);
}

/* Its buffer has as many bytes as the JSON has characters. */
static void a_frame_that_was_cut_short_is_passed_over(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("\0{\"T\":\"say\",\"D\":\"gr\xc3\xbc\xc3\x9f\x65\",\"C\":\"chat\xff"
                           "\0\xc3\xff\0\xff\0[]\xff\0{\"T\":\"x\"\xff\xff\0{}\xff"
                           "\0{\"T\":\"say\",\"C\":\"chat\"}\xff"));
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->frames, 6);
    assert_int_equal(conn->errors.count, 0);
    assert_int_equal(conn->close_count, 0);
    xt_conn_free(conn);
}

static void assert_out(struct xs_conn *conn, const char *controller, const char *topic,
                       const struct xs_personal *who, struct xs_slice wanted)
{
    struct xs_message *msg = xt_message_new(controller, topic, xs_text("x"));
    struct xt_bytes out = { NULL, 0, 0 };

    assert_int_equal(xt_encode(conn, msg, who, &out, NULL), XS_OK);
    if (!xs_slice_equal(xt_slice(&out), wanted))
        fail_msg("%s", out.len > 0 ? out.at + 1 : "nothing");
    xt_bytes_free(&out);
    xt_message_free(msg);
}

static void a_controller_has_the_name_that_came_first(void **state)
{
    const struct xs_personal who = { sizeof who, true, -5, 0, NULL };
    struct xs_conn *conn = greeted(state);

    xt_feed(conn,
            XS_SLICE("\0{\"T\":\"1\",\"C\":\"CHAT\"}\xff\0{\"T\":\"1\",\"C\":\"Chat\"}\xff"
                     "\0{\"T\":\"1\",\"C\":\"echo\"}\xff\0{\"T\":\"1\",\"C\":\"Echo\"}\xff"
                     "\0{\"T\":\"1\",\"C\":\"Chats\"}\xff"));
    assert_out(conn, "chat", "say", NULL,
               XS_SLICE("\0{\"C\":\"CHAT\",\"T\":\"say\",\"D\":\"\\\"x\\\"\"}\xff"));
    assert_out(conn, "echo", "say", NULL,
               XS_SLICE("\0{\"C\":\"echo\",\"T\":\"say\",\"D\":\"\\\"x\\\"\"}\xff"));
    assert_out(conn, "chats", "say", &who,
               XS_SLICE("\0{\"C\":\"Chats\",\"T\":\"say\",\"D\":\"\\\"x\\\"\",\"N\":-5}\xff"));
    /* One that this client has never named. */
    assert_out(conn, "cha", "say", &who,
               XS_SLICE("\0{\"C\":\"cha\",\"T\":\"say\",\"D\":\"\\\"x\\\"\",\"N\":-5}\xff"));
    xt_conn_free(conn);
}

static void a_name_with_escapes_comes_back_with_them(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("\0{\"T\":\"1\",\"C\":\"A\\\"\\u0001\\\\\xc3\x84\"}\xff"));
    assert_out(
        conn, "a\"\x01\\\xc3\x84", "say", NULL,
        XS_SLICE("\0{\"C\":\"A\\\"\\u0001\\\\\xc3\x84\",\"T\":\"say\",\"D\":\"\\\"x\\\"\"}"
                 "\xff"));
    xt_conn_free(conn);
}

static void a_name_that_no_controller_has_is_passed_over(void **state)
{
    struct xs_conn *conn = greeted(state);
    char frame[128];

    for (size_t len = 64; len <= 65; len++) {
        int size =
            snprintf(frame + 1, sizeof frame - 1, "{\"T\":\"1\",\"C\":\"%.*s\"}\xff", (int)len,
                     "XxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxX");

        frame[0] = '\0';
        xt_feed(conn, (struct xs_slice){ frame, (size_t)size + 1 });
        assert_int_equal(conn->delivered_count, 1);
    }
    assert_int_equal(conn->frames, 1);
    assert_int_equal(conn->close_count, 0);
    assert_out(conn, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "say",
               NULL,
               XS_SLICE("\0{\"C\":\""
                        "Xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                        "\",\"T\":\"say\",\"D\":\"\\\"x\\\"\"}\xff"));
    xt_conn_free(conn);
}

static void one_name_more_than_there_may_be_controllers_ends_the_connection(void **state)
{
    struct xt_host *host = *state;
    struct xs_conn *conn;

    host->limits.controllers = 2;
    conn = greeted(state);
    xt_feed(conn, XS_SLICE("\0{\"T\":\"1\",\"C\":\"a\"}\xff\0{\"T\":\"1\",\"C\":\"b\"}\xff"
                           "\0{\"T\":\"1\",\"C\":\"A\"}\xff"));
    assert_int_equal(conn->delivered_count, 3);
    assert_int_equal(conn->close_count, 0);
    xt_feed(conn, XS_SLICE("\0{\"T\":\"1\",\"C\":\"c\"}\xff"));
    assert_int_equal(conn->delivered_count, 3);
    assert_int_equal(conn->reason, XS_CLOSE_TOO_BIG);
    xt_conn_free(conn);
}

static void nothing_without_a_controller_and_nothing_binary_is_said(void **state)
{
    struct xs_message *blob = xt_message_new_blob("chat", "say", xs_null(), XS_SLICE("x"));
    struct xs_conn *conn = greeted(state);
    struct xt_bytes out = { NULL, 0, 0 };

    assert_out(conn, "", "4", NULL, XS_SLICE(""));
    assert_out(conn, "", "8", NULL, XS_SLICE(""));
    assert_int_equal(xt_encode(conn, blob, NULL, &out, NULL), XS_EREFUSED);
    xt_bytes_free(&out);
    xt_message_free(blob);
    xt_conn_free(conn);
}

static void a_frame_over_the_limit_ends_the_connection(void **state)
{
    struct xt_host *host = *state;
    struct xs_conn *conn;

    host->limits.message = 64;
    conn = greeted(state);
    xt_feed(conn, XS_SLICE("\0"));
    for (int i = 0; i < 100 && conn->close_count == 0; i++)
        xt_feed(conn, XS_SLICE("x"));
    assert_int_equal(conn->fed, 12 + 1 + 65);
    assert_int_equal(conn->reason, XS_CLOSE_TOO_BIG);
    xt_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_greeting_is_one_write_and_sets_the_pace),
        TEST(a_frame_is_an_envelope),
        TEST(a_frame_that_was_cut_short_is_passed_over),
        TEST(a_controller_has_the_name_that_came_first),
        TEST(a_name_with_escapes_comes_back_with_them),
        TEST(a_name_that_no_controller_has_is_passed_over),
        TEST(one_name_more_than_there_may_be_controllers_ends_the_connection),
        TEST(nothing_without_a_controller_and_nothing_binary_is_said),
        TEST(a_frame_over_the_limit_ends_the_connection),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
