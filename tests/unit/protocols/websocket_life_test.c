/* host: fake
 * needs: modules/protocols/websocket/websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: wslay crypto zlib */
/* What the server says by itself, and what a message looks like on the wire. */
#include "websocket_util.h"

/* ---- goodbyes ---- */

static void every_reason_has_its_close_frame_with_a_sentence(void **state)
{
    struct xt_host *host = host_new();

    (void)state;
    for (int reason = XS_CLOSE_NORMAL; reason <= XS_CLOSE_UNKNOWN_PROTOCOL; reason++) {
        struct xs_conn *conn = client_new(host, "");

        xt_close(conn, (enum xs_close_reason)reason, "as it is");
        assert_int_equal(closed_with(conn), xs_close_code((enum xs_close_reason)reason));
        if (reason != XS_CLOSE_NORMAL)
            assert_memory_equal(conn->written.at + 4, "as it is", 8);
        else
            assert_int_equal(conn->written.len, 4);
        assert_int_equal(conn->phase, XT_CLOSING);
        xt_conn_free(conn);
    }
    xt_host_free(host);
}

static void a_client_that_speaks_first_is_told_of_the_stop_by_the_code_alone(void **state)
{
    struct xt_host *host = host_new();
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 1, XS_SLICE("{}"));
    for (int reason = XS_CLOSE_NORMAL; reason <= XS_CLOSE_UNKNOWN_PROTOCOL; reason++) {
        struct xs_conn *conn = client_new(host, "Shy");
        bool is_bare = reason == XS_CLOSE_NORMAL || reason == XS_CLOSE_GOING_AWAY;

        xt_feed(conn, xt_slice(&bytes));
        xt_close(conn, (enum xs_close_reason)reason, "as it is");
        assert_int_equal(closed_with(conn), xs_close_code((enum xs_close_reason)reason));
        assert_int_equal(conn->written.len, is_bare ? 4 : 4 + 8);
        xt_conn_free(conn);
    }
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void a_reset_connection_is_told_nothing(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");

    (void)state;
    xt_close(conn, XS_CLOSE_RESET, NULL);
    assert_int_equal(conn->written.len, 0);
    assert_int_equal(conn->phase, XT_ENDED);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_long_sentence_is_cut_at_a_character(void **state)
{
    struct xt_host *host = host_new();
    struct xt_bytes sentence = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct xs_conn *conn = client_new(host, "");

        repeated(&sentence, 'x', 119 + i);
        xt_append(&sentence, XS_SLICE("\xf0\x9f\x98\x80 and so on and so on"));
        xt_close(conn, XS_CLOSE_REFUSED, sentence.at);
        assert_int_equal(closed_with(conn), 1008);
        assert_int_equal(conn->written.len, 4 + 119 + (i == 0 ? 4 : i));
        xt_conn_free(conn);
    }
    xt_bytes_free(&sentence);
    xt_host_free(host);
}

