/* scan.h - the moving parts of the JSON scanner, for those in this room who stop in the middle.
 * All take the place where they begin and the end of the text, and say where they ended. */
#ifndef XS_MESSAGE_SCAN_H
#define XS_MESSAGE_SCAN_H

#include "message/json.h"
#include "message/skip.h"

/* Where a slice ends; it may be empty and have no place. */
static inline const char *end_of(struct xs_slice text)
{
    return text.len > 0 ? text.at + text.len : text.at;
}

/* From `begin` to `end`. */
static inline struct xs_slice slice_between(const char *begin, const char *end)
{
    return (struct xs_slice){ begin, (size_t)(end - begin) };
}

/* RFC 8259 section 2. */
static inline bool is_space(unsigned c)
{
    return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space((unsigned char)*at))
        at++;
    return at;
}

/* Takes one value of at most `depth` levels, white space before it included, and moves *at
 * behind it. XS_EINVAL: none; XS_ETOOBIG: too deep; then *at stays. [any] */
enum xs_err xs_scan_value(const char **at, const char *end, unsigned depth);

/* Takes a whole text that lies inside a JSON string: all up to the string's closing quote (not
 * taken) or the end must be one value with optional white space around it. Checks on its way
 * that it is the inside of a JSON string. Errors as above. [any] */
enum xs_err xs_scan_inside(const char **at, const char *end, unsigned depth);

/* The rest of xs_scan_string, from the first byte that is no plain one. */
const char *xs_scan_string_rest(const char *at, const char *end, bool *escaped);

/* Behind the closing quote of a string, from behind its first one; NULL if it is none.
 * `escaped` is set if it holds a backslash, and never cleared. [any] */
static inline const char *scan_string(const char *at, const char *end, bool *escaped)
{
    at = skip_plain(at, end);
    if (at < end && *at == '"')
        return at + 1;
    return xs_scan_string_rest(at, end, escaped);
}

/* The character whose escape begins behind the backslash before `at`, and where it ends;
 * XS_SCAN_BAD if that is no escape. A code unit of UTF-16 (RFC 8259 section 7), surrogates not
 * joined. [any] */
#define XS_SCAN_BAD 0x110000u
unsigned xs_scan_escape(const char *at, const char *end, const char **next);

/* The same as a code point: two surrogates joined, a lone one as it is. [any] */
uint32_t xs_scan_escaped_code(const char *at, const char *end, const char **next);

#endif
