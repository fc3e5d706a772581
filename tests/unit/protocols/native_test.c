/* host: fake
 * needs: modules/subprotocols/native/native.c */
/* native - plain WebSocket clients: payload to message and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host.h"
#include "message/message.h"

const struct xs_plugin *xs_plugin_entry(void);

/* A host with these settings (NULL: the standard ones), and a client of it. */
static struct xs_conn *connected(const char *const *settings)
{
    struct xt_host *host = xt_host_new();

    host->known_controllers = "chat";
    xt_host_subprotocol(host, xt_plugin_subprotocol(xs_plugin_entry(), "native"), settings);
    return xt_conn_new_sub(host, "", NULL);
}

static void gone(struct xs_conn *conn)
{
    struct xt_host *host = conn->host;

    xt_conn_free(conn);
    xt_host_free(host);
}

static const char *const chat[] = { "controller", "chat", "topic", "say", NULL };

static void the_controller_is_opened_at_the_handshake(void **state)
{
    struct xs_conn *conn = connected(chat);

    (void)state;
    assert_int_equal(conn->opened.count, 1);
    assert_string_equal(conn->opened.at[0], "chat");
    assert_int_equal(conn->subscriptions.count, 0);
    gone(conn);
}

static void a_client_is_subscribed_to_the_topic_of_the_settings(void **state)
{
    static const char *const settings[] = { "controller", "chat", "subscribe", "news/#", NULL };
    struct xs_conn *conn = connected(settings);

    (void)state;
    assert_int_equal(conn->subscriptions.count, 1);
    assert_string_equal(conn->subscriptions.at[0], "chat|news/#");
    gone(conn);
}

static void a_controller_that_cannot_be_opened_refuses_the_client(void **state)
{
    static const char *const settings[] = { "controller", "nobody", "topic", "say", NULL };
    struct xs_conn *conn = connected(settings);

    (void)state;
    assert_int_equal(conn->close_count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_REFUSED);
    gone(conn);
}

static void text_is_data(void **state)
{
    struct xs_conn *conn = connected(chat);
    const struct xs_incoming *got;

    (void)state;
    assert_int_equal(xt_payload(conn, XS_SLICE("{\"a\":1} "), false), XS_OK);
    assert_int_equal(xt_payload(conn, XS_SLICE("{a:1}"), false), XS_OK);
    assert_int_equal(xt_payload(conn, XS_SLICE(""), false), XS_OK);
    assert_int_equal(conn->delivered_count, 3);
    got = &conn->delivered[0].incoming;
    assert_string_equal(got->controller.at, "chat");
    assert_string_equal(got->topic.at, "say");
    assert_int_equal(got->data.form, XS_JSON);
    assert_string_equal(got->data.bytes.at, "{\"a\":1} ");
    assert_false(got->has_blob);
    got = &conn->delivered[1].incoming;
    assert_int_equal(got->data.form, XS_TEXT);
    assert_string_equal(got->data.bytes.at, "{a:1}");
    got = &conn->delivered[2].incoming;
    assert_int_equal(got->data.form, XS_TEXT);
    assert_int_equal(got->data.bytes.len, 0);
    gone(conn);
}

static void binary_is_a_blob_without_data(void **state)
{
    struct xs_conn *conn = connected(chat);
    const struct xs_incoming *got;

    (void)state;
    assert_int_equal(xt_payload(conn, XS_SLICE("\0\xff"), true), XS_OK);
    assert_int_equal(conn->delivered_count, 1);
    got = &conn->delivered[0].incoming;
    assert_string_equal(got->data.bytes.at, "null");
    assert_int_equal(got->data.form, XS_JSON);
    assert_true(got->has_blob);
    assert_true(xs_slice_equal(got->blob, XS_SLICE("\0\xff")));
    gone(conn);
}

static void who_may_only_listen_is_refused_when_it_speaks(void **state)
{
    static const char *const listen[] = { "controller", "chat", "subscribe", "news", NULL };
    const char *const *const settings[] = { NULL, listen };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct xs_conn *conn = connected(settings[i]);

        assert_int_equal(conn->close_count, 0);
        assert_int_equal(xt_payload(conn, XS_SLICE("hello"), false), XS_OK);
        assert_int_equal(conn->delivered_count, 0);
        assert_int_equal(conn->close_count, 1);
        assert_int_equal(conn->reason, XS_CLOSE_REFUSED);
        assert_non_null(conn->detail);
        gone(conn);
    }
}

static void assert_out(struct xs_conn *conn, struct xs_message *msg, struct xs_slice wanted,
                       bool binary)
{
    struct xt_bytes out = { NULL, 0, 0 };
    bool is_binary = !binary;

    assert_int_equal(xt_encode(conn, msg, NULL, &out, &is_binary), XS_OK);
    assert_true(xs_slice_equal(xt_slice(&out), wanted));
    if (wanted.len > 0)
        assert_int_equal(is_binary, binary);
    xt_bytes_free(&out);
    xt_message_free(msg);
}

static void only_data_comes_out(void **state)
{
    struct xs_conn *conn = connected(chat);

    (void)state;
    assert_out(conn, xt_message_new("chat", "say", xs_text("a \"b\"\r\n")),
               XS_SLICE("a \"b\"\r\n"), false);
    assert_out(conn, xt_message_new("chat", "say", xs_text("")), XS_SLICE(""), false);
    assert_out(conn, xt_message_new("chat", "say", xs_json("\"b\"")), XS_SLICE("\"b\""), false);
    assert_out(conn,
               xt_message_new("chat", "say",
                              (struct xs_data){ XS_SLICE("{\\\"a\\\":1}"), XS_JSON_ESCAPED }),
               XS_SLICE("{\"a\":1}"), false);
    assert_out(conn, xt_message_new_blob("chat", "say", xs_json("{}"), XS_SLICE("\0\xff")),
               XS_SLICE("\0\xff"), true);
    assert_out(conn, xt_message_new("chat", "get_room", xs_json("\"x\"")), XS_SLICE("\"x\""),
               false);
    gone(conn);
}

static void what_the_server_says_of_itself_does_not_come_out_but_errors_do(void **state)
{
    static const char *const silent[] = { "1",  "2",  "3",  "5",  "6",  "7",     "8", "9",
                                          "10", "11", "12", "13", "14", "__say", "__" };
    struct xs_conn *conn = connected(chat);

    (void)state;
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        assert_out(conn, xt_message_new("chat", silent[i], xs_json("{\"CI\":1}")), XS_SLICE(""),
                   false);
    assert_out(conn, xt_message_new("", "4", xs_json("{\"Message\":\"no\"}")),
               XS_SLICE("{\"Message\":\"no\"}"), false);
    assert_out(conn, xt_message_new("", "0", xs_json("\"no\"")), XS_SLICE("\"no\""), false);
    assert_out(conn, xt_message_new("chat", "15", xs_json("1")), XS_SLICE("1"), false);
    assert_out(conn, xt_message_new("chat", "_x", xs_json("1")), XS_SLICE("1"), false);
    gone(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_controller_is_opened_at_the_handshake),
        cmocka_unit_test(a_client_is_subscribed_to_the_topic_of_the_settings),
        cmocka_unit_test(a_controller_that_cannot_be_opened_refuses_the_client),
        cmocka_unit_test(text_is_data),
        cmocka_unit_test(binary_is_a_blob_without_data),
        cmocka_unit_test(who_may_only_listen_is_refused_when_it_speaks),
        cmocka_unit_test(only_data_comes_out),
        cmocka_unit_test(what_the_server_says_of_itself_does_not_come_out_but_errors_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
