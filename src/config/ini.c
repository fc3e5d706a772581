/* ini - reads lines through libinih, and says no where libinih would silently read another
 * thing.
 *
 * libinih 55 cuts lines at 200 bytes and names at 49, takes " ;" inside a value for a comment,
 * goes on with the last key when a line is indented, and does not tell line numbers or empty
 * sections. So each line passes our own reader first, which knows the line, announces the
 * sections and refuses what would be cut. */
#include "config/ini.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/utf8.h"

#define NAME_MAX_BYTES 49 /* of a section's header or a key, in libinih */
#define LINE_END_BYTES 3  /* what libinih wants free in its line buffer */

struct reading {
    const struct xs_ini_handler *handler;
    struct xs_slice rest;
    unsigned line;
    bool continued; /* the line that libinih works on is indented */
    bool has_key;   /* there is a key above with which a line could go on */
    char *error;
};

char *xs_sentence(const char *format, ...)
{
    va_list args, again;
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = xs_alloc(len < 0 ? 1 : (size_t)len + 1);
    if (len > 0)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct xs_slice trim(struct xs_slice part)
{
    while (part.len > 0 && blank(part.at[0])) {
        part.at++;
        part.len--;
    }
    while (part.len > 0 && blank(part.at[part.len - 1]))
        part.len--;
    return part;
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct reading *reading, struct xs_slice *line)
{
    const char *end;

    if (reading->rest.len == 0)
        return false;
    *line = reading->rest;
    end = memchr(line->at, '\n', line->len);
    if (end != NULL)
        line->len = (size_t)(end - line->at);
    reading->rest.at += line->len + (end != NULL);
    reading->rest.len -= line->len + (end != NULL);
    if (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    reading->line++;
    if (reading->line == 1 && line->len >= 3 && memcmp(line->at, "\xef\xbb\xbf", 3) == 0) {
        line->at += 3;
        line->len -= 3;
    }
    return true;
}

/* What libinih could not read whole, or would read as something else. */
static char *check_bytes(struct xs_slice line, size_t most)
{
    size_t i;

    for (i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.at[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return xs_sentence("byte %zu of this line is a control character (0x%02x)", i + 1,
                               (unsigned)c);
    }
    if (!xs_utf8_valid(line.at, line.len))
        return xs_sentence("this line is not valid UTF-8");
    if (line.len > most)
        return xs_sentence("this line has %zu bytes, at most %zu are read; a list may be given "
                           "in several lines",
                           line.len, most);
    for (i = 1; i < line.len; i++)
        if (line.at[i] == ';' && blank(line.at[i - 1]))
            return xs_sentence("\" ;\" inside a line would cut it off; a comment takes a line "
                               "of its own");
    return NULL;
}

static char *section_line(struct reading *reading, struct xs_slice part)
{
    const char *end = memchr(part.at, ']', part.len);
    struct xs_slice header;
    char name[NAME_MAX_BYTES + 1];

    if (end == NULL)
        return xs_sentence("the section has no \"]\" at its end");
    if (end != part.at + part.len - 1)
        return xs_sentence("nothing may stand behind the \"]\" of a section");
    header = trim((struct xs_slice){ part.at + 1, part.len - 2 });
    if (header.len > NAME_MAX_BYTES)
        return xs_sentence("the section's name has %zu bytes, at most %d are read", header.len,
                           NAME_MAX_BYTES);
    memcpy(name, header.at, header.len);
    name[header.len] = '\0';
    reading->has_key = false;
    return reading->handler->section(reading->handler->context, name, reading->line);
}

static char *key_line(struct reading *reading, struct xs_slice part)
{
    size_t len = 0;
    struct xs_slice key;

    while (len < part.len && part.at[len] != '=' && part.at[len] != ':')
        len++;
    if (len == part.len)
        return xs_sentence("expected \"key = value\", a [section] or a comment");
    key = trim((struct xs_slice){ part.at, len });
    if (key.len == 0)
        return xs_sentence("there is no key before the \"%c\"", part.at[len]);
    if (key.len > NAME_MAX_BYTES)
        return xs_sentence("the key has %zu bytes, at most %d are read", key.len,
                           NAME_MAX_BYTES);
    reading->has_key = true;
    return NULL;
}

static char *indented_line(const struct reading *reading, struct xs_slice part)
{
    if (part.at[0] == '[' || memchr(part.at, '=', part.len) != NULL)
        return xs_sentence("sections and keys begin at the start of a line; an indented line "
                           "goes on with the list above it");
    if (!reading->has_key)
        return xs_sentence("this line is indented, but there is no list above it to go on "
                           "with");
    return NULL;
}

/* Looks at a line before libinih does. An error, or NULL; *skip: there is nothing in it. */
static char *look(struct reading *reading, struct xs_slice line, size_t most, bool *skip)
{
    struct xs_slice part = trim(line);
    char *error;

    *skip = part.len == 0 || part.at[0] == '#' || part.at[0] == ';';
    if (*skip)
        return NULL;
    error = check_bytes(line, most);
    if (error != NULL)
        return error;
    reading->continued = part.at != line.at;
    if (reading->continued)
        return indented_line(reading, part);
    if (part.at[0] == '[')
        return section_line(reading, part);
    return key_line(reading, part);
}

/* What libinih calls in place of fgets. */
static char *on_line(char *to, int size, void *stream)
{
    struct reading *reading = stream;
    struct xs_slice line;
    bool skip;

    if (reading->error != NULL || size <= LINE_END_BYTES || !next_line(reading, &line))
        return NULL;
    reading->error = look(reading, line, (size_t)size - LINE_END_BYTES, &skip);
    if (reading->error != NULL)
        return NULL;
    if (skip)
        line.len = 0;
    if (line.len > 0)
        memcpy(to, line.at, line.len);
    to[line.len] = '\0';
    return to;
}

static int on_pair(void *user, const char *section, const char *key, const char *value)
{
    struct reading *reading = user;

    (void)section; /* announced by section_line() already, and there never cut */
    if (reading->error != NULL)
        return 0;
    reading->error = reading->handler->pair(reading->handler->context, key, value,
                                            reading->continued, reading->line);
    return reading->error == NULL;
}

char *xs_ini_read(struct xs_slice text, const struct xs_ini_handler *handler, unsigned *line)
{
    struct reading reading = { .handler = handler, .rest = text };
    int failed = ini_parse_stream(on_line, &reading, on_pair, &reading);

    *line = reading.line;
    if (reading.error != NULL || failed == 0)
        return reading.error;
    *line = failed > 0 ? (unsigned)failed : reading.line;
    return xs_sentence("this line cannot be read");
}
