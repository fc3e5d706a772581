/* versions - a subprotocol with variants: "2" chooses the second, and asks for bits that are
 * the protocol's; anything else is said in the chat. Every payload begins with its variant. */
#include <xsockets/subprotocol.h>

static enum xs_err versions_open(void *self, struct xs_conn *conn)
{
    (void)self;
    xs_conn_set_variant(conn, 1);
    return xs_conn_open_controller(conn, XS_SLICE("chat"));
}

static enum xs_err versions_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                                   bool binary)
{
    struct xs_incoming incoming = { .size = sizeof incoming };
    enum xs_err err;

    (void)self;
    (void)binary;
    if (len == 1 && at[0] == '2') {
        xs_conn_set_variant(conn, 2 | XS_VARIANT_OF_PROTOCOL);
        return XS_OK;
    }
    incoming.controller = XS_SLICE("chat");
    incoming.topic = XS_SLICE("say");
    incoming.data = xs_data_of((struct xs_slice){ at, len });
    err = xs_conn_deliver(conn, &incoming);
    return err == XS_EGONE ? XS_OK : err;
}

static enum xs_err versions_encode(uint32_t variant, const struct xs_message *msg,
                                   struct xs_slice data, struct xs_buf *out, bool *binary)
{
    (void)msg;
    (void)binary;
    xs_buf_append_byte(out, variant < 10 ? (char)('0' + variant) : '?');
    xs_buf_append_byte(out, ' ');
    xs_buf_append(out, data);
    return XS_OK;
}

static const struct xs_subprotocol_ops versions_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "versions",
    .token = "Versions",
    .view = XS_VIEW_JSON,
    .decode = versions_decode,
    .encode = versions_encode,
    .open = versions_open,
};

XS_PLUGIN(.name = "versions", .version = "1.0.0", .subprotocols = { &versions_ops })
