/* framing - greetings, frames and the three parts, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "message/message.h"
#include <xsockets/framing.h>

#define GUID "7c9e6679-7425-40de-944b-e07fc1f90ae7"

static const struct xs_format line = { "Hello", XS_FRAMING_LINE, false };
static const struct xs_format xframe = { "Hello", XS_FRAMING_XFRAME, false };
static const struct xs_format length = { "Hello", XS_FRAMING_LENGTH, false };
static const struct xs_format strict = { "Hello", XS_FRAMING_XFRAME, true };

static void assert_slice(struct xs_slice got, struct xs_slice wanted)
{
    assert_int_equal(got.len, wanted.len);
    if (wanted.len > 0)
        assert_memory_equal(got.at, wanted.at, wanted.len);
}

/* ---- bytes that come in pieces ---- */

/* What a module holds: all bytes that came and were not taken, in memory of exactly that
 * length, so that a look beyond it is noticed. */
struct stream {
    const struct xs_format *format;
    struct xs_frames frames;
    char *memory;
    struct xs_input in;
};

static void stream_init(struct stream *stream, const struct xs_format *format, bool greeted)
{
    memset(stream, 0, sizeof *stream);
    stream->format = format;
    stream->frames.named = stream->frames.greeted = greeted;
}

static void feed(struct stream *stream, struct xs_slice bytes)
{
    size_t len = stream->in.len + bytes.len;
    char *memory = malloc(len > 0 ? len : 1);

    assert_non_null(memory);
    if (stream->in.len > 0)
        memcpy(memory, stream->in.at, stream->in.len);
    if (bytes.len > 0)
        memcpy(memory + stream->in.len, bytes.at, bytes.len);
    free(stream->memory);
    stream->memory = memory;
    stream->in = (struct xs_input){ memory, len };
}

static void stream_fini(struct stream *stream)
{
    free(stream->memory);
}

/* ---- the greeting ---- */

/* For tables, where a compound literal may not stand. */
#define B(literal)                                                                             \
    {                                                                                          \
        (literal), sizeof(literal) - 1                                                         \
    }

static void the_first_bytes_are_told_apart(void **state)
{
    static const struct {
        struct xs_slice head;
        enum xs_match line, xframe, length;
    } rows[] = {
        { B(""), XS_MATCH_MORE, XS_MATCH_MORE, XS_MATCH_MORE },
        { B("Hell"), XS_MATCH_MORE, XS_MATCH_MORE, XS_MATCH_MORE },
        { B("hello"), XS_MATCH_NO, XS_MATCH_NO, XS_MATCH_NO },
        { B("Hello"), XS_MATCH_QUIET, XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello\r"), XS_MATCH_QUIET, XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello\n"), XS_MATCH_YES, XS_MATCH_YES, XS_MATCH_YES },
        { B("Hello\r\nmore"), XS_MATCH_YES, XS_MATCH_YES, XS_MATCH_YES },
        { B("Hello\0"), XS_MATCH_YES, XS_MATCH_YES, XS_MATCH_NO },
        { B("Hello?"), XS_MATCH_QUIET, XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello?a=b"), XS_MATCH_QUIET, XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello?a=b\0"), XS_MATCH_YES, XS_MATCH_YES, XS_MATCH_MORE },
        { B("Hello?a=b\n"), XS_MATCH_YES, XS_MATCH_YES, XS_MATCH_YES },
        { B("Hellos"), XS_MATCH_NO, XS_MATCH_NO, XS_MATCH_NO },
        { B("Hello \n"), XS_MATCH_NO, XS_MATCH_NO, XS_MATCH_NO },
        { B("Hello\rx"), XS_MATCH_NO, XS_MATCH_NO, XS_MATCH_NO },
        { B("Hello\rx\n"), XS_MATCH_NO, XS_MATCH_NO, XS_MATCH_NO },
        { B("Hello?PersistentId=" GUID), XS_MATCH_YES, XS_MATCH_YES, XS_MATCH_MORE },
        { B("Hello?persistentid=7c9e6679-7425-40de-944b-e07fc1f90ae"), XS_MATCH_QUIET,
          XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello?persistentid=" GUID "x"), XS_MATCH_QUIET, XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello?persistentid=7&a=34567890123456789012345678901234"), XS_MATCH_QUIET,
          XS_MATCH_QUIET, XS_MATCH_MORE },
        { B("Hello?a=b&istentid=" GUID), XS_MATCH_QUIET, XS_MATCH_QUIET, XS_MATCH_MORE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(xs_greeting_match(&line, rows[i].head), rows[i].line);
        assert_int_equal(xs_greeting_match(&xframe, rows[i].head), rows[i].xframe);
        assert_int_equal(xs_greeting_match(&length, rows[i].head), rows[i].length);
    }
}

