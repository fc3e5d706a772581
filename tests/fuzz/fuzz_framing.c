/* rooms: base message for_modules */
/* fuzz_framing - every framing over any bytes, cut anywhere, without a module around it.
 *
 * The first byte is the framing and the size of the reads, the second the bound. At once and in
 * pieces the same must come of it, no payload is over the bound, nothing is looked at that has
 * not come; what was a payload goes into a frame and comes out of it again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include <xsockets/framing.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(claim) ((claim) ? (void)0 : failed(__LINE__, #claim))

static _Noreturn void failed(int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", __FILE__, line, claim);
    abort();
}

/* A payload in a frame of its own, read back; with its zero bytes in front an XFrame loses
 * them, and a line its line ends. */
static void check_round(const struct xs_format *format, struct xs_slice payload)
{
    struct xs_frames frames = { .named = true, .greeted = true };
    struct xs_buf out = { 0 };
    size_t begun = xs_frame_begin(format, &out);
    struct xs_slice got;
    struct xs_input in;

    xs_buf_append(&out, payload);
    if (xs_frame_end(format, &out, begun) == XS_OK) {
        in = (struct xs_input){ out.at, out.len };
        DEMAND(xs_frame_take(format, &frames, payload.len, &in, &got) == XS_OK);
        DEMAND(in.len == 0 && got.len == payload.len);
        for (size_t i = 0; i < got.len; i++)
            DEMAND(got.at[i] == payload.at[i] ||
                   (got.at[i] == ' ' && (payload.at[i] == '\r' || payload.at[i] == '\n')));
    }
    xs_free(out.at);
}

/* What came of the bytes, one line each. */
static void read_all(const struct xs_format *format, struct xs_slice bytes, size_t longest,
                     size_t step, struct xs_buf *out)
{
    struct xs_frames frames;
    struct xs_input in = { NULL, 0 };
    char *memory = NULL;
    size_t at = 0;

    memset(&frames, 0, sizeof frames);
    frames.named = frames.greeted = true;
    for (;;) {
        struct xs_slice payload = { NULL, 0 };
        char head[32];
        enum xs_err err = xs_frame_take(format, &frames, longest, &in, &payload);

        DEMAND(err == XS_OK || err == XS_EAGAIN || err == XS_EPROTO || err == XS_ETOOBIG);
        if (err != XS_EAGAIN) {
            (void)snprintf(head, sizeof head, "%d %zu ", (int)err, payload.len);
            xs_buf_append(out, xs_slice_of(head));
            xs_buf_append(out, payload);
        }
        if (err == XS_OK) {
            DEMAND(payload.len <= longest);
            check_round(format, payload);
        }
        if (err == XS_ETOOBIG || (err == XS_EAGAIN && at == bytes.len))
            break;
        if (err == XS_EAGAIN) {
            size_t n = step < bytes.len - at ? step : bytes.len - at;
            char *grown = malloc(in.len + n);

            DEMAND(grown != NULL);
            if (in.len > 0)
                memcpy(grown, in.at, in.len);
            memcpy(grown + in.len, bytes.at + at, n);
            free(memory);
            memory = grown;
            in = (struct xs_input){ memory, in.len + n };
            at += n;
        }
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xs_format format = { .greeting = "x" };
    struct xs_buf whole = { 0 }, pieces = { 0 };
    struct xs_slice bytes;

    if (size < 2)
        return 0;
    format.framing = (enum xs_framing)(data[0] % 3);
    bytes = (struct xs_slice){ (const char *)data + 2, size - 2 };
    read_all(&format, bytes, data[1], SIZE_MAX, &whole);
    read_all(&format, bytes, data[1], 1 + data[0] / 3, &pieces);
    DEMAND(whole.len == pieces.len);
    DEMAND(whole.len == 0 || memcmp(whole.at, pieces.at, whole.len) == 0);
    xs_free(whole.at);
    xs_free(pieces.at);
    return 0;
}
