/* checks - every way in which an ops struct can be unfit, and the sentence for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "plugin/loader.h"

static void finds(enum xs_module_kind kind, void *ops, const char *sentence)
{
    char *why = xs_ops_check(kind, ops);

    if (sentence == NULL) {
        if (why != NULL)
            fail_msg("%s", why);
        return;
    }
    assert_non_null(why);
    assert_string_equal(why, sentence);
    xs_free(why);
}

/* ---- functions that are never called here ---- */

static enum xs_match match(struct xs_slice head)
{
    (void)head;
    return XS_MATCH_NO;
}
static enum xs_err open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    (void)self;
    (void)conn;
    (void)in;
    return XS_OK;
}
static enum xs_err open_upgraded(void *self, struct xs_conn *conn,
                                 const struct xs_http_head *head)
{
    (void)self;
    (void)conn;
    (void)head;
    return XS_OK;
}
static enum xs_err call(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)client;
    (void)msg;
    return XS_OK;
}
static enum xs_err store_open(void *self, const struct xs_settings *settings)
{
    (void)self;
    (void)settings;
    return XS_OK;
}
static void store_close(void *self)
{
    (void)self;
}

/* ---- tests ---- */

static void a_protocol_must_be_reachable_and_read_and_write(void **state)
{
    struct xs_protocol_ops ops = { .size = sizeof ops, .name = "p" };

    (void)state;
    finds(XS_MODULE_PROTOCOL, &ops, "has no decode()");
    ops.decode = open;
    finds(XS_MODULE_PROTOCOL, &ops,
          "has neither match() nor an upgrade: nothing would ever reach it");
    ops.match = match;
    finds(XS_MODULE_PROTOCOL, &ops, "has no open()");
    ops.open = open;
    finds(XS_MODULE_PROTOCOL, &ops, NULL);
    ops.upgrade = "p";
    finds(XS_MODULE_PROTOCOL, &ops, "has no open_upgraded()");
    ops.open_upgraded = open_upgraded;
    finds(XS_MODULE_PROTOCOL, &ops, NULL);
    ops.match = NULL;
    ops.open = NULL;
    finds(XS_MODULE_PROTOCOL, &ops, NULL);
}

static void the_other_kinds_must_have_their_functions(void **state)
{
    struct xs_subprotocol_ops sub = { .size = sizeof sub, .name = "s" };
    struct xs_transport_ops transport = { .size = sizeof transport, .name = "t" };
    struct xs_auth_ops auth = { .size = sizeof auth, .name = "a" };
    struct xs_interceptor_ops interceptor = { .size = sizeof interceptor, .name = "i" };
    struct xs_scaleout_ops scaleout = { .size = sizeof scaleout, .name = "o" };

    (void)state;
    finds(XS_MODULE_SUBPROTOCOL, &sub, "has no token");
    sub.token = "";
    finds(XS_MODULE_SUBPROTOCOL, &sub, "has no decode()");
    finds(XS_MODULE_TRANSPORT, &transport, "has no open()");
    finds(XS_MODULE_AUTH, &auth, "has no open()");
    auth.open = store_open;
    auth.close = store_close;
    finds(XS_MODULE_AUTH, &auth, "has no authenticate()");
    finds(XS_MODULE_INTERCEPTOR, &interceptor, "looks at nothing: it has no function");
    finds(XS_MODULE_SCALEOUT, &scaleout, "has no open()");
}

static void a_storage_must_store_something_wholly(void **state)
{
    struct xs_storage_ops ops = { .size = sizeof ops, .name = "s" };
    struct xs_queue_ops queue = { .size = sizeof queue };
    struct xs_pairs_ops pairs = { .size = sizeof pairs };

    (void)state;
    ops.open = store_open;
    ops.close = store_close;
    finds(XS_MODULE_STORAGE, &ops,
          "stores nothing: it has no queue, no properties and no pairs");
    ops.queue = &queue;
    finds(XS_MODULE_STORAGE, &ops, "has a queue without append(), read() or remove()");
    ops.queue = NULL;
    ops.properties = &pairs;
    finds(XS_MODULE_STORAGE, &ops,
          "has properties without get(), put(), remove(), clear() or each()");
    ops.properties = NULL;
    ops.pairs = &pairs;
    finds(XS_MODULE_STORAGE, &ops,
          "has pairs without get(), put(), remove(), clear() or each()");
}

struct instance {
    bool flag;
    int32_t number;
    char text[8];
    struct xs_slice slice;
};

