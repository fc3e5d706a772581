/* probe - a controller for tests: tells what it is told, and does what only a module can do. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <xsockets/controller.h>

struct probe {
    char colour[16];
    int32_t number;
    bool flag;
    double ratio;
    bool was_reopened;
    bool was_away;
    uint64_t away_for;
    int ticks;
    struct xs_timer_handle *timer;
};

static void append(struct xs_buf *out, const char *key, struct xs_slice value)
{
    xs_buf_append(out, out->len > 1 ? XS_SLICE(",\"") : XS_SLICE("\""));
    xs_buf_append(out, xs_slice_of(key));
    xs_buf_append(out, XS_SLICE("\":\""));
    xs_buf_append_escaped(out, value);
    xs_buf_append_byte(out, '"');
}

/* Who the client is: everything that a controller can know. */
static enum xs_err on_who(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct probe *me = self;
    char memory[4096] = "{", away[32];
    struct xs_buf out = { memory, 1, sizeof memory, sizeof memory, false };

    (void)msg;
    snprintf(away, sizeof away, "%llu", (unsigned long long)me->away_for);
    append(&out, "reopened", xs_slice_of(me->was_reopened ? "yes" : "no"));
    append(&out, "was_away", xs_slice_of(me->was_away ? "yes" : "no"));
    append(&out, "away_for", xs_slice_of(away));
    append(&out, "protocol", xs_slice_of(xs_client_protocol(client)));
    append(&out, "endpoint", xs_slice_of(xs_client_endpoint(client)));
    append(&out, "controller", xs_slice_of(xs_client_controller(client)));
    append(&out, "uri", xs_client_uri(client));
    append(&out, "x", xs_client_parameter(client, "x"));
    append(&out, "y", xs_client_parameter(client, "Y"));
    append(&out, "origin", xs_client_header(client, "Origin"));
    append(&out, "agent", xs_client_header(client, "User-Agent"));
    append(&out, "session", xs_client_cookie(client, "session"));
    append(&out, "other", xs_client_cookie(client, "other"));
    append(&out, "mode", xs_slice_of(xs_setting_text(xs_client_settings(client), "mode")));
    xs_buf_append_byte(&out, '}');
    return xs_reply(client, "who", xs_json_slice((struct xs_slice){ out.at, out.len }));
}

/* ---- an answer from another thread ---- */

struct job {
    struct xs_request request;
    struct xs_client_id client;
};

static void *work(void *data)
{
    struct job *job = data;

    (void)xs_answer(job->request, "later", xs_text("from afar"));
    (void)xs_reply_to(job->client, "also", xs_json("[1]"));
    free(job);
    return NULL;
}

static enum xs_err on_later(void *self, struct xs_client *client, const struct xs_message *msg)
{
    struct job *job = malloc(sizeof *job);
    pthread_t thread;

    (void)self;
    (void)msg;
    if (job == NULL)
        return XS_ENOMEM;
    job->request = xs_later(client);
    job->client = xs_client_id(client);
    if (pthread_create(&thread, NULL, work, job) != 0) {
        free(job);
        return XS_EINTERNAL;
    }
    (void)pthread_detach(thread);
    return XS_OK;
}

/* ---- whom to tell ---- */

static enum xs_err tell(struct xs_client *client, const struct xs_where *where, size_t count,
                        bool but_me)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = XS_SLICE("told");
    what.data = xs_text("you");
    what.where = where;
    what.where_count = count;
    what.but_me = but_me;
    return xs_send(client, &what);
}

static enum xs_err on_all(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    return xs_invoke_all(client, "all", xs_null());
}

static enum xs_err on_others(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    return tell(client, NULL, 0, true);
}

static enum xs_err on_red(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct xs_where red = XS_WHERE_EQ("colour", "red");

    (void)self;
    (void)msg;
    return tell(client, &red, 1, false);
}

/* Red and above five. */
static enum xs_err on_both(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct xs_where both[] = { XS_WHERE_EQ("colour", "red"),
                                     XS_WHERE_INT("number", XS_GT, 5) };

    (void)self;
    (void)msg;
    return tell(client, both, 2, false);
}

static enum xs_err on_flagged(void *self, struct xs_client *client,
                              const struct xs_message *msg)
{
    const struct xs_where flagged = XS_WHERE_BOOL("flag", true);

    (void)self;
    (void)msg;
    return tell(client, &flagged, 1, false);
}

static enum xs_err on_half(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct xs_where half = XS_WHERE_DOUBLE("ratio", XS_LE, 0.5);

    (void)self;
    (void)msg;
    return tell(client, &half, 1, false);
}

static enum xs_err on_nobody(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct xs_where unknown = XS_WHERE_EQ("nothing", "");

    (void)self;
    (void)msg;
    return tell(client, &unknown, 1, false);
}

static bool is_odd_above(const void *state, const void *argument)
{
    const struct probe *me = state;
    int32_t least;

    memcpy(&least, argument, sizeof least);
    return me->number % 2 == 1 && me->number > least;
}

/* By a condition in code: odd and above one. */
static enum xs_err on_odd(void *self, struct xs_client *client, const struct xs_message *msg)
{
    int32_t least = 1;
    struct xs_send what;

