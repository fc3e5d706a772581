/* tape.h - what one turn encodes, message behind message, so that a receiver's messages lie
 * side by side and leave without being copied together. A tape is empty at the end of every
 * turn: what a receiver has not taken by then is copied off it. Everything here is for one
 * worker. */
#ifndef XS_OUTBOUND_TAPE_H
#define XS_OUTBOUND_TAPE_H

#include "base/alloc.h"
#include <xsockets/base.h>

/* A message that needs more gets memory of its own. */
#define XS_TAPE_LARGEST ((size_t)16384)

#define XS_TAPE_BYTES    ((size_t)65536)
#define XS_TAPE_MESSAGES 2048

struct xs_tape_piece {
    struct xs_tape_piece *next;
    uint32_t len;                    /* bytes written */
    uint32_t count;                  /* messages */
    uint32_t ends[XS_TAPE_MESSAGES]; /* where each one ends */
    char bytes[XS_TAPE_BYTES];
};

/* Pieces that all tapes of a worker share. */
struct xs_tape_store {
    struct xs_pool pieces;
    unsigned used; /* on tapes */
    size_t bytes;  /* written on them */
};

struct xs_tape {
    struct xs_tape_piece *first; /* NULL while nothing is on it */
    struct xs_tape_piece *last;  /* written to */
};

void xs_tape_store_init(struct xs_tape_store *store);
void xs_tape_store_fini(struct xs_tape_store *store);

/* Another piece to write to. */
void xs_tape_grow(struct xs_tape *tape, struct xs_tape_store *store);
/* Room for at least `want` bytes, at most XS_TAPE_LARGEST, behind what is there. The buffer
 * cannot grow: what does not fit sets `failed`. */
static inline struct xs_buf xs_tape_room(struct xs_tape *tape, struct xs_tape_store *store,
                                         size_t want)
{
    struct xs_tape_piece *piece = tape->last;
    size_t room;

    if (piece == NULL || XS_TAPE_BYTES - piece->len < want ||
        piece->count == XS_TAPE_MESSAGES) {
        xs_tape_grow(tape, store);
        piece = tape->last;
    }
    room = XS_TAPE_BYTES - piece->len;
    return (struct xs_buf){ .at = piece->bytes + piece->len, .cap = room, .limit = room };
}
/* `len` bytes of that room are a message now. */
static inline void xs_tape_add(struct xs_tape *tape, struct xs_tape_store *store, size_t len)
{
    struct xs_tape_piece *piece = tape->last;

    store->bytes += len;
    piece->len += (uint32_t)len;
    piece->ends[piece->count++] = piece->len;
}
/* Takes the last message off again. */
void xs_tape_take_back(struct xs_tape *tape, struct xs_tape_store *store);
/* Where the message ends that the byte at this place belongs to, and where it begins. */
void xs_tape_message(const struct xs_tape_piece *piece, const char *at, const char **begin,
                     const char **end);
/* How many messages end behind `at` and not behind `end`. */
uint32_t xs_tape_count(const struct xs_tape_piece *piece, const char *at, const char *end);
/* Empties it. */
void xs_tape_rewind(struct xs_tape *tape, struct xs_tape_store *store);

#endif
