/* outbound - queues, encoding once, gathering. */
#include <string.h>

#include "base/assert.h"
#include "base/stats.h"
#include "outbound/outbound.h"
#include <xsockets/subprotocol.h>

struct xs_encoded {
    uint32_t refs;
    size_t len;
    char *at; /* behind the struct, or an allocation of its own */
};

/* Pieces up to this size are copied together when there are several; larger ones go out from
 * where they lie. */
#define COPY_BYTES ((size_t)2048)
#define PARTS_MAX  64
/* What an encoder may put around data and blob before it has to be asked for more room: names
 * are bounded. */
#define AROUND ((size_t)700)

/* One message, or a stretch of tape with several of one kind. */
struct xs_entry {
    struct xs_entry *next;
    const char *at;
    struct xs_encoded *kept;     /* the owner of the bytes; NULL: they lie on a tape */
    struct xs_tape_piece *piece; /* then that piece */
    struct xs_edges *edges;      /* of what is kept; NULL when nothing differs by receiver */
    uint32_t total;              /* bytes on the wire */
    uint32_t messages;
    uint8_t kind; /* enum xs_entry_kind */
};

void xs_outbound_init(struct xs_outbound *out)
{
    memset(out, 0, sizeof *out);
    xs_list_init(&out->dirty);
    xs_tape_store_init(&out->store);
    xs_pool_init(&out->entries, sizeof(struct xs_entry), 16384);
    xs_pool_init(&out->edges, sizeof(struct xs_edges), 1024);
    out->gather = xs_alloc(XS_GATHER);
    out->message_limit = (size_t)1 << 20;
    out->queue_bytes = (size_t)1 << 20;
    out->queue_messages = 1000;
}

static void encoded_unref(struct xs_encoded *bytes)
{
    if (bytes == NULL || --bytes->refs > 0)
        return;
    XS_COUNT_BY(encoded, -1);
    if (bytes->at != (char *)(bytes + 1))
        xs_free(bytes->at);
    xs_free(bytes);
}

/* What has changed since the last time. */
static void tell_queued(struct xs_outbound *out)
{
    XS_COUNT_BY(queued_bytes, out->queued_bytes);
    XS_COUNT_BY(queued_entries, out->queued_entries);
    out->queued_bytes = out->queued_entries = 0;
}

void xs_outbound_turn_over(struct xs_outbound *out)
{
    if (out->queued_bytes != 0 || out->queued_entries != 0)
        tell_queued(out);
    if (out->store.used == 0)
        return;
    XS_ASSERT(out->stretches == 0);
    for (size_t i = 0; i < out->encoder_count; i++)
        xs_tape_rewind(&out->encoders[i].tape, &out->store);
    out->store.bytes = 0;
}

void xs_outbound_flush(struct xs_outbound *out)
{
    struct xs_list *node;

    while ((node = xs_list_shift(&out->dirty)) != NULL)
        out->relieve(XS_CONTAINER(node, struct xs_outq, dirty));
    xs_outbound_turn_over(out);
}

void xs_outbound_fini(struct xs_outbound *out)
{
    xs_outbound_turn_over(out);
    for (size_t i = 0; i < 3; i++)
        xs_free(out->view_bufs[i].at);
    xs_free(out->encoders);
    xs_free(out->scratch.at);
    xs_free(out->gather);
    xs_tape_store_fini(&out->store);
    xs_pool_fini(&out->entries);
    xs_pool_fini(&out->edges);
}

static bool same_encoder(const struct xs_encoder *a, const struct xs_encoder *b)
{
    return a->protocol == b->protocol && a->sub == b->sub && a->variant == b->variant;
}

uint16_t xs_outbound_encoder(struct xs_outbound *out, const struct xs_encoder *by)
{
    struct xs_outbound_encoder *encoder;
    struct xs_encoder plain = *by;
    uint16_t twin;

    for (size_t i = 0; i < out->encoder_count; i++)
        if (same_encoder(&out->encoders[i].by, by))
            return (uint16_t)i;
    plain.variant &= ~XS_VARIANT_PACKED;
    twin = same_encoder(&plain, by) ? (uint16_t)out->encoder_count
                                    : xs_outbound_encoder(out, &plain);
    /* A worker knows as many encoders as modules times their variants; 65,535 is out of reach.
     */
    XS_ASSERT(out->encoder_count < UINT16_MAX);
    out->encoders = xs_realloc(out->encoders, (out->encoder_count + 1) * sizeof *out->encoders);
    encoder = &out->encoders[out->encoder_count];
    memset(encoder, 0, sizeof *encoder);
    encoder->by = *by;
    encoder->view = by->sub != NULL ? by->sub->view : by->protocol->view;
    encoder->plain = twin;
    return (uint16_t)out->encoder_count++;
}

