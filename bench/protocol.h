/* protocol.h - how clients of each protocol introduce themselves, and what they say and expect.
 *
 * A protocol is a row of templates and nothing else; `ws` and `tcp` take theirs from the
 * command line. */
#ifndef XS_BENCH_PROTOCOL_H
#define XS_BENCH_PROTOCOL_H

#include "options.h"
#include "template.h"

enum role { ROLE_ECHO, ROLE_PUBLISHER, ROLE_SUBSCRIBER, ROLE_IDLE, ROLE_COUNT };

/* The text that makes a message one of its own. */
enum form {
    FORM_BARE,   /* 000123abc */
    FORM_STRING, /* "000123abc" */
    FORM_OBJECT  /* {"n":100123,"text":"abc","on":true} */
};

/* One kind of client. Templates of length 0 are not there. */
struct speech {
    bool ws;                 /* RFC 6455, or bare bytes */
    bool deflate;            /* offers permessage-deflate and insists on it */
    bool browser;            /* its request has all the headers that a browser sends */
    bool loose;              /* messages that it did not ask for are passed over */
    const char *subprotocol; /* NULL: none */
    const char *controller;
    struct template path;
    struct template hello[HELLOS_MAX]; /* sent when connected */
    size_t hellos;
    struct template await;      /* then waited for */
    struct template subscribe;  /* then sent, for each topic of this client, */
    struct template after;      /* then, once, */
    struct template subscribed; /* and waited for */
    struct bytes refused;       /* what holds this is an error */
    struct template send, expect;
    enum form form;
    struct bytes ping, pong; /* bare bytes alone */
};

/* A template that cannot be read ends the program. */
void xs_bench_speech(struct speech *speech, const struct options *options,
                     enum protocol protocol, enum role role);
void xs_bench_speech_free(struct speech *speech);

#endif
