/* xsockets-bench - loads xsocketsd, or the yardstick bench/limit, with WebSocket clients.
 *
 * Every message is numbered and every answer compared byte for byte with what is expected, so a
 * figure is only printed when nothing was lost, doubled, changed or out of order. To be faster
 * than any server it sends from frames made beforehand and compares many answers at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link.h"
#include "measure.h"
#include "options.h"

enum {
    STALL = 5 * 1000, /* ms in which nothing at all is answered */
    QUIET = 50,       /* ms in which nothing more may come at the end */
    SPARE = 64,       /* numbered messages beyond those in flight */
    SETTLE = 500      /* ms until the server's memory is looked at */
};

/* The measured part of a run, between warm-up and drain. */
struct window {
    enum { WARMING, MEASURING, OVER } state;
    uint64_t begin, end;  /* ns; `begin` is the end of the warm-up until that is over */
    uint64_t first, last; /* messages answered so far */
    double user, system;  /* CPU seconds of the server in between */
    bool cpu;
    struct mallocs heap;
    const struct mallocs *counters;
};

struct memory {
    uint32_t clients, warm;
    double opening; /* seconds for clients - warm */
    uint64_t with_warm, with_all, after;
};

static size_t payload_text(const struct options *options, enum protocol protocol, size_t number,
                           char *text)
{
    size_t len = 0, tail = 0;

    if (protocol == PROTOCOL_NATIVE) {
        len = (size_t)sprintf(text, "%06zu", number);
    } else if (options->object) {
        len = (size_t)sprintf(text, "{\\\"n\\\":%zu,\\\"text\\\":\\\"", 100000 + number);
        tail = strlen("\\\",\\\"on\\\":true}");
    } else {
        len = (size_t)sprintf(text, "\\\"%06zu", number);
        tail = strlen("\\\"");
    }
    for (; len + tail < options->size; len++)
        text[len] = (char)('a' + (len + number) % 26);
    if (tail > 0)
        strcpy(text + len, options->object ? "\\\",\\\"on\\\":true}" : "\\\"");
    return len + tail;
}

static size_t message_text(const struct options *options, enum protocol protocol, size_t number,
                           char *text)
{
    size_t len = 0;

    if (protocol == PROTOCOL_NATIVE)
        return payload_text(options, protocol, number, text);
    len = (size_t)sprintf(text, "{\"C\":\"%s\",\"T\":\"%s\",\"D\":\"",
                          options->mode == MODE_ECHO ? "echo" : "chat",
                          options->mode == MODE_ECHO ? "e" : "news");
    len += payload_text(options, protocol, number, text + len);
    memcpy(text + len, "\"}", 2);
    return len + 2;
}

static void *must(void *memory)
{
    if (memory == NULL)
        xs_bench_die(EXIT_FAILURE, "out of memory");
    return memory;
}

/* As many frames as are in flight stand a second time behind the ring, so that what is sent at
 * a time is one piece. */
static struct ring make_ring(const struct options *options)
{
    enum protocol protocol =
        options->mode == MODE_FANOUT ? PROTOCOL_XSOCKETSNET : options->protocol;
    struct ring ring = { .count = options->in_flight + SPARE };
    char *text = must(malloc(options->size + 128));
    size_t len = message_text(options, protocol, 0, text);
    uint8_t head[WIRE_HEAD_MAX], mask[4] = { 0 };

    ring.in_size = xs_bench_head_write(head, 0x80 | WIRE_TEXT, len, NULL) + len;
    ring.out_size = ring.in_size + sizeof mask;
    ring.in = must(malloc(ring.in_size * ring.count));
    ring.out = must(malloc(ring.out_size * (ring.count + options->in_flight)));
    for (size_t i = 0; i < ring.count; i++) {
        uint8_t *in = ring.in + i * ring.in_size, *out = ring.out + i * ring.out_size;

        message_text(options, protocol, i, text);
        in += xs_bench_head_write(in, 0x80 | WIRE_TEXT, len, NULL);
        memcpy(in, text, len);
        xs_bench_random(mask, sizeof mask);
        out += xs_bench_head_write(out, 0x80 | WIRE_TEXT, len, mask);
        xs_bench_mask(out, in, len, mask);
    }
    memcpy(ring.out + ring.out_size * ring.count, ring.out, ring.out_size * options->in_flight);
    free(text);
    return ring;
}

