/* letters - what it costs to cross from one worker to another: a letter, alone in its turn or
 * with others, and the count that all workers who hold a message share.
 *
 *   build/release/bench/letters
 *
 * Two threads with a loop each, as workers are; run it where they have a core each. CPU time
 * of either thread for one letter, the median of the rounds; a letter is allocated, posted,
 * read and freed. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/stats.h"
#include "server/mailbox.h"

enum { ROUNDS = 9, LETTERS = 400000, AHEAD = 4096, COUNTS = 20000000 };

struct side {
    uv_loop_t loop;
    struct xs_box box;
    struct xs_post post;
    struct xs_stats stats;
};

static struct side sides[2];
static struct xs_box *boxes[2];
static atomic_uint got;
static atomic_bool over;
static double reader_ns;

static double cpu_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof values[0], compare);
    return values[ROUNDS / 2];
}

static void read_letter(struct xs_letter *letter, void *at)
{
    (void)at;
    free(letter);
    (void)atomic_fetch_add_explicit(&got, 1, memory_order_release);
    if (atomic_load_explicit(&over, memory_order_relaxed))
        uv_stop(&sides[1].loop);
}

static void on_room(void *context)
{
    (void)context;
}

static void side_init(struct side *side, unsigned index)
{
    boxes[index] = &side->box;
    xs_post_init(&side->post, boxes, 2, index);
    side->post.max_letters = 1u << 30;
    side->post.max_bytes = UINT64_C(1) << 40;
    side->post.room = on_room;
    (void)uv_loop_init(&side->loop);
    (void)xs_box_open(&side->box, &side->loop, &side->post, side);
}

static void post(void)
{
    struct xs_letter *letter = xs_alloc(sizeof *letter + 200); /* as a published message's */

    letter->read = read_letter;
    letter->bytes = 200;
    (void)sides[0].post.mail.post(&sides[0].post.mail, 1, letter);
}

static void read_all(void *unused)
{
    double began = cpu_ns();

    (void)unused;
    xs_stats_here = &sides[1].stats;
    (void)uv_run(&sides[1].loop, UV_RUN_DEFAULT);
    reader_ns = cpu_ns() - began;
}

/* One round: so many letters in each turn. */
static void letters(unsigned each, double *writer, double *reader, double *wakes)
{
    uint64_t woken = xs_stat_read(&sides[0].stats, XS_STAT_wakes);
    unsigned sent = 0;
    uv_thread_t thread;
    double began;

    atomic_store(&got, 0);
    atomic_store(&over, false);
    (void)uv_thread_create(&thread, read_all, NULL);
    began = cpu_ns();
    while (sent < LETTERS) {
        for (unsigned i = 0; i < each; i++, sent++)
            post();
        xs_post_flush(&sides[0].post);
        while (sent - atomic_load_explicit(&got, memory_order_acquire) > AHEAD)
            (void)sched_yield();
    }
    *writer = (cpu_ns() - began) / sent;
    while (atomic_load(&got) < sent)
        (void)sched_yield();
    atomic_store(&over, true);
    post();
    xs_post_flush(&sides[0].post);
    (void)uv_thread_join(&thread);
    *reader = reader_ns / sent;
    *wakes = (double)(xs_stat_read(&sides[0].stats, XS_STAT_wakes) - woken) * each / sent;
}

/* ---- a count that two share ---- */

static struct {
    _Alignas(64) atomic_uint count;
    _Alignas(64) atomic_bool go;
} shared;

static void count(void *ns)
{
    double began;

    while (!atomic_load_explicit(&shared.go, memory_order_acquire))
        ;
    began = cpu_ns();
    for (unsigned i = 0; i < COUNTS; i++)
        (void)atomic_fetch_add_explicit(&shared.count, 1, memory_order_acq_rel);
    *(double *)ns = (cpu_ns() - began) / COUNTS;
}

static double counting(unsigned threads)
{
    uv_thread_t other;
    double mine, its;

    atomic_store(&shared.go, false);
    if (threads > 1)
        (void)uv_thread_create(&other, count, &its);
    atomic_store(&shared.go, true);
    count(&mine);
    if (threads > 1)
        (void)uv_thread_join(&other);
    return mine;
}

int main(void)
{
    static const unsigned turns[] = { 1, 4, 16, 64, 256 };
    double writer[ROUNDS], reader[ROUNDS], wakes[ROUNDS], alone[ROUNDS], both[ROUNDS];

    xs_stats_here = &sides[0].stats;
    side_init(&sides[0], 0);
    side_init(&sides[1], 1);
    puts("| letters in a turn | ns to post one | ns to read one | wake-ups a turn |\n"
         "|---|---|---|---|");
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        for (unsigned round = 0; round < ROUNDS; round++)
            letters(turns[i], &writer[round], &reader[round], &wakes[round]);
        printf("| %u | %.0f | %.0f | %.2f |\n", turns[i], median(writer), median(reader),
               median(wakes));
        (void)fflush(stdout);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        alone[round] = counting(1);
        both[round] = counting(2);
    }
    puts("\n| threads that count up the same number | ns for each |\n|---|---|");
    printf("| 1 | %.1f |\n| 2 | %.1f |\n", median(alone), median(both));
    return EXIT_SUCCESS;
}
