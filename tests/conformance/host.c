/* host.c - see host.h. A test that misuses it, or a module that breaks the contract, ends the
 * process with a sentence. */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/folder.h"
#include "message/message.h"

#define DEMAND(claim, sentence)                                                                \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, (sentence), #claim);       \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

/* ---- memory ---- */

static void *take(size_t size)
{
    void *at = calloc(1, size > 0 ? size : 1);

    DEMAND(at != NULL, "out of memory");
    return at;
}

static void *grow(void *at, size_t size)
{
    void *grown = realloc(at, size);

    DEMAND(grown != NULL, "out of memory");
    return grown;
}

/* Memory of exactly this length, so that a read behind its end is seen by the sanitizer. */
static char *copy_of(struct xs_slice bytes)
{
    char *at = take(bytes.len);

    if (bytes.len > 0)
        memcpy(at, bytes.at, bytes.len);
    return at;
}

static char *text_of(struct xs_slice bytes)
{
    char *at = take(bytes.len + 1);

    if (bytes.len > 0)
        memcpy(at, bytes.at, bytes.len);
    return at;
}

void xt_append(struct xt_bytes *to, struct xs_slice bytes)
{
    if (to->len + bytes.len + 1 > to->cap) {
        to->cap = 2 * (to->len + bytes.len + 1);
        to->at = grow(to->at, to->cap);
    }
    if (bytes.len > 0)
        memcpy(to->at + to->len, bytes.at, bytes.len);
    to->len += bytes.len;
    to->at[to->len] = '\0';
}

struct xs_slice xt_slice(const struct xt_bytes *bytes)
{
    struct xs_slice slice = { bytes->at, bytes->len };

    return slice;
}

void xt_bytes_free(struct xt_bytes *bytes)
{
    free(bytes->at);
    memset(bytes, 0, sizeof *bytes);
}

static void list_add(struct xt_list *list, char *text)
{
    list->at = grow(list->at, (list->count + 1) * sizeof *list->at);
    list->at[list->count++] = text;
}

static void list_free(struct xt_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i]);
    free(list->at);
    memset(list, 0, sizeof *list);
}

/* ---- settings: a copy of the module's table with the test's values ---- */

struct xs_settings {
    size_t count;
    struct {
        char *key;
        char *text;
        int64_t number;
        struct xs_folder folder;
    } rows[];
};

static int64_t number_of(const char *type, const char *text)
{
    char *unit;
    long long number;

    if (strcmp(type, "bool") == 0)
        return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 ||
               strcmp(text, "on") == 0 || strcmp(text, "1") == 0;
    number = strtoll(text, &unit, 10);
    if (strcmp(unit, "KiB") == 0)
        number *= 1024;
    else if (strcmp(unit, "MiB") == 0)
        number *= 1024 * 1024;
    else if (strcmp(unit, "s") == 0)
        number *= 1000;
    return number;
}

static const struct xs_settings *settings_new(const struct xs_table *table,
                                              const char *const *pairs)
{
    struct xs_settings *settings =
        take(sizeof *settings + table->count * sizeof settings->rows[0]);
    size_t known = 0, given = 0;

    for (const char *const *pair = pairs; pair != NULL && *pair != NULL; pair += 2)
        given++;
    settings->count = table->count;
    for (size_t i = 0; i < table->count; i++) {
        const struct xs_setting *row =
            (const void *)((const char *)table->at + i * table->element);
        const char *text = row->standard;

        for (const char *const *pair = pairs; pair != NULL && *pair != NULL; pair += 2) {
            if (strcmp(pair[0], row->key) == 0) {
                text = pair[1];
                known++;
            }
        }
        settings->rows[i].key = text_of(xs_slice_of(row->key));
        settings->rows[i].text = text_of(xs_slice_of(text));
        settings->rows[i].number = number_of(row->type, text);
        if (strcmp(row->type, "folder") == 0 && text[0] != '\0')
            settings->rows[i].folder.path = settings->rows[i].text;
    }
    DEMAND(known == given, "a setting that the module does not have");
    return settings;
}

static void settings_free(const struct xs_settings *settings)
{
    union {
        const struct xs_settings *given;
        struct xs_settings *own;
    } both = { settings };

    for (size_t i = 0; i < settings->count; i++) {
        free(settings->rows[i].key);
        free(settings->rows[i].text);
    }
    free(both.own);
}

const char *xs_setting_text(const struct xs_settings *settings, const char *key)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->rows[i].key, key) == 0)
            return settings->rows[i].text;
    return "";
}

int64_t xs_setting_number(const struct xs_settings *settings, const char *key)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->rows[i].key, key) == 0)
            return settings->rows[i].number;
    return 0;
}

const struct xs_folder *xs_setting_folder(const struct xs_settings *settings, const char *key)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->rows[i].key, key) == 0 && settings->rows[i].folder.path != NULL)
            return &settings->rows[i].folder;
    return NULL;
}