/* What a native subscriber gets of the same messages: D alone, without its escapes. */
static struct ring make_native_ring(const struct options *options, const struct ring *ring)
{
    struct ring native = { .count = ring->count };
    char *text = must(malloc(options->size + 128));

    for (size_t i = 0; i < ring->count; i++) {
        size_t len = payload_text(options, PROTOCOL_XSOCKETSNET, i, text), plain = 0;
        uint8_t *in;

        for (size_t j = 0; j < len; j++) {
            if (text[j] != '\\')
                text[plain++] = text[j];
        }
        if (native.in == NULL)
            native.in = must(malloc((plain + WIRE_HEAD_MAX) * ring->count));
        in = native.in + i * native.in_size;
        native.in_size = xs_bench_head_write(in, 0x80 | WIRE_TEXT, plain, NULL) + plain;
        memcpy(in + native.in_size - plain, text, plain);
    }
    free(text);
    return native;
}

static void read_cpu(const struct options *options, struct window *window, int sign)
{
    double user, system;

    window->cpu = options->pid != 0 && xs_bench_cpu(options->pid, &user, &system);
    if (!window->cpu)
        return;
    window->user += sign * user;
    window->system += sign * system;
}

static void read_heap(struct window *window, int sign)
{
    const struct mallocs *now = window->counters;

    if (now == NULL)
        return;
    window->heap.malloc = now->malloc + (uint64_t)sign * window->heap.malloc;
    window->heap.calloc = now->calloc + (uint64_t)sign * window->heap.calloc;
    window->heap.realloc = now->realloc + (uint64_t)sign * window->heap.realloc;
    window->heap.aligned = now->aligned + (uint64_t)sign * window->heap.aligned;
    window->heap.free = now->free + (uint64_t)sign * window->heap.free;
}

static void window_start(const struct options *options, struct window *window)
{
    *window = (struct window){ .state = WARMING, .begin = xs_bench_now() + options->warmup };
    if (options->mallocs != NULL)
        window->counters = xs_bench_mallocs(options->mallocs);
}

/* Looks at the clock and the count; true while messages are to be sent. */
static bool window_step(const struct options *options, struct window *window, uint64_t total)
{
    uint64_t now = xs_bench_now();

    if (window->state == WARMING && now >= window->begin) {
        window->state = MEASURING;
        window->begin = now;
        window->first = total;
        read_cpu(options, window, -1);
        read_heap(window, 0);
    } else if (window->state == MEASURING &&
               (now >= window->begin + options->seconds ||
                (options->count > 0 && total - window->first >= options->count))) {
        window->state = OVER;
        window->end = now;
        window->last = total;
        read_cpu(options, window, 1);
        read_heap(window, -1);
    }
    xs_bench_progress("%s: %llu messages answered%s", xs_bench_mode_name(options->mode),
                      (unsigned long long)total,
                      window->state == WARMING ? ", warming up" : "");
    return window->state != OVER;
}

static int wait_for_events(const struct links *links, struct epoll_event *events,
                           uint64_t missing)
{
    int count = epoll_wait(links->poll, events, LINK_TURN, STALL);

    if (count == 0)
        xs_bench_die(EXIT_FAILURE, "%llu answers are missing and none came for %d s",
                     (unsigned long long)missing, STALL / 1000);
    if (count < 0 && errno != EINTR)
        xs_bench_die(EXIT_FAILURE, "epoll_wait: %s", strerror(errno));
    return count;
}

/* All was answered; whatever still comes is one too many. */
static void expect_silence(const struct links *links)
{
    static struct epoll_event events[LINK_TURN];
    int count = epoll_wait(links->poll, events, LINK_TURN, QUIET);

    for (int i = 0; i < count; i++) {
        struct link *link = events[i].data.ptr;

        if (xs_bench_link_take(link) > 0)
            xs_bench_die(EXIT_FAILURE, "client %u got more answers than it sent messages",
                         link->number);
    }
}

