/* host: fake
 * needs: modules/protocols/websocket/websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: wslay crypto zlib */
/* permessage-deflate where it meets handshake and frames: RFC 7692 sections 5 to 7. */
#include <zlib.h>

#include "websocket_util.h"

enum { RSV1 = 0x40, RSV2 = 0x20 };

static const char *const on[] = { "deflate", "yes", "deflate_min", "64", NULL };

static struct xt_host *host_with(const char *const *settings)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "websocket"), settings);
    xt_host_subprotocol(host, &bare_ops, NULL);
    xt_host_subprotocol(host, &shy_ops, NULL);
    return host;
}

/* The connection and its answer; `offer` may be NULL. */
static struct xs_conn *ask(struct xt_host *host, const char *subprotocol, const char *offer)
{
    struct xs_http_header headers[7];
    struct xs_http_head head;
    struct xs_conn *conn;
    size_t count = 5;

    memcpy(headers, good_headers, sizeof good_headers);
    if (subprotocol[0] != '\0') {
        headers[count].name = XS_SLICE("Sec-WebSocket-Protocol");
        headers[count++].value = xs_slice_of(subprotocol);
    }
    if (offer != NULL) {
        headers[count].name = XS_SLICE("Sec-WebSocket-Extensions");
        headers[count++].value = xs_slice_of(offer);
    }
    head = head_of(headers, count);
    conn = xt_conn_new_upgraded(host, "websocket", &head);
    assert_int_equal(conn->ready_count, 1);
    return conn;
}

static struct xs_conn *client_of(struct xt_host *host, const char *subprotocol)
{
    struct xs_conn *conn = ask(host, subprotocol, "permessage-deflate");

    xt_forget(conn);
    return conn;
}

/* ---- the handshake ---- */

