/* letter.h - what one worker hands to another. Who posts gives the letter away; who reads frees
 * it. */
#ifndef XS_ROUTER_LETTER_H
#define XS_ROUTER_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xs_letter {
    struct xs_letter *next;
    /* Runs on the receiver's loop and frees the letter; `at` is what the receiver gave its box,
     * NULL to throw it away. [worker] */
    void (*read)(struct xs_letter *letter, void *at);
    uint32_t bytes; /* what it holds, for the bound */
    uint16_t from;  /* worker, or XS_FROM_OUTSIDE */
    bool owed;      /* a reply, a close, an answer: always taken */
};

#define XS_FROM_OUTSIDE UINT16_MAX

/* The post office, as the rooms below the server see it. */
struct xs_mail {
    /* Never waits and never loses a letter. False: the receiver's box is over its bound, the
     * letter is kept and delivered later; who caused it should not be read from until `room` is
     * called. [any] */
    bool (*post)(struct xs_mail *mail, unsigned to, struct xs_letter *letter);
};

#endif
