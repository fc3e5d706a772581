/* settings - what a module asks to be told by the ini file. */
#include "base/alloc.h"
#include "base/assert.h"
#include "config/ini.h"
#include "config/table.h"
#include "config/value.h"
#include "plugin/loader.h"

#define KEYS_MOST 64

static const struct {
    const char *name;
    enum xs_kind kind;
} types[] = {
    { "string", XS_KIND_TEXT }, { "bool", XS_KIND_BOOL },   { "int", XS_KIND_INTEGER },
    { "size", XS_KIND_SIZE },   { "time", XS_KIND_TIME },   { "name", XS_KIND_NAME },
    { "topic", XS_KIND_TOPIC }, { "folder", XS_KIND_PATH },
};
static const struct xs_range any = { 0, 0 };

static bool find_kind(const char *type, enum xs_kind *kind)
{
    size_t i;

    for (i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i].name) != 0)
            continue;
        *kind = types[i].kind;
        return true;
    }
    return false;
}

const struct xs_setting *xs_settings_row(struct xs_table table, size_t at)
{
    return (const void *)((const char *)table.at + at * table.element);
}

char *xs_settings_form(const struct xs_setting *row)
{
    enum xs_kind kind = XS_KIND_TEXT;

    XS_ASSERT(find_kind(row->type, &kind));
    return xs_kind_text(kind, any);
}

static bool is_folder(const struct xs_setting *row)
{
    return strcmp(row->type, "folder") == 0;
}

/* A value, which may be empty when nothing is the default. What is wrong with it, or NULL. */
static char *read_value(const struct xs_setting *row, const char *text, int64_t *number)
{
    enum xs_kind kind = XS_KIND_TEXT;
    char *why = NULL;

    XS_ASSERT(find_kind(row->type, &kind));
    *number = 0;
    if (text[0] == '\0' && row->standard[0] == '\0')
        return NULL;
    if (xs_kind_is_number(kind))
        xs_value_number(kind, any, text, number, &why);
    else
        xs_value_check(kind, text, &why);
    return why;
}

/* ---- the table ---- */

