/* options.h - what xsockets-bench was asked to do. */
#ifndef XS_BENCH_OPTIONS_H
#define XS_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mode { MODE_ECHO, MODE_FANOUT, MODE_IDLE };
enum protocol { PROTOCOL_XSOCKETSNET, PROTOCOL_NATIVE, PROTOCOL_MIXED };

struct options {
    enum mode mode;
    enum protocol protocol;
    bool limit;  /* the server is bench/limit: same frames, nothing to open */
    bool object; /* D is an object and not a string */
    bool json;
    const char *host;
    uint16_t port;
    uint32_t connections; /* echo, idle: clients; fanout: subscribers */
    uint32_t in_flight;
    size_t size;
    uint64_t seconds, warmup, wait; /* ns */
    uint64_t count;                 /* messages after the warm-up; 0: only the time counts */
    pid_t pid;                      /* of the server; 0: not known */
    const char *mallocs;
};

/* Ends the program with a sentence for what is not understood. */
struct options xs_bench_options(int argc, char **argv);

const char *xs_bench_mode_name(enum mode mode);
const char *xs_bench_protocol_name(enum protocol protocol);

_Noreturn void xs_bench_die(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
