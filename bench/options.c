/* options - the command line of xsockets-bench. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE_MIN_BYTES = 16,
    SIZE_MAX_BYTES = 4 * 1024 * 1024,
    /* `{\"n\":100000,\"text\":\"\",\"on\":true}` with two digits and a letter */
    SIZE_MIN_OBJECT = 48
};

static const char *const modes[] = { "echo", "fanout", "idle", "connect" };
static const char *const protocols[] = { "xsocketsnet", "native", "text", "mcu",
                                         "mixed",       "ws",     "tcp" };

const char *xs_bench_mode_name(enum mode mode)
{
    return modes[mode];
}

const char *xs_bench_protocol_name(enum protocol protocol)
{
    return protocols[protocol];
}

void xs_bench_help(void)
{
    puts("xsockets-bench - loads a server with clients and checks every message\n"
         "\n"
         "  xsockets-bench MODE [options]\n"
         "\n"
         "  echo      each of N clients sends messages and gets each of them back\n"
         "  fanout    publishers send, N subscribers get every message\n"
         "  idle      what N clients that do nothing cost the server in memory\n"
         "  connect   clients connect, open, leave and come again, N at a time\n"
         "\n"
         "Where and what\n"
         "  --host NAME         name or address of the server (127.0.0.1)\n"
         "  --port N            its port (4502)\n"
         "  --wait TIME         wait so long for a server that is only starting (0s)\n"
         "  --protocol NAME     xsocketsnet (default), native, text, mcu; in fanout also\n"
         "                      mixed, these in turn; ws and tcp, which take templates\n"
         "  --size BYTES        of the payload text, 16 to 4MiB (64)\n"
         "  --object            the payload is a JSON object and not a string\n"
         "  --topics N          spread the messages over N topics (1)\n"
         "  --deflate           WebSocket: the server packs messages (permessage-deflate)\n"
         "  --server KIND       xsocketsd (default), or limit: nothing to open there\n"
         "\n"
         "How much\n"
         "  --connections N     clients or subscribers (echo and connect 64, fanout 1000,\n"
         "                      idle 10000)\n"
         "  --publishers N      of a fanout (1)\n"
         "  --in-flight N       closed loop: messages on their way at a time, for each\n"
         "                      client or publisher (1)\n"
         "  --rate N            open loop: N messages a second altogether, whether the\n"
         "                      server keeps up or not; latency counts from when each\n"
         "                      was due\n"
         "  --duration TIME     measured time (3s), after\n"
         "  --warmup TIME       (500ms; 0 with --count)\n"
         "  --count N           exactly N messages, publishes or connections instead\n"
         "  --stall TIME        give up when nothing has come for this time (5s)\n"
         "\n"
         "What is told\n"
         "  --server-pid PID    the server's CPU time and memory too\n"
         "  --mallocs FILE      counters of a server that runs under mallocs.so\n"
         "  --json              one line of JSON instead of a summary\n"
         "  --quiet             no line of progress (there is one on a terminal only)\n"
         "  --help, --version\n"
         "\n"
         "Templates, for --protocol ws (RFC 6455, text) and tcp (bare bytes)\n"
         "  --path TEXT         of the handshake (/)\n"
         "  --subprotocol NAME  asked for in the handshake\n"
         "  --hello TEXT        sent once, in the beginning; may be given several times\n"
         "  --await TEXT        ready when this has come (tcp: and nothing behind it)\n"
         "  --send TEXT         a message ({payload})\n"
         "  --expect TEXT       what comes of it (the same)\n"
         "  --subscribe TEXT    what a subscriber of a fanout sends, once for each topic,\n"
         "  --subscribed TEXT   and waits for\n"
         "  --ping TEXT         tcp: passed over wherever it comes between messages, and\n"
         "  --pong TEXT         answered by this\n"
         "  Places: {payload}; {size}, its length; {json}, the same inside a JSON string;\n"
         "  {topic}; {number} of the client, from 0. Escapes: \\r \\n \\\\ \\xHH.\n"
         "\n"
         "Every message is numbered and compared byte for byte. Exit code: 0; 1 when a\n"
         "message was lost, came twice, out of order or with wrong bytes, or the server\n"
         "closed a connection; 64 for a bad command line; 69 when the server cannot be\n"
         "reached.");
}

/* ---- values ---- */

struct reading {
    struct options *options;
    const char *name; /* of the option that is read */
    char *error;
    bool wrong;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct reading *reading,
                                                        const char *format, ...)
{
    va_list list;

    if (reading->wrong)
        return;
    reading->wrong = true;
    va_start(list, format);
    vsnprintf(reading->error, OPTIONS_ERROR, format, list);
    va_end(list);
}

