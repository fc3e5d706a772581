/* suite.c - see suite.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "message/json.h"
#include "suite.h"

enum { DEPTH = 64 };

const char *const xt_reserved_topics[] = {
    "0",  "1",  "2",     "3",      "4",          "5",      "6",     "7",     "8",
    "9",  "10", "11",    "12",     "13",         "14",     "s1",    "s2",    "s3",
    "s4", "__", "__foo", "s1:key", "s2:a|b\r\n", "s3:key", "get_x", "set_x", NULL
};

void xt_check_example(const struct xt_delivered *got, const struct xt_example *wanted)
{
    const struct xs_incoming *incoming = &got->incoming;
    struct xs_slice blob = xs_slice_of(wanted->blob);

    assert_true(xs_slice_equal_nocase(incoming->controller, xs_slice_of(wanted->controller)));
    assert_true(xs_slice_equal_nocase(incoming->topic, xs_slice_of(wanted->topic)));
    assert_int_equal(incoming->data.form, wanted->data.form);
    assert_int_equal(incoming->data.bytes.len, wanted->data.bytes.len);
    assert_true(xs_slice_equal(incoming->data.bytes, wanted->data.bytes));
    assert_int_equal(incoming->has_blob, wanted->blob != NULL);
    assert_true(xs_slice_equal(incoming->blob, blob));
}

static void check_incoming(const struct xs_incoming *incoming)
{
    struct xs_slice data = incoming->data.bytes;

    assert_true(xs_utf8_valid(incoming->controller.at, incoming->controller.len));
    assert_true(xs_utf8_valid(incoming->topic.at, incoming->topic.len));
    assert_true(xs_utf8_valid(data.at, data.len));
    /* The zeroed form with no bytes at all is the message without data. */
    if (incoming->data.form == XS_JSON && data.len > 0)
        assert_true(xs_json_valid(data, DEPTH));
    if (incoming->data.form == XS_JSON_ESCAPED)
        assert_true(xs_json_valid_escaped(data, DEPTH));
    assert_true(incoming->qos <= 1);
    assert_true(incoming->qos_id <= 65535);
    if (!incoming->has_blob)
        assert_int_equal(incoming->blob.len, 0);
}

void xt_check_delivered(const struct xs_conn *conn)
{
    for (size_t i = 0; i < conn->delivered_count; i++)
        check_incoming(&conn->delivered[i].incoming);
}

static void add(struct xt_bytes *out, const char *what, struct xs_slice bytes)
{
    char head[48];

    snprintf(head, sizeof head, "\n%s(%zu) ", what, bytes.len);
    xt_append(out, xs_slice_of(head));
    xt_append(out, bytes);
}

static void add_number(struct xt_bytes *out, const char *what, int64_t number)
{
    char text[64];

    snprintf(text, sizeof text, "\n%s %lld", what, (long long)number);
    xt_append(out, xs_slice_of(text));
}

void xt_outcome(const struct xs_conn *conn, struct xt_bytes *out)
{
    out->len = 0;
    for (size_t i = 0; i < conn->delivered_count; i++) {
        const struct xs_incoming *incoming = &conn->delivered[i].incoming;

        add(out, "controller", incoming->controller);
        add(out, "topic", incoming->topic);
        add_number(out, "form", incoming->data.form);
        add(out, "data", incoming->data.bytes);
        add_number(out, "has_blob", incoming->has_blob);
        add(out, "blob", incoming->blob);
        add_number(out, "retain", incoming->retain);
        add_number(out, "qos", incoming->qos);
        add_number(out, "qos_id", incoming->qos_id);
        add_number(out, "N", incoming->has_correlation ? incoming->correlation : -1);
    }
    add(out, "written", xt_slice(&conn->written));
    for (size_t i = 0; i < conn->errors.count; i++)
        add(out, "error", xs_slice_of(conn->errors.at[i]));
    add(out, "query", xt_slice(&conn->query));
    add_number(out, "ready", (int64_t)conn->ready_count);
    add_number(out, "frames", (int64_t)conn->frames);
    add_number(out, "closed", conn->close_count > 0 ? (int64_t)conn->reason : -1);
}

void xt_assert_same(const struct xt_bytes *a, const struct xt_bytes *b, const char *what)
{
    if (a->len == b->len && memcmp(a->at, b->at, a->len) == 0)
        return;
    fprintf(stderr, "---- at once:%s\n---- %s:%s\n", a->at, what, b->at);
    fail_msg("%s gives another result than at once", what);
}

/* ---- messages ---- */

