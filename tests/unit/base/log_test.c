/* log - what a line looks like, and that the ring loses nothing without counting it. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/utf8.h"

static int ends[2]; /* of a pipe that the log writes to */
static char text[8192];

static struct xs_log_options options(enum xs_log_format format)
{
    return (struct xs_log_options){ .level = XS_LOG_DEBUG, .format = format, .fd = ends[1] };
}

static int begin(void **state)
{
    struct xs_log_options key_value;

    (void)state;
    if (pipe(ends) != 0)
        return -1;
    key_value = options(XS_LOG_KEYVALUE);
    xs_log_set(&key_value);
    return 0;
}

static int end(void **state)
{
    struct xs_log_options usual = { .level = XS_LOG_INFO, .fd = STDERR_FILENO };

    (void)state;
    xs_log_set(&usual);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* What has been written so far, terminated. */
static const char *written(void)
{
    ssize_t n = read(ends[0], text, sizeof text - 1);

    assert_true(n > 0);
    text[n] = '\0';
    return text;
}

static void a_line_has_level_event_and_fields(void **state)
{
    (void)state;
    XS_LOG(INFO, "a connection has ended", XS_F("conn", "%u", 12u),
           XS_F("why", "%s", "it left"), XS_F("from", "%s", "127.0.0.1:80"),
           XS_F("none", "%s", ""));
    assert_string_equal(written(),
                        "info event=\"a connection has ended\" conn=12 why=\"it left\" "
                        "from=127.0.0.1:80 none=\"\"\n");
}

static void a_json_line_quotes_text_and_leaves_numbers_bare(void **state)
{
    struct xs_log_options json = options(XS_LOG_JSON);

    (void)state;
    xs_log_set(&json);
    XS_LOG(WARNING, "it said \"no\"", XS_F("count", "%zu", sizeof(char)),
           XS_F("text", "%s", "7"), XS_F("where", "%d:%d", 1, 2));
    assert_string_equal(written(), "{\"level\":\"warning\",\"event\":\"it said \\\"no\\\"\","
                                   "\"count\":1,\"text\":\"7\",\"where\":\"1:2\"}\n");
}

static void control_characters_never_come_out_raw(void **state)
{
    (void)state;
    XS_LOG(ERROR, "a\nb", XS_F("x", "%s", "\033[2J\t\x7f\xC2\x9B\xFF\x01\xC3\xA4"));
    assert_string_equal(written(), "error event=\"a\\nb\" x=\"\\u001b[2J\\t\\u007f\\u009b"
                                   "\xEF\xBF\xBD\\u0001\xC3\xA4\"\n");
}

static void the_time_is_utc_with_milliseconds(void **state)
{
    struct xs_log_options timed = options(XS_LOG_KEYVALUE);
    int year, month, day, hour, minute, second, ms, used = 0;

    (void)state;
    timed.with_time = true;
    xs_log_set(&timed);
    xs_log(XS_LOG_INFO, "%s", "hello");
    written();
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ info event=\"hello\"%n", &year,
                            &month, &day, &hour, &minute, &second, &ms, &used),
                     7);
    assert_int_equal(text[used], '\n');
    assert_in_range(year, 2024, 2200);
    assert_in_range(month, 1, 12);
    assert_in_range(day, 1, 31);
}

static void colours_are_for_key_value_only(void **state)
{
    struct xs_log_options coloured = options(XS_LOG_KEYVALUE);

    (void)state;
    coloured.colour = true;
    xs_log_set(&coloured);
    xs_log(XS_LOG_ERROR, "red");
    assert_string_equal(written(), "\033[31merror\033[0m event=\"red\"\n");
    coloured.format = XS_LOG_JSON;
    xs_log_reload(&coloured);
    xs_log(XS_LOG_ERROR, "red");
    assert_string_equal(written(), "{\"level\":\"error\",\"event\":\"red\"}\n");
}

static void levels_below_the_chosen_one_are_silent(void **state)
{
    struct xs_log_options some = options(XS_LOG_KEYVALUE);

    (void)state;
    some.level = XS_LOG_WARNING;
    xs_log_set(&some);
    assert_true(xs_log_enabled(XS_LOG_ERROR));
    assert_true(xs_log_enabled(XS_LOG_WARNING));
    assert_false(xs_log_enabled(XS_LOG_INFO));
    xs_log(XS_LOG_INFO, "not this");
    XS_LOG(DEBUG, "nor this", XS_F("a", "%d", 1));
    xs_log(XS_LOG_WARNING, "but this");
    assert_string_equal(written(), "warning event=\"but this\"\n");
}

/* Cut at any length, a line stays one line of valid UTF-8 with its quotes and braces closed. */
static void a_line_that_is_too_long_is_cut_and_still_closed(void **state)
{
    static char many[1000];
    struct xs_log_options json = options(XS_LOG_JSON);
    size_t len, i;

    (void)state;
    xs_log_set(&json);
    for (len = 0; len < 900; len++) {
        const char *s;
        size_t quotes = 0;

        for (i = 0; i < len; i++)
            many[i] = "\xE2\x82\xAC\n\"\xC3\xA4x"[i % 8];
        many[len] = '\0';
        XS_LOG(INFO, many, XS_F("a", "%s", many), XS_F("number", "%d", 123456),
               XS_F("b", "%s", many), XS_F("c", "%s", many), XS_F("d", "%s", "e"));
        s = written();
        i = strlen(s);
        assert_in_range(i, 1, 504);
        assert_true(xs_utf8_valid(s, i));
        assert_string_equal(s + i - 2, "}\n");
        assert_ptr_equal(strchr(s, '\n'), s + i - 1);
        for (; *s != '\0'; s++) {
            if (*s == '\\')
                s++;
            else
                quotes += *s == '"';
        }
        assert_int_equal(quotes % 2, 0);
    }
}

