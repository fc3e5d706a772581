/* registry - which module serves under which name, with which settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plugin/plugin.h"

static struct xs_config *configured(const char *text)
{
    static const char *const folder = "server.module_path=" XS_TEST_MODULES;
    char *error = NULL;
    struct xs_config *config =
        xs_config_read_text("server.ini", xs_slice_of(text), &folder, 1, &error);

    if (error != NULL)
        fail_msg("%s", error);
    return config;
}

static struct xs_registry *loaded(const char *text)
{
    struct xs_config *config = configured(text);
    char *error = NULL;
    int code = 0;
    struct xs_registry *registry = xs_registry_load(config, &error, &code);

    if (error != NULL)
        fail_msg("%s", error);
    assert_non_null(registry);
    assert_int_equal(code, 0);
    xs_config_free(config); /* nothing of it is needed any more */
    return registry;
}

static void refused(const char *text, int expected_code, const char *sentence)
{
    struct xs_config *config = configured(text);
    char *error = NULL;
    int code = 0;

    assert_null(xs_registry_load(config, &error, &code));
    assert_non_null(error);
    assert_string_equal(error, sentence);
    assert_int_equal(code, expected_code);
    xs_free(error);
    xs_config_free(config);
}

/* ---- what serves ---- */

static void modules_of_the_server_serve_all_but_controllers(void **state)
{
    struct xs_registry *registry =
        loaded("[server]\nmodules = trial_protocol, rival, trial_controller, trial_transport, "
               "trial_subprotocol\n");

    (void)state;
    assert_int_equal(registry->protocol_count, 2);
    assert_string_equal(registry->protocols[0]->name, "trial");
    assert_string_equal(registry->protocols[0]->file->name, "trial_protocol.so");
    assert_string_equal(registry->protocols[0]->file->version, "1.2.3");
    assert_int_equal(registry->protocols[0]->index, 0);
    assert_string_equal(registry->protocols[1]->name, "rival");
    assert_int_equal(registry->protocols[1]->index, 1);
    assert_int_equal(registry->subprotocol_count, 2);
    assert_string_equal(registry->subprotocols[0]->name, "rivalsub");
    assert_string_equal(registry->subprotocols[1]->token, "TrialProtocol");
    assert_int_equal(registry->transport_count, 1);
    assert_int_equal(registry->controller_count, 0);
    assert_int_equal(registry->other_count, 0);
    assert_int_equal(registry->file_count, 5);
    assert_ptr_equal(xs_registry_protocol(registry, "rival"), registry->protocols[1]);
    assert_null(xs_registry_protocol(registry, "Rival"));
    assert_ptr_equal(xs_registry_subprotocol(registry, "trialsub"), registry->subprotocols[1]);
    assert_null(xs_registry_subprotocol(registry, "trial"));
    assert_ptr_equal(xs_registry_transport(registry, "trial"), registry->transports[0]);
    assert_null(xs_registry_transport(registry, "tcp"));
    xs_registry_free(registry);
}

static void kinds_without_a_host_yet_are_counted(void **state)
{
    struct xs_registry *registry =
        loaded("[server]\nmodules = trial_storage trial_interceptor\n");

    (void)state;
    assert_int_equal(registry->other_count, 2);
    assert_int_equal(registry->protocol_count, 0);
    xs_registry_free(registry);
}

static void a_controller_is_served_under_its_sections_name_folded(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules =\n"
                                          "[controller Trial]\nmodule = trial_controller\n"
                                          "[controller Lobby]\nmodule = trial_controller\n"
                                          "use = TRIAL\n"
                                          "[controller other]\nmodule = trial_controller\n");
    const struct xs_module_controller *lobby = xs_registry_controller(registry, "lobby");
    const struct xs_property *properties;

    (void)state;
    assert_int_equal(registry->controller_count, 3);
    assert_int_equal(registry->file_count, 1);
    assert_string_equal(registry->controllers[0]->name, "trial");
    assert_non_null(lobby);
    assert_int_equal(lobby->index, 1);
    assert_string_equal(lobby->ops.name, "lobby");
    assert_int_equal(lobby->ops.actions.element, sizeof(struct xs_action));
    properties = lobby->ops.properties.at;
    assert_string_equal(properties[1].name, "nick");
    assert_non_null(xs_registry_controller(registry, "other"));
    assert_null(xs_registry_controller(registry, "Lobby"));
    xs_registry_free(registry);
}

