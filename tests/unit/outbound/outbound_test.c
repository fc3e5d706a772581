/* outbound - encoded once, shared, gathered, bounded, and nothing left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/stats.h"
#include "outbound/outbound.h"

/* ---- a format that writes <data> and counts how often it was asked ---- */

static unsigned encodings;

static enum xs_err angle_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out)
{
    (void)msg;
    encodings++;
    if (data.len > 0 && data.at[0] == '!')
        return XS_EREFUSED;
    if (data.len > 0 && data.at[0] == '-')
        return XS_OK;
    xs_buf_append_byte(out, by->variant == 0 ? '<' : '[');
    xs_buf_append(out, data);
    xs_buf_append_byte(out, by->variant == 0 ? '>' : ']');
    return XS_OK;
}

static void angle_personal(const struct xs_encoder *by, const struct xs_personal *who,
                           struct xs_slice shared, struct xs_edges *edges)
{
    (void)by;
    (void)shared;
    edges->skip = 1;
    edges->drop = 1;
    edges->head_len =
        (uint8_t)snprintf(edges->head, sizeof edges->head, "(%d ", (int)who->correlation);
    edges->tail_len = (uint8_t)snprintf(edges->tail, sizeof edges->tail, ")");
}

static const struct xs_protocol_ops angle = {
    .size = sizeof angle,
    .name = "angle",
    .view = XS_VIEW_RAW,
    .encode = angle_encode,
    .personal = angle_personal,
};

/* A receiver whose state is a name is greeted by it. */
static void greeting_personal(const struct xs_encoder *by, const struct xs_personal *who,
                              struct xs_slice shared, struct xs_edges *edges)
{
    const char *name = who->self;

    (void)by;
    (void)shared;
    if (name[0] != '\0')
        edges->head_len = (uint8_t)snprintf(edges->head, sizeof edges->head, "%s:", name);
    if (who->has_correlation)
        edges->tail_len =
            (uint8_t)snprintf(edges->tail, sizeof edges->tail, "#%d", (int)who->correlation);
}

static const struct xs_protocol_ops greeting = {
    .size = sizeof greeting,
    .name = "greeting",
    .personal_always = true,
    .view = XS_VIEW_RAW,
    .encode = angle_encode,
    .personal = greeting_personal,
};

/* ---- a receiver that takes as many bytes as it is told to ---- */

struct sink {
    char bytes[1 << 20];
    size_t len;
    size_t room;
    size_t calls, parts;
};

static enum xs_err sink_send(void *context, const struct xs_slice *parts, size_t count,
                             size_t *taken)
{
    struct sink *sink = context;

    sink->calls++;
    *taken = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = parts[i].len < sink->room ? parts[i].len : sink->room;

        sink->parts++;
        memcpy(sink->bytes + sink->len, parts[i].at, n);
        sink->len += n;
        sink->room -= n;
        *taken += n;
        if (n < parts[i].len)
            return XS_EAGAIN;
    }
    return XS_OK;
}

struct bench {
    struct xs_outbound out;
    struct xs_outq a, b;
    struct sink sink;
    struct xs_message msg;
};

static int setup(void **state)
{
    static struct bench bench;
    struct xs_encoder by = { .protocol = &angle };

    memset(&bench, 0, sizeof bench);
    xs_outbound_init(&bench.out);
    xs_outq_init(&bench.a);
    xs_outq_init(&bench.b);
    bench.a.encoder = bench.b.encoder = xs_outbound_encoder(&bench.out, &by);
    bench.sink.room = sizeof bench.sink.bytes;
    bench.msg.form = XS_TEXT;
    encodings = 0;
    *state = &bench;
    return 0;
}

static uint64_t gauge(enum xs_stat which)
{
    return xs_stat_read(&xs_stats_elsewhere, which);
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    xs_outq_clear(&bench->out, &bench->a);
    xs_outq_clear(&bench->out, &bench->b);
    xs_outbound_fini(&bench->out);
    assert_int_equal(gauge(XS_STAT_queued_bytes), 0);
    assert_int_equal(gauge(XS_STAT_queued_entries), 0);
    assert_int_equal(gauge(XS_STAT_encoded), 0);
    return 0;
}