static void assert_greeting(const struct xs_format *format, struct xs_slice bytes,
                            const char *query, struct xs_slice left)
{
    for (size_t first = strlen(format->greeting); first <= bytes.len; first++) {
        size_t cut = first;
        struct stream stream;
        struct xs_slice got;
        enum xs_err err;

        stream_init(&stream, format, false);
        feed(&stream, (struct xs_slice){ bytes.at, cut });
        err = xs_greeting_take(format, &stream.frames, &stream.in, &got);
        if (err == XS_EAGAIN) {
            assert_false(stream.frames.greeted);
            feed(&stream, (struct xs_slice){ bytes.at + cut, bytes.len - cut });
            err = xs_greeting_take(format, &stream.frames, &stream.in, &got);
            cut = bytes.len;
        }
        assert_int_equal(err, XS_OK);
        assert_true(stream.frames.greeted);
        assert_slice(got, xs_slice_of(query));
        feed(&stream, (struct xs_slice){ bytes.at + cut, bytes.len - cut });
        assert_slice((struct xs_slice){ stream.in.at, stream.in.len }, left);
        stream_fini(&stream);
    }
}

static void a_greeting_is_taken_with_its_query_and_its_end(void **state)
{
    (void)state;
    assert_greeting(&line, XS_SLICE("Hello\r\nrest"), "", XS_SLICE("rest"));
    assert_greeting(&line, XS_SLICE("Hello\n"), "", XS_SLICE(""));
    assert_greeting(&line, XS_SLICE("Hello?a=b&c\r\n"), "a=b&c", XS_SLICE(""));
    assert_greeting(&line, XS_SLICE("Hello?a=b\0rest"), "a=b", XS_SLICE("rest"));
    assert_greeting(&line, XS_SLICE("Hello?\n"), "", XS_SLICE(""));
    assert_greeting(&length, XS_SLICE("Hello?a=b\n\0\1x"), "a=b", XS_SLICE("\0\1x"));
}

static void the_zero_byte_that_ends_a_greeting_begins_the_first_frame(void **state)
{
    (void)state;
    assert_greeting(&xframe, XS_SLICE("Hello\0x\xff"), "", XS_SLICE("\0x\xff"));
    assert_greeting(&xframe, XS_SLICE("Hello?PersistentId=" GUID "\0x\xff"),
                    "PersistentId=" GUID, XS_SLICE("\0x\xff"));
    assert_greeting(&xframe, XS_SLICE("Hello?a=b\r\n\0x\xff"), "a=b", XS_SLICE("\0x\xff"));
}

static void what_is_no_end_of_a_greeting_is_refused(void **state)
{
    struct stream stream;
    struct xs_slice query;

    (void)state;
    stream_init(&stream, &line, false);
    feed(&stream, XS_SLICE("Hello"));
    assert_int_equal(xs_greeting_take(&line, &stream.frames, &stream.in, &query), XS_EAGAIN);
    feed(&stream, XS_SLICE("a|b|c\r\n"));
    assert_int_equal(xs_greeting_take(&line, &stream.frames, &stream.in, &query), XS_EPROTO);
    stream_fini(&stream);
}

static void a_query_has_four_kibibytes_and_not_one_more(void **state)
{
    char bytes[5 + 4097 + 1];

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, "Hello?", 6);
    for (size_t len = 4096; len <= 4097; len++) {
        for (size_t step = 1; step <= sizeof bytes; step += sizeof bytes - 1) {
            struct stream stream;
            struct xs_slice query;
            enum xs_err err = XS_EAGAIN;

            stream_init(&stream, &line, false);
            bytes[5 + len] = '\n';
            feed(&stream, (struct xs_slice){ bytes, 5 });
            for (size_t at = 5; at < 5 + len + 1 && err == XS_EAGAIN; at += step) {
                size_t left = 5 + len + 1 - at;

                feed(&stream, (struct xs_slice){ bytes + at, step < left ? step : left });
                err = xs_greeting_take(&line, &stream.frames, &stream.in, &query);
            }
            assert_int_equal(err, len == 4096 ? XS_OK : XS_ETOOBIG);
            stream_fini(&stream);
        }
        bytes[5 + len] = 'a';
    }
}

