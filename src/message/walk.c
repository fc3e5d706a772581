/* walk - through the members of a JSON text that was found valid, and what single values say.
 * Broken text ends the walk early and is never read past its end. */
#include "message/json.h"

#include "base/utf8.h"
#include "message/scan.h"

/* Behind the closing quote of a string, from behind its first one. */
static const char *skip_string(const char *at, const char *end, bool *escaped)
{
    for (;;) {
        at = skip_plain(at, end);
        if (at == end)
            return end;
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            *escaped = true;
            at += end - at > 1 ? 2 : 1;
            continue;
        }
        at++;
        while (at < end && (unsigned char)*at >= 0x80)
            at++;
    }
}

/* Behind an object or array, from behind its first bracket. */
static const char *skip_levels(const char *at, const char *end)
{
    size_t level = 1;
    bool escaped;

    while (at < end && level > 0) {
        switch (*at++) {
        case '{':
        case '[':
            level++;
            break;
        case '}':
        case ']':
            level--;
            break;
        case '"':
            at = skip_string(at, end, &escaped);
            break;
        default:
            break;
        }
    }
    return at;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at < end && !is_space((unsigned char)*at) && *at != ',' && *at != '}' && *at != ']')
        at++;
    return at;
}

/* The inside of the string whose first quote stands before `at`; moves `at` behind it. */
static struct xs_slice inside_of(const char **at, const char *end, bool *escaped)
{
    const char *begin = *at;
    const char *behind = skip_string(begin, end, escaped);
    size_t len = (size_t)(behind - begin);

    *at = behind;
    return (struct xs_slice){ begin, len > 0 ? len - 1 : 0 };
}

/* The value that begins at `at`; returns where it ends. */
static const char *value_at(const char *at, const char *end, struct xs_json_value *value)
{
    const char *begin = at;

    value->escaped = false;
    switch (*at) {
    case '"':
        value->kind = XS_JSON_STRING;
        at++;
        value->text = inside_of(&at, end, &value->escaped);
        return at;
    case '{':
    case '[':
        value->kind = *at == '{' ? XS_JSON_OBJECT : XS_JSON_ARRAY;
        at = skip_levels(at + 1, end);
        break;
    case 't':
    case 'f':
    case 'n':
        value->kind = *at == 'n' ? XS_JSON_NULL : XS_JSON_BOOL;
        at = skip_word(at, end);
        break;
    default:
        value->kind = XS_JSON_NUMBER;
        at = skip_word(at, end);
        break;
    }
    value->text = slice_between(begin, at);
    return at;
}

bool xs_json_value_of(struct xs_slice text, struct xs_json_value *value)
{
    const char *end = end_of(text);
    const char *at = skip_space(text.at, end);

    if (at == end)
        return false;
    value_at(at, end, value);
    return true;
}

static bool walk_begin(struct xs_json_walk *walk, struct xs_slice text, char bracket)
{
    const char *end = end_of(text);
    const char *at = skip_space(text.at, end);

    if (at == end || *at != bracket)
        return false;
    walk->at = at + 1;
    walk->end = end;
    walk->first = true;
    return true;
}

bool xs_json_walk_object(struct xs_json_walk *walk, struct xs_slice object)
{
    return walk_begin(walk, object, '{');
}

bool xs_json_walk_array(struct xs_json_walk *walk, struct xs_slice array)
{
    return walk_begin(walk, array, '[');
}

bool xs_json_next(struct xs_json_walk *walk, struct xs_slice *key, struct xs_json_value *value)
{
    const char *end = walk->end;
    const char *at = skip_space(walk->at, end);

    if (!walk->first) {
        if (at == end || *at != ',')
            return false;
        at = skip_space(at + 1, end);
    }
    walk->first = false;
    if (key != NULL) {
        bool escaped;

        if (at == end || *at++ != '"')
            return false;
        *key = inside_of(&at, end, &escaped);
        at = skip_space(at, end);
        if (at == end || *at != ':')
            return false;
        at = skip_space(at + 1, end);
    }
    if (at == end || *at == ']')
        return false;
    walk->at = value_at(at, end, value);
    return true;
}

