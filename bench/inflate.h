/* inflate.h - unpacks a message of permessage-deflate (RFC 7692) that stands for itself. */
#ifndef XS_BENCH_INFLATE_H
#define XS_BENCH_INFLATE_H

#include "base.h"

/* Appends the message; false if that is none, or of more than `most` bytes. */
bool xs_bench_inflate(struct bytes *to, const uint8_t *at, size_t len, size_t most);

#endif
