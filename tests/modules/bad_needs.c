/* bad_needs - was not linked with the library that it calls. */
#include <xsockets/controller.h>

extern int of_another_library(void);

static enum xs_err needs_opened(void *self, struct xs_client *client)
{
    (void)self;
    (void)client;
    return of_another_library() != 0 ? XS_OK : XS_EREFUSED;
}

static const struct xs_controller_ops needs_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "needs",
    .opened = needs_opened,
};

XS_PLUGIN(.name = "bad_needs", .version = "1.0.0", .controllers = { &needs_ops })
