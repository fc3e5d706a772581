/* value - reads numbers with units, names and lists, and says what would have been right. */
#include "config/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config/ini.h"

#define NAME_BYTES  64
#define TOPIC_BYTES 255
#define LIST_MOST   256 /* elements */

struct word {
    const char *text;
    uint64_t number;
};

static const struct word bools[] = { { "yes", 1 }, { "no", 0 },   { "on", 1 },
                                     { "off", 0 }, { "true", 1 }, { "false", 0 } };
static const struct word levels[] = { { "error", XS_LOG_ERROR },
                                      { "warning", XS_LOG_WARNING },
                                      { "info", XS_LOG_INFO },
                                      { "debug", XS_LOG_DEBUG } };
static const struct word formats[] = { { "keyvalue", XS_LOG_KEYVALUE },
                                       { "json", XS_LOG_JSON } };
/* The largest first: numbers are shown in the largest unit that divides them. */
static const struct word sizes[] = { { "TiB", (uint64_t)1 << 40 },
                                     { "GiB", (uint64_t)1 << 30 },
                                     { "MiB", (uint64_t)1 << 20 },
                                     { "KiB", (uint64_t)1 << 10 },
                                     { "B", 1 } };
static const struct word times[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
};

/* Everything that differs by kind. */
struct kind {
    const char *what; /* behind "must be" */
    bool list;
    bool number;
    const struct word *words; /* the value is one of them */
    size_t word_count;
    const struct word *units; /* or a number with one of these */
    size_t unit_count;
    const char *unit_names, *example;
};

#define WORDS(table)                                                                           \
    .number = true, .words = (table), .word_count = sizeof(table) / sizeof(table)[0]
#define UNITS(table)                                                                           \
    .number = true, .units = (table), .unit_count = sizeof(table) / sizeof(table)[0]

static const struct kind kinds[] = {
    [XS_KIND_TEXT] = { .what = "a text" },
    [XS_KIND_NAME] = { .what =
                           "a name of letters, digits, \"-\", \"_\" and \".\", at most 64" },
    [XS_KIND_TOPIC] = { .what = "a topic without control characters, at most 255 bytes" },
    [XS_KIND_BOOL] = { .what = "yes or no", WORDS(bools) },
    [XS_KIND_INTEGER] = { .what = "a whole number", .number = true },
    [XS_KIND_COUNT] = { .what = "a number", .number = true },
    [XS_KIND_WORKERS] = { .what = "auto or a number", .number = true },
    [XS_KIND_SIZE] = { .what = "a size",
                       UNITS(sizes),
                       .unit_names = "B, KiB, MiB, GiB or TiB",
                       .example = "64KiB" },
    [XS_KIND_TIME] = { .what = "a time",
                       UNITS(times),
                       .unit_names = "ms, s, m, h or d",
                       .example = "10s" },
    [XS_KIND_MODE] = { .what = "permission bits", .number = true },
    [XS_KIND_LEVEL] = { .what = "error, warning, info or debug", WORDS(levels) },
    [XS_KIND_FORMAT] = { .what = "keyvalue or json", WORDS(formats) },
    [XS_KIND_ADDRESS] = { .what = "an IPv4 or IPv6 address, * for all of both, or unix:/path" },
    [XS_KIND_PATH] = { .what = "a path" },
    [XS_KIND_FILE] = { .what = "a name, or a path with a \"/\"" },
    [XS_KIND_TOKENS] = { .what = "a list of names as in Sec-WebSocket-Protocol", .list = true },
    [XS_KIND_FILES] = { .what = "a list of names, or of paths with a \"/\"", .list = true },
    [XS_KIND_PROTOCOLS] = { .what = "a list of names, or all", .list = true },
};

bool xs_kind_is_number(enum xs_kind kind)
{
    return kinds[kind].number;
}

bool xs_kind_is_list(enum xs_kind kind)
{
    return kinds[kind].list;
}

/* ---- numbers ---- */

static void show_number(enum xs_kind kind, uint64_t number, char *to, size_t size)
{
    const struct kind *how = &kinds[kind];
    size_t i;

    for (i = 0; i < how->unit_count && number > 0; i++) {
        if (number % how->units[i].number != 0)
            continue;
        snprintf(to, size, "%" PRIu64 "%s", number / how->units[i].number, how->units[i].text);
        return;
    }
    snprintf(to, size, kind == XS_KIND_MODE ? "0%03" PRIo64 : "%" PRIu64, number);
}

