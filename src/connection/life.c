/* life - how a connection begins, what time does to it, how it ends. */
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/thread.h"
#include "connection/state.h"

/* How long the peer's goodbye, or its end of the stream, is waited for. */
#define GOODBYE_MS 1000
/* How long a slow reader has to take the goodbye. */
#define SLOW_GOODBYE_MS 1000

static const char *state_name(enum xs_conn_state state)
{
    static const char *const names[] = {
#define X(name, next) #name,
        XS_CONN_STATES(X, )
#undef X
    };

    return names[state];
}

static unsigned allowed_from(enum xs_conn_state state)
{
#define TO(name) (1U << XS_CONN_##name)
    static const unsigned allowed[] = {
#define X(name, next) next,
        XS_CONN_STATES(X, TO)
#undef X
    };
#undef TO

    return allowed[state];
}

void xs_conn_move(struct xs_conn *conn, enum xs_conn_state to)
{
    XS_ASSERT((allowed_from((enum xs_conn_state)conn->state) & (1U << to)) != 0);
    if (conn->state == XS_CONN_MATCHING)
        XS_COUNT_BY(sniffing, -1);
    if (to == XS_CONN_MATCHING)
        XS_COUNT(sniffing);
    if (xs_log_enabled(XS_LOG_DEBUG))
        XS_LOG(DEBUG, "connection state", XS_F("fd", "%d", conn->wire.fd),
               XS_F("from", "%s", state_name((enum xs_conn_state)conn->state)),
               XS_F("to", "%s", state_name(to)));
    conn->state = (uint8_t)to;
}

void xs_conn_later(struct xs_conn *conn)
{
    if (!xs_list_linked(&conn->pending))
        xs_list_append(&conn->home->pending, &conn->pending);
}

/* ---- time ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t idle_deadline(const struct xs_conn *conn)
{
    const struct xs_config_endpoint *config = conn->offer->config;
    bool pings = conn->protocol->ops.ping != NULL;
    uint64_t idle = pings ? config->idle_timeout : config->idle_timeout_without_ping;

    return idle == 0 ? UINT64_MAX : conn->last_in + idle;
}

static uint64_t ping_deadline(const struct xs_conn *conn)
{
    const struct xs_config_endpoint *config = conn->offer->config;
    uint64_t last = conn->last_in > conn->last_ping ? conn->last_in : conn->last_ping;

    if (config->heartbeat == 0 || conn->protocol->ops.ping == NULL)
        return UINT64_MAX;
    return last + config->heartbeat;
}

static uint64_t slow_deadline(const struct xs_conn *conn)
{
    if ((conn->holds & XS_HOLD_CONTROL) == 0 || conn->held_since == 0)
        return UINT64_MAX;
    return conn->held_since + conn->offer->config->slow_timeout;
}

/* An answer waits for the peer to take it: that comes before all other time. */
static bool is_stuck(const struct xs_conn *conn)
{
    if (!conn->out.blocked || !conn->answers || conn->slow)
        return false;
    return conn->state != XS_CONN_OPEN || xs_conn_waits_for_file(conn);
}

static uint64_t stuck_deadline(const struct xs_conn *conn)
{
    return conn->stuck_since + conn->offer->config->slow_timeout;
}

static uint64_t deadline_of(const struct xs_conn *conn)
{
    uint64_t at;

    if (is_stuck(conn))
        return stuck_deadline(conn);
    if (conn->state < XS_CONN_DRAINING && xs_conn_waits_for_file(conn))
        return xs_conn_file_deadline(conn);
    if (conn->state != XS_CONN_OPEN)
        return conn->deadline;
    XS_ASSERT(conn->protocol != NULL);
    at = sooner(idle_deadline(conn), ping_deadline(conn));
    return sooner(at, slow_deadline(conn));
}

void xs_conn_arm(struct xs_conn *conn)
{
    uint64_t at;

    if (conn->state >= XS_CONN_CLOSING) {
        xs_wheel_stop(conn->home->wheel, &conn->timer);
        return;
    }
    at = deadline_of(conn);
    if (conn->pace > 0 && conn->out.first != NULL && !conn->out.blocked)
        at = sooner(at, conn->pace_until);
    if (at == UINT64_MAX)
        xs_wheel_stop(conn->home->wheel, &conn->timer);
    else if (!xs_timer_runs(&conn->timer) || conn->timer.at != at)
        xs_wheel_set(conn->home->wheel, &conn->timer, at, conn->timer.fire);
}

