/* xsockets-bench - loads xsocketsd, or any server that templates describe, with clients.
 *
 * Every message is numbered and compared byte for byte with what is expected, so what was lost,
 * doubled, changed or came out of order is known. To be faster than any server, one thread
 * sends from frames made beforehand and compares all that one read brought at once. The way of
 * a message:
 *
 *   options -> protocol (templates) -> ring (frames) -> open (connections) -> echo, fanout,
 * idle run (phases and clock) -> link (sockets) -> receive (checks) -> histogram -> report */
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

int main(int argc, char **argv)
{
    static void (*const modes[])(struct run *, const struct options *) = {
        [MODE_ECHO] = xs_bench_echo,
        [MODE_FANOUT] = xs_bench_fanout,
        [MODE_IDLE] = xs_bench_idle,
        [MODE_CONNECT] = xs_bench_connect,
    };
    static struct run run;
    struct options options;
    char error[OPTIONS_ERROR];

    switch (xs_bench_options(argc, argv, &options, error)) {
    case ASKED_HELP:
        xs_bench_help();
        return EXIT_SUCCESS;
    case ASKED_VERSION:
        puts("xsockets-bench " XS_VERSION);
        return EXIT_SUCCESS;
    case ASKED_WRONG:
        xs_bench_die(EXIT_USAGE, "%s", error);
    case ASKED_RUN:
        break;
    }
    xs_bench_progress_wanted(!options.quiet);
    modes[options.mode](&run, &options);
    if (options.json)
        xs_bench_report_json(&run);
    else
        xs_bench_report_text(&run);
    return xs_bench_errors(&run.errors) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
