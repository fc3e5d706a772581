/* data - the forms in which data comes, and the views that formats ask for. */
#include "message/message.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "message/json.h"
#include "message/scan.h"
#include "message/scratch.h"

struct xs_data xs_json(const char *json)
{
    return xs_json_slice(xs_slice_of(json));
}

struct xs_data xs_json_slice(struct xs_slice json)
{
#ifdef XS_DEBUG
    XS_ASSERT(xs_json_valid(json, XS_JSON_DEPTH_MAX));
#endif
    return (struct xs_data){ json, XS_JSON };
}

struct xs_data xs_text(const char *text)
{
    return xs_text_slice(xs_slice_of(text));
}

struct xs_data xs_text_slice(struct xs_slice text)
{
    return (struct xs_data){ text, XS_TEXT };
}

struct xs_data xs_data_of(struct xs_slice bytes)
{
    bool json = xs_json_valid(bytes, xs_message_limits()->json_depth);

    return (struct xs_data){ bytes, json ? XS_JSON : XS_TEXT };
}

/* Text as it is, with U+FFFD for what is no UTF-8. */
static void append_repaired(struct xs_buf *out, struct xs_slice text)
{
    const char *end = text.at + text.len;
    const char *at = text.at;

    while (at < end && !out->failed) {
        bool valid;
        size_t step = xs_utf8_step(at, (size_t)(end - at), &valid);

        xs_buf_append(out, valid ? (struct xs_slice){ at, step } : XS_SLICE("\xEF\xBF\xBD"));
        at += step;
    }
}

/* One character that needs an escape, escaped, and that escaped once more: all that is new in
 * an escape are backslashes and letters, and a quote. */
static void append_escape_twice(struct xs_buf *out, struct xs_slice character)
{
    char room[8];
    struct xs_buf once = { room, 0, sizeof room, sizeof room, false };

    xs_buf_append_escaped(&once, character);
    xs_buf_append_escaped(out, (struct xs_slice){ once.at, once.len });
}

/* Text as the inside of a JSON string that itself stands inside a JSON string. */
static void append_escaped_twice(struct xs_buf *out, struct xs_slice text)
{
    const char *at = text.at;
    const char *end = end_of(text);

    while (at < end && !out->failed) {
        const char *begin = at;
        bool valid = true;

        at = skip_plain(at, end);
        while (at < end && (unsigned char)*at >= 0x80 && valid) {
            size_t step = xs_utf8_step(at, (size_t)(end - at), &valid);

            at += valid ? step : 0;
        }
        xs_buf_append(out, slice_between(begin, at));
        if (at == end)
            break;
        if (!valid) {
            xs_buf_append(out, XS_SLICE("\xEF\xBF\xBD"));
            at += xs_utf8_step(at, (size_t)(end - at), &valid);
        } else if (!skip_is_plain((unsigned char)*at)) {
            append_escape_twice(out, (struct xs_slice){ at, 1 });
            at++;
        }
    }
}

static void append_unescaped(struct xs_buf *out, struct xs_slice inside)
{
    if (!xs_buf_reserve(out, inside.len))
        return;
    out->len += xs_json_unescape(inside, out->at + out->len);
}

static void append_text(struct xs_buf *out, struct xs_slice text, enum xs_view view)
{
    switch (view) {
    case XS_VIEW_JSON:
        xs_buf_append_byte(out, '"');
        xs_buf_append_escaped(out, text);
        xs_buf_append_byte(out, '"');
        break;
    case XS_VIEW_ESCAPED:
        xs_buf_append(out, XS_SLICE("\\\""));
        append_escaped_twice(out, text);
        xs_buf_append(out, XS_SLICE("\\\""));
        break;
    case XS_VIEW_RAW:
        append_repaired(out, text);
        break;
    }
}

/* Whether the data is already what the view wants. */
static bool fits(struct xs_data data, enum xs_view view)
{
    switch (data.form) {
    case XS_JSON:
        return view != XS_VIEW_ESCAPED;
    case XS_JSON_ESCAPED:
        return view == XS_VIEW_ESCAPED;
    case XS_TEXT:
        return view == XS_VIEW_RAW && xs_utf8_valid(data.bytes.at, data.bytes.len);
    }
    return false;
}

static void append_view(struct xs_buf *out, struct xs_data data, enum xs_view view)
{
    switch (data.form) {
    case XS_JSON:
        xs_buf_append_escaped(out, data.bytes);
        break;
    case XS_JSON_ESCAPED:
        append_unescaped(out, data.bytes);
        break;
    case XS_TEXT:
        append_text(out, data.bytes, view);
        break;
    }
}

enum xs_err xs_data_view(struct xs_data data, enum xs_view view, struct xs_buf *scratch,
                         size_t limit, struct xs_slice *out)
{
    size_t before = scratch->len;
    size_t own_limit = scratch->limit;
    bool stopped;

    *out = data.bytes;
    if (fits(data, view))
        return limit != 0 && data.bytes.len > limit ? XS_ETOOBIG : XS_OK;
    *out = (struct xs_slice){ NULL, 0 };
    if (scratch->failed)
        return XS_ENOMEM;
    /* Stops growing where the view would be refused in the end. What is unescaped only shrinks,
     * and takes room for all of it first. */
    if (limit != 0 && data.form != XS_JSON_ESCAPED &&
        (own_limit == 0 || own_limit - before > limit))
        scratch->limit = before + limit;
    append_view(scratch, data, view);
    stopped = scratch->failed && scratch->limit != own_limit;
    scratch->limit = own_limit;
    if (stopped || (!scratch->failed && limit != 0 && scratch->len - before > limit)) {
        scratch->failed = false;
        scratch->len = before;
        return XS_ETOOBIG;
    }
    if (scratch->failed)
        return XS_ENOMEM;
    *out = (struct xs_slice){ scratch->at + before, scratch->len - before };
    return XS_OK;
}
