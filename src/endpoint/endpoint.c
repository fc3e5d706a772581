/* endpoint - listening sockets. TCP: one per worker with SO_REUSEPORT, after a bind without it
 * has shown that nobody else holds the address. UNIX: one socket, its fd duplicated for each
 * worker. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "endpoint/endpoint.h"

void xs_fd_budget_init(struct xs_fd_budget *budget, uint64_t *limit)
{
    struct rlimit files;
    unsigned open = 0;
    DIR *dir;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        files.rlim_cur = files.rlim_max = 1024;
    if (files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        (void)getrlimit(RLIMIT_NOFILE, &files);
    }
    dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL)
        open++;
    if (dir != NULL)
        (void)closedir(dir);
    *limit = files.rlim_cur;
    if (files.rlim_cur > 10000000)
        files.rlim_cur = 10000000;
    budget->cap = files.rlim_cur > open + XS_FD_RESERVE
                      ? (unsigned)files.rlim_cur - open - XS_FD_RESERVE
                      : 0;
    atomic_init(&budget->used, 0);
}

static char *sentence(const struct xs_config_endpoint *config, const char *address,
                      const char *what)
{
    char text[512];

    (void)snprintf(text, sizeof text, "endpoint %s: cannot listen on %s: %s", config->name,
                   address, what);
    return xs_strdup(text);
}

static void add_fd(struct xs_endpoint *endpoint, int fd)
{
    endpoint->fds = xs_realloc(endpoint->fds, (endpoint->fd_count + 1) * sizeof *endpoint->fds);
    endpoint->fds[endpoint->fd_count++] = fd;
}

static int tcp_socket(const struct sockaddr *at, socklen_t len, bool share)
{
    int on = 1;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        goto fail;
    if (bind(fd, at, len) != 0)
        goto fail;
    return fd;

fail:
    on = errno;
    (void)close(fd);
    errno = on;
    return -1;
}

static enum xs_err listen_tcp(struct xs_endpoint *endpoint, const struct sockaddr *at,
                              socklen_t len, unsigned workers)
{
    /* With SO_REUSEPORT a second daemon would silently take half of the clients: look first. */
    int fd = tcp_socket(at, len, false);

    if (fd < 0)
        return XS_EIO;
    (void)close(fd);
    for (unsigned i = 0; i < workers; i++) {
        fd = tcp_socket(at, len, true);
        if (fd < 0)
            return XS_EIO;
        add_fd(endpoint, fd);
        if (listen(fd, (int)endpoint->config->backlog) != 0)
            return XS_EIO;
    }
    endpoint->fds_per_worker++;
    return XS_OK;
}

static enum xs_err open_tcp(struct xs_endpoint *endpoint, const char *address, unsigned workers)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)endpoint->config->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)endpoint->config->port) };

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return listen_tcp(endpoint, (struct sockaddr *)&v4, sizeof v4, workers);
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        return listen_tcp(endpoint, (struct sockaddr *)&v6, sizeof v6, workers);
    errno = EINVAL;
    return XS_EINVAL;
}

/* A path is taken over only if it is a socket that nobody answers at. */
static enum xs_err remove_stale(const struct sockaddr_un *at)
{
    struct stat what;
    int fd, rc, saved;

    if (lstat(at->sun_path, &what) != 0)
        return errno == ENOENT ? XS_OK : XS_EIO;
    errno = EEXIST;
    if (!S_ISSOCK(what.st_mode))
        return XS_EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return XS_EIO;
    rc = connect(fd, (const struct sockaddr *)at, sizeof *at);
    saved = errno;
    (void)close(fd);
    errno = EADDRINUSE;
    if (rc == 0 || saved != ECONNREFUSED)
        return XS_EEXIST;
    return unlink(at->sun_path) == 0 ? XS_OK : XS_EIO;
}

static enum xs_err open_unix(struct xs_endpoint *endpoint, const char *path, unsigned workers)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    enum xs_err err;
    struct stat made;
    mode_t mask;
    int fd, rc;

    errno = ENAMETOOLONG;
    if (strlen(path) >= sizeof at.sun_path)
        return XS_EINVAL;
    memcpy(at.sun_path, path, strlen(path) + 1);
    err = remove_stale(&at);
    if (err != XS_OK)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return XS_EIO;
    add_fd(endpoint, fd);
    mask = umask((mode_t)(~endpoint->config->unix_mode & 0777));
    rc = bind(fd, (struct sockaddr *)&at, sizeof at);
    (void)umask(mask);
    if (rc != 0)
        return XS_EIO;
    if (lstat(path, &made) == 0) {
        endpoint->path_device = made.st_dev;
        endpoint->path_inode = made.st_ino;
    }
    if (listen(fd, (int)endpoint->config->backlog) != 0)
        return XS_EIO;
    for (unsigned i = 1; i < workers; i++) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

        if (copy < 0)
            return XS_EIO;
        add_fd(endpoint, copy);
    }
    endpoint->fds_per_worker++;
    return XS_OK;
}

enum xs_err xs_endpoint_open(struct xs_endpoint *endpoint,
                             const struct xs_config_endpoint *config, unsigned workers,
                             char **error)
{
    const char *address = config->address;
    char shown[300];
    enum xs_err err;

    endpoint->config = config;
    atomic_init(&endpoint->connections, 0);
    (void)snprintf(shown, sizeof shown, strchr(address, ':') != NULL ? "[%s]:%u" : "%s:%u",
                   address, config->port);
    if (strncmp(address, "unix:", 5) == 0) {
        (void)snprintf(shown, sizeof shown, "%s", address);
        err = open_unix(endpoint, address + 5, workers);
    } else if (strcmp(address, "*") == 0) {
        err = open_tcp(endpoint, "0.0.0.0", workers);
        /* A machine without IPv6 still listens on IPv4. */
        if (err == XS_OK && open_tcp(endpoint, "::", workers) != XS_OK &&
            errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
            err = XS_EIO;
    } else {
        err = open_tcp(endpoint, address, workers);
    }
    if (err == XS_OK)
        return XS_OK;
    *error = sentence(config, shown, strerror(errno));
    xs_endpoint_close(endpoint);
    return err;
}

/* Another daemon may have taken the path over while this one said goodbye to its clients. */
static void remove_path(struct xs_endpoint *endpoint)
{
    const char *path = endpoint->config->address + 5; /* behind "unix:" */
    struct stat now;

    if (endpoint->path_inode != 0 && lstat(path, &now) == 0 &&
        now.st_dev == endpoint->path_device && now.st_ino == endpoint->path_inode)
        (void)unlink(path);
    endpoint->path_inode = 0;
}

void xs_endpoint_close(struct xs_endpoint *endpoint)
{
    for (unsigned i = 0; i < endpoint->fd_count; i++)
        if (endpoint->fds[i] >= 0)
            (void)close(endpoint->fds[i]);
    remove_path(endpoint);
    xs_free(endpoint->fds);
    endpoint->fds = NULL;
    endpoint->fd_count = 0;
}
