/* lenient - what older clients write for JSON: single-quoted strings and bare keys, made
 * strict.
 *
 * The rewriting looks at words and strings only and knows no grammar; the scanner then reads
 * the result and has the last word. So nothing that is not JSON can come out. */
#include "message/json.h"

#include "base/utf8.h"
#include "message/scan.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* A string from behind its single quote; behind it, or NULL. Double quotes, line breaks and
 * other control characters may stand in it as they are: the 5.0.0 client puts its data there
 * unescaped. */
static const char *single_quoted(const char *at, const char *end, struct xs_buf *out)
{
    xs_buf_append_byte(out, '"');
    while (at < end && *at != '\'') {
        const char *begin = at;

        if (*at == '\\' && end - at > 1 && at[1] == '\'') {
            xs_buf_append_byte(out, '\'');
            at += 2;
            continue;
        }
        if (*at == '\\') {
            if (xs_scan_escape(at + 1, end, &at) == XS_SCAN_BAD)
                return NULL;
            xs_buf_append(out, slice_between(begin, at));
            continue;
        }
        while (at < end && *at != '\'' && *at != '\\')
            at++;
        if (!xs_utf8_valid(begin, (size_t)(at - begin)))
            return NULL;
        xs_buf_append_escaped(out, slice_between(begin, at));
    }
    xs_buf_append_byte(out, '"');
    return at < end ? at + 1 : NULL;
}

static const char *double_quoted(const char *at, const char *end, struct xs_buf *out)
{
    bool escaped;
    const char *behind = scan_string(at, end, &escaped);

    if (behind != NULL)
        xs_buf_append(out, slice_between(at - 1, behind));
    return behind;
}

/* A run of letters and digits: a key if a colon follows, else a literal or a part of a number.
 */
static const char *word(const char *at, const char *end, struct xs_buf *out)
{
    const char *begin = at;
    const char *next;
    bool key;

    while (at < end && is_word(*at))
        at++;
    next = skip_space(at, end);
    key = next < end && *next == ':';
    if (key)
        xs_buf_append_byte(out, '"');
    xs_buf_append(out, slice_between(begin, at));
    if (key)
        xs_buf_append_byte(out, '"');
    return at;
}

static bool rewrite(const char *at, const char *end, struct xs_buf *out)
{
    while (at != NULL && at < end && !out->failed) {
        if (is_word(*at)) {
            at = word(at, end, out);
        } else if (*at == '\'') {
            at = single_quoted(at + 1, end, out);
        } else if (*at == '"') {
            at = double_quoted(at + 1, end, out);
        } else {
            xs_buf_append_byte(out, *at++);
        }
    }
    return at != NULL && !out->failed;
}

enum xs_err xs_json_from_lenient(struct xs_slice text, unsigned depth, struct xs_buf *out)
{
    size_t before = out->len;
    enum xs_err err = XS_EINVAL;

    if (rewrite(text.at, end_of(text), out) && out->len > before) {
        const char *at = out->at + before;
        const char *end = out->at + out->len;

        err = xs_scan_value(&at, end, depth);
        if (err == XS_OK && skip_space(at, end) != end)
            err = XS_EINVAL;
    }
    if (out->failed)
        err = XS_ENOMEM;
    if (err != XS_OK)
        out->len = before;
    return err;
}
