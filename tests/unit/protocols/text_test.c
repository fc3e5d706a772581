/* host: fake
 * needs: modules/protocols/text/text.c */
/* text - what PuttyProtocol's lines mean, and the exact lines that go out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host.h"
#include "message/message.h"

const struct xs_plugin *xs_plugin_entry(void);

#define GUID "7c9e6679-7425-40de-944b-e07fc1f90ae7"

static int set_up(void **state)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "text"), NULL);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    xt_host_free(*state);
    return 0;
}

static struct xs_conn *greeted(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PuttyProtocol\r\n"));
    assert_string_equal(conn->written.at, "Welcome to PuttyProtocol\r\n");
    return conn;
}

static void assert_data(const struct xs_conn *conn, size_t at, enum xs_form form,
                        const char *bytes)
{
    assert_true(at < conn->delivered_count);
    assert_int_equal(conn->delivered[at].incoming.data.form, form);
    assert_int_equal(conn->delivered[at].incoming.data.bytes.len, strlen(bytes));
    assert_string_equal(conn->delivered[at].incoming.data.bytes.at, bytes);
}

static void assert_message(const struct xs_conn *conn, size_t at, const char *controller,
                           const char *topic, enum xs_form form, const char *data)
{
    assert_true(at < conn->delivered_count);
    assert_string_equal(conn->delivered[at].incoming.controller.at, controller);
    assert_string_equal(conn->delivered[at].incoming.topic.at, topic);
    assert_data(conn, at, form, data);
}

/* ---- the greeting ---- */

static void the_first_bytes_are_told_apart(void **state)
{
    static const struct {
        struct xs_slice head;
        enum xs_match said;
    } rows[] = {
        { { "", 0 }, XS_MATCH_MORE },
        { { "P", 1 }, XS_MATCH_MORE },
        { { "PuttyProtoco", 12 }, XS_MATCH_MORE },
        { { "PuttyProtocol", 13 }, XS_MATCH_QUIET },
        { { "PuttyProtocol\r", 14 }, XS_MATCH_QUIET },
        { { "PuttyProtocol\r\n", 15 }, XS_MATCH_YES },
        { { "PuttyProtocol\n", 14 }, XS_MATCH_YES },
        { { "PuttyProtocol\0", 14 }, XS_MATCH_YES },
        { { "PuttyProtocol\r\0", 15 }, XS_MATCH_YES },
        { { "PuttyProtocol?", 14 }, XS_MATCH_QUIET },
        { { "PuttyProtocol?a=b", 17 }, XS_MATCH_QUIET },
        { { "PuttyProtocol?a=b\r", 18 }, XS_MATCH_QUIET },
        { { "PuttyProtocol?a=b\n", 18 }, XS_MATCH_YES },
        { { "PuttyProtocol?a=b\0more", 22 }, XS_MATCH_YES },
        { { "PuttyProtocol\r\nchat|1|", 22 }, XS_MATCH_YES },
        { { "PuttyProtocols", 14 }, XS_MATCH_NO },
        { { "PuttyProtocol ", 14 }, XS_MATCH_NO },
        { { "PuttyProtocol\rx", 15 }, XS_MATCH_NO },
        { { "PuttyProtocol\rx\n", 16 }, XS_MATCH_NO },
        { { "puttyprotocol\r\n", 15 }, XS_MATCH_NO },
        { { "GET / HTTP/1.1", 14 }, XS_MATCH_NO },
    };
    const struct xs_protocol_ops *ops = xt_plugin_protocol(xs_plugin_entry(), "text");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(ops->match(rows[i].head), rows[i].said);
}

static void the_parameters_of_the_greeting_are_read(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PuttyProtocol?PersistentId=" GUID "&qos=1\r\n"));
    assert_string_equal(conn->query.at, "PersistentId=" GUID "&qos=1");
    assert_int_equal(conn->ready_count, 1);
    xt_conn_free(conn);
}

static void
a_silent_greeting_is_welcomed_and_its_parameters_count_whenever_they_come(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PuttyProtocol"));
    assert_int_equal(conn->ready_count, 0);
    xt_quiet(conn);
    assert_int_equal(conn->ready_count, 1);
    assert_string_equal(conn->written.at, "Welcome to PuttyProtocol\r\n");
    xt_feed_bytewise(conn, XS_SLICE("?PersistentId=" GUID "\r\nchat|say|hi\r\n"));
    assert_string_equal(conn->query.at, "PersistentId=" GUID);
    assert_int_equal(conn->delivered_count, 1);
    assert_message(conn, 0, "chat", "say", XS_TEXT, "hi");
    xt_conn_free(conn);
}

static void a_zero_byte_ends_a_greeting_too(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PuttyProtocol?a=b\0chat|say|hi\n"));
    assert_string_equal(conn->query.at, "a=b");
    assert_int_equal(conn->delivered_count, 1);
    xt_conn_free(conn);
}

