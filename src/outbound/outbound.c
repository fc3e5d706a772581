/* outbound - queues, encoding once, gathering. */
#include <string.h>

#include "base/assert.h"
#include "base/stats.h"
#include "outbound/outbound.h"
#include <xsockets/subprotocol.h>

struct xs_encoded {
    uint32_t refs;
    bool small;
    size_t len;
    char *at; /* behind the struct, or an allocation of its own */
};

#define SMALL_BYTES ((size_t)448)
/* Pieces up to this size are copied together; larger ones go out from where they lie. */
#define COPY_BYTES ((size_t)2048)
#define PARTS_MAX  64

struct xs_entry {
    struct xs_entry *next;
    struct xs_encoded *bytes;
    struct xs_edges *edges; /* NULL when nothing differs by receiver */
    uint32_t total;         /* bytes on the wire */
    uint8_t kind;           /* enum xs_entry_kind */
};

void xs_outbound_init(struct xs_outbound *out)
{
    memset(out, 0, sizeof *out);
    xs_list_init(&out->dirty);
    xs_pool_init(&out->entries, sizeof(struct xs_entry), 65536);
    xs_pool_init(&out->edges, sizeof(struct xs_edges), 1024);
    xs_pool_init(&out->small, sizeof(struct xs_encoded) + SMALL_BYTES, 4096);
    out->gather = xs_alloc(XS_GATHER);
    out->message_limit = (size_t)1 << 20;
    out->queue_bytes = (size_t)1 << 20;
    out->queue_messages = 1000;
}

static void encoded_unref(struct xs_outbound *out, struct xs_encoded *bytes)
{
    if (bytes == NULL || --bytes->refs > 0)
        return;
    XS_COUNT_BY(encoded, -1);
    if (bytes->small) {
        xs_pool_give(&out->small, bytes);
        return;
    }
    xs_free(bytes->at);
    xs_free(bytes);
}

void xs_outbound_fini(struct xs_outbound *out)
{
    for (size_t i = 0; i < 3; i++)
        xs_free(out->view_bufs[i].at);
    xs_free(out->encoders);
    xs_free(out->scratch.at);
    xs_free(out->gather);
    xs_pool_fini(&out->entries);
    xs_pool_fini(&out->edges);
    xs_pool_fini(&out->small);
}

uint16_t xs_outbound_encoder(struct xs_outbound *out, const struct xs_encoder *by)
{
    struct xs_outbound_encoder *encoder;

    for (size_t i = 0; i < out->encoder_count; i++) {
        encoder = &out->encoders[i];
        if (encoder->by.protocol == by->protocol && encoder->by.sub == by->sub &&
            encoder->by.variant == by->variant)
            return (uint16_t)i;
    }
    /* A worker knows as many encoders as modules times their variants; 65,535 is out of reach.
     */
    XS_ASSERT(out->encoder_count < UINT16_MAX);
    out->encoders = xs_realloc(out->encoders, (out->encoder_count + 1) * sizeof *out->encoders);
    encoder = &out->encoders[out->encoder_count];
    memset(encoder, 0, sizeof *encoder);
    encoder->by = *by;
    encoder->view = by->sub != NULL ? by->sub->view : by->protocol->view;
    return (uint16_t)out->encoder_count++;
}

void xs_outbound_begin(struct xs_outbound *out, const struct xs_message *msg)
{
    XS_ASSERT(out->msg == NULL);
    out->msg = msg;
    out->serial++;
    memset(out->view_made, 0, sizeof out->view_made);
}

void xs_outbound_end(struct xs_outbound *out)
{
    out->msg = NULL;
    for (size_t i = 0; i < out->encoder_count; i++) {
        encoded_unref(out, out->encoders[i].made);
        out->encoders[i].made = NULL;
    }
    /* Scratch that grew for one large message is not kept. */
    for (size_t i = 0; i < 3; i++) {
        if (out->view_bufs[i].cap <= XS_GATHER)
            continue;
        xs_free(out->view_bufs[i].at);
        memset(&out->view_bufs[i], 0, sizeof out->view_bufs[i]);
    }
}

