/* json - the scanner: says whether a text is JSON (RFC 8259), in one pass, without a tree or a
 * copy.
 *
 * The same code reads a text as it lies there and a text that lies inside a JSON string, where
 * each character may be written as an escape: then "inside" is true, known to the compiler, and
 * every character passes through look(). Nothing calls itself: levels are bits in an array. */
#include "message/json.h"

#include "base/utf8.h"
#include "message/scan.h"

/* Behind the last character; also before the quote that ends the string around it. */
#define END (XS_SCAN_BAD + 1)

static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

static unsigned four_hex(const char *at)
{
    unsigned code = 0;
    int i;

    for (i = 0; i < 4; i++) {
        unsigned digit = hex_value(at[i]);

        if (digit > 15)
            return XS_SCAN_BAD;
        code = code << 4 | digit;
    }
    return code;
}

unsigned xs_scan_escape(const char *at, const char *end, const char **next)
{
    *next = at;
    if (at == end)
        return XS_SCAN_BAD;
    *next = at + 1;
    switch (*at) {
    case '"':
    case '\\':
    case '/':
        return (unsigned char)*at;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        if (end - at < 5)
            return XS_SCAN_BAD;
        *next = at + 5;
        return four_hex(at + 1);
    default:
        return XS_SCAN_BAD;
    }
}

/* The character at `at` and where it ends: bytes above ASCII each for itself, since they mean
 * something only within strings, which are not read with this. */
static inline unsigned look(const char *at, const char *end, const bool inside,
                            const char **next)
{
    unsigned c;

    *next = at;
    if (at == end)
        return END;
    c = (unsigned char)*at;
    if (inside && c == '\\') {
        /* The one that is everywhere. */
        if (end - at > 1 && at[1] == '"') {
            *next = at + 2;
            return '"';
        }
        return xs_scan_escape(at + 1, end, next);
    }
    if (inside && c == '"')
        return END;
    /* A line break as it is cannot stand in the string around. */
    if (inside && c < 0x20)
        return XS_SCAN_BAD;
    *next = at + 1;
    return c;
}

static unsigned look_past_space(const char *at, const char *end, const bool inside,
                                const char **next)
{
    unsigned c = look(at, end, inside, next);

    while (is_space(c))
        c = look(*next, end, inside, next);
    return c;
}

/* The four that follow look for what is nearly always there at once, and are slow otherwise. */

/* Behind a quote that stands right here; else NULL. */
static inline const char *behind_quote(const char *at, const char *end, const bool inside)
{
    if (!inside)
        return at < end && *at == '"' ? at + 1 : NULL;
    return end - at > 1 && memcmp(at, "\\\"", 2) == 0 ? at + 2 : NULL;
}

/* Behind a colon and the white space before it; else NULL. */
static inline const char *behind_colon(const char *at, const char *end, const bool inside)
{
    if (at < end && *at == ':')
        return at + 1;
    return look_past_space(at, end, inside, &at) == ':' ? at : NULL;
}

/* The first character of a value, white space skipped. */
static inline unsigned look_for_value(const char *at, const char *end, const bool inside,
                                      const char **next)
{
    unsigned c;

    *next = behind_quote(at, end, inside);
    if (*next != NULL)
        return '"';
    c = at < end ? (unsigned char)*at : 0;
    if (c <= ' ' || (inside && (c == '\\' || c == '"')))
        return look_past_space(at, end, inside, next);
    *next = at + 1;
    return c;
}

/* The next character that is no white space, when it should be one of the signs between values.
 */
static inline unsigned look_for_sign(const char *at, const char *end, const bool inside,
                                     const char **next)
{
    if (at < end && (*at == ',' || *at == '}' || *at == ']')) {
        *next = at + 1;
        return (unsigned char)*at;
    }
    return look_past_space(at, end, inside, next);
}

/* Behind the character if it stands here, else here. */
static inline const char *skip_if(const char *at, const char *end, const bool inside,
                                  unsigned wanted)
{
    const char *next;

    return look(at, end, inside, &next) == wanted ? next : at;
}

static inline const char *skip_digits(const char *at, const char *end, const bool inside)
{
    const char *next;

    for (;;) {
        while (at < end && (unsigned char)*at - (unsigned)'0' <= 9)
            at++;
        if (!inside || look(at, end, inside, &next) - '0' > 9)
            return at;
        at = next; /* a digit written as an escape */
    }
}

/* Behind a number of which `c` is the first character, standing before `at`; NULL if it is
 * none. RFC 8259 section 6. */
