/* frames - bytes to payloads: RFC 6455 sections 5 to 8.
 *
 * Two ways lead to the same result (tests/fuzz/fuzz_websocket.c holds them to it). A data frame
 * that is a whole message and came whole is unmasked and checked where it lies. Everything else
 * is given to a wslay context that is borrowed from the worker, never more than one frame at a
 * time, so that nothing is left inside it at a frame's end. */
#include <stdlib.h>

#include <wslay/wslay.h>

#include "websocket.h"

enum {
    READERS_KEPT = 16,       /* lying free on a worker */
    BUFFER_KEPT = 16 * 1024, /* of a free reader */
    BUFFER_FIRST = 1024,
    CONTROL_LIMIT = 125, /* RFC 6455 section 5.5 */
    CONTROL_FRAME = 2 + CONTROL_LIMIT,
    REASON_LIMIT = CONTROL_LIMIT - 2,
    QUEUE_ENOUGH = 64 * 1024 /* control that waits for a peer that does not read */
};

enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CONTROL = 8, CLOSE = 8, PING = 9 };
enum { RESERVED = 0x70 }; /* of a frame's first byte */

/* A message being put together. */
struct xs_websocket_reader {
    struct xs_websocket_reader *next; /* lying free */
    wslay_event_context_ptr context;
    const char *feed; /* what wslay may read now */
    size_t feed_len;
    char *at; /* fragments so far, unmasked */
    size_t len;
    size_t cap;
    size_t limit;    /* of the message as it comes over the wire */
    bool in_message; /* its first frame has begun and its last is not over */
    bool binary;
    bool packed; /* RFC 7692 */
    bool in_control;
    bool frame_over; /* a frame has ended since the last look */
    bool whole;      /* the message has ended since the last look */
    bool no_memory;
    uint8_t control; /* opcode of a control frame that came since the last look, or 0 */
    size_t control_len;
    size_t out_len;
    char out[CONTROL_FRAME]; /* wslay's own answer */
};

struct xs_websocket_pong {
    size_t len;
    char frame[CONTROL_FRAME];
};

/* ---- what wslay calls; nothing here calls the host ---- */

static ssize_t on_want(wslay_event_context_ptr context, uint8_t *to, size_t len, int flags,
                       void *user)
{
    struct xs_websocket_reader *reader = user;
    size_t n = reader->feed_len < len ? reader->feed_len : len;

    (void)flags;
    if (n == 0) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, reader->feed, n);
    reader->feed += n;
    reader->feed_len -= n;
    return (ssize_t)n;
}

static ssize_t on_answer(wslay_event_context_ptr context, const uint8_t *bytes, size_t len,
                         int flags, void *user)
{
    struct xs_websocket_reader *reader = user;

    (void)context;
    (void)flags;
    /* One frame is read at a time and causes one answer at most, of a control frame's size. */
    if (len > sizeof reader->out - reader->out_len)
        len = sizeof reader->out - reader->out_len;
    memcpy(reader->out + reader->out_len, bytes, len);
    reader->out_len += len;
    return (ssize_t)len;
}

static void on_frame_start(wslay_event_context_ptr context,
                           const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
    struct xs_websocket_reader *reader = user;

    (void)context;
    reader->in_control = (frame->opcode & CONTROL) != 0;
    if (reader->in_control || frame->opcode == CONTINUATION)
        return;
    reader->in_message = true;
    reader->binary = frame->opcode == BINARY;
    reader->packed = wslay_get_rsv1(frame->rsv) != 0;
}

/* The buffer grows with what has come, never with what was announced. */
static bool make_room(struct xs_websocket_reader *reader, size_t more)
{
    size_t need = reader->len + more, cap = reader->cap > 0 ? reader->cap : BUFFER_FIRST;
    char *grown;

    while (cap < need)
        cap *= 2;
    if (cap > reader->limit && reader->limit >= need)
        cap = reader->limit;
    if (cap <= reader->cap)
        return true;
    grown = realloc(reader->at, cap);
    if (grown == NULL)
        return false;
    reader->at = grown;
    reader->cap = cap;
    return true;
}

