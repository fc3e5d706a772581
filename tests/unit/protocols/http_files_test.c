/* host: fake
 * needs: modules/protocols/http/answer.c modules/protocols/http/conditions.c
 * needs: modules/protocols/http/date.c modules/protocols/http/files.c
 * needs: modules/protocols/http/http.c modules/protocols/http/path.c
 * needs: modules/protocols/http/request.c modules/protocols/http/types.c
 * libs: http_parser */
/* HTTP answers with files: heads byte for byte, and the order in which things are said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conformance/host.h"

const struct xs_plugin *xs_plugin_entry(void);

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define THEN 784111777

static const struct xt_file folder[] = {
    { "index.html", "<p>hello", THEN, 500, XS_OK },
    { "page.css", "p{}", THEN, 0, XS_OK },
    { "empty", "", THEN, 0, XS_OK },
    { "sub", NULL, THEN, 0, XS_OK },
    { "sub/index.html", "below", THEN, 0, XS_OK },
    { "bare", NULL, THEN, 0, XS_OK },
    { "a b?\xc3\xa4%~", NULL, THEN, 0, XS_OK },
    { "odd", NULL, THEN, 0, XS_OK },
    { "odd/index.html", NULL, THEN, 0, XS_OK },
    { "locked", NULL, 0, 0, XS_EREFUSED },
    { "broken", NULL, 0, 0, XS_EIO },
    { "busy", NULL, 0, 0, XS_EBUSY },
    { NULL, NULL, 0, 0, XS_OK },
};

#define DATE "Thu, 01 Jan 1970 00:00:00 GMT"
#define HEAD(status)                                                                           \
    "HTTP/1.1 " status "\r\nServer: xsocketsd\r\nDate: " DATE                                  \
    "\r\nX-Content-Type-Options: nosniff\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"
#define STATE(etag)                                                                            \
    "ETag: " etag "\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"                       \
    "Cache-Control: no-cache\r\n"
#define FILE_HEAD(type, length, etag)                                                          \
    HEAD("200 OK")                                                                             \
    "Content-Type: " type "\r\nContent-Length: " length                                        \
    "\r\nAccept-Ranges: bytes\r\n" STATE(etag)

#define INDEX_TAG  "\"8-2ebc98a1.1f4\""
#define CSS_TAG    "\"3-2ebc98a1.0\""
#define INDEX_HEAD FILE_HEAD("text/html; charset=utf-8", "8", INDEX_TAG)
#define INDEX      INDEX_HEAD "\r\n<p>hello"
#define CSS        FILE_HEAD("text/css; charset=utf-8", "3", CSS_TAG) "\r\np{}"
#define NOT_FOUND  HEAD("404 Not Found") TEXT "Content-Length: 22\r\n\r\nthere is nothing here\n"
#define OK_ANSWER                                                                              \
    HEAD("200 OK") "Cache-Control: no-store\r\n" TEXT "Content-Length: 3\r\n\r\nok\n"

static struct xt_host *host_new(const char *const *more)
{
    struct xt_host *host = xt_host_new();
    const char *pairs[16] = { "document_root", "page" };

    for (size_t i = 0; more != NULL && more[i] != NULL; i++)
        pairs[2 + i] = more[i];
    xt_host_protocol(host, xt_plugin_protocol(xs_plugin_entry(), "http"), pairs);
    host->files = folder;
    return host;
}

static void hide_dates(struct xs_conn *conn)
{
    char *at = conn->written.at;

    while (at != NULL && (at = strstr(at, "\r\nDate: ")) != NULL) {
        at += 8;
        memcpy(at, DATE, sizeof DATE - 1);
    }
}

static void said(struct xs_conn *conn, const char *answer, enum xt_phase phase)
{
    hide_dates(conn);
    if (conn->written.at == NULL || strcmp(conn->written.at, answer) != 0)
        fail_msg("the answer was\n%s\nand not\n%s",
                 conn->written.at != NULL ? conn->written.at : "nothing", answer);
    assert_int_equal(conn->phase, phase);
    assert_null(conn->file);
}

/* One request, at once and byte by byte, with a disk that answers at once and one that does
 * not: always the same answer. */
