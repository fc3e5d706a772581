/* topics - against a naive matcher and a naive hall, changes from inside callbacks included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "router/topics.h"

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 20) % below;
}

/* ---- the naive way ---- */

struct levels {
    unsigned count;
    struct xs_slice at[32];
};

static struct levels split(struct xs_slice text)
{
    struct levels levels = { 1, { { text.at, 0 } } };
    size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.at[i] != '/')
            levels.at[levels.count - 1].len++;
        else
            levels.at[levels.count++] = (struct xs_slice){ text.at + i + 1, 0 };
    }
    return levels;
}

static bool naive_valid(struct xs_slice filter)
{
    struct levels levels = split(filter);
    unsigned i;
    size_t j;

    for (i = 0; i < levels.count; i++) {
        struct xs_slice part = levels.at[i];

        for (j = 0; j < part.len; j++) {
            if (part.at[j] == '+' && part.len != 1)
                return false;
            if (part.at[j] == '#' && (part.len != 1 || i + 1 != levels.count))
                return false;
        }
    }
    return true;
}

static bool matches_from(const struct levels *filter, unsigned f, const struct levels *topic,
                         unsigned t)
{
    if (f == filter->count)
        return t == topic->count;
    if (xs_slice_equal(filter->at[f], XS_SLICE("#")))
        return true;
    if (t == topic->count)
        return false;
    if (!xs_slice_equal(filter->at[f], XS_SLICE("+")) &&
        !xs_slice_equal(filter->at[f], topic->at[t]))
        return false;
    return matches_from(filter, f + 1, topic, t + 1);
}

static bool naive_matches(struct xs_slice filter, struct xs_slice topic)
{
    struct levels f = split(filter), t = split(topic);

    return matches_from(&f, 0, &t, 0);
}

/* Up to `max` characters of a small alphabet; empty levels come by themselves. */
static struct xs_slice some_name(char *buffer, uint32_t max, const char *alphabet)
{
    size_t len = roll(max + 1), i;

    for (i = 0; i < len; i++)
        buffer[i] = alphabet[roll((uint32_t)strlen(alphabet))];
    return (struct xs_slice){ buffer, len };
}

/* A filter that is mostly well formed. */
static struct xs_slice some_filter(char *buffer)
{
    static const char *const parts[] = { "a", "b", "+", "", "ab", "+", "a", "#" };
    uint32_t levels = 1 + roll(4), i;
    size_t len = 0;

    for (i = 0; i < levels; i++) {
        const char *part = parts[roll(i + 1 == levels ? 8 : 7)];

        if (i > 0)
            buffer[len++] = '/';
        memcpy(buffer + len, part, strlen(part));
        len += strlen(part);
    }
    return (struct xs_slice){ buffer, len };
}

static struct xs_slice some_topic(char *buffer)
{
    static const char *const parts[] = { "a", "b", "", "ab" };
    uint32_t levels = 1 + roll(4), i;
    size_t len = 0;

    for (i = 0; i < levels; i++) {
        const char *part = parts[roll(4)];

        if (i > 0)
            buffer[len++] = '/';
        memcpy(buffer + len, part, strlen(part));
        len += strlen(part);
    }
    return (struct xs_slice){ buffer, len };
}

/* ---- simple things ---- */

static void count_visit(void *context, struct xs_member *member)
{
    (void)member;
    ++*(unsigned *)context;
}

static unsigned publish_count(struct xs_hall *where, struct xs_slice topic)
{
    unsigned count = 0;
    uint32_t told = xs_hall_publish(where, topic, count_visit, &count);

    assert_int_equal(told, count);
    return count;
}

static void random_pairs_agree_with_a_naive_matcher(void **state)
{
    unsigned i, matched = 0, refused = 0;

    (void)state;
    for (i = 0; i < 150000; i++) {
        struct xs_hall hall;
        struct xs_member member = { 0 };
        char topic_text[64], filter_text[64];
        struct xs_slice topic, filter;
        enum xs_err err;
        bool wanted;

        topic = i % 2 == 0 ? some_topic(topic_text) : some_name(topic_text, 8, "ab///+#");
        filter = i % 4 < 2 ? some_filter(filter_text) : some_name(filter_text, 7, "ab//+#");
        xs_hall_init(&hall, 1);
        xs_hall_join(&hall, &member);
        err = xs_hall_subscribe(&member, filter);
        assert_int_equal(err, naive_valid(filter) ? XS_OK : XS_EINVAL);
        assert_int_equal(xs_filter_valid(filter), naive_valid(filter));
        wanted = err == XS_OK && naive_matches(filter, topic);
        if (xs_member_subscribed(&member, topic) != wanted ||
            publish_count(&hall, topic) != wanted)
            fail_msg("topic \"%.*s\" filter \"%.*s\"", (int)topic.len, topic.at,
                     (int)filter.len, filter.at);
        matched += wanted;
        refused += err != XS_OK;
        xs_hall_leave(&member);
        assert_int_equal(hall.subscription_count, 0);
        xs_hall_fini(&hall);
    }
    assert_in_range(matched, 10000, 140000);
    assert_in_range(refused, 10000, 140000);
}