static void expect_answer(const char *const *settings, const char *offer, const char *line)
{
    struct xt_host *host = host_with(settings);
    struct xs_conn *conn = ask(host, "", offer);
    char answer[1024];

    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                   "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%s\r\n",
                   line);
    assert_string_equal(conn->written.at, answer);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void an_offer_is_answered_that_nobody_keeps_a_window(void **state)
{
    static const char plain[] =
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover\r\n";

    (void)state;
    expect_answer(on, "permessage-deflate", plain);
    expect_answer(on, "permessage-deflate; client_max_window_bits", plain);
    expect_answer(on, "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                  plain);
    expect_answer(on, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
                  "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                  "client_no_context_takeover; server_max_window_bits=10\r\n");
    expect_answer(on, "permessage-deflate; server_max_window_bits=15",
                  "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                  "client_no_context_takeover; server_max_window_bits=15\r\n");
}

static void nothing_is_answered_to_who_offers_nothing_good_or_when_it_is_off(void **state)
{
    static const char *const off[] = { "deflate", "no", NULL };

    (void)state;
    expect_answer(on, NULL, "");
    expect_answer(on, "permessage-deflate; unheard", "");
    expect_answer(on, "x-webkit-deflate-frame", "");
    expect_answer(off, "permessage-deflate", "");
    expect_answer(NULL, "permessage-deflate", "");
}

/* ---- frames in ---- */

/* One connection that gets `bytes` in one read, in steps, and cut in two at every place. */
static void in_every_way(const struct xt_bytes *bytes, void (*check)(struct xs_conn *conn))
{
    static const size_t steps[] = { 1, 2, 3, 7, 4096 };
    struct xt_host *host = host_with(on);
    size_t cuts = bytes->len < 300 ? bytes->len : 0;

    for (size_t cut = 0; cut <= cuts; cut++) {
        struct xs_conn *conn = client_of(host, "");

        xt_feed_cut(conn, xt_slice(bytes), cut);
        check(conn);
        xt_conn_free(conn);
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct xs_conn *conn = client_of(host, "");

        xt_feed_steps(conn, xt_slice(bytes), steps[i]);
        check(conn);
        xt_conn_free(conn);
    }
    xt_host_free(host);
}

/* As a client packs it; valid until the next call. */
static struct xs_slice packed_of(const void *plain, size_t len)
{
    static Bytef packed[256 * 1024];
    z_stream z;

    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)plain;
    z.avail_in = (uInt)len;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    assert_int_not_equal(z.avail_out, 0);
    deflateEnd(&z);
    return (struct xs_slice){ (const char *)packed, z.total_out - 4 };
}

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"

static void check_hellos(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 6);
    for (size_t i = 0; i < 5; i++)
        assert_payload(conn, i, "Hello", i == 4);
    assert_payload(conn, 5, "plain", false);
    assert_int_equal(conn->frames, 0);
    assert_int_equal(conn->written.len, 0);
    assert_int_equal(conn->phase, XT_OPEN);
}

/* RFC 7692 section 7.2.3. */
static void the_messages_of_the_rfc_arrive_however_they_are_cut(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | RSV1 | 1, XS_SLICE(HELLO));
    add(&bytes, FIN | RSV1 | 1, XS_SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"));
    add(&bytes, FIN | RSV1 | 1, XS_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"));
    add(&bytes, FIN | RSV1 | 1,
        XS_SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"));
    add(&bytes, FIN | RSV1 | 2, XS_SLICE(HELLO));
    add(&bytes, FIN | 1, XS_SLICE("plain"));
    in_every_way(&bytes, check_hellos);
    xt_bytes_free(&bytes);
}

static void check_fragments(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 4);
    assert_payload(conn, 0, "Hello", false);
    assert_payload(conn, 1, "", false);
    assert_payload(conn, 2, "", true);
    assert_payload(conn, 3, "one two", false);
    assert_written(conn, "\x8a\x02ok");
    /* Four fragments that are not last, a ping, a pong. */
    assert_int_equal(conn->frames, 6);
}

static void a_packed_message_may_be_in_fragments_around_control_frames(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, RSV1 | 1, XS_SLICE("\xf2\x48\xcd"));
    add(&bytes, FIN | 9, XS_SLICE("ok"));
    add(&bytes, 0, XS_SLICE(""));
    add(&bytes, FIN | 10, XS_SLICE(""));
    add(&bytes, FIN | 0, XS_SLICE("\xc9\xc9\x07\x00"));
    add(&bytes, FIN | RSV1 | 1, XS_SLICE(""));
    add(&bytes, RSV1 | 2, XS_SLICE(""));
    add(&bytes, FIN | 0, XS_SLICE("\x00"));
    add(&bytes, 1, XS_SLICE("one "));
    add(&bytes, FIN | 0, XS_SLICE("two"));
    in_every_way(&bytes, check_fragments);
    xt_bytes_free(&bytes);
}

static void check_1002(struct xs_conn *conn)
{
    assert_int_equal(closed_with(conn), 1002);
    assert_int_equal(conn->payload_count, 0);
}

static void check_1007(struct xs_conn *conn)
{
    assert_int_equal(closed_with(conn), 1007);
    assert_int_equal(conn->payload_count, 0);
}

static void check_1009(struct xs_conn *conn)
{
    assert_int_equal(closed_with(conn), 1009);
    assert_int_equal(conn->payload_count, 0);
}

static void reserved_bits_are_1002_wherever_they_mean_nothing(void **state)
{
    static const struct {
        unsigned begin, then;
    } cases[] = {
        { 0, FIN | RSV1 | 0 }, /* nothing is to be continued */
        { 1, RSV1 | 0 },       /* RFC 7692 section 6.1: only the first frame */
        { 1, FIN | RSV1 | 0 },
        { RSV1 | 1, FIN | RSV1 | 0 },
        { RSV1 | 1, FIN | RSV1 | 1 }, /* a message inside another */
        { RSV1 | 1, FIN | 1 },
        { 0, FIN | RSV1 | 9 },
        { 0, FIN | RSV1 | 10 },
        { 0, FIN | RSV1 | 8 },
        { RSV1 | 1, FIN | RSV1 | 9 },
        { 0, FIN | RSV2 | 1 },
        { 0, FIN | RSV1 | RSV2 | 1 },
        { 0, FIN | RSV1 | 0x10 | 2 },
        { 0, FIN | RSV1 | 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xt_bytes bytes = { NULL, 0, 0 };

        if (cases[i].begin != 0)
            add(&bytes, cases[i].begin,
                cases[i].begin == 1 ? XS_SLICE("ok") : XS_SLICE("\xf2\x48"));
        add(&bytes, cases[i].then, XS_SLICE("\xcd\xc9\xc9\x07\x00"));
        in_every_way(&bytes, check_1002);
        xt_bytes_free(&bytes);
    }
}

static void who_has_not_agreed_may_not_pack(void **state)
{
    struct xt_host *host = host_with(on);
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | RSV1 | 1, XS_SLICE(HELLO));
    for (size_t cut = 0; cut <= bytes.len; cut++) {
        struct xs_conn *packs = client_of(host, ""), *conn = ask(host, "", NULL);

        /* The reader that lies free then has been used by somebody who may. */
        xt_feed_bytewise(packs, xt_slice(&bytes));
        assert_payload(packs, 0, "Hello", false);
        xt_forget(conn);
        xt_feed_cut(conn, xt_slice(&bytes), cut);
        check_1002(conn);
        xt_conn_free(packs);
        xt_conn_free(conn);
    }
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

static void what_cannot_be_unpacked_is_1002(void **state)
{
    static const struct {
        const char *at;
        size_t len;
    } cases[] = {
        { "\xff\xff\xff", 3 },
        { "\xf2\x48\xcd\xc9", 4 },
        { "\xf2\x00\x11\x00\x00", 5 }, /* leans on a message before */
        { "not packed at all", 17 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xt_bytes bytes = { NULL, 0, 0 };

        add(&bytes, FIN | RSV1 | (i % 2 == 0 ? 1 : 2),
            (struct xs_slice){ cases[i].at, cases[i].len });
        in_every_way(&bytes, check_1002);
        xt_bytes_free(&bytes);
    }
}

static void check_binary(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 1);
    assert_payload(conn, 0, "a\xff\xc3", true);
}

static void text_is_checked_when_it_is_unpacked(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    add(&bytes, FIN | RSV1 | 1, packed_of("a\xff\xc3", 3));
    in_every_way(&bytes, check_1007);
    xt_bytes_free(&bytes);
    add(&bytes, FIN | RSV1 | 1, packed_of("cut \xc3", 5));
    in_every_way(&bytes, check_1007);
    xt_bytes_free(&bytes);
    add(&bytes, FIN | RSV1 | 2, packed_of("a\xff\xc3", 3));
    in_every_way(&bytes, check_binary);
    xt_bytes_free(&bytes);
}

/* What is packed of ASCII is seldom UTF-8 itself: nobody may look at it before. */
static void check_zeta(struct xs_conn *conn)
{
    assert_int_equal(conn->payload_count, 1);
    assert_payload(conn, 0, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz \xc3\xa4", false);
}

static void what_is_packed_need_not_be_utf8(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };
    struct xs_slice packed = packed_of("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz \xc3\xa4", 35);

    (void)state;
    assert_false(xs_utf8_valid(packed.at, packed.len));
    add(&bytes, FIN | RSV1 | 1, packed);
    in_every_way(&bytes, check_zeta);
    xt_bytes_free(&bytes);
    add(&bytes, RSV1 | 1, (struct xs_slice){ packed.at, 3 });
    add(&bytes, FIN, (struct xs_slice){ packed.at + 3, packed.len - 3 });
    in_every_way(&bytes, check_zeta);
    xt_bytes_free(&bytes);
}

static void a_message_that_unpacks_to_more_than_the_limit_is_1009(void **state)
{
    enum { LARGE = 4 * 1024 * 1024 };
    char *zeros = calloc(1, LARGE);
    struct xt_bytes bytes = { NULL, 0, 0 };
    struct xt_host *host = host_with(on);
    struct xs_conn *conn;
    struct xs_slice packed;

    (void)state;
    assert_non_null(zeros);
    packed = packed_of(zeros, LARGE);
    assert_in_range(packed.len, 1, LARGE / 900);
    add(&bytes, FIN | RSV1 | 1, packed);
    in_every_way(&bytes, check_1009);
    xt_bytes_free(&bytes);
    add(&bytes, RSV1 | 1, (struct xs_slice){ packed.at, 1000 });
    add(&bytes, FIN | 0, (struct xs_slice){ packed.at + 1000, packed.len - 1000 });
    in_every_way(&bytes, check_1009);
    xt_bytes_free(&bytes);

    host->limits.message = 5000;
    for (size_t over = 0; over < 2; over++) {
        conn = client_of(host, "");
        add(&bytes, FIN | RSV1 | 2, packed_of(zeros, 5000 + over));
        xt_feed(conn, xt_slice(&bytes));
        assert_int_equal(conn->payload_count, 1 - over);
        assert_int_equal(closed_with(conn), over == 1 ? 1009 : 0);
        xt_conn_free(conn);
        xt_bytes_free(&bytes);
    }
    xt_host_free(host);
    free(zeros);
}

static void packed_bytes_have_a_bound_of_their_own(void **state)
{
    static const char empty[] = "\x00\x00\x00\xff\xff"; /* a block of nothing */
    struct xt_bytes blocks = { NULL, 0, 0 }, bytes = { NULL, 0, 0 };
    struct xt_host *host = host_with(on);
    struct xs_conn *conn = client_of(host, "");

    (void)state;
    host->limits.message = 800;
    while (blocks.len < 965)
        xt_append(&blocks, (struct xs_slice){ empty, 5 });
    /* An announced length over 800 * 9 / 8 + 64 is enough. */
    add_raw(&bytes, FIN | RSV1 | 1, MASKED | 126, 2, 965, XS_SLICE(""));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(closed_with(conn), 1009);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    /* In fragments, together. */
    conn = client_of(host, "");
    add(&bytes, RSV1 | 1, (struct xs_slice){ blocks.at, 900 });
    add(&bytes, FIN | 0, (struct xs_slice){ blocks.at + 900, 65 });
    xt_feed_steps(conn, xt_slice(&bytes), 100);
    assert_int_equal(closed_with(conn), 1009);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    /* What is not packed has the limit as it stands. */
    conn = client_of(host, "");
    add(&bytes, 2, (struct xs_slice){ blocks.at, 790 });
    add_raw(&bytes, 0, MASKED | 11, 0, 0, XS_SLICE(""));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(closed_with(conn), 1009);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    /* And a packed one that is as long as may be is unpacked. */
    conn = client_of(host, "");
    blocks.len = 960;
    xt_append(&blocks, XS_SLICE("\x00"));
    add(&bytes, FIN | RSV1 | 1, xt_slice(&blocks));
    xt_feed(conn, xt_slice(&bytes));
    assert_int_equal(conn->payload_count, 1);
    assert_payload(conn, 0, "", false);
    xt_conn_free(conn);
    xt_bytes_free(&bytes);
    xt_bytes_free(&blocks);
    xt_host_free(host);
}

/* One inflater serves all: fragments of one client must not disturb those of another. */
static void messages_of_two_clients_may_interleave(void **state)
{
    struct xt_host *host = host_with(on);
    struct xs_conn *a = client_of(host, ""), *b = client_of(host, "");
    struct xt_bytes first = { NULL, 0, 0 }, second = { NULL, 0, 0 }, whole = { NULL, 0, 0 };

    (void)state;
    add(&first, RSV1 | 1, XS_SLICE("\xf2\x48\xcd"));
    add(&second, FIN | 0, XS_SLICE("\xc9\xc9\x07\x00"));
    add(&whole, FIN | RSV1 | 1, XS_SLICE(HELLO));
    xt_feed(a, xt_slice(&first));
    xt_feed(b, xt_slice(&whole));
    xt_feed(b, xt_slice(&first));
    xt_feed(a, xt_slice(&second));
    xt_feed(b, xt_slice(&second));
    assert_payload(a, 0, "Hello", false);
    assert_payload(b, 0, "Hello", false);
    assert_payload(b, 1, "Hello", false);
    xt_conn_free(a);
    xt_conn_free(b);
    xt_bytes_free(&first);
    xt_bytes_free(&second);
    xt_bytes_free(&whole);
    xt_host_free(host);
}

/* ---- frames out ---- */

static void encode(struct xs_conn *conn, const char *text, const struct xs_personal *who,
                   struct xt_bytes *out)
{
    struct xs_message *msg = xt_message_new("c", "t", xs_text(text));

    assert_int_equal(xt_encode(conn, msg, who, out, NULL), XS_OK);
    xt_message_free(msg);
}

/* The frame says that it is packed, and holds this. */
static void assert_packed(const struct xt_bytes *out, unsigned opcode, struct xs_slice plain)
{
    const unsigned char *at = (const unsigned char *)out->at;
    size_t size, len;
    Bytef *unpacked = malloc(plain.len + 1);
    z_stream z;

    assert_non_null(unpacked);
    assert_in_range(out->len, 3, plain.len);
    assert_int_equal(at[0], FIN | RSV1 | opcode);
    size = at[1] == 126 ? 4 : 2;
    len = size == 4 ? (size_t)at[2] << 8 | at[3] : at[1];
    assert_int_equal(size + len, out->len);
    assert_int_equal(size == 4, len > 125);
    memset(&z, 0, sizeof z);
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)at + size;
    z.avail_in = (uInt)len;
    z.next_out = unpacked;
    z.avail_out = (uInt)plain.len + 1;
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    z.next_in = (Bytef *)(uintptr_t) "\0\0\xff\xff";
    z.avail_in = 4;
    (void)inflate(&z, Z_SYNC_FLUSH);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, plain.len);
    assert_memory_equal(unpacked, plain.at, plain.len);
    inflateEnd(&z);
    free(unpacked);
}

