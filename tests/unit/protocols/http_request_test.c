/* host: fake
 * needs: modules/protocols/http/answer.c modules/protocols/http/conditions.c
 * needs: modules/protocols/http/date.c modules/protocols/http/files.c
 * needs: modules/protocols/http/http.c modules/protocols/http/path.c
 * needs: modules/protocols/http/request.c modules/protocols/http/types.c
 * libs: http_parser */
/* HTTP heads: what is read, what is refused, and what becomes another protocol's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conformance/host.h"

const struct xs_plugin *xs_plugin_entry(void);

/* Every answer tells the date; DATE stands for it here. */
#define DATE "Thu, 01 Jan 1970 00:00:00 GMT"
#define HEAD(status)                                                                           \
    "HTTP/1.1 " status "\r\nServer: xsocketsd\r\nDate: " DATE                                  \
    "\r\nX-Content-Type-Options: nosniff\r\n"
#define TEXT      "Content-Type: text/plain; charset=utf-8\r\n"
#define NO_STORE  "Cache-Control: no-store\r\n"
#define CLOSE     "Connection: close\r\n"
#define OK_ANSWER HEAD("200 OK") NO_STORE TEXT "Content-Length: 3\r\n\r\nok\n"
#define NOT_FOUND HEAD("404 Not Found") TEXT "Content-Length: 22\r\n\r\nthere is nothing here\n"

/* ---- a protocol to upgrade to, which takes what comes for text ---- */

static enum xs_err other_open(void *self, struct xs_conn *conn, const struct xs_http_head *head)
{
    char line[400];

    (void)self;
    (void)snprintf(line, sizeof line, "%.*s|%.*s|%.*s|%.*s|%u|%zu\n", (int)head->method.len,
                   head->method.at, (int)head->target.len, head->target.at, (int)head->path.len,
                   head->path.at, (int)head->query.len, head->query.at, head->minor,
                   head->header_count);
    xs_conn_write(conn, xs_slice_of(line));
    for (size_t i = 0; i < head->header_count; i++) {
        (void)snprintf(line, sizeof line, "<%.*s>=<%.*s>\n", (int)head->headers[i].name.len,
                       head->headers[i].name.at, (int)head->headers[i].value.len,
                       head->headers[i].value.at);
        xs_conn_write(conn, xs_slice_of(line));
    }
    xs_conn_ready(conn);
    return XS_OK;
}

static enum xs_err other_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    xs_conn_write(conn, (struct xs_slice){ in->at, in->len });
    in->at += in->len;
    in->len = 0;
    return XS_OK;
}

static enum xs_err other_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    (void)msg;
    xs_buf_append(out, data);
    return XS_OK;
}

static const struct xs_protocol_ops other_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "other",
    .state_size = 16,
    .upgrade = "websocket",
    .open_upgraded = other_open,
    .decode = other_decode,
    .encode = other_encode,
};

/* ---- helpers ---- */

static struct xt_host *host_new(bool with_other)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), NULL);
    if (with_other)
        xt_host_protocol(host, &other_ops, NULL);
    return host;
}

/* Puts DATE in the place of each date. */
static void hide_dates(struct xs_conn *conn)
{
    char *at = conn->written.at;

    while (at != NULL && (at = strstr(at, "\r\nDate: ")) != NULL) {
        at += 8;
        memcpy(at, DATE, sizeof DATE - 1);
    }
}

/* Feeds a request in one read, byte by byte and cut in two at every place: the answer must be
 * the same each time and the connection as `phase` says. The answer begins with `start`. */
static void asked(struct xt_host *host, struct xs_slice request, const char *start,
                  enum xt_phase phase)
{
    size_t cuts = request.len < 400 ? request.len : 0, len = strlen(start);