/* ---- the host ---- */

static struct xt_host *starting; /* whose module is in worker_start() */

struct xt_host *xt_host_new(void)
{
    struct xt_host *host = take(sizeof *host);
    struct xs_message_limits limits = { 255, 64 };

    host->limits.message = 1024 * 1024;
    host->limits.name = 255;
    host->limits.head = 16 * 1024;
    host->limits.json_depth = 64;
    host->limits.controllers = 128;
    host->limits.subscriptions = 1024;
    xs_message_limits_set(&limits);
    return host;
}

void xt_host_free(struct xt_host *host)
{
    for (size_t i = 0; i < host->protocol_count; i++) {
        struct xt_protocol *protocol = &host->protocols[i];

        if (protocol->ops.worker_stop != NULL)
            protocol->ops.worker_stop(protocol->worker_state);
        free(protocol->worker_state);
        settings_free(protocol->settings);
    }
    for (size_t i = 0; i < host->subprotocol_count; i++)
        settings_free(host->subprotocols[i].settings);
    free(host);
}

void xt_host_protocol(struct xt_host *host, const struct xs_protocol_ops *ops,
                      const char *const *pairs)
{
    struct xt_protocol *protocol = &host->protocols[host->protocol_count];

    DEMAND(ops != NULL, "no such protocol");
    DEMAND(host->protocol_count < XT_MODULES, "too many protocols");
    DEMAND(ops->size <= sizeof protocol->ops, "a module newer than the host");
    memcpy(&protocol->ops, ops, ops->size);
    protocol->settings = settings_new(&ops->settings, pairs);
    if (ops->worker_size > 0)
        protocol->worker_state = take(ops->worker_size);
    starting = host;
    if (ops->worker_start != NULL)
        DEMAND(ops->worker_start(protocol->worker_state, protocol->settings) == XS_OK,
               "worker_start() failed");
    host->protocol_count++;
}

void xt_host_subprotocol(struct xt_host *host, const struct xs_subprotocol_ops *ops,
                         const char *const *pairs)
{
    struct xt_subprotocol *sub = &host->subprotocols[host->subprotocol_count];

    DEMAND(ops != NULL, "no such subprotocol");
    DEMAND(host->subprotocol_count < XT_MODULES, "too many subprotocols");
    DEMAND(ops->size <= sizeof sub->ops, "a module newer than the host");
    memcpy(&sub->ops, ops, ops->size);
    sub->settings = settings_new(&ops->settings, pairs);
    host->subprotocol_count++;
}

const struct xs_protocol_ops *xt_plugin_protocol(const struct xs_plugin *plugin,
                                                 const char *name)
{
    for (size_t i = 0; i < XS_PLUGIN_MAX && plugin->protocols[i] != NULL; i++)
        if (strcmp(plugin->protocols[i]->name, name) == 0)
            return plugin->protocols[i];
    return NULL;
}

const struct xs_subprotocol_ops *xt_plugin_subprotocol(const struct xs_plugin *plugin,
                                                       const char *name)
{
    for (size_t i = 0; i < XS_PLUGIN_MAX && plugin->subprotocols[i] != NULL; i++)
        if (strcmp(plugin->subprotocols[i]->name, name) == 0)
            return plugin->subprotocols[i];
    return NULL;
}

const struct xs_transport_ops *xt_plugin_transport(const struct xs_plugin *plugin,
                                                   const char *name)
{
    for (size_t i = 0; i < XS_PLUGIN_MAX && plugin->transports[i] != NULL; i++)
        if (strcmp(plugin->transports[i]->name, name) == 0)
            return plugin->transports[i];
    return NULL;
}

/* ---- a connection's life ---- */

static void serve_with(struct xs_conn *conn, struct xt_protocol *protocol)
{
    conn->protocol = protocol;
    conn->protocol_state = NULL;
    if (protocol->ops.state_size > 0)
        conn->protocol_state = take(protocol->ops.state_size);
    conn->phase = XT_OPEN;
}

/* Both modules are told, in the order sub, protocol; their memory goes. */
static void end(struct xs_conn *conn)
{
    if (conn->phase == XT_ENDED)
        return;
    conn->phase = XT_ENDED;
    if (conn->sub != NULL && conn->sub->ops.close != NULL)
        conn->sub->ops.close(conn->sub_state, conn);
    if (conn->protocol != NULL && conn->protocol->ops.close != NULL)
        conn->protocol->ops.close(conn->protocol_state, conn);
    free(conn->sub_state);
    free(conn->protocol_state);
    conn->sub_state = NULL;
    conn->protocol_state = NULL;
    xt_bytes_free(&conn->pending);
}

static void enter(struct xs_conn *conn)
{
    DEMAND(!conn->in_module, "a test called the host from inside a module");
    conn->in_module = true;
}

static void leave(struct xs_conn *conn)
{
    conn->in_module = false;
    free(conn->old_state);
    conn->old_state = NULL;
    if (conn->ended)
        end(conn);
    if (conn->peer_reads)
        conn->queued_control = 0;
}