/* Bytes that the peer's side has taken; the kernel keeps what it has not. */
static int64_t taken_by_peer(const struct xs_conn *conn)
{
    int waiting = 0;

    (void)ioctl(conn->wire.fd, SIOCOUTQ, &waiting);
    return (int64_t)conn->bytes_out - waiting;
}

static void begin_to_watch(struct xs_conn *conn)
{
    conn->stuck_since = xs_now();
    conn->taken = taken_by_peer(conn);
}

/* A slow reader's second is over, a goodbye was not answered: the socket goes. */
static void give_up(struct xs_conn *conn)
{
    conn->failed = conn->out.first != NULL;
    xs_conn_move(conn, XS_CONN_CLOSING);
    xs_conn_later(conn);
}

/* A large buffer in the kernel may empty for long before it is writable again: who takes
 * anything at all is not stuck. */
static void time_stuck(struct xs_conn *conn, uint64_t now)
{
    if (now < stuck_deadline(conn))
        return;
    if (taken_by_peer(conn) > conn->taken)
        begin_to_watch(conn);
    else if (conn->state == XS_CONN_DRAINING)
        give_up(conn);
    else
        xs_conn_close(conn, XS_CLOSE_SLOW, NULL);
}

void xs_conn_rest(struct xs_conn *conn)
{
    uint64_t now = xs_now();

    conn->expects = false;
    conn->rests = true;
    conn->deadline = now + conn->rest;
    if (conn->home->draining)
        conn->deadline = sooner(conn->deadline, now + GOODBYE_MS);
    xs_conn_arm(conn);
}

void xs_conn_wake(struct xs_conn *conn)
{
    conn->expects = conn->rests = false;
    if (conn->state != XS_CONN_OPENING)
        return;
    conn->deadline = xs_now() + conn->offer->config->handshake_timeout;
    if (conn->home->draining)
        conn->deadline = sooner(conn->deadline, xs_now() + GOODBYE_MS);
    xs_conn_arm(conn);
}

static void time_open(struct xs_conn *conn, uint64_t now)
{
    if (now >= idle_deadline(conn)) {
        XS_COUNT(idle_timeouts);
        xs_conn_close(conn, XS_CLOSE_IDLE_TIMEOUT, NULL);
    } else if (now >= slow_deadline(conn)) {
        xs_conn_close(conn, XS_CLOSE_SLOW, NULL);
    } else if (now >= ping_deadline(conn)) {
        conn->last_ping = now;
        conn->protocol->ops.ping(conn->self, conn);
    }
}

static void on_time(struct xs_timer *timer)
{
    struct xs_conn *conn = XS_CONTAINER(timer, struct xs_conn, timer);
    uint64_t now = xs_now();

    if (conn->pace > 0 && conn->out.first != NULL && now >= conn->pace_until &&
        !xs_list_linked(&conn->out.dirty))
        xs_list_append(&conn->home->out->dirty, &conn->out.dirty);
    if (is_stuck(conn)) {
        time_stuck(conn, now);
    } else if (conn->state < XS_CONN_DRAINING && xs_conn_waits_for_file(conn)) {
        if (now >= xs_conn_file_deadline(conn))
            xs_conn_file_time(conn);
    } else if (conn->state == XS_CONN_OPEN)
        time_open(conn, now);
    else if (now < conn->deadline)
        ;
    else if (conn->state == XS_CONN_DRAINING)
        give_up(conn);
    else if (conn->state == XS_CONN_MATCHING && conn->first_byte)
        xs_conn_sniff_over(conn, XS_CLOSE_SNIFF_TIMEOUT);
    else if (conn->rests) {
        XS_COUNT(idle_timeouts);
        xs_conn_close(conn, XS_CLOSE_IDLE_TIMEOUT, NULL);
    } else if (conn->state < XS_CONN_DRAINING) {
        XS_COUNT(handshake_timeouts);
        xs_conn_close(conn, XS_CLOSE_HANDSHAKE_TIMEOUT, NULL);
    }
    xs_conn_arm(conn);
}

/* ---- beginning ---- */

static void on_ready(struct xs_wire *wire)
{
    struct xs_conn *conn = XS_CONTAINER(wire, struct xs_conn, wire);

    if (conn->state != XS_CONN_ACCEPTED)
        return;
    xs_conn_move(conn, XS_CONN_MATCHING);
}

