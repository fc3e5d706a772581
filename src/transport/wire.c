/* wire - a socket on the loop, and the transport module above it. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/stats.h"
#include "base/thread.h"
#include "transport/wire.h"

/* Sockets looked at in one go. */
#define TURN 1024

enum { READABLE = 1, WRITABLE = 2 };

/* A socket that nobody wants anything of is not polled at all: the end of its peer would be
 * told again and again. */
static void update(struct xs_wire *wire)
{
    struct epoll_event event = { .data.ptr = wire };
    unsigned wanted = 0;
    int what;

    if (wire->dead)
        return;
    if (wire->reading && !wire->ended)
        wanted |= READABLE;
    if (wire->writing)
        wanted |= WRITABLE;
    if (wanted == wire->events)
        return;
    event.events =
        ((wanted & READABLE) != 0 ? EPOLLIN : 0u) | ((wanted & WRITABLE) != 0 ? EPOLLOUT : 0u);
    what = wire->events == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    if (epoll_ctl(wire->home->poll, what, wire->fd, &event) != 0) {
        (void)epoll_ctl(wire->home->poll, EPOLL_CTL_DEL, wire->fd, NULL);
        wire->events = 0;
        wire->host->failed(wire, XS_EIO);
        return;
    }
    wire->events = (uint8_t)wanted;
}

