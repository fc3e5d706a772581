/* len16 - a binary protocol to learn from: frames that begin with their length.
 *
 *   C: Len16Protocol LF           the greeting; ?name=value may stand before the line end
 *   S: 00 07 welcome              two bytes, the length, the high one first; then the payload
 *   C: 00 0b chat|say|hi          from then on a frame is a message, both ways
 *
 * A payload is UTF-8: controller|topic|data. Only data may hold a '|'. docs/PLUGINS.md explains
 * this file. */
#include <xsockets/framing.h>

static const struct xs_format len16 = { .greeting = "Len16Protocol",
                                        .framing = XS_FRAMING_LENGTH };

/* ---- is it ours? ---- */

/* Looks only; the same bytes must always give the same answer, however they came. */
static enum xs_match len16_match(struct xs_slice head)
{
    return xs_greeting_match(&len16, head);
}

/* The connection is ours: match() has seen the name of the greeting. */
static enum xs_err len16_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct xs_slice query;
    enum xs_err err = xs_greeting_take(&len16, self, in, &query);

    if (err == XS_OK)
        err = xs_conn_set_query(conn, query);
    if (err != XS_OK)
        return err;
    xs_conn_write(conn, XS_SLICE("\0\7welcome"));
    xs_conn_ready(conn);
    return XS_OK;
}

/* ---- frames in ---- */

static enum xs_err take_message(struct xs_conn *conn, struct xs_slice payload)
{
    struct xs_incoming incoming;
    const char *why;
    enum xs_err err = xs_parts_read(&len16, payload, &incoming, &why);

    if (err == XS_OK)
        return xs_conn_deliver(conn, &incoming); /* the controller runs before this returns */
    xs_conn_error(conn, why);
    return err == XS_EINVAL ? XS_OK
                            : err; /* what is merely wrong does not end the connection */
}

static enum xs_err len16_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    /* Nobody may make us hold more than a message may have. */
    size_t longest = xs_parts_longest(xs_conn_limits(conn));
    enum xs_err err = XS_OK;
    struct xs_slice payload;

    /* Busy: the client does not take its answers. What is left comes again. */
    while (err == XS_OK && !xs_conn_busy(conn)) {
        err = xs_frame_take(&len16, self, longest, in, &payload);
        if (err == XS_OK && payload.len == 0)
            xs_conn_count_frame(conn);
        else if (err == XS_OK)
            err = take_message(conn, payload);
        else if (err == XS_ETOOBIG)
            xs_conn_error(conn, "the message is too long");
    }
    /* More bytes are needed; or the connection is closing. Neither is a fault. */
    return err == XS_EAGAIN || err == XS_EGONE ? XS_OK : err;
}

/* ---- frames out ---- */

/* Knows no connection: the bytes are made once for all receivers of this format. */
static enum xs_err len16_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    return xs_parts_write(&len16, msg, data, out);
}

/* ---- the table ---- */

static const char *const len16_beginnings[] = { "Len16Protocol", NULL };

static const struct xs_protocol_ops len16_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "len16",
    .state_size = sizeof(struct xs_frames), /* the host keeps it, zeroed; `self` above */
    .beginnings = len16_beginnings,
    .view = XS_VIEW_JSON,
    .match = len16_match,
    .open = len16_open,
    .decode = len16_decode,
    .encode = len16_encode,
};

XS_PLUGIN(.name = "len16", .version = "1.0.0", .protocols = { &len16_ops })