static uint64_t number(struct reading *reading, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value < min || value > max)
        wrong(reading, "--%s wants a number from %llu to %llu, not \"%s\"", reading->name,
              (unsigned long long)min, (unsigned long long)max, text);
    return value;
}

static size_t size_of(struct reading *reading, const char *text)
{
    static const struct {
        const char *name;
        size_t bytes;
    } units[] = { { "", 1 }, { "B", 1 }, { "KiB", 1024 }, { "MiB", 1024 * 1024 } };
    char *end;
    unsigned long long value = strtoull(text, &end, 10), factor = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0)
            factor = units[i].bytes;
    }
    if (value > SIZE_MAX_BYTES)
        factor = 0;
    value *= factor;
    if (*text < '0' || *text > '9' || value < SIZE_MIN_BYTES || value > SIZE_MAX_BYTES)
        wrong(reading, "--%s wants %d bytes to 4MiB, such as 64 or 1KiB, not \"%s\"",
              reading->name, SIZE_MIN_BYTES, text);
    return (size_t)value;
}

static uint64_t time_of(struct reading *reading, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (strcmp(end, "ms") == 0)
        value /= 1000;
    else if (strcmp(end, "m") == 0)
        value *= 60;
    else if (*end != '\0' && strcmp(end, "s") != 0)
        value = -1;
    if (*text < '0' || *text > '9' || !(value >= 0 && value <= 86400))
        wrong(reading, "--%s wants a time up to 1440m, such as 2s or 500ms, not \"%s\"",
              reading->name, text);
    return reading->wrong ? 0 : (uint64_t)(value * 1e9);
}

static unsigned choice(struct reading *reading, const char *what, const char *text,
                       const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
    }
    wrong(reading, "\"%s\" is no %s; see --help", text, what);
    return 0;
}

static void add_hello(struct reading *reading, const char *text)
{
    for (size_t i = 0; i < HELLOS_MAX; i++) {
        if (reading->options->hello[i] != NULL)
            continue;
        reading->options->hello[i] = text;
        return;
    }
    wrong(reading, "--hello can be given %d times", HELLOS_MAX);
}

/* ---- the table ---- */

enum option_name {
    O_HOST,
    O_PORT,
    O_WAIT,
    O_SERVER,
    O_PROTOCOL,
    O_CONNECTIONS,
    O_PUBLISHERS,
    O_IN_FLIGHT,
    O_TOPICS,
    O_RATE,
    O_SIZE,
    O_OBJECT,
    O_DURATION,
    O_WARMUP,
    O_COUNT,
    O_STALL,
    O_PID,
    O_MALLOCS,
    O_PATH,
    O_SUBPROTOCOL,
    O_DEFLATE,
    O_HELLO,
    O_AWAIT,
    O_SEND,
    O_EXPECT,
    O_SUBSCRIBE,
    O_SUBSCRIBED,
    O_PING,
    O_PONG,
    O_JSON,
    O_QUIET,
    O_HELP,
    O_VERSION
};

static const struct option table[] = {
    { "host", required_argument, NULL, O_HOST },
    { "port", required_argument, NULL, O_PORT },
    { "wait", required_argument, NULL, O_WAIT },
    { "server", required_argument, NULL, O_SERVER },
    { "protocol", required_argument, NULL, O_PROTOCOL },
    { "connections", required_argument, NULL, O_CONNECTIONS },
    { "publishers", required_argument, NULL, O_PUBLISHERS },
    { "in-flight", required_argument, NULL, O_IN_FLIGHT },
    { "topics", required_argument, NULL, O_TOPICS },
    { "rate", required_argument, NULL, O_RATE },
    { "size", required_argument, NULL, O_SIZE },
    { "object", no_argument, NULL, O_OBJECT },
    { "duration", required_argument, NULL, O_DURATION },
    { "warmup", required_argument, NULL, O_WARMUP },
    { "count", required_argument, NULL, O_COUNT },
    { "stall", required_argument, NULL, O_STALL },
    { "server-pid", required_argument, NULL, O_PID },
    { "mallocs", required_argument, NULL, O_MALLOCS },
    { "path", required_argument, NULL, O_PATH },
    { "subprotocol", required_argument, NULL, O_SUBPROTOCOL },
    { "deflate", no_argument, NULL, O_DEFLATE },
    { "hello", required_argument, NULL, O_HELLO },
    { "await", required_argument, NULL, O_AWAIT },
    { "send", required_argument, NULL, O_SEND },
    { "expect", required_argument, NULL, O_EXPECT },
    { "subscribe", required_argument, NULL, O_SUBSCRIBE },
    { "subscribed", required_argument, NULL, O_SUBSCRIBED },
    { "ping", required_argument, NULL, O_PING },
    { "pong", required_argument, NULL, O_PONG },
    { "json", no_argument, NULL, O_JSON },
    { "quiet", no_argument, NULL, O_QUIET },
    { "help", no_argument, NULL, O_HELP },
    { "version", no_argument, NULL, O_VERSION },
    { NULL, 0, NULL, 0 },
};

