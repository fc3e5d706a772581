/* host: fake
 * needs: modules/subprotocols/xsocketsnet/xsocketsnet.c */
/* xsocketsnet - what the original clients send, and the exact bytes that they get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "host.h"
#include "message/message.h"

const struct xs_plugin *xs_plugin_entry(void);

static int set_up(void **state)
{
    struct xt_host *host = xt_host_new();

    xt_host_subprotocol(host, xt_plugin_subprotocol(xs_plugin_entry(), "xsocketsnet"), NULL);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    xt_host_free(*state);
    return 0;
}

static struct xs_conn *connected(void **state)
{
    return xt_conn_new_sub(*state, "XSocketsNET", NULL);
}

static void assert_message(const struct xs_conn *conn, const char *controller,
                           const char *topic, enum xs_form form, const char *data)
{
    const struct xs_incoming *got;

    assert_int_equal(conn->delivered_count, 1);
    got = &conn->delivered[0].incoming;
    assert_string_equal(got->controller.at, controller);
    assert_string_equal(got->topic.at, topic);
    assert_int_equal(got->data.form, form);
    assert_int_equal(got->data.bytes.len, strlen(data));
    assert_string_equal(got->data.bytes.at, data);
}

/* ---- text in ---- */

static void envelopes_of_all_clients_are_understood(void **state)
{
    static const struct {
        const char *text, *controller, *topic;
        enum xs_form form;
        const char *data;
    } rows[] = {
        { "{\"C\":\"generic\",\"T\":\"1\"}", "generic", "1", XS_JSON, "null" },
        { "{\"I\":0,\"Q\":0,\"R\":false,\"B\":null,\"D\":\"{\\\"Init\\\":true}\","
          "\"MessageType\":0,"
          "\"C\":\"Generic\",\"T\":\"1\"}",
          "Generic", "1", XS_JSON_ESCAPED, "{\\\"Init\\\":true}" },
        { "{\"C\":\"chat\",\"D\":\"\\\"\\\"\",\"T\":\"say\"}", "chat", "say", XS_JSON_ESCAPED,
          "\\\"\\\"" },
        { "{\"C\":\"chat\",\"D\":42,\"T\":\"say\"}", "chat", "say", XS_JSON, "42" },
        { "{\"C\":\"chat\",\"D\":[1],\"T\":\"say\"}", "chat", "say", XS_JSON, "[1]" },
        { "{\"C\":\"chat\",\"D\":\"hello\",\"T\":\"say\"}", "chat", "say", XS_TEXT, "hello" },
        { "{'T':'8','D':'x','C':''}", "", "8", XS_TEXT, "x" },
        { "{D:\"hi\",T:'say',C:'chat'}", "chat", "say", XS_TEXT, "hi" },
        { "{T:1,C:'chat'}", "chat", "1", XS_JSON, "null" },
        { "{\"C\":\"\",\"T\":\"7\"}", "", "7", XS_JSON, "null" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xs_conn *conn = connected(state);

        assert_int_equal(xt_payload(conn, xs_slice_of(rows[i].text), false), XS_OK);
        assert_message(conn, rows[i].controller, rows[i].topic, rows[i].form, rows[i].data);
        assert_false(conn->delivered[0].incoming.has_blob);
        xt_conn_free(conn);
    }
}

static void delivery_wishes_and_the_number_of_a_request_are_read(void **state)
{
    struct xs_conn *conn = connected(state);
    const struct xs_incoming *got;

    assert_int_equal(
        xt_payload(conn,
                   XS_SLICE("{\"Q\":1,\"I\":'77',\"R\":true,\"N\":-5,\"C\":\"c\",\"T\":\"t\"}"),
                   false),
        XS_OK);
    assert_int_equal(conn->delivered_count, 1);
    got = &conn->delivered[0].incoming;
    assert_int_equal(got->qos, 1);
    assert_int_equal(got->qos_id, 77);
    assert_true(got->retain);
    assert_true(got->has_correlation);
    assert_int_equal(got->correlation, -5);
    xt_conn_free(conn);
}

static void what_is_no_envelope_is_an_error_and_ends_the_connection(void **state)
{
    static const char *const texts[] = { "",
                                         "hello",
                                         "[]",
                                         "{\"C\":\"chat\"}",
                                         "{\"C\":\"chat\",\"T\":",
                                         "{\"C\":{},\"T\":\"say\"}",
                                         "null" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct xs_conn *conn = connected(state);

        assert_int_equal(xt_payload(conn, xs_slice_of(texts[i]), false), XS_EINVAL);
        assert_int_equal(conn->delivered_count, 0);
        assert_int_equal(conn->errors.count, 1);
        assert_int_equal(conn->close_count, 1);
        assert_int_equal(conn->reason, XS_CLOSE_NOT_A_MESSAGE);
        xt_conn_free(conn);
    }
}

static void what_is_over_a_limit_is_an_error_and_the_connection_stays(void **state)
{
    struct xs_conn *conn = connected(state);
    char text[512], deep[512] = "{\"C\":\"chat\",\"T\":\"say\",\"D\":";
    char name[257];
    size_t len = strlen(deep);

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "{\"C\":\"%s\",\"T\":\"say\"}", name);
    assert_int_equal(xt_payload(conn, xs_slice_of(text), false), XS_OK);
    assert_int_equal(conn->errors.count, 1);
    snprintf(text, sizeof text, "{\"C\":\"chat\",\"T\":\"%s\"}", name);
    assert_int_equal(xt_payload(conn, xs_slice_of(text), false), XS_OK);
    assert_int_equal(conn->errors.count, 2);
    memset(deep + len, '[', 65);
    memset(deep + len + 65, ']', 65);
    deep[len + 130] = '}';
    assert_int_equal(xt_payload(conn, (struct xs_slice){ deep, len + 131 }, false), XS_OK);
    assert_int_equal(conn->errors.count, 3);
    assert_int_equal(conn->delivered_count, 0);
    assert_int_equal(conn->close_count, 0);
    assert_int_equal(xt_payload(conn, XS_SLICE("{\"C\":\"chat\",\"T\":\"say\"}"), false),
                     XS_OK);
    assert_int_equal(conn->delivered_count, 1);
    xt_conn_free(conn);
}

