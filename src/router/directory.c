/* directory - persistent ids, live and away.
 *
 * An entry is made when the first connection of an id opens. When its last one closes it goes
 * to the end of its part's list of those away, so the list is in the order of going and is
 * shortened from its beginning: what is too old, or too much, is forgotten in constant time. */
#include "router/directory.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"

#define PARTS   64
#define KEY_MAX (XS_PERSISTENT_ID_BYTES + XS_DIRECTORY_SCOPE_MAX)

struct entry {
    struct xs_list away; /* linked while nobody is live */
    uint64_t since;      /* it has been away */
    uint32_t live;
    uint32_t key_len;
    char key[]; /* the id, then the scope */
};

/* On cache lines of its own, or the locks would disturb each other. */
struct part {
    _Alignas(64) pthread_mutex_t lock; /* guards what follows */
    struct xs_map entries;
    struct xs_list away; /* the longest away first */
    size_t away_count;
    size_t away_max;
    uint64_t remember_ms;
};

struct xs_directory {
    struct part *parts;
    void *memory; /* of the parts, not aligned */
};

struct key {
    size_t len;
    char at[KEY_MAX];
};

static struct xs_slice make_key(struct key *key, struct xs_slice scope,
                                const uint8_t id[XS_PERSISTENT_ID_BYTES])
{
    XS_ASSERT(scope.len <= XS_DIRECTORY_SCOPE_MAX);
    memcpy(key->at, id, XS_PERSISTENT_ID_BYTES);
    if (scope.len > 0)
        memcpy(key->at + XS_PERSISTENT_ID_BYTES, scope.at, scope.len);
    key->len = XS_PERSISTENT_ID_BYTES + scope.len;
    return (struct xs_slice){ key->at, key->len };
}

static struct part *part_of(struct xs_directory *directory, struct xs_slice key)
{
    /* The map uses the low bits. */
    return &directory->parts[xs_hash(key) >> 58 & (PARTS - 1)];
}

static struct xs_slice key_of(const struct entry *entry)
{
    return (struct xs_slice){ entry->key, entry->key_len };
}

static void forget(struct part *part, struct entry *entry)
{
    xs_map_remove(&part->entries, key_of(entry));
    xs_list_remove(&entry->away);
    part->away_count--;
    xs_free(entry);
}

static void forget_the_old(struct part *part, uint64_t now)
{
    while (!xs_list_empty(&part->away)) {
        struct entry *oldest = XS_CONTAINER(part->away.next, struct entry, away);
        bool old = now > oldest->since && now - oldest->since > part->remember_ms;

        if (!old && part->remember_ms > 0 && part->away_count <= part->away_max)
            return;
        forget(part, oldest);
    }
}

struct xs_directory *xs_directory_new(uint64_t remember_ms, size_t away_max)
{
    struct xs_directory *directory = xs_alloc(sizeof *directory);
    const size_t line = _Alignof(struct part);
    unsigned i;

    directory->memory = xs_alloc(PARTS * sizeof(struct part) + line);
    directory->parts = (struct part *)(((uintptr_t)directory->memory + line - 1) / line * line);
    for (i = 0; i < PARTS; i++) {
        pthread_mutex_init(&directory->parts[i].lock, NULL);
        xs_list_init(&directory->parts[i].away);
    }
    xs_directory_limit(directory, remember_ms, away_max);
    return directory;
}

void xs_directory_free(struct xs_directory *directory)
{
    struct entry *entry;
    unsigned i;

    if (directory == NULL)
        return;
    for (i = 0; i < PARTS; i++) {
        struct part *part = &directory->parts[i];
        size_t at = 0;

        while ((entry = xs_map_next(&part->entries, &at)) != NULL)
            xs_free(entry);
        xs_map_fini(&part->entries);
        pthread_mutex_destroy(&part->lock);
    }
    xs_free(directory->memory);
    xs_free(directory);
}

void xs_directory_limit(struct xs_directory *directory, uint64_t remember_ms, size_t away_max)
{
    unsigned i;

    for (i = 0; i < PARTS; i++) {
        struct part *part = &directory->parts[i];

        pthread_mutex_lock(&part->lock);
        part->remember_ms = remember_ms;
        part->away_max = away_max / PARTS + (away_max % PARTS != 0);
        pthread_mutex_unlock(&part->lock);
    }
}

static struct entry *make_entry(struct part *part, struct xs_slice key)
{
    struct entry *entry = xs_alloc(sizeof *entry + key.len);

    entry->key_len = (uint32_t)key.len;
    memcpy(entry->key, key.at, key.len);
    xs_map_put(&part->entries, key_of(entry), entry);
    return entry;
}

void xs_directory_enter(struct xs_directory *directory, struct xs_slice scope,
                        const uint8_t id[XS_PERSISTENT_ID_BYTES], uint64_t now,
                        struct xs_directory_entry *known)
{
    struct key key;
    struct xs_slice bytes = make_key(&key, scope, id);
    struct part *part = part_of(directory, bytes);
    struct entry *entry;

    memset(known, 0, sizeof *known);
    pthread_mutex_lock(&part->lock);
    forget_the_old(part, now);
    entry = xs_map_get(&part->entries, bytes);
    if (entry == NULL) {
        entry = make_entry(part, bytes);
    } else if (entry->live == 0) {
        known->was_away = true;
        known->away_for = now > entry->since ? now - entry->since : 0;
        xs_list_remove(&entry->away);
        part->away_count--;
    }
    known->live_before = entry->live++;
    pthread_mutex_unlock(&part->lock);
}

unsigned xs_directory_leave(struct xs_directory *directory, struct xs_slice scope,
                            const uint8_t id[XS_PERSISTENT_ID_BYTES], uint64_t now)
{
    struct key key;
    struct xs_slice bytes = make_key(&key, scope, id);
    struct part *part = part_of(directory, bytes);
    struct entry *entry;
    unsigned still;

    pthread_mutex_lock(&part->lock);
    entry = xs_map_get(&part->entries, bytes);
    XS_ASSERT(entry != NULL && entry->live > 0);
    still = --entry->live;
    if (still == 0) {
        entry->since = now;
        xs_list_append(&part->away, &entry->away);
        part->away_count++;
        forget_the_old(part, now);
    }
    pthread_mutex_unlock(&part->lock);
    return still;
}

void xs_directory_count(struct xs_directory *directory, size_t *live, size_t *away)
{
    unsigned i;

    *live = *away = 0;
    for (i = 0; i < PARTS; i++) {
        struct part *part = &directory->parts[i];

        pthread_mutex_lock(&part->lock);
        *live += part->entries.count - part->away_count;
        *away += part->away_count;
        pthread_mutex_unlock(&part->lock);
    }
}
