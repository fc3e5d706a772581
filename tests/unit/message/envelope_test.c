/* envelope - what the original clients send is read, and what they accept is written, byte for
 * byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "message/message.h"

/* An envelope in memory of exactly its length, and what was read from it. */
struct reading {
    char *own;
    enum xs_err err;
    struct xs_incoming in;
    const char *why;
};

static struct reading read_slice(struct xs_slice text)
{
    struct reading reading = { .own = malloc(text.len > 0 ? text.len : 1) };

    if (text.len > 0)
        memcpy(reading.own, text.at, text.len);
    memset(&reading.in, 0xAA, sizeof reading.in);
    reading.err = xs_envelope_read(reading.own, text.len, &reading.in, &reading.why);
    return reading;
}

static void is(const char *where, struct xs_slice slice, const char *wanted)
{
    if (slice.len != strlen(wanted) || memcmp(slice.at, wanted, slice.len) != 0)
        fail_msg("%s: \"%.*s\" is not \"%s\"", where, (int)slice.len, slice.at, wanted);
}

struct row {
    const char *text;
    const char *controller, *topic, *data;
    enum xs_form form;
};

/* Checks what every envelope without Q, I, R and N has in common, too. */
static void reads(const struct row *row)
{
    struct reading reading = read_slice(xs_slice_of(row->text));

    if (reading.err != XS_OK)
        fail_msg("%s: %s", row->text, reading.why);
    is(row->text, reading.in.controller, row->controller);
    is(row->text, reading.in.topic, row->topic);
    is(row->text, reading.in.data.bytes, row->data);
    assert_int_equal(reading.in.data.form, row->form);
    assert_int_equal(reading.in.size, sizeof reading.in);
    assert_int_equal(reading.in.blob.len, 0);
    assert_false(reading.in.has_blob);
    assert_false(reading.in.retain);
    assert_false(reading.in.has_correlation);
    assert_int_equal(reading.in.correlation, 0);
    assert_int_equal(reading.in.qos, 0);
    assert_int_equal(reading.in.qos_id, 0);
    free(reading.own);
}

/* What the JavaScript client 6.x makes of invoke('t', ...). */
static const struct row javascript[] = {
    { "{\"C\":\"c\",\"D\":\"{\\\"a\\\":1}\",\"T\":\"t\"}", "c", "t", "{\\\"a\\\":1}",
      XS_JSON_ESCAPED },
    { "{\"C\":\"c\",\"D\":\"\\\"hello\\\"\",\"T\":\"t\"}", "c", "t", "\\\"hello\\\"",
      XS_JSON_ESCAPED },
    { "{\"C\":\"c\",\"D\":\"\\\"\\\"\",\"T\":\"t\"}", "c", "t", "\\\"\\\"", XS_JSON_ESCAPED },
    { "{\"C\":\"c\",\"D\":42,\"T\":\"t\"}", "c", "t", "42", XS_JSON },
    { "{\"C\":\"c\",\"D\":true,\"T\":\"t\"}", "c", "t", "true", XS_JSON },
    { "{\"C\":\"c\",\"D\":null,\"T\":\"t\"}", "c", "t", "null", XS_JSON },
    { "{\"C\":\"c\",\"D\":\"42\",\"T\":\"t\"}", "c", "t", "42", XS_JSON_ESCAPED },
    { "{\"C\":\"c\",\"D\":[1],\"T\":\"t\"}", "c", "t", "[1]", XS_JSON },
    { "{\"C\":\"c\",\"D\":\"[1,2]\",\"T\":\"t\"}", "c", "t", "[1,2]", XS_JSON_ESCAPED },
    { "{\"C\":\"c\",\"D\":\"[]\",\"T\":\"t\"}", "c", "t", "[]", XS_JSON_ESCAPED },
    { "{\"C\":\"c\",\"D\":\"{}\",\"T\":\"t\"}", "c", "t", "{}", XS_JSON_ESCAPED },
    { "{\"C\":\"generic\",\"T\":\"1\"}", "generic", "1", "null", XS_JSON },
    { "{\"C\":\"generic\",\"T\":\"3\"}", "generic", "3", "null", XS_JSON },
    { "{\"C\":\"chat\",\"D\":\"{\\\"T\\\":\\\"foo\\\",\\\"A\\\":false}\",\"T\":\"5\"}", "chat",
      "5", "{\\\"T\\\":\\\"foo\\\",\\\"A\\\":false}", XS_JSON_ESCAPED },
    { "{\"C\":\"\",\"T\":\"7\"}", "", "7", "null", XS_JSON },
    { "{\"C\":\"chat\",\"T\":\"s1\",\"D\":\"{\\\"K\\\":\\\"color\\\",\\\"V\\\":"
      "\\\"\\\\\\\"red\\\\\\\"\\\"}\"}",
      "chat", "s1", "{\\\"K\\\":\\\"color\\\",\\\"V\\\":\\\"\\\\\\\"red\\\\\\\"\\\"}",
      XS_JSON_ESCAPED },
};

