/* context - the connect request as controllers may see it: parameters, URI, and those headers
 * and cookies that somebody wants. */
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "controller/clients.h"
#include "message/json.h"

struct pair {
    struct pair *next;
    uint16_t name_len;
    uint16_t kind; /* enum kind */
    uint32_t value_len;
    char bytes[]; /* name, value */
};

enum kind { PARAMETER, HEADER, COOKIE, URI };

struct xs_context {
    struct pair *first, **end;
    struct xs_return how;
};

/* Together a connection's parameters may be this many. */
#define PAIRS_MAX 64

static struct xs_context *context_of(struct xs_session *session)
{
    if (session->context == NULL) {
        session->context = xs_alloc(sizeof *session->context);
        session->context->end = &session->context->first;
    }
    return session->context;
}

void xs_context_free(struct xs_context *context)
{
    if (context == NULL)
        return;
    while (context->first != NULL) {
        struct pair *pair = context->first;

        context->first = pair->next;
        xs_free(pair);
    }
    xs_free(context);
}

struct xs_return xs_context_return(const struct xs_context *context)
{
    return context->how;
}

void xs_context_set_return(struct xs_context *context, const struct xs_return *how)
{
    context->how = *how;
}

static struct xs_slice find(const struct xs_session *session, enum kind kind, const char *name)
{
    const struct pair *pair = session->context != NULL ? session->context->first : NULL;

    for (; pair != NULL; pair = pair->next)
        if (pair->kind == kind &&
            xs_slice_equal_nocase((struct xs_slice){ pair->bytes, pair->name_len },
                                  xs_slice_of(name)))
            return (struct xs_slice){ pair->bytes + pair->name_len, pair->value_len };
    return (struct xs_slice){ "", 0 };
}

static void keep(struct xs_session *session, enum kind kind, struct xs_slice name,
                 struct xs_slice value)
{
    struct xs_context *context = context_of(session);
    struct pair *pair = xs_alloc(sizeof *pair + name.len + value.len);

    pair->kind = (uint16_t)kind;
    pair->name_len = (uint16_t)name.len;
    pair->value_len = (uint32_t)value.len;
    if (name.len > 0)
        memcpy(pair->bytes, name.at, name.len);
    if (value.len > 0)
        memcpy(pair->bytes + name.len, value.at, value.len);
    *context->end = pair;
    context->end = &pair->next;
}

/* ---- parameters ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Plus is a space, %41 an A; a percent sign that begins nothing stands for itself. */
static struct xs_slice decode(struct xs_slice text, char *to)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '+')
            c = ' ';
        else if (c == '%' && i + 2 < text.len && hex(text.at[i + 1]) >= 0 &&
                 hex(text.at[i + 2]) >= 0) {
            c = (char)(hex(text.at[i + 1]) << 4 | hex(text.at[i + 2]));
            i += 2;
        }
        to[len++] = c;
    }
    return (struct xs_slice){ to, len };
}

static struct xs_slice cut(struct xs_slice *rest, char stop)
{
    const char *at = rest->len > 0 ? memchr(rest->at, stop, rest->len) : NULL;
    struct xs_slice part = { rest->at, at != NULL ? (size_t)(at - rest->at) : rest->len };

    rest->at += part.len + (at != NULL ? 1 : 0);
    rest->len -= part.len + (at != NULL ? 1 : 0);
    return part;
}

enum xs_err xs_query_read(struct xs_slice query, size_t name_limit, xs_query_cb each,
                          void *context)
{
    enum xs_err err = XS_OK;
    char *room;

    if (query.len > 0 && query.at[0] == '?') {
        query.at++;
        query.len--;
    }
    if (query.len == 0)
        return XS_OK;
    room = xs_try_alloc(query.len);
    if (room == NULL)
        return XS_ENOMEM;
    while (query.len > 0 && err == XS_OK) {
        struct xs_slice value = cut(&query, '&');
        struct xs_slice name = cut(&value, '=');

        name = decode(name, room);
        value = decode(value, room + name.len);
        if (name.len == 0)
            continue;
        err = name.len > name_limit ? XS_ETOOBIG : each(context, name, value);
    }
    xs_free(room);
    return err;
}

struct filling {
    struct xs_session *session;
    unsigned count;
};

static enum xs_err on_pair(void *context, struct xs_slice name, struct xs_slice value)
{
    struct filling *filling = context;
    struct xs_session *session = filling->session;
    uint8_t id[16];

