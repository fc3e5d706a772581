/* skip - both ways of running past plain bytes stop at the same byte: the vectors of this
 * machine, and what other machines use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "message/skip.h"

/* The same once more, under other names, without vectors. */
#undef XS_MESSAGE_SKIP_H
#undef XS_SKIP_SSE2
#define XS_SKIP_PORTABLE
#define skip_is_plain portable_is_plain
#define skip_marks    portable_marks
#define skip_plain    portable_skip_plain
#include "message/skip.h"
#undef skip_is_plain
#undef skip_marks
#undef skip_plain

/* In memory of exactly its length; the position, by both. */
static size_t stops_at(const char *text, size_t len)
{
    char *own = malloc(len > 0 ? len : 1);
    size_t stop;

    if (len > 0)
        memcpy(own, text, len);
    stop = (size_t)(skip_plain(own, own + len) - own);
    assert_int_equal(portable_skip_plain(own, own + len) - own, stop);
    free(own);
    return stop;
}

static void every_byte_at_every_place_of_every_length(void **state)
{
    char text[48];

    (void)state;
    for (size_t len = 0; len <= sizeof text; len++) {
        memset(text, 'x', sizeof text);
        assert_int_equal(stops_at(text, len), len);
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

                text[at] = (char)byte;
                assert_int_equal(stops_at(text, len), plain ? len : at);
            }
            text[at] = 'x';
        }
    }
}

static void the_first_of_two_stops(void **state)
{
    static const char ends[] = { '"', '\\', '\0', '\x1f', (char)0x80, (char)0xff };
    char text[40];

    (void)state;
    for (size_t first = 0; first < sizeof text; first++) {
        for (size_t second = first; second < sizeof text; second++) {
            memset(text, '!', sizeof text);
            text[second] = ends[second % sizeof ends];
            text[first] = ends[(first + second) % sizeof ends];
            assert_int_equal(stops_at(text, sizeof text), first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place_of_every_length),
        cmocka_unit_test(the_first_of_two_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
