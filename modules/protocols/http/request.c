/* request - the one place that reads HTTP: our own rules first, then http_parser (2.9.4,
 * strict), and both must agree.
 *
 * The rules are RFC 9112's, read so that no other reader of the same bytes can see another
 * request in them: no bare LF or CR, no folded lines, no space before a colon, one Host, one
 * Content-Length, never with Transfer-Encoding. */
#include <http_parser.h>

#include "http.h"

static struct xs_http_fault fault_of(unsigned status, const char *sentence)
{
    return (struct xs_http_fault){ status, sentence };
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct xs_slice text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(others, c) != NULL)))
            return false;
    }
    return text.len > 0;
}

static bool is_known_method(struct xs_slice method)
{
    static const char *const known[] = { "GET", "HEAD",   "POST", "OPTIONS",
                                         "PUT", "DELETE", "PATCH" };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (xs_slice_equal(method, xs_slice_of(known[i])))
            return true;
    return false;
}

/* Cuts at the first `stop`; false, and nothing cut, if there is none. */
static bool cut(struct xs_slice *rest, char stop, struct xs_slice *part)
{
    const char *end = rest->len > 0 ? memchr(rest->at, stop, rest->len) : NULL;

    if (end == NULL)
        return false;
    *part = (struct xs_slice){ rest->at, (size_t)(end - rest->at) };
    rest->len -= part->len + 1;
    rest->at = end + 1;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9112 section 3: method SP target SP version, and nothing looser. */
static struct xs_http_fault line_fault(struct xs_slice line)
{
    struct xs_slice method, target, version = line;

    if (!cut(&version, ' ', &method) || !is_token(method))
        return fault_of(400, "the request line is malformed");
    if (!cut(&version, ' ', &target))
        return fault_of(505, "HTTP/1.1 is spoken here");
    if (target.len == 0 || version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 ||
        !is_digit(version.at[5]) || version.at[6] != '.' || !is_digit(version.at[7]))
        return fault_of(400, "the request line is malformed");
    if (version.at[5] != '1' || version.at[7] > '1')
        return fault_of(505, "HTTP/1.1 is spoken here");
    if (!is_known_method(method))
        return fault_of(501, "this method is not known here");
    for (size_t i = 0; i < target.len; i++)
        if (target.at[i] <= ' ' || target.at[i] > '~' || target.at[i] == '#')
            return fault_of(400, "the request target is malformed");
    return fault_of(0, NULL);
}

/* RFC 9112 section 2.2 has a recipient take a bare CR for a fault; we take a bare LF for one
 * too. */
static bool is_bad(const char *at, size_t i)
{
    unsigned char c = (unsigned char)at[i];
    bool after_cr = i > 0 && at[i - 1] == '\r';

    if (c == '\n' || after_cr)
        return !(c == '\n' && after_cr);
    return (c < ' ' && c != '\t' && c != '\r') || c == 0x7f;
}

size_t xs_http_scan(struct xs_http_scan *scan, struct xs_slice bytes, size_t limit,
                    struct xs_http_fault *fault)
{
    size_t end = bytes.len < limit ? bytes.len : limit;

    *fault = fault_of(0, NULL);
    for (size_t i = scan->scanned; i < end; i++) {
        unsigned char c = (unsigned char)bytes.at[i];

        if (c >= ' ' && c != 0x7f && (i == 0 || bytes.at[i - 1] != '\r'))
            continue; /* nearly all of it */
        if (is_bad(bytes.at, i)) {
            *fault = fault_of(400, "a control character or half a line end is in the head");
            return 0;
        }
        if (c != '\n')
            continue;
        if (!scan->has_line) {
            *fault = line_fault((struct xs_slice){ bytes.at, i - 1 });
            if (fault->status != 0)
                return 0;
            scan->has_line = true;
        } else if (bytes.at[i - 2] == '\n') {
            scan->scanned = i + 1;
            return i + 1;
        }
    }
    scan->scanned = end;
    if (bytes.len > limit)
        *fault = scan->has_line ? fault_of(431, "the request head is over the limit")
                                : fault_of(414, "the request target is over the limit");
    return 0;
}

/* RFC 9112 section 5: every header line is name ":" value, before the library sees it. */
static struct xs_http_fault lines_fault(struct xs_slice head)
{
    struct xs_slice line, name;
    size_t count = 0;

    (void)cut(&head, '\n', &line); /* the request line */
    while (cut(&head, '\n', &line) && line.len > 1) {
        if (++count > XS_HTTP_HEADERS)
            return fault_of(431, "there are too many headers");
        if (line.at[0] == ' ' || line.at[0] == '\t')
            return fault_of(400, "a header is folded over two lines");
        if (!cut(&line, ':', &name) || !is_token(name))
            return fault_of(400, "the name of a header is malformed");
    }
    return fault_of(0, NULL);
}

/* ---- the library ---- */

/* What it tells while it reads. */
struct reading {
    struct xs_http_request *request;
    struct xs_slice target;
    bool in_value; /* of the last header */
    bool too_many;
    bool complete;
};

/* A piece that continues what was told before: the head lies in one block, so it follows at
 * once. */
static void extend(struct xs_slice *slice, const char *at, size_t len)
{
    if (slice->len == 0)
        slice->at = at;
    slice->len += len;
}

static int on_target(http_parser *parser, const char *at, size_t len)
{
    struct reading *reading = parser->data;

    extend(&reading->target, at, len);
    return 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct reading *reading = parser->data;
    struct xs_http_request *request = reading->request;

    if (request->header_count == 0 || reading->in_value) {
        if (request->header_count == XS_HTTP_HEADERS) {
            reading->too_many = true;
            return 1;
        }
        request->headers[request->header_count++] =
            (struct xs_http_header){ XS_SLICE(""), XS_SLICE("") };
        reading->in_value = false;
    }
    extend(&request->headers[request->header_count - 1].name, at, len);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct reading *reading = parser->data;
    struct xs_http_request *request = reading->request;

    reading->in_value = true;
    extend(&request->headers[request->header_count - 1].value, at, len);
    return 0;
}

/* 1: there is no body to read, whatever the head says. */
static int on_headers_complete(http_parser *parser)
{
    struct reading *reading = parser->data;

    reading->complete = true;
    reading->request->keep_alive = http_should_keep_alive(parser) != 0;
    return 1;
}

static struct xs_http_fault ask_library(struct xs_slice head, struct reading *reading)
{
    static const http_parser_settings settings = {
        .on_url = on_target,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
    };
    http_parser parser;
    size_t taken;

    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = reading;
    taken = http_parser_execute(&parser, &settings, head.at, head.len);
    if (reading->too_many)
        return fault_of(431, "there are too many headers");
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || !reading->complete || taken != head.len)
        return fault_of(400, "the request head is malformed");
    return fault_of(0, NULL);
}

