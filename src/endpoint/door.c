/* door - accepts for one worker, keeps the fd reserve, filters at the door. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/stats.h"
#include "endpoint/endpoint.h"

/* Accepted in one go, so that a burst of clients does not starve those who are here. */
#define ACCEPTS_A_TURN 64
/* How long a door rests when the fd reserve is reached, before it looks again. */
#define REST_MS 50
/* And how often that is worth a line of the log. */
#define SAY_MS 10000

static void on_knock(uv_poll_t *poll, int status, int events);

static void on_rested(struct xs_timer *timer)
{
    struct xs_door *door = XS_CONTAINER(timer, struct xs_door, again);

    if (!door->open)
        return;
    door->resting = false;
    (void)uv_poll_start(&door->poll, UV_READABLE, on_knock);
}

/* The polling of this listener stops; who is connected stays, who knocks waits in the backlog.
 */
static void rest(struct xs_door *door)
{
    if (door->resting)
        return;
    door->resting = true;
    XS_COUNT(accept_paused);
    if (xs_now() >= door->quiet_until) {
        door->quiet_until = xs_now() + SAY_MS;
        xs_log(XS_LOG_WARNING,
               "endpoint %s: no more file descriptors, new clients wait until others leave",
               door->config->name);
    }
    (void)uv_poll_stop(&door->poll);
    xs_wheel_set(door->wheel, &door->again, xs_now() + REST_MS, on_rested);
}

static bool take_fd(struct xs_fd_budget *budget)
{
    if (atomic_fetch_add_explicit(&budget->used, 1, memory_order_relaxed) < budget->cap)
        return true;
    (void)atomic_fetch_sub_explicit(&budget->used, 1, memory_order_relaxed);
    return false;
}

void xs_door_left(struct xs_endpoint *endpoint, struct xs_fd_budget *budget)
{
    (void)atomic_fetch_sub_explicit(&endpoint->connections, 1, memory_order_relaxed);
    (void)atomic_fetch_sub_explicit(&budget->used, 1, memory_order_relaxed);
}

static void tune(const struct xs_config_endpoint *config, int fd)
{
    int on = 1;

    if (config->nodelay)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (config->keepalive)
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* False: nothing more to accept now. */
static bool accept_one(struct xs_door *door)
{
    unsigned here;
    int fd;

    if (!take_fd(door->budget)) {
        rest(door);
        return false;
    }
    fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        int error = errno;

        (void)atomic_fetch_sub_explicit(&door->budget->used, 1, memory_order_relaxed);
        if (error == EAGAIN || error == EWOULDBLOCK)
            return false;
        XS_COUNT(accept_errors);
        if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
            rest(door);
            return false;
        }
        /* The client has gone already (ECONNABORTED and its kin): the next one. */
        return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
    }
    here = atomic_fetch_add_explicit(&door->endpoint->connections, 1, memory_order_relaxed);
    if (door->config->max_connections != 0 && here >= door->config->max_connections) {
        XS_COUNT(refused_full);
        xs_door_left(door->endpoint, door->budget);
        (void)close(fd);
        return true;
    }
    XS_COUNT(accepted);
    tune(door->config, fd);
    door->accepted(door, fd);
    return true;
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
    struct xs_door *door = poll->data;

    (void)events;
    (void)xs_clock_tick();
    if (status < 0) {
        xs_log(XS_LOG_ERROR, "endpoint %s: %s", door->config->name, uv_strerror(status));
        return;
    }
    for (int i = 0; i < ACCEPTS_A_TURN && accept_one(door); i++)
        ;
}

enum xs_err xs_door_open(struct xs_door *door, uv_loop_t *loop)
{
    if (uv_poll_init(loop, &door->poll, door->fd) != 0)
        return XS_EIO;
    door->poll.data = door;
    door->open = true;
    return uv_poll_start(&door->poll, UV_READABLE, on_knock) == 0 ? XS_OK : XS_EIO;
}

static void on_closed(uv_handle_t *handle)
{
    struct xs_door *door = handle->data;

    (void)close(door->fd);
    door->fd = -1;
}

void xs_door_close(struct xs_door *door)
{
    if (!door->open)
        return;
    /* Closing one of several listeners resets who waits in its backlog: take them first, but
     * not for ever those who come meanwhile. */
    for (unsigned i = 0; i <= door->config->backlog && !door->resting && accept_one(door); i++)
        ;
    door->open = false;
    xs_wheel_stop(door->wheel, &door->again);
    uv_close((uv_handle_t *)&door->poll, on_closed);
}