void xs_outbound_begin(struct xs_outbound *out, const struct xs_message *msg)
{
    XS_ASSERT(out->msg == NULL);
    out->msg = msg;
    out->serial++;
    memset(out->view_made, 0, sizeof out->view_made);
}

static void forget(struct xs_outbound *out)
{
    for (size_t i = 0; i < out->encoder_count; i++) {
        encoded_unref(out->encoders[i].kept);
        out->encoders[i].kept = NULL;
    }
    out->to_forget = 0;
    /* Scratch that grew for one large message is not kept. */
    for (size_t i = 0; i < 3; i++) {
        if (out->view_bufs[i].cap <= XS_GATHER)
            continue;
        xs_free(out->view_bufs[i].at);
        memset(&out->view_bufs[i], 0, sizeof out->view_bufs[i]);
    }
}

static inline bool has_too_much(const struct xs_outbound *out)
{
    return out->store.used > XS_TAPE_MOST;
}

void xs_outbound_end(struct xs_outbound *out)
{
    if (out->to_forget > 0)
        forget(out);
    out->msg = NULL;
    /* One callback may say any number of things to any number of clients. */
    if (has_too_much(out) && out->relieve != NULL)
        xs_outbound_flush(out);
}

static bool make_view(struct xs_outbound *out, enum xs_view view, struct xs_slice *data)
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
        out->to_forget += scratch->cap > XS_GATHER;
    }
    *data = out->views[view];
    return !out->view_failed[view];
}

static inline bool view_of(struct xs_outbound *out, enum xs_view view, struct xs_slice *data)
{
    const struct xs_message *msg = out->msg;

    /* What is there is what is wanted. */
    if (msg->form == (view == XS_VIEW_ESCAPED ? XS_JSON_ESCAPED : XS_JSON) &&
        msg->data.len <= 2 * out->message_limit) {
        *data = msg->data;
        return true;
    }
    return make_view(out, view, data);
}

/* ---- encoding ---- */

static struct xs_encoded *encoded_of(struct xs_slice bytes)
{
    struct xs_encoded *encoded = xs_try_alloc(sizeof *encoded + bytes.len);

    if (encoded == NULL)
        return NULL;
    encoded->refs = 1;
    encoded->len = bytes.len;
    encoded->at = (char *)(encoded + 1);
    memcpy(encoded->at, bytes.at, bytes.len);
    XS_COUNT(encoded);
    return encoded;
}

/* Takes over what lies in scratch. */
static struct xs_encoded *encoded_of_scratch(struct xs_outbound *out)
{
    struct xs_encoded *encoded = xs_alloc(sizeof *encoded);

    encoded->refs = 1;
    encoded->len = out->scratch.len;
    encoded->at = out->scratch.at;
    memset(&out->scratch, 0, sizeof out->scratch);
    XS_COUNT(encoded);
    return encoded;
}

/* What the encoder has made of the message off the tape; NULL if there is no memory. */
static struct xs_encoded *keep(struct xs_outbound *out, struct xs_outbound_encoder *encoder)
{
    if (encoder->kept == NULL) {
        encoder->kept = encoded_of(encoder->made);
        out->to_forget += encoder->kept != NULL;
    }
    return encoder->kept;
}

static size_t limit_of(const struct xs_outbound *out)
{
    return 2 * out->message_limit + 4096;
}

/* Onto the tape. False: there is not enough room for it there. */
static bool encode_on_tape(struct xs_outbound *out, struct xs_outbound_encoder *encoder,
                           struct xs_slice data, enum xs_err *err)
{
    size_t want = data.len + out->msg->blob.len + AROUND;
    struct xs_buf buf;

    if (want > XS_TAPE_LARGEST)
        return false;
    buf = xs_tape_room(&encoder->tape, &out->store, want);
    if (buf.limit > limit_of(out))
        buf.cap = buf.limit = limit_of(out);
    *err = encoder->by.protocol->encode(&encoder->by, out->msg, data, &buf);
    if (*err == XS_OK && buf.failed)
        return false;
    if (*err != XS_OK || buf.len == 0)
        return true;
    xs_tape_add(&encoder->tape, &out->store, buf.len);
    encoder->made = (struct xs_slice){ buf.at, buf.len };
    return true;
}

