/* show.h - settings as help, as a commented ini file and as Markdown; for the daemon's table
 * and for those of modules. */
#ifndef XS_CONFIG_SHOW_H
#define XS_CONFIG_SHOW_H

#include <stdio.h>

/* One setting, ready to be shown. */
struct xs_shown {
    const char *key;
    const char *form; /* "a size from 1KiB to 1GiB" */
    const char *standard;
    const char *sentence;
    int reloadable;
};

void xs_show_help_title(FILE *out, int colour, const char *title, const char *sentence);
void xs_show_help(FILE *out, int colour, const struct xs_shown *setting);
/* A comment of lines short enough to be read, and the setting, itself a comment. */
void xs_show_sample_comment(FILE *out, const char *text);
void xs_show_sample(FILE *out, const struct xs_shown *setting);
void xs_show_markdown_title(FILE *out, const char *title, const char *sentence);
void xs_show_markdown(FILE *out, const struct xs_shown *setting);

#endif
