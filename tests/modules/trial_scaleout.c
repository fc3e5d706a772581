/* trial_scaleout - a node that is alone: what it publishes comes back. Proves scaleout.h. */
#include <xsockets/scaleout.h>

struct trial {
    struct xs_scaleout *host;
};

static enum xs_err trial_open(void *state, struct xs_scaleout *host, uint16_t node,
                              const struct xs_settings *settings)
{
    struct trial *me = state;

    (void)node;
    (void)settings;
    me->host = host;
    return XS_OK;
}

static void trial_close(void *state)
{
    (void)state;
}

static enum xs_err trial_publish(void *state, struct xs_slice subject, struct xs_slice bytes)
{
    struct trial *me = state;

    xs_scaleout_deliver(me->host, subject, bytes);
    return XS_OK;
}

static enum xs_err trial_interested(void *state, struct xs_slice subject, bool is)
{
    (void)state;
    (void)subject;
    (void)is;
    return XS_OK;
}

static const struct xs_scaleout_ops trial_ops = {
    .size = sizeof(struct xs_scaleout_ops),
    .name = "trial",
    .state_size = sizeof(struct trial),
    .open = trial_open,
    .close = trial_close,
    .publish = trial_publish,
    .interested = trial_interested,
};

XS_PLUGIN(.name = "trial_scaleout", .version = "1.0.0", .scaleouts = { &trial_ops })
