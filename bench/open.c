/* open - from connect() to a connection that is ready: handshake, hellos, subscriptions. */
#include "open.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inflate.h"
#include "wire.h"

enum {
    AT_ONCE = 64,       /* clients that are being opened */
    STALL = 30 * 1000,  /* ms without any event while some are */
    ANSWER_MAX = 16384, /* bytes of the head that answers a handshake */
    FRAME_MAX = 1 << 20 /* of a message during the opening */
};

struct opening {
    char key[25];
    struct bytes out, in;
    size_t sent; /* of `out` */
    struct bytes await;
    bool connected, closed;
};

__attribute__((format(printf, 3, 4))) static enum opened fail(struct links *links, int code,
                                                              const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(links->failure, sizeof links->failure, format, list);
    va_end(list);
    links->code = code;
    return OPEN_FAILED;
}

/* ---- the server's address ---- */

static void look_up(struct links *links)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    int result = getaddrinfo(links->host, links->port, &hints, &found);

    if (result != 0)
        xs_bench_die(EXIT_UNREACHABLE, "%s:%s: %s", links->host, links->port,
                     gai_strerror(result));
    memcpy(&links->address, found->ai_addr, found->ai_addrlen);
    links->address_len = found->ai_addrlen;
    freeaddrinfo(found);
}

static int new_socket(const struct links *links, int flags)
{
    int fd = socket(links->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), yes = 1;

    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void wait_for_server(const struct links *links, uint64_t wait)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    uint64_t end = xs_bench_now() + wait;

    for (;;) {
        int fd = new_socket(links, 0);
        int result = connect(fd, (const struct sockaddr *)&links->address, links->address_len);
        int error = errno;

        close(fd);
        if (result == 0)
            return;
        if (error != ECONNREFUSED || xs_bench_now() >= end)
            xs_bench_die(EXIT_UNREACHABLE, "cannot connect to %s:%s: %s", links->host,
                         links->port, strerror(error));
        nanosleep(&pause, NULL);
    }
}

void xs_bench_links_init(struct links *links, const struct options *options, uint32_t count)
{
    uint64_t files = xs_bench_raise_files();

    if (count + UINT64_C(16) > files)
        xs_bench_die(EXIT_FAILURE, "%u clients need %llu open files, the hard limit is %llu",
                     count, (unsigned long long)count + 16, (unsigned long long)files);
    *links = (struct links){ .poll = epoll_create1(EPOLL_CLOEXEC),
                             .count = count,
                             .host = options->host,
                             .port = options->port,
                             .topic = "news",
                             .topics = 1,
                             .every = 1,
                             .until_now = 1 };
    if (links->poll < 0)
        xs_bench_die(EXIT_FAILURE, "epoll_create1: %s", strerror(errno));
    links->at = xs_bench_must(calloc(count, sizeof *links->at));
    links->buffer = xs_bench_must(malloc(LINK_BUFFER));
    for (uint32_t i = 0; i < count; i++)
        links->at[i].receiver.number = i;
    look_up(links);
    wait_for_server(links, options->wait);
}

/* ---- what is said ---- */

/* `into` gets the template, in a frame if this is a WebSocket. */
static void say(struct bytes *into, const struct links *links, const struct link *link,
                const struct template *template, uint32_t topic)
{
    char name[TOPIC_NAME];
    const struct values values = { .payload = "",
                                   .topic = name,
                                   .controller = link->speech->controller,
                                   .number = link->receiver.number };
    struct bytes text = { 0 };

    if (template->count == 0)
        return;
    xs_bench_topic(name, links->topic, links->topics, topic);
    xs_bench_template_put(template, &values, &text);
    if (link->speech->ws)
        xs_bench_put_frame(into, 0x80 | WIRE_TEXT, text.at, text.len);
    else
        xs_bench_put(into, text.at, text.len);
    xs_bench_free(&text);
}