static void on_chunk(wslay_event_context_ptr context,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *user)
{
    struct xs_websocket_reader *reader = user;

    if (reader->in_control || chunk->data_length == 0)
        return;
    if (chunk->data_length > reader->limit - reader->len ||
        !make_room(reader, chunk->data_length)) {
        reader->no_memory = true;
        wslay_event_shutdown_read(context);
        return;
    }
    memcpy(reader->at + reader->len, chunk->data, chunk->data_length);
    reader->len += chunk->data_length;
}

static void on_frame_end(wslay_event_context_ptr context, void *user)
{
    struct xs_websocket_reader *reader = user;

    (void)context;
    reader->frame_over = true;
}

static void on_message(wslay_event_context_ptr context,
                       const struct wslay_event_on_msg_recv_arg *message, void *user)
{
    struct xs_websocket_reader *reader = user;

    (void)context;
    if ((message->opcode & CONTROL) == 0) {
        reader->whole = true;
        return;
    }
    reader->control = message->opcode;
    reader->control_len = message->msg_length;
}

/* ---- readers, borrowed from the worker ---- */

static void reader_free(struct xs_websocket_reader *reader)
{
    wslay_event_context_free(reader->context);
    free(reader->at);
    free(reader);
}

static struct xs_websocket_reader *reader_new(void)
{
    static const struct wslay_event_callbacks calls = {
        .recv_callback = on_want,
        .send_callback = on_answer,
        .on_frame_recv_start_callback = on_frame_start,
        .on_frame_recv_chunk_callback = on_chunk,
        .on_frame_recv_end_callback = on_frame_end,
        .on_msg_recv_callback = on_message,
    };
    struct xs_websocket_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    if (wslay_event_context_server_init(&reader->context, &calls, reader) != 0) {
        free(reader);
        return NULL;
    }
    wslay_event_config_set_no_buffering(reader->context, 1);
    return reader;
}

/* `limit` is that of the message, if one begins here. */
static bool borrow(struct xs_websocket *ws, struct xs_conn *conn, size_t limit)
{
    struct xs_websocket_worker *worker = xs_conn_worker_state(conn);

    if (ws->reader != NULL)
        return true;
    if (worker->free != NULL) {
        ws->reader = worker->free;
        worker->free = ws->reader->next;
        worker->free_count--;
    } else {
        ws->reader = reader_new();
    }
    if (ws->reader == NULL)
        return false;
    ws->reader->limit = limit;
    wslay_event_config_set_max_recv_msg_length(ws->reader->context,
                                               limit > CONTROL_LIMIT ? limit : CONTROL_LIMIT);
    wslay_event_config_set_allowed_rsv_bits(ws->reader->context,
                                            ws->deflates ? WSLAY_RSV1_BIT : WSLAY_RSV_NONE);
    return true;
}

/* Between two messages: the next one may use it. */
static void give_back(struct xs_conn *conn, struct xs_websocket_reader *reader)
{
    struct xs_websocket_worker *worker = xs_conn_worker_state(conn);

    if (worker->free_count >= READERS_KEPT) {
        reader_free(reader);
        return;
    }
    if (reader->cap > BUFFER_KEPT) {
        free(reader->at);
        reader->at = NULL;
        reader->cap = 0;
    }
    reader->len = 0;
    reader->next = worker->free;
    worker->free = reader;
    worker->free_count++;
}

/* In the middle of something, or after a fault: nobody can use it any more. */
static void drop(struct xs_websocket *ws)
{
    if (ws->reader != NULL)
        reader_free(ws->reader);
    ws->reader = NULL;
}

void xs_websocket_worker_stop(void *worker_state)
{
    struct xs_websocket_worker *worker = worker_state;

    while (worker->free != NULL) {
        struct xs_websocket_reader *reader = worker->free;

        worker->free = reader->next;
        reader_free(reader);
    }
    worker->free_count = 0;
}

/* ---- control frames out ---- */

