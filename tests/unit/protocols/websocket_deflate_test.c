/* host: fake
 * needs: modules/protocols/websocket/deflate.c
 * libs: zlib */
/* permessage-deflate, RFC 7692: offers, packing, unpacking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "../../../modules/protocols/websocket/deflate.h"

enum { LIMIT = 1024 * 1024 };

/* ---- offers ---- */

/* What is chosen of up to three headers: 0 nothing, the window, and 100 more if it was named.
 */
static unsigned chosen(const char *const values[3])
{
    struct xs_http_header headers[4];
    struct xs_deflate_offer offer;
    struct xs_http_head head;

    memset(&head, 0, sizeof head);
    head.size = sizeof head;
    head.headers = headers;
    headers[head.header_count].name = XS_SLICE("Host");
    headers[head.header_count++].value = XS_SLICE("permessage-deflate");
    for (size_t i = 0; i < 3 && values[i] != NULL; i++) {
        headers[head.header_count].name = i == 1 ? XS_SLICE("sec-websocket-EXTENSIONS")
                                                 : XS_SLICE("Sec-WebSocket-Extensions");
        headers[head.header_count++].value = xs_slice_of(values[i]);
    }
    if (!xs_deflate_choose(&head, &offer))
        return 0;
    return offer.window + (offer.names_window ? 100 : 0);
}

struct row {
    const char *values[3];
    unsigned chosen;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned got = chosen(rows[i].values);

        if (got != rows[i].chosen)
            fail_msg("%u instead of %u for: %s", got, rows[i].chosen,
                     rows[i].values[0] != NULL ? rows[i].values[0] : "no header");
    }
}

#define CHECK(rows) check((rows), sizeof(rows) / sizeof(rows)[0])

static void offers_that_can_be_kept_are_taken(void **state)
{
    static const struct row rows[] = {
        { { "permessage-deflate" }, 15 },
        { { "permessage-deflate; client_max_window_bits" }, 15 },
        { { "permessage-deflate;client_max_window_bits=8" }, 15 },
        { { "permessage-deflate; client_max_window_bits=15; server_no_context_takeover" }, 15 },
        { { "\tpermessage-deflate ; client_no_context_takeover;server_no_context_takeover " },
          15 },
        { { "permessage-deflate; server_max_window_bits=9" }, 109 },
        { { "permessage-deflate; server_max_window_bits=10" }, 110 },
        { { "permessage-deflate; server_max_window_bits=15" }, 115 },
        { { "permessage-deflate; server_max_window_bits = \"12\" " }, 112 },
    };

    (void)state;
    CHECK(rows);
}

static void offers_with_anything_wrong_are_declined(void **state)
{
    static const struct row rows[] = {
        { { NULL }, 0 },
        { { "" }, 0 },
        { { " , ,, " }, 0 },
        { { "permessage-deflate-x" }, 0 },
        { { "permessage-bzip2" }, 0 },
        { { "x-webkit-deflate-frame" }, 0 },
        { { "permessage-deflate=1" }, 0 },
        { { "permessage-deflate x" }, 0 },
        { { "\"permessage-deflate\"" }, 0 },
        { { "permessage-deflate;" }, 0 },
        { { "permessage-deflate; ; client_max_window_bits" }, 0 },
        { { "permessage-deflate; unheard" }, 0 },
        { { "permessage-deflate; unheard=1" }, 0 },
        { { "permessage-deflate; server_no_context_takeover=1" }, 0 },
        { { "permessage-deflate; client_no_context_takeover=\"\"" }, 0 },
        { { "permessage-deflate; client_no_context_takeover=" }, 0 },
        { { "permessage-deflate; client_no_context_takeover; client_no_context_takeover" }, 0 },
        { { "permessage-deflate; client_max_window_bits; client_max_window_bits=9" }, 0 },
        { { "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9" }, 0 },
        { { "permessage-deflate; server_max_window_bits" }, 0 },
        { { "permessage-deflate; server_max_window_bits=" }, 0 },
        { { "permessage-deflate; server_max_window_bits=7" }, 0 },
        { { "permessage-deflate; server_max_window_bits=8" }, 0 }, /* zlib has none of 8 */
        { { "permessage-deflate; server_max_window_bits=16" }, 0 },
        { { "permessage-deflate; server_max_window_bits=1" }, 0 },
        { { "permessage-deflate; server_max_window_bits=09" }, 0 },
        { { "permessage-deflate; server_max_window_bits=0" }, 0 },
        { { "permessage-deflate; server_max_window_bits=-10" }, 0 },
        { { "permessage-deflate; server_max_window_bits=+10" }, 0 },
        { { "permessage-deflate; server_max_window_bits=10.0" }, 0 },
        { { "permessage-deflate; server_max_window_bits=010" }, 0 },
        { { "permessage-deflate; server_max_window_bits=4294967306" }, 0 },
        { { "permessage-deflate; server_max_window_bits=1x" }, 0 },
        { { "permessage-deflate; server_max_window_bits=\"10" }, 0 },
        { { "permessage-deflate; server_max_window_bits=10\"" }, 0 },
        { { "permessage-deflate; server_max_window_bits=\"1\\0\"" }, 0 },
        { { "permessage-deflate; client_max_window_bits=7" }, 0 },
        { { "permessage-deflate; client_max_window_bits=16" }, 0 },
        { { "permessage-deflate; client_max_window_bits=x" }, 0 },
        { { "permessage-deflate; client_max_window_bits=" }, 0 },
    };

    (void)state;
    CHECK(rows);
}

