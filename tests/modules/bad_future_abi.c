/* bad_future_abi - calls what this daemon does not export, and says that its ABI is another.
 * libs: -Wl,-z,lazy */
#include <xsockets/base.h>

struct xs_plugin {
    uint32_t size;
    uint16_t abi_major, abi_minor;
};

XS_API void xs_from_the_future(void);
XS_API void call_it(void);
XS_API void call_it(void)
{
    xs_from_the_future();
}

XS_API const struct xs_plugin *xs_plugin_entry(void);
XS_API const struct xs_plugin *xs_plugin_entry(void)
{
    static const struct xs_plugin plugin = { sizeof plugin, 1, 4 };

    return &plugin;
}