static void after_our_close_frame_data_is_dropped_until_the_peers_comes(void **state)
{
    struct xt_host *host = host_new();
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 1, XS_SLICE("dropped"));
    add(&bytes, FIN | 9, XS_SLICE("not answered"));
    add(&bytes, 2, XS_SLICE("dropped"));
    add(&bytes, FIN | 8, XS_SLICE("\x03\xe9"));
    for (size_t step = 1; step <= bytes.len; step++) {
        struct xs_conn *conn = client_new(host, "");
        size_t said;

        xt_close(conn, XS_CLOSE_GOING_AWAY, NULL);
        said = conn->written.len;
        xt_feed_steps(conn, (struct xs_slice){ bytes.at, bytes.len - 8 }, step);
        assert_int_equal(conn->phase, XT_CLOSING);
        xt_feed_steps(conn, (struct xs_slice){ bytes.at + bytes.len - 8, 8 }, step);
        assert_int_equal(conn->phase, XT_ENDED);
        assert_int_equal(conn->reason, XS_CLOSE_GOING_AWAY);
        assert_int_equal(conn->payload_count, 0);
        assert_int_equal(conn->written.len, said);
        xt_conn_free(conn);
    }
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void a_goodbye_in_the_middle_of_a_frame_keeps_its_place(void **state)
{
    struct xt_host *host = host_new();
    struct xt_bytes bytes = { NULL, 0, 0 };
    size_t first;

    (void)state;
    add(&bytes, 2, XS_SLICE("a fragment"));
    add(&bytes, 0, XS_SLICE("and \x88\x80 something that looks like a frame"));
    first = bytes.len;
    add(&bytes, FIN | 8, XS_SLICE(""));
    for (size_t cut = 0; cut < first; cut++) {
        struct xs_conn *conn = client_new(host, "");

        xt_feed(conn, (struct xs_slice){ bytes.at, cut });
        xt_close(conn, XS_CLOSE_GOING_AWAY, NULL);
        xt_feed(conn, (struct xs_slice){ bytes.at + cut, first - cut });
        assert_int_equal(conn->phase, XT_CLOSING);
        xt_feed(conn, (struct xs_slice){ bytes.at + first, bytes.len - first });
        assert_int_equal(conn->phase, XT_ENDED);
        xt_conn_free(conn);
    }
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void close_now(struct xs_conn *conn, struct xs_slice payload, bool binary, void *context)
{
    (void)payload;
    (void)binary;
    (void)context;
    xs_conn_close(conn, XS_CLOSE_REFUSED, "enough");
}

static void a_receiver_that_closes_its_connection_gets_nothing_more(void **state)
{
    struct xt_host *host = host_new();
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 1, XS_SLICE("whole"));
    add(&bytes, 1, XS_SLICE("in "));
    add(&bytes, FIN | 0, XS_SLICE("pieces"));
    add(&bytes, FIN | 9, XS_SLICE(""));
    for (size_t cut = 0; cut <= bytes.len; cut++) {
        struct xs_conn *conn = client_new(host, "");

        conn->on_payload = close_now;
        xt_feed_cut(conn, xt_slice(&bytes), cut);
        assert_int_equal(conn->payload_count, 1);
        assert_int_equal(closed_with(conn), 1008);
        xt_conn_free(conn);
    }
    for (size_t cut = 11; cut <= bytes.len; cut++) {
        struct xs_conn *conn = client_new(host, "");

        xt_feed(conn, (struct xs_slice){ bytes.at, 11 });
        conn->on_payload = close_now;
        xt_feed_cut(conn, (struct xs_slice){ bytes.at + 11, bytes.len - 11 }, cut - 11);
        assert_int_equal(conn->payload_count, 2);
        assert_int_equal(closed_with(conn), 1008);
        xt_conn_free(conn);
    }
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void clients_that_vanish_in_the_middle_leave_nothing_behind(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conns[40];
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };

    (void)state;
    repeated(&payload, 'x', 50000);
    add(&bytes, 1, xt_slice(&payload));
    add(&bytes, FIN | 0, xt_slice(&payload));
    for (size_t i = 0; i < 40; i++) {
        conns[i] = client_new(host, "");
        xt_feed(conns[i], (struct xs_slice){ bytes.at, 2 + i * 2500 });
    }
    for (size_t i = 0; i < 40; i++) {
        if (i % 2 == 0)
            xt_feed(conns[i],
                    (struct xs_slice){ bytes.at + 2 + i * 2500, bytes.len - 2 - i * 2500 });
        xt_reset(conns[i]);
        xt_conn_free(conns[i]);
    }
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
    xt_host_free(host);
}

/* ---- who speaks first ---- */

static void a_client_that_speaks_first_is_left_alone_until_then(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "Shy");
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    xt_ping(conn);
    assert_int_equal(conn->written.len, 0);
    add(&bytes, FIN | 1, XS_SLICE("{}"));
    xt_feed(conn, xt_slice(&bytes));
    xt_ping(conn);
    assert_written(conn, "\x89\x04ping");
    xt_conn_free(conn);

    conn = client_new(host, "Shy");
    xt_close(conn, XS_CLOSE_GOING_AWAY, NULL);
    assert_int_equal(conn->written.len, 0);
    assert_int_equal(conn->phase, XT_ENDED);
    xt_conn_free(conn);

    conn = client_new(host, "Shy");
    xt_feed(conn, xt_slice(&bytes));
    xt_close(conn, XS_CLOSE_GOING_AWAY, NULL);
    assert_int_equal(closed_with(conn), 1001);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void other_clients_are_pinged_at_once_and_not_after_the_goodbye(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "Named");

    (void)state;
    xt_ping(conn);
    assert_written(conn, "\x89\x04ping");
    xt_close(conn, XS_CLOSE_GOING_AWAY, NULL);
    xt_forget(conn);
    xt_ping(conn);
    assert_int_equal(conn->written.len, 0);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* ---- messages out ---- */

static void encode(struct xs_conn *conn, const char *topic, struct xs_data data,
                   const struct xs_personal *who, struct xt_bytes *out)
{
    struct xs_message *msg = xt_message_new("c", topic, data);

    (void)xt_encode(conn, msg, who, out, NULL);
    xt_message_free(msg);
}

