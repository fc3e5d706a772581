/* receive.h - holds what a server sends against what it should send.
 *
 * No sockets here: bytes go in, and what they were is counted. As long as everything is as it
 * should be, a read is one comparison with frames made beforehand, however many messages it
 * holds and wherever it is cut. Only when a byte differs are frames looked at one by one, to
 * say what is wrong. */
#ifndef XS_BENCH_RECEIVE_H
#define XS_BENCH_RECEIVE_H

#include "ring.h"

struct errors {
    uint64_t lost;   /* never came */
    uint64_t twice;  /* came again */
    uint64_t order;  /* came after a later one */
    uint64_t wrong;  /* came with other bytes, or is none of ours */
    uint64_t closed; /* connections that the server ended */
};

uint64_t xs_bench_errors(const struct errors *errors);

/* The messages of one sender, as one receiver should get them: again and again through the
 * ring. */
struct lane {
    const struct ring *ring;
    size_t at;            /* where in the ring the next byte is expected */
    uint64_t next;        /* number of the message that this byte is of */
    const uint64_t *sent; /* how many there are so far */
    uint8_t *marks;       /* one a frame of the ring; NULL until something went wrong */
    uint32_t part;        /* bytes of message `next` that have come */
    uint32_t index;       /* of the lane among those of its receiver */
};

struct receiver;

/* What all receivers of a kind have in common. */
struct rules {
    bool ws, loose;
    bool deflate;            /* messages may come packed, each for itself (RFC 7692) */
    struct bytes ping, pong; /* bare bytes alone */
    size_t tag; /* with several lanes: where in a frame the sender's two digits are */
    struct errors *errors;
    uint64_t *came; /* right messages */
    void *context;
    /* Messages from..to of this lane are settled: they have come, or others came instead. */
    void (*moved)(void *context, struct receiver *receiver, const struct lane *lane,
                  uint64_t from, uint64_t to);
    /* Sends the answer to a ping. */
    void (*answer)(void *context, struct receiver *receiver, const uint8_t *at, size_t len);
};

struct receiver {
    const struct rules *rules;
    struct lane *lanes; /* NULL: it should get nothing */
    uint32_t lane_count;
    uint32_t number;   /* of the client */
    struct bytes rest; /* the beginning of something that is not whole yet */
    bool ended;        /* nothing more is read from this one */
};

/* Takes what came. May set receiver->ended. */
void xs_bench_receive(struct receiver *receiver, const uint8_t *at, size_t len);

/* Nothing more comes: what is missing is lost. Returns how much of it had not been settled. */
uint64_t xs_bench_receive_end(struct receiver *receiver);

/* The connection was ended by the server: counted and, the first time, told. */
void xs_bench_receive_closed(struct receiver *receiver, const char *why);

void xs_bench_receive_free(struct receiver *receiver);

#endif