/* ---- frames in ---- */

/* What comes out, as text: `<payload>` for a frame, `!` for bytes outside of frames, `#` where
 * the connection cannot go on. Fed in steps of that many bytes. */
static void read_all(const struct xs_format *format, struct xs_slice bytes, size_t longest,
                     size_t step, struct xs_buf *out)
{
    struct stream stream;
    size_t at = 0;

    out->len = 0;
    stream_init(&stream, format, true);
    for (;;) {
        struct xs_slice payload = { NULL, 0 };
        enum xs_err err = xs_frame_take(format, &stream.frames, longest, &stream.in, &payload);

        if (err == XS_OK) {
            xs_buf_append_byte(out, '<');
            xs_buf_append(out, payload);
            xs_buf_append_byte(out, '>');
        } else if (err == XS_EPROTO) {
            xs_buf_append_byte(out, '!');
        } else if (err == XS_ETOOBIG) {
            xs_buf_append_byte(out, '#');
            break;
        } else {
            size_t n = step < bytes.len - at ? step : bytes.len - at;

            assert_int_equal(err, XS_EAGAIN);
            if (n == 0)
                break;
            feed(&stream, (struct xs_slice){ bytes.at + at, n });
            at += n;
        }
    }
    stream_fini(&stream);
}

static void assert_frames(const struct xs_format *format, struct xs_slice bytes, size_t longest,
                          struct xs_slice wanted)
{
    char memory[512];
    struct xs_buf out = { memory, 0, sizeof memory, sizeof memory, false };

    for (size_t step = 1; step <= bytes.len + 1; step++) {
        read_all(format, bytes, longest, step, &out);
        assert_slice((struct xs_slice){ out.at, out.len }, wanted);
    }
}

static void lines_end_in_lf_or_cr_lf(void **state)
{
    (void)state;
    assert_frames(&line, XS_SLICE("a|b\nc\r\n\n\r\nd\re\r\r\nrest"), 100,
                  XS_SLICE("<a|b><c><><><d\re\r>"));
    assert_frames(&line, XS_SLICE("\0\xff\n"), 100, XS_SLICE("<\0\xff>"));
}

static void a_line_may_have_its_bound_and_no_more(void **state)
{
    (void)state;
    assert_frames(&line, XS_SLICE("1234\n1234\r\n"), 4, XS_SLICE("<1234><1234>"));
    assert_frames(&line, XS_SLICE("1234\r\n12345\n"), 4, XS_SLICE("<1234>#"));
    assert_frames(&line, XS_SLICE("12345"), 4, XS_SLICE("#"));
    assert_frames(&line, XS_SLICE("1234\r"), 4, XS_SLICE(""));
    assert_frames(&line, XS_SLICE("1234\rx"), 4, XS_SLICE("#"));
}

static void an_xframe_stands_between_0_and_ff(void **state)
{
    (void)state;
    assert_frames(&xframe, XS_SLICE("\0a|b\xff\0\xff\0c\0d\r\n\xff\0rest"), 100,
                  XS_SLICE("<a|b><><c\0d\r\n>"));
}

static void several_zero_bytes_are_one_beginning(void **state)
{
    (void)state;
    assert_frames(&xframe, XS_SLICE("\0\0\0\0a\xff\0\0\xff\0\0"), 1, XS_SLICE("<a><>"));
}

static void line_ends_between_xframes_are_nothing_and_other_bytes_are_told_once(void **state)
{
    (void)state;
    assert_frames(&xframe, XS_SLICE("\r\n\0a\xff\r\n\n\0b\xff\r\n"), 100, XS_SLICE("<a><b>"));
    assert_frames(&xframe, XS_SLICE("\r\nhello\r\nyou\0a\xff\xff\xff\0b\xffmore"), 100,
                  XS_SLICE("!<a>!<b>!"));
}

