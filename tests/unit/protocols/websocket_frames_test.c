/* host: fake
 * needs: modules/protocols/websocket/websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: wslay crypto zlib */
/* Frames in: RFC 6455 sections 5 to 8, however the bytes are cut. */
#include "websocket_util.h"

/* One connection that gets `bytes` in one read, in steps, and cut in two at every place; each
 * time `check` must find the same. */
static void in_every_way(const struct xt_bytes *bytes, const char *subprotocol,
                         void (*check)(struct xs_conn *conn))
{
    static const size_t steps[] = { 1, 2, 3, 7, 4096 };
    struct xt_host *host = host_new();
    size_t cuts = bytes->len < 300 ? bytes->len : 0;

    for (size_t cut = 0; cut <= cuts; cut++) {
        struct xs_conn *conn = client_new(host, subprotocol);

        xt_feed_cut(conn, xt_slice(bytes), cut);
        check(conn);
        xt_conn_free(conn);
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct xs_conn *conn;

        if (bytes->len / steps[i] > 20000)
            continue;
        conn = client_new(host, subprotocol);
        xt_feed_steps(conn, xt_slice(bytes), steps[i]);
        check(conn);
        xt_conn_free(conn);
    }
    xt_host_free(host);
}

/* ---- whole messages ---- */

static void check_three_messages(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 3);
    assert_payload(conn, 0, "hello", false);
    assert_payload(conn, 1, "\0\xff\x80", true);
    assert_payload(conn, 2, "", false);
    assert_int_equal(conn->frames, 0);
    assert_int_equal(conn->written.len, 0);
    assert_int_equal(conn->phase, XT_OPEN);
}

static void messages_arrive_whole_however_they_are_cut(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 1, XS_SLICE("hello"));
    add(&bytes, FIN | 2, XS_SLICE("\0\xff\x80"));
    add(&bytes, FIN | 1, XS_SLICE(""));
    in_every_way(&bytes, "", check_three_messages);
    xt_bytes_free(&bytes);
}

static size_t expected_len;

static void check_long(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 2);
    assert_int_equal(conn->payloads[0].len, expected_len);
    for (size_t i = 0; i < expected_len; i++)
        assert_int_equal(conn->payloads[0].at[i], 'x');
    assert_payload(conn, 1, "after", false);
}

static void every_form_of_the_length_is_read(void **state)
{
    static const size_t lengths[] = { 1,   7,   8,     9,     124,   125,   126,
                                      127, 128, 65534, 65535, 65536, 65537, 1024 * 1024 };
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        expected_len = lengths[i];
        xt_bytes_free(&bytes);
        add(&bytes, FIN | (i % 2 == 0 ? 1 : 2), repeated(&payload, 'x', lengths[i]));
        add(&bytes, FIN | 1, XS_SLICE("after"));
        in_every_way(&bytes, "", check_long);
    }
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
}

/* ---- fragments ---- */

static void check_fragments(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 2);
    assert_payload(conn, 0, "one two three", false);
    assert_payload(conn, 1, "next", true);
    assert_written(conn, "\x8a\x02ok");
    /* Three fragments that are not last, a ping, a pong. */
    assert_int_equal(conn->frames, 5);
}

static void fragments_are_put_together_around_control_frames(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, 1, XS_SLICE("one "));
    add(&bytes, FIN | 9, XS_SLICE("ok"));
    add(&bytes, 0, XS_SLICE("two "));
    add(&bytes, FIN | 10, XS_SLICE(""));
    add(&bytes, 0, XS_SLICE(""));
    add(&bytes, FIN | 0, XS_SLICE("three"));
    add(&bytes, FIN | 2, XS_SLICE("next"));
    in_every_way(&bytes, "", check_fragments);
    xt_bytes_free(&bytes);
}

