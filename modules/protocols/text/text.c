/* text - PuttyProtocol: lines for people with a terminal and devices with a socket.
 *
 *   C: PuttyProtocol?name=value            the greeting; the query is optional
 *   S: Welcome to PuttyProtocol
 *   C: controller|topic|data               from then on a line is a message, both ways
 *
 * Only data may hold a '|'. */
#include <xsockets/framing.h>

static const struct xs_format text = { .greeting = "PuttyProtocol",
                                       .framing = XS_FRAMING_LINE };

static enum xs_match text_match(struct xs_slice head)
{
    return xs_greeting_match(&text, head);
}

static enum xs_err text_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    enum xs_err err = xs_conn_greeting(&text, self, conn, in);

    if (err != XS_OK)
        return err;
    xs_conn_write(conn, XS_SLICE("Welcome to PuttyProtocol\r\n"));
    xs_conn_ready(conn);
    return XS_OK;
}

static enum xs_err text_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    return xs_conn_frames(&text, self, conn, in);
}

static enum xs_err text_encode(const struct xs_encoder *by, const struct xs_message *msg,
                               struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    return xs_parts_write(&text, msg, data, out);
}

static const char *const text_beginnings[] = { "PuttyProtocol", NULL };

static const struct xs_protocol_ops text_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "text",
    .state_size = sizeof(struct xs_frames),
    .beginnings = text_beginnings,
    .view = XS_VIEW_JSON,
    .match = text_match,
    .open = text_open,
    .decode = text_decode,
    .encode = text_encode,
};

XS_PLUGIN(.name = "text", .version = "1.0.0", .protocols = { &text_ops })
