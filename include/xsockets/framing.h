/* framing.h - what protocols on a bare socket have in common: a greeting by name, frames, and
 * messages as controller|topic|data. A protocol module calls these from match(), open(),
 * decode() and encode(): modules/protocols/mcu is the shortest example, len16 one that does
 * each step itself. */
#ifndef XSOCKETS_FRAMING_H
#define XSOCKETS_FRAMING_H

#include <xsockets/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How one frame is told from the next. */
enum xs_framing {
    XS_FRAMING_LINE,   /* payload LF or payload CR LF; CR LF on the way out */
    XS_FRAMING_XFRAME, /* 0x00 payload 0xFF; UTF-8 that does not begin with U+0000 */
    XS_FRAMING_LENGTH  /* two bytes, the length, big endian; then the payload */
};

/* A constant of the module. */
struct xs_format {
    const char *greeting; /* what a client sends first, as "PuttyProtocol" */
    enum xs_framing framing;
    bool three_parts; /* a payload with fewer than two bars is ignored */
};

/* How far a connection has been read. Lies in the module's state, zeroed at the beginning; the
 * functions below keep it. */
struct xs_frames {
    bool named;   /* the name of the greeting was taken */
    bool greeted; /* all of the greeting was taken: frames follow */
    bool told;    /* of bytes outside of frames */
    size_t seen;  /* bytes at the front of the input that hold no end */
    size_t stray; /* bytes outside of frames since the last one */
};

/* ---- the greeting ----
 *
 * The name, perhaps a query `?a=b&c=d`, then LF or CR LF. Many devices send no end: with
 * XS_FRAMING_LINE a zero byte is one too, with XS_FRAMING_XFRAME the zero byte that begins the
 * first frame; and whoever falls silent after the name or within the query is welcomed, while
 * what comes later, up to an end, still belongs to the greeting. So the outcome does not depend
 * on how the bytes came. With XS_FRAMING_LENGTH, where any byte may begin a frame, only a line
 * end will do. */

/* For match(): NO, MORE, QUIET or YES. A persistent id of 36 characters as the only parameter
 * is complete: YES without the end. [any] */
XS_API enum xs_match xs_greeting_match(const struct xs_format *format, struct xs_slice head);

/* For open(), and for decode() as long as `greeted` is false: takes what there is of the
 * greeting. XS_OK: all of it, and *query is its query without the '?', pointing into what was
 * taken. XS_EAGAIN: its end has not come yet; a client that match() has recognised is welcomed
 * all the same. XS_EPROTO: what stands behind the name is neither a query nor an end.
 * XS_ETOOBIG: the query is over 4 KiB. [any] */
XS_API XS_MUST_CHECK enum xs_err xs_greeting_take(const struct xs_format *format,
                                                  struct xs_frames *frames, struct xs_input *in,
                                                  struct xs_slice *query);

/* ---- frames ---- */

/* Takes the next whole frame; *payload points into what was taken. No byte is looked at twice,
 * however the frame comes. XS_EAGAIN: more bytes are needed. XS_ETOOBIG: the payload is over
 * `longest` bytes, or as many came outside of frames; the connection cannot go on. XS_EPROTO
 * (XS_FRAMING_XFRAME): bytes came that are of no frame and no line end; they were taken, are
 * told once until the next frame begins, and the connection may go on. [any] */
XS_API XS_MUST_CHECK enum xs_err xs_frame_take(const struct xs_format *format,
                                               struct xs_frames *frames, size_t longest,
                                               struct xs_input *in, struct xs_slice *payload);

/* For encode(): what stands before a payload, and behind it. The payload is appended between
 * the two; `begun` is what xs_frame_begin() gave. The end of a line makes blanks of line ends
 * in the payload (JSON has them only between values, where both mean the same). XS_EREFUSED:
 * the payload holds 0x00 or 0xFF, or is over 65,535 bytes, and this framing cannot say that; it
 * has been removed again. [any] */
XS_API size_t xs_frame_begin(const struct xs_format *format, struct xs_buf *out);
XS_API XS_MUST_CHECK enum xs_err xs_frame_end(const struct xs_format *format,
                                              struct xs_buf *out, size_t begun);