static void asked_of(const char *const *settings, const char *request, const char *answer,
                     enum xt_phase phase)
{
    struct xt_host *host = host_new(settings);

    for (unsigned way = 0; way < 4; way++) {
        struct xs_conn *conn = xt_conn_new(host);

        host->disk_waits = (way & 1) != 0;
        if ((way & 2) != 0)
            xt_feed_bytewise(conn, xs_slice_of(request));
        else
            xt_feed(conn, xs_slice_of(request));
        while (conn->waits_for_disk)
            xt_disk(conn);
        said(conn, answer, phase);
        xt_conn_free(conn);
    }
    xt_host_free(host);
}

static void asked(const char *request, const char *answer)
{
    asked_of(NULL, request, answer, XT_OPEN);
}

/* ---- what there is ---- */

static void a_file_is_answered_with_all_that_is_known_of_it(void **state)
{
    (void)state;
    asked("GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n", INDEX);
    asked("GET /page.css?v=1&x=/../ HTTP/1.1\r\nHost: x\r\n\r\n", CSS);
    asked("GET /%70age.css HTTP/1.1\r\nHost: x\r\n\r\n", CSS);
    asked("GET http://elsewhere/page.css HTTP/1.1\r\nHost: x\r\n\r\n", CSS);
    asked("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n",
          FILE_HEAD("application/octet-stream", "0", "\"0-2ebc98a1.0\"") "\r\n");
}

