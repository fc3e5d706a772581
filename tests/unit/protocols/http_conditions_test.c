/* needs: modules/protocols/http/conditions.c modules/protocols/http/date.c
 * needs: modules/protocols/http/types.c src/protocol/http_head.c
 * rooms: base */
/* Dates, entity tags, conditions and ranges, with what RFC 9110 says of each. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "../../../modules/protocols/http/http.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, as in the RFC. */
#define THEN INT64_C(784111777)
#define NOW  INT64_C(1700000000)
#define TAG  "\"5-2ebc98a1.0\""

/* ---- dates ---- */

static void a_date_is_written_in_one_form(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { THEN, "Sun, 06 Nov 1994 08:49:37 GMT" },
        { INT64_C(951782400), "Tue, 29 Feb 2000 00:00:00 GMT" },
        { INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT" },
        { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
    };
    char text[XS_HTTP_DATE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        xs_http_date(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
    /* A file may have any time: the line stays a line. */
    xs_http_date(INT64_MAX, text);
    assert_int_equal(strlen(text), 29);
    xs_http_date(INT64_MIN, text);
    assert_int_equal(strlen(text), 29);
    xs_http_date(INT64_C(253402300800), text);
    assert_int_equal(strlen(text), 29);
}

static void a_date_is_read_in_three_forms(void **state)
{
    int64_t seconds = 0;

    (void)state;
    assert_true(xs_http_date_read(XS_SLICE("Sun, 06 Nov 1994 08:49:37 GMT"), NOW, &seconds));
    assert_int_equal(seconds, THEN);
    assert_true(xs_http_date_read(XS_SLICE("Sunday, 06-Nov-94 08:49:37 GMT"), NOW, &seconds));
    assert_int_equal(seconds, THEN);
    assert_true(xs_http_date_read(XS_SLICE("Sun Nov  6 08:49:37 1994"), NOW, &seconds));
    assert_int_equal(seconds, THEN);
    assert_true(xs_http_date_read(XS_SLICE("Thu Nov 16 08:49:37 1994"), NOW, &seconds));
    assert_int_equal(seconds, THEN + 10 * 86400);
    /* Two digits of a year: not more than 50 years ahead (of 2023). */
    assert_true(xs_http_date_read(XS_SLICE("Friday, 01-Jan-73 00:00:00 GMT"), NOW, &seconds));
    assert_int_equal(seconds, INT64_C(3250454400));
    assert_true(xs_http_date_read(XS_SLICE("Tuesday, 01-Jan-74 00:00:00 GMT"), NOW, &seconds));
    assert_int_equal(seconds, INT64_C(126230400));
}

static void what_is_no_date_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "now",
        "0",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun, 06 Nov 1994",
        "Sun",
        "Sunday",
        "Sun, ",
    };
    int64_t seconds;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (xs_http_date_read(xs_slice_of(cases[i]), NOW, &seconds))
            fail_msg("\"%s\" was read", cases[i]);
}

/* ---- conditions ---- */

static const struct xs_http_state now_is = { .etag = TAG, .modified = THEN, .length = 5 };

/* Lines "Name: value" up to an empty one. */
static struct xs_http_head head_of(const char *const *lines, struct xs_http_header *headers)
{
    struct xs_http_head head = { .size = sizeof head, .headers = headers };

    for (; *lines != NULL; lines++) {
        const char *colon = strchr(*lines, ':');

        headers[head.header_count].name = (struct xs_slice){ *lines, (size_t)(colon - *lines) };
        headers[head.header_count++].value = xs_slice_of(colon + 2);
    }
    return head;
}

#define gives(status, ...)                                                                     \
    do {                                                                                       \
        static const char *const lines_[] = { __VA_ARGS__, NULL };                             \
        struct xs_http_header headers_[8];                                                     \
        struct xs_http_head head_ = head_of(lines_, headers_);                                 \
        assert_int_equal(xs_http_conditions(&head_, &now_is, NOW), (status));                  \
    } while (0)

#define AT_THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE  "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER   "Sun, 06 Nov 1994 08:49:38 GMT"

static void an_etag_tells_length_and_time(void **state)
{
    struct xs_file_facts facts = { .length = 5, .modified = THEN };
    char etag[XS_HTTP_ETAG];

    (void)state;
    xs_http_etag(&facts, etag);
    assert_string_equal(etag, TAG);
    facts.modified_ns = 999999999;
    facts.length = UINT64_MAX;
    facts.modified = -1;
    xs_http_etag(&facts, etag);
    assert_string_equal(etag, "\"ffffffffffffffff-ffffffffffffffff.3b9ac9ff\"");
}

static void who_has_it_gets_304(void **state)
{
    (void)state;
    gives(304, "If-None-Match: " TAG);
    gives(304, "if-none-match: W/" TAG);
    gives(304, "If-None-Match: *");
    gives(304, "If-None-Match: \"other\", " TAG);
    gives(304, "If-None-Match: \"other\",W/\"x\" ,\t" TAG ", \"more\"");
    gives(304, "If-None-Match: \"a,b\"," TAG);
    gives(304, "If-None-Match: \"other\"", "If-None-Match: " TAG);
    gives(304, "If-None-Match: ,, " TAG);
    gives(200, "If-None-Match: \"other\"");
    gives(200, "If-None-Match: ");
    gives(200, "If-None-Match: 5-2ebc98a1.0");
    gives(200, "If-None-Match: \"5-2ebc98a1.0");
    gives(200, "If-None-Match: w/" TAG);
    gives(200, "If-None-Match: W/");
    gives(200, "If-None-Match: \"");
    gives(200, "If-None-Match: *, \"x\"");
    gives(200, "If-None-Match: garbage, " TAG);
}

static void the_date_counts_where_there_is_no_tag(void **state)
{
    (void)state;
    gives(304, "If-Modified-Since: " AT_THEN);
    gives(304, "If-Modified-Since: " AFTER);
    gives(200, "If-Modified-Since: " BEFORE);
    gives(200, "If-Modified-Since: yesterday");
    gives(200, "If-Modified-Since: " AFTER, "If-Modified-Since: " AFTER);
    gives(200, "If-None-Match: \"other\"", "If-Modified-Since: " AFTER);
    gives(304, "If-None-Match: " TAG, "If-Modified-Since: " BEFORE);
}

static void what_must_be_as_it_was_is_compared_strongly(void **state)
{
    (void)state;
    gives(200, "If-Match: " TAG);
    gives(200, "If-Match: *");
    gives(200, "If-Match: \"x\", " TAG);
    gives(412, "If-Match: W/" TAG);
    gives(412, "If-Match: \"x\"");
    gives(412, "If-Match: ");
    gives(200, "If-Unmodified-Since: " AT_THEN);
    gives(200, "If-Unmodified-Since: " AFTER);
    gives(412, "If-Unmodified-Since: " BEFORE);
    gives(200, "If-Unmodified-Since: soon");
    gives(200, "If-Match: " TAG, "If-Unmodified-Since: " BEFORE);
    /* First what must be, then what must not be. */
    gives(412, "If-None-Match: " TAG, "If-Match: \"x\"");
    gives(304, "If-Match: " TAG, "If-None-Match: " TAG);
    gives(412, "If-Unmodified-Since: " BEFORE, "If-Modified-Since: " AFTER);
}

/* ---- ranges ---- */

static const struct xs_http_state hundred = { .etag = TAG, .modified = THEN, .length = 100 };

static void ranges(const struct xs_http_state *file, const char *const *lines, unsigned status,
                   uint64_t first, uint64_t length)
{
    struct xs_http_header headers[8];
    struct xs_http_head head = head_of(lines, headers);
    struct xs_http_range range;
    unsigned got = xs_http_ranges(&head, file, NOW, &range);

    if (got != status || (got != 416 && (range.first != first || range.length != length)))
        fail_msg("%s: %u, %" PRIu64 " bytes from %" PRIu64, lines[0], got, range.length,
                 range.first);
}

#define part(first, length, ...)                                                               \
    ranges(&hundred, (const char *const[]){ __VA_ARGS__, NULL }, 206, (first), (length))
#define whole(...)  ranges(&hundred, (const char *const[]){ __VA_ARGS__, NULL }, 200, 0, 100)
#define beyond(...) ranges(&hundred, (const char *const[]){ __VA_ARGS__, NULL }, 416, 0, 0)

static void one_range_is_given(void **state)
{
    (void)state;
    part(0, 1, "Range: bytes=0-0");
    part(10, 10, "Range: bytes=10-19");
    part(10, 90, "Range: bytes=10-");
    part(90, 10, "Range: bytes=-10");
    part(0, 100, "Range: bytes=-1000");
    part(99, 1, "Range: bytes=99-99");
    part(99, 1, "range: BYTES=99-1000");
    part(0, 100, "Range: bytes=0-99999999999999999999999999");
    part(0, 100, "Range: bytes=0-18446744073709551615");
    part(0, 100, "Range: bytes= 0-");
}

static void a_range_beyond_the_end_is_416(void **state)
{
    (void)state;
    beyond("Range: bytes=100-");
    beyond("Range: bytes=100-200");
    beyond("Range: bytes=-0");
    beyond("Range: bytes=18446744073709551615-");
    beyond("Range: bytes=99999999999999999999999999-");
}

static void what_is_no_range_is_as_if_it_were_not_there(void **state)
{
    static const struct xs_http_state empty = { .etag = TAG, .modified = THEN };

    (void)state;
    whole("Host: x");
    whole("Range: ");
    whole("Range: bytes");
    whole("Range: bytes=");
    whole("Range: bytes=-");
    whole("Range: bytes=a-b");
    whole("Range: bytes=5");
    whole("Range: bytes=9-5");
    whole("Range: bytes=-5-");
    whole("Range: bytes=--5");
    whole("Range: bytes=0-1,2-3");
    whole("Range: bytes=0-1, 2-3");
    whole("Range: bytes=0-1;x");
    whole("Range: lines=0-1");
    whole("Range: bytes=0-1", "Range: bytes=2-3");
    ranges(&empty, (const char *const[]){ "Range: bytes=0-", NULL }, 200, 0, 0);
    ranges(&empty, (const char *const[]){ "Range: bytes=-5", NULL }, 200, 0, 0);
}

static void a_part_is_given_only_of_what_the_client_has(void **state)
{
    static const struct xs_http_state young = { .etag = TAG,
                                                .modified = NOW - 1,
                                                .length = 100 };
    static const char *const lines[] = { "If-Range: Tue, 14 Nov 2023 22:13:19 GMT",
                                         "Range: bytes=0-0", NULL };

    (void)state;
    part(0, 1, "If-Range: " TAG, "Range: bytes=0-0");
    whole("If-Range: W/" TAG, "Range: bytes=0-0");
    whole("If-Range: \"other\"", "Range: bytes=0-0");
    whole("If-Range: *", "Range: bytes=0-0");
    part(0, 1, "If-Range: " AT_THEN, "Range: bytes=0-0");
    whole("If-Range: " AFTER, "Range: bytes=0-0");
    whole("If-Range: " BEFORE, "Range: bytes=0-0");
    whole("If-Range: \"other\"", "Range: bytes=100-");
    /* It could have changed twice in this second. */
    ranges(&young, lines, 200, 0, 100);
}

/* ---- types ---- */

static void types_go_by_the_end_of_the_name(void **state)
{
    static const struct {
        const char *path, *type;
    } cases[] = {
        { "index.html", "text/html; charset=utf-8" },
        { "a/b.c/x.CSS", "text/css; charset=utf-8" },
        { "xsockets.min.js", "text/javascript; charset=utf-8" },
        { "a.min.js.map", "application/json" },
        { "logo.svg", "image/svg+xml" },
        { "x.tar.gz", "application/gzip" },
        { "video.mp4", "video/mp4" },
        { "noend", "application/octet-stream" },
        { "end.", "application/octet-stream" },
        { "a.html/b", "application/octet-stream" },
        { "html", "application/octet-stream" },
        { "a.htmlx", "application/octet-stream" },
        { "a.h", "application/octet-stream" },
        { "", "application/octet-stream" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(xs_http_type(xs_slice_of(cases[i].path)), cases[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_written_in_one_form),
        cmocka_unit_test(a_date_is_read_in_three_forms),
        cmocka_unit_test(what_is_no_date_is_none),
        cmocka_unit_test(an_etag_tells_length_and_time),
        cmocka_unit_test(who_has_it_gets_304),
        cmocka_unit_test(the_date_counts_where_there_is_no_tag),
        cmocka_unit_test(what_must_be_as_it_was_is_compared_strongly),
        cmocka_unit_test(one_range_is_given),
        cmocka_unit_test(a_range_beyond_the_end_is_416),
        cmocka_unit_test(what_is_no_range_is_as_if_it_were_not_there),
        cmocka_unit_test(a_part_is_given_only_of_what_the_client_has),
        cmocka_unit_test(types_go_by_the_end_of_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
