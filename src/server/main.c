/* main - the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "server/daemon.h"
#include <xsockets/plugin.h>

#define OVERRIDES_MAX 256

static const char usage[] =
    "xsocketsd - one port, every device: a multi-protocol real-time message server\n"
    "\n"
    "usage: xsocketsd -c FILE [-t] [-D SETTING]...\n"
    "       xsocketsd -V | --help | --help-config [-c FILE]\n"
    "\n"
    "  -c, --config FILE   the configuration (an ini file)\n"
    "  -t, --test          read it, load the modules, bind nothing, say what is wrong\n"
    "  -D, --define S      override a setting: -D 'endpoint public.port=4503'\n"
    "  -V, --version       version, ABI and libraries\n"
    "  -h, --help          this text\n"
    "      --help-config   every setting, with its default and what it does\n"
    "\n"
    "It stays in the foreground and logs to standard error.\n"
    "signals: TERM, INT  tell the clients, flush, stop (twice: stop at once)\n"
    "         HUP        read the configuration again\n"
    "         USR1       write every counter as one line of JSON to standard output\n"
    "exit:    0 stopped, 1 fault, 64 usage, 66 no such file, 69 module unavailable,\n"
    "         73 cannot bind, 78 configuration\n";

static int misused(const char *why)
{
    (void)fprintf(stderr, "xsocketsd: %s (see xsocketsd --help)\n", why);
    return XS_EXIT_USAGE;
}

static int version(void)
{
    (void)printf("xsocketsd %s\nABI %d.%d\nlibuv %s\n%s", XS_VERSION, XS_ABI_MAJOR,
                 XS_ABI_MINOR, uv_version_string(), XS_LIBRARIES);
    return XS_EXIT_OK;
}

enum job { RUN, TEST, VERSION, HELP, HELP_CONFIG };

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "test", no_argument, NULL, 't' },
        { "define", required_argument, NULL, 'D' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { "help-config", no_argument, NULL, 'C' },
        { NULL, 0, NULL, 0 },
    };
    static const char *overrides[OVERRIDES_MAX];
    struct xs_command command = { .overrides = overrides };
    enum job job = RUN;
    int option;

    while ((option = getopt_long(argc, argv, "c:tD:Vh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            command.config = optarg;
            break;
        case 'D':
            if (command.override_count == OVERRIDES_MAX)
                return misused("too many -D");
            overrides[command.override_count++] = optarg;
            break;
        case 't':
            job = TEST;
            break;
        case 'V':
            job = VERSION;
            break;
        case 'h':
            job = HELP;
            break;
        case 'C':
            job = HELP_CONFIG;
            break;
        default:
            return misused("that is not an option of mine");
        }
    }
    if (optind < argc)
        return misused("what stands behind the options means nothing");
    if (job == VERSION)
        return version();
    if (job == HELP)
        return fputs(usage, stdout) < 0 ? XS_EXIT_FAULT : XS_EXIT_OK;
    if (job == HELP_CONFIG)
        return xs_daemon_help_config(&command);
    if (command.config == NULL)
        return misused("-c FILE is needed");
    return job == TEST ? xs_daemon_test(&command) : xs_daemon_run(&command);
}
