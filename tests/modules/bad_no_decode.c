/* bad_no_decode - a protocol that could never take a message. */
#include <xsockets/protocol.h>

static enum xs_match deaf_match(struct xs_slice head)
{
    return head.len > 0 ? XS_MATCH_YES : XS_MATCH_MORE;
}

static enum xs_err deaf_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    (void)conn;
    (void)in;
    return XS_OK;
}

static const struct xs_protocol_ops deaf_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "deaf",
    .match = deaf_match,
    .open = deaf_open,
};

XS_PLUGIN(.name = "bad_no_decode", .version = "1.0.0", .protocols = { &deaf_ops })
