/* host: fake
 * needs: modules/subprotocols/demo/demo.c */
/* demo - {M,J} to message and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host.h"
#include "message/message.h"

const struct xs_plugin *xs_plugin_entry(void);

static struct xs_conn *connected(const char *const *settings)
{
    struct xt_host *host = xt_host_new();

    host->known_controllers = "demo,chat";
    xt_host_subprotocol(host, xt_plugin_subprotocol(xs_plugin_entry(), "demo"), settings);
    return xt_conn_new_sub(host, "DemoProtocol", NULL);
}

static void gone(struct xs_conn *conn)
{
    struct xt_host *host = conn->host;

    xt_conn_free(conn);
    xt_host_free(host);
}

static void the_controller_is_opened_at_the_handshake(void **state)
{
    static const char *const chat[] = { "controller", "chat", NULL };
    struct xs_conn *conn = connected(NULL);

    (void)state;
    assert_int_equal(conn->opened.count, 1);
    assert_string_equal(conn->opened.at[0], "demo");
    gone(conn);
    conn = connected(chat);
    assert_string_equal(conn->opened.at[0], "chat");
    gone(conn);
}

static void a_controller_that_cannot_be_opened_refuses_the_client(void **state)
{
    static const char *const settings[] = { "controller", "nobody", NULL };
    struct xs_conn *conn = connected(settings);

    (void)state;
    assert_int_equal(conn->close_count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_REFUSED);
    gone(conn);
}

static void a_method_and_its_parameters_are_topic_and_data(void **state)
{
    static const struct {
        const char *payload, *topic;
        enum xs_form form;
        const char *data;
    } rows[] = {
        { "{\"M\":\"foo\",\"J\":\"{s:'bar',i:42}\"}", "foo", XS_TEXT, "{s:'bar',i:42}" },
        { "{\"M\":\"Foo\",\"J\":\"{\\\"s\\\":\\\"bar\\\",\\\"i\\\":42}\"}", "Foo", XS_JSON,
          "{\"s\":\"bar\",\"i\":42}" },
        { "{\"J\":\"hello\",\"M\":\"say\"}", "say", XS_TEXT, "hello" },
        { "{\"M\":\"say\",\"J\":\"\"}", "say", XS_TEXT, "" },
        { "{\"M\":\"say\",\"J\":42}", "say", XS_JSON, "42" },
        { "{\"M\":\"say\",\"J\":null}", "say", XS_JSON, "null" },
        { "{\"M\":\"say\",\"J\":{\"a\":[1]}}", "say", XS_JSON, "{\"a\":[1]}" },
        { "{\"m\":\"say\",\"j\":\"x\",\"other\":1}", "say", XS_TEXT, "x" },
        { "{'M':'say','J':'x'}", "say", XS_TEXT, "x" },
        { "{\"M\":\"s\\u0061y\",\"J\":\"\\u00e9\"}", "say", XS_TEXT, "\xc3\xa9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xs_conn *conn = connected(NULL);
        const struct xs_incoming *got;

        assert_int_equal(xt_payload(conn, xs_slice_of(rows[i].payload), false), XS_OK);
        assert_int_equal(conn->delivered_count, 1);
        got = &conn->delivered[0].incoming;
        assert_string_equal(got->controller.at, "demo");
        assert_string_equal(got->topic.at, rows[i].topic);
        assert_int_equal(got->data.form, rows[i].form);
        assert_int_equal(got->data.bytes.len, strlen(rows[i].data));
        assert_string_equal(got->data.bytes.at, rows[i].data);
        gone(conn);
    }
}

static void anything_else_is_an_error_and_ends_the_connection(void **state)
{
    static const struct {
        const char *payload;
        bool binary;
    } rows[] = {
        { "", false },
        { "hello", false },
        { "[]", false },
        { "{}", false },
        { "{\"M\":\"foo\"}", false },
        { "{\"J\":\"{}\"}", false },
        { "{\"M\":1,\"J\":\"{}\"}", false },
        { "{\"M\":null,\"J\":\"{}\"}", false },
        { "{\"M\":\"foo\",\"J\":\"{}\"", false },
        { "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"hi\"}", false },
        { "{\"M\":\"foo\",\"J\":\"{}\"}", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xs_conn *conn = connected(NULL);

        assert_int_equal(xt_payload(conn, xs_slice_of(rows[i].payload), rows[i].binary),
                         XS_EINVAL);
        assert_int_equal(conn->delivered_count, 0);
        assert_int_equal(conn->errors.count, 1);
        assert_int_equal(conn->reason, XS_CLOSE_NOT_A_MESSAGE);
        gone(conn);
    }
}

static void assert_out(struct xs_conn *conn, struct xs_message *msg, const char *wanted)
{
    struct xt_bytes out = { NULL, 0, 0 };
    bool binary = false;

    assert_int_equal(xt_encode(conn, msg, NULL, &out, &binary), XS_OK);
    assert_string_equal(out.at, wanted);
    assert_false(binary);
    xt_bytes_free(&out);
    xt_message_free(msg);
}

static void every_message_comes_out_without_its_controller(void **state)
{
    struct xs_conn *conn = connected(NULL);

    (void)state;
    assert_out(
        conn,
        xt_message_new("demo", "foo", xs_json("{\"stringValue\":\"bar\",\"intValue\":42}")),
        "{\"M\":\"foo\",\"J\":\"{\\\"stringValue\\\":\\\"bar\\\",\\\"intValue\\\":42}\"}");
    assert_out(conn, xt_message_new("demo", "say", xs_text("hello")),
               "{\"M\":\"say\",\"J\":\"\\\"hello\\\"\"}");
    assert_out(conn, xt_message_new("demo", "2", xs_json("{\"CI\":\"x\"}")),
               "{\"M\":\"2\",\"J\":\"{\\\"CI\\\":\\\"x\\\"}\"}");
    assert_out(conn, xt_message_new("demo", "a\"b\r\n", xs_null()),
               "{\"M\":\"a\\\"b\\r\\n\",\"J\":\"null\"}");
    gone(conn);
}

static void binary_messages_are_refused(void **state)
{
    struct xs_conn *conn = connected(NULL);
    struct xs_message *msg = xt_message_new_blob("demo", "foo", xs_null(), XS_SLICE("x"));
    struct xt_bytes out = { NULL, 0, 0 };

    (void)state;
    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_EREFUSED);
    xt_bytes_free(&out);
    xt_message_free(msg);
    gone(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_controller_is_opened_at_the_handshake),
        cmocka_unit_test(a_controller_that_cannot_be_opened_refuses_the_client),
        cmocka_unit_test(a_method_and_its_parameters_are_topic_and_data),
        cmocka_unit_test(anything_else_is_an_error_and_ends_the_connection),
        cmocka_unit_test(every_message_comes_out_without_its_controller),
        cmocka_unit_test(binary_messages_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