static void the_first_offer_that_can_be_kept_is_taken_whatever_header_it_is_in(void **state)
{
    static const struct row rows[] = {
        { { "permessage-deflate; server_max_window_bits=10, permessage-deflate" }, 110 },
        { { "permessage-deflate; server_max_window_bits=8, permessage-deflate" }, 15 },
        { { "foo, bar; baz=2,permessage-deflate; server_max_window_bits=11" }, 111 },
        { { "foo; a=\"x, permessage-deflate\", bar" }, 0 },
        { { "foo; a=\"x\\\", permessage-deflate, \\\\\", permessage-deflate;"
            "server_max_window_bits=13" },
          113 },
        { { "foo; a=\"unfinished, permessage-deflate" }, 0 },
        { { "foo", "permessage-deflate; server_max_window_bits=14", "permessage-deflate" },
          114 },
        { { "foo; a=\"unfinished", "bar", "permessage-deflate" }, 15 },
        { { ",,", "", ", permessage-deflate ," }, 15 },
    };

    (void)state;
    CHECK(rows);
}

static void a_long_list_of_offers_takes_one_pass(void **state)
{
    enum { COUNT = 200000 };
    static const char bad[] = "permessage-deflate; server_max_window_bits=8, ";
    char *text = malloc(COUNT * (sizeof bad - 1) + sizeof "permessage-deflate");
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT; i++, len += sizeof bad - 1)
        memcpy(text + len, bad, sizeof bad);
    memcpy(text + len, "permessage-deflate", sizeof "permessage-deflate");
    assert_int_equal(chosen((const char *const[3]){ text }), 15);
    free(text);
}

/* ---- unpacking ---- */

static struct xs_packer *packer;

static int setup(void **state)
{
    (void)state;
    packer = xs_packer_new(6);
    return packer == NULL;
}

static int teardown(void **state)
{
    (void)state;
    xs_packer_free(packer);
    return 0;
}

/* In memory of exactly this length. */
static enum xs_err unpack(struct xs_slice packed, size_t limit, struct xs_plain *plain)
{
    char *copy = malloc(packed.len > 0 ? packed.len : 1);
    enum xs_err err;

    assert_non_null(copy);
    if (packed.len > 0)
        memcpy(copy, packed.at, packed.len);
    err = xs_unpack(packer, (struct xs_slice){ copy, packed.len }, limit, plain);
    free(copy);
    return err;
}

static void expect(struct xs_slice packed, const char *text)
{
    struct xs_plain plain;

    assert_int_equal(unpack(packed, LIMIT, &plain), XS_OK);
    assert_non_null(plain.at);
    assert_int_equal(plain.len, strlen(text));
    assert_memory_equal(plain.at, text, plain.len);
    xs_plain_give_back(packer, &plain);
}

