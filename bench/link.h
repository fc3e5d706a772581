/* link.h - one WebSocket client of the benchmark, from connect() to the first message. */
#ifndef XS_BENCH_LINK_H
#define XS_BENCH_LINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "wire.h"

enum { LINK_BUFFER = 256 * 1024, LINK_TURN = 1024 };

/* How a kind of client introduces itself. */
struct hello {
    const char *path;
    const char *subprotocol; /* NULL: none */
    bool browser;            /* with all the headers that a browser sends */
    const char *say[3];      /* text messages sent after the handshake, ended by NULL */
    const char *await;       /* ready when a message holds this; NULL: ready at once */
};

/* The messages a link sends again and again, and the answers expected, frame by frame. */
struct ring {
    uint8_t *out, *in;
    size_t out_size, in_size; /* of one frame */
    size_t count; /* messages that differ; `out` goes on from the beginning after them */
};

enum link_state { LINK_CLOSED, LINK_CONNECTING, LINK_GREETING, LINK_OPENING, LINK_READY };

struct link {
    int fd;
    enum link_state state;
    uint32_t number;
    const struct hello *hello;
    const struct ring *sends;   /* NULL: nothing */
    const struct ring *expects; /* NULL: nothing but control frames may come */
    uint64_t sent, allowed;     /* bytes of the endless stream of `sends->out` */
    uint64_t got;               /* whole answers */
    bool blocked;               /* the kernel has not taken all that is allowed */
    uint8_t *rest;              /* the beginning of an answer */
    size_t rest_len;
    char key[25];
};

struct links {
    int poll;
    struct sockaddr_in address;
    struct link *at;
    uint32_t count;
};

/* Waits up to `wait` ns for somebody who listens. */
void xs_bench_links_init(struct links *links, uint32_t count, const char *host, uint16_t port,
                         uint64_t wait);

/* Opens links from..to; returns when all are ready. */
void xs_bench_links_open(struct links *links, uint32_t from, uint32_t to);

/* Sends what link->allowed permits. */
void xs_bench_link_pump(struct links *links, struct link *link);

/* Reads once and returns how many answers came. A wrong one ends the program. */
uint64_t xs_bench_link_take(struct link *link);

/* Closes with a reset, so that thousands of them leave no port behind in TIME_WAIT. */
void xs_bench_link_reset(struct link *link);

/* Random bytes for keys and masks; not for secrets. */
void xs_bench_random(void *at, size_t len);

#endif
