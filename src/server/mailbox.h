/* mailbox.h - how letters get from worker to worker: a box each, rung when it was empty,
 * bounded per pair. */
#ifndef XS_SERVER_MAILBOX_H
#define XS_SERVER_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "router/interest.h"
#include "router/letter.h"

/* What lies in a box from one sender. */
struct xs_box_share {
    atomic_uint letters;
    _Atomic uint64_t bytes;
    atomic_bool waits; /* the sender keeps letters back and wants to be rung */
};

/* A worker's letters. */
struct xs_box {
    pthread_mutex_t lock;
    struct xs_letter *first, **last; /* guarded by lock */
    bool closed;                     /* guarded by lock */
    uv_async_t wake;
    struct xs_box_share from[XS_INTEREST_WORKERS];
    void *at; /* what letters are read with */
};

/* Letters of one worker to another: posted in this turn, or kept because the box is full. */
struct xs_kept {
    struct xs_letter *first, **last;
};

/* A worker's side of the post office. */
struct xs_post {
    struct xs_mail mail; /* first: handed to the rooms below */
    struct xs_box **boxes;
    unsigned count;
    unsigned from;                           /* worker, or XS_FROM_OUTSIDE */
    uint64_t max_letters, max_bytes;         /* per pair */
    struct xs_kept out[XS_INTEREST_WORKERS]; /* of this turn */
    uint64_t leaving;                        /* a bit for each of these that has some */
    struct xs_kept kept[XS_INTEREST_WORKERS];
    unsigned keeping; /* boxes for which letters are kept */
    /* All kept letters are gone: who was stopped may go on. */
    void (*room)(void *context);
    void *context;
};

/* `at` is handed to the letters. [worker] */
int xs_box_open(struct xs_box *box, uv_loop_t *loop, struct xs_post *post, void *at);
/* Takes no more letters, throws away what lies there; the handle is closed with the loop.
 * [worker] */
void xs_box_close(struct xs_box *box);
void xs_box_fini(struct xs_box *box);
/* [main] */
void xs_post_init(struct xs_post *post, struct xs_box **boxes, unsigned count, unsigned from);
/* The turn is over: what it has posted leaves. [worker] */
void xs_post_flush(struct xs_post *post);
/* Throws away what is kept. */
void xs_post_fini(struct xs_post *post);

#endif
