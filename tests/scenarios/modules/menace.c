/* menace - controllers for tests that do at the wrong moment what a controller may do.
 *
 *   shy    shared, refuses everybody
 *   crowd  shared, replies and publishes in opened, reopened and closed, has timers of its
 * clients brief  per client, the same, and ends its client where the parameter `end` says */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <xsockets/controller.h>

static enum xs_err to_all(struct xs_client *from, const char *topic, bool subscribers_only)
{
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.topic = xs_slice_of(topic);
    what.data = xs_text("from a handler");
    what.subscribers_only = subscribers_only;
    return xs_send(from, &what);
}

/* ---- shy ---- */

static enum xs_err shy_opened(void *self, struct xs_client *client)
{
    (void)self;
    (void)xs_reply(client, "never", xs_text("seen"));
    xs_fail_text(client, "nobody may come in");
    return XS_EREFUSED;
}

static const struct xs_controller_ops shy_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "shy",
    .sharing = XS_SHARED,
    .opened = shy_opened,
};

/* ---- crowd ---- */

struct crowd {
    long here;  /* opened and not closed */
    long heard; /* messages */
};

struct job {
    struct xs_request request;
    struct xs_client_id client;
};

static void *answer(void *data)
{
    struct job *job = data;

    (void)xs_answer(job->request, "later", xs_text("from afar"));
    (void)xs_reply_to(job->client, "also", xs_json("[1]"));
    free(job);
    return NULL;
}

static enum xs_err start_thread(struct xs_client *client, void *(*run)(void *))
{
    struct job *job = malloc(sizeof *job);
    pthread_t thread;

    if (job == NULL)
        return XS_ENOMEM;
    job->request = xs_later(client);
    job->client = xs_client_id(client);
    if (pthread_create(&thread, NULL, run, job) != 0) {
        free(job);
        return XS_EINTERNAL;
    }
    (void)pthread_detach(thread);
    return XS_OK;
}

static enum xs_err on_later(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    return start_thread(client, answer);
}

static void on_client_time(void *self, struct xs_client *client)
{
    (void)self;
    (void)xs_reply(client, "timer", xs_null());
    /* Another one from inside its own callback. */
    (void)xs_timer_start(client, 1, false, on_client_time);
}

static enum xs_err on_timer(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    return xs_timer_start(client, 1, false, on_client_time) != NULL ? XS_OK : XS_ENOMEM;
}

static enum xs_err on_kick(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    xs_client_disconnect(client, "you asked for it");
    (void)xs_reply(client, "kicked", xs_null());
    return to_all(client, "somebody", true);
}

static enum xs_err crowd_opened(void *self, struct xs_client *client)
{
    struct crowd *me = self;

    me->here++;
    (void)xs_reply(client, "welcome", xs_text("in"));
    return to_all(client, "came", true);
}

static void crowd_reopened(void *self, struct xs_client *client, const struct xs_return *how)
{
    (void)self;
    (void)how;
    (void)xs_reply(client, "again", xs_null());
}

static void crowd_closed(void *self, struct xs_client *client)
{
    struct crowd *me = self;

    me->here--;
    (void)xs_reply(client, "never", xs_null());
    xs_client_disconnect(client, "it has gone already");
    (void)to_all(client, "left", true);
    (void)to_all(client, "left", false);
}

static enum xs_err crowd_message(void *self, struct xs_client *client,
                                 const struct xs_message *msg)
{
    struct crowd *me = self;

    me->heard++;
    return xs_reply_blob(client, "heard", xs_message_data(msg), xs_message_topic(msg));
}

/* A thread that nobody ends: it answers and sends until the server says that it has ended, and
 * then some. */
static void *haunt(void *data)
{
    const struct timespec a_moment = { 0, 20000 };
    struct job *job = data;
    struct xs_send what;

    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.controller = "crowd";
    what.topic = XS_SLICE("boo");
    what.data = xs_null();
    for (int more = 100; more > 0;) {
        (void)xs_answer(job->request, "later", xs_text("from afar"));
        (void)xs_reply_to(job->client, "also", xs_json("[1]"));
        if (xs_send_in("default", &what) == XS_EGONE)
            more--;
        else
            (void)nanosleep(&a_moment, NULL);
    }
    free(job);
    return NULL;
}

static enum xs_err on_haunt(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    return start_thread(client, haunt);
}

struct gate {
    char path[200];
};

/* Holds its worker up until there is a file of the name that it is given. */
static enum xs_err on_stall(void *self, struct xs_client *client, const struct xs_message *msg)
{
    static const struct xs_property gate_rows[] = { XS_STRING(struct gate, path, 0) };
    static const struct xs_table rows = XS_TABLE(gate_rows);
    const struct timespec a_moment = { 0, 1000000 };
    struct gate gate;
    enum xs_err err;

    (void)self;
    (void)client;
    memset(&gate, 0, sizeof gate);
    err = xs_bind(msg, rows, &gate);
    if (err != XS_OK)
        return err;
    while (access(gate.path, F_OK) != 0)
        (void)nanosleep(&a_moment, NULL);
    return XS_OK;
}

