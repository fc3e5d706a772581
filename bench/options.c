/* options - the command line of xsockets-bench. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_USAGE = 64,
    SIZE_MAX_BYTES = 64 * 1024,
    /* `{\"n\":100000,\"text\":\"\",\"on\":true}` and one letter */
    SIZE_MIN_OBJECT = 40,
    /* `\"000000\"` and one letter */
    SIZE_MIN = 12
};

static const char *const modes[] = { "echo", "fanout", "idle" };
static const char *const protocols[] = { "xsocketsnet", "native", "mixed" };

const char *xs_bench_mode_name(enum mode mode)
{
    return modes[mode];
}

const char *xs_bench_protocol_name(enum protocol protocol)
{
    return protocols[protocol];
}

void xs_bench_die(int code, const char *format, ...)
{
    va_list list;

    fputs("xsockets-bench: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(code);
}

static void help(void)
{
    puts(
        "xsockets-bench - loads a server with WebSocket clients and checks every answer\n"
        "\n"
        "  xsockets-bench echo|fanout|idle [options]\n"
        "\n"
        "  echo     each of N clients keeps K messages in flight to the controller echo\n"
        "  fanout   one client publishes, N subscribers get each message\n"
        "  idle     what N clients that do nothing cost the server in memory\n"
        "\n"
        "  --host ADDRESS        IPv4 address of the server (127.0.0.1)\n"
        "  --port N              its port (4502)\n"
        "  --wait TIME           wait so long for a server that is only starting (0s)\n"
        "  --server KIND         xsocketsd (default) or limit: the same bytes, nothing to "
        "open\n"
        "  --protocol NAME       xsocketsnet (default) or native; fanout also mixed: every\n"
        "                        other subscriber is native\n"
        "  --connections N       clients or subscribers (64; fanout 1000; idle 10000)\n"
        "  --in-flight N         messages on their way at a time, per client or publisher (1)\n"
        "  --size BYTES          text inside the quotes of D, or native payload (64; 1KiB)\n"
        "  --object              D is an object of that size and not a string\n"
        "  --seconds TIME        measured time (3s), after\n"
        "  --warmup TIME         (500ms)\n"
        "  --count N             end earlier, after N messages\n"
        "  --pid N               process of the server: its CPU time and memory are told too\n"
        "  --mallocs FILE        counters of a server that runs under mallocs.so\n"
        "  --json                one line of JSON instead of text\n"
        "  --help                this\n"
        "\n"
        "Exit code: 0, or 1 when an answer was wrong, missing, late or out of order, 64 for a\n"
        "bad command line, 69 when the server cannot be reached.");
}

static uint64_t number(const char *option, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value < min || value > max)
        xs_bench_die(EXIT_USAGE, "--%s wants a number from %llu to %llu, not \"%s\"", option,
                     (unsigned long long)min, (unsigned long long)max, text);
    return value;
}

static size_t size_of(const char *option, const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (strcmp(end, "KiB") == 0 && value <= SIZE_MAX_BYTES / 1024)
        value *= 1024;
    else if (*end != '\0' && strcmp(end, "B") != 0)
        value = 0;
    if (*text < '0' || *text > '9' || value < SIZE_MIN || value > SIZE_MAX_BYTES)
        xs_bench_die(EXIT_USAGE, "--%s wants %d to %d bytes, such as 64 or 1KiB, not \"%s\"",
                     option, SIZE_MIN, SIZE_MAX_BYTES, text);
    return (size_t)value;
}

static uint64_t time_of(const char *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (strcmp(end, "ms") == 0)
        value /= 1000;
    else if (*end != '\0' && strcmp(end, "s") != 0)
        value = -1;
    if (*text < '0' || *text > '9' || !(value >= 0 && value <= 3600))
        xs_bench_die(EXIT_USAGE,
                     "--%s wants a time up to 3600s, such as 2s or 500ms, not \"%s\"", option,
                     text);
    return (uint64_t)(value * 1e9);
}

static unsigned choice(const char *what, const char *text, const char *const *names,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
    }
    xs_bench_die(EXIT_USAGE, "\"%s\" is no %s; see --help", text, what);
}

enum option_name {
    O_HOST,
    O_PORT,
    O_WAIT,
    O_SERVER,
    O_PROTOCOL,
    O_CONNECTIONS,
    O_IN_FLIGHT,
    O_SIZE,
    O_OBJECT,
    O_SECONDS,
    O_WARMUP,
    O_COUNT,
    O_PID,
    O_MALLOCS,
    O_JSON,
    O_HELP
};

