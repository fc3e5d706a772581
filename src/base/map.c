/* map - open addressing with linear probing; a removal moves later entries back, so there are
 * no tombstones and a map that shrinks is as fast as one that never grew. */
#include "base/map.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"

#define SLOTS_MIN 8

/* A slot without a value is empty. */
struct xs_map_slot {
    uint64_t hash;
    struct xs_slice key;
    void *value;
};

/* Random per process: who chooses keys cannot choose collisions. */
static uint64_t seed[3];

__attribute__((constructor)) static void seed_once(void)
{
    xs_random(seed, sizeof seed);
}

/* Both halves of a 64 by 64 bit product, folded: each bit of either factor reaches all bits. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *at, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, at, len);
    return word;
}

uint64_t xs_hash_mix(uint64_t hash, struct xs_slice key)
{
    const char *at = key.at;
    size_t len = key.len;
    uint64_t a = 0, b = 0;

    for (; len > 16; at += 16, len -= 16)
        hash = fold(load(at, 8) ^ seed[1], load(at + 8, 8) ^ hash);
    if (len >= 8) {
        /* Two words that may overlap cover 8 to 16 bytes. */
        a = load(at, 8);
        b = load(at + len - 8, 8);
    } else if (len >= 4) {
        a = load(at, 4);
        b = load(at + len - 4, 4);
    } else if (len > 0) {
        a = (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[len / 2] << 8 |
            (uint8_t)at[len - 1];
    }
    hash = fold(a ^ seed[1], b ^ hash);
    return fold(hash ^ seed[2], seed[1] ^ key.len);
}

uint64_t xs_hash(struct xs_slice key)
{
    return xs_hash_mix(seed[0], key);
}

void xs_map_fini(struct xs_map *map)
{
    xs_free(map->slots);
    memset(map, 0, sizeof *map);
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t find(const struct xs_map *map, struct xs_slice key, uint64_t hash)
{
    size_t i = (size_t)hash & map->mask;

    while (map->slots[i].value != NULL) {
        if (map->slots[i].hash == hash && xs_slice_equal(map->slots[i].key, key))
            return i;
        i = (i + 1) & map->mask;
    }
    return i;
}

static void resize(struct xs_map *map, size_t slots)
{
    struct xs_map old = *map;
    size_t i;

    map->slots = xs_alloc(slots * sizeof *map->slots);
    map->mask = slots - 1;
    for (i = 0; old.slots != NULL && i <= old.mask; i++) {
        size_t to;

        if (old.slots[i].value == NULL)
            continue;
        to = (size_t)old.slots[i].hash & map->mask;
        while (map->slots[to].value != NULL)
            to = (to + 1) & map->mask;
        map->slots[to] = old.slots[i];
    }
    xs_free(old.slots);
}

void *xs_map_get_hashed(const struct xs_map *map, struct xs_slice key, uint64_t hash)
{
    return map->count > 0 ? map->slots[find(map, key, hash)].value : NULL;
}

void *xs_map_get(const struct xs_map *map, struct xs_slice key)
{
    return map->count > 0 ? xs_map_get_hashed(map, key, xs_hash(key)) : NULL;
}

void xs_map_put(struct xs_map *map, struct xs_slice key, void *value)
{
    uint64_t hash = xs_hash(key);
    size_t i;

    XS_ASSERT(value != NULL);
    if (map->slots == NULL)
        resize(map, SLOTS_MIN);
    else if (map->count + 1 > (map->mask + 1) / 4 * 3)
        resize(map, (map->mask + 1) * 2);
    i = find(map, key, hash);
    XS_ASSERT(map->slots[i].value == NULL);
    map->slots[i] = (struct xs_map_slot){ hash, key, value };
    map->count++;
}

/* Empties slot i and moves back what probing would no longer reach across it. */
static void close_gap(struct xs_map *map, size_t i)
{
    size_t next = i;

    for (;;) {
        size_t home;

        next = (next + 1) & map->mask;
        if (map->slots[next].value == NULL)
            break;
        home = (size_t)map->slots[next].hash & map->mask;
        if (((next - home) & map->mask) < ((next - i) & map->mask))
            continue;
        map->slots[i] = map->slots[next];
        i = next;
    }
    map->slots[i].value = NULL;
}

void *xs_map_remove(struct xs_map *map, struct xs_slice key)
{
    void *value;
    size_t i;

    if (map->count == 0)
        return NULL;
    i = find(map, key, xs_hash(key));
    value = map->slots[i].value;
    if (value == NULL)
        return NULL;
    close_gap(map, i);
    map->count--;
    if (map->mask + 1 > SLOTS_MIN && map->count < (map->mask + 1) / 8)
        resize(map, (map->mask + 1) / 4);
    return value;
}

void *xs_map_next(const struct xs_map *map, size_t *at)
{
    while (map->slots != NULL && *at <= map->mask) {
        void *value = map->slots[(*at)++].value;

        if (value != NULL)
            return value;
    }
    return NULL;
}
