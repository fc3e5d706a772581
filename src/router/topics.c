/* topics - rosters of members: one of the hall, one per exact topic, one per filter.
 *
 * Exact topics lie in a map, filters in a tree with a node per level, in which '+' and '#' have
 * places of their own. A walk over a single roster goes by position: while it lasts, the roster
 * only grows at its end, and what leaves becomes a hole. A walk that meets several filters
 * first writes down whom it will visit, each once, by the positions in the hall's roster. */
#include "router/topics.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"

#define NO_HOLE UINT32_MAX

struct xs_roster_entry {
    struct xs_member *member; /* NULL: a hole */
    union {
        uint32_t *index; /* where its own position is kept */
        uintptr_t next_hole;
    } u;
};

/* What a subscription points to: an exact topic or a level of the tree. */
struct place {
    struct xs_roster roster;
    uint64_t stamp;
    struct xs_level *level; /* NULL for an exact topic */
};

struct topic {
    struct place place;
    size_t len;
    char name[];
};

struct xs_level {
    struct place place;      /* of the filters that end here */
    struct xs_level *parent; /* NULL for the root */
    struct xs_level *plus;   /* the children "+" and "#" */
    struct xs_level *hash;
    struct xs_map children; /* the others */
    size_t len;
    char name[];
};

struct xs_subscription {
    struct xs_subscription *next, *prev; /* of the member */
    struct place *place;
    uint32_t index; /* in the place's roster */
};

/* What one subscription costs, but for names. */
_Static_assert(sizeof(struct xs_subscription) + sizeof(struct xs_roster_entry) <= 48,
               "a subscription takes at most 48 bytes");

/* ---- rosters ---- */

static void roster_init(struct xs_roster *roster)
{
    memset(roster, 0, sizeof *roster);
    roster->first_hole = NO_HOLE;
}

static void roster_fini(struct xs_roster *roster)
{
    xs_free(roster->at);
    roster_init(roster);
}

static uint32_t live(const struct xs_roster *roster)
{
    return roster->len - roster->holes;
}

static void resize(struct xs_roster *roster, uint32_t cap)
{
    roster->at = xs_realloc(roster->at, cap * sizeof *roster->at);
    roster->cap = cap;
}

static void roster_add(struct xs_roster *roster, struct xs_member *member, uint32_t *index)
{
    XS_ASSERT(roster->len < UINT32_MAX / 2);
    if (roster->len == roster->cap)
        resize(roster, roster->cap == 0 ? 2 : roster->cap * 2);
    *index = roster->len;
    roster->at[roster->len].member = member;
    roster->at[roster->len].u.index = index;
    roster->len++;
}

/* Gives memory back when little is left of what there was. */
static void shrink(struct xs_roster *roster)
{
    if (roster->len == 0 && roster->cap > 0)
        roster_fini(roster);
    else if (roster->cap >= 16 && roster->len <= roster->cap / 4)
        resize(roster, roster->cap / 2);
}

/* The last entry takes the place of entry `at`. */
static void fill(struct xs_roster *roster, uint32_t at)
{
    struct xs_roster_entry *last = &roster->at[--roster->len];

    if (at == roster->len)
        return;
    roster->at[at] = *last;
    *last->u.index = at;
}

static void roster_remove(struct xs_roster *roster, uint32_t at)
{
    if (roster->walks > 0) {
        roster->at[at].member = NULL;
        roster->at[at].u.next_hole = roster->first_hole;
        roster->first_hole = at;
        roster->holes++;
        return;
    }
    fill(roster, at);
    shrink(roster);
}

/* A walk has ended. After the last one all holes are filled, in time of their number: entries
 * beyond `len` keep their links until the memory is shrunk. */
static void roster_settle(struct xs_roster *roster)
{
    uint32_t hole = roster->first_hole;

    if (--roster->walks > 0 || hole == NO_HOLE)
        return;
    while (hole != NO_HOLE) {
        uint32_t next = (uint32_t)roster->at[hole].u.next_hole;

        while (roster->len > 0 && roster->at[roster->len - 1].member == NULL)
            roster->len--;
        if (hole < roster->len)
            fill(roster, hole);
        hole = next;
    }
    roster->first_hole = NO_HOLE;
    roster->holes = 0;
    shrink(roster);
}

/* ---- names ---- */

/* Cuts the first level off: the part before the first '/', or all that is left. */
static struct xs_slice cut_level(struct xs_slice *rest, bool *last)
{
    const char *slash = rest->len > 0 ? memchr(rest->at, '/', rest->len) : NULL;
    struct xs_slice part = *rest;

