/* rooms: base
 * libs: crypto zlib
 * needs: bench/receive.c bench/inflate.c bench/ring.c
 * needs: bench/template.c bench/base.c bench/wire.c */
/* receive - streams that are right, and streams in which something is lost, doubled, swapped or
 * changed; each of them whole, byte by byte, and in two parts cut everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "../../../bench/receive.h"
#include "../../../bench/wire.h"

enum { FRAMES = 20, SENDERS = 3, SENT = 50, START = 13 };

/* What a test puts together, and what it expects of it. */
static struct bytes stream;
static struct {
    uint64_t came;
    struct errors errors;
    bool ended;
    const char *answer; /* to a ping */
} wanted;

static struct setting {
    bool ws;
    struct template template;
    struct ring rings[SENDERS];
    struct rules rules;
    struct lane lanes[SENDERS];
    struct receiver receiver;
    struct errors errors;
    uint64_t came, sent, moved;
    struct bytes answers;
} now;

/* (The first of each kind would be told, and these are not the first.) */
static const struct errors none = { 1000, 1000, 1000, 1000, 1000 };

static struct errors found(void)
{
    return (struct errors){ now.errors.lost - 1000, now.errors.twice - 1000,
                            now.errors.order - 1000, now.errors.wrong - 1000,
                            now.errors.closed - 1000 };
}

static void on_moved(void *context, struct receiver *receiver, const struct lane *lane,
                     uint64_t from, uint64_t to)
{
    struct setting *setting = context;

    (void)lane;
    assert_ptr_equal(receiver, &setting->receiver);
    assert_true(to >= from);
    setting->moved += to - from;
}

static void on_answer(void *context, struct receiver *receiver, const uint8_t *at, size_t len)
{
    struct setting *setting = context;

    (void)receiver;
    xs_bench_put(&setting->answers, at, len);
}

static void make(bool ws, const char *message, uint32_t senders)
{
    char error[TEMPLATE_ERROR];
    struct recipe recipe = { .template = &now.template,
                             .controller = "chat",
                             .topic = "news",
                             .topics = 1,
                             .publishers = senders,
                             .form = FORM_BARE,
                             .ws = ws,
                             .packed = true,
                             .size = 24,
                             .step = 1,
                             .count = FRAMES };

    assert_true(xs_bench_template_read(&now.template, message, error));
    now.ws = ws;
    now.receiver.lane_count = senders;
    for (uint32_t i = 0; i < senders; i++) {
        recipe.publisher = i;
        now.rings[i] = xs_bench_ring(&recipe);
    }
    stream.len = 0;
    memset(&wanted, 0, sizeof wanted);
}

static void drop(void)
{
    xs_bench_template_free(&now.template);
    for (uint32_t i = 0; i < SENDERS; i++)
        xs_bench_ring_free(&now.rings[i]);
    xs_bench_free(&now.answers);
    now.rules.deflate = false;
}

/* A stream begins at message START; SENT of them were sent altogether. */
static void start(void)
{
    uint32_t senders = now.receiver.lane_count;

    now.rules = (struct rules){ .ws = now.ws,
                                .errors = &now.errors,
                                .came = &now.came,
                                .context = &now,
                                .moved = on_moved,
                                .answer = on_answer,
                                .deflate = now.rules.deflate,
                                .ping = now.rules.ping,
                                .pong = now.rules.pong };
    now.receiver =
        (struct receiver){ .rules = &now.rules, .lanes = now.lanes, .lane_count = senders };
    now.errors = none;
    now.came = now.moved = now.answers.len = 0;
    now.sent = START + SENT;
    for (uint32_t i = 0; i < senders; i++)
        now.lanes[i] = (struct lane){ .ring = &now.rings[i],
                                      .at = START % FRAMES * now.rings[i].size,
                                      .next = START,
                                      .sent = &now.sent,
                                      .index = i };
    if (senders > 1)
        now.rules.tag = now.rings[0].size - 24 + 6;
}

