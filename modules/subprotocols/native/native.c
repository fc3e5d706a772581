/* native - WebSocket without a subprotocol: every payload goes to one controller and topic of
 * the ini file, and only the data comes out.
 *
 * A text frame is data, a binary frame is a blob. What the server says about itself (opened,
 * closed, acknowledged) has no place in such a format; of errors the sentence comes out. */
#include <xsockets/subprotocol.h>

static const struct xs_setting native_settings[] = {
    { "controller", "name", "", "The controller that gets what native clients send." },
    { "topic", "topic", "", "The topic under which it gets it." },
    { "subscribe", "topic", "",
      "A topic of that controller to which every native client is subscribed." },
};

/* Where the messages of a connection go; looked up once. */
struct native {
    struct xs_slice controller, topic;
};

static struct xs_slice setting(const struct xs_conn *conn, const char *key)
{
    return xs_slice_of(xs_setting_text(xs_conn_subprotocol_settings(conn), key));
}

static enum xs_err native_open(void *self, struct xs_conn *conn)
{
    struct native *me = self;
    struct xs_slice subscribe = setting(conn, "subscribe");
    enum xs_err err;

    me->controller = setting(conn, "controller");
    me->topic = setting(conn, "topic");
    if (me->controller.len == 0)
        return XS_OK;
    err = xs_conn_open_controller(conn, me->controller);
    if (err == XS_OK && subscribe.len > 0)
        err = xs_conn_subscribe(conn, me->controller, subscribe);
    if (err != XS_OK)
        xs_conn_close(conn, XS_CLOSE_REFUSED,
                      "the controller for native clients cannot be opened");
    return XS_OK;
}

static enum xs_err native_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                                 bool binary)
{
    const struct native *me = self;
    struct xs_slice payload = { at, len };
    struct xs_incoming incoming;
    enum xs_err err;

    memset(&incoming, 0, sizeof incoming);
    incoming.size = sizeof incoming;
    incoming.controller = me->controller;
    incoming.topic = me->topic;
    if (binary)
        incoming.data = xs_null();
    else
        incoming.data = len > 0 ? xs_data_of(payload) : xs_text("");
    incoming.has_blob = binary;
    if (binary)
        incoming.blob = payload;
    if (incoming.controller.len == 0 || incoming.topic.len == 0) {
        xs_conn_close(conn, XS_CLOSE_REFUSED,
                      "clients without a subprotocol may only listen here");
        return XS_OK;
    }
    err = xs_conn_deliver(conn, &incoming);
    return err == XS_EGONE ? XS_OK : err;
}

/* Whether the topic is the server's own talk: 1 to 14 but for 4, or the confirmation of a
 * subscription. 0 (authentication failed) and 4 (error) tell something even without a name. */
static bool is_protocol_talk(struct xs_slice topic)
{
    const char *at = topic.at;

    if (topic.len == 1)
        return at[0] >= '1' && at[0] <= '9' && at[0] != '4';
    if (topic.len == 2 && at[0] == '1')
        return at[1] >= '0' && at[1] <= '4';
    return topic.len >= 2 && at[0] == '_' && at[1] == '_';
}

static enum xs_err native_encode(uint32_t variant, const struct xs_message *msg,
                                 struct xs_slice data, struct xs_buf *out, bool *binary)
{
    struct xs_slice blob = xs_message_blob(msg, binary);

    (void)variant;
    if (!is_protocol_talk(xs_message_topic(msg)))
        xs_buf_append(out, *binary ? blob : data);
    return XS_OK;
}

static const struct xs_subprotocol_ops native_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "native",
    .token = "",
    .state_size = sizeof(struct native),
    .settings = XS_TABLE(native_settings),
    .view = XS_VIEW_RAW,
    .open = native_open,
    .decode = native_decode,
    .encode = native_encode,
};

XS_PLUGIN(.name = "native", .version = "1.0.0", .subprotocols = { &native_ops })
