/* interest - counters per worker, found by the hash of what they count. A counter may stand for
 * several names; it is above zero while any of them has a receiver. */
#include "router/interest.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"

#define COUNTERS (1u << 20)

/* What a hall is told to tell. */
struct owner {
    struct xs_interest *interest;
    unsigned worker;
};

struct xs_interest {
    unsigned workers;
    struct owner owners[XS_INTEREST_WORKERS];
    _Atomic uint32_t *counters[XS_INTEREST_WORKERS]; /* written by their owner alone */
};

/* What is counted under a hash. A filter counts twice: as any filter of its hall, and under the
 * levels before its first wildcard, so that a topic is looked up level by level. */
enum kind { MEMBERS, EXACT, ANY_FILTER, PREFIX };

struct xs_interest *xs_interest_new(unsigned workers)
{
    struct xs_interest *interest = xs_alloc(sizeof *interest);
    unsigned i;

    XS_ASSERT(workers >= 1 && workers <= XS_INTEREST_WORKERS);
    interest->workers = workers;
    for (i = 0; i < workers; i++) {
        interest->owners[i] = (struct owner){ interest, i };
        interest->counters[i] = xs_alloc(COUNTERS * sizeof *interest->counters[i]);
    }
    return interest;
}

void xs_interest_free(struct xs_interest *interest)
{
    unsigned i;

    if (interest == NULL)
        return;
    for (i = 0; i < interest->workers; i++)
        xs_free((void *)interest->counters[i]);
    xs_free(interest);
}

/* ---- hashes ---- */

static uint64_t key_of(uint64_t hall_hash, enum kind kind, struct xs_slice name)
{
    const char tag = (char)kind;

    return xs_hash_mix(xs_hash_mix(hall_hash, (struct xs_slice){ &tag, 1 }), name);
}

/* Of a prefix without levels; each further level is mixed in. */
static uint64_t prefix_begin(uint64_t hall_hash)
{
    return key_of(hall_hash, PREFIX, XS_SLICE(""));
}

/* Cuts a level off and mixes it in; false when there was none left. */
static bool prefix_next(uint64_t *hash, struct xs_slice *rest)
{
    const char *slash;
    size_t len;

    if (rest->at == NULL)
        return false;
    slash = memchr(rest->at, '/', rest->len);
    len = slash != NULL ? (size_t)(slash - rest->at) : rest->len;
    *hash = xs_hash_mix(*hash, (struct xs_slice){ rest->at, len });
    rest->at = slash != NULL ? slash + 1 : NULL;
    rest->len = slash != NULL ? rest->len - len - 1 : 0;
    return true;
}

static uint64_t filter_key(uint64_t hall_hash, struct xs_slice filter)
{
    uint64_t hash = prefix_begin(hall_hash);

    while (filter.at != NULL && filter.len > 0 && filter.at[0] != '+' && filter.at[0] != '#')
        prefix_next(&hash, &filter);
    return hash;
}

/* ---- counting ---- */

static _Atomic uint32_t *counter(const struct xs_interest *interest, unsigned worker,
                                 uint64_t hash)
{
    return &interest->counters[worker][hash & (COUNTERS - 1)];
}

/* Only the owner writes, so a plain sum is enough; a reader that sees it sees all before it. */
static void count(struct xs_interest *interest, unsigned worker, uint64_t hash, uint32_t by)
{
    _Atomic uint32_t *at = counter(interest, worker, hash);
    uint32_t now = atomic_load_explicit(at, memory_order_relaxed) + by;

    atomic_store(at, now);
}

static bool is_set(const struct xs_interest *interest, unsigned worker, uint64_t hash)
{
    return atomic_load_explicit(counter(interest, worker, hash), memory_order_acquire) != 0;
}

static void change(struct xs_interest *interest, unsigned worker, uint64_t hall_hash,
                   enum xs_hall_notice what, struct xs_slice name, uint32_t by)
{
    XS_ASSERT(worker < interest->workers);
    switch (what) {
    case XS_HALL_MEMBERS:
        count(interest, worker, key_of(hall_hash, MEMBERS, XS_SLICE("")), by);
        return;
    case XS_HALL_TOPIC:
        count(interest, worker, key_of(hall_hash, EXACT, name), by);
        return;
    case XS_HALL_FILTER:
        count(interest, worker, key_of(hall_hash, ANY_FILTER, XS_SLICE("")), by);
        count(interest, worker, filter_key(hall_hash, name), by);
        return;
    }
}

void xs_interest_add(struct xs_interest *interest, unsigned worker, uint64_t hall_hash,
                     enum xs_hall_notice what, struct xs_slice name)
{
    change(interest, worker, hall_hash, what, name, 1);
}

void xs_interest_remove(struct xs_interest *interest, unsigned worker, uint64_t hall_hash,
                        enum xs_hall_notice what, struct xs_slice name)
{
    change(interest, worker, hall_hash, what, name, UINT32_MAX);
}

/* ---- a hall that tells ---- */

static void on_notice(struct xs_hall *hall, enum xs_hall_notice what, struct xs_slice name,
                      bool begins)
{
    const struct owner *owner = hall->notice_context;

    change(owner->interest, owner->worker, hall->hash, what, name, begins ? 1 : UINT32_MAX);
}

void xs_interest_watch(struct xs_interest *interest, unsigned worker, struct xs_hall *hall)
{
    XS_ASSERT(worker < interest->workers && xs_hall_count(hall) == 0);
    hall->notice = on_notice;
    hall->notice_context = &interest->owners[worker];
}

/* ---- asking ---- */

/* Those of the workers in `among` whose counter is set. */
static uint64_t ask(const struct xs_interest *interest, uint64_t hash, uint64_t among)
{
    uint64_t left, found = 0;

    for (left = among; left != 0; left &= left - 1) {
        unsigned worker = (unsigned)__builtin_ctzll(left);

        if (is_set(interest, worker, hash))
            found |= UINT64_C(1) << worker;
    }
    return found;
}

static uint64_t everybody(const struct xs_interest *interest)
{
    return UINT64_MAX >> (XS_INTEREST_WORKERS - interest->workers);
}

uint64_t xs_interest_members(const struct xs_interest *interest, uint64_t hall_hash)
{
    return ask(interest, key_of(hall_hash, MEMBERS, XS_SLICE("")), everybody(interest));
}

uint64_t xs_interest_subscribers(const struct xs_interest *interest, uint64_t hall_hash,
                                 struct xs_slice topic)
{
    uint64_t all = everybody(interest), found, open, hash;
    struct xs_slice rest = topic.len > 0 ? topic : XS_SLICE("");

    found = ask(interest, key_of(hall_hash, EXACT, topic), all);
    open = all & ~found;
    if (open != 0)
        open = ask(interest, key_of(hall_hash, ANY_FILTER, XS_SLICE("")), open);
    if (open == 0)
        return found;
    /* "#" and "+" stand before any level; "a/#" also stands for "a", so the whole topic counts.
     */
    hash = prefix_begin(hall_hash);
    do {
        uint64_t more = ask(interest, hash, open);

        found |= more;
        open &= ~more;
    } while (open != 0 && prefix_next(&hash, &rest));
    return found;
}
