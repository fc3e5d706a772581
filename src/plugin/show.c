/* show - the settings of modules for --help-config, config/server.ini and docs/CONFIG.md. */
#include "config/show.h"
#include "base/alloc.h"
#include "config/ini.h"
#include "plugin/loader.h"

/* One section that could stand in the ini file. */
struct part {
    const char *kind, *name;
    const struct xs_module_file *file;
    struct xs_table settings;
};
typedef void (*each_part)(const struct part *part, FILE *out, bool colour);

static void each(const struct xs_registry *registry, FILE *out, bool colour, each_part show)
{
    size_t i;

#define EACH(word, entries, count)                                                             \
    for (i = 0; i < registry->count; i++)                                                      \
    show(&(struct part){ word, registry->entries[i]->name, registry->entries[i]->file,         \
                         registry->entries[i]->ops.settings },                                 \
         out, colour)
    EACH("transport", transports, transport_count);
    EACH("protocol", protocols, protocol_count);
    for (i = 0; i < registry->subprotocol_count; i++) {
        const struct xs_module_subprotocol *sub = registry->subprotocols[i];

        if (xs_registry_subprotocol(registry, sub->name) == sub) /* not an alias */
            show(&(struct part){ "subprotocol", sub->name, sub->file, sub->ops.settings }, out,
                 colour);
    }
    EACH("controller", controllers, controller_count);
#undef EACH
}

typedef void (*each_setting)(FILE *out, bool colour, const struct xs_shown *setting);

static void rows(const struct part *part, FILE *out, bool colour, each_setting show)
{
    size_t i;

    for (i = 0; i < part->settings.count; i++) {
        const struct xs_setting *row = xs_settings_row(part->settings, i);
        char *form = xs_settings_form(row);
        struct xs_shown setting = { row->key, form, row->standard, row->sentence, 0 };

        show(out, colour, &setting);
        xs_free(form);
    }
}

static char *title(const struct part *part)
{
    return xs_sentence("[%s %s]", part->kind, part->name);
}

static char *origin(const struct part *part)
{
    return xs_sentence("From the module %s.", part->file->name);
}

/* ---- help ---- */

static void help_row(FILE *out, bool colour, const struct xs_shown *setting)
{
    xs_show_help(out, colour, setting);
}

static void help(const struct part *part, FILE *out, bool colour)
{
    char *head = title(part), *from = origin(part);

    if (part->settings.count > 0) {
        xs_show_help_title(out, colour, head, from);
        rows(part, out, colour, help_row);
    }
    xs_free(head);
    xs_free(from);
}

void xs_plugin_help(const struct xs_registry *registry, FILE *out, bool colour)
{
    each(registry, out, colour, help);
}

/* ---- sample ---- */

static void sample_row(FILE *out, bool colour, const struct xs_shown *setting)
{
    (void)colour;
    xs_show_sample(out, setting);
}

/* Whether a section must say which file it means. */
static bool needs_module(const struct part *part)
{
    size_t len = strlen(part->name);

    return strncmp(part->file->name, part->name, len) != 0 ||
           strcmp(part->file->name + len, ".so") != 0;
}

/* A controller is served only when its section stands there, so each but `generic`, which the
 * daemon's own part of the sample has already, is a comment. */
static void sample(const struct part *part, FILE *out, bool colour)
{
    bool controller = strcmp(part->kind, "controller") == 0;
    char *head = title(part), *from = origin(part);

    if (controller ? strcmp(part->name, "generic") != 0 : part->settings.count > 0) {
        fputc('\n', out);
        xs_show_sample_comment(out, from);
        fprintf(out, "%s%s\n", controller ? "#" : "", head);
        if (controller && needs_module(part))
            fprintf(out, "#module = %.*s\n", (int)strcspn(part->file->name, "."),
                    part->file->name);
        rows(part, out, colour, sample_row);
    }
    xs_free(head);
    xs_free(from);
}

void xs_plugin_sample(const struct xs_registry *registry, FILE *out)
{
    each(registry, out, false, sample);
}

/* ---- Markdown ---- */

static void markdown_row(FILE *out, bool colour, const struct xs_shown *setting)
{
    (void)colour;
    xs_show_markdown(out, setting);
}

static void markdown(const struct part *part, FILE *out, bool colour)
{
    char *head = title(part), *from = origin(part);

    if (part->settings.count > 0) {
        xs_show_markdown_title(out, head, from);
        rows(part, out, colour, markdown_row);
    }
    xs_free(head);
    xs_free(from);
}

void xs_plugin_markdown(const struct xs_registry *registry, FILE *out)
{
    each(registry, out, false, markdown);
}