/* The same, without a frame. */
static void expand(struct bytes *into, const struct links *links, const struct link *link,
                   const struct template *template, uint32_t topic)
{
    char name[TOPIC_NAME];
    const struct values values = { .payload = "",
                                   .topic = name,
                                   .controller = link->speech->controller,
                                   .number = link->receiver.number };

    into->len = 0;
    xs_bench_topic(name, links->topic, links->topics, topic);
    xs_bench_template_put(template, &values, into);
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

static void put_text(struct bytes *to, const char *text)
{
    xs_bench_put(to, text, strlen(text));
}

static void put_request(struct links *links, struct link *link)
{
    const struct speech *speech = link->speech;
    bool v6 = strchr(links->host, ':') != NULL;
    unsigned char random[16];
    struct bytes path = { 0 };
    char text[512];

    xs_bench_random(random, sizeof random);
    EVP_EncodeBlock((unsigned char *)link->opening->key, random, sizeof random);
    expand(&path, links, link, &speech->path, 0);
    put_text(&link->opening->out, "GET ");
    xs_bench_put(&link->opening->out, path.at, path.len);
    xs_bench_free(&path);
    snprintf(text, sizeof text,
             " HTTP/1.1\r\nHost: %s%.200s%s:%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Origin: http://%s%.200s%s\r\nSec-WebSocket-Version: 13\r\n",
             v6 ? "[" : "", links->host, v6 ? "]" : "", links->port, v6 ? "[" : "", links->host,
             v6 ? "]" : "");
    put_text(&link->opening->out, text);
    put_text(&link->opening->out, speech->browser ? browser_headers : "");
    if (speech->deflate && !speech->browser)
        put_text(&link->opening->out,
                 "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                 "client_no_context_takeover\r\n");
    put_text(&link->opening->out, "Sec-WebSocket-Key: ");
    put_text(&link->opening->out, link->opening->key);
    if (speech->subprotocol != NULL) {
        put_text(&link->opening->out, "\r\nSec-WebSocket-Protocol: ");
        put_text(&link->opening->out, speech->subprotocol);
    }
    put_text(&link->opening->out, "\r\n\r\n");
}

/* Goes through the states that need nothing from the server. */
static void go_on(struct links *links, struct link *link)
{
    const struct speech *speech = link->speech;
    struct opening *opening = link->opening;

    if (link->state == LINK_GREETING) {
        for (size_t i = 0; i < speech->hellos; i++)
            say(&opening->out, links, link, &speech->hello[i], 0);
        expand(&opening->await, links, link, &speech->await, 0);
        link->state = LINK_AWAITING;
    }
    if (link->state == LINK_AWAITING && opening->await.len == 0) {
        uint32_t last = link->topic;

        for (uint32_t i = 0; i < link->topic_count || i == 0; i++) {
            last = link->topic + i * link->topic_step;
            say(&opening->out, links, link, &speech->subscribe, last);
        }
        say(&opening->out, links, link, &speech->after, last);
        expand(&opening->await, links, link, &speech->subscribed, last);
        link->state = LINK_SUBSCRIBING;
    }
    if (link->state == LINK_SUBSCRIBING && opening->await.len == 0)
        link->state = LINK_READY;
}

/* ---- what is answered ---- */

/* One step further when `at` holds what is awaited; returns where that ends, 0 if it does not.
 */
static size_t look_for(struct links *links, struct link *link, const uint8_t *at, size_t len)
{
    struct bytes *await = &link->opening->await;
    const uint8_t *found = memmem(at, len, await->at, await->len);

    if (found == NULL)
        return 0;
    len = (size_t)(found - at) + await->len;
    await->len = 0;
    go_on(links, link);
    return len;
}

static enum opened refused(struct links *links, const struct link *link, const uint8_t *at,
                           size_t len)
{
    const struct bytes *sign = &link->speech->refused;

    if (sign->len == 0 || memmem(at, len, sign->at, sign->len) == NULL)
        return OPEN_MORE;
    return fail(links, EXIT_FAILURE, "client %u was answered %.*s", link->receiver.number,
                (int)(len < 200 ? len : 200), (const char *)at);
}

/* Returns where the frames begin, 0 while the head of the answer is not complete; SIZE_MAX: it
 * is none. */
static size_t check_answer(struct links *links, const struct link *link)
{
    const struct bytes *in = &link->opening->in;
    const uint8_t *end = memmem(in->at, in->len, "\r\n\r\n", 4);
    uint32_t number = link->receiver.number;
    char accept[WIRE_ACCEPT + 1], head[ANSWER_MAX];

    if (end == NULL && in->len < sizeof head)
        return 0;
    snprintf(head, sizeof head, "%.*s", end == NULL ? 200 : (int)(end - in->at),
             (const char *)in->at);
    xs_bench_accept(link->opening->key, 24, accept);
    if (end == NULL || strncmp(head, "HTTP/1.1 101 ", 13) != 0)
        fail(links, EXIT_FAILURE, "the handshake of client %u was refused: %.*s", number,
             (int)strcspn(head, "\r\n"), head);
    else if (strstr(head, accept) == NULL)
        fail(links, EXIT_FAILURE, "client %u got a wrong Sec-WebSocket-Accept", number);
    else if (link->speech->subprotocol != NULL &&
             strstr(head, link->speech->subprotocol) == NULL)
        fail(links, EXIT_FAILURE, "client %u did not get the subprotocol %s", number,
             link->speech->subprotocol);
    /* (Messages that depend on those before cannot be compared with frames seen earlier.) */
    else if (link->speech->deflate && (strstr(head, "permessage-deflate") == NULL ||
                                       strstr(head, "server_no_context_takeover") == NULL))
        fail(links, EXIT_FAILURE,
             "the server does not agree to permessage-deflate; server_no_context_takeover");
    else
        return (size_t)(end - in->at) + 4;
    return SIZE_MAX;
}

static enum opened take_message(struct links *links, struct link *link, const uint8_t *at,
                                size_t len)
{
    return look_for(links, link, at, len) > 0 ? OPEN_MORE : refused(links, link, at, len);
}

static enum opened take_packed(struct links *links, struct link *link, const uint8_t *payload,
                               size_t len)
{
    struct bytes plain = { 0 };
    enum opened opened;

    if (xs_bench_inflate(&plain, payload, len, FRAME_MAX))
        opened = take_message(links, link, plain.at, plain.len);
    else
        opened = fail(links, EXIT_FAILURE, "client %u got a message that cannot be unpacked",
                      link->receiver.number);
    xs_bench_free(&plain);
    return opened;
}

static enum opened take_frame(struct links *links, struct link *link,
                              const struct wire_head *head, const uint8_t *payload)
{
    size_t len = (size_t)head->payload;

    if ((head->first & 0x0f) == WIRE_PING)
        xs_bench_put_frame(&link->opening->out, 0x80 | WIRE_PONG, payload, len);
    if ((head->first & 0x0f) == WIRE_CLOSE)
        return fail(links, EXIT_FAILURE,
                    "the server closed the connection of client %u: %u %.*s",
                    link->receiver.number, len < 2 ? 1005U : payload[0] * 256U + payload[1],
                    len < 2 ? 0 : (int)len - 2, (const char *)payload + (len < 2 ? 0 : 2));
    if ((head->first & 0x08) != 0)
        return OPEN_MORE;
    if ((head->first & 0x40) != 0)
        return take_packed(links, link, payload, len);
    return take_message(links, link, payload, len);
}

static enum opened take_frames(struct links *links, struct link *link)
{
    /* (A browser's headers offer permessage-deflate, too.) */
    uint8_t forbidden = link->speech->deflate || link->speech->browser ? 0x30 : 0x70;
    struct bytes *in = &link->opening->in;
    enum opened opened = OPEN_MORE;
    struct wire_head head;
    size_t from = 0;

    if (link->state == LINK_GREETING) {
        from = check_answer(links, link);
        if (from == SIZE_MAX)
            return OPEN_FAILED;
        if (from == 0)
            return OPEN_MORE;
        go_on(links, link);
    }
    while (opened == OPEN_MORE && link->state != LINK_READY &&
           xs_bench_head_read(in->at + from, in->len - from, &head)) {
        if (head.masked || (head.first & forbidden) != 0 || head.payload > FRAME_MAX ||
            ((head.first & 0x08) != 0 && head.payload > 125))
            return fail(links, EXIT_FAILURE, "client %u got a frame that RFC 6455 forbids",
                        link->receiver.number);
        if (in->len - from < head.size + head.payload)
            break;
        opened = take_frame(links, link, &head, in->at + from + head.size);
        from += head.size + (size_t)head.payload;
    }
    xs_bench_cut(in, from);
    return opened;
}

static enum opened take_bytes(struct links *links, struct link *link)
{
    struct bytes *in = &link->opening->in;
    size_t taken;

    while (link->state != LINK_READY && (taken = look_for(links, link, in->at, in->len)) > 0)
        xs_bench_cut(in, taken);
    return link->state == LINK_READY ? OPEN_MORE : refused(links, link, in->at, in->len);
}

/* ---- the steps ---- */

static void forget(struct link *link)
{
    if (link->opening == NULL)
        return;
    xs_bench_free(&link->opening->out);
    xs_bench_free(&link->opening->in);
    xs_bench_free(&link->opening->await);
    free(link->opening);
    link->opening = NULL;
}

void xs_bench_links_fini(struct links *links)
{
    for (uint32_t i = 0; i < links->count; i++) {
        forget(&links->at[i]);
        xs_bench_receive_free(&links->at[i].receiver);
        xs_bench_link_reset(&links->at[i]);
    }
    free(links->at);
    free(links->buffer);
    close(links->poll);
}

static enum opened give_up(struct link *link)
{
    forget(link);
    xs_bench_link_reset(link);
    return OPEN_FAILED;
}

static enum opened write_all(struct links *links, struct link *link)
{
    struct opening *opening = link->opening;

    while (opening->sent < opening->out.len) {
        ssize_t sent = send(link->fd, opening->out.at + opening->sent,
                            opening->out.len - opening->sent, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN)
            return OPEN_MORE;
        if (sent < 0)
            return fail(links, opening->connected ? EXIT_FAILURE : EXIT_UNREACHABLE,
                        "client %u cannot %s: %s", link->receiver.number,
                        opening->connected ? "send" : "connect", strerror(errno));
        opening->connected = true;
        opening->sent += (size_t)sent;
    }
    opening->out.len = opening->sent = 0;
    return OPEN_MORE;
}

enum opened xs_bench_open_begin(struct links *links, struct link *link)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = link };

    link->fd = new_socket(links, SOCK_NONBLOCK);
    if (link->fd < 0)
        return fail(links, EXIT_FAILURE, "no more sockets: %s", strerror(errno));
    link->state = LINK_GREETING;
    link->receiver.ended = false;
    link->opening = xs_bench_must(calloc(1, sizeof *link->opening));
    if (connect(link->fd, (const struct sockaddr *)&links->address, links->address_len) != 0 &&
        errno != EINPROGRESS) {
        fail(links, EXIT_UNREACHABLE, "client %u cannot connect: %s", link->receiver.number,
             strerror(errno));
        return give_up(link);
    }
    if (epoll_ctl(links->poll, EPOLL_CTL_ADD, link->fd, &event) != 0) {
        fail(links, EXIT_FAILURE, "epoll_ctl: %s", strerror(errno));
        return give_up(link);
    }
    if (link->speech->ws)
        put_request(links, link);
    else
        go_on(links, link);
    /* Over loopback the connection is there already. */
    return write_all(links, link) == OPEN_FAILED ? give_up(link) : OPEN_MORE;
}

