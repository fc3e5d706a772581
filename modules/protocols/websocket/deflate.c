/* deflate - permessage-deflate, RFC 7692.
 *
 * Answered with no_context_takeover for both sides: every message stands for itself, so one
 * deflater and one inflater serve all connections of a worker, and a broadcast is packed once.
 */
#include <stdlib.h>

#include <zlib.h>

#include "deflate.h"

enum {
    WINDOWS = XS_DEFLATE_WINDOW - XS_DEFLATE_LEAST_WINDOW + 1,
    /* zlib clears a hash table for each message, whose size this is about: 16 KiB, where the
     * usual 8 clears 64 KiB and makes messages no smaller. */
    MEMORY_LEVEL = 6,
    BUFFER_FIRST = 1024,
    BUFFER_KEPT = 64 * 1024,
    TAIL = 4,
    BETWEEN_BLOCKS = 128 /* z_stream.data_type: no bits left over, not the last block */
};

/* RFC 7692 section 7.2.1: what the sender takes off the end of each message. */
static const char tail[TAIL] = { 0, 0, (char)0xff, (char)0xff };

struct xs_packer {
    unsigned level;
    bool deflates[WINDOWS]; /* which are made */
    bool inflates;
    z_stream deflaters[WINDOWS];
    z_stream inflater;
    char *packed; /* where deflate writes */
    size_t packed_cap;
    struct xs_plain plain; /* not lent now */
};

/* ---- offers ---- */

static void skip_white(struct xs_slice *text)
{
    while (text->len > 0 && (text->at[0] == ' ' || text->at[0] == '\t')) {
        text->at++;
        text->len--;
    }
}

static bool take(struct xs_slice *text, char c)
{
    skip_white(text);
    if (text->len == 0 || text->at[0] != c)
        return false;
    text->at++;
    text->len--;
    return true;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == ';' || c == '=' || c == '"';
}

static struct xs_slice take_word(struct xs_slice *text)
{
    struct xs_slice word;

    skip_white(text);
    word = (struct xs_slice){ text->at, 0 };
    while (text->len > 0 && !ends_word(text->at[0])) {
        text->at++;
        text->len--;
        word.len++;
    }
    return word;
}

/* RFC 6455 section 9.1: a token, or one in quotes. */
static bool take_value(struct xs_slice *text, struct xs_slice *value)
{
    bool quoted = take(text, '"');

    *value = take_word(text);
    return value->len > 0 && (!quoted || take(text, '"'));
}

/* Cuts the next offer off a list; a comma in quotes parts nothing. One pass over the whole
 * list. False at its end. */
static bool cut_offer(struct xs_slice *list, struct xs_slice *offer)
{
    bool quoted = false;
    size_t n = 0;

    if (list->len == 0)
        return false;
    for (; n < list->len && (quoted || list->at[n] != ','); n++) {
        if (list->at[n] == '"')
            quoted = !quoted;
        else if (quoted && list->at[n] == '\\' && n + 1 < list->len)
            n++;
    }
    *offer = (struct xs_slice){ list->at, n };
    n += n < list->len;
    list->at += n;
    list->len -= n;
    return true;
}

/* RFC 7692 section 7.1.2: 8 to 15, without leading zeros. 0 if it is none of these. */
static unsigned window_of(struct xs_slice value)
{
    if (value.len == 1 && (value.at[0] == '8' || value.at[0] == '9'))
        return (unsigned)(value.at[0] - '0');
    if (value.len == 2 && value.at[0] == '1' && value.at[1] >= '0' && value.at[1] <= '5')
        return 10 + (unsigned)(value.at[1] - '0');
    return 0;
}

/* RFC 7692 section 7.1: what is unknown, comes twice or has a wrong value declines the offer.
 */
