/* generic - whatever is said to it goes to everybody who has it open, the sender included. */
#include <xsockets/controller.h>

static enum xs_err generic_on_message(void *self, struct xs_client *client,
                                      const struct xs_message *msg)
{
    (void)self;
    return xs_forward(client, msg, false);
}

static const struct xs_controller_ops generic_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "generic",
    .on_message = generic_on_message,
};

XS_PLUGIN(.name = "generic", .version = "1.0.0", .controllers = { &generic_ops })
