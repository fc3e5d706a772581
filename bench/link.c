/* link - what connections do while a run lasts: send frames made beforehand, and read. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

void xs_bench_put_frame(struct bytes *to, uint8_t first, const void *payload, size_t len)
{
    uint8_t *at = xs_bench_room(to, len + WIRE_HEAD_MAX), mask[4];
    size_t head;

    xs_bench_random(mask, sizeof mask);
    head = xs_bench_head_write(at, first, len, mask);
    xs_bench_mask(at + head, payload, len, mask);
    to->len += head + len;
}

/* All epoll events are edges: a read that filled less than the buffer took all there was, and
 * what comes later is another edge. Only an end that came with the last bytes is not, so with
 * one all is read. */
void xs_bench_link_take(struct links *links, struct link *link, uint32_t events)
{
    bool to_the_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    ssize_t got;

    do {
        got = recv(link->fd, links->buffer, LINK_BUFFER, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            xs_bench_receive_closed(&link->receiver,
                                    got == 0 ? "end of stream" : strerror(errno));
            return;
        }
        links->received += (uint64_t)got;
        if (--links->until_now == 0) {
            links->now = xs_bench_now();
            links->until_now = links->every;
        }
        xs_bench_receive(&link->receiver, links->buffer, (size_t)got);
    } while (!link->receiver.ended && (to_the_end || got == LINK_BUFFER));
}

static void send_pong(struct link *link)
{
    /* An empty queue takes 131 bytes; if it is not empty any more, the next ping will be
     * answered. */
    if (send(link->fd, link->pong.at, link->pong.len, MSG_NOSIGNAL) < 0 && errno == EPIPE)
        link->owing = 0;
    link->pong.len = 0;
}

void xs_bench_link_pump(struct link *link)
{
    const struct ring *ring = link->sends;

    while (link->owing > 0) {
        size_t all = ring->size * ring->count;
        size_t run = all + ring->size * ring->tail - link->out;
        ssize_t sent;

        if (run > link->owing)
            run = link->owing;
        sent = send(link->fd, ring->at + link->out, run, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            /* An end is found, and told, by the next read. */
            if (errno != EAGAIN)
                link->owing = 0;
            return;
        }
        link->owing -= (size_t)sent;
        link->out += (size_t)sent;
        if (link->out >= all)
            link->out -= all;
        if ((size_t)sent < run)
            return;
    }
    if (link->pong.len > 0)
        send_pong(link);
}

void xs_bench_link_answer(void *context, struct receiver *receiver, const uint8_t *at,
                          size_t len)
{
    struct link *link =
        (struct link *)(void *)((char *)receiver - offsetof(struct link, receiver));

    (void)context;
    /* RFC 6455 5.5.3: of several pings the last one is enough. */
    link->pong.len = 0;
    if (receiver->rules->ws)
        xs_bench_put_frame(&link->pong, 0x80 | WIRE_PONG, at, len);
    else
        xs_bench_put(&link->pong, at, len);
    if (link->owing == 0 && link->pong.len > 0)
        send_pong(link);
}

void xs_bench_link_reset(struct link *link)
{
    const struct linger at_once = { .l_onoff = 1 };

    if (link->state == LINK_CLOSED)
        return;
    setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(link->fd);
    link->state = LINK_CLOSED;
    link->owing = 0;
    xs_bench_free(&link->pong);
}