/* The C# client, samples and documents; strings that are no JSON. */
static const struct row others[] = {
    { "{\"I\":0,\"Q\":0,\"R\":false,\"B\":null,\"D\":\"{\\\"Init\\\":true}\",\"MessageType\":0,"
      "\"C\":\"Generic\",\"T\":\"1\"}",
      "Generic", "1", "{\\\"Init\\\":true}", XS_JSON_ESCAPED },
    { "{\"D\":\"hello\",\"C\":\"foo\",\"T\":\"bar\"}", "foo", "bar", "hello", XS_TEXT },
    { "{\"D\":\"\",\"C\":\"foo\",\"T\":\"bar\"}", "foo", "bar", "", XS_TEXT },
    { "{\"D\":\" \",\"C\":\"foo\",\"T\":\"bar\"}", "foo", "bar", " ", XS_TEXT },
    { "{\"D\":\"null\",\"C\":\"foo\",\"T\":\"bar\"}", "foo", "bar", "null", XS_JSON_ESCAPED },
    { "{\"t\":\"foo\",\"c\":\"generic\",\"d\":\"hi\"}", "generic", "foo", "hi", XS_TEXT },
    { "{\"D\":\"say \\\"hi\\\" \\u00e9\\ud83d\\n\",\"T\":\"t\"}", "", "t",
      "say \"hi\" \xc3\xa9\xef\xbf\xbd\n", XS_TEXT },
    { "{\"D\":\"{s:'bar',i:42}\",\"C\":\"demo\",\"T\":\"foo\"}", "demo", "foo",
      "{s:'bar',i:42}", XS_TEXT },
    { "{\"D\":\"{\\\"a\\\":1} \\n\",\"T\":\"t\"}", "", "t", "{\\\"a\\\":1} \\n",
      XS_JSON_ESCAPED },
    { "{\"D\":\"{\\\"a\\\":1}x\",\"T\":\"t\"}", "", "t", "{\"a\":1}x", XS_TEXT },
    { "{\"D\":\"\\\"a\\nb\\\"\",\"T\":\"t\"}", "", "t", "\"a\nb\"", XS_TEXT },
    { "{\"D\":\"\\u007b\\u007d\",\"T\":\"t\"}", "", "t", "\\u007b\\u007d", XS_JSON_ESCAPED },
    { "{\"D\":{\"name\":\"Steve\", \"Age\":42},\"T\":\"t\"}", "", "t",
      "{\"name\":\"Steve\", \"Age\":42}", XS_JSON },
    { "{\"D\": -1.5e3 ,\"T\":\"t\"}", "", "t", "-1.5e3", XS_JSON },
    { "{\"D\":false,\"T\":\"t\"}", "", "t", "false", XS_JSON },
    { " {\t\"C\" : \"a\\/b\" ,\r\n\"T\" :\"\\u00e9\\n\" , \"D\" : [ ] } ", "a/b", "\xc3\xa9\n",
      "[ ]", XS_JSON },
    { "{\"T\":1,\"C\":2}", "2", "1", "null", XS_JSON },
    { "{\"C\":null,\"T\":\"t\"}", "", "t", "null", XS_JSON },
    { "{\"T\":\"a\",\"t\":\"b\",\"D\":\"1\",\"d\":{\"x\":\"y\"}}", "", "b", "{\"x\":\"y\"}",
      XS_JSON },
    { "{\"D\":\"1\",\"D\":null,\"T\":\"t\"}", "", "t", "null", XS_JSON },
    { "{\"\\u0054\":\"t\",\"\\u0063\":\"c\",\"\\u00e4\":1,\"\\n\":2,\"CC\":3}", "c", "t",
      "null", XS_JSON },
    { "{\"x\":{\"T\":\"no\"},\"T\":\"t\",\"y\":[\"C\",\"no\"]}", "", "t", "null", XS_JSON },
    { "{\"Q\":null,\"I\":null,\"R\":null,\"T\":\"t\"}", "", "t", "null", XS_JSON },
};

