/* fuzz_bench - what a server may send to xsockets-bench: expected messages with anything
 * between them. However a stream of frames is cut, the same is counted; and nothing is counted
 * that cannot be. */
/* rooms: base
 * libs: crypto zlib
 * needs: bench/receive.c bench/inflate.c bench/ring.c
 * needs: bench/template.c bench/base.c bench/wire.c */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "../../bench/receive.h"
#include "../../bench/wire.h"
#include "base/assert.h"

enum { FRAMES = 12, SENDERS = 2, SENT = 40, SIZE = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one way to cut the stream gave. */
struct outcome {
    struct errors errors;
    uint64_t came, moved, unsettled, answered;
    bool ended;
};

struct kind {
    bool ws, deflate;
    uint32_t senders;
    const char *message;
    struct template template;
    struct ring rings[SENDERS];
};

static struct kind kinds[] = {
    { .ws = true, .senders = 1, .message = "{payload}" },
    { .ws = true, .senders = 2, .message = "<{payload}>" },
    { .senders = 1, .message = "{topic}|{payload}\\r\\n" },
    { .senders = 2, .message = "\\x00{payload}\\xff" },
    { .senders = 1, .message = "{payload}" },
    { .ws = true, .deflate = true, .senders = 1, .message = "{payload}" },
    { .ws = true, .deflate = true, .senders = 2, .message = "{payload}" },
};

static void on_moved(void *context, struct receiver *receiver, const struct lane *lane,
                     uint64_t from, uint64_t to)
{
    struct outcome *outcome = context;

    (void)receiver;
    XS_ASSERT(from <= to && to <= *lane->sent);
    outcome->moved += to - from;
}

static void on_answer(void *context, struct receiver *receiver, const uint8_t *at, size_t len)
{
    struct outcome *outcome = context;

    (void)receiver;
    outcome->answered += len;
    for (size_t i = 0; i < len; i++)
        outcome->answered += at[i];
}

static void make(struct kind *kind)
{
    char error[TEMPLATE_ERROR];
    struct recipe recipe = { .template = &kind->template,
                             .controller = "c",
                             .topic = "t",
                             .topics = 1,
                             .publishers = kind->senders,
                             .form = FORM_BARE,
                             .ws = kind->ws,
                             .packed = kind->deflate,
                             .size = SIZE,
                             .step = 1,
                             .count = FRAMES };

    XS_ASSERT(xs_bench_template_read(&kind->template, kind->message, error));
    for (uint32_t i = 0; i < kind->senders; i++) {
        recipe.publisher = i;
        kind->rings[i] = xs_bench_ring(&recipe);
    }
}

/* A frame of the ring as a server could pack it. */
static void put_packed(struct bytes *stream, const struct ring *ring, size_t index)
{
    const uint8_t *frame = ring->at + index * ring->size;
    uint8_t packed[SIZE * 2 + 64];
    z_stream deflater = { .next_in = (uint8_t *)(uintptr_t)frame + 2,
                          .avail_in = (uInt)(ring->size - 2),
                          .next_out = packed,
                          .avail_out = sizeof packed };
    size_t len;

    XS_ASSERT(deflateInit2(&deflater, (int)(index % 10), Z_DEFLATED, -15, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK);
    XS_ASSERT(deflate(&deflater, Z_SYNC_FLUSH) == Z_OK && deflater.avail_out > 0);
    len = sizeof packed - deflater.avail_out - 4;
    deflateEnd(&deflater);
    stream->len += xs_bench_head_write(xs_bench_room(stream, WIRE_HEAD_MAX), 0xc1, len, NULL);
    xs_bench_put(stream, packed, len);
}

/* A script: below 96 a message of the ring, from 64 on packed where that was agreed on, below
 * 128 one with a byte changed, else some of the script's own bytes. */
static void write_stream(struct bytes *stream, const struct kind *kind, const uint8_t *data,
                         size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const struct ring *ring = &kind->rings[data[i] % kind->senders];
        size_t own = data[i] >= 128 ? data[i] & 0x1f : 0;

        if (data[i] >= 128) {
            if (own > size - i - 1)
                own = size - i - 1;
            xs_bench_put(stream, data + i + 1, own);
            i += own;
            continue;
        }
        if (kind->deflate && data[i] >= 64)
            put_packed(stream, ring, data[i] / 2 % FRAMES);
        else
            xs_bench_put(stream, ring->at + data[i] / 2 % FRAMES * ring->size, ring->size);
        if (data[i] >= 96)
            stream->at[stream->len - 1 - data[i] % 8] ^= 0x11;
    }
}

static struct outcome receive(const struct kind *kind, const struct bytes *stream, size_t step)
{
    static const uint64_t sent = SENT;
    struct outcome outcome = { .errors = { 10, 10, 10, 10, 10 } };
    struct rules rules = { .ws = kind->ws,
                           .deflate = kind->deflate,
                           .errors = &outcome.errors,
                           .came = &outcome.came,
                           .context = &outcome,
                           .moved = on_moved,
                           .answer = on_answer,
                           .tag = kind->rings[0].size - SIZE + 6 };
    struct lane lanes[SENDERS];
    struct receiver receiver = { .rules = &rules, .lanes = lanes, .lane_count = kind->senders };