static void an_xframe_and_what_is_none_may_have_its_bound_and_no_more(void **state)
{
    (void)state;
    assert_frames(&xframe,
                  XS_SLICE("\0"
                           "1234\xff"),
                  4, XS_SLICE("<1234>"));
    assert_frames(&xframe,
                  XS_SLICE("\0"
                           "12345\xff"),
                  4, XS_SLICE("#"));
    assert_frames(&xframe,
                  XS_SLICE("\0"
                           "12345"),
                  4, XS_SLICE("#"));
    assert_frames(&xframe,
                  XS_SLICE("1234\0a\xff"
                           "1234\0a\xff"),
                  4, XS_SLICE("!<a>!<a>"));
    assert_frames(&xframe, XS_SLICE("12345"), 4, XS_SLICE("!#"));
    assert_frames(&xframe, XS_SLICE("\n\n\n\n\n\n\n\n1\n\n\n\n234"), 4, XS_SLICE("!"));
}

static void a_length_says_how_many_bytes_follow(void **state)
{
    (void)state;
    assert_frames(&length, XS_SLICE("\0\3a|b\0\0\0\2\0\xff\0\5rest"), 100,
                  XS_SLICE("<a|b><><\0\xff>"));
}

static void a_length_over_the_bound_is_refused_before_its_bytes_have_come(void **state)
{
    (void)state;
    assert_frames(&length,
                  XS_SLICE("\0\4"
                           "1234\0\5"),
                  4, XS_SLICE("<1234>#"));
    assert_frames(&length, XS_SLICE("\xff\xff"), 65534, XS_SLICE("#"));
    assert_frames(&length, XS_SLICE("\xff\xff"), 65535, XS_SLICE(""));
}

static void the_longest_length_is_read_as_it_was_meant(void **state)
{
    static char bytes[2 + 65535];
    struct stream stream;
    struct xs_slice payload;

    (void)state;
    bytes[0] = bytes[1] = '\xff';
    stream_init(&stream, &length, true);
    feed(&stream, (struct xs_slice){ bytes, sizeof bytes - 1 });
    assert_int_equal(xs_frame_take(&length, &stream.frames, 1 << 20, &stream.in, &payload),
                     XS_EAGAIN);
    feed(&stream, (struct xs_slice){ bytes, 1 });
    assert_int_equal(xs_frame_take(&length, &stream.frames, 1 << 20, &stream.in, &payload),
                     XS_OK);
    assert_int_equal(payload.len, 65535);
    assert_int_equal(stream.in.len, 0);
    stream_fini(&stream);
}

/* ---- frames out ---- */

static void assert_framed(const struct xs_format *format, struct xs_slice payload,
                          enum xs_err wanted_err, struct xs_slice wanted)
{
    struct xs_buf out = { 0 };
    size_t begun;

    xs_buf_append(&out, XS_SLICE("before"));
    begun = xs_frame_begin(format, &out);
    assert_int_equal(begun, 6);
    xs_buf_append(&out, payload);
    assert_int_equal(xs_frame_end(format, &out, begun), wanted_err);
    assert_slice((struct xs_slice){ out.at, 6 }, XS_SLICE("before"));
    assert_slice((struct xs_slice){ out.at + 6, out.len - 6 }, wanted);
    xs_free(out.at);
}

static void a_payload_goes_out_in_its_frame(void **state)
{
    (void)state;
    assert_framed(&line, XS_SLICE("a|b"), XS_OK, XS_SLICE("a|b\r\n"));
    assert_framed(&line, XS_SLICE("\r{\n\n}\r\n"), XS_OK, XS_SLICE(" {  }  \r\n"));
    assert_framed(&xframe, XS_SLICE("a|\r\nb"), XS_OK, XS_SLICE("\0a|\r\nb\xff"));
    assert_framed(&xframe, XS_SLICE(""), XS_OK, XS_SLICE("\0\xff"));
    assert_framed(&length, XS_SLICE("a|\0\xff\r\nb"), XS_OK, XS_SLICE("\0\7a|\0\xff\r\nb"));
    assert_framed(&length, XS_SLICE(""), XS_OK, XS_SLICE("\0\0"));
}