static void what_is_no_end_of_a_silent_greeting_ends_the_connection(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PuttyProtocol"));
    xt_quiet(conn);
    xt_feed(conn, XS_SLICE("chat|say|hi\r\n"));
    assert_int_equal(conn->delivered_count, 0);
    assert_int_equal(conn->close_count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_PROTOCOL);
    assert_int_equal(conn->errors.count, 1);
    xt_conn_free(conn);
}

static void a_silent_greeting_without_end_is_cut_off(void **state)
{
    struct xs_conn *conn = xt_conn_new(*state);

    xt_feed(conn, XS_SLICE("PuttyProtocol?"));
    xt_quiet(conn);
    for (int i = 0; i < 4096 && conn->close_count == 0; i++)
        xt_feed(conn, XS_SLICE("x"));
    assert_int_equal(conn->close_count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_TOO_BIG);
    assert_int_equal(conn->fed, 13 + 4097);
    xt_conn_free(conn);
}

/* ---- lines in ---- */

static void a_line_is_controller_topic_and_data(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("Chat|Say|hello\r\nchat|say|a|b||\nchat|say|{\"a\":[1]}\n|7|\n"));
    assert_int_equal(conn->delivered_count, 4);
    assert_message(conn, 0, "Chat", "Say", XS_TEXT, "hello");
    assert_message(conn, 1, "chat", "say", XS_TEXT, "a|b||");
    assert_message(conn, 2, "chat", "say", XS_JSON, "{\"a\":[1]}");
    assert_message(conn, 3, "", "7", XS_TEXT, "");
    xt_conn_free(conn);
}

static void data_that_is_strict_json_is_json_and_anything_else_text(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(
        conn,
        XS_SLICE(
            "f|b|42\nf|b|\"x\"\nf|b|null\nf|b| [1 , 2] \nf|b|{a:1}\nf|b|'x'\nf|b|01\nf|b| \n"));
    assert_int_equal(conn->delivered_count, 8);
    assert_data(conn, 0, XS_JSON, "42");
    assert_data(conn, 1, XS_JSON, "\"x\"");
    assert_data(conn, 2, XS_JSON, "null");
    assert_data(conn, 3, XS_JSON, " [1 , 2] ");
    assert_data(conn, 4, XS_TEXT, "{a:1}");
    assert_data(conn, 5, XS_TEXT, "'x'");
    assert_data(conn, 6, XS_TEXT, "01");
    assert_data(conn, 7, XS_TEXT, " ");
    xt_conn_free(conn);
}

static void two_parts_are_a_message_with_empty_data(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("foo|1\r\nfoo|get_bar|\r\n"));
    assert_int_equal(conn->delivered_count, 2);
    assert_message(conn, 0, "foo", "1", XS_TEXT, "");
    assert_message(conn, 1, "foo", "get_bar", XS_TEXT, "");
    xt_conn_free(conn);
}

static void a_line_without_a_bar_is_refused_and_the_next_one_read(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("hello\r\nchat|say|hi\r\n"));
    assert_int_equal(conn->errors.count, 1);
    assert_string_equal(conn->errors.at[0], "a message is controller|topic|data");
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->close_count, 0);
    xt_conn_free(conn);
}

static void empty_lines_are_no_messages(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("\r\n\n\r\nchat|say|hi\n\n"));
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->frames, 4);
    assert_int_equal(conn->errors.count, 0);
    xt_conn_free(conn);
}

static void the_words_for_subscribing_are_the_numbers(void **state)
{
    static const char *const lines[] = { "foo|subscribe|bar\n", "foo|Subscribe|bar\n",
                                         "foo|5|bar\n" };

    for (size_t i = 0; i < 3; i++) {
        struct xs_conn *conn = greeted(state);

        xt_feed(conn, xs_slice_of(lines[i]));
        assert_int_equal(conn->delivered_count, 1);
        assert_message(conn, 0, "foo", "5", XS_TEXT, "bar");
        xt_conn_free(conn);
    }
}

static void the_words_for_unsubscribing_are_the_numbers(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("foo|unsubscribe|bar\nfoo|UNSUBSCRIBE|bar\nfoo|6|bar\n"));
    assert_int_equal(conn->delivered_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_message(conn, i, "foo", "6", XS_TEXT, "bar");
    xt_conn_free(conn);
}

static void a_topic_to_subscribe_to_is_no_number_even_if_it_reads_as_one(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(
        conn,
        XS_SLICE("foo|5|42\nfoo|5|true\nfoo|5|{\"T\":\"bar\",\"A\":true}\nfoo|5|\"bar\"\n"));
    assert_message(conn, 0, "foo", "5", XS_TEXT, "42");
    assert_message(conn, 1, "foo", "5", XS_TEXT, "true");
    assert_message(conn, 2, "foo", "5", XS_JSON, "{\"T\":\"bar\",\"A\":true}");
    assert_message(conn, 3, "foo", "5", XS_JSON, "\"bar\"");
    xt_conn_free(conn);
}

