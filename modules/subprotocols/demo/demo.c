/* demo - a payload format of one's own inside WebSocket: {"M":method,"J":parameters}.
 *
 * A client names a method and its parameters, J being a string that holds JSON; the controller
 * is always the same one, from the ini file. Every message comes back in the same shape. */
#include <xsockets/subprotocol.h>

static const struct xs_setting demo_settings[] = {
    { "controller", "name", "demo", "The controller whose methods demo clients call." },
};

static struct xs_slice controller_of(const struct xs_conn *conn)
{
    return xs_slice_of(xs_setting_text(xs_conn_subprotocol_settings(conn), "controller"));
}

/* Opened at the handshake, so that a client that only listens hears. */
static enum xs_err demo_open(void *self, struct xs_conn *conn)
{
    (void)self;
    if (xs_conn_open_controller(conn, controller_of(conn)) != XS_OK)
        xs_conn_close(conn, XS_CLOSE_REFUSED,
                      "the controller for demo clients cannot be opened");
    return XS_OK;
}

static enum xs_err demo_decode(void *self, struct xs_conn *conn, char *at, size_t len,
                               bool binary)
{
    struct xs_slice payload = { at, len };
    struct xs_data method, parameters;
    struct xs_incoming incoming;
    enum xs_err err;

    (void)self;
    if (binary || xs_json_member(payload, "M", &method) != XS_OK || method.form != XS_TEXT ||
        xs_json_member(payload, "J", &parameters) != XS_OK) {
        xs_conn_error(conn, "a message is {\"M\":\"method\",\"J\":\"parameters\"}");
        return XS_EINVAL;
    }
    memset(&incoming, 0, sizeof incoming);
    incoming.size = sizeof incoming;
    incoming.controller = controller_of(conn);
    incoming.topic = method.bytes;
    /* A string holds JSON; if what it holds is only nearly JSON it travels as text, and whoever
     * binds it to parameters reads it with the same tolerance. */
    incoming.data = parameters.form == XS_TEXT ? xs_data_of(parameters.bytes) : parameters;
    err = xs_conn_deliver(conn, &incoming);
    return err == XS_EGONE ? XS_OK : err;
}

/* `data` is the view that demo_ops asks for: it may stand between the quotes as it is. */
static enum xs_err demo_encode(uint32_t variant, const struct xs_message *msg,
                               struct xs_slice data, struct xs_buf *out, bool *binary)
{
    bool has_blob;

    (void)variant;
    (void)binary;
    (void)xs_message_blob(msg, &has_blob);
    if (has_blob)
        return XS_EREFUSED;
    xs_buf_append(out, XS_SLICE("{\"M\":\""));
    xs_buf_append_escaped(out, xs_message_topic(msg));
    xs_buf_append(out, XS_SLICE("\",\"J\":\""));
    xs_buf_append(out, data);
    xs_buf_append(out, XS_SLICE("\"}"));
    return XS_OK;
}

static const struct xs_subprotocol_ops demo_ops = {
    .size = sizeof(struct xs_subprotocol_ops),
    .name = "demo",
    .token = "DemoProtocol",
    .settings = XS_TABLE(demo_settings),
    .view = XS_VIEW_ESCAPED,
    .open = demo_open,
    .decode = demo_decode,
    .encode = demo_encode,
};

XS_PLUGIN(.name = "demo", .version = "1.0.0", .subprotocols = { &demo_ops })
