/* loader.h - one shared object: opened, its version read, what it brought copied and checked.
 */
#ifndef XS_PLUGIN_LOADER_H
#define XS_PLUGIN_LOADER_H

#include "plugin/plugin.h"

enum xs_module_kind {
    XS_MODULE_PROTOCOL,
    XS_MODULE_SUBPROTOCOL,
    XS_MODULE_CONTROLLER,
    XS_MODULE_TRANSPORT,
    XS_MODULE_STORAGE,
    XS_MODULE_AUTH,
    XS_MODULE_INTERCEPTOR,
    XS_MODULE_SCALEOUT,
    XS_MODULE_KINDS
};

/* How every ops struct begins. */
struct xs_ops_head {
    size_t size;
    const char *name;
};

/* What a shared object brought: host's copies of its ops structs, checked. Tables inside still
 * belong to the module. */
struct xs_loaded {
    struct xs_module_file file;
    struct xs_ops_head *ops[XS_MODULE_KINDS][XS_PLUGIN_MAX];
    size_t counts[XS_MODULE_KINDS];
};

/* NULL when it went well; else a sentence to be freed, and `loaded` is zeroed. `name` is for
 * sentences. The shared object is never closed. [main] */
char *xs_loaded_open(struct xs_loaded *loaded, const char *name, const char *path);
/* Memory only. [main] */
void xs_loaded_fini(struct xs_loaded *loaded);

/* "protocol", ..; how long the host's ops struct is; its table of settings. [any] */
const char *xs_module_kind_name(enum xs_module_kind kind);
size_t xs_module_ops_size(enum xs_module_kind kind);
struct xs_table *xs_module_settings(enum xs_module_kind kind, struct xs_ops_head *ops);

/* What is wrong with a host's copy of an ops struct, without the file's name; NULL: nothing. */
char *xs_ops_check(enum xs_module_kind kind, struct xs_ops_head *ops);

/* Makes the table one of the host's: elements of `element` bytes, zero where the module's were
 * shorter; to be freed with xs_table_free. */
void xs_table_copy(struct xs_table *table, size_t element);
void xs_table_free(struct xs_table *table);

/* Settings of a module from its table (host's copy) and the ini file's section (may be NULL).
 * False: *error is a whole sentence. [main] */
bool xs_settings_make(struct xs_settings *settings, struct xs_table table,
                      const struct xs_config *config, const struct xs_config_section *section,
                      char **error);
void xs_settings_fini(struct xs_settings *settings);
/* What is wrong with such a table, or NULL. */
char *xs_settings_check(struct xs_table table);
/* A row of a host's copy. */
const struct xs_setting *xs_settings_row(struct xs_table table, size_t at);
/* What a setting's value must be, as in "a time"; to be freed. */
char *xs_settings_form(const struct xs_setting *row);

/* "server.ini:12: [controller chat] ", to be freed; "-D: [..] " for line 0. */
char *xs_section_place(const struct xs_config *config, const struct xs_config_section *section,
                       unsigned line);

#endif