__attribute__((noinline)) static void encode_aside(struct xs_outbound *out,
                                                   struct xs_outbound_encoder *encoder,
                                                   struct xs_slice data, enum xs_err *err)
{
    struct xs_buf *buf = &out->scratch;

    buf->len = 0;
    buf->failed = false;
    buf->limit = limit_of(out);
    *err = XS_ETOOBIG;
    /* One growth at most: names are bounded, and data and blob are known. */
    if (!xs_buf_reserve(buf, data.len + out->msg->blob.len + AROUND))
        return;
    *err = encoder->by.protocol->encode(&encoder->by, out->msg, data, buf);
    if (*err == XS_OK && buf->failed)
        *err = XS_ETOOBIG;
    if (*err != XS_OK || buf->len == 0)
        return;
    encoder->kept = encoded_of_scratch(out);
    out->to_forget++;
    encoder->made = (struct xs_slice){ encoder->kept->at, encoder->kept->len };
}

static void encode(struct xs_outbound *out, struct xs_outbound_encoder *encoder)
{
    enum xs_err err = XS_OK;
    struct xs_slice data;

    encoder->serial = out->serial;
    encoder->made = (struct xs_slice){ NULL, 0 };
    if (encoder->by.protocol->encode == NULL)
        return; /* a protocol without messages (plain HTTP) */
    if (!view_of(out, encoder->view, &data)) {
        XS_COUNT(encode_too_big);
        return;
    }
    XS_COUNT(encodes);
    if (!encode_on_tape(out, encoder, data, &err))
        encode_aside(out, encoder, data, &err);
    if (err == XS_ETOOBIG)
        XS_COUNT(encode_too_big);
    else if (err != XS_OK)
        XS_COUNT(encode_refused);
}

/* ---- entries ---- */

static void account(struct xs_outbound *out, struct xs_outq *queue, uint8_t kind, int64_t bytes,
                    int64_t messages)
{
    queue->bytes += (size_t)bytes;
    if (kind == XS_ENTRY_CONTROL)
        queue->control_bytes += (size_t)bytes;
    queue->count += (uint32_t)messages;
    out->queued_bytes += bytes;
    out->queued_entries += messages;
}

static void entry_free(struct xs_outbound *out, struct xs_entry *entry)
{
    if (entry->kept == NULL)
        out->stretches--;
    encoded_unref(entry->kept);
    if (entry->edges != NULL)
        xs_pool_give(&out->edges, entry->edges);
    xs_pool_give(&out->entries, entry);
}

bool xs_outq_pressed(const struct xs_outbound *out, const struct xs_outq *queue, unsigned part)
{
    return queue->control_bytes > out->queue_bytes / part ||
           queue->count > out->queue_messages / part;
}

static void appended(struct xs_outbound *out, struct xs_outq *queue, enum xs_entry_kind kind,
                     size_t bytes)
{
    account(out, queue, (uint8_t)kind, (int64_t)bytes, 1);
    if (!queue->blocked && !xs_list_linked(&queue->dirty))
        xs_list_append(&out->dirty, &queue->dirty);
    if (kind == XS_ENTRY_CONTROL && out->press != NULL && xs_outq_pressed(out, queue, 1))
        out->press(queue);
}

static struct xs_entry *append(struct xs_outbound *out, struct xs_outq *queue,
                               enum xs_entry_kind kind)
{
    struct xs_entry *entry = xs_pool_take(&out->entries);

    entry->next = NULL;
    entry->kept = NULL;
    entry->piece = NULL;
    entry->edges = NULL;
    entry->messages = 1;
    entry->kind = (uint8_t)kind;
    if (queue->last == NULL)
        queue->first = entry;
    else
        queue->last->next = entry;
    queue->last = entry;
    return entry;
}

/* Bytes at the end of what is on the tape, or further in front of it. */
static void append_stretch(struct xs_outbound *out, struct xs_outq *queue,
                           enum xs_entry_kind kind, struct xs_slice bytes,
                           struct xs_tape_piece *piece)
{
    struct xs_entry *last = queue->last;

    if (last != NULL && last->piece == piece && last->kind == kind &&
        last->at + last->total == bytes.at) {
        last->total += (uint32_t)bytes.len;
        last->messages++;
    } else {
        last = append(out, queue, kind);
        last->at = bytes.at;
        last->piece = piece;
        last->total = (uint32_t)bytes.len;
        out->stretches++;
    }
    appended(out, queue, kind, bytes.len);
}