static const struct option table[] = {
    { "host", required_argument, NULL, O_HOST },
    { "port", required_argument, NULL, O_PORT },
    { "wait", required_argument, NULL, O_WAIT },
    { "server", required_argument, NULL, O_SERVER },
    { "protocol", required_argument, NULL, O_PROTOCOL },
    { "connections", required_argument, NULL, O_CONNECTIONS },
    { "in-flight", required_argument, NULL, O_IN_FLIGHT },
    { "size", required_argument, NULL, O_SIZE },
    { "object", no_argument, NULL, O_OBJECT },
    { "seconds", required_argument, NULL, O_SECONDS },
    { "warmup", required_argument, NULL, O_WARMUP },
    { "count", required_argument, NULL, O_COUNT },
    { "pid", required_argument, NULL, O_PID },
    { "mallocs", required_argument, NULL, O_MALLOCS },
    { "json", no_argument, NULL, O_JSON },
    { "help", no_argument, NULL, O_HELP },
    { NULL, 0, NULL, 0 },
};

static void take(struct options *options, int option, const char *text)
{
    static const char *const servers[] = { "xsocketsd", "limit" };
    const char *name = table[option].name;

    switch ((enum option_name)option) {
    case O_HOST:
        options->host = text;
        break;
    case O_PORT:
        options->port = (uint16_t)number(name, text, 1, 65535);
        break;
    case O_WAIT:
        options->wait = time_of(name, text);
        break;
    case O_SERVER:
        options->limit = choice("kind of server", text, servers, 2) == 1;
        break;
    case O_PROTOCOL:
        options->protocol = (enum protocol)choice("protocol", text, protocols, 3);
        break;
    case O_CONNECTIONS:
        options->connections = (uint32_t)number(name, text, 1, 1000000);
        break;
    case O_IN_FLIGHT:
        options->in_flight = (uint32_t)number(name, text, 1, 1024);
        break;
    case O_SIZE:
        options->size = size_of(name, text);
        break;
    case O_OBJECT:
        options->object = true;
        break;
    case O_SECONDS:
        options->seconds = time_of(name, text);
        break;
    case O_WARMUP:
        options->warmup = time_of(name, text);
        break;
    case O_COUNT:
        options->count = number(name, text, 1, UINT64_MAX);
        break;
    case O_PID:
        options->pid = (pid_t)number(name, text, 1, INT32_MAX);
        break;
    case O_MALLOCS:
        options->mallocs = text;
        break;
    case O_JSON:
        options->json = true;
        break;
    case O_HELP:
        help();
        exit(EXIT_SUCCESS);
    }
}

/* What single options cannot know about each other. */
static void check(struct options *options)
{
    static const uint32_t usual[] = {
        [MODE_ECHO] = 64, [MODE_FANOUT] = 1000, [MODE_IDLE] = 10000
    };

    if (options->connections == 0)
        options->connections = usual[options->mode];
    if (options->mode == MODE_IDLE && options->pid == 0)
        xs_bench_die(EXIT_USAGE, "idle reads the memory of the server and needs its --pid");
    if (options->object && options->protocol != PROTOCOL_XSOCKETSNET)
        xs_bench_die(EXIT_USAGE, "--object is for the protocol xsocketsnet alone");
    if (options->object && options->size < SIZE_MIN_OBJECT)
        xs_bench_die(EXIT_USAGE, "an --object has at least %d bytes", SIZE_MIN_OBJECT);
    if (options->protocol == PROTOCOL_MIXED && (options->mode != MODE_FANOUT || options->limit))
        xs_bench_die(EXIT_USAGE, "mixed is for fanout on xsocketsd alone");
}

struct options xs_bench_options(int argc, char **argv)
{
    struct options options = {
        .host = "127.0.0.1",
        .port = 4502,
        .in_flight = 1,
        .size = 64,
        .seconds = UINT64_C(3000000000),
        .warmup = UINT64_C(500000000),
    };
    int option;

    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == '?')
            exit(EXIT_USAGE);
        take(&options, option, optarg);
    }
    if (optind == argc)
        xs_bench_die(EXIT_USAGE, "say what to do: echo, fanout or idle; see --help");
    if (optind + 1 < argc)
        xs_bench_die(EXIT_USAGE, "\"%s\" is one word too many; see --help", argv[optind + 1]);
    options.mode = (enum mode)choice("mode", argv[optind], modes, 3);
    check(&options);
    return options;
}