static void the_header_is_the_shortest_for_every_length(void **state)
{
    static const struct {
        size_t len;
        const char *header;
        size_t size;
    } cases[] = {
        { 1, "\x81\x01", 2 },
        { 125, "\x81\x7d", 2 },
        { 126, "\x81\x7e\x00\x7e", 4 },
        { 127, "\x81\x7e\x00\x7f", 4 },
        { 65535, "\x81\x7e\xff\xff", 4 },
        { 65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10 },
        { 1048576, "\x81\x7f\x00\x00\x00\x00\x00\x10\x00\x00", 10 },
    };
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        encode(conn, "t", xs_text_slice(repeated(&text, 'x', cases[i].len)), NULL, &out);
        assert_int_equal(out.len, cases[i].size + cases[i].len);
        assert_memory_equal(out.at, cases[i].header, cases[i].size);
        assert_memory_equal(out.at + cases[i].size, text.at, text.len);
    }
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_blob_goes_out_in_a_binary_frame(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xs_message *msg = xt_message_new_blob("c", "t", xs_null(), XS_SLICE("\x00\x01"));
    struct xt_bytes out = { NULL, 0, 0 };

    (void)state;
    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_OK);
    assert_int_equal(out.len, 4);
    assert_memory_equal(out.at, "\x82\x02\x00\x01", 4);
    xt_message_free(msg);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void nothing_to_say_is_no_frame_but_an_empty_text_or_blob_is_one(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xs_message *msg = xt_message_new_blob("c", "t", xs_null(), XS_SLICE(""));
    struct xt_bytes out = { NULL, 0, 0 };

    (void)state;
    encode(conn, "nothing", xs_text("hello"), NULL, &out);
    assert_int_equal(out.len, 0);
    encode(conn, "refused", xs_text("hello"), NULL, &out);
    assert_int_equal(out.len, 0);
    encode(conn, "t", xs_text(""), NULL, &out);
    assert_int_equal(out.len, 2);
    assert_memory_equal(out.at, "\x81\x00", 2);
    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_OK);
    assert_int_equal(out.len, 2);
    assert_memory_equal(out.at, "\x82\x00", 2);
    xt_message_free(msg);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_client_that_speaks_first_gets_no_payload_under_four_bytes(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "Shy");
    struct xs_message *msg = xt_message_new("c", "t", xs_text("abc"));
    struct xt_bytes out = { NULL, 0, 0 };

    (void)state;
    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_EREFUSED);
    assert_int_equal(out.len, 0);
    encode(conn, "t", xs_text("abcd"), NULL, &out);
    assert_int_equal(out.len, 6);
    xt_message_free(msg);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void the_length_follows_what_is_personal(void **state)
{
    static const struct {
        size_t len; /* of the shared payload; the personal one is 6 longer */
        const char *header;
        size_t size;
    } cases[] = {
        { 10, "\x81\x10", 2 },
        { 119, "\x81\x7d", 2 },
        { 120, "\x81\x7e\x00\x7e", 4 },
        { 126, "\x81\x7e\x00\x84", 4 },
        { 65529, "\x81\x7e\xff\xff", 4 },
        { 65530, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10 },
        { 65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x06", 10 },
    };
    struct xs_personal who = { sizeof who, true, 5, 0, NULL },
                       front = { sizeof front, false, 0, 7, NULL },
                       nobody = { sizeof nobody, false, 0, 0, NULL };
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 }, plain = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xs_data data = xs_text_slice(repeated(&text, 'x', cases[i].len));

        encode(conn, "t", data, &who, &out);
        assert_int_equal(out.len, cases[i].size + cases[i].len + 6);
        assert_memory_equal(out.at, cases[i].header, cases[i].size);
        assert_memory_equal(out.at + cases[i].size, text.at, text.len - 1);
        assert_memory_equal(out.at + out.len - 7, ",\"N\":5}", 7);
        encode(conn, "t", data, &front, &out);
        assert_int_equal(out.len, cases[i].size + cases[i].len + 6);
        assert_memory_equal(out.at, cases[i].header, cases[i].size);
        assert_memory_equal(out.at + cases[i].size, "{\"Q\":1,", 7);
        assert_memory_equal(out.at + cases[i].size + 7, text.at + 1, text.len - 1);
        encode(conn, "t", data, &nobody, &out);
        encode(conn, "t", data, NULL, &plain);
        assert_int_equal(out.len, plain.len);
        assert_memory_equal(out.at, plain.at, plain.len);
    }
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_bytes_free(&plain);
    xt_conn_free(conn);
    xt_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_close_frame_with_a_sentence),
        cmocka_unit_test(a_client_that_speaks_first_is_told_of_the_stop_by_the_code_alone),
        cmocka_unit_test(a_reset_connection_is_told_nothing),
        cmocka_unit_test(a_long_sentence_is_cut_at_a_character),
        cmocka_unit_test(after_our_close_frame_data_is_dropped_until_the_peers_comes),
        cmocka_unit_test(a_goodbye_in_the_middle_of_a_frame_keeps_its_place),
        cmocka_unit_test(a_receiver_that_closes_its_connection_gets_nothing_more),
        cmocka_unit_test(clients_that_vanish_in_the_middle_leave_nothing_behind),
        cmocka_unit_test(a_client_that_speaks_first_is_left_alone_until_then),
        cmocka_unit_test(other_clients_are_pinged_at_once_and_not_after_the_goodbye),
        cmocka_unit_test(the_header_is_the_shortest_for_every_length),
        cmocka_unit_test(a_blob_goes_out_in_a_binary_frame),
        cmocka_unit_test(nothing_to_say_is_no_frame_but_an_empty_text_or_blob_is_one),
        cmocka_unit_test(a_client_that_speaks_first_gets_no_payload_under_four_bytes),
        cmocka_unit_test(the_length_follows_what_is_personal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
