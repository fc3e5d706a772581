/* instance - a client of a controller, from opened to closed, and the callbacks in between. */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stats.h"
#include "base/utf8.h"
#include "controller/clients.h"

/* ---- the running callback ---- */

void xs_call_begin(struct xs_client *client, struct xs_call *call)
{
    struct xs_clients *clients = client->stage->home;

    call->outer = clients->call;
    call->client = client;
    call->has_correlation = call->replied = call->later = false;
    call->correlation = 0;
    call->sentence[0] = '\0';
    clients->call = call;
}

/* Cheap and coarse (about 4 ms): only what is slow is looked for. */
static uint64_t coarse_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The clock is read once a callback: it began when the one before had ended, or with the
 * socket's event. */
static void measure(const struct xs_client *client)
{
    struct xs_clients *clients = client->stage->home;
    uint64_t now = coarse_ms(), since = xs_now();
    uint64_t bound = clients->config->slow_callback;

    if (since < clients->measured)
        since = clients->measured;
    clients->measured = now;
    if (bound == 0 || now < since + bound)
        return;
    XS_COUNT(slow_callbacks);
    xs_log(XS_LOG_WARNING, "controller %s took %llu ms in a callback: everybody waited",
           client->stage->controller->name, (unsigned long long)(now - since));
}

void xs_call_end(struct xs_client *client, struct xs_call *call)
{
    client->stage->home->call = call->outer;
    measure(client);
}

/* What the client hears of a handler's result. */
static void conclude(struct xs_client *client, const struct xs_call *call, enum xs_err err)
{
    if (client->state == XS_CLIENT_CLOSED)
        return;
    if (err != XS_OK) {
        const char *sentence = call->sentence;

        if (sentence[0] == '\0' && err == XS_EINVAL)
            sentence = xs_bind_error();
        if (sentence == NULL || sentence[0] == '\0')
            sentence = xs_err_text(err);
        xs_client_fail(client, sentence, call->has_correlation, call->correlation);
        return;
    }
    if (call->has_correlation && !call->replied && !call->later) {
        struct xs_message cause = { .has_correlation = true, .correlation = call->correlation };

        xs_client_tell(client, "9", xs_null(), &cause);
    }
}

xs_action_cb xs_stage_callback(const struct xs_stage *stage, struct xs_slice topic)
{
    const struct xs_action_row *row = xs_map_get(&stage->actions, topic);

    return row != NULL ? row->call : stage->controller->ops.on_message;
}

void xs_client_run(struct xs_client *client, const struct xs_message *msg,
                   xs_action_cb callback)
{
    struct xs_call call;
    enum xs_err err;

    if (callback == NULL) {
        XS_COUNT(messages_dropped);
        if (msg->has_correlation)
            xs_client_fail(client, "Nobody handles this topic", true, msg->correlation);
        return;
    }
    xs_bind_forget();
    xs_call_begin(client, &call);
    call.has_correlation = msg->has_correlation;
    call.correlation = msg->correlation;
    err = callback(client->self, client, msg);
    xs_call_end(client, &call);
    conclude(client, &call, err);
}

void xs_client_dispatch(struct xs_client *client, const struct xs_message *msg)
{
    xs_client_run(client, msg, xs_stage_callback(client->stage, msg->topic));
}

/* ---- opening ---- */

struct xs_client *xs_session_client(struct xs_session *session, struct xs_slice controller)
{
    struct xs_client *client = session->last_used;

    if (client != NULL && xs_slice_equal(client->stage->name, controller))
        return client;
    for (client = session->first; client != NULL; client = client->next) {
        if (!xs_slice_equal(client->stage->name, controller))
            continue;
        session->last_used = client;
        return client;
    }
    return NULL;
}

/* Who it is, told to the directory once a connection. */
static void enter(struct xs_session *session, struct xs_return *how)
{
    struct xs_clients *clients = session->home;
    struct xs_directory_entry entry;

    memset(how, 0, sizeof *how);
    how->size = sizeof *how;
    if (!session->has_pi) {
        xs_clients_random(clients, session->pi, sizeof session->pi);
        session->has_pi = true;
    }
    if (session->entered) {
        if (session->pi_given)
            *how = xs_context_return(session->context);
        return;
    }
    session->entered = true;
    xs_directory_enter(clients->directory, xs_slice_of(clients->scopes[session->scope]),
                       session->pi, xs_now(), &entry);
    how->was_away = entry.was_away;
    how->away_for = entry.away_for;
    if (session->pi_given)
        xs_context_set_return(session->context, how);
}

static void unlink_client(struct xs_client *client)
{
    struct xs_session *session = client->session;
    struct xs_client **link = &session->first;

    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    session->clients--;
    if (session->last_used == client)
        session->last_used = NULL;
}

static void refuse(struct xs_client *client, enum xs_err err, const char *sentence)
{
    struct xs_session *session = client->session;
    struct xs_message cause = { .controller = client->stage->name,
                                .has_correlation = client->has_correlation,
                                .correlation = client->correlation };

    XS_COUNT(controllers_refused);
    client->state = XS_CLIENT_CLOSED;
    xs_client_undefer(client, false);
    unlink_client(client);
    if (sentence == NULL || sentence[0] == '\0')
        sentence = err == XS_EREFUSED ? "Refused" : xs_err_text(err);
    xs_session_fail(session, NULL, sentence, &cause);
    /* Whoever opened it for the client was told "yes" while this answer was on its way. */
    if (client->by_server && client->asked)
        client->stage->home->host->disconnect(session->conn, XS_CLOSE_REFUSED, sentence);
    xs_client_free(client);
}

