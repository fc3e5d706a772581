/* link - one WebSocket client of the benchmark, from connect() to the first message. */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "options.h"

enum {
    AT_ONCE = 64,     /* clients that are being opened */
    STALL = 10 * 1000 /* ms without any event while some are */
};

static const char unreachable[] = "cannot connect to %s:%u: %s";
enum { EXIT_UNREACHABLE = 69 };

void xs_bench_random(void *at, size_t len)
{
    static uint64_t state;
    uint8_t *bytes = at;

    while (state == 0) {
        if (getrandom(&state, sizeof state, 0) != (ssize_t)sizeof state)
            state = xs_bench_now();
    }
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 32);
    }
}

static void watch(struct links *links, struct link *link, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = link };

    if (epoll_ctl(links->poll, operation, link->fd, &event) != 0)
        xs_bench_die(EXIT_FAILURE, "epoll_ctl: %s", strerror(errno));
}

static int new_socket(int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), yes = 1;

    if (fd < 0)
        xs_bench_die(EXIT_FAILURE, "no more sockets: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void wait_for_server(const struct links *links, const char *host, uint64_t wait)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    uint64_t end = xs_bench_now() + wait;

    for (;;) {
        int fd = new_socket(0);
        int result =
            connect(fd, (const struct sockaddr *)&links->address, sizeof links->address);
        int error = errno;

        close(fd);
        if (result == 0)
            return;
        if (error != ECONNREFUSED || xs_bench_now() >= end)
            xs_bench_die(EXIT_UNREACHABLE, unreachable, host, ntohs(links->address.sin_port),
                         strerror(error));
        nanosleep(&pause, NULL);
    }
}

void xs_bench_links_init(struct links *links, uint32_t count, const char *host, uint16_t port,
                         uint64_t wait)
{
    uint64_t files = xs_bench_raise_files();

    if (count + UINT64_C(16) > files)
        xs_bench_die(EXIT_FAILURE, "%u clients need %llu open files, the hard limit is %llu",
                     count, (unsigned long long)count + 16, (unsigned long long)files);
    *links = (struct links){ .poll = epoll_create1(EPOLL_CLOEXEC), .count = count };
    links->address.sin_family = AF_INET;
    links->address.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &links->address.sin_addr) != 1)
        xs_bench_die(64, "--host wants an IPv4 address, not \"%s\"", host);
    links->at = calloc(count, sizeof *links->at);
    if (links->at == NULL || links->poll < 0)
        xs_bench_die(EXIT_FAILURE, "no memory for %u clients", count);
    for (uint32_t i = 0; i < count; i++)
        links->at[i].number = i;
    wait_for_server(links, host, wait);
}

static void begin(struct links *links, struct link *link)
{
    link->fd = new_socket(SOCK_NONBLOCK);
    link->state = LINK_CONNECTING;
    if (connect(link->fd, (const struct sockaddr *)&links->address, sizeof links->address) !=
            0 &&
        errno != EINPROGRESS)
        xs_bench_die(EXIT_UNREACHABLE, "client %u cannot connect: %s", link->number,
                     strerror(errno));
    watch(links, link, EPOLL_CTL_ADD, EPOLLOUT);
}

/* Before the load begins everything is small and the socket empty: one send takes it. */
static void put(const struct link *link, const void *at, size_t len)
{
    if (send(link->fd, at, len, MSG_NOSIGNAL) != (ssize_t)len)
        xs_bench_die(EXIT_FAILURE, "client %u cannot send: %s", link->number, strerror(errno));
}

static void put_frame(const struct link *link, uint8_t first, const void *payload, size_t len)
{
    uint8_t frame[1024], mask[4];
    size_t size;

    if (len > sizeof frame - WIRE_HEAD_MAX)
        len = sizeof frame - WIRE_HEAD_MAX;
    xs_bench_random(mask, sizeof mask);
    size = xs_bench_head_write(frame, first, len, mask);
    xs_bench_mask(frame + size, payload, len, mask);
    put(link, frame, size + len);
}