static bool on_received(struct xs_wire *wire, char *at, size_t len)
{
    struct xs_conn *conn = XS_CONTAINER(wire, struct xs_conn, wire);
    bool more = xs_conn_received(conn, at, len);

    /* A turn with so many to answer need not be over first. */
    if (xs_outbound_has_enough(conn->home->out))
        xs_outbound_flush(conn->home->out);
    return more;
}

static void on_writable(struct xs_wire *wire)
{
    struct xs_conn *conn = XS_CONTAINER(wire, struct xs_conn, wire);

    if (!xs_list_linked(&conn->out.dirty))
        xs_list_append(&conn->home->out->dirty, &conn->out.dirty);
}

static void on_ended(struct xs_wire *wire)
{
    struct xs_conn *conn = XS_CONTAINER(wire, struct xs_conn, wire);

    if (conn->state == XS_CONN_MATCHING && conn->first_byte)
        xs_conn_sniff_over(conn, XS_CLOSE_UNKNOWN_PROTOCOL);
    conn->peer_done = true;
    if (conn->state < XS_CONN_OPENING)
        xs_conn_fail(conn, XS_CLOSE_NORMAL);
    else
        xs_conn_close(conn, XS_CLOSE_NORMAL, NULL);
    xs_conn_later(conn);
}

static void on_failed(struct xs_wire *wire, enum xs_err err)
{
    struct xs_conn *conn = XS_CONTAINER(wire, struct xs_conn, wire);

    xs_conn_fail(conn, err == XS_EIO ? XS_CLOSE_RESET : xs_conn_reason_of(err));
}

static void on_closed(struct xs_wire *wire)
{
    struct xs_conn *conn = XS_CONTAINER(wire, struct xs_conn, wire);

    xs_conn_move(conn, XS_CONN_CLOSED);
    xs_door_left(conn->offer->endpoint, conn->home->budget);
    xs_list_remove(&conn->node);
    XS_COUNT_BY(connections, -1);
    xs_free(conn);
}

static const struct xs_wire_host wire_host = {
    .ready = on_ready,
    .received = on_received,
    .writable = on_writable,
    .ended = on_ended,
    .failed = on_failed,
    .closed = on_closed,
};

void xs_conn_new(struct xs_conns *conns, struct xs_offer *offer, int fd, struct xs_slice first)
{
    struct xs_conn *conn = xs_alloc(sizeof *conn + conns->hooks->session_size);
    unsigned transport = offer->transport->index;

    xs_wire_open(&conn->wire, &conns->wires, fd, &offer->transport->ops,
                 conns->transport_states[transport], &wire_host);
    XS_COUNT(connections);
    conn->home = conns;
    conn->offer = offer;
    xs_outq_init(&conn->out);
    conn->since = conn->last_in = xs_now();
    conn->deadline = conn->since + offer->config->handshake_timeout;
    conn->timer.fire = on_time;
    xs_list_append(&conns->all, &conn->node);
    conns->hooks->start(conns->context, conn->session, conn);
    /* Who was taken from the backlog while we stop may still ask and be told. */
    if (conns->draining)
        conn->deadline = conn->since + GOODBYE_MS;
    xs_conn_arm(conn);
    xs_wire_read(&conn->wire, true);
    xs_wire_start(&conn->wire);
    if (first.len > 0 && conn->state == XS_CONN_MATCHING) {
        /* The bytes may be overwritten: they come in memory of their own. */
        (void)xs_conn_received(conn, (char *)(uintptr_t)first.at, first.len);
    }
}

/* ---- ending ---- */

enum xs_close_reason xs_conn_reason_of(enum xs_err err)
{
    switch (err) {
    case XS_OK:
        return XS_CLOSE_NORMAL;
    case XS_EPROTO:
        return XS_CLOSE_PROTOCOL;
    case XS_EINVAL:
        return XS_CLOSE_NOT_A_MESSAGE;
    case XS_EUTF8:
        return XS_CLOSE_BAD_UTF8;
    case XS_ETOOBIG:
        return XS_CLOSE_TOO_BIG;
    case XS_EREFUSED:
        return XS_CLOSE_REFUSED;
    case XS_EIO:
        return XS_CLOSE_RESET;
    default:
        return XS_CLOSE_FAULT;
    }
}