/* ---- controller|topic|data ---- */

/* The longest payload that can hold a message within the limits. [any] */
XS_API size_t xs_parts_longest(const struct xs_limits *limits);

/* Makes a message of a payload, which is cut at its first two bars: data may hold further ones,
 * and without a second bar it is empty. Data that is strictly valid JSON is JSON, any other is
 * text. The words `subscribe` and `unsubscribe` become the topics 5 and 6, their data being a
 * topic as it stands; `s1` takes `key,value`, `s2` and `s3` take `key`, as
 * {"K":key,"V":value or null}. The message borrows from the payload, of s1 to s3 the data from
 * memory of this thread; both are good until the next payload is read. On an error *why is a
 * sentence for the client, static, or NULL where nothing is to be said. XS_EINVAL: this is no
 * message, the next payload may be one. XS_EUTF8, XS_ENOMEM. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_parts_read(const struct xs_format *format,
                                               struct xs_slice payload,
                                               struct xs_incoming *incoming, const char **why);

/* For encode(): appends a whole frame with a message; `data` is its XS_VIEW_JSON. Opened and
 * closed (topics 2 and 3) say `PI:guid,CI:guid`, as the devices of these protocols expect it.
 * XS_EREFUSED, and nothing is appended: the message carries a blob; its controller or topic
 * holds a bar, a control character or 0xFF, which would read as something else; or it is what
 * xs_frame_end() refuses. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_parts_write(const struct xs_format *format,
                                                const struct xs_message *msg,
                                                struct xs_slice data, struct xs_buf *out);

/* ---- the same with a connection ---- */

/* For open(), and for decode() as long as `greeted` is false: the query of the greeting becomes
 * parameters of the connection. XS_OK also when its end is still to come. [worker] */
static inline enum xs_err xs_conn_greeting(const struct xs_format *format,
                                           struct xs_frames *frames, struct xs_conn *conn,
                                           struct xs_input *in)
{
    struct xs_slice query;
    enum xs_err err = xs_greeting_take(format, frames, in, &query);

    if (err == XS_OK)
        return xs_conn_set_query(conn, query);
    if (err == XS_EPROTO)
        xs_conn_error(conn, "the greeting was not followed by its end");
    return err == XS_EAGAIN ? XS_OK : err;
}

/* Delivers the message that a payload is; one that is none is told, and XS_OK. An empty payload
 * is counted. [worker] */
static inline enum xs_err xs_conn_parts(const struct xs_format *format, struct xs_conn *conn,
                                        struct xs_slice payload)
{
    struct xs_incoming incoming;
    const char *why = NULL;
    enum xs_err err = XS_EINVAL;

    if (payload.len > 0)
        err = xs_parts_read(format, payload, &incoming, &why);
    if (err == XS_OK)
        return xs_conn_deliver(conn, &incoming);
    if (why != NULL)
        xs_conn_error(conn, why);
    else
        xs_conn_count_frame(conn);
    return err == XS_EINVAL ? XS_OK : err;
}

/* All of decode(), where each frame is a message in three parts. [worker] */
static inline enum xs_err xs_conn_frames(const struct xs_format *format,
                                         struct xs_frames *frames, struct xs_conn *conn,
                                         struct xs_input *in)
{
    size_t longest = xs_parts_longest(xs_conn_limits(conn));
    enum xs_err err = XS_OK;
    struct xs_slice payload;

    if (!frames->greeted)
        err = xs_conn_greeting(format, frames, conn, in);
    while (err == XS_OK && frames->greeted && !xs_conn_busy(conn)) {
        err = xs_frame_take(format, frames, longest, in, &payload);
        if (err == XS_OK) {
            err = xs_conn_parts(format, conn, payload);
        } else if (err == XS_EPROTO) {
            xs_conn_error(conn, "a message begins with 0x00 and ends with 0xFF");
            err = XS_OK;
        } else if (err == XS_ETOOBIG) {
            xs_conn_error(conn, "the message is too long");
        }
    }
    return err == XS_EAGAIN || err == XS_EGONE ? XS_OK : err;
}

#ifdef __cplusplus
}
#endif

#endif
