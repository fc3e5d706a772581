/* plugin.h - the door of every shared object: one symbol, version first.
 *
 * ABI history
 *   0.1  first; until 1.0 major and minor must both match exactly.
 *   0.2  framing.h. The pace of a connection is set by xs_conn_set_pace() and left the ops of
 *        protocols, which have names_errors and personal_always instead; xs_personal has self,
 *        xs_encoder has worker.
 */
#ifndef XSOCKETS_PLUGIN_H
#define XSOCKETS_PLUGIN_H

#include <xsockets/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XS_ABI_MAJOR 0
#define XS_ABI_MINOR 2

struct xs_protocol_ops;
struct xs_subprotocol_ops;
struct xs_controller_ops;
struct xs_transport_ops;
struct xs_storage_ops;
struct xs_auth_ops;
struct xs_interceptor_ops;
struct xs_scaleout_ops;

/* A table of elements as { first, how many, size of one }, so that elements can grow at their
 * end. */
struct xs_table {
    const void *at;
    size_t count;
    size_t element;
};

/* For an array (not a pointer): XS_TABLE(chat_actions). */
#define XS_TABLE(array)                                                                        \
    {                                                                                          \
        (array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0])                        \
    }

/* How many modules of one kind one shared object may bring. */
#define XS_PLUGIN_MAX 8

/* What xs_plugin_entry() returns. The first three members never change their place. */
struct xs_plugin {
    uint32_t size; /* sizeof(struct xs_plugin), as the module was built */
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *name;    /* letters, digits, '-', '_' */
    const char *version; /* of the module */
    const struct xs_protocol_ops *protocols[XS_PLUGIN_MAX];
    const struct xs_subprotocol_ops *subprotocols[XS_PLUGIN_MAX];
    const struct xs_controller_ops *controllers[XS_PLUGIN_MAX];
    const struct xs_transport_ops *transports[XS_PLUGIN_MAX];
    const struct xs_storage_ops *storages[XS_PLUGIN_MAX];
    const struct xs_auth_ops *auths[XS_PLUGIN_MAX];
    const struct xs_interceptor_ops *interceptors[XS_PLUGIN_MAX];
    const struct xs_scaleout_ops *scaleouts[XS_PLUGIN_MAX];
};

/* Written once per shared object: XS_PLUGIN(.name = "mcu", .version = "1.0", .protocols = {
 * &mcu_ops }) The entry is called on the main thread, before any worker, once. [main] */
#define XS_PLUGIN(...)                                                                         \
    XS_API const struct xs_plugin *xs_plugin_entry(void);                                      \
    XS_API const struct xs_plugin *xs_plugin_entry(void)                                       \
    {                                                                                          \
        static const struct xs_plugin plugin = { .size = sizeof(struct xs_plugin),             \
                                                 .abi_major = XS_ABI_MAJOR,                    \
                                                 .abi_minor = XS_ABI_MINOR,                    \
                                                 __VA_ARGS__ };                                \
        return &plugin;                                                                        \
    }

/* A setting that a module adds to its own section of the ini file ([protocol native],
 * [controller x]). Checked at start and by -t like the daemon's own, and listed by
 * --help-config. */
struct xs_setting {
    const char *key;
    const char *type; /* "string", "bool", "int", "size" (bytes), "time" (ms), "name", "topic",
                         "folder" (see xs_setting_folder()) */
    const char *standard; /* the value when the file has none; "" for nothing */
    const char *sentence; /* what it does, one sentence */
};

/* Reads such settings. Valid as long as the daemon runs; a reload does not change them. */
struct xs_settings;
/* The value as text, never NULL; empty for an unknown key. [any] */
XS_API const char *xs_setting_text(const struct xs_settings *settings, const char *key);
/* The value of an int, bool (0, 1), size (bytes) or time (ms) setting; 0 for an unknown key.
 * [any] */
XS_API int64_t xs_setting_number(const struct xs_settings *settings, const char *key);

#ifdef __cplusplus
}
#endif

#endif
