/* mallocs - counts what a program asks of the heap, for LD_PRELOAD.
 *
 * With XS_MALLOCS=FILE the counters live in that file, mapped, so that somebody else can read
 * them at the two ends of a measurement while the program runs. Without it they are printed
 * when the program ends. glibc only: it passes on to its __libc_ names, so nothing must be
 * looked up. */
#include "mallocs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static struct mallocs own;
static struct mallocs *counters = &own;

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t size)
{
    count(&counters->malloc);
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t number, size_t size)
{
    count(&counters->calloc);
    return __libc_calloc(number, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    count(&counters->realloc);
    return __libc_realloc(old, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    count(&counters->aligned);
    return __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size)
{
    count(&counters->aligned);
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

EXPORT void free(void *memory)
{
    if (memory != NULL)
        count(&counters->free);
    __libc_free(memory);
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("XS_MALLOCS");
    struct mallocs *shared;
    int fd;

    if (path == NULL)
        return;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *shared) != 0)
        return;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        return;
    *shared = own;
    counters = shared;
}

__attribute__((destructor)) static void end(void)
{
    if (counters != &own)
        return;
    fprintf(stderr, "malloc %llu, calloc %llu, realloc %llu, aligned %llu, free %llu\n",
            (unsigned long long)own.malloc, (unsigned long long)own.calloc,
            (unsigned long long)own.realloc, (unsigned long long)own.aligned,
            (unsigned long long)own.free);
}
