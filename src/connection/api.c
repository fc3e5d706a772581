/* api - what protocol and subprotocol modules call. */
#include <string.h>

#include "base/alloc.h"
#include "base/stats.h"
#include "base/thread.h"
#include "connection/state.h"

unsigned xs_close_code(enum xs_close_reason reason)
{
    static const uint16_t codes[] = {
#define X(name, code, text) code,
        XS_CLOSE_REASONS(X)
#undef X
    };

    return (size_t)reason < sizeof codes / sizeof codes[0] ? codes[reason] : 1011;
}

const char *xs_close_text(enum xs_close_reason reason)
{
    static const char *const texts[] = {
#define X(name, code, text) text,
        XS_CLOSE_REASONS(X)
#undef X
    };

    return (size_t)reason < sizeof texts / sizeof texts[0] ? texts[reason] : "closed";
}

const struct xs_limits *xs_conn_limits(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return &conn->home->config->limits;
}

enum xs_err xs_conn_deliver(struct xs_conn *conn, const struct xs_incoming *incoming)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state >= XS_CONN_DRAINING)
        return XS_EGONE;
    conn->frames_in++;
    XS_COUNT(frames_in);
    XS_COUNT(messages_in);
    return conn->home->hooks->deliver(conn->session, incoming);
}

void xs_conn_count_frame(struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    conn->frames_in++;
    XS_COUNT(frames_in);
}

enum xs_err xs_conn_hold_bytes(struct xs_conn *conn, size_t bytes)
{
    XS_ON_WORKER(conn->home->worker);
    size_t before = conn->held_by_module;

    if (bytes == before)
        return XS_OK;
    XS_COUNT_BY(held_bytes, (int64_t)bytes - (int64_t)before);
    conn->held_by_module = (uint32_t)bytes;
    return bytes > before && xs_conn_is_one_too_many(conn, bytes) ? XS_ETOOBIG : XS_OK;
}

void xs_conn_write(struct xs_conn *conn, struct xs_slice bytes)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state >= XS_CONN_CLOSING)
        return;
    if (xs_outbound_push_bytes(conn->home->out, &conn->out, bytes) == XS_PUSH_FULL)
        xs_conn_fail(conn, XS_CLOSE_FAULT);
}

size_t xs_conn_queued_control(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->out.control_bytes;
}

static void choose_encoder(struct xs_conn *conn)
{
    struct xs_encoder by = { .protocol = &conn->protocol->ops,
                             .sub = conn->sub != NULL ? &conn->sub->ops : NULL,
                             .variant = conn->variant,
                             .worker = xs_conn_worker_state(conn) };

    conn->out.encoder = xs_outbound_encoder(conn->home->out, &by);
    conn->out.self = by.protocol->personal_always ? conn->self : NULL;
}

void xs_conn_ready(struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state != XS_CONN_OPENING)
        return;
    choose_encoder(conn);
    xs_conn_move(conn, XS_CONN_OPEN);
    xs_conn_arm(conn);
    if (conn->home->draining) {
        xs_conn_close(conn, XS_CLOSE_GOING_AWAY, NULL);
        return;
    }
    if (conn->sub != NULL && conn->sub->ops.open != NULL) {
        enum xs_err err = conn->sub->ops.open(conn->sub_self, conn);

        if (err != XS_OK)
            xs_conn_close(conn, xs_conn_reason_of(err), "the handshake was refused");
    }
    /* The request's head is gone when the module returns. */
    conn->home->hooks->handshake_done(conn->session);
}

void xs_conn_expect(struct xs_conn *conn, uint64_t ms)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state != XS_CONN_OPENING)
        return;
    conn->rest = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
    conn->answers = conn->expects = true;
    if (xs_outq_empty(&conn->out))
        xs_conn_rest(conn);
}

void xs_conn_error(struct xs_conn *conn, const char *sentence)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state == XS_CONN_OPEN)
        conn->home->hooks->error(conn->session, sentence);
}

enum xs_err xs_conn_set_query(struct xs_conn *conn, struct xs_slice query)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->home->hooks->set_query(conn->session, query);
}

void xs_conn_set_head(struct xs_conn *conn, const struct xs_http_head *head)
{
    XS_ON_WORKER(conn->home->worker);
    conn->home->hooks->set_head(conn->session, head);
}

