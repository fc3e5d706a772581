/* host: fake
 * needs: modules/protocols/text/text.c */
/* fuzz_text - the greeting and the lines of PuttyProtocol.
 *
 * The first byte says how: bit 0 puts a greeting in front, bit 1 lets it fall silent first, the
 * rest is the size of the reads. The same bytes at once and in pieces must do the same; what is
 * delivered must be UTF-8, and said again it must be one line that means the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "host.h"
#include "message/json.h"
#include "message/message.h"

const struct xs_plugin *xs_plugin_entry(void);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(claim) ((claim) ? (void)0 : failed(__LINE__, #claim))

static _Noreturn void failed(int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", __FILE__, line, claim);
    abort();
}

static bool same(struct xs_slice a, struct xs_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void check_delivered(const struct xs_conn *conn)
{
    for (size_t i = 0; i < conn->delivered_count; i++) {
        const struct xs_incoming *got = &conn->delivered[i].incoming;

        DEMAND(xs_utf8_valid(got->controller.at, got->controller.len));
        DEMAND(xs_utf8_valid(got->topic.at, got->topic.len));
        DEMAND(xs_utf8_valid(got->data.bytes.at, got->data.bytes.len));
        DEMAND(got->data.form != XS_JSON_ESCAPED);
        DEMAND(got->data.form != XS_JSON || xs_json_valid(got->data.bytes, 64));
        DEMAND(memchr(got->controller.at, '|', got->controller.len) == NULL);
        DEMAND(memchr(got->topic.at, '|', got->topic.len) == NULL);
        DEMAND(!got->has_blob && got->qos == 0 && !got->has_correlation);
    }
}

static void check_same(const struct xs_conn *a, const struct xs_conn *b)
{
    DEMAND(a->delivered_count == b->delivered_count);
    for (size_t i = 0; i < a->delivered_count; i++) {
        const struct xs_incoming *x = &a->delivered[i].incoming, *y = &b->delivered[i].incoming;

        DEMAND(same(x->controller, y->controller) && same(x->topic, y->topic));
        DEMAND(same(x->data.bytes, y->data.bytes) && x->data.form == y->data.form);
    }
    DEMAND(same(xt_slice(&a->written), xt_slice(&b->written)));
    DEMAND(same(xt_slice(&a->query), xt_slice(&b->query)));
    DEMAND(a->errors.count == b->errors.count && a->frames == b->frames);
    DEMAND((a->close_count > 0) == (b->close_count > 0) && a->reason == b->reason);
}

/* A message that came from a line must fit into a line, unless its names hold control
 * characters; and then be read as the same message. */
static void check_round(struct xt_host *host, const struct xs_incoming *got)
{
    struct xs_message msg;
    struct xt_bytes line = { NULL, 0, 0 };
    struct xs_conn *conn = xt_conn_new(host);

    memset(&msg, 0, sizeof msg);
    msg.controller = got->controller;
    msg.topic = got->topic;
    msg.data = got->data.bytes;
    msg.form = (uint8_t)got->data.form;
    xt_feed(conn, XS_SLICE("PuttyProtocol\n"));
    if (xt_encode(conn, &msg, NULL, &line, NULL) == XS_OK) {
        DEMAND(line.len >= 4 && memcmp(line.at + line.len - 2, "\r\n", 2) == 0);
        DEMAND(memchr(line.at, '\n', line.len) == line.at + line.len - 1);
        DEMAND(memchr(line.at, '\r', line.len) == line.at + line.len - 2);
        xt_feed(conn, xt_slice(&line));
        DEMAND(conn->delivered_count + conn->errors.count == 1);
        if (conn->delivered_count == 1)
            DEMAND(same(conn->delivered[0].incoming.controller, got->controller));
        DEMAND(conn->close_count == 0);
    }
    xt_bytes_free(&line);
    xt_conn_free(conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xt_host *host;
    struct xs_conn *whole, *pieces;
    struct xs_slice bytes;
    unsigned how;

    if (size == 0)
        return 0;
    how = data[0];
    bytes = (struct xs_slice){ (const char *)data + 1, size - 1 };
    host = xt_host_new();
    host->limits.message = 512;
    host->limits.name = 64;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "text"), NULL);
    whole = xt_conn_new(host);
    pieces = xt_conn_new(host);
    if ((how & 1) != 0) {
        xt_feed(whole, XS_SLICE("PuttyProtocol"));
        xt_feed(pieces, XS_SLICE("PuttyProtocol"));
        if ((how & 2) != 0)
            xt_quiet(pieces);
    }
    if (bytes.len > 0)
        xt_feed(whole, bytes);
    xt_feed_steps(pieces, bytes, 1 + (how >> 2));
    /* At once, a greeting that is none is nobody's; after the welcome it breaks the protocol.
     */
    if (whole->reason != XS_CLOSE_UNKNOWN_PROTOCOL && whole->phase != XT_MATCHING)
        check_same(whole, pieces);
    check_delivered(whole);
    check_delivered(pieces);
    /* Escapes make what goes out longer than what came. */
    host->limits.message = 8192;
    for (size_t i = 0; i < whole->delivered_count && i < 8; i++)
        check_round(host, &whole->delivered[i].incoming);
    xt_conn_free(whole);
    xt_conn_free(pieces);
    xt_host_free(host);
    return 0;
}