static const char *subprotocol_of(enum protocol protocol)
{
    return protocol == PROTOCOL_NATIVE ? NULL : "XSocketsNET";
}

static void run_echo(const struct options *options, struct links *links, struct window *window)
{
    static struct epoll_event events[LINK_TURN];
    struct hello hello = { .path = "/", .subprotocol = subprotocol_of(options->protocol) };
    struct ring ring = make_ring(options);
    uint64_t total = 0, promised = (uint64_t)links->count * options->in_flight;
    bool sending = true;

    if (!options->limit && options->protocol == PROTOCOL_XSOCKETSNET) {
        hello.say[0] = "{\"C\":\"echo\",\"T\":\"1\"}";
        hello.await = "\"T\":\"2\"";
    }
    for (uint32_t i = 0; i < links->count; i++) {
        struct link *link = &links->at[i];

        /* Each begins elsewhere, so that an answer sent to the wrong client is seen. */
        link->hello = &hello;
        link->sends = &ring;
        link->expects = &ring;
        link->got = i % ring.count;
        link->sent = link->got * ring.out_size;
        link->allowed = link->sent + options->in_flight * ring.out_size;
    }
    xs_bench_links_open(links, 0, links->count);
    window_start(options, window);
    for (uint32_t i = 0; i < links->count; i++)
        xs_bench_link_pump(links, &links->at[i]);
    while (total < promised) {
        int count = wait_for_events(links, events, promised - total);

        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;
            uint64_t answers = xs_bench_link_take(link);

            total += answers;
            if (sending) {
                link->allowed += answers * ring.out_size;
                promised += answers;
            }
            xs_bench_link_pump(links, link);
        }
        sending = window_step(options, window, total);
    }
    expect_silence(links);
    free(ring.in);
    free(ring.out);
}

/* Who of the subscribers has got how much: message i is done when all have it. */
struct spread {
    uint32_t subscribers;
    uint32_t in_flight;
    uint64_t published;
    uint64_t done; /* messages that all have */
    uint64_t delivered;
    uint32_t *got; /* for each message in flight, how many have it */
};

static void spread_add(struct spread *spread, const struct link *link, uint64_t answers)
{
    if (link->got > spread->published)
        xs_bench_die(EXIT_FAILURE, "client %u got a message twice or before it was published",
                     link->number);
    spread->delivered += answers;
    for (uint64_t i = link->got - answers; i < link->got; i++) {
        uint32_t *got = &spread->got[i % spread->in_flight];

        if (++*got < spread->subscribers)
            continue;
        /* One client gets the messages in order, so the first is the first that all have. */
        *got = 0;
        spread->done++;
    }
}

static void publish(const struct options *options, struct links *links, struct spread *spread)
{
    struct link *publisher = &links->at[0];
    uint64_t more = options->in_flight - (spread->published - spread->done);

    spread->published += more;
    publisher->allowed += more * publisher->sends->out_size;
    xs_bench_link_pump(links, publisher);
}

static void prepare_fanout(const struct options *options, struct links *links)
{
    static const struct hello native = { .path = "/" };
    static struct hello publisher = { .path = "/pub", .subprotocol = "XSocketsNET" };
    static struct hello subscriber = { .path = "/sub", .subprotocol = "XSocketsNET" };
    static struct ring ring, native_ring;

    ring = make_ring(options);
    native_ring = make_native_ring(options, &ring);
    if (!options->limit) {
        publisher.say[0] = "{\"C\":\"chat\",\"T\":\"1\"}";
        publisher.await = "\"T\":\"2\"";
        subscriber.say[0] =
            "{\"C\":\"chat\",\"T\":\"5\",\"D\":\"{\\\"T\\\":\\\"news\\\",\\\"A\\\":true}\"}";
        subscriber.await = "\"T\":\"__news\"";
    }
    links->at[0].hello = &publisher;
    links->at[0].sends = &ring;
    for (uint32_t i = 1; i < links->count; i++) {
        bool is_native = options->protocol == PROTOCOL_NATIVE ||
                         (options->protocol == PROTOCOL_MIXED && i % 2 == 0);

        links->at[i].hello = is_native && !options->limit ? &native : &subscriber;
        links->at[i].expects = is_native && !options->limit ? &native_ring : &ring;
    }
}

