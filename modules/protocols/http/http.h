/* http.h - what the two files of this module share. */
#ifndef XS_HTTP_H
#define XS_HTTP_H

#include <xsockets/http.h>

enum { XS_HTTP_HEADERS = 100 }; /* at most in one head */

/* How far the bytes of a head were looked at. */
struct xs_http_scan {
    size_t scanned;
    bool has_line; /* the request line was whole, and good */
};

/* A request head and what it says of the message around it. */
struct xs_http_request {
    struct xs_http_head head;
    struct xs_http_header headers[XS_HTTP_HEADERS];
    size_t header_count;
    bool keep_alive;
    bool has_body;
    bool has_unknown_length; /* Transfer-Encoding */
};

/* Why a head is refused. */
struct xs_http_fault {
    unsigned status; /* 0: no fault */
    const char *sentence;
};

/* Looks on where the last call stopped. 0: the head goes on; else its length, the empty line
 * included, or 0 with `fault` set. What it lets through holds only printable characters, tabs
 * and whole CRLFs, and has a request line that we know. */
size_t xs_http_scan(struct xs_http_scan *scan, struct xs_slice bytes, size_t limit,
                    struct xs_http_fault *fault);

/* Reads a head that xs_http_scan() has let through. The slices of `request` point into it. */
struct xs_http_fault xs_http_read(struct xs_slice head, struct xs_http_request *request);

#endif
