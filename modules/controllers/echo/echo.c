/* echo - gives back what it is told, to the caller alone, under the same topic. */
#include <xsockets/controller.h>

static enum xs_err echo_on_message(void *self, struct xs_client *client,
                                   const struct xs_message *msg)
{
    struct xs_slice topic = xs_message_topic(msg);
    bool has_blob;
    struct xs_slice blob = xs_message_blob(msg, &has_blob);
    char name[1024];

    (void)self;
    if (topic.len >= sizeof name)
        return XS_ETOOBIG;
    memcpy(name, topic.at, topic.len);
    name[topic.len] = '\0';
    if (has_blob)
        return xs_reply_blob(client, name, xs_message_data(msg), blob);
    return xs_reply(client, name, xs_message_data(msg));
}

static const struct xs_controller_ops echo_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "echo",
    .on_message = echo_on_message,
};

XS_PLUGIN(.name = "echo", .version = "1.0.0", .controllers = { &echo_ops })