/* What a browser adds to the request, with cookies of a usual length. */
static const char browser_headers[] =
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,sv;q=0.8\r\n"
    "Cookie: session=5f0c1d3ab2e84f6c9d7e0b1a2c3d4e5f; theme=dark; consent=2024-05-01; "
    "visitor=0d9a7c52-8f1e-4b6d-a3c4-5e6f7a8b9c0d\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

static void put_request(const struct links *links, struct link *link)
{
    const struct hello *hello = link->hello;
    unsigned char random[16];
    char request[2048], host[INET_ADDRSTRLEN];
    int len;

    xs_bench_random(random, sizeof random);
    EVP_EncodeBlock((unsigned char *)link->key, random, sizeof random);
    inet_ntop(AF_INET, &links->address.sin_addr, host, sizeof host);
    len = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: Upgrade\r\n"
                   "Upgrade: websocket\r\nOrigin: http://%s\r\nSec-WebSocket-Version: 13\r\n"
                   "%sSec-WebSocket-Key: %s\r\n%s%s%s\r\n",
                   hello->path, host, ntohs(links->address.sin_port), host,
                   hello->browser ? browser_headers : "", link->key,
                   hello->subprotocol != NULL ? "Sec-WebSocket-Protocol: " : "",
                   hello->subprotocol != NULL ? hello->subprotocol : "",
                   hello->subprotocol != NULL ? "\r\n" : "");
    put(link, request, (size_t)len);
}

static void on_connected(struct links *links, struct link *link)
{
    int error = 0;
    socklen_t len = sizeof error;

    getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0)
        xs_bench_die(EXIT_UNREACHABLE, "client %u cannot connect: %s", link->number,
                     strerror(error));
    put_request(links, link);
    link->state = LINK_GREETING;
    watch(links, link, EPOLL_CTL_MOD, EPOLLIN);
}

/* Reads once behind what was left over; returns how much there is now. */
static size_t fill(struct link *link, uint8_t *buffer)
{
    size_t len = link->rest_len;
    ssize_t got;

    if (len > 0)
        memcpy(buffer, link->rest, len);
    got = recv(link->fd, buffer + len, LINK_BUFFER - len, 0);
    if (got == 0)
        xs_bench_die(EXIT_FAILURE, "the server closed the connection of client %u",
                     link->number);
    if (got < 0 && errno != EAGAIN)
        xs_bench_die(EXIT_FAILURE, "client %u cannot read: %s", link->number, strerror(errno));
    return got < 0 ? len : len + (size_t)got;
}

static void keep_rest(struct link *link, const uint8_t *at, size_t len)
{
    if (len == 0) {
        free(link->rest);
        link->rest = NULL;
    } else {
        link->rest = realloc(link->rest, len);
        if (link->rest == NULL)
            xs_bench_die(EXIT_FAILURE, "out of memory");
        memcpy(link->rest, at, len);
    }
    link->rest_len = len;
}

/* Reads one frame; returns its length, 0 when it is not whole yet. Pings are answered here, a
 * close is the end. */
static size_t take_frame(const struct link *link, const uint8_t *at, size_t len,
                         struct wire_head *head)
{
    const uint8_t *payload;

    if (!xs_bench_head_read(at, len, head))
        return 0;
    if (head->masked || (head->first & 0x70) != 0)
        xs_bench_die(EXIT_FAILURE, "client %u got a frame that is masked or has an RSV bit set",
                     link->number);
    if (head->payload > LINK_BUFFER / 2)
        xs_bench_die(EXIT_FAILURE, "client %u got a frame of %llu bytes", link->number,
                     (unsigned long long)head->payload);
    if (len < head->size + head->payload)
        return 0;
    payload = at + head->size;
    /* Not into the middle of a message of which the kernel has taken a part. */
    if ((head->first & 0x0f) == WIRE_PING && !link->blocked)
        put_frame(link, 0x80 | WIRE_PONG, payload, head->payload);
    if ((head->first & 0x0f) == WIRE_CLOSE)
        xs_bench_die(EXIT_FAILURE, "the server closed the connection of client %u: %u %.*s",
                     link->number, head->payload < 2 ? 1005U : payload[0] * 256U + payload[1],
                     head->payload < 2 ? 0 : (int)head->payload - 2,
                     (const char *)payload + (head->payload < 2 ? 0 : 2));
    return head->size + head->payload;
}

