/* websocket.h - what the fuzz targets of frames share: a receiver, frames built from the input,
 * and the claim that it does not matter how bytes are cut. */
#ifndef FUZZ_WEBSOCKET_H
#define FUZZ_WEBSOCKET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

const struct xs_plugin *xs_plugin_entry(void);

#define DEMAND(claim)                                                                          \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim);                        \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

enum { LIMIT = 400 };

static enum xs_err any_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                              bool binary)
{
    (void)self;
    (void)conn;
    DEMAND(len <= LIMIT);
    DEMAND(binary || xs_utf8_valid(at, len));
    if (len > 0)
        memset(at, 0xee, len);
    /* A receiver may refuse, and close. */
    if (len == 7)
        return XS_EINVAL;
    if (len == 9)
        xs_conn_close(conn, XS_CLOSE_REFUSED, "nine");
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

static const struct xs_subprotocol_ops any_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "any",
    .token = "",
    .decode = any_decode,
    .encode = any_encode,
};

#define HEADER(name, value)                                                                    \
    {                                                                                          \
        { (name), sizeof(name) - 1 },                                                          \
        {                                                                                      \
            (value), sizeof(value) - 1                                                         \
        }                                                                                      \
    }

/* With what it offers in Sec-WebSocket-Extensions. */
static struct xs_conn *client_new(struct xt_host *host, const char *offer)
{
    const struct xs_http_header headers[] = {
        HEADER("Host", "x"),
        HEADER("Upgrade", "websocket"),
        HEADER("Connection", "Upgrade"),
        HEADER("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        HEADER("Sec-WebSocket-Version", "13"),
        { XS_SLICE("Sec-WebSocket-Extensions"), xs_slice_of(offer) },
    };
    struct xs_http_head head;
    struct xs_conn *conn;

    memset(&head, 0, sizeof head);
    head.size = sizeof head;
    head.method = XS_SLICE("GET");
    head.target = head.path = XS_SLICE("/");
    head.query = XS_SLICE("");
    head.minor = 1;
    head.headers = headers;
    head.header_count = sizeof headers / sizeof headers[0];
    conn = xt_conn_new_upgraded(host, "websocket", &head);
    DEMAND(conn->ready_count == 1);
    xt_forget(conn);
    return conn;
}

/* One frame from the front of the input: its first byte; how its length is written (0: in the
 * second byte, 1: in two bytes, 2: in eight, whether or not that is right; bit 7: without a
 * mask); its length; the payload in clear. */
static void build(struct xt_bytes *to, const uint8_t **at, size_t *left)
{
    static const unsigned char key[4] = { 0x12, 0xc3, 0x80, 0x7f };
    const uint8_t *in = *at;
    size_t len = in[2], payload, extended = (in[1] & 3) == 0 ? 0 : (in[1] & 3) == 1 ? 2 : 8;
    bool masked = (in[1] & 0x80) == 0;
    char header[14];
    size_t n = 0;

    if (extended > 0 && (in[1] & 0x40) != 0)
        len += 126;
    header[n++] = (char)in[0];
    header[n++] = (char)((masked ? 0x80 : 0) | (extended == 2   ? 126
                                                : extended == 8 ? 127
                                                                : (int)(len & 0x7f)));
    if (extended == 0)
        len &= 0x7f;
    for (size_t i = extended; i > 0; i--)
        header[n++] = (char)((uint64_t)len >> (8 * (i - 1)) & 0xff);
    if (masked) {
        memcpy(header + n, key, 4);
        n += 4;
    }
    xt_append(to, (struct xs_slice){ header, n });
    payload = *left - 3 < len ? *left - 3 : len;
    for (size_t i = 0; i < payload; i++) {
        char c = (char)(in[3 + i] ^ (masked ? key[i & 3] : 0));

        xt_append(to, (struct xs_slice){ &c, 1 });
    }
    *at += 3 + payload;
    *left -= 3 + payload;
}

static bool same(struct xs_slice a, struct xs_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void check_same(const struct xs_conn *a, const struct xs_conn *b)
{
    DEMAND(a->payload_count == b->payload_count);
    for (size_t i = 0; i < a->payload_count; i++) {
        const struct xt_payload_record *x = &a->payloads[i], *y = &b->payloads[i];

        DEMAND(x->binary == y->binary);
        DEMAND(same((struct xs_slice){ x->at, x->len }, (struct xs_slice){ y->at, y->len }));
    }
    DEMAND(same(xt_slice(&a->written), xt_slice(&b->written)));
    DEMAND(a->phase == b->phase && a->reason == b->reason);
    DEMAND(a->frames == b->frames);
}

/* What we wrote must be whole control frames, unmasked, and nothing behind a close frame. */
static void check_written(struct xs_slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    size_t i = 0;

    while (i < bytes.len) {
        DEMAND(bytes.len - i >= 2 && (at[i] == 0x88 || at[i] == 0x8a));
        DEMAND(at[i + 1] <= 125 && bytes.len - i - 2 >= at[i + 1]);
        DEMAND(at[i] != 0x88 || i + 2 + at[i + 1] == bytes.len);
        i += 2 + (size_t)at[i + 1];
    }
}

/* However the bytes are cut, the same must come of them. `how`: bit 1: we have closed already;
 * the bits from 2 on are the size of the reads. */
static void check_cuts(struct xs_slice bytes, unsigned how, const char *const *settings,
                       const char *offer)
{
    struct xt_host *host = xt_host_new();
    struct xs_conn *ways[3];

    host->limits.message = LIMIT;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "websocket"), settings);
    xt_host_subprotocol(host, &any_ops, NULL);
    for (size_t i = 0; i < 3; i++) {
        ways[i] = client_new(host, offer);
        if ((how & 2) != 0)
            xt_close(ways[i], XS_CLOSE_GOING_AWAY, "we stop");
    }
    if (bytes.len > 0)
        xt_feed(ways[0], bytes);
    xt_feed_bytewise(ways[1], bytes);
    xt_feed_steps(ways[2], bytes, 2 + (how >> 2));
    check_same(ways[0], ways[1]);
    check_same(ways[0], ways[2]);
    check_written(xt_slice(&ways[0]->written));
    for (size_t i = 0; i < 3; i++)
        xt_conn_free(ways[i]);
    xt_host_free(host);
}

#endif