/* Takes over a reference, and the edges. */
static void append_kept(struct xs_outbound *out, struct xs_outq *queue, enum xs_entry_kind kind,
                        struct xs_encoded *kept, struct xs_edges *edges)
{
    struct xs_entry *entry = append(out, queue, kind);

    entry->kept = kept;
    entry->at = kept->at;
    entry->edges = edges;
    entry->total = (uint32_t)kept->len;
    if (edges != NULL)
        entry->total += (uint32_t)edges->head_len + (uint32_t)edges->tail_len -
                        (uint32_t)edges->skip - (uint32_t)edges->drop;
    appended(out, queue, kind, entry->total);
}

static bool is_process_full(struct xs_outbound *out)
{
    if (out->process_is_full == NULL)
        return false;
    tell_queued(out);
    return out->process_is_full(out->context);
}

/* Whether `more` bytes of data would be over the bound. One message of any size may stand
 * alone. */
static inline bool is_full(struct xs_outbound *out, const struct xs_outq *queue, size_t more)
{
    if (queue->first == NULL)
        return false;
    if (queue->bytes + more > out->queue_bytes || queue->count >= out->queue_messages)
        return true;
    return queue->blocked && is_process_full(out);
}

/* False: there is no room, and the connection has been told. Not inline, as what follows: most
 * messages do without it. */
__attribute__((noinline)) static bool make_room(struct xs_outbound *out, struct xs_outq *queue,
                                                size_t more)
{
    if (out->relieve != NULL)
        out->relieve(queue);
    if (queue->closed)
        return false;
    if (!is_full(out, queue, more))
        return true;
    if (out->overflow != NULL)
        out->overflow(queue);
    return false;
}

/* ---- what differs by receiver ---- */

static size_t size_with(struct xs_slice shared, const struct xs_edges *edges)
{
    return shared.len - edges->skip - edges->drop + edges->head_len + edges->tail_len;
}

/* Written out for this receiver, who may be the only one: then what all would have shared is
 * not needed on the tape. */
static void write_personal(struct xs_outbound *out, struct xs_outq *queue,
                           enum xs_entry_kind kind, struct xs_outbound_encoder *encoder,
                           const struct xs_edges *edges, bool alone)
{
    struct xs_tape *tape = &encoder->tape;
    struct xs_slice shared = encoder->made;
    size_t middle = shared.len - edges->skip - edges->drop, len = size_with(shared, edges);
    struct xs_buf buf;

    /* In the same place, if it is the last thing there. */
    if (alone && shared.at + shared.len == tape->last->bytes + tape->last->len) {
        xs_tape_take_back(tape, &out->store);
        encoder->serial = 0;
    }
    buf = xs_tape_room(tape, &out->store, len);
    memmove(buf.at + edges->head_len, shared.at + edges->skip, middle);
    memcpy(buf.at, edges->head, edges->head_len);
    memcpy(buf.at + edges->head_len + middle, edges->tail, edges->tail_len);
    xs_tape_add(tape, &out->store, len);
    append_stretch(out, queue, kind, (struct xs_slice){ buf.at, len }, tape->last);
}

/* ---- pushing ---- */

static bool stays(const struct xs_outq *queue)
{
    return queue->blocked || queue->paced;
}

__attribute__((noinline)) static enum xs_push
push_personal(struct xs_outbound *out, struct xs_outq *queue, enum xs_entry_kind kind,
              struct xs_outbound_encoder *encoder, const struct xs_personal *who, bool fresh)
{
    struct xs_personal whole = { .size = sizeof whole };
    struct xs_encoded *kept;
    struct xs_edges edges, *own;

    edges.skip = edges.drop = 0;
    edges.head_len = edges.tail_len = 0;
    if (who != NULL)
        whole = *who;
    whole.self = queue->self;
    encoder->by.protocol->personal(&encoder->by, &whole, encoder->made, &edges);
    XS_ASSERT(edges.skip + edges.drop <= encoder->made.len);
    /* What all get and each a little differently is not written out for each of very many. */
    if (encoder->kept == NULL && !stays(queue) && (who != NULL || !has_too_much(out)) &&
        size_with(encoder->made, &edges) <= XS_TAPE_LARGEST) {
        write_personal(out, queue, kind, encoder, &edges, fresh && who != NULL);
        return XS_PUSHED;
    }
    kept = keep(out, encoder);
    if (kept == NULL)
        return XS_PUSH_FULL;
    kept->refs++;
    own = NULL;
    if (edges.skip + edges.drop + edges.head_len + edges.tail_len > 0) {
        own = xs_pool_take(&out->edges);
        *own = edges;
    }
    append_kept(out, queue, kind, kept, own);
    return XS_PUSHED;
}

