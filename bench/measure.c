/* measure - the clock, and what the kernel tells about the server's process. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

uint64_t xs_bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    return fopen(path, "re");
}

bool xs_bench_cpu(pid_t pid, double *user, double *system)
{
    unsigned long long user_ticks, system_ticks;
    FILE *file = open_proc(pid, "stat");
    char line[1024], *behind;
    bool read;

    if (file == NULL)
        return false;
    read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    /* The name in the second field may hold anything, blanks and brackets too. */
    behind = read ? strrchr(line, ')') : NULL;
    if (behind == NULL ||
        sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
               &user_ticks, &system_ticks) != 2)
        return false;
    *user = (double)user_ticks / (double)sysconf(_SC_CLK_TCK);
    *system = (double)system_ticks / (double)sysconf(_SC_CLK_TCK);
    return true;
}

uint64_t xs_bench_resident(pid_t pid)
{
    unsigned long long amount = 0;
    FILE *file = open_proc(pid, "smaps_rollup");
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Rss: %llu kB", &amount) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    if (amount > 0)
        return amount * 1024;
    file = open_proc(pid, "statm");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %llu", &amount) != 1)
        amount = 0;
    fclose(file);
    return amount * (uint64_t)sysconf(_SC_PAGESIZE);
}

const struct mallocs *xs_bench_mallocs(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *at = MAP_FAILED;

    if (fd >= 0 && lseek(fd, 0, SEEK_END) == (off_t)sizeof(struct mallocs))
        at = mmap(NULL, sizeof(struct mallocs), PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        xs_bench_die(EXIT_FAILURE, "%s is no file of counters: %s", path,
                     fd < 0 ? strerror(errno)
                            : "run the server with mallocs.so and XS_MALLOCS");
    close(fd);
    return at;
}

void xs_bench_progress(const char *format, ...)
{
    static uint64_t next;
    uint64_t now = xs_bench_now();
    va_list list;

    if (now < next || !isatty(STDERR_FILENO))
        return;
    next = now + 200000000;
    fputs("\r\033[K", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
}

void xs_bench_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