/* A close frame, once; code 0: without one. */
static void write_close(struct xs_websocket *ws, struct xs_conn *conn, unsigned code,
                        struct xs_slice sentence)
{
    char frame[CONTROL_FRAME];
    size_t len = 2;

    if (code != 0) {
        frame[len++] = (char)(code >> 8);
        frame[len++] = (char)(code & 0xff);
        if (sentence.len > 0)
            memcpy(frame + len, sentence.at, sentence.len);
        len += sentence.len;
    }
    frame[0] = (char)(0x80 | CLOSE);
    frame[1] = (char)(len - 2);
    ws->close_sent = true;
    xs_conn_write(conn, (struct xs_slice){ frame, len });
}

/* As many bytes of a sentence as fit, whole characters only. */
static struct xs_slice reason_of(const char *sentence)
{
    struct xs_slice reason = xs_slice_of(sentence);

    if (!xs_utf8_valid(reason.at, reason.len))
        return XS_SLICE("");
    if (reason.len > REASON_LIMIT) {
        reason.len = REASON_LIMIT;
        while (reason.len > 0 && ((unsigned char)reason.at[reason.len] & 0xc0) == 0x80)
            reason.len--;
    }
    return reason;
}

/* The original .NET client never connects again by itself once it has read a whole close frame
 * on a connection that still stands; one of 2 bytes it leaves unread. So where such clients
 * are, a server that stops says its code and no sentence. */
bool xs_websocket_goodbye(void *self, struct xs_conn *conn, enum xs_close_reason reason,
                          const char *detail)
{
    struct xs_websocket *ws = self;
    const struct xs_subprotocol_ops *sub = xs_conn_subprotocol(conn);
    bool is_shy = sub != NULL && sub->client_speaks_first;
    bool is_bare = reason == XS_CLOSE_NORMAL || (is_shy && reason == XS_CLOSE_GOING_AWAY);

    drop(ws);
    if (!ws->open || ws->close_sent || reason == XS_CLOSE_RESET)
        return false;
    if (is_shy && !ws->spoke)
        return false;
    write_close(ws, conn, xs_close_code(reason), is_bare ? XS_SLICE("") : reason_of(detail));
    return true;
}

/* RFC 6455 section 5.5.3 lets us answer only the latest of several pings: done when the peer
 * leaves our answers unread. */
static void answer_ping(struct xs_websocket *ws, struct xs_conn *conn, const char *frame,
                        size_t len)
{
    if (xs_conn_queued_control(conn) <= QUEUE_ENOUGH) {
        xs_conn_write(conn, (struct xs_slice){ frame, len });
        return;
    }
    if (ws->late == NULL)
        ws->late = malloc(sizeof *ws->late);
    if (ws->late == NULL)
        return;
    ws->late->len = len;
    memcpy(ws->late->frame, frame, len);
}

static void answer_late(struct xs_websocket *ws, struct xs_conn *conn)
{
    if (xs_conn_queued_control(conn) > QUEUE_ENOUGH || xs_conn_closing(conn))
        return;
    xs_conn_write(conn, (struct xs_slice){ ws->late->frame, ws->late->len });
    free(ws->late);
    ws->late = NULL;
}

void xs_websocket_ping(void *self, struct xs_conn *conn)
{
    struct xs_websocket *ws = self;
    const struct xs_subprotocol_ops *sub = xs_conn_subprotocol(conn);

    if (!ws->open || ws->close_sent || (sub != NULL && sub->client_speaks_first && !ws->spoke))
        return;
    if (ws->late != NULL)
        answer_late(ws, conn);
    if (xs_conn_queued_control(conn) <= QUEUE_ENOUGH)
        xs_conn_write(conn, XS_SLICE("\x89\x04ping"));
}

void xs_websocket_close(void *self, struct xs_conn *conn)
{
    struct xs_websocket *ws = self;

    (void)conn;
    drop(ws);
    free(ws->late);
    ws->late = NULL;
}

/* ---- frames in ---- */