static void take_amount(struct reading *reading, enum option_name option, const char *text)
{
    struct options *options = reading->options;

    switch (option) {
    case O_WAIT:
        options->wait = time_of(reading, text);
        break;
    case O_CONNECTIONS:
        options->connections = (uint32_t)number(reading, text, 1, 1000000);
        break;
    case O_PUBLISHERS:
        options->publishers = (uint32_t)number(reading, text, 1, PUBLISHERS_MAX);
        break;
    case O_IN_FLIGHT:
        options->in_flight = (uint32_t)number(reading, text, 1, IN_FLIGHT_MAX);
        break;
    case O_TOPICS:
        options->topics = (uint32_t)number(reading, text, 1, 1000000);
        break;
    case O_RATE:
        options->rate = (uint32_t)number(reading, text, 1, 1000000000);
        break;
    case O_SIZE:
        options->size = size_of(reading, text);
        break;
    case O_DURATION:
        options->duration = time_of(reading, text);
        break;
    case O_WARMUP:
        options->warmup = time_of(reading, text);
        break;
    case O_COUNT:
        options->count = number(reading, text, 1, UINT64_MAX);
        break;
    case O_STALL:
        options->stall = time_of(reading, text);
        break;
    case O_PID:
        options->pid = (pid_t)number(reading, text, 1, INT32_MAX);
        break;
    default:
        break;
    }
}

static void take(struct reading *reading, enum option_name option, const char *text)
{
    static const char *const servers[] = { "xsocketsd", "limit" };
    struct options *options = reading->options;
    const char **const texts[] = {
        [O_HOST] = &options->host,
        [O_PORT] = &options->port,
        [O_MALLOCS] = &options->mallocs,
        [O_PATH] = &options->path,
        [O_SUBPROTOCOL] = &options->subprotocol,
        [O_AWAIT] = &options->await,
        [O_SEND] = &options->send,
        [O_EXPECT] = &options->expect,
        [O_SUBSCRIBE] = &options->subscribe,
        [O_SUBSCRIBED] = &options->subscribed,
        [O_PING] = &options->ping,
        [O_PONG] = &options->pong,
    };

    if (option < sizeof texts / sizeof texts[0] && texts[option] != NULL) {
        *texts[option] = text;
        return;
    }
    switch (option) {
    case O_SERVER:
        options->limit = choice(reading, "kind of server", text, servers, 2) == 1;
        break;
    case O_PROTOCOL:
        options->protocol = (enum protocol)choice(reading, "protocol", text, protocols, 7);
        break;
    case O_HELLO:
        add_hello(reading, text);
        break;
    case O_OBJECT:
        options->object = true;
        break;
    case O_DEFLATE:
        options->deflate = true;
        break;
    case O_JSON:
        options->json = true;
        break;
    case O_QUIET:
        options->quiet = true;
        break;
    default:
        take_amount(reading, option, text);
    }
}

/* ---- what single options cannot know about each other ---- */

static bool has_templates(const struct options *options)
{
    return options->path != NULL || options->subprotocol != NULL || options->hello[0] != NULL ||
           options->await != NULL || options->send != NULL || options->expect != NULL ||
           options->subscribe != NULL || options->subscribed != NULL || options->ping != NULL ||
           options->pong != NULL;
}