static bool view_of(struct xs_outbound *out, enum xs_view view, struct xs_slice *data)
{
    const struct xs_message *msg = out->msg;
    struct xs_data whole = { msg->data, (enum xs_form)msg->form };

    if (!out->view_made[view]) {
        struct xs_buf *scratch = &out->view_bufs[view];

        scratch->len = 0;
        scratch->failed = false;
        out->view_made[view] = true;
        out->view_failed[view] = xs_data_view(whole, view, scratch, 2 * out->message_limit,
                                              &out->views[view]) != XS_OK;
    }
    *data = out->views[view];
    return !out->view_failed[view];
}

/* An object of its own for what was encoded: the common size comes from the pool, a large one
 * takes the scratch itself. */
static struct xs_encoded *encoded_of(struct xs_outbound *out, struct xs_slice bytes)
{
    struct xs_encoded *encoded;

    if (bytes.len <= SMALL_BYTES) {
        encoded = xs_pool_take(&out->small);
        encoded->at = (char *)(encoded + 1);
        encoded->small = true;
        memcpy(encoded->at, bytes.at, bytes.len);
    } else if (bytes.at == out->scratch.at) {
        encoded = xs_alloc(sizeof *encoded);
        encoded->at = out->scratch.at;
        memset(&out->scratch, 0, sizeof out->scratch);
    } else {
        char *at = xs_try_alloc(bytes.len);

        if (at == NULL)
            return NULL;
        encoded = xs_alloc(sizeof *encoded);
        encoded->at = at;
        memcpy(at, bytes.at, bytes.len);
    }
    encoded->small = bytes.len <= SMALL_BYTES;
    encoded->refs = 1;
    encoded->len = bytes.len;
    XS_COUNT(encoded);
    return encoded;
}

static struct xs_encoded *encode(struct xs_outbound *out, const struct xs_encoder *by,
                                 enum xs_view view)
{
    struct xs_buf *buf = &out->scratch;
    struct xs_slice data;
    enum xs_err err;

    if (by->protocol->encode == NULL)
        return NULL; /* a protocol without messages (plain HTTP) */
    if (!view_of(out, view, &data)) {
        XS_COUNT(encode_too_big);
        return NULL;
    }
    buf->len = 0;
    buf->failed = false;
    buf->limit = 2 * out->message_limit + 4096;
    /* One growth at most: names are bounded, and data and blob are known. */
    if (!xs_buf_reserve(buf, data.len + out->msg->blob.len + 700)) {
        XS_COUNT(encode_too_big);
        return NULL;
    }
    err = by->protocol->encode(by, out->msg, data, buf);
    XS_COUNT(encodes);
    if (err != XS_OK) {
        XS_COUNT(encode_refused);
        return NULL;
    }
    if (buf->failed) {
        XS_COUNT(encode_too_big);
        return NULL;
    }
    return buf->len > 0 ? encoded_of(out, (struct xs_slice){ buf->at, buf->len }) : NULL;
}

static void entry_free(struct xs_outbound *out, struct xs_entry *entry)
{
    encoded_unref(out, entry->bytes);
    if (entry->edges != NULL)
        xs_pool_give(&out->edges, entry->edges);
    xs_pool_give(&out->entries, entry);
}

static void account(struct xs_outq *queue, const struct xs_entry *entry, int64_t bytes,
                    int count)
{
    queue->bytes += (size_t)bytes;
    if (entry->kind == XS_ENTRY_CONTROL)
        queue->control_bytes += (size_t)bytes;
    queue->count += (uint32_t)count;
    XS_COUNT_BY(queued_bytes, bytes);
    XS_COUNT_BY(queued_entries, count);
}

bool xs_outq_pressed(const struct xs_outbound *out, const struct xs_outq *queue, unsigned part)
{
    return queue->control_bytes > out->queue_bytes / part ||
           queue->count > out->queue_messages / part;
}

static void append(struct xs_outbound *out, struct xs_outq *queue, struct xs_entry *entry)
{
    entry->next = NULL;
    if (queue->last == NULL)
        queue->first = entry;
    else
        queue->last->next = entry;
    queue->last = entry;
    account(queue, entry, entry->total, 1);
    if (!queue->blocked && !xs_list_linked(&queue->dirty))
        xs_list_append(&out->dirty, &queue->dirty);
    if (entry->kind == XS_ENTRY_CONTROL && out->press != NULL && xs_outq_pressed(out, queue, 1))
        out->press(queue);
}

