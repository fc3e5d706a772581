/* tape - pieces of 64 KiB with the ends of the messages in them. */
#include "outbound/tape.h"

#include "base/assert.h"

/* Lying free; a piece that is used again and again stays warm in the processor's caches. */
#define FREE_MAX 4

void xs_tape_store_init(struct xs_tape_store *store)
{
    xs_pool_init(&store->pieces, sizeof(struct xs_tape_piece), FREE_MAX);
    store->used = 0;
}

void xs_tape_store_fini(struct xs_tape_store *store)
{
    XS_ASSERT(store->used == 0);
    xs_pool_fini(&store->pieces);
}

static struct xs_tape_piece *take(struct xs_tape_store *store)
{
    struct xs_tape_piece *piece = xs_pool_take(&store->pieces);

    store->used++;
    piece->next = NULL;
    piece->len = piece->count = 0;
    return piece;
}

void xs_tape_grow(struct xs_tape *tape, struct xs_tape_store *store)
{
    struct xs_tape_piece *piece = take(store);

    if (tape->last == NULL)
        tape->first = piece;
    else
        tape->last->next = piece;
    tape->last = piece;
}

void xs_tape_take_back(struct xs_tape *tape, struct xs_tape_store *store)
{
    struct xs_tape_piece *piece = tape->last;
    uint32_t len = piece->len;

    piece->count--;
    piece->len = piece->count > 0 ? piece->ends[piece->count - 1] : 0;
    store->bytes -= len - piece->len;
}

/* The first message that ends behind this place. */
static uint32_t index_of(const struct xs_tape_piece *piece, const char *at)
{
    uint32_t place = (uint32_t)(at - piece->bytes), low = 0, high = piece->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (piece->ends[middle] > place)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void xs_tape_message(const struct xs_tape_piece *piece, const char *at, const char **begin,
                     const char **end)
{
    uint32_t index = index_of(piece, at);

    XS_ASSERT(index < piece->count);
    *begin = piece->bytes + (index > 0 ? piece->ends[index - 1] : 0);
    *end = piece->bytes + piece->ends[index];
}

uint32_t xs_tape_count(const struct xs_tape_piece *piece, const char *at, const char *end)
{
    return index_of(piece, end) - index_of(piece, at);
}

void xs_tape_rewind(struct xs_tape *tape, struct xs_tape_store *store)
{
    while (tape->first != NULL) {
        struct xs_tape_piece *piece = tape->first;

        tape->first = piece->next;
        xs_pool_give(&store->pieces, piece);
        store->used--;
    }
    tape->last = NULL;
}