static void what_would_break_the_frame_is_refused_and_removed(void **state)
{
    static char large[65536];

    (void)state;
    assert_framed(&xframe, XS_SLICE("a\0b"), XS_EREFUSED, XS_SLICE(""));
    assert_framed(&xframe, XS_SLICE("a\xff"), XS_EREFUSED, XS_SLICE(""));
    assert_framed(&length, (struct xs_slice){ large, sizeof large }, XS_EREFUSED, XS_SLICE(""));
}

static void a_buffer_without_room_stays_failed(void **state)
{
    const struct xs_format *formats[] = { &line, &xframe, &length };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t limit = 0; limit < 5; limit++) {
            char memory[8];
            struct xs_buf out = { memory, 0, limit, limit, false };
            size_t begun;

            if (limit == 0)
                out.limit = 1, out.len = out.cap = 1; /* 0 would be no limit */
            begun = xs_frame_begin(formats[i], &out);
            xs_buf_append(&out, XS_SLICE("abcdef"));
            assert_int_equal(xs_frame_end(formats[i], &out, begun), XS_OK);
            assert_true(out.failed);
        }
    }
}

/* ---- the three parts ---- */

static void assert_parts(const char *payload, const char *controller, const char *topic,
                         enum xs_form form, const char *data)
{
    struct xs_incoming got;
    const char *why;

    assert_int_equal(xs_parts_read(&line, xs_slice_of(payload), &got, &why), XS_OK);
    assert_int_equal(got.size, sizeof got);
    assert_slice(got.controller, xs_slice_of(controller));
    assert_slice(got.topic, xs_slice_of(topic));
    assert_int_equal(got.data.form, form);
    assert_slice(got.data.bytes, xs_slice_of(data));
    assert_false(got.has_blob || got.retain || got.has_correlation || got.qos != 0);
}

static void a_payload_is_cut_at_its_first_two_bars(void **state)
{
    (void)state;
    assert_parts("Chat|Say|hello", "Chat", "Say", XS_TEXT, "hello");
    assert_parts("chat|say|a|b||", "chat", "say", XS_TEXT, "a|b||");
    assert_parts("chat|say|", "chat", "say", XS_TEXT, "");
    assert_parts("chat|1", "chat", "1", XS_TEXT, "");
    assert_parts("||", "", "", XS_TEXT, "");
    assert_parts("|7|", "", "7", XS_TEXT, "");
}

static void data_that_is_strict_json_is_json_and_anything_else_text(void **state)
{
    (void)state;
    assert_parts("f|b|42", "f", "b", XS_JSON, "42");
    assert_parts("f|b| [1 , \"|\"]\r\n", "f", "b", XS_JSON, " [1 , \"|\"]\r\n");
    assert_parts("f|b|{a:1}", "f", "b", XS_TEXT, "{a:1}");
}

static void words_become_topics_and_a_topic_is_no_number(void **state)
{
    (void)state;
    assert_parts("f|subscribe|news/#", "f", "5", XS_TEXT, "news/#");
    assert_parts("f|SubScribe|42", "f", "5", XS_TEXT, "42");
    assert_parts("f|5|true", "f", "5", XS_TEXT, "true");
    assert_parts("f|5|{\"T\":\"x\",\"A\":true}", "f", "5", XS_JSON, "{\"T\":\"x\",\"A\":true}");
    assert_parts("f|5|\"x\"", "f", "5", XS_JSON, "\"x\"");
    assert_parts("f|5|{x", "f", "5", XS_TEXT, "{x");
    assert_parts("f|unsubscribe|x", "f", "6", XS_TEXT, "x");
    assert_parts("f|6|7", "f", "6", XS_TEXT, "7");
}

static void storage_takes_a_key_and_a_value(void **state)
{
    (void)state;
    assert_parts("f|s1|key,value", "f", "s1", XS_JSON, "{\"K\":\"key\",\"V\":\"value\"}");
    assert_parts("f|S1|k,a,b|\"c\"\\", "f", "S1", XS_JSON,
                 "{\"K\":\"k\",\"V\":\"a,b|\\\"c\\\"\\\\\"}");
    assert_parts("f|s1|,", "f", "s1", XS_JSON, "{\"K\":\"\",\"V\":\"\"}");
    assert_parts("f|s2|a,b", "f", "s2", XS_JSON, "{\"K\":\"a,b\",\"V\":null}");
    assert_parts("f|s3|k\"\x01", "f", "s3", XS_JSON, "{\"K\":\"k\\\"\\u0001\",\"V\":null}");
    assert_parts("f|s4|", "f", "s4", XS_TEXT, "");
}