static void storage_lines_become_pairs(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(
        conn,
        XS_SLICE("foo|s1|key,value\nfoo|S1|k,a,b|\"c\"\\\nfoo|s1|k,\nfoo|s1|,v\nfoo|s2|key\n"
                 "foo|s3|k\"y\nfoo|s4|\n"));
    assert_int_equal(conn->delivered_count, 7);
    assert_message(conn, 0, "foo", "s1", XS_JSON, "{\"K\":\"key\",\"V\":\"value\"}");
    assert_message(conn, 1, "foo", "S1", XS_JSON, "{\"K\":\"k\",\"V\":\"a,b|\\\"c\\\"\\\\\"}");
    assert_message(conn, 2, "foo", "s1", XS_JSON, "{\"K\":\"k\",\"V\":\"\"}");
    assert_message(conn, 3, "foo", "s1", XS_JSON, "{\"K\":\"\",\"V\":\"v\"}");
    assert_message(conn, 4, "foo", "s2", XS_JSON, "{\"K\":\"key\",\"V\":null}");
    assert_message(conn, 5, "foo", "s3", XS_JSON, "{\"K\":\"k\\\"y\",\"V\":null}");
    assert_message(conn, 6, "foo", "s4", XS_TEXT, "");
    assert_int_equal(conn->errors.count, 0);
    xt_conn_free(conn);
}

static void a_pair_of_nothing_but_control_characters_finds_room(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("foo|s1|\x01\x02,\x03\x04\x05\n"));
    assert_message(conn, 0, "foo", "s1", XS_JSON,
                   "{\"K\":\"\\u0001\\u0002\",\"V\":\"\\u0003\\u0004\\u0005\"}");
    xt_conn_free(conn);
}

static void a_pair_without_a_comma_is_refused(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("foo|s1|key\nchat|say|hi\n"));
    assert_int_equal(conn->errors.count, 1);
    assert_string_equal(conn->errors.at[0], "s1 takes key,value");
    assert_int_equal(conn->delivered_count, 1);
    xt_conn_free(conn);
}

static void bytes_that_are_no_utf_8_end_the_connection(void **state)
{
    struct xs_conn *conn = greeted(state);

    xt_feed(conn, XS_SLICE("chat|say|ok\nchat|say|\xff\nchat|say|late\n"));
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->errors.count, 1);
    assert_int_equal(conn->close_count, 1);
    assert_int_equal(conn->reason, XS_CLOSE_BAD_UTF8);
    xt_conn_free(conn);
}

static void a_line_may_be_as_long_as_the_limits_and_no_longer(void **state)
{
    struct xt_host *host = *state;
    char line[200];

    host->limits.message = 64;
    host->limits.name = 16;
    memset(line, 'x', sizeof line);
    line[1] = line[3] = '|';
    for (size_t len = 104; len <= 105; len++) {
        for (size_t step = 1; step <= 200; step += 199) {
            struct xs_conn *conn = greeted(state);

            xt_feed_steps(conn, (struct xs_slice){ line, len }, step);
            xt_feed(conn, XS_SLICE("\n"));
            assert_int_equal(conn->delivered_count, len == 104 ? 1 : 0);
            assert_int_equal(conn->close_count, len == 104 ? 0 : 1);
            if (len == 105)
                assert_int_equal(conn->reason, XS_CLOSE_TOO_BIG);
            xt_conn_free(conn);
        }
    }
}

static void a_long_line_in_many_pieces_is_one_message(void **state)
{
    struct xs_conn *conn = greeted(state);
    char block[64];

    memset(block, 'x', sizeof block);
    xt_feed(conn, XS_SLICE("chat|say|"));
    for (int i = 0; i < 1024; i++)
        xt_feed(conn, (struct xs_slice){ block, sizeof block });
    xt_feed(conn, XS_SLICE("\r\n"));
    assert_int_equal(conn->delivered_count, 1);
    assert_int_equal(conn->delivered[0].incoming.data.bytes.len, 1024 * sizeof block);
    xt_conn_free(conn);
}

/* ---- lines out ---- */

static void assert_line(struct xs_conn *conn, const char *controller, const char *topic,
                        struct xs_data data, const char *line)
{
    struct xs_message *msg = xt_message_new(controller, topic, data);
    struct xt_bytes out = { NULL, 0, 0 };

    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_OK);
    assert_string_equal(out.at, line);
    xt_bytes_free(&out);
    xt_message_free(msg);
}

