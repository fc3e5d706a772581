/* base - what include/xsockets/base.h promises about errors, slices and buffers. */
#include <xsockets/base.h>

#include "base/alloc.h"
#include "base/utf8.h"

#define BUF_FIRST 256

const char *xs_err_text(enum xs_err err)
{
    static const char *const texts[] = {
#define X(name, text) [XS_##name] = text,
        XS_ERRORS(X)
#undef X
    };

    if ((unsigned)err >= sizeof texts / sizeof texts[0])
        return "unknown error";
    return texts[err];
}

bool xs_slice_equal_nocase(struct xs_slice a, struct xs_slice b)
{
    size_t i = 0;

    if (a.len != b.len)
        return false;
    for (; a.len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t x, y;

        memcpy(&x, a.at + i, sizeof x);
        memcpy(&y, b.at + i, sizeof y);
        if ((x | xs_upper_bits(x)) != (y | xs_upper_bits(y)))
            return false;
    }
    for (; i < a.len; i++)
        if (xs_lower(a.at[i]) != xs_lower(b.at[i]))
            return false;
    return true;
}

/* The appending functions look only at the room that is left; so none is left. */
static bool fail(struct xs_buf *buf)
{
    buf->failed = true;
    buf->cap = buf->len;
    return false;
}

bool xs_buf_reserve(struct xs_buf *buf, size_t more)
{
    size_t need, cap;
    char *moved;

    if (buf->failed || more > SIZE_MAX - buf->len)
        return fail(buf);
    need = buf->len + more;
    if (buf->limit != 0 && need > buf->limit)
        return fail(buf);
    if (need <= buf->cap)
        return true;
    cap = buf->cap > SIZE_MAX / 2 ? need : buf->cap * 2;
    if (cap < need)
        cap = need;
    if (cap < BUF_FIRST)
        cap = BUF_FIRST;
    if (buf->limit != 0 && cap > buf->limit)
        cap = buf->limit;
    moved = xs_try_realloc(buf->at, cap);
    if (moved == NULL)
        return fail(buf);
    buf->at = moved;
    buf->cap = cap;
    return true;
}

/* Printable ASCII but for the quote and the backslash; DEL needs no escape in JSON. */
static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* A bit set in each byte of the word that is no plain one. Bytes above a set one may be marked
 * without cause; the first mark is always right. */
static uint64_t not_plain(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t highs = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    uint64_t found = word;

    found |= word - ones * 0x20;
    found |= (quote - ones) & ~quote;
    found |= (backslash - ones) & ~backslash;
    return found & highs;
}

static size_t plain_run(const char *at, size_t len)
{
    size_t n = 0;
    uint64_t word;

    for (; len - n >= sizeof word; n += sizeof word) {
        memcpy(&word, at + n, sizeof word);
        if (not_plain(word) != 0)
            break;
    }
    while (n < len && is_plain((uint8_t)at[n]))
        n++;
    return n;
}

static void append_escape(struct xs_buf *buf, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char *const shorts = "\"\"\\\\\bb\tt\nn\ff\rr";
    const char *s;
    char text[6] = { '\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15] };

    for (s = shorts; *s != '\0'; s += 2) {
        if ((uint8_t)s[0] != byte)
            continue;
        text[1] = s[1];
        xs_buf_append(buf, (struct xs_slice){ text, 2 });
        return;
    }
    xs_buf_append(buf, (struct xs_slice){ text, sizeof text });
}

void xs_buf_append_escaped(struct xs_buf *buf, struct xs_slice text)
{
    size_t begin = 0; /* of the run that goes out as it is */
    size_t n = 0;

    while (n < text.len && !buf->failed) {
        uint8_t byte;
        size_t step = 1;
        bool valid = false;

        n += plain_run(text.at + n, text.len - n);
        if (n == text.len)
            break;
        byte = (uint8_t)text.at[n];
        if (byte >= 0x80)
            step = xs_utf8_step(text.at + n, text.len - n, &valid);
        if (valid) {
            n += step;
            continue;
        }
        xs_buf_append(buf, (struct xs_slice){ text.at + begin, n - begin });
        if (byte < 0x80)
            append_escape(buf, byte);
        else
            xs_buf_append(buf, XS_SLICE("\xEF\xBF\xBD"));
        n += step;
        begin = n;
    }
    if (begin < text.len)
        xs_buf_append(buf, (struct xs_slice){ text.at + begin, text.len - begin });
}