static enum xs_push say(struct bench *bench, struct xs_outq *queue, enum xs_entry_kind kind,
                        const char *text, const struct xs_personal *who)
{
    enum xs_push did;

    bench->msg.data = xs_slice_of(text);
    xs_outbound_begin(&bench->out, &bench->msg);
    did = xs_outbound_push(&bench->out, queue, kind, who);
    xs_outbound_end(&bench->out);
    return did;
}

static void expect(struct bench *bench, const char *text)
{
    assert_int_equal(bench->sink.len, strlen(text));
    assert_memory_equal(bench->sink.bytes, text, strlen(text));
}

static void a_message_for_many_is_encoded_once_per_encoder(void **state)
{
    struct bench *bench = *state;
    struct xs_encoder other = { .protocol = &angle, .variant = 1 };
    struct xs_outq third;

    xs_outq_init(&third);
    third.encoder = xs_outbound_encoder(&bench->out, &other);
    assert_int_not_equal(third.encoder, bench->a.encoder);
    bench->msg.data = XS_SLICE("x");
    xs_outbound_begin(&bench->out, &bench->msg);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(xs_outbound_push(&bench->out, &bench->a, XS_ENTRY_DATA, NULL),
                         XS_PUSHED);
        assert_int_equal(xs_outbound_push(&bench->out, &bench->b, XS_ENTRY_DATA, NULL),
                         XS_PUSHED);
    }
    assert_int_equal(xs_outbound_push(&bench->out, &third, XS_ENTRY_DATA, NULL), XS_PUSHED);
    xs_outbound_end(&bench->out);
    assert_int_equal(encodings, 2);
    assert_int_equal(xs_outq_flush(&bench->out, &third, sink_send, &bench->sink), XS_OK);
    expect(bench, "[x]");
}

static void everything_of_one_turn_leaves_in_one_call(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 500; i++)
        (void)say(bench, &bench->a, XS_ENTRY_DATA, "abc", NULL);
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_OK);
    assert_int_equal(bench->sink.calls, 1);
    assert_int_equal(bench->sink.parts, 1);
    assert_int_equal(bench->sink.len, 500 * 5);
    assert_true(xs_outq_empty(&bench->a));
}

static void a_paced_queue_gives_one_message_a_time(void **state)
{
    struct bench *bench = *state;

    (void)say(bench, &bench->a, XS_ENTRY_DATA, "1", NULL);
    (void)say(bench, &bench->a, XS_ENTRY_DATA, "2", NULL);
    bench->a.paced = true;
    xs_outq_settle(&bench->out, &bench->a);
    (void)say(bench, &bench->a, XS_ENTRY_DATA, "3", NULL);
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_OK);
    expect(bench, "<1>");
    assert_int_equal(bench->a.count, 2);
}

static void a_receiver_that_takes_a_byte_at_a_time_gets_everything_in_order(void **state)
{
    struct bench *bench = *state;
    struct xs_personal who = { .size = sizeof who, .has_correlation = true, .correlation = 7 };
    char large[3001];
    size_t all;

    memset(large, 'L', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    (void)say(bench, &bench->a, XS_ENTRY_DATA, "one", NULL);
    (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "two", &who);
    (void)say(bench, &bench->a, XS_ENTRY_DATA, large, NULL);
    (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "end", &who);
    all = bench->a.bytes;
    assert_int_equal(all, 5 + 7 + 3002 + 7);
    for (size_t i = 0; i < all; i++) {
        enum xs_err err;

        bench->sink.room = 1;
        err = xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink);
        assert_int_equal(err, i + 1 < all ? XS_EAGAIN : XS_OK);
        assert_int_equal(bench->a.bytes, all - i - 1);
    }
    assert_memory_equal(bench->sink.bytes, "<one>(7 two)<LLL", 16);
    assert_memory_equal(bench->sink.bytes + all - 9, "L>(7 end)", 9);
}