    for (size_t cut = 0; cut <= cuts + 1; cut++) {
        struct xs_conn *conn = xt_conn_new(host);

        if (cut == cuts + 1)
            xt_feed_bytewise(conn, request);
        else
            xt_feed_cut(conn, request, cut);
        hide_dates(conn);
        /* What ends in a space is only the beginning of the answer. */
        if (conn->written.at == NULL || strncmp(conn->written.at, start, len) != 0 ||
            (start[len - 1] != ' ' && conn->written.len != len))
            fail_msg("%.*s\nwas answered (cut at %zu) by\n%s\nand not by\n%s", (int)request.len,
                     request.at, cut, conn->written.at != NULL ? conn->written.at : "nothing",
                     start);
        assert_int_equal(conn->phase, phase);
        assert_int_equal(conn->delivered_count, 0);
        xt_conn_free(conn);
    }
}

/* A refusal: complete, with a sentence, and the end. */
static void refused_bytes(struct xs_slice request, unsigned status)
{
    struct xt_host *host = host_new(true);
    struct xs_conn *conn = xt_conn_new(host);
    char start[64];
    const char *body, *length;

    (void)snprintf(start, sizeof start, "HTTP/1.1 %u ", status);
    asked(host, request, start, XT_ENDED);
    xt_feed(conn, request);
    body = strstr(conn->written.at, "\r\n\r\n");
    length = strstr(conn->written.at, "\r\nContent-Length: ");
    assert_non_null(body);
    assert_non_null(length);
    assert_non_null(strstr(conn->written.at, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(conn->written.at, "\r\nServer: xsocketsd\r\n"));
    assert_non_null(strstr(conn->written.at, "\r\n" TEXT));
    if (strncmp(request.at, "HEAD ", 5) != 0)
        assert_int_equal(strlen(body + 4), strtoul(length + 18, NULL, 10));
    else
        assert_int_equal(strlen(body + 4), 0);
    assert_int_equal(conn->reason, XS_CLOSE_REFUSED);
    assert_int_equal(conn->write_count, 1);
    xt_conn_free(conn);
    xt_host_free(host);
}

#define refused(request, status) refused_bytes(XS_SLICE(request), (status))

/* ---- recognising ---- */

static void known_methods_are_recognised_and_nothing_else(void **state)
{
    const struct xs_protocol_ops *http = xt_plugin_protocol(xs_plugin_entry(), "http");
    static const char *const yes[] = { "GET ", "HEAD ",   "POST ",  "OPTIONS ",
                                       "PUT ", "DELETE ", "PATCH ", "PRI * HTTP/2.0\r\n" };
    static const char *const no[] = { "G ",           "GETT",   "get ",
                                      "GET\t",        "TRACE ", "CONNECT ",
                                      " GET ",        "PUTT",   "PuttyProtocol",
                                      "\x16\x03\x01", "\x80",   "PRI * HTTP/1.1" };

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        size_t len = strlen(yes[i]);

        for (size_t n = 0; n < len; n++)
            assert_int_equal(http->match((struct xs_slice){ yes[i], n }), XS_MATCH_MORE);
        assert_int_equal(http->match((struct xs_slice){ yes[i], len }), XS_MATCH_YES);
    }
    assert_int_equal(http->match(XS_SLICE("GET / HTTP/1.1\r\n")), XS_MATCH_YES);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_int_equal(http->match(xs_slice_of(no[i])), XS_MATCH_NO);
}

static void every_beginning_that_is_named_is_recognised(void **state)
{
    const struct xs_protocol_ops *http = xt_plugin_protocol(xs_plugin_entry(), "http");

    (void)state;
    for (const char *const *at = http->beginnings; *at != NULL; at++)
        assert_int_equal(http->match(xs_slice_of(*at)), XS_MATCH_YES);
}

/* ---- the health check ---- */