static void assert_no_message(const struct xs_format *format, struct xs_slice payload,
                              enum xs_err wanted, const char *sentence)
{
    struct xs_incoming got;
    const char *why = "nothing was said";

    assert_int_equal(xs_parts_read(format, payload, &got, &why), wanted);
    if (sentence == NULL)
        assert_null(why);
    else
        assert_string_equal(why, sentence);
}

static void what_is_no_message_is_said(void **state)
{
    (void)state;
    assert_no_message(&line, XS_SLICE(""), XS_EINVAL, "a message is controller|topic|data");
    assert_no_message(&line, XS_SLICE("hello"), XS_EINVAL,
                      "a message is controller|topic|data");
    assert_no_message(&line, XS_SLICE("f|s1|key"), XS_EINVAL, "s1 takes key,value");
    assert_no_message(&line, XS_SLICE("f|b|\xc3("), XS_EUTF8, "the message is no UTF-8");
    assert_no_message(&line, XS_SLICE("\xed\xa0\x80|b|c"), XS_EUTF8, "the message is no UTF-8");
}

static void fewer_than_three_parts_are_passed_over_where_the_format_wants_three(void **state)
{
    struct xs_incoming got;
    const char *why;

    (void)state;
    assert_no_message(&strict, XS_SLICE("hello"), XS_EINVAL, NULL);
    assert_no_message(&strict, XS_SLICE("f|b"), XS_EINVAL, NULL);
    assert_no_message(&strict, XS_SLICE("f|s1|key"), XS_EINVAL, "s1 takes key,value");
    assert_int_equal(xs_parts_read(&strict, XS_SLICE("f|b|"), &got, &why), XS_OK);
}

static void the_longest_payload_holds_the_largest_message(void **state)
{
    const struct xs_limits limits = { .message = 1000, .name = 100 };

    (void)state;
    assert_true(xs_parts_longest(&limits) >= 1000 + 2 * 100 + 2);
    assert_true(xs_parts_longest(&limits) < 1000 + 2 * 100 + 16);
}

static void assert_written(const struct xs_format *format, struct xs_slice controller,
                           struct xs_slice topic, const char *data, struct xs_slice wanted)
{
    struct xs_message msg;
    struct xs_buf out = { 0 };
    enum xs_err err;

    memset(&msg, 0, sizeof msg);
    msg.controller = controller;
    msg.topic = topic;
    err = xs_parts_write(format, &msg, xs_slice_of(data), &out);
    assert_int_equal(err, wanted.at != NULL ? XS_OK : XS_EREFUSED);
    assert_slice((struct xs_slice){ out.at, out.len }, wanted);
    xs_free(out.at);
}

static void a_message_is_written_as_a_frame(void **state)
{
    (void)state;
    assert_written(&line, XS_SLICE("chat"), XS_SLICE("say"), "\"a|b\"",
                   XS_SLICE("chat|say|\"a|b\"\r\n"));
    assert_written(&xframe, XS_SLICE("chat"), XS_SLICE("say"), "[1,\r\n2]",
                   XS_SLICE("\0chat|say|[1,\r\n2]\xff"));
    assert_written(&length, XS_SLICE(""), XS_SLICE("8"), "null", XS_SLICE("\0\7|8|null"));
}

