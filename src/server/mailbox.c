/* mailbox - letters between workers. Nothing is dropped and nobody waits: when a box is over
 * its bound the sender keeps its letters and stops reading from the connections that caused
 * them, so two full boxes cannot block each other. */
#include "server/mailbox.h"
#include "base/clock.h"
#include "base/stats.h"

static struct xs_post *post_of(struct xs_box *box)
{
    return box->wake.data;
}

static bool is_full(const struct xs_post *post, const struct xs_box *box)
{
    const struct xs_box_share *share = &box->from[post->from];

    return atomic_load(&share->letters) >= post->max_letters ||
           atomic_load(&share->bytes) >= post->max_bytes;
}

/* Inside the lock, so that the handle is known to be open. */
static void ring(struct xs_box *box)
{
    (void)pthread_mutex_lock(&box->lock);
    if (!box->closed)
        (void)uv_async_send(&box->wake);
    (void)pthread_mutex_unlock(&box->lock);
}

static void throw_away(struct xs_letter *letter)
{
    while (letter != NULL) {
        struct xs_letter *next = letter->next;

        letter->read(letter, NULL);
        letter = next;
    }
}

/* Puts a list of letters into a box. libuv folds many rings into one: only the first letter
 * needs to. Inside the lock, so that the handle is open. */
static void put(struct xs_box *box, struct xs_letter *first, struct xs_letter **last)
{
    bool closed;

    (void)pthread_mutex_lock(&box->lock);
    closed = box->closed;
    if (!closed) {
        if (box->first == NULL) {
            XS_COUNT(wakes);
            (void)uv_async_send(&box->wake);
        }
        *box->last = first;
        box->last = last;
    }
    (void)pthread_mutex_unlock(&box->lock);
    if (closed)
        throw_away(first);
}

/* Leaves with all others of this turn: one lock and one ring for all of them. */
static void put_out(struct xs_post *post, unsigned to, struct xs_letter *letter)
{
    struct xs_box_share *share = &post->boxes[to]->from[post->from];
    struct xs_kept *out = &post->out[to];

    (void)atomic_fetch_add(&share->letters, 1);
    (void)atomic_fetch_add(&share->bytes, letter->bytes);
    if (out->first == NULL)
        out->last = &out->first;
    letter->next = NULL;
    *out->last = letter;
    out->last = &letter->next;
    post->leaving |= UINT64_C(1) << to;
}

void xs_post_flush(struct xs_post *post)
{
    while (post->leaving != 0) {
        unsigned to = (unsigned)__builtin_ctzll(post->leaving);
        struct xs_kept *out = &post->out[to];

        post->leaving &= post->leaving - 1;
        put(post->boxes[to], out->first, out->last);
        out->first = NULL;
    }
}

static void keep(struct xs_post *post, unsigned to, struct xs_letter *letter)
{
    struct xs_kept *kept = &post->kept[to];

    if (kept->first == NULL) {
        kept->last = &kept->first;
        post->keeping++;
    }
    letter->next = NULL;
    *kept->last = letter;
    kept->last = &letter->next;
    XS_COUNT(letters_waiting);
    atomic_store(&post->boxes[to]->from[post->from].waits, true);
}

static bool post_letter(struct xs_mail *mail, unsigned to, struct xs_letter *letter)
{
    struct xs_post *post = (struct xs_post *)mail;
    bool owed = letter->owed;

    if (to >= post->count) {
        letter->read(letter, NULL);
        return true;
    }
    letter->from = (uint16_t)post->from;
    if (post->from == XS_FROM_OUTSIDE) {
        letter->next = NULL;
        put(post->boxes[to], letter, &letter->next);
        return true;
    }
    /* Behind kept letters everything queues: order between two workers is never broken. */
    if (post->kept[to].first != NULL || (!owed && is_full(post, post->boxes[to]))) {
        keep(post, to, letter);
        /* The box may have been emptied between the look and the note that we wait. */
        if (!is_full(post, post->boxes[to]))
            ring(post->boxes[post->from]);
        return owed;
    }
    put_out(post, to, letter);
    return true;
}

static void try_kept(struct xs_post *post)
{
    for (unsigned to = 0; to < post->count && post->keeping > 0; to++) {
        struct xs_kept *kept = &post->kept[to];

        if (kept->first == NULL)
            continue;
        while (kept->first != NULL && !is_full(post, post->boxes[to])) {
            struct xs_letter *letter = kept->first;

            kept->first = letter->next;
            XS_COUNT_BY(letters_waiting, -1);
            put_out(post, to, letter);
        }
        if (kept->first != NULL) {
            atomic_store(&post->boxes[to]->from[post->from].waits, true);
            if (!is_full(post, post->boxes[to]))
                ring(post->boxes[post->from]);
            continue;
        }
        if (--post->keeping == 0)
            post->room(post->context);
    }
}

/* Rings those senders who keep letters for us and may go on now. */
static void ring_back(struct xs_box *box, struct xs_post *post)
{
    for (unsigned from = 0; from < post->count; from++) {
        struct xs_box_share *share = &box->from[from];

        if (!atomic_load(&share->waits) ||
            atomic_load(&share->letters) > post->max_letters / 2 ||
            atomic_load(&share->bytes) > post->max_bytes / 2)
            continue;
        atomic_store(&share->waits, false);
        ring(post->boxes[from]);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct xs_box *box = (struct xs_box *)((char *)wake - offsetof(struct xs_box, wake));
    struct xs_post *post = post_of(box);
    struct xs_letter *letter, *next;

    (void)xs_clock_tick();
    (void)pthread_mutex_lock(&box->lock);
    letter = box->first;
    box->first = NULL;
    box->last = &box->first;
    (void)pthread_mutex_unlock(&box->lock);
    for (; letter != NULL; letter = next) {
        unsigned from = letter->from;
        uint32_t bytes = letter->bytes;

        next = letter->next;
        letter->read(letter, box->at);
        if (from == XS_FROM_OUTSIDE)
            continue;
        (void)atomic_fetch_sub(&box->from[from].letters, 1);
        (void)atomic_fetch_sub(&box->from[from].bytes, bytes);
    }
    ring_back(box, post);
    try_kept(post);
}

int xs_box_open(struct xs_box *box, uv_loop_t *loop, struct xs_post *post, void *at)
{
    (void)pthread_mutex_init(&box->lock, NULL);
    box->last = &box->first;
    box->at = at;
    box->wake.data = post;
    return uv_async_init(loop, &box->wake, on_wake);
}

void xs_box_close(struct xs_box *box)
{
    struct xs_letter *letter;

    (void)pthread_mutex_lock(&box->lock);
    box->closed = true;
    letter = box->first;
    box->first = NULL;
    (void)pthread_mutex_unlock(&box->lock);
    throw_away(letter);
    uv_close((uv_handle_t *)&box->wake, NULL);
}

void xs_box_fini(struct xs_box *box)
{
    (void)pthread_mutex_destroy(&box->lock);
}

void xs_post_init(struct xs_post *post, struct xs_box **boxes, unsigned count, unsigned from)
{
    post->mail.post = post_letter;
    post->boxes = boxes;
    post->count = count;
    post->from = from;
}

void xs_post_fini(struct xs_post *post)
{
    for (unsigned to = 0; to < post->count && post->from != XS_FROM_OUTSIDE; to++) {
        throw_away(post->out[to].first);
        throw_away(post->kept[to].first);
        post->out[to].first = post->kept[to].first = NULL;
    }
}
