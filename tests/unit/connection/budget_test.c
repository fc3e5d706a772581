/* budget - what an idle client may cost. A number that must grow is changed in the table of
 * docs/PERFORMANCE.md, on purpose.
 * rooms: all */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "connection/connection.h"
#include "controller/clients.h"
#include "router/topics.h"

/* The number in the row of the table that begins with this; 0 if there is none. */
static size_t told(const char *what)
{
    FILE *file = fopen(XS_SOURCE_DIR "/docs/PERFORMANCE.md", "r");
    char line[512], cell[128];
    size_t bytes = 0;

    assert_non_null(file);
    (void)snprintf(cell, sizeof cell, "| %s | ", what);
    while (bytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, cell, strlen(cell)) == 0)
            (void)sscanf(line + strlen(cell), "%zu", &bytes);
    (void)fclose(file);
    return bytes;
}

static void an_idle_client_costs_what_the_documentation_says(void **state)
{
    static const struct {
        const char *what;
        size_t size;
    } table[] = {
        { "the socket", sizeof(struct xs_wire) },
        { "its queue", sizeof(struct xs_outq) },
        { "its timer", sizeof(struct xs_timer) },
        { "a connection with all of these", sizeof(struct xs_conn) },
        { "its session", sizeof(struct xs_session) },
        { "an open controller, without what it keeps itself", sizeof(struct xs_client) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        print_message("%-50s %4zu bytes, %4zu told\n", table[i].what, table[i].size,
                      told(table[i].what));
        assert_int_equal(table[i].size, told(table[i].what));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_client_costs_what_the_documentation_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
