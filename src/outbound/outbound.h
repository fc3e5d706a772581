/* outbound.h - one queue a connection, filled all through a turn of the loop, emptied once at
 * its end.
 *
 * A message for many is encoded once per encoder; the queues share the bytes, counted without
 * atomics because everything here belongs to one worker. What differs by receiver is an edge
 * beside the shared bytes. */
#ifndef XS_OUTBOUND_OUTBOUND_H
#define XS_OUTBOUND_OUTBOUND_H

#include "base/alloc.h"
#include "base/list.h"
#include "message/message.h"
#include <xsockets/protocol.h>

/* Encoded bytes, shared by the queues of one worker. */
struct xs_encoded;
struct xs_entry;

/* An encoder known to this worker, and what it made of the message at hand. */
struct xs_outbound_encoder {
    struct xs_encoder by;
    enum xs_view view;
    uint64_t serial;         /* of the message that `made` belongs to */
    struct xs_encoded *made; /* NULL: nothing for such clients */
};

struct xs_outq;

/* One worker's outbound state. */
struct xs_outbound {
    struct xs_outbound_encoder *encoders;
    size_t encoder_count;
    const struct xs_message *msg; /* at hand */
    uint64_t serial;
    struct xs_slice views[3];
    bool view_made[3];
    bool view_failed[3];
    struct xs_buf view_bufs[3];
    struct xs_list dirty; /* queues to flush at the end of the turn */
    struct xs_pool entries;
    struct xs_pool edges;
    struct xs_pool small;  /* encoded buffers of the common size */
    struct xs_buf scratch; /* where encoders write */
    char *gather;          /* XS_GATHER bytes */
    size_t message_limit;  /* bytes; an encoding may be twice that and a little */
    size_t queue_bytes;
    size_t queue_messages;
    bool (*process_is_full)(void *context); /* the bound of all workers together */
    void *context;
    /* A queue is over its bound: sends what the receiver takes by now. */
    void (*relieve)(struct xs_outq *queue);
    /* That has not helped: ends the connection. */
    void (*overflow)(struct xs_outq *queue);
    /* With this control a queue is over the bound: nothing more should be read from that
     * client. */
    void (*press)(struct xs_outq *queue);
};

#define XS_GATHER ((size_t)65536)

enum xs_entry_kind { XS_ENTRY_DATA, XS_ENTRY_CONTROL };

/* The queue of one connection. */
struct xs_outq {
    struct xs_entry *first, *last;
    struct xs_list dirty;
    size_t bytes;         /* all, what is partly sent counts by what is left */
    size_t control_bytes; /* of that, control */
    uint32_t count;
    uint32_t sent_of_first; /* bytes of the first entry that are gone */
    const void *self;       /* the receiver's state, when all its messages are personal */
    uint16_t encoder;
    bool blocked; /* the transport took no more */
    bool closed;  /* takes nothing any more */
};

/* What a push did. */
enum xs_push {
    XS_PUSHED,
    XS_PUSH_NOTHING, /* not for this client: cannot be said, nothing to say, or the queue is
                        closed */
    XS_PUSH_FULL     /* over the bound: not queued, the client is too slow */
};

void xs_outbound_init(struct xs_outbound *out);
void xs_outbound_fini(struct xs_outbound *out);
/* The worker's number of an encoder. */
uint16_t xs_outbound_encoder(struct xs_outbound *out, const struct xs_encoder *by);

/* Names the message that the following pushes mean; it must live until xs_outbound_end(). */
void xs_outbound_begin(struct xs_outbound *out, const struct xs_message *msg);
/* Queues it for one receiver; `who` is NULL when nothing differs. */
enum xs_push xs_outbound_push(struct xs_outbound *out, struct xs_outq *queue,
                              enum xs_entry_kind kind, const struct xs_personal *who);
void xs_outbound_end(struct xs_outbound *out);

/* Queues ready-made bytes as control. Copies. */
enum xs_push xs_outbound_push_bytes(struct xs_outbound *out, struct xs_outq *queue,
                                    struct xs_slice bytes);

/* Whether control alone, or the number of all entries (each costs more than its bytes), is over
 * the bound; `part` of it: 1 the whole, 2 the half. */
bool xs_outq_pressed(const struct xs_outbound *out, const struct xs_outq *queue, unsigned part);

void xs_outq_init(struct xs_outq *queue);
/* Drops everything. */
void xs_outq_clear(struct xs_outbound *out, struct xs_outq *queue);
/* Drops data that has not begun to leave; control stays. */
void xs_outq_drop_data(struct xs_outbound *out, struct xs_outq *queue);
static inline bool xs_outq_empty(const struct xs_outq *queue)
{
    return queue->first == NULL;
}

/* Where flushed bytes go; the answers of xs_wire_write(). */
typedef enum xs_err (*xs_outq_send)(void *context, const struct xs_slice *parts, size_t count,
                                    size_t *taken);
/* Sends what the receiver takes. XS_OK: empty (or one message gone, when `paced`); XS_EAGAIN:
 * blocked; XS_EIO: failed. */
enum xs_err xs_outq_flush(struct xs_outbound *out, struct xs_outq *queue, bool paced,
                          xs_outq_send send, void *context);

#endif