static void the_health_check_is_answered(void **state)
{
    struct xt_host *host = host_new(true);

    (void)state;
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), OK_ANSWER, XT_OPEN);
    asked(host, XS_SLICE("GET /healthz?verbose HTTP/1.1\r\nHost:\r\n\r\n"), OK_ANSWER, XT_OPEN);
    asked(host, XS_SLICE("GET http://x:4502/healthz HTTP/1.1\r\nHost: x:4502\r\n\r\n"),
          OK_ANSWER, XT_OPEN);
    asked(host,
          XS_SLICE("GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\n\r\n"),
          OK_ANSWER, XT_OPEN);
    asked(host, XS_SLICE("GET /healthz HTTP/1.0\r\n\r\n"),
          HEAD("200 OK") NO_STORE TEXT "Content-Length: 3\r\n" CLOSE "\r\nok\n", XT_ENDED);
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n"),
          HEAD("200 OK") NO_STORE TEXT "Content-Length: 3\r\n" CLOSE "\r\nok\n", XT_ENDED);
    host->draining = true;
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
          HEAD("503 Service Unavailable") NO_STORE TEXT "Content-Length: 9\r\n" CLOSE
                                                        "\r\ndraining\n",
          XT_ENDED);
    xt_host_free(host);
}

static void head_is_answered_without_a_body(void **state)
{
    struct xt_host *host = host_new(true);
    struct xs_conn *conn = xt_conn_new(host);

    (void)state;
    xt_feed(conn, XS_SLICE("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    hide_dates(conn);
    assert_string_equal(conn->written.at,
                        HEAD("200 OK") NO_STORE TEXT "Content-Length: 3\r\n\r\n");
    xt_forget(conn);
    xt_feed(conn, XS_SLICE("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"));
    hide_dates(conn);
    assert_string_equal(conn->written.at,
                        HEAD("404 Not Found") TEXT "Content-Length: 22\r\n\r\n");
    xt_conn_free(conn);
    xt_host_free(host);
}

/* RFC 9110 section 7.8: it may be ignored. */
static void an_upgrade_that_nobody_offers_is_as_if_it_were_not_there(void **state)
{
    struct xt_host *host = host_new(false);

    (void)state;
    asked(host,
          XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                   "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"),
          OK_ANSWER, XT_OPEN);
    asked(host, XS_SLICE("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n"), NOT_FOUND,
          XT_OPEN);
    xt_host_free(host);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct xt_host *host = host_new(true);

    (void)state;
    asked(host,
          XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                   "\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
          OK_ANSWER OK_ANSWER NOT_FOUND OK_ANSWER, XT_OPEN);
    xt_host_free(host);
}

/* Not one of them is lost, and none is answered before there is room. */
static void answers_that_nobody_reads_do_not_pile_up(void **state)
{
    static const char *const unbounded[] = { "max_requests", "0", NULL };
    struct xt_host *host = xt_host_new();
    struct xs_conn *conn = xt_conn_new(host);
    struct xt_bytes bytes = { NULL, 0, 0 };
    size_t answers = 0;

    (void)state;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), unbounded);
    conn->peer_reads = false;
    for (size_t i = 0; i < 10000; i++)
        xt_append(&bytes, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    xt_feed(conn, xt_slice(&bytes));
    while (conn->phase == XT_OPEN && conn->written.len > 0) {
        assert_in_range(conn->written.len, 1, 1025 * 1024);
        answers += conn->write_count;
        xt_forget(conn);
        conn->queued_control = 0;
        xt_disk(conn); /* it goes on */
    }
    assert_int_equal(answers, 10000);
    assert_int_equal(conn->phase, XT_OPEN);
    assert_int_equal(conn->pending.len, 0);
    xt_bytes_free(&bytes);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* ---- one request after the other ---- */

static void the_next_request_is_waited_for_behind_each_answer(void **state)
{
    static const char *const pairs[] = { "keepalive_timeout", "7s", NULL };
    struct xt_host *host = xt_host_new();
    struct xs_conn *conn = xt_conn_new(host);

    (void)state;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), pairs);
    xt_feed(conn, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n"));
    assert_int_equal(conn->expect_count, 0);
    xt_feed(conn, XS_SLICE("\r\n"));
    assert_int_equal(conn->expect_count, 1);
    assert_int_equal(conn->expected_ms, 7000);
    xt_feed(conn, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x"
                           "\r\n\r\nGET /half"));
    assert_int_equal(conn->expect_count, 3);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void the_last_of_max_requests_says_so(void **state)
{
    static const char *const pairs[] = { "max_requests", "3", NULL };
    struct xt_host *host = xt_host_new();

    (void)state;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), pairs);
    asked(host,
          XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x"
                   "\r\n\r\n"),
          OK_ANSWER NOT_FOUND HEAD("200 OK") NO_STORE TEXT "Content-Length: 3\r\n" CLOSE
                                                           "\r\nok\n",
          XT_ENDED);
    xt_host_free(host);
}

