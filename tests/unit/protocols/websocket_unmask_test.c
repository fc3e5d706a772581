/* host: fake
 * needs: modules/protocols/websocket/unmask.c */
/* unmask - every width gives the same as one byte at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../modules/protocols/websocket/unmask.h"

#define LONGEST 200
#define AROUND  8

/* Bytes that look random and are the same each time. */
static unsigned char noise(size_t i)
{
    return (unsigned char)((i * 2654435761u) >> 13);
}

static void check(xs_unmask *unmask, size_t len, size_t offset, bool ascii)
{
    static const unsigned char key[4] = { 0x93, 0x1f, 0xa7, 0x0c };
    char room[AROUND + LONGEST + AROUND + AROUND], wanted[sizeof room];
    size_t from = AROUND + offset;

    for (size_t i = 0; i < sizeof room; i++)
        room[i] = wanted[i] = (char)noise(i + len);
    for (size_t i = 0; i < len; i++) {
        wanted[from + i] = (char)(noise(i + len) & 0x7f);
        if (!ascii && i == len / 2)
            wanted[from + i] = (char)0xc3;
        room[from + i] = (char)((unsigned char)wanted[from + i] ^ key[i % 4]);
    }
    assert_int_equal(unmask(room + from, len, key), ascii || len == 0);
    assert_memory_equal(room, wanted, sizeof room);
}

static void every_width_gives_the_same_and_touches_nothing_else(void **state)
{
    size_t count = 0;

    (void)state;
    for (xs_unmask *unmask; (unmask = xs_unmask_number(count)) != NULL; count++)
        for (size_t len = 0; len <= LONGEST; len++)
            for (size_t offset = 0; offset < AROUND; offset++) {
                check(unmask, len, offset, true);
                check(unmask, len, offset, false);
            }
    assert_true(count >= 1);
    print_message("%zu widths run here\n", count);
}

static void a_byte_above_ascii_is_seen_wherever_it_stands(void **state)
{
    static const unsigned char key[4] = { 0 };
    char text[LONGEST];

    (void)state;
    for (size_t n = 0; xs_unmask_number(n) != NULL; n++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)0x80;
            assert_false(xs_unmask_number(n)(text, sizeof text, key));
            assert_true(xs_unmask_number(n)(text, at, key));
        }
}

static void the_widest_is_chosen(void **state)
{
    size_t n = 0;

    (void)state;
    while (xs_unmask_number(n + 1) != NULL)
        n++;
    assert_ptr_equal(xs_unmask_choose(), xs_unmask_number(n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_gives_the_same_and_touches_nothing_else),
        cmocka_unit_test(a_byte_above_ascii_is_seen_wherever_it_stands),
        cmocka_unit_test(the_widest_is_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