char *xs_kind_text(enum xs_kind kind, struct xs_range range)
{
    char min[32], max[32];

    if (!kinds[kind].number || range.max == 0)
        return xs_strdup(kinds[kind].what);
    show_number(kind, range.min, min, sizeof min);
    show_number(kind, range.max, max, sizeof max);
    return xs_sentence("%s from %s to %s", kinds[kind].what, min, max);
}

static bool wrong(enum xs_kind kind, struct xs_range range, char **why)
{
    const char *example = kinds[kind].example;
    char *what = xs_kind_text(kind, range);

    *why = xs_sentence("must be %s%s%s", what, example != NULL ? ", as in " : "",
                       example != NULL ? example : "");
    xs_free(what);
    return false;
}

/* Digits to a number; where they end, NULL if there are none or too many. */
static const char *digits(const char *text, unsigned base, uint64_t *number)
{
    const char *at = text;

    *number = 0;
    for (; *at >= '0' && *at < (char)('0' + base); at++)
        if (__builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, (unsigned)(*at - '0'), number))
            return NULL;
    return at == text ? NULL : at;
}

static bool scale(const struct kind *how, const char *unit, uint64_t *number)
{
    size_t i;

    for (i = 0; i < how->unit_count; i++)
        if (strcmp(unit, how->units[i].text) == 0)
            return !__builtin_mul_overflow(*number, how->units[i].number, number);
    return false;
}

static bool read_word(const struct kind *how, const char *text, int64_t *number)
{
    size_t i;

    for (i = 0; i < how->word_count; i++) {
        if (strcmp(text, how->words[i].text) != 0)
            continue;
        *number = (int64_t)how->words[i].number;
        return true;
    }
    return false;
}

bool xs_value_number(enum xs_kind kind, struct xs_range range, const char *text,
                     int64_t *number, char **why)
{
    const struct kind *how = &kinds[kind];
    bool negative = kind == XS_KIND_INTEGER && text[0] == '-';
    uint64_t value;
    const char *end;

    if (how->word_count > 0)
        return read_word(how, text, number) || wrong(kind, range, why);
    if (kind == XS_KIND_WORKERS && strcmp(text, "auto") == 0) {
        *number = 0;
        return true;
    }
    end = digits(text + negative, kind == XS_KIND_MODE ? 8 : 10, &value);
    if (end == NULL)
        return wrong(kind, range, why);
    if (*end == '\0' && how->unit_count > 0 && value != 0) {
        *why = xs_sentence("the unit is missing: write %s behind the number, as in %s",
                           how->unit_names, how->example);
        return false;
    }
    if (*end != '\0' && !scale(how, end, &value))
        return wrong(kind, range, why);
    if (value > INT64_MAX || (range.max > 0 && (value < range.min || value > range.max)))
        return wrong(kind, range, why);
    *number = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* ---- strings ---- */

static bool is_name(const char *text, const char *more)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++) {
        char c = xs_lower(text[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && strchr(more, c) == NULL)
            return false;
    }
    return i > 0 && i <= NAME_BYTES;
}

/* An IPv6 address, with a zone at will: fe80::1%eth0. */
static bool is_ip6(struct xs_slice text)
{
    char plain[INET6_ADDRSTRLEN + 1 + NAME_BYTES];
    struct in6_addr binary;
    char *zone;

    if (text.len >= sizeof plain)
        return false;
    memcpy(plain, text.at, text.len);
    plain[text.len] = '\0';
    zone = strchr(plain, '%');
    if (zone != NULL)
        *zone++ = '\0';
    return inet_pton(AF_INET6, plain, &binary) == 1 && (zone == NULL || is_name(zone, "-_."));
}

static bool is_address(const char *text)
{
    size_t len = strlen(text);
    struct in_addr binary;

    if (strncmp(text, "unix:", 5) == 0)
        return text[5] == '/' && len - 5 < sizeof((struct sockaddr_un *)0)->sun_path;
    if (text[0] == '[' && text[len - 1] == ']')
        return is_ip6((struct xs_slice){ text + 1, len - 2 });
    return strcmp(text, "*") == 0 || inet_pton(AF_INET, text, &binary) == 1 ||
           is_ip6((struct xs_slice){ text, len });
}

