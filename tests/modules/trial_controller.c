/* trial_controller - counts what a client says, and tells it. Proves controller.h. */
#include <stdio.h>

#include <xsockets/controller.h>

struct trial {
    uint32_t count;
    char nick[16];
};

static enum xs_err on_say(void *self, struct xs_client *client, const struct xs_message *msg)
{
    struct trial *me = self;
    char text[16];

    (void)msg;
    snprintf(text, sizeof text, "%u", (unsigned)++me->count);
    return xs_reply(client, "count", xs_json(text));
}

static const struct xs_property trial_properties[] = {
    XS_UINT(struct trial, count, XS_CLIENT_MAY_GET),
    XS_STRING(struct trial, nick, XS_CLIENT_MAY_SET | XS_CLIENT_MAY_GET),
};

static const struct xs_action trial_actions[] = {
    { "say", on_say },
    { "shout", on_say },
};

static const struct xs_controller_ops trial_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "Trial",
    .state_size = sizeof(struct trial),
    .properties = XS_TABLE(trial_properties),
    .actions = XS_TABLE(trial_actions),
};

XS_PLUGIN(.name = "trial_controller", .version = "1.0.0", .controllers = { &trial_ops })
