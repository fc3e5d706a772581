/* trial_transport - bytes as they come. Proves transport.h. */
#include <xsockets/transport.h>

static enum xs_err trial_open(void *self, struct xs_wire *wire)
{
    (void)self;
    xs_wire_ready(wire);
    return XS_OK;
}

static enum xs_err trial_received(void *self, struct xs_wire *wire, char *at, size_t len)
{
    (void)self;
    (void)xs_wire_deliver(wire, at, len);
    return XS_OK;
}

static enum xs_err trial_send(void *self, struct xs_wire *wire, const struct xs_slice *parts,
                              size_t count, size_t *taken)
{
    (void)self;
    return xs_wire_write(wire, parts, count, taken);
}

static const struct xs_transport_ops trial_ops = {
    .size = sizeof(struct xs_transport_ops),
    .name = "trial",
    .open = trial_open,
    .received = trial_received,
    .send = trial_send,
};

XS_PLUGIN(.name = "trial_transport", .version = "1.0.0", .transports = { &trial_ops })
