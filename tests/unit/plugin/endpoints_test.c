/* endpoints - names that an endpoint gives must be there; two claimants are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plugin/plugin.h"

#define MODULES                                                                                \
    "[server]\nmodules = trial_protocol, rival, trial_subprotocol, trial_transport\n"

static void note(void *context, const char *sentence)
{
    strcat(strcat(context, sentence), "\n");
}

/* Compares all that is said with `said`, and the error (NULL: none). */
static void checked(const char *endpoints, const char *said, const char *expected_error)
{
    static const char *const folder = "server.module_path=" XS_TEST_MODULES;
    char text[1024], sentences[2048] = "", *error = NULL;
    struct xs_config *config;
    struct xs_registry *registry;
    int code;

    snprintf(text, sizeof text, "%s%s", MODULES, endpoints);
    config = xs_config_read_text("server.ini", xs_slice_of(text), &folder, 1, &error);
    if (error != NULL)
        fail_msg("%s", error);
    registry = xs_registry_load(config, &error, &code);
    if (error != NULL)
        fail_msg("%s", error);
    assert_int_equal(xs_registry_check(registry, config, note, sentences, &error),
                     expected_error == NULL);
    assert_string_equal(sentences, said);
    if (expected_error != NULL)
        assert_string_equal(error, expected_error);
    else
        assert_null(error);
    xs_free(error);
    xs_registry_free(registry);
    xs_config_free(config);
}

static void two_that_claim_the_same_bytes_are_told_with_who_wins(void **state)
{
    (void)state;
    checked(
        "[endpoint a]\ntransport = trial\nprotocols = trial, rival\n",
        "endpoint a: \"trial\" and \"rival\" both claim \"TRIAL\\n\"; \"trial\" stands first "
        "and gets it\n",
        NULL);
    checked(
        "[endpoint a]\ntransport = trial\nprotocols = rival, trial\n",
        "endpoint a: \"rival\" and \"trial\" both claim \"TRIAL\\n\"; \"rival\" stands first "
        "and gets it\n",
        NULL);
}

static void two_that_answer_to_the_same_subprotocol_are_told(void **state)
{
    (void)state;
    checked("[endpoint a]\ntransport = trial\nprotocols = trial, trialsub, rivalsub\n",
            "endpoint a: \"trialsub\" and \"rivalsub\" both answer to the subprotocol "
            "\"TrialProtocol\"; \"trialsub\" stands first and gets it\n",
            NULL);
}

static void all_means_the_order_of_loading(void **state)
{
    (void)state;
    checked(
        "[endpoint a]\ntransport = trial\n",
        "endpoint a: \"trial\" and \"rival\" both claim \"TRIAL\\n\"; \"trial\" stands first "
        "and gets it\n"
        "endpoint a: \"rivalsub\" and \"trialsub\" both answer to the subprotocol "
        "\"TrialProtocol\"; \"rivalsub\" stands first and gets it\n",
        NULL);
}

static void each_endpoint_is_looked_at_by_itself(void **state)
{
    (void)state;
    checked("[endpoint a]\ntransport = trial\nprotocols = trial\n"
            "[endpoint b]\ntransport = trial\nprotocols = rival\nport = 1\n",
            "", NULL);
}

static void an_endpoint_that_nobody_can_reach_is_told(void **state)
{
    (void)state;
    checked("[endpoint a]\ntransport = trial\nprotocols = trialsub\n",
            "endpoint a: none of its protocols recognises a connection by its first bytes, so "
            "nobody can be served\n",
            NULL);
}

static void names_that_nobody_brings_are_refused(void **state)
{
    (void)state;
    checked("[endpoint a]\ntransport = trial\nprotocols = trail\n", "",
            "server.ini:5: [endpoint a] protocols: there is no \"trail\" (did you mean "
            "\"trial\"?)");
    checked(
        "[endpoint a]\ntransport = trial\nprotocols = banana\n", "",
        "server.ini:5: [endpoint a] protocols: there is no \"banana\"; no module brings it");
    checked("[endpoint a]\ntransport = trail\n", "",
            "server.ini:4: [endpoint a] transport: there is no \"trail\" (did you mean "
            "\"trial\"?)");
    checked("[endpoint a]\n", "",
            "server.ini:3: [endpoint a] transport: there is no \"tcp\"; no module brings it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_that_claim_the_same_bytes_are_told_with_who_wins),
        cmocka_unit_test(two_that_answer_to_the_same_subprotocol_are_told),
        cmocka_unit_test(all_means_the_order_of_loading),
        cmocka_unit_test(each_endpoint_is_looked_at_by_itself),
        cmocka_unit_test(an_endpoint_that_nobody_can_reach_is_told),
        cmocka_unit_test(names_that_nobody_brings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
