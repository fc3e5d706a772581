/* files - answers with what lies below document_root. */
#include <inttypes.h>
#include <time.h>

#include "http.h"

/* Bytes of a redirection besides its Location. */
#define REDIRECT_REST ((size_t)512)

static enum xs_err say(const struct xs_http_exchange *exchange, unsigned status,
                       const char *extra, const char *sentence)
{
    xs_http_say(exchange, status, extra, sentence);
    xs_http_done(exchange);
    return XS_OK;
}

static enum xs_err nothing_here(const struct xs_http_exchange *exchange)
{
    return say(exchange, 404, "", "there is nothing here");
}

/* ---- a folder without its slash ---- */

/* What may stand in a path as it is (RFC 3986 section 3.3). */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/-._~!$&'()*+,;=:@", c) != NULL);
}

/* The same path with a slash behind it, so that what the page links to is found below it, and
 * the same query. No part of a path is empty: it cannot be taken for the name of a host. */
static enum xs_err redirect(const struct xs_http_exchange *exchange,
                            const struct xs_http_path *path)
{
    struct xs_slice query = exchange->head->query;
    struct xs_http_answer answer;

    if (3 * path->len + query.len + REDIRECT_REST > sizeof answer.text)
        return say(exchange, 414, "", "the request target is too long to be sent back");
    xs_http_begin(&answer, exchange, 301);
    xs_http_add(&answer, "Location: /");
    for (size_t i = 0; i < path->len; i++)
        if (is_plain(path->at[i]))
            xs_http_add(&answer, "%c", path->at[i]);
        else
            xs_http_add(&answer, "%%%02X", (unsigned)(unsigned char)path->at[i]);
    /* Printable, and without a blank: the reader of the request has seen to that. */
    xs_http_add(&answer, "/%s%.*s\r\nContent-Length: 0\r\n", query.len > 0 ? "?" : "",
                (int)query.len, query.at);
    xs_http_end(&answer, exchange);
    xs_http_done(exchange);
    return XS_OK;
}

/* ---- a file ---- */

static void add_state(struct xs_http_answer *answer, const struct xs_http_exchange *exchange,
                      const struct xs_http_state *state)
{
    char date[XS_HTTP_DATE];

    xs_http_date(state->modified, date);
    xs_http_add(answer, "ETag: %s\r\nLast-Modified: %s\r\n", state->etag, date);
    if (exchange->worker->cache_control[0] != '\0')
        xs_http_add(answer, "Cache-Control: %s\r\n", exchange->worker->cache_control);
}

static enum xs_err not_modified(const struct xs_http_exchange *exchange,
                                const struct xs_http_state *state)
{
    struct xs_http_answer answer;

    xs_conn_close_file(exchange->conn);
    xs_http_begin(&answer, exchange, 304);
    add_state(&answer, exchange, state);
    xs_http_end(&answer, exchange);
    xs_http_done(exchange);
    return XS_OK;
}

static enum xs_err no_such_range(const struct xs_http_exchange *exchange,
                                 const struct xs_http_state *state)
{
    struct xs_http_answer extra = { .len = 0 };

    xs_conn_close_file(exchange->conn);
    xs_http_add(&extra, "Content-Range: bytes */%" PRIu64 "\r\n", state->length);
    return say(exchange, 416, extra.text, "the file is not that long");
}

static enum xs_err send_file(const struct xs_http_exchange *exchange, const char *type,
                             const struct xs_http_state *state, unsigned status,
                             const struct xs_http_range *range)
{
    struct xs_http_answer answer;

    xs_http_begin(&answer, exchange, status);
    xs_http_add(&answer, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", type,
                range->length);
    if (status == 206)
        xs_http_add(&answer, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
                    range->first, range->first + range->length - 1, state->length);
    xs_http_add(&answer, "Accept-Ranges: bytes\r\n");
    add_state(&answer, exchange, state);
    xs_http_end(&answer, exchange);
    if (!exchange->without_body) {
        xs_conn_send_file(exchange->conn, range->first, range->length, xs_http_sent);
        return XS_OK;
    }
    xs_conn_close_file(exchange->conn);
    xs_http_done(exchange);
    return XS_OK;
}

static enum xs_err answer_file(const struct xs_http_exchange *exchange, const char *type,
                               const struct xs_file_facts *facts)
{
    struct xs_http_state state = { .modified = facts->modified, .length = facts->length };
    struct xs_http_range range = { 0, facts->length };
    int64_t now = (int64_t)time(NULL);
    unsigned status;

    xs_http_etag(facts, state.etag);
    status = xs_http_conditions(exchange->head, &state, now);
    if (status == 304)
        return not_modified(exchange, &state);
    if (status == 412) {
        xs_conn_close_file(exchange->conn);
        return say(exchange, 412, "", "the file is not as you have it");
    }
    /* Section 14.2: only a GET asks for a part. */
    if (!exchange->without_body)
        status = xs_http_ranges(exchange->head, &state, now, &range);
    if (status == 416)
        return no_such_range(exchange, &state);
    return send_file(exchange, type, &state, status, &range);
}

/* What went wrong with the disk, or XS_OK with the answer that was given. */
static enum xs_err answer_fault(const struct xs_http_exchange *exchange, enum xs_err err)
{
    switch (err) {
    case XS_EGONE:
        return XS_OK;
    case XS_ENOTFOUND:
    case XS_EINVAL:
        return nothing_here(exchange);
    case XS_EREFUSED:
        return say(exchange, 403, "", "this may not be read");
    case XS_EBUSY:
        return say(exchange, 503, "Retry-After: 1\r\n", "too much is asked for just now");
    default:
        return say(exchange, 500, "", "the file cannot be read");
    }
}

enum xs_err xs_http_file(const struct xs_http_exchange *exchange)
{
    struct xs_file_facts facts = { .size = sizeof facts };
    const struct xs_http_worker *worker = exchange->worker;
    struct xs_http_path path;
    struct xs_http_fault fault;
    struct xs_slice file;
    enum xs_err err;

    if (worker->root == NULL)
        return nothing_here(exchange);
    fault = xs_http_path_read(exchange->head->path, &path);
    if (fault.status == 0 && path.is_folder && !xs_http_path_add(&path, worker->index))
        return nothing_here(exchange);
    if (fault.status != 0)
        return say(exchange, fault.status, "", fault.sentence);
    file = (struct xs_slice){ path.at, path.len };
    err = xs_conn_open_file(exchange->conn, worker->root, file, &facts);
    if (err == XS_EAGAIN)
        return err;
    if (err != XS_OK)
        return answer_fault(exchange, err);
    if (!facts.is_folder)
        return answer_file(exchange, xs_http_type(file), &facts);
    xs_conn_close_file(exchange->conn);
    return path.is_folder ? nothing_here(exchange) : redirect(exchange, &path);
}