    if (++filling->count > PAIRS_MAX)
        return XS_ETOOBIG;
    if (xs_slice_equal_nocase(name, XS_SLICE("persistentid"))) {
        /* Too late once the client is known under another id; the first of two counts. */
        if (!session->entered && !session->pi_given && xs_guid_read(value, id)) {
            memcpy(session->pi, id, sizeof id);
            session->has_pi = session->pi_given = true;
            (void)context_of(session);
        }
        return XS_OK;
    }
    if (xs_slice_equal_nocase(name, XS_SLICE("qos")))
        session->qos = xs_slice_equal(value, XS_SLICE("1"));
    keep(session, PARAMETER, name, value);
    return XS_OK;
}

enum xs_err xs_session_set_query(struct xs_session *session, struct xs_slice query)
{
    const struct xs_limits *limits = &session->home->config->limits;
    struct filling filling = { session, 0 };

    if (query.len > limits->head)
        return XS_ETOOBIG;
    return xs_query_read(query, limits->name, on_pair, &filling);
}

struct xs_slice xs_session_parameter(const struct xs_session *session, const char *name)
{
    return find(session, PARAMETER, name);
}

/* ---- head ---- */

static bool wanted(const char *const *names, struct xs_slice name)
{
    for (; names != NULL && *names != NULL; names++)
        if (xs_slice_equal_nocase(xs_slice_of(*names), name))
            return true;
    return false;
}

static struct xs_slice trim(struct xs_slice text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool next_cookie(struct xs_slice *rest, struct xs_slice *name, struct xs_slice *value)
{
    while (rest->len > 0) {
        *value = cut(rest, ';');
        *name = trim(cut(value, '='));
        *value = trim(*value);
        if (name->len > 0)
            return true;
    }
    return false;
}

static void keep_cookies(struct xs_session *session, struct xs_slice header)
{
    struct xs_slice name, value;

    while (next_cookie(&header, &name, &value))
        if (wanted(session->home->kept_cookies, name))
            keep(session, COOKIE, name, value);
}

void xs_session_set_head(struct xs_session *session, const struct xs_http_head *head)
{
    session->head = head;
    if (head->path.len > 1)
        keep(session, URI, XS_SLICE(""), head->path);
    for (size_t i = 0; i < head->header_count; i++) {
        const struct xs_http_header *header = &head->headers[i];

        if (wanted(session->home->kept_headers, header->name))
            keep(session, HEADER, header->name, header->value);
        if (session->home->kept_cookies != NULL &&
            xs_slice_equal_nocase(header->name, XS_SLICE("Cookie")))
            keep_cookies(session, header->value);
    }
}

void xs_session_handshake_done(struct xs_session *session)
{
    session->head = NULL;
}

/* ---- what a controller asks ---- */

/* Proxies and `me` have no session here, and so nothing of this. */
struct xs_slice xs_client_parameter(const struct xs_client *client, const char *name)
{
    XS_ON_WORKER(client->stage->home->worker);
    return client->session != NULL ? xs_session_parameter(client->session, name) : XS_SLICE("");
}

struct xs_slice xs_client_uri(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    struct xs_slice uri =
        client->session != NULL ? find(client->session, URI, "") : XS_SLICE("");

    return uri.len > 0 ? uri : XS_SLICE("/");
}

struct xs_slice xs_client_header(const struct xs_client *client, const char *name)
{
    XS_ON_WORKER(client->stage->home->worker);
    const struct xs_session *session = client->session;
    const struct xs_http_header *header;

    if (session == NULL)
        return XS_SLICE("");
    if (session->head == NULL)
        return find(session, HEADER, name);
    header = xs_http_header(session->head, name);
    return header != NULL ? header->value : XS_SLICE("");
}

struct xs_slice xs_client_cookie(const struct xs_client *client, const char *name)
{
    XS_ON_WORKER(client->stage->home->worker);
    const struct xs_session *session = client->session;
    struct xs_slice found, value, rest;

    if (session == NULL)
        return XS_SLICE("");
    if (session->head == NULL)
        return find(session, COOKIE, name);
    for (size_t i = 0; i < session->head->header_count; i++) {
        if (!xs_slice_equal_nocase(session->head->headers[i].name, XS_SLICE("Cookie")))
            continue;
        rest = session->head->headers[i].value;
        while (next_cookie(&rest, &found, &value))
            if (xs_slice_equal(found, xs_slice_of(name)))
                return value;
    }
    return XS_SLICE("");
}
