/* mailbox - letters between loops: all of them, in order, within the bound, and nobody waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "server/mailbox.h"

#define WORKERS 4

struct party {
    uv_thread_t thread;
    uv_loop_t loop;
    uv_idle_t idle;
    uv_prepare_t prepare;
    struct xs_box box;
    struct xs_post post;
    unsigned index;
    unsigned sent; /* rounds of letters to everybody else */
    bool held;     /* a box was full: we stop, as a connection would be stopped */
    unsigned long last[WORKERS];
    unsigned long got;
    unsigned long rooms;
};

static struct party parties[WORKERS];
static struct xs_box *boxes[WORKERS];
static unsigned rounds; /* letters to everybody else */
static uv_sem_t finished;

struct numbered {
    struct xs_letter letter;
    unsigned long number;
};

static void read_numbered(struct xs_letter *letter, void *at)
{
    struct numbered *numbered = (struct numbered *)letter;
    struct party *party = at;

    if (party != NULL) {
        assert_int_equal(numbered->number, party->last[letter->from] + 1);
        party->last[letter->from] = numbered->number;
        if (++party->got == (unsigned long)rounds * (WORKERS - 1))
            uv_sem_post(&finished);
    }
    xs_free(numbered);
}

static void on_idle(uv_idle_t *idle);

static void on_room(void *context)
{
    struct party *party = context;

    party->held = false;
    party->rooms++;
    (void)uv_idle_start(&party->idle, on_idle);
}

static void on_idle(uv_idle_t *idle)
{
    struct party *party = idle->data;

    for (int i = 0; i < 100 && party->sent < rounds && !party->held; i++) {
        party->sent++;
        for (unsigned to = 0; to < WORKERS; to++) {
            struct numbered *letter;

            if (to == party->index)
                continue;
            letter = xs_alloc(sizeof *letter);
            letter->letter.read = read_numbered;
            letter->letter.bytes = 100;
            letter->number = party->sent;
            if (!party->post.mail.post(&party->post.mail, to, &letter->letter))
                party->held = true;
        }
    }
    if (party->held || party->sent == rounds)
        (void)uv_idle_stop(&party->idle);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct party *party = prepare->data;

    xs_post_flush(&party->post);
}

static void read_end(struct xs_letter *letter, void *at)
{
    struct party *party = at;

    xs_free(letter);
    uv_close((uv_handle_t *)&party->idle, NULL);
    uv_close((uv_handle_t *)&party->prepare, NULL);
    xs_box_close(&party->box);
}

/* Everybody has got everything: ends the loops, as the main thread would. */
static void end_all(void)
{
    struct xs_post outside = { 0 };

    for (unsigned i = 0; i < WORKERS; i++)
        uv_sem_wait(&finished);
    xs_post_init(&outside, boxes, WORKERS, XS_FROM_OUTSIDE);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct xs_letter *letter = xs_alloc(sizeof *letter);

        letter->read = read_end;
        (void)outside.mail.post(&outside.mail, i, letter);
    }
}

static void run(void *at)
{
    struct party *party = at;

    (void)uv_run(&party->loop, UV_RUN_DEFAULT);
}

static void party_init(struct party *party, unsigned index, uint64_t letters, uint64_t bytes)
{
    memset(party, 0, sizeof *party);
    party->index = index;
    xs_post_init(&party->post, boxes, WORKERS, index);
    party->post.max_letters = letters;
    party->post.max_bytes = bytes;
    party->post.room = on_room;
    party->post.context = party;
    assert_int_equal(uv_loop_init(&party->loop), 0);
    assert_int_equal(xs_box_open(&party->box, &party->loop, &party->post, party), 0);
    (void)uv_idle_init(&party->loop, &party->idle);
    party->idle.data = party->prepare.data = party;
    (void)uv_prepare_init(&party->loop, &party->prepare);
    (void)uv_prepare_start(&party->prepare, on_prepare);
    (void)uv_idle_start(&party->idle, on_idle);
}

static void exchange(unsigned letters_each, uint64_t letters, uint64_t bytes)
{
    unsigned long rooms = 0;

    rounds = letters_each;
    assert_int_equal(uv_sem_init(&finished, 0), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        boxes[i] = &parties[i].box;
    for (unsigned i = 0; i < WORKERS; i++)
        party_init(&parties[i], i, letters, bytes);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(uv_thread_create(&parties[i].thread, run, &parties[i]), 0);
    end_all();
    for (unsigned i = 0; i < WORKERS; i++)
        (void)uv_thread_join(&parties[i].thread);
    uv_sem_destroy(&finished);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(parties[i].got, (unsigned long)rounds * (WORKERS - 1));
        assert_int_equal(parties[i].post.keeping, 0);
        rooms += parties[i].rooms;
        xs_post_fini(&parties[i].post);
        xs_box_fini(&parties[i].box);
        assert_int_equal(uv_loop_close(&parties[i].loop), 0);
    }
    if (letters < rounds || bytes < 1000)
        assert_true(rooms > 0);
}

static void all_letters_of_four_workers_arrive_whole_and_in_order(void **state)
{
    (void)state;
    exchange(20000, 1u << 20, 1u << 30);
}

static void boxes_that_are_always_full_lose_nothing_and_block_nobody(void **state)
{
    (void)state;
    exchange(500, 3, 1u << 30);
}

static void a_bound_in_bytes_holds_too(void **state)
{
    (void)state;
    exchange(500, 1000, 250);
}

static unsigned thrown_away;

static void read_nothing(struct xs_letter *letter, void *at)
{
    assert_null(at);
    thrown_away++;
    xs_free(letter);
}

static void a_letter_to_a_closed_box_is_thrown_away(void **state)
{
    struct xs_letter *letter = xs_alloc(sizeof *letter);

    (void)state;
    thrown_away = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        boxes[i] = &parties[i].box;
    party_init(&parties[0], 0, 10, 1000);
    party_init(&parties[1], 1, 10, 1000);
    for (unsigned i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&parties[i].idle, NULL);
        uv_close((uv_handle_t *)&parties[i].prepare, NULL);
    }
    xs_box_close(&parties[1].box);
    letter->read = read_nothing;
    assert_true(parties[0].post.mail.post(&parties[0].post.mail, 1, letter));
    assert_int_equal(thrown_away, 0);
    xs_post_flush(&parties[0].post);
    assert_int_equal(thrown_away, 1);
    xs_box_close(&parties[0].box);
    for (unsigned i = 0; i < 2; i++) {
        (void)uv_run(&parties[i].loop, UV_RUN_DEFAULT);
        xs_box_fini(&parties[i].box);
        assert_int_equal(uv_loop_close(&parties[i].loop), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_letters_of_four_workers_arrive_whole_and_in_order),
        cmocka_unit_test(boxes_that_are_always_full_lose_nothing_and_block_nobody),
        cmocka_unit_test(a_bound_in_bytes_holds_too),
        cmocka_unit_test(a_letter_to_a_closed_box_is_thrown_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