static void a_message_may_differ_for_every_receiver_and_is_still_encoded_once(void **state)
{
    struct xs_personal who = { .size = sizeof who, .has_correlation = true, .correlation = 7 };
    struct bench *bench = *state;
    struct xs_encoder by = { .protocol = &greeting };
    struct xs_outq nameless;

    xs_outq_init(&nameless);
    bench->a.encoder = bench->b.encoder = nameless.encoder =
        xs_outbound_encoder(&bench->out, &by);
    bench->a.self = "anna";
    bench->b.self = "bert";
    nameless.self = "";
    bench->msg.data = XS_SLICE("x");
    xs_outbound_begin(&bench->out, &bench->msg);
    (void)xs_outbound_push(&bench->out, &bench->a, XS_ENTRY_DATA, NULL);
    (void)xs_outbound_push(&bench->out, &nameless, XS_ENTRY_DATA, NULL);
    (void)xs_outbound_push(&bench->out, &bench->b, XS_ENTRY_DATA, &who);
    xs_outbound_end(&bench->out);
    assert_int_equal(encodings, 1);
    assert_int_equal(bench->a.bytes, 8);
    assert_int_equal(nameless.bytes, 3);
    assert_int_equal(bench->b.bytes, 10);
    (void)xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink);
    (void)xs_outq_flush(&bench->out, &nameless, sink_send, &bench->sink);
    (void)xs_outq_flush(&bench->out, &bench->b, sink_send, &bench->sink);
    expect(bench, "anna:<x><x>bert:<x>#7");
}

static void what_cannot_be_said_or_is_empty_is_for_nobody(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "!no", NULL), XS_PUSH_NOTHING);
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "-", NULL), XS_PUSH_NOTHING);
    bench->a.closed = true;
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "x", NULL), XS_PUSH_NOTHING);
    assert_true(xs_outq_empty(&bench->a));
}

static void a_turn_leaves_one_stretch_for_each_receiver_and_an_empty_tape(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 16; i++) {
        bench->msg.data = XS_SLICE("all");
        xs_outbound_begin(&bench->out, &bench->msg);
        (void)xs_outbound_push(&bench->out, &bench->a, XS_ENTRY_DATA, NULL);
        (void)xs_outbound_push(&bench->out, &bench->b, XS_ENTRY_DATA, NULL);
        xs_outbound_end(&bench->out);
    }
    assert_int_equal(bench->out.stretches, 2);
    assert_int_equal(bench->a.count, 16);
    (void)xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink);
    (void)xs_outq_flush(&bench->out, &bench->b, sink_send, &bench->sink);
    assert_int_equal(bench->sink.calls, 2);
    assert_int_equal(bench->sink.parts, 2);
    xs_outbound_turn_over(&bench->out);
    assert_int_equal(bench->out.store.used, 0);
}

static void what_a_receiver_does_not_take_stays_beyond_the_turn(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 3; i++) {
        (void)say(bench, &bench->a, XS_ENTRY_DATA, i == 0 ? "0" : i == 1 ? "1" : "2", NULL);
        (void)say(bench, &bench->b, XS_ENTRY_DATA, "between", NULL);
    }
    bench->sink.room = 4;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_EAGAIN);
    assert_int_equal(bench->a.count, 2);
    xs_outq_clear(&bench->out, &bench->b);
    xs_outbound_turn_over(&bench->out);
    /* While it is blocked, what comes is shared off the tape. */
    (void)say(bench, &bench->a, XS_ENTRY_DATA, "3", NULL);
    assert_int_equal(bench->out.stretches, 0);
    xs_outbound_turn_over(&bench->out);
    bench->sink.room = 100;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_OK);
    expect(bench, "<0><1><2><3>");
}

static void of_a_stretch_that_has_begun_only_the_cut_message_is_kept(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 5; i++)
        (void)say(bench, &bench->a, XS_ENTRY_DATA, "abc", NULL);
    bench->sink.room = 12;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_EAGAIN);
    assert_int_equal(bench->a.count, 3);
    xs_outq_drop_data(&bench->out, &bench->a);
    assert_int_equal(bench->a.count, 1);
    bench->sink.room = 100;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_OK);
    expect(bench, "<abc><abc><abc>");
}

