/* websocket_util.h - what the tests of the websocket module share: subprotocols that do
 * nothing, a handshake, frames as a client sends them. */
#ifndef WEBSOCKET_UTIL_H
#define WEBSOCKET_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conformance/host.h"

const struct xs_plugin *xs_plugin_entry(void);

/* ---- subprotocols ---- */

static inline enum xs_err any_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                                     bool binary)
{
    (void)self;
    (void)conn;
    (void)binary;
    /* What may be overwritten is. */
    if (len > 0)
        memset(at, 0xee, len);
    return XS_OK;
}

static inline enum xs_err any_encode(uint32_t variant, const struct xs_message *msg,
                                     struct xs_slice data, struct xs_buf *out, bool *binary)
{
    struct xs_slice blob = xs_message_blob(msg, binary);

    (void)variant;
    if (xs_slice_equal(xs_message_topic(msg), XS_SLICE("refused")))
        return XS_EREFUSED;
    if (xs_slice_equal(xs_message_topic(msg), XS_SLICE("nothing")))
        return XS_OK;
    xs_buf_append(out, *binary ? blob : data);
    return XS_OK;
}

/* Takes the last byte off and puts N there: {"a":1} -> {"a":1,"N":5}. Or, for a QoS id, does so
 * in front: {"a":1} -> {"Q":1,"a":1}. */
static inline void any_personal(uint32_t variant, const struct xs_personal *who,
                                struct xs_slice payload, struct xs_edges *edges)
{
    (void)variant;
    if (payload.len == 0)
        return;
    if (who->qos_id != 0) {
        edges->skip = 1;
        edges->head_len = 7;
        memcpy(edges->head, "{\"Q\":1,", 7);
    }
    if (!who->has_correlation)
        return;
    edges->drop = 1;
    edges->tail_len = 7;
    memcpy(edges->tail, ",\"N\":5}", 7);
}

static const struct xs_subprotocol_ops bare_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "bare",
    .token = "",
    .view = XS_VIEW_RAW,
    .decode = any_decode,
    .encode = any_encode,
    .personal = any_personal,
};
static const struct xs_subprotocol_ops named_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "named",
    .token = "Named",
    .view = XS_VIEW_JSON,
    .decode = any_decode,
    .encode = any_encode,
};
static const struct xs_subprotocol_ops shy_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "shy",
    .token = "Shy",
    .view = XS_VIEW_RAW,
    .client_speaks_first = true,
    .decode = any_decode,
    .encode = any_encode,
};

/* ---- a handshake ---- */

#define HEADER(name, value)                                                                    \
    {                                                                                          \
        { (name), sizeof(name) - 1 },                                                          \
        {                                                                                      \
            (value), sizeof(value) - 1                                                         \
        }                                                                                      \
    }

static const struct xs_http_header good_headers[] = {
    HEADER("Host", "localhost:4502"),
    HEADER("Upgrade", "websocket"),
    HEADER("Connection", "Upgrade"),
    HEADER("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    HEADER("Sec-WebSocket-Version", "13"),
};

static inline struct xs_http_head head_of(const struct xs_http_header *headers, size_t count)
{
    struct xs_http_head head;

    memset(&head, 0, sizeof head);
    head.size = sizeof head;
    head.method = XS_SLICE("GET");
    head.target = XS_SLICE("/?a=b");
    head.path = XS_SLICE("/");
    head.query = XS_SLICE("a=b");
    head.minor = 1;
    head.headers = headers;
    head.header_count = count;
    return head;
}

static inline struct xt_host *host_new(void)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "websocket"), NULL);
    xt_host_subprotocol(host, &bare_ops, NULL);
    xt_host_subprotocol(host, &named_ops, NULL);
    xt_host_subprotocol(host, &shy_ops, NULL);
    return host;
}