void xs_conn_fail(struct xs_conn *conn, enum xs_close_reason reason)
{
    if (conn->state >= XS_CONN_CLOSING)
        return;
    if (conn->state != XS_CONN_DRAINING)
        conn->reason = (uint8_t)reason;
    conn->failed = reason == XS_CLOSE_RESET;
    conn->out.closed = true;
    xs_conn_move(conn, XS_CONN_CLOSING);
    xs_conn_later(conn);
}

static void count_reason(enum xs_close_reason reason)
{
    if (reason == XS_CLOSE_PROTOCOL || reason == XS_CLOSE_BAD_UTF8 ||
        reason == XS_CLOSE_NOT_A_MESSAGE || reason == XS_CLOSE_TOO_BIG)
        XS_COUNT(protocol_errors);
}

/* How long a closing connection's peer may take nothing of what is left. */
static uint64_t goodbye_time(const struct xs_conn *conn)
{
    uint64_t patience = conn->slow ? SLOW_GOODBYE_MS : conn->offer->config->slow_timeout;

    return later(patience, GOODBYE_MS);
}

void xs_conn_close(struct xs_conn *conn, enum xs_close_reason reason, const char *detail)
{
    XS_ON_WORKER(conn->home->worker);
    if (conn->state >= XS_CONN_CLOSING)
        return;
    if (conn->state == XS_CONN_DRAINING) {
        conn->peer_done = true;
        xs_conn_later(conn);
        return;
    }
    if (conn->state == XS_CONN_ACCEPTED) {
        xs_conn_fail(conn, reason);
        return;
    }
    conn->reason = (uint8_t)reason;
    conn->slow = reason == XS_CLOSE_SLOW;
    count_reason(reason);
    if (conn->slow)
        xs_outq_drop_data(conn->home->out, &conn->out);
    xs_conn_move(conn, XS_CONN_DRAINING);
    xs_conn_drop_file(conn);
    if (conn->protocol != NULL && conn->begun && conn->protocol->ops.goodbye != NULL)
        conn->wait_peer = conn->protocol->ops.goodbye(
            conn->self, conn, reason, detail != NULL ? detail : xs_close_text(reason));
    conn->out.closed = true;
    conn->deadline = xs_now() + goodbye_time(conn);
    xs_conn_later(conn);
    xs_conn_arm(conn);
}

void xs_conn_drop_protocol(struct xs_conn *conn)
{
    xs_conn_drop_file(conn);
    if (conn->sub != NULL && conn->sub->ops.close != NULL)
        conn->sub->ops.close(conn->sub_self, conn);
    if (conn->protocol != NULL && conn->begun && conn->protocol->ops.close != NULL)
        conn->protocol->ops.close(conn->self, conn);
    xs_free(conn->sub_self);
    xs_free(conn->self);
    conn->sub = NULL;
    conn->protocol = NULL;
    conn->self = conn->sub_self = NULL;
}

static void end_session(struct xs_conn *conn)
{
    if (conn->ended)
        return;
    conn->ended = true;
    conn->home->hooks->end(conn->session);
}

static void say_end(const struct xs_conn *conn)
{
    if (!xs_log_enabled(XS_LOG_DEBUG))
        return;
    XS_LOG(DEBUG, "a connection has ended", XS_F("endpoint", "%s", conn->offer->config->name),
           XS_F("protocol", "%s", conn->protocol != NULL ? conn->protocol->name : "none"),
           XS_F("why", "%s", xs_close_text((enum xs_close_reason)conn->reason)),
           XS_F("frames_in", "%llu", (unsigned long long)conn->frames_in),
           XS_F("bytes_in", "%llu", (unsigned long long)conn->bytes_in),
           XS_F("frames_out", "%llu", (unsigned long long)conn->frames_out),
           XS_F("bytes_out", "%llu", (unsigned long long)conn->bytes_out));
}

static void finish(struct xs_conn *conn)
{
    struct xs_conns *home = conn->home;
    bool unsent = conn->out.first != NULL;

    end_session(conn);
    say_end(conn);
    if (conn->slow) {
        if (unsent)
            XS_COUNT(slow_reset);
        else
            XS_COUNT(slow_closed);
    }
    xs_conn_drop_protocol(conn);
    xs_outq_clear(home->out, &conn->out);
    conn->out.closed = true;
    XS_COUNT_BY(held_bytes, -(int64_t)conn->held_len - (int64_t)conn->held_by_module);
    conn->held_by_module = 0;
    xs_free(conn->held);
    conn->held = NULL;
    conn->held_len = conn->held_cap = 0;
    xs_wheel_stop(home->wheel, &conn->timer);
    xs_wire_close(&conn->wire, conn->slow && unsent);
}

