/* keep - what a reload may not change stays as it was, and is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/config.h"

static struct xs_config *read_text(const char *text)
{
    char *error = NULL;
    struct xs_config *config =
        xs_config_read_text("server.ini", xs_slice_of(text), NULL, 0, &error);

    if (error != NULL)
        fail_msg("%s", error);
    return config;
}

static void note(void *context, const char *what)
{
    strcat(strcat(context, what), "\n");
}

static void what_may_change_changes_and_nothing_is_named(void **state)
{
    struct xs_config *old = read_text("[endpoint a]\n");
    struct xs_config *next = read_text("[server]\nqueue_bytes = 2MiB\n[limits]\nname = 99\n"
                                       "[log]\nlevel = debug\n"
                                       "[endpoint a]\nheartbeat = 1s\nmax_connections = 4\n");
    char named[512] = "";

    (void)state;
    xs_config_keep_fixed(old, next, note, named);
    xs_config_free(old);
    assert_string_equal(named, "");
    assert_int_equal(next->queue_bytes, 2 << 20);
    assert_int_equal(next->limits.name, 99);
    assert_int_equal(next->log.level, XS_LOG_DEBUG);
    assert_int_equal(next->endpoints[0].heartbeat, 1000);
    assert_int_equal(next->endpoints[0].max_connections, 4);
    xs_config_free(next);
}

static void what_is_fixed_stays_and_is_named(void **state)
{
    struct xs_config *old = read_text("[server]\nworkers = 2\nmodules = a, b\n"
                                      "module_path = x\n"
                                      "[endpoint a]\nport = 1\nprotocols = text\n"
                                      "[endpoint b]\nprotocols = all\nport = 2\n");
    struct xs_config *next = read_text("[server]\nworkers = 3\nmodules = a, c\n"
                                       "[endpoint b]\nprotocols = text\nport = 2\nheartbeat = "
                                       "9s\n"
                                       "[endpoint a]\nport = 3\nprotocols = all\n");
    char named[512] = "";

    (void)state;
    xs_config_keep_fixed(old, next, note, named);
    xs_config_free(old);
    assert_string_equal(named, "[server] workers\n"
                               "[server] module_path\n"
                               "[server] modules\n"
                               "[endpoint a] port\n"
                               "[endpoint a] protocols\n"
                               "[endpoint b] protocols\n");
    assert_int_equal(next->workers, 2);
    assert_string_equal(next->module_path, "./x");
    assert_string_equal(next->modules[1], "b");
    assert_null(next->modules[2]);
    assert_int_equal(next->endpoint_count, 2);
    assert_string_equal(next->endpoints[0].name, "a");
    assert_int_equal(next->endpoints[0].port, 1);
    assert_string_equal(next->endpoints[0].protocols[0], "text");
    assert_string_equal(next->endpoints[1].name, "b");
    assert_null(next->endpoints[1].protocols);
    assert_int_equal(next->endpoints[1].heartbeat, 9000);
    xs_config_free(next);
}

static void endpoints_neither_come_nor_go(void **state)
{
    struct xs_config *old = read_text("[endpoint a]\nport = 1\nheartbeat = 3s\n"
                                      "[endpoint b]\nport = 2\n");
    struct xs_config *next = read_text("[endpoint c]\nport = 3\n[endpoint b]\nport = 2\n");
    char named[512] = "";

    (void)state;
    xs_config_keep_fixed(old, next, note, named);
    xs_config_free(old);
    assert_string_equal(named, "[endpoint a]\n[endpoint c]\n");
    assert_int_equal(next->endpoint_count, 2);
    assert_string_equal(next->endpoints[0].name, "a");
    assert_int_equal(next->endpoints[0].port, 1);
    assert_int_equal(next->endpoints[0].heartbeat, 3000);
    assert_string_equal(next->endpoints[1].name, "b");
    xs_config_free(next);
}

static void sections_of_modules_stay_as_they_were(void **state)
{
    struct xs_config *old =
        read_text("[controller a]\nx = 1\ny = 2\n"
                  "[controller b]\nmodule = m\n"
                  "[subprotocol s]\nsubprotocol_alias = A\n[controller c]\n");
    struct xs_config *next = read_text("[controller b]\nmodule = n\nuse = z\n"
                                       "[controller a]\nx = 1\ny = 3\nz = 4\n"
                                       "[subprotocol s]\nsubprotocol_alias = A, B\n"
                                       "[controller d]\n");
    char named[512] = "";

    (void)state;
    xs_config_keep_fixed(old, next, note, named);
    xs_config_free(old);
    assert_string_equal(named, "[controller a] y\n"
                               "[controller a] z\n"
                               "[controller b] module\n"
                               "[controller b] use\n"
                               "[subprotocol s] subprotocol_alias\n"
                               "[controller c]\n"
                               "[controller d]\n");
    assert_int_equal(next->section_count, 4);
    assert_string_equal(next->sections[0].name, "a");
    assert_int_equal(next->sections[0].pair_count, 2);
    assert_string_equal(next->sections[0].pairs[1].value, "2");
    assert_string_equal(next->sections[1].module, "m");
    assert_null(next->sections[1].use);
    assert_string_equal(next->sections[2].subprotocol_alias[0], "A");
    assert_null(next->sections[2].subprotocol_alias[1]);
    assert_string_equal(next->sections[3].name, "c");
    xs_config_free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_change_changes_and_nothing_is_named),
        cmocka_unit_test(what_is_fixed_stays_and_is_named),
        cmocka_unit_test(endpoints_neither_come_nor_go),
        cmocka_unit_test(sections_of_modules_stay_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
