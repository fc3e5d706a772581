/* limit - the yardstick: what one thread with epoll and nothing else gets out of this machine.
 *
 * A WebSocket server that knows no JSON and no routing. A connection on the path /sub is a
 * subscriber, what a connection on /pub sends goes to all of them, and on any other path each
 * frame is echoed. Two habits make it fast: one read takes all that is there, and all answers
 * of one read leave in one write. What a real server reaches is told as a share of this. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum {
    BUFFER = 256 * 1024,        /* one read, and what it makes */
    FRAME_MAX = 128 * 1024,     /* so that the unread part of a frame fits before a read */
    HEAD_MAX = 16 * 1024,       /* of the HTTP request */
    GATHER = 1024 * 1024,       /* publishes of one turn */
    OWED_MAX = 4 * 1024 * 1024, /* a subscriber that owes more is cut off */
    TURN = 1024                 /* events of one turn */
};

enum role { HANDSHAKE, ECHO, SUBSCRIBER, PUBLISHER };

struct client {
    int fd;
    uint8_t role;
    uint8_t closing; /* a close frame is on its way out */
    uint8_t cut;     /* has been shut down; the next event drops it */
    uint32_t place;  /* among the subscribers */
    uint32_t rest_len;
    uint8_t *rest; /* the beginning of a frame or of the request, not yet complete */
    uint8_t *owed; /* what the kernel has not taken yet */
    size_t owed_len;
};

static struct {
    int poll, listener;
    struct client **subscribers;
    uint32_t subscriber_count, subscriber_room;
    size_t gathered;
    uint8_t in[BUFFER], out[BUFFER], gather[GATHER];
} server;

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("limit: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

static void watch(struct client *client, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = client };

    epoll_ctl(server.poll, EPOLL_CTL_MOD, client->fd, &event);
}

static void drop(struct client *client)
{
    if (client->role == SUBSCRIBER) {
        struct client *last = server.subscribers[--server.subscriber_count];

        server.subscribers[client->place] = last;
        last->place = client->place;
    }
    close(client->fd);
    free(client->rest);
    free(client->owed);
    free(client);
}

/* Not dropped on the spot: an event for it may wait further on in this turn. */
static void cut(struct client *client)
{
    client->cut = 1;
    shutdown(client->fd, SHUT_RDWR);
}

/* Who owes is not read from, except subscribers, whose writes are not answers to reads. */
static void owe(struct client *client, const uint8_t *at, size_t len)
{
    if (client->owed_len + len > OWED_MAX) {
        cut(client);
        return;
    }
    if (client->owed_len == 0)
        watch(client, client->role == SUBSCRIBER ? EPOLLIN | EPOLLOUT : EPOLLOUT);
    client->owed = must(realloc(client->owed, client->owed_len + len));
    memcpy(client->owed + client->owed_len, at, len);
    client->owed_len += len;
}

static void put(struct client *client, const uint8_t *at, size_t len)
{
    ssize_t sent = 0;

    if (client->cut || len == 0)
        return;
    if (client->owed_len == 0) {
        sent = send(client->fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            cut(client);
            return;
        }
        if (sent < 0)
            sent = 0;
    }
    if ((size_t)sent < len)
        owe(client, at + sent, len - (size_t)sent);
}

