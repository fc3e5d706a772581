/* trial_protocol - a line is a message to the controller of the settings, and "TRIAL\n" comes
 * first. It proves that protocol.h is enough to write one, and has a setting of every type. */
#include <xsockets/protocol.h>

static const char *const trial_beginnings[] = { "TRIAL\n", NULL };

static const struct xs_setting trial_settings[] = {
    { "motto", "string", "per aspera", "What it says of itself." },
    { "loud", "bool", "no", "Whether it shouts." },
    { "rank", "int", "-3", "Where it stands." },
    { "room", "size", "4KiB", "How much it holds." },
    { "patience", "time", "250ms", "How long it waits." },
    { "controller", "name", "", "Whom it talks to." },
    { "topic", "topic", "line", "What about." },
    { "shelf", "folder", "", "Where its files lie." },
};

static enum xs_match trial_match(struct xs_slice head)
{
    static const struct xs_slice greeting = { "TRIAL\n", 6 };
    size_t n = head.len < greeting.len ? head.len : greeting.len;

    if (memcmp(head.at, greeting.at, n) != 0)
        return XS_MATCH_NO;
    return n == greeting.len ? XS_MATCH_YES : XS_MATCH_MORE;
}

static enum xs_err trial_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    in->at += 6;
    in->len -= 6;
    xs_conn_ready(conn);
    return XS_OK;
}

static enum xs_err trial_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    const struct xs_settings *settings = xs_conn_protocol_settings(conn);
    char *end;

    (void)self;
    while (in->len > 0 && (end = memchr(in->at, '\n', in->len)) != NULL) {
        struct xs_slice line = { in->at, (size_t)(end - in->at) };
        struct xs_incoming incoming = { .size = sizeof incoming };
        enum xs_err err;

        incoming.controller = xs_slice_of(xs_setting_text(settings, "controller"));
        incoming.topic = xs_slice_of(xs_setting_text(settings, "topic"));
        incoming.data = xs_data_of(line);
        in->at += line.len + 1;
        in->len -= line.len + 1;
        err = xs_conn_deliver(conn, &incoming);
        if (err == XS_EGONE)
            return XS_OK;
        if (err != XS_OK)
            return err;
    }
    return XS_OK;
}

static enum xs_err trial_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    (void)msg;
    if (data.len > 0 && memchr(data.at, '\n', data.len) != NULL)
        return XS_EREFUSED;
    xs_buf_append(out, data);
    xs_buf_append_byte(out, '\n');
    return XS_OK;
}

static const struct xs_protocol_ops trial_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "trial",
    .settings = XS_TABLE(trial_settings),
    .beginnings = trial_beginnings,
    .match = trial_match,
    .open = trial_open,
    .decode = trial_decode,
    .encode = trial_encode,
};

XS_PLUGIN(.name = "trial_protocol", .version = "1.2.3", .protocols = { &trial_ops })
