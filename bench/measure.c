/* measure - what the kernel tells about the server's process and our own thread. */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { TICKS_LEAST = 5 /* from which on they tell user from system time */ };

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    return fopen(path, "re");
}

/* User and system time of a process, in ticks of usually 10 ms. */
static bool read_ticks(pid_t pid, uint64_t ticks[2])
{
    unsigned long long user, system;
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
        sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
               &system) != 2)
        return false;
    ticks[0] = user;
    ticks[1] = system;
    return true;
}

/* Time on the CPU of one thread, in ns; 0 where the kernel does not tell. */
static uint64_t read_thread(pid_t pid, const char *tid)
{
    unsigned long long ns = 0;
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/task/%.20s/schedstat", (long)pid, tid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu", &ns) != 1)
        ns = 0;
    fclose(file);
    return ns;
}

static uint64_t earlier(const struct usage *usage, pid_t tid)
{
    for (size_t i = 0; i < usage->thread_count; i++) {
        if (usage->threads[i].tid == tid)
            return usage->threads[i].ns;
    }
    return 0;
}

/* Calls `each` for every thread that there is. */
static void each_thread(struct usage *usage,
                        void (*each)(struct usage *usage, pid_t tid, uint64_t ns))
{
    struct dirent *entry;
    char path[64];
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)usage->pid);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            each(usage, (pid_t)atol(entry->d_name), read_thread(usage->pid, entry->d_name));
    }
    if (folder != NULL)
        closedir(folder);
}

static void remember(struct usage *usage, pid_t tid, uint64_t ns)
{
    if (usage->thread_count == USAGE_THREADS)
        return;
    usage->threads[usage->thread_count].tid = tid;
    usage->threads[usage->thread_count].ns = ns;
    usage->thread_count++;
}

/* Until the end `user` holds the sum of both. */
static void add(struct usage *usage, pid_t tid, uint64_t ns)
{
    uint64_t before = earlier(usage, tid);
    double seconds = ns > before ? (double)(ns - before) / 1e9 : 0;

    usage->user += seconds;
    if (seconds > usage->busiest)
        usage->busiest = seconds;
}

static double own_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void xs_bench_usage_begin(struct usage *usage, pid_t pid)
{
    *usage = (struct usage){ .pid = pid };
    usage->own_begin = own_time();
    usage->known = pid != 0 && read_ticks(pid, usage->ticks);
    if (usage->known)
        each_thread(usage, remember);
}

void xs_bench_usage_end(struct usage *usage)
{
    double tick = 1 / (double)sysconf(_SC_CLK_TCK), user, system, sum;
    uint64_t ticks[2];

    usage->own = own_time() - usage->own_begin;
    if (!usage->known || !read_ticks(usage->pid, ticks)) {
        usage->known = false;
        return;
    }
    user = (double)(ticks[0] - usage->ticks[0]) * tick;
    system = (double)(ticks[1] - usage->ticks[1]) * tick;
    each_thread(usage, add);
    sum = usage->user;
    usage->parts = ticks[0] - usage->ticks[0] + ticks[1] - usage->ticks[1] >= TICKS_LEAST;
    /* The scheduler knows to the nanosecond how much it was, the ticks in which part it was. */
    if (sum <= 0 || user + system <= 0) {
        usage->user = user + sum;
        usage->system = system;
        return;
    }
    usage->user = sum * user / (user + system);
    usage->system = sum * system / (user + system);
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

uint64_t xs_bench_malloc_calls(const struct mallocs *mallocs)
{
    return mallocs->malloc + mallocs->calloc + mallocs->realloc + mallocs->aligned;
}