    *last = slash == NULL;
    if (slash == NULL) {
        *rest = (struct xs_slice){ NULL, 0 };
        return part;
    }
    part.len = (size_t)(slash - rest->at);
    rest->at += part.len + 1;
    rest->len -= part.len + 1;
    return part;
}

static bool has_byte(struct xs_slice text, int byte)
{
    return text.len > 0 && memchr(text.at, byte, text.len) != NULL;
}

bool xs_filter_has_wildcard(struct xs_slice filter)
{
    return has_byte(filter, '+') || has_byte(filter, '#');
}

bool xs_filter_valid(struct xs_slice filter)
{
    bool last = false;

    while (!last) {
        struct xs_slice part = cut_level(&filter, &last);

        if (part.len == 1 && (part.at[0] == '+' || (part.at[0] == '#' && last)))
            continue;
        if (xs_filter_has_wildcard(part))
            return false;
    }
    return true;
}

/* ---- places ---- */

static struct topic *find_topic(const struct xs_hall *hall, struct xs_slice name)
{
    return xs_map_get(&hall->topics, name);
}

static struct topic *make_topic(struct xs_hall *hall, struct xs_slice name)
{
    struct topic *topic = xs_alloc(sizeof *topic + name.len);

    roster_init(&topic->place.roster);
    topic->len = name.len;
    if (name.len > 0)
        memcpy(topic->name, name.at, name.len);
    xs_map_put(&hall->topics, (struct xs_slice){ topic->name, topic->len }, topic);
    return topic;
}

static struct xs_level *make_level(struct xs_level *parent, struct xs_slice name)
{
    struct xs_level *level = xs_alloc(sizeof *level + name.len);

    roster_init(&level->place.roster);
    level->place.level = level;
    level->parent = parent;
    level->len = name.len;
    if (name.len > 0)
        memcpy(level->name, name.at, name.len);
    return level;
}

/* The place of the child with this name, "+" and "#" included; NULL for an ordinary name. */
static struct xs_level **wild_child(struct xs_level *parent, struct xs_slice name)
{
    if (name.len != 1)
        return NULL;
    if (name.at[0] == '+')
        return &parent->plus;
    return name.at[0] == '#' ? &parent->hash : NULL;
}

static struct xs_level *find_child(struct xs_level *parent, struct xs_slice name)
{
    struct xs_level **wild = wild_child(parent, name);

    return wild != NULL ? *wild : xs_map_get(&parent->children, name);
}

static struct xs_level *make_child(struct xs_level *parent, struct xs_slice name)
{
    struct xs_level **wild = wild_child(parent, name);
    struct xs_level *child = make_level(parent, name);

    if (wild != NULL)
        *wild = child;
    else
        xs_map_put(&parent->children, (struct xs_slice){ child->name, child->len }, child);
    return child;
}

/* The level where a filter ends; NULL if it is not there and `make` is false. */
static struct xs_level *find_filter(struct xs_hall *hall, struct xs_slice filter, bool make)
{
    struct xs_level *level = hall->filters;
    bool last = false;

    if (level == NULL && make)
        level = hall->filters = make_level(NULL, XS_SLICE(""));
    while (level != NULL && !last) {
        struct xs_slice name = cut_level(&filter, &last);
        struct xs_level *child = find_child(level, name);

        if (child == NULL && make)
            child = make_child(level, name);
        level = child;
    }
    return level;
}

static struct place *find_place(struct xs_hall *hall, struct xs_slice filter)
{
    struct topic *topic;
    struct xs_level *level;

    if (xs_filter_has_wildcard(filter)) {
        level = find_filter(hall, filter, false);
        return level != NULL ? &level->place : NULL;
    }
    topic = find_topic(hall, filter);
    return topic != NULL ? &topic->place : NULL;
}

/* Frees a level without use, and those above it that were there for it alone. */
static void prune(struct xs_hall *hall, struct xs_level *level)
{
    while (level != NULL) {
        struct xs_level *parent = level->parent;
        struct xs_slice name = { level->name, level->len };
        struct xs_level **wild;

        if (level->place.roster.len > 0 || level->plus != NULL || level->hash != NULL ||
            level->children.count > 0)
            return;
        wild = parent != NULL ? wild_child(parent, name) : &hall->filters;
        if (wild != NULL)
            *wild = NULL;
        else
            xs_map_remove(&parent->children, name);
        xs_map_fini(&level->children);
        roster_fini(&level->place.roster);
        xs_free(level);
        level = parent;
    }
}