/* Whether `more` bytes of data would be over the bound. One message of any size may stand
 * alone. */
static bool is_full(const struct xs_outbound *out, const struct xs_outq *queue, size_t more)
{
    if (queue->first == NULL)
        return false;
    if (queue->bytes + more > out->queue_bytes || queue->count >= out->queue_messages)
        return true;
    return queue->blocked && out->process_is_full != NULL && out->process_is_full(out->context);
}

/* What differs for this receiver, if anything does. */
static void make_personal(struct xs_outbound *out, const struct xs_outbound_encoder *encoder,
                          const struct xs_personal *who, const void *self,
                          struct xs_entry *entry)
{
    struct xs_slice shared = { entry->bytes->at, entry->bytes->len };
    struct xs_personal whole = { .size = sizeof whole };
    struct xs_edges *edges = xs_pool_take(&out->edges);

    memset(edges, 0, sizeof *edges);
    if (who != NULL)
        whole = *who;
    whole.self = self;
    encoder->by.protocol->personal(&encoder->by, &whole, shared, edges);
    XS_ASSERT(edges->skip + edges->drop <= shared.len);
    if (edges->skip + edges->drop + edges->head_len + edges->tail_len == 0) {
        xs_pool_give(&out->edges, edges);
        return;
    }
    entry->edges = edges;
    entry->total =
        (uint32_t)(shared.len - edges->skip - edges->drop + edges->head_len + edges->tail_len);
}

enum xs_push xs_outbound_push(struct xs_outbound *out, struct xs_outq *queue,
                              enum xs_entry_kind kind, const struct xs_personal *who)
{
    struct xs_outbound_encoder *encoder;
    struct xs_entry *entry;

    if (queue->closed)
        return XS_PUSH_NOTHING;
    encoder = &out->encoders[queue->encoder];
    if (encoder->serial != out->serial) {
        encoder->made = encode(out, &encoder->by, encoder->view);
        encoder->serial = out->serial;
    }
    if (encoder->made == NULL)
        return XS_PUSH_NOTHING;
    if (kind == XS_ENTRY_DATA && is_full(out, queue, encoder->made->len)) {
        if (out->relieve != NULL)
            out->relieve(queue);
        if (queue->closed)
            return XS_PUSH_FULL;
        if (is_full(out, queue, encoder->made->len)) {
            if (out->overflow != NULL)
                out->overflow(queue);
            return XS_PUSH_FULL;
        }
    }
    entry = xs_pool_take(&out->entries);
    entry->bytes = encoder->made;
    entry->bytes->refs++;
    entry->edges = NULL;
    entry->kind = (uint8_t)kind;
    entry->total = (uint32_t)entry->bytes->len;
    if ((who != NULL || queue->self != NULL) && encoder->by.protocol->personal != NULL)
        make_personal(out, encoder, who, queue->self, entry);
    append(out, queue, entry);
    return XS_PUSHED;
}

enum xs_push xs_outbound_push_bytes(struct xs_outbound *out, struct xs_outq *queue,
                                    struct xs_slice bytes)
{
    struct xs_encoded *encoded;
    struct xs_entry *entry;

    if (queue->closed || bytes.len == 0)
        return XS_PUSH_NOTHING;
    encoded = encoded_of(out, bytes);
    if (encoded == NULL)
        return XS_PUSH_FULL;
    entry = xs_pool_take(&out->entries);
    entry->bytes = encoded;
    entry->edges = NULL;
    entry->kind = XS_ENTRY_CONTROL;
    entry->total = (uint32_t)bytes.len;
    append(out, queue, entry);
    return XS_PUSHED;
}

void xs_outq_init(struct xs_outq *queue)
{
    memset(queue, 0, sizeof *queue);
}

static void drop_first(struct xs_outbound *out, struct xs_outq *queue)
{
    struct xs_entry *entry = queue->first;

    account(queue, entry, -(int64_t)(entry->total - queue->sent_of_first), -1);
    queue->first = entry->next;
    queue->sent_of_first = 0;
    if (queue->first == NULL)
        queue->last = NULL;
    entry_free(out, entry);
}

void xs_outq_clear(struct xs_outbound *out, struct xs_outq *queue)
{
    while (queue->first != NULL)
        drop_first(out, queue);
    xs_list_remove(&queue->dirty);
}