static void without_a_keepalive_timeout_one_answer_is_all(void **state)
{
    static const char *const pairs[] = { "keepalive_timeout", "0s", NULL };
    struct xt_host *host = xt_host_new();

    (void)state;
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), pairs);
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
          HEAD("200 OK") NO_STORE TEXT "Content-Length: 3\r\n" CLOSE "\r\nok\n", XT_ENDED);
    xt_host_free(host);
}

/* ---- refusals ---- */

static void paths_that_nobody_serves_are_not_found(void **state)
{
    struct xt_host *host = host_new(true);

    (void)state;
    asked(host, XS_SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), NOT_FOUND, XT_OPEN);
    asked(host, XS_SLICE("GET /healthz/ HTTP/1.1\r\nHost: x\r\n\r\n"), NOT_FOUND, XT_OPEN);
    asked(host, XS_SLICE("GET /healthzx HTTP/1.1\r\nHost: x\r\n\r\n"), NOT_FOUND, XT_OPEN);
    asked(host, XS_SLICE("GET /HEALTHZ HTTP/1.1\r\nHost: x\r\n\r\n"), NOT_FOUND, XT_OPEN);
    xt_host_free(host);
}

static void a_405_says_which_methods_there_are(void **state)
{
    static const char *const others[] = { "POST", "PUT", "DELETE", "PATCH" };
    struct xt_host *host = host_new(true);
    char request[80];

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)snprintf(request, sizeof request,
                       "%s /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", others[i],
                       i % 2 == 0 ? "healthz" : "page");
        asked(host, xs_slice_of(request),
              HEAD("405 Method Not Allowed") "Allow: GET, HEAD, OPTIONS\r\n" TEXT
                                             "Content-Length: 31\r\n\r\n"
                                             "this method does not work here\n",
              XT_OPEN);
    }
    xt_host_free(host);
}

static void options_are_told(void **state)
{
    static const char *const targets[] = { "*", "/", "/healthz", "http://x/page?q" };
    struct xt_host *host = host_new(true);
    char request[80];

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        (void)snprintf(request, sizeof request, "OPTIONS %s HTTP/1.1\r\nHost: x\r\n\r\n",
                       targets[i]);
        asked(host, xs_slice_of(request),
              HEAD("204 No Content") "Allow: GET, HEAD, OPTIONS\r\n\r\n", XT_OPEN);
    }
    xt_host_free(host);
    refused("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400);
}