/* opened() said yes: first the client hears it, then it is in the lists. */
static void accept(struct xs_client *client)
{
    /* An implicit open is not what was asked: the answer comes with what follows. */
    struct xs_message cause = { .has_correlation =
                                    client->has_correlation && client->answers_open,
                                .correlation = client->correlation };

    XS_COUNT(controllers_opened);
    client->asked = false;
    client->state = XS_CLIENT_OPEN;
    xs_client_tell_info(client, "2", &cause);
    xs_client_undefer(client, true);
    xs_hall_join(&client->stage->hall, &client->member);
}

static void reopened(struct xs_client *client, const struct xs_return *how)
{
    const struct xs_controller_ops *ops = &client->stage->controller->ops;
    struct xs_call call;

    if (ops->reopened == NULL)
        return;
    xs_call_begin(client, &call);
    ops->reopened(client->self, client, how);
    xs_call_end(client, &call);
}

/* Asks a controller whose instance is here. */
static bool ask_here(struct xs_client *client, const struct xs_return *how)
{
    const struct xs_controller_ops *ops = &client->stage->controller->ops;
    bool given = client->session->pi_given;
    struct xs_call call;
    enum xs_err err = XS_OK;

    if (client->stage->shared != NULL)
        client->self = client->stage->shared->self;
    if (ops->opened != NULL) {
        xs_bind_forget();
        xs_call_begin(client, &call);
        err = ops->opened(client->self, client);
        xs_call_end(client, &call);
        if (err != XS_OK) {
            refuse(client, err, call.sentence);
            return false;
        }
    }
    accept(client);
    if (given)
        reopened(client, how);
    return true;
}

struct xs_client *xs_session_open(struct xs_session *session, struct xs_stage *stage,
                                  const struct xs_message *cause)
{
    struct xs_clients *clients = session->home;
    bool shared = stage->controller->ops.sharing == XS_SHARED;
    struct xs_return how;
    struct xs_client *client;

    if (session->clients >= clients->config->limits.controllers) {
        XS_COUNT(controllers_refused);
        xs_session_fail(session, NULL, "Too many controllers are open on this connection",
                        cause);
        return NULL;
    }
    enter(session, &how);
    client = xs_client_new(stage, session);
    client->next = session->first;
    session->first = client;
    session->clients++;
    client->by_server = cause == NULL;
    if (cause != NULL) {
        client->answers_open = xs_topic_kind(cause->topic) == XS_TOPIC_OPEN;
        client->has_correlation = cause->has_correlation;
        client->correlation = cause->correlation;
    }
    if (shared && stage->shared_worker != clients->worker) {
        client->asked = true;
        clients->awaited++;
        session->waits++;
        clients->host->wait(session->conn, true);
        /* From the moment it is let in, what is sent to all must come to this worker: behind
         * the answer, which joins it to the hall. */
        xs_interest_add(clients->interest, clients->worker, stage->hall.hash, XS_HALL_MEMBERS,
                        XS_SLICE(""));
        xs_shared_open(client, &how);
        return client;
    }
    return ask_here(client, &how) ? client : NULL;
}

void xs_client_opened(struct xs_client *client, enum xs_err err, const char *sentence)
{
    struct xs_session *session = client->session;
    struct xs_stage *stage = client->stage;

    stage->home->awaited--;
    if (client->state == XS_CLIENT_CLOSED) {
        xs_interest_remove(stage->home->interest, stage->home->worker, stage->hall.hash,
                           XS_HALL_MEMBERS, XS_SLICE(""));
        /* The connection has ended meanwhile; its end was waiting for this answer. */
        if (err == XS_OK)
            xs_shared_close(client);
        xs_client_free(client);
        return;
    }
    if (err != XS_OK)
        refuse(client, err, sentence);
    else
        accept(client);
    xs_interest_remove(stage->home->interest, stage->home->worker, stage->hall.hash,
                       XS_HALL_MEMBERS, XS_SLICE(""));
    if (--session->waits == 0)
        xs_session_resume(session);
}

enum xs_err xs_session_open_quietly(struct xs_session *session, struct xs_slice name)
{
    char folded[XS_NAME_MAX];
    struct xs_stage *stage;

    if (name.len > sizeof folded)
        return XS_ENOTFOUND;
    xs_fold(folded, name.at, name.len);
    stage =
        xs_clients_stage(session->home, session->scope, (struct xs_slice){ folded, name.len });
    if (stage == NULL)
        return XS_ENOTFOUND;
    if (xs_session_client(session, stage->name) != NULL)
        return XS_OK;
    return xs_session_open(session, stage, NULL) != NULL ? XS_OK : XS_EREFUSED;
}

/* ---- closing ---- */

void xs_client_close(struct xs_client *client)
{
    const struct xs_controller_ops *ops = &client->stage->controller->ops;
    struct xs_session *session = client->session;
    bool was_open = client->state == XS_CLIENT_OPEN;
    bool shared_elsewhere = ops->sharing == XS_SHARED && client->stage->shared == NULL;
    struct xs_call call;

    session->subscriptions -= client->member.count;
    XS_COUNT_BY(subscriptions, -(int64_t)client->member.count);
    client->state = XS_CLIENT_CLOSED;
    xs_hall_leave(&client->member);
    xs_client_undefer(client, false);
    unlink_client(client);
    if (client->asked) {
        /* The answer is on its way: xs_client_opened() ends it. */
        client->session = NULL;
        XS_COUNT_BY(instances, -1);
        return;
    }
    if (was_open && shared_elsewhere) {
        xs_shared_close(client);
    } else if (was_open && ops->closed != NULL) {
        xs_call_begin(client, &call);
        ops->closed(client->self, client);
        xs_call_end(client, &call);
    }
    xs_client_free(client);
}