static void messages_of_the_least_size_on_are_packed(void **state)
{
    struct xt_host *host = host_with(on);
    struct xs_conn *conn = client_of(host, ""), *plain = ask(host, "", NULL);
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 };

    (void)state;
    for (size_t len = 60; len < 300; len++) {
        struct xs_slice data = repeated(&text, 'x', len);

        encode(conn, text.at, NULL, &out);
        if (len < 64)
            assert_int_equal((unsigned char)out.at[0], FIN | 1);
        else
            assert_packed(&out, 1, data);
        encode(plain, text.at, NULL, &out);
        assert_int_equal((unsigned char)out.at[0], FIN | 1);
        assert_int_equal(out.len, len + (len > 125 ? 4 : 2));
    }
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_conn_free(plain);
    xt_host_free(host);
}

static void the_headers_length_is_that_of_what_is_packed(void **state)
{
    struct xt_host *host = host_with(on);
    struct xs_conn *conn = client_of(host, "");
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 };
    uint32_t seed = 1;
    bool shorter = false, longer = false;

    (void)state;
    for (size_t len = 100; len < 3000; len += 41) {
        xt_bytes_free(&text);
        for (size_t i = 0; i < len; i++) {
            char c;

            seed = seed * 1664525U + 1013904223U;
            c = (char)('a' + (seed >> 24) % 8);
            xt_append(&text, (struct xs_slice){ &c, 1 });
        }
        encode(conn, text.at, NULL, &out);
        assert_packed(&out, 1, xt_slice(&text));
        shorter |= out.at[1] < 126;
        longer |= out.at[1] == 126;
    }
    assert_true(shorter && longer);
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_blob_is_packed_in_a_binary_frame(void **state)
{
    static const char zeros[200];
    struct xt_host *host = host_with(on);
    struct xs_conn *conn = client_of(host, "");
    struct xs_message *msg =
        xt_message_new_blob("c", "t", xs_text("x"), (struct xs_slice){ zeros, sizeof zeros });
    struct xt_bytes out = { NULL, 0, 0 };

    (void)state;
    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_OK);
    assert_packed(&out, 2, (struct xs_slice){ zeros, sizeof zeros });
    xt_message_free(msg);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void what_would_not_become_smaller_goes_as_it_is(void **state)
{
    struct xt_host *host = host_with(on);
    struct xs_conn *conn = client_of(host, "");
    struct xt_bytes noise = { NULL, 0, 0 }, out = { NULL, 0, 0 };
    struct xs_message *msg;
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        char c;

        seed = seed * 1664525U + 1013904223U;
        c = (char)(seed >> 24);
        xt_append(&noise, (struct xs_slice){ &c, 1 });
    }
    msg = xt_message_new_blob("c", "t", xs_text("x"), xt_slice(&noise));
    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_OK);
    assert_int_equal(out.len, 2004);
    assert_memory_equal(out.at, "\x82\x7e\x07\xd0", 4);
    assert_memory_equal(out.at + 4, noise.at, 2000);
    xt_message_free(msg);
    xt_bytes_free(&out);
    xt_bytes_free(&noise);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void what_is_personal_goes_as_it_is(void **state)
{
    struct xs_personal who = { .size = sizeof who, .has_correlation = true, .correlation = 5 };
    struct xt_host *host = host_with(on);
    struct xs_conn *conn = client_of(host, "");
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 };

    (void)state;
    (void)repeated(&text, 'x', 100);
    encode(conn, text.at, &who, &out);
    assert_int_equal((unsigned char)out.at[0], FIN | 1);
    assert_int_equal(out.at[1], 106);
    assert_memory_equal(out.at + 2 + 99, ",\"N\":5}", 7);
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_smaller_window_is_another_variant(void **state)
{
    struct xt_host *host = host_with(on);
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 };
    uint32_t seen = 0;

    (void)state;
    for (size_t i = 0; i < 4000; i++)
        xt_append(&text, i % 700 == 0 ? XS_SLICE("something that comes again") : XS_SLICE("."));
    for (unsigned window = 9; window <= 15; window++) {
        char offer[64];
        struct xs_conn *conn;

        (void)snprintf(offer, sizeof offer, "permessage-deflate; server_max_window_bits=%u",
                       window);
        conn = ask(host, "", offer);
        assert_int_equal(conn->variant & ~XS_VARIANT_OF_PROTOCOL, 0);
        assert_int_equal(conn->variant & XS_VARIANT_PACKED, XS_VARIANT_PACKED);
        assert_int_equal(seen & 1U << (conn->variant >> 28), 0);
        seen |= 1U << (conn->variant >> 28);
        encode(conn, text.at, NULL, &out);
        assert_packed(&out, 1, xt_slice(&text));
        xt_conn_free(conn);
    }
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_host_free(host);
}

