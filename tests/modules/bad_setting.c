/* bad_setting - a setting whose default is not of its type. */
#include <xsockets/controller.h>

static const struct xs_setting settings[] = {
    { "pace", "time", "often", "How fast." },
};

static const struct xs_controller_ops ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "setting",
    .settings = XS_TABLE(settings),
};

XS_PLUGIN(.name = "bad_setting", .version = "1.0.0", .controllers = { &ops })