static bool is_data(const struct wire_head *head)
{
    return (head->first & 0x0f) < WIRE_CLOSE;
}

/* Returns where the frames begin, 0 while the head of the answer is not complete. */
static size_t check_answer(const struct link *link, const uint8_t *at, size_t len)
{
    char accept[WIRE_ACCEPT + 1], head[4096];
    const uint8_t *end = memmem(at, len, "\r\n\r\n", 4);

    if (end == NULL && len < sizeof head)
        return 0;
    if (end == NULL)
        xs_bench_die(EXIT_FAILURE, "the answer to the handshake of client %u has no end",
                     link->number);
    snprintf(head, sizeof head, "%.*s", (int)(end - at), (const char *)at);
    if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
        xs_bench_die(EXIT_FAILURE, "the handshake of client %u was refused: %.*s", link->number,
                     (int)strcspn(head, "\r\n"), head);
    xs_bench_accept(link->key, 24, accept);
    if (strstr(head, accept) == NULL)
        xs_bench_die(EXIT_FAILURE, "client %u got a wrong Sec-WebSocket-Accept", link->number);
    if (link->hello->subprotocol != NULL && strstr(head, link->hello->subprotocol) == NULL)
        xs_bench_die(EXIT_FAILURE, "client %u did not get the subprotocol %s", link->number,
                     link->hello->subprotocol);
    return (size_t)(end - at) + 4;
}

static void on_greeted(struct link *link)
{
    const struct hello *hello = link->hello;

    for (size_t i = 0; hello->say[i] != NULL; i++)
        put_frame(link, 0x80 | WIRE_TEXT, hello->say[i], strlen(hello->say[i]));
    link->state = hello->await != NULL ? LINK_OPENING : LINK_READY;
}

static void on_opening(struct link *link, const uint8_t *payload, size_t len)
{
    /* Inside D each quote is escaped, so this is found in the envelope alone. */
    static const char error[] = "\"T\":\"4\"";

    if (memmem(payload, len, link->hello->await, strlen(link->hello->await)) != NULL)
        link->state = LINK_READY;
    else if (memmem(payload, len, error, sizeof error - 1) != NULL)
        xs_bench_die(EXIT_FAILURE, "client %u was answered %.*s", link->number, (int)len,
                     (const char *)payload);
}

static void on_setup_readable(struct link *link)
{
    static uint8_t buffer[LINK_BUFFER];
    size_t len = fill(link, buffer), from = 0, size;
    struct wire_head head;

    if (link->state == LINK_GREETING) {
        from = check_answer(link, buffer, len);
        if (from > 0)
            on_greeted(link);
    }
    while (link->state >= LINK_OPENING &&
           (size = take_frame(link, buffer + from, len - from, &head)) > 0) {
        const uint8_t *payload = buffer + from + head.size;

        if (is_data(&head) && link->state == LINK_READY)
            xs_bench_die(EXIT_FAILURE, "client %u did not ask for %.*s", link->number,
                         (int)head.payload, (const char *)payload);
        if (is_data(&head))
            on_opening(link, payload, head.payload);
        from += size;
    }
    keep_rest(link, buffer + from, len - from);
}

