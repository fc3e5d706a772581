/* registry - which module serves under which name: first everything of [server] modules, then
 * what sections add. */
#include "base/alloc.h"
#include "base/utf8.h"
#include "config/ini.h"
#include "plugin/loader.h"

enum { EXIT_MODULE = 69, EXIT_SETTING = 78 }; /* sysexits.h */

struct load {
    const struct xs_config *config;
    struct xs_registry *registry;
    struct xs_loaded **loaded; /* registry->files[i] is what loaded[i]->file was */
    size_t count;
    bool *served; /* which sections of the ini file are done */
    char *error;
    int code;
};

/* Takes the sentence; `section` may be NULL. Always false. */
static bool fail_take(struct load *load, const struct xs_config_section *section, int code,
                      char *why)
{
    char *place = section != NULL ? xs_section_place(load->config, section, section->line)
                                  : xs_sentence("%s: [server] ", load->config->path);

    load->error = xs_sentence("%s%s", place, why);
    load->code = code;
    xs_free(place);
    xs_free(why);
    return false;
}

static bool same_name(enum xs_module_kind kind, const char *a, const char *b)
{
    if (kind == XS_MODULE_CONTROLLER)
        return xs_slice_equal_nocase(xs_slice_of(a), xs_slice_of(b));
    return strcmp(a, b) == 0;
}

static void *push(void *list, size_t *count, void *item)
{
    void **items = xs_realloc(list, (*count + 1) * sizeof *items);

    items[(*count)++] = item;
    return items;
}

/* ---- files ---- */

static char *path_of(const struct load *load, const char *module)
{
    if (strchr(module, '/') != NULL)
        return xs_strdup(module);
    return xs_sentence("%s/%s.so", load->config->module_path, module);
}

/* Opens a shared object once; NULL and load->error. */
static struct xs_loaded *open_file(struct load *load, const struct xs_config_section *section,
                                   const char *module)
{
    char *path = path_of(load, module), *why;
    struct xs_loaded *loaded;
    struct xs_module_file *file;
    size_t i;

    for (i = 0; i < load->count; i++) {
        if (strcmp(load->registry->files[i]->path, path) != 0)
            continue;
        xs_free(path);
        return load->loaded[i];
    }
    loaded = xs_alloc(sizeof *loaded);
    why = xs_loaded_open(loaded, strrchr(path, '/') + 1, path);
    xs_free(path);
    if (why != NULL) {
        xs_free(loaded);
        fail_take(load, section, EXIT_MODULE, why);
        return NULL;
    }
    file = xs_alloc(sizeof *file);
    *file = loaded->file;
    memset(&loaded->file, 0, sizeof loaded->file);
    load->registry->files = push(load->registry->files, &load->registry->file_count, file);
    load->loaded = push(load->loaded, &load->count, loaded);
    for (i = XS_MODULE_STORAGE; i < XS_MODULE_KINDS; i++)
        load->registry->other_count += loaded->counts[i];
    return loaded;
}

static const struct xs_module_file *file_of(const struct load *load,
                                            const struct xs_loaded *loaded)
{
    size_t i = 0;

    while (load->loaded[i] != loaded)
        i++;
    return load->registry->files[i];
}

/* ---- entries ---- */

struct xs_module_protocol *xs_registry_protocol(const struct xs_registry *registry,
                                                const char *name)
{
    size_t i;

    for (i = 0; i < registry->protocol_count; i++)
        if (strcmp(registry->protocols[i]->name, name) == 0)
            return registry->protocols[i];
    return NULL;
}

struct xs_module_subprotocol *xs_registry_subprotocol(const struct xs_registry *registry,
                                                      const char *name)
{
    size_t i;

    for (i = 0; i < registry->subprotocol_count; i++)
        if (strcmp(registry->subprotocols[i]->name, name) == 0)
            return registry->subprotocols[i];
    return NULL;
}

struct xs_module_transport *xs_registry_transport(const struct xs_registry *registry,
                                                  const char *name)
{
    size_t i;

    for (i = 0; i < registry->transport_count; i++)
        if (strcmp(registry->transports[i]->name, name) == 0)
            return registry->transports[i];
    return NULL;
}

struct xs_module_controller *xs_registry_controller(const struct xs_registry *registry,
                                                    const char *name)
{
    size_t i;

    for (i = 0; i < registry->controller_count; i++)
        if (strcmp(registry->controllers[i]->name, name) == 0)
            return registry->controllers[i];
    return NULL;
}

/* Who has a name already. Protocols and subprotocols share theirs: `protocols` of an endpoint
 * lists both. */