static void of_what_was_kept_each_message_that_is_gone_makes_room(void **state)
{
    struct bench *bench = *state;

    bench->out.queue_messages = 10;
    for (int i = 0; i < 10; i++)
        (void)say(bench, &bench->a, XS_ENTRY_DATA, "abc", NULL);
    bench->sink.room = 0;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_EAGAIN);
    xs_outbound_turn_over(&bench->out);
    bench->sink.room = 8 * 5 + 2;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_EAGAIN);
    assert_int_equal(bench->a.count, 2);
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "new", NULL), XS_PUSHED);
    xs_outq_drop_data(&bench->out, &bench->a);
    assert_int_equal(bench->a.count, 1);
    assert_int_equal(bench->a.bytes, 3);
}

static struct bench *relieved;

static void on_relieve(struct xs_outq *queue)
{
    assert_int_equal(xs_outq_flush(&relieved->out, queue, sink_send, &relieved->sink), XS_OK);
    relieved->sink.len = 0;
    relieved->sink.room = sizeof relieved->sink.bytes;
}

static void a_turn_that_says_very_much_does_not_keep_it_all(void **state)
{
    struct bench *bench = *state;
    char text[2001];

    relieved = bench;
    bench->out.relieve = on_relieve;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    /* Who was told a little, and is not over any bound, holds nobody up. */
    (void)say(bench, &bench->b, XS_ENTRY_DATA, "little", NULL);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, text, NULL), XS_PUSHED);
        assert_true(bench->out.store.used <= XS_TAPE_MOST);
    }
    assert_true(xs_outq_empty(&bench->b));
}

static void what_differs_for_very_many_is_not_written_out_for_each(void **state)
{
    static struct xs_outq queues[400];
    struct bench *bench = *state;
    struct xs_encoder by = { .protocol = &greeting };
    static char text[15001];

    relieved = bench;
    bench->out.relieve = on_relieve;
    memset(text, 'x', sizeof text - 1);
    bench->msg.data = xs_slice_of(text);
    xs_outbound_begin(&bench->out, &bench->msg);
    for (int i = 0; i < 400; i++) {
        xs_outq_init(&queues[i]);
        queues[i].encoder = xs_outbound_encoder(&bench->out, &by);
        queues[i].self = "anna";
        assert_int_equal(xs_outbound_push(&bench->out, &queues[i], XS_ENTRY_DATA, NULL),
                         XS_PUSHED);
    }
    assert_int_equal(bench->out.store.used, XS_TAPE_MOST + 1);
    for (int i = 0; i < 400; i++) {
        bench->sink.len = 0;
        bench->sink.room = sizeof bench->sink.bytes;
        (void)xs_outq_flush(&bench->out, &queues[i], sink_send, &bench->sink);
        assert_int_equal(bench->sink.len, 5 + 15002);
        assert_memory_equal(bench->sink.bytes, "anna:<xx", 8);
        assert_memory_equal(bench->sink.bytes + 5 + 15000, "x>", 2);
    }
    xs_outbound_end(&bench->out);
    assert_int_equal(bench->out.store.used, 0);
}

static void sixteen_answers_with_numbers_are_one_stretch_too(void **state)
{
    struct bench *bench = *state;
    struct xs_personal who = { .size = sizeof who, .has_correlation = true, .correlation = 7 };

    for (int i = 0; i < 16; i++)
        (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "x", &who);
    assert_int_equal(bench->out.stretches, 1);
    assert_int_equal(bench->out.store.bytes, 16 * 5);
    (void)xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink);
    assert_int_equal(bench->sink.len, 16 * 5);
    assert_memory_equal(bench->sink.bytes, "(7 x)(7 x)", 10);
}

static void data_over_the_bound_is_refused_but_control_is_not(void **state)
{
    struct bench *bench = *state;

    bench->out.queue_bytes = 10;
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "12345678", NULL), XS_PUSHED);
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "1", NULL), XS_PUSH_FULL);
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_CONTROL, "1", NULL), XS_PUSHED);
    bench->out.queue_bytes = 1000;
    bench->out.queue_messages = 2;
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "1", NULL), XS_PUSH_FULL);
}