/* ---- binary in ---- */

/* A payload whose length says n, whatever stands behind it. */
static enum xs_err send_binary(struct xs_conn *conn, uint64_t n, struct xs_slice header,
                               struct xs_slice blob)
{
    struct xt_bytes payload = { NULL, 0, 0 };
    enum xs_err err;

    for (int i = 0; i < 8; i++) {
        char byte = (char)(n >> 8 * i & 0xff);

        xt_append(&payload, (struct xs_slice){ &byte, 1 });
    }
    xt_append(&payload, header);
    xt_append(&payload, blob);
    err = xt_payload(conn, xt_slice(&payload), true);
    xt_bytes_free(&payload);
    return err;
}

static void assert_blob(const struct xs_conn *conn, struct xs_slice blob)
{
    assert_true(conn->delivered[0].incoming.has_blob);
    assert_true(xs_slice_equal(conn->delivered[0].incoming.blob, blob));
}

static void a_binary_message_is_an_envelope_and_bytes(void **state)
{
    static const struct xs_slice blobs[] = { { "", 0 }, { "\0\xff{}", 4 }, { "\n", 1 } };
    const struct xs_slice header = XS_SLICE("{\"C\":\"pic\",\"T\":\"up\"}");

    for (size_t i = 0; i < 3; i++) {
        struct xs_conn *conn = connected(state);

        assert_int_equal(send_binary(conn, header.len, header, blobs[i]), XS_OK);
        assert_message(conn, "pic", "up", XS_JSON, "null");
        assert_blob(conn, blobs[i]);
        xt_conn_free(conn);
    }
}

static void the_length_of_a_header_may_count_bytes_of_utf_8(void **state)
{
    const struct xs_slice header =
        XS_SLICE("{\"C\":\"pic\",\"D\":\"\\\"gr\xc3\xbc\xc3\x9f\\\"\",\"T\":\"up\"}");
    const struct xs_slice blob = XS_SLICE("\"}blob");
    struct xs_conn *conn = connected(state);

    assert_int_equal(send_binary(conn, header.len, header, blob), XS_OK);
    assert_message(conn, "pic", "up", XS_JSON_ESCAPED, "\\\"gr\xc3\xbc\xc3\x9f\\\"");
    assert_blob(conn, blob);
    xt_conn_free(conn);
}

/* What the C# client does. The emoji counts as two. */
static void the_length_of_a_header_may_count_utf_16_units(void **state)
{
    const struct xs_slice header =
        XS_SLICE("{\"D\":\"\\\"gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\\\"\",\"C\":\"pic\","
                 "\"T\":\"up\"}");
    const struct xs_slice blob = XS_SLICE("\"}blob");
    struct xs_conn *conn = connected(state);

    assert_int_equal(send_binary(conn, header.len - 1 - 2 - 2, header, blob), XS_OK);
    assert_message(conn, "pic", "up", XS_JSON_ESCAPED,
                   "\\\"gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\\\"");
    assert_blob(conn, blob);
    xt_conn_free(conn);
}

