/* rooms: base message
 * needs: modules/controllers/online/online.c
 * needs: tests/conformance/client.c src/controller/binding.c */
/* online - who is here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

const struct xs_plugin *xs_plugin_entry(void);

static struct xs_client *started(void)
{
    return xt_client_new(xt_plugin_controller(xs_plugin_entry(), "online"), NULL);
}

static void assert_published(const struct xt_sent *sent, const char *who)
{
    assert_int_equal(sent->how, XT_SEND);
    assert_true(sent->subscribers_only);
    assert_string_equal(sent->topic, "who");
    assert_string_equal(sent->data, who);
    assert_int_equal(sent->form, XS_JSON);
}

/* Somebody came or left: everybody is told the count, the subscribers who is here. */
static void assert_told(struct xs_client *me, const char *count, const char *who)
{
    assert_int_equal(xt_ring(me), 1);
    assert_int_equal(me->sent_count, 2);
    assert_int_equal(me->sent[0].how, XT_SEND);
    assert_false(me->sent[0].subscribers_only);
    assert_string_equal(me->sent[0].topic, "online");
    assert_string_equal(me->sent[0].data, count);
    assert_int_equal(me->sent[0].form, XS_JSON);
    assert_published(&me->sent[1], who);
    xt_client_forget(me);
}

static void assert_who(struct xs_client *client, const char *answer)
{
    assert_int_equal(xt_say(client, "who", xs_text("")), XS_OK);
    assert_int_equal(client->sent_count, 1);
    assert_int_equal(client->sent[0].how, XT_REPLY);
    assert_string_equal(client->sent[0].topic, "who");
    assert_string_equal(client->sent[0].data, answer);
    assert_int_equal(client->sent[0].form, XS_JSON);
    xt_client_forget(client);
}

static void everybody_is_told_when_somebody_comes_or_goes(void **state)
{
    struct xs_client *me = started();
    struct xs_client *anna = xt_client_join(me), *bert;

    (void)state;
    assert_told(me, "1", "{\"count\":1,\"names\":[]}");
    assert_int_equal(xt_ring(me), 0);
    bert = xt_client_join(me);
    assert_told(me, "2", "{\"count\":2,\"names\":[]}");
    xt_client_free(anna);
    assert_told(me, "1", "{\"count\":1,\"names\":[]}");
    xt_client_free(bert);
    assert_told(me, "0", "{\"count\":0,\"names\":[]}");
    xt_client_free(me);
}

static void changes_at_once_are_told_once(void **state)
{
    struct xs_client *me = started();
    struct xs_client *clients[16];

    (void)state;
    for (size_t i = 0; i < 16; i++)
        clients[i] = xt_client_join(me);
    xt_client_free(clients[3]);
    assert_int_equal(me->timer_count, 1);
    assert_told(me, "15", "{\"count\":15,\"names\":[]}");
    for (size_t i = 0; i < 16; i++)
        if (i != 3)
            xt_client_free(clients[i]);
    assert_told(me, "0", "{\"count\":0,\"names\":[]}");
    xt_client_free(me);
}

static void names_are_told_and_forgotten_with_their_clients(void **state)
{
    struct xs_client *me = started();
    struct xs_client *anna = xt_client_join(me), *bert = xt_client_join(me),
                     *nobody = xt_client_join(me);

    (void)state;
    assert_who(nobody, "{\"count\":3,\"names\":[]}");
    assert_int_equal(xt_say(anna, "name", xs_text("anna")), XS_OK);
    assert_int_equal(xt_say(bert, "Name", xs_json("{\"name\":\"b\\\"ert\"}")), XS_OK);
    assert_who(nobody, "{\"count\":3,\"names\":[\"anna\",\"b\\\"ert\"]}");
    assert_int_equal(xt_say(anna, "name", xs_json("\"zoe\"")), XS_OK);
    assert_who(anna, "{\"count\":3,\"names\":[\"zoe\",\"b\\\"ert\"]}");
    xt_client_free(anna);
    assert_who(bert, "{\"count\":2,\"names\":[\"b\\\"ert\"]}");
    xt_client_free(nobody);
    xt_client_free(bert);
    xt_client_free(me);
}