static enum xs_err on_say(void *self, struct xs_client *client, const struct xs_message *msg)
{
    struct crowd *me = self;

    me->heard++;
    return xs_reply(client, "said", xs_message_data(msg));
}

static enum xs_err on_count(void *self, struct xs_client *client, const struct xs_message *msg)
{
    const struct crowd *me = self;
    char json[32];

    (void)msg;
    snprintf(json, sizeof json, "%ld", me->here);
    return xs_reply(client, "count", xs_json(json));
}

static void crowd_stopped(void *self, struct xs_client *client)
{
    const struct crowd *me = self;

    (void)client;
    if (me->here != 0)
        xs_log(XS_LOG_ERROR, "the crowd ends with %ld clients inside", me->here);
}

static const struct xs_action crowd_actions[] = {
    { "later", on_later }, { "timer", on_timer }, { "kick", on_kick },   { "say", on_say },
    { "count", on_count }, { "stall", on_stall }, { "haunt", on_haunt },
};

static const struct xs_controller_ops crowd_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "crowd",
    .sharing = XS_SHARED,
    .state_size = sizeof(struct crowd),
    .actions = XS_TABLE(crowd_actions),
    .stopped = crowd_stopped,
    .opened = crowd_opened,
    .reopened = crowd_reopened,
    .on_message = crowd_message,
    .closed = crowd_closed,
};

/* ---- brief ---- */

/* Until there is a file of the name that the parameter `gate` says. */
static void wait_for_gate(const struct xs_client *client)
{
    const struct timespec a_moment = { 0, 1000000 };
    struct xs_slice gate = xs_client_parameter(client, "gate");
    char path[200];

    if (gate.len == 0 || gate.len >= sizeof path)
        return;
    memcpy(path, gate.at, gate.len);
    path[gate.len] = '\0';
    while (access(path, F_OK) != 0)
        (void)nanosleep(&a_moment, NULL);
}

static bool ends_in(const struct xs_client *client, const char *where)
{
    return xs_slice_equal(xs_client_parameter(client, "end"), xs_slice_of(where));
}

static enum xs_err brief_opened(void *self, struct xs_client *client)
{
    (void)self;
    wait_for_gate(client);
    (void)xs_reply(client, "welcome", xs_text("in"));
    (void)xs_timer_start(client, 1, true, on_client_time);
    if (ends_in(client, "opened"))
        xs_client_disconnect(client, "ended in opened");
    if (ends_in(client, "refused")) {
        xs_client_disconnect(client, "ended in refused");
        return XS_EREFUSED;
    }
    return to_all(client, "came", false);
}

static void brief_reopened(void *self, struct xs_client *client, const struct xs_return *how)
{
    (void)self;
    (void)how;
    (void)xs_reply(client, "again", xs_null());
    if (ends_in(client, "reopened"))
        xs_client_disconnect(client, "ended in reopened");
}

static enum xs_err brief_message(void *self, struct xs_client *client,
                                 const struct xs_message *msg)
{
    (void)self;
    (void)to_all(client, "said", false);
    xs_client_disconnect(client, "ended by a message");
    xs_client_disconnect(client, "and once more");
    return xs_forward(client, msg, false);
}

static void brief_closed(void *self, struct xs_client *client)
{
    (void)self;
    (void)xs_reply(client, "never", xs_null());
    xs_client_disconnect(client, "it has gone already");
    (void)to_all(client, "left", false);
}

static void on_fired(void *self, struct xs_client *client)
{
    (void)self;
    (void)xs_reply(client, "fired", xs_null());
}

/* A timer beyond every clock must not fire at once. */
static enum xs_err on_never(void *self, struct xs_client *client, const struct xs_message *msg)
{
    (void)self;
    (void)msg;
    return xs_timer_start(client, UINT64_MAX, false, on_fired) != NULL ? XS_OK : XS_ENOMEM;
}

/* A sentence longer than there is room for, cut in the middle of a character. */
static enum xs_err on_talk(void *self, struct xs_client *client, const struct xs_message *msg)
{
    char sentence[400];
    size_t n = 0;

    (void)self;
    (void)msg;
    sentence[n++] = 'x';
    sentence[n++] = '\xff';
    while (n < sizeof sentence - 4) {
        memcpy(sentence + n, "\xe2\x82\xac", 3);
        n += 3;
    }
    sentence[n] = '\0';
    xs_fail_text(client, sentence);
    return XS_EREFUSED;
}

static const struct xs_action brief_actions[] = { { "talk", on_talk },
                                                  { "stall", on_stall },
                                                  { "never", on_never } };

static const struct xs_controller_ops brief_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "brief",
    .state_size = 16,
    .actions = XS_TABLE(brief_actions),
    .opened = brief_opened,
    .reopened = brief_reopened,
    .on_message = brief_message,
    .closed = brief_closed,
};

XS_PLUGIN(.name = "menace", .version = "1.0.0",
          .controllers = { &shy_ops, &crowd_ops, &brief_ops })
