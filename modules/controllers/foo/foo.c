/* foo - the controller `demo`, which shows how a method gets its parameters.
 *
 *   Foo(string s, int i)   called with {"s":"bar","i":42} or, leniently, {s:'bar',i:42};
 *                          everybody gets foo with {"stringValue":"bar","intValue":42}
 *   anything else          goes to everybody as it came */
#include <stdio.h>

#include <xsockets/controller.h>

struct foo_arguments {
    char s[256];
    int32_t i;
};

static const struct xs_property foo_rows[] = {
    XS_STRING(struct foo_arguments, s, 0),
    XS_INT(struct foo_arguments, i, 0),
};

static enum xs_err on_foo(void *self, struct xs_client *client, const struct xs_message *msg)
{
    static const struct xs_table rows = XS_TABLE(foo_rows);
    struct foo_arguments arguments = { "", 0 };
    /* Room for a string of which every byte becomes an escape of six (RFC 8259 section 7). */
    char memory[6 * sizeof arguments.s + 64], number[16];
    struct xs_buf json = { memory, 0, sizeof memory, sizeof memory, false };
    enum xs_err err;

    (void)self;
    err = xs_bind(msg, rows, &arguments);
    if (err != XS_OK)
        return err;
    snprintf(number, sizeof number, "%d", (int)arguments.i);
    xs_buf_append(&json, XS_SLICE("{\"stringValue\":\""));
    xs_buf_append_escaped(&json, xs_slice_of(arguments.s));
    xs_buf_append(&json, XS_SLICE("\",\"intValue\":"));
    xs_buf_append(&json, xs_slice_of(number));
    xs_buf_append_byte(&json, '}');
    return xs_invoke_all(client, "foo", xs_json_slice((struct xs_slice){ json.at, json.len }));
}

static enum xs_err foo_on_message(void *self, struct xs_client *client,
                                  const struct xs_message *msg)
{
    (void)self;
    return xs_forward(client, msg, false);
}

static const struct xs_action foo_actions[] = { { "foo", on_foo } };

static const struct xs_controller_ops foo_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "demo",
    .actions = XS_TABLE(foo_actions),
    .on_message = foo_on_message,
};

XS_PLUGIN(.name = "foo", .version = "1.0.0", .controllers = { &foo_ops })
