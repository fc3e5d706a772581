/* http.h - what the files of this module share. */
#ifndef XS_HTTP_H
#define XS_HTTP_H

#include <xsockets/file.h>
#include <xsockets/http.h>
#include <xsockets/protocol.h>

/* ---- request.c: heads ---- */

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

/* ---- date.c ---- */

enum { XS_HTTP_DATE = 30 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" and its end */

/* Seconds since 1970 as RFC 9110 section 5.6.7 has it. */
void xs_http_date(int64_t seconds, char to[XS_HTTP_DATE]);
/* Reads all three forms that the section names. `now` tells the century of the second form. */
bool xs_http_date_read(struct xs_slice text, int64_t now, int64_t *seconds);

/* ---- path.c ---- */

enum { XS_HTTP_PATH = 4096 }; /* bytes of a path, decoded */

struct xs_http_path {
    char at[XS_HTTP_PATH];
    size_t len;
    bool is_folder; /* it ended in a slash, which is left out */
};

/* Makes a path below a folder of the path of a request: percent decoded once, no "." or "..",
 * nothing hidden, no empty part, no slash in front. */
struct xs_http_fault xs_http_path_read(struct xs_slice path, struct xs_http_path *to);
/* Goes on to a name in that folder. False: it would be too long. */
bool xs_http_path_add(struct xs_http_path *path, const char *name);

/* ---- conditions.c: RFC 9110 sections 13 and 14 ---- */

enum { XS_HTTP_ETAG = 48 };

struct xs_http_state {
    char etag[XS_HTTP_ETAG]; /* with its quotes; strong */
    int64_t modified;        /* seconds */
    uint64_t length;
};

void xs_http_etag(const struct xs_file_facts *facts, char to[XS_HTTP_ETAG]);
/* What becomes of a GET or HEAD: 200, 304 or 412. */
unsigned xs_http_conditions(const struct xs_http_head *head, const struct xs_http_state *state,
                            int64_t now);

struct xs_http_range {
    uint64_t first, length;
};
/* What part of it a GET wants: 200 all of it, 206, or 416. */
unsigned xs_http_ranges(const struct xs_http_head *head, const struct xs_http_state *state,
                        int64_t now, struct xs_http_range *range);

/* ---- types.c ---- */

/* The media type of a file by its name. */
const char *xs_http_type(struct xs_slice path);

/* ---- answer.c ---- */

/* What the module keeps for each worker: its settings, and the date as it was last written. */
struct xs_http_worker {
    const struct xs_folder *root; /* NULL: no files are served */
    const char *index;
    const char *cache_control;
    uint64_t keepalive; /* ms; 0: one answer a connection */
    int64_t max_requests;
    int64_t second;
    char date[XS_HTTP_DATE];
};

/* A request, and how its answer is to end. */
struct xs_http_exchange {
    struct xs_conn *conn;
    struct xs_http_worker *worker;
    const struct xs_http_head *head; /* NULL if it could not be read */
    bool without_body;               /* HEAD */
    bool keep;                       /* the connection stays for another request */
};

/* The head of an answer while it is written: as large as a redirection may make it. */
struct xs_http_answer {
    char text[4 * XS_HTTP_PATH];
    size_t len;
};

/* Status line and what every answer has. */
void xs_http_begin(struct xs_http_answer *answer, const struct xs_http_exchange *exchange,
                   unsigned status);
void xs_http_add(struct xs_http_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Ends the head and writes it. */
void xs_http_end(struct xs_http_answer *answer, const struct xs_http_exchange *exchange);
/* A whole answer whose body is one line of text. `extra`: further header lines or "". */
void xs_http_say(const struct xs_http_exchange *exchange, unsigned status, const char *extra,
                 const char *sentence);
/* The answer is whole: the next request is waited for, or the connection ends. */
void xs_http_done(const struct xs_http_exchange *exchange);

/* ---- files.c ---- */

/* Answers with a file below document_root. XS_EAGAIN: the disk is asked, the same request comes
 * again; else XS_OK. */
enum xs_err xs_http_file(const struct xs_http_exchange *exchange);

/* ---- http.c ---- */

/* The file that an answer promised is sent: xs_http_done() for this connection. */
void xs_http_sent(void *self, struct xs_conn *conn);

#endif