/* Who has sent something is connected; who has nothing to say is asked. */
static enum opened look_connected(struct links *links, struct link *link)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(int), peer_len = sizeof peer;
    int error = 0;

    if (link->opening->connected)
        return OPEN_MORE;
    getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0)
        return fail(links, EXIT_UNREACHABLE, "client %u cannot connect: %s",
                    link->receiver.number, strerror(error));
    link->opening->connected = getpeername(link->fd, (struct sockaddr *)&peer, &peer_len) == 0;
    return OPEN_MORE;
}

/* Events are edges here too: see xs_bench_link_take. */
static enum opened read_all(struct links *links, struct link *link, uint32_t events)
{
    bool to_the_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    ssize_t got;

    do {
        got = recv(link->fd, links->buffer, LINK_BUFFER, 0);
        if (got < 0 && errno == EAGAIN)
            return OPEN_MORE;
        if (got < 0)
            return fail(links, EXIT_FAILURE, "the connection of client %u was reset: %s",
                        link->receiver.number, strerror(errno));
        link->opening->closed = got == 0;
        xs_bench_put(&link->opening->in, links->buffer, (size_t)got);
    } while (got > 0 && (to_the_end || got == LINK_BUFFER));
    return OPEN_MORE;
}

enum opened xs_bench_open_step(struct links *links, struct link *link, uint32_t events)
{
    enum opened opened = look_connected(links, link);