enum xs_push xs_outbound_push(struct xs_outbound *out, struct xs_outq *queue,
                              enum xs_entry_kind kind, const struct xs_personal *who)
{
    struct xs_outbound_encoder *encoder;
    bool personal = who != NULL || queue->self != NULL, fresh;

    if (queue->closed)
        return XS_PUSH_NOTHING;
    encoder = &out->encoders[queue->encoder];
    if (personal)
        encoder = &out->encoders[encoder->plain];
    fresh = encoder->serial != out->serial;
    if (fresh)
        encode(out, encoder);
    if (encoder->made.at == NULL)
        return XS_PUSH_NOTHING;
    if (kind == XS_ENTRY_DATA && is_full(out, queue, encoder->made.len) &&
        !make_room(out, queue, encoder->made.len))
        return XS_PUSH_FULL;
    if (personal && encoder->by.protocol->personal != NULL)
        return push_personal(out, queue, kind, encoder, who, fresh);
    if (encoder->kept == NULL && !stays(queue)) {
        append_stretch(out, queue, kind, encoder->made, encoder->tape.last);
    } else {
        struct xs_encoded *kept = keep(out, encoder);

        if (kept == NULL)
            return XS_PUSH_FULL;
        kept->refs++;
        append_kept(out, queue, kind, kept, NULL);
    }
    if (queue->bytes >= XS_FLUSH_AT && !stays(queue) && out->relieve != NULL)
        out->relieve(queue);
    return XS_PUSHED;
}

enum xs_push xs_outbound_push_bytes(struct xs_outbound *out, struct xs_outq *queue,
                                    struct xs_slice bytes)
{
    struct xs_encoded *encoded;

    if (queue->closed || bytes.len == 0)
        return XS_PUSH_NOTHING;
    if (!stays(queue) && bytes.len <= XS_TAPE_LARGEST && out->encoder_count > 0) {
        struct xs_tape *tape = &out->encoders[queue->encoder].tape;
        struct xs_buf buf = xs_tape_room(tape, &out->store, bytes.len);

        memcpy(buf.at, bytes.at, bytes.len);
        xs_tape_add(tape, &out->store, bytes.len);
        append_stretch(out, queue, XS_ENTRY_CONTROL, (struct xs_slice){ buf.at, bytes.len },
                       tape->last);
        return XS_PUSHED;
    }
    encoded = encoded_of(bytes);
    if (encoded == NULL)
        return XS_PUSH_FULL;
    append_kept(out, queue, XS_ENTRY_CONTROL, encoded, NULL);
    return XS_PUSHED;
}

/* ---- queues ---- */

void xs_outq_init(struct xs_outq *queue)
{
    memset(queue, 0, sizeof *queue);
}