static void a_folder_is_answered_with_its_index(void **state)
{
    static const char *const pairs[] = { "index", "page.css", NULL };

    (void)state;
    asked("GET / HTTP/1.1\r\nHost: x\r\n\r\n", INDEX);
    asked("GET /sub/ HTTP/1.1\r\nHost: x\r\n\r\n",
          FILE_HEAD("text/html; charset=utf-8", "5", "\"5-2ebc98a1.0\"") "\r\nbelow");
    asked_of(pairs, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", CSS, XT_OPEN);
}

static void a_folder_without_its_slash_is_told_where_it_is(void **state)
{
    (void)state;
    asked("GET /sub?a=b HTTP/1.1\r\nHost: evil.example\r\n\r\n",
          HEAD("301 Moved Permanently") "Location: /sub/?a=b\r\nContent-Length: 0\r\n\r\n");
    asked("GET /a%20b%3f%C3%A4%25%7E HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("301 Moved Permanently") "Location: /a%20b%3F%C3%A4%25~/\r\nContent-Length: "
                                        "0\r\n\r\n");
}

static void what_is_not_there_is_not_found_and_the_connection_stays(void **state)
{
    (void)state;
    asked("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND);
    asked("GET /bare/ HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND);
    asked("GET /odd/ HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND);
    asked("GET /.git/config HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND);
    asked("GET //evil.example/.. HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("400 Bad Request") TEXT "Content-Length: 22\r\n\r\nthe path is malformed\n");
    asked("GET //evil.example HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND);
}

static void what_the_disk_says_is_told(void **state)
{
    (void)state;
    asked("GET /locked HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("403 Forbidden") TEXT "Content-Length: 21\r\n\r\nthis may not be read\n");
    asked("GET /broken HTTP/1.1\r\nHost: x\r\n\r\n", HEAD("500 Internal Server Error") TEXT
          "Content-Length: 24\r\n\r\nthe file cannot be read\n");
    asked("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("503 Service Unavailable") "Retry-After: 1\r\n" TEXT "Content-Length: 31\r\n\r\n"
                                          "too much is asked for just now\n");
}

static void without_a_folder_there_are_no_files(void **state)
{
    static const char *const pairs[] = { "document_root", "", NULL };

    (void)state;
    asked_of(pairs, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND, XT_OPEN);
    asked_of(pairs, "GET /../x HTTP/1.1\r\nHost: x\r\n\r\n", NOT_FOUND, XT_OPEN);
}

/* ---- less than all ---- */

static void head_has_the_head_of_get(void **state)
{
    (void)state;
    asked("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", INDEX_HEAD "\r\n");
    asked("HEAD / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n", INDEX_HEAD "\r\n");
    asked("HEAD /sub HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("301 Moved Permanently") "Location: /sub/\r\nContent-Length: 0\r\n\r\n");
    asked("HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("404 Not Found") TEXT "Content-Length: 22\r\n\r\n");
    asked("HEAD /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
          HEAD("400 Bad Request") TEXT "Content-Length: 22\r\n\r\n");
}

static void who_has_it_is_told_so(void **state)
{
    (void)state;
    asked("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: " INDEX_TAG "\r\n\r\n",
          HEAD("304 Not Modified") STATE(INDEX_TAG) "\r\n");
    asked("HEAD / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\", W/" INDEX_TAG "\r\n\r\n",
          HEAD("304 Not Modified") STATE(INDEX_TAG) "\r\n");
    asked("GET / HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
          "\r\n\r\n",
          HEAD("304 Not Modified") STATE(INDEX_TAG) "\r\n");
    asked("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"old\"\r\n"
          "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
          INDEX);
    asked("GET / HTTP/1.1\r\nHost: x\r\nIf-Match: \"old\"\r\n\r\n",
          HEAD("412 Precondition Failed") TEXT
          "Content-Length: 31\r\n\r\nthe file is not as you have it\n");
}

static void a_part_is_given_on_demand(void **state)
{
    (void)state;
    asked("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=3-5\r\n\r\n",
          HEAD("206 Partial Content") "Content-Type: text/html; charset=utf-8\r\n"
                                      "Content-Length: 3\r\nContent-Range: bytes 3-5/8\r\n"
                                      "Accept-Ranges: bytes\r\n" STATE(INDEX_TAG) "\r\nhel");
    asked("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=8-\r\n\r\n",
          HEAD("416 Range Not Satisfiable") "Content-Range: bytes */8\r\n" TEXT
                                            "Content-Length: 26\r\n\r\n"
                                            "the file is not that long\n");
    asked("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1,3-4\r\n\r\n", INDEX);
    asked("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nIf-None-Match: " INDEX_TAG
          "\r\n\r\n",
          HEAD("304 Not Modified") STATE(INDEX_TAG) "\r\n");
}

/* ---- settings ---- */

static void cache_control_is_what_the_setting_says(void **state)
{
    static const char *const day[] = { "cache_control", "public, max-age=86400", NULL };
    static const char *const none[] = { "cache_control", "", NULL };

    (void)state;
    asked_of(day, "HEAD /empty HTTP/1.1\r\nHost: x\r\n\r\n",
             HEAD("200 OK") "Content-Type: application/octet-stream\r\nContent-Length: 0\r\n"
                            "Accept-Ranges: bytes\r\nETag: \"0-2ebc98a1.0\"\r\n"
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Cache-Control: public, max-age=86400\r\n\r\n",
             XT_OPEN);
    asked_of(none, "HEAD /empty HTTP/1.1\r\nHost: x\r\n\r\n",
             HEAD("200 OK") "Content-Type: application/octet-stream\r\nContent-Length: 0\r\n"
                            "Accept-Ranges: bytes\r\nETag: \"0-2ebc98a1.0\"\r\n"
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
             XT_OPEN);
}

static void what_is_kept_is_what_the_settings_say(void **state)
{
    static const char *const pairs[] = { "cache", "8MiB", "cache_file", "100KiB", NULL };
    struct xt_host *host = host_new(pairs);

    (void)state;
    assert_int_equal(host->kept_all, 8 << 20);
    assert_int_equal(host->kept_each, 100 << 10);
    xt_host_free(host);
}

/* ---- one behind the other ---- */

static void requests_wait_for_the_disk_in_order(void **state)
{
    struct xt_host *host = host_new(NULL);
    struct xs_conn *conn = xt_conn_new(host);

    (void)state;
    host->disk_waits = true;
    xt_feed(conn, XS_SLICE("GET /page.css HTTP/1.1\r\nHost: x\r\n\r\n"
                           "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                           "HEAD / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\n\r\n"
                           "GET /no"));
    assert_true(conn->waits_for_disk);
    assert_string_equal(conn->asked.at, "page.css");
    assert_int_equal(conn->written.len, 0);
    xt_feed(conn, XS_SLICE("thing HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(conn->written.len, 0);
    xt_disk(conn); /* opened: the head is written */
    assert_true(conn->waits_for_disk);
    hide_dates(conn);
    assert_string_equal(conn->written.at,
                        FILE_HEAD("text/css; charset=utf-8", "3", CSS_TAG) "\r\n");
    xt_disk(conn); /* sent, and the health check behind it; then / is asked for */
    assert_string_equal(conn->asked.at, "index.html");
    hide_dates(conn);
    assert_string_equal(conn->written.at, CSS OK_ANSWER);
    xt_disk(conn);
    assert_string_equal(conn->asked.at, "nothing");
    xt_disk(conn);
    said(conn, CSS OK_ANSWER INDEX_HEAD "\r\n" NOT_FOUND, XT_OPEN);
    assert_int_equal(conn->pending.len, 0);
    assert_int_equal(conn->expect_count, 4);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void the_last_answer_is_whole_before_the_connection_ends(void **state)
{
    (void)state;
    asked_of(NULL,
             "GET /page.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
             "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
             FILE_HEAD("text/css; charset=utf-8", "3", CSS_TAG) "Connection: close\r\n\r\np{}",
             XT_ENDED);
    asked_of(NULL, "GET /page.css HTTP/1.0\r\n\r\n",
             FILE_HEAD("text/css; charset=utf-8", "3", CSS_TAG) "Connection: close\r\n\r\np{}",
             XT_ENDED);
}

static void who_stops_while_a_file_is_sent_ends_behind_it(void **state)
{
    struct xt_host *host = host_new(NULL);
    struct xs_conn *conn = xt_conn_new(host);

    (void)state;
    host->disk_waits = true;
    xt_feed(conn, XS_SLICE("GET /page.css HTTP/1.1\r\nHost: x\r\n\r\n"));
    xt_disk(conn);
    host->draining = true;
    xt_disk(conn);
    said(conn, CSS, XT_ENDED);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_client_that_goes_while_the_disk_is_asked_leaves_nothing(void **state)
{
    struct xt_host *host = host_new(NULL);

    (void)state;
    host->disk_waits = true;
    for (unsigned answers = 0; answers < 2; answers++) {
        struct xs_conn *conn = xt_conn_new(host);

        xt_feed(conn, XS_SLICE("GET /page.css HTTP/1.1\r\nHost: x\r\n\r\n"));
        for (unsigned i = 0; i < answers; i++)
            xt_disk(conn);
        xt_reset(conn);
        xt_disk(conn);
        xt_conn_free(conn);
    }
    xt_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_answered_with_all_that_is_known_of_it),
        cmocka_unit_test(a_folder_is_answered_with_its_index),
        cmocka_unit_test(a_folder_without_its_slash_is_told_where_it_is),
        cmocka_unit_test(what_is_not_there_is_not_found_and_the_connection_stays),
        cmocka_unit_test(what_the_disk_says_is_told),
        cmocka_unit_test(without_a_folder_there_are_no_files),
        cmocka_unit_test(head_has_the_head_of_get),
        cmocka_unit_test(who_has_it_is_told_so),
        cmocka_unit_test(a_part_is_given_on_demand),
        cmocka_unit_test(cache_control_is_what_the_setting_says),
        cmocka_unit_test(what_is_kept_is_what_the_settings_say),
        cmocka_unit_test(requests_wait_for_the_disk_in_order),
        cmocka_unit_test(the_last_answer_is_whole_before_the_connection_ends),
        cmocka_unit_test(who_stops_while_a_file_is_sent_ends_behind_it),
        cmocka_unit_test(a_client_that_goes_while_the_disk_is_asked_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
