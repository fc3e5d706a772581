/* template - what a client sends or expects, with places for what differs. */
#include "template.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum place place;
} places[] = {
    { "{payload}", PLACE_PAYLOAD }, { "{json}", PLACE_JSON },
    { "{size}", PLACE_SIZE },       { "{number}", PLACE_NUMBER },
    { "{topic}", PLACE_TOPIC },     { "{controller}", PLACE_CONTROLLER },
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of text, escaped or not; returns how many characters it took, 0 for a wrong escape.
 */
static size_t read_byte(const char *from, uint8_t *byte)
{
    *byte = (uint8_t)from[0];
    if (from[0] != '\\')
        return 1;
    switch (from[1]) {
    case 'r':
        *byte = '\r';
        return 2;
    case 'n':
        *byte = '\n';
        return 2;
    case '\\':
        return 2;
    case 'x':
        if (hex(from[2]) < 0 || hex(from[3]) < 0)
            return 0;
        *byte = (uint8_t)(hex(from[2]) * 16 + hex(from[3]));
        return 4;
    default:
        return 0;
    }
}

/* The length of the place that begins here; 0 if none does. */
static size_t read_place(const char *from, enum place *place)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t len = strlen(places[i].name);

        if (strncmp(from, places[i].name, len) != 0)
            continue;
        *place = places[i].place;
        return len;
    }
    return 0;
}

static bool looks_like_a_place(const char *from)
{
    size_t letters = *from == '{' ? strspn(from + 1, "abcdefghijklmnopqrstuvwxyz") : 0;

    return letters > 0 && from[1 + letters] == '}';
}

/* The part that ends the template: a new one if `place` is not what is being read. */
static bool next_part(struct template *to, enum place place)
{
    if (to->count > 0 && place == PLACE_TEXT && to->parts[to->count - 1].place == PLACE_TEXT)
        return true;
    if (to->count == TEMPLATE_PARTS)
        return false;
    to->parts[to->count].place = place;
    to->parts[to->count].from = to->text.len;
    to->parts[to->count].len = 0;
    to->count++;
    return true;
}

bool xs_bench_template_read(struct template *to, const char *from, char error[TEMPLATE_ERROR])
{
    *to = (struct template){ .count = 0 };
    while (*from != '\0') {
        enum place place = PLACE_TEXT;
        size_t len = read_place(from, &place);
        uint8_t byte;

        if (len == 0 && looks_like_a_place(from)) {
            snprintf(error, TEMPLATE_ERROR, "%.40s is no place that is known; \\x7b is a {",
                     from);
            return false;
        }
        if (!next_part(to, place)) {
            snprintf(error, TEMPLATE_ERROR, "more than %d parts", TEMPLATE_PARTS);
            return false;
        }
        if (len == 0) {
            len = read_byte(from, &byte);
            if (len == 0) {
                snprintf(error, TEMPLATE_ERROR,
                         "%.4s is no escape; there are \\r \\n \\\\ and \\xHH", from);
                return false;
            }
            xs_bench_put(&to->text, &byte, 1);
            to->parts[to->count - 1].len++;
        }
        from += len;
    }
    return true;
}

bool xs_bench_template_has(const struct template *template, enum place place)
{
    for (size_t i = 0; i < template->count; i++) {
        if (template->parts[i].place == place)
            return true;
    }
    return false;
}

static void put_escaped(struct bytes *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            xs_bench_put(to, "\\", 1);
        xs_bench_put(to, text, 1);
    }
}

void xs_bench_template_put(const struct template *template, const struct values *values,
                           struct bytes *to)
{
    char number[24];

    for (size_t i = 0; i < template->count; i++) {
        switch (template->parts[i].place) {
        case PLACE_TEXT:
            xs_bench_put(to, template->text.at + template->parts[i].from,
                         template->parts[i].len);
            break;
        case PLACE_PAYLOAD:
            xs_bench_put(to, values->payload, strlen(values->payload));
            break;
        case PLACE_JSON:
            put_escaped(to, values->payload);
            break;
        case PLACE_SIZE:
            snprintf(number, sizeof number, "%zu", strlen(values->payload));
            xs_bench_put(to, number, strlen(number));
            break;
        case PLACE_NUMBER:
            snprintf(number, sizeof number, "%u", values->number);
            xs_bench_put(to, number, strlen(number));
            break;
        case PLACE_TOPIC:
            xs_bench_put(to, values->topic, strlen(values->topic));
            break;
        case PLACE_CONTROLLER:
            xs_bench_put(to, values->controller, strlen(values->controller));
            break;
        }
    }
}

void xs_bench_template_free(struct template *template)
{
    xs_bench_free(&template->text);
    template->count = 0;
}