static void a_section_without_a_module_takes_the_file_of_its_name(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules =\n"
                                          "[protocol trial_protocol]\n"
                                          "[controller short_ops]\n");

    (void)state;
    assert_string_equal(registry->protocols[0]->name, "trial_protocol");
    assert_string_equal(registry->protocols[0]->ops.name, "trial_protocol");
    assert_string_equal(registry->controllers[0]->name, "short_ops");
    xs_registry_free(registry);
}

static void a_section_without_a_module_takes_what_is_loaded_already(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules = rival\n[controller trial]\n");

    (void)state;
    assert_string_equal(registry->controllers[0]->file->name, "rival.so");
    assert_int_equal(registry->file_count, 1);
    xs_registry_free(registry);
}

static void one_ops_struct_serves_under_several_names_with_settings_of_their_own(void **state)
{
    struct xs_registry *registry =
        loaded("[server]\nmodules = trial_subprotocol\n"
               "[subprotocol trialsub]\ntopic = first\n"
               "[subprotocol second]\nmodule = trial_subprotocol\nuse = trialsub\n"
               "topic = other\n");

    (void)state;
    assert_int_equal(registry->subprotocol_count, 2);
    assert_string_equal(registry->subprotocols[0]->name, "trialsub");
    assert_string_equal(xs_setting_text(&registry->subprotocols[0]->settings, "topic"),
                        "first");
    assert_string_equal(registry->subprotocols[1]->name, "second");
    assert_string_equal(registry->subprotocols[1]->token, "TrialProtocol");
    assert_string_equal(xs_setting_text(&registry->subprotocols[1]->settings, "topic"),
                        "other");
    xs_registry_free(registry);
}

static void a_subprotocol_may_stand_in_a_protocol_section(void **state)
{
    struct xs_registry *registry =
        loaded("[server]\nmodules = trial_subprotocol\n[protocol trialsub]\ntopic = x\n");

    (void)state;
    assert_int_equal(registry->protocol_count, 0);
    assert_int_equal(registry->subprotocol_count, 1);
    assert_string_equal(xs_setting_text(&registry->subprotocols[0]->settings, "topic"), "x");
    xs_registry_free(registry);
    registry = loaded("[server]\nmodules =\n[protocol trialsub]\nmodule = trial_subprotocol\n");
    assert_int_equal(registry->subprotocol_count, 1);
    xs_registry_free(registry);
}

static void aliases_are_further_tokens_of_the_same_name(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules = trial_subprotocol\n"
                                          "[subprotocol trialsub]\ntopic = x\n"
                                          "subprotocol_alias = One, Two\n");
    size_t i;

    (void)state;
    assert_int_equal(registry->subprotocol_count, 3);
    for (i = 0; i < 3; i++) {
        assert_string_equal(registry->subprotocols[i]->name, "trialsub");
        assert_string_equal(registry->subprotocols[i]->ops.token,
                            registry->subprotocols[i]->token);
        assert_int_equal(registry->subprotocols[i]->index, i);
        assert_string_equal(xs_setting_text(&registry->subprotocols[i]->settings, "topic"),
                            "x");
    }
    assert_string_equal(registry->subprotocols[0]->token, "TrialProtocol");
    assert_string_equal(registry->subprotocols[1]->token, "One");
    assert_string_equal(registry->subprotocols[2]->token, "Two");
    assert_ptr_equal(xs_registry_subprotocol(registry, "trialsub"), registry->subprotocols[0]);
    xs_registry_free(registry);
}

static void a_section_with_another_module_takes_the_name_from_one_of_the_server(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules = trial_protocol\n"
                                          "[protocol trial]\nmodule = rival\nuse = rival\n");

    (void)state;
    assert_int_equal(registry->protocol_count, 1);
    assert_string_equal(registry->protocols[0]->name, "trial");
    assert_string_equal(registry->protocols[0]->file->name, "rival.so");
    xs_registry_free(registry);
}

static void a_module_is_found_by_its_path(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules = " XS_TEST_MODULES "/rival.so\n");

    (void)state;
    assert_string_equal(registry->files[0]->name, "rival.so");
    assert_string_equal(registry->files[0]->path, XS_TEST_MODULES "/rival.so");
    xs_registry_free(registry);
}

/* ---- what does not ---- */

static void a_module_that_is_not_there_is_told_with_who_wants_it(void **state)
{
    (void)state;
    refused("[server]\nmodules = none\n", 69,
            "server.ini: [server] module none.so: " XS_TEST_MODULES
            "/none.so cannot be read: No such file or directory");
    refused("[server]\nmodules =\n\n[controller none]\n", 69,
            "server.ini:4: [controller none] module none.so: " XS_TEST_MODULES
            "/none.so cannot be read: No such file or directory");
    refused(
        "[server]\nmodules =\n[controller a]\nmodule = ./b.so\n", 69,
        "server.ini:3: [controller a] module b.so: ././b.so cannot be read: No such file or "
        "directory");
    refused("[server]\nmodules = bad_future\n", 69,
            "server.ini: [server] module bad_future.so: built for a newer xsockets (needs "
            "xs_from_the_future)");
}