void xs_outq_drop_data(struct xs_outbound *out, struct xs_outq *queue)
{
    struct xs_entry **link = &queue->first;
    struct xs_entry *kept = NULL;

    while (*link != NULL) {
        struct xs_entry *entry = *link;
        bool begun = entry == queue->first && queue->sent_of_first > 0;

        if (entry->kind == XS_ENTRY_CONTROL || begun) {
            kept = entry;
            link = &entry->next;
            continue;
        }
        account(queue, entry, -(int64_t)entry->total, -1);
        *link = entry->next;
        entry_free(out, entry);
    }
    queue->last = kept;
}

/* The parts of one gathered write. */
struct gathering {
    struct xs_slice parts[PARTS_MAX];
    size_t count;
    size_t copied; /* bytes in the gather buffer */
};

static bool gather(struct xs_outbound *out, struct gathering *to, struct xs_slice piece)
{
    struct xs_slice *last = to->count > 0 ? &to->parts[to->count - 1] : NULL;
    char *end = out->gather + to->copied;

    if (piece.len == 0)
        return true;
    if (piece.len > COPY_BYTES) {
        if (to->count == PARTS_MAX)
            return false;
        to->parts[to->count++] = piece;
        return true;
    }
    if (piece.len > XS_GATHER - to->copied)
        return false;
    if (last != NULL && last->at + last->len == end)
        last->len += piece.len;
    else if (to->count < PARTS_MAX)
        to->parts[to->count++] = (struct xs_slice){ end, piece.len };
    else
        return false;
    memcpy(end, piece.at, piece.len);
    to->copied += piece.len;
    return true;
}

/* Cuts `skip` bytes off the front of a piece. */
static struct xs_slice beyond(struct xs_slice piece, size_t *skip)
{
    size_t cut = *skip < piece.len ? *skip : piece.len;

    *skip -= cut;
    return (struct xs_slice){ piece.at + cut, piece.len - cut };
}

static bool gather_entry(struct xs_outbound *out, struct gathering *to,
                         const struct xs_entry *entry, size_t skip)
{
    const struct xs_edges *edges = entry->edges;
    struct xs_slice body = { entry->bytes->at, entry->bytes->len };

    if (edges == NULL)
        return gather(out, to, beyond(body, &skip));
    body.at += edges->skip;
    body.len -= edges->skip + edges->drop;
    return gather(out, to, beyond((struct xs_slice){ edges->head, edges->head_len }, &skip)) &&
           gather(out, to, beyond(body, &skip)) &&
           gather(out, to, beyond((struct xs_slice){ edges->tail, edges->tail_len }, &skip));
}

static void consume(struct xs_outbound *out, struct xs_outq *queue, size_t taken)
{
    XS_COUNT_BY(bytes_out, taken);
    while (taken > 0) {
        size_t left = queue->first->total - queue->sent_of_first;

        if (taken < left) {
            account(queue, queue->first, -(int64_t)taken, 0);
            queue->sent_of_first += (uint32_t)taken;
            return;
        }
        taken -= left;
        XS_COUNT(frames_out);
        drop_first(out, queue);
    }
}

enum xs_err xs_outq_flush(struct xs_outbound *out, struct xs_outq *queue, bool paced,
                          xs_outq_send send, void *context)
{
    xs_list_remove(&queue->dirty);
    queue->blocked = false;
    while (queue->first != NULL) {
        struct gathering to = { .count = 0 };
        size_t skip = queue->sent_of_first, before = queue->bytes, taken = 0;
        enum xs_err err;

        for (struct xs_entry *entry = queue->first; entry != NULL; entry = entry->next) {
            if (!gather_entry(out, &to, entry, skip) || paced)
                break;
            skip = 0;
        }
        err = send(context, to.parts, to.count, &taken);
        XS_COUNT(writes);
        consume(out, queue, taken);
        if (err == XS_EAGAIN)
            queue->blocked = true;
        if (err != XS_OK)
            return err;
        /* A transport that says yes and takes nothing would keep us here for ever. */
        if (queue->bytes == before)
            return XS_EIO;
        if (paced && queue->sent_of_first == 0)
            return XS_OK;
    }
    return XS_OK;
}