/* ---- the ring ---- */

#define PRODUCERS 4
#define LINES     30000

static void *produce(void *number)
{
    unsigned i;

    for (i = 0; i < LINES; i++)
        XS_LOG(INFO, "a line", XS_F("producer", "%d", *(int *)number), XS_F("n", "%u", i));
    return NULL;
}

struct heard {
    unsigned lines;
    unsigned dropped;
    long last[PRODUCERS];
    bool in_order;
    bool all_known;
};

/* Reads lines until the pipe closes. */
static void *listen_to(void *context)
{
    struct heard *heard = context;
    FILE *in = fdopen(dup(ends[0]), "r");
    char line[600];

    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        unsigned producer, n;

        if (sscanf(line, "info event=\"a line\" producer=%u n=%u", &producer, &n) == 2 &&
            producer < PRODUCERS) {
            heard->lines++;
            if ((long)n <= heard->last[producer])
                heard->in_order = false;
            heard->last[producer] = n;
        } else if (sscanf(line, "warning event=\"lines of this log were dropped\" lines=%u",
                          &n) == 1) {
            heard->dropped += n;
        } else {
            heard->all_known = false;
        }
    }
    if (in != NULL)
        fclose(in);
    return NULL;
}

static void lines_of_four_threads_arrive_whole_in_order_or_are_counted(void **state)
{
    struct heard heard = { .last = { -1, -1, -1, -1 }, .in_order = true, .all_known = true };
    uint64_t dropped_before = xs_log_dropped();
    pthread_t producers[PRODUCERS], listener;
    int numbers[PRODUCERS], i;

    (void)state;
    xs_log_start();
    assert_int_equal(pthread_create(&listener, NULL, listen_to, &heard), 0);
    for (i = 0; i < PRODUCERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &numbers[i]), 0);
    }
    for (i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    xs_log_stop();
    close(ends[1]);
    pthread_join(listener, NULL);
    assert_true(heard.all_known);
    assert_true(heard.in_order);
    assert_int_equal(heard.dropped, xs_log_dropped() - dropped_before);
    assert_int_equal(heard.lines + heard.dropped, PRODUCERS * LINES);
    ends[1] = dup(ends[0]);
}

/* Nobody reads: producers go on, what does not fit is counted, and is said when there is room.
 */
static void a_reader_that_sleeps_stops_nobody_and_the_loss_is_told(void **state)
{
    struct heard heard = { .last = { -1, -1, -1, -1 }, .in_order = true, .all_known = true };
    uint64_t dropped_before = xs_log_dropped();
    pthread_t listener;
    int number = 2;

    (void)state;
    xs_log_start();
    produce(&number);
    assert_true(xs_log_dropped() - dropped_before > LINES / 2);
    assert_int_equal(pthread_create(&listener, NULL, listen_to, &heard), 0);
    xs_log_stop();
    close(ends[1]);
    pthread_join(listener, NULL);
    assert_true(heard.all_known);
    assert_true(heard.in_order);
    assert_int_equal(heard.dropped, xs_log_dropped() - dropped_before);
    assert_int_equal(heard.lines + heard.dropped, LINES);
    ends[1] = dup(ends[0]);
}

static void a_writer_that_sleeps_is_woken_by_a_single_line(void **state)
{
    unsigned i;

    (void)state;
    xs_log_start();
    for (i = 0; i < 2000; i++) {
        char wanted[64];

        XS_LOG(INFO, "one", XS_F("n", "%u", i));
        snprintf(wanted, sizeof wanted, "info event=\"one\" n=%u\n", i);
        assert_string_equal(written(), wanted);
    }
    xs_log_stop();
}

static void stopping_ends_even_if_nobody_will_ever_read(void **state)
{
    int number = 1;

    (void)state;
    xs_log_start();
    produce(&number);
    xs_log_stop();
    xs_log_stop();
    assert_true(xs_log_dropped() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_level_event_and_fields, begin, end),
        cmocka_unit_test_setup_teardown(a_json_line_quotes_text_and_leaves_numbers_bare, begin,
                                        end),
        cmocka_unit_test_setup_teardown(control_characters_never_come_out_raw, begin, end),
        cmocka_unit_test_setup_teardown(the_time_is_utc_with_milliseconds, begin, end),
        cmocka_unit_test_setup_teardown(colours_are_for_key_value_only, begin, end),
        cmocka_unit_test_setup_teardown(levels_below_the_chosen_one_are_silent, begin, end),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_cut_and_still_closed, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            lines_of_four_threads_arrive_whole_in_order_or_are_counted, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_that_sleeps_stops_nobody_and_the_loss_is_told,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_writer_that_sleeps_is_woken_by_a_single_line, begin,
                                        end),
        cmocka_unit_test_setup_teardown(stopping_ends_even_if_nobody_will_ever_read, begin,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
