/* tcp - the transport that changes nothing: what the socket gives goes up, what comes down goes
 * to the socket. */
#include <xsockets/transport.h>

static enum xs_err tcp_open(void *self, struct xs_wire *wire)
{
    (void)self;
    xs_wire_ready(wire);
    return XS_OK;
}

static enum xs_err tcp_received(void *self, struct xs_wire *wire, char *at, size_t len)
{
    (void)self;
    /* Whether the connection is still there matters only to a transport that has more to
     * deliver. */
    (void)xs_wire_deliver(wire, at, len);
    return XS_OK;
}

static enum xs_err tcp_send(void *self, struct xs_wire *wire, const struct xs_slice *parts,
                            size_t count, size_t *taken)
{
    (void)self;
    return xs_wire_write(wire, parts, count, taken);
}

static const struct xs_transport_ops tcp_ops = {
    .size = sizeof(struct xs_transport_ops),
    .name = "tcp",
    .open = tcp_open,
    .received = tcp_received,
    .send = tcp_send,
};

XS_PLUGIN(.name = "tcp", .version = "1.0.0", .transports = { &tcp_ops })