static const struct xs_module_file *taken(const struct xs_registry *registry,
                                          enum xs_module_kind kind, const char *name)
{
    const struct xs_module_protocol *protocol = xs_registry_protocol(registry, name);
    const struct xs_module_subprotocol *sub = xs_registry_subprotocol(registry, name);
    const struct xs_module_controller *controller;
    const struct xs_module_transport *transport;

    switch (kind) {
    case XS_MODULE_CONTROLLER:
        controller = xs_registry_controller(registry, name);
        return controller != NULL ? controller->file : NULL;
    case XS_MODULE_TRANSPORT:
        transport = xs_registry_transport(registry, name);
        return transport != NULL ? transport->file : NULL;
    default:
        return protocol != NULL ? protocol->file : sub != NULL ? sub->file : NULL;
    }
}

/* What is to be served: which ops of which file, under which name, with which section. */
struct served {
    enum xs_module_kind kind;
    const struct xs_ops_head *ops;
    const struct xs_module_file *file;
    const struct xs_config_section *section; /* may be NULL */
};

/* Gives the entry's copy of the ops tables of its own, and reads its settings. */
static bool dress(struct load *load, const struct served *what, void *ops,
                  struct xs_settings *settings)
{
    struct xs_table *table = xs_module_settings(what->kind, ops);

    xs_table_copy(table, sizeof(struct xs_setting));
    if (what->kind == XS_MODULE_CONTROLLER) {
        struct xs_controller_ops *controller = ops;

        xs_table_copy(&controller->properties, sizeof(struct xs_property));
        xs_table_copy(&controller->actions, sizeof(struct xs_action));
    }
    if (xs_settings_make(settings, *table, load->config, what->section, &load->error))
        return true;
    load->code = EXIT_SETTING;
    return false;
}

/* For a protocol that has no messages, as http: its clients are told nothing. */
static enum xs_err encode_nothing(const struct xs_encoder *by, const struct xs_message *msg,
                                  struct xs_slice data, struct xs_buf *out)
{
    (void)by;
    (void)msg;
    (void)data;
    (void)out;
    return XS_OK;
}

static bool add_protocol(struct load *load, const struct served *what, const char *name)
{
    struct xs_registry *registry = load->registry;
    struct xs_module_protocol *entry = xs_alloc(sizeof *entry);

    memcpy(&entry->ops, what->ops, sizeof entry->ops);
    entry->ops.name = entry->name = xs_strdup(name);
    if (entry->ops.encode == NULL)
        entry->ops.encode = encode_nothing;
    entry->file = what->file;
    entry->index = (unsigned)registry->protocol_count;
    registry->protocols = push(registry->protocols, &registry->protocol_count, entry);
    return dress(load, what, &entry->ops, &entry->settings);
}

static bool add_token(struct load *load, const struct served *what, const char *name,
                      const char *token)
{
    struct xs_registry *registry = load->registry;
    struct xs_module_subprotocol *entry = xs_alloc(sizeof *entry);

    memcpy(&entry->ops, what->ops, sizeof entry->ops);
    entry->ops.name = entry->name = xs_strdup(name);
    entry->ops.token = entry->token = xs_strdup(token != NULL ? token : entry->ops.token);
    entry->file = what->file;
    entry->index = (unsigned)registry->subprotocol_count;
    registry->subprotocols = push(registry->subprotocols, &registry->subprotocol_count, entry);
    return dress(load, what, &entry->ops, &entry->settings);
}

static bool add_subprotocol(struct load *load, const struct served *what, const char *name)
{
    char **alias = what->section != NULL ? what->section->subprotocol_alias : NULL;

    if (!add_token(load, what, name, NULL))
        return false;
    for (; alias != NULL && *alias != NULL; alias++)
        if (!add_token(load, what, name, *alias))
            return false;
    return true;
}

static bool add_controller(struct load *load, const struct served *what, const char *name)
{
    struct xs_registry *registry = load->registry;
    struct xs_module_controller *entry = xs_alloc(sizeof *entry);

    memcpy(&entry->ops, what->ops, sizeof entry->ops);
    entry->ops.name = entry->name = xs_strdup(name);
    entry->file = what->file;
    entry->index = (unsigned)registry->controller_count;
    registry->controllers = push(registry->controllers, &registry->controller_count, entry);
    return dress(load, what, &entry->ops, &entry->settings);
}