static void fail(struct xs_conn *conn, enum xs_err err)
{
    enum xs_close_reason reason = XS_CLOSE_FAULT;

    if (err == XS_OK)
        return;
    if (err == XS_EPROTO)
        reason = XS_CLOSE_PROTOCOL;
    else if (err == XS_EINVAL)
        reason = XS_CLOSE_NOT_A_MESSAGE;
    else if (err == XS_EUTF8)
        reason = XS_CLOSE_BAD_UTF8;
    else if (err == XS_ETOOBIG)
        reason = XS_CLOSE_TOO_BIG;
    if (!xs_conn_closing(conn))
        xs_conn_close(conn, reason, NULL);
}

static struct xs_conn *conn_new(struct xt_host *host)
{
    struct xs_conn *conn = take(sizeof *conn);

    conn->host = host;
    conn->peer_reads = true;
    return conn;
}

struct xs_conn *xt_conn_new(struct xt_host *host)
{
    return conn_new(host);
}

struct xs_conn *xt_conn_new_sub(struct xt_host *host, const char *token, const char *query)
{
    struct xs_conn *conn = conn_new(host);

    enter(conn);
    conn->phase = XT_OPEN;
    if (query != NULL)
        DEMAND(xs_conn_set_query(conn, xs_slice_of(query)) == XS_OK, "the query is refused");
    DEMAND(xs_conn_choose_subprotocol(conn, xs_slice_of(token)) == XS_OK,
           "no such subprotocol");
    xs_conn_ready(conn);
    leave(conn);
    return conn;
}

struct xs_conn *xt_conn_new_upgraded(struct xt_host *host, const char *protocol,
                                     const struct xs_http_head *head)
{
    struct xs_conn *conn = conn_new(host);

    enter(conn);
    for (size_t i = 0; i < host->protocol_count; i++)
        if (strcmp(host->protocols[i].ops.name, protocol) == 0)
            serve_with(conn, &host->protocols[i]);
    DEMAND(conn->protocol != NULL, "no such protocol");
    conn->last_error = conn->protocol->ops.open_upgraded(conn->protocol_state, conn, head);
    fail(conn, conn->last_error);
    leave(conn);
    return conn;
}

void xt_forget(struct xs_conn *conn)
{
    for (size_t i = 0; i < conn->delivered_count; i++)
        free(conn->delivered[i].memory);
    for (size_t i = 0; i < conn->payload_count; i++)
        free(conn->payloads[i].at);
    free(conn->delivered);
    free(conn->payloads);
    free(conn->write_lengths);
    xt_bytes_free(&conn->written);
    conn->delivered = NULL;
    conn->payloads = NULL;
    conn->write_lengths = NULL;
    conn->delivered_count = conn->payload_count = conn->write_count = 0;
    list_free(&conn->errors);
}

void xt_conn_free(struct xs_conn *conn)
{
    end(conn);
    xt_forget(conn);
    list_free(&conn->opened);
    list_free(&conn->subscriptions);
    xt_bytes_free(&conn->query);
    xt_bytes_free(&conn->uri);
    xt_bytes_free(&conn->asked);
    free(conn->detail);
    free(conn);
}

/* ---- input ---- */

/* Who claims the pending bytes? `quiet`: who said "mine, if nothing more comes" has them. */
static void sniff(struct xs_conn *conn, bool quiet)
{
    struct xt_host *host = conn->host;
    bool more = false;

    for (size_t i = 0; i < host->protocol_count; i++) {
        enum xs_match said = XS_MATCH_NO;
        char *copy;

        if (host->protocols[i].ops.match == NULL)
            continue;
        copy = copy_of(xt_slice(&conn->pending));
        said = host->protocols[i].ops.match((struct xs_slice){ copy, conn->pending.len });
        DEMAND(conn->pending.len == 0 || memcmp(copy, conn->pending.at, conn->pending.len) == 0,
               "match() changed the bytes");
        free(copy);
        if (said == XS_MATCH_YES || (said == XS_MATCH_QUIET && quiet)) {
            serve_with(conn, &host->protocols[i]);
            return;
        }
        more = more || said == XS_MATCH_MORE || said == XS_MATCH_QUIET;
    }
    if (!more)
        xs_conn_close(conn, XS_CLOSE_UNKNOWN_PROTOCOL, NULL);
}