static void a_message_of_65536_fragments_is_legal(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn;
    struct xt_bytes bytes = { NULL, 0, 0 }, piece = { NULL, 0, 0 };

    (void)state;
    host->limits.message = 65536 * 64;
    conn = client_new(host, "");
    repeated(&piece, 'p', 64);
    for (size_t i = 0; i < 65536; i++)
        add(&bytes, (i == 65535 ? FIN : 0u) | (i == 0 ? 2u : 0u), xt_slice(&piece));
    xt_feed_steps(conn, xt_slice(&bytes), 65536);
    assert_int_equal(conn->payload_count, 1);
    assert_int_equal(conn->payloads[0].len, 65536 * 64);
    assert_true(conn->payloads[0].binary);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_bytes_free(&piece);
    xt_host_free(host);
}

static void check_empty_message(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 1);
    assert_payload(conn, 0, "", true);
}

static void fragments_of_nothing_make_an_empty_message(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, 2, XS_SLICE(""));
    add(&bytes, 0, XS_SLICE(""));
    add(&bytes, FIN | 0, XS_SLICE(""));
    in_every_way(&bytes, "", check_empty_message);
    xt_bytes_free(&bytes);
}

/* ---- faults ---- */

static unsigned expected_code;

static void check_code(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 0);
    assert_int_equal(closed_with(conn), expected_code);
    assert_int_not_equal(conn->phase, XT_OPEN);
}

static void fails(const struct xt_bytes *bytes, unsigned code)
{
    expected_code = code;
    in_every_way(bytes, "", check_code);
}

static void unmasked_frames_reserved_bits_and_opcodes_are_1002(void **state)
{
    static const unsigned firsts[] = { 0xc1, 0xa1, 0x91, 0xc2, 0xf1, 0xc9, 0x99,
                                       0x83, 0x84, 0x85, 0x86, 0x87, 0x8b, 0x8c,
                                       0x8d, 0x8e, 0x8f, 0x03, 0x80, 0x00, 0x88 | 0x40 };
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        xt_bytes_free(&bytes);
        add(&bytes, firsts[i], XS_SLICE("payload"));
        fails(&bytes, 1002);
    }
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        xt_bytes_free(&bytes);
        add_raw(&bytes, FIN | opcode, 4, 0, 0, XS_SLICE("open"));
        fails(&bytes, 1002);
    }
    xt_bytes_free(&bytes);
}

