/* loader - shared objects: which are taken, which are refused with which sentence, and what the
 * host's copies hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plugin/loader.h"

/* The daemon has no host's side for authenticators and scale-out yet; this is one, so that the
 * trial modules of these kinds can be loaded and asked. */
struct xs_auth_request {
    struct xs_slice pass;
    char user[16], sentence[16];
};
struct xs_scaleout {
    char delivered[32];
};

struct xs_slice xs_auth_parameter(const struct xs_auth_request *request, const char *name)
{
    assert_string_equal(name, "pass");
    return request->pass;
}

void xs_auth_allow(struct xs_auth_request *request, const char *user, const char *roles)
{
    assert_string_equal(roles, "user");
    snprintf(request->user, sizeof request->user, "%s", user);
}

void xs_auth_deny(struct xs_auth_request *request, const char *sentence)
{
    snprintf(request->sentence, sizeof request->sentence, "%s", sentence);
}

void xs_scaleout_deliver(struct xs_scaleout *host, struct xs_slice subject,
                         struct xs_slice bytes)
{
    snprintf(host->delivered, sizeof host->delivered, "%.*s=%.*s", (int)subject.len, subject.at,
             (int)bytes.len, bytes.at);
}

/* ---- opening ---- */

static char *open_named(struct xs_loaded *loaded, const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", XS_TEST_MODULES, name);
    return xs_loaded_open(loaded, name, path);
}

/* The only thing in a module that must be in order. */
static void *opened(struct xs_loaded *loaded, const char *name, enum xs_module_kind kind)
{
    char *error = open_named(loaded, name);

    if (error != NULL)
        fail_msg("%s", error);
    assert_int_equal(loaded->counts[kind], 1);
    return loaded->ops[kind][0];
}

static void refused(const char *name, const char *sentence)
{
    struct xs_loaded loaded;
    char *error = open_named(&loaded, name);

    assert_non_null(error);
    assert_string_equal(error, sentence);
    assert_null(loaded.file.name);
    assert_int_equal(loaded.counts[XS_MODULE_CONTROLLER], 0);
    xs_free(error);
}

static void what_is_no_module_is_refused(void **state)
{
    (void)state;
    refused("none.so", "module none.so: " XS_TEST_MODULES
                       "/none.so cannot be read: No such file or directory");
    refused("bad_no_symbol.so",
            "module bad_no_symbol.so: is no xsockets module (no xs_plugin_entry)");
}

static void what_is_no_shared_object_is_refused(void **state)
{
    char path[] = "/tmp/xs_loader_test_XXXXXX", sentence[256];
    int fd = mkstemp(path);
    struct xs_loaded loaded;
    char *error;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hello, I am not an ELF file, but long enough to be one", 54),
                     54);
    close(fd);
    error = xs_loaded_open(&loaded, "x.so", path);
    snprintf(sentence, sizeof sentence, "module x.so: cannot be loaded: %s: file too short",
             path);
    if (strstr(error, "invalid ELF header") != NULL)
        snprintf(sentence, sizeof sentence,
                 "module x.so: cannot be loaded: %s: invalid ELF header", path);
    assert_string_equal(error, sentence);
    xs_free(error);
    unlink(path);
}

static void another_abi_is_refused(void **state)
{
    (void)state;
    refused("bad_abi.so",
            "module bad_abi.so: built for ABI 0.77 of xsockets, this one has 0.2; "
            "build it again");
}

static void a_symbol_that_is_not_there_yet_is_named(void **state)
{
    (void)state;
    refused("bad_future.so",
            "module bad_future.so: built for a newer xsockets (needs xs_from_the_future)");
    /* Again: nothing of the first attempt stays. */
    refused("bad_future.so",
            "module bad_future.so: built for a newer xsockets (needs xs_from_the_future)");
}

static void another_abi_says_more_than_a_missing_symbol(void **state)
{
    (void)state;
    refused("bad_future_abi.so",
            "module bad_future_abi.so: built for ABI 1.4 of xsockets, this "
            "one has 0.2; build it again");
}

static void a_symbol_of_another_library_is_named(void **state)
{
    (void)state;
    refused("bad_needs.so", "module bad_needs.so: nothing brings the symbol of_another_library "
                            "that it needs");
}

static void ops_that_lack_something_are_refused(void **state)
{
    (void)state;
    refused("bad_no_decode.so", "module bad_no_decode.so: protocol \"deaf\" has no decode()");
    refused(
        "bad_setting.so",
        "module bad_setting.so: controller \"setting\" has the setting \"pace\" with a wrong "
        "default: it must be a time, as in 10s");
}

