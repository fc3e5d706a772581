/* utf8 - the well-formed byte sequences of RFC 3629 section 4, and nothing else. */
#include "base/utf8.h"

#include <string.h>

/* What may follow a first byte: how many bytes in all, and the range of the second one. */
struct lead {
    uint8_t len;
    uint8_t low;
    uint8_t high;
};

static struct lead lead_of(uint8_t first)
{
    if (first < 0x80)
        return (struct lead){ 1, 0, 0 };
    if (first < 0xC2) /* continuation bytes; C0 and C1 could only begin overlong forms */
        return (struct lead){ 0, 0, 0 };
    if (first < 0xE0)
        return (struct lead){ 2, 0x80, 0xBF };
    if (first == 0xE0)
        return (struct lead){ 3, 0xA0, 0xBF };
    if (first == 0xED) /* no surrogates */
        return (struct lead){ 3, 0x80, 0x9F };
    if (first < 0xF0)
        return (struct lead){ 3, 0x80, 0xBF };
    if (first == 0xF0)
        return (struct lead){ 4, 0x90, 0xBF };
    if (first < 0xF4)
        return (struct lead){ 4, 0x80, 0xBF };
    if (first == 0xF4) /* nothing above U+10FFFF */
        return (struct lead){ 4, 0x80, 0x8F };
    return (struct lead){ 0, 0, 0 };
}

size_t xs_utf8_step(const char *at, size_t len, bool *valid)
{
    const uint8_t *byte = (const uint8_t *)at;
    struct lead lead = lead_of(byte[0]);
    size_t n;

    *valid = false;
    if (lead.len == 0)
        return 1;
    if (lead.len > 1 && (len < 2 || byte[1] < lead.low || byte[1] > lead.high))
        return 1;
    for (n = 2; n < lead.len; n++)
        if (n == len || (byte[n] & 0xC0) != 0x80)
            return n;
    *valid = true;
    return lead.len;
}

/* Whether all is ASCII. The last step may look again at what the one before has seen. */
static inline bool is_ascii(const char *at, size_t len)
{
    typedef uint64_t wide __attribute__((vector_size(32)));
    wide block, seen = { 0 };
    uint64_t word, high = 0;
    const char *end;

    /* Nothing may lie nowhere: NULL is not added to. */
    if (len < sizeof word) {
        for (size_t i = 0; i < len; i++)
            high |= (uint8_t)at[i];
        return high < 0x80;
    }
    end = at + len;
    if (len >= sizeof block) {
        for (; (size_t)(end - at) > sizeof block; at += sizeof block) {
            memcpy(&block, at, sizeof block);
            seen |= block;
        }
        memcpy(&block, end - sizeof block, sizeof block);
        seen |= block;
        high = seen[0] | seen[1] | seen[2] | seen[3];
    } else {
        for (; (size_t)(end - at) > sizeof word; at += sizeof word) {
            memcpy(&word, at, sizeof word);
            high |= word;
        }
        memcpy(&word, end - sizeof word, sizeof word);
        high |= word;
    }
    return (high & 0x8080808080808080u) == 0;
}

/* How many bytes at the beginning are ASCII. */
static size_t ascii_run(const char *at, size_t len)
{
    const uint64_t high = 0x8080808080808080u;
    size_t n = 0;
    uint64_t word[4];

    for (; len - n >= sizeof word; n += sizeof word) {
        memcpy(word, at + n, sizeof word);
        if (((word[0] | word[1] | word[2] | word[3]) & high) != 0)
            break;
    }
    for (; len - n >= sizeof word[0]; n += sizeof word[0]) {
        memcpy(word, at + n, sizeof word[0]);
        if ((word[0] & high) != 0)
            break;
    }
    while (n < len && (uint8_t)at[n] < 0x80)
        n++;
    return n;
}

bool xs_utf8_valid(const char *at, size_t len)
{
    size_t n = 0;

    if (is_ascii(at, len))
        return true;
    n = ascii_run(at, len);
    while (n < len) {
        bool valid;

        n += xs_utf8_step(at + n, len - n, &valid);
        if (!valid)
            return false;
        if (n < len && (uint8_t)at[n] < 0x80)
            n += ascii_run(at + n, len - n);
    }
    return true;
}

size_t xs_utf8_put(char *at, uint32_t code)
{
    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
        code = 0xFFFD;
    if (code < 0x80) {
        at[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        at[0] = (char)(0xC0 | code >> 6);
        at[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        at[0] = (char)(0xE0 | code >> 12);
        at[1] = (char)(0x80 | (code >> 6 & 0x3F));
        at[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    at[0] = (char)(0xF0 | code >> 18);
    at[1] = (char)(0x80 | (code >> 12 & 0x3F));
    at[2] = (char)(0x80 | (code >> 6 & 0x3F));
    at[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Words, the last of which may overlap the one before: what is short takes two steps. */
void xs_fold(char *to, const char *from, size_t len)
{
    uint64_t word, last;
    uint32_t half, last_half;
    size_t i;

    if (len >= sizeof word) {
        memcpy(&last, from + len - sizeof last, sizeof last);
        for (i = 0; i + sizeof word < len; i += sizeof word) {
            memcpy(&word, from + i, sizeof word);
            word |= xs_upper_bits(word);
            memcpy(to + i, &word, sizeof word);
        }
        last |= xs_upper_bits(last);
        memcpy(to + len - sizeof last, &last, sizeof last);
        return;
    }
    if (len >= sizeof half) {
        memcpy(&half, from, sizeof half);
        memcpy(&last_half, from + len - sizeof last_half, sizeof last_half);
        half |= (uint32_t)xs_upper_bits(half);
        last_half |= (uint32_t)xs_upper_bits(last_half);
        memcpy(to, &half, sizeof half);
        memcpy(to + len - sizeof last_half, &last_half, sizeof last_half);
        return;
    }
    for (i = 0; i < len; i++)
        to[i] = xs_lower(from[i]);
}
