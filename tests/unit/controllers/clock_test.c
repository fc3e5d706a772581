/* rooms: base message
 * needs: modules/controllers/clock/clock.c tests/conformance/client.c */
/* clock - one clock for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

const struct xs_plugin *xs_plugin_entry(void);

/* {"utc":"2026-01-31T23:59:59Z"} */
static void assert_time(const char *json)
{
    static const char shape[] = "{\"utc\":\"0000-00-00T00:00:00Z\"}";

    assert_int_equal(strlen(json), strlen(shape));
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '0')
            assert_in_range(json[i], '0', '9');
        else
            assert_int_equal(json[i], shape[i]);
    }
}

static void the_time_is_published_to_subscribers_at_every_tick(void **state)
{
    struct xs_client *me =
        xt_client_new(xt_plugin_controller(xs_plugin_entry(), "clock"), NULL);

    (void)state;
    assert_int_equal(me->timer_count, 1);
    assert_int_equal(me->timers[0].ms, 1000);
    assert_int_equal(xt_ring(me), 1);
    assert_int_equal(xt_ring(me), 1);
    assert_int_equal(me->sent_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(me->sent[i].how, XT_SEND);
        assert_true(me->sent[i].subscribers_only);
        assert_string_equal(me->sent[i].topic, "time");
        assert_int_equal(me->sent[i].form, XS_JSON);
        assert_time(me->sent[i].data);
    }
    xt_client_free(me);
}

static void the_interval_is_a_setting_and_never_zero(void **state)
{
    static const char *const quick[] = { "interval", "50", NULL };
    static const char *const zero[] = { "interval", "0", NULL };
    struct xs_client *me =
        xt_client_new(xt_plugin_controller(xs_plugin_entry(), "clock"), quick);

    (void)state;
    assert_int_equal(me->timers[0].ms, 50);
    xt_client_free(me);
    me = xt_client_new(xt_plugin_controller(xs_plugin_entry(), "clock"), zero);
    assert_int_equal(me->timers[0].ms, 1);
    xt_client_free(me);
}

static void who_asks_for_the_time_is_told(void **state)
{
    struct xs_client *me =
        xt_client_new(xt_plugin_controller(xs_plugin_entry(), "clock"), NULL);
    struct xs_client *client = xt_client_join(me);

    (void)state;
    assert_int_equal(xt_say(client, "time", xs_text("")), XS_OK);
    assert_int_equal(client->sent_count, 1);
    assert_int_equal(client->sent[0].how, XT_REPLY);
    assert_string_equal(client->sent[0].topic, "time");
    assert_time(client->sent[0].data);
    assert_int_equal(me->sent_count, 0);
    xt_client_free(client);
    xt_client_free(me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_is_published_to_subscribers_at_every_tick),
        cmocka_unit_test(the_interval_is_a_setting_and_never_zero),
        cmocka_unit_test(who_asks_for_the_time_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
