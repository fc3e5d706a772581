/* protocol - how clients of each protocol introduce themselves, and what they say and expect.
 */
#include "protocol.h"

#include <string.h>

/* What a role says; NULL: nothing. */
struct part {
    const char *hello[3], *await, *subscribe, *after, *subscribed;
};

struct row {
    bool ws;
    const char *subprotocol, *message, *refused;
    enum form form;
    struct part roles[ROLE_COUNT];
};

static const char *const controllers[ROLE_COUNT] = {
    [ROLE_ECHO] = "echo",
    [ROLE_PUBLISHER] = "chat",
    [ROLE_SUBSCRIBER] = "chat",
    [ROLE_IDLE] = "generic",
};

#define NET_OPEN "{\"C\":\"{controller}\",\"T\":\"1\"}"
#define NET_SUBSCRIBE                                                                          \
    "{\"C\":\"{controller}\",\"T\":\"5\",\"D\":\"{\\\\\"T\\\\\":\\\\\"{topic}\\\\\","          \
    "\\\\\"A\\\\\":true}\"}"
#define NET_SUBSCRIBED "\"T\":\"__{topic}\""

/* A line or a frame, controller|topic|data; what comes last in the opening is known to the
 * byte, so that the measured part begins behind it. */
#define PARTS_ROLES(greeting, begin, end)                                                      \
    {                                                                                          \
        [ROLE_ECHO] = { .hello = { greeting, begin "{controller}|e|\"ready\"" end },           \
                        .await = begin "{controller}|e|\"ready\"" end },                       \
        [ROLE_SUBSCRIBER] = { .hello = { greeting },                                           \
                              .subscribe = begin "{controller}|subscribe|{topic}" end,         \
                              .after = begin "{controller}|get_room|" end,                     \
                              .subscribed = begin "{controller}|get_room|\"\"" end },          \
        [ROLE_IDLE] = { .hello = { greeting, begin "{controller}|1|" end },                    \
                        .await = "|2|",                                                        \
                        .subscribe = begin "{controller}|subscribe|{topic}" end },             \
    }

/* clang-format off */
static const struct row rows[] = {
    [PROTOCOL_XSOCKETSNET] = {
        .ws = true, .subprotocol = "XSocketsNET", .form = FORM_STRING,
        .message = "{\"C\":\"{controller}\",\"T\":\"{topic}\",\"D\":\"{json}\"}",
        /* Inside D each quote is escaped, so this is found in the envelope alone. */
        .refused = "\"T\":\"4\"",
        .roles = {
            [ROLE_ECHO] = { .hello = { NET_OPEN }, .await = "\"T\":\"2\"" },
            [ROLE_PUBLISHER] = { .hello = { NET_OPEN }, .await = "\"T\":\"2\"" },
            [ROLE_SUBSCRIBER] = { .subscribe = NET_SUBSCRIBE, .subscribed = NET_SUBSCRIBED },
            [ROLE_IDLE] = { .hello = { NET_OPEN }, .subscribe = NET_SUBSCRIBE,
                            .subscribed = NET_SUBSCRIBED },
        },
    },
    [PROTOCOL_NATIVE] = { .ws = true, .form = FORM_BARE, .message = "{payload}" },
    [PROTOCOL_TEXT] = {
        .form = FORM_STRING, .refused = "|4|{",
        .message = "{controller}|{topic}|{payload}\\r\\n",
        .roles = PARTS_ROLES("PuttyProtocol\\r\\n", "", "\\r\\n"),
    },
    [PROTOCOL_MCU] = {
        .form = FORM_STRING, .refused = "|4|{",
        .message = "\\x00{controller}|{topic}|{payload}\\xff",
        .roles = PARTS_ROLES("McuProtocol\\r\\n", "\\x00", "\\xff"),
    },
};
/* clang-format on */

static void read_template(struct template *to, const char *option, const char *text)
{
    char error[TEMPLATE_ERROR];

    if (text != NULL && !xs_bench_template_read(to, text, error))
        xs_bench_die(EXIT_USAGE, "--%s: %s", option, error);
}

