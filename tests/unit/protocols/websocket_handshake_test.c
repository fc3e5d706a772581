/* host: fake
 * needs: modules/protocols/websocket/websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: wslay crypto zlib */
/* The handshake: RFC 6455 section 4.2, every MUST of it. */
#include "websocket_util.h"

static struct xs_conn *ask(struct xt_host *host, const struct xs_http_head *head)
{
    return xt_conn_new_upgraded(host, "websocket", head);
}

/* The good request with header `i` replaced, or left out when `value` is NULL. */
static struct xs_conn *ask_with(struct xt_host *host, size_t i, const char *value)
{
    struct xs_http_header headers[5];
    size_t count = 5;
    struct xs_http_head head;

    memcpy(headers, good_headers, sizeof headers);
    if (value != NULL) {
        headers[i].value = xs_slice_of(value);
    } else {
        memmove(headers + i, headers + i + 1, (4 - i) * sizeof headers[0]);
        count = 4;
    }
    head = head_of(headers, count);
    return ask(host, &head);
}

static struct xs_conn *ask_offering(struct xt_host *host, const char *const *offers)
{
    struct xs_http_header headers[16];
    size_t count = 5;
    struct xs_http_head head;

    memcpy(headers, good_headers, sizeof good_headers);
    for (; *offers != NULL; offers++) {
        headers[count].name = XS_SLICE("sec-websocket-protocol");
        headers[count++].value = xs_slice_of(*offers);
    }
    head = head_of(headers, count);
    return ask(host, &head);
}

