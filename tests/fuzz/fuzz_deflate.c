/* host: fake
 * needs: modules/protocols/websocket/websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: wslay crypto zlib */
/* fuzz_deflate - permessage-deflate. The first byte says what the rest is:
 *
 *   0  an offer: one that is taken has a window that exists
 *   1  a message: packed at the level and window of the next byte and unpacked, it is the same
 *   2  a packed message: unpacked to the same, or refused for the same reason, as by zlib
 * taking one byte at a time and giving three 3  frames of a client that may pack, as in
 * fuzz_websocket: the same however they are cut 4  the same, but payloads of final frames with
 * RSV1 are packed before they are sent */
#include <zlib.h>

#include "../../modules/protocols/websocket/deflate.h"
#include "websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char tail[4] = { 0, 0, (char)0xff, (char)0xff };

static void check_offer(struct xs_slice text)
{
    const struct xs_http_header header = { XS_SLICE("Sec-WebSocket-Extensions"), text };
    struct xs_deflate_offer offer;
    struct xs_http_head head;

    memset(&head, 0, sizeof head);
    head.size = sizeof head;
    head.headers = &header;
    head.header_count = 1;
    if (!xs_deflate_choose(&head, &offer))
        return;
    DEMAND(offer.window >= XS_DEFLATE_LEAST_WINDOW && offer.window <= XS_DEFLATE_WINDOW);
    DEMAND(offer.names_window || offer.window == XS_DEFLATE_WINDOW);
    DEMAND(memmem(text.at, text.len, "permessage-deflate", 18) != NULL);
}

/* Kept from one input to the next: what was packed before must not be felt. */
static struct xs_packer *packer_of(unsigned level)
{
    static struct xs_packer *packers[10];

    if (packers[level] == NULL)
        packers[level] = xs_packer_new(level);
    DEMAND(packers[level] != NULL);
    return packers[level];
}

static void check_round(unsigned how, struct xs_slice plain)
{
    struct xs_packer *packer = packer_of(1 + how % 9);
    unsigned window = XS_DEFLATE_LEAST_WINDOW + (how >> 4) % 7;
    struct xs_slice packed;
    struct xs_plain out;

    if (xs_pack(packer, window, plain, &packed)) {
        DEMAND(packed.len < plain.len);
        DEMAND(xs_unpack(packer, packed, plain.len, &out) == XS_OK);
        DEMAND(same((struct xs_slice){ out.at, out.len }, plain));
        xs_plain_give_back(packer, &out);
        DEMAND(xs_unpack(packer, packed, plain.len - 1, &out) == XS_ETOOBIG);
        xs_plain_give_back(packer, &out);
    }
}

/* One byte in, three out, so that all references go to zlib's own window. */
static enum xs_err slowly(z_stream *z, struct xs_slice in, struct xt_bytes *out, bool *ended)
{
    for (size_t i = 0; i < in.len; i++) {
        char byte = in.at[i], some[3];
        int did;

        *ended = false;
        z->next_in = (Bytef *)&byte;
        z->avail_in = 1;
        do {
            z->next_out = (Bytef *)some;
            z->avail_out = sizeof some;
            did = inflate(z, Z_SYNC_FLUSH);
            xt_append(out, (struct xs_slice){ some, sizeof some - z->avail_out });
            if (out->len > LIMIT)
                return XS_ETOOBIG;
            if (did == Z_STREAM_END) {
                *ended = z->avail_in == 0;
                (void)inflateReset(z);
            } else if (did != Z_OK && did != Z_BUF_ERROR) {
                return XS_EPROTO;
            }
        } while (z->avail_in > 0 || z->avail_out == 0);
    }
    return XS_OK;
}

static enum xs_err reference(struct xs_slice packed, struct xt_bytes *out)
{
    enum xs_err err;
    bool ended = true;
    z_stream z;

    memset(&z, 0, sizeof z);
    DEMAND(inflateInit2(&z, -15) == Z_OK);
    err = slowly(&z, packed, out, &ended);
    if (err == XS_OK && !ended) {
        err = slowly(&z, (struct xs_slice){ tail, 4 }, out, &ended);
        if (err == XS_OK && (ended || z.data_type != 128))
            err = XS_EPROTO;
    }
    (void)inflateEnd(&z);
    return err;
}

static void check_unpacked(struct xs_slice packed)
{
    struct xs_packer *packer = packer_of(1);
    struct xt_bytes expected = { NULL, 0, 0 };
    struct xs_plain plain;
    enum xs_err err;

    for (int twice = 0; twice < 2; twice++) {
        xt_bytes_free(&expected);
        err = xs_unpack(packer, packed, LIMIT, &plain);
        DEMAND(err == reference(packed, &expected));
        if (err == XS_OK)
            DEMAND(same((struct xs_slice){ plain.at, plain.len }, xt_slice(&expected)));
        DEMAND(plain.len <= plain.cap && plain.cap <= 64 * 1024);
        xs_plain_give_back(packer, &plain);
    }
    xt_bytes_free(&expected);
}

/* A frame of the input with its payload packed: it is then at most as long as a frame of the
 * common kind may be. */
static void build_packed(struct xt_bytes *to, const uint8_t **at, size_t *left)
{
    size_t len = (*at)[2] < *left - 3 ? (*at)[2] : *left - 3;
    uint8_t frame[1024];
    const uint8_t *built = frame;
    size_t size;
    z_stream z;

    memset(&z, 0, sizeof z);
    DEMAND(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)(*at + 3);
    z.avail_in = (uInt)len;
    z.next_out = frame + 3;
    z.avail_out = sizeof frame - 3;
    DEMAND(deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_out > 0);
    size = z.total_out - sizeof tail;
    (void)deflateEnd(&z);
    frame[0] = (*at)[0];
    frame[1] = size < 126 ? 0 : size < 256 ? 1 : 0x41;
    frame[2] = (uint8_t)(size < 256 ? size : size - 126);
    *at += 3 + len;
    *left -= 3 + len;
    size += 3;
    build(to, &built, &size);
}

static void check_frames(const uint8_t *data, size_t size, bool pack)
{
    static const char *const on[] = { "deflate", "yes", NULL };
    struct xt_bytes bytes = { NULL, 0, 0 };
    unsigned how;

    if (size == 0)
        return;
    how = *data++;
    size--;
    while (size >= 3) {
        if (pack && (data[0] & 0xc0) == 0xc0)
            build_packed(&bytes, &data, &size);
        else
            build(&bytes, &data, &size);
    }
    check_cuts(xt_slice(&bytes), how, on, "permessage-deflate");
    xt_bytes_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xs_slice rest;
    unsigned what;

    if (size < 2)
        return 0;
    what = *data++ % 5;
    size--;
    rest = (struct xs_slice){ (const char *)data, size };
    switch (what) {
    case 0:
        check_offer(rest);
        break;
    case 1:
        check_round(data[0], (struct xs_slice){ rest.at + 1, rest.len - 1 });
        break;
    case 2:
        check_unpacked(rest);
        break;
    default:
        check_frames(data, size, what == 4);
    }
    return 0;
}