static void drop_first(struct xs_outbound *out, struct xs_outq *queue)
{
    struct xs_entry *entry = queue->first;

    account(out, queue, entry->kind, -(int64_t)(entry->total - queue->sent_of_first),
            -(int64_t)entry->messages);
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

/* The rest of a stretch, from behind its first message, as an entry of its own. */
static void split(struct xs_outbound *out, struct xs_outq *queue, struct xs_entry *entry,
                  const char *at)
{
    struct xs_entry *rest = xs_pool_take(&out->entries);

    *rest = *entry;
    rest->at = at;
    rest->total = entry->total - (uint32_t)(at - entry->at);
    rest->messages = xs_tape_count(entry->piece, at, at + rest->total);
    entry->total -= rest->total;
    entry->messages -= rest->messages;
    entry->next = rest;
    if (queue->last == entry)
        queue->last = rest;
    out->stretches++;
}

/* A stretch that has begun to leave becomes what is gone, the message that is cut, and the
 * rest. */
static void split_begun(struct xs_outbound *out, struct xs_outq *queue)
{
    struct xs_entry *entry = queue->first;
    const char *begin, *end;

    xs_tape_message(entry->piece, entry->at + queue->sent_of_first, &begin, &end);
    if (begin > entry->at) {
        split(out, queue, entry, begin);
        queue->count -= entry->messages;
        out->queued_entries -= entry->messages;
        XS_COUNT_BY(frames_out, entry->messages);
        queue->sent_of_first -= entry->total;
        queue->first = entry->next;
        entry_free(out, entry);
        entry = queue->first;
    }
    if (end < entry->at + entry->total)
        split(out, queue, entry, end);
}

/* Each message as an entry of its own: what of them is gone is counted, and may be dropped, by
 * entries, and a paced queue gives one at a time. */
static void split_all(struct xs_outbound *out, struct xs_outq *queue, struct xs_entry *entry)
{
    while (entry->messages > 1) {
        const char *begin, *end;

        xs_tape_message(entry->piece, entry->at, &begin, &end);
        split(out, queue, entry, end);
        entry = entry->next;
    }
}

/* The messages of a stretch, or of a part of it, share one copy. */
static void take_off_tape(struct xs_outbound *out, struct xs_outq *queue,
                          struct xs_entry *entry)
{
    struct xs_encoded *kept = xs_alloc(sizeof *kept + entry->total);
    const char *from = entry->at;

    kept->refs = entry->messages;
    kept->len = entry->total;
    kept->at = (char *)(kept + 1);
    memcpy(kept->at, from, kept->len);
    XS_COUNT(encoded);
    split_all(out, queue, entry);
    for (uint32_t left = kept->refs; left > 0; left--, entry = entry->next) {
        entry->kept = kept;
        entry->at = kept->at + (entry->at - from);
        entry->piece = NULL;
        out->stretches--;
    }
}

void xs_outq_settle(struct xs_outbound *out, struct xs_outq *queue)
{
    if (queue->first != NULL && queue->first->piece != NULL && queue->sent_of_first > 0)
        split_begun(out, queue);
    for (struct xs_entry *entry = queue->first; entry != NULL; entry = entry->next)
        if (entry->piece != NULL)
            take_off_tape(out, queue, entry);
}

void xs_outq_drop_data(struct xs_outbound *out, struct xs_outq *queue)
{
    struct xs_entry **link = &queue->first;
    struct xs_entry *kept = NULL;

    xs_outq_settle(out, queue);
    while (*link != NULL) {
        struct xs_entry *entry = *link;
        bool begun = entry == queue->first && queue->sent_of_first > 0;

        if (entry->kind == XS_ENTRY_CONTROL || begun) {
            kept = entry;
            link = &entry->next;
            continue;
        }
        account(out, queue, entry->kind, -(int64_t)entry->total, -(int64_t)entry->messages);
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
    bool alone;    /* nothing else leaves with it */
};

static bool gather(struct xs_outbound *out, struct gathering *to, struct xs_slice piece)
{
    bool alone = to->alone;
    struct xs_slice *last = to->count > 0 ? &to->parts[to->count - 1] : NULL;
    char *end = out->gather + to->copied;

    if (piece.len == 0)
        return true;
    if (piece.len > COPY_BYTES || alone) {
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
    struct xs_slice body = { entry->at, entry->total };

    if (edges == NULL)
        return gather(out, to, beyond(body, &skip));
    body.at += edges->skip;
    body.len -= (size_t)edges->head_len + edges->tail_len;
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
            account(out, queue, queue->first->kind, -(int64_t)taken, 0);
            queue->sent_of_first += (uint32_t)taken;
            return;
        }
        taken -= left;
        XS_COUNT_BY(frames_out, queue->first->messages);
        drop_first(out, queue);
    }
}

static enum xs_err flush(struct xs_outbound *out, struct xs_outq *queue, xs_outq_send send,
                         void *context)
{
    while (queue->first != NULL) {
        struct gathering to;
        size_t skip = queue->sent_of_first, before = queue->bytes, taken = 0;
        enum xs_err err;

        to.count = to.copied = 0;
        to.alone = queue->first->next == NULL && queue->first->edges == NULL;
        for (struct xs_entry *entry = queue->first; entry != NULL; entry = entry->next) {
            if (!gather_entry(out, &to, entry, skip) || queue->paced)
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
        if (queue->paced && queue->sent_of_first == 0)
            return XS_OK;
    }
    return XS_OK;
}

enum xs_err xs_outq_flush(struct xs_outbound *out, struct xs_outq *queue, xs_outq_send send,
                          void *context)
{
    enum xs_err err;

    xs_list_remove(&queue->dirty);
    queue->blocked = false;
    err = flush(out, queue, send, context);
    if (queue->first != NULL)
        xs_outq_settle(out, queue);
    return err;
}