/* Frees a place that holds nobody. While somebody walks it there are entries, if only holes. */
static void place_settle(struct xs_hall *hall, struct place *place)
{
    struct topic *topic = (struct topic *)(void *)place;

    if (place->roster.len > 0)
        return;
    if (place->level != NULL) {
        prune(hall, place->level);
        return;
    }
    xs_map_remove(&hall->topics, (struct xs_slice){ topic->name, topic->len });
    roster_fini(&place->roster);
    xs_free(topic);
}

/* ---- telling what has come and gone ---- */

static void tell(struct xs_hall *hall, enum xs_hall_notice what, struct xs_slice name,
                 bool begins)
{
    if (hall->notice != NULL)
        hall->notice(hall, what, name, begins);
}

/* The filter that ends at this level, written from its end into the buffer. */
static struct xs_slice filter_name(const struct xs_level *level, char buffer[XS_TOPIC_MAX])
{
    char *at = buffer + XS_TOPIC_MAX;

    for (; level->parent != NULL; level = level->parent) {
        at -= level->len;
        memcpy(at, level->name, level->len);
        if (level->parent->parent != NULL)
            *--at = '/';
    }
    return (struct xs_slice){ at, (size_t)(buffer + XS_TOPIC_MAX - at) };
}

/* The first subscriber of a place has come, or the last has gone. */
static void tell_place(struct xs_hall *hall, const struct place *place, bool begins)
{
    const struct topic *topic = (const struct topic *)(const void *)place;
    char buffer[XS_TOPIC_MAX];

    if (place->level != NULL) {
        hall->filter_count += begins ? 1u : UINT32_MAX;
        tell(hall, XS_HALL_FILTER, filter_name(place->level, buffer), begins);
        return;
    }
    hall->topic_count += begins ? 1u : UINT32_MAX;
    tell(hall, XS_HALL_TOPIC, (struct xs_slice){ topic->name, topic->len }, begins);
}

/* ---- halls and members ---- */

uint64_t xs_hall_hash(struct xs_slice scope, struct xs_slice controller)
{
    return xs_hash_mix(xs_hash(scope), controller);
}

void xs_hall_init(struct xs_hall *hall, uint64_t hash)
{
    memset(hall, 0, sizeof *hall);
    hall->hash = hash;
    roster_init(&hall->members);
}

void xs_hall_fini(struct xs_hall *hall)
{
    XS_ASSERT(hall->members.len == 0 && hall->members.walks == 0 && hall->order_len == 0);
    XS_ASSERT(hall->topics.count == 0 && hall->filters == NULL);
    roster_fini(&hall->members);
    xs_map_fini(&hall->topics);
    xs_free(hall->order);
    hall->order = NULL;
    hall->order_cap = 0;
}

void xs_hall_join(struct xs_hall *hall, struct xs_member *member)
{
    XS_ASSERT(member->hall == NULL);
    memset(member, 0, sizeof *member);
    member->hall = hall;
    roster_add(&hall->members, member, &member->index);
    if (live(&hall->members) == 1)
        tell(hall, XS_HALL_MEMBERS, XS_SLICE(""), true);
}

static void drop(struct xs_member *member, struct xs_subscription *subscription)
{
    struct xs_hall *hall = member->hall;
    struct place *place = subscription->place;

    if (subscription->prev != NULL)
        subscription->prev->next = subscription->next;
    else
        member->first = subscription->next;
    if (subscription->next != NULL)
        subscription->next->prev = subscription->prev;
    member->count--;
    hall->subscription_count--;
    hall->removals++;
    roster_remove(&place->roster, subscription->index);
    xs_free(subscription);
    if (live(&place->roster) > 0)
        return;
    tell_place(hall, place, false);
    place_settle(hall, place);
}

void xs_hall_leave(struct xs_member *member)
{
    struct xs_hall *hall = member->hall;

    if (hall == NULL)
        return;
    while (member->first != NULL)
        drop(member, member->first);
    roster_remove(&hall->members, member->index);
    member->hall = NULL;
    if (live(&hall->members) > 0)
        return;
    tell(hall, XS_HALL_MEMBERS, XS_SLICE(""), false);
    if (hall->order_len == 0) {
        xs_free(hall->order);
        hall->order = NULL;
        hall->order_cap = 0;
    }
}

/* ---- subscriptions ---- */