static const struct xs_slice names[] = {
    XT_BYTES("chat"),
    XT_BYTES(""),
    XT_BYTES("a|b"),
    XT_BYTES("|"),
    XT_BYTES("a\r\nb"),
    XT_BYTES("a\nc|say|\"x\""),
    XT_BYTES("a\rb"),
    XT_BYTES("a\0b"),
    XT_BYTES("\0"),
    XT_BYTES("a\"b"),
    XT_BYTES("\""),
    XT_BYTES("a\\"),
    XT_BYTES("\",\"T\":\"2"),
    XT_BYTES("'"),
    XT_BYTES("{}"),
    XT_BYTES("\x01\x1f\x7f"),
    XT_BYTES("\t"),
    XT_BYTES("r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"),
    XT_BYTES("\xf0\x9f\x98\x80"),
    XT_BYTES("\xe2\x80\xa8"),
    XT_BYTES("\xef\xbb\xbf"),
    XT_BYTES("a+b/#"),
    XT_BYTES(" a "),
    XT_BYTES("2"),
    XT_BYTES("__foo"),
    XT_BYTES("%s%n"),
};

static const struct xs_data datas[] = {
    XT_JSON("null"),
    XT_JSON("\"hello\""),
    XT_JSON("{\"a\":\"b|c\"}"),
    XT_JSON("{\r\n  \"a\" : [ 1,\n\t2 ]\r}"),
    XT_JSON("\r\n\"x\"\n"),
    XT_JSON("\"\\u0000\\r\\n\\\"\\\\\""),
    XT_JSON("\"\\ud83d\\ude00 \xf0\x9f\x98\x80\""),
    XT_JSON("\"\\ud800\""),
    XT_JSON("-0.5e+10"),
    XT_JSON("{\"PI\":\"x|y\",\"CI\":\"\\r\\n|\\u0000\",\"C\":\"chat\"}"),
    XT_JSON("{\"PI\":7}"),
    XT_ESCAPED("{\\\"a\\\":1}"),
    XT_ESCAPED("\\\"\\\\r\\\\n|\\\\u0000\\\""),
    XT_ESCAPED("\\u007b\\u007d"),
    XT_ESCAPED("\\n{\\r\\n}\\n"),
    XT_ESCAPED("{\\\"PI\\\":\\\"\\\\r\\\\n|\\\",\\\"CI\\\":{}}"),
    XT_TEXT(""),
    XT_TEXT("hello"),
    XT_TEXT("a|b|c\r\nchat|say|\"x\"\r\n"),
    XT_TEXT("\"},\"T\":\"2\",\"D\":\""),
    XT_TEXT("\0\x01\x1f\x7f\\\"'"),
    XT_TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
    XT_TEXT("\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xc3"),
};

static const struct xs_slice blobs[] = {
    XT_BYTES(""),
    XT_BYTES("\0\xff\r\n|\"{}"),
    XT_BYTES("{\"C\":\"a\",\"T\":\"b\",\"D\":\"c\"}"),
};

enum { NAMES = sizeof names / sizeof names[0], DATAS = sizeof datas / sizeof datas[0] };
enum { BLOBS = sizeof blobs / sizeof blobs[0] };
enum { RESERVED = sizeof xt_reserved_topics / sizeof xt_reserved_topics[0] - 1 };

static const struct xs_message *make(struct xs_slice controller, struct xs_slice topic,
                                     struct xs_data data, const struct xs_slice *blob)
{
    static struct xs_message msg;

    memset(&msg, 0, sizeof msg);
    msg.controller = controller;
    msg.topic = topic;
    msg.data = data.bytes;
    msg.form = (uint8_t)data.form;
    msg.has_blob = blob != NULL;
    if (blob != NULL)
        msg.blob = *blob;
    return &msg;
}

/* Each name in each place, each data, each with and without a blob; then the server's own
 * topics with each data. */
const struct xs_message *xt_hostile_message(size_t number)
{
    const struct xs_slice chat = names[0], say = XT_BYTES("say");

    if (number < NAMES)
        return make(names[number], say, datas[1], NULL);
    number -= NAMES;
    if (number < NAMES)
        return make(chat, names[number], datas[1], NULL);
    number -= NAMES;
    if (number < NAMES * BLOBS)
        return make(chat, names[number / BLOBS], datas[2], &blobs[number % BLOBS]);
    number -= NAMES * BLOBS;
    if (number < DATAS)
        return make(chat, say, datas[number], NULL);
    number -= DATAS;
    if (number < DATAS * BLOBS)
        return make(chat, say, datas[number / BLOBS], &blobs[number % BLOBS]);
    number -= DATAS * BLOBS;
    if (number < RESERVED * DATAS)
        return make(chat, xs_slice_of(xt_reserved_topics[number / DATAS]),
                    datas[number % DATAS], NULL);
    return NULL;
}

const struct xs_message *xt_plain_message(void)
{
    return make(names[0], (struct xs_slice)XT_BYTES("said"), datas[1], NULL);
}
