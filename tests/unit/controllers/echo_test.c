/* rooms: base message
 * needs: modules/controllers/echo/echo.c tests/conformance/client.c */
/* echo - the caller hears what it said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

const struct xs_plugin *xs_plugin_entry(void);

static struct xs_client *opened(void)
{
    return xt_client_new(xt_plugin_controller(xs_plugin_entry(), "echo"), NULL);
}

static void the_caller_gets_it_back_under_the_same_topic(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    assert_int_equal(xt_say(client, "say", xs_text("hi")), XS_OK);
    assert_int_equal(client->sent_count, 1);
    assert_int_equal(client->sent[0].how, XT_REPLY);
    assert_string_equal(client->sent[0].topic, "say");
    assert_string_equal(client->sent[0].data, "hi");
    assert_int_equal(client->sent[0].form, XS_TEXT);
    assert_false(client->sent[0].has_blob);
    xt_client_free(client);
}

static void a_blob_comes_back_with_its_data(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    assert_int_equal(xt_say_blob(client, "pic", xs_json("{}"), XS_SLICE("")), XS_OK);
    assert_int_equal(xt_say_blob(client, "pic", xs_json("{}"), XS_SLICE("\0\1")), XS_OK);
    assert_int_equal(client->sent_count, 2);
    assert_true(client->sent[0].has_blob);
    assert_int_equal(client->sent[0].blob_len, 0);
    assert_int_equal(client->sent[1].blob_len, 2);
    assert_string_equal(client->sent[1].data, "{}");
    xt_client_free(client);
}

static void a_topic_of_any_allowed_length_comes_back(void **state)
{
    struct xs_client *client = opened();
    char topic[1024];

    (void)state;
    memset(topic, 't', sizeof topic);
    topic[1023] = '\0';
    assert_int_equal(xt_say(client, topic, xs_null()), XS_OK);
    assert_string_equal(client->sent[0].topic, topic);
    xt_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caller_gets_it_back_under_the_same_topic),
        cmocka_unit_test(a_blob_comes_back_with_its_data),
        cmocka_unit_test(a_topic_of_any_allowed_length_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