static void a_name_that_is_told_is_published_and_an_empty_one_takes_it_back(void **state)
{
    struct xs_client *me = started();
    struct xs_client *anna = xt_client_join(me), *bert = xt_client_join(me);

    (void)state;
    assert_told(me, "2", "{\"count\":2,\"names\":[]}");
    assert_int_equal(xt_say(anna, "name", xs_text("anna")), XS_OK);
    assert_int_equal(xt_say(bert, "name", xs_text("bert")), XS_OK);
    assert_int_equal(xt_ring(me), 1);
    assert_int_equal(me->sent_count, 1);
    assert_published(&me->sent[0], "{\"count\":2,\"names\":[\"anna\",\"bert\"]}");
    xt_client_forget(me);
    assert_int_equal(xt_say(anna, "name", xs_text("")), XS_OK);
    assert_int_equal(xt_say(anna, "name", xs_text("")), XS_OK);
    assert_int_equal(xt_ring(me), 1);
    assert_int_equal(me->sent_count, 1);
    assert_published(&me->sent[0], "{\"count\":2,\"names\":[\"bert\"]}");
    xt_client_forget(me);
    xt_client_free(bert);
    assert_told(me, "1", "{\"count\":1,\"names\":[]}");
    xt_client_free(anna);
    xt_client_free(me);
}

static void a_name_too_long_or_none_is_refused_and_the_old_one_stays(void **state)
{
    struct xs_client *me = started(), *anna = xt_client_join(me);

    (void)state;
    assert_int_equal(xt_say(anna, "name", xs_text("a name of thirty-one characters")), XS_OK);
    assert_int_equal(xt_say(anna, "name", xs_text("a name of thirty-two characters!")),
                     XS_EINVAL);
    assert_int_equal(xt_say(anna, "name", xs_json("{}")), XS_EINVAL);
    assert_int_equal(xt_say(anna, "name", xs_json("null")), XS_EINVAL);
    assert_who(anna, "{\"count\":1,\"names\":[\"a name of thirty-one characters\"]}");
    xt_client_free(anna);
    xt_client_free(me);
}

static void of_many_names_the_first_thousand_are_told(void **state)
{
    struct xs_client *me = started();
    struct xs_client *clients[1100];
    size_t names = 0;

    (void)state;
    for (size_t i = 0; i < 1100; i++) {
        clients[i] = xt_client_join(me);
        assert_int_equal(xt_say(clients[i], "name", xs_text("\x01\x02\x03")), XS_OK);
    }
    assert_int_equal(xt_say(clients[0], "who", xs_null()), XS_OK);
    assert_int_equal(xs_data_of(xs_slice_of(clients[0]->sent[0].data)).form, XS_JSON);
    for (const char *at = clients[0]->sent[0].data; (at = strstr(at, "\\u0001")) != NULL; at++)
        names++;
    assert_int_equal(names, 1000);
    assert_non_null(strstr(clients[0]->sent[0].data, "{\"count\":1100,"));
    for (size_t i = 0; i < 1100; i++)
        xt_client_free(clients[i]);
    assert_told(me, "0", "{\"count\":0,\"names\":[]}");
    xt_client_free(me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_told_when_somebody_comes_or_goes),
        cmocka_unit_test(changes_at_once_are_told_once),
        cmocka_unit_test(names_are_told_and_forgotten_with_their_clients),
        cmocka_unit_test(a_name_that_is_told_is_published_and_an_empty_one_takes_it_back),
        cmocka_unit_test(a_name_too_long_or_none_is_refused_and_the_old_one_stays),
        cmocka_unit_test(of_many_names_the_first_thousand_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