static inline const char *skip_number(const char *at, const char *end, const bool inside,
                                      unsigned c)
{
    const char *next, *digits;

    if (c == '-')
        c = look(at, end, inside, &at);
    if (c - '0' > 9)
        return NULL;
    if (c != '0')
        at = skip_digits(at, end, inside);
    if (at < end && (*at == ',' || *at == '}' || *at == ']'))
        return at; /* what nearly always follows */
    digits = skip_if(at, end, inside, '.');
    if (digits != at) {
        at = skip_digits(digits, end, inside);
        if (at == digits)
            return NULL;
    }
    if ((look(at, end, inside, &next) | 0x20) != 'e')
        return at;
    digits = skip_if(next, end, inside, '+');
    if (digits == next)
        digits = skip_if(next, end, inside, '-');
    at = skip_digits(digits, end, inside);
    return at != digits ? at : NULL;
}

/* Behind `word`; NULL if it does not stand here. */
static inline const char *skip_literal(const char *at, const char *end, const bool inside,
                                       const char *word)
{
    const size_t len = strlen(word);

    if ((size_t)(end - at) >= len && memcmp(at, word, len) == 0)
        return at + len;
    for (; *word != '\0'; word++) {
        const char *next = skip_if(at, end, inside, (unsigned char)*word);

        if (next == at)
            return NULL;
        at = next;
    }
    return at;
}

/* Behind a run of characters above ASCII; NULL if one of them is not well-formed. */
static const char *skip_wide(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at >= 0x80) {
        const unsigned char *byte = (const unsigned char *)at;
        bool valid;

        /* The two that most writing is made of: whole ranges without an exception in them. */
        if (*byte >= 0xC2 && *byte <= 0xDF && end - at > 1 && (byte[1] & 0xC0) == 0x80) {
            at += 2;
            continue;
        }
        if (*byte >= 0xE1 && *byte <= 0xEC && end - at > 2 && (byte[1] & 0xC0) == 0x80 &&
            (byte[2] & 0xC0) == 0x80) {
            at += 3;
            continue;
        }
        at += xs_utf8_step(at, (size_t)(end - at), &valid);
        if (!valid)
            return NULL;
    }
    return at;
}

const char *xs_scan_string_rest(const char *at, const char *end, bool *escaped)
{
    while (at != NULL && at < end) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            *escaped = true;
            if (xs_scan_escape(at + 1, end, &at) == XS_SCAN_BAD)
                return NULL;
        } else {
            at = (unsigned char)*at < 0x80 ? NULL : skip_wide(at, end);
        }
        if (at != NULL)
            at = skip_plain(at, end);
    }
    return NULL;
}

/* Behind an escape of the inner string, whose backslash stands before `at`, read through the
 * outer one; NULL if that is none. */
static const char *skip_inner_escape(const char *at, const char *end)
{
    int i;

    switch (look(at, end, true, &at)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at;
    case 'u':
        break;
    default:
        return NULL;
    }
    for (i = 0; i < 4; i++) {
        unsigned c = look(at, end, true, &at);

        if (c >= 0x80 || hex_value((char)c) > 15)
            return NULL;
    }
    return at;
}

/* The rest of a string inside a string, from the first byte that is no plain one. */
static const char *skip_inner_rest(const char *at, const char *end)
{
    while (at != NULL && at < end) {
        unsigned c = (unsigned char)*at;

        if (c >= 0x80) {
            at = skip_wide(at, end);
        } else if (c != '\\') { /* the outer string ends, or a control character stands in it */
            return NULL;
        } else {
            c = xs_scan_escape(at + 1, end, &at);
            if (c == '"')
                return at;
            if (c == '\\')
                at = skip_inner_escape(at, end);
            if (c < 0x20 || c == XS_SCAN_BAD)
                return NULL;
        }
        if (at != NULL)
            at = skip_plain(at, end);
    }
    return NULL;
}

/* Behind a string, from behind its first quote; NULL if it is none. */
static inline const char *skip_string(const char *at, const char *end, const bool inside)
{
    const char *behind;
    bool escaped;

    if (!inside)
        return scan_string(at, end, &escaped);
    at = skip_plain(at, end);
    behind = behind_quote(at, end, true);
    return behind != NULL ? behind : skip_inner_rest(at, end);
}

/* Behind a key and its colon. */
static inline const char *skip_key(const char *at, const char *end, const bool inside)
{
    const char *inner = behind_quote(at, end, inside);

    if (inner == NULL && look_past_space(at, end, inside, &inner) != '"')
        return NULL;
    at = skip_string(inner, end, inside);
    return at != NULL ? behind_colon(at, end, inside) : NULL;
}

/* Behind a value without levels, of which `c` is the first character, standing before `at`. */
static inline const char *skip_scalar(const char *at, const char *end, const bool inside,
                                      unsigned c)
{
    switch (c) {
    case '"':
        return skip_string(at, end, inside);
    case 't':
        return skip_literal(at, end, inside, "rue");
    case 'f':
        return skip_literal(at, end, inside, "alse");
    case 'n':
        return skip_literal(at, end, inside, "ull");
    default:
        return skip_number(at, end, inside, c);
    }
}

