/* budget - what an idle client may cost. A number that must grow is changed here, on purpose.
 * rooms: all */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/connection.h"
#include "controller/clients.h"

static void an_idle_client_costs_its_handle_its_state_and_nothing_else(void **state)
{
    static const struct {
        const char *what;
        size_t size, budget;
    } table[] = {
        { "the socket", sizeof(struct xs_wire), 240 },
        { "its queue", sizeof(struct xs_outq), 72 },
        { "its timer", sizeof(struct xs_timer), 40 },
        { "a connection with all of these", sizeof(struct xs_conn), 576 },
        { "its session", sizeof(struct xs_session), 128 },
        { "a controller's instance, without its state", sizeof(struct xs_client), 160 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        print_message("%-45s %4zu of %4zu bytes\n", table[i].what, table[i].size,
                      table[i].budget);
        assert_true(table[i].size <= table[i].budget);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_client_costs_its_handle_its_state_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