static void read_once(struct xs_wire *wire)
{
    struct xs_wires *home = wire->home;
    ssize_t n;
    enum xs_err err;

    do {
        n = recv(wire->fd, home->buffer, home->size, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n < 0) {
        wire->host->failed(wire, XS_EIO);
        return;
    }
    if (n == 0) {
        wire->ended = true;
        update(wire);
        wire->host->ended(wire);
        return;
    }
    XS_COUNT_BY(bytes_in, n);
    err = wire->ops->received(wire->self, wire, home->buffer, (size_t)n);
    if (err != XS_OK && !wire->dead)
        wire->host->failed(wire, err);
}

static void write_again(struct xs_wire *wire)
{
    enum xs_err err = XS_OK;

    wire->writing = false;
    if (wire->ops->sent != NULL)
        err = wire->ops->sent(wire->self, wire);
    if (err == XS_EAGAIN) {
        wire->writing = true;
    } else if (err != XS_OK) {
        wire->host->failed(wire, err);
        return;
    } else {
        wire->host->writable(wire);
    }
    update(wire);
}

static void on_event(struct xs_wire *wire, uint32_t events)
{
    if ((events & EPOLLERR) != 0) {
        wire->host->failed(wire, XS_EIO);
        return;
    }
    /* Both directions have ended: whoever waits for either hears it from the call. */
    if ((events & EPOLLHUP) != 0)
        events |= EPOLLIN | EPOLLOUT;
    if ((events & EPOLLOUT) != 0 && wire->writing)
        write_again(wire);
    if ((events & EPOLLIN) != 0 && !wire->dead && wire->reading && !wire->ended)
        read_once(wire);
}

static void on_ready(uv_poll_t *poll, int status, int unused)
{
    struct xs_wires *wires = poll->data;
    struct epoll_event events[TURN];
    int count;

    (void)status;
    (void)unused;
    (void)xs_clock_tick();
    count = epoll_wait(wires->poll, events, TURN, 0);
    for (int i = 0; i < count; i++) {
        struct xs_wire *wire = events[i].data.ptr;

        /* Those that were closed meanwhile stay until they are swept. */
        if (!wire->dead)
            on_event(wire, events[i].events);
    }
}

enum xs_err xs_wires_init(struct xs_wires *wires, uv_loop_t *loop, unsigned worker)
{
    wires->worker = worker;
    wires->size = XS_READ_BUFFER;
    wires->buffer = xs_alloc(wires->size);
    wires->poll = epoll_create1(EPOLL_CLOEXEC);
    if (wires->poll < 0)
        return XS_EIO;
    wires->ready.data = wires;
    if (uv_poll_init(loop, &wires->ready, wires->poll) != 0)
        return XS_EIO;
    return uv_poll_start(&wires->ready, UV_READABLE, on_ready) == 0 ? XS_OK : XS_EIO;
}

void xs_wires_sweep(struct xs_wires *wires)
{
    while (wires->closed != NULL) {
        struct xs_wire *wire = wires->closed;

        wires->closed = wire->next;
        (void)close(wire->fd);
        wire->fd = -1;
        XS_COUNT_BY(sockets, -1);
        if (wire->ops->close != NULL)
            wire->ops->close(wire->self);
        xs_free(wire->self);
        wire->self = NULL;
        wire->host->closed(wire);
    }
}

void xs_wires_stop(struct xs_wires *wires)
{
    uv_close((uv_handle_t *)&wires->ready, NULL);
}

void xs_wires_fini(struct xs_wires *wires)
{
    if (wires->poll >= 0)
        (void)close(wires->poll);
    wires->poll = -1;
    xs_free(wires->buffer);
    wires->buffer = NULL;
}

void xs_wire_open(struct xs_wire *wire, struct xs_wires *home, int fd,
                  const struct xs_transport_ops *ops, void *worker_state,
                  const struct xs_wire_host *host)
{
    memset(wire, 0, sizeof *wire);
    wire->home = home;
    wire->host = host;
    wire->ops = ops;
    wire->worker_state = worker_state;
    wire->fd = fd;
    if (ops->state_size > 0)
        wire->self = xs_alloc(ops->state_size);
    XS_COUNT(sockets);
}

void xs_wire_start(struct xs_wire *wire)
{
    enum xs_err err = wire->ops->open(wire->self, wire);

    if (err != XS_OK && !wire->dead)
        wire->host->failed(wire, err);
}

void xs_wire_read(struct xs_wire *wire, bool on)
{
    wire->reading = on;
    update(wire);
}

enum xs_err xs_wire_send(struct xs_wire *wire, const struct xs_slice *parts, size_t count,
                         size_t *taken)
{
    *taken = 0;
    if (wire->dead || wire->shut)
        return XS_EIO;
    return wire->ops->send(wire->self, wire, parts, count, taken);
}

void xs_wire_shutdown(struct xs_wire *wire)
{
    if (wire->dead || wire->shut)
        return;
    if (wire->ops->finish != NULL)
        wire->ops->finish(wire->self, wire);
    wire->shut = true;
    (void)shutdown(wire->fd, SHUT_WR);
}

void xs_wire_close(struct xs_wire *wire, bool reset)
{
    if (wire->dead)
        return;
    wire->dead = true;
    if (reset) {
        struct linger now = { .l_onoff = 1, .l_linger = 0 };

        (void)setsockopt(wire->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    /* Closing alone would not do it: somebody may have a duplicate. */
    if (wire->events != 0)
        (void)epoll_ctl(wire->home->poll, EPOLL_CTL_DEL, wire->fd, NULL);
    wire->next = wire->home->closed;
    wire->home->closed = wire;
}

bool xs_wire_deliver(struct xs_wire *wire, char *at, size_t len)
{
    XS_ON_WORKER(wire->home->worker);
    return !wire->dead && wire->host->received(wire, at, len);
}

void xs_wire_ready(struct xs_wire *wire)
{
    XS_ON_WORKER(wire->home->worker);
    wire->host->ready(wire);
}

enum xs_err xs_wire_write(struct xs_wire *wire, const struct xs_slice *parts, size_t count,
                          size_t *taken)
{
    XS_ON_WORKER(wire->home->worker);
    struct iovec vec[64];
    struct msghdr head = { .msg_iov = vec };
    size_t all = 0, n = 0;
    ssize_t sent;

    *taken = 0;
    for (; n < count && n < sizeof vec / sizeof vec[0]; n++) {
        vec[n].iov_base = (void *)(uintptr_t)parts[n].at;
        vec[n].iov_len = parts[n].len;
        all += parts[n].len;
    }
    head.msg_iovlen = n;
    if (all == 0)
        return XS_OK;
    do {
        sent = n == 1 ? send(wire->fd, vec[0].iov_base, vec[0].iov_len, MSG_NOSIGNAL)
                      : sendmsg(wire->fd, &head, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return XS_EIO;
    *taken = sent > 0 ? (size_t)sent : 0;
    if (*taken == all)
        return XS_OK;
    wire->writing = true;
    update(wire);
    return XS_EAGAIN;
}

void *xs_wire_worker_state(struct xs_wire *wire)
{
    XS_ON_WORKER(wire->home->worker);
    return wire->worker_state;
}
