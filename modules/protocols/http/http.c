/* http - the only reader of HTTP heads. It answers a health check, hands an upgrade to the
 * protocol that was asked for, and refuses everything else in one sentence. */
#include <stdio.h>

#include <xsockets/protocol.h>

#include "http.h"

/* Answers that may wait for the peer to read; a client that sends more requests than that is
 * not waited for. */
#define ANSWERS_ENOUGH ((size_t)64 * 1024)

struct http {
    struct xs_http_scan scan;
    bool answered; /* a request before this one */
    bool done;     /* the last answer is given: the rest is thrown away */
};

static const char *const http_beginnings[] = {
    "GET ",   "HEAD ",
    "POST ",  "OPTIONS ",
    "PUT ",   "DELETE ",
    "PATCH ", "PRI * HTTP/2.0\r\n", /* RFC 9113 section 3.4: to refuse it properly */
    NULL,
};

static enum xs_match http_match(struct xs_slice head)
{
    enum xs_match match = XS_MATCH_NO;

    for (size_t i = 0; http_beginnings[i] != NULL; i++) {
        struct xs_slice start = xs_slice_of(http_beginnings[i]);
        size_t n = head.len < start.len ? head.len : start.len;

        if (n > 0 && memcmp(head.at, start.at, n) != 0)
            continue;
        if (n == start.len)
            return XS_MATCH_YES;
        match = XS_MATCH_MORE;
    }
    return match;
}

/* ---- answers ---- */

static const char *phrase(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 426:
        return "Upgrade Required";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

/* `extra`: further header lines or "". `body` has its line end. */
static void answer(struct xs_conn *conn, unsigned status, const char *extra, const char *body,
                   bool with_body, bool keep)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %u %s\r\nServer: xsocketsd\r\n%sContent-Type: text/plain\r\n"
                     "Content-Length: %zu\r\n%s\r\n%s",
                     status, phrase(status), extra, strlen(body),
                     keep ? "" : "Connection: close\r\n", with_body ? body : "");

    if (n > 0 && (size_t)n < sizeof text)
        xs_conn_write(conn, (struct xs_slice){ text, (size_t)n });
}

/* The answer to a request that is not served, and the end of the connection. */
static void refuse(struct http *http, struct xs_conn *conn, unsigned status, const char *extra,
                   const char *sentence, bool with_body)
{
    char body[160];

    (void)snprintf(body, sizeof body, "%s\n", sentence);
    answer(conn, status, extra, body, with_body, false);
    http->done = true;
    xs_conn_close(conn, XS_CLOSE_REFUSED, sentence);
}

static void answer_health(struct http *http, struct xs_conn *conn,
                          const struct xs_http_request *request, bool with_body)
{
    bool draining = xs_conn_draining(conn);
    bool keep = request->keep_alive && request->head.minor == 1 && !draining &&
                xs_conn_queued_control(conn) <= ANSWERS_ENOUGH;

    answer(conn, draining ? 503 : 200, "", draining ? "draining\n" : "ok\n", with_body, keep);
    if (keep)
        return;
    http->done = true;
    xs_conn_close(conn, XS_CLOSE_NORMAL, NULL);
}

/* ---- requests ---- */

static void serve(struct http *http, struct xs_conn *conn,
                  const struct xs_http_request *request)
{
    const struct xs_http_head *head = &request->head;
    bool is_head = xs_slice_equal(head->method, XS_SLICE("HEAD"));

    if (xs_slice_equal(head->path, XS_SLICE("/healthz"))) {
        if (is_head || xs_slice_equal(head->method, XS_SLICE("GET")))
            answer_health(http, conn, request, !is_head);
        else
            refuse(http, conn, 405, "Allow: GET, HEAD\r\n", "only GET and HEAD work here",
                   true);
        return;
    }
    if (xs_http_header(head, "Upgrade") == NULL)
        refuse(http, conn, 404, "", "there is nothing here", !is_head);
    else if (xs_http_header_has(head, "Upgrade", "websocket"))
        refuse(http, conn, 400, "", "this cannot be upgraded to WebSocket", !is_head);
    else
        refuse(http, conn, 426, "Upgrade: websocket\r\n", "only WebSocket is spoken here",
               !is_head);
}

/* RFC 9110 section 7.8: an upgrade is asked for by both headers, and never with HTTP/1.0. */
static bool wants_upgrade(const struct xs_http_head *head)
{
    return head->minor == 1 && xs_http_header(head, "Upgrade") != NULL &&
           xs_http_header_has(head, "Connection", "upgrade");
}

/* One whole head. True: another protocol has the connection, and our state is gone. */
static bool take(struct http *http, struct xs_conn *conn, struct xs_slice bytes)
{
    struct xs_http_request request;
    struct xs_http_fault fault = xs_http_read(bytes, &request);

    if (fault.status != 0) {
        refuse(http, conn, fault.status, "", fault.sentence, true);
        return false;
    }
    if (request.has_unknown_length || request.has_body) {
        refuse(http, conn, request.has_body ? 413 : 411, "", "no body is taken here",
               !xs_slice_equal(request.head.method, XS_SLICE("HEAD")));
        return false;
    }
    if (wants_upgrade(&request.head)) {
        xs_conn_set_head(conn, &request.head);
        if (xs_conn_upgrade(conn, &request.head) == XS_OK)
            return true;
    }
    serve(http, conn, &request);
    return false;
}

static void skip(struct xs_input *in, size_t n)
{
    in->at += n;
    in->len -= n;
}

/* RFC 9112 section 2.2: an empty line between two requests is put up with. False: half of one
 * has come, it may be. */
static bool skip_empty_line(struct http *http, struct xs_input *in)
{
    if (!http->answered || http->scan.scanned > 0 || in->len == 0 || in->at[0] != '\r')
        return true;
    if (in->len == 1)
        return false;
    if (in->at[1] == '\n') {
        http->answered = false; /* one, not many */
        skip(in, 2);
    }
    return true;
}

static enum xs_err http_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct http *http = self;

    while (in->len > 0 && !http->done && !xs_conn_closing(conn)) {
        struct xs_slice bytes;
        struct xs_http_fault fault;

        if (!skip_empty_line(http, in))
            return XS_OK;
        bytes = (struct xs_slice){ in->at, in->len };
        bytes.len = xs_http_scan(&http->scan, bytes, xs_conn_limits(conn)->head, &fault);
        if (fault.status != 0) {
            refuse(http, conn, fault.status, "", fault.sentence, true);
            break;
        }
        if (bytes.len == 0)
            return XS_OK;
        memset(&http->scan, 0, sizeof http->scan);
        http->answered = true;
        skip(in, bytes.len);
        if (take(http, conn, bytes))
            return XS_OK;
    }
    skip(in, in->len);
    return XS_OK;
}

static const struct xs_protocol_ops http_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "http",
    .state_size = sizeof(struct http),
    .beginnings = http_beginnings,
    .match = http_match,
    .open = http_decode,
    .decode = http_decode,
};

XS_PLUGIN(.name = "http", .version = "1.0.0", .protocols = { &http_ops })
