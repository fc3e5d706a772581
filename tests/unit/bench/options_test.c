/* rooms: base
 * needs: bench/options.c */
/* options - command lines that are understood, and what is said of those that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../bench/options.h"

enum { WORDS = 32 };

static struct options options;
static char error[OPTIONS_ERROR];

/* The words of `line`, divided by single blanks; '_' is a blank inside a word. */
static enum asked read_line(const char *line)
{
    static char text[1024];
    static char *words[WORDS];
    int count = 1;

    words[0] = "xsockets-bench";
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        for (char *at = strchr(word, '_'); at != NULL; at = strchr(at, '_'))
            *at = ' ';
        words[count++] = word;
    }
    words[count] = NULL;
    error[0] = '\0';
    return xs_bench_options(count, words, &options, error);
}

static void expect_error(const char *line, const char *sentence)
{
    assert_int_equal(read_line(line), ASKED_WRONG);
    assert_string_equal(error, sentence);
}

static void a_mode_alone_has_everything_it_needs(void **state)
{
    (void)state;
    assert_int_equal(read_line("echo"), ASKED_RUN);
    assert_int_equal(options.mode, MODE_ECHO);
    assert_int_equal(options.protocol, PROTOCOL_XSOCKETSNET);
    assert_string_equal(options.host, "127.0.0.1");
    assert_string_equal(options.port, "4502");
    assert_int_equal(options.connections, 64);
    assert_int_equal(options.in_flight, 1);
    assert_int_equal(options.publishers, 1);
    assert_int_equal(options.topics, 1);
    assert_int_equal(options.size, 64);
    assert_true(options.duration == 3 * SECOND);
    assert_true(options.warmup == SECOND / 2);
    assert_true(options.stall == 5 * SECOND);
    assert_int_equal(options.rate, 0);
    assert_true(options.count == 0);
    assert_int_equal(read_line("fanout"), ASKED_RUN);
    assert_int_equal(options.connections, 1000);
    assert_int_equal(read_line("idle --server-pid 1"), ASKED_RUN);
    assert_int_equal(options.connections, 10000);
    assert_int_equal(read_line("connect"), ASKED_RUN);
    assert_int_equal(options.connections, 64);
}

static void amounts_have_units(void **state)
{
    (void)state;
    assert_int_equal(read_line("echo --size 1KiB --duration 250ms --warmup 1.5s --stall 2m"),
                     ASKED_RUN);
    assert_int_equal(options.size, 1024);
    assert_true(options.duration == SECOND / 4);
    assert_true(options.warmup == 3 * SECOND / 2);
    assert_true(options.stall == 120 * SECOND);
    assert_int_equal(read_line("echo --size 4MiB"), ASKED_RUN);
    assert_int_equal(options.size, 4 * 1024 * 1024);
    assert_int_equal(read_line("echo --size 100B --duration 2"), ASKED_RUN);
    assert_int_equal(options.size, 100);
    assert_true(options.duration == 2 * SECOND);
}

static void a_count_needs_neither_time_nor_warm_up(void **state)
{
    (void)state;
    assert_int_equal(read_line("echo --count 7"), ASKED_RUN);
    assert_true(options.count == 7);
    assert_true(options.duration == 0);
    assert_true(options.warmup == 0);
    assert_int_equal(read_line("echo --count 7 --duration 1s"), ASKED_RUN);
    assert_true(options.duration == SECOND);
    expect_error("echo --count 7 --warmup 1s",
                 "--count counts all messages: there is no --warmup with it");
}

static void templates_come_from_the_command_line(void **state)
{
    (void)state;
    assert_int_equal(read_line("fanout --protocol tcp --hello a_b --hello c --await d --send e "
                               "--expect f --subscribe g --subscribed h --ping i --pong j"),
                     ASKED_RUN);
    assert_int_equal(options.protocol, PROTOCOL_TCP);
    assert_string_equal(options.hello[0], "a b");
    assert_string_equal(options.hello[1], "c");
    assert_null(options.hello[2]);
    assert_string_equal(options.await, "d");
    assert_string_equal(options.send, "e");
    assert_string_equal(options.expect, "f");
    assert_string_equal(options.subscribe, "g");
    assert_string_equal(options.subscribed, "h");
    assert_string_equal(options.ping, "i");
    assert_string_equal(options.pong, "j");
}

