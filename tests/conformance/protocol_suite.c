/* protocol_suite.c - see protocol_suite.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol_suite.h"

static const struct xt_protocol_suite *suite_of(void **state)
{
    return *state;
}

static struct xt_host *host_of(const struct xt_protocol_suite *suite)
{
    struct xt_host *host = xt_host_new();

    xt_host_protocol(host, suite->ops, suite->settings);
    return host;
}

/* The greeting and every example, as one client would send them. */
static struct xt_bytes session_of(const struct xt_protocol_suite *suite)
{
    struct xt_bytes session = { NULL, 0, 0 };

    xt_append(&session, suite->greeting);
    for (size_t i = 0; i < suite->example_count; i++)
        xt_append(&session, suite->examples[i].bytes);
    return session;
}

static void check_session(const struct xt_protocol_suite *suite, const struct xs_conn *conn)
{
    assert_int_equal(conn->close_count, 0);
    assert_int_equal(conn->ready_count, 1);
    assert_int_equal(conn->errors.count, 0);
    assert_true(xs_slice_equal(xt_slice(&conn->written), suite->welcome));
    assert_int_equal(conn->delivered_count, suite->example_count);
    for (size_t i = 0; i < suite->example_count; i++)
        xt_check_example(&conn->delivered[i], &suite->examples[i]);
    xt_check_delivered(conn);
}

/* ---- the table ---- */

static void the_table_is_complete(void **state)
{
    const struct xs_protocol_ops *ops = suite_of(state)->ops;

    assert_non_null(ops);
    assert_true(ops->size <= sizeof *ops);
    assert_non_null(ops->name);
    assert_int_equal(strspn(ops->name, "abcdefghijklmnopqrstuvwxyz0123456789-_"),
                     strlen(ops->name));
    assert_true(ops->match != NULL || ops->upgrade != NULL);
    assert_true(ops->match == NULL || ops->open != NULL);
    assert_true(ops->upgrade == NULL || ops->open_upgraded != NULL);
    assert_non_null(ops->decode);
    assert_non_null(ops->encode);
}

/* ---- recognising ---- */

static enum xs_match match(const struct xt_protocol_suite *suite, struct xs_slice head)
{
    char copy[4096];

    assert_true(head.len <= sizeof copy);
    if (head.len > 0)
        memcpy(copy, head.at, head.len);
    return suite->ops->match((struct xs_slice){ copy, head.len });
}

static void its_greeting_is_recognised_and_never_denied_on_the_way(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);

    for (size_t n = 1; n < suite->greeting.len; n++)
        assert_int_not_equal(match(suite, (struct xs_slice){ suite->greeting.at, n }),
                             XS_MATCH_NO);
    assert_int_equal(match(suite, suite->greeting), XS_MATCH_YES);
}

static void the_same_first_bytes_always_get_the_same_answer(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);

    for (size_t n = 0; n <= suite->greeting.len; n++) {
        struct xs_slice head = { suite->greeting.at, n };
        enum xs_match first = match(suite, head);

        (void)match(suite, suite->greeting);
        (void)match(suite, XS_SLICE("x"));
        assert_int_equal(match(suite, head), first);
    }
}

static void what_is_denied_once_stays_denied(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    char head[4096];

    assert_true(suite->greeting.len + 64 < sizeof head);
    for (size_t at = 0; at < suite->greeting.len; at++) {
        memcpy(head, suite->greeting.at, suite->greeting.len);
        memset(head + suite->greeting.len, 'x', 64);
        head[at] = (char)(head[at] ^ 0x15);
        for (size_t n = 1, denied = 0; n <= suite->greeting.len + 64; n++) {
            enum xs_match said = match(suite, (struct xs_slice){ head, n });

            if (denied)
                assert_int_equal(said, XS_MATCH_NO);
            denied = said == XS_MATCH_NO;
        }
    }
}