static void wildcards_in_wrong_places_are_refused(void **state)
{
    static const char *const wrong[] = { "a#", "#/a", "a+",   "+a", "a/#/b",
                                         "##", "++",  "a/b#", "#/" };
    struct xs_hall hall;
    struct xs_member member = { 0 };
    size_t i;

    (void)state;
    xs_hall_init(&hall, 1);
    xs_hall_join(&hall, &member);
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(xs_hall_subscribe(&member, xs_slice_of(wrong[i])), XS_EINVAL);
    assert_int_equal(member.count, 0);
    assert_null(hall.filters);
    xs_hall_leave(&member);
    xs_hall_fini(&hall);
}

static void a_repeated_subscription_is_harmless_and_ended_by_one_unsubscription(void **state)
{
    static const char *const names[] = { "said", "a/+/b", "#" };
    struct xs_hall hall;
    struct xs_member member = { 0 };
    size_t i;

    (void)state;
    xs_hall_init(&hall, 1);
    xs_hall_join(&hall, &member);
    for (i = 0; i < 3; i++) {
        struct xs_slice name = xs_slice_of(names[i]);

        assert_int_equal(xs_hall_unsubscribe(&member, name), XS_ENOTFOUND);
        assert_int_equal(xs_hall_subscribe(&member, name), XS_OK);
        assert_int_equal(xs_hall_subscribe(&member, name), XS_EEXIST);
        assert_int_equal(member.count, 1);
        assert_int_equal(xs_hall_unsubscribe(&member, name), XS_OK);
        assert_int_equal(xs_hall_unsubscribe(&member, name), XS_ENOTFOUND);
        assert_int_equal(member.count, 0);
        assert_int_equal(hall.topics.count, 0);
        assert_null(hall.filters);
    }
    xs_hall_leave(&member);
    xs_hall_leave(&member);
    xs_hall_fini(&hall);
}

static void many_matching_filters_deliver_once(void **state)
{
    static const char *const names[] = { "a/b/c", "+/b/c", "a/+/c", "a/b/+",  "#",
                                         "a/#",   "+/+/+", "a/b/#", "a/b/c/#" };
    struct xs_hall hall;
    struct xs_member member = { 0 }, other = { 0 };
    size_t i;

    (void)state;
    xs_hall_init(&hall, 1);
    xs_hall_join(&hall, &member);
    xs_hall_join(&hall, &other);
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(xs_hall_subscribe(&member, xs_slice_of(names[i])), XS_OK);
        assert_int_equal(publish_count(&hall, XS_SLICE("a/b/c")), 1);
    }
    assert_int_equal(xs_hall_subscribe(&other, XS_SLICE("a/b/c")), XS_OK);
    assert_int_equal(publish_count(&hall, XS_SLICE("a/b/c")), 2);
    assert_int_equal(publish_count(&hall, XS_SLICE("x")), 1);
    xs_hall_leave(&member);
    assert_int_equal(publish_count(&hall, XS_SLICE("a/b/c")), 1);
    xs_hall_leave(&other);
    xs_hall_fini(&hall);
}

static void the_longest_names_have_the_most_levels_and_are_found(void **state)
{
    static char slashes[XS_TOPIC_MAX + 2], pluses[XS_TOPIC_MAX + 2];
    struct xs_slice longest = { slashes, XS_TOPIC_MAX }, filter = { pluses, XS_TOPIC_MAX - 1 };
    struct xs_hall hall;
    struct xs_member member = { 0 };
    size_t i;

    (void)state;
    memset(slashes, '/', sizeof slashes);
    for (i = 0; i < sizeof pluses; i++)
        pluses[i] = i % 2 == 0 ? '+' : '/';
    xs_hall_init(&hall, 1);
    xs_hall_join(&hall, &member);
    assert_int_equal(xs_hall_subscribe(&member, longest), XS_OK);
    assert_int_equal(xs_hall_subscribe(&member, filter), XS_OK);
    assert_int_equal(publish_count(&hall, longest), 1);
    assert_int_equal(publish_count(&hall, (struct xs_slice){ slashes, filter.len / 2 }), 1);
    slashes[XS_TOPIC_MAX - 1] = '#';
    assert_int_equal(xs_hall_subscribe(&member, longest), XS_OK);
    slashes[XS_TOPIC_MAX - 1] = '/';
    assert_int_equal(publish_count(&hall, longest), 1);
    longest.len++;
    assert_int_equal(xs_hall_subscribe(&member, longest), XS_ETOOBIG);
    assert_int_equal(xs_hall_unsubscribe(&member, longest), XS_ENOTFOUND);
    assert_int_equal(publish_count(&hall, longest), 0);
    assert_false(xs_member_subscribed(&member, longest));
    xs_hall_leave(&member);
    assert_null(hall.filters);
    xs_hall_fini(&hall);
}

