/* interest - never misses a worker; and nothing stays counted when all have gone. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "router/interest.h"

#define WORKERS 4

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 20) % below;
}

static struct xs_slice some_name(char *buffer, bool filter)
{
    static const char *const parts[] = { "a", "b", "", "ab", "+", "+", "#" };
    uint32_t levels = 1 + roll(4), i;
    size_t len = 0;

    for (i = 0; i < levels; i++) {
        const char *part = parts[roll(!filter ? 4 : i + 1 == levels ? 7 : 6)];

        if (i > 0)
            buffer[len++] = '/';
        memcpy(buffer + len, part, strlen(part));
        len += strlen(part);
    }
    return (struct xs_slice){ buffer, len };
}

static void ignore(void *context, struct xs_member *member)
{
    (void)context;
    (void)member;
}

static void a_worker_with_a_receiver_is_always_named(void **state)
{
    struct xs_interest *interest = xs_interest_new(WORKERS);
    uint64_t hash = xs_hall_hash(XS_SLICE("default"), XS_SLICE("chat"));
    struct xs_hall halls[WORKERS];
    struct xs_member members[WORKERS][3];
    unsigned i, w, needless = 0, named = 0;

    (void)state;
    memset(members, 0, sizeof members);
    for (w = 0; w < WORKERS; w++) {
        xs_hall_init(&halls[w], hash);
        xs_interest_watch(interest, w, &halls[w]);
    }
    for (i = 0; i < 200000; i++) {
        unsigned worker = roll(WORKERS);
        struct xs_member *member = &members[worker][roll(3)];
        char text[32];
        struct xs_slice topic;
        uint64_t mask, all;

        if (roll(10) == 0)
            xs_hall_leave(member);
        else if (member->hall == NULL)
            xs_hall_join(&halls[worker], member);
        else if (xs_hall_subscribe(member, some_name(text, roll(2) == 0)) == XS_EINVAL)
            fail();
        topic = some_name(text, false);
        mask = xs_interest_subscribers(interest, hash, topic);
        all = xs_interest_members(interest, hash);
        for (w = 0; w < WORKERS; w++) {
            bool has = xs_hall_publish(&halls[w], topic, ignore, NULL) > 0;

            if (has)
                assert_true((mask >> w & 1) != 0);
            needless += !has && (mask >> w & 1) != 0;
            named += (mask >> w & 1) != 0;
            assert_true((all >> w & 1) == (xs_hall_count(&halls[w]) > 0));
        }
    }
    /* A prefix is shorter than its filter, so some are named in vain. */
    assert_true(needless < named / 2);
    for (w = 0; w < WORKERS; w++) {
        for (i = 0; i < 3; i++)
            xs_hall_leave(&members[w][i]);
        xs_hall_fini(&halls[w]);
    }
    for (i = 0; i < 2000; i++) {
        char text[32];

        assert_true(xs_interest_subscribers(interest, hash, some_name(text, false)) == 0);
    }
    assert_true(xs_interest_members(interest, hash) == 0);
    xs_interest_free(interest);
}

static void filters_are_found_by_every_topic_they_match(void **state)
{
    static const struct {
        const char *filter, *topic;
    } pairs[] = {
        { "#", "" },          { "#", "a/b" },     { "+", "a" },         { "+", "" },
        { "a/#", "a" },       { "a/#", "a/" },    { "a/#", "a/b/c" },   { "a/+", "a/b" },
        { "/#", "" },         { "/#", "/" },      { "/+", "/x" },       { "a//+", "a//b" },
        { "a/+/c", "a/b/c" }, { "a/b/#", "a/b" }, { "+/b/#", "a/b/c" },
    };
    struct xs_interest *interest = xs_interest_new(1);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct xs_slice filter = xs_slice_of(pairs[i].filter);
        struct xs_slice topic = xs_slice_of(pairs[i].topic);

        assert_true(xs_interest_subscribers(interest, 7, topic) == 0);
        xs_interest_add(interest, 0, 7, XS_HALL_FILTER, filter);
        assert_true(xs_interest_subscribers(interest, 7, topic) == 1);
        xs_interest_remove(interest, 0, 7, XS_HALL_FILTER, filter);
        assert_true(xs_interest_subscribers(interest, 7, topic) == 0);
    }
    /* The empty topic, whose bytes are nowhere. */
    assert_true(xs_interest_subscribers(interest, 7, (struct xs_slice){ NULL, 0 }) == 0);
    xs_interest_add(interest, 0, 7, XS_HALL_FILTER, XS_SLICE("/#"));
    assert_true(xs_interest_subscribers(interest, 7, (struct xs_slice){ NULL, 0 }) == 1);
    xs_interest_free(interest);
}