static bool add_transport(struct load *load, const struct served *what, const char *name)
{
    struct xs_registry *registry = load->registry;
    struct xs_module_transport *entry = xs_alloc(sizeof *entry);

    memcpy(&entry->ops, what->ops, sizeof entry->ops);
    entry->ops.name = entry->name = xs_strdup(name);
    entry->file = what->file;
    entry->index = (unsigned)registry->transport_count;
    registry->transports = push(registry->transports, &registry->transport_count, entry);
    return dress(load, what, &entry->ops, &entry->settings);
}

static bool add_named(struct load *load, const struct served *what, const char *name)
{
    const struct xs_config_section *section = what->section;
    const struct xs_module_file *before = taken(load->registry, what->kind, name);

    if (before != NULL)
        return fail_take(load, section, EXIT_MODULE,
                         xs_sentence("module %s: there is a %s \"%s\" already, from %s",
                                     what->file->name, xs_module_kind_name(what->kind), name,
                                     before->name));
    if (section != NULL && section->subprotocol_alias != NULL &&
        what->kind != XS_MODULE_SUBPROTOCOL)
        return fail_take(load, section, EXIT_SETTING,
                         xs_sentence("only a subprotocol has a subprotocol_alias"));
    if (what->kind == XS_MODULE_PROTOCOL)
        return add_protocol(load, what, name);
    if (what->kind == XS_MODULE_SUBPROTOCOL)
        return add_subprotocol(load, what, name);
    if (what->kind == XS_MODULE_CONTROLLER)
        return add_controller(load, what, name);
    return add_transport(load, what, name);
}

static bool add(struct load *load, const struct served *what)
{
    const char *name = what->section != NULL ? what->section->name : what->ops->name;
    size_t len = strlen(name);
    char *folded;
    bool done;

    if (what->kind != XS_MODULE_CONTROLLER)
        return add_named(load, what, name);
    folded = xs_alloc(len + 1);
    xs_fold(folded, name, len);
    done = add_named(load, what, folded);
    xs_free(folded);
    return done;
}

/* ---- [server] modules ---- */

/* The section that speaks of what a module calls `name`; -1 for none. A subprotocol may stand
 * in a [protocol NAME] too. */
static long section_for(const struct load *load, enum xs_module_kind kind, const char *name)
{
    const struct xs_config *config = load->config;
    long other = -1;
    size_t i;

    for (i = 0; i < config->section_count; i++) {
        const struct xs_config_section *section = &config->sections[i];

        if (!same_name(kind, section->name, name))
            continue;
        if (strcmp(section->kind, xs_module_kind_name(kind)) == 0)
            return (long)i;
        if (kind == XS_MODULE_SUBPROTOCOL && strcmp(section->kind, "protocol") == 0)
            other = (long)i;
    }
    return other;
}

/* Whether a section leaves its name to the thing of that name in this file. */
static bool leaves_it(const struct load *load, const struct xs_config_section *section,
                      const struct xs_module_file *file, const char *name)
{
    char *path;
    bool same;

    if (section->use != NULL && strcmp(section->use, name) != 0)
        return false;
    if (section->module == NULL)
        return true;
    path = path_of(load, section->module);
    same = strcmp(path, file->path) == 0;
    xs_free(path);
    return same;
}

static bool serve_one(struct load *load, const struct xs_loaded *loaded,
                      enum xs_module_kind kind, size_t i)
{
    struct served what = { kind, loaded->ops[kind][i], file_of(load, loaded), NULL };
    long at = section_for(load, kind, what.ops->name);

    if (at < 0)
        return add(load, &what);
    what.section = &load->config->sections[at];
    if (!leaves_it(load, what.section, what.file, what.ops->name))
        return true; /* the section has another under this name */
    load->served[at] = true;
    return add(load, &what);
}

