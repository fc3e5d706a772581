/* http - the only reader of HTTP heads. It hands an upgrade to the protocol that was asked for;
 * other requests go to the first route of one table that takes their path. */
#include "http.h"

struct http {
    struct xs_http_scan scan;
    size_t head;       /* bytes of the head in front of the input; 0: it goes on */
    uint64_t requests; /* answered */
    bool spaced;       /* an empty line may come */
    bool last;         /* of the answer under way: the connection ends behind it */
};

static const char *const http_beginnings[] = {
    "GET ",   "HEAD ",
    "POST ",  "OPTIONS ",
    "PUT ",   "DELETE ",
    "PATCH ", "PRI * HTTP/2.0\r\n", /* RFC 9113 section 3.4: to refuse it properly */
    NULL,
};

static const struct xs_setting http_settings[] = {
    { "document_root", "folder", "",
      "The folder whose files are served; without one there are none. Links that lead out of "
      "it, names that begin with a dot, and whatever is no regular file are not found." },
    { "index", "name", "index.html", "The file that stands for the folder it lies in." },
    { "cache_control", "string", "no-cache",
      "What Cache-Control tells of files; no-cache has them compared each time, which costs an "
      "answer without a body." },
    { "keepalive_timeout", "time", "15s",
      "How long a connection waits for the next request; 0s ends it behind the first." },
    { "max_requests", "int", "1000", "Answers on one connection; 0 is no bound." },
    { "cache", "size", "4MiB", "Files that each worker keeps in memory, together." },
    { "cache_file", "size", "64KiB", "The largest file that is kept in memory." },
};

static enum xs_err http_worker_start(void *state, const struct xs_settings *settings)
{
    struct xs_http_worker *worker = state;

    worker->root = xs_setting_folder(settings, "document_root");
    worker->index = xs_setting_text(settings, "index");
    worker->cache_control = xs_setting_text(settings, "cache_control");
    worker->keepalive = (uint64_t)xs_setting_number(settings, "keepalive_timeout");
    worker->max_requests = xs_setting_number(settings, "max_requests");
    if (worker->root != NULL)
        xs_folder_keep(worker->root, (size_t)xs_setting_number(settings, "cache"),
                       (size_t)xs_setting_number(settings, "cache_file"));
    return XS_OK;
}

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

/* ---- routes ---- */

static enum xs_err answer_health(const struct xs_http_exchange *exchange)
{
    bool draining = xs_conn_draining(exchange->conn);

    xs_http_say(exchange, draining ? 503 : 200, "Cache-Control: no-store\r\n",
                draining ? "draining" : "ok");
    xs_http_done(exchange);
    return XS_OK;
}

/* The first that takes a path has it. A handler answers and calls xs_http_done(); or returns
 * XS_EAGAIN, to be called again with the same request when the connection goes on. */
static const struct route {
    const char *path;
    bool is_prefix;
    const char *methods; /* those the handler is called for; OPTIONS is answered with them */
    enum xs_err (*handler)(const struct xs_http_exchange *exchange);
} routes[] = {
    { "/healthz", false, "GET, HEAD", answer_health },
    { "/", true, "GET, HEAD", xs_http_file },
};

static const struct route *route_of(struct xs_slice path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        struct xs_slice start = xs_slice_of(routes[i].path);
        struct xs_slice begin = { path.at, path.len < start.len ? path.len : start.len };

        if (xs_slice_equal(routes[i].is_prefix ? begin : path, start))
            return &routes[i];
    }
    return &routes[0]; /* "*", of OPTIONS: what every path has */
}

static bool lists(const char *methods, struct xs_slice method)
{
    for (const char *at = methods; at != NULL; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, method.at, method.len) == 0 &&
            (at[method.len] == ',' || at[method.len] == '\0'))
            return true;
    }
    return false;
}

/* ---- requests ---- */

/* The answer to a request that cannot be served, and the end of the connection. */
static void refuse(struct xs_http_exchange *exchange, struct xs_http_fault fault)
{
    exchange->keep = false;
    xs_http_say(exchange, fault.status, "", fault.sentence);
    xs_conn_close(exchange->conn, XS_CLOSE_REFUSED, fault.sentence);
}

void xs_http_sent(void *self, struct xs_conn *conn)
{
    struct http *http = self;
    struct xs_http_exchange exchange = { .conn = conn,
                                         .worker = xs_conn_worker_state(conn),
                                         .keep = !http->last };

    xs_http_done(&exchange);
}

/* RFC 9110 section 9.3.7. */
static void answer_options(const struct xs_http_exchange *exchange, const char *methods)
{
    struct xs_http_answer answer;

    xs_http_begin(&answer, exchange, 204);
    xs_http_add(&answer, "Allow: %s, OPTIONS\r\n", methods);
    xs_http_end(&answer, exchange);
    xs_http_done(exchange);
}

static void refuse_method(const struct xs_http_exchange *exchange, const char *methods)
{
    struct xs_http_answer extra = { .len = 0 };

    xs_http_add(&extra, "Allow: %s, OPTIONS\r\n", methods);
    xs_http_say(exchange, 405, extra.text, "this method does not work here");
    xs_http_done(exchange);
}