/* Every level of the topic is a turn-off: literal and '+' on all levels. */
static void a_tree_where_every_level_forks_is_searched_whole(void **state)
{
    struct xs_hall hall;
    struct xs_member members[1024];
    unsigned i, bit;

    (void)state;
    memset(members, 0, sizeof members);
    xs_hall_init(&hall, 1);
    for (i = 0; i < 1024; i++) {
        char text[20];

        for (bit = 0; bit < 10; bit++) {
            text[2 * bit] = (i >> bit & 1) != 0 ? '+' : 'a';
            text[2 * bit + 1] = '/';
        }
        xs_hall_join(&hall, &members[i]);
        assert_int_equal(xs_hall_subscribe(&members[i], (struct xs_slice){ text, 19 }), XS_OK);
    }
    assert_int_equal(publish_count(&hall, XS_SLICE("a/a/a/a/a/a/a/a/a/a")), 1024);
    assert_int_equal(publish_count(&hall, XS_SLICE("a/a/a/a/b/a/a/a/a/a")), 512);
    assert_int_equal(publish_count(&hall, XS_SLICE("b/b/b/b/b/b/b/b/b/b")), 1);
    assert_int_equal(publish_count(&hall, XS_SLICE("a/a/a/a/a/a/a/a/a")), 0);
    for (i = 0; i < 1024; i++)
        xs_hall_leave(&members[i]);
    xs_hall_fini(&hall);
}

/* ---- the naive hall ---- */

#define MEMBERS 40
#define HOLDS   6
#define NAMES   64

struct held {
    char text[24];
    size_t len;
    uint64_t serial; /* 0: none */
};

struct actor {
    struct xs_member *member; /* NULL: has not joined */
    uint64_t joined;          /* serial of the joining */
    struct held held[HOLDS];
};

struct noticed {
    enum xs_hall_notice what;
    char text[24];
    size_t len;
    bool there;
};

static struct xs_hall hall;
static struct actor actors[MEMBERS];
static struct noticed noticed[NAMES];
static uint64_t serial;
static unsigned depth, walks, changes_in_walks;

static void on_notice(struct xs_hall *which, enum xs_hall_notice what, struct xs_slice name,
                      bool begins)
{
    unsigned i, empty = NAMES;

    assert_ptr_equal(which, &hall);
    for (i = 0; i < NAMES; i++) {
        struct xs_slice text = { noticed[i].text, noticed[i].len };

        if (!noticed[i].there) {
            empty = i;
            continue;
        }
        if (noticed[i].what != what || !xs_slice_equal(text, name))
            continue;
        assert_false(begins);
        noticed[i].there = false;
        return;
    }
    assert_true(begins);
    assert_in_range(empty, 0, NAMES - 1);
    noticed[empty].what = what;
    noticed[empty].len = name.len;
    noticed[empty].there = true;
    memcpy(noticed[empty].text, name.at, name.len);
}

static struct xs_slice held_name(const struct held *held)
{
    return (struct xs_slice){ held->text, held->len };
}

static bool naive_subscribed(const struct actor *actor, struct xs_slice topic)
{
    unsigned i;

    for (i = 0; i < HOLDS; i++)
        if (actor->held[i].serial != 0 && naive_matches(held_name(&actor->held[i]), topic))
            return true;
    return false;
}

static void actor_leave(struct actor *actor)
{
    if (actor->member == NULL)
        return;
    xs_hall_leave(actor->member);
    free(actor->member);
    memset(actor, 0, sizeof *actor);
}

static void actor_join(struct actor *actor)
{
    if (actor->member != NULL)
        return;
    actor->member = calloc(1, sizeof *actor->member);
    actor->joined = ++serial;
    xs_hall_join(&hall, actor->member);
}