static void run_fanout(const struct options *options, struct links *links,
                       struct window *window)
{
    static struct epoll_event events[LINK_TURN];
    struct spread spread = { .subscribers = options->connections,
                             .in_flight = options->in_flight };
    bool sending = true;

    spread.got = must(calloc(options->in_flight, sizeof *spread.got));
    prepare_fanout(options, links);
    xs_bench_links_open(links, 0, links->count);
    window_start(options, window);
    publish(options, links, &spread);
    while (spread.done < spread.published) {
        uint64_t missing = spread.published * spread.subscribers - spread.delivered;
        int count = wait_for_events(links, events, missing);

        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;

            if (link->number == 0 && (events[i].events & EPOLLOUT) != 0)
                xs_bench_link_pump(links, link);
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
                spread_add(&spread, link, xs_bench_link_take(link));
        }
        sending = window_step(options, window, spread.delivered);
        if (sending && spread.published - spread.done < options->in_flight)
            publish(options, links, &spread);
    }
    expect_silence(links);
    free(spread.got);
}

/* Lets the server come to rest; pings are answered meanwhile. */
static uint64_t settled_memory(const struct options *options, const struct links *links)
{
    static struct epoll_event events[LINK_TURN];
    uint64_t end = xs_bench_now() + (uint64_t)SETTLE * 1000000, now, resident;

    while ((now = xs_bench_now()) < end) {
        int count =
            epoll_wait(links->poll, events, LINK_TURN, (int)((end - now) / 1000000) + 1);

        for (int i = 0; i < count; i++)
            xs_bench_link_take(events[i].data.ptr);
    }
    resident = xs_bench_resident(options->pid);
    if (resident == 0)
        xs_bench_die(EXIT_FAILURE, "the memory of process %ld cannot be read",
                     (long)options->pid);
    return resident;
}

static void run_idle(const struct options *options, struct links *links, struct memory *memory)
{
    struct hello hello = { .path = "/?chat=1&lang=en",
                           .subprotocol = subprotocol_of(options->protocol),
                           .browser = true };
    uint64_t begin;

    if (!options->limit && options->protocol == PROTOCOL_XSOCKETSNET) {
        hello.say[0] = "{\"C\":\"generic\",\"T\":\"1\"}";
        hello.say[1] =
            "{\"C\":\"generic\",\"T\":\"5\",\"D\":\"{\\\"T\\\":\\\"news\\\",\\\"A\\\":true}\"}";
        hello.await = "\"T\":\"__news\"";
    }
    for (uint32_t i = 0; i < links->count; i++)
        links->at[i].hello = &hello;
    /* What the server makes once, whoever comes first, is not the price of a client. */
    memory->clients = links->count;
    memory->warm = links->count / 100;
    xs_bench_links_open(links, 0, memory->warm);
    memory->with_warm = settled_memory(options, links);
    begin = xs_bench_now();
    xs_bench_links_open(links, memory->warm, links->count);
    memory->opening = (double)(xs_bench_now() - begin) / 1e9;
    memory->with_all = settled_memory(options, links);
    for (uint32_t i = 0; i < links->count; i++)
        xs_bench_link_reset(&links->at[i]);
    memory->after = settled_memory(options, links);
}

static uint64_t heap_calls(const struct mallocs *heap)
{
    return heap->malloc + heap->calloc + heap->realloc + heap->aligned;
}