static const struct row lenient[] = {
    { "{'T':'8','D':'x','C':''}", "", "8", "x", XS_TEXT },
    { "{'T':'8','D':'\"hello\"','C':''}", "", "8", "\\\"hello\\\"", XS_JSON_ESCAPED },
    { "{'T':'8','D':'{\"a\":[1]}','C':''}", "", "8", "{\\\"a\\\":[1]}", XS_JSON_ESCAPED },
    { "{'T':'8','D':'two\nlines','C':''}", "", "8", "two\nlines", XS_TEXT },
    { "{D:\"hi\",T:'say',C:'chat'}", "chat", "say", "hi", XS_TEXT },
    { "{T:1,C:'chat'}", "chat", "1", "null", XS_JSON },
    { "{t:'foo', c:'bar', d:{name:'Steve', Age:42}}", "bar", "foo",
      "{\"name\":\"Steve\", \"Age\":42}", XS_JSON },
    { "{t:'foo',c:'generic',d:'it\\'s'}", "generic", "foo", "it's", XS_TEXT },
};

static void what_javascript_clients_send_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof javascript / sizeof javascript[0]; i++)
        reads(&javascript[i]);
}

static void what_other_clients_send_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        reads(&others[i]);
}

static void lenient_envelopes_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lenient / sizeof lenient[0]; i++)
        reads(&lenient[i]);
    xs_message_thread_end();
}