static uint32_t variant_of_subprotocol;

static enum xs_err choosy_open(void *self, struct xs_conn *conn)
{
    (void)self;
    xs_conn_set_variant(conn, 3);
    return XS_OK;
}

static enum xs_err choosy_encode(uint32_t variant, const struct xs_message *msg,
                                 struct xs_slice data, struct xs_buf *out, bool *binary)
{
    (void)msg;
    (void)binary;
    variant_of_subprotocol = variant;
    xs_buf_append(out, data);
    return XS_OK;
}

static void a_subprotocol_has_its_variants_beside_that(void **state)
{
    static const struct xs_subprotocol_ops choosy_ops = {
        .size = sizeof(struct xs_subprotocol_ops),
        .name = "choosy",
        .token = "Choosy",
        .view = XS_VIEW_RAW,
        .open = choosy_open,
        .decode = any_decode,
        .encode = choosy_encode,
    };
    struct xt_host *host = host_with(on);
    struct xt_bytes text = { NULL, 0, 0 }, out = { NULL, 0, 0 };
    struct xs_conn *conn;

    (void)state;
    xt_host_subprotocol(host, &choosy_ops, NULL);
    conn = client_of(host, "Choosy");
    encode(conn, repeated(&text, 'x', 100).at, NULL, &out);
    assert_packed(&out, 1, xt_slice(&text));
    assert_int_equal(variant_of_subprotocol, 3);
    xt_bytes_free(&text);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_answered_that_nobody_keeps_a_window),
        cmocka_unit_test(nothing_is_answered_to_who_offers_nothing_good_or_when_it_is_off),
        cmocka_unit_test(the_messages_of_the_rfc_arrive_however_they_are_cut),
        cmocka_unit_test(a_packed_message_may_be_in_fragments_around_control_frames),
        cmocka_unit_test(reserved_bits_are_1002_wherever_they_mean_nothing),
        cmocka_unit_test(who_has_not_agreed_may_not_pack),
        cmocka_unit_test(what_cannot_be_unpacked_is_1002),
        cmocka_unit_test(text_is_checked_when_it_is_unpacked),
        cmocka_unit_test(what_is_packed_need_not_be_utf8),
        cmocka_unit_test(a_message_that_unpacks_to_more_than_the_limit_is_1009),
        cmocka_unit_test(packed_bytes_have_a_bound_of_their_own),
        cmocka_unit_test(messages_of_two_clients_may_interleave),
        cmocka_unit_test(messages_of_the_least_size_on_are_packed),
        cmocka_unit_test(the_headers_length_is_that_of_what_is_packed),
        cmocka_unit_test(a_blob_is_packed_in_a_binary_frame),
        cmocka_unit_test(what_would_not_become_smaller_goes_as_it_is),
        cmocka_unit_test(what_is_personal_goes_as_it_is),
        cmocka_unit_test(a_smaller_window_is_another_variant),
        cmocka_unit_test(a_subprotocol_has_its_variants_beside_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