/* One call of open() or decode() over the pending bytes. */
static void offer(struct xs_conn *conn, bool first)
{
    struct xt_bytes all = conn->pending;
    char *memory = copy_of(xt_slice(&all));
    struct xs_input in = { memory, all.len };
    struct xt_protocol *protocol = conn->protocol;

    memset(&conn->pending, 0, sizeof conn->pending);
    conn->upgraded = false;
    conn->last_error = first ? protocol->ops.open(conn->protocol_state, conn, &in)
                             : protocol->ops.decode(conn->protocol_state, conn, &in);
    DEMAND(in.at >= memory && in.at + in.len == memory + all.len,
           "a module took bytes elsewhere than in front");
    fail(conn, conn->last_error);
    if (!conn->ended) {
        size_t taken = all.len - in.len;

        DEMAND(in.len == 0 || memcmp(in.at, all.at + taken, in.len) == 0,
               "a module changed bytes that it did not take");
        xt_append(&conn->pending, (struct xs_slice){ in.at, in.len });
    }
    free(memory);
    free(all.at);
}

static bool goes_on(const struct xs_conn *conn)
{
    return conn->pending.len > 0 && !conn->ended && !xs_conn_busy(conn);
}

static void offer_all(struct xs_conn *conn, bool first)
{
    offer(conn, first);
    /* What lies behind a greeting or a head is the next function's, without waiting for more.
     */
    if ((first || conn->upgraded) && goes_on(conn))
        offer(conn, false);
    while (conn->upgraded && goes_on(conn))
        offer(conn, false);
    /* Behind what was wrong the peer's goodbye may lie already. */
    if (conn->last_error != XS_OK && goes_on(conn))
        offer(conn, false);
}

static void run(struct xs_conn *conn, bool quiet)
{
    bool first = false;

    enter(conn);
    if (conn->phase == XT_MATCHING) {
        sniff(conn, quiet);
        first = true;
    }
    if ((conn->phase == XT_OPEN || conn->phase == XT_CLOSING) && conn->protocol != NULL &&
        !conn->ended && !xs_conn_busy(conn))
        offer_all(conn, first);
    leave(conn);
}

void xt_disk(struct xs_conn *conn)
{
    if (conn->phase == XT_ENDED)
        return;
    enter(conn);
    if (conn->waits_for_disk) {
        xs_file_sent_cb sent = conn->sent;

        conn->waits_for_disk = false;
        conn->told = conn->sends.at == NULL;
        if (conn->sends.at != NULL) {
            xs_conn_write(conn, conn->sends);
            conn->sends = (struct xs_slice){ NULL, 0 };
            conn->file = NULL;
            if (sent != NULL)
                sent(conn->protocol_state, conn);
        }
    }
    if (goes_on(conn))
        offer_all(conn, false);
    leave(conn);
}

void xt_feed(struct xs_conn *conn, struct xs_slice bytes)
{
    conn->fed += bytes.len;
    if (conn->phase == XT_ENDED)
        return;
    xt_append(&conn->pending, bytes);
    run(conn, false);
}

void xt_feed_bytewise(struct xs_conn *conn, struct xs_slice bytes)
{
    xt_feed_steps(conn, bytes, 1);
}

void xt_feed_cut(struct xs_conn *conn, struct xs_slice bytes, size_t at)
{
    DEMAND(at <= bytes.len, "a cut behind the end");
    if (at > 0)
        xt_feed(conn, (struct xs_slice){ bytes.at, at });
    if (at < bytes.len)
        xt_feed(conn, (struct xs_slice){ bytes.at + at, bytes.len - at });
}

void xt_feed_steps(struct xs_conn *conn, struct xs_slice bytes, size_t step)
{
    DEMAND(step > 0, "steps of nothing");
    while (bytes.len > 0) {
        size_t n = bytes.len < step ? bytes.len : step;

        xt_feed(conn, (struct xs_slice){ bytes.at, n });
        bytes.at += n;
        bytes.len -= n;
    }
}

void xt_quiet(struct xs_conn *conn)
{
    if (conn->phase == XT_MATCHING)
        run(conn, true);
}

enum xs_err xt_payload(struct xs_conn *conn, struct xs_slice bytes, bool binary)
{
    char *copy;

    if (conn->phase == XT_ENDED)
        return XS_EGONE;
    copy = copy_of(bytes);
    enter(conn);
    conn->last_error = xs_conn_payload(conn, copy, bytes.len, binary);
    fail(conn, conn->last_error);
    leave(conn);
    free(copy);
    return conn->last_error;
}

void xt_ping(struct xs_conn *conn)
{
    if (conn->phase != XT_OPEN || conn->protocol->ops.ping == NULL)
        return;
    enter(conn);
    conn->protocol->ops.ping(conn->protocol_state, conn);
    leave(conn);
}

void xt_close(struct xs_conn *conn, enum xs_close_reason reason, const char *detail)
{
    if (conn->phase == XT_ENDED)
        return;
    enter(conn);
    xs_conn_close(conn, reason, detail);
    leave(conn);
}

void xt_reset(struct xs_conn *conn)
{
    end(conn);
}

/* ---- what modules call ---- */

unsigned xs_close_code(enum xs_close_reason reason)
{
    static const unsigned codes[] = {
#define X(name, code, text) code,
        XS_CLOSE_REASONS(X)
#undef X
    };

    return codes[reason];
}