static void check_protocol(struct reading *reading)
{
    const struct options *options = reading->options;
    bool free_form = options->protocol == PROTOCOL_WS || options->protocol == PROTOCOL_TCP;
    bool has_native =
        options->protocol == PROTOCOL_NATIVE || options->protocol == PROTOCOL_MIXED;

    if (!free_form && has_templates(options))
        wrong(reading, "templates are for --protocol ws and tcp; %s has its own",
              xs_bench_protocol_name(options->protocol));
    if (free_form && options->object)
        wrong(reading, "--object is for the protocols of xsocketsd; put the JSON into --send");
    if (options->object && options->size < SIZE_MIN_OBJECT)
        wrong(reading, "an --object has at least %d bytes", SIZE_MIN_OBJECT);
    if (options->protocol == PROTOCOL_MIXED && options->mode != MODE_FANOUT)
        wrong(reading, "mixed is for fanout alone");
    if (options->protocol == PROTOCOL_TCP &&
        (options->path != NULL || options->subprotocol != NULL))
        wrong(reading, "tcp has no handshake, so neither --path nor --subprotocol");
    if (options->protocol == PROTOCOL_WS && (options->ping != NULL || options->pong != NULL))
        wrong(reading, "ws has pings of its own; --ping and --pong are for tcp");
    if (options->pong != NULL && options->ping == NULL)
        wrong(reading, "--pong is the answer to --ping, which is not given");
    if (options->limit && options->protocol != PROTOCOL_XSOCKETSNET &&
        options->protocol != PROTOCOL_NATIVE)
        wrong(reading, "limit speaks WebSocket: xsocketsnet and native alone");
    if (options->deflate &&
        (options->limit || options->protocol == PROTOCOL_TEXT ||
         options->protocol == PROTOCOL_MCU || options->protocol == PROTOCOL_TCP))
        wrong(reading, "--deflate is for WebSocket, and limit has none");
    if (has_native && options->topics > 1)
        wrong(reading, "native clients have the one topic of the server's configuration");
}

static void check(struct reading *reading)
{
    static const uint32_t usual[] = {
        [MODE_ECHO] = 64, [MODE_FANOUT] = 1000, [MODE_IDLE] = 10000, [MODE_CONNECT] = 64
    };
    struct options *options = reading->options;

    if (options->connections == 0)
        options->connections = usual[options->mode];
    if (options->warmup == UINT64_MAX)
        options->warmup = options->count > 0 ? 0 : SECOND / 2;
    if (options->duration == UINT64_MAX)
        options->duration = options->count > 0 ? 0 : 3 * SECOND;
    else if (options->duration == 0)
        wrong(reading, "--duration wants more than nothing");
    if (options->stall == 0)
        wrong(reading, "--stall wants more than nothing");
    if (options->mode == MODE_IDLE && options->pid == 0)
        wrong(reading, "idle reads the memory of the server and needs its --server-pid");
    if (options->publishers > 1 && options->mode != MODE_FANOUT)
        wrong(reading, "--publishers is for fanout alone");
    if (options->mode == MODE_FANOUT && options->topics > options->connections &&
        options->topics % options->connections != 0)
        wrong(reading,
              "each subscriber has as many topics: --topics %u is no multiple of "
              "--connections %u",
              options->topics, options->connections);
    if (options->mode == MODE_FANOUT && options->limit && options->topics > 1)
        wrong(reading, "limit has no topics: what is published goes to all subscribers");
    if (options->count > 0 && options->warmup > 0)
        wrong(reading, "--count counts all messages: there is no --warmup with it");
    check_protocol(reading);
}

static enum asked read_words(struct reading *reading, int argc, char **argv)
{
    int option, at = 0;

    optind = 0;
    opterr = 0;
    while (!reading->wrong && (option = getopt_long(argc, argv, ":", table, &at)) != -1) {
        if (option == O_HELP)
            return ASKED_HELP;
        if (option == O_VERSION)
            return ASKED_VERSION;
        if (option == ':')
            wrong(reading, "%s wants a value; see --help", argv[optind - 1]);
        else if (option == '?')
            wrong(reading, "\"%s\" is not understood; see --help", argv[optind - 1]);
        else {
            reading->name = table[option].name;
            take(reading, (enum option_name)option, optarg);
        }
    }
    if (reading->wrong)
        return ASKED_WRONG;
    if (optind == argc)
        wrong(reading, "say what to do: echo, fanout, idle or connect; see --help");
    else if (optind + 1 < argc)
        wrong(reading, "\"%s\" is one word too many; see --help", argv[optind + 1]);
    else
        reading->options->mode = (enum mode)choice(reading, "mode", argv[optind], modes, 4);
    return reading->wrong ? ASKED_WRONG : ASKED_RUN;
}

enum asked xs_bench_options(int argc, char **argv, struct options *options,
                            char error[OPTIONS_ERROR])
{
    struct reading reading = { .options = options, .name = "", .error = error };
    enum asked asked;

    *options = (struct options){
        .host = "127.0.0.1",
        .port = "4502",
        .publishers = 1,
        .in_flight = 1,
        .topics = 1,
        .size = 64,
        .duration = UINT64_MAX,
        .warmup = UINT64_MAX,
        .stall = 5 * SECOND,
    };
    asked = read_words(&reading, argc, argv);
    if (asked == ASKED_RUN)
        check(&reading);
    return reading.wrong ? ASKED_WRONG : asked;
}