/* The queue is empty: the peer's goodbye is waited for, then our end of the stream is sent,
 * then the peer's awaited. */
static void wind_up(struct xs_conn *conn)
{
    uint64_t now = xs_now();

    if (!conn->flushed) {
        conn->flushed = true;
        conn->deadline = now + GOODBYE_MS;
    }
    if (conn->wait_peer && !conn->peer_done && !conn->wire.ended)
        return;
    if (!conn->wire.ended) {
        xs_wire_shutdown(&conn->wire);
        return;
    }
    xs_conn_move(conn, XS_CONN_CLOSING);
}

/* ---- the end of the turn ---- */

static enum xs_err send_out(void *context, const struct xs_slice *parts, size_t count,
                            size_t *taken)
{
    return xs_wire_send(context, parts, count, taken);
}

/* From now on it must read within slow_timeout. */
static void begin_pressure(struct xs_conn *conn)
{
    if (conn->held_since != 0)
        return;
    conn->held_since = later(xs_now(), conn->pace_until);
    XS_COUNT(reads_paused);
    xs_conn_arm(conn);
}

/* What could leave has left. */
static void weigh(struct xs_conn *conn)
{
    if ((conn->holds & XS_HOLD_CONTROL) == 0)
        return;
    if (xs_outq_pressed(conn->home->out, &conn->out, 2))
        begin_pressure(conn);
    else
        xs_conn_hold(conn, XS_HOLD_CONTROL, false);
}

/* What could leave of an answer has left. `stuck`: nothing could, and so it was before. */
static void follow_answer(struct xs_conn *conn, bool stuck)
{
    if (conn->out.blocked && !stuck)
        begin_to_watch(conn);
    if (!stuck) /* who takes a file is not idle */
        conn->last_in = xs_now();
    if (xs_outq_empty(&conn->out) && conn->expects)
        xs_conn_rest(conn);
    if (xs_outq_empty(&conn->out))
        xs_conn_piece_taken(conn);
    xs_conn_arm(conn);
}

/* A message was written and the next must wait. Who takes each as it comes is not slow: what
 * still waits does so for us, and the peer's time begins when the next may be written. */
static void keep_pace(struct xs_conn *conn)
{
    /* From when it was written, not from when the turn began. The millisecond that is running
     * is no whole one. */
    conn->pace_until = xs_clock_ms() + 1 + conn->pace;
    if (conn->held_since != 0)
        conn->held_since = conn->pace_until;
    if (conn->state == XS_CONN_DRAINING && !conn->slow && conn->out.first != NULL)
        conn->deadline = conn->pace_until + goodbye_time(conn);
    xs_conn_arm(conn);
}

static void flush(struct xs_conn *conn)
{
    struct xs_outq *queue = &conn->out;
    struct xs_outbound *out = conn->home->out;
    size_t bytes = queue->bytes;
    uint32_t count = queue->count;
    bool was_blocked = queue->blocked;
    enum xs_err err;

    if (conn->state >= XS_CONN_CLOSING) {
        xs_list_remove(&queue->dirty);
        xs_outq_settle(out, queue);
        return;
    }
    if (conn->pace > 0 && xs_now() < conn->pace_until) {
        xs_list_remove(&queue->dirty);
        xs_outq_settle(out, queue);
        weigh(conn);
        xs_conn_arm(conn);
        return;
    }
    err = xs_outq_flush(out, queue, send_out, &conn->wire);
    conn->bytes_out += bytes - queue->bytes;
    conn->frames_out += count - queue->count;
    if (err == XS_EIO) {
        xs_conn_fail(conn, XS_CLOSE_RESET);
        return;
    }
    if (conn->pace > 0 && err == XS_OK && queue->bytes < bytes)
        keep_pace(conn);
    weigh(conn);
    if (conn->answers)
        follow_answer(conn, was_blocked && queue->bytes == bytes);
    if (conn->state == XS_CONN_DRAINING)
        xs_conn_later(conn);
}

/* Its own answers pile up: it is not read from until it has read them, or slow_timeout is over.
 */