static bool read_offer(struct xs_slice text, struct xs_deflate_offer *offer)
{
    enum { SERVER_FORGETS, CLIENT_FORGETS, SERVER_WINDOW, CLIENT_WINDOW, PARAMETERS };
    static const char *const names[PARAMETERS] = { "server_no_context_takeover",
                                                   "client_no_context_takeover",
                                                   "server_max_window_bits",
                                                   "client_max_window_bits" };
    unsigned seen = 0;

    *offer = (struct xs_deflate_offer){ XS_DEFLATE_WINDOW, false };
    if (!xs_slice_equal(take_word(&text), XS_SLICE("permessage-deflate")))
        return false;
    while (take(&text, ';')) {
        struct xs_slice name = take_word(&text), value = XS_SLICE("");
        bool has_value = take(&text, '=');
        unsigned which = 0, window;

        if (has_value && !take_value(&text, &value))
            return false;
        while (which < PARAMETERS && !xs_slice_equal(name, xs_slice_of(names[which])))
            which++;
        if (which == PARAMETERS || (seen & 1U << which) != 0)
            return false;
        seen |= 1U << which;
        window = window_of(value);
        if (which < SERVER_WINDOW ? has_value : has_value && window == 0)
            return false;
        if (which != SERVER_WINDOW)
            continue;
        /* zlib's deflate has no window of 8 bits. */
        if (window < XS_DEFLATE_LEAST_WINDOW)
            return false;
        *offer = (struct xs_deflate_offer){ window, true };
    }
    skip_white(&text);
    return text.len == 0;
}

bool xs_deflate_choose(const struct xs_http_head *head, struct xs_deflate_offer *offer)
{
    for (size_t i = 0; i < head->header_count; i++) {
        struct xs_slice list = head->headers[i].value, text;

        if (!xs_slice_equal_nocase(head->headers[i].name, XS_SLICE("Sec-WebSocket-Extensions")))
            continue;
        while (cut_offer(&list, &text))
            if (read_offer(text, offer))
                return true;
    }
    return false;
}

/* ---- the worker's ---- */

struct xs_packer *xs_packer_new(unsigned level)
{
    struct xs_packer *packer = calloc(1, sizeof *packer);

    if (packer != NULL)
        packer->level = level;
    return packer;
}

void xs_packer_free(struct xs_packer *packer)
{
    if (packer == NULL)
        return;
    for (size_t i = 0; i < WINDOWS; i++)
        if (packer->deflates[i])
            (void)deflateEnd(&packer->deflaters[i]);
    if (packer->inflates)
        (void)inflateEnd(&packer->inflater);
    free(packer->packed);
    free(packer->plain.at);
    free(packer);
}

/* ---- packing ---- */

/* At the beginning of a message; NULL without memory. */
static z_stream *deflater_of(struct xs_packer *packer, unsigned window)
{
    size_t i = window - XS_DEFLATE_LEAST_WINDOW;
    z_stream *z = &packer->deflaters[i];

    if (!packer->deflates[i])
        packer->deflates[i] = deflateInit2(z, (int)packer->level, Z_DEFLATED, -(int)window,
                                           MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    return packer->deflates[i] && deflateReset(z) == Z_OK ? z : NULL;
}

/* What grew for a large message is not kept for small ones. */
static bool make_room(struct xs_packer *packer, size_t need)
{
    size_t cap = need > BUFFER_KEPT ? need : BUFFER_KEPT;

    if (packer->packed_cap >= need && (packer->packed_cap == BUFFER_KEPT || need > BUFFER_KEPT))
        return true;
    free(packer->packed);
    packer->packed = malloc(cap);
    packer->packed_cap = packer->packed != NULL ? cap : 0;
    return packer->packed != NULL;
}

bool xs_pack(struct xs_packer *packer, unsigned window, struct xs_slice plain,
             struct xs_slice *packed)
{
    /* Room for what is smaller, its tail, and a byte that stays free when zlib is done. */
    size_t room = plain.len + TAIL;
    z_stream *z;

    if (plain.len == 0 || room > UINT32_MAX || !make_room(packer, room))
        return false;
    z = deflater_of(packer, window);
    if (z == NULL)
        return false;
    z->next_in = (Bytef *)(uintptr_t)plain.at;
    z->avail_in = (uInt)plain.len;
    z->next_out = (Bytef *)packer->packed;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in > 0 || z->avail_out == 0)
        return false;
    *packed = (struct xs_slice){ packer->packed, room - z->avail_out - TAIL };
    return true;
}

