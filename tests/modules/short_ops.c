/* short_ops - built when struct xs_controller_ops ended before `opened`, and struct xs_plugin
 * with the controllers. What lies behind must not be read. */
#include <xsockets/controller.h>

static enum xs_err never(void *self, struct xs_client *client)
{
    (void)self;
    (void)client;
    return XS_EINTERNAL;
}

static const struct xs_controller_ops short_controller = {
    .size = offsetof(struct xs_controller_ops, opened),
    .name = "short",
    .sharing = XS_SHARED,
    .state_size = 8,
    .opened = never, /* stands where a shorter struct had ended */
};

XS_API const struct xs_plugin *xs_plugin_entry(void);
XS_API const struct xs_plugin *xs_plugin_entry(void)
{
    static const struct xs_plugin plugin = {
        .size = offsetof(struct xs_plugin, transports),
        .abi_major = XS_ABI_MAJOR,
        .abi_minor = XS_ABI_MINOR,
        .name = "short_ops",
        .version = "0.9.0",
        .controllers = { &short_controller },
        .transports = { (const void *)"no ops at all" },
    };

    return &plugin;
}