const char *xs_close_text(enum xs_close_reason reason)
{
    static const char *const texts[] = {
#define X(name, code, text) text,
        XS_CLOSE_REASONS(X)
#undef X
    };

    return texts[reason];
}

const struct xs_limits *xs_conn_limits(const struct xs_conn *conn)
{
    return &conn->host->limits;
}

/* A slice copied behind the others in one block; NULL stays NULL only when it is empty. */
static struct xs_slice put(char **at, struct xs_slice from)
{
    struct xs_slice to = { *at, from.len };

    if (from.len > 0)
        memcpy(*at, from.at, from.len);
    (*at)[from.len] = '\0';
    *at += from.len + 1;
    return to;
}

enum xs_err xs_conn_deliver(struct xs_conn *conn, const struct xs_incoming *incoming)
{
    struct xt_delivered *kept;
    char *at;

    DEMAND(conn->in_module, "deliver outside of a module");
    DEMAND(incoming->size == sizeof *incoming, "the member size is not set");
    DEMAND(conn->ready_count > 0, "a message before xs_conn_ready()");
    if (xs_conn_closing(conn))
        return XS_EGONE;
    conn->delivered = grow(conn->delivered, (conn->delivered_count + 1) * sizeof *kept);
    kept = &conn->delivered[conn->delivered_count++];
    kept->incoming = *incoming;
    kept->memory = take(incoming->controller.len + incoming->topic.len +
                        incoming->data.bytes.len + incoming->blob.len + 4);
    at = kept->memory;
    kept->incoming.controller = put(&at, incoming->controller);
    kept->incoming.topic = put(&at, incoming->topic);
    kept->incoming.data.bytes = put(&at, incoming->data.bytes);
    kept->incoming.blob = put(&at, incoming->blob);
    return conn->on_deliver != NULL ? conn->on_deliver(conn, incoming, conn->context) : XS_OK;
}

enum xs_err xs_conn_hold_bytes(struct xs_conn *conn, size_t bytes)
{
    DEMAND(conn->in_module, "bytes held outside of a module");
    (void)bytes;
    return XS_OK;
}

void xs_conn_count_frame(struct xs_conn *conn)
{
    conn->frames++;
}

void xs_conn_write(struct xs_conn *conn, struct xs_slice bytes)
{
    DEMAND(conn->in_module, "a write outside of a module");
    if (bytes.len == 0 || conn->phase == XT_ENDED || conn->ended)
        return;
    conn->write_lengths =
        grow(conn->write_lengths, (conn->write_count + 1) * sizeof *conn->write_lengths);
    conn->write_lengths[conn->write_count++] = bytes.len;
    xt_append(&conn->written, bytes);
    conn->queued_control += bytes.len;
}

size_t xs_conn_queued_control(const struct xs_conn *conn)
{
    return conn->queued_control + conn->extra_control;
}

void xs_conn_ready(struct xs_conn *conn)
{
    DEMAND(conn->in_module, "ready outside of a module");
    DEMAND(conn->ready_count == 0, "ready twice");
    conn->ready_count++;
    if (conn->sub == NULL)
        return;
    conn->sub_open = true;
    if (conn->sub->ops.open != NULL)
        fail(conn, conn->sub->ops.open(conn->sub_state, conn));
}

void xs_conn_close(struct xs_conn *conn, enum xs_close_reason reason, const char *detail)
{
    DEMAND(conn->in_module, "close outside of a module");
    conn->close_count++;
    if (conn->phase == XT_ENDED || conn->ended)
        return;
    if (conn->phase == XT_CLOSING) {
        conn->waits = false;
        conn->ended = true;
        return;
    }
    conn->reason = reason;
    conn->detail = detail != NULL ? text_of(xs_slice_of(detail)) : NULL;
    conn->phase = XT_CLOSING;
    if (conn->protocol != NULL && conn->protocol->ops.goodbye != NULL)
        conn->waits = conn->protocol->ops.goodbye(conn->protocol_state, conn, reason, detail);
    if (!conn->waits)
        conn->ended = true;
}

void xs_conn_error(struct xs_conn *conn, const char *sentence)
{
    list_add(&conn->errors, text_of(xs_slice_of(sentence)));
}

enum xs_err xs_conn_set_query(struct xs_conn *conn, struct xs_slice query)
{
    if (query.len > 16 * conn->host->limits.name)
        return XS_ETOOBIG;
    if (query.len > 0 && query.at[0] == '?') {
        query.at++;
        query.len--;
    }
    if (conn->query.len > 0)
        xt_append(&conn->query, XS_SLICE("&"));
    xt_append(&conn->query, query);
    return XS_OK;
}

void xs_conn_set_head(struct xs_conn *conn, const struct xs_http_head *head)
{
    xt_bytes_free(&conn->uri);
    xt_append(&conn->uri, head->target);
}