struct header {
    size_t size;
    uint64_t len;
    uint8_t first; /* FIN, reserved bits, opcode */
    uint8_t opcode;
    bool fin;
    bool masked;
    bool shortest; /* RFC 6455 section 5.2: the length in its minimal form, its top bit 0 */
    unsigned char key[4];
};

/* False: more bytes are needed to know. */
static bool read_header(const struct xs_input *in, struct header *header)
{
    const unsigned char *at = (const unsigned char *)in->at;
    size_t extended;

    if (in->len < 2)
        return false;
    header->first = at[0];
    header->opcode = at[0] & 0x0f;
    header->fin = (at[0] & 0x80) != 0;
    header->masked = (at[1] & 0x80) != 0;
    header->len = at[1] & 0x7f;
    header->shortest = true;
    extended = header->len == 126 ? 2 : header->len == 127 ? 8 : 0;
    header->size = 2 + extended + (header->masked ? 4 : 0);
    if (in->len < header->size)
        return false;
    if (extended > 0) {
        header->len = 0;
        for (size_t i = 0; i < extended; i++)
            header->len = header->len << 8 | at[2 + i];
        header->shortest =
            header->len >= (extended == 2 ? 126 : 65536) && header->len >> 63 == 0;
    }
    if (header->masked)
        memcpy(header->key, at + 2 + extended, 4);
    return true;
}

static void skip(struct xs_input *in, size_t n)
{
    in->at += n;
    in->len -= n;
}

/* Whether a packed message begins: only its first frame says so (RFC 7692 section 6). */
static bool is_packed(const struct xs_websocket *ws, const struct header *header)
{
    return (header->first & RESERVED) == XS_WEBSOCKET_RSV1 && ws->deflates &&
           (header->opcode == TEXT || header->opcode == BINARY);
}

/* Whether a data frame may come here and has nothing odd about it; all else is wslay's to
 * judge. */
static bool is_plain(const struct xs_websocket *ws, const struct header *header, bool packed)
{
    bool in_message = ws->reader != NULL;

    return header->masked && header->shortest && ((header->first & RESERVED) == 0 || packed) &&
           (in_message ? header->opcode == CONTINUATION
                       : header->opcode == TEXT || header->opcode == BINARY);
}

/* The peer's close frame was valid: its code goes back, then nothing more is said. */
static enum xs_err closed_by_peer(struct xs_websocket *ws, struct xs_conn *conn)
{
    unsigned code = wslay_event_get_status_code_received(ws->reader->context);
    size_t len = ws->reader->control_len;

    xs_conn_count_frame(conn);
    drop(ws);
    if (len == 1)
        return XS_EPROTO;
    ws->finished = true;
    if (!ws->close_sent)
        write_close(ws, conn, len == 0 ? 0 : code, XS_SLICE(""));
    xs_conn_close(conn, XS_CLOSE_NORMAL, NULL);
    return XS_OK;
}

/* wslay has found a fault: the close code that it wants to send says which. */
static enum xs_err fault_of(struct xs_websocket *ws)
{
    struct xs_websocket_reader *reader = ws->reader;
    const unsigned char *out = (const unsigned char *)reader->out;
    unsigned code = reader->out_len >= 4 ? (unsigned)(out[2] << 8 | out[3]) : 0;
    bool no_memory = reader->no_memory;

    drop(ws);
    if (no_memory)
        return XS_ENOMEM;
    if (code == WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA)
        return XS_EUTF8;
    return code == WSLAY_CODE_MESSAGE_TOO_BIG ? XS_ETOOBIG : XS_EPROTO;
}

/* wslay leaves the UTF-8 of packed messages alone. */
static enum xs_err deliver_packed(struct xs_conn *conn, struct xs_slice packed, bool binary)
{
    const struct xs_websocket_worker *worker = xs_conn_worker_state(conn);
    struct xs_packer *packer = worker->packer;
    struct xs_plain plain;
    enum xs_err err = xs_unpack(packer, packed, xs_conn_limits(conn)->message, &plain);

