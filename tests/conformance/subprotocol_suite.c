/* subprotocol_suite.c - see subprotocol_suite.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "message/json.h"
#include "subprotocol_suite.h"

static const struct xt_subprotocol_suite *suite_of(void **state)
{
    return *state;
}

static struct xt_host *host_of(const struct xt_subprotocol_suite *suite)
{
    struct xt_host *host = xt_host_new();

    xt_host_subprotocol(host, suite->ops, suite->settings);
    return host;
}

static struct xs_conn *connected(struct xt_host *host, const struct xt_subprotocol_suite *suite)
{
    return xt_conn_new_sub(host, suite->ops->token, NULL);
}

static void the_table_is_complete(void **state)
{
    const struct xs_subprotocol_ops *ops = suite_of(state)->ops;

    assert_non_null(ops);
    assert_true(ops->size <= sizeof *ops);
    assert_non_null(ops->name);
    assert_int_equal(strspn(ops->name, "abcdefghijklmnopqrstuvwxyz0123456789-_"),
                     strlen(ops->name));
    assert_non_null(ops->token);
    /* A token of RFC 9110 section 5.6.2. */
    assert_null(strpbrk(ops->token, " \t\"(),/:;<=>?@[\\]{}\x7f"));
    assert_non_null(ops->decode);
    assert_non_null(ops->encode);
}

static void a_client_may_come_and_go_without_a_word(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = connected(host, suite);

    assert_int_equal(conn->close_count, 0);
    assert_int_equal(conn->delivered_count, 0);
    assert_int_equal(conn->written.len, 0);
    assert_int_equal(conn->errors.count, 0);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void every_payload_gives_its_message(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = connected(host, suite);

    for (size_t i = 0; i < suite->example_count; i++) {
        const struct xt_example *example = &suite->examples[i];

        assert_int_equal(xt_payload(conn, example->bytes, example->binary), XS_OK);
        assert_int_equal(conn->errors.count, 0);
        assert_int_equal(conn->delivered_count, i + 1);
        xt_check_example(&conn->delivered[i], example);
    }
    assert_int_equal(conn->close_count, 0);
    xt_check_delivered(conn);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* One payload for a fresh client: at most one message comes of it, one that may be believed,
 * and if none comes the client is told or the connection ends. */
static void attack(struct xt_host *host, const struct xt_subprotocol_suite *suite,
                   struct xs_slice payload, bool binary)
{
    struct xs_conn *conn;

    if (!binary && !xs_utf8_valid(payload.at, payload.len))
        return; /* never gets past the frames */
    conn = connected(host, suite);
    (void)xt_payload(conn, payload, binary);
    assert_true(conn->delivered_count <= 1);
    if (conn->delivered_count == 0)
        assert_true(conn->errors.count > 0 || conn->close_count > 0);
    xt_check_delivered(conn);
    xt_conn_free(conn);
}

/* Every hostile byte in the place of the one at `at`, and in front of it. */
static void attack_place(struct xt_host *host, const struct xt_subprotocol_suite *suite,
                         const struct xt_example *example, size_t at)
{
    static const char hostile[] = XT_HOSTILE_BYTES;
    struct xs_slice bytes = example->bytes;
    struct xt_bytes changed = { NULL, 0, 0 };

    for (size_t i = 0; i < sizeof hostile - 1; i++) {
        changed.len = 0;
        xt_append(&changed, bytes);
        changed.at[at] = hostile[i];
        attack(host, suite, xt_slice(&changed), example->binary);
        changed.len = 0;
        xt_append(&changed, (struct xs_slice){ bytes.at, at });
        xt_append(&changed, (struct xs_slice){ &hostile[i], 1 });
        xt_append(&changed, (struct xs_slice){ bytes.at + at, bytes.len - at });
        attack(host, suite, xt_slice(&changed), example->binary);
    }
    xt_bytes_free(&changed);
}

static void hostile_bytes_anywhere_do_no_harm(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);

    for (size_t e = 0; e < suite->example_count; e++)
        for (size_t at = 0; at < suite->examples[e].bytes.len; at++)
            attack_place(host, suite, &suite->examples[e], at);
    xt_host_free(host);
}

static void a_payload_of_any_length_does_no_harm(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);

    for (size_t e = 0; e < suite->example_count; e++) {
        const struct xt_example *example = &suite->examples[e];

        for (size_t len = 0; len <= example->bytes.len; len++) {
            struct xs_slice part = { example->bytes.at, len };

            attack(host, suite, part, example->binary);
            /* and as the other kind of frame */
            attack(host, suite, part, !example->binary);
        }
    }
    xt_host_free(host);
}