static void its_beginnings_are_claimed_and_those_of_others_are_not(void **state)
{
    static const struct xs_slice others[] = {
        XT_BYTES("GET / HTTP/1.1\r\n"),
        XT_BYTES("\x16\x03\x01\x02"),
        XT_BYTES("\x10\x10\x00\x04MQTT"),
        XT_BYTES("PuttyProtocol\r\n"),
        XT_BYTES("\0\0\0\0"),
        XT_BYTES("\xff\xff\xff\xff"),
        XT_BYTES("SSH-2.0-x\r\n"),
        XT_BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    };
    const struct xt_protocol_suite *suite = suite_of(state);
    const char *const *beginning = suite->ops->beginnings;

    for (; beginning != NULL && *beginning != NULL; beginning++)
        for (size_t n = 1; n <= strlen(*beginning); n++)
            assert_int_not_equal(match(suite, (struct xs_slice){ *beginning, n }), XS_MATCH_NO);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        bool own = false;

        for (beginning = suite->ops->beginnings; beginning != NULL && *beginning != NULL;
             beginning++)
            own = own || memcmp(others[i].at, *beginning, 1) == 0;
        if (!own)
            assert_int_equal(match(suite, others[i]), XS_MATCH_NO);
    }
}

/* ---- decoding ---- */

static void a_session_at_once_gives_its_messages(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = xt_conn_new(host);
    struct xt_bytes session = session_of(suite);

    xt_feed(conn, xt_slice(&session));
    check_session(suite, conn);
    xt_bytes_free(&session);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void a_session_in_steps_gives_the_same(void **state)
{
    static const size_t steps[] = { 1, 2, 3, 5, 7, 16, 64 };
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = session_of(suite);

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct xs_conn *conn = xt_conn_new(host);

        xt_feed_steps(conn, xt_slice(&session), steps[i]);
        check_session(suite, conn);
        xt_conn_free(conn);
    }
    xt_bytes_free(&session);
    xt_host_free(host);
}

static void a_session_cut_in_two_at_every_place_gives_the_same(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = session_of(suite);

    for (size_t at = 0; at <= session.len; at++) {
        struct xs_conn *conn = xt_conn_new(host);

        xt_feed_cut(conn, xt_slice(&session), at);
        check_session(suite, conn);
        xt_conn_free(conn);
    }
    xt_bytes_free(&session);
    xt_host_free(host);
}

static void a_greeting_that_falls_silent_anywhere_gives_the_same(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = session_of(suite);

    for (size_t at = 1; at <= suite->greeting.len; at++) {
        struct xs_conn *conn;

        /* Before it is clear whose bytes they are, silence is not for the module to answer. */
        if (match(suite, (struct xs_slice){ suite->greeting.at, at }) == XS_MATCH_MORE)
            continue;
        conn = xt_conn_new(host);
        xt_feed(conn, (struct xs_slice){ session.at, at });
        xt_quiet(conn);
        assert_int_equal(conn->ready_count, 1);
        xt_feed_bytewise(conn, (struct xs_slice){ session.at + at, session.len - at });
        check_session(suite, conn);
        xt_conn_free(conn);
    }
    xt_bytes_free(&session);
    xt_host_free(host);
}

static void a_client_that_goes_in_the_middle_leaves_nothing(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = session_of(suite);

    for (size_t at = 0; at <= session.len; at++) {
        struct xs_conn *conn = xt_conn_new(host);

        xt_feed(conn, (struct xs_slice){ session.at, at });
        xt_reset(conn);
        xt_check_delivered(conn);
        xt_conn_free(conn);
    }
    xt_bytes_free(&session);
    xt_host_free(host);
}