static bool serve_all(struct load *load, const struct xs_loaded *loaded)
{
    static const enum xs_module_kind kinds[] = { XS_MODULE_PROTOCOL, XS_MODULE_SUBPROTOCOL,
                                                 XS_MODULE_TRANSPORT };
    size_t k, i;

    for (k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (i = 0; i < loaded->counts[kinds[k]]; i++)
            if (!serve_one(load, loaded, kinds[k], i))
                return false;
    return true;
}

/* ---- sections ---- */

static const struct xs_ops_head *find_ops(const struct xs_loaded *loaded,
                                          enum xs_module_kind kind, const char *name)
{
    size_t i;

    for (i = 0; i < loaded->counts[kind]; i++)
        if (same_name(kind, loaded->ops[kind][i]->name, name))
            return loaded->ops[kind][i];
    return NULL;
}

/* The one of that name; or, without a name, the only one. */
static const struct xs_ops_head *pick(const struct xs_loaded *loaded, enum xs_module_kind kind,
                                      const char *name)
{
    if (name != NULL)
        return find_ops(loaded, kind, name);
    return loaded->counts[kind] == 1 ? loaded->ops[kind][0] : NULL;
}

/* A subprotocol may stand in a [protocol NAME] too. */
static bool pick_for(const struct xs_loaded *loaded, const struct xs_config_section *section,
                     const char *name, struct served *what)
{
    what->kind = XS_MODULE_PROTOCOL;
    while (strcmp(xs_module_kind_name(what->kind), section->kind) != 0)
        what->kind++;
    what->ops = pick(loaded, what->kind, name);
    if (what->ops != NULL || what->kind != XS_MODULE_PROTOCOL)
        return what->ops != NULL;
    what->kind = XS_MODULE_SUBPROTOCOL;
    what->ops = pick(loaded, what->kind, name);
    return what->ops != NULL;
}

/* The file that a section means; what it means there too, if it does not say which file. */
static struct xs_loaded *
section_file(struct load *load, const struct xs_config_section *section, struct served *what)
{
    const char *name = section->use != NULL ? section->use : section->name;
    size_t i;

    for (i = 0; section->module == NULL && i < load->count; i++)
        if (pick_for(load->loaded[i], section, name, what))
            return load->loaded[i];
    return open_file(load, section, section->module != NULL ? section->module : name);
}

static bool serve_section(struct load *load, const struct xs_config_section *section)
{
    const char *name = section->use != NULL ? section->use : section->name;
    struct served what = { 0 };
    struct xs_loaded *loaded = section_file(load, section, &what);

    if (loaded == NULL)
        return false;
    what.file = file_of(load, loaded);
    what.section = section;
    if (pick_for(loaded, section, name, &what) ||
        (section->use == NULL && pick_for(loaded, section, NULL, &what)))
        return add(load, &what);
    return fail_take(
        load, section, EXIT_MODULE,
        xs_sentence("module %s: it brings no %s \"%s\"", what.file->name, section->kind, name));
}

/* ---- all ---- */

static bool load_all(struct load *load)
{
    const struct xs_config *config = load->config;
    size_t i;

    for (i = 0; config->modules != NULL && config->modules[i] != NULL; i++) {
        const struct xs_loaded *loaded = open_file(load, NULL, config->modules[i]);

        if (loaded == NULL || !serve_all(load, loaded))
            return false;
    }
    for (i = 0; i < config->section_count; i++)
        if (!load->served[i] && !serve_section(load, &config->sections[i]))
            return false;
    return true;
}

struct xs_registry *xs_registry_load(const struct xs_config *config, char **error,
                                     int *error_code)
{
    struct load load = { .config = config };
    bool done;
    size_t i;

    load.registry = xs_alloc(sizeof *load.registry);
    load.served = xs_alloc(config->section_count);
    done = load_all(&load);
    for (i = 0; i < load.count; i++) {
        xs_loaded_fini(load.loaded[i]);
        xs_free(load.loaded[i]);
    }
    xs_free(load.loaded);
    xs_free(load.served);
    *error = load.error;
    *error_code = load.code;
    if (done)
        return load.registry;
    xs_registry_free(load.registry);
    return NULL;
}

static void free_files(struct xs_registry *registry)
{
    size_t i;

    for (i = 0; i < registry->file_count; i++) {
        xs_free(registry->files[i]->name);
        xs_free(registry->files[i]->path);
        xs_free(registry->files[i]->version);
        xs_free(registry->files[i]);
    }
    xs_free(registry->files);
}

void xs_registry_free(struct xs_registry *registry)
{
    size_t i;

    if (registry == NULL)
        return;
#define FREE_ALL(entries, count)                                                               \
    for (i = 0; i < registry->count; i++) {                                                    \
        xs_table_free(&registry->entries[i]->ops.settings);                                    \
        xs_settings_fini(&registry->entries[i]->settings);                                     \
        xs_free(registry->entries[i]->name);                                                   \
        xs_free(registry->entries[i]);                                                         \
    }                                                                                          \
    xs_free(registry->entries)
    for (i = 0; i < registry->subprotocol_count; i++)
        xs_free(registry->subprotocols[i]->token);
    for (i = 0; i < registry->controller_count; i++) {
        xs_table_free(&registry->controllers[i]->ops.properties);
        xs_table_free(&registry->controllers[i]->ops.actions);
    }
    FREE_ALL(protocols, protocol_count);
    FREE_ALL(subprotocols, subprotocol_count);
    FREE_ALL(controllers, controller_count);
    FREE_ALL(transports, transport_count);
#undef FREE_ALL
    free_files(registry);
    xs_free(registry);
}
