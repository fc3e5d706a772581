/* rooms: base
 * needs: modules/protocols/http/path.c */
/* fuzz_path - any bytes as the path of a request. What comes out is a path below a folder, by
 * rules that are written a second time here: names with one slash between two, none of them
 * hidden, "." or "..", no control character, no backslash, UTF-8; and it is what a plain
 * decoder makes of the input, once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/protocols/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(claim)                                                                          \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim);                        \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

/* "%41" is "A"; what is no such thing stays. `hidden`: a slash was written so. */
static size_t decode(const uint8_t *from, size_t len, char *to, bool *hidden)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char hex[3] = { 0 }, *end = hex;
        unsigned long value = 0;

        if (from[i] == '%' && i + 2 < len) {
            memcpy(hex, from + i + 1, 2);
            value = strtoul(hex, &end, 16);
        }
        if (end == hex + 2 && hex[0] != '+' && hex[0] != '-' && hex[0] != ' ') {
            to[n++] = (char)value;
            *hidden = *hidden || value == '/';
            i += 2;
        } else {
            to[n++] = (char)from[i];
        }
    }
    return n;
}

static void check_names(const char *at, size_t len)
{
    DEMAND(len == 0 || (at[0] != '/' && at[len - 1] != '/'));
    DEMAND(xs_utf8_valid(at, len));
    for (size_t i = 0; i < len; i++) {
        DEMAND((unsigned char)at[i] >= ' ' && at[i] != 0x7f && at[i] != '\\');
        DEMAND(at[i] != '/' || at[i + 1] != '/');
        /* Nothing is hidden, so nothing is "." or "..". */
        DEMAND(at[i] != '.' || (i > 0 && at[i - 1] != '/'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xs_http_path *to = malloc(sizeof *to);
    char *plain = malloc(size + 1);
    struct xs_http_fault fault =
        xs_http_path_read((struct xs_slice){ (const char *)data, size }, to);

    DEMAND(fault.status == 0 || fault.status == 400 || fault.status == 404);
    DEMAND((fault.status == 0) == (fault.sentence == NULL));
    if (fault.status == 0) {
        bool hidden = false;
        size_t len = decode(data, size, plain, &hidden);

        DEMAND(!hidden);
        check_names(to->at, to->len);
        DEMAND(to->len <= sizeof to->at);
        DEMAND(len == 1 + to->len + (to->is_folder && to->len > 0));
        DEMAND(plain[0] == '/' && memcmp(plain + 1, to->at, to->len) == 0);
        DEMAND(to->is_folder == (plain[len - 1] == '/'));
        if (xs_http_path_add(to, "index.html"))
            check_names(to->at, to->len);
    }
    free(plain);
    free(to);
    return 0;
}
