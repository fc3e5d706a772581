/* directory.h - who is live under a persistent id, on any worker, and since when an id is away.
 * Touched when a connection opens and closes, never by a message. Split into parts by hash,
 * each with a lock of its own. */
#ifndef XS_ROUTER_DIRECTORY_H
#define XS_ROUTER_DIRECTORY_H

#include <xsockets/base.h>

#define XS_PERSISTENT_ID_BYTES 16
#define XS_DIRECTORY_SCOPE_MAX 255 /* bytes of a scope's name */

struct xs_directory;

/* What is known about an id at the moment a connection enters under it. */
struct xs_directory_entry {
    bool was_away;        /* was here before, and no connection was live */
    uint64_t away_for;    /* ms; 0 if it was not away */
    unsigned live_before; /* connections that are live under the id, this one not counted */
};

/* Ids that are away are remembered for `remember_ms` (0: not at all) and at most about
 * `away_max` of them; beyond that those that have been away longest are forgotten. [main] */
struct xs_directory *xs_directory_new(uint64_t remember_ms, size_t away_max);
void xs_directory_free(struct xs_directory *directory);
/* Changes the time and the number from now on (reload). [any] */
void xs_directory_limit(struct xs_directory *directory, uint64_t remember_ms, size_t away_max);

/* A connection begins under an id. `now` is xs_now() or the like, the same clock for all calls.
 * `scope` is copied. [any] */
void xs_directory_enter(struct xs_directory *directory, struct xs_slice scope,
                        const uint8_t id[XS_PERSISTENT_ID_BYTES], uint64_t now,
                        struct xs_directory_entry *known);
/* It ends; once for each enter. Returns how many are still live under the id. [any] */
unsigned xs_directory_leave(struct xs_directory *directory, struct xs_slice scope,
                            const uint8_t id[XS_PERSISTENT_ID_BYTES], uint64_t now);

/* Ids with a live connection, and ids remembered as away. [any] */
void xs_directory_count(struct xs_directory *directory, size_t *live, size_t *away);

#endif