static void a_lenient_message_outlives_any_number_of_views(void **state)
{
    struct reading reading = read_slice(XS_SLICE("{'T':'topic','D':'data','C':'controller'}"));
    struct xs_message text = { .data = XS_SLICE("x"), .form = XS_TEXT };

    (void)state;
    assert_int_equal(reading.err, XS_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(xs_message_view(&text, XS_VIEW_JSON).len, 3);
    is("topic", reading.in.topic, "topic");
    is("controller", reading.in.controller, "controller");
    is("data", reading.in.data.bytes, "data");
    free(reading.own);
    xs_message_thread_end();
}

static void wishes_are_read_as_numbers_and_as_strings(void **state)
{
    static const struct {
        const char *text;
        unsigned qos, qos_id;
        bool retain, has_correlation;
        int64_t correlation;
    } wishes[] = {
        { "{\"C\":\"generic\",\"T\":\"9\",\"Q\":1,\"I\":77,\"D\":\"null\"}", 1, 77, false,
          false, 0 },
        { "{'T':'9','I':'5','C':'chat','Q':'1'}", 1, 5, false, false, 0 },
        { "{\"T\":\"t\",\"q\":0,\"i\":65535,\"r\":true}", 0, 65535, true, false, 0 },
        { "{\"T\":\"t\",\"R\":\"true\"}", 0, 0, true, false, 0 },
        { "{\"T\":\"t\",\"R\":1}", 0, 0, true, false, 0 },
        { "{\"T\":\"t\",\"R\":\"False\"}", 0, 0, false, false, 0 },
        { "{\"T\":\"t\",\"R\":false,\"Q\":1.0,\"I\":1e3}", 1, 1000, false, false, 0 },
        { "{\"T\":\"t\",\"I\":\"\\u0037\"}", 0, 7, false, false, 0 },
        { "{\"T\":\"t\",\"N\":0}", 0, 0, false, true, 0 },
        { "{\"T\":\"t\",\"n\":-9223372036854775808}", 0, 0, false, true, INT64_MIN },
        { "{\"T\":\"t\",\"N\":9223372036854775807}", 0, 0, false, true, INT64_MAX },
        { "{\"T\":\"t\",\"N\":\"x\",\"N\":12}", 0, 0, false, true, 12 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct reading reading = read_slice(xs_slice_of(wishes[i].text));

        if (reading.err != XS_OK)
            fail_msg("%s: %s", wishes[i].text, reading.why);
        assert_int_equal(reading.in.qos, wishes[i].qos);
        assert_int_equal(reading.in.qos_id, wishes[i].qos_id);
        assert_int_equal(reading.in.retain, wishes[i].retain);
        assert_int_equal(reading.in.has_correlation, wishes[i].has_correlation);
        assert_int_equal(reading.in.correlation, wishes[i].correlation);
        free(reading.own);
    }
    xs_message_thread_end();
}

#define NO_OBJECT "the message is no JSON object"
#define NO_TOPIC  "the message has no topic"
#define NO_NAME   "the controller and the topic must be strings"
#define BAD_N     "N must be an integer of 64 bits"

static void what_is_no_envelope_is_refused_with_a_sentence(void **state)
{
    static const struct {
        const char *text, *why;
    } refused[] = {
        { "", NO_OBJECT },
        { " ", NO_OBJECT },
        { "hello", NO_OBJECT },
        { "null", NO_OBJECT },
        { "[]", NO_OBJECT },
        { "\"T\"", NO_OBJECT },
        { "{\"T\":\"t\"", NO_OBJECT },
        { "{\"T\":\"t\"}x", NO_OBJECT },
        { "{\"T\":\"t\"}{}", NO_OBJECT },
        { "{\"T\":\"t\",}", NO_OBJECT },
        { "{\"T\"}", NO_OBJECT },
        { "{\"T\":}", NO_OBJECT },
        { "{\"T\":\"t\" \"C\":\"c\"}", NO_OBJECT },
        { "{\"T\":\"t\",\"D\":\"\xff\"}", NO_OBJECT },
        { "{\"T\":\"t\",\"D\":\"a\nb\"}", NO_OBJECT },
        { "{\"T\":\"t\",\"D\":{\"a\":}}", NO_OBJECT },
        { "{\"T\":\"t\",\"x\":01}", NO_OBJECT },
        { "{'T':'t','D':'it's'}", NO_OBJECT },
        { "{T:t}", NO_OBJECT },
        { "{}", NO_TOPIC },
        { " { } ", NO_TOPIC },
        { "{\"C\":\"c\"}", NO_TOPIC },
        { "{\"T\":null}", NO_TOPIC },
        { "{\"T\":\"\"}", NO_TOPIC },
        { "{\"T\":\"t\",\"T\":null}", NO_TOPIC },
        { "{\"T\":true}", NO_NAME },
        { "{\"T\":{}}", NO_NAME },
        { "{\"C\":[\"c\"],\"T\":\"t\"}", NO_NAME },
        { "{\"T\":\"t\",\"Q\":2}", "Q must be 0 or 1" },
        { "{\"T\":\"t\",\"Q\":-1}", "Q must be 0 or 1" },
        { "{\"T\":\"t\",\"Q\":true}", "Q must be 0 or 1" },
        { "{\"T\":\"t\",\"Q\":\"\"}", "Q must be 0 or 1" },
        { "{\"T\":\"t\",\"I\":65536}", "I must be an integer from 0 to 65535" },
        { "{\"T\":\"t\",\"I\":1.5}", "I must be an integer from 0 to 65535" },
        { "{\"T\":\"t\",\"I\":\"5x\"}", "I must be an integer from 0 to 65535" },
        { "{\"T\":\"t\",\"R\":2}", "R must be true or false" },
        { "{\"T\":\"t\",\"R\":\"yes\"}", "R must be true or false" },
        { "{\"T\":\"t\",\"R\":[]}", "R must be true or false" },
        { "{\"T\":\"t\",\"N\":\"5\"}", BAD_N },
        { "{\"T\":\"t\",\"N\":null}", BAD_N },
        { "{\"T\":\"t\",\"N\":1.5}", BAD_N },
        { "{\"T\":\"t\",\"N\":true}", BAD_N },
        { "{\"T\":\"t\",\"N\":9223372036854775808}", BAD_N },
        { "{\"T\":\"t\",\"N\":-9223372036854775809}", BAD_N },
        { "{\"T\":\"t\",\"N\":1e400}", BAD_N },
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct reading reading = read_slice(xs_slice_of(refused[i].text));

        if (reading.err != XS_EINVAL)
            fail_msg("%s: %d", refused[i].text, reading.err);
        assert_string_equal(reading.why, refused[i].why);
        free(reading.own);
    }
    xs_message_thread_end();
}

/* {"C":"ccc..","T":"t","D":...} with a controller of so many bytes and data of so many levels.
 */
static struct xs_slice sized(size_t name, unsigned levels, bool quoted)
{
    size_t size = name + 2 * levels + 64;
    char *text = malloc(size);
    size_t len = (size_t)sprintf(text, "{\"C\":\"");

    memset(text + len, 'c', name);
    len += name;
    len += (size_t)sprintf(text + len, "\",\"D\":%s", quoted ? "\"" : "");
    memset(text + len, '[', levels);
    memset(text + len + levels, ']', levels);
    len += 2 * levels;
    len += (size_t)sprintf(text + len, "%s,\"T\":\"t\"}", quoted ? "\"" : "");
    return (struct xs_slice){ text, len };
}

static void limits_are_kept(void **state)
{
    static const struct {
        size_t name;
        unsigned levels;
        enum xs_err err;
    } sizes[] = {
        { 10, 3, XS_OK },
        { 11, 3, XS_ETOOBIG },
        { 10, 4, XS_ETOOBIG },
        { 1000, 1000, XS_ETOOBIG },
    };
    struct xs_message_limits limits = { 10, 3 };

    (void)state;
    xs_message_limits_set(&limits);
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        struct xs_slice text = sized(sizes[i / 2].name, sizes[i / 2].levels, i % 2 == 0);
        struct reading reading = read_slice(text);

        assert_int_equal(reading.err, sizes[i / 2].err);
        if (reading.err == XS_ETOOBIG)
            assert_string_equal(reading.why,
                                sizes[i / 2].levels > 3
                                    ? "the message is nested too deep"
                                    : "the name of a controller or topic is too long");
        free(reading.own);
        free((char *)(uintptr_t)text.at);
    }
    /* A name is measured as what it says, and lenient data as deep as it is. */
    for (int i = 0; i < 2; i++) {
        struct reading reading =
            read_slice(i == 0 ? XS_SLICE("{\"T\":\"\\u0061\\u0061\\u0061\"}")
                              : XS_SLICE("{'T':'t','D':[[[1]]]}"));

        assert_int_equal(reading.err, XS_OK);
        free(reading.own);
    }
    limits = (struct xs_message_limits){ 255, 64 };
    xs_message_limits_set(&limits);
    xs_message_thread_end();
}

static void no_beginning_of_an_envelope_is_read_past_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct xs_slice text = xs_slice_of(others[i].text);

        while (text.len > 0 && text.at[text.len - 1] != '}')
            text.len--;
        while (text.len > 0) {
            struct reading reading;

            text.len--;
            reading = read_slice(text);
            assert_int_equal(reading.err, XS_EINVAL);
            free(reading.own);
        }
    }
    xs_message_thread_end();
}