/* ---- copies ---- */

static void what_lies_behind_a_shorter_struct_is_zero(void **state)
{
    struct xs_loaded loaded;
    const struct xs_controller_ops *ops = opened(&loaded, "short_ops.so", XS_MODULE_CONTROLLER);

    (void)state;
    assert_string_equal(loaded.file.version, "0.9.0");
    assert_string_equal(ops->name, "short");
    assert_int_equal(ops->sharing, XS_SHARED);
    assert_int_equal(ops->state_size, 8);
    assert_true(ops->opened == NULL);
    assert_true(ops->closed == NULL);
    assert_int_equal(loaded.counts[XS_MODULE_TRANSPORT], 0);
    xs_loaded_fini(&loaded);
}

static void tables_with_wider_elements_are_read_in_their_own_steps(void **state)
{
    struct xs_loaded loaded;
    struct xs_controller_ops *ops = opened(&loaded, "wide_tables.so", XS_MODULE_CONTROLLER);
    const struct xs_property *properties;
    const struct xs_action *actions;

    (void)state;
    assert_true(ops->properties.element > sizeof(struct xs_property));
    xs_table_copy(&ops->settings, sizeof(struct xs_setting));
    xs_table_copy(&ops->properties, sizeof(struct xs_property));
    xs_table_copy(&ops->actions, sizeof(struct xs_action));
    assert_int_equal(ops->settings.count, 2);
    assert_int_equal(ops->settings.element, sizeof(struct xs_setting));
    assert_string_equal(xs_settings_row(ops->settings, 1)->key, "two");
    properties = ops->properties.at;
    assert_string_equal(properties[0].name, "first");
    assert_string_equal(properties[1].name, "second");
    assert_int_equal(properties[1].offset, 1);
    actions = ops->actions.at;
    assert_string_equal(actions[1].topic, "b");
    assert_true(actions[1].call != NULL);
    xs_table_free(&ops->settings);
    xs_table_free(&ops->properties);
    xs_table_free(&ops->actions);
    xs_loaded_fini(&loaded);
}

static void tables_with_narrower_elements_are_filled_up_with_zero(void **state)
{
    struct narrow {
        const char *name;
        uint32_t type;
    };
    static const struct narrow rows[] = { { "a", 1 }, { "b", 2 } };
    struct xs_table table = XS_TABLE(rows);
    const struct xs_property *wide;

    (void)state;
    xs_table_copy(&table, sizeof(struct xs_property));
    wide = table.at;
    assert_string_equal(wide[0].name, "a");
    assert_string_equal(wide[1].name, "b");
    assert_int_equal(wide[1].type, 2);
    assert_int_equal(wide[1].flags, 0);
    assert_null(wide[1].inner);
    xs_table_free(&table);
}

/* ---- the trial modules ---- */

static void a_trial_protocol_is_taken(void **state)
{
    struct xs_loaded loaded;
    const struct xs_protocol_ops *ops =
        opened(&loaded, "trial_protocol.so", XS_MODULE_PROTOCOL);

    (void)state;
    assert_string_equal(loaded.file.name, "trial_protocol.so");
    assert_string_equal(loaded.file.version, "1.2.3");
    assert_int_equal(ops->match(XS_SLICE("TRI")), XS_MATCH_MORE);
    assert_int_equal(ops->match(XS_SLICE("TRIAL\n")), XS_MATCH_YES);
    assert_int_equal(ops->match(XS_SLICE("GET /")), XS_MATCH_NO);
    xs_loaded_fini(&loaded);
}

static void a_trial_subprotocol_is_taken(void **state)
{
    struct xs_loaded loaded;
    const struct xs_subprotocol_ops *ops =
        opened(&loaded, "trial_subprotocol.so", XS_MODULE_SUBPROTOCOL);

    (void)state;
    assert_string_equal(ops->token, "TrialProtocol");
    xs_loaded_fini(&loaded);
}

static void a_trial_controller_is_taken(void **state)
{
    struct xs_loaded loaded;
    const struct xs_controller_ops *ops =
        opened(&loaded, "trial_controller.so", XS_MODULE_CONTROLLER);

    (void)state;
    assert_int_equal(ops->properties.count, 2);
    assert_int_equal(ops->actions.count, 2);
    xs_loaded_fini(&loaded);
}