static void report_json(const struct options *options, const struct window *window)
{
    double seconds = (double)(window->end - window->begin) / 1e9;
    double messages = (double)(window->last - window->first);

    printf("{\"mode\":\"%s\",\"server\":\"%s\",\"protocol\":\"%s\",\"connections\":%u,"
           "\"in_flight\":%u,\"size\":%zu,\"data\":\"%s\",\"seconds\":%.3f,\"messages\":%.0f,"
           "\"per_second\":%.0f",
           xs_bench_mode_name(options->mode), options->limit ? "limit" : "xsocketsd",
           xs_bench_protocol_name(options->protocol), options->connections, options->in_flight,
           options->size, options->object ? "object" : "string", seconds, messages,
           messages / seconds);
    if (window->cpu)
        printf(",\"user_us\":%.3f,\"system_us\":%.3f", window->user * 1e6 / messages,
               window->system * 1e6 / messages);
    if (window->counters != NULL)
        printf(",\"mallocs\":%.4f,\"frees\":%.4f", (double)heap_calls(&window->heap) / messages,
               (double)window->heap.free / messages);
    puts("}");
}

static void report_text(const struct options *options, const struct window *window)
{
    double seconds = (double)(window->end - window->begin) / 1e9;
    double messages = (double)(window->last - window->first);
    const char *what = options->mode == MODE_FANOUT ? "deliveries" : "messages";

    printf("%s %s %s: %u %s, %zu B %s, %u in flight\n", options->limit ? "limit" : "xsocketsd",
           xs_bench_protocol_name(options->protocol), xs_bench_mode_name(options->mode),
           options->connections, options->mode == MODE_FANOUT ? "subscribers" : "clients",
           options->size, options->object ? "object" : "string", options->in_flight);
    printf("  %.1f k %s/s   (%.0f in %.2f s, each one checked)\n", messages / seconds / 1000,
           what, messages, seconds);
    if (window->cpu)
        printf("  CPU of the server: %.2f us user, %.2f us system for each\n",
               window->user * 1e6 / messages, window->system * 1e6 / messages);
    if (window->counters != NULL)
        printf("  heap: %.4f allocations and %.4f frees for each\n",
               (double)heap_calls(&window->heap) / messages,
               (double)window->heap.free / messages);
}

static void report_memory(const struct options *options, const struct memory *memory)
{
    double added = memory->clients - memory->warm;
    double each = ((double)memory->with_all - (double)memory->with_warm) / added;
    const char *server = options->limit ? "limit" : "xsocketsd";
    const char *protocol = xs_bench_protocol_name(options->protocol);

    if (options->json) {
        printf("{\"mode\":\"idle\",\"server\":\"%s\",\"protocol\":\"%s\",\"connections\":%u,"
               "\"bytes_per_connection\":%.0f,\"resident_warm\":%llu,\"resident\":%llu,"
               "\"resident_after\":%llu,\"opened_per_second\":%.0f}\n",
               server, protocol, memory->clients, each, (unsigned long long)memory->with_warm,
               (unsigned long long)memory->with_all, (unsigned long long)memory->after,
               added / memory->opening);
        return;
    }
    printf("%s %s idle: %u clients\n", server, protocol, memory->clients);
    printf("  %.0f resident bytes for each\n", each);
    printf("  %llu KiB with %u clients, %llu KiB with all, %llu KiB when they had gone\n",
           (unsigned long long)memory->with_warm / 1024, memory->warm,
           (unsigned long long)memory->with_all / 1024,
           (unsigned long long)memory->after / 1024);
    printf("  %.1f k clients/s opened\n", added / memory->opening / 1000);
}

int main(int argc, char **argv)
{
    struct options options = xs_bench_options(argc, argv);
    struct links links;
    struct window window;
    struct memory memory;

    xs_bench_links_init(&links, options.connections + (options.mode == MODE_FANOUT ? 1 : 0),
                        options.host, options.port, options.wait);
    if (options.mode == MODE_ECHO)
        run_echo(&options, &links, &window);
    else if (options.mode == MODE_FANOUT)
        run_fanout(&options, &links, &window);
    else
        run_idle(&options, &links, &memory);
    free(links.at);
    xs_bench_progress_end();
    if (options.mode == MODE_IDLE)
        report_memory(&options, &memory);
    else if (options.json)
        report_json(&options, &window);
    else
        report_text(&options, &window);
    return EXIT_SUCCESS;
}
