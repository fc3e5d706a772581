/* rival - claims what trial_protocol claims, and takes the tokens of trial_subprotocol. Its
 * controller is called as trial_controller's. */
#include <xsockets/controller.h>
#include <xsockets/subprotocol.h>

static enum xs_match rival_match(struct xs_slice head)
{
    if (head.len > 0 && head.at[0] != 'T')
        return XS_MATCH_NO;
    return head.len >= 5 ? XS_MATCH_QUIET : XS_MATCH_MORE;
}

static enum xs_err rival_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    (void)in;
    xs_conn_ready(conn);
    return XS_OK;
}

static enum xs_err rival_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    (void)conn;
    in->len = 0;
    return XS_OK;
}

static enum xs_err rival_encode(const struct xs_encoder *by, const struct xs_message *msg,
                                struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    (void)msg;
    xs_buf_append(out, data);
    return XS_OK;
}

static enum xs_err sub_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                              bool binary)
{
    (void)self;
    (void)conn;
    (void)at;
    (void)len;
    (void)binary;
    return XS_EINVAL;
}

static enum xs_err sub_encode(uint32_t variant, const struct xs_message *msg,
                              struct xs_slice data, struct xs_buf *out, bool *binary)
{
    (void)variant;
    (void)msg;
    (void)binary;
    xs_buf_append(out, data);
    return XS_OK;
}

static const struct xs_protocol_ops rival_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "rival",
    .match = rival_match,
    .open = rival_open,
    .decode = rival_decode,
    .encode = rival_encode,
};
static const struct xs_subprotocol_ops rivalsub_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "rivalsub",
    .token = "TrialProtocol",
    .decode = sub_decode,
    .encode = sub_encode,
};
static const struct xs_controller_ops trial_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "trial",
};

XS_PLUGIN(.name = "rival", .version = "1.0.0", .protocols = { &rival_ops },
          .subprotocols = { &rivalsub_ops }, .controllers = { &trial_ops })