enum xs_err xs_conn_upgrade(struct xs_conn *conn, const struct xs_http_head *head)
{
    for (size_t i = 0; i < conn->host->protocol_count; i++) {
        struct xt_protocol *protocol = &conn->host->protocols[i];

        if (protocol->ops.upgrade == NULL ||
            !xs_http_header_has(head, "Upgrade", protocol->ops.upgrade))
            continue;
        DEMAND(!conn->upgraded, "an upgrade twice");
        if (conn->protocol->ops.close != NULL)
            conn->protocol->ops.close(conn->protocol_state, conn);
        conn->old_state = conn->protocol_state;
        /* The caller must not look at its state any more: make that visible. */
        if (conn->old_state != NULL)
            memset(conn->old_state, 0xdd, conn->protocol->ops.state_size);
        serve_with(conn, protocol);
        conn->upgraded = true;
        fail(conn, protocol->ops.open_upgraded(conn->protocol_state, conn, head));
        return XS_OK;
    }
    return XS_ENOTFOUND;
}

enum xs_err xs_conn_choose_subprotocol(struct xs_conn *conn, struct xs_slice name)
{
    DEMAND(conn->sub == NULL, "a subprotocol was chosen already");
    for (size_t i = 0; i < conn->host->subprotocol_count; i++) {
        struct xt_subprotocol *sub = &conn->host->subprotocols[i];

        if (!xs_slice_equal(xs_slice_of(sub->ops.token), name))
            continue;
        conn->sub = sub;
        if (sub->ops.state_size > 0)
            conn->sub_state = take(sub->ops.state_size);
        return XS_OK;
    }
    return XS_ENOTFOUND;
}

const struct xs_subprotocol_ops *xs_conn_subprotocol(const struct xs_conn *conn)
{
    return conn->sub != NULL ? &conn->sub->ops : NULL;
}

enum xs_err xs_conn_payload(struct xs_conn *conn, char *at, size_t len, bool binary)
{
    struct xt_payload_record *kept;
    struct xs_slice payload = { at, len };

    DEMAND(conn->in_module, "a payload outside of a module");
    DEMAND(conn->sub_open, "a payload before xs_conn_ready()");
    if (xs_conn_closing(conn))
        return XS_OK;
    conn->payloads = grow(conn->payloads, (conn->payload_count + 1) * sizeof *kept);
    kept = &conn->payloads[conn->payload_count++];
    kept->at = text_of(payload);
    kept->len = len;
    kept->binary = binary;
    if (conn->on_payload != NULL)
        conn->on_payload(conn, payload, binary, conn->context);
    return conn->sub->ops.decode(conn->sub_state, conn, at, len, binary);
}

void xs_conn_set_variant(struct xs_conn *conn, uint32_t variant)
{
    if (conn->ready_count > 0)
        variant =
            (conn->variant & XS_VARIANT_OF_PROTOCOL) | (variant & ~XS_VARIANT_OF_PROTOCOL);
    conn->variant = variant;
}

void xs_conn_set_pace(struct xs_conn *conn, unsigned ms)
{
    conn->pace = ms;
}