/* Which levels are objects: a bit each. */
struct levels {
    uint64_t bits[XS_JSON_DEPTH_MAX / 64];
    unsigned count;
};

static inline void enter(struct levels *levels, bool object)
{
    unsigned shift = levels->count & 63;
    uint64_t *word = &levels->bits[levels->count++ >> 6];
    uint64_t below = shift == 0 ? 0 : *word & (((uint64_t)1 << shift) - 1);

    *word = below | (uint64_t)object << shift;
}

/* Whether the innermost level is an object. */
static inline bool in_object(const struct levels *levels)
{
    unsigned top = levels->count - 1;

    return (levels->bits[top >> 6] >> (top & 63) & 1) != 0;
}

/* Behind what stands between two values: ends of levels, a comma, the key of the next one. */
static inline const char *skip_between(const char *at, const char *end, const bool inside,
                                       struct levels *levels)
{
    while (at != NULL && levels->count > 0) {
        bool object = in_object(levels);
        unsigned c = look_for_sign(at, end, inside, &at);

        if (c == ',')
            return object ? skip_key(at, end, inside) : at;
        if (c != (object ? '}' : ']'))
            return NULL;
        levels->count--;
    }
    return at;
}

/* Behind what a level begins with: its end, if it is empty, or else the key of its first value;
 * then the level is entered. `c` is the bracket before `at`. */
static inline const char *skip_opening(const char *at, const char *end, const bool inside,
                                       unsigned c, struct levels *levels)
{
    const char *next;

    if (look_past_space(at, end, inside, &next) == c + 2) /* '}' or ']' */
        return next;
    enter(levels, c == '{');
    return c == '{' ? skip_key(at, end, inside) : at;
}

static inline enum xs_err take_value(const char **from, const char *end, unsigned depth,
                                     const bool inside)
{
    const char *at = *from;
    struct levels levels;

    if (depth > XS_JSON_DEPTH_MAX)
        depth = XS_JSON_DEPTH_MAX;
    levels.count = 0;
    do {
        unsigned c = look_for_value(at, end, inside, &at);
        unsigned before = levels.count;

        if (c != '{' && c != '[')
            at = skip_scalar(at, end, inside, c);
        else if (before == depth)
            return XS_ETOOBIG;
        else
            at = skip_opening(at, end, inside, c, &levels);
        if (levels.count == before)
            at = skip_between(at, end, inside, &levels);
    } while (at != NULL && levels.count > 0);
    if (at == NULL)
        return XS_EINVAL;
    *from = at;
    return XS_OK;
}

enum xs_err xs_scan_value(const char **at, const char *end, unsigned depth)
{
    return take_value(at, end, depth, false);
}

enum xs_err xs_scan_inside(const char **at, const char *end, unsigned depth)
{
    const char *behind = *at;
    enum xs_err err = take_value(&behind, end, depth, true);
    const char *next;

    if (err != XS_OK)
        return err;
    next = behind;
    if (!(behind < end && *behind == '"') && look_past_space(behind, end, true, &next) != END)
        return XS_EINVAL;
    *at = next;
    return XS_OK;
}

bool xs_json_valid(struct xs_slice text, unsigned depth)
{
    const char *at = text.at;
    const char *end = end_of(text);

    return xs_scan_value(&at, end, depth) == XS_OK && skip_space(at, end) == end;
}

bool xs_json_valid_escaped(struct xs_slice inside, unsigned depth)
{
    const char *at = inside.at;

    return xs_scan_inside(&at, end_of(inside), depth) == XS_OK && at == end_of(inside);
}

uint32_t xs_scan_escaped_code(const char *at, const char *end, const char **next)
{
    uint32_t code = xs_scan_escape(at, end, next);
    const char *behind;
    uint32_t low;

    if (code < 0xD800 || code > 0xDBFF || end - *next < 6 || **next != '\\')
        return code;
    low = xs_scan_escape(*next + 1, end, &behind);
    if (low < 0xDC00 || low > 0xDFFF)
        return code;
    *next = behind;
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

size_t xs_json_unescape(struct xs_slice inside, char *to)
{
    const char *at = inside.at;
    const char *end = end_of(inside);
    char *put = to;

    while (at < end) {
        uint32_t code;
        const char *next;

        if (*at != '\\') {
            *put++ = *at++;
            continue;
        }
        code = xs_scan_escaped_code(at + 1, end, &next);
        if (code == XS_SCAN_BAD) { /* the promise was broken; the room is not overrun */
            *put++ = *at++;
            continue;
        }
        /* Never longer than the escape: six bytes become three at most, twelve four. */
        put += xs_utf8_put(put, code);
        at = next;
    }
    return (size_t)(put - to);
}
