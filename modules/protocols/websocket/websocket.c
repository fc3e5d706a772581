/* websocket - RFC 6455 behind an HTTP upgrade: payloads to and from the subprotocol that the
 * handshake chose.
 *
 * A frame that came whole is unmasked where it lies; everything else (fragments, control
 * frames, faults) is wslay's (frames.c). We never mask, never fragment, and set a reserved bit
 * only for who has agreed on permessage-deflate (deflate.c). */
#include "websocket.h"

static const struct xs_setting websocket_settings[] = {
    { "deflate", "bool", "no",
      "Answers clients that offer permessage-deflate (RFC 7692); their messages are then "
      "packed "
      "both ways." },
    { "deflate_min", "size", "1KiB", "Smaller messages are sent unpacked." },
    { "deflate_level", "int", "3", "How hard to pack: 1 is the fastest, 9 the smallest." },
};

enum {
    FIN_TEXT = 0x81,
    FIN_BINARY = 0x82,
    SHORT = 125,      /* RFC 6455 section 5.2: the longest payload with a header of two bytes */
    MEDIUM = 65535,   /* the longest with one of four */
    LEAST_FOR_SHY = 4 /* see client_speaks_first in subprotocol.h */
};

static enum xs_err websocket_worker_start(void *state, const struct xs_settings *settings)
{
    struct xs_websocket_worker *worker = state;
    int64_t level = xs_setting_number(settings, "deflate_level");

    worker->unmask = xs_unmask_choose();
    if (level < 1 || level > 9) {
        xs_log(XS_LOG_ERROR, "deflate_level is a number from 1 to 9");
        return XS_EINVAL;
    }
    if (xs_setting_number(settings, "deflate") == 0)
        return XS_OK;
    worker->deflate_min = (size_t)xs_setting_number(settings, "deflate_min");
    worker->packer = xs_packer_new((unsigned)level);
    return worker->packer != NULL ? XS_OK : XS_ENOMEM;
}

static void websocket_worker_stop(void *state)
{
    struct xs_websocket_worker *worker = state;

    xs_websocket_worker_stop(worker);
    xs_packer_free(worker->packer);
    worker->packer = NULL;
}

static enum xs_err websocket_open_upgraded(void *self, struct xs_conn *conn,
                                           const struct xs_http_head *head)
{
    return xs_websocket_handshake(self, conn, head);
}

static size_t header_size(size_t payload)
{
    return payload <= SHORT ? 2 : payload <= MEDIUM ? 4 : 10;
}

static void write_header(char *at, int first, size_t payload)
{
    size_t size = header_size(payload);

    at[0] = (char)first;
    at[1] = (char)(size == 2 ? payload : size == 4 ? 126 : 127);
    for (size_t i = size; i > 2; i--) {
        at[i - 1] = (char)(payload & 0xff);
        payload >>= 8;
    }
}

/* Whether what is to be said is itself nothing: then a frame without a payload says it. */
static bool says_nothing(const struct xs_message *msg, struct xs_slice data)
{
    bool has_blob;
    struct xs_slice blob = xs_message_blob(msg, &has_blob);

    return has_blob ? blob.len == 0 : data.len == 0;
}

/* Puts a packed payload into the place of the `*payload` bytes at the end of `out`, if that is
 * worth it. */
static bool pack(const struct xs_encoder *by, struct xs_buf *out, size_t *payload)
{
    const struct xs_websocket_worker *worker = by->worker;
    unsigned window = XS_DEFLATE_WINDOW -
                      (by->variant >> XS_WEBSOCKET_WINDOW_SHIFT & XS_WEBSOCKET_WINDOW_MASK);
    char *at = out->at + out->len - *payload;
    struct xs_slice packed;

    if (*payload < worker->deflate_min ||
        !xs_pack(worker->packer, window, (struct xs_slice){ at, *payload }, &packed))
        return false;
    memcpy(at, packed.at, packed.len);
    out->len -= *payload - packed.len;
    *payload = packed.len;
    return true;
}

static enum xs_err websocket_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                    struct xs_slice data, struct xs_buf *out)
{
    size_t start = out->len, guess = header_size(data.len), payload, size;
    bool binary = false;
    enum xs_err err;
    int first;

    /* Room for the header of a payload that is as long as the data; if another one is needed,
     * the payload moves. */
    if (out->cap - out->len < guess && !xs_buf_reserve(out, guess))
        return XS_OK;
    out->len += guess;
    err = by->sub->encode(by->variant & ~XS_VARIANT_OF_PROTOCOL, msg, data, out, &binary);
    if (err != XS_OK || out->failed) {
        out->len = start;
        return err;
    }
    payload = out->len - start - guess;
    if (payload == 0 && !says_nothing(msg, data)) {
        out->len = start;
        return XS_OK;
    }
    if (by->sub->client_speaks_first && payload < LEAST_FOR_SHY) {
        out->len = start;
        return XS_EREFUSED;
    }
    first = binary ? FIN_BINARY : FIN_TEXT;
    if ((by->variant & XS_VARIANT_PACKED) != 0 && pack(by, out, &payload))
        first |= XS_WEBSOCKET_RSV1;
    size = header_size(payload);
    if (size != guess) {
        if (size > guess && out->cap - out->len < size - guess &&
            !xs_buf_reserve(out, size - guess))
            return XS_OK;
        memmove(out->at + start + size, out->at + start + guess, payload);
        out->len = start + size + payload;
    }
    write_header(out->at + start, first, payload);
    return XS_OK;
}

/* The subprotocol says what it leaves out and adds at both ends of the payload; the frame's
 * header with the length stands in front of that. */
static void websocket_personal(const struct xs_encoder *by, const struct xs_personal *who,
                               struct xs_slice shared, struct xs_edges *edges)
{
    size_t size, payload;

    if (by->sub->personal == NULL || shared.len < 2)
        return;
    size = shared.at[1] == 126 ? 4 : shared.at[1] == 127 ? 10 : 2;
    by->sub->personal(by->variant & ~XS_VARIANT_OF_PROTOCOL, who,
                      (struct xs_slice){ shared.at + size, shared.len - size }, edges);
    if (edges->skip + edges->drop + edges->head_len + edges->tail_len == 0)
        return;
    payload = shared.len - size - edges->skip - edges->drop + edges->head_len + edges->tail_len;
    memmove(edges->head + header_size(payload), edges->head, edges->head_len);
    edges->skip += size;
    edges->head_len = (uint8_t)(edges->head_len + header_size(payload));
    write_header(edges->head, shared.at[0], payload);
}

static const struct xs_protocol_ops websocket_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "websocket",
    .state_size = sizeof(struct xs_websocket),
    .worker_size = sizeof(struct xs_websocket_worker),
    .settings = XS_TABLE(websocket_settings),
    .upgrade = "websocket",
    .worker_start = websocket_worker_start,
    .worker_stop = websocket_worker_stop,
    .open_upgraded = websocket_open_upgraded,
    .decode = xs_websocket_decode,
    .encode = websocket_encode,
    .personal = websocket_personal,
    .ping = xs_websocket_ping,
    .goodbye = xs_websocket_goodbye,
    .close = xs_websocket_close,
};

XS_PLUGIN(.name = "websocket", .version = "1.0.0", .protocols = { &websocket_ops })
