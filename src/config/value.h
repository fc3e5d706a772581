/* value.h - how values are written: 10s, 64KiB, yes, a name. */
#ifndef XS_CONFIG_VALUE_H
#define XS_CONFIG_VALUE_H

#include <xsockets/base.h>

enum xs_kind {
    XS_KIND_TEXT,  /* any */
    XS_KIND_NAME,  /* letters, digits, '-', '_', '.' */
    XS_KIND_TOPIC, /* no control characters, at most 255 bytes */
    XS_KIND_BOOL,
    XS_KIND_INTEGER, /* may be negative */
    XS_KIND_COUNT,
    XS_KIND_WORKERS, /* a count, or auto = 0 */
    XS_KIND_SIZE,    /* bytes */
    XS_KIND_TIME,    /* ms */
    XS_KIND_MODE,    /* octal */
    XS_KIND_LEVEL,   /* enum xs_log_level */
    XS_KIND_FORMAT,  /* enum xs_log_format */
    XS_KIND_ADDRESS,
    XS_KIND_PATH,     /* of a folder or file */
    XS_KIND_FILE,     /* a name, or a path if it has a '/' */
    XS_KIND_TOKENS,   /* list of tokens as in Sec-WebSocket-Protocol */
    XS_KIND_FILES,    /* list of XS_KIND_FILE */
    XS_KIND_PROTOCOLS /* list of names, or "all" */
};

/* The numbers a value may have; both 0: any. */
struct xs_range {
    uint64_t min, max;
};

/* Whether values of a kind are numbers in a struct, or lists of strings; else one string. [any]
 */
bool xs_kind_is_number(enum xs_kind kind);
bool xs_kind_is_list(enum xs_kind kind);

/* Reads a number (bool: 0 or 1). False: *why says what would have been right, to be freed, as
 * in "must be a number from 1 to 9". [any] */
bool xs_value_number(enum xs_kind kind, struct xs_range range, const char *text,
                     int64_t *number, char **why);
/* Checks a string. An empty one passes only if the kind has no form of its own. [any] */
bool xs_value_check(enum xs_kind kind, const char *text, char **why);
/* Cuts a list at commas and blanks: NULL-terminated, each and the array to be freed; checked
 * for form and repetition. [any] */
char **xs_value_list(enum xs_kind kind, const char *text, char **why);
void xs_list_free(char **list);

/* What a kind and range want, as in "a size from 1KiB to 1GiB". To be freed. [any] */
char *xs_kind_text(enum xs_kind kind, struct xs_range range);

/* Replaces ${NAME} by the environment and ${file:PATH} by a file's first line (PATH relative to
 * `folder`); $${ is a plain ${. NULL: *why, to be freed. [main] */
char *xs_value_expand(const char *written, const char *folder, char **why);

/* `path` behind `folder`, if it is relative and folder is not NULL. To be freed. [any] */
char *xs_path_in(const char *folder, const char *path);

/* The folder a file lies in, "." if the path names none. To be freed. [any] */
char *xs_folder_of(const char *path);

/* The candidate nearest to a mistyped word, NULL if none is near. [any] */
const char *xs_nearest(const char *word, const char *const *candidates, size_t count);

#endif
