/* topics.h - who on this worker hears what: the members of one controller in one scope, their
 * topics and their filters.
 *
 * A filter is a topic with wildcards: levels are separated by '/', '+' stands for one level,
 * '#' for this level and all further ones, in the last place only, the level above it included
 * ("a/#" also matches "a"). All names are given folded to lower case. Everything here is for
 * one worker. */
#ifndef XS_ROUTER_TOPICS_H
#define XS_ROUTER_TOPICS_H

#include <xsockets/base.h>

#include "base/map.h"

/* The longest topic or filter, in bytes; configured limits are at most this. */
#define XS_TOPIC_MAX 1024

struct xs_hall;
struct xs_subscription;
struct xs_level;

/* Somebody who has the controller open. Lies inside an instance; zeroed = in no hall. */
struct xs_member {
    struct xs_hall *hall;
    struct xs_subscription *first;
    uint64_t stamp;
    uint32_t index; /* in the hall's roster */
    uint32_t count; /* of subscriptions */
};

/* A flat list of members. While somebody walks it, a removal leaves a hole, filled after the
 * last walk; what is added stands behind the end that the walk saw. */
struct xs_roster {
    struct xs_roster_entry *at;
    uint32_t len; /* holes included */
    uint32_t cap;
    uint32_t holes;
    uint32_t first_hole; /* the holes are chained through the entries */
    uint32_t walks;
};

/* The first or the last of something: what other workers need to know. */
enum xs_hall_notice {
    XS_HALL_MEMBERS, /* name is empty: the hall has members */
    XS_HALL_TOPIC,   /* somebody has subscribed to exactly this topic */
    XS_HALL_FILTER   /* somebody has subscribed with this filter */
};

/* One (scope, controller) on one worker. Their number is bounded by the configuration: a hall
 * lives as long as its worker and is not freed when it is empty. */
struct xs_hall {
    uint64_t hash; /* of scope and controller, see xs_hall_hash */
    struct xs_roster members;
    struct xs_map topics;
    struct xs_level *filters; /* the root of the tree of levels; NULL when there are none */
    uint64_t stamp;
    uint64_t removals; /* subscriptions ended so far */
    uint32_t *order; /* members to visit by walks that met several filters, a stack of lists */
    uint32_t order_len, order_cap;
    uint32_t topic_count;        /* distinct exact topics */
    uint32_t filter_count;       /* distinct filters */
    uint32_t subscription_count; /* of all members */
    /* Called at once when the first of something has come (`begins`) or the last has gone; must
     * not change the hall. NULL: nobody wants to know. */
    void (*notice)(struct xs_hall *hall, enum xs_hall_notice what, struct xs_slice name,
                   bool begins);
    void *notice_context;
};

/* The same for the same pair on all workers of the process. [any] */
uint64_t xs_hall_hash(struct xs_slice scope, struct xs_slice controller);

void xs_hall_init(struct xs_hall *hall, uint64_t hash);
/* All members must have left and no walk may be going on. A zeroed hall is harmless. */
void xs_hall_fini(struct xs_hall *hall);

/* The number of members. */
static inline uint32_t xs_hall_count(const struct xs_hall *hall)
{
    return hall->members.len - hall->members.holes;
}

/* The member must be in no hall. */
void xs_hall_join(struct xs_hall *hall, struct xs_member *member);
/* Drops all its subscriptions too. Harmless on a member that is in no hall. */
void xs_hall_leave(struct xs_member *member);

/* XS_EEXIST: had it already, which is harmless. XS_EINVAL: a wildcard in a wrong place ("a#",
 * "#/a", "a+"). XS_ETOOBIG: longer than XS_TOPIC_MAX. `filter` is copied. */
enum xs_err xs_hall_subscribe(struct xs_member *member, struct xs_slice filter) XS_MUST_CHECK;
/* XS_ENOTFOUND: did not have it. */
enum xs_err xs_hall_unsubscribe(struct xs_member *member, struct xs_slice filter) XS_MUST_CHECK;
/* Whether any of its subscriptions matches the topic. */
bool xs_member_subscribed(struct xs_member *member, struct xs_slice topic);

/* Visits one member. It may make any member join, leave, subscribe or unsubscribe, free a
 * member that has left, and walk the same hall again. */
typedef void (*xs_member_cb)(void *context, struct xs_member *member);

/* Visits each subscriber of the topic exactly once, however many of its filters match. Visited
 * is who was subscribed when the walk began and still is when its turn comes; who unsubscribes
 * or leaves and comes back meanwhile may be passed over. Returns how many were visited. A topic
 * is never read as a filter; one longer than XS_TOPIC_MAX has no subscribers. */
uint32_t xs_hall_publish(struct xs_hall *hall, struct xs_slice topic, xs_member_cb visit,
                         void *context);
/* The same for all members. */
uint32_t xs_hall_each(struct xs_hall *hall, xs_member_cb visit, void *context);

/* Whether a filter is well formed, and whether it has a wildcard. [any] */
bool xs_filter_valid(struct xs_slice filter);
bool xs_filter_has_wildcard(struct xs_slice filter);

#endif