/* Looks through the shorter one of the member's list and the place's. */
static struct xs_subscription *find(const struct xs_member *member, const struct place *place)
{
    struct xs_subscription *s;
    uint32_t i;

    if (member->count <= place->roster.len) {
        for (s = member->first; s != NULL && s->place != place; s = s->next)
            continue;
        return s;
    }
    for (i = 0; i < place->roster.len; i++)
        if (place->roster.at[i].member == member)
            return XS_CONTAINER(place->roster.at[i].u.index, struct xs_subscription, index);
    return NULL;
}

static struct place *make_place(struct xs_hall *hall, struct xs_slice filter)
{
    if (xs_filter_has_wildcard(filter))
        return &find_filter(hall, filter, true)->place;
    return &make_topic(hall, filter)->place;
}

enum xs_err xs_hall_subscribe(struct xs_member *member, struct xs_slice filter)
{
    struct xs_hall *hall = member->hall;
    struct xs_subscription *subscription;
    struct place *place;

    XS_ASSERT(hall != NULL);
    if (filter.len > XS_TOPIC_MAX)
        return XS_ETOOBIG;
    if (!xs_filter_valid(filter))
        return XS_EINVAL;
    place = find_place(hall, filter);
    if (place == NULL)
        place = make_place(hall, filter);
    else if (find(member, place) != NULL)
        return XS_EEXIST;
    subscription = xs_alloc(sizeof *subscription);
    subscription->place = place;
    subscription->next = member->first;
    if (member->first != NULL)
        member->first->prev = subscription;
    member->first = subscription;
    member->count++;
    hall->subscription_count++;
    roster_add(&place->roster, member, &subscription->index);
    if (live(&place->roster) == 1)
        tell_place(hall, place, true);
    return XS_OK;
}

enum xs_err xs_hall_unsubscribe(struct xs_member *member, struct xs_slice filter)
{
    struct xs_subscription *subscription = NULL;
    struct place *place;

    XS_ASSERT(member->hall != NULL);
    if (filter.len > XS_TOPIC_MAX)
        return XS_ENOTFOUND;
    place = find_place(member->hall, filter);
    if (place != NULL)
        subscription = find(member, place);
    if (subscription == NULL)
        return XS_ENOTFOUND;
    drop(member, subscription);
    return XS_OK;
}

/* ---- which filters match ---- */

/* Where a search through the tree goes on. */
struct turn_off {
    struct xs_level *level;
    uint32_t left; /* bytes of the topic that are not compared yet */
    bool ended;    /* the topic has no further level */
};

/* A search through the tree, one matching place at a time. The tree must not change meanwhile.
 * It never recurses: a level of the topic leaves at most one turn-off behind. */
struct search {
    struct xs_slice topic;
    size_t open;
    struct place *pending; /* found together with the one before */
    struct turn_off at[XS_TOPIC_MAX + 2];
};

static void search_begin(struct search *search, struct xs_hall *hall, struct xs_slice topic)
{
    search->topic = topic.len > 0 ? topic : XS_SLICE("");
    search->open = 0;
    search->pending = NULL;
    if (hall->filters != NULL && topic.len <= XS_TOPIC_MAX)
        search->at[search->open++] =
            (struct turn_off){ hall->filters, (uint32_t)topic.len, false };
}

static void search_push(struct search *search, struct xs_level *level, size_t left, bool ended)
{
    if (level != NULL)
        search->at[search->open++] = (struct turn_off){ level, (uint32_t)left, ended };
}

/* The next place with subscribers whose filter matches; NULL at the end. */
static struct place *search_next(struct search *search)
{
    struct place *found = search->pending;

    search->pending = NULL;
    while (found == NULL && search->open > 0) {
        struct turn_off from = search->at[--search->open];
        struct xs_level *level = from.level;

        /* "a/#" matches "a" too, so whoever comes here has found it. */
        if (level->hash != NULL && live(&level->hash->place.roster) > 0)
            found = &level->hash->place;
        if (from.ended) {
            if (live(&level->place.roster) == 0)
                continue;
            if (found == NULL)
                return &level->place;
            search->pending = &level->place;
        } else {
            struct xs_slice rest = { search->topic.at + search->topic.len - from.left,
                                     from.left };
            struct xs_slice name = cut_level(&rest, &from.ended);

            search_push(search, level->plus, rest.len, from.ended);
            search_push(search, xs_map_get(&level->children, name), rest.len, from.ended);
        }
    }
    return found;
}