static enum xs_err serve(struct xs_http_exchange *exchange,
                         const struct xs_http_request *request)
{
    const struct route *route = route_of(request->head.path);
    bool with_body = request->has_body || request->has_unknown_length;
    bool options = xs_slice_equal(request->head.method, XS_SLICE("OPTIONS"));

    if (xs_http_header_has(&request->head, "Upgrade", "websocket")) {
        refuse(exchange, (struct xs_http_fault){ 400, "this cannot be upgraded to WebSocket" });
    } else if (!options && !lists(route->methods, request->head.method)) {
        /* What lies behind is a body that nobody reads. */
        exchange->keep = exchange->keep && !with_body;
        refuse_method(exchange, route->methods);
    } else if (with_body) {
        refuse(exchange, (struct xs_http_fault){ request->has_body ? 413 : 411,
                                                 "no body is taken here" });
    } else if (options) {
        answer_options(exchange, route->methods);
    } else {
        return route->handler(exchange);
    }
    return XS_OK;
}

/* RFC 9110 section 7.8: an upgrade is asked for by both headers, and never with HTTP/1.0. */
static bool wants_upgrade(const struct xs_http_request *request)
{
    return request->head.minor == 1 && !request->has_body && !request->has_unknown_length &&
           xs_http_header(&request->head, "Upgrade") != NULL &&
           xs_http_header_has(&request->head, "Connection", "upgrade");
}

static bool may_keep(const struct http *http, const struct xs_http_exchange *exchange,
                     const struct xs_http_request *request)
{
    const struct xs_http_worker *worker = exchange->worker;

    return request->keep_alive && request->head.minor == 1 && worker->keepalive > 0 &&
           (worker->max_requests <= 0 || http->requests + 1 < (uint64_t)worker->max_requests) &&
           !xs_conn_draining(exchange->conn);
}

/* What came of a head. */
enum taken { ANSWERED, AGAIN, HANDED_ON };

static enum taken take(struct http *http, struct xs_conn *conn, struct xs_slice bytes)
{
    struct xs_http_exchange exchange = { .conn = conn, .worker = xs_conn_worker_state(conn) };
    struct xs_http_request request;
    struct xs_http_fault fault = xs_http_read(bytes, &request);

    if (fault.status != 0) {
        refuse(&exchange, fault);
        return ANSWERED;
    }
    exchange.head = &request.head;
    exchange.without_body = xs_slice_equal(request.head.method, XS_SLICE("HEAD"));
    if (wants_upgrade(&request)) {
        xs_conn_set_head(conn, &request.head);
        if (xs_conn_upgrade(conn, &request.head) == XS_OK)
            return HANDED_ON;
    }
    exchange.keep = may_keep(http, &exchange, &request);
    http->last = !exchange.keep;
    return serve(&exchange, &request) == XS_EAGAIN ? AGAIN : ANSWERED;
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
    if (!http->spaced || http->scan.scanned > 0 || in->len == 0 || in->at[0] != '\r')
        return true;
    if (in->len == 1)
        return false;
    if (in->at[1] == '\n') {
        http->spaced = false; /* one, not many */
        skip(in, 2);
    }
    return true;
}

/* Finds the end of the head in front. False: it goes on, or is refused. */
static bool find_head(struct http *http, struct xs_conn *conn, const struct xs_input *in)
{
    struct xs_http_exchange exchange = { .conn = conn, .worker = xs_conn_worker_state(conn) };
    struct xs_slice bytes = { in->at, in->len };
    struct xs_http_fault fault;

    if (http->head > 0) /* it was found, and waited for the disk */
        return true;
    http->head = xs_http_scan(&http->scan, bytes, xs_conn_limits(conn)->head, &fault);
    if (fault.status != 0)
        refuse(&exchange, fault);
    return http->head > 0;
}

static enum xs_err http_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct http *http = self;

    while (in->len > 0 && !xs_conn_closing(conn) && !xs_conn_busy(conn)) {
        struct xs_slice bytes;
        enum taken taken;

        if (!skip_empty_line(http, in) || !find_head(http, conn, in))
            break;
        bytes = (struct xs_slice){ in->at, http->head };
        skip(in, bytes.len);
        taken = take(http, conn, bytes);
        if (taken == HANDED_ON)
            return XS_OK;
        if (taken == AGAIN) {
            in->at -= bytes.len;
            in->len += bytes.len;
            return XS_OK;
        }
        memset(&http->scan, 0, sizeof http->scan);
        http->head = 0;
        http->requests++;
        http->spaced = true;
    }
    if (xs_conn_closing(conn))
        skip(in, in->len);
    return XS_OK;
}

static const struct xs_protocol_ops http_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "http",
    .state_size = sizeof(struct http),
    .worker_size = sizeof(struct xs_http_worker),
    .settings = XS_TABLE(http_settings),
    .beginnings = http_beginnings,
    .worker_start = http_worker_start,
    .match = http_match,
    .open = http_decode,
    .decode = http_decode,
};

XS_PLUGIN(.name = "http", .version = "1.1.0", .protocols = { &http_ops })
