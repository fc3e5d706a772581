/* rooms: base message
 * needs: modules/controllers/foo/foo.c tests/conformance/client.c src/controller/binding.c */
/* foo - a method with parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client.h"

const struct xs_plugin *xs_plugin_entry(void);

static struct xs_client *opened(void)
{
    return xt_client_new(xt_plugin_controller(xs_plugin_entry(), "demo"), NULL);
}

static void foo_tells_everybody_what_it_was_called_with(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    assert_int_equal(xt_say(client, "foo", xs_json("{\"s\":\"bar\",\"i\":42}")), XS_OK);
    assert_int_equal(client->sent_count, 1);
    assert_int_equal(client->sent[0].how, XT_SEND);
    assert_string_equal(client->sent[0].topic, "foo");
    assert_string_equal(client->sent[0].data, "{\"stringValue\":\"bar\",\"intValue\":42}");
    assert_int_equal(client->sent[0].form, XS_JSON);
    assert_false(client->sent[0].subscribers_only);
    assert_false(client->sent[0].but_me);
    assert_null(client->sent[0].where_property);
    xt_client_free(client);
}

static void parameters_may_be_lenient_json_and_named_in_any_case(void **state)
{
    static const char *const texts[] = { "{s:'bar',i:42}", "{'S':'bar','I':42}",
                                         "{i:42,s:\"bar\",more:[1]}" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct xs_client *client = opened();

        assert_int_equal(xt_say(client, "Foo", xs_text(texts[i])), XS_OK);
        assert_string_equal(client->sent[0].data, "{\"stringValue\":\"bar\",\"intValue\":42}");
        xt_client_free(client);
    }
}

static void the_answer_is_json_whatever_the_string_holds(void **state)
{
    struct xs_client *client = opened();
    char call[6 * 255 + 32] = "{\"i\":-2147483648,\"s\":\"";
    size_t len = strlen(call);

    (void)state;
    for (int i = 0; i < 255; i++, len += 6)
        snprintf(call + len, sizeof call - len, "\\u0001");
    snprintf(call + len, sizeof call - len, "\"}");
    assert_int_equal(xt_say(client, "foo", xs_json(call)), XS_OK);
    assert_int_equal(strlen(client->sent[0].data),
                     strlen("{\"stringValue\":\"\",\"intValue\":-2147483648}") + 6 * 255);
    assert_int_equal(xs_data_of(xs_slice_of(client->sent[0].data)).form, XS_JSON);
    xt_client_free(client);
}

static void wrong_parameters_are_refused(void **state)
{
    static const char *const texts[] = { "{\"s\":\"bar\"}",
                                         "{\"i\":42}",
                                         "{\"s\":[1],\"i\":42}",
                                         "{\"s\":\"bar\",\"i\":\"x\"}",
                                         "{\"s\":\"bar\",\"i\":2147483648}",
                                         "{\"s\":\"bar\",\"i\":1.5}",
                                         "{\"s\":null,\"i\":1}",
                                         "42",
                                         "null",
                                         "[]" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct xs_client *client = opened();

        assert_int_equal(xt_say(client, "foo", xs_json(texts[i])), XS_EINVAL);
        assert_int_equal(client->sent_count, 0);
        xt_client_free(client);
    }
}

static void any_other_topic_goes_to_all_as_it_came(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    assert_int_equal(xt_say(client, "bar", xs_text("x")), XS_OK);
    assert_int_equal(client->sent[0].how, XT_FORWARD);
    assert_false(client->sent[0].subscribers_only);
    xt_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foo_tells_everybody_what_it_was_called_with),
        cmocka_unit_test(parameters_may_be_lenient_json_and_named_in_any_case),
        cmocka_unit_test(the_answer_is_json_whatever_the_string_holds),
        cmocka_unit_test(wrong_parameters_are_refused),
        cmocka_unit_test(any_other_topic_goes_to_all_as_it_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