static void a_message_of_a_million_bytes_is_read_in_one_go(void **state)
{
    static const char *const fillings[] = { "a", "\\\"", "\\\\\\\"", "\xc3\xa9",
                                            "[", "'",    "\\u0041" };
    size_t size = 1 << 20;
    char *text = malloc(size + 64);

    (void)state;
    for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++) {
        size_t step = strlen(fillings[i]);
        size_t len = (size_t)sprintf(text, "{\"C\":\"c\",\"T\":\"t\",\"D\":\"\\\"");
        struct reading reading;

        for (; len < size; len += step)
            memcpy(text + len, fillings[i], step);
        len += (size_t)sprintf(text + len, "\\\"\"}");
        reading = read_slice((struct xs_slice){ text, len });
        assert_int_equal(reading.err, XS_OK);
        free(reading.own);
    }
    free(text);
    xs_message_thread_end();
}

/* ---- writing ---- */

static void writes(const struct xs_message *msg, struct xs_slice data, const char *wanted)
{
    struct xs_buf out = { 0 };

    xs_envelope_write(&out, msg, data);
    is("written", (struct xs_slice){ out.at, out.len }, wanted);
    xs_free(out.at);
}

static void envelopes_are_written_as_the_original_clients_take_them(void **state)
{
    struct xs_message msg = { .controller = XS_SLICE("chat"), .topic = XS_SLICE("say") };

    (void)state;
    writes(&msg, XS_SLICE("{\\\"a\\\":1}"),
           "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"{\\\"a\\\":1}\"}");
    writes(&msg, XS_SLICE("null"), "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"null\"}");
    msg.controller = XS_SLICE("");
    msg.topic = XS_SLICE("8");
    writes(&msg, XS_SLICE("null"), "{\"C\":\"\",\"T\":\"8\",\"D\":\"null\"}");
    msg.controller = XS_SLICE("generic");
    msg.topic = XS_SLICE("2");
    writes(&msg,
           XS_SLICE("{\\\"CI\\\":\\\"a\\\",\\\"PI\\\":\\\"b\\\",\\\"C\\\":\\\"generic\\\"}"),
           "{\"C\":\"generic\",\"T\":\"2\",\"D\":\"{\\\"CI\\\":\\\"a\\\",\\\"PI\\\":\\\"b\\\","
           "\\\"C\\\":\\\"generic\\\"}\"}");
    msg.topic = XS_SLICE("9");
    msg.qos = 1;
    msg.qos_id = 77;
    writes(&msg, XS_SLICE("null"),
           "{\"C\":\"generic\",\"T\":\"9\",\"Q\":1,\"I\":77,\"D\":\"null\"}");
    msg.qos_id = 65535;
    writes(&msg, XS_SLICE("null"),
           "{\"C\":\"generic\",\"T\":\"9\",\"Q\":1,\"I\":65535,\"D\":\"null\"}");
    /* Without an id nobody could acknowledge it. */
    msg.qos_id = 0;
    writes(&msg, XS_SLICE("null"), "{\"C\":\"generic\",\"T\":\"9\",\"D\":\"null\"}");
}

static void names_cannot_break_an_envelope(void **state)
{
    struct xs_message msg = { .controller = XS_SLICE("a\",\"T\":\"1"),
                              .topic = XS_SLICE("b\\\n\xc3\xa9\xff\0") };

    (void)state;
    writes(&msg, XS_SLICE("1"),
           "{\"C\":\"a\\\",\\\"T\\\":\\\"1\",\"T\":\"b\\\\\\n\xc3\xa9\xef\xbf\xbd\\u0000\","
           "\"D\":\"1\"}");
}

static void writes_ascii(const struct xs_message *msg, struct xs_slice data, const char *wanted)
{
    struct xs_buf out = { 0 };

    xs_envelope_write_ascii(&out, msg, data);
    is("written", (struct xs_slice){ out.at, out.len }, wanted);
    xs_free(out.at);
}

static void headers_of_binary_messages_are_pure_ascii(void **state)
{
    struct xs_message msg = {
        .controller = XS_SLICE("chat"), .topic = XS_SLICE("say"), .qos = 1, .qos_id = 5
    };

    (void)state;
    writes_ascii(&msg, XS_SLICE("null"), "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"{}\"}");
    writes_ascii(&msg, XS_SLICE("\\\"\\\""), "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"{}\"}");
    writes_ascii(&msg, XS_SLICE("\\\"null\\\""),
                 "{\"C\":\"chat\",\"T\":\"say\",\"D\":\"\\\"null\\\"\"}");
    msg.controller = XS_SLICE("caf\xc3\xa9\"");
    msg.topic = XS_SLICE("\xe2\x82\xac\xf0\x9f\x98\x80\xff\n");
    writes_ascii(&msg, XS_SLICE("{\\\"n\\\":\\\"\xc3\xa9\xf0\x9f\x98\x80\\\"}"),
                 "{\"C\":\"caf\\u00e9\\\"\",\"T\":\"\\u20ac\\ud83d\\ude00\\ufffd\\n\",\"D\":"
                 "\"{\\\"n\\\":\\\"\\u00e9\\ud83d\\ude00\\\"}\"}");
}

static void a_buffer_over_its_limit_stays_failed(void **state)
{
    struct xs_message msg = { .controller = XS_SLICE("chat"), .topic = XS_SLICE("say") };

    (void)state;
    for (size_t limit = 1; limit < 40; limit++) {
        struct xs_buf out = { .limit = limit };
        struct xs_buf ascii = { .limit = limit };
        size_t len = strlen("{\"C\":\"chat\",\"T\":\"say\",\"D\":\"\xc3\xa9\"}");

        xs_envelope_write(&out, &msg, XS_SLICE("\xc3\xa9"));
        xs_envelope_write_ascii(&ascii, &msg, XS_SLICE("\xc3\xa9"));
        assert_int_equal(out.failed, limit < len);
        assert_int_equal(ascii.failed, limit < len + 4);
        xs_free(out.at);
        xs_free(ascii.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_javascript_clients_send_is_read),
        cmocka_unit_test(what_other_clients_send_is_read),
        cmocka_unit_test(lenient_envelopes_are_read),
        cmocka_unit_test(a_lenient_message_outlives_any_number_of_views),
        cmocka_unit_test(wishes_are_read_as_numbers_and_as_strings),
        cmocka_unit_test(what_is_no_envelope_is_refused_with_a_sentence),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(no_beginning_of_an_envelope_is_read_past_its_end),
        cmocka_unit_test(a_message_of_a_million_bytes_is_read_in_one_go),
        cmocka_unit_test(envelopes_are_written_as_the_original_clients_take_them),
        cmocka_unit_test(names_cannot_break_an_envelope),
        cmocka_unit_test(headers_of_binary_messages_are_pure_ascii),
        cmocka_unit_test(a_buffer_over_its_limit_stays_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