static void look(const char *how, size_t at)
{
    uint64_t left = xs_bench_receive_end(&now.receiver);
    const struct errors is = found();

    if (now.came != wanted.came || memcmp(&is, &wanted.errors, sizeof is) != 0)
        fail_msg(
            "%s, %zu: %llu came, %llu lost, %llu twice, %llu order, %llu wrong, %llu closed",
            how, at, (unsigned long long)now.came, (unsigned long long)is.lost,
            (unsigned long long)is.twice, (unsigned long long)is.order,
            (unsigned long long)is.wrong, (unsigned long long)is.closed);
    assert_int_equal(now.receiver.ended, wanted.ended);
    assert_true(now.moved + left == (uint64_t)SENT * now.receiver.lane_count);
    assert_int_equal(now.answers.len, wanted.answer == NULL ? 0 : strlen(wanted.answer));
    if (wanted.answer != NULL)
        assert_memory_equal(now.answers.at, wanted.answer, now.answers.len);
}

/* All ways to cut it must give the same. */
static void check(void)
{
    start();
    xs_bench_receive(&now.receiver, stream.at, stream.len);
    look("whole", 0);
    start();
    for (size_t i = 0; i < stream.len && !now.receiver.ended; i++)
        xs_bench_receive(&now.receiver, stream.at + i, 1);
    look("byte by byte", 0);
    for (size_t i = 1; i < stream.len; i++) {
        start();
        xs_bench_receive(&now.receiver, stream.at, i);
        if (!now.receiver.ended)
            xs_bench_receive(&now.receiver, stream.at + i, stream.len - i);
        look("cut", i);
    }
}

static void put(uint32_t sender, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct ring *ring = &now.rings[sender];

        xs_bench_put(&stream, ring->at + (START + i) % FRAMES * ring->size, ring->size);
    }
}

static void put_text(const char *text)
{
    if (now.ws) {
        uint8_t *at = xs_bench_room(&stream, strlen(text) + WIRE_HEAD_MAX);

        stream.len += xs_bench_head_write(at, 0x80 | WIRE_TEXT, strlen(text), NULL);
    }
    xs_bench_put(&stream, text, strlen(text));
}

static void put_control(uint8_t opcode, const char *payload, size_t len)
{
    uint8_t *at = xs_bench_room(&stream, WIRE_HEAD_MAX);

    stream.len += xs_bench_head_write(at, (uint8_t)(0x80 | opcode), len, NULL);
    xs_bench_put(&stream, payload, len);
}

/* Each story is told of a WebSocket, of lines, and of bytes without any frame. */
static void tell(void (*story)(void))
{
    static const struct {
        bool ws;
        const char *message;
    } kinds[] = { { true, "{payload}" },
                  { false, "{topic}|{payload}\\r\\n" },
                  { false, "{payload}" } };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        make(kinds[i].ws, kinds[i].message, 1);
        story();
        check();
        drop();
    }
}

static void all(void)
{
    put(0, 0, SENT);
    wanted.came = SENT;
}

static void a_stream_as_it_should_be_has_no_errors(void **state)
{
    (void)state;
    tell(all);
}

static void two_gaps(void)
{
    put(0, 0, 5);
    put(0, 6, 30);
    put(0, 33, SENT);
    wanted.came = SENT - 4;
    wanted.errors.lost = 4;
}

static void gap_at_the_end(void)
{
    put(0, 0, SENT - 2);
    wanted.came = SENT - 2;
    wanted.errors.lost = 2;
}

static void what_never_came_is_lost(void **state)
{
    (void)state;
    tell(two_gaps);
    tell(gap_at_the_end);
}

static void doubled(void)
{
    put(0, 0, 1);
    put(0, 0, 10);
    put(0, 7, SENT);
    put(0, SENT - 1, SENT);
    wanted.came = SENT;
    wanted.errors.twice = 5;
}