    if (err == XS_OK && !binary && !xs_utf8_valid(plain.at, plain.len))
        err = XS_EUTF8;
    if (err == XS_OK)
        err = xs_conn_payload(conn, plain.at, plain.len, binary);
    xs_plain_give_back(packer, &plain);
    return err;
}

static enum xs_err deliver(struct xs_websocket *ws, struct xs_conn *conn)
{
    struct xs_websocket_reader *reader = ws->reader;
    char nothing[1] = "";
    enum xs_err err;

    /* Whatever the receiver does to the connection, the reader is not the connection's any
     * more. */
    ws->reader = NULL;
    reader->in_message = false;
    if (reader->packed)
        err =
            deliver_packed(conn, (struct xs_slice){ reader->at, reader->len }, reader->binary);
    else
        err = xs_conn_payload(conn, reader->at != NULL ? reader->at : nothing, reader->len,
                              reader->binary);
    give_back(conn, reader);
    return err;
}

/* Gives wslay some bytes, of one frame at most, and looks at what came of it. */
static enum xs_err feed(struct xs_websocket *ws, struct xs_conn *conn, struct xs_slice bytes)
{
    struct xs_websocket_reader *reader = ws->reader;
    int failed;

    reader->feed = bytes.at;
    reader->feed_len = bytes.len;
    reader->out_len = 0;
    reader->control = 0;
    reader->whole = reader->frame_over = reader->no_memory = false;
    failed = wslay_event_recv(reader->context);
    if (wslay_event_want_write(reader->context) && wslay_event_send(reader->context) != 0)
        failed = WSLAY_ERR_NOMEM;
    reader->feed = NULL;
    if (failed == WSLAY_ERR_NOMEM)
        reader->no_memory = true;
    if (wslay_event_get_close_received(reader->context) && failed == 0)
        return closed_by_peer(ws, conn);
    if (failed != 0 || !wslay_event_get_read_enabled(reader->context))
        return fault_of(ws);
    if (reader->frame_over && !reader->whole)
        xs_conn_count_frame(conn);
    if (reader->control == PING)
        answer_ping(ws, conn, reader->out, reader->out_len);
    if (reader->whole)
        return deliver(ws, conn);
    if (!reader->in_message && ws->frame_left == 0) {
        ws->reader = NULL;
        give_back(conn, reader);
    }
    return XS_OK;
}

static xs_unmask *unmask_of(const struct xs_conn *conn)
{
    const struct xs_websocket_worker *worker = xs_conn_worker_state(conn);

    return worker->unmask;
}

/* Takes the whole messages of one short frame each that lie in front, as nearly all do; stops
 * at the first that is anything else. */
static enum xs_err take_short(struct xs_websocket *ws, struct xs_conn *conn,
                              struct xs_input *in)
{
    const size_t limit = xs_conn_limits(conn)->message;
    xs_unmask *unmask = unmask_of(conn);

    while (in->len >= 6 && !xs_conn_busy(conn) && !xs_conn_closing(conn)) {
        const unsigned char *at = (const unsigned char *)in->at;
        size_t size = 6, len = at[1] & 0x7f;
        bool binary = at[0] == (0x80 | BINARY);
        char *payload;
        enum xs_err err;

        if ((at[0] != (0x80 | TEXT) && !binary) || (at[1] & 0x80) == 0)
            return XS_OK;
        if (len == 126 && in->len >= 8) {
            len = (size_t)at[2] << 8 | at[3];
            size = 8;
        }
        if (len < (size == 6 ? 0 : 126) || len > (size == 6 ? 125 : limit) || len > limit ||
            in->len - size < len)
            return XS_OK;
        payload = in->at + size;
        skip(in, size + len);
        ws->spoke = true;
        if (!unmask(payload, len, at + size - 4) && !binary && !xs_utf8_valid(payload, len))
            return XS_EUTF8;
        err = xs_conn_payload(conn, payload, len, binary);
        if (err != XS_OK)
            return err;
    }
    return XS_OK;
}