static void lengths_that_are_not_minimal_or_negative_are_1002(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add_raw(&bytes, FIN | 1, MASKED | 126, 2, 5, XS_SLICE("hello"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add_raw(&bytes, FIN | 1, MASKED | 126, 2, 125, XS_SLICE("hello"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add_raw(&bytes, FIN | 1, MASKED | 127, 8, 65535, XS_SLICE("hello"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add_raw(&bytes, FIN | 2, MASKED | 127, 8, 0x8000000000000001u, XS_SLICE("hello"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add_raw(&bytes, FIN | 2, MASKED | 127, 8, UINT64_MAX, XS_SLICE(""));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
}

static void control_frames_over_125_bytes_or_in_fragments_are_1002(void **state)
{
    static const unsigned opcodes[] = { 8, 9, 10 };
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        xt_bytes_free(&bytes);
        add(&bytes, FIN | opcodes[i], repeated(&payload, 'x', 126));
        fails(&bytes, 1002);
        xt_bytes_free(&bytes);
        add_raw(&bytes, FIN | opcodes[i], MASKED | 127, 8, 65536, XS_SLICE("x"));
        fails(&bytes, 1002);
        xt_bytes_free(&bytes);
        add(&bytes, opcodes[i], XS_SLICE(""));
        fails(&bytes, 1002);
        xt_bytes_free(&bytes);
        add(&bytes, opcodes[i], XS_SLICE("xy"));
        fails(&bytes, 1002);
    }
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
}

static void fragments_out_of_order_are_1002(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 0, XS_SLICE("lone"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add(&bytes, 0, XS_SLICE("lone"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add(&bytes, 1, XS_SLICE("begun"));
    add(&bytes, FIN | 1, XS_SLICE("another"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add(&bytes, 1, XS_SLICE("begun"));
    add(&bytes, 2, XS_SLICE("another"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
    add(&bytes, 1, XS_SLICE(""));
    add(&bytes, FIN | 2, XS_SLICE(""));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
}

/* ---- limits ---- */

static void an_announced_length_over_the_limit_is_1009_at_once(void **state)
{
    static const uint64_t lengths[] = { 1024 * 1024 + 1, UINT64_MAX >> 1, 1ull << 32 };
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        xt_bytes_free(&bytes);
        add_raw(&bytes, FIN | 2, MASKED | 127, 8, lengths[i], XS_SLICE(""));
        fails(&bytes, 1009);
    }
    xt_bytes_free(&bytes);
}

static void what_follows_an_announced_length_is_thrown_away_up_to_the_close_frame(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn;
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    host->limits.message = 20;
    conn = client_new(host, "");
    add_raw(&bytes, FIN | 2, MASKED | 21, 0, 0, XS_SLICE(""));
    /* Close frames, if the place were lost. */
    for (size_t i = 0; i < 10; i++)
        xt_append(&bytes, XS_SLICE("\x88\x00"));
    xt_append(&bytes, XS_SLICE("."));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(closed_with(conn), 1009);
    assert_int_equal(conn->phase, XT_CLOSING);
    xt_bytes_free(&bytes);
    add(&bytes, FIN | 8, XS_SLICE(""));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(conn->phase, XT_ENDED);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void fragments_are_bounded_together(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };

    (void)state;
    add(&bytes, 2, repeated(&payload, 'x', 1024 * 1024));
    add_raw(&bytes, 0, MASKED | 1, 0, 1, XS_SLICE(""));
    fails(&bytes, 1009);
    xt_bytes_free(&bytes);
    add(&bytes, 1, XS_SLICE("x"));
    add_raw(&bytes, FIN | 0, MASKED | 127, 8, UINT64_MAX >> 1, XS_SLICE(""));
    fails(&bytes, 1009);
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
}

static void a_small_limit_does_not_forbid_control_frames(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn;
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };

    (void)state;
    host->limits.message = 10;
    conn = client_new(host, "");
    add(&bytes, 1, XS_SLICE("0123456789"));
    add(&bytes, FIN | 9, repeated(&payload, 'x', 125));
    add(&bytes, FIN | 0, XS_SLICE(""));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(conn->written.len, 127);
    assert_payload(conn, 0, "0123456789", false);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
    xt_host_free(host);
}

/* ---- UTF-8 ---- */

static void check_utf8(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 1);
    assert_payload(conn, 0, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf0\x9f\x98\x80",
                   false);
}

static void characters_may_be_cut_by_fragments(void **state)
{
    static const char text[] = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf0\x9f\x98\x80";
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        xt_bytes_free(&bytes);
        add(&bytes, 1, (struct xs_slice){ text, i });
        add(&bytes, FIN | 0, (struct xs_slice){ text + i, sizeof text - 1 - i });
        in_every_way(&bytes, "", check_utf8);
    }
    xt_bytes_free(&bytes);
}

static void text_that_is_no_utf8_is_1007(void **state)
{
    static const char *const bad[] = {
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xed\xa0\x80",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "ok\xc3",
        "ok\xe2\x82",
        "ok\xf0\x9f\x98",
        "abcdefghijklmnop\xfe",
        "\xc3(",
    };
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        xt_bytes_free(&bytes);
        add(&bytes, FIN | 1, xs_slice_of(bad[i]));
        fails(&bytes, 1007);
        xt_bytes_free(&bytes);
        add(&bytes, 1, xs_slice_of(bad[i]));
        add(&bytes, FIN | 0, XS_SLICE("."));
        fails(&bytes, 1007);
    }
    xt_bytes_free(&bytes);
}

static void a_bad_byte_fails_inside_its_fragment(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, 1, XS_SLICE("fine so far"));
    add_raw(&bytes, 0, MASKED | 126, 2, 60000, XS_SLICE("still fine\xf4"));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(conn->phase, XT_OPEN);
    /* 0x90 may not follow 0xf4 (RFC 3629 section 3): the eleventh byte of the fragment was the
     * last good one. */
    xt_feed(conn, (struct xs_slice){ (char[]){ (char)(0x90 ^ 0x3d) }, 1 });
    assert_int_equal(closed_with(conn), 1007);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

/* ---- pings ---- */

static void check_pongs(struct xs_conn *conn)
{
    assert_written(conn, "\x8a\x00\x8a\x01p\x8a\x05\x00\xff\x00\xff!");
    assert_int_equal(conn->frames, 4);
}

static void a_ping_is_answered_with_its_payload_and_a_pong_with_nothing(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | 9, XS_SLICE(""));
    add(&bytes, FIN | 9, XS_SLICE("p"));
    add(&bytes, FIN | 10, XS_SLICE("nobody asked"));
    add(&bytes, FIN | 9, XS_SLICE("\x00\xff\x00\xff!"));
    in_every_way(&bytes, "", check_pongs);
    xt_bytes_free(&bytes);
}

static void a_peer_that_does_not_read_gets_only_the_answer_to_its_latest_ping(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };
    size_t full;

    (void)state;
    conn->peer_reads = false;
    repeated(&payload, 'x', 125);
    for (size_t i = 0; i < 2000; i++)
        add(&bytes, FIN | 9, xt_slice(&payload));
    add(&bytes, FIN | 9, XS_SLICE("last"));
    xt_feed(conn, xt_slice(&bytes));
    full = conn->written.len;
    assert_in_range(full, 64 * 1024, 64 * 1024 + 254);
    assert_int_equal(conn->frames, 2001);
    xt_ping(conn);
    assert_int_equal(conn->written.len, full);

    conn->queued_control = 0;
    xt_forget(conn);
    xt_ping(conn);
    assert_written(conn, "\x8a\x04last\x89\x04ping");
    xt_forget(conn);
    xt_ping(conn);
    assert_written(conn, "\x89\x04ping");
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
    xt_host_free(host);
}

static void a_ping_that_was_never_answered_leaves_nothing_behind(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    conn->extra_control = 64 * 1024 + 1;
    add(&bytes, FIN | 9, XS_SLICE("late"));
    xt_feed(conn, xt_slice(&bytes));
    xt_reset(conn);
    assert_int_equal(conn->written.len, 0);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void the_latest_ping_is_answered_when_the_peer_sends_again(void **state)
{
    struct xt_host *host = host_new();
    struct xs_conn *conn = client_new(host, "");
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    conn->extra_control = 64 * 1024 + 1;
    add(&bytes, FIN | 9, XS_SLICE("old"));
    add(&bytes, FIN | 9, XS_SLICE("new"));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(conn->written.len, 0);
    conn->extra_control = 0;
    xt_bytes_free(&bytes);
    add(&bytes, FIN | 1, XS_SLICE("hi"));
    xt_feed(conn, xt_slice(&bytes));
    assert_written(conn, "\x8a\x03new");
    assert_int_equal(conn->payload_count, 1);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

/* ---- close frames ---- */

static struct xt_bytes expected_close;

static void check_close(struct xs_conn *conn)
{
    assert_int_equal(conn->written.len, expected_close.len);
    assert_memory_equal(conn->written.at, expected_close.at, expected_close.len);
    assert_int_equal(conn->phase, XT_ENDED);
    assert_int_equal(conn->reason, XS_CLOSE_NORMAL);
    assert_int_equal(conn->payload_count, 0);
}

static void a_close_frame_is_answered_with_its_code_and_ends_everything(void **state)
{
    static const unsigned codes[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009,
                                      1010, 1011, 3000, 3999, 4000, 4999 };
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char payload[] = { (char)(codes[i] >> 8), (char)(codes[i] & 0xff), 'b', 'y', 'e' };

        xt_bytes_free(&bytes);
        xt_bytes_free(&expected_close);
        add(&bytes, FIN | 8, (struct xs_slice){ payload, i % 2 == 0 ? 2 : 5 });
        /* What comes behind it is not looked at. */
        add(&bytes, FIN | 1, XS_SLICE("too late"));
        add(&bytes, FIN | 9, XS_SLICE("too late"));
        xt_append(&expected_close, XS_SLICE("\x88\x02"));
        xt_append(&expected_close, (struct xs_slice){ payload, 2 });
        in_every_way(&bytes, "", check_close);
    }
    xt_bytes_free(&bytes);
    add(&bytes, FIN | 8, XS_SLICE(""));
    xt_bytes_free(&expected_close);
    xt_append(&expected_close, XS_SLICE("\x88\x00"));
    in_every_way(&bytes, "", check_close);
    xt_bytes_free(&bytes);
    xt_bytes_free(&expected_close);
}

static void a_close_code_that_may_not_be_sent_is_1002(void **state)
{
    static const unsigned codes[] = { 0,    1,    999,  1004, 1005, 1006, 1015,
                                      1016, 1100, 2000, 2999, 5000, 65535 };
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char payload[] = { (char)(codes[i] >> 8), (char)(codes[i] & 0xff), 'x' };

        xt_bytes_free(&bytes);
        add(&bytes, FIN | 8, (struct xs_slice){ payload, i % 2 == 0 ? 2 : 3 });
        fails(&bytes, 1002);
    }
    xt_bytes_free(&bytes);
    add(&bytes, FIN | 8, XS_SLICE("\x03"));
    fails(&bytes, 1002);
    xt_bytes_free(&bytes);
}

static void a_close_reason_that_is_no_utf8_is_1007(void **state)
{
    static const char *const bad[] = { "\xff", "ok\xc3", "\xc3(", "\xed\xa0\x80" };
    struct xt_bytes bytes = { NULL, 0, 0 }, payload = { NULL, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        xt_bytes_free(&bytes);
        xt_bytes_free(&payload);
        xt_append(&payload, XS_SLICE("\x03\xe8"));
        xt_append(&payload, xs_slice_of(bad[i]));
        add(&bytes, FIN | 8, xt_slice(&payload));
        fails(&bytes, 1007);
    }
    xt_bytes_free(&bytes);
    xt_bytes_free(&payload);
}

static void check_close_inside(struct xs_conn *conn)
{
    assert_written(conn, "\x88\x02\x03\xe9");
    assert_int_equal(conn->payload_count, 0);
    assert_int_equal(conn->phase, XT_ENDED);
}

static void a_close_frame_between_fragments_ends_the_message_too(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, 1, XS_SLICE("never "));
    add(&bytes, FIN | 8, XS_SLICE("\x03\xe9"));
    add(&bytes, FIN | 0, XS_SLICE("finished"));
    in_every_way(&bytes, "", check_close_inside);
    xt_bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_whole_however_they_are_cut),
        cmocka_unit_test(every_form_of_the_length_is_read),
        cmocka_unit_test(fragments_are_put_together_around_control_frames),
        cmocka_unit_test(a_message_of_65536_fragments_is_legal),
        cmocka_unit_test(fragments_of_nothing_make_an_empty_message),
        cmocka_unit_test(unmasked_frames_reserved_bits_and_opcodes_are_1002),
        cmocka_unit_test(lengths_that_are_not_minimal_or_negative_are_1002),
        cmocka_unit_test(control_frames_over_125_bytes_or_in_fragments_are_1002),
        cmocka_unit_test(fragments_out_of_order_are_1002),
        cmocka_unit_test(an_announced_length_over_the_limit_is_1009_at_once),
        cmocka_unit_test(what_follows_an_announced_length_is_thrown_away_up_to_the_close_frame),
        cmocka_unit_test(fragments_are_bounded_together),
        cmocka_unit_test(a_small_limit_does_not_forbid_control_frames),
        cmocka_unit_test(characters_may_be_cut_by_fragments),
        cmocka_unit_test(text_that_is_no_utf8_is_1007),
        cmocka_unit_test(a_bad_byte_fails_inside_its_fragment),
        cmocka_unit_test(a_ping_is_answered_with_its_payload_and_a_pong_with_nothing),
        cmocka_unit_test(a_peer_that_does_not_read_gets_only_the_answer_to_its_latest_ping),
        cmocka_unit_test(a_ping_that_was_never_answered_leaves_nothing_behind),
        cmocka_unit_test(the_latest_ping_is_answered_when_the_peer_sends_again),
        cmocka_unit_test(a_close_frame_is_answered_with_its_code_and_ends_everything),
        cmocka_unit_test(a_close_code_that_may_not_be_sent_is_1002),
        cmocka_unit_test(a_close_reason_that_is_no_utf8_is_1007),
        cmocka_unit_test(a_close_frame_between_fragments_ends_the_message_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
