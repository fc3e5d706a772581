/* bad_abi - built for another xsockets: struct and ABI are of its time. */
#include <xsockets/base.h>

struct xs_plugin {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    char what_was_there_then[16];
};

XS_API const struct xs_plugin *xs_plugin_entry(void);
XS_API const struct xs_plugin *xs_plugin_entry(void)
{
    static const struct xs_plugin plugin = { sizeof plugin, 0, 77, "" };

    return &plugin;
}