static void a_module_without_what_a_section_wants_is_refused(void **state)
{
    (void)state;
    refused("[server]\nmodules =\n[controller a]\nmodule = trial_protocol\n", 69,
            "server.ini:3: [controller a] module trial_protocol.so: it brings no controller "
            "\"a\"");
    refused("[server]\nmodules =\n[controller a]\nmodule = trial_controller\nuse = b\n", 69,
            "server.ini:3: [controller a] module trial_controller.so: it brings no controller "
            "\"b\"");
    refused("[server]\nmodules =\n[subprotocol trial]\nmodule = trial_protocol\n", 69,
            "server.ini:3: [subprotocol trial] module trial_protocol.so: it brings no "
            "subprotocol \"trial\"");
}

static void one_name_is_served_once(void **state)
{
    (void)state;
    refused(
        "[server]\nmodules =\n[controller trial]\nmodule = rival\n"
        "[controller TRIAL]\nmodule = trial_controller\n",
        69,
        "server.ini:5: [controller TRIAL] module trial_controller.so: there is a controller "
        "\"trial\" already, from rival.so");
    refused("[server]\nmodules = trial_protocol\n[subprotocol trial]\nmodule = "
            "trial_subprotocol\n",
            69,
            "server.ini:3: [subprotocol trial] module trial_subprotocol.so: there is a "
            "subprotocol \"trial\" already, from trial_protocol.so");
    refused("[server]\nmodules = trial_subprotocol\n[protocol trialsub]\n"
            "[subprotocol trialsub]\n",
            69,
            "server.ini:3: [protocol trialsub] module trial_subprotocol.so: there is a "
            "subprotocol \"trialsub\" already, from trial_subprotocol.so");
}

static void only_subprotocols_have_aliases(void **state)
{
    (void)state;
    refused("[server]\nmodules = trial_protocol\n[protocol trial]\nsubprotocol_alias = x\n", 78,
            "server.ini:3: [protocol trial] only a subprotocol has a subprotocol_alias");
}

/* ---- settings ---- */

static void settings_have_their_defaults(void **state)
{
    struct xs_registry *registry = loaded("[server]\nmodules = trial_protocol\n");
    const struct xs_settings *settings = &registry->protocols[0]->settings;

    (void)state;
    assert_string_equal(xs_setting_text(settings, "motto"), "per aspera");
    assert_int_equal(xs_setting_number(settings, "loud"), 0);
    assert_int_equal(xs_setting_number(settings, "rank"), -3);
    assert_int_equal(xs_setting_number(settings, "room"), 4096);
    assert_int_equal(xs_setting_number(settings, "patience"), 250);
    assert_string_equal(xs_setting_text(settings, "controller"), "");
    assert_string_equal(xs_setting_text(settings, "topic"), "line");
    assert_string_equal(xs_setting_text(settings, "unknown"), "");
    assert_int_equal(xs_setting_number(settings, "unknown"), 0);
    assert_string_equal(xs_setting_text(NULL, "motto"), "");
    assert_int_equal(xs_setting_number(NULL, "motto"), 0);
    xs_registry_free(registry);
}

static void settings_come_from_the_section(void **state)
{
    struct xs_registry *registry;
    const struct xs_settings *settings;

    (void)state;
    setenv("XS_TEST_MOTTO", "ad astra", 1);
    registry = loaded("[server]\nmodules = trial_protocol\n"
                      "[protocol trial]\nmotto = ${XS_TEST_MOTTO}\nloud = on\nrank = 17\n"
                      "room = 2MiB\npatience = 1m\ncontroller = chat\ntopic = a b/c\n");
    settings = &registry->protocols[0]->settings;
    assert_string_equal(xs_setting_text(settings, "motto"), "ad astra");
    assert_int_equal(xs_setting_number(settings, "loud"), 1);
    assert_int_equal(xs_setting_number(settings, "rank"), 17);
    assert_int_equal(xs_setting_number(settings, "room"), 2 << 20);
    assert_int_equal(xs_setting_number(settings, "patience"), 60000);
    assert_string_equal(xs_setting_text(settings, "controller"), "chat");
    assert_string_equal(xs_setting_text(settings, "topic"), "a b/c");
    xs_registry_free(registry);
}

