/* keep - what a reload may not change stays as it was, and is named. */
#include <stdio.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/ini.h"
#include "config/table.h"

struct teller {
    void (*kept)(void *context, const char *what);
    void *context;
};

static void tell(const struct teller *teller, const char *kind, const char *name,
                 const char *key)
{
    char *what = xs_sentence("[%s%s%s]%s%s", kind, name[0] != '\0' ? " " : "", name,
                             key[0] != '\0' ? " " : "", key);

    teller->kept(teller->context, what);
    xs_free(what);
}

static void keep_rows(const struct teller *teller, const struct xs_config_table *table,
                      const char *name, const void *old, void *next)
{
    size_t i;

    for (i = 0; i < table->count; i++) {
        const struct xs_config_row *row = &table->rows[i];

        if (row->reloadable || !xs_row_differs(row, old, next))
            continue;
        tell(teller, table->section, name, row->key);
        xs_row_copy(row, next, old);
    }
}

static struct xs_config_endpoint *find_endpoint(const struct xs_config *config,
                                                const char *name)
{
    size_t i;

    for (i = 0; i < config->endpoint_count; i++)
        if (strcmp(config->endpoints[i].name, name) == 0)
            return &config->endpoints[i];
    return NULL;
}

static void copy_rows(const struct xs_config_table *table, void *to, const void *from)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        xs_row_copy(&table->rows[i], to, from);
}

/* An old endpoint that the new file has too keeps its place and takes what may change. */
static void keep_endpoint(const struct teller *teller, const struct xs_config_endpoint *old,
                          struct xs_config_endpoint *next, struct xs_config_endpoint *to)
{
    const struct xs_config_table *table = xs_config_table("endpoint");

    memset(to, 0, sizeof *to);
    to->name = xs_strdup(old->name);
    to->line = old->line;
    to->protocols_line = old->protocols_line;
    to->transport_line = old->transport_line;
    if (next == NULL) {
        tell(teller, table->section, old->name, "");
        copy_rows(table, to, old);
        return;
    }
    copy_rows(table, to, next);
    keep_rows(teller, table, old->name, old, to);
    to->line = next->line;
}

static void keep_endpoints(const struct teller *teller, const struct xs_config *old,
                           struct xs_config *next)
{
    struct xs_config_endpoint *kept = xs_alloc(old->endpoint_count * sizeof *kept);
    size_t i;

    for (i = 0; i < old->endpoint_count; i++)
        keep_endpoint(teller, &old->endpoints[i], find_endpoint(next, old->endpoints[i].name),
                      &kept[i]);
    for (i = 0; i < next->endpoint_count; i++) {
        if (find_endpoint(old, next->endpoints[i].name) == NULL)
            tell(teller, "endpoint", next->endpoints[i].name, "");
        xs_config_endpoint_free(&next->endpoints[i]);
    }
    xs_free(next->endpoints);
    next->endpoints = kept;
    next->endpoint_count = old->endpoint_count;
}

/* ---- sections of modules: nothing in them is taken by a reload ---- */

static struct xs_config_section *find_section(const struct xs_config *config,
                                              const struct xs_config_section *like)
{
    size_t i;

    for (i = 0; i < config->section_count; i++)
        if (strcmp(config->sections[i].kind, like->kind) == 0 &&
            strcmp(config->sections[i].name, like->name) == 0)
            return &config->sections[i];
    return NULL;
}

static const struct xs_config_pair *find_pair(const struct xs_config_section *section,
                                              const char *key)
{
    size_t i;

    for (i = 0; i < section->pair_count; i++)
        if (strcmp(section->pairs[i].key, key) == 0)
            return &section->pairs[i];
    return NULL;
}

/* Names what differs in a section that both have. */
static void compare_sections(const struct teller *teller, const struct xs_config_section *old,
                             const struct xs_config_section *next)
{
    const struct xs_config_table *table = xs_config_table(old->kind);
    const struct xs_config_pair *pair;
    size_t i;

    for (i = 0; i < table->count; i++)
        if (xs_row_differs(&table->rows[i], old, next))
            tell(teller, old->kind, old->name, table->rows[i].key);
    for (i = 0; i < old->pair_count; i++) {
        pair = find_pair(next, old->pairs[i].key);
        if (pair == NULL || strcmp(pair->value, old->pairs[i].value) != 0)
            tell(teller, old->kind, old->name, old->pairs[i].key);
    }
    for (i = 0; i < next->pair_count; i++)
        if (find_pair(old, next->pairs[i].key) == NULL)
            tell(teller, old->kind, old->name, next->pairs[i].key);
}

static void copy_section(struct xs_config_section *to, const struct xs_config_section *from)
{
    size_t i;

    memset(to, 0, sizeof *to);
    to->kind = xs_strdup(from->kind);
    to->name = xs_strdup(from->name);
    to->line = from->line;
    copy_rows(xs_config_table(from->kind), to, from);
    to->pair_count = from->pair_count;
    to->pairs = xs_alloc(from->pair_count * sizeof *to->pairs);
    for (i = 0; i < from->pair_count; i++) {
        to->pairs[i].key = xs_strdup(from->pairs[i].key);
        to->pairs[i].value = xs_strdup(from->pairs[i].value);
        to->pairs[i].written = xs_strdup(from->pairs[i].written);
        to->pairs[i].line = from->pairs[i].line;
    }
}

static void keep_sections(const struct teller *teller, const struct xs_config *old,
                          struct xs_config *next)
{
    struct xs_config_section *kept = xs_alloc(old->section_count * sizeof *kept);
    size_t i;

    for (i = 0; i < old->section_count; i++) {
        const struct xs_config_section *section = &old->sections[i];
        const struct xs_config_section *other = find_section(next, section);

        if (other != NULL)
            compare_sections(teller, section, other);
        else
            tell(teller, section->kind, section->name, "");
        copy_section(&kept[i], section);
    }
    for (i = 0; i < next->section_count; i++) {
        if (find_section(old, &next->sections[i]) == NULL)
            tell(teller, next->sections[i].kind, next->sections[i].name, "");
        xs_config_section_free(&next->sections[i]);
    }
    xs_free(next->sections);
    next->sections = kept;
    next->section_count = old->section_count;
}

void xs_config_keep_fixed(const struct xs_config *old, struct xs_config *next,
                          void (*kept)(void *context, const char *what), void *context)
{
    const struct teller teller = { kept, context };
    size_t i;

    for (i = 0; i < XS_CONFIG_TABLES; i++)
        if (xs_config_tables[i].place == XS_PLACE_CONFIG)
            keep_rows(&teller, &xs_config_tables[i], "", old, next);
    keep_endpoints(&teller, old, next);
    keep_sections(&teller, old, next);
}
