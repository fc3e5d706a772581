/* input - bytes on their way in: kept while they are no whole frame, sniffed, decoded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/stats.h"
#include "connection/state.h"
#include "protocol/sniff.h"

/* Bytes shown in the log of what nobody claims. */
#define HEX_BYTES 32

/* Bytes that may wait for the rest of their frame; a module refuses earlier, by its own limits.
 */
static size_t held_limit(const struct xs_conn *conn)
{
    return 2 * conn->home->config->limits.message + conn->home->config->limits.head +
           conn->home->wires.size;
}

/* So much any client may have, however much others have. */
#define HELD_ALWAYS ((size_t)16 * 1024)

bool xs_conn_is_one_too_many(const struct xs_conn *conn, size_t bytes)
{
    const struct xs_conns *home = conn->home;

    if (bytes <= HELD_ALWAYS || !home->hooks->holds_too_much(home->context))
        return false;
    XS_COUNT(refused_held);
    return true;
}

/* Keeps what was not taken. `at` may lie inside what is held. */
static enum xs_err keep(struct xs_conn *conn, const char *at, size_t len)
{
    size_t cap = len < 256 ? 256 : len;

    if (conn->held == NULL && len > 0) {
        if (xs_conn_is_one_too_many(conn, len))
            return XS_ETOOBIG;
        conn->held = xs_try_alloc(cap);
        if (conn->held == NULL)
            return XS_ENOMEM;
        conn->held_cap = (uint32_t)cap;
    }
    XS_COUNT_BY(held_bytes, (int64_t)len - (int64_t)conn->held_len);
    conn->held_len = (uint32_t)len;
    if (len > 0) {
        memmove(conn->held, at, len);
        return XS_OK;
    }
    xs_free(conn->held);
    conn->held = NULL;
    conn->held_cap = 0;
    return XS_OK;
}

/* Puts new bytes behind those that are held. */
static bool join(struct xs_conn *conn, const char *at, size_t len)
{
    size_t all = conn->held_len + len;

    if (all > held_limit(conn) || xs_conn_is_one_too_many(conn, all))
        return false;
    if (all > conn->held_cap) {
        size_t cap = 2 * (size_t)conn->held_cap > all ? 2 * (size_t)conn->held_cap : all;
        char *grown = xs_try_realloc(conn->held, cap);

        if (grown == NULL)
            return false;
        conn->held = grown;
        conn->held_cap = (uint32_t)cap;
    }
    memcpy(conn->held + conn->held_len, at, len);
    conn->held_len = (uint32_t)all;
    XS_COUNT_BY(held_bytes, len);
    return true;
}

/* One call of the module; what it left is in `in`. */
static enum xs_err call(struct xs_conn *conn, struct xs_input *in)
{
    struct xs_module_protocol *protocol = conn->protocol;

    conn->upgraded = false;
    if (!conn->begun) {
        conn->begun = true;
        return protocol->ops.open(conn->self, conn, in);
    }
    return protocol->ops.decode(conn->self, conn, in);
}

static void decode_failed(struct xs_conn *conn, enum xs_err err)
{
    xs_conn_close(conn, xs_conn_reason_of(err), NULL);
}

/* Has the protocol take what it can. */
static void decode_all(struct xs_conn *conn, struct xs_input *in)
{
    size_t before;

    conn->decoding = true;
    do {
        bool was_begun = conn->begun;
        enum xs_err err;

        before = in->len;
        err = call(conn, in);
        if (err != XS_OK && conn->state < XS_CONN_DRAINING) {
            decode_failed(conn, err);
            /* The peer's goodbye may lie right behind its fault. */
            if (!conn->wait_peer)
                break;
            before = SIZE_MAX;
        }
        /* Another protocol's first look, or decode after open, is a step although nothing was
         * taken. */
        if (conn->upgraded || !was_begun)
            before = SIZE_MAX;
    } while (in->len > 0 && in->len < before && conn->state < XS_CONN_CLOSING &&
             conn->protocol != NULL && !xs_conn_busy(conn));
    conn->decoding = false;
}

static bool decode(struct xs_conn *conn, char *at, size_t len)
{
    struct xs_input in = { at, len };
    char *held = conn->held;
    enum xs_err err;

    if (held != NULL && at != held) {
        if (!join(conn, at, len)) {
            xs_conn_close(conn, XS_CLOSE_TOO_BIG, NULL);
            return false;
        }
        in.at = conn->held;
        in.len = conn->held_len;
    }
    if (!xs_conn_busy(conn))
        decode_all(conn, &in);
    conn->backlog = in.len > 0 && xs_conn_busy(conn);
    if (conn->state >= XS_CONN_DRAINING && in.len > 0 && conn->peer_done)
        in.len = 0;
    if (conn->state >= XS_CONN_CLOSING)
        in.len = 0;
    err = keep(conn, in.at, in.len);
    if (err != XS_OK)
        decode_failed(conn, err);
    return conn->state < XS_CONN_CLOSING;
}

