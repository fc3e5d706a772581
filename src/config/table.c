/* table - the one list of the daemon's own settings. It parses, checks, answers --help-config,
 * and writes config/server.ini and docs/CONFIG.md. */
#include "config/table.h"

#include "base/alloc.h"
#include "base/assert.h"

#define KIB    ((uint64_t)1 << 10)
#define MIB    ((uint64_t)1 << 20)
#define GIB    ((uint64_t)1 << 30)
#define SECOND ((uint64_t)1000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

/* A row whose key is the member's name: kind, default, least, most, taken by a reload,
 * sentence. */
#define ROW_OF(structure, path, name, kind, standard, min, max, reloadable, sentence)          \
    {                                                                                          \
        name, kind, standard, { min, max }, reloadable, offsetof(struct structure, path),      \
            sizeof(((struct structure *)0)->path), sentence                                    \
    }
#define SERVER(member, kind, standard, min, max, reloadable, sentence)                         \
    ROW_OF(xs_config, member, #member, XS_KIND_##kind, standard, min, max, reloadable, sentence)
#define LIMIT(member, kind, standard, min, max, sentence)                                      \
    ROW_OF(xs_config, limits.member, #member, XS_KIND_##kind, standard, min, max, true,        \
           sentence)
#define LOG(member, kind, standard, sentence)                                                  \
    ROW_OF(xs_config, log.member, #member, XS_KIND_##kind, standard, 0, 0, true, sentence)
#define ENDPOINT(member, kind, standard, min, max, reloadable, sentence)                       \
    ROW_OF(xs_config_endpoint, member, #member, XS_KIND_##kind, standard, min, max,            \
           reloadable, sentence)
#define MODULE(member, kind, sentence)                                                         \
    ROW_OF(xs_config_section, member, #member, XS_KIND_##kind, "", 0, 0, false, sentence)

static const struct xs_config_row server_rows[] = {
    SERVER(workers, WORKERS, "auto", 1, XS_WORKERS_MAX, false,
           "Threads that serve clients, each with a loop of its own; auto takes one for each "
           "core that the process may run on."),
    SERVER(node, COUNT, "0", 0, 65535, false,
           "Number of this daemon among several that serve together; a part of every client's "
           "id."),
    SERVER(module_path, PATH, "", 0, 0, false,
           "Folder of the modules that are named without a \"/\"; when empty, the one into "
           "which the shipped modules were installed."),
    SERVER(modules, FILES,
           "tcp, http, websocket, xsocketsnet, native, demo, text, mcu, photon, json", 0, 0,
           false,
           "Modules that are loaded with all they bring, besides those that a section names; "
           "controllers are served only when they have a section."),
    SERVER(drain_timeout, TIME, "10s", 0, HOUR, true,
           "How long a stop may take to write out what is queued for clients."),
    SERVER(max_queued_bytes, SIZE, "256MiB", MIB, 1024 * GIB, true,
           "Bytes that may be queued for all clients together."),
    SERVER(max_held_bytes, SIZE, "256MiB", MIB, 1024 * GIB, true,
           "Bytes of unfinished messages that may be kept for all clients together; above, who "
           "begins one of more than 16 KiB is closed."),
    SERVER(queue_bytes, SIZE, "1MiB", KIB, GIB, true,
           "Bytes that may be queued for one client; a larger message is taken when nothing "
           "else is queued."),
    SERVER(queue_messages, COUNT, "1000", 1, 1000000, true,
           "Messages that may be queued for one client."),
    SERVER(mailbox_letters, COUNT, "65536", 16, 16777216, false,
           "Letters that may wait between two workers; above, the sender reads no more from "
           "the clients that cause them."),
    SERVER(mailbox_bytes, SIZE, "64MiB", 64 * KIB, 16 * GIB, false,
           "Bytes of letters that may wait between two workers."),
    SERVER(slow_callback, TIME, "50ms", 1, HOUR, true,
           "A callback of a module that takes longer is logged with the module's name."),
    SERVER(remember_away, TIME, "1h", 0, 365 * DAY, true,
           "How long a client's persistent id is remembered after its last connection has "
           "ended."),
    SERVER(test_hooks, BOOL, "no", 0, 0, false,
           "Lets clients choose their worker with place=N in the query; for tests only."),
};

static const struct xs_config_row limit_rows[] = {
    LIMIT(message, SIZE, "1MiB", 16, GIB,
          "Size of a message: its data and binary part together."),
    LIMIT(name, COUNT, "255", 16, 65535,
          "Bytes of a controller's name, a topic, or the name of a parameter."),
    LIMIT(json_depth, COUNT, "64", 1, 1000, "How deep JSON may be nested."),
    LIMIT(head, SIZE, "16KiB", 256, MIB, "Size of an HTTP request's head."),
    LIMIT(controllers, COUNT, "128", 1, 65535,
          "Controllers that one connection may have open at once."),
    LIMIT(subscriptions, COUNT, "1024", 1, 1000000,
          "Subscriptions that one connection may have at once."),
};

static const struct xs_config_row log_rows[] = {
    LOG(level, LEVEL, "info", "The least severe lines that are written."),
    LOG(format, FORMAT, "keyvalue", "How a line is written."),
};

static const struct xs_config_row endpoint_rows[] = {
    ENDPOINT(address, ADDRESS, "127.0.0.1", 0, 0, false, "Where to listen."),
    ENDPOINT(port, COUNT, "4502", 1, 65535, false, "TCP port; a UNIX socket has none."),
    ENDPOINT(scope, NAME, "default", 0, 0, false,
             "Clients of endpoints with the same scope see each other; another scope is "
             "another world with the same controllers."),
    ENDPOINT(transport, NAME, "tcp", 0, 0, false, "What lies between socket and protocol."),
    ENDPOINT(protocols, PROTOCOLS, "all", 0, 0, false,
             "Protocols and subprotocols that may be spoken here; the first that claims a "
             "connection gets it."),
    ENDPOINT(max_connections, COUNT, "0", 0, UINT32_MAX, true,
             "Connections that this endpoint has at once; 0 sets no bound."),
    ENDPOINT(backlog, COUNT, "1024", 1, 65535, false,
             "Connections that may wait in the kernel to be accepted."),
    ENDPOINT(unix_mode, MODE, "0660", 0, 0777, false, "Permissions of a UNIX socket."),
    ENDPOINT(nodelay, BOOL, "yes", 0, 0, true, "Sends small messages at once (TCP_NODELAY)."),
    ENDPOINT(keepalive, BOOL, "yes", 0, 0, true,
             "Lets the kernel find peers that have vanished (SO_KEEPALIVE)."),
    ENDPOINT(handshake_timeout, TIME, "30s", 10, HOUR, true,
             "How long a connection may take until its protocol's handshake is done; one that "
             "says nothing may stay this long."),
    ENDPOINT(sniff_timeout, TIME, "10s", 10, HOUR, true,
             "How long the first bytes may take until a protocol is recognised, from the "
             "first byte on."),
    ENDPOINT(sniff_quiet, TIME, "75ms", 1, 10 * SECOND, true,
             "Silence after which a greeting that could go on counts as finished."),
    ENDPOINT(idle_timeout, TIME, "75s", 0, 365 * DAY, true,
             "A client is dropped when nothing came from it for so long, in protocols that "
             "ping; 0 is never."),
    ENDPOINT(idle_timeout_without_ping, TIME, "0", 0, 365 * DAY, true,
             "The same for protocols that do not ping; 0 is never."),
    ENDPOINT(
        slow_timeout, TIME, "10s", 10, HOUR, true,
        "A client whose queue is over its bound is closed when it stays so for so long, and "
        "one that takes nothing of an HTTP answer or a file."),
    ENDPOINT(heartbeat, TIME, "30s", 0, DAY, true,
             "Time between two pings of the daemon; 0 sends none."),
};

static const struct xs_config_row module_rows[] = {
    MODULE(module, FILE,
           "Shared object that serves the section: NAME is NAME.so in module_path, anything "
           "with a \"/\" is a path; when empty, a module that is loaded already and has this "
           "name, else a NAME.so of this name."),
    MODULE(use, NAME,
           "The module's own name for what it serves here; when empty, the section's name, or "
           "whatever the module has if it has but one of the kind."),
    MODULE(subprotocol_alias, TOKENS,
           "Of a subprotocol: further names by which a WebSocket client may ask for it."),
};

#define TABLE(section, title, place, rows, sentence)                                           \
    {                                                                                          \
        section, title, place, sentence, rows, sizeof(rows) / sizeof(rows)[0]                  \
    }

const struct xs_config_table xs_config_tables[XS_CONFIG_TABLES] = {
    TABLE("server", "[server]", XS_PLACE_CONFIG, server_rows, "The daemon as a whole."),
    TABLE("limits", "[limits]", XS_PLACE_CONFIG, limit_rows,
          "What one client may ask for. What is over a limit is refused."),
    TABLE("log", "[log]", XS_PLACE_CONFIG, log_rows, "What is written to standard error."),
    TABLE("endpoint", "[endpoint NAME]", XS_PLACE_ENDPOINT, endpoint_rows,
          "Where to listen, once for each endpoint. A file without any gets one, \"default\"."),
    TABLE("module", "[protocol NAME], [subprotocol NAME], [controller NAME], [transport NAME]",
          XS_PLACE_MODULE, module_rows,
          "What a module serves under a name. The module's own settings stand in the same "
          "section."),
};

const char *const xs_module_kinds[4] = { "protocol", "subprotocol", "controller", "transport" };

bool xs_is_module_kind(const char *kind)
{
    size_t i;

    for (i = 0; i < sizeof xs_module_kinds / sizeof xs_module_kinds[0]; i++)
        if (strcmp(kind, xs_module_kinds[i]) == 0)
            return true;
    return false;
}

const struct xs_config_table *xs_config_table(const char *kind)
{
    bool module = xs_is_module_kind(kind);
    size_t i;

    for (i = 0; i < XS_CONFIG_TABLES; i++) {
        const struct xs_config_table *table = &xs_config_tables[i];

        if (table->place == XS_PLACE_MODULE ? module : strcmp(kind, table->section) == 0)
            return table;
    }
    return NULL;
}

const struct xs_config_row *xs_config_row(const struct xs_config_table *table, const char *key)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].key, key) == 0)
            return &table->rows[i];
    return NULL;
}

