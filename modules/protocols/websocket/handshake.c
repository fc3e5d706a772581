/* handshake - the server's half of RFC 6455 section 4.2: a request head is answered by 101 or
 * by a refusal that says why. */
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "websocket.h"

/* RFC 6455 section 4.2.2, item 5.4. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum {
    KEY_LENGTH = 24,    /* base64 of 16 bytes */
    ACCEPT_LENGTH = 28, /* base64 of a SHA-1 */
    EXTENSION_LIMIT = 160,
    ANSWER_LIMIT =
        1024 /* the original .NET client reads the answer with one read of this size */
};

/* A complete answer, and the end of the connection. `extra` is further header lines or "". */
static enum xs_err refuse(struct xs_conn *conn, const char *status, const char *extra,
                          const char *sentence)
{
    char answer[ANSWER_LIMIT];
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 %s\r\nServer: xsocketsd\r\n%sContent-Type: text/plain\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                     status, extra, strlen(sentence) + 1, sentence);

    if (n > 0 && (size_t)n < sizeof answer)
        xs_conn_write(conn, (struct xs_slice){ answer, (size_t)n });
    xs_conn_close(conn, XS_CLOSE_REFUSED, sentence);
    return XS_OK;
}

/* 0 to 63, or -1 (RFC 4648 section 4). */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Base64 of exactly 16 bytes: 22 digits and "==", the 4 bits that mean nothing being zero. */
static bool is_key(struct xs_slice key)
{
    if (key.len != KEY_LENGTH || key.at[22] != '=' || key.at[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++)
        if (sextet(key.at[i]) < 0)
            return false;
    return (sextet(key.at[21]) & 15) == 0;
}

static bool accept_of(struct xs_slice key, char accept[ACCEPT_LENGTH + 1])
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    unsigned char text[KEY_LENGTH + sizeof guid - 1];

    memcpy(text, key.at, KEY_LENGTH);
    memcpy(text + KEY_LENGTH, guid, sizeof guid - 1);
    if (SHA1(text, sizeof text, digest) == NULL)
        return false;
    return EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest) == ACCEPT_LENGTH;
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

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next element off a comma list; one pass over the whole list. False at its end. */
static bool cut(struct xs_slice *list, struct xs_slice *element)
{
    const char *comma;
    size_t n;

    if (list->len == 0)
        return false;
    comma = memchr(list->at, ',', list->len);
    n = comma != NULL ? (size_t)(comma - list->at) : list->len;
    *element = (struct xs_slice){ list->at, n };
    list->at += n + (comma != NULL);
    list->len -= n + (comma != NULL);
    while (element->len > 0 && is_white(element->at[0])) {
        element->at++;
        element->len--;
    }
    while (element->len > 0 && is_white(element->at[element->len - 1]))
        element->len--;
    return true;
}

/* One list of offers. The first that somebody speaks here is taken, unless one was before.
 * False: it is no list of tokens. */
static bool choose_of(struct xs_conn *conn, struct xs_slice list, struct xs_slice *chosen)
{
    struct xs_slice name;

    while (cut(&list, &name)) {
        /* RFC 9110 section 5.6.1.2: a recipient puts up with empty elements. */
        if (name.len == 0)
            continue;
        if (!is_token(name))
            return false;
        if (chosen->len == 0 && xs_conn_choose_subprotocol(conn, name) == XS_OK)
            *chosen = name;
    }
    return true;
}

/* `*chosen` stays empty if none was offered. XS_EINVAL: the offer is malformed; XS_ENOTFOUND:
 * nobody speaks any of it. RFC 6455 section 4.2.2 would let such a client go on without a
 * subprotocol; here it is told that it cannot be understood. */
static enum xs_err choose(struct xs_conn *conn, const struct xs_http_head *head,
                          struct xs_slice *chosen)
{
    bool offered = false;

    *chosen = XS_SLICE("");
    for (size_t i = 0; i < head->header_count; i++) {
        if (!xs_slice_equal_nocase(head->headers[i].name, XS_SLICE("Sec-WebSocket-Protocol")))
            continue;
        offered = true;
        if (!choose_of(conn, head->headers[i].value, chosen))
            return XS_EINVAL;
    }
    if (offered)
        return chosen->len > 0 ? XS_OK : XS_ENOTFOUND;
    return xs_conn_choose_subprotocol(conn, *chosen);
}