static void what_came_again_came_twice(void **state)
{
    (void)state;
    tell(doubled);
}

static void swapped(void)
{
    put(0, 0, 4);
    put(0, 5, 6);
    put(0, 4, 5);
    put(0, 9, 12);
    put(0, 6, 9);
    put(0, 12, SENT);
    wanted.came = SENT;
    wanted.errors.order = 4;
}

static void what_came_late_is_out_of_order_and_not_lost(void **state)
{
    (void)state;
    tell(swapped);
}

static void changed(void)
{
    put(0, 0, SENT);
    /* (The payload is at the end, but for a line's end.) */
    stream.at[now.rings[0].size * 4 - 4] ^= 1;
    stream.at[now.rings[0].size * 20 - 4] ^= 1;
    wanted.came = SENT - 2;
    wanted.errors.wrong = 2;
}

static void changed_bytes_are_wrong_and_the_message_is_not_lost_as_well(void **state)
{
    (void)state;
    tell(changed);
}

static void of_other_lengths(void)
{
    put(0, 0, 3);
    put_text(now.ws ? "short" : "short\r\n");
    put(0, 4, 8);
    put_text(now.ws ? "a message that is longer than all the others"
                    : "a message that is longer than all the others\r\n");
    put(0, 9, SENT);
    wanted.came = SENT - 2;
    wanted.errors.wrong = 2;
}

static void messages_of_other_lengths_are_wrong_and_the_next_ones_are_found(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    of_other_lengths();
    check();
    drop();
    make(false, "{topic}|{payload}\\r\\n", 1);
    of_other_lengths();
    check();
    drop();
}

static void one_too_many(void)
{
    put(0, 0, 10);
    put_text(now.ws ? "who are you?" : "who are you?\r\n");
    put(0, 10, SENT);
    wanted.came = SENT;
    wanted.errors.wrong = 1;
}

static void what_is_none_of_ours_is_wrong_and_takes_no_message_away(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    one_too_many();
    check();
    drop();
    make(false, "{topic}|{payload}\\r\\n", 1);
    one_too_many();
    check();
    drop();
}

static void everything_together_is_counted_each_as_what_it_is(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    put(0, 1, 4);
    put(0, 3, 5);
    put(0, 6, 7);
    put_text("nonsense");
    put(0, 5, 6);
    put(0, 8, SENT);
    wanted.came = SENT - 2;
    wanted.errors = (struct errors){ .lost = 1, .twice = 1, .order = 1, .wrong = 1 };
    check();
    drop();
}

static void what_is_missing_for_a_whole_ring_and_more_is_lost_once(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    put(0, 1, 1 + FRAMES);
    put(0, 1 + FRAMES, SENT);
    wanted.came = SENT - 1;
    wanted.errors.lost = 1;
    check();
    drop();
}

static void pings_are_answered_between_messages(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    put(0, 0, 7);
    put_control(WIRE_PING, "beat", 4);
    put(0, 7, 8);
    put_control(WIRE_PONG, "unasked", 7);
    put_control(WIRE_PING, "!", 1);
    put(0, 8, SENT);
    wanted.came = SENT;
    wanted.answer = "beat!";
    check();
    drop();
}

static void pings_in_bare_bytes_are_those_of_the_command_line(void **state)
{
    (void)state;
    make(false, "MSG {payload}\\r\\n", 1);
    xs_bench_put(&now.rules.ping, "PING\r\n", 6);
    xs_bench_put(&now.rules.pong, "PONG\r\n", 6);
    put_text("PING\r\n");
    put(0, 0, 7);
    put_text("PING\r\n");
    put(0, 7, SENT);
    wanted.came = SENT;
    wanted.answer = "PONG\r\nPONG\r\n";
    check();
    xs_bench_free(&now.rules.ping);
    xs_bench_free(&now.rules.pong);
    drop();
}