static void expect_error(struct xs_slice packed, size_t limit, enum xs_err err)
{
    struct xs_plain plain;

    assert_int_equal(unpack(packed, limit, &plain), err);
    xs_plain_give_back(packer, &plain);
}

/* RFC 7692 sections 7.2.3.1 and 7.2.3.3 to 7.2.3.6. */
static void the_examples_of_the_rfc_are_unpacked(void **state)
{
    (void)state;
    expect(XS_SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
    expect(XS_SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello");
    expect(XS_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello");
    expect(XS_SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello");
    expect(XS_SLICE("\x00"), "");
}

/* RFC 7692 section 7.2.3.2: "Hello" once more, as a reference to the message before. We have
 * answered client_no_context_takeover. */
static void a_message_that_leans_on_the_one_before_is_refused(void **state)
{
    (void)state;
    expect(XS_SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
    expect_error(XS_SLICE("\xf2\x00\x11\x00\x00"), LIMIT, XS_EPROTO);
    expect(XS_SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
}

static void blocks_that_say_they_are_the_last_may_stand_anywhere(void **state)
{
    (void)state;
    expect(XS_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00"), "Hello"); /* nothing behind it */
    expect(XS_SLICE("\x03\x00"), "");
    expect(XS_SLICE("\x03\x00\x00"), "");
    expect(XS_SLICE("\x03\x00\x03\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x03\x00"), "Hello");
    expect(XS_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00"
                    "\xf2\x48\xcd\xc9\xc9\x07\x00"),
           "HelloHelloHello");
    /* What follows the last block of a stream has nothing to refer to. */
    expect_error(XS_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00"), LIMIT,
                 XS_EPROTO);
}

static void what_is_no_deflate_or_only_a_part_of_it_is_refused(void **state)
{
    static const char hello[] = "\xf2\x48\xcd\xc9\xc9\x07\x00";

    (void)state;
    expect_error(XS_SLICE("\xff\xff\xff\xff"), LIMIT, XS_EPROTO);     /* a block of type 3 */
    expect_error(XS_SLICE("\x00\x05\x00\x00\x00"), LIMIT, XS_EPROTO); /* LEN is not ~NLEN */
    expect_error(XS_SLICE("Hello, not packed at all"), LIMIT, XS_EPROTO);
    for (size_t len = 1; len + 1 < sizeof hello - 1; len++)
        expect_error((struct xs_slice){ hello, len }, LIMIT, XS_EPROTO);
    expect_error(XS_SLICE("\x00\x05\x00\xfa\xff"), LIMIT, XS_EPROTO);
    /* With the tail that a sender takes off. */
    expect(XS_SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x00"), "Hello");
    /* Browsers do not send this, and do take it. */
    expect(XS_SLICE(""), "");
}

/* `n` bytes of zeros as the largest ratio that deflate can reach makes them; free it. */
static struct xs_slice zeros(size_t n)
{
    char *plain = calloc(1, n), *packed = malloc(n / 500 + 100);
    z_stream z;
    size_t len;

    assert_non_null(plain);
    assert_non_null(packed);
    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)plain;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)packed;
    z.avail_out = (uInt)(n / 500 + 100);
    assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    assert_int_not_equal(z.avail_out, 0);
    len = z.total_out - 4;
    deflateEnd(&z);
    free(plain);
    return (struct xs_slice){ packed, len };
}

static void inflating_stops_at_the_limit(void **state)
{
    struct xs_slice bomb = zeros(64 * 1024 * 1024);
    struct xs_plain plain;

    (void)state;
    assert_in_range(bomb.len, 1, 70000);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(unpack(bomb, LIMIT, &plain), XS_ETOOBIG);
        assert_int_equal(plain.len, LIMIT + 1);
        assert_in_range(plain.cap, LIMIT + 1, LIMIT + 1);
        xs_plain_give_back(packer, &plain);
    }
    free((void *)(uintptr_t)bomb.at);

    bomb = zeros(5000);
    expect_error(bomb, 4999, XS_ETOOBIG);
    assert_int_equal(unpack(bomb, 5000, &plain), XS_OK);
    assert_int_equal(plain.len, 5000);
    xs_plain_give_back(packer, &plain);
    expect_error(bomb, 16, XS_ETOOBIG);
    free((void *)(uintptr_t)bomb.at);
}

static void only_small_buffers_are_kept_and_two_may_be_lent(void **state)
{
    struct xs_slice large = zeros(LIMIT), small = zeros(10);
    struct xs_plain one, two;
    char *at;

    (void)state;
    assert_int_equal(unpack(small, LIMIT, &one), XS_OK);
    assert_int_equal(unpack(large, LIMIT, &two), XS_OK);
    assert_int_equal(two.len, LIMIT);
    assert_ptr_not_equal(one.at, two.at);
    at = one.at;
    xs_plain_give_back(packer, &one);
    xs_plain_give_back(packer, &two);
    assert_null(two.at);
    assert_int_equal(unpack(small, LIMIT, &one), XS_OK);
    assert_ptr_equal(one.at, at);
    xs_plain_give_back(packer, &one);
    free((void *)(uintptr_t)large.at);
    free((void *)(uintptr_t)small.at);
}

/* ---- packing ---- */

/* Something that can be packed, and is another thing for each length. */
static char *text_of(size_t len, unsigned seed)
{
    static const char *const words[] = { "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"",
                                         "hello ",
                                         "noon ",
                                         "tomorrow ",
                                         "\\\"room\\\":",
                                         "12",
                                         "\xc3\xa4" };
    char *text = malloc(len + 64);
    size_t n = 0;

    assert_non_null(text);
    while (n < len) {
        const char *word = words[seed % 7];

        seed = seed * 1664525U + 1013904223U;
        memcpy(text + n, word, strlen(word));
        n += strlen(word);
        seed ^= seed >> 16;
    }
    return text;
}

/* What a receiver with a window of so many bits makes of it: bytes come out one at a time, so
 * that there is nothing but the window to refer to. */
static void expect_within(unsigned window, struct xs_slice packed, const char *text, size_t len)
{
    static const char tail[4] = { 0, 0, (char)0xff, (char)0xff };
    z_stream z;
    size_t n = 0;

    memset(&z, 0, sizeof z);
    assert_int_equal(inflateInit2(&z, -(int)window), Z_OK);
    for (int part = 0; part < 2; part++) {
        z.next_in = (Bytef *)(uintptr_t)(part == 0 ? packed.at : tail);
        z.avail_in = (uInt)(part == 0 ? packed.len : 4);
        for (;;) {
            Bytef byte;
            int did;

            z.next_out = &byte;
            z.avail_out = 1;
            did = inflate(&z, Z_SYNC_FLUSH);
            if (did == Z_BUF_ERROR || z.avail_out == 1)
                break;
            assert_int_equal(did, Z_OK);
            assert_in_range(n, 0, len - 1);
            assert_int_equal((char)byte, text[n++]);
        }
    }
    assert_int_equal(n, len);
    inflateEnd(&z);
}

static void what_is_packed_at_any_level_and_window_is_unpacked_the_same(void **state)
{
    static const size_t lengths[] = { 40, 128, 1000, 1024, 4096, 33000, 70000, 300000 };

    (void)state;
    for (unsigned level = 1; level <= 9; level += 2) {
        struct xs_packer *other = xs_packer_new(level);

        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            char *text = text_of(lengths[i], level + (unsigned)i);
            struct xs_slice packed;
            struct xs_plain plain;

            for (unsigned window = 9; window <= 15; window += i < 6 ? 1 : 6) {
                if (!xs_pack(other, window, (struct xs_slice){ text, lengths[i] }, &packed)) {
                    assert_in_range(lengths[i], 40, 40);
                    continue;
                }
                assert_in_range(packed.len, 1, lengths[i] - 1);
                expect_within(window, packed, text, lengths[i]);
                assert_int_equal(unpack(packed, lengths[i], &plain), XS_OK);
                assert_int_equal(plain.len, lengths[i]);
                assert_memory_equal(plain.at, text, lengths[i]);
                xs_plain_give_back(packer, &plain);
            }
            free(text);
        }
        xs_packer_free(other);
    }
}

static void a_message_is_packed_the_same_whatever_was_packed_before(void **state)
{
    char *text = text_of(3000, 7), *other = text_of(3000, 7);
    struct xs_slice packed;
    char first[3000];
    size_t len;

    (void)state;
    assert_true(xs_pack(packer, 15, (struct xs_slice){ text, 3000 }, &packed));
    memcpy(first, packed.at, packed.len);
    len = packed.len;
    for (size_t i = 0; i < 3; i++) {
        assert_true(xs_pack(packer, 15, (struct xs_slice){ other, 3000 }, &packed));
        assert_int_equal(packed.len, len);
        assert_memory_equal(packed.at, first, len);
    }
    free(text);
    free(other);
}

static void what_would_not_be_smaller_is_not_packed(void **state)
{
    char *noise = malloc(LIMIT);
    uint32_t seed = 1;
    struct xs_slice packed;

    (void)state;
    assert_non_null(noise);
    for (size_t i = 0; i < LIMIT; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        noise[i] = (char)seed;
    }
    for (size_t len = 0; len < 600; len++)
        assert_false(xs_pack(packer, 15, (struct xs_slice){ noise, len }, &packed));
    assert_false(xs_pack(packer, 15, (struct xs_slice){ noise, LIMIT }, &packed));
    assert_false(xs_pack(packer, 9, (struct xs_slice){ noise, LIMIT }, &packed));
    assert_false(xs_pack(packer, 15, XS_SLICE("Hello"), &packed));
    /* One byte fewer is smaller: whatever is packed is, whatever is not would not be. */
    for (size_t len = 1; len < 400; len++) {
        memset(noise + 3, 'x', len);
        if (xs_pack(packer, 15, (struct xs_slice){ noise, len }, &packed))
            assert_in_range(packed.len, 1, len - 1);
        else
            assert_in_range(len, 1, 12);
    }
    free(noise);
}

/* The bound on packed bytes must let through what any sender makes of a message at the limit.
 */
static void what_grows_by_packing_stays_under_the_bound(void **state)
{
    enum { LEN = 200000 };
    Bytef *noise = malloc(LEN), *packed = malloc(2 * LEN);
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < LEN; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        noise[i] = (Bytef)seed;
    }
    for (int memory = 1; memory <= 9; memory += 4) {
        for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; strategy++) {
            z_stream z;
            struct xs_plain plain;

            memset(&z, 0, sizeof z);
            assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -9, memory, strategy), Z_OK);
            z.next_in = noise;
            z.avail_in = LEN;
            z.next_out = packed;
            z.avail_out = 2 * LEN;
            assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
            assert_in_range(z.total_out - 4, 0, xs_packed_limit(LEN));
            assert_int_equal(
                unpack((struct xs_slice){ (char *)packed, z.total_out - 4 }, LEN, &plain),
                XS_OK);
            assert_int_equal(plain.len, LEN);
            assert_memory_equal(plain.at, noise, LEN);
            xs_plain_give_back(packer, &plain);
            deflateEnd(&z);
        }
    }
    free(noise);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_that_can_be_kept_are_taken),
        cmocka_unit_test(offers_with_anything_wrong_are_declined),
        cmocka_unit_test(the_first_offer_that_can_be_kept_is_taken_whatever_header_it_is_in),
        cmocka_unit_test(a_long_list_of_offers_takes_one_pass),
        cmocka_unit_test_setup_teardown(the_examples_of_the_rfc_are_unpacked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_leans_on_the_one_before_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_that_say_they_are_the_last_may_stand_anywhere,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_deflate_or_only_a_part_of_it_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(inflating_stops_at_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(only_small_buffers_are_kept_and_two_may_be_lent, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            what_is_packed_at_any_level_and_window_is_unpacked_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_is_packed_the_same_whatever_was_packed_before,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_would_not_be_smaller_is_not_packed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_grows_by_packing_stays_under_the_bound, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
