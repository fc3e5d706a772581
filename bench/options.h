/* options.h - what xsockets-bench was asked to do. */
#ifndef XS_BENCH_OPTIONS_H
#define XS_BENCH_OPTIONS_H

#include <sys/types.h>

#include "base.h"

enum mode { MODE_ECHO, MODE_FANOUT, MODE_IDLE, MODE_CONNECT };

enum protocol {
    PROTOCOL_XSOCKETSNET,
    PROTOCOL_NATIVE,
    PROTOCOL_TEXT,
    PROTOCOL_MCU,
    PROTOCOL_MIXED, /* subscribers of the four above in turn */
    PROTOCOL_WS,    /* WebSocket with templates */
    PROTOCOL_TCP    /* bare bytes with templates */
};

enum { HELLOS_MAX = 8, OPTIONS_ERROR = 256, PUBLISHERS_MAX = 100, IN_FLIGHT_MAX = 4096 };

struct options {
    enum mode mode;
    enum protocol protocol;
    bool limit;   /* the server is bench/limit: same frames, nothing to open */
    bool object;  /* D is an object and not a string */
    bool deflate; /* offer permessage-deflate */
    bool json, quiet;
    const char *host, *port;
    uint32_t connections; /* echo, idle: clients; fanout: subscribers; connect: at a time */
    uint32_t publishers, in_flight, topics;
    uint32_t rate; /* messages a second altogether; 0: closed loop */
    size_t size;
    uint64_t duration, warmup, wait, stall; /* ns */
    uint64_t count; /* messages, publishes or connections altogether; 0: only the time counts */
    pid_t pid;      /* of the server; 0: not known */
    const char *mallocs;
    /* templates, NULL where there is none */
    const char *path, *subprotocol, *hello[HELLOS_MAX], *await, *send, *expect, *subscribe,
        *subscribed, *ping, *pong;
};

enum asked { ASKED_RUN, ASKED_HELP, ASKED_VERSION, ASKED_WRONG };

/* Reads a command line; with ASKED_WRONG `error` says what is not understood. */
enum asked xs_bench_options(int argc, char **argv, struct options *options,
                            char error[OPTIONS_ERROR]);
void xs_bench_help(void);

const char *xs_bench_mode_name(enum mode mode);
const char *xs_bench_protocol_name(enum protocol protocol);

#endif
