/* report - a run's results, for people and for programs. */
#include "report.h"

#include <stdio.h>
#include <string.h>

/* Shares of a core from which a thread counts as busy all the time. */
#define BUSY 0.9

struct figures {
    double seconds, messages, per_second, client_cpu, server_cpu, busiest, user_us, system_us,
        each_bytes, received, mallocs, frees;
    bool cpu, parts, memory, heap;
};

static double over(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static struct figures figures_of(const struct run *run)
{
    const struct usage *usage = &run->usage;
    struct figures of = { .seconds = (double)(run->to - run->from) / 1e9,
                          .messages = (double)(run->last - run->first),
                          .cpu = usage->known,
                          .parts = usage->known && usage->parts,
                          .memory = run->resident_before > 0 && run->resident > 0,
                          .heap = run->counters != NULL };
    double added = run->options->mode == MODE_IDLE ? run->links.count - run->resident_clients
                                                   : run->links.count;

    of.per_second = over(of.messages, of.seconds);
    of.client_cpu = over(usage->own, of.seconds);
    of.server_cpu = over(usage->user + usage->system, of.seconds);
    of.busiest = over(usage->busiest, of.seconds);
    of.user_us = over(usage->user * 1e6, of.messages);
    of.system_us = over(usage->system * 1e6, of.messages);
    of.each_bytes = over((double)run->resident - (double)run->resident_before, added);
    of.received = over((double)run->received, of.messages);
    of.mallocs = over((double)xs_bench_malloc_calls(&run->heap), of.messages);
    of.frees = over((double)run->heap.free, of.messages);
    return of;
}

enum limited xs_bench_limited(const struct run *run)
{
    struct figures of = figures_of(run);

    if (of.client_cpu < BUSY)
        return LIMITED_NO;
    if (!of.cpu)
        return LIMITED_UNKNOWN;
    return (of.busiest > 0 ? of.busiest : of.server_cpu) < BUSY ? LIMITED_YES : LIMITED_NO;
}

/* ---- JSON ---- */

static void json_number(const char *name, bool known, const char *format, double value)
{
    printf(",\"%s\":", name);
    if (known)
        printf(format, value); // NOLINT
    else
        fputs("null", stdout);
}

static void json_latency(const struct histogram *latency)
{
    static const struct {
        const char *name;
        double share;
    } points[] = { { "min", 0 },    { "p50", 0.5 },    { "p90", 0.9 },
                   { "p99", 0.99 }, { "p999", 0.999 }, { "max", 1 } };

    fputs(",\"latency_us\":", stdout);
    if (latency->count == 0) {
        fputs("null", stdout);
        return;
    }
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        printf("%c\"%s\":%.1f", i == 0 ? '{' : ',', points[i].name,
               (double)xs_bench_histogram_at(latency, points[i].share) / 1000);
    printf(",\"mean\":%.1f}", xs_bench_histogram_mean(latency) / 1000);
}

void xs_bench_report_json(const struct run *run)
{
    const struct options *options = run->options;
    const struct errors *errors = &run->errors;
    struct figures of = figures_of(run);
    enum limited limited = xs_bench_limited(run);
    bool idle = options->mode == MODE_IDLE;

    printf("{\"mode\":\"%s\",\"protocol\":\"%s\",\"server\":\"%s\",\"connections\":%u,"
           "\"publishers\":%u,\"in_flight\":%u",
           xs_bench_mode_name(options->mode), xs_bench_protocol_name(options->protocol),
           options->limit ? "limit" : "xsocketsd", options->connections, options->publishers,
           options->in_flight);
    json_number("rate", options->rate > 0, "%.0f", options->rate);
    printf(",\"size\":%zu,\"data\":\"%s\",\"topics\":%u,\"seconds\":%.3f,\"messages\":%.0f,"
           "\"per_second\":%.0f",
           options->size, options->object ? "object" : "string", options->topics, of.seconds,
           of.messages, of.per_second);
    json_latency(&run->latency);
    printf(",\"deflate\":%s", options->deflate ? "true" : "false");
    json_number("received_bytes_per_message",
                options->mode == MODE_ECHO || options->mode == MODE_FANOUT, "%.1f",
                of.received);
    printf(",\"client_cpu\":%.3f,\"client_limited\":%s", of.client_cpu,
           limited == LIMITED_YES  ? "true"
           : limited == LIMITED_NO ? "false"
                                   : "null");
    json_number("server_user_us", of.parts, "%.4f", of.user_us);
    json_number("server_system_us", of.parts, "%.4f", of.system_us);
    json_number("server_cpu", of.cpu, "%.3f", of.server_cpu);
    json_number("bytes_per_connection", of.memory, "%.0f", of.each_bytes);
    json_number("resident_before", of.memory, "%.0f", (double)run->resident_before);
    json_number("resident", of.memory, "%.0f", (double)run->resident);
    json_number("resident_after", of.memory && idle, "%.0f", (double)run->resident_after);
    json_number("mallocs_per_message", of.heap, "%.4f", of.mallocs);
    json_number("frees_per_message", of.heap, "%.4f", of.frees);
    printf(",\"stalled\":%s,\"errors\":{\"lost\":%llu,\"twice\":%llu,\"order\":%llu,"
           "\"wrong\":%llu,\"closed\":%llu}}\n",
           run->stalled ? "true" : "false", (unsigned long long)errors->lost,
           (unsigned long long)errors->twice, (unsigned long long)errors->order,
           (unsigned long long)errors->wrong, (unsigned long long)errors->closed);
}

/* ---- text ---- */

static const char *what_came(enum mode mode)
{
    static const char *const words[] = { "messages", "deliveries", "clients", "connections" };

    return words[mode];
}

/* 12.3 k, 1.23 M */
static const char *amount(double value, char text[32])
{
    if (value >= 999500)
        snprintf(text, 32, "%.3g M", value / 1e6);
    else if (value >= 999.5)
        snprintf(text, 32, value < 99950 ? "%.3g k" : "%.0f k", value / 1e3);
    else
        snprintf(text, 32, "%.3g", value);
    return text;
}

static const char *duration(uint64_t ns, char text[32])
{
    double us = (double)ns / 1000;

    if (us < 999.5)
        snprintf(text, 32, us < 99.95 ? "%.1f us" : "%.0f us", us);
    else if (us < 999500)
        snprintf(text, 32, us < 99950 ? "%.2f ms" : "%.0f ms", us / 1000);
    else
        snprintf(text, 32, "%.2f s", us / 1e6);
    return text;
}

static const char *memory(double bytes, char text[32])
{
    if (bytes < 10240)
        snprintf(text, 32, "%.0f B", bytes);
    else if (bytes < 10485760)
        snprintf(text, 32, "%.1f KiB", bytes / 1024);
    else
        snprintf(text, 32, "%.1f MiB", bytes / 1048576);
    return text;
}

/* As it would be given on the command line. */
static const char *size_text(size_t size, char text[32])
{
    if (size >= 1048576 && size % 1048576 == 0)
        snprintf(text, 32, "%zu MiB", size / 1048576);
    else if (size >= 1024 && size % 1024 == 0)
        snprintf(text, 32, "%zu KiB", size / 1024);
    else
        snprintf(text, 32, "%zu B", size);
    return text;
}

static void print_head(const struct run *run)
{
    const struct options *options = run->options;
    char size[32];

    printf("%s %s", xs_bench_protocol_name(options->protocol),
           xs_bench_mode_name(options->mode));
    if (options->limit)
        fputs(" on limit", stdout);
    switch (options->mode) {
    case MODE_ECHO:
        printf(": %u clients", options->connections);
        break;
    case MODE_FANOUT:
        printf(": %u publisher%s, %u subscribers", options->publishers,
               options->publishers == 1 ? "" : "s", options->connections);
        break;
    case MODE_IDLE:
        printf(": %u clients\n", options->connections);
        return;
    case MODE_CONNECT:
        printf(": %u at a time\n", options->connections);
        return;
    }
    printf(", %s%s", size_text(options->size, size), options->object ? " objects" : "");
    if (options->topics > 1)
        printf(", %u topics", options->topics);
    if (options->rate > 0)
        printf(", %u/s due\n", options->rate);
    else
        printf(", %u in flight\n", options->in_flight);
}

static void print_latency(const struct run *run)
{
    const struct histogram *latency = &run->latency;
    char a[32], b[32], c[32], d[32], e[32];

    if (latency->count == 0)
        return;
    printf("  latency     p50 %s   p90 %s   p99 %s   p99.9 %s   max %s\n",
           duration(xs_bench_histogram_at(latency, 0.5), a),
           duration(xs_bench_histogram_at(latency, 0.9), b),
           duration(xs_bench_histogram_at(latency, 0.99), c),
           duration(xs_bench_histogram_at(latency, 0.999), d), duration(latency->max, e));
    if (run->options->rate > 0)
        printf("              from when each was due\n");
    else
        printf(
            "              closed loop: from when each was sent; a slow server is sent less\n");
}

static void print_usage(const struct run *run, const struct figures *of)
{
    printf("  client      %.0f %% of a core\n", of->client_cpu * 100);
    if (of->parts && of->messages > 0)
        printf("  server      %.0f %% of a core: %.3f us user and %.3f us system for each\n",
               of->server_cpu * 100, of->user_us, of->system_us);
    else if (of->cpu && of->messages > 0)
        printf("  server      %.0f %% of a core: %.3f us for each\n", of->server_cpu * 100,
               of->user_us + of->system_us);
    if (of->heap)
        printf("  heap        %.4f allocations and %.4f frees for each\n", of->mallocs,
               of->frees);
    if (run->options->mode == MODE_IDLE)
        return;
    switch (xs_bench_limited(run)) {
    case LIMITED_YES:
        puts("  The client was the limit: its core was busy and the server's was not.");
        break;
    case LIMITED_UNKNOWN:
        puts("  The client's core was busy: it may be the limit; --server-pid tells.");
        break;
    case LIMITED_NO:
        break;
    }
}

static void print_memory(const struct run *run, const struct figures *of)
{
    char a[32], b[32], c[32], d[32];

    if (!of->memory)
        return;
    printf("  memory      %s resident", memory((double)run->resident, a));
    /* (A server may also have given some back since the last run.) */
    if (of->each_bytes > 0)
        printf(", %s more for each connection", memory(of->each_bytes, b));
    putchar('\n');
    if (run->options->mode == MODE_IDLE)
        printf("              %s with %u clients, %s with all, %s when they had gone\n",
               memory((double)run->resident_before, c), run->resident_clients, a,
               memory((double)run->resident_after, d));
}

static void print_errors(const struct errors *errors)
{
    if (xs_bench_errors(errors) == 0) {
        puts("  errors      none");
        return;
    }
    printf("  ERRORS      %llu lost, %llu twice, %llu out of order, %llu wrong, %llu closed\n",
           (unsigned long long)errors->lost, (unsigned long long)errors->twice,
           (unsigned long long)errors->order, (unsigned long long)errors->wrong,
           (unsigned long long)errors->closed);
}

/* What should come a second in an open loop. */
static double due_rate(const struct options *options)
{
    if (options->mode == MODE_FANOUT && options->topics < options->connections)
        return (double)options->rate * options->connections / options->topics;
    return options->rate;
}

void xs_bench_report_text(const struct run *run)
{
    const struct options *options = run->options;
    struct figures of = figures_of(run);
    char rate[32];

    print_head(run);
    printf("  rate        %s %s/s   (%.0f in %.2f s%s)\n", amount(of.per_second, rate),
           what_came(options->mode), of.messages, of.seconds,
           options->mode == MODE_ECHO || options->mode == MODE_FANOUT ? ", each one checked"
                                                                      : "");
    if (options->deflate && of.received > 0)
        printf("  received    %.1f B for each, packed by the server\n", of.received);
    print_latency(run);
    print_usage(run, &of);
    print_memory(run, &of);
    print_errors(&run->errors);
    if (options->rate > 0 && options->count == 0 && of.per_second < 0.99 * due_rate(options))
        puts("  The server did not keep up with what was due.");
    if (run->interrupted)
        puts("  Interrupted: this is what there was until then.");
}