static void nothing_is_delivered_once_the_connection_closes(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = session_of(suite);

    for (size_t at = suite->greeting.len; at < session.len; at++) {
        struct xs_conn *conn = xt_conn_new(host);
        size_t before;

        xt_feed(conn, (struct xs_slice){ session.at, at });
        before = conn->delivered_count;
        xt_close(conn, XS_CLOSE_GOING_AWAY, "the server stops");
        xt_feed(conn, (struct xs_slice){ session.at + at, session.len - at });
        assert_int_equal(conn->delivered_count, before);
        xt_conn_free(conn);
    }
    xt_bytes_free(&session);
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
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = xt_conn_new(host);
    struct xt_bytes session = session_of(suite);

    conn->on_deliver = answer_gone;
    xt_feed(conn, xt_slice(&session));
    assert_int_equal(conn->last_error, XS_OK);
    assert_int_equal(conn->delivered_count, suite->example_count > 0 ? 1 : 0);
    xt_bytes_free(&session);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* Feeds bytes at once and one by one, and demands the same outcome; what comes out may be
 * believed either way. */
static void attack(struct xt_host *host, struct xs_slice bytes)
{
    struct xs_conn *whole = xt_conn_new(host), *pieces = xt_conn_new(host);
    struct xt_bytes a = { NULL, 0, 0 }, b = { NULL, 0, 0 };

    xt_feed(whole, bytes);
    xt_feed_bytewise(pieces, bytes);
    xt_check_delivered(whole);
    xt_outcome(whole, &a);
    xt_outcome(pieces, &b);
    xt_assert_same(&a, &b, "one byte at a time");
    xt_bytes_free(&a);
    xt_bytes_free(&b);
    xt_conn_free(whole);
    xt_conn_free(pieces);
}

/* Attacks with a session in which the byte at one place is another, has
 * another in front of it, is there twice, or is missing. */
static void attack_part(struct xt_host *host, struct xs_slice session, size_t from, size_t to)
{
    static const char hostile[] = XT_HOSTILE_BYTES;
    struct xt_bytes changed = { NULL, 0, 0 };

    for (size_t at = from; at < to; at++) {
        struct xs_slice before = { session.at, at };
        struct xs_slice since = { session.at + at, session.len - at };
        struct xs_slice after = { session.at + at + 1, session.len - at - 1 };

        for (size_t i = 0; i < sizeof hostile; i++) {
            struct xs_slice added = { &hostile[i], 1 };

            if (i == sizeof hostile - 1)
                added = (struct xs_slice){ NULL, 0 };
            changed.len = 0;
            xt_append(&changed, before);
            xt_append(&changed, added);
            xt_append(&changed, after);
            attack(host, xt_slice(&changed));
            if (added.len == 0)
                added = (struct xs_slice){ since.at, 1 };
            changed.len = 0;
            xt_append(&changed, before);
            xt_append(&changed, added);
            xt_append(&changed, since);
            attack(host, xt_slice(&changed));
        }
    }
    xt_bytes_free(&changed);
}

static void hostile_bytes_in_the_greeting_do_no_harm(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = { NULL, 0, 0 };

    xt_append(&session, suite->greeting);
    xt_append(&session, suite->examples[0].bytes);
    attack_part(host, xt_slice(&session), 0, suite->greeting.len);
    xt_bytes_free(&session);
    xt_host_free(host);
}

static void hostile_bytes_in_a_message_do_no_harm(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xt_bytes session = { NULL, 0, 0 };

    for (size_t i = 0; i < suite->example_count; i++) {
        struct xs_slice bytes = suite->examples[i].bytes;
        size_t from = suite->greeting.len;

        session.len = 0;
        xt_append(&session, suite->greeting);
        xt_append(&session, bytes);
        xt_append(&session, suite->examples[0].bytes);
        attack_part(host, xt_slice(&session), from, from + bytes.len);
    }
    xt_bytes_free(&session);
    xt_host_free(host);
}

/* A client that sends one endless message is stopped, and little is held for it until then. */
static void an_endless_message_is_cut_off(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn;
    char block[256];
    size_t bound;

    host->limits.message = 1024;
    host->limits.name = 64;
    bound = 64 * (host->limits.message + host->limits.name);
    conn = xt_conn_new(host);
    memset(block, 'x', sizeof block);
    xt_feed(conn, suite->greeting);
    while (conn->close_count == 0 && conn->fed < bound)
        xt_feed(conn, (struct xs_slice){ block, sizeof block });
    assert_int_not_equal(conn->close_count, 0);
    assert_int_equal(conn->delivered_count, 0);
    xt_conn_free(conn);
    xt_host_free(host);
}

/* ---- encoding ---- */

static struct xs_conn *greeted(struct xt_host *host, const struct xt_protocol_suite *suite)
{
    struct xs_conn *conn = xt_conn_new(host);

    xt_feed(conn, suite->greeting);
    assert_int_equal(conn->ready_count, 1);
    return conn;
}

/* Encoded bytes read back by decode() must be one message, and must not touch the next. */
static void read_back(const struct xt_protocol_suite *suite, struct xt_host *host,
                      struct xs_slice bytes)
{
    struct xs_conn *conn = greeted(host, suite);
    struct xt_bytes next = { NULL, 0, 0 };

    xt_feed(conn, bytes);
    assert_int_equal(conn->close_count, 0);
    assert_true(conn->delivered_count <= 1);
    assert_int_equal(conn->pending.len, 0);
    xt_forget(conn);
    assert_int_equal(xt_encode(conn, xt_plain_message(), NULL, &next, NULL), XS_OK);
    xt_feed(conn, xt_slice(&next));
    assert_int_equal(conn->delivered_count, 1);
    assert_true(xs_slice_equal(conn->delivered[0].incoming.topic, XS_SLICE("said")));
    xt_bytes_free(&next);
    xt_conn_free(conn);
}

static void no_message_of_another_protocol_breaks_the_format(void **state)
{
    static const struct xs_personal whos[] = {
        { sizeof whos[0], false, 0, 0, NULL },
        { sizeof whos[0], true, INT64_MIN, 0, NULL },
        { sizeof whos[0], true, INT64_MAX, 65535, NULL },
        { sizeof whos[0], false, 0, 1, NULL },
    };
    const struct xt_protocol_suite *suite = suite_of(state);
    struct xt_host *host = host_of(suite);
    struct xs_conn *conn = greeted(host, suite);
    struct xt_bytes out = { NULL, 0, 0 };
    const struct xs_message *msg;

    for (size_t i = 0; (msg = xt_hostile_message(i)) != NULL; i++) {
        for (size_t w = 0; w < sizeof whos / sizeof whos[0]; w++) {
            enum xs_err err = xt_encode(conn, msg, &whos[w], &out, NULL);

            if (err != XS_OK)
                assert_int_equal(err, XS_EREFUSED);
            if (err != XS_OK || out.len == 0)
                continue;
            assert_int_equal(suite->frames(xt_slice(&out)), 1);
            if (suite->symmetric && w == 0)
                read_back(suite, host, xt_slice(&out));
        }
    }
    assert_int_equal(xt_encode(conn, xt_plain_message(), NULL, &out, NULL), XS_OK);
    assert_int_equal(suite->frames(xt_slice(&out)), 1);
    xt_bytes_free(&out);
    xt_conn_free(conn);
    xt_host_free(host);
}

static void an_encoder_without_room_only_fails(void **state)
{
    const struct xt_protocol_suite *suite = suite_of(state);
    const struct xs_encoder by = { .protocol = suite->ops };
    size_t need = SIZE_MAX;

    for (size_t limit = 1; limit < need; limit++) {
        char memory[1024];
        struct xs_buf out = { memory, 0, limit, limit, false };

        assert_true(limit < sizeof memory);
        (void)suite->ops->encode(&by, xt_plain_message(), XS_SLICE("\"hello\""), &out);
        assert_true(out.len <= limit);
        if (!out.failed)
            need = limit;
    }
}

int xt_protocol_suite(const struct xt_protocol_suite *suite)
{
    union {
        const struct xt_protocol_suite *given;
        void *state;
    } both = { suite };
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_prestate(name, both.state)
        TEST(the_table_is_complete),
        TEST(its_greeting_is_recognised_and_never_denied_on_the_way),
        TEST(the_same_first_bytes_always_get_the_same_answer),
        TEST(what_is_denied_once_stays_denied),
        TEST(its_beginnings_are_claimed_and_those_of_others_are_not),
        TEST(a_session_at_once_gives_its_messages),
        TEST(a_session_in_steps_gives_the_same),
        TEST(a_session_cut_in_two_at_every_place_gives_the_same),
        TEST(a_greeting_that_falls_silent_anywhere_gives_the_same),
        TEST(a_client_that_goes_in_the_middle_leaves_nothing),
        TEST(nothing_is_delivered_once_the_connection_closes),
        TEST(a_connection_that_closes_in_a_handler_is_no_error),
        TEST(hostile_bytes_in_the_greeting_do_no_harm),
        TEST(hostile_bytes_in_a_message_do_no_harm),
        TEST(an_endless_message_is_cut_off),
        TEST(no_message_of_another_protocol_breaks_the_format),
        TEST(an_encoder_without_room_only_fails),
#undef TEST
    };

    return cmocka_run_group_tests_name(suite->ops->name, tests, NULL, NULL);
}