    if (kind->ws)
        rules.tag -= kind->message[0] == '<';
    else
        rules.tag -= strstr(kind->message, "\\r") != NULL ? 2 : kind->message[0] == '\\';
    for (uint32_t i = 0; i < kind->senders; i++)
        lanes[i] = (struct lane){ .ring = &kind->rings[i], .sent = &sent, .index = i };
    for (size_t i = 0; i < stream->len && !receiver.ended; i += step) {
        /* Memory of exactly that length, so that a read behind it is seen. */
        size_t len = step < stream->len - i ? step : stream->len - i;
        uint8_t *chunk = xs_bench_must(malloc(len));

        memcpy(chunk, stream->at + i, len);
        xs_bench_receive(&receiver, chunk, len);
        free(chunk);
    }
    outcome.ended = receiver.ended;
    outcome.unsettled = xs_bench_receive_end(&receiver);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct bytes stream = { 0 };
    const struct kind *kind;
    struct outcome whole, cut;

    for (size_t i = 0; !made && i < sizeof kinds / sizeof kinds[0]; i++)
        make(&kinds[i]);
    made = true;
    if (size < 2)
        return 0;
    kind = &kinds[data[0] % (sizeof kinds / sizeof kinds[0])];
    write_stream(&stream, kind, data + 2, size - 2);
    whole = receive(kind, &stream, stream.len + 1);
    /* Each message is settled once: it came, was lost, or something wrong stands for it. */
    XS_ASSERT(whole.moved + whole.unsettled == (uint64_t)SENT * kind->senders);
    XS_ASSERT(whole.came <= (uint64_t)SENT * kind->senders);
    XS_ASSERT(whole.came + whole.errors.lost - 10 <= (uint64_t)SENT * kind->senders);
    XS_ASSERT(whole.came + whole.errors.lost - 10 + whole.errors.wrong - 10 >=
              (uint64_t)SENT * kind->senders);
    cut = receive(kind, &stream, data[1] % 64 + 1U);
    XS_ASSERT(cut.moved + cut.unsettled == (uint64_t)SENT * kind->senders);
    /* (Bare bytes without an end of their own are sorted out by what has come.) */
    if (kind->ws)
        XS_ASSERT(memcmp(&whole.errors, &cut.errors, sizeof whole.errors) == 0 &&
                  whole.came == cut.came && whole.moved == cut.moved &&
                  whole.answered == cut.answered && whole.ended == cut.ended);
    xs_bench_free(&stream);
    return 0;
}
