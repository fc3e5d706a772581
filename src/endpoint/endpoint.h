/* endpoint.h - where clients knock: listening sockets of the process, and the doors through
 * which a worker accepts. */
#ifndef XS_ENDPOINT_ENDPOINT_H
#define XS_ENDPOINT_ENDPOINT_H

#include <stdatomic.h>
#include <sys/types.h>
#include <uv.h>

#include "base/wheel.h"
#include "config/config.h"

/* One endpoint of the configuration, shared by all workers. */
struct xs_endpoint {
    const struct xs_config_endpoint *config; /* as at start; doors hold the reloaded one */
    unsigned index;
    int *fds; /* one listening socket per worker and address */
    unsigned fd_count;
    unsigned fds_per_worker;
    atomic_uint connections; /* now, of the process */
    dev_t path_device;       /* of the UNIX path that was made, to remove no other */
    ino_t path_inode;        /* 0: none was */
};

/* The fd reserve of the process: connections it may have at once. */
struct xs_fd_budget {
    atomic_uint used;
    unsigned cap;
};
#define XS_FD_RESERVE 16

/* Raises the soft limit of open files to the hard one and works out how many connections fit,
 * given the fds that are open now. [main] */
void xs_fd_budget_init(struct xs_fd_budget *budget, uint64_t *limit);

/* Binds and listens for all workers. On failure *error is a sentence (to be freed) that names
 * the address. [main] */
enum xs_err xs_endpoint_open(struct xs_endpoint *endpoint,
                             const struct xs_config_endpoint *config, unsigned workers,
                             char **error);
/* Closes what no door has taken over, removes a UNIX path. [main] */
void xs_endpoint_close(struct xs_endpoint *endpoint);

/* A listening socket on one worker's loop. */
struct xs_door {
    uv_poll_t poll;
    int fd;
    bool open;
    bool resting; /* the reserve is reached */
    struct xs_timer again;
    uint64_t quiet_until; /* ms; the log has been told */
    struct xs_endpoint *endpoint;
    const struct xs_config_endpoint *config; /* swapped by a reload */
    struct xs_fd_budget *budget;
    struct xs_wheel *wheel;
    /* Takes over the fd. [worker] */
    void (*accepted)(struct xs_door *door, int fd);
    void *context;
};

enum xs_err xs_door_open(struct xs_door *door, uv_loop_t *loop);
/* Takes what waits in the backlog, then closes. */
void xs_door_close(struct xs_door *door);
/* A connection of this endpoint is gone: gives its fd back. [worker] */
void xs_door_left(struct xs_endpoint *endpoint, struct xs_fd_budget *budget);

#endif
