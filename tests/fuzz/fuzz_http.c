/* host: fake
 * needs: modules/protocols/http/answer.c modules/protocols/http/conditions.c
 * needs: modules/protocols/http/date.c modules/protocols/http/files.c
 * needs: modules/protocols/http/http.c modules/protocols/http/path.c
 * needs: modules/protocols/http/request.c modules/protocols/http/types.c
 * needs: tests/conformance/entry_websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: http_parser wslay crypto zlib */
/* fuzz_http - request heads, files, and the WebSocket handshake behind an upgrade.
 *
 * The first byte is the size of the reads, and whether the disk answers at once. At once, byte
 * by byte and in pieces the answers must be the same; every answer must be whole; what was
 * served must not have held anything that two readers could read differently; and the host asks
 * of every path that it lies below a folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

const struct xs_plugin *xs_plugin_entry(void);
const struct xs_plugin *xs_entry_websocket(void);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(claim)                                                                          \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim);                        \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

static enum xs_err any_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                              bool binary)
{
    (void)self;
    (void)conn;
    (void)at;
    (void)len;
    (void)binary;
    return XS_OK;
}

static enum xs_err any_encode(uint32_t variant, const struct xs_message *msg,
                              struct xs_slice data, struct xs_buf *out, bool *binary)
{
    (void)variant;
    (void)msg;
    (void)binary;
    xs_buf_append(out, data);
    return XS_OK;
}

static const struct xs_subprotocol_ops bare_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "bare",
    .token = "",
    .decode = any_decode,
    .encode = any_encode,
};
static const struct xs_subprotocol_ops named_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "named",
    .token = "XSocketsNET",
    .client_speaks_first = true,
    .decode = any_decode,
    .encode = any_encode,
};

static const struct xt_file folder[] = {
    { "index.html", "<p>hello", 784111777, 0, XS_OK },
    { "a", "content", 784111777, 1, XS_OK },
    { "sub", NULL, 784111777, 0, XS_OK },
    { "no", NULL, 0, 0, XS_EREFUSED },
    { NULL, NULL, 0, 0, XS_OK },
};

/* The second may change while we ask. */
static void hide_dates(struct xs_conn *conn)
{
    for (char *at = conn->written.at; at != NULL && (at = strstr(at, "\r\nDate: ")) != NULL;)
        memset(at += 8, 'D', 29);
}

static bool same(struct xs_slice a, struct xs_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void check_same(const struct xs_conn *a, const struct xs_conn *b)
{
    DEMAND(same(xt_slice(&a->written), xt_slice(&b->written)));
    DEMAND(same(xt_slice(&a->query), xt_slice(&b->query)));
    DEMAND(same(xt_slice(&a->uri), xt_slice(&b->uri)));
    DEMAND(a->phase == b->phase && a->reason == b->reason);
    DEMAND(a->ready_count == b->ready_count && a->payload_count == b->payload_count);
    DEMAND(a->sub == b->sub);
}

/* Every answer: a status line, a length that is the body's, and only the last may close. What
 * follows a 101 is not ours. */
static void check_answers(const struct xs_conn *conn)
{
    const char *at = conn->written.at, *end = at != NULL ? at + conn->written.len : NULL;

    while (at < end) {
        const char *body = strstr(at, "\r\n\r\n"), *length, *close;
        unsigned long status, bytes = 0;

        DEMAND(strncmp(at, "HTTP/1.1 ", 9) == 0 && body != NULL);
        status = strtoul(at + 9, NULL, 10);
        if (status == 101) {
            DEMAND(body + 4 - at <= 1024 && conn->ready_count == 1);
            return;
        }
        body += 4;
        length = strstr(at, "\r\nContent-Length: ");
        close = strstr(at, "\r\nConnection: close\r\n");
        if (length != NULL && length < body)
            bytes = strtoul(length + 18, NULL, 10);
        else
            DEMAND(status == 204 || status == 304);
        /* A HEAD request is answered without the body. */
        if (body == end || (strncmp(body, "HTTP/1.1 ", 9) == 0 && body[9] <= '9'))
            bytes = 0;
        DEMAND((size_t)(end - body) >= bytes);
        at = body + bytes;
        DEMAND(close == NULL || close > body || (at == end && conn->close_count > 0));
    }
}

/* What a connection that goes on has taken so far holds whole lines of clean characters. */
static void check_taken(const struct xs_conn *conn, struct xs_slice bytes)
{
    size_t taken = bytes.len - conn->pending.len;

    if (conn->phase != XT_OPEN || strcmp(conn->protocol->ops.name, "http") != 0)
        return;
    for (size_t i = 0; i < taken; i++) {
        unsigned char c = (unsigned char)bytes.at[i];

        DEMAND(c >= ' ' || c == '\t' || c == '\r' || c == '\n');
        DEMAND(c != '\n' || (i > 0 && bytes.at[i - 1] == '\r'));
        DEMAND(c != '\r' || (i + 1 < bytes.len && bytes.at[i + 1] == '\n'));
        DEMAND(c != '\n' || i + 1 >= taken ||
               (bytes.at[i + 1] != ' ' && bytes.at[i + 1] != '\t'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xt_host *host;
    static const char *const pairs[] = { "document_root", "page", NULL };
    struct xs_conn *ways[3];
    struct xs_slice bytes;

    if (size == 0)
        return 0;
    bytes = (struct xs_slice){ (const char *)data + 1, size - 1 };
    host = xt_host_new();
    host->limits.head = 1024;
    host->files = folder;
    host->disk_waits = (data[0] & 0x80) != 0;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), pairs);
    xt_host_protocol(host, xt_plugin_protocol(xs_entry_websocket(), "websocket"), NULL);
    xt_host_subprotocol(host, &bare_ops, NULL);
    xt_host_subprotocol(host, &named_ops, NULL);
    for (size_t i = 0; i < 3; i++) {
        ways[i] = xt_conn_new(host);
        ways[i]->peer_reads = false;
    }
    if (bytes.len > 0)
        xt_feed(ways[0], bytes);
    xt_feed_bytewise(ways[1], bytes);
    xt_feed_steps(ways[2], bytes, 1 + (size_t)(data[0] & 0x7f));
    for (size_t i = 0; i < 3; i++) {
        while (ways[i]->waits_for_disk)
            xt_disk(ways[i]);
        hide_dates(ways[i]);
    }
    check_same(ways[0], ways[1]);
    check_same(ways[0], ways[2]);
    check_answers(ways[0]);
    check_taken(ways[0], bytes);
    for (size_t i = 0; i < 3; i++)
        xt_conn_free(ways[i]);
    xt_host_free(host);
    return 0;
}