static void actor_subscribe(struct actor *actor)
{
    struct held *empty = NULL;
    char text[24];
    struct xs_slice filter;
    unsigned i;

    if (actor->member == NULL)
        return;
    filter = roll(2) == 0 ? some_topic(text) : some_filter(text);
    if (filter.len > 4)
        filter.len = 4;
    for (i = 0; i < HOLDS; i++) {
        struct held *held = &actor->held[i];

        if (held->serial == 0)
            empty = held;
        else if (xs_slice_equal(held_name(held), filter)) {
            assert_int_equal(xs_hall_subscribe(actor->member, filter), XS_EEXIST);
            return;
        }
    }
    if (empty == NULL)
        return;
    if (!naive_valid(filter)) {
        assert_int_equal(xs_hall_subscribe(actor->member, filter), XS_EINVAL);
        return;
    }
    assert_int_equal(xs_hall_subscribe(actor->member, filter), XS_OK);
    memcpy(empty->text, filter.at, filter.len);
    empty->len = filter.len;
    empty->serial = ++serial;
}

static void actor_unsubscribe(struct actor *actor)
{
    struct held *held = &actor->held[roll(HOLDS)];

    if (actor->member == NULL || held->serial == 0)
        return;
    assert_int_equal(xs_hall_unsubscribe(actor->member, held_name(held)), XS_OK);
    held->serial = 0;
    assert_int_equal(xs_hall_unsubscribe(actor->member, held_name(held)), XS_ENOTFOUND);
}

static void change(uint32_t leaving)
{
    struct actor *actor = &actors[roll(MEMBERS)];

    if (roll(leaving) == 0)
        actor_leave(actor);
    else if (roll(3) == 0)
        actor_unsubscribe(actor);
    else if (roll(4) == 0)
        actor_join(actor);
    else
        actor_subscribe(actor);
}

/* What a walk expects of one actor. */
struct expected {
    bool at_start;
    bool visited;
    uint64_t joined;
    uint64_t serials[HOLDS]; /* its subscriptions that matched at the start */
};

struct walk {
    bool publish;
    struct xs_slice topic;
    struct expected actors[MEMBERS];
    unsigned visits;
};

static void walk_something(void);

static void on_visit(void *context, struct xs_member *member)
{
    struct walk *walk = context;
    struct expected *expected;
    unsigned i;

    for (i = 0; i < MEMBERS && actors[i].member != member; i++)
        continue;
    assert_in_range(i, 0, MEMBERS - 1);
    expected = &walk->actors[i];
    assert_true(expected->at_start);
    assert_false(expected->visited);
    assert_true(expected->joined == actors[i].joined);
    if (walk->publish)
        assert_true(naive_subscribed(&actors[i], walk->topic));
    expected->visited = true;
    walk->visits++;
    while (roll(3) == 0) {
        changes_in_walks++;
        if (roll(8) == 0)
            actor_leave(&actors[i]);
        else
            change(8);
    }
    if (depth < 3 && roll(12) == 0)
        walk_something();
}

/* Who was there all the time, with a subscription that was there all the time, was visited. */
static void check_missed(const struct walk *walk)
{
    unsigned i, j;

    for (i = 0; i < MEMBERS; i++) {
        const struct expected *expected = &walk->actors[i];

        if (!expected->at_start || expected->visited || expected->joined != actors[i].joined)
            continue;
        assert_true(walk->publish);
        for (j = 0; j < HOLDS; j++)
            assert_true(expected->serials[j] == 0 ||
                        expected->serials[j] != actors[i].held[j].serial);
    }
}

static void walk_something(void)
{
    struct walk *walk = calloc(1, sizeof *walk);
    char text[24];
    uint32_t visited;
    unsigned i, j;

    walk->publish = roll(4) != 0;
    walk->topic = some_topic(text);
    for (i = 0; i < MEMBERS; i++) {
        struct expected *expected = &walk->actors[i];

        if (actors[i].member == NULL)
            continue;
        expected->joined = actors[i].joined;
        expected->at_start = !walk->publish || naive_subscribed(&actors[i], walk->topic);
        for (j = 0; j < HOLDS; j++)
            if (actors[i].held[j].serial != 0 &&
                naive_matches(held_name(&actors[i].held[j]), walk->topic))
                expected->serials[j] = actors[i].held[j].serial;
    }
    depth++;
    walks++;
    if (walk->publish)
        visited = xs_hall_publish(&hall, walk->topic, on_visit, walk);
    else
        visited = xs_hall_each(&hall, on_visit, walk);
    depth--;
    assert_int_equal(visited, walk->visits);
    check_missed(walk);
    free(walk);
}