static void a_trial_transport_is_taken(void **state)
{
    struct xs_loaded loaded;

    (void)state;
    (void)opened(&loaded, "trial_transport.so", XS_MODULE_TRANSPORT);
    xs_loaded_fini(&loaded);
}

static bool keep_value(void *context, struct xs_slice key, struct xs_slice value)
{
    (void)key;
    snprintf(context, 16, "%.*s", (int)value.len, value.at);
    return true;
}

static void a_trial_storage_is_taken_and_remembers(void **state)
{
    struct xs_loaded loaded;
    const struct xs_storage_ops *ops = opened(&loaded, "trial_storage.so", XS_MODULE_STORAGE);
    const struct xs_owner owner = { XS_SLICE("default"), XS_SLICE("me") };
    const struct xs_slice table = XS_SLICE("chat"), key = XS_SLICE("color");
    void *memory = xs_alloc(ops->state_size);
    char value[16] = "";

    (void)state;
    assert_int_equal(ops->open(memory, NULL), XS_OK);
    assert_int_equal(ops->pairs->get(memory, &owner, table, key, keep_value, value),
                     XS_ENOTFOUND);
    assert_int_equal(ops->pairs->put(memory, &owner, table, key, XS_SLICE("red"), 0), XS_OK);
    assert_int_equal(ops->pairs->get(memory, &owner, table, key, keep_value, value), XS_OK);
    assert_string_equal(value, "red");
    ops->close(memory);
    xs_free(memory);
    xs_loaded_fini(&loaded);
}

static void a_trial_authenticator_is_taken_and_decides(void **state)
{
    struct xs_loaded loaded;
    const struct xs_auth_ops *ops = opened(&loaded, "trial_auth.so", XS_MODULE_AUTH);
    struct xs_auth_request with = { .pass = XS_SLICE("x") }, without = { .pass = { NULL, 0 } };

    (void)state;
    ops->authenticate(NULL, &with);
    ops->authenticate(NULL, &without);
    assert_string_equal(with.user, "somebody");
    assert_string_equal(with.sentence, "");
    assert_string_equal(without.user, "");
    assert_string_equal(without.sentence, "no pass");
    xs_loaded_fini(&loaded);
}

static void a_trial_interceptor_is_taken(void **state)
{
    struct xs_loaded loaded;
    const struct xs_interceptor_ops *ops =
        opened(&loaded, "trial_interceptor.so", XS_MODULE_INTERCEPTOR);

    (void)state;
    assert_true(ops->incoming != NULL);
    assert_true(ops->outgoing == NULL);
    xs_loaded_fini(&loaded);
}

static void a_trial_scaleout_is_taken_and_publishes(void **state)
{
    struct xs_loaded loaded;
    const struct xs_scaleout_ops *ops =
        opened(&loaded, "trial_scaleout.so", XS_MODULE_SCALEOUT);
    void *memory = xs_alloc(ops->state_size);
    struct xs_scaleout host = { "" };

    (void)state;
    assert_int_equal(ops->open(memory, &host, 1, NULL), XS_OK);
    assert_int_equal(ops->publish(memory, XS_SLICE("default/chat/say"), XS_SLICE("hello")),
                     XS_OK);
    assert_string_equal(host.delivered, "default/chat/say=hello");
    ops->close(memory);
    xs_free(memory);
    xs_loaded_fini(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_module_is_refused),
        cmocka_unit_test(what_is_no_shared_object_is_refused),
        cmocka_unit_test(another_abi_is_refused),
        cmocka_unit_test(a_symbol_that_is_not_there_yet_is_named),
        cmocka_unit_test(another_abi_says_more_than_a_missing_symbol),
        cmocka_unit_test(a_symbol_of_another_library_is_named),
        cmocka_unit_test(ops_that_lack_something_are_refused),
        cmocka_unit_test(what_lies_behind_a_shorter_struct_is_zero),
        cmocka_unit_test(tables_with_wider_elements_are_read_in_their_own_steps),
        cmocka_unit_test(tables_with_narrower_elements_are_filled_up_with_zero),
        cmocka_unit_test(a_trial_protocol_is_taken),
        cmocka_unit_test(a_trial_subprotocol_is_taken),
        cmocka_unit_test(a_trial_controller_is_taken),
        cmocka_unit_test(a_trial_transport_is_taken),
        cmocka_unit_test(a_trial_storage_is_taken_and_remembers),
        cmocka_unit_test(a_trial_authenticator_is_taken_and_decides),
        cmocka_unit_test(a_trial_interceptor_is_taken),
        cmocka_unit_test(a_trial_scaleout_is_taken_and_publishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
