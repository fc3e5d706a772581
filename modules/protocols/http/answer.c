/* answer - heads of answers, and answers of one line. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "http.h"

static const char *phrase(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 301:
        return "Moved Permanently";
    case 304:
        return "Not Modified";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 416:
        return "Range Not Satisfiable";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
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

/* Written anew once a second. */
static const char *date_of(struct xs_http_worker *worker)
{
    int64_t now = (int64_t)time(NULL);

    if (worker->second != now || worker->date[0] == '\0')
        xs_http_date(now, worker->date);
    worker->second = now;
    return worker->date;
}

void xs_http_add(struct xs_http_answer *answer, const char *format, ...)
{
    size_t room = sizeof answer->text - answer->len;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(answer->text + answer->len, room, format, arguments);
    va_end(arguments);
    /* A setting that is longer than any head is left out. */
    if (n > 0 && (size_t)n < room)
        answer->len += (size_t)n;
}

void xs_http_begin(struct xs_http_answer *answer, const struct xs_http_exchange *exchange,
                   unsigned status)
{
    answer->len = 0;
    xs_http_add(answer,
                "HTTP/1.1 %u %s\r\nServer: xsocketsd\r\nDate: %s\r\n"
                "X-Content-Type-Options: nosniff\r\n",
                status, phrase(status), date_of(exchange->worker));
}

void xs_http_end(struct xs_http_answer *answer, const struct xs_http_exchange *exchange)
{
    xs_http_add(answer, "%s\r\n", exchange->keep ? "" : "Connection: close\r\n");
    xs_conn_write(exchange->conn, (struct xs_slice){ answer->text, answer->len });
}

void xs_http_say(const struct xs_http_exchange *exchange, unsigned status, const char *extra,
                 const char *sentence)
{
    struct xs_http_answer answer;

    xs_http_begin(&answer, exchange, status);
    xs_http_add(&answer, "%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n",
                extra, strlen(sentence) + 1);
    xs_http_add(&answer, "%s\r\n%s%s", exchange->keep ? "" : "Connection: close\r\n",
                exchange->without_body ? "" : sentence, exchange->without_body ? "" : "\n");
    xs_conn_write(exchange->conn, (struct xs_slice){ answer.text, answer.len });
}

void xs_http_done(const struct xs_http_exchange *exchange)
{
    /* Who learned in the middle of a file that the daemon stops does not wait either. */
    if (exchange->keep && !xs_conn_draining(exchange->conn))
        xs_conn_expect(exchange->conn, exchange->worker->keepalive);
    else
        xs_conn_close(exchange->conn, XS_CLOSE_NORMAL, NULL);
}
