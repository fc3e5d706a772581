/* trial_subprotocol - a text frame is a message to the controller "trial". Proves
 * subprotocol.h. */
#include <xsockets/subprotocol.h>

static enum xs_err trial_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                                bool binary)
{
    struct xs_incoming incoming = { .size = sizeof incoming };

    (void)self;
    if (binary)
        return XS_EINVAL;
    incoming.controller = XS_SLICE("trial");
    incoming.topic = XS_SLICE("said");
    incoming.data = xs_data_of((struct xs_slice){ at, len });
    return xs_conn_deliver(conn, &incoming);
}

static enum xs_err trial_encode(uint32_t variant, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out, bool *binary)
{
    (void)variant;
    (void)msg;
    (void)binary;
    xs_buf_append(out, data);
    return XS_OK;
}

static const struct xs_setting trial_settings[] = {
    { "topic", "topic", "said", "What is said." },
};

static const struct xs_subprotocol_ops trial_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "trialsub",
    .token = "TrialProtocol",
    .settings = XS_TABLE(trial_settings),
    .decode = trial_decode,
    .encode = trial_encode,
};

XS_PLUGIN(.name = "trial_subprotocol", .version = "1.0.0", .subprotocols = { &trial_ops })