bool xs_json_key_is(struct xs_slice key, struct xs_slice name)
{
    const char *at = key.at;
    const char *end = end_of(key);
    size_t n = 0;

    if (key.len < name.len) /* no escape is shorter than its character */
        return false;
    if (key.len == 0 || memchr(key.at, '\\', key.len) == NULL)
        return xs_slice_equal_nocase(key, name);
    while (at < end && n < name.len) {
        char bytes[4];
        size_t i, len = 1;

        bytes[0] = *at++;
        if (bytes[0] == '\\') {
            uint32_t code = xs_scan_escaped_code(at, end, &at);

            if (code == XS_SCAN_BAD)
                return false;
            len = xs_utf8_put(bytes, code);
        }
        for (i = 0; i < len; i++, n++)
            if (n == name.len || xs_lower(bytes[i]) != xs_lower(name.at[n]))
                return false;
    }
    return at == end && n == name.len;
}

/* A JSON number taken apart: digits (without the dot) times ten to the exponent. */
struct number {
    bool negative;
    const char *digits; /* the first that is no zero */
    const char *last;   /* behind the last one that is no zero */
    int64_t places;     /* significant digits, dot not counted */
    int64_t exponent;   /* of the last significant digit */
};

/* Enough to be beyond every number, and far from overflowing. */
#define EXPONENT_MAX 1000000000

static int64_t exponent_of(const char *at, const char *end)
{
    bool negative = *at == '-';
    int64_t exponent = 0;

    if (*at == '-' || *at == '+')
        at++;
    for (; at < end; at++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

static void take_apart(struct xs_slice text, struct number *number)
{
    const char *at = text.at;
    const char *end = text.at + text.len;
    bool behind_dot = false;

    memset(number, 0, sizeof *number);
    if (*at == '-') {
        number->negative = true;
        at++;
    }
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            behind_dot = true;
            continue;
        }
        if (behind_dot)
            number->exponent--;
        if (*at == '0' && number->digits == NULL)
            continue;
        number->places++;
        if (number->digits == NULL)
            number->digits = at;
        if (*at != '0')
            number->last = at + 1;
    }
    if (number->digits == NULL)
        return;
    /* Zeros at the end say only how large the rest is. */
    for (text.at = at; text.at > number->last; text.at--) {
        if (text.at[-1] == '.')
            continue;
        number->exponent++;
        number->places--;
    }
    if (at < end)
        number->exponent += exponent_of(at + 1, end);
}

/* An integer as nearly all are written; false for any other notation, or more than 18 digits.
 */
static bool plain_integer(struct xs_slice text, bool *negative, uint64_t *magnitude)
{
    size_t n = text.len > 0 && *text.at == '-' ? 1 : 0;
    uint64_t sum = 0;

    if (text.len == n || text.len - n > 18 || (text.at[n] == '0' && text.len - n > 1))
        return false;
    *negative = n > 0;
    for (; n < text.len; n++) {
        unsigned digit = (unsigned char)text.at[n] - (unsigned)'0';

        if (digit > 9)
            return false;
        sum = sum * 10 + digit;
    }
    if (sum == 0)
        *negative = false;
    *magnitude = sum;
    return true;
}

enum xs_err xs_json_integer(struct xs_slice text, bool *negative, uint64_t *magnitude)
{
    const char *at = text.at;
    struct number number;
    uint64_t sum = 0;

    if (plain_integer(text, negative, magnitude))
        return XS_OK;
    if (text.len == 0 || (*text.at != '-' && (*text.at < '0' || *text.at > '9')) ||
        xs_scan_value(&at, end_of(text), 0) != XS_OK || at != end_of(text))
        return XS_EINVAL;
    take_apart(text, &number);
    *negative = number.negative && number.digits != NULL;
    *magnitude = 0;
    if (number.digits == NULL)
        return XS_OK;
    if (number.exponent < 0)
        return XS_EINVAL;
    if (number.places + number.exponent > 20)
        return XS_ETOOBIG;
    for (at = number.digits; at < number.last; at++)
        if (*at != '.' && (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
                           __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum)))
            return XS_ETOOBIG;
    for (; number.exponent > 0; number.exponent--)
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum))
            return XS_ETOOBIG;
    *magnitude = sum;
    return XS_OK;
}
