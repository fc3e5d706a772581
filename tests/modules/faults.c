/* faults - a network that is as bad as it may be, for LD_PRELOAD in front of a program.
 *
 * Reads and writes are cut to a few bytes, or come to EAGAIN or EINTR; waiting for events comes
 * to EINTR; accepting fails in each way in which it may. Which call meets what is made from the
 * seed in FAULTS_SEED. At the end one line on standard error tells how many of each there were:
 * a test can see that it tested something.
 *
 * libs: dl */
/* With it the library defines some of these functions in its headers. */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The names are the library's; nobody includes a header of ours for them. */
#define FAULT __attribute__((visibility("default")))

static atomic_ullong calls;
static atomic_uint cut, again, interrupted, not_accepted;

/* A number from 0 to 99: splitmix64 of the seed and the number of the call. */
static unsigned dice(void)
{
    static atomic_ullong seed;
    unsigned long long x = atomic_load(&seed);

    if (x == 0) {
        const char *text = getenv("FAULTS_SEED");

        x = text != NULL ? strtoull(text, NULL, 10) | 1 : 1;
        atomic_store(&seed, x);
    }
    x += 0x9e3779b97f4a7c15ULL * (atomic_fetch_add(&calls, 1) + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return (unsigned)((x ^ (x >> 31)) % 100);
}

/* ISO C knows no way from an object's address to a function's. */
#define NEXT(name, of)                                                                         \
    do {                                                                                       \
        void *found_ = dlsym(RTLD_NEXT, name);                                                 \
        *(void **)&(of) = found_;                                                              \
    } while (0)

/* True: this call fails, errno says how. Otherwise *len may have become less. */
static int disturbed(size_t *len)
{
    unsigned what = dice();

    if (what < 15) {
        atomic_fetch_add(&again, 1);
        errno = EAGAIN;
        return 1;
    }
    if (what < 30) {
        atomic_fetch_add(&interrupted, 1);
        errno = EINTR;
        return 1;
    }
    if (what < 80 && *len > 1) {
        atomic_fetch_add(&cut, 1);
        *len = what < 55 ? 1 : 1 + *len * what / 200;
    }
    return 0;
}

FAULT ssize_t recv(int fd, void *to, size_t len, int flags)
{
    ssize_t (*next)(int, void *, size_t, int);

    NEXT("recv", next);
    return disturbed(&len) ? -1 : next(fd, to, len, flags);
}

FAULT ssize_t send(int fd, const void *from, size_t len, int flags)
{
    ssize_t (*next)(int, const void *, size_t, int);

    NEXT("send", next);
    return disturbed(&len) ? -1 : next(fd, from, len, flags);
}

FAULT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t (*next)(int, const struct msghdr *, int);
    size_t len = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        len += message->msg_iov[i].iov_len;
    if (disturbed(&len))
        return -1;
    /* Cut inside the first part that has anything: the rest is for the next call. */
    for (size_t i = 0; i < message->msg_iovlen; i++)
        if (message->msg_iov[i].iov_len > len)
            return send(fd, message->msg_iov[i].iov_base, len, flags);
        else if (message->msg_iov[i].iov_len > 0)
            break;
    NEXT("sendmsg", next);
    return next(fd, message, flags);
}

/* The C library declares it with a union that takes every kind of address. */
FAULT int accept4(int fd, __SOCKADDR_ARG peer, socklen_t *len, int flags)
{
    static const int ways[] = { EINTR, ECONNABORTED, EPROTO, EMFILE, ENFILE, ENOBUFS, ENOMEM };
    int (*next)(int, __SOCKADDR_ARG, socklen_t *, int);
    unsigned what = dice();

    if (what < 30) {
        atomic_fetch_add(&not_accepted, 1);
        errno = ways[what % (sizeof ways / sizeof ways[0])];
        return -1;
    }
    NEXT("accept4", next);
    return next(fd, peer, len, flags);
}

FAULT int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
                      const sigset_t *mask)
{
    int (*next)(int, struct epoll_event *, int, int, const sigset_t *);

    if (dice() < 10) {
        atomic_fetch_add(&interrupted, 1);
        errno = EINTR;
        return -1;
    }
    NEXT("epoll_pwait", next);
    return next(fd, events, max, timeout, mask);
}

static __attribute__((destructor)) void tell(void)
{
    (void)dprintf(2, "faults: cut=%u again=%u interrupted=%u not_accepted=%u\n",
                  atomic_load(&cut), atomic_load(&again), atomic_load(&interrupted),
                  atomic_load(&not_accepted));
}