static void sixty_four_workers_have_a_bit_each(void **state)
{
    struct xs_interest *interest = xs_interest_new(XS_INTEREST_WORKERS);
    unsigned i;

    (void)state;
    for (i = 0; i < XS_INTEREST_WORKERS; i++) {
        xs_interest_add(interest, i, 7, XS_HALL_MEMBERS, XS_SLICE(""));
        assert_true(xs_interest_members(interest, 7) ==
                    UINT64_MAX >> (XS_INTEREST_WORKERS - 1 - i));
    }
    xs_interest_free(interest);
}

/* Few of a hundred thousand other names may be taken for a name that is there: the counters are
 * a million, and so are the chances. */
static void other_names_are_seldom_taken_for_one_that_is_there(void **state)
{
    struct xs_interest *interest = xs_interest_new(1);
    unsigned i, wrong = 0;

    (void)state;
    for (i = 0; i < 1000; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "sensor/%u", i);

        xs_interest_add(interest, 0, 7, XS_HALL_TOPIC, (struct xs_slice){ text, (size_t)len });
    }
    for (i = 1000; i < 101000; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "sensor/%u", i);

        wrong +=
            xs_interest_subscribers(interest, 7, (struct xs_slice){ text, (size_t)len }) != 0;
    }
    /* 95 are expected, with a standard deviation of 10. */
    assert_in_range(wrong, 20, 200);
    xs_interest_free(interest);
}

/* ---- threads ---- */

#define ROUNDS 20000

struct shared {
    struct xs_interest *interest;
    uint64_t hash;
    atomic_uint steady; /* a bit for each worker that has subscribed to its steady names */
    pthread_barrier_t looked; /* all have asked for the last time */
};

struct worker {
    struct shared *shared;
    unsigned number;
    unsigned missed;
};

static void *work(void *context)
{
    struct worker *worker = context;
    struct shared *shared = worker->shared;
    struct xs_hall hall;
    struct xs_member steady = { 0 }, restless = { 0 };
    unsigned i;

    xs_hall_init(&hall, shared->hash);
    xs_interest_watch(shared->interest, worker->number, &hall);
    xs_hall_join(&hall, &steady);
    worker->missed += xs_hall_subscribe(&steady, XS_SLICE("steady/topic")) != XS_OK;
    worker->missed += xs_hall_subscribe(&steady, XS_SLICE("steady/+/filter")) != XS_OK;
    atomic_fetch_or(&shared->steady, 1u << worker->number);
    for (i = 0; i < ROUNDS; i++) {
        unsigned known = atomic_load(&shared->steady);
        uint64_t mask;

        xs_hall_join(&hall, &restless);
        worker->missed += xs_hall_subscribe(&restless, XS_SLICE("steady/topic")) != XS_OK;
        worker->missed += xs_hall_subscribe(&restless, XS_SLICE("steady/#")) != XS_OK;
        worker->missed += xs_hall_subscribe(&restless, XS_SLICE("restless")) != XS_OK;
        xs_hall_leave(&restless);
        mask =
            xs_interest_subscribers(shared->interest, shared->hash, XS_SLICE("steady/topic"));
        worker->missed += (mask & known) != known;
        mask = xs_interest_subscribers(shared->interest, shared->hash,
                                       XS_SLICE("steady/x/filter"));
        worker->missed += (mask & known) != known;
        mask = xs_interest_members(shared->interest, shared->hash);
        worker->missed += (mask & known) != known;
    }
    pthread_barrier_wait(&shared->looked);
    xs_hall_leave(&steady);
    xs_hall_fini(&hall);
    return NULL;
}

static void readers_on_other_threads_miss_nothing_that_was_subscribed_before(void **state)
{
    struct shared shared = { .hash = 99 };
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];
    unsigned i;

    (void)state;
    shared.interest = xs_interest_new(WORKERS);
    pthread_barrier_init(&shared.looked, NULL, WORKERS);
    for (i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){ &shared, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < WORKERS; i++)
        assert_int_equal(workers[i].missed, 0);
    assert_true(xs_interest_members(shared.interest, 99) == 0);
    assert_true(xs_interest_subscribers(shared.interest, 99, XS_SLICE("steady/topic")) == 0);
    pthread_barrier_destroy(&shared.looked);
    xs_interest_free(shared.interest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_with_a_receiver_is_always_named),
        cmocka_unit_test(filters_are_found_by_every_topic_they_match),
        cmocka_unit_test(sixty_four_workers_have_a_bit_each),
        cmocka_unit_test(other_names_are_seldom_taken_for_one_that_is_there),
        cmocka_unit_test(readers_on_other_threads_miss_nothing_that_was_subscribed_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
