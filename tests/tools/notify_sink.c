/* notify_sink - a service manager that only listens: notify_sink PATH.
 *
 * Binds a datagram socket at PATH (one that begins with @ is abstract) and prints every
 * datagram as a line, the first line being "bound". Ends when its input ends. */
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int bound_at(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || len == 0 || len >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, len);
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    /* An abstract name is as long as its address; a path ends at its zero byte. */
    len += offsetof(struct sockaddr_un, sun_path) + (path[0] == '@' ? 0 : 1);
    return bind(fd, (const struct sockaddr *)&at, (socklen_t)len) == 0 ? fd : -1;
}

static int print_one(int fd)
{
    char words[4096];
    ssize_t n = recv(fd, words, sizeof words - 1, 0);

    if (n < 0)
        return -1;
    words[n] = '\0';
    (void)puts(words);
    return fflush(stdout);
}

int main(int count, char **arguments)
{
    struct pollfd waits[] = { { .fd = -1, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
    char ignored[64];

    if (count != 2)
        return 64;
    waits[0].fd = bound_at(arguments[1]);
    if (waits[0].fd < 0) {
        perror(arguments[1]);
        return 1;
    }
    (void)puts("bound");
    (void)fflush(stdout);
    while (poll(waits, 2, -1) > 0) {
        if ((waits[0].revents & POLLIN) != 0 && print_one(waits[0].fd) != 0)
            return 1;
        if (waits[1].revents != 0 && read(0, ignored, sizeof ignored) <= 0)
            return 0;
    }
    return 1;
}
