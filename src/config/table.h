/* table.h - the one list of the daemon's own settings. */
#ifndef XS_CONFIG_TABLE_H
#define XS_CONFIG_TABLE_H

#include "config/config.h"
#include "config/value.h"

/* What a section's values are stored in. */
enum xs_config_place {
    XS_PLACE_CONFIG,   /* [server], [limits], [log]: struct xs_config */
    XS_PLACE_ENDPOINT, /* struct xs_config_endpoint */
    XS_PLACE_MODULE    /* struct xs_config_section */
};

struct xs_config_row {
    const char *key;
    enum xs_kind kind;
    const char *standard; /* as it would be written */
    struct xs_range range;
    bool reloadable;
    size_t offset, size; /* of the member */
    const char *sentence;
};

struct xs_config_table {
    const char *section; /* "server"; "endpoint" */
    const char *title;   /* "[server]"; "[endpoint NAME]" */
    enum xs_config_place place;
    const char *sentence;
    const struct xs_config_row *rows;
    size_t count;
};

/* The kinds of module sections have one table: "module". */
#define XS_CONFIG_TABLES 5
extern const struct xs_config_table xs_config_tables[XS_CONFIG_TABLES];
extern const char *const xs_module_kinds[4]; /* "protocol", .. */

bool xs_is_module_kind(const char *kind);
/* The table of a section of that kind, NULL for an unknown kind. [any] */
const struct xs_config_table *xs_config_table(const char *kind);
/* NULL: the table has no such key. [any] */
const struct xs_config_row *xs_config_row(const struct xs_config_table *table, const char *key);
/* What to offer for a mistyped key, or NULL. [any] */
const char *xs_config_nearest(const struct xs_config_table *table, const char *key);

/* Members by row; `at` is the struct of the table's place. */
void xs_row_set_number(const struct xs_config_row *row, void *at, int64_t number);
int64_t xs_row_number(const struct xs_config_row *row, const void *at);
char **xs_row_string(const struct xs_config_row *row, void *at);
char ***xs_row_list(const struct xs_config_row *row, void *at);
void xs_row_free(const struct xs_config_row *row, void *at);
/* A deep copy in place of what was there; whether two members differ. */
void xs_row_copy(const struct xs_config_row *row, void *to, const void *from);
bool xs_row_differs(const struct xs_config_row *row, const void *a, const void *b);

/* The default of a row, which is known to be right, into a zeroed struct. */
void xs_row_set_standard(const struct xs_config_row *row, void *at);

/* What they hold, not the structs themselves. */
void xs_config_endpoint_free(struct xs_config_endpoint *endpoint);
void xs_config_section_free(struct xs_config_section *section);

#endif
