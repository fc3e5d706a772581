/* outbound.h - one queue a connection, filled all through a turn of the loop, emptied once at
 * its end.
 *
 * A message for many is encoded once per encoder, onto that encoder's tape. Who reads it gets a
 * stretch of the tape, and what comes next for the same receiver lengthens the stretch: sixteen
 * broadcasts of one turn are one entry and one write. A receiver that cannot take it now has
 * counted bytes instead, shared with all others of whom that is true. What differs by receiver
 * is written for it alone, or is an edge beside the shared bytes. Nothing is counted with
 * atomics: everything here belongs to one worker. */
#ifndef XS_OUTBOUND_OUTBOUND_H
#define XS_OUTBOUND_OUTBOUND_H

#include "base/alloc.h"
#include "base/list.h"
#include "message/message.h"
#include "outbound/tape.h"
#include <xsockets/protocol.h>

/* Encoded bytes off the tape, shared by the queues of one worker. */
struct xs_encoded;
struct xs_entry;

/* An encoder known to this worker, and what it made of the message at hand. */
struct xs_outbound_encoder {
    struct xs_encoder by;
    enum xs_view view;
    uint16_t plain;          /* the one whose bytes may be personal: itself, or the twin */
    uint64_t serial;         /* of the message that the following belongs to */
    struct xs_slice made;    /* at NULL: nothing for such clients */
    struct xs_encoded *kept; /* the same off the tape, once somebody needs it */
    struct xs_tape tape;
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
    struct xs_tape_store store;
    unsigned stretches;   /* entries that lie on a tape: none at the end of a turn */
    unsigned to_forget;   /* things made for the message at hand that are not on a tape */
    int64_t queued_bytes; /* not told to the statistics yet */
    int64_t queued_entries;
    struct xs_pool entries;
    struct xs_pool edges;
    struct xs_buf scratch; /* where what does not fit on a tape is encoded */
    char *gather;          /* XS_GATHER bytes */
    size_t message_limit;  /* bytes; an encoding may be twice that and a little */
    size_t queue_bytes;
    size_t queue_messages;
    bool (*process_is_full)(void *context); /* the bound of all workers together */
    void *context;
    /* A queue is over its bound, or the tapes are: sends what the receiver takes by now. */
    void (*relieve)(struct xs_outq *queue);
    /* That has not helped: ends the connection. */
    void (*overflow)(struct xs_outq *queue);
    /* With this control a queue is over the bound: nothing more should be read from that
     * client. */
    void (*press)(struct xs_outq *queue);
};

#define XS_GATHER ((size_t)65536)
/* Bytes of one queue that are sent before the turn ends. */
#define XS_FLUSH_AT ((size_t)65536)
/* Bytes on the tapes after which all is sent before the turn ends: what a processor has at
 * hand. */
#define XS_TAPE_ENOUGH ((size_t)32768)

/* Pieces of tape after which that is done behind the next message, in the middle of a callback
 * too. */
#define XS_TAPE_MOST 64

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
    bool paced;   /* one message at a time: nothing of it leaves with the turn */
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

/* Everything has been flushed: the tapes are empty again. */
void xs_outbound_turn_over(struct xs_outbound *out);
/* Flushes all queues, by relieve(). Not while a message is at hand. */
void xs_outbound_flush(struct xs_outbound *out);
/* So much lies on the tapes that it should be flushed before more is read. */
static inline bool xs_outbound_has_enough(const struct xs_outbound *out)
{
    return out->store.bytes > XS_TAPE_ENOUGH;
}

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

/* What is left of a queue stays beyond the turn. Called by xs_outq_flush(). */
void xs_outq_settle(struct xs_outbound *out, struct xs_outq *queue);
/* Where flushed bytes go; the answers of xs_wire_write(). */
typedef enum xs_err (*xs_outq_send)(void *context, const struct xs_slice *parts, size_t count,
                                    size_t *taken);
/* Sends what the receiver takes. XS_OK: empty (or one message gone, when `paced`); XS_EAGAIN:
 * blocked; XS_EIO: failed. */
enum xs_err xs_outq_flush(struct xs_outbound *out, struct xs_outq *queue, xs_outq_send send,
                          void *context);

#endif
