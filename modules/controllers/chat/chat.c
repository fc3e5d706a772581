/* chat - rooms. What is said under `say` is heard by everybody in the speaker's room,
 * subscribed or not, whatever protocol each of them speaks; any other topic goes to its
 * subscribers.
 *
 * A client chooses its room with set_room and its name with set_username; both may be read with
 * get_room and get_username. Who has chosen none shares the room without a name. */
#include <xsockets/controller.h>

struct chatter {
    char username[32];
    char room[32];
};

static enum xs_err on_say(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct chatter *me = self;
    const struct xs_where same_room = XS_WHERE_EQ("room", me->room);
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = XS_SLICE("say");
    what.data = xs_message_data(msg);
    what.blob = xs_message_blob(msg, &what.has_blob);
    what.qos = xs_message_qos(msg);
    what.where = &same_room;
    what.where_count = 1;
    return xs_send(client, &what);
}

static enum xs_err chat_on_message(void *self, struct xs_client *client,
                                   const struct xs_message *msg)
{
    (void)self;
    return xs_forward(client, msg, true);
}

static const struct xs_property chat_properties[] = {
    XS_STRING(struct chatter, username, XS_CLIENT_MAY_SET | XS_CLIENT_MAY_GET | XS_PERSISTENT),
    XS_STRING(struct chatter, room, XS_CLIENT_MAY_SET | XS_CLIENT_MAY_GET),
};

static const struct xs_action chat_actions[] = { { "say", on_say } };

static const struct xs_controller_ops chat_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "chat",
    .state_size = sizeof(struct chatter),
    .properties = XS_TABLE(chat_properties),
    .actions = XS_TABLE(chat_actions),
    .on_message = chat_on_message,
};

XS_PLUGIN(.name = "chat", .version = "1.0.0", .controllers = { &chat_ops })
