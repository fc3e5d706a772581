/* conditions - whether a client has the file already (RFC 9110 section 13), and which part of
 * it it wants (section 14). */
#include <inttypes.h>
#include <stdio.h>

#include "http.h"

void xs_http_etag(const struct xs_file_facts *facts, char to[XS_HTTP_ETAG])
{
    (void)snprintf(to, XS_HTTP_ETAG, "\"%" PRIx64 "-%" PRIx64 ".%" PRIx32 "\"", facts->length,
                   (uint64_t)facts->modified, facts->modified_ns);
}

static void skip_blanks(struct xs_slice *text)
{
    while (text->len > 0 && (text->at[0] == ' ' || text->at[0] == '\t')) {
        text->at++;
        text->len--;
    }
}

/* The next entity tag of a list (section 8.8.3), its quotes included. False: there is none, or
 * what comes is none. */
static bool next_tag(struct xs_slice *list, struct xs_slice *tag, bool *weak)
{
    const char *end;

    while (list->len > 0 && (list->at[0] == ',' || list->at[0] == ' ' || list->at[0] == '\t')) {
        list->at++;
        list->len--;
    }
    *weak = list->len > 1 && list->at[0] == 'W' && list->at[1] == '/';
    if (*weak) {
        list->at += 2;
        list->len -= 2;
    }
    if (list->len < 2 || list->at[0] != '"')
        return false;
    end = memchr(list->at + 1, '"', list->len - 1);
    if (end == NULL)
        return false;
    *tag = (struct xs_slice){ list->at, (size_t)(end + 1 - list->at) };
    list->at += tag->len;
    list->len -= tag->len;
    return true;
}

/* Whether any header of that name is "*" or lists the tag. Ours is strong, so it equals a weak
 * one only where weak comparison is enough (section 8.8.3.2). */
static bool lists_tag(const struct xs_http_head *head, const char *name, const char *etag,
                      bool weakly)
{
    for (size_t i = 0; i < head->header_count; i++) {
        struct xs_slice list = head->headers[i].value, tag;
        bool weak;

        if (!xs_slice_equal_nocase(head->headers[i].name, xs_slice_of(name)))
            continue;
        if (xs_slice_equal(list, XS_SLICE("*")))
            return true;
        while (next_tag(&list, &tag, &weak))
            if (xs_slice_equal(tag, xs_slice_of(etag)) && (weakly || !weak))
                return true;
    }
    return false;
}

/* A date in a header that stands there once; others are as if they were not there. */
static bool date_in(const struct xs_http_head *head, const char *name, int64_t now,
                    int64_t *date)
{
    const struct xs_http_header *header = xs_http_header(head, name);

    return header != NULL && xs_http_header_count(head, name) == 1 &&
           xs_http_date_read(header->value, now, date);
}

/* Section 13.2.2, in its order. */
unsigned xs_http_conditions(const struct xs_http_head *head, const struct xs_http_state *state,
                            int64_t now)
{
    int64_t date;

    if (xs_http_header(head, "If-Match") != NULL) {
        if (!lists_tag(head, "If-Match", state->etag, false))
            return 412;
    } else if (date_in(head, "If-Unmodified-Since", now, &date) && state->modified > date) {
        return 412;
    }
    if (xs_http_header(head, "If-None-Match") != NULL)
        return lists_tag(head, "If-None-Match", state->etag, true) ? 304 : 200;
    if (date_in(head, "If-Modified-Since", now, &date) && state->modified <= date)
        return 304;
    return 200;
}

/* ---- ranges ---- */

/* Digits up to a number that no file reaches. False: there are none. */
static bool number(struct xs_slice *text, uint64_t *value)
{
    size_t digits = 0;

    for (*value = 0; text->len > 0 && text->at[0] >= '0' && text->at[0] <= '9'; digits++) {
        if (*value < UINT64_MAX / 16)
            *value = 10 * *value + (uint64_t)(text->at[0] - '0');
        text->at++;
        text->len--;
    }
    return digits > 0;
}

/* "500-999", "500-" or "-500". False: it is none of these, and as if it were not there. */
static bool read_range(struct xs_slice text, uint64_t length, struct xs_http_range *range)
{
    uint64_t first, last;
    bool has_first = number(&text, &first), has_last;

    if (text.len == 0 || text.at[0] != '-')
        return false;
    text.at++;
    text.len--;
    has_last = number(&text, &last);
    skip_blanks(&text);
    if (text.len > 0 || (!has_first && !has_last) || (has_first && has_last && last < first))
        return false;
    if (!has_first) { /* the last so many bytes */
        first = last < length ? length - last : 0;
        range->first = last > 0 ? first : length;
    } else {
        range->first = first;
    }
    if (!has_first || !has_last || last >= length)
        last = length - 1;
    range->length = range->first < length ? last + 1 - range->first : 0;
    return true;
}

/* Section 13.1.5: exactly what the client has. A time that is hardly over proves nothing. */
static bool is_current(const struct xs_http_head *head, const struct xs_http_state *state,
                       int64_t now)
{
    const struct xs_http_header *header = xs_http_header(head, "If-Range");
    int64_t date;

    if (header == NULL)
        return true;
    if (date_in(head, "If-Range", now, &date))
        return date == state->modified && date < now - 1;
    return xs_slice_equal(header->value, xs_slice_of(state->etag));
}

unsigned xs_http_ranges(const struct xs_http_head *head, const struct xs_http_state *state,
                        int64_t now, struct xs_http_range *range)
{
    const struct xs_http_header *header = xs_http_header(head, "Range");
    struct xs_slice unit = XS_SLICE("bytes="), value;

    *range = (struct xs_http_range){ 0, state->length };
    if (header == NULL || state->length == 0 || xs_http_header_count(head, "Range") > 1)
        return 200;
    value = header->value;
    if (value.len < unit.len ||
        !xs_slice_equal_nocase((struct xs_slice){ value.at, unit.len }, unit) ||
        !is_current(head, state, now))
        return 200;
    value.at += unit.len;
    value.len -= unit.len;
    skip_blanks(&value);
    /* Several at once have a format of their own, which nobody must be given (section 14.2). */
    if (!read_range(value, state->length, range)) {
        *range = (struct xs_http_range){ 0, state->length };
        return 200;
    }
    return range->length > 0 ? 206 : 416;
}
