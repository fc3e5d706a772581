/* interest.h - which workers have receivers, so that a message is sent to those workers only.
 *
 * Each worker has a large array of counters, found by hash, that only itself writes and all
 * read without a lock. The answer may name a worker that has no receiver (two names with one
 * hash), never miss one: a subscription counts before xs_hall_subscribe returns. */
#ifndef XS_ROUTER_INTEREST_H
#define XS_ROUTER_INTEREST_H

#include "router/topics.h"

#define XS_INTEREST_WORKERS 64

struct xs_interest;

/* For `workers` (1 to XS_INTEREST_WORKERS) workers; 4 MiB of address space each, of which only
 * what is used costs memory. [main] */
struct xs_interest *xs_interest_new(unsigned workers);
void xs_interest_free(struct xs_interest *interest);

/* Makes a hall of this worker tell what it has from now on; the hall must be empty. Nothing
 * else needs to be called for subscriptions and members to be counted. [worker] */
void xs_interest_watch(struct xs_interest *interest, unsigned worker, struct xs_hall *hall);

/* By hand, for what is no hall (or for tests): the owner of `worker` alone may call them.
 * `name` is the topic or the filter, empty for XS_HALL_MEMBERS. [worker] */
void xs_interest_add(struct xs_interest *interest, unsigned worker, uint64_t hall_hash,
                     enum xs_hall_notice what, struct xs_slice name);
void xs_interest_remove(struct xs_interest *interest, unsigned worker, uint64_t hall_hash,
                        enum xs_hall_notice what, struct xs_slice name);

/* Bit n: worker n may have members of the hall with this hash (xs_hall_hash). [any] */
uint64_t xs_interest_members(const struct xs_interest *interest, uint64_t hall_hash);
/* Bit n: worker n may have subscribers of the topic, exactly or by a filter. [any] */
uint64_t xs_interest_subscribers(const struct xs_interest *interest, uint64_t hall_hash,
                                 struct xs_slice topic);

#endif