/* A client whose handshake is over and forgotten. `subprotocol` may be "". */
static inline struct xs_conn *client_new(struct xt_host *host, const char *subprotocol)
{
    struct xs_http_header headers[6];
    struct xs_http_head head;
    struct xs_conn *conn;

    memcpy(headers, good_headers, sizeof good_headers);
    headers[5].name = XS_SLICE("Sec-WebSocket-Protocol");
    headers[5].value = xs_slice_of(subprotocol);
    head = head_of(headers, subprotocol[0] != '\0' ? 6 : 5);
    conn = xt_conn_new_upgraded(host, "websocket", &head);
    assert_int_equal(conn->ready_count, 1);
    xt_forget(conn);
    return conn;
}

/* ---- frames of a client ---- */

enum { FIN = 0x80, MASKED = 0x80 };
static const unsigned char mask_key[4] = { 0x37, 0xfa, 0x21, 0x3d };

/* A frame with all in its hands: `second` is the mask bit and the length field, `extended`
 * bytes of `length` follow. */
static inline void add_raw(struct xt_bytes *to, unsigned first, unsigned second,
                           unsigned extended, uint64_t length, struct xs_slice payload)
{
    char header[14];
    size_t n = 0;

    header[n++] = (char)first;
    header[n++] = (char)second;
    for (unsigned i = extended; i > 0; i--)
        header[n++] = (char)(length >> (8 * (i - 1)) & 0xff);
    if ((second & MASKED) != 0) {
        memcpy(header + n, mask_key, 4);
        n += 4;
    }
    xt_append(to, (struct xs_slice){ header, n });
    for (size_t i = 0; i < payload.len; i++) {
        char c = payload.at[i];

        if ((second & MASKED) != 0)
            c = (char)((unsigned char)c ^ mask_key[i % 4]);
        xt_append(to, (struct xs_slice){ &c, 1 });
    }
}

/* A good frame: `first` is FIN and the opcode. */
static inline void add(struct xt_bytes *to, unsigned first, struct xs_slice payload)
{
    unsigned extended = payload.len <= 125 ? 0 : payload.len <= 65535 ? 2 : 8;
    unsigned field = extended == 0 ? (unsigned)payload.len : extended == 2 ? 126 : 127;

    add_raw(to, first, MASKED | field, extended, payload.len, payload);
}

static inline struct xs_slice repeated(struct xt_bytes *to, char c, size_t n)
{
    xt_bytes_free(to);
    for (size_t i = 0; i < n; i++)
        xt_append(to, (struct xs_slice){ &c, 1 });
    return xt_slice(to);
}

/* The code of the close frame that stands at the end of what was written; 0 if there is none, 1
 * for one without a code. */
static inline unsigned closed_with(const struct xs_conn *conn)
{
    const unsigned char *at = (const unsigned char *)conn->written.at;
    size_t len = conn->written.len, i = 0;

    while (i + 2 <= len) {
        size_t size = (size_t)at[i + 1] & 0x7f;

        assert_int_equal(at[i + 1] & MASKED, 0);
        assert_in_range(size, 0, 125);
        if (at[i] == 0x88) {
            assert_int_equal(i + 2 + size, len);
            return size == 0 ? 1 : (unsigned)at[i + 2] << 8 | at[i + 3];
        }
        i += 2 + size;
    }
    return 0;
}

#define assert_payload(conn, i, text, is_binary)                                               \
    do {                                                                                       \
        assert_in_range((i), 0, (conn)->payload_count - 1);                                    \
        assert_int_equal((conn)->payloads[i].len, sizeof(text) - 1);                           \
        assert_memory_equal((conn)->payloads[i].at, (text), sizeof(text) - 1);                 \
        assert_int_equal((conn)->payloads[i].binary, (is_binary));                             \
    } while (0)

#define assert_written(conn, text)                                                             \
    do {                                                                                       \
        assert_int_equal((conn)->written.len, sizeof(text) - 1);                               \
        if (sizeof(text) > 1)                                                                  \
            assert_memory_equal((conn)->written.at, (text), sizeof(text) - 1);                 \
    } while (0)

#endif