static void properties_must_lie_in_the_state(void **state)
{
    struct xs_property rows[2] = { XS_BOOL(struct instance, flag, 0),
                                   XS_STRING(struct instance, text, 0) };
    struct xs_controller_ops ops = { .size = sizeof ops,
                                     .name = "c",
                                     .state_size = sizeof(struct instance),
                                     .properties = XS_TABLE(rows) };

    (void)state;
    finds(XS_MODULE_CONTROLLER, &ops, NULL);
    rows[1].offset = sizeof(struct instance) - 7;
    finds(XS_MODULE_CONTROLLER, &ops, "has the property \"text\" outside its state_size");
    rows[1].offset = UINT32_MAX;
    finds(XS_MODULE_CONTROLLER, &ops, "has the property \"text\" outside its state_size");
    rows[1] = (struct xs_property)XS_TEXT_SLICE(struct instance, slice, 0);
    finds(XS_MODULE_CONTROLLER, &ops,
          "has the property \"slice\" with a type or size that properties cannot have");
    rows[1] = (struct xs_property)XS_INT(struct instance, number, 0);
    rows[1].size = 3;
    finds(XS_MODULE_CONTROLLER, &ops,
          "has the property \"number\" with a type or size that properties cannot have");
    rows[1].size = 4;
    rows[1].name = "Flag";
    finds(XS_MODULE_CONTROLLER, &ops, "has the property \"Flag\" twice");
    rows[1].name = "";
    finds(XS_MODULE_CONTROLLER, &ops, "has a property without a name");
    ops.properties.element = 4;
    finds(XS_MODULE_CONTROLLER, &ops,
          "has a table of properties that was not made with XS_TABLE()");
}

static void actions_must_be_distinct_and_callable(void **state)
{
    struct xs_action rows[2] = { { "say", call }, { "name", call } };
    struct xs_controller_ops ops = { .size = sizeof ops,
                                     .name = "c",
                                     .actions = XS_TABLE(rows) };

    (void)state;
    finds(XS_MODULE_CONTROLLER, &ops, NULL);
    rows[1].topic = "SAY";
    finds(XS_MODULE_CONTROLLER, &ops, "has the action \"SAY\" twice");
    rows[1].topic = NULL;
    finds(XS_MODULE_CONTROLLER, &ops, "has an action without a topic");
    rows[1].topic = "x";
    rows[1].call = NULL;
    finds(XS_MODULE_CONTROLLER, &ops, "has no function for the action \"x\"");
    ops.actions.at = NULL;
    finds(XS_MODULE_CONTROLLER, &ops,
          "has a table of actions that was not made with XS_TABLE()");
    ops.actions.count = 0;
    finds(XS_MODULE_CONTROLLER, &ops, NULL);
    ops.sharing = (enum xs_sharing)7;
    finds(XS_MODULE_CONTROLLER, &ops, "has an unknown sharing");
}

static void settings_must_be_in_order(void **state)
{
    struct xs_setting rows[2] = { { "one", "int", "1", "One." },
                                  { "two", "bool", "", "Two." } };
    struct xs_controller_ops ops = { .size = sizeof ops,
                                     .name = "c",
                                     .settings = XS_TABLE(rows) };

    (void)state;
    finds(XS_MODULE_CONTROLLER, &ops, NULL);
    rows[1].key = "one";
    finds(XS_MODULE_CONTROLLER, &ops, "has the setting \"one\" twice");
    rows[1].key = "Two";
    finds(XS_MODULE_CONTROLLER, &ops,
          "has a setting \"Two\", which is no key: small letters, digits and \"_\"");
    rows[1].key = "module";
    finds(XS_MODULE_CONTROLLER, &ops, "has a setting \"module\", a key that is the daemon's");
    rows[1].key = "two";
    rows[1].type = "colour";
    finds(XS_MODULE_CONTROLLER, &ops,
          "has the setting \"two\" with the unknown type \"colour\"");
    rows[1].type = "bool";
    rows[1].standard = "perhaps";
    finds(XS_MODULE_CONTROLLER, &ops,
          "has the setting \"two\" with a wrong default: it must be yes or no");
    rows[1].type = "folder";
    rows[1].standard = "/srv";
    finds(XS_MODULE_CONTROLLER, &ops,
          "has the setting \"two\" with a default, which a folder cannot have");
    rows[1].sentence = NULL;
    finds(XS_MODULE_CONTROLLER, &ops, "has a setting with an empty member");
    ops.settings.count = 65;
    finds(XS_MODULE_CONTROLLER, &ops, "has more than 64 settings");
    ops.settings.element = 8;
    finds(XS_MODULE_CONTROLLER, &ops,
          "has a table of settings that was not made with XS_TABLE()");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protocol_must_be_reachable_and_read_and_write),
        cmocka_unit_test(the_other_kinds_must_have_their_functions),
        cmocka_unit_test(a_storage_must_store_something_wholly),
        cmocka_unit_test(properties_must_lie_in_the_state),
        cmocka_unit_test(actions_must_be_distinct_and_callable),
        cmocka_unit_test(settings_must_be_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