void xs_conn_go_on(struct xs_conn *conn)
{
    if (conn->backlog)
        (void)decode(conn, conn->held, conn->held_len);
}

/* ---- which protocol is this? ---- */

static void unclaimed(struct xs_conn *conn, struct xs_slice head, enum xs_close_reason reason)
{
    char hex[HEX_BYTES * 2 + 1] = "";

    for (size_t i = 0; i < head.len && i < HEX_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)head.at[i]);
    if (reason == XS_CLOSE_SNIFF_TIMEOUT)
        XS_COUNT(sniff_timeouts);
    else
        XS_COUNT(unclaimed);
    XS_LOG(INFO, xs_close_text(reason), XS_F("endpoint", "%s", conn->offer->config->name),
           XS_F("bytes", "%zu", head.len), XS_F("first", "%s", hex));
    xs_conn_close(conn, reason, NULL);
}

static void adopt(struct xs_conn *conn, struct xs_module_protocol *protocol)
{
    conn->protocol = protocol;
    if (protocol->ops.state_size > 0)
        conn->self = xs_alloc(protocol->ops.state_size);
    /* A greeting may be taken up to the handshake's own time. */
    conn->deadline = conn->since + conn->offer->config->handshake_timeout;
    if (conn->deadline < xs_now())
        conn->deadline = xs_now();
    xs_conn_move(conn, XS_CONN_OPENING);
}

/* Test hook: `place=N` in the first bytes moves the connection to worker N. */
static bool placed(struct xs_conn *conn, struct xs_slice head)
{
    static const char key[] = "place=";
    const char *at;
    int fd;

    if (!conn->home->config->test_hooks || conn->home->hooks->place == NULL)
        return false;
    at = memmem(head.at, head.len, key, sizeof key - 1);
    if (at == NULL || at + sizeof key - 1 >= head.at + head.len ||
        (unsigned)(at[sizeof key - 1] - '0') == conn->home->worker)
        return false;
    fd = dup(conn->wire.fd);
    if (fd < 0 || !conn->home->hooks->place(conn->home->context, conn->offer, fd, head)) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    xs_conn_fail(conn, XS_CLOSE_NORMAL);
    return true;
}

static bool sniff(struct xs_conn *conn, char *at, size_t len, bool last,
                  enum xs_close_reason otherwise)
{
    const struct xs_config_endpoint *config = conn->offer->config;
    struct xs_slice head = { at, len };
    uint64_t now = xs_now();
    size_t who = 0;

    switch (xs_sniff(conn->offer->ops, conn->offer->protocol_count, head, last, &who)) {
    case XS_SNIFF_FOUND:
        if (placed(conn, head))
            return false;
        adopt(conn, conn->offer->protocols[who]);
        return decode(conn, at, len);
    case XS_SNIFF_NOBODY:
        unclaimed(conn, head, otherwise);
        return false;
    case XS_SNIFF_QUIET:
        conn->deadline = now + config->sniff_quiet;
        if (conn->deadline > conn->sniff_until)
            conn->deadline = conn->sniff_until;
        break;
    case XS_SNIFF_MORE:
        conn->deadline = conn->sniff_until;
        break;
    }
    if (at != conn->held) {
        enum xs_err err = keep(conn, at, len);

        if (err != XS_OK) {
            decode_failed(conn, err);
            return false;
        }
    }
    xs_conn_arm(conn);
    return true;
}

static bool match(struct xs_conn *conn, char *at, size_t len)
{
    uint64_t now = xs_now();
    uint64_t until = now + conn->offer->config->sniff_timeout;

    if (!conn->first_byte) {
        conn->first_byte = true;
        conn->sniff_until = until < conn->deadline ? until : conn->deadline;
    }
    if (conn->held != NULL) {
        if (!join(conn, at, len)) {
            xs_conn_close(conn, XS_CLOSE_TOO_BIG, NULL);
            return false;
        }
        at = conn->held;
        len = conn->held_len;
    }
    return sniff(conn, at, len, false, XS_CLOSE_UNKNOWN_PROTOCOL);
}

void xs_conn_sniff_over(struct xs_conn *conn, enum xs_close_reason otherwise)
{
    (void)sniff(conn, conn->held, conn->held_len, true, otherwise);
}

bool xs_conn_received(struct xs_conn *conn, char *at, size_t len)
{
    conn->last_in = xs_now();
    conn->bytes_in += len;
    if (conn->expects || conn->rests)
        xs_conn_wake(conn);
    if (conn->state == XS_CONN_MATCHING)
        return match(conn, at, len);
    if (conn->state >= XS_CONN_CLOSING)
        return false;
    /* While we wait for the peer's goodbye it is still looked for; after that, bytes are thrown
     * away. */
    if (conn->state == XS_CONN_DRAINING && (conn->peer_done || !conn->wait_peer))
        return true;
    return decode(conn, at, len);
}
