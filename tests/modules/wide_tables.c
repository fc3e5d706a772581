/* wide_tables - built when settings, properties and actions had grown by a member. */
#include <xsockets/controller.h>

struct wide_setting {
    struct xs_setting known;
    const char *more;
};
struct wide_property {
    struct xs_property known;
    uint64_t more[2];
};
struct wide_action {
    struct xs_action known;
    uint64_t more;
};
struct wide {
    bool first, second;
};

static enum xs_err on_any(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)client;
    (void)msg;
    return XS_OK;
}

static const struct wide_setting settings[] = {
    { { "one", "int", "1", "The first." }, "?" },
    { { "two", "int", "2", "The second." }, "?" },
};
static const struct wide_property properties[] = {
    { XS_BOOL(struct wide, first, 0), { 1, 2 } },
    { XS_BOOL(struct wide, second, 0), { 3, 4 } },
};
static const struct wide_action actions[] = {
    { { "a", on_any }, 1 },
    { { "b", on_any }, 2 },
};

static const struct xs_controller_ops wide_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "wide",
    .state_size = sizeof(struct wide),
    .settings = XS_TABLE(settings),
    .properties = XS_TABLE(properties),
    .actions = XS_TABLE(actions),
};

XS_PLUGIN(.name = "wide_tables", .version = "3.0.0", .controllers = { &wide_ops })
