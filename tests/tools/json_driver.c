/* json_driver - says of texts whether they are JSON, for tests in other languages.
 *
 * Reads from stdin, again and again: one byte 'p' (a plain text) or 'i' (the inside of a JSON
 * string that holds the text), the text's length as four bytes, little endian, and the text.
 * Writes one line for each: 1 or 0.
 *
 * rooms: base message */
#include <stdio.h>
#include <stdlib.h>

#include "message/json.h"

int main(void)
{
    unsigned char head[5];

    while (fread(head, sizeof head, 1, stdin) == 1) {
        size_t len =
            head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        char *text = malloc(len > 0 ? len : 1);
        struct xs_slice slice = { text, len };
        bool valid;

        if (text == NULL || (len > 0 && fread(text, len, 1, stdin) != 1)) {
            free(text);
            return 1;
        }
        valid = head[0] == 'i' ? xs_json_valid_escaped(slice, XS_JSON_DEPTH_MAX)
                               : xs_json_valid(slice, XS_JSON_DEPTH_MAX);
        puts(valid ? "1" : "0");
        free(text);
    }
    return 0;
}
