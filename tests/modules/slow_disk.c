/* slow_disk - a disk that does not answer, for LD_PRELOAD in front of a program. While there is
 * a pipe at the path in SLOW_DISK, whoever reads from a place in a file waits until somebody
 * opens the pipe for writing.
 *
 * libs: dl */
/* With it the library defines some of these functions in its headers. */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The name is the library's; nobody includes a header of ours for it. */
#define SLOW __attribute__((visibility("default")))

SLOW ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    const char *path = getenv("SLOW_DISK");
    int gate = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t (*next)(int, void *, size_t, off_t);
    void *found = dlsym(RTLD_NEXT, "pread");

    if (gate >= 0)
        (void)close(gate);
    /* ISO C knows no way from an object's address to a function's. */
    *(void **)&next = found;
    return next(fd, to, len, at);
}