static void read_bytes(struct bytes *to, const char *option, const char *text)
{
    static const struct values none = { .payload = "", .topic = "", .controller = "" };
    struct template template = { .count = 0 };

    read_template(&template, option, text);
    xs_bench_template_put(&template, &none, to);
    xs_bench_template_free(&template);
}

static void read_part(struct speech *speech, const struct part *part)
{
    for (; speech->hellos < 3 && part->hello[speech->hellos] != NULL; speech->hellos++)
        read_template(&speech->hello[speech->hellos], "hello", part->hello[speech->hellos]);
    read_template(&speech->await, "await", part->await);
    read_template(&speech->subscribe, "subscribe", part->subscribe);
    read_template(&speech->after, "subscribe", part->after);
    read_template(&speech->subscribed, "subscribed", part->subscribed);
}

/* bench/limit has roles by path and nothing to open. */
static const char *path_of(const struct options *options, enum role role)
{
    if (options->limit && role == ROLE_PUBLISHER)
        return "/pub";
    if (options->limit && role == ROLE_SUBSCRIBER)
        return "/sub";
    return role == ROLE_IDLE ? "/?chat=1&lang=en" : "/";
}

static void read_row(struct speech *speech, const struct options *options,
                     const struct row *row, enum role role)
{
    speech->ws = row->ws;
    speech->subprotocol = row->subprotocol;
    speech->browser = row->ws && role == ROLE_IDLE;
    speech->loose = role == ROLE_IDLE;
    speech->form = options->object ? FORM_OBJECT : row->form;
    read_template(&speech->path, "path", path_of(options, role));
    read_template(&speech->send, "send", row->message);
    read_template(&speech->expect, "expect", row->message);
    read_bytes(&speech->refused, "await", row->refused);
    if (!options->limit)
        read_part(speech, &row->roles[role]);
}

static void read_options(struct speech *speech, const struct options *options, enum role role)
{
    const char *send = options->send != NULL ? options->send : "{payload}";

    speech->ws = options->protocol == PROTOCOL_WS;
    speech->subprotocol = options->subprotocol;
    /* A publisher may be answered, and may hear itself. */
    speech->loose = role == ROLE_IDLE || role == ROLE_PUBLISHER;
    speech->form = FORM_BARE;
    read_template(&speech->path, "path", options->path != NULL ? options->path : "/");
    for (; speech->hellos < HELLOS_MAX && options->hello[speech->hellos] != NULL;
         speech->hellos++)
        read_template(&speech->hello[speech->hellos], "hello", options->hello[speech->hellos]);
    read_template(&speech->await, "await", options->await);
    if (role == ROLE_SUBSCRIBER || role == ROLE_IDLE) {
        read_template(&speech->subscribe, "subscribe", options->subscribe);
        read_template(&speech->subscribed, "subscribed", options->subscribed);
    }
    read_template(&speech->send, "send", send);
    read_template(&speech->expect, "expect", options->expect != NULL ? options->expect : send);
    read_bytes(&speech->ping, "ping", options->ping);
    read_bytes(&speech->pong, "pong", options->pong);
    if (speech->send.count == 0 || speech->expect.count == 0)
        xs_bench_die(EXIT_USAGE, "--send and --expect cannot be empty");
}

void xs_bench_speech(struct speech *speech, const struct options *options,
                     enum protocol protocol, enum role role)
{
    *speech = (struct speech){ .controller = controllers[role] };
    if (protocol == PROTOCOL_WS || protocol == PROTOCOL_TCP)
        read_options(speech, options, role);
    else
        read_row(speech, options, &rows[protocol], role);
    speech->deflate = options->deflate && speech->ws;
}

void xs_bench_speech_free(struct speech *speech)
{
    xs_bench_template_free(&speech->path);
    for (size_t i = 0; i < speech->hellos; i++)
        xs_bench_template_free(&speech->hello[i]);
    xs_bench_template_free(&speech->await);
    xs_bench_template_free(&speech->subscribe);
    xs_bench_template_free(&speech->after);
    xs_bench_template_free(&speech->subscribed);
    xs_bench_free(&speech->refused);
    xs_bench_template_free(&speech->send);
    xs_bench_template_free(&speech->expect);
    xs_bench_free(&speech->ping);
    xs_bench_free(&speech->pong);
}