void xs_bench_links_open(struct links *links, uint32_t from, uint32_t to)
{
    static struct epoll_event events[LINK_TURN];
    uint32_t begun = from, ready = from;

    while (ready < to) {
        int count;

        while (begun < to && begun - ready < AT_ONCE)
            begin(links, &links->at[begun++]);
        count = epoll_wait(links->poll, events, LINK_TURN, STALL);
        if (count == 0)
            xs_bench_die(EXIT_FAILURE, "%u of %u clients are open and no answer comes", ready,
                         to);
        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;
            bool was_ready = link->state == LINK_READY;

            if (link->state == LINK_CONNECTING)
                on_connected(links, link);
            else
                on_setup_readable(link);
            if (!was_ready && link->state == LINK_READY)
                ready++;
        }
        xs_bench_progress("opening %u of %u clients", ready, to);
    }
}

void xs_bench_link_pump(struct links *links, struct link *link)
{
    const struct ring *ring = link->sends;
    size_t at = (size_t)(link->sent % (ring->out_size * ring->count));
    ssize_t sent;

    if (link->sent == link->allowed)
        return;
    sent = send(link->fd, ring->out + at, (size_t)(link->allowed - link->sent), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        xs_bench_die(EXIT_FAILURE, "client %u cannot send: %s", link->number, strerror(errno));
    if (sent > 0)
        link->sent += (uint64_t)sent;
    if (link->blocked == (link->sent < link->allowed))
        return;
    link->blocked = !link->blocked;
    watch(links, link, EPOLL_CTL_MOD, link->blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void wrong(const struct link *link, const uint8_t *at, size_t len,
                  const uint8_t *expected)
{
    struct wire_head head, wanted;

    xs_bench_head_read(at, len, &head);
    xs_bench_head_read(expected, link->expects->in_size, &wanted);
    xs_bench_die(EXIT_FAILURE, "message %llu of client %u is\n  %.*s\nand not\n  %.*s",
                 (unsigned long long)link->got, link->number, (int)head.payload,
                 (const char *)at + head.size, (int)wanted.payload,
                 (const char *)expected + wanted.size);
}

/* Counts the answers at the beginning of at[0..len) that are byte for byte those expected. */
static size_t match(const struct link *link, const uint8_t *at, size_t len)
{
    const struct ring *ring = link->expects;
    size_t whole = len / ring->in_size, matched = 0;

    while (matched < whole) {
        size_t index = (size_t)((link->got + matched) % ring->count);
        size_t run = ring->count - index;

        if (run > whole - matched)
            run = whole - matched;
        if (memcmp(at, ring->in + index * ring->in_size, run * ring->in_size) != 0)
            run = 1;
        if (memcmp(at, ring->in + index * ring->in_size, run * ring->in_size) != 0)
            break;
        matched += run;
        at += run * ring->in_size;
    }
    return matched;
}

uint64_t xs_bench_link_take(struct link *link)
{
    static uint8_t buffer[LINK_BUFFER];
    const struct ring *ring = link->expects;
    size_t len = fill(link, buffer), from = 0, size;
    uint64_t before = link->got;
    struct wire_head head;

    for (;;) {
        size_t matched = ring != NULL ? match(link, buffer + from, len - from) : 0;

        link->got += matched;
        from += matched * (ring != NULL ? ring->in_size : 0);
        /* What is left is the beginning of an answer, a control frame, or an error. */
        size = take_frame(link, buffer + from, len - from, &head);
        if (size == 0)
            break;
        if (is_data(&head) && ring == NULL)
            xs_bench_die(EXIT_FAILURE, "client %u did not ask for %.*s", link->number,
                         (int)head.payload, (const char *)buffer + from + head.size);
        if (is_data(&head))
            wrong(link, buffer + from, len - from,
                  ring->in + (link->got % ring->count) * ring->in_size);
        from += size;
    }
    if (from < len || link->rest_len > 0)
        keep_rest(link, buffer + from, len - from);
    return link->got - before;
}

void xs_bench_link_reset(struct link *link)
{
    const struct linger at_once = { .l_onoff = 1 };

    if (link->state == LINK_CLOSED)
        return;
    setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(link->fd);
    free(link->rest);
    link->rest = NULL;
    link->rest_len = 0;
    link->state = LINK_CLOSED;
}