static void opened_and_closed_tell_the_ids(void **state)
{
    static const char ids[] = "{\"CI\":\"c-1\",\"PI\":\"p-1\",\"C\":\"foo\"}";

    (void)state;
    assert_written(&xframe, XS_SLICE("foo"), XS_SLICE("2"), ids,
                   XS_SLICE("\0foo|2|PI:p-1,CI:c-1\xff"));
    assert_written(&line, XS_SLICE("foo"), XS_SLICE("3"), ids,
                   XS_SLICE("foo|3|PI:p-1,CI:c-1\r\n"));
    assert_written(&line, XS_SLICE("foo"), XS_SLICE("2"), "{\"PI\":\"a\\r\\n\",\"CI\":\"b\"}",
                   XS_SLICE("foo|2|PI:a  ,CI:b\r\n"));
    assert_written(&xframe, XS_SLICE("foo"), XS_SLICE("2"),
                   "{\"PI\":\"a\\u0000\",\"CI\":\"b\"}", (struct xs_slice){ NULL, 0 });
    assert_written(&line, XS_SLICE("foo"), XS_SLICE("2"), "{\"PI\":\"a\"}",
                   XS_SLICE("foo|2|{\"PI\":\"a\"}\r\n"));
    assert_written(&line, XS_SLICE("foo"), XS_SLICE("4"), ids,
                   XS_SLICE("foo|4|{\"CI\":\"c-1\",\"PI\":\"p-1\",\"C\":\"foo\"}\r\n"));
}

static void names_that_would_read_as_something_else_are_refused(void **state)
{
    static const struct xs_slice names[] = { B("a|b"),  B("|"),    B("a\r"),
                                             B("a\nb"), B("\0"),   B("a\x1f"),
                                             B("\x7f"), B("\xff"), B("a\xff\xff") };
    const struct xs_format *formats[] = { &line, &xframe, &length };
    const struct xs_slice nothing = { NULL, 0 };

    (void)state;
    for (size_t f = 0; f < 3; f++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            assert_written(formats[f], names[i], XS_SLICE("say"), "1", nothing);
            assert_written(formats[f], XS_SLICE("chat"), names[i], "1", nothing);
        }
    }
}

static void a_message_with_a_blob_is_refused(void **state)
{
    struct xs_message msg;
    struct xs_buf out = { 0 };

    (void)state;
    memset(&msg, 0, sizeof msg);
    msg.controller = msg.topic = XS_SLICE("x");
    msg.has_blob = true;
    assert_int_equal(xs_parts_write(&xframe, &msg, XS_SLICE("null"), &out), XS_EREFUSED);
    assert_int_equal(out.len, 0);
}

static int forget_scratch(void **state)
{
    (void)state;
    xs_message_thread_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bytes_are_told_apart),
        cmocka_unit_test(a_greeting_is_taken_with_its_query_and_its_end),
        cmocka_unit_test(the_zero_byte_that_ends_a_greeting_begins_the_first_frame),
        cmocka_unit_test(what_is_no_end_of_a_greeting_is_refused),
        cmocka_unit_test(a_query_has_four_kibibytes_and_not_one_more),
        cmocka_unit_test(lines_end_in_lf_or_cr_lf),
        cmocka_unit_test(a_line_may_have_its_bound_and_no_more),
        cmocka_unit_test(an_xframe_stands_between_0_and_ff),
        cmocka_unit_test(several_zero_bytes_are_one_beginning),
        cmocka_unit_test(line_ends_between_xframes_are_nothing_and_other_bytes_are_told_once),
        cmocka_unit_test(an_xframe_and_what_is_none_may_have_its_bound_and_no_more),
        cmocka_unit_test(a_length_says_how_many_bytes_follow),
        cmocka_unit_test(a_length_over_the_bound_is_refused_before_its_bytes_have_come),
        cmocka_unit_test(the_longest_length_is_read_as_it_was_meant),
        cmocka_unit_test(a_payload_goes_out_in_its_frame),
        cmocka_unit_test(what_would_break_the_frame_is_refused_and_removed),
        cmocka_unit_test(a_buffer_without_room_stays_failed),
        cmocka_unit_test(a_payload_is_cut_at_its_first_two_bars),
        cmocka_unit_test(data_that_is_strict_json_is_json_and_anything_else_text),
        cmocka_unit_test(words_become_topics_and_a_topic_is_no_number),
        cmocka_unit_test(storage_takes_a_key_and_a_value),
        cmocka_unit_test(what_is_no_message_is_said),
        cmocka_unit_test(fewer_than_three_parts_are_passed_over_where_the_format_wants_three),
        cmocka_unit_test(the_longest_payload_holds_the_largest_message),
        cmocka_unit_test(a_message_is_written_as_a_frame),
        cmocka_unit_test(opened_and_closed_tell_the_ids),
        cmocka_unit_test(names_that_would_read_as_something_else_are_refused),
        cmocka_unit_test(a_message_with_a_blob_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, forget_scratch);
}
