/* utf8.h - UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef XS_BASE_UTF8_H
#define XS_BASE_UTF8_H

#include <xsockets/base.h>

/* xs_utf8_valid() is in xsockets/base.h; ASCII runs at eight bytes a step or better. */

/* The length of the first code point of `len` (at least 1) bytes, *valid true; or of what must
 * be skipped as one fault (the maximal subpart of Unicode 3.9), *valid false. A sequence cut
 * off by the end is a fault. [any] */
size_t xs_utf8_step(const char *at, size_t len, bool *valid);
/* Writes one code point (surrogates and what is above U+10FFFF become U+FFFD): 1 to 4 bytes.
 * [any] */
size_t xs_utf8_put(char *at, uint32_t code);
/* ASCII letters to lower case. [any] */
static inline char xs_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
/* Bit 5 set in each byte that is an upper-case letter of ASCII: with it the byte is the
 * lower-case one. [any] */
static inline uint64_t xs_upper_bits(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = ones << 7;
    uint64_t low = word & ~highs;
    uint64_t from_a = low + ones * (0x80 - 'A'), past_z = low + ones * (0x80 - 'Z' - 1);

    return ((from_a & ~past_z & ~word) & highs) >> 2;
}

/* The same for many. [any] */
void xs_fold(char *to, const char *from, size_t len);

#endif
