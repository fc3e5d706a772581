/* loader - opens a shared object, and takes from it only what it can prove to understand. */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "config/ini.h"
#include "config/value.h"

#define OPS_BYTES_MOST 65536 /* no ops struct will ever be larger */

typedef const struct xs_plugin *(*entry_cb)(void);

/* The symbol that a message of dlopen() says to be missing, cut out of it; NULL if it says
 * something else. */
static const char *missing_symbol(char *message)
{
    static const char words[] = "undefined symbol: ";
    char *symbol = strstr(message, words);

    if (symbol == NULL)
        return NULL;
    symbol += sizeof words - 1;
    symbol[strcspn(symbol, " ,\n\t")] = '\0';
    return symbol;
}

static char *cannot_load(const char *name, const char *message)
{
    char *copy = xs_strdup(message), *error;
    const char *symbol = missing_symbol(copy);

    if (symbol == NULL)
        error = xs_sentence("module %s: cannot be loaded: %s", name, message);
    else if (strncmp(symbol, "xs_", 3) == 0)
        error = xs_sentence("module %s: built for a newer xsockets (needs %s)", name, symbol);
    else
        error =
            xs_sentence("module %s: nothing brings the symbol %s that it needs", name, symbol);
    xs_free(copy);
    return error;
}

/* What the entry returned, if this daemon is what it was built for. */
static char *check_version(const char *name, const struct xs_plugin *plugin)
{
    if (plugin == NULL)
        return xs_sentence("module %s: its xs_plugin_entry() returns nothing", name);
    if (plugin->abi_major != XS_ABI_MAJOR || plugin->abi_minor != XS_ABI_MINOR)
        return xs_sentence("module %s: built for ABI %u.%u of xsockets, this one has %u.%u; "
                           "build it again",
                           name, (unsigned)plugin->abi_major, (unsigned)plugin->abi_minor,
                           (unsigned)XS_ABI_MAJOR, (unsigned)XS_ABI_MINOR);
    if (plugin->size < offsetof(struct xs_plugin, protocols) || plugin->size > OPS_BYTES_MOST)
        return xs_sentence("module %s: its struct xs_plugin has a size of %u bytes", name,
                           (unsigned)plugin->size);
    return NULL;
}

static char *enter(const char *name, void *object, const struct xs_plugin **plugin)
{
    void *symbol = dlsym(object, "xs_plugin_entry");
    entry_cb entry;

    if (symbol == NULL)
        return xs_sentence("module %s: is no xsockets module (no xs_plugin_entry)", name);
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from an object to a function */
    *plugin = entry();
    return check_version(name, *plugin);
}

/* Opens with every symbol bound. When one is missing, the object is opened lazily just to ask
 * its version: an older or newer ABI says more than a symbol's name. (The other way round would
 * not do: glibc does not bind the rest of an object that is open already.) */
static char *open_object(const char *name, const char *path, const struct xs_plugin **plugin)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    char *error, *version;

    if (object != NULL)
        return enter(name, object, plugin);
    error = cannot_load(name, dlerror());
    object = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    version = object != NULL ? enter(name, object, plugin) : NULL;
    if (version == NULL)
        return error;
    xs_free(error);
    return version;
}

/* ---- copies ---- */

static const struct {
    const char *name;
    size_t size;
    size_t settings; /* offset of the table */
    size_t list;     /* offset in struct xs_plugin */
} kinds[XS_MODULE_KINDS] = {
#define KIND(word, member)                                                                     \
    {                                                                                          \
#word, sizeof(struct xs_##word##_ops), offsetof(struct xs_##word##_ops, settings),     \
            offsetof(struct xs_plugin, member)                                                 \
    }
    [XS_MODULE_PROTOCOL] = KIND(protocol, protocols),
    [XS_MODULE_SUBPROTOCOL] = KIND(subprotocol, subprotocols),
    [XS_MODULE_CONTROLLER] = KIND(controller, controllers),
    [XS_MODULE_TRANSPORT] = KIND(transport, transports),
    [XS_MODULE_STORAGE] = KIND(storage, storages),
    [XS_MODULE_AUTH] = KIND(auth, auths),
    [XS_MODULE_INTERCEPTOR] = KIND(interceptor, interceptors),
    [XS_MODULE_SCALEOUT] = KIND(scaleout, scaleouts),
#undef KIND
};