static bool on_writable(struct client *client)
{
    ssize_t sent = send(client->fd, client->owed, client->owed_len, MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN;
    client->owed_len -= (size_t)sent;
    memmove(client->owed, client->owed + sent, client->owed_len);
    if (client->owed_len > 0)
        return true;
    free(client->owed);
    client->owed = NULL;
    watch(client, EPOLLIN);
    return !client->closing;
}

static void broadcast(void)
{
    for (uint32_t i = 0; i < server.subscriber_count; i++)
        put(server.subscribers[i], server.gather, server.gathered);
    server.gathered = 0;
}

static void publish(const struct wire_head *head, const uint8_t *payload)
{
    if (server.gathered + head->payload + WIRE_HEAD_MAX > GATHER)
        broadcast();
    server.gathered +=
        xs_bench_head_write(server.gather + server.gathered, head->first, head->payload, NULL);
    xs_bench_mask(server.gather + server.gathered, payload, head->payload, head->mask);
    server.gathered += head->payload;
}

/* Appends the answer to one frame to out[*made]. False: nothing more is read from this one. */
static bool answer(struct client *client, const struct wire_head *head, const uint8_t *payload,
                   size_t *made)
{
    unsigned opcode = head->first & 0x0f;
    uint8_t first = head->first;

    if (opcode == WIRE_PONG)
        return true;
    if (opcode < WIRE_CLOSE && client->role == PUBLISHER) {
        publish(head, payload);
        return true;
    }
    if (opcode < WIRE_CLOSE && client->role == SUBSCRIBER)
        return true;
    if (opcode == WIRE_PING)
        first = 0x80 | WIRE_PONG;
    *made += xs_bench_head_write(server.out + *made, first, head->payload, NULL);
    xs_bench_mask(server.out + *made, payload, head->payload, head->mask);
    *made += head->payload;
    return opcode != WIRE_CLOSE;
}

/* All whole frames of in[from..len); returns where the first one that is not whole begins. An
 * answer is never longer than its frame, so they all fit. */
static size_t take_frames(struct client *client, size_t from, size_t len)
{
    struct wire_head head;
    size_t made = 0;

    while (!client->closing && xs_bench_head_read(server.in + from, len - from, &head)) {
        /* RFC 6455 5.1 and 5.2: a client masks, and no extension was agreed on. */
        if (!head.masked || (head.first & 0x70) != 0 || head.payload > FRAME_MAX) {
            cut(client);
            return len;
        }
        if (len - from < head.size + head.payload)
            break;
        if (!answer(client, &head, server.in + from + head.size, &made))
            client->closing = 1;
        from += head.size + head.payload;
    }
    put(client, server.out, made);
    return from;
}

/* The value of a header, or NULL; *len is set. Enough for the clients of a benchmark. */
static const char *find_header(const char *head, const char *name, size_t *len)
{
    size_t name_len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        line += name_len + 1;
        line += strspn(line, " \t");
        *len = strcspn(line, " ,\r\n");
        return line;
    }
    return NULL;
}

static void choose_role(struct client *client, const char *head)
{
    if (strncmp(head, "GET /pub ", 9) == 0) {
        client->role = PUBLISHER;
        return;
    }
    client->role = ECHO;
    if (strncmp(head, "GET /sub ", 9) != 0)
        return;
    if (server.subscriber_count == server.subscriber_room) {
        server.subscriber_room = server.subscriber_room == 0 ? 64 : server.subscriber_room * 2;
        server.subscribers = must(
            realloc(server.subscribers, server.subscriber_room * sizeof *server.subscribers));
    }
    client->role = SUBSCRIBER;
    client->place = server.subscriber_count;
    server.subscribers[server.subscriber_count++] = client;
}

/* Returns where the frames begin, 0 while the head is not complete. */
static size_t take_handshake(struct client *client, size_t len)
{
    char accept[WIRE_ACCEPT + 1], reply[512];
    const char *key, *protocol, *head = (const char *)server.in;
    size_t key_len, protocol_len = 0;
    char *end = memmem(server.in, len, "\r\n\r\n", 4);
    int reply_len;

    if (end == NULL) {
        if (len > HEAD_MAX)
            cut(client);
        return 0;
    }
    end[2] = '\0';
    key = find_header(head, "Sec-WebSocket-Key", &key_len);
    protocol = find_header(head, "Sec-WebSocket-Protocol", &protocol_len);
    if (strncmp(head, "GET ", 4) != 0 || key == NULL || key_len != 24 || protocol_len > 64) {
        static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

        put(client, (const uint8_t *)refusal, sizeof refusal - 1);
        cut(client);
        return len;
    }
    xs_bench_accept(key, key_len, accept);
    reply_len =
        snprintf(reply, sizeof reply,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%.*s%s\r\n",
                 accept, protocol != NULL ? "Sec-WebSocket-Protocol: " : "", (int)protocol_len,
                 protocol != NULL ? protocol : "", protocol != NULL ? "\r\n" : "");
    choose_role(client, head);
    put(client, (const uint8_t *)reply, (size_t)reply_len);
    return (size_t)(end - head) + 4;
}