static void help_and_version_are_answered_whatever_stands_behind(void **state)
{
    (void)state;
    assert_int_equal(read_line("--help"), ASKED_HELP);
    assert_int_equal(read_line("echo --help --nonsense"), ASKED_HELP);
    assert_int_equal(read_line("--version"), ASKED_VERSION);
}

static void what_is_not_understood_is_told(void **state)
{
    (void)state;
    expect_error("", "say what to do: echo, fanout, idle or connect; see --help");
    expect_error("ech", "\"ech\" is no mode; see --help");
    expect_error("echo again", "\"again\" is one word too many; see --help");
    expect_error("echo --nonsense 1", "\"--nonsense\" is not understood; see --help");
    expect_error("echo --size", "--size wants a value; see --help");
    expect_error("echo --protocol mqtt", "\"mqtt\" is no protocol; see --help");
    expect_error("echo --server nginx", "\"nginx\" is no kind of server; see --help");
    expect_error("echo --connections 0",
                 "--connections wants a number from 1 to 1000000, not \"0\"");
    expect_error("echo --connections -1",
                 "--connections wants a number from 1 to 1000000, not \"-1\"");
    expect_error("echo --in-flight 5000",
                 "--in-flight wants a number from 1 to 4096, not \"5000\"");
    expect_error("echo --size 15",
                 "--size wants 16 bytes to 4MiB, such as 64 or 1KiB, not \"15\"");
    expect_error("echo --size 5MiB",
                 "--size wants 16 bytes to 4MiB, such as 64 or 1KiB, not \"5MiB\"");
    expect_error("echo --size 99999999999999999999KiB",
                 "--size wants 16 bytes to 4MiB, such as "
                 "64 or 1KiB, not "
                 "\"99999999999999999999KiB\"");
    expect_error("echo --duration 1h",
                 "--duration wants a time up to 1440m, such as 2s or 500ms, not \"1h\"");
    expect_error("echo --duration nan",
                 "--duration wants a time up to 1440m, such as 2s or 500ms, not \"nan\"");
    expect_error("echo --duration 0", "--duration wants more than nothing");
}

static void what_does_not_go_together_is_told(void **state)
{
    (void)state;
    expect_error("idle", "idle reads the memory of the server and needs its --server-pid");
    expect_error("echo --publishers 2", "--publishers is for fanout alone");
    expect_error("echo --protocol mixed", "mixed is for fanout alone");
    expect_error("echo --send x",
                 "templates are for --protocol ws and tcp; xsocketsnet has its own");
    expect_error("echo --protocol tcp --path /",
                 "tcp has no handshake, so neither --path nor --subprotocol");
    expect_error("echo --protocol ws --ping x",
                 "ws has pings of its own; --ping and --pong are for tcp");
    expect_error("echo --protocol tcp --pong x",
                 "--pong is the answer to --ping, which is not given");
    expect_error("echo --protocol ws --object",
                 "--object is for the protocols of xsocketsd; put the JSON into --send");
    expect_error("echo --protocol text --deflate",
                 "--deflate is for WebSocket, and limit has none");
    expect_error("echo --server limit --deflate",
                 "--deflate is for WebSocket, and limit has none");
    expect_error("echo --object --size 40", "an --object has at least 48 bytes");
    expect_error("echo --server limit --protocol text",
                 "limit speaks WebSocket: xsocketsnet and native alone");
    expect_error("fanout --server limit --topics 2 --connections 2",
                 "limit has no topics: what is published goes to all subscribers");
    expect_error("fanout --connections 4 --topics 6",
                 "each subscriber has as many topics: --topics 6 is no multiple of "
                 "--connections 4");
    expect_error("fanout --protocol mixed --topics 2",
                 "native clients have the one topic of the server's configuration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mode_alone_has_everything_it_needs),
        cmocka_unit_test(amounts_have_units),
        cmocka_unit_test(a_count_needs_neither_time_nor_warm_up),
        cmocka_unit_test(templates_come_from_the_command_line),
        cmocka_unit_test(help_and_version_are_answered_whatever_stands_behind),
        cmocka_unit_test(what_is_not_understood_is_told),
        cmocka_unit_test(what_does_not_go_together_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