/* ---- what a good head means ---- */

static void trim(struct xs_slice *text)
{
    while (text->len > 0 && (text->at[0] == ' ' || text->at[0] == '\t')) {
        text->at++;
        text->len--;
    }
    while (text->len > 0 && (text->at[text->len - 1] == ' ' || text->at[text->len - 1] == '\t'))
        text->len--;
}

static bool starts_with(struct xs_slice text, struct xs_slice start)
{
    return text.len >= start.len &&
           xs_slice_equal_nocase((struct xs_slice){ text.at, start.len }, start);
}

/* RFC 9112 section 3.2: origin-form; absolute-form, whose authority means nothing to us; "*"
 * with OPTIONS. */
static bool split_target(struct xs_http_head *head)
{
    struct xs_slice path = head->target, authority = path;
    size_t scheme = starts_with(path, XS_SLICE("http://"))    ? 7
                    : starts_with(path, XS_SLICE("https://")) ? 8
                                                              : 0;

    if (xs_slice_equal(path, XS_SLICE("*"))) {
        head->path = path;
        return xs_slice_equal(head->method, XS_SLICE("OPTIONS"));
    }
    if (scheme > 0) {
        authority.at += scheme;
        authority.len -= scheme;
        path = authority;
        while (path.len > 0 && path.at[0] != '/' && path.at[0] != '?') {
            path.at++;
            path.len--;
        }
        if (path.at == authority.at)
            return false;
    } else if (path.len == 0 || path.at[0] != '/') {
        return false;
    }
    head->query = path;
    if (!cut(&head->query, '?', &head->path)) {
        head->path = path;
        head->query = XS_SLICE("");
    }
    if (head->path.len == 0)
        head->path = XS_SLICE("/");
    return true;
}

/* RFC 9112 section 3.2: exactly one Host with HTTP/1.1, and one that can be a host and a port.
 */
static bool is_good_host(const struct xs_http_head *head)
{
    static const char others[] = "-._~!$&'()*+,;=:%[]";
    const struct xs_http_header *host = xs_http_header(head, "Host");
    size_t count = xs_http_header_count(head, "Host");

    if (host == NULL)
        return head->minor == 0;
    for (size_t i = 0; i < host->value.len; i++) {
        char c = host->value.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
              strchr(others, c) != NULL))
            return false;
    }
    return count == 1;
}

/* RFC 9112 section 6.3: the ways in which two readers could disagree about where the message
 * ends. */
static struct xs_http_fault body_fault(struct xs_http_request *request)
{
    const struct xs_http_head *head = &request->head;
    const struct xs_http_header *length = xs_http_header(head, "Content-Length");

    request->has_unknown_length = xs_http_header(head, "Transfer-Encoding") != NULL;
    if (xs_http_header_count(head, "Content-Length") > 1)
        return fault_of(400, "there are two Content-Length headers");
    if (length != NULL && request->has_unknown_length)
        return fault_of(400, "Content-Length and Transfer-Encoding exclude each other");
    if (request->has_unknown_length && head->minor == 0)
        return fault_of(400, "HTTP/1.0 knows no Transfer-Encoding");
    if (length == NULL)
        return fault_of(0, NULL);
    if (length->value.len == 0)
        return fault_of(400, "the Content-Length is no number");
    for (size_t i = 0; i < length->value.len; i++) {
        if (!is_digit(length->value.at[i]))
            return fault_of(400, "the Content-Length is no number");
        request->has_body = request->has_body || length->value.at[i] != '0';
    }
    return fault_of(0, NULL);
}

struct xs_http_fault xs_http_read(struct xs_slice bytes, struct xs_http_request *request)
{
    struct xs_slice rest = bytes;
    struct reading reading = { .request = request };
    struct xs_http_head *head = &request->head;
    struct xs_http_fault fault = lines_fault(bytes);

    if (fault.status != 0)
        return fault;
    memset(head, 0, sizeof *head);
    request->header_count = 0;
    request->has_body = request->has_unknown_length = false;
    fault = ask_library(bytes, &reading);
    if (fault.status != 0)
        return fault;
    head->size = sizeof *head;
    head->headers = request->headers;
    head->header_count = request->header_count;
    for (size_t i = 0; i < request->header_count; i++)
        trim(&request->headers[i].value);
    (void)cut(&rest, ' ', &head->method);
    (void)cut(&rest, ' ', &head->target);
    head->minor = rest.at[7] == '1';
    if (!xs_slice_equal(head->target, reading.target) || !split_target(head))
        return fault_of(400, "the request target is malformed");
    if (!is_good_host(head))
        return fault_of(400, "a request needs one Host header that names a host");
    return body_fault(request);
}