/* Whether a comma list holds the word, without case. */
static bool lists(const char *list, struct xs_slice word)
{
    while (*list != '\0') {
        size_t n = strcspn(list, ",");

        if (n == word.len && strncasecmp(list, word.at, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

enum xs_err xs_conn_open_controller(struct xs_conn *conn, struct xs_slice controller)
{
    if (conn->host->known_controllers != NULL &&
        !lists(conn->host->known_controllers, controller))
        return XS_ENOTFOUND;
    for (size_t i = 0; i < conn->opened.count; i++)
        if (strlen(conn->opened.at[i]) == controller.len &&
            strncasecmp(conn->opened.at[i], controller.at, controller.len) == 0)
            return XS_OK;
    list_add(&conn->opened, text_of(controller));
    return XS_OK;
}

enum xs_err xs_conn_subscribe(struct xs_conn *conn, struct xs_slice controller,
                              struct xs_slice topic)
{
    struct xt_bytes pair = { NULL, 0, 0 };
    bool open = false;

    for (size_t i = 0; i < conn->opened.count; i++)
        open = open || (strlen(conn->opened.at[i]) == controller.len &&
                        strncasecmp(conn->opened.at[i], controller.at, controller.len) == 0);
    if (!open)
        return XS_ENOTFOUND;
    xt_append(&pair, controller);
    xt_append(&pair, XS_SLICE("|"));
    xt_append(&pair, topic);
    list_add(&conn->subscriptions, pair.at);
    return XS_OK;
}

const struct xs_settings *xs_conn_protocol_settings(const struct xs_conn *conn)
{
    return conn->protocol->settings;
}

const struct xs_settings *xs_conn_subprotocol_settings(const struct xs_conn *conn)
{
    return conn->sub->settings;
}

void *xs_conn_worker_state(const struct xs_conn *conn)
{
    return conn->protocol->worker_state;
}

void *xs_conn_protocol_state(const struct xs_conn *conn)
{
    return conn->protocol_state;
}

bool xs_conn_draining(const struct xs_conn *conn)
{
    return conn->host->draining;
}

/* What the daemon allows of answers that nobody reads. */
#define PRESSED ((size_t)1024 * 1024)

bool xs_conn_busy(const struct xs_conn *conn)
{
    return conn->phase == XT_OPEN &&
           (conn->waits_for_disk || xs_conn_queued_control(conn) > PRESSED);
}

void xs_conn_expect(struct xs_conn *conn, uint64_t ms)
{
    DEMAND(conn->in_module, "expect outside of a module");
    conn->expect_count++;
    conn->expected_ms = ms;
}

/* ---- files ---- */

void xs_folder_keep(const struct xs_folder *folder, size_t all, size_t each)
{
    DEMAND(folder != NULL && starting != NULL, "a folder is kept from worker_start()");
    starting->kept_all = all;
    starting->kept_each = each;
}

/* As the daemon: parts that are names, one slash between two. */
static bool is_path(struct xs_slice path)
{
    size_t begin = 0;

    for (size_t i = 0; i <= path.len; i++) {
        struct xs_slice part = { path.at + begin, i - begin };

        if (i < path.len && path.at[i] == '\0')
            return false;
        if (i < path.len && path.at[i] != '/')
            continue;
        if (part.len == 0 || xs_slice_equal(part, XS_SLICE(".")) ||
            xs_slice_equal(part, XS_SLICE("..")))
            return false;
        begin = i + 1;
    }
    return true;
}

static enum xs_err find_file(struct xs_conn *conn, struct xs_slice path,
                             struct xs_file_facts *facts)
{
    const struct xt_file *file = conn->host->files;

    while (file != NULL && file->path != NULL && !xs_slice_equal(path, xs_slice_of(file->path)))
        file++;
    if (file == NULL || file->path == NULL)
        return XS_ENOTFOUND;
    if (file->err != XS_OK)
        return file->err;
    conn->file = file;
    conn->file_count++;
    facts->is_folder = file->content == NULL;
    facts->length = file->content != NULL ? strlen(file->content) : 0;
    facts->modified = file->modified;
    facts->modified_ns = file->modified_ns;
    return XS_OK;
}

enum xs_err xs_conn_open_file(struct xs_conn *conn, const struct xs_folder *folder,
                              struct xs_slice path, struct xs_file_facts *facts)
{
    DEMAND(conn->in_module && !conn->waits_for_disk, "a file is asked for out of turn");
    DEMAND(facts->size == sizeof *facts, "the member size is not set");
    DEMAND(folder != NULL && is_path(path), "this is no path below a folder");
    conn->file = NULL;
    if (!conn->host->disk_waits)
        return find_file(conn, path, facts);
    if (conn->told) {
        conn->told = false;
        DEMAND(xs_slice_equal(path, xt_slice(&conn->asked)), "another file was asked for");
        return find_file(conn, path, facts);
    }
    xt_bytes_free(&conn->asked);
    xt_append(&conn->asked, path);
    conn->waits_for_disk = true;
    return XS_EAGAIN;
}

void xs_conn_send_file(struct xs_conn *conn, uint64_t offset, uint64_t length,
                       xs_file_sent_cb sent)
{
    const struct xt_file *file = conn->file;
    struct xs_slice bytes;

    DEMAND(conn->in_module && file != NULL && file->content != NULL, "there is no open file");
    DEMAND(length <= strlen(file->content) && offset <= strlen(file->content) - length,
           "this is not in the file");
    bytes = (struct xs_slice){ file->content + (size_t)offset, (size_t)length };
    if (conn->host->disk_waits && length > 0) {
        conn->sends = bytes;
        conn->sent = sent;
        conn->waits_for_disk = true;
        return;
    }
    xs_conn_write(conn, bytes);
    conn->file = NULL;
    if (sent != NULL)
        sent(conn->protocol_state, conn);
}

void xs_conn_close_file(struct xs_conn *conn)
{
    DEMAND(conn->in_module, "a file is closed outside of a module");
    conn->file = NULL;
}

bool xs_conn_closing(const struct xs_conn *conn)
{
    return conn->phase == XT_CLOSING || conn->phase == XT_ENDED;
}

/* ---- a socket ---- */

void xt_wire_init(struct xs_wire *wire)
{
    memset(wire, 0, sizeof *wire);
    wire->takes = SIZE_MAX;
}

void xt_wire_fini(struct xs_wire *wire)
{
    xt_bytes_free(&wire->delivered);
    xt_bytes_free(&wire->sent);
}

bool xs_wire_deliver(struct xs_wire *wire, char *at, size_t len)
{
    xt_append(&wire->delivered, (struct xs_slice){ at, len });
    wire->deliver_count++;
    return !wire->gone;
}

void xs_wire_ready(struct xs_wire *wire)
{
    wire->ready_count++;
}

enum xs_err xs_wire_write(struct xs_wire *wire, const struct xs_slice *parts, size_t count,
                          size_t *taken)
{
    *taken = 0;
    if (wire->failed)
        return XS_EIO;
    for (size_t i = 0; i < count; i++) {
        size_t n = parts[i].len < wire->takes ? parts[i].len : wire->takes;

        xt_append(&wire->sent, (struct xs_slice){ parts[i].at, n });
        *taken += n;
        wire->takes -= wire->takes == SIZE_MAX ? 0 : n;
        if (n < parts[i].len)
            return XS_EAGAIN;
    }
    return XS_OK;
}

void *xs_wire_worker_state(struct xs_wire *wire)
{
    return wire->worker_state;
}

/* ---- messages out ---- */

struct xs_message *xt_message_new(const char *controller, const char *topic,
                                  struct xs_data data)
{
    struct xs_message msg;
    struct xs_message *copy;

    memset(&msg, 0, sizeof msg);
    msg.controller = xs_slice_of(controller);
    msg.topic = xs_slice_of(topic);
    msg.data = data.bytes;
    msg.form = (uint8_t)data.form;
    copy = xs_message_copy(&msg);
    DEMAND(copy != NULL, "out of memory");
    return copy;
}

struct xs_message *xt_message_new_blob(const char *controller, const char *topic,
                                       struct xs_data data, struct xs_slice blob)
{
    struct xs_message msg;
    struct xs_message *copy;

    memset(&msg, 0, sizeof msg);
    msg.controller = xs_slice_of(controller);
    msg.topic = xs_slice_of(topic);
    msg.data = data.bytes;
    msg.form = (uint8_t)data.form;
    msg.blob = blob;
    msg.has_blob = true;
    copy = xs_message_copy(&msg);
    DEMAND(copy != NULL, "out of memory");
    return copy;
}

void xt_message_free(struct xs_message *msg)
{
    xs_message_unref(msg);
}

static enum xs_err encode_shared(struct xs_conn *conn, const struct xs_encoder *by,
                                 const struct xs_message *msg, struct xs_buf *out, bool *binary)
{
    enum xs_view view = by->sub != NULL ? by->sub->view : by->protocol->view;
    struct xs_buf scratch;
    struct xs_slice data;
    enum xs_err err;

    memset(&scratch, 0, sizeof scratch);
    err = xs_data_view(xs_message_data(msg), view, &scratch, 2 * conn->host->limits.message,
                       &data);
    if (err == XS_OK)
        err = by->protocol != NULL ? by->protocol->encode(by, msg, data, out)
                                   : by->sub->encode(by->variant, msg, data, out, binary);
    xs_free(scratch.at);
    return err;
}

enum xs_err xt_encode(struct xs_conn *conn, const struct xs_message *msg,
                      const struct xs_personal *who, struct xt_bytes *out, bool *binary)
{
    struct xs_encoder by = { conn->protocol != NULL ? &conn->protocol->ops : NULL,
                             conn->sub != NULL ? &conn->sub->ops : NULL, conn->variant,
                             conn->protocol != NULL ? conn->protocol->worker_state : NULL };
    bool always = by.protocol != NULL && by.protocol->personal_always;
    struct xs_personal whole = { .size = sizeof whole };
    struct xs_buf shared;
    struct xs_edges edges;
    struct xs_slice bytes;
    bool is_binary = false;
    enum xs_err err;

    if (who != NULL)
        whole = *who;
    whole.self = always ? conn->protocol_state : NULL;
    if (who != NULL || always)
        by.variant &= ~XS_VARIANT_PACKED;
    xt_bytes_free(out);
    memset(&shared, 0, sizeof shared);
    memset(&edges, 0, sizeof edges);
    err = encode_shared(conn, &by, msg, &shared, &is_binary);
    DEMAND(!shared.failed, "an encoder passed a limit");
    if (binary != NULL)
        *binary = is_binary;
    bytes = (struct xs_slice){ shared.at, shared.len };
    if (err == XS_OK && (who != NULL || always) && bytes.len > 0) {
        if (by.protocol != NULL && by.protocol->personal != NULL)
            by.protocol->personal(&by, &whole, bytes, &edges);
        else if (by.protocol == NULL && by.sub->personal != NULL)
            by.sub->personal(by.variant, &whole, bytes, &edges);
    }
    DEMAND(edges.skip + edges.drop <= bytes.len, "personal() leaves out more than there is");
    DEMAND(edges.head_len <= sizeof edges.head && edges.tail_len <= sizeof edges.tail,
           "personal() wrote more than there is room for");
    if (err == XS_OK && bytes.len > 0) {
        xt_append(out, (struct xs_slice){ edges.head, edges.head_len });
        xt_append(out, (struct xs_slice){ bytes.at + edges.skip,
                                          bytes.len - edges.skip - edges.drop });
        xt_append(out, (struct xs_slice){ edges.tail, edges.tail_len });
    }
    xs_free(shared.at);
    return err;
}
