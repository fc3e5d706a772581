/* json_reference.h - what is JSON, said slowly: the grammar of RFC 8259 written down rule by
 * rule over an array of code points. Tests and fuzz targets hold the scanner against it. */
#ifndef XS_FUZZ_JSON_REFERENCE_H
#define XS_FUZZ_JSON_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/json.h"

/* Code points with a 0x110000 behind the last one, which no rule accepts. */
#define REF_END 0x110000u

struct ref_text {
    uint32_t *at;
    size_t len;
};

/* The text as code points; false if it is no UTF-8 (RFC 3629). */
static inline bool ref_decode(struct xs_slice bytes, struct ref_text *text)
{
    const uint8_t *at = (const uint8_t *)bytes.at;
    size_t n = 0;

    text->at = malloc((bytes.len + 1) * sizeof *text->at);
    text->len = 0;
    while (n < bytes.len) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        uint8_t lead = at[n];
        size_t size = lead < 0x80             ? 1
                      : (lead & 0xE0) == 0xC0 ? 2
                      : (lead & 0xF0) == 0xE0 ? 3
                      : (lead & 0xF8) == 0xF0 ? 4
                                              : 0;
        uint32_t code = size <= 1 ? lead : lead & (0x7Fu >> size);
        size_t i;

        if (size == 0 || size > bytes.len - n)
            return false;
        for (i = 1; i < size; i++) {
            if ((at[n + i] & 0xC0) != 0x80)
                return false;
            code = code << 6 | (at[n + i] & 0x3Fu);
        }
        if (code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        text->at[text->len++] = code;
        n += size;
    }
    text->at[text->len] = REF_END;
    return true;
}

static inline void ref_free(struct ref_text *text)
{
    free(text->at);
}

static inline bool ref_hex(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool ref_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static inline const uint32_t *ref_space(const uint32_t *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

static inline const uint32_t *ref_string(const uint32_t *at)
{
    if (*at != '"')
        return NULL;
    at++;
    while (*at != '"') {
        if (*at == REF_END || *at < 0x20)
            return NULL;
        if (*at != '\\') {
            at++;
            continue;
        }
        at++;
        if (*at == REF_END || *at > 0x7F || strchr("\"\\/bfnrtu", (int)*at) == NULL || *at == 0)
            return NULL;
        if (*at++ != 'u')
            continue;
        for (int i = 0; i < 4; i++)
            if (!ref_hex(*at++))
                return NULL;
    }
    return at + 1;
}

static inline const uint32_t *ref_number(const uint32_t *at)
{
    if (*at == '-')
        at++;
    if (!ref_digit(*at))
        return NULL;
    if (*at == '0')
        at++;
    else
        while (ref_digit(*at))
            at++;
    if (*at == '.') {
        at++;
        if (!ref_digit(*at))
            return NULL;
        while (ref_digit(*at))
            at++;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '+' || *at == '-')
            at++;
        if (!ref_digit(*at))
            return NULL;
        while (ref_digit(*at))
            at++;
    }
    return at;
}

static inline const uint32_t *ref_word(const uint32_t *at, const char *word)
{
    for (; *word != '\0'; word++)
        if (*at++ != (uint32_t)*word)
            return NULL;
    return at;
}

/* Behind a value; NULL if there is none of at most `depth` levels. */
static inline const uint32_t *ref_value(const uint32_t *at, unsigned depth)
{
    uint32_t open;

    at = ref_space(at);
    open = *at;
    if (open == '"')
        return ref_string(at);
    if (open == 't')
        return ref_word(at, "true");
    if (open == 'f')
        return ref_word(at, "false");
    if (open == 'n')
        return ref_word(at, "null");
    if (open != '{' && open != '[')
        return ref_number(at);
    if (depth == 0)
        return NULL;
    at = ref_space(at + 1);
    if (*at == (open == '{' ? '}' : ']'))
        return at + 1;
    for (;;) {
        if (open == '{') {
            at = ref_string(ref_space(at));
            if (at == NULL)
                return NULL;
            at = ref_space(at);
            if (*at++ != ':')
                return NULL;
        }
        at = ref_value(at, depth - 1);
        if (at == NULL)
            return NULL;
        at = ref_space(at);
        if (*at == (open == '{' ? '}' : ']'))
            return at + 1;
        if (*at++ != ',')
            return NULL;
    }
}

static inline bool ref_valid(struct xs_slice bytes, unsigned depth)
{
    struct ref_text text;
    bool valid = ref_decode(bytes, &text);

    if (valid) {
        const uint32_t *behind = ref_value(text.at, depth);

        valid = behind != NULL && *ref_space(behind) == REF_END;
        /* A code point REF_END in the middle cannot be: it is above U+10FFFF. */
    }
    ref_free(&text);
    return valid;
}

/* Whether bytes could stand between the quotes of a JSON string. */
static inline bool ref_inside(struct xs_slice bytes)
{
    char *quoted = malloc(bytes.len + 2);
    struct ref_text text = { NULL, 0 };
    bool valid;

    quoted[0] = '"';
    if (bytes.len > 0)
        memcpy(quoted + 1, bytes.at, bytes.len);
    quoted[bytes.len + 1] = '"';
    valid = ref_decode((struct xs_slice){ quoted, bytes.len + 2 }, &text);
    if (valid) {
        const uint32_t *behind = ref_string(text.at);

        valid = behind != NULL && *behind == REF_END;
    }
    ref_free(&text);
    free(quoted);
    return valid;
}

/* Appends a code point as UTF-8. */
static inline size_t ref_encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3F));
        to[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* The code point or half of one at *at, which moves behind it. */
static inline uint32_t ref_unit(const uint32_t **at)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    uint32_t c = *(*at)++;
    uint32_t code = 0;

    if (c != '\\')
        return c;
    c = *(*at)++;
    if (c != 'u')
        return (uint32_t)values[strchr(names, (int)c) - names];
    for (int i = 0; i < 4; i++) {
        c = *(*at)++;
        code = code * 16 + (ref_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* What the inside of a string says, in memory to be freed; only for what ref_inside accepts. */
static inline struct xs_slice ref_unescape(struct xs_slice inside)
{
    char *to = malloc(inside.len + 1);
    struct ref_text text;
    const uint32_t *at;
    size_t len = 0;

    ref_decode(inside, &text);
    for (at = text.at; *at != REF_END;) {
        uint32_t code = ref_unit(&at);

        if (code >= 0xD800 && code <= 0xDBFF && *at == '\\') {
            const uint32_t *next = at;
            uint32_t low = ref_unit(&next);

            if (low >= 0xDC00 && low <= 0xDFFF) {
                code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
                at = next;
            }
        }
        if (code >= 0xD800 && code <= 0xDFFF)
            code = 0xFFFD;
        len += ref_encode(code, to + len);
    }
    ref_free(&text);
    return (struct xs_slice){ to, len };
}

#endif