static void a_message_larger_than_the_bound_may_stand_alone(void **state)
{
    struct bench *bench = *state;

    bench->out.queue_bytes = 4;
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "larger than four", NULL), XS_PUSHED);
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "1", NULL), XS_PUSH_FULL);
}

static void dropping_data_keeps_control_and_what_has_begun(void **state)
{
    struct bench *bench = *state;

    (void)say(bench, &bench->a, XS_ENTRY_DATA, "begun", NULL);
    (void)say(bench, &bench->a, XS_ENTRY_DATA, "lost", NULL);
    (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "kept", NULL);
    (void)say(bench, &bench->a, XS_ENTRY_DATA, "lost too", NULL);
    bench->sink.room = 3;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_EAGAIN);
    xs_outq_drop_data(&bench->out, &bench->a);
    (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "bye", NULL);
    bench->sink.room = 100;
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_OK);
    expect(bench, "<begun><kept><bye>");
}

static void a_receiver_format_that_needs_too_much_is_skipped(void **state)
{
    struct bench *bench = *state;
    char text[400];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    bench->out.message_limit = 150;
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, text, NULL), XS_PUSH_NOTHING);
    assert_int_equal(say(bench, &bench->a, XS_ENTRY_DATA, "fits", NULL), XS_PUSHED);
}

static void ready_made_bytes_of_any_size_go_out_as_they_are(void **state)
{
    struct bench *bench = *state;
    static char large[100000];

    memset(large, 'z', sizeof large);
    (void)xs_outbound_push_bytes(&bench->out, &bench->a, XS_SLICE("hello "));
    (void)xs_outbound_push_bytes(&bench->out, &bench->a,
                                 (struct xs_slice){ large, sizeof large });
    assert_int_equal(bench->a.control_bytes, 6 + sizeof large);
    assert_int_equal(xs_outq_flush(&bench->out, &bench->a, sink_send, &bench->sink), XS_OK);
    assert_int_equal(bench->sink.len, 6 + sizeof large);
    assert_memory_equal(bench->sink.bytes, "hello zz", 8);
}

static unsigned presses;

static void on_press(struct xs_outq *queue)
{
    (void)queue;
    presses++;
}

static void control_over_the_bound_presses(void **state)
{
    struct bench *bench = *state;

    presses = 0;
    bench->out.press = on_press;
    bench->out.queue_bytes = 10;
    (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "12345678", NULL);
    assert_int_equal(presses, 0);
    (void)say(bench, &bench->a, XS_ENTRY_CONTROL, "9", NULL);
    assert_int_equal(presses, 1);
    assert_true(xs_outq_pressed(&bench->out, &bench->a, 2));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_message_for_many_is_encoded_once_per_encoder),
        TEST(everything_of_one_turn_leaves_in_one_call),
        TEST(a_paced_queue_gives_one_message_a_time),
        TEST(a_receiver_that_takes_a_byte_at_a_time_gets_everything_in_order),
        TEST(a_message_may_differ_for_every_receiver_and_is_still_encoded_once),
        TEST(what_cannot_be_said_or_is_empty_is_for_nobody),
        TEST(a_turn_leaves_one_stretch_for_each_receiver_and_an_empty_tape),
        TEST(what_a_receiver_does_not_take_stays_beyond_the_turn),
        TEST(of_a_stretch_that_has_begun_only_the_cut_message_is_kept),
        TEST(of_what_was_kept_each_message_that_is_gone_makes_room),
        TEST(a_turn_that_says_very_much_does_not_keep_it_all),
        TEST(what_differs_for_very_many_is_not_written_out_for_each),
        TEST(sixteen_answers_with_numbers_are_one_stretch_too),
        TEST(data_over_the_bound_is_refused_but_control_is_not),
        TEST(a_message_larger_than_the_bound_may_stand_alone),
        TEST(dropping_data_keeps_control_and_what_has_begun),
        TEST(a_receiver_format_that_needs_too_much_is_skipped),
        TEST(ready_made_bytes_of_any_size_go_out_as_they_are),
        TEST(control_over_the_bound_presses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