/* ---- unpacking ---- */

static bool grow(struct xs_plain *plain, size_t limit)
{
    size_t cap = plain->cap > 0 ? 2 * plain->cap : BUFFER_FIRST;
    char *at;

    /* One byte more than may be shows that there is too much. */
    if (cap > limit + 1)
        cap = limit + 1;
    at = realloc(plain->at, cap);
    if (at == NULL)
        return false;
    plain->at = at;
    plain->cap = cap;
    return true;
}

/* `*ended`: with the last byte of `in` a stream has ended. */
static enum xs_err inflate_part(z_stream *z, struct xs_slice in, size_t limit,
                                struct xs_plain *plain, bool *ended)
{
    *ended = false;
    z->next_in = (Bytef *)(uintptr_t)in.at;
    z->avail_in = (uInt)in.len;
    do {
        int did;

        if (plain->len == plain->cap && !grow(plain, limit))
            return XS_ENOMEM;
        z->next_out = (Bytef *)plain->at + plain->len;
        z->avail_out = (uInt)(plain->cap - plain->len);
        did = inflate(z, Z_SYNC_FLUSH);
        plain->len = plain->cap - z->avail_out;
        if (plain->len > limit)
            return XS_ETOOBIG;
        if (did == Z_MEM_ERROR)
            return XS_ENOMEM;
        if (did != Z_OK && did != Z_BUF_ERROR && did != Z_STREAM_END)
            return XS_EPROTO;
        /* RFC 7692 section 7.2.3.4: a block may say that it is the last one, and more follows.
         */
        if (did == Z_STREAM_END) {
            *ended = z->avail_in == 0;
            if (inflateReset(z) != Z_OK)
                return XS_EINTERNAL;
        }
    } while (z->avail_in > 0 || z->avail_out == 0);
    return XS_OK;
}

static bool start_inflater(struct xs_packer *packer)
{
    if (packer->inflates)
        return inflateReset(&packer->inflater) == Z_OK;
    packer->inflates = inflateInit2(&packer->inflater, -XS_DEFLATE_WINDOW) == Z_OK;
    return packer->inflates;
}

enum xs_err xs_unpack(struct xs_packer *packer, struct xs_slice packed, size_t limit,
                      struct xs_plain *plain)
{
    z_stream *z = &packer->inflater;
    enum xs_err err;
    bool ended;

    *plain = packer->plain;
    plain->len = 0;
    memset(&packer->plain, 0, sizeof packer->plain);
    if (packed.len > UINT32_MAX || limit >= UINT32_MAX)
        return XS_ETOOBIG;
    if (!start_inflater(packer))
        return XS_ENOMEM;
    err = inflate_part(z, packed, limit, plain, &ended);
    if (err != XS_OK || ended || packed.len == 0)
        return err;
    err = inflate_part(z, (struct xs_slice){ tail, TAIL }, limit, plain, &ended);
    if (err != XS_OK)
        return err;
    /* RFC 7692 section 7.2.1: with its tail a message ends behind a block, and that was not the
     * last one. */
    return ended || z->data_type != BETWEEN_BLOCKS ? XS_EPROTO : XS_OK;
}

void xs_plain_give_back(struct xs_packer *packer, struct xs_plain *plain)
{
    if (packer->plain.at != NULL || plain->cap > BUFFER_KEPT)
        free(plain->at);
    else
        packer->plain = *plain;
    memset(plain, 0, sizeof *plain);
}