/* Message i as a server could pack it, with or without a flaw. */
static void put_packed(uint32_t from, uint32_t to, bool flaw)
{
    for (uint32_t i = from; i < to; i++) {
        const struct ring *ring = &now.rings[0];
        uint8_t packed[128], payload[64];
        z_stream deflater = { .next_in = payload,
                              .avail_in = (uInt)(ring->size - 2),
                              .next_out = packed,
                              .avail_out = sizeof packed };

        memcpy(payload, ring->at + (START + i) % FRAMES * ring->size + 2, ring->size - 2);
        payload[20] ^= flaw ? 1 : 0;
        assert_int_equal(deflateInit2(&deflater, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY),
                         Z_OK);
        assert_int_equal(deflate(&deflater, Z_SYNC_FLUSH), Z_OK);
        deflateEnd(&deflater);
        stream.len += xs_bench_head_write(xs_bench_room(&stream, WIRE_HEAD_MAX), 0xc1,
                                          sizeof packed - deflater.avail_out - 4, NULL);
        xs_bench_put(&stream, packed, sizeof packed - deflater.avail_out - 4);
    }
}

static void packed_messages_are_compared_unpacked(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    now.rules.deflate = true;
    put_packed(0, 4, false);
    put(0, 4, 6);
    put_packed(6, 7, true);
    put_packed(7, 30, false);
    put_packed(29, 30, false);
    put_packed(31, SENT, false);
    wanted.came = SENT - 2;
    wanted.errors = (struct errors){ .lost = 1, .twice = 1, .wrong = 1 };
    check();
    drop();
}

static void what_cannot_be_unpacked_is_wrong(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    now.rules.deflate = true;
    put(0, 0, 4);
    xs_bench_put(&stream, "\xc1\x04\xff\xff\xff\xff", 6);
    put(0, 5, SENT);
    wanted.came = SENT - 1;
    wanted.errors.wrong = 1;
    check();
    drop();
}

static void a_close_frame_is_an_error_and_ends_the_connection(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    put(0, 0, 7);
    put_control(WIRE_CLOSE, "\x03\xf0going away", 12);
    put(0, 7, 9);
    wanted.came = 7;
    wanted.ended = true;
    wanted.errors.closed = 1;
    wanted.errors.lost = SENT - 7;
    check();
    drop();
}

static void a_frame_that_no_server_may_send_ends_the_connection(void **state)
{
    static const char *const frames[] = { "\x81\x80\x01\x02\x03\x04", "\xc1\x01x", "\x09\x01x",
                                          "\x89\x7e\x7f\x7f",
                                          "\x81\x7f\x7f\x01\x01\x01\x01\x01\x01\x01" };

    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        make(true, "{payload}", 1);
        put(0, 0, 7);
        xs_bench_put(&stream, frames[i], strlen(frames[i]));
        wanted.came = 7;
        wanted.ended = true;
        wanted.errors.wrong = 1;
        /* (The wrong one stands for message 7.) */
        wanted.errors.lost = SENT - 8;
        check();
        drop();
    }
}

static void a_message_that_was_not_sent_yet_is_wrong_and_ends_the_connection(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        make(true, "{payload}", 1);
        now.rules.deflate = packed == 1;
        put(0, 0, SENT);
        if (packed == 1)
            put_packed(SENT, SENT + 3, false);
        else
            put(0, SENT, SENT + 3);
        wanted.came = SENT;
        wanted.ended = true;
        wanted.errors.wrong = 1;
        check();
        drop();
    }
}

static void each_of_several_senders_has_an_order_of_its_own(void **state)
{
    (void)state;
    for (int ws = 0; ws < 2; ws++) {
        make(ws == 1, "{payload}", SENDERS);
        put(0, 0, 10);
        put(1, 0, 1);
        put(2, 0, SENT);
        put(1, 1, 30);
        put(0, 10, 12);
        put(0, 13, 20);
        put(0, 12, 13);
        put(0, 20, SENT);
        put(1, 29, SENT - 1);
        wanted.came = SENT * SENDERS - 1;
        wanted.errors = (struct errors){ .lost = 1, .twice = 1, .order = 1 };
        check();
        drop();
    }
}

