/* mcu - McuProtocol: microcontrollers, such as an Arduino.
 *
 *   C: McuProtocol                         the greeting, with a line end or without
 *   S: 00 McuProtocol FF
 *   C: 00 controller|topic|data FF         from then on a frame is a message, both ways
 *
 * The device reads its greeting up to the first 0xFF, and once a frame has begun it waits for
 * the rest of it: the greeting is one write, and no write ends within a frame. The device opens
 * no controller; its first message to one does. */
#include <xsockets/framing.h>

static const struct xs_format mcu = { .greeting = "McuProtocol", .framing = XS_FRAMING_XFRAME };

static enum xs_match mcu_match(struct xs_slice head)
{
    return xs_greeting_match(&mcu, head);
}

static enum xs_err mcu_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    enum xs_err err = xs_conn_greeting(&mcu, self, conn, in);

    if (err != XS_OK)
        return err;
    xs_conn_write(conn, XS_SLICE("\0McuProtocol\xff"));
    xs_conn_ready(conn);
    return XS_OK;
}

static enum xs_err mcu_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    return xs_conn_frames(&mcu, self, conn, in);
}

static enum xs_err mcu_encode(const struct xs_encoder *by, const struct xs_message *msg,
                              struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    return xs_parts_write(&mcu, msg, data, out);
}

static const char *const mcu_beginnings[] = { "McuProtocol", NULL };

static const struct xs_protocol_ops mcu_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "mcu",
    .state_size = sizeof(struct xs_frames),
    .beginnings = mcu_beginnings,
    .view = XS_VIEW_JSON,
    .match = mcu_match,
    .open = mcu_open,
    .decode = mcu_decode,
    .encode = mcu_encode,
};

XS_PLUGIN(.name = "mcu", .version = "1.0.0", .protocols = { &mcu_ops })