const char *xs_module_kind_name(enum xs_module_kind kind)
{
    return kinds[kind].name;
}

size_t xs_module_ops_size(enum xs_module_kind kind)
{
    return kinds[kind].size;
}

struct xs_table *xs_module_settings(enum xs_module_kind kind, struct xs_ops_head *ops)
{
    return (void *)((char *)ops + kinds[kind].settings);
}

void xs_table_copy(struct xs_table *table, size_t element)
{
    size_t common = table->element < element ? table->element : element, i;
    char *copy = xs_alloc(table->count * element);

    for (i = 0; i < table->count; i++)
        memcpy(copy + i * element, (const char *)table->at + i * table->element, common);
    table->at = copy;
    table->element = element;
}

void xs_table_free(struct xs_table *table)
{
    void *at;

    memcpy(&at, &table->at, sizeof at); /* ours again, so no longer const */
    xs_free(at);
    memset(table, 0, sizeof *table);
}

/* Whether an ops struct is long enough to be asked anything, and has a name. */
static bool has_head(const struct xs_ops_head *ops)
{
    char *why;

    if (ops->size < sizeof *ops || ops->size > OPS_BYTES_MOST || ops->name == NULL)
        return false;
    if (xs_value_check(XS_KIND_NAME, ops->name, &why))
        return true;
    xs_free(why);
    return false;
}

/* Takes one ops struct: as much of it as both sides know. */
static char *take_ops(struct xs_loaded *loaded, enum xs_module_kind kind,
                      const struct xs_ops_head *from)
{
    size_t size = kinds[kind].size;
    struct xs_ops_head *to;
    char *why, *error;

    if (!has_head(from))
        return xs_sentence("module %s: it brings a %s without a size or a proper name",
                           loaded->file.name, kinds[kind].name);
    to = xs_alloc(size);
    memcpy(to, from, from->size < size ? from->size : size);
    loaded->ops[kind][loaded->counts[kind]++] = to;
    why = xs_ops_check(kind, to);
    if (why == NULL)
        return NULL;
    error = xs_sentence("module %s: %s \"%s\" %s", loaded->file.name, kinds[kind].name,
                        to->name, why);
    xs_free(why);
    return error;
}

/* Takes everything of all kinds. */
static char *take_all(struct xs_loaded *loaded, const struct xs_plugin *plugin)
{
    unsigned kind, i;

    for (kind = 0; kind < XS_MODULE_KINDS; kind++) {
        const struct xs_ops_head *const *list =
            (const void *)((const char *)plugin + kinds[kind].list);

        for (i = 0; i < XS_PLUGIN_MAX; i++) {
            char *why = list[i] != NULL ? take_ops(loaded, kind, list[i]) : NULL;

            if (why != NULL)
                return why;
        }
    }
    return NULL;
}

char *xs_loaded_open(struct xs_loaded *loaded, const char *name, const char *path)
{
    const struct xs_plugin *plugin = NULL;
    struct xs_plugin known = { 0 };
    char *error;

    memset(loaded, 0, sizeof *loaded);
    if (access(path, R_OK) != 0)
        return xs_sentence("module %s: %s cannot be read: %s", name, path, strerror(errno));
    error = open_object(name, path, &plugin);
    if (error != NULL)
        return error;
    XS_ASSERT(plugin != NULL);
    memcpy(&known, plugin, plugin->size < sizeof known ? plugin->size : sizeof known);
    loaded->file.name = xs_strdup(name);
    loaded->file.path = xs_strdup(path);
    loaded->file.version = xs_strdup(known.version != NULL ? known.version : "");
    error = take_all(loaded, &known);
    if (error != NULL)
        xs_loaded_fini(loaded);
    return error;
}

void xs_loaded_fini(struct xs_loaded *loaded)
{
    size_t kind, i;

    for (kind = 0; kind < XS_MODULE_KINDS; kind++)
        for (i = 0; i < loaded->counts[kind]; i++)
            xs_free(loaded->ops[kind][i]);
    xs_free(loaded->file.name);
    xs_free(loaded->file.path);
    xs_free(loaded->file.version);
    memset(loaded, 0, sizeof *loaded);
}