static void a_setting_that_is_wrong_is_told_with_its_line(void **state)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        { "moto = x", "unknown key \"moto\" (did you mean \"motto\"?)" },
        { "modul = x", "unknown key \"modul\" (did you mean \"module\"?)" },
        { "banana = x", "unknown key \"banana\"" },
        { "loud = very", "loud = very: must be yes or no" },
        { "rank = first", "rank = first: must be a whole number" },
        { "room = 4096", "room = 4096: the unit is missing: write B, KiB, MiB, GiB or TiB "
                         "behind the number, as "
                         "in 64KiB" },
        { "patience = none", "patience = none: must be a time, as in 10s" },
        { "patience =", "patience is empty: must be a time, as in 10s" },
        { "controller = a b", "controller = a b: must be a name of letters, digits, \"-\", "
                              "\"_\" and \".\", at most "
                              "64" },
    };
    char text[256], sentence[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text,
                 "[server]\nmodules = trial_protocol\n[protocol trial]\n%s\n", cases[i].line);
        snprintf(sentence, sizeof sentence, "server.ini:4: [protocol trial] %s", cases[i].why);
        refused(text, 78, sentence);
    }
}

/* Relative to the ini file's folder; from -D, to the one in which the daemon was started. */
static void a_folder_is_found_from_the_ini_file_and_must_be_there(void **state)
{
    static const char text[] = "[server]\nmodules = trial_protocol\n"
                               "[protocol trial]\nshelf = ./unit/base\n";
    const char *const there = XS_SOURCE_DIR "/tests/server.ini";
    const char *overrides[] = { "server.module_path=" XS_TEST_MODULES,
                                "protocol trial.shelf=." };
    const struct xs_settings *settings;
    struct xs_registry *registry;
    struct xs_config *config;
    char *error = NULL;
    int code = 0;

    (void)state;
    config = xs_config_read_text(there, xs_slice_of(text), overrides, 1, &error);
    registry = xs_registry_load(config, &error, &code);
    xs_config_free(config);
    assert_non_null(registry);
    settings = &registry->protocols[0]->settings;
    assert_string_equal(xs_setting_text(settings, "shelf"), XS_SOURCE_DIR "/tests/./unit/base");
    assert_string_equal(xs_setting_folder(settings, "shelf")->path,
                        XS_SOURCE_DIR "/tests/./unit/base");
    assert_null(xs_setting_folder(settings, "motto"));
    assert_null(xs_setting_folder(settings, "unknown"));
    xs_registry_free(registry);

    config = xs_config_read_text(there, xs_slice_of(text), overrides, 2, &error);
    registry = xs_registry_load(config, &error, &code);
    xs_config_free(config);
    assert_string_equal(xs_setting_text(&registry->protocols[0]->settings, "shelf"), ".");
    xs_registry_free(registry);

    registry = loaded("[server]\nmodules = trial_protocol\n[protocol trial]\nshelf =\n");
    assert_null(xs_setting_folder(&registry->protocols[0]->settings, "shelf"));
    xs_registry_free(registry);
    refused("[server]\nmodules = trial_protocol\n[protocol trial]\nshelf = no/where\n", 78,
            "server.ini:4: [protocol trial] shelf = no/where: there is no such folder");
    refused("[server]\nmodules = trial_protocol\n[protocol trial]\nshelf = /dev/null\n", 78,
            "server.ini:4: [protocol trial] shelf = /dev/null: there is no such folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_of_the_server_serve_all_but_controllers),
        cmocka_unit_test(kinds_without_a_host_yet_are_counted),
        cmocka_unit_test(a_controller_is_served_under_its_sections_name_folded),
        cmocka_unit_test(a_section_without_a_module_takes_the_file_of_its_name),
        cmocka_unit_test(a_section_without_a_module_takes_what_is_loaded_already),
        cmocka_unit_test(one_ops_struct_serves_under_several_names_with_settings_of_their_own),
        cmocka_unit_test(a_subprotocol_may_stand_in_a_protocol_section),
        cmocka_unit_test(aliases_are_further_tokens_of_the_same_name),
        cmocka_unit_test(a_section_with_another_module_takes_the_name_from_one_of_the_server),
        cmocka_unit_test(a_module_is_found_by_its_path),
        cmocka_unit_test(a_module_that_is_not_there_is_told_with_who_wants_it),
        cmocka_unit_test(a_module_without_what_a_section_wants_is_refused),
        cmocka_unit_test(one_name_is_served_once),
        cmocka_unit_test(only_subprotocols_have_aliases),
        cmocka_unit_test(settings_have_their_defaults),
        cmocka_unit_test(settings_come_from_the_section),
        cmocka_unit_test(a_setting_that_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_folder_is_found_from_the_ini_file_and_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