/* Not inline: the search takes stack that a walk must not hold. */
__attribute__((noinline)) bool xs_member_subscribed(struct xs_member *member,
                                                    struct xs_slice topic)
{
    struct xs_hall *hall = member->hall;
    struct place *place;
    struct topic *exact;
    struct xs_subscription *s;
    struct search search;

    if (hall == NULL || member->count == 0)
        return false;
    exact = find_topic(hall, topic);
    if (exact != NULL && find(member, &exact->place) != NULL)
        return true;
    if (hall->filter_count == 0)
        return false;
    /* All places that match are marked, then the member's are looked at. */
    hall->stamp++;
    search_begin(&search, hall, topic);
    while ((place = search_next(&search)) != NULL)
        place->stamp = hall->stamp;
    for (s = member->first; s != NULL; s = s->next)
        if (s->place->stamp == hall->stamp)
            return true;
    return false;
}

/* ---- walks ---- */

/* By position, up to where the roster ended when the walk began. */
static uint32_t walk(struct xs_roster *roster, xs_member_cb visit, void *context)
{
    uint32_t end = roster->len, visited = 0, i;

    roster->walks++;
    for (i = 0; i < end; i++) {
        struct xs_member *member = roster->at[i].member;

        if (member == NULL)
            continue;
        visited++;
        visit(context, member);
    }
    roster_settle(roster);
    return visited;
}

static uint32_t walk_place(struct xs_hall *hall, struct place *place, xs_member_cb visit,
                           void *context)
{
    uint32_t visited = walk(&place->roster, visit, context);

    place_settle(hall, place);
    return visited;
}

/* Writes down the members of one place that are not written down yet. */
static void note(struct xs_hall *hall, const struct place *place)
{
    uint32_t need = hall->order_len + place->roster.len, i;

    if (need > hall->order_cap) {
        uint32_t cap = hall->order_cap * 2 > need ? hall->order_cap * 2 : need;

        hall->order = xs_realloc(hall->order, cap * sizeof *hall->order);
        hall->order_cap = cap;
    }
    for (i = 0; i < place->roster.len; i++) {
        struct xs_member *member = place->roster.at[i].member;

        if (member == NULL || member->stamp == hall->stamp)
            continue;
        member->stamp = hall->stamp;
        hall->order[hall->order_len++] = member->index;
    }
}

/* Visits those written down from `begin` on. */
static uint32_t walk_order(struct xs_hall *hall, uint32_t begin, struct xs_slice topic,
                           xs_member_cb visit, void *context)
{
    uint32_t end = hall->order_len, visited = 0, i;
    uint64_t removals = hall->removals;

    hall->members.walks++;
    for (i = begin; i < end; i++) {
        struct xs_member *member = hall->members.at[hall->order[i]].member;

        if (member == NULL)
            continue;
        if (hall->removals != removals && !xs_member_subscribed(member, topic))
            continue;
        visited++;
        visit(context, member);
    }
    roster_settle(&hall->members);
    hall->order_len = begin;
    return visited;
}

/* The one place with subscribers of the topic, or, if there are several, NULL and *several
 * true, and their members are written down. Not inline: the search takes stack that a walk must
 * not hold. */
__attribute__((noinline)) static struct place *
find_receivers(struct xs_hall *hall, struct place *exact, struct xs_slice topic, bool *several)
{
    struct place *first = exact, *place;
    struct search search;

    search_begin(&search, hall, topic);
    while ((place = search_next(&search)) != NULL) {
        if (first == NULL) {
            first = place;
            continue;
        }
        if (!*several) {
            hall->stamp++;
            note(hall, first);
        }
        *several = true;
        note(hall, place);
    }
    return *several ? NULL : first;
}

uint32_t xs_hall_publish(struct xs_hall *hall, struct xs_slice topic, xs_member_cb visit,
                         void *context)
{
    struct topic *exact = find_topic(hall, topic);
    struct place *place = NULL;
    uint32_t begin = hall->order_len;
    bool several = false;

    if (exact != NULL && live(&exact->place.roster) > 0)
        place = &exact->place;
    if (hall->filter_count > 0)
        place = find_receivers(hall, place, topic, &several);
    if (several)
        return walk_order(hall, begin, topic, visit, context);
    return place != NULL ? walk_place(hall, place, visit, context) : 0;
}

uint32_t xs_hall_each(struct xs_hall *hall, xs_member_cb visit, void *context)
{
    return walk(&hall->members, visit, context);
}
