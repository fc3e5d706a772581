/* ini.h - the lines of an ini file, one after the other. */
#ifndef XS_CONFIG_INI_H
#define XS_CONFIG_INI_H

#include <xsockets/base.h>

/* Told what stands in the file, in order. A sentence that a callback returns ends the reading;
 * it is memory to be freed, NULL means go on. Strings are borrowed for the call. [main] */
struct xs_ini_handler {
    void *context;
    char *(*section)(void *context, const char *header, unsigned line);
    /* `continued`: an indented line that goes on with the key above. */
    char *(*pair)(void *context, const char *key, const char *value, bool continued,
                  unsigned line);
};

/* NULL when all was read; else a sentence without file and line, to be freed, and the line it
 * speaks of. [main] */
char *xs_ini_read(struct xs_slice text, const struct xs_ini_handler *handler, unsigned *line);

/* Formats a sentence into memory to be freed with xs_free. [any] */
char *xs_sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
