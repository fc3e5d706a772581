/* host: fake
 * needs: modules/transports/tcp/tcp.c */
/* tcp - the transport that changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conformance/host.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xs_transport_ops *tcp(void)
{
    return xt_plugin_transport(xs_plugin_entry(), "tcp");
}

static void it_is_ready_at_once_and_keeps_no_state(void **state)
{
    struct xs_wire wire;

    (void)state;
    xt_wire_init(&wire);
    assert_int_equal(tcp()->state_size, 0);
    assert_int_equal(tcp()->worker_size, 0);
    assert_int_equal(tcp()->open(NULL, &wire), XS_OK);
    assert_int_equal(wire.ready_count, 1);
    xt_wire_fini(&wire);
}

static void what_comes_goes_up_as_it_is(void **state)
{
    struct xs_wire wire;
    char bytes[] = "any \x00 bytes";

    (void)state;
    xt_wire_init(&wire);
    assert_int_equal(tcp()->received(NULL, &wire, bytes, sizeof bytes), XS_OK);
    assert_int_equal(wire.deliver_count, 1);
    assert_int_equal(wire.delivered.len, sizeof bytes);
    assert_memory_equal(wire.delivered.at, bytes, sizeof bytes);
    wire.gone = true;
    assert_int_equal(tcp()->received(NULL, &wire, bytes, 1), XS_OK);
    xt_wire_fini(&wire);
}

static void what_goes_down_is_the_sockets_to_take(void **state)
{
    const struct xs_slice parts[] = { XS_SLICE("one "), XS_SLICE("two "), XS_SLICE("three") };
    struct xs_wire wire;
    size_t taken;

    (void)state;
    xt_wire_init(&wire);
    assert_int_equal(tcp()->send(NULL, &wire, parts, 3, &taken), XS_OK);
    assert_int_equal(taken, 13);
    assert_string_equal(wire.sent.at, "one two three");
    wire.takes = 6;
    assert_int_equal(tcp()->send(NULL, &wire, parts, 3, &taken), XS_EAGAIN);
    assert_int_equal(taken, 6);
    wire.failed = true;
    assert_int_equal(tcp()->send(NULL, &wire, parts, 3, &taken), XS_EIO);
    assert_int_equal(taken, 0);
    xt_wire_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_at_once_and_keeps_no_state),
        cmocka_unit_test(what_comes_goes_up_as_it_is),
        cmocka_unit_test(what_goes_down_is_the_sockets_to_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