/* What the JavaScript clients do. */
static void a_header_may_be_latin_1(void **state)
{
    const struct xs_slice header =
        XS_SLICE("{\"C\":\"pic\",\"D\":\"\\\"gr\xfc\xdf\\\"\",\"T\":\"up\"}");
    const struct xs_slice blob = XS_SLICE("\xc3\xbc");
    struct xs_conn *conn = connected(state);

    assert_int_equal(send_binary(conn, header.len, header, blob), XS_OK);
    assert_message(conn, "pic", "up", XS_JSON_ESCAPED, "\\\"gr\xc3\xbc\xc3\x9f\\\"");
    assert_blob(conn, blob);
    xt_conn_free(conn);
}

static void a_lenient_header_is_read_too(void **state)
{
    const struct xs_slice header = XS_SLICE("{C:'pic',T:'up'}");
    struct xs_conn *conn = connected(state);

    assert_int_equal(send_binary(conn, header.len, header, XS_SLICE("x")), XS_OK);
    assert_message(conn, "pic", "up", XS_JSON, "null");
    assert_blob(conn, XS_SLICE("x"));
    xt_conn_free(conn);
}

static void a_header_of_a_wrong_length_ends_the_connection(void **state)
{
    static const uint64_t lengths[] = {
        0, 1, 19, 21, 22, 255, 1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 7
    };
    const struct xs_slice header = XS_SLICE("{\"C\":\"pic\",\"T\":\"up\"}");

    assert_int_equal(header.len, 20);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct xs_conn *conn = connected(state);

        assert_int_equal(send_binary(conn, lengths[i], header, XS_SLICE("x")), XS_EINVAL);
        assert_int_equal(conn->delivered_count, 0);
        assert_int_equal(conn->errors.count, 1);
        assert_int_equal(conn->reason, XS_CLOSE_NOT_A_MESSAGE);
        xt_conn_free(conn);
    }
}

static void a_binary_payload_shorter_than_its_length_ends_the_connection(void **state)
{
    for (size_t len = 0; len <= 8; len++) {
        struct xs_conn *conn = connected(state);

        assert_int_equal(xt_payload(conn, (struct xs_slice){ "\1\0\0\0\0\0\0\0", len }, true),
                         XS_EINVAL);
        assert_int_equal(conn->errors.count, 1);
        xt_conn_free(conn);
    }
}

/* ---- out ---- */

static void assert_payload(struct xs_conn *conn, struct xs_message *msg,
                           const struct xs_personal *who, struct xs_slice wanted, bool binary)
{
    struct xt_bytes out = { NULL, 0, 0 };
    bool is_binary = !binary;

    assert_int_equal(xt_encode(conn, msg, who, &out, &is_binary), XS_OK);
    assert_int_equal(out.len, wanted.len);
    assert_memory_equal(out.at, wanted.at, wanted.len);
    assert_int_equal(is_binary, binary);
    xt_bytes_free(&out);
    xt_message_free(msg);
}

static void a_message_goes_out_as_an_envelope_of_strings(void **state)
{
    struct xs_conn *conn = connected(state);

    assert_payload(conn, xt_message_new("chat", "say", xs_text("hello")), NULL,
                   XS_SLICE("{\"C\":\"chat\",\"T\":\"say\",\"D\":\"\\\"hello\\\"\"}"), false);
    assert_payload(conn, xt_message_new("chat", "say", xs_json("{\"a\":1}")), NULL,
                   XS_SLICE("{\"C\":\"chat\",\"T\":\"say\",\"D\":\"{\\\"a\\\":1}\"}"), false);
    assert_payload(conn, xt_message_new("", "8", xs_null()), NULL,
                   XS_SLICE("{\"C\":\"\",\"T\":\"8\",\"D\":\"null\"}"), false);
    assert_payload(conn, xt_message_new("a\"b", "t\n", xs_null()), NULL,
                   XS_SLICE("{\"C\":\"a\\\"b\",\"T\":\"t\\n\",\"D\":\"null\"}"), false);
    xt_conn_free(conn);
}

