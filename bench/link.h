/* link.h - the connections of a run, and what they do while it lasts: send frames made
 * beforehand, and read. */
#ifndef XS_BENCH_LINK_H
#define XS_BENCH_LINK_H

#include <sys/epoll.h>
#include <sys/socket.h>

#include "receive.h"

enum { LINK_BUFFER = 256 * 1024, LINK_TURN = 1024 };

enum link_state {
    LINK_CLOSED,
    LINK_GREETING, /* connecting, or the handshake was sent */
    LINK_AWAITING, /* the hellos were sent */
    LINK_SUBSCRIBING,
    LINK_READY
};

struct link {
    int fd;
    uint8_t state; /* enum link_state */
    struct receiver receiver;
    const struct ring *sends; /* NULL: nothing */
    size_t out;               /* where in it the next byte to be sent is */
    size_t owing;             /* bytes that may be sent and were not yet */
    uint64_t sent;            /* messages that may be sent, and number of the next */
    void *own;                /* of the mode */
    struct bytes pong;        /* waits for the end of the frame that the kernel has not taken */
    const struct speech *speech;
    struct opening *opening;                 /* until it is ready */
    uint32_t topic, topic_step, topic_count; /* a subscriber's */
};

struct links {
    int poll;
    struct sockaddr_storage address;
    socklen_t address_len;
    const char *host, *port;
    const char *topic; /* what subscribers ask for; with more than one, its beginning */
    uint32_t topics;
    struct link *at;
    uint32_t count;
    uint8_t *buffer;
    uint64_t received;         /* bytes */
    uint64_t now;              /* when what is looked at came; at most `every` reads ago */
    uint32_t every, until_now; /* reads between two looks at the clock */
    int code;                  /* exit code of */
    char failure[320];         /* why a link could not be opened */
};

/* Reads what there is, and takes it. `events` are those of epoll. */
void xs_bench_link_take(struct links *links, struct link *link, uint32_t events);

/* Sends what it owes, as far as the kernel takes it. */
void xs_bench_link_pump(struct link *link);

/* As rules.answer: a pong, between two frames. `receiver` is that of a link. */
void xs_bench_link_answer(void *context, struct receiver *receiver, const uint8_t *at,
                          size_t len);

/* Closes with a reset, so that thousands of them leave no port behind in TIME_WAIT. */
void xs_bench_link_reset(struct link *link);

/* Appends a text or control frame, masked. */
void xs_bench_put_frame(struct bytes *to, uint8_t first, const void *payload, size_t len);

#endif
