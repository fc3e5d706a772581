/* skip.h - runs past the bytes of a JSON string that mean themselves, many at a step. */
#ifndef XS_MESSAGE_SKIP_H
#define XS_MESSAGE_SKIP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Tests define XS_SKIP_PORTABLE to run the path of other machines on this one. */
#if defined(__SSE2__) && !defined(XS_SKIP_PORTABLE)
#define XS_SKIP_SSE2 1
#include <emmintrin.h>
#endif

static inline bool skip_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* A set bit 7 in each byte that is no plain one. Bytes above the first mark may be marked
 * without cause, because a subtraction borrows; the lowest mark is always right. */
static inline uint64_t skip_marks(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    uint64_t found = word | (word - ones * 0x20);

    found |= (quote - ones) & ~quote;
    found |= (backslash - ones) & ~backslash;
    return found & (ones << 7);
}

/* The first byte from `at` on that is a quote, a backslash, a control character or no ASCII;
 * `end` if there is none. */
static inline const char *skip_plain(const char *at, const char *end)
{
#ifdef XS_SKIP_SSE2
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        /* Compared as signed numbers: below the space lies all that is no ASCII, too. */
        __m128i other = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        unsigned marks =
            (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other));

        if (marks != 0)
            return at + __builtin_ctz(marks);
        at += 16;
    }
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (end - at >= 8) {
        uint64_t word, marks;

        memcpy(&word, at, sizeof word);
        marks = skip_marks(word);
        if (marks != 0)
            return at + __builtin_ctzll(marks) / 8;
        at += 8;
    }
#endif
    while (at < end && skip_is_plain((unsigned char)*at))
        at++;
    return at;
}

#endif