static void check_notices(void)
{
    unsigned i, j, k, topics = 0, filters = 0, members = 0;

    for (i = 0; i < NAMES; i++) {
        bool found = false;

        if (!noticed[i].there)
            continue;
        for (j = 0; j < MEMBERS; j++)
            for (k = 0; k < HOLDS && actors[j].member != NULL; k++) {
                struct xs_slice name = held_name(&actors[j].held[k]);

                if (noticed[i].what == XS_HALL_MEMBERS)
                    found = true;
                else if (actors[j].held[k].serial != 0 &&
                         xs_slice_equal(name,
                                        (struct xs_slice){ noticed[i].text, noticed[i].len }))
                    found = found ||
                            xs_filter_has_wildcard(name) == (noticed[i].what == XS_HALL_FILTER);
            }
        assert_true(found);
        topics += noticed[i].what == XS_HALL_TOPIC;
        filters += noticed[i].what == XS_HALL_FILTER;
        members += noticed[i].what == XS_HALL_MEMBERS;
    }
    assert_int_equal(topics, hall.topic_count);
    assert_int_equal(filters, hall.filter_count);
    assert_int_equal(topics, hall.topics.count);
    assert_int_equal(members, xs_hall_count(&hall) > 0);
}

static void check_counts(void)
{
    unsigned i, j, members = 0, subscriptions = 0;

    for (i = 0; i < MEMBERS; i++) {
        unsigned own = 0;

        if (actors[i].member == NULL)
            continue;
        for (j = 0; j < HOLDS; j++)
            own += actors[i].held[j].serial != 0;
        assert_int_equal(actors[i].member->count, own);
        members++;
        subscriptions += own;
    }
    assert_int_equal(xs_hall_count(&hall), members);
    assert_int_equal(hall.members.len, members);
    assert_int_equal(hall.subscription_count, subscriptions);
}

static void random_changes_also_from_inside_walks_agree_with_a_naive_hall(void **state)
{
    unsigned i, round;

    (void)state;
    for (round = 0; round < 6; round++) {
        xs_hall_init(&hall, 1);
        hall.notice = on_notice;
        for (i = 0; i < 30000; i++) {
            char text[24];
            struct xs_slice topic = some_topic(text);
            struct actor *actor = &actors[roll(MEMBERS)];

            /* Rounds differ in how full the hall is. */
            change(4 + 8 * round);
            if (i % 4 == 0)
                walk_something();
            if (actor->member != NULL)
                assert_int_equal(xs_member_subscribed(actor->member, topic),
                                 naive_subscribed(actor, topic));
            if (i % 64 == 0) {
                check_notices();
                check_counts();
            }
        }
        for (i = 0; i < MEMBERS; i++)
            actor_leave(&actors[i]);
        check_notices();
        assert_null(hall.filters);
        xs_hall_fini(&hall);
    }
    assert_true(walks > 40000);
    assert_true(changes_in_walks > 40000);
}

/* ---- size ---- */

static void leave_all(void *context, struct xs_member *member)
{
    struct xs_member *members = context;
    unsigned i;

    (void)member;
    for (i = 0; i < 1000; i++)
        xs_hall_leave(&members[i]);
}

static void the_first_visited_may_make_all_leave(void **state)
{
    static struct xs_member members[1000];
    unsigned i, kind;

    (void)state;
    for (kind = 0; kind < 3; kind++) {
        uint32_t visited;

        xs_hall_init(&hall, 1);
        for (i = 0; i < 1000; i++) {
            xs_hall_join(&hall, &members[i]);
            assert_int_equal(xs_hall_subscribe(&members[i], XS_SLICE("a/b")), XS_OK);
            if (kind == 1)
                assert_int_equal(xs_hall_subscribe(&members[i], XS_SLICE("a/+")), XS_OK);
        }
        visited = kind < 2 ? xs_hall_publish(&hall, XS_SLICE("a/b"), leave_all, members)
                           : xs_hall_each(&hall, leave_all, members);
        assert_int_equal(visited, 1);
        assert_int_equal(hall.topics.count, 0);
        assert_null(hall.filters);
        assert_null(hall.members.at);
        xs_hall_fini(&hall);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pairs_agree_with_a_naive_matcher),
        cmocka_unit_test(wildcards_in_wrong_places_are_refused),
        cmocka_unit_test(a_repeated_subscription_is_harmless_and_ended_by_one_unsubscription),
        cmocka_unit_test(many_matching_filters_deliver_once),
        cmocka_unit_test(the_longest_names_have_the_most_levels_and_are_found),
        cmocka_unit_test(a_tree_where_every_level_forks_is_searched_whole),
        cmocka_unit_test(random_changes_also_from_inside_walks_agree_with_a_naive_hall),
        cmocka_unit_test(the_first_visited_may_make_all_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