const char *xs_config_nearest(const struct xs_config_table *table, const char *key)
{
    const char *keys[32];
    size_t i;

    XS_ASSERT(table->count <= sizeof keys / sizeof keys[0]);
    for (i = 0; i < table->count; i++)
        keys[i] = table->rows[i].key;
    return xs_nearest(key, keys, table->count);
}

/* ---- members ---- */

static void *member(const struct xs_config_row *row, void *at)
{
    return (char *)at + row->offset;
}

void xs_row_set_number(const struct xs_config_row *row, void *at, int64_t number)
{
    uint32_t narrow = (uint32_t)number;
    bool is = number != 0;

    if (row->size == sizeof is)
        memcpy(member(row, at), &is, sizeof is);
    else if (row->size == sizeof narrow)
        memcpy(member(row, at), &narrow, sizeof narrow);
    else
        memcpy(member(row, at), &number, sizeof number);
}

int64_t xs_row_number(const struct xs_config_row *row, const void *at)
{
    const char *from = (const char *)at + row->offset;
    uint32_t narrow;
    int64_t wide;
    bool is;

    if (row->size == sizeof is) {
        memcpy(&is, from, sizeof is);
        return is;
    }
    if (row->size == sizeof narrow) {
        memcpy(&narrow, from, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, from, sizeof wide);
    return wide;
}

char **xs_row_string(const struct xs_config_row *row, void *at)
{
    return member(row, at);
}

char ***xs_row_list(const struct xs_config_row *row, void *at)
{
    return member(row, at);
}

void xs_row_free(const struct xs_config_row *row, void *at)
{
    if (xs_kind_is_number(row->kind))
        return;
    if (xs_kind_is_list(row->kind)) {
        xs_list_free(*xs_row_list(row, at));
        *xs_row_list(row, at) = NULL;
        return;
    }
    xs_free(*xs_row_string(row, at));
    *xs_row_string(row, at) = NULL;
}

static char **copy_list(char *const *from)
{
    size_t count = 0, i;
    char **to;

    if (from == NULL)
        return NULL;
    while (from[count] != NULL)
        count++;
    to = xs_alloc((count + 1) * sizeof *to);
    for (i = 0; i < count; i++)
        to[i] = xs_strdup(from[i]);
    return to;
}

void xs_row_copy(const struct xs_config_row *row, void *to, const void *from)
{
    const void *source = (const char *)from + row->offset;
    char *text;
    char **list;

    xs_row_free(row, to);
    if (xs_kind_is_number(row->kind)) {
        memcpy(member(row, to), source, row->size);
        return;
    }
    if (xs_kind_is_list(row->kind)) {
        memcpy(&list, source, sizeof list);
        *xs_row_list(row, to) = copy_list(list);
        return;
    }
    memcpy(&text, source, sizeof text);
    *xs_row_string(row, to) = text != NULL ? xs_strdup(text) : NULL;
}

static bool lists_differ(char *const *a, char *const *b)
{
    size_t i;

    if (a == NULL || b == NULL)
        return a != b;
    for (i = 0; a[i] != NULL && b[i] != NULL; i++)
        if (strcmp(a[i], b[i]) != 0)
            return true;
    return a[i] != b[i];
}

bool xs_row_differs(const struct xs_config_row *row, const void *a, const void *b)
{
    const void *left = (const char *)a + row->offset, *right = (const char *)b + row->offset;
    char *texts[2];
    char **lists[2];

    if (xs_kind_is_number(row->kind))
        return memcmp(left, right, row->size) != 0;
    if (xs_kind_is_list(row->kind)) {
        memcpy(&lists[0], left, sizeof lists[0]);
        memcpy(&lists[1], right, sizeof lists[1]);
        return lists_differ(lists[0], lists[1]);
    }
    memcpy(&texts[0], left, sizeof texts[0]);
    memcpy(&texts[1], right, sizeof texts[1]);
    if (texts[0] == NULL || texts[1] == NULL)
        return texts[0] != texts[1];
    return strcmp(texts[0], texts[1]) != 0;
}

void xs_row_set_standard(const struct xs_config_row *row, void *at)
{
    char *why = NULL;
    int64_t number;

    if (xs_kind_is_number(row->kind)) {
        XS_ASSERT(xs_value_number(row->kind, row->range, row->standard, &number, &why));
        xs_row_set_number(row, at, number);
        return;
    }
    xs_row_free(row, at);
    if (row->standard[0] == '\0' || strcmp(row->standard, "all") == 0)
        return; /* NULL says it */
    if (xs_kind_is_list(row->kind))
        *xs_row_list(row, at) = xs_value_list(row->kind, row->standard, &why);
    else
        *xs_row_string(row, at) = xs_strdup(row->standard);
}
