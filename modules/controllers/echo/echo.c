/* echo - gives back what it is told, to the caller alone, under the same topic. */
#include <xsockets/controller.h>

static enum xs_err echo_on_message(void *self, struct xs_client *client,
                                   const struct xs_message *msg)
{
    const char *topic = xs_message_topic(msg).at;
    bool has_blob;
    struct xs_slice blob = xs_message_blob(msg, &has_blob);

    (void)self;
    if (has_blob)
        return xs_reply_blob(client, topic, xs_message_data(msg), blob);
    return xs_reply(client, topic, xs_message_data(msg));
}

static const struct xs_controller_ops echo_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "echo",
    .on_message = echo_on_message,
};

XS_PLUGIN(.name = "echo", .version = "1.0.0", .controllers = { &echo_ops })
