/* xsocketsnet - the payload of the original clients: an envelope in a text frame, or an
 * envelope and bytes in a binary one.
 *
 *   text    {"C":controller,"T":topic,"D":data}
 *   binary  8 bytes   n, the length of the header, little endian
 *           n         the envelope
 *           the rest  the blob
 *
 * What the clients count as n differs when the header is not all ASCII: bytes of UTF-8, UTF-16
 * units of what was then sent as UTF-8, or bytes of Latin-1. docs/PROTOCOLS.md says who does
 * what. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <xsockets/subprotocol.h>

enum { LENGTH_SIZE = 8 };

static void write_length(char *to, uint64_t n)
{
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        to[i] = (char)(n >> 8 * i & 0xff);
}

static uint64_t read_length(const char *from)
{
    uint64_t n = 0;

    for (int i = LENGTH_SIZE - 1; i >= 0; i--)
        n = n << 8 | (unsigned char)from[i];
    return n;
}

static enum xs_err take_envelope(struct xs_conn *conn, char *at, size_t len,
                                 const struct xs_slice *blob)
{
    struct xs_incoming incoming;
    const char *why = "this is no message";
    enum xs_err err;

    err = xs_envelope_read(at, len, &incoming, &why);
    if (err != XS_OK) {
        /* A limit concerns this one message; what is no message at all ends the connection. */
        xs_conn_error(conn, why);
        return err == XS_EINVAL ? XS_EINVAL : XS_OK;
    }
    if (blob != NULL) {
        incoming.blob = *blob;
        incoming.has_blob = true;
    }
    err = xs_conn_deliver(conn, &incoming);
    return err == XS_EGONE ? XS_OK : err;
}

/* How many bytes of UTF-8 hold `units` UTF-16 units; 0 if no character ends there. */
static size_t span_of_units(struct xs_slice text, size_t units)
{
    size_t n = 0;

    while (units > 0 && n < text.len) {
        unsigned char lead = (unsigned char)text.at[n];
        size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        size_t cost = bytes == 4 ? 2 : 1;

        if (bytes > text.len - n || cost > units)
            return 0;
        n += bytes;
        units -= cost;
    }
    return units == 0 ? n : 0;
}

static bool is_json(struct xs_slice text)
{
    return xs_utf8_valid(text.at, text.len) && xs_data_of(text).form == XS_JSON;
}

/* The bytes of a header that says it has n, if it is UTF-8; 0 if it is not. */
static size_t header_span(struct xs_slice rest, size_t n)
{
    struct xs_slice bytes = { rest.at, n };
    size_t span;

    if (is_json(bytes))
        return n;
    span = span_of_units(rest, n);
    if (span > n && is_json((struct xs_slice){ rest.at, span }))
        return span;
    return xs_utf8_valid(bytes.at, bytes.len) ? n : 0;
}

/* A header in Latin-1 grows when it becomes UTF-8 and no longer fits where it lies. */
static enum xs_err take_latin1(struct xs_conn *conn, struct xs_slice header,
                               const struct xs_slice *blob)
{
    char *wide = malloc(2 * header.len);
    size_t len = 0;
    enum xs_err err;

    if (wide == NULL)
        return XS_ENOMEM;
    for (size_t i = 0; i < header.len; i++) {
        unsigned char c = (unsigned char)header.at[i];

        if (c >= 0x80)
            wide[len++] = (char)(0xc0 | c >> 6);
        wide[len++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    err = take_envelope(conn, wide, len, blob);
    free(wide);
    return err;
}

static enum xs_err take_binary(struct xs_conn *conn, char *at, size_t len)
{
    struct xs_slice rest = { at + LENGTH_SIZE, len - LENGTH_SIZE };
    struct xs_slice blob;
    uint64_t n = read_length(at);
    size_t span;

    if (n == 0 || n > rest.len) {
        xs_conn_error(conn, "a binary message begins with the length of its header");
        return XS_EINVAL;
    }
    span = header_span(rest, (size_t)n);
    if (span == 0) {
        blob = (struct xs_slice){ rest.at + n, rest.len - (size_t)n };
        return take_latin1(conn, (struct xs_slice){ rest.at, (size_t)n }, &blob);
    }
    blob = (struct xs_slice){ rest.at + span, rest.len - span };
    return take_envelope(conn, at + LENGTH_SIZE, span, &blob);
}

static enum xs_err xsocketsnet_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                                      bool binary)
{
    (void)self;
    if (!binary)
        return take_envelope(conn, at, len, NULL);
    if (len < LENGTH_SIZE) {
        xs_conn_error(conn, "a binary message begins with the length of its header");
        return XS_EINVAL;
    }
    return take_binary(conn, at, len);
}

static enum xs_err xsocketsnet_encode(uint32_t variant, const struct xs_message *msg,
                                      struct xs_slice data, struct xs_buf *out, bool *binary)
{
    struct xs_slice blob = xs_message_blob(msg, binary);
    size_t start = out->len;

    (void)variant;
    if (!*binary) {
        xs_envelope_write(out, msg, data);
        return XS_OK;
    }
    xs_buf_append(out, XS_SLICE("\0\0\0\0\0\0\0\0"));
    xs_envelope_write_ascii(out, msg, data);
    if (out->failed)
        return XS_OK;
    write_length(out->at + start, out->len - start - LENGTH_SIZE);
    xs_buf_append(out, blob);
    return XS_OK;
}

/* Behind the opening brace, since the blob follows the closing one. Never QoS: the original
 * clients acknowledge a binary message with itself. */
static void number_binary(int64_t correlation, struct xs_slice payload, struct xs_edges *edges)
{
    char *number = edges->head + LENGTH_SIZE;
    int len =
        snprintf(number, sizeof edges->head - LENGTH_SIZE, "{\"N\":%" PRId64 ",", correlation);

    edges->skip = LENGTH_SIZE + 1;
    write_length(edges->head, read_length(payload.at) + (uint64_t)len - 1);
    edges->head_len = (uint8_t)(LENGTH_SIZE + len);
}

/* What differs by receiver stands behind D, before the closing brace of the shared bytes. */
static void xsocketsnet_personal(uint32_t variant, const struct xs_personal *who,
                                 struct xs_slice payload, struct xs_edges *edges)
{
    size_t size = sizeof edges->tail, len = 0;

    (void)variant;
    if (payload.len < LENGTH_SIZE)
        return;
    /* A binary payload begins with a length below 2^56, an envelope holds no zero byte. */
    if (payload.at[LENGTH_SIZE - 1] == '\0') {
        if (who->has_correlation)
            number_binary(who->correlation, payload, edges);
        return;
    }
    if (who->has_correlation)
        len += (size_t)snprintf(edges->tail + len, size - len, ",\"N\":%" PRId64,
                                who->correlation);
    if (who->qos_id != 0)
        len +=
            (size_t)snprintf(edges->tail + len, size - len, ",\"Q\":1,\"I\":%u", who->qos_id);
    if (len == 0)
        return;
    edges->tail[len++] = '}';
    edges->tail_len = (uint8_t)len;
    edges->drop = 1;
}

static const struct xs_subprotocol_ops xsocketsnet_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "xsocketsnet",
    .token = "XSocketsNET",
    .view = XS_VIEW_ESCAPED,
    .client_speaks_first = true,
    .decode = xsocketsnet_decode,
    .encode = xsocketsnet_encode,
    .personal = xsocketsnet_personal,
};

XS_PLUGIN(.name = "xsocketsnet", .version = "1.0.0", .subprotocols = { &xsocketsnet_ops })
