/* folder - what lies below a folder, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/folder.h"

/* A rename somewhere on the way makes the kernel give up a ".." in a link; it asks to be asked
 * again. */
#define TRIES 4

static int open_folder(const struct xs_folder *folder)
{
    int fd = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 ? fd : -errno;
}

/* The C library has no function for it. */
static int open_below(int root, const char *path, uint64_t flags)
{
    struct open_how how = { .flags = flags | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long fd = -1;

    for (int i = 0; i < TRIES && fd < 0; i++) {
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    return fd >= 0 ? (int)fd : -errno;
}

const char *xs_folder_fault(const struct xs_folder *folder)
{
    int root = open_folder(folder), fd;

    if (root < 0)
        return root == -EACCES ? "this folder may not be looked at" : "there is no such folder";
    /* The way that every request will take, to itself. */
    fd = open_below(root, ".", O_PATH | O_DIRECTORY);
    (void)close(root);
    if (fd >= 0)
        (void)close(fd);
    if (fd == -ENOSYS || fd == -EPERM)
        return "this system has no openat2 (Linux 5.6), without which files outside of the "
               "folder could be reached";
    return fd < 0 ? "this folder may not be looked at" : NULL;
}

int xs_folder_open(const struct xs_folder *folder, const char *path)
{
    int root = open_folder(folder), fd;

    if (root < 0)
        return root;
    fd = open_below(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    (void)close(root);
    return fd;
}
