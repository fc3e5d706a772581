/* lws - a server with libwebsockets as a peer for bench/compare.
 *
 * Prints "port N" when it listens on 127.0.0.1. What comes in on the path /echo goes back. On
 * the path /room the message "subscribe" makes a connection a subscriber, which "subscribed"
 * confirms; any other goes to all subscribers.
 *
 * Written as the library's documentation wants it: writing happens in the WRITEABLE callback,
 * and there as long as the socket takes more, which is kinder to it than its own examples with
 * one message a callback. Nothing is copied per subscriber. */
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
    struct message *next;
    size_t waiting; /* who has not written it yet */
    size_t len;
    enum lws_write_protocol type;
    unsigned char bytes[]; /* LWS_PRE free bytes, then the payload */
};

struct session {
    struct lws *wsi;
    struct session *next; /* among the subscribers */
    struct message *coming;
    struct message *unwritten; /* the first of them; the rest follow it */
    bool in_room, subscribed;
};

static struct session *subscribers;
static size_t subscriber_count;
static struct message *published; /* the last, unless all have written it */
static volatile sig_atomic_t stop;

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("lws: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* One of those who wait for the message has it now, or never will. */
static struct message *done(struct message *message)
{
    struct message *next = message->next;

    if (--message->waiting > 0)
        return next;
    if (message == published)
        published = NULL;
    free(message);
    return next;
}

static void answer(struct session *session, struct message *message)
{
    struct message **last = &session->unwritten;

    while (*last != NULL)
        last = &(*last)->next;
    *last = message;
    message->waiting = 1;
    lws_callback_on_writable(session->wsi);
}

static void publish(struct message *message)
{
    if (subscriber_count == 0) {
        free(message);
        return;
    }
    message->waiting = subscriber_count;
    if (published != NULL)
        published->next = message;
    published = message;
    for (struct session *one = subscribers; one != NULL; one = one->next) {
        if (one->unwritten != NULL)
            continue;
        one->unwritten = message;
        lws_callback_on_writable(one->wsi);
    }
}

static void subscribe(struct session *session)
{
    static unsigned char word[LWS_PRE + 10] = { 0 };

    memcpy(word + LWS_PRE, "subscribed", 10);
    lws_write(session->wsi, word + LWS_PRE, 10, LWS_WRITE_TEXT);
    session->subscribed = true;
    session->next = subscribers;
    subscribers = session;
    subscriber_count++;
}

static void take(struct session *session, struct message *message)
{
    if (!session->in_room)
        answer(session, message);
    else if (message->len != 9 || memcmp(message->bytes + LWS_PRE, "subscribe", 9) != 0)
        publish(message);
    else {
        subscribe(session);
        free(message);
    }
}

/* A message may come in pieces. */
static void receive(struct session *session, const void *in, size_t len)
{
    struct message *message = session->coming;
    size_t had = message != NULL ? message->len : 0;

    message = must(realloc(message, sizeof *message + LWS_PRE + had + len));
    memcpy(message->bytes + LWS_PRE + had, in, len);
    message->len = had + len;
    session->coming = message;
    if (lws_remaining_packet_payload(session->wsi) > 0 || !lws_is_final_fragment(session->wsi))
        return;
    message->next = NULL;
    message->type = lws_frame_is_binary(session->wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    session->coming = NULL;
    take(session, message);
}

static int write_all(struct session *session)
{
    while (session->unwritten != NULL && !lws_send_pipe_choked(session->wsi)) {
        struct message *message = session->unwritten;

        if (lws_write(session->wsi, message->bytes + LWS_PRE, message->len, message->type) < 0)
            return -1;
        session->unwritten = done(message);
    }
    if (session->unwritten != NULL)
        lws_callback_on_writable(session->wsi);
    return 0;
}

static void leave(struct session *session)
{
    while (session->unwritten != NULL)
        session->unwritten = done(session->unwritten);
    free(session->coming);
    if (!session->subscribed)
        return;
    for (struct session **one = &subscribers; *one != NULL; one = &(*one)->next) {
        if (*one == session) {
            *one = session->next;
            subscriber_count--;
            return;
        }
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct session *session = user;
    char path[16] = "";

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        memset(session, 0, sizeof *session);
        session->wsi = wsi;
        lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
        session->in_room = strcmp(path, "/room") == 0;
        break;
    case LWS_CALLBACK_RECEIVE:
        receive(session, in, len);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_all(session);
    case LWS_CALLBACK_CLOSED:
        leave(session);
        break;
    default:
        break;
    }
    return 0;
}

int main(void)
{
    static const struct lws_protocols protocols[] = {
        /* 64 KiB a read: its own default is 4 KiB. */
        { .name = "bench",
          .callback = on_event,
          .per_session_data_size = sizeof(struct session),
          .rx_buffer_size = 65536 },
        { .name = NULL },
    };
    struct lws_context_creation_info info = { .port = 0,
                                              .iface = "127.0.0.1",
                                              .protocols = protocols,
                                              .pt_serv_buf_size = 65536,
                                              .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS };
    struct lws_context *context;
    struct lws_vhost *host;

    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    lws_set_log_level(LLL_ERR, NULL);
    context = lws_create_context(&info);
    host = context != NULL ? lws_create_vhost(context, &info) : NULL;
    if (host == NULL) {
        fputs("lws: cannot listen on 127.0.0.1\n", stderr);
        return EXIT_FAILURE;
    }
    printf("port %d\n", lws_get_vhost_listen_port(host));
    fflush(stdout);
    while (!stop && lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    return EXIT_SUCCESS;
}
