/* message - borrowed and counted, looked at from one thread and from many. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/thread.h"
#include "message/message.h"

static struct xs_message borrowed(void)
{
    return (struct xs_message){
        .controller = XS_SLICE("chat"),
        .topic = XS_SLICE("say"),
        .data = XS_SLICE("hello"),
        .blob = XS_SLICE("\0\1\2"),
        .id = { 1, 2, 3 },
        .correlation = -5,
        .qos_id = 77,
        .form = XS_TEXT,
        .qos = 1,
        .retain = true,
        .has_blob = true,
        .has_correlation = true,
    };
}

static void is(struct xs_slice slice, struct xs_slice wanted)
{
    assert_int_equal(slice.len, wanted.len);
    assert_memory_equal(slice.at, wanted.at, wanted.len);
}

static void is_the_message(const struct xs_message *msg)
{
    bool has = false;

    is(xs_message_controller(msg), XS_SLICE("chat"));
    is(xs_message_topic(msg), XS_SLICE("say"));
    is(xs_message_data(msg).bytes, XS_SLICE("hello"));
    assert_int_equal(xs_message_data(msg).form, XS_TEXT);
    is(xs_message_blob(msg, &has), XS_SLICE("\0\1\2"));
    assert_true(has);
    is(xs_message_blob(msg, NULL), XS_SLICE("\0\1\2"));
    assert_int_equal(xs_message_qos(msg), 1);
    assert_int_equal(xs_message_qos_id(msg), 77);
    assert_true(xs_message_retain(msg));
    assert_int_equal(msg->id.node, 1);
    assert_int_equal(msg->id.worker, 2);
    assert_int_equal(msg->id.sequence, 3);
    assert_true(msg->has_correlation);
    assert_int_equal(msg->correlation, -5);
}

static void a_borrowed_message_is_copied_by_who_keeps_it(void **state)
{
    struct xs_message msg = borrowed();
    const struct xs_message *kept = xs_message_ref(&msg);

    (void)state;
    assert_ptr_not_equal(kept, &msg);
    assert_ptr_not_equal(kept->data.at, msg.data.at);
    memset(&msg, 0xAA, sizeof msg);
    is_the_message(kept);
    xs_message_unref(kept);
}

static void a_counted_message_is_shared(void **state)
{
    struct xs_message msg = borrowed();
    const struct xs_message *first = xs_message_ref(&msg);
    const struct xs_message *second = xs_message_ref(first);

    (void)state;
    assert_ptr_equal(first, second);
    xs_message_unref(first);
    is_the_message(second);
    xs_message_unref(second);
    xs_message_unref(NULL);
}

static void empty_parts_are_copied_as_empty(void **state)
{
    struct xs_message msg = { .topic = XS_SLICE("t"),
                              .data = XS_SLICE("null"),
                              .has_blob = true };
    struct xs_message *copy = xs_message_copy(&msg);
    bool has = false;

    (void)state;
    assert_int_equal(xs_message_controller(copy).len, 0);
    assert_int_equal(xs_message_blob(copy, &has).len, 0);
    assert_true(has);
    assert_false(copy->has_correlation);
    xs_message_unref(copy);
}

/* The sanitizers would rather end the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void a_copy_that_memory_has_no_room_for_is_null(void **state)
{
    struct xs_message msg = { .topic = XS_SLICE("t") };

    (void)state;
    msg.blob = (struct xs_slice){ "", SIZE_MAX / 4 };
    assert_null(xs_message_ref(&msg));
}

static void sixteen_views_live_at_once(void **state)
{
    struct xs_message messages[16];
    struct xs_slice views[16];
    char texts[16][8];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 16; i++) {
            memcpy(texts[i], "text  \n", 8);
            texts[i][4] = (char)('a' + i);
            messages[i] = (struct xs_message){ .data = xs_slice_of(texts[i]), .form = XS_TEXT };
            views[i] = xs_message_view(&messages[i], XS_VIEW_JSON);
            /* What is seen as it lies takes no place. */
            assert_ptr_equal(xs_message_view(&messages[i], XS_VIEW_RAW).at, texts[i]);
        }
        for (size_t i = 0; i < 16; i++) {
            assert_int_equal(views[i].len, strlen("\"textX \\n\""));
            assert_int_equal(views[i].at[5], 'a' + (int)i);
        }
    }
    xs_message_thread_end();
}

static void memory_for_large_views_is_given_back(void **state)
{
    size_t len = 1 << 20;
    char *large = calloc(1, len);
    struct xs_message msg = { .data = { large, len }, .form = XS_TEXT };

    (void)state;
    assert_int_equal(xs_message_view(&msg, XS_VIEW_JSON).len, 6 * len + 2);
    free(large);
    for (int i = 0; i < 15; i++)
        xs_message_scratch();
    assert_true(xs_message_scratch()->cap <= 64 * 1024);
    xs_message_thread_end();
    xs_message_thread_end();
}

static void limits_are_those_of_the_thread(void **state)
{
    struct xs_message_limits limits = { 10, 3 };

    (void)state;
    assert_int_equal(xs_message_limits()->name, 255);
    assert_int_equal(xs_message_limits()->json_depth, 64);
    xs_message_limits_set(&limits);
    assert_int_equal(xs_message_limits()->name, 10);
    assert_int_equal(xs_message_limits()->json_depth, 3);
}

#define THREADS 4
#define ROUNDS  20000

static void *look_and_leave(void *argument)
{
    const struct xs_message *msg = argument;

    xs_thread_here = 2; /* any but none */
    for (int i = 0; i < ROUNDS; i++) {
        const struct xs_message *mine = xs_message_ref(msg);
        struct xs_slice view = xs_message_view(mine, XS_VIEW_JSON);

        if (view.len != 7 || memcmp(view.at, "\"hello\"", 7) != 0)
            abort();
        xs_message_unref(mine);
    }
    xs_message_unref(msg);
    xs_message_thread_end();
    return NULL;
}

static void many_threads_share_one_message(void **state)
{
    struct xs_message msg = borrowed();
    const struct xs_message *shared = xs_message_ref(&msg);
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        const struct xs_message *given = xs_message_ref(shared);

        assert_int_equal(
            pthread_create(&threads[i], NULL, look_and_leave, (void *)(uintptr_t)given), 0);
    }
    xs_message_unref(shared);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_borrowed_message_is_copied_by_who_keeps_it),
        cmocka_unit_test(a_counted_message_is_shared),
        cmocka_unit_test(empty_parts_are_copied_as_empty),
        cmocka_unit_test(a_copy_that_memory_has_no_room_for_is_null),
        cmocka_unit_test(sixteen_views_live_at_once),
        cmocka_unit_test(memory_for_large_views_is_given_back),
        cmocka_unit_test(many_threads_share_one_message),
        cmocka_unit_test(limits_are_those_of_the_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
