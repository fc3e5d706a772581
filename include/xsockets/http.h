/* http.h - an HTTP request head as the one HTTP parser read it. Read only. */
#ifndef XSOCKETS_HTTP_H
#define XSOCKETS_HTTP_H

#include <xsockets/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xs_http_header {
    struct xs_slice name;  /* as sent */
    struct xs_slice value; /* without white space around it */
};

/* A request head (RFC 9112 section 3), checked: no bare LF, no NUL, no folded lines, no space
 * before a colon, one Host with HTTP/1.1, never both Content-Length and Transfer-Encoding.
 * Borrowed for the call. */
struct xs_http_head {
    size_t size;
    struct xs_slice method;
    struct xs_slice target; /* as sent */
    struct xs_slice path;   /* before '?' */
    struct xs_slice query;  /* behind '?', may be empty */
    unsigned minor;         /* 0 or 1, of HTTP/1 */
    const struct xs_http_header *headers;
    size_t header_count;
};

/* The first header of that name, case ignored, or NULL. [any] */
XS_API const struct xs_http_header *xs_http_header(const struct xs_http_head *head,
                                                   const char *name);
/* How many headers of that name there are. [any] */
XS_API size_t xs_http_header_count(const struct xs_http_head *head, const char *name);
/* Whether a comma list in any header of that name holds the token, case ignored (RFC 9110
 * section 5.6.1). [any] */
XS_API bool xs_http_header_has(const struct xs_http_head *head, const char *name,
                               const char *token);

#ifdef __cplusplus
}
#endif

#endif