static void bodies_are_not_read_and_end_the_connection(void **state)
{
    struct xt_host *host = host_new(true);

    (void)state;
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 00001\r\n\r\nx", 413);
    refused("GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411);
    asked(host, XS_SLICE("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
          "HTTP/1.1 405 ", XT_ENDED);
    refused("OPTIONS /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413);
    xt_host_free(host);
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    refused("GET /healthz\r\n", 505);
    refused("GET /healthz HTTP/2.0\r\n", 505);
    refused("GET /healthz HTTP/0.9\r\n", 505);
    refused("GET /healthz HTTP/1.2\r\n", 505);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

static void malformed_request_lines_are_refused(void **state)
{
    (void)state;
    refused("GET  /healthz HTTP/1.1\r\n", 400);
    refused("GET /healthz  HTTP/1.1\r\n", 400);
    refused("GET /healthz HTTP/1.1 \r\n", 400);
    refused("GET /healthz http/1.1\r\n", 400);
    refused("GET /healthz HTTP/11\r\n", 400);
    refused("GET /healthz HTTP/1.01\r\n", 400);
    refused("GET /healthz HTTP/x.1\r\n", 400);
    refused("GET /health z HTTP/1.1\r\n", 400);
    refused("GET /healthz#top HTTP/1.1\r\n", 400);
    refused("GET /h\xc3\xa4 HTTP/1.1\r\n", 400);
    refused("GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    refused("GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    refused("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400);
}

static void an_unknown_method_behind_a_good_request_is_refused(void **state)
{
    struct xt_host *host = host_new(true);

    (void)state;
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nTRACE / HTTP/1.1\r\n"),
          OK_ANSWER "HTTP/1.1 501 ", XT_ENDED);
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nG\xff / HTTP/1.1\r\n"),
          OK_ANSWER "HTTP/1.1 400 ", XT_ENDED);
    asked(host, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\n"),
          OK_ANSWER "HTTP/1.1 400 ", XT_ENDED);
    xt_host_free(host);
}

static void line_ends_and_control_characters_are_taken_strictly(void **state)
{
    (void)state;
    refused("GET /healthz HTTP/1.1\nHost: x\n\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\n\n", 400);
    refused("GET /healthz HTTP/1.1\rHost: x\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\0y\r\n\r\n", 400);
    refused("GET /heal\0thz HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x1b[0m\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x0b\r\n\r\n", 400);
}

static void odd_header_lines_are_refused(void **state)
{
    (void)state;
    refused("GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA(b): c\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nA\xff: c\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\n\"A\": c\r\n\r\n", 400);
}

static void hosts_are_taken_strictly(void **state)
{
    (void)state;
    refused("GET /healthz HTTP/1.1\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x y\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: x/y\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: me@x\r\n\r\n", 400);
    refused("GET /healthz HTTP/1.1\r\nHost: \xff\r\n\r\n", 400);
}

static void requests_that_two_readers_could_read_differently_are_refused(void **state)
{
    (void)state;
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
            400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\ncontent-length: 5\r\n\r\n",
            400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1 2\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            "Transfer-Encoding: chunked\r\n\r\n",
            400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Content-Length: 0\r\n\r\n",
            400);
    refused("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    refused("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n", 400);
    refused("GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", 411);
}

static void heads_over_the_limits_are_refused(void **state)
{
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    xt_append(&bytes, XS_SLICE("GET /"));
    for (size_t i = 0; i < 16 * 1024; i++)
        xt_append(&bytes, XS_SLICE("a"));
    refused_bytes(xt_slice(&bytes), 414);
    xt_bytes_free(&bytes);
    xt_append(&bytes, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\nA: "));
    for (size_t i = 0; i < 16 * 1024; i++)
        xt_append(&bytes, XS_SLICE("a"));
    refused_bytes(xt_slice(&bytes), 431);
    xt_bytes_free(&bytes);
    xt_append(&bytes, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n"));
    for (size_t i = 0; i < 100; i++)
        xt_append(&bytes, XS_SLICE("A: b\r\n"));
    xt_append(&bytes, XS_SLICE("\r\n"));
    refused_bytes(xt_slice(&bytes), 431);
    xt_bytes_free(&bytes);
}

static void heads_up_to_the_limits_are_taken(void **state)
{
    static const char start[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nA: ";
    struct xt_host *host = host_new(true);
    struct xt_bytes bytes = { NULL, 0, 0 };

    (void)state;
    xt_append(&bytes, xs_slice_of(start));
    for (size_t i = 0; i < 16 * 1024 - sizeof start + 1 - 4; i++)
        xt_append(&bytes, XS_SLICE("a"));
    xt_append(&bytes, XS_SLICE("\r\n\r\n"));
    assert_int_equal(bytes.len, 16 * 1024);
    asked(host, xt_slice(&bytes), OK_ANSWER, XT_OPEN);
    xt_bytes_free(&bytes);
    xt_append(&bytes, XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n"));
    for (size_t i = 0; i < 99; i++)
        xt_append(&bytes, XS_SLICE("A: b\r\n"));
    xt_append(&bytes, XS_SLICE("\r\n"));
    asked(host, xt_slice(&bytes), OK_ANSWER, XT_OPEN);
    xt_bytes_free(&bytes);
    xt_host_free(host);
}

/* ---- upgrades ---- */

static void an_upgrade_hands_over_the_head_and_what_lies_behind_it(void **state)
{
    struct xt_host *host = host_new(true);

    (void)state;
    asked(host,
          XS_SLICE(
              "GET /a/b?c=d&e HTTP/1.1\r\nHost:x\r\nupgrade: WebSocket\r\n"
              "Connection: keep-alive, Upgrade\r\nEmpty:\r\nPadded: \t a b \t \r\n\r\nbehind"),
          "GET|/a/b?c=d&e|/a/b|c=d&e|1|5\n<Host>=<x>\n<upgrade>=<WebSocket>\n"
          "<Connection>=<keep-alive, Upgrade>\n<Empty>=<>\n<Padded>=<a b>\nbehind",
          XT_OPEN);
    asked(host,
          XS_SLICE("GET http://x?q HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: upgrade\r\n\r\n"),
          "GET|http://x?q|/|q|1|3\n<Host>=<x>\n<Upgrade>=<websocket>\n<Connection>=<upgrade>\n",
          XT_OPEN);
    asked(host,
          XS_SLICE("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c,websocket\r\n"
                   "Connection: upgrade\r\n\r\nGET /healthz"),
          OK_ANSWER "GET|/|/||1|3\n<Host>=<x>\n<Upgrade>=<h2c,websocket>\n"
                    "<Connection>=<upgrade>\nGET /healthz",
          XT_OPEN);
    xt_host_free(host);
}

static void the_uri_is_told_before_the_upgrade(void **state)
{
    struct xt_host *host = host_new(true);
    struct xs_conn *conn = xt_conn_new(host);

    (void)state;
    xt_feed(conn, XS_SLICE("GET /room?a=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                           "Connection: upgrade\r\n\r\n"));
    assert_string_equal(conn->uri.at, "/room?a=1");
    assert_int_equal(conn->query.len, 0);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void an_upgrade_that_cannot_be_is_refused(void **state)
{
    struct xt_host *host = host_new(false);

    (void)state;
    refused("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", 400);
    refused("GET / HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            400);
    refused("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            "Content-Length: 3\r\n\r\nabc",
            400);
    asked(host,
          XS_SLICE("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: upgrade\r\n\r\n"),
          "HTTP/1.1 400 ", XT_ENDED);
    xt_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_methods_are_recognised_and_nothing_else),
        cmocka_unit_test(every_beginning_that_is_named_is_recognised),
        cmocka_unit_test(the_health_check_is_answered),
        cmocka_unit_test(head_is_answered_without_a_body),
        cmocka_unit_test(an_upgrade_that_nobody_offers_is_as_if_it_were_not_there),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(answers_that_nobody_reads_do_not_pile_up),
        cmocka_unit_test(the_next_request_is_waited_for_behind_each_answer),
        cmocka_unit_test(the_last_of_max_requests_says_so),
        cmocka_unit_test(without_a_keepalive_timeout_one_answer_is_all),
        cmocka_unit_test(paths_that_nobody_serves_are_not_found),
        cmocka_unit_test(a_405_says_which_methods_there_are),
        cmocka_unit_test(options_are_told),
        cmocka_unit_test(bodies_are_not_read_and_end_the_connection),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(malformed_request_lines_are_refused),
        cmocka_unit_test(an_unknown_method_behind_a_good_request_is_refused),
        cmocka_unit_test(line_ends_and_control_characters_are_taken_strictly),
        cmocka_unit_test(odd_header_lines_are_refused),
        cmocka_unit_test(hosts_are_taken_strictly),
        cmocka_unit_test(requests_that_two_readers_could_read_differently_are_refused),
        cmocka_unit_test(heads_over_the_limits_are_refused),
        cmocka_unit_test(heads_up_to_the_limits_are_taken),
        cmocka_unit_test(an_upgrade_hands_over_the_head_and_what_lies_behind_it),
        cmocka_unit_test(the_uri_is_told_before_the_upgrade),
        cmocka_unit_test(an_upgrade_that_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