static bool is_key(const char *key)
{
    return key[0] != '\0' && strlen(key) < 50 &&
           key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static char *check_row(struct xs_table table, size_t at)
{
    const struct xs_setting *row = xs_settings_row(table, at);
    enum xs_kind kind;
    int64_t number;
    char *why, *whole;
    size_t i;

    if (row->key == NULL || row->type == NULL || row->standard == NULL || row->sentence == NULL)
        return xs_sentence("has a setting with an empty member");
    if (!is_key(row->key))
        return xs_sentence("has a setting \"%s\", which is no key: small letters, digits and "
                           "\"_\"",
                           row->key);
    if (xs_config_row(xs_config_table("protocol"), row->key) != NULL)
        return xs_sentence("has a setting \"%s\", a key that is the daemon's", row->key);
    if (!find_kind(row->type, &kind))
        return xs_sentence("has the setting \"%s\" with the unknown type \"%s\"", row->key,
                           row->type);
    if (is_folder(row) && row->standard[0] != '\0')
        return xs_sentence("has the setting \"%s\" with a default, which a folder cannot have",
                           row->key);
    for (i = 0; i < at; i++)
        if (strcmp(xs_settings_row(table, i)->key, row->key) == 0)
            return xs_sentence("has the setting \"%s\" twice", row->key);
    why = read_value(row, row->standard, &number);
    if (why == NULL)
        return NULL;
    whole = xs_sentence("has the setting \"%s\" with a wrong default: it %s", row->key, why);
    xs_free(why);
    return whole;
}

char *xs_settings_check(struct xs_table table)
{
    char *why = NULL;
    size_t i;

    if (table.count > KEYS_MOST)
        return xs_sentence("has more than %d settings", KEYS_MOST);
    for (i = 0; i < table.count && why == NULL; i++)
        why = check_row(table, i);
    return why;
}

/* ---- the section ---- */

char *xs_section_place(const struct xs_config *config, const struct xs_config_section *section,
                       unsigned line)
{
    if (line == 0)
        return xs_sentence("-D: [%s %s] ", section->kind, section->name);
    return xs_sentence("%s:%u: [%s %s] ", config->path, line, section->kind, section->name);
}

static char *unknown_key(struct xs_table table, const char *key)
{
    const struct xs_config_table *own = xs_config_table("protocol");
    const char *known[KEYS_MOST + 8], *near;
    size_t count = 0, i;

    for (i = 0; i < table.count; i++)
        known[count++] = xs_settings_row(table, i)->key;
    for (i = 0; i < own->count; i++)
        known[count++] = own->rows[i].key;
    near = xs_nearest(key, known, count);
    if (near == NULL)
        return xs_sentence("unknown key \"%s\"", key);
    return xs_sentence("unknown key \"%s\" (did you mean \"%s\"?)", key, near);
}

/* The path of a folder as it is to be used; what is wrong with it, or NULL. */
static char *take_folder(struct xs_settings_row *row, const struct xs_config *config,
                         const struct xs_config_pair *pair)
{
    char *base = pair->line > 0 ? xs_folder_of(config->path) : NULL;
    const char *fault;

    xs_free(row->text);
    row->text = pair->value[0] != '\0' ? xs_path_in(base, pair->value) : xs_strdup("");
    row->folder.path = row->text;
    xs_free(base);
    fault = row->text[0] != '\0' ? xs_folder_fault(&row->folder) : NULL;
    return fault != NULL ? xs_strdup(fault) : NULL;
}

/* Puts one key of the file into its row. What is wrong, or NULL. */
static char *take_pair(struct xs_settings *settings, struct xs_table table,
                       const struct xs_config *config, const struct xs_config_pair *pair)
{
    struct xs_settings_row *row;
    char *why, *whole;
    size_t i = 0;

    while (i < table.count && strcmp(xs_settings_row(table, i)->key, pair->key) != 0)
        i++;
    if (i == table.count)
        return unknown_key(table, pair->key);
    row = &settings->rows[i];
    why = read_value(xs_settings_row(table, i), pair->value, &row->number);
    if (why == NULL && row->is_folder) {
        why = take_folder(row, config, pair);
    } else if (why == NULL) {
        xs_free(row->text);
        row->text = xs_strdup(pair->value);
    }
    if (why == NULL)
        return NULL;
    whole = pair->written[0] == '\0'
                ? xs_sentence("%s is empty: %s", pair->key, why)
                : xs_sentence("%s = %s: %s", pair->key, pair->written, why);
    xs_free(why);
    return whole;
}

bool xs_settings_make(struct xs_settings *settings, struct xs_table table,
                      const struct xs_config *config, const struct xs_config_section *section,
                      char **error)
{
    char *why = NULL, *place;
    size_t i;

    settings->count = table.count;
    settings->rows = xs_alloc(table.count * sizeof *settings->rows);
    for (i = 0; i < table.count; i++) {
        const struct xs_setting *row = xs_settings_row(table, i);

        settings->rows[i].key = row->key;
        settings->rows[i].text = xs_strdup(row->standard);
        settings->rows[i].is_folder = is_folder(row);
        why = read_value(row, row->standard, &settings->rows[i].number);
        XS_ASSERT(why == NULL); /* xs_settings_check() has seen it */
    }
    for (i = 0; section != NULL && i < section->pair_count; i++) {
        why = take_pair(settings, table, config, &section->pairs[i]);
        if (why == NULL)
            continue;
        place = xs_section_place(config, section, section->pairs[i].line);
        *error = xs_sentence("%s%s", place, why);
        xs_free(place);
        xs_free(why);
        xs_settings_fini(settings);
        return false;
    }
    return true;
}

void xs_settings_fini(struct xs_settings *settings)
{
    size_t i;

    for (i = 0; i < settings->count; i++)
        xs_free(settings->rows[i].text);
    xs_free(settings->rows);
    memset(settings, 0, sizeof *settings);
}

/* ---- what modules call ---- */

static const struct xs_settings_row *find(const struct xs_settings *settings, const char *key)
{
    size_t i;

    for (i = 0; settings != NULL && i < settings->count; i++)
        if (strcmp(settings->rows[i].key, key) == 0)
            return &settings->rows[i];
    return NULL;
}

const char *xs_setting_text(const struct xs_settings *settings, const char *key)
{
    const struct xs_settings_row *row = find(settings, key);

    return row != NULL ? row->text : "";
}

int64_t xs_setting_number(const struct xs_settings *settings, const char *key)
{
    const struct xs_settings_row *row = find(settings, key);

    return row != NULL ? row->number : 0;
}

const struct xs_folder *xs_setting_folder(const struct xs_settings *settings, const char *key)
{
    const struct xs_settings_row *row = find(settings, key);

    return row != NULL && row->is_folder && row->text[0] != '\0' ? &row->folder : NULL;
}
