/* fold - ASCII letters become small ones, everything else stays, at every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

#define LONGEST 40

static void every_byte_folds_as_alone_in_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len <= LONGEST; len++)
        for (unsigned byte = 0; byte < 256; byte++)
            for (size_t at = 0; at < len; at++) {
                char from[LONGEST], to[LONGEST + 1];

                memset(from, 'Q', len);
                from[at] = (char)byte;
                memset(to, '#', sizeof to);
                xs_fold(to, from, len);
                for (size_t i = 0; i < len; i++)
                    assert_int_equal(to[i], i == at ? xs_lower((char)byte) : 'q');
                assert_int_equal(to[len], '#');
            }
}

static void a_name_folds_where_it_lies(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`@abcxyz{}ABCDEFG";

    (void)state;
    for (size_t len = 0; len < sizeof letters; len++) {
        char name[sizeof letters], wanted[sizeof letters];

        memcpy(name, letters, sizeof letters);
        for (size_t i = 0; i < sizeof letters; i++)
            wanted[i] = i < len ? xs_lower(letters[i]) : letters[i];
        xs_fold(name, name, len);
        assert_memory_equal(name, wanted, sizeof name);
    }
}

static void two_names_are_equal_when_they_fold_to_the_same(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char a[LONGEST], b[LONGEST];
                static const char others[] = { 'q', 'Q', '@', '[', '\x7f', '\0', 'A', 'z' };

                memset(a, 'Q', len);
                memset(b, 'q', len);
                a[at] = (char)byte;
                for (size_t i = 0; i < sizeof others; i++) {
                    b[at] = others[i];
                    assert_int_equal(xs_slice_equal_nocase((struct xs_slice){ a, len },
                                                           (struct xs_slice){ b, len }),
                                     xs_lower((char)byte) == xs_lower(others[i]));
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_folds_as_alone_in_every_place),
        cmocka_unit_test(a_name_folds_where_it_lies),
        cmocka_unit_test(two_names_are_equal_when_they_fold_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