    if (opened == OPEN_MORE && !link->opening->connected)
        return OPEN_MORE;
    if (opened == OPEN_MORE)
        opened = read_all(links, link, events);
    if (opened == OPEN_MORE && link->state != LINK_READY && link->opening->in.len > 0)
        opened = link->speech->ws ? take_frames(links, link) : take_bytes(links, link);
    /* (What came before the end may have been more telling.) */
    if (opened == OPEN_MORE && link->opening->closed)
        opened = fail(links, EXIT_FAILURE, "the server closed the connection of client %u",
                      link->receiver.number);
    if (opened == OPEN_MORE)
        opened = write_all(links, link);
    if (opened == OPEN_FAILED)
        return give_up(link);
    if (link->state != LINK_READY || link->opening->out.len > 0)
        return OPEN_MORE;
    /* What came behind is for the run. */
    if (link->opening->in.len > 0 && link->receiver.rules != NULL)
        xs_bench_receive(&link->receiver, link->opening->in.at, link->opening->in.len);
    forget(link);
    return OPEN_READY;
}

void xs_bench_links_open(struct links *links, uint32_t from, uint32_t to)
{
    static struct epoll_event events[LINK_TURN];
    uint32_t begun = from, ready = from;

    while (ready < to) {
        int count;

        while (begun < to && begun - ready < AT_ONCE) {
            if (xs_bench_open_begin(links, &links->at[begun++]) == OPEN_FAILED)
                xs_bench_die(links->code, "%s", links->failure);
        }
        count = epoll_wait(links->poll, events, LINK_TURN, STALL);
        if (count == 0)
            xs_bench_die(EXIT_FAILURE, "%u of %u clients are open and no answer comes", ready,
                         to);
        for (int i = 0; i < count; i++) {
            struct link *link = events[i].data.ptr;

            if (link->state == LINK_CLOSED)
                continue;
            if (link->opening == NULL) {
                xs_bench_link_take(links, link, events[i].events);
                continue;
            }
            switch (xs_bench_open_step(links, link, events[i].events)) {
            case OPEN_FAILED:
                xs_bench_die(links->code, "%s", links->failure);
            case OPEN_READY:
                ready++;
                break;
            case OPEN_MORE:
                break;
            }
        }
        if (xs_bench_progress_due(xs_bench_now()))
            xs_bench_progress("opening %u of %u clients", ready, to);
    }
}
