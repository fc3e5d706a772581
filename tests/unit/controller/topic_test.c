/* topic - what a client's topic means; what only the server may say stays the server's.
 * rooms: all */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/clients.h"

static void expect(enum xs_topic_kind kind, const char *topic)
{
    if (xs_topic_kind(xs_slice_of(topic)) != kind)
        print_error("topic \"%s\"\n", topic);
    assert_int_equal(xs_topic_kind(xs_slice_of(topic)), kind);
}

static void numbers_up_to_fourteen_have_their_meaning_or_none(void **state)
{
    static const enum xs_topic_kind kinds[15] = {
        [0] = XS_TOPIC_FORBIDDEN,   [1] = XS_TOPIC_OPEN,       [2] = XS_TOPIC_FORBIDDEN,
        [3] = XS_TOPIC_CLOSE,       [4] = XS_TOPIC_FORBIDDEN,  [5] = XS_TOPIC_SUBSCRIBE,
        [6] = XS_TOPIC_UNSUBSCRIBE, [7] = XS_TOPIC_PING,       [8] = XS_TOPIC_PONG,
        [9] = XS_TOPIC_ACK,         [10] = XS_TOPIC_FORBIDDEN, [11] = XS_TOPIC_FORBIDDEN,
        [12] = XS_TOPIC_FORBIDDEN,  [13] = XS_TOPIC_FORBIDDEN, [14] = XS_TOPIC_FORBIDDEN,
    };
    char topic[16];

    (void)state;
    for (int i = 0; i < 15; i++) {
        (void)snprintf(topic, sizeof topic, "%d", i);
        expect(kinds[i], topic);
    }
    expect(XS_TOPIC_PLAIN, "15");
    expect(XS_TOPIC_PLAIN, "01");
    expect(XS_TOPIC_PLAIN, "100");
}

static void storage_and_properties_are_told_by_their_beginning(void **state)
{
    (void)state;
    expect(XS_TOPIC_STORE_SET, "s1");
    expect(XS_TOPIC_STORE_GET, "s2");
    expect(XS_TOPIC_STORE_REMOVE, "s3");
    expect(XS_TOPIC_STORE_CLEAR, "s4");
    expect(XS_TOPIC_PLAIN, "s5");
    expect(XS_TOPIC_PLAIN, "s");
    expect(XS_TOPIC_FORBIDDEN, "s1:key");
    expect(XS_TOPIC_FORBIDDEN, "s2:");
    expect(XS_TOPIC_FORBIDDEN, "s3:x");
    expect(XS_TOPIC_PLAIN, "s4:x");
    expect(XS_TOPIC_PROPERTY_SET, "set_room");
    expect(XS_TOPIC_PROPERTY_GET, "get_room");
    expect(XS_TOPIC_PROPERTY_GET, "get_");
    expect(XS_TOPIC_PLAIN, "settings");
    expect(XS_TOPIC_PLAIN, "getter");
}

static void what_could_be_taken_for_the_server_is_forbidden(void **state)
{
    (void)state;
    expect(XS_TOPIC_CONFIRMATION, "__news");
    expect(XS_TOPIC_CONFIRMATION, "__");
    expect(XS_TOPIC_PLAIN, "_news");
    expect(XS_TOPIC_FORBIDDEN, "0xcc");
    expect(XS_TOPIC_FORBIDDEN, "0x14");
    expect(XS_TOPIC_FORBIDDEN, "0x1f4");
    expect(XS_TOPIC_PLAIN, "0x");
    expect(XS_TOPIC_PLAIN, "0xylophone");
    expect(XS_TOPIC_FORBIDDEN, "a/+/b");
    expect(XS_TOPIC_FORBIDDEN, "a/#");
    expect(XS_TOPIC_FORBIDDEN, "a\nb");
    expect(XS_TOPIC_FORBIDDEN, "a\x7f");
    expect(XS_TOPIC_FORBIDDEN, "");
    expect(XS_TOPIC_PLAIN, "say");
    expect(XS_TOPIC_PLAIN, "home/kitchen/temp");
}

static void wildcards_are_for_subscribing_and_hide_no_reserved_topic(void **state)
{
    (void)state;
    assert_true(xs_topic_subscribable(XS_SLICE("news")));
    assert_true(xs_topic_subscribable(XS_SLICE("#")));
    assert_true(xs_topic_subscribable(XS_SLICE("home/+/temp")));
    assert_true(xs_topic_subscribable(XS_SLICE("home/#")));
    assert_false(xs_topic_subscribable(XS_SLICE("home/#/x")));
    assert_false(xs_topic_subscribable(XS_SLICE("a+")));
    assert_false(xs_topic_subscribable(XS_SLICE("2")));
    assert_false(xs_topic_subscribable(XS_SLICE("__x")));
    assert_false(xs_topic_subscribable(XS_SLICE("get_room")));
    assert_false(xs_topic_subscribable(XS_SLICE("s2:key")));
    assert_false(xs_topic_subscribable(XS_SLICE("")));
}

static void a_guid_is_read_in_its_forms_and_written_in_one(void **state)
{
    static const char plain[] = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    uint8_t id[16], other[16];
    char text[XS_GUID_TEXT];

    (void)state;
    assert_true(xs_guid_read(xs_slice_of(plain), id));
    xs_guid_write(id, text);
    assert_memory_equal(text, plain, sizeof text);
    assert_true(xs_guid_read(XS_SLICE("{7C9E6679-7425-40DE-944B-E07FC1F90AE7}"), other));
    assert_memory_equal(id, other, sizeof id);
    assert_true(xs_guid_read(XS_SLICE("7c9e6679742540de944be07fc1f90ae7"), other));
    assert_memory_equal(id, other, sizeof id);
    assert_false(xs_guid_read(XS_SLICE(""), other));
    assert_false(xs_guid_read(XS_SLICE("7c9e6679-7425-40de-944b-e07fc1f90ae"), other));
    assert_false(xs_guid_read(XS_SLICE("7c9e6679x7425-40de-944b-e07fc1f90ae7"), other));
    assert_false(xs_guid_read(XS_SLICE("7c9e6679-7425-40de-944b-e07fc1f90aeg"), other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_up_to_fourteen_have_their_meaning_or_none),
        cmocka_unit_test(storage_and_properties_are_told_by_their_beginning),
        cmocka_unit_test(what_could_be_taken_for_the_server_is_forbidden),
        cmocka_unit_test(wildcards_are_for_subscribing_and_hide_no_reserved_topic),
        cmocka_unit_test(a_guid_is_read_in_its_forms_and_written_in_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