/* What is wrong with the request, NULL if it is a good one: RFC 6455 section 4.2.1. */
static const char *fault_of(const struct xs_http_head *head)
{
    const struct xs_http_header *key = xs_http_header(head, "Sec-WebSocket-Key");

    if (!xs_slice_equal(head->method, XS_SLICE("GET")))
        return "a WebSocket handshake is a GET request";
    if (head->minor < 1)
        return "a WebSocket handshake needs HTTP/1.1";
    if (xs_http_header_count(head, "Host") != 1)
        return "a WebSocket handshake needs one Host header";
    if (!xs_http_header_has(head, "Upgrade", "websocket"))
        return "the Upgrade header does not ask for websocket";
    if (!xs_http_header_has(head, "Connection", "Upgrade"))
        return "the Connection header does not name Upgrade";
    if (xs_http_header_count(head, "Sec-WebSocket-Key") != 1 || !is_key(key->value))
        return "the Sec-WebSocket-Key header must come once and hold 16 bytes in base64";
    return NULL;
}

static bool speaks_version_13(const struct xs_http_head *head)
{
    const struct xs_http_header *version = xs_http_header(head, "Sec-WebSocket-Version");

    return xs_http_header_count(head, "Sec-WebSocket-Version") == 1 &&
           xs_slice_equal(version->value, XS_SLICE("13"));
}

/* Writes the header line that answers the client's offers of extensions, or "". */
static void agree(struct xs_websocket *ws, struct xs_conn *conn,
                  const struct xs_http_head *head, char line[EXTENSION_LIMIT])
{
    const struct xs_websocket_worker *worker = xs_conn_worker_state(conn);
    struct xs_deflate_offer offer;
    char window[48] = "";

    line[0] = '\0';
    if (worker->packer == NULL || !xs_deflate_choose(head, &offer))
        return;
    if (offer.names_window)
        (void)snprintf(window, sizeof window, "; server_max_window_bits=%u", offer.window);
    /* Nobody keeps a window from one message to the next. That of the client may be as large as
     * it likes: there is one of the full size for all of them. */
    (void)snprintf(line, EXTENSION_LIMIT,
                   "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                   "client_no_context_takeover%s\r\n",
                   window);
    ws->deflates = true;
    xs_conn_set_variant(conn, XS_VARIANT_PACKED | (XS_DEFLATE_WINDOW - offer.window)
                                                      << XS_WEBSOCKET_WINDOW_SHIFT);
}

enum xs_err xs_websocket_handshake(struct xs_websocket *ws, struct xs_conn *conn,
                                   const struct xs_http_head *head)
{
    const char *fault = fault_of(head);
    char accept[ACCEPT_LENGTH + 1], answer[ANSWER_LIMIT], extension[EXTENSION_LIMIT];
    struct xs_slice subprotocol;
    enum xs_err err;
    int n;

    if (fault != NULL)
        return refuse(conn, "400 Bad Request", "", fault);
    if (!speaks_version_13(head))
        return refuse(conn, "426 Upgrade Required",
                      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                      "this server speaks version 13 of WebSocket");
    if (xs_conn_set_query(conn, head->query) != XS_OK)
        return refuse(conn, "414 URI Too Long", "", "the query string is over a limit");
    err = choose(conn, head, &subprotocol);
    if (err == XS_EINVAL)
        return refuse(conn, "400 Bad Request", "",
                      "the Sec-WebSocket-Protocol header is no list of tokens");
    if (err != XS_OK)
        return refuse(conn, "400 Bad Request", "",
                      "none of the subprotocols offered is spoken here");
    if (!accept_of(xs_http_header(head, "Sec-WebSocket-Key")->value, accept))
        return XS_EINTERNAL;
    agree(ws, conn, head, extension);
    n = snprintf(answer, sizeof answer,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%.*s%s\r\n",
                 accept, extension, subprotocol.len > 0 ? "Sec-WebSocket-Protocol: " : "",
                 (int)subprotocol.len, subprotocol.at, subprotocol.len > 0 ? "\r\n" : "");
    if (n < 0 || (size_t)n >= sizeof answer)
        return refuse(conn, "400 Bad Request", "", "the subprotocol's name is too long");
    xs_conn_write(conn, (struct xs_slice){ answer, (size_t)n });
    ws->open = true;
    xs_conn_ready(conn);
    return XS_OK;
}
