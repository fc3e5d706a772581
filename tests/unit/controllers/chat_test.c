/* rooms: base message
 * needs: modules/controllers/chat/chat.c tests/conformance/client.c */
/* chat - rooms by condition, other topics by subscription. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

const struct xs_plugin *xs_plugin_entry(void);

static struct xs_client *opened(void)
{
    return xt_client_new(xt_plugin_controller(xs_plugin_entry(), "chat"), NULL);
}

/* As the host sets a property: through the table. */
static void set_property(struct xs_client *client, const char *name, const char *value)
{
    const struct xs_property *rows = client->ops->properties.at;

    for (size_t i = 0; i < client->ops->properties.count; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        assert_int_equal(rows[i].type, XS_TYPE_STRING);
        assert_true((rows[i].flags & XS_CLIENT_MAY_SET) != 0);
        assert_true((rows[i].flags & XS_CLIENT_MAY_GET) != 0);
        assert_int_equal(rows[i].size, 32);
        assert_true(strlen(value) < rows[i].size);
        memcpy((char *)client->state + rows[i].offset, value, strlen(value) + 1);
        return;
    }
    fail_msg("no property %s", name);
}

static void say_reaches_the_room_of_the_speaker_without_subscription(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    set_property(client, "username", "anna");
    set_property(client, "room", "attic");
    assert_int_equal(xt_say(client, "say", xs_text("hi")), XS_OK);
    assert_int_equal(client->sent_count, 1);
    assert_int_equal(client->sent[0].how, XT_SEND);
    assert_string_equal(client->sent[0].topic, "say");
    assert_string_equal(client->sent[0].data, "hi");
    assert_int_equal(client->sent[0].form, XS_TEXT);
    assert_string_equal(client->sent[0].where_property, "room");
    assert_string_equal(client->sent[0].where_text, "attic");
    assert_false(client->sent[0].subscribers_only);
    assert_false(client->sent[0].but_me);
    xt_client_free(client);
}

static void who_has_chosen_no_room_is_with_the_others_who_have_not(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    assert_int_equal(xt_say_blob(client, "Say", xs_null(), XS_SLICE("\1")), XS_OK);
    assert_string_equal(client->sent[0].where_text, "");
    assert_true(client->sent[0].has_blob);
    assert_int_equal(client->sent[0].blob_len, 1);
    xt_client_free(client);
}

static void any_other_topic_is_published_to_its_subscribers(void **state)
{
    struct xs_client *client = opened();

    (void)state;
    assert_int_equal(xt_say(client, "news", xs_json("1")), XS_OK);
    assert_int_equal(client->sent_count, 1);
    assert_int_equal(client->sent[0].how, XT_FORWARD);
    assert_true(client->sent[0].subscribers_only);
    assert_string_equal(client->sent[0].topic, "news");
    xt_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(say_reaches_the_room_of_the_speaker_without_subscription),
        cmocka_unit_test(who_has_chosen_no_room_is_with_the_others_who_have_not),
        cmocka_unit_test(any_other_topic_is_published_to_its_subscribers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