static bool is_topic(const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return i <= TOPIC_BYTES;
}

static bool has_form(enum xs_kind kind, const char *text)
{
    switch (kind) {
    case XS_KIND_NAME:
    case XS_KIND_PROTOCOLS:
        return is_name(text, "-_.");
    case XS_KIND_FILE:
    case XS_KIND_FILES:
        return strchr(text, '/') != NULL || is_name(text, "-_.");
    case XS_KIND_TOKENS: /* RFC 9110 section 5.6.2 */
        return is_name(text, "!#$%&'*+-.^_`|~");
    case XS_KIND_TOPIC:
        return is_topic(text);
    case XS_KIND_ADDRESS:
        return is_address(text);
    default:
        return true;
    }
}

bool xs_value_check(enum xs_kind kind, const char *text, char **why)
{
    return has_form(kind, text) || wrong(kind, (struct xs_range){ 0, 0 }, why);
}

/* ---- lists ---- */

void xs_list_free(char **list)
{
    size_t i;

    for (i = 0; list != NULL && list[i] != NULL; i++)
        xs_free(list[i]);
    xs_free(list);
}

/* Why the newest element may not stand in the list, or NULL. */
static char *check_element(enum xs_kind kind, char **list, size_t count)
{
    const char *newest = list[count];
    size_t i;

    if (!has_form(kind, newest))
        return xs_sentence("\"%s\" is wrong, it must be %s", newest, kinds[kind].what);
    for (i = 0; i < count; i++)
        if (strcmp(list[i], newest) == 0)
            return xs_sentence("\"%s\" stands in it twice", newest);
    if (kind == XS_KIND_PROTOCOLS && count > 0 &&
        (strcmp(newest, "all") == 0 || strcmp(list[0], "all") == 0))
        return xs_sentence("\"all\" stands alone");
    return NULL;
}

char **xs_value_list(enum xs_kind kind, const char *text, char **why)
{
    static const char stops[] = ", \t";
    char **list = xs_alloc((LIST_MOST + 1) * sizeof *list);
    size_t count = 0, len;

    *why = NULL;
    for (text += strspn(text, stops); *text != '\0' && *why == NULL;
         text += len, text += strspn(text, stops)) {
        len = strcspn(text, stops);
        if (count == LIST_MOST) {
            *why = xs_sentence("it has more than %d elements", LIST_MOST);
            break;
        }
        list[count] = xs_alloc(len + 1);
        memcpy(list[count], text, len);
        *why = check_element(kind, list, count);
        count++;
    }
    if (*why == NULL && count == 0 && kind == XS_KIND_PROTOCOLS)
        wrong(kind, (struct xs_range){ 0, 0 }, why);
    if (*why == NULL)
        return list;
    xs_list_free(list);
    return NULL;
}

/* ---- words that are nearly right ---- */

/* How many letters must be changed, added, left out or swapped with their neighbour. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][NAME_BYTES + 1];
    size_t a_len = strlen(a), b_len = strlen(b), i, j;

    if (a_len > NAME_BYTES || b_len > NAME_BYTES)
        return NAME_BYTES;
    for (j = 0; j <= b_len; j++)
        rows[0][j] = (unsigned)j;
    for (i = 1; i <= a_len; i++) {
        unsigned *now = rows[i % 3], *above = rows[(i + 2) % 3];
        const unsigned *two_above = rows[(i + 1) % 3];

        now[0] = (unsigned)i;
        for (j = 1; j <= b_len; j++) {
            bool same = xs_lower(a[i - 1]) == xs_lower(b[j - 1]);
            unsigned best = above[j - 1] + !same;

            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_above[j - 2] + 1 < best)
                best = two_above[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *xs_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    unsigned least = (unsigned)(strlen(word) + 5) / 3; /* up to 3 letters: 2, 4 to 6: 3, .. */
    size_t i;

    for (i = 0; i < count; i++) {
        unsigned far = distance(word, candidates[i]);

        if (far >= least)
            continue;
        least = far;
        nearest = candidates[i];
    }
    return nearest;
}
