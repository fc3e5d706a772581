/* plugin.h - loads shared objects and knows what they brought. Filled on the main thread, only
 * read afterwards. */
#ifndef XS_PLUGIN_PLUGIN_H
#define XS_PLUGIN_PLUGIN_H

#include "base/folder.h"
#include "config/config.h"
#include <xsockets/auth.h>
#include <xsockets/controller.h>
#include <xsockets/interceptor.h>
#include <xsockets/plugin.h>
#include <xsockets/protocol.h>
#include <xsockets/scaleout.h>
#include <xsockets/storage.h>
#include <xsockets/subprotocol.h>
#include <xsockets/transport.h>

/* The settings of one module section: values checked against the module's own table, defaults
 * filled in. */
struct xs_settings {
    struct xs_settings_row {
        const char *key;
        char *text; /* of a folder: the path to use */
        int64_t number;
        bool is_folder;
        struct xs_folder folder;
    } * rows;
    size_t count;
};

/* A shared object that was loaded. */
struct xs_module_file {
    char *name; /* "chat.so", as in sentences */
    char *path;
    char *version; /* of the module */
};

/* What serves under a name. `ops` is the host's own copy: as long as the host's struct, zero
 * where the module's was shorter. Tables inside (settings, actions, properties) are the host's
 * copies too, with elements of the host's size. */
struct xs_module_protocol {
    char *name;
    struct xs_protocol_ops ops;
    const struct xs_module_file *file;
    struct xs_settings settings;
    unsigned index; /* place in the registry, for memory per worker */
};
struct xs_module_subprotocol {
    char *name;
    char *token; /* the ops' token, or an alias: then a further entry with the same name */
    struct xs_subprotocol_ops ops;
    const struct xs_module_file *file;
    struct xs_settings settings;
    unsigned index;
};
struct xs_module_controller {
    char *name; /* folded */
    struct xs_controller_ops ops;
    const struct xs_module_file *file;
    struct xs_settings settings;
    unsigned index;
};
struct xs_module_transport {
    char *name;
    struct xs_transport_ops ops;
    const struct xs_module_file *file;
    struct xs_settings settings;
    unsigned index;
};

struct xs_registry {
    struct xs_module_protocol *
        *protocols; /* in the order of loading: [server] modules first, then sections */
    size_t protocol_count;
    struct xs_module_subprotocol **subprotocols;
    size_t subprotocol_count;
    struct xs_module_controller **controllers; /* only those with a section */
    size_t controller_count;
    struct xs_module_transport **transports;
    size_t transport_count;
    size_t other_count; /* storage, auth, interceptor, scale-out modules: accepted, and not yet
                           used */
    struct xs_module_file **files;
    size_t file_count;
};

/* Loads every module that the configuration names. On failure NULL, *error one sentence to be
 * freed, *error_code 69 (module unavailable: no file, no symbol, wrong ABI, missing xs_ symbol,
 * refused) or 78 (a setting of a module is wrong). [main] */
struct xs_registry *xs_registry_load(const struct xs_config *config, char **error,
                                     int *error_code);
/* Memory only: shared objects stay mapped for ever. [main] */
void xs_registry_free(struct xs_registry *registry);

/* By name; NULL if there is none. Controllers: `name` folded. [any] */
struct xs_module_protocol *xs_registry_protocol(const struct xs_registry *registry,
                                                const char *name);
struct xs_module_subprotocol *xs_registry_subprotocol(const struct xs_registry *registry,
                                                      const char *name);
struct xs_module_transport *xs_registry_transport(const struct xs_registry *registry,
                                                  const char *name);

struct xs_module_controller *xs_registry_controller(const struct xs_registry *registry,
                                                    const char *name);

/* For each endpoint: every pair of its protocols of which one claims a beginning of the other,
 * one sentence each, with who wins. Also reports endpoints naming unknown protocols: then false
 * and *error is set (78). Used by -t and at start. [main] */
bool xs_registry_check(const struct xs_registry *registry, const struct xs_config *config,
                       void (*say)(void *context, const char *sentence), void *context,
                       char **error);

/* --help-config, the sample and docs/CONFIG.md: the settings of the modules in a registry.
 * [main] */
void xs_plugin_help(const struct xs_registry *registry, FILE *out, bool colour);
void xs_plugin_sample(const struct xs_registry *registry, FILE *out);
void xs_plugin_markdown(const struct xs_registry *registry, FILE *out);

#endif