enum xs_err xs_conn_upgrade(struct xs_conn *conn, const struct xs_http_head *head)
{
    XS_ON_WORKER(conn->home->worker);
    struct xs_module_protocol *to = NULL;
    enum xs_err err;

    if (conn->state != XS_CONN_OPENING)
        return XS_EINVAL;
    for (size_t i = 0; i < conn->offer->protocol_count && to == NULL; i++) {
        const char *token = conn->offer->protocols[i]->ops.upgrade;

        if (token != NULL && xs_http_header_has(head, "Upgrade", token))
            to = conn->offer->protocols[i];
    }
    if (to == NULL || to->ops.open_upgraded == NULL)
        return XS_ENOTFOUND;
    xs_conn_drop_protocol(conn);
    conn->protocol = to;
    conn->begun = conn->upgraded = true;
    conn->answers = conn->expects = conn->rests = false;
    if (to->ops.state_size > 0)
        conn->self = xs_alloc(to->ops.state_size);
    err = to->ops.open_upgraded(conn->self, conn, head);
    /* The caller's state is gone whatever came of it: the error is dealt with here. */
    if (err != XS_OK)
        xs_conn_close(conn, xs_conn_reason_of(err), NULL);
    return XS_OK;
}

void xs_conn_set_pace(struct xs_conn *conn, unsigned ms)
{
    XS_ON_WORKER(conn->home->worker);
    conn->pace = ms;
    conn->out.paced = ms > 0;
    xs_outq_settle(conn->home->out, &conn->out);
}

enum xs_err xs_conn_choose_subprotocol(struct xs_conn *conn, struct xs_slice name)
{
    XS_ON_WORKER(conn->home->worker);
    struct xs_module_subprotocol *found = NULL;

    for (size_t i = 0; i < conn->offer->sub_count && found == NULL; i++)
        if (xs_slice_equal(xs_slice_of(conn->offer->subs[i]->token), name))
            found = conn->offer->subs[i];
    if (found == NULL || conn->sub != NULL)
        return XS_ENOTFOUND;
    conn->sub = found;
    if (found->ops.state_size > 0)
        conn->sub_self = xs_alloc(found->ops.state_size);
    return XS_OK;
}

const struct xs_subprotocol_ops *xs_conn_subprotocol(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->sub != NULL ? &conn->sub->ops : NULL;
}

enum xs_err xs_conn_payload(struct xs_conn *conn, char *at, size_t len, bool binary)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->sub == NULL)
        return XS_EINVAL;
    if (conn->state >= XS_CONN_DRAINING)
        return XS_OK;
    return conn->sub->ops.decode(conn->sub_self, conn, at, len, binary);
}

void xs_conn_set_variant(struct xs_conn *conn, uint32_t variant)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state != XS_CONN_OPEN) {
        conn->variant = variant;
        return;
    }
    conn->variant =
        (conn->variant & XS_VARIANT_OF_PROTOCOL) | (variant & ~XS_VARIANT_OF_PROTOCOL);
    choose_encoder(conn);
}

enum xs_err xs_conn_open_controller(struct xs_conn *conn, struct xs_slice controller)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state != XS_CONN_OPEN)
        return XS_EGONE;
    return conn->home->hooks->open_controller(conn->session, controller);
}

enum xs_err xs_conn_subscribe(struct xs_conn *conn, struct xs_slice controller,
                              struct xs_slice topic)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state != XS_CONN_OPEN)
        return XS_EGONE;
    return conn->home->hooks->subscribe(conn->session, controller, topic);
}

const struct xs_settings *xs_conn_protocol_settings(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->protocol != NULL ? &conn->protocol->settings : NULL;
}

const struct xs_settings *xs_conn_subprotocol_settings(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->sub != NULL ? &conn->sub->settings : NULL;
}

void *xs_conn_worker_state(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->protocol != NULL ? conn->home->protocol_states[conn->protocol->index] : NULL;
}

void *xs_conn_protocol_state(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->self;
}

bool xs_conn_draining(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->home->draining;
}

bool xs_conn_busy(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return (conn->state == XS_CONN_OPENING || conn->state == XS_CONN_OPEN) && conn->holds != 0;
}

bool xs_conn_closing(const struct xs_conn *conn)
{
    XS_ON_WORKER(conn->home->worker);
    return conn->state >= XS_CONN_DRAINING;
}