static void wrong_bytes_are_laid_to_the_sender_whose_tag_they_bear(void **state)
{
    (void)state;
    for (int ws = 0; ws < 2; ws++) {
        make(ws == 1, "{payload}", SENDERS);
        put(0, 0, 10);
        put(1, 0, SENT);
        stream.at[now.rings[0].size * 15 - 1] ^= 1;
        put(2, 0, SENT);
        put(0, 10, SENT);
        wanted.came = SENT * SENDERS - 1;
        wanted.errors.wrong = 1;
        check();
        drop();
    }
}

static void the_beginning_of_a_message_is_lost_and_not_wrong(void **state)
{
    (void)state;
    for (int ws = 0; ws < 2; ws++) {
        for (uint32_t senders = 1; senders <= SENDERS; senders += SENDERS - 1) {
            make(ws == 1, "{payload}", senders);
            for (uint32_t i = 0; i + 1 < senders; i++)
                put(i, 0, SENT);
            put(senders - 1, 0, SENT);
            stream.len -= 5;
            wanted.came = SENT * senders - 1;
            wanted.errors.lost = 1;
            check();
            drop();
        }
    }
}

static void who_expects_nothing_finds_everything_wrong_unless_it_is_loose(void **state)
{
    (void)state;
    make(true, "{payload}", 1);
    put(0, 0, 2);
    for (int loose = 0; loose < 2; loose++) {
        start();
        now.receiver.lane_count = 0;
        now.receiver.lanes = NULL;
        now.rules.loose = loose == 1;
        xs_bench_receive(&now.receiver, stream.at, stream.len);
        assert_true(found().wrong == (loose == 1 ? 0 : 2));
        assert_true(now.came == 0);
        xs_bench_receive_free(&now.receiver);
    }
    drop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_as_it_should_be_has_no_errors),
        cmocka_unit_test(what_never_came_is_lost),
        cmocka_unit_test(what_came_again_came_twice),
        cmocka_unit_test(what_came_late_is_out_of_order_and_not_lost),
        cmocka_unit_test(changed_bytes_are_wrong_and_the_message_is_not_lost_as_well),
        cmocka_unit_test(messages_of_other_lengths_are_wrong_and_the_next_ones_are_found),
        cmocka_unit_test(what_is_none_of_ours_is_wrong_and_takes_no_message_away),
        cmocka_unit_test(everything_together_is_counted_each_as_what_it_is),
        cmocka_unit_test(what_is_missing_for_a_whole_ring_and_more_is_lost_once),
        cmocka_unit_test(pings_are_answered_between_messages),
        cmocka_unit_test(pings_in_bare_bytes_are_those_of_the_command_line),
        cmocka_unit_test(packed_messages_are_compared_unpacked),
        cmocka_unit_test(what_cannot_be_unpacked_is_wrong),
        cmocka_unit_test(a_close_frame_is_an_error_and_ends_the_connection),
        cmocka_unit_test(a_frame_that_no_server_may_send_ends_the_connection),
        cmocka_unit_test(a_message_that_was_not_sent_yet_is_wrong_and_ends_the_connection),
        cmocka_unit_test(each_of_several_senders_has_an_order_of_its_own),
        cmocka_unit_test(wrong_bytes_are_laid_to_the_sender_whose_tag_they_bear),
        cmocka_unit_test(the_beginning_of_a_message_is_lost_and_not_wrong),
        cmocka_unit_test(who_expects_nothing_finds_everything_wrong_unless_it_is_loose),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    xs_bench_free(&stream);
    return failed;
}
