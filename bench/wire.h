/* wire.h - the little of RFC 6455 that both programs of the benchmark need. */
#ifndef XS_BENCH_WIRE_H
#define XS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_ACCEPT = 28, WIRE_HEAD_MAX = 14 };

enum wire_opcode { WIRE_TEXT = 1, WIRE_CLOSE = 8, WIRE_PING = 9, WIRE_PONG = 10 };

/* The beginning of a frame: FIN, RSV and opcode stand in `first` as they came. */
struct wire_head {
    uint8_t first;
    bool masked;
    uint8_t mask[4];
    size_t size; /* of the head itself */
    uint64_t payload;
};

/* Sec-WebSocket-Accept for a key; 28 characters and a zero. */
void xs_bench_accept(const char *key, size_t len, char accept[WIRE_ACCEPT + 1]);

/* False while the head is not complete. */
bool xs_bench_head_read(const uint8_t *at, size_t len, struct wire_head *head);

/* Writes a head and returns its length; mask NULL for a frame that is not masked. */
size_t xs_bench_head_write(uint8_t *at, uint8_t first, uint64_t payload, const uint8_t *mask);

/* Masks and unmasks; the two ranges must not overlap. */
void xs_bench_mask(uint8_t *restrict to, const uint8_t *restrict from, size_t len,
                   const uint8_t mask[4]);

/* The soft limit of open files becomes the hard one, which is returned. */
uint64_t xs_bench_raise_files(void);

#endif
