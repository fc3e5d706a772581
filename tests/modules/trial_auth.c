/* trial_auth - lets in who brings the parameter `pass`. Proves auth.h. */
#include <xsockets/auth.h>

static enum xs_err trial_open(void *state, const struct xs_settings *settings)
{
    (void)state;
    (void)settings;
    return XS_OK;
}

static void trial_close(void *state)
{
    (void)state;
}

static void trial_authenticate(void *state, struct xs_auth_request *request)
{
    (void)state;
    if (xs_auth_parameter(request, "pass").len > 0)
        xs_auth_allow(request, "somebody", "user");
    else
        xs_auth_deny(request, "no pass");
}

static const struct xs_auth_ops trial_ops = {
    .size = sizeof(struct xs_auth_ops),
    .name = "trial",
    .open = trial_open,
    .close = trial_close,
    .authenticate = trial_authenticate,
};

XS_PLUGIN(.name = "trial_auth", .version = "1.0.0", .auths = { &trial_ops })
