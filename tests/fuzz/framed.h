/* framed.h - the fuzz target of a protocol with a greeting by name and frames. Included by a
 * file that defines, before:
 *
 *   TARGET_NAME        of the module
 *   TARGET_GREETING    what a client sends first
 *   check_message()    fails unless a delivered message may come of this format
 *   check_frame()      fails unless these bytes are one frame
 *   TARGET_KEEPS_NAMES if its clients get the name of a controller as they first wrote it
 *
 * The first byte of an input says how: bit 0 puts the greeting in front, bit 1 lets it fall
 * silent first, the rest is the size of the reads. The same bytes at once and in pieces must do
 * the same; what is delivered, said again, must be one frame that means the same. */
#ifndef XT_FUZZ_FRAMED_H
#define XT_FUZZ_FRAMED_H

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
    fprintf(stderr, "%s:%d: %s\n", TARGET_NAME, line, claim);
    abort();
}

static void check_message(const struct xs_incoming *got);
static void check_frame(struct xs_slice bytes);

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
        DEMAND(got->data.form != XS_JSON || xs_json_valid(got->data.bytes, 64));
        DEMAND(got->data.form != XS_JSON_ESCAPED || xs_json_valid_escaped(got->data.bytes, 64));
        DEMAND(!got->has_blob);
        check_message(got);
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

/* The name under which a client gets a controller that it has written. */
static struct xs_slice name_of(const struct xs_conn *conn, struct xs_slice controller)
{
#ifdef TARGET_KEEPS_NAMES
    for (size_t i = 0; i < conn->delivered_count; i++)
        if (xs_slice_equal_nocase(conn->delivered[i].incoming.controller, controller))
            return conn->delivered[i].incoming.controller;
#endif
    (void)conn;
    return controller;
}

/* A message that came in a frame must fit into one, unless its names hold what no frame can
 * say; and then be read as the same message. `to` gets it, who sent it, or somebody new (NULL).
 */
static void check_round(struct xt_host *host, struct xs_conn *to, const struct xs_incoming *got)
{
    struct xs_slice name = to != NULL ? name_of(to, got->controller) : got->controller;
    struct xs_message msg;
    struct xt_bytes frame = { NULL, 0, 0 };
    struct xs_conn *conn = xt_conn_new(host);

    memset(&msg, 0, sizeof msg);
    msg.controller = got->controller;
    msg.topic = got->topic;
    msg.data = got->data.bytes;
    msg.form = (uint8_t)got->data.form;
    xt_feed(conn, XS_SLICE(TARGET_GREETING "\n"));
    if (xt_encode(to != NULL ? to : conn, &msg, NULL, &frame, NULL) == XS_OK && frame.len > 0) {
        check_frame(xt_slice(&frame));
        xt_feed(conn, xt_slice(&frame));
        DEMAND(conn->delivered_count + conn->errors.count == 1);
        if (conn->delivered_count == 1)
            DEMAND(same(conn->delivered[0].incoming.controller, name));
        DEMAND(conn->close_count == 0 && conn->pending.len == 0);
    }
    xt_bytes_free(&frame);
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
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), TARGET_NAME), NULL);
    whole = xt_conn_new(host);
    pieces = xt_conn_new(host);
    if ((how & 1) != 0) {
        xt_feed(whole, XS_SLICE(TARGET_GREETING));
        xt_feed(pieces, XS_SLICE(TARGET_GREETING));
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
    for (size_t i = 0; i < whole->delivered_count && i < 8; i++) {
        check_round(host, NULL, &whole->delivered[i].incoming);
        if (whole->phase == XT_OPEN)
            check_round(host, whole, &whole->delivered[i].incoming);
    }
    xt_conn_free(whole);
    xt_conn_free(pieces);
    xt_host_free(host);
    return 0;
}

/* ---- for formats of three parts ---- */

static inline void check_parts(const struct xs_incoming *got)
{
    DEMAND(got->data.form != XS_JSON_ESCAPED);
    DEMAND(memchr(got->controller.at, '|', got->controller.len) == NULL);
    DEMAND(memchr(got->topic.at, '|', got->topic.len) == NULL);
    DEMAND(got->qos == 0 && !got->has_correlation);
}

/* ---- for frames between 0x00 and 0xFF ---- */

static inline void check_xframe(struct xs_slice bytes)
{
    DEMAND(bytes.len >= 3 && bytes.at[0] == '\0' && bytes.at[bytes.len - 1] == '\xff');
    DEMAND(memchr(bytes.at + 1, '\0', bytes.len - 1) == NULL);
    DEMAND(memchr(bytes.at, 0xff, bytes.len - 1) == NULL);
}

#endif