/* A frame that begins here. XS_EAGAIN: it is left where it is until more has come. */
static enum xs_err take_frame(struct xs_websocket *ws, struct xs_conn *conn,
                              struct xs_input *in, const struct header *header)
{
    size_t there = in->len - header->size;
    size_t held = ws->reader != NULL ? ws->reader->len : 0;
    size_t limit = xs_conn_limits(conn)->message;
    struct xs_slice bytes = { in->at, 0 };
    bool packed = is_packed(ws, header);

    if (ws->reader != NULL)
        limit = ws->reader->limit;
    else if (packed)
        limit = xs_packed_limit(limit);
    ws->spoke = true;
    if (is_plain(ws, header, packed)) {
        if (header->len > limit - held) {
            skip(in, header->size);
            ws->frame_left = header->len;
            drop(ws);
            return XS_ETOOBIG;
        }
        if (header->fin && header->opcode != CONTINUATION && header->len <= there) {
            char *payload = in->at + header->size;
            size_t len = (size_t)header->len;
            bool ascii = unmask_of(conn)(payload, len, header->key);

            skip(in, header->size + len);
            if (packed)
                return deliver_packed(conn, (struct xs_slice){ payload, len },
                                      header->opcode == BINARY);
            if (!ascii && header->opcode == TEXT && !xs_utf8_valid(payload, len))
                return XS_EUTF8;
            return xs_conn_payload(conn, payload, len, header->opcode == BINARY);
        }
    }
    /* wslay 1.1.1 checks the reason of a close frame wrongly when it comes in pieces: a control
     * frame is given whole. */
    if ((header->opcode & CONTROL) != 0 && header->fin && header->len <= CONTROL_LIMIT &&
        header->len > there)
        return XS_EAGAIN;
    if (!borrow(ws, conn, limit))
        return XS_ENOMEM;
    bytes.len = header->size + (header->len < there ? (size_t)header->len : there);
    ws->frame_left = header->len - (bytes.len - header->size);
    skip(in, bytes.len);
    return feed(ws, conn, bytes);
}

/* We have closed: data is thrown away, the peer's close frame ends it. */
static enum xs_err discard(struct xs_websocket *ws, struct xs_conn *conn, struct xs_input *in)
{
    struct header header;

    while (in->len > 0) {
        if (ws->finished) {
            skip(in, in->len);
        } else if (ws->frame_left > 0) {
            size_t n = ws->frame_left < in->len ? (size_t)ws->frame_left : in->len;

            ws->frame_left -= n;
            skip(in, n);
        } else if (!read_header(in, &header)) {
            break;
        } else if (header.opcode == CLOSE) {
            ws->finished = true;
            xs_conn_close(conn, XS_CLOSE_NORMAL, NULL);
        } else {
            ws->frame_left = header.len;
            skip(in, header.size);
        }
    }
    return XS_OK;
}

enum xs_err xs_websocket_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct xs_websocket *ws = self;
    enum xs_err err = XS_OK;

    if (ws->late != NULL)
        answer_late(ws, conn);
    while (err == XS_OK && in->len > 0 && !xs_conn_busy(conn)) {
        struct header header;

        if (xs_conn_closing(conn))
            return discard(ws, conn, in);
        if (ws->frame_left == 0 && ws->reader == NULL) {
            size_t before = in->len;

            err = take_short(ws, conn, in);
            if (err != XS_OK || in->len != before)
                continue;
        }
        if (ws->frame_left > 0) {
            struct xs_slice rest = { in->at, in->len };

            if (rest.len > ws->frame_left)
                rest.len = (size_t)ws->frame_left;
            ws->frame_left -= rest.len;
            skip(in, rest.len);
            err = feed(ws, conn, rest);
        } else if (!read_header(in, &header)) {
            break;
        } else {
            err = take_frame(ws, conn, in, &header);
        }
    }
    if (err == XS_EAGAIN)
        err = XS_OK;
    return err == XS_OK ? xs_conn_hold_bytes(conn, ws->reader != NULL ? ws->reader->cap : 0)
                        : err;
}