static void press(struct xs_outq *queue)
{
    struct xs_conn *conn = XS_CONTAINER(queue, struct xs_conn, out);

    if ((conn->holds & XS_HOLD_CONTROL) != 0 || conn->state >= XS_CONN_DRAINING)
        return;
    conn->held_since = 0;
    xs_conn_hold(conn, XS_HOLD_CONTROL, true);
    /* Else the end of the turn tells whether the receiver takes them. */
    if (queue->blocked)
        begin_pressure(conn);
}

/* Also when it is blocked: the receiver may have read since, and only the end of this turn
 * would have noticed. */
static void relieve(struct xs_outq *queue)
{
    flush(XS_CONTAINER(queue, struct xs_conn, out));
}

static void overflow(struct xs_outq *queue)
{
    struct xs_conn *conn = XS_CONTAINER(queue, struct xs_conn, out);

    if (conn->state == XS_CONN_OPEN)
        xs_conn_close(conn, XS_CLOSE_SLOW, NULL);
}

static void look_at(struct xs_conn *conn)
{
    if (conn->state < XS_CONN_DRAINING && !xs_conn_busy(conn))
        xs_conn_go_on(conn);
    if (conn->state == XS_CONN_DRAINING) {
        /* The peer's goodbye may be among what was left. */
        xs_conn_go_on(conn);
        end_session(conn);
        if (xs_outq_empty(&conn->out))
            wind_up(conn);
        if (conn->state == XS_CONN_DRAINING) {
            /* The peer's goodbye must be read even if we had stopped reading. */
            xs_wire_read(&conn->wire, true);
            xs_conn_arm(conn);
        }
    }
    if (conn->state == XS_CONN_CLOSING && !conn->wire.dead)
        finish(conn);
}

void xs_conns_end_turn(struct xs_conns *conns)
{
    struct xs_list *node;

    /* What ends may make its controllers speak to others, who are flushed in the same turn. */
    while (!xs_list_empty(&conns->out->dirty) || !xs_list_empty(&conns->pending)) {
        xs_outbound_flush(conns->out);
        node = xs_list_shift(&conns->pending);
        if (node != NULL)
            look_at(XS_CONTAINER(node, struct xs_conn, pending));
    }
    xs_outbound_turn_over(conns->out);
    xs_wires_sweep(&conns->wires);
}

void xs_conn_hold(struct xs_conn *conn, unsigned why, bool on)
{
    uint8_t before = conn->holds;

    conn->holds = (uint8_t)(on ? conn->holds | why : conn->holds & ~why);
    if (conn->holds == before || conn->state >= XS_CONN_DRAINING)
        return;
    xs_wire_read(&conn->wire, conn->holds == 0);
    if (conn->holds == 0 && conn->backlog)
        xs_conn_later(conn);
}

enum xs_err xs_conns_init(struct xs_conns *conns, uv_loop_t *loop)
{
    xs_list_init(&conns->all);
    xs_list_init(&conns->pending);
    conns->out->relieve = relieve;
    conns->out->overflow = overflow;
    conns->out->press = press;
    return xs_wires_init(&conns->wires, loop, conns->worker);
}

void xs_conns_stop(struct xs_conns *conns)
{
    xs_wires_stop(&conns->wires);
}

void xs_conns_fini(struct xs_conns *conns)
{
    xs_wires_fini(&conns->wires);
}

static void each(struct xs_conns *conns, void (*call)(struct xs_conn *conn))
{
    struct xs_list *node, *next;

    for (node = conns->all.next; node != &conns->all; node = next) {
        next = node->next;
        call(XS_CONTAINER(node, struct xs_conn, node));
    }
}

static void say_goodbye(struct xs_conn *conn)
{
    if (conn->state > XS_CONN_OPENING)
        xs_conn_close(conn, XS_CLOSE_GOING_AWAY, NULL);
    else /* its request may have come already, not read yet: it is answered */
        conn->deadline =
            sooner(conn->deadline, xs_now() + (conn->first_byte ? GOODBYE_MS : 100));
    xs_conn_arm(conn);
}

void xs_conns_drain(struct xs_conns *conns)
{
    conns->draining = true;
    each(conns, say_goodbye);
}

void xs_conns_rearm(struct xs_conns *conns)
{
    each(conns, xs_conn_arm);
}

static void abort_one(struct xs_conn *conn)
{
    xs_conn_fail(conn, XS_CLOSE_RESET);
}

void xs_conns_abort(struct xs_conns *conns)
{
    conns->draining = true;
    each(conns, abort_one);
}
