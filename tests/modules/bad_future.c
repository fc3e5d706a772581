/* bad_future - calls what this daemon does not export yet. */
#include <xsockets/controller.h>

XS_API void xs_from_the_future(struct xs_client *client);

static enum xs_err future_opened(void *self, struct xs_client *client)
{
    (void)self;
    xs_from_the_future(client);
    return XS_OK;
}

static const struct xs_controller_ops future_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "future",
    .opened = future_opened,
};

XS_PLUGIN(.name = "bad_future", .version = "9.0.0", .controllers = { &future_ops })
