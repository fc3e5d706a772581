/* wire - a socket on the loop, and the transport module above it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/stats.h"
#include "base/thread.h"
#include "transport/wire.h"

void xs_wires_init(struct xs_wires *wires, uv_loop_t *loop, unsigned worker)
{
    wires->loop = loop;
    wires->worker = worker;
    wires->size = XS_READ_BUFFER;
    wires->buffer = xs_alloc(wires->size);
}

void xs_wires_fini(struct xs_wires *wires)
{
    xs_free(wires->buffer);
    wires->buffer = NULL;
}

static void on_event(uv_poll_t *poll, int status, int events);

static void update(struct xs_wire *wire)
{
    unsigned wanted = 0;

    if (wire->dead)
        return;
    if (wire->reading && !wire->ended)
        wanted |= UV_READABLE;
    if (wire->writing)
        wanted |= UV_WRITABLE;
    if (wanted == wire->events)
        return;
    wire->events = (uint8_t)wanted;
    if (wanted == 0)
        (void)uv_poll_stop(&wire->poll);
    else
        (void)uv_poll_start(&wire->poll, (int)wanted, on_event);
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

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct xs_wire *wire = poll->data;

    (void)xs_clock_tick();
    if (status < 0) {
        /* libuv has stopped polling on EPOLLERR: the next call tells what it was. */
        wire->events = 0;
        wire->host->failed(wire, XS_EIO);
        return;
    }
    if ((events & UV_WRITABLE) != 0 && wire->writing)
        write_again(wire);
    if ((events & UV_READABLE) != 0 && !wire->dead && wire->reading && !wire->ended)
        read_once(wire);
}

enum xs_err xs_wire_open(struct xs_wire *wire, struct xs_wires *home, int fd,
                         const struct xs_transport_ops *ops, void *worker_state,
                         const struct xs_wire_host *host)
{
    memset(wire, 0, sizeof *wire);
    if (uv_poll_init(home->loop, &wire->poll, fd) != 0)
        return XS_EIO;
    wire->poll.data = wire;
    wire->home = home;
    wire->host = host;
    wire->ops = ops;
    wire->worker_state = worker_state;
    wire->fd = fd;
    if (ops->state_size > 0)
        wire->self = xs_alloc(ops->state_size);
    XS_COUNT(sockets);
    return XS_OK;
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

static void on_closed(uv_handle_t *handle)
{
    struct xs_wire *wire = handle->data;

    (void)close(wire->fd);
    wire->fd = -1;
    XS_COUNT_BY(sockets, -1);
    if (wire->ops->close != NULL)
        wire->ops->close(wire->self);
    xs_free(wire->self);
    wire->self = NULL;
    wire->host->closed(wire);
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
    uv_close((uv_handle_t *)&wire->poll, on_closed);
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
