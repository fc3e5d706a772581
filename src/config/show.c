/* show - settings for people: --help-config, config/server.ini, docs/CONFIG.md. */
#include "config/show.h"

#include <string.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/table.h"

#define COLUMNS 78

/* Writes words in lines of at most COLUMNS, each behind `before`. */
static void wrap(FILE *out, const char *before, const char *text)
{
    size_t used = 0, len;

    for (; *text != '\0'; text += len) {
        text += strspn(text, " ");
        len = strcspn(text, " ");
        if (used > 0 && used + 1 + len > COLUMNS) {
            fputc('\n', out);
            used = 0;
        }
        if (used == 0) {
            fputs(before, out);
            used = strlen(before);
        } else {
            fputc(' ', out);
            used++;
        }
        fprintf(out, "%.*s", (int)len, text);
        used += len;
    }
    fputc('\n', out);
}

static const char *reload_text(const struct xs_shown *setting)
{
    return setting->reloadable ? "a reload takes it" : "needs a restart";
}

/* ---- help ---- */

void xs_show_help_title(FILE *out, int colour, const char *title, const char *sentence)
{
    fprintf(out, "%s%s%s\n", colour ? "\033[1m" : "", title, colour ? "\033[0m" : "");
    wrap(out, "  ", sentence);
    fputc('\n', out);
}

void xs_show_help(FILE *out, int colour, const struct xs_shown *setting)
{
    fprintf(out, "  %s%s%s =%s%s\n", colour ? "\033[36m" : "", setting->key,
            colour ? "\033[0m" : "", setting->standard[0] != '\0' ? " " : "",
            setting->standard);
    wrap(out, "      ", setting->sentence);
    fprintf(out, "      (%s; %s)\n\n", setting->form, reload_text(setting));
}

/* ---- sample ---- */

void xs_show_sample_comment(FILE *out, const char *text)
{
    wrap(out, "# ", text);
}

void xs_show_sample(FILE *out, const struct xs_shown *setting)
{
    fputc('\n', out);
    wrap(out, "# ", setting->sentence);
    fprintf(out, "# (%s; %s)\n#%s =%s%s\n", setting->form, reload_text(setting), setting->key,
            setting->standard[0] != '\0' ? " " : "", setting->standard);
}

/* ---- Markdown ---- */

/* A text in a cell of a table. */
static void cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '*' || *text == '_' || *text == '<')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void xs_show_markdown_title(FILE *out, const char *title, const char *sentence)
{
    fprintf(out, "\n## %s\n\n%s\n\n", title, sentence);
    fputs("| key | default | value | reload | what it does |\n", out);
    fputs("| --- | --- | --- | --- | --- |\n", out);
}

void xs_show_markdown(FILE *out, const struct xs_shown *setting)
{
    const char *tick = setting->standard[0] != '\0' ? "`" : "";

    fprintf(out, "| `%s` | %s%s%s | ", setting->key, tick, setting->standard, tick);
    cell(out, setting->form);
    fprintf(out, " | %s | ", setting->reloadable ? "yes" : "no");
    cell(out, setting->sentence);
    fputs(" |\n", out);
}

/* ---- the daemon's own table ---- */

typedef void (*each_setting)(FILE *out, bool colour, const struct xs_shown *setting);

static void rows(FILE *out, bool colour, const struct xs_config_table *table, each_setting show)
{
    size_t i;

    for (i = 0; i < table->count; i++) {
        const struct xs_config_row *row = &table->rows[i];
        char *form = xs_kind_text(row->kind, row->range);
        struct xs_shown setting = { row->key, form, row->standard, row->sentence,
                                    row->reloadable };

        show(out, colour, &setting);
        xs_free(form);
    }
}

static void show_help(FILE *out, bool colour, const struct xs_shown *setting)
{
    xs_show_help(out, colour, setting);
}

static void show_sample(FILE *out, bool colour, const struct xs_shown *setting)
{
    (void)colour;
    xs_show_sample(out, setting);
}

static void show_markdown(FILE *out, bool colour, const struct xs_shown *setting)
{
    (void)colour;
    xs_show_markdown(out, setting);
}

void xs_config_help(FILE *out, bool colour)
{
    size_t i;

    for (i = 0; i < XS_CONFIG_TABLES; i++) {
        const struct xs_config_table *table = &xs_config_tables[i];

        xs_show_help_title(out, colour, table->title, table->sentence);
        rows(out, colour, table, show_help);
    }
}

/* What to know before the first section: the form of the file. */
static const char *const form[] = {
    "Comments take lines of their own and begin with # or ;",
    "Units are written: 75ms, 10s, 5m, 1h, 30d; 512B, 64KiB, 1MiB, 2GiB. Yes and no may also "
    "be "
    "on and off, true and false.",
    "Lists are parted by commas or blanks; they may go on in indented lines, or in further "
    "lines "
    "with the same key. Any other key stands once. A line has at most 197 bytes.",
    "${NAME} is replaced by a variable of the environment, ${file:PATH} by the line in a file; "
    "$${ stands for ${ itself. Secrets belong there.",
    "Relative paths begin at the folder of this file.",
    "A setting may also be given as -D 'endpoint public.port=4503' on the command line, and "
    "then "
    "wins over the file.",
};

void xs_config_sample(FILE *out)
{
    size_t i;

    xs_show_sample_comment(out,
                           "server.ini - every setting of xsocketsd, each with its default.");
    fputs("#\n", out);
    for (i = 0; i < sizeof form / sizeof form[0]; i++)
        xs_show_sample_comment(out, form[i]);
    for (i = 0; i < XS_CONFIG_TABLES; i++) {
        const struct xs_config_table *table = &xs_config_tables[i];

        fputc('\n', out);
        xs_show_sample_comment(out, table->sentence);
        if (table->place == XS_PLACE_CONFIG)
            fprintf(out, "%s\n", table->title);
        else if (table->place == XS_PLACE_ENDPOINT)
            fputs("[endpoint default]\n", out);
        else
            fputs("# Without a section, nobody can open a controller.\n"
                  "[controller generic]\n",
                  out);
        rows(out, false, table, show_sample);
    }
}

void xs_config_markdown(FILE *out)
{
    size_t i;

    fputs("# Configuration\n\n"
          "Made from the table of settings in the source; `xsocketsd --help-config` prints the "
          "same,\nand `config/server.ini` has it as a file to begin with. What is wrong in a "
          "file is told with\nits line, by `xsocketsd -t -c FILE` too.\n\n",
          out);
    for (i = 0; i < sizeof form / sizeof form[0]; i++)
        fprintf(out, "- %s\n", form[i]);
    for (i = 0; i < XS_CONFIG_TABLES; i++) {
        const struct xs_config_table *table = &xs_config_tables[i];

        xs_show_markdown_title(out, table->title, table->sentence);
        rows(out, false, table, show_markdown);
    }
}