static void a_message_goes_out_as_a_line_with_its_json(void **state)
{
    struct xs_conn *conn = greeted(state);

    assert_line(conn, "foo", "say", xs_text("hello"), "foo|say|\"hello\"\r\n");
    assert_line(conn, "foo", "say", xs_text("a|b\r\n"), "foo|say|\"a|b\\r\\n\"\r\n");
    assert_line(conn, "foo", "say", xs_json("{\"a\":\"b|c\"}"), "foo|say|{\"a\":\"b|c\"}\r\n");
    assert_line(conn, "foo", "get_bar", xs_json("42"), "foo|get_bar|42\r\n");
    assert_line(conn, "", "8", xs_null(), "|8|null\r\n");
    assert_line(conn, "foo", "s2:key", xs_json("{\"K\":\"key\",\"V\":null}"),
                "foo|s2:key|{\"K\":\"key\",\"V\":null}\r\n");
    xt_conn_free(conn);
}

static void line_ends_between_json_values_become_blanks(void **state)
{
    struct xs_conn *conn = greeted(state);

    assert_line(conn, "foo", "say", xs_json("{\r\n\t\"a\": 1\n}"),
                "foo|say|{  \t\"a\": 1 }\r\n");
    assert_line(conn, "foo", "say", xs_json("\n[]\r"), "foo|say| [] \r\n");
    xt_conn_free(conn);
}

static void opened_and_closed_tell_the_ids(void **state)
{
    static const char info[] =
        "{\"CI\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"PI\":\"" GUID "\",\"C\":\"foo\"}";
    struct xs_conn *conn = greeted(state);

    assert_line(conn, "foo", "2", xs_json(info),
                "foo|2|PI:" GUID ",CI:0f8fad5b-d9cb-469f-a165-70867728950e\r\n");
    assert_line(conn, "foo", "3", xs_json(info),
                "foo|3|PI:" GUID ",CI:0f8fad5b-d9cb-469f-a165-70867728950e\r\n");
    assert_line(conn, "foo", "3", xs_null(), "foo|3|null\r\n");
    xt_conn_free(conn);
}

static void assert_refused(struct xs_conn *conn, struct xs_message *msg)
{
    struct xt_bytes out = { NULL, 0, 0 };

    assert_int_equal(xt_encode(conn, msg, NULL, &out, NULL), XS_EREFUSED);
    assert_int_equal(out.len, 0);
    xt_bytes_free(&out);
    xt_message_free(msg);
}

static void names_that_would_break_a_line_are_refused(void **state)
{
    static const char *const names[] = { "a|b",  "|",     "a\r",  "a\nb",
                                         "\x01", "a\x1f", "\x7f", "\t" };
    struct xs_conn *conn = greeted(state);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_refused(conn, xt_message_new(names[i], "say", xs_null()));
        assert_refused(conn, xt_message_new("foo", names[i], xs_null()));
    }
    xt_conn_free(conn);
}

static void binary_messages_are_refused(void **state)
{
    struct xs_conn *conn = greeted(state);

    assert_refused(conn, xt_message_new_blob("foo", "say", xs_null(), XS_SLICE("\x01")));
    assert_refused(conn, xt_message_new_blob("foo", "say", xs_null(), XS_SLICE("")));
    xt_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_first_bytes_are_told_apart),
        TEST(the_parameters_of_the_greeting_are_read),
        TEST(a_silent_greeting_is_welcomed_and_its_parameters_count_whenever_they_come),
        TEST(a_zero_byte_ends_a_greeting_too),
        TEST(what_is_no_end_of_a_silent_greeting_ends_the_connection),
        TEST(a_silent_greeting_without_end_is_cut_off),
        TEST(a_line_is_controller_topic_and_data),
        TEST(data_that_is_strict_json_is_json_and_anything_else_text),
        TEST(two_parts_are_a_message_with_empty_data),
        TEST(a_line_without_a_bar_is_refused_and_the_next_one_read),
        TEST(empty_lines_are_no_messages),
        TEST(the_words_for_subscribing_are_the_numbers),
        TEST(the_words_for_unsubscribing_are_the_numbers),
        TEST(a_topic_to_subscribe_to_is_no_number_even_if_it_reads_as_one),
        TEST(storage_lines_become_pairs),
        TEST(a_pair_of_nothing_but_control_characters_finds_room),
        TEST(a_pair_without_a_comma_is_refused),
        TEST(bytes_that_are_no_utf_8_end_the_connection),
        TEST(a_line_may_be_as_long_as_the_limits_and_no_longer),
        TEST(a_long_line_in_many_pieces_is_one_message),
        TEST(a_message_goes_out_as_a_line_with_its_json),
        TEST(line_ends_between_json_values_become_blanks),
        TEST(opened_and_closed_tell_the_ids),
        TEST(names_that_would_break_a_line_are_refused),
        TEST(binary_messages_are_refused),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