static void nothing_is_delivered_once_the_connection_closes(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = connected(host, suite);

    xt_close(conn, XS_CLOSE_GOING_AWAY, "the server stops");
    for (size_t i = 0; i < suite->example_count; i++)
        (void)xt_payload(conn, suite->examples[i].bytes, suite->examples[i].binary);
    assert_int_equal(conn->delivered_count, 0);
    xt_conn_free(conn);
    xt_host_free(host);
}

static enum xs_err answer_gone(struct xs_conn *conn, const struct xs_incoming *incoming,
                               void *context)
{
    (void)conn;
    (void)incoming;
    (void)context;
    return XS_EGONE;
}

static void a_connection_that_closes_in_a_handler_is_no_error(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = connected(host, suite);

    conn->on_deliver = answer_gone;
    for (size_t i = 0; i < suite->example_count; i++)
        assert_int_equal(xt_payload(conn, suite->examples[i].bytes, suite->examples[i].binary),
                         XS_OK);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* ---- encoding ---- */

static bool is_readable(const struct xt_subprotocol_suite *suite, struct xs_slice payload,
                        bool binary)
{
    if (!binary && !xs_utf8_valid(payload.at, payload.len))
        return false;
    if (suite->readable != NULL)
        return suite->readable(payload, binary);
    return binary || xs_json_valid(payload, 64);
}

static void no_message_of_another_protocol_breaks_the_format(void **state)
{
    static const struct xs_personal whos[] = {
        { sizeof whos[0], false, 0, 0, NULL },
        { sizeof whos[0], true, INT64_MIN, 0, NULL },
        { sizeof whos[0], true, INT64_MAX, 65535, NULL },
        { sizeof whos[0], true, 0, 1, NULL },
        { sizeof whos[0], false, 0, 7, NULL },
    };
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = connected(host, suite);
    struct xt_bytes out = { NULL, 0, 0 };
    const struct xs_message *msg;

    for (size_t i = 0; (msg = xt_hostile_message(i)) != NULL; i++) {
        for (size_t w = 0; w < sizeof whos / sizeof whos[0]; w++) {
            bool binary = false;
            enum xs_err err = xt_encode(conn, msg, &whos[w], &out, &binary);

            if (err != XS_OK)
                assert_int_equal(err, XS_EREFUSED);
            if (err == XS_OK && out.len > 0)
                assert_true(is_readable(suite, xt_slice(&out), binary));
        }
    }
    assert_int_equal(xt_encode(conn, xt_plain_message(), NULL, &out, NULL), XS_OK);
    assert_int_not_equal(out.len, 0);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* WebSocket clients of the original stop parsing at frames shorter than four bytes. */
static void a_client_that_speaks_first_gets_no_short_payload(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = connected(host, suite);
    struct xt_bytes out = { NULL, 0, 0 };
    const struct xs_message *msg;

    for (size_t i = 0; suite->ops->client_speaks_first; i++) {
        msg = xt_hostile_message(i);
        if (msg == NULL)
            break;
        if (xt_encode(conn, msg, NULL, &out, NULL) == XS_OK)
            assert_true(out.len == 0 || out.len >= 4);
    }
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void an_encoder_without_room_only_fails(void **state)
{
    const struct xt_subprotocol_suite *suite = suite_of(state);
    size_t need = SIZE_MAX;

    for (size_t limit = 1; limit < need; limit++) {
        char memory[1024];
        struct xs_buf out = { memory, 0, limit, limit, false };
        bool binary = false;

        assert_true(limit < sizeof memory);
        (void)suite->ops->encode(0, xt_plain_message(), XS_SLICE("\\\"hello\\\""), &out,
                                 &binary);
        assert_true(out.len <= limit);
        if (!out.failed)
            need = limit;
    }
}

int xt_subprotocol_suite(const struct xt_subprotocol_suite *suite)
{
    union {
        const struct xt_subprotocol_suite *given;
        void *state;
    } both = { suite };
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_prestate(name, both.state)
        TEST(the_table_is_complete),
        TEST(a_client_may_come_and_go_without_a_word),
        TEST(every_payload_gives_its_message),
        TEST(hostile_bytes_anywhere_do_no_harm),
        TEST(a_payload_of_any_length_does_no_harm),
        TEST(nothing_is_delivered_once_the_connection_closes),
        TEST(a_connection_that_closes_in_a_handler_is_no_error),
        TEST(no_message_of_another_protocol_breaks_the_format),
        TEST(a_client_that_speaks_first_gets_no_short_payload),
        TEST(an_encoder_without_room_only_fails),
#undef TEST
    };

    return cmocka_run_group_tests_name(suite->ops->name, tests, NULL, NULL);
}
