/* map.h - a hash table from a byte key to a pointer. Keys are not copied: they lie inside the
 * value, which the caller keeps alive while it is in the map. Seeded per process against chosen
 * keys. Not thread safe. */
#ifndef XS_BASE_MAP_H
#define XS_BASE_MAP_H

#include <xsockets/base.h>

struct xs_map_slot;
struct xs_map {
    struct xs_map_slot *slots;
    size_t mask; /* slots - 1, 0 when there are none */
    size_t count;
};

/* The seeded hash of bytes; xs_hash_mix continues one with more bytes (order matters). [any] */
uint64_t xs_hash(struct xs_slice key);
uint64_t xs_hash_mix(uint64_t hash, struct xs_slice key);

/* A zeroed map is a valid empty one. Frees the table, not the values. */
void xs_map_fini(struct xs_map *map);
void *xs_map_get(const struct xs_map *map, struct xs_slice key);
void *xs_map_get_hashed(const struct xs_map *map, struct xs_slice key, uint64_t hash);
/* The key must not be in the map. */
void xs_map_put(struct xs_map *map, struct xs_slice key, void *value);
/* The value taken out, NULL if it was not there. */
void *xs_map_remove(struct xs_map *map, struct xs_slice key);
/* Walks all; begin with *at = 0; NULL at the end. The map must not change meanwhile. */
void *xs_map_next(const struct xs_map *map, size_t *at);

#endif
