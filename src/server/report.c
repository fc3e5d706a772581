/* report - what SIGUSR1 writes. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/report.h"

/* How long nobody may read standard output before the rest is given up. */
#define PATIENCE_MS 200

static void write_numbers(const uint64_t values[XS_STAT_COUNT], FILE *out)
{
    for (unsigned i = 0; i < XS_STAT_COUNT; i++)
        /* One worker's gauge may be below zero: what it freed another had made. */
        (void)fprintf(out, "%s\"%s\":%" PRId64, i == 0 ? "" : ",",
                      xs_stat_name((enum xs_stat)i), (int64_t)values[i]);
}

static void make(struct xs_daemon *daemon, FILE *out)
{
    uint64_t total[XS_STAT_COUNT] = { 0 }, values[XS_STAT_COUNT];
    size_t live, away;

    (void)fprintf(out,
                  "{\"pid\":%d,\"uptime_ms\":%" PRIu64 ",\"max_connections\":%u,\"workers\":[",
                  (int)getpid(), xs_clock_ms() - daemon->started_at, daemon->budget.cap);
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        for (unsigned j = 0; j < XS_STAT_COUNT; j++) {
            values[j] = xs_stat_read(&daemon->workers[i]->stats, (enum xs_stat)j);
            total[j] += values[j];
        }
        (void)fprintf(out, "%s{", i == 0 ? "" : ",");
        write_numbers(values, out);
        (void)fprintf(out, "}");
    }
    for (unsigned j = 0; j < XS_STAT_COUNT; j++)
        total[j] += xs_stat_read(&xs_stats_elsewhere, (enum xs_stat)j);
    xs_directory_count(daemon->directory, &live, &away);
    (void)fprintf(out, "],\"total\":{");
    write_numbers(total, out);
    (void)fprintf(out,
                  ",\"persistent_ids_live\":%zu,\"persistent_ids_away\":%zu,"
                  "\"log_dropped\":%" PRIu64 "}}\n",
                  live, away, xs_log_dropped());
}

/* A reader who has gone to sleep must not hold up the thread that hears the signals. */
static bool write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        struct pollfd ready = { .fd = fd, .events = POLLOUT };
        ssize_t n = poll(&ready, 1, PATIENCE_MS);

        if (n == 0)
            return false;
        if (n > 0)
            n = write(fd, at, len < PIPE_BUF ? len : PIPE_BUF);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return true;
}

void xs_report(struct xs_daemon *daemon, int fd)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL)
        return;
    make(daemon, out);
    if (fclose(out) == 0 && !write_all(fd, text, len))
        xs_log(XS_LOG_WARNING, "nobody reads the report on standard output");
    free(text);
}