    (void)self;
    (void)msg;
    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = XS_SLICE("told");
    what.data = xs_text("you");
    what.predicate = is_odd_above;
    what.argument = &least;
    what.argument_size = sizeof least;
    return xs_send(client, &what);
}

/* To all but those whose names it has: here only its own. */
static enum xs_err on_except(void *self, struct xs_client *client, const struct xs_message *msg)
{
    struct xs_client_id me = xs_client_id(client);
    struct xs_send what;

    (void)self;
    (void)msg;
    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = XS_SLICE("told");
    what.data = xs_text("you");
    what.except = &me;
    what.except_count = 1;
    return xs_send(client, &what);
}

/* Speaks through another controller. */
static enum xs_err on_through(void *self, struct xs_client *client,
                              const struct xs_message *msg)
{
    struct xs_send what;

    (void)self;
    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.controller = "generic";
    what.topic = XS_SLICE("through");
    what.data = xs_message_data(msg);
    return xs_send(client, &what);
}

static enum xs_err on_publish(void *self, struct xs_client *client,
                              const struct xs_message *msg)
{
    (void)self;
    return xs_publish(client, "news", xs_message_data(msg));
}

/* ---- time, faults, the end ---- */

static void on_tick(void *self, struct xs_client *client)
{
    struct probe *me = self;
    char json[16];

    snprintf(json, sizeof json, "%d", ++me->ticks);
    (void)xs_reply(client, "tick", xs_json(json));
    if (me->ticks == 3) {
        xs_timer_stop(me->timer);
        me->timer = NULL;
        me->ticks = 0;
    }
}

static enum xs_err on_ticks(void *self, struct xs_client *client, const struct xs_message *msg)
{
    struct probe *me = self;

    (void)msg;
    if (me->timer != NULL)
        return XS_EBUSY;
    me->timer = xs_timer_start(client, 5, true, on_tick);
    return me->timer != NULL ? XS_OK : XS_ENOMEM;
}

static enum xs_err on_fail(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    xs_fail_text(client, "this \"always\" fails");
    return XS_EREFUSED;
}

static enum xs_err on_leave(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    xs_client_disconnect(client, "you asked for it");
    return XS_OK;
}

static enum xs_err on_twice(void *self, struct xs_client *client, const struct xs_message *msg)
{
    enum xs_err err = xs_reply(client, "twice", xs_json("1"));

    (void)self;
    (void)msg;
    return err == XS_OK ? xs_reply(client, "twice", xs_json("2")) : err;
}

/* ---- life ---- */

static enum xs_err probe_opened(void *self, struct xs_client *client)
{
    (void)self;
    if (xs_slice_equal(xs_client_parameter(client, "refuse"), XS_SLICE("1"))) {
        xs_fail_text(client, "not today");
        return XS_EREFUSED;
    }
    return XS_OK;
}

static void probe_reopened(void *self, struct xs_client *client, const struct xs_return *how)
{
    struct probe *me = self;

    (void)client;
    me->was_reopened = true;
    me->was_away = how->was_away;
    me->away_for = how->away_for;
}

static void probe_closed(void *self, struct xs_client *client)
{
    struct xs_send what;

    (void)self;
    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = XS_SLICE("left");
    (void)xs_send(client, &what);
}

static const struct xs_property probe_properties[] = {
    XS_STRING(struct probe, colour, XS_CLIENT_MAY_SET | XS_CLIENT_MAY_GET),
    XS_INT_RANGE(struct probe, number, XS_CLIENT_MAY_SET | XS_CLIENT_MAY_GET, -10, 10),
    XS_BOOL(struct probe, flag, XS_CLIENT_MAY_SET | XS_CLIENT_MAY_GET),
    XS_DOUBLE(struct probe, ratio, XS_CLIENT_MAY_SET),
    XS_INT(struct probe, ticks, 0),
};

static const struct xs_action probe_actions[] = {
    { "who", on_who },         { "all", on_all },       { "later", on_later },
    { "others", on_others },   { "red", on_red },       { "both", on_both },
    { "flagged", on_flagged }, { "half", on_half },     { "nobody", on_nobody },
    { "odd", on_odd },         { "except", on_except }, { "through", on_through },
    { "publish", on_publish }, { "ticks", on_ticks },   { "fail", on_fail },
    { "leave", on_leave },     { "twice", on_twice },   { "zwei", on_twice },
};

static const struct xs_setting probe_settings[] = {
    { "mode", "string", "plain", "What the test wants." },
};

static const char *const probe_headers[] = { "User-Agent", NULL };
static const char *const probe_cookies[] = { "session", NULL };

static const struct xs_controller_ops probe_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "probe",
    .state_size = sizeof(struct probe),
    .settings = XS_TABLE(probe_settings),
    .properties = XS_TABLE(probe_properties),
    .actions = XS_TABLE(probe_actions),
    .headers = probe_headers,
    .cookies = probe_cookies,
    .opened = probe_opened,
    .reopened = probe_reopened,
    .closed = probe_closed,
};

XS_PLUGIN(.name = "probe", .version = "1.0.0", .controllers = { &probe_ops })