static void keep_rest(struct client *client, const uint8_t *at, size_t len)
{
    if (len == 0) {
        free(client->rest);
        client->rest = NULL;
    } else {
        client->rest = must(realloc(client->rest, len));
        memcpy(client->rest, at, len);
    }
    client->rest_len = (uint32_t)len;
}

static bool on_readable(struct client *client)
{
    size_t len = client->rest_len, from = 0;
    ssize_t got;

    if (len > 0)
        memcpy(server.in, client->rest, len);
    got = recv(client->fd, server.in + len, sizeof server.in - len, 0);
    if (got < 0)
        return errno == EAGAIN;
    if (got == 0)
        return false;
    len += (size_t)got;
    if (client->role == HANDSHAKE)
        from = take_handshake(client, len);
    if (client->role != HANDSHAKE)
        from = take_frames(client, from, len);
    if (client->cut)
        return true;
    if (client->closing && client->owed_len == 0)
        return false;
    if (from < len || client->rest_len > 0)
        keep_rest(client, server.in + from, len - from);
    return true;
}

static void on_listener(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int yes = 1, fd;

    while ((fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *client = must(calloc(1, sizeof *client));

        client->fd = fd;
        event.data.ptr = client;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(server.poll, EPOLL_CTL_ADD, fd, &event);
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    /* Level-triggered, a listener that cannot accept would spin. */
    fprintf(stderr, "limit: no more clients are accepted: %s\n", strerror(errno));
    epoll_ctl(server.poll, EPOLL_CTL_DEL, server.listener, NULL);
}

static void on_event(const struct epoll_event *event)
{
    struct client *client = event->data.ptr;
    bool stays = true;

    if (client == NULL) {
        on_listener();
        return;
    }
    if ((event->events & EPOLLOUT) != 0 && client->owed_len > 0)
        stays = on_writable(client);
    if (stays && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        stays = !client->cut && on_readable(client);
    if (!stays)
        drop(client);
}

static void serve(unsigned seconds)
{
    static struct epoll_event events[TURN];
    time_t end = time(NULL) + (time_t)seconds;

    while (!stop && time(NULL) < end) {
        int count = epoll_wait(server.poll, events, TURN, 500);

        for (int i = 0; i < count; i++)
            on_event(&events[i]);
        if (server.gathered > 0)
            broadcast();
    }
}

static void listen_on(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct epoll_event event = { .events = EPOLLIN };
    socklen_t len = sizeof address;
    int yes = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.poll = epoll_create1(EPOLL_CLOEXEC);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server.listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server.listener, 4096) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&address, &len) != 0 ||
        epoll_ctl(server.poll, EPOLL_CTL_ADD, server.listener, &event) != 0) {
        fprintf(stderr, "limit: cannot listen on 127.0.0.1:%u: %s\n", port, strerror(errno));
        exit(73);
    }
    printf("port %u\n", ntohs(address.sin_port));
    fflush(stdout);
}

static unsigned number(const char *option, const char *text, unsigned long max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value > max) {
        fprintf(stderr, "limit: --%s wants a number from 0 to %lu, not \"%s\"\n", option, max,
                text);
        exit(64);
    }
    return (unsigned)value;
}

static void help(void)
{
    puts("limit - a bare epoll WebSocket server, the yardstick of xsockets-bench\n"
         "\n"
         "  limit [--port N] [--seconds N]\n"
         "\n"
         "  --port N      listen on 127.0.0.1:N; 0, the default, takes a free port\n"
         "  --seconds N   end by itself after this time (600)\n"
         "  --help        this\n"
         "\n"
         "Prints \"port N\" when it listens. A connection on the path /sub is a subscriber,\n"
         "frames that come from the path /pub go to all subscribers, and every other path\n"
         "echoes. TERM and INT end it.");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "seconds", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct sigaction action = { .sa_handler = on_signal };
    unsigned port = 0, seconds = 600;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h') {
            help();
            return EXIT_SUCCESS;
        }
        if (option == 'p')
            port = number("port", optarg, 65535);
        else if (option == 's')
            seconds = number("seconds", optarg, 86400);
        else
            return 64;
    }
    if (optind < argc) {
        fprintf(stderr, "limit: \"%s\" is not understood; see --help\n", argv[optind]);
        return 64;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    xs_bench_raise_files();
    listen_on((uint16_t)port);
    serve(seconds);
    return EXIT_SUCCESS;
}