static void what_is_personal_stands_at_the_end(void **state)
{
    static const struct {
        struct xs_personal who;
        struct xs_slice wanted;
    } rows[] = {
        { { sizeof(struct xs_personal), true, 5, 0, NULL },
          { "{\"C\":\"c\",\"T\":\"t\",\"D\":\"null\",\"N\":5}", 34 } },
        { { sizeof(struct xs_personal), false, 0, 77, NULL },
          { "{\"C\":\"c\",\"T\":\"t\",\"D\":\"null\",\"Q\":1,\"I\":77}", 41 } },
        { { sizeof(struct xs_personal), true, 0, 65535, NULL },
          { "{\"C\":\"c\",\"T\":\"t\",\"D\":\"null\",\"N\":0,\"Q\":1,\"I\":65535}", 50 } },
        { { sizeof(struct xs_personal), true, INT64_MIN, 0, NULL },
          { "{\"C\":\"c\",\"T\":\"t\",\"D\":\"null\",\"N\":-9223372036854775808}", 53 } },
        { { sizeof(struct xs_personal), false, 9, 0, NULL },
          { "{\"C\":\"c\",\"T\":\"t\",\"D\":\"null\"}", 28 } },
    };
    struct xs_conn *conn = connected(state);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_payload(conn, xt_message_new("c", "t", xs_null()), &rows[i].who, rows[i].wanted,
                       false);
    xt_conn_free(conn);
}

static void a_blob_goes_out_behind_a_header_of_ascii(void **state)
{
    struct xs_conn *conn = connected(state);

    assert_payload(
        conn, xt_message_new_blob("pic", "gr\xc3\xbc\xc3\x9f", xs_null(), XS_SLICE("\0\xff")),
        NULL,
        XS_SLICE(
            "\x29\0\0\0\0\0\0\0{\"C\":\"pic\",\"T\":\"gr\\u00fc\\u00df\",\"D\":\"{}\"}\0\xff"),
        true);
    assert_payload(
        conn, xt_message_new_blob("pic", "up", xs_text("\xe2\x82\xac"), XS_SLICE("")), NULL,
        XS_SLICE("\x25\0\0\0\0\0\0\0{\"C\":\"pic\",\"T\":\"up\",\"D\":\"\\\"\\u20ac\\\"\"}"),
        true);
    xt_conn_free(conn);
}

/* A header of 0x7b bytes makes the payload begin with '{'. */
static void a_binary_payload_takes_the_number_of_its_request_and_no_qos(void **state)
{
    const struct xs_personal who = { sizeof who, true, INT64_MIN, 7, NULL },
                             qos = { sizeof qos, false, 0, 7, NULL };
    struct xs_conn *conn = connected(state);
    char topic[300];

    for (size_t n = 1; n < sizeof topic - 1; n++) {
        struct xt_bytes with = { NULL, 0, 0 }, without = { NULL, 0, 0 };
        struct xs_message *msg;
        size_t length;

        memset(topic, 't', n);
        topic[n] = '\0';
        msg = xt_message_new_blob("c", topic, xs_null(), XS_SLICE("blob}"));
        assert_int_equal(xt_encode(conn, msg, &who, &with, NULL), XS_OK);
        assert_int_equal(xt_encode(conn, msg, NULL, &without, NULL), XS_OK);
        assert_int_equal(with.len, without.len + 25);
        length = (size_t)(unsigned char)with.at[0] | (size_t)(unsigned char)with.at[1] << 8;
        assert_int_equal(length, with.len - 8 - 5);
        assert_memory_equal(with.at + 2, "\0\0\0\0\0\0{\"N\":-9223372036854775808,", 32);
        assert_memory_equal(with.at + 8 + 26, without.at + 9, without.len - 9);
        assert_int_equal(xt_encode(conn, msg, &qos, &with, NULL), XS_OK);
        assert_int_equal(with.len, without.len);
        assert_memory_equal(with.at, without.at, with.len);
        xt_bytes_free(&with);
        xt_bytes_free(&without);
        xt_message_free(msg);
    }
    xt_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_of_all_clients_are_understood),
        cmocka_unit_test(delivery_wishes_and_the_number_of_a_request_are_read),
        cmocka_unit_test(what_is_no_envelope_is_an_error_and_ends_the_connection),
        cmocka_unit_test(what_is_over_a_limit_is_an_error_and_the_connection_stays),
        cmocka_unit_test(a_binary_message_is_an_envelope_and_bytes),
        cmocka_unit_test(the_length_of_a_header_may_count_bytes_of_utf_8),
        cmocka_unit_test(the_length_of_a_header_may_count_utf_16_units),
        cmocka_unit_test(a_header_may_be_latin_1),
        cmocka_unit_test(a_lenient_header_is_read_too),
        cmocka_unit_test(a_header_of_a_wrong_length_ends_the_connection),
        cmocka_unit_test(a_binary_payload_shorter_than_its_length_ends_the_connection),
        cmocka_unit_test(a_message_goes_out_as_an_envelope_of_strings),
        cmocka_unit_test(what_is_personal_stands_at_the_end),
        cmocka_unit_test(a_blob_goes_out_behind_a_header_of_ascii),
        cmocka_unit_test(a_binary_payload_takes_the_number_of_its_request_and_no_qos),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
