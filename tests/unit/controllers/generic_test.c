/* rooms: base message
 * needs: modules/controllers/generic/generic.c tests/conformance/client.c */
/* generic - everybody who has it open hears everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

const struct xs_plugin *xs_plugin_entry(void);

static void any_message_goes_to_all_as_it_came(void **state)
{
    struct xs_client *client =
        xt_client_new(xt_plugin_controller(xs_plugin_entry(), "generic"), NULL);

    (void)state;
    assert_int_equal(xt_say(client, "say", xs_text("hi")), XS_OK);
    assert_int_equal(xt_say_blob(client, "pic", xs_null(), XS_SLICE("\1\2")), XS_OK);
    assert_int_equal(client->sent_count, 2);
    assert_int_equal(client->sent[0].how, XT_FORWARD);
    assert_false(client->sent[0].subscribers_only);
    assert_string_equal(client->sent[0].topic, "say");
    assert_int_equal(client->sent[1].how, XT_FORWARD);
    assert_int_equal(client->sent[1].blob_len, 2);
    xt_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_message_goes_to_all_as_it_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