static void assert_refused(struct xs_conn *conn, const char *status)
{
    char start[64];
    const char *body, *length;

    (void)snprintf(start, sizeof start, "HTTP/1.1 %s\r\nServer: xsocketsd\r\n", status);
    assert_int_equal(conn->write_count, 1);
    assert_int_equal(strncmp(conn->written.at, start, strlen(start)), 0);
    assert_non_null(strstr(conn->written.at, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(conn->written.at, "\r\nContent-Type: text/plain\r\n"));
    body = strstr(conn->written.at, "\r\n\r\n");
    length = strstr(conn->written.at, "\r\nContent-Length: ");
    assert_non_null(body);
    assert_non_null(length);
    assert_int_equal(strlen(body + 4), strtoul(length + 18, NULL, 10));
    assert_in_range(strlen(body + 4), 3, 100);
    assert_int_equal(conn->ready_count, 0);
    assert_int_equal(conn->reason, XS_CLOSE_REFUSED);
    assert_int_equal(conn->phase, XT_ENDED);
    xt_conn_free(conn);
}

static void the_example_of_the_rfc_is_answered_byte_for_byte(void **state)
{
    struct xt_host *host = host_new();
    struct xs_http_head head = head_of(good_headers, 5);
    struct xs_conn *conn = ask(host, &head);

    (void)state;
    assert_string_equal(conn->written.at, "HTTP/1.1 101 Switching Protocols\r\n"
                                          "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                          "Sec-WebSocket-Accept: "
                                          "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    assert_int_equal(conn->write_count, 1);
    assert_int_equal(conn->ready_count, 1);
    assert_string_equal(conn->query.at, "a=b");
    assert_ptr_equal(conn->sub->ops.name, bare_ops.name);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void names_and_tokens_are_compared_without_case(void **state)
{
    static const struct xs_http_header headers[] = {
        HEADER("HOST", "x"),
        HEADER("upgrade", "h2c, WebSocket"),
        HEADER("connection", "keep-alive, UPGRADE"),
        HEADER("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        HEADER("SEC-WEBSOCKET-VERSION", "13"),
    };
    struct xt_host *host = host_new();
    struct xs_http_head head = head_of(headers, 5);
    struct xs_conn *conn = ask(host, &head);

    (void)state;
    assert_int_equal(conn->ready_count, 1);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void what_is_no_get_of_http_1_1_is_refused(void **state)
{
    struct xt_host *host = host_new();
    struct xs_http_head head = head_of(good_headers, 5);

    (void)state;
    head.method = XS_SLICE("POST");
    assert_refused(ask(host, &head), "400 Bad Request");
    head.method = XS_SLICE("get");
    assert_refused(ask(host, &head), "400 Bad Request");
    head.method = XS_SLICE("GET");
    head.minor = 0;
    assert_refused(ask(host, &head), "400 Bad Request");
    xt_host_free(host);
}

static void each_missing_header_is_refused(void **state)
{
    struct xt_host *host = host_new();

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_refused(ask_with(host, i, NULL), "400 Bad Request");
    assert_refused(ask_with(host, 1, "h2c"), "400 Bad Request");
    assert_refused(ask_with(host, 1, "websockets"), "400 Bad Request");
    assert_refused(ask_with(host, 2, "keep-alive"), "400 Bad Request");
    xt_host_free(host);
}

static void another_version_is_told_which_one_is_spoken(void **state)
{
    static const char *const versions[] = { NULL, "", "8", "12", "14", "13, 8", "013", "13 " };
    struct xt_host *host = host_new();

    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct xs_conn *conn = ask_with(host, 4, versions[i]);

        assert_non_null(strstr(conn->written.at, "\r\nSec-WebSocket-Version: 13\r\n"));
        assert_non_null(strstr(conn->written.at, "\r\nUpgrade: websocket\r\n"));
        assert_refused(conn, "426 Upgrade Required");
    }
    xt_host_free(host);
}

static void a_key_that_is_not_16_bytes_in_canonical_base64_is_refused(void **state)
{
    static const char *const keys[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZQA=",
        "dGhlIHNhbXBsZSBub25jZR==", /* bits that mean nothing, set */
        "dGhlIHNhbXBsZSBub25j Q==",
        "dGhlIHNhbXBsZSBub25j-_==",
        "dGhlIHNhbXBsZSBub25=ZQ==",
        "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
    };
    struct xt_host *host = host_new();

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_refused(ask_with(host, 3, keys[i]), "400 Bad Request");
    xt_host_free(host);
}

static void a_second_key_version_or_host_is_refused(void **state)
{
    static const size_t which[] = { 0, 3, 4 };
    struct xt_host *host = host_new();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct xs_http_header headers[6];
        struct xs_http_head head = head_of(headers, 6);

        memcpy(headers, good_headers, sizeof good_headers);
        headers[5] = good_headers[which[i]];
        assert_refused(ask(host, &head),
                       which[i] == 4 ? "426 Upgrade Required" : "400 Bad Request");
    }
    xt_host_free(host);
}

static void the_first_offered_that_is_spoken_wins(void **state)
{
    static const char *const offers[][4] = {
        { "Named", NULL },
        { "mqtt, Named", NULL },
        { "mqtt,Named,Shy", NULL },
        { "mqtt", "  , Named\t,", "Shy", NULL },
        { "named", "Named", "Named", NULL },
    };
    struct xt_host *host = host_new();

    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        struct xs_conn *conn = ask_offering(host, offers[i]);

        assert_string_equal(conn->written.at, "HTTP/1.1 101 Switching Protocols\r\n"
                                              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                              "Sec-WebSocket-Accept: "
                                              "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                              "Sec-WebSocket-Protocol: Named\r\n\r\n");
        assert_ptr_equal(conn->sub->ops.name, named_ops.name);
        xt_conn_free(conn);
    }
    xt_host_free(host);
}

static void an_offer_that_nobody_speaks_is_refused_with_a_sentence(void **state)
{
    static const char *const offers[][3] = {
        { "mqtt", NULL },         { "named, NAMED", NULL }, { "", NULL },
        { ",,,", " ", NULL },     { "Named Named", NULL },  { "Named, a/b", NULL },
        { "Named, \"x\"", NULL },
    };
    struct xt_host *host = host_new();

    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
        assert_refused(ask_offering(host, offers[i]), "400 Bad Request");
    xt_host_free(host);
}

static void a_long_list_of_offers_takes_one_pass(void **state)
{
    struct xt_host *host = host_new();
    struct xt_bytes list = { NULL, 0, 0 };
    const char *offers[] = { NULL, NULL };
    struct xs_conn *conn;

    (void)state;
    for (size_t i = 0; i < 200000; i++)
        xt_append(&list, XS_SLICE("a,"));
    xt_append(&list, XS_SLICE("Named"));
    offers[0] = list.at;
    conn = ask_offering(host, offers);
    assert_int_equal(conn->ready_count, 1);
    xt_conn_free(conn);
    xt_bytes_free(&list);
    xt_host_free(host);
}

static void without_a_server_for_bare_clients_an_empty_offer_is_refused(void **state)
{
    struct xt_host *host = xt_host_new();
    struct xs_http_head head = head_of(good_headers, 5);

    (void)state;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "websocket"), NULL);
    xt_host_subprotocol(host, &named_ops, NULL);
    assert_refused(ask(host, &head), "400 Bad Request");
    xt_host_free(host);
}

static void a_query_over_the_limit_is_refused(void **state)
{
    struct xt_host *host = host_new();
    struct xs_http_head head = head_of(good_headers, 5);
    struct xt_bytes query = { NULL, 0, 0 };

    (void)state;
    head.query = repeated(&query, 'q', 100000);
    assert_refused(ask(host, &head), "414 URI Too Long");
    xt_bytes_free(&query);
    xt_host_free(host);
}

static void frames_that_came_with_the_head_are_read_after_it(void **state)
{
    struct xt_host *host = host_new();
    struct xs_http_head head = head_of(good_headers, 5);
    struct xs_conn *conn = ask(host, &head);
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 1, XS_SLICE("early"));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(conn->payload_count, 1);
    assert_payload(conn, 0, "early", false);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_is_answered_byte_for_byte),
        cmocka_unit_test(names_and_tokens_are_compared_without_case),
        cmocka_unit_test(what_is_no_get_of_http_1_1_is_refused),
        cmocka_unit_test(each_missing_header_is_refused),
        cmocka_unit_test(another_version_is_told_which_one_is_spoken),
        cmocka_unit_test(a_key_that_is_not_16_bytes_in_canonical_base64_is_refused),
        cmocka_unit_test(a_second_key_version_or_host_is_refused),
        cmocka_unit_test(the_first_offered_that_is_spoken_wins),
        cmocka_unit_test(an_offer_that_nobody_speaks_is_refused_with_a_sentence),
        cmocka_unit_test(a_long_list_of_offers_takes_one_pass),
        cmocka_unit_test(without_a_server_for_bare_clients_an_empty_offer_is_refused),
        cmocka_unit_test(a_query_over_the_limit_is_refused),
        cmocka_unit_test(frames_that_came_with_the_head_are_read_after_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
