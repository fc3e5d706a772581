/* reply - messages to one client: a controller's replies, and what the host itself says. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/stats.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "controller/clients.h"

/* A message on the stack, its parts borrowed. `name` has room for the folded topic. */
static bool compose(struct xs_clients *clients, struct xs_message *msg,
                    struct xs_slice controller, const char *topic, struct xs_data data,
                    char name[XS_NAME_MAX + 1])
{
    size_t len = strlen(topic);

    if (len > XS_NAME_MAX)
        return false;
    memset(msg, 0, sizeof *msg);
    xs_fold(name, topic, len);
    name[len] = '\0';
    msg->controller = controller;
    msg->topic = (struct xs_slice){ name, len };
    msg->data = data.bytes.at != NULL ? data.bytes : xs_null().bytes;
    msg->form = (uint8_t)(data.bytes.at != NULL ? data.form : XS_JSON);
    if (clients != NULL) {
        msg->id.node = clients->node;
        msg->id.worker = (uint16_t)clients->worker;
        msg->id.sequence = ++clients->sequence;
    }
    return true;
}

static void push_now(struct xs_clients *clients, struct xs_outq *out,
                     const struct xs_message *msg, enum xs_entry_kind kind,
                     const struct xs_personal *who)
{
    xs_outbound_begin(clients->out, msg);
    (void)xs_outbound_push(clients->out, out, kind, who);
    xs_outbound_end(clients->out);
}

void xs_client_push(struct xs_client *client, const struct xs_message *msg,
                    enum xs_entry_kind kind, const struct xs_personal *who)
{
    struct xs_clients *clients = client->stage->home;
    const struct xs_message *kept;
    struct xs_waiting *waiting;

    if (client->state != XS_CLIENT_OPENING) {
        push_now(clients, client->session->out, msg, kind, who);
        return;
    }
    /* The client must hear that it is open before it hears anything else. */
    kept = xs_session_keep(client->session, msg);
    if (kept == NULL)
        return;
    waiting = xs_alloc(sizeof *waiting);
    waiting->msg = kept;
    waiting->client = client;
    waiting->personal = who != NULL;
    if (who != NULL)
        waiting->who = *who;
    *clients->deferred_end = waiting;
    clients->deferred_end = &waiting->next;
}

void xs_client_undefer(struct xs_client *client, bool send)
{
    struct xs_clients *clients = client->stage->home;
    struct xs_waiting **link = &clients->deferred;

    while (*link != NULL) {
        struct xs_waiting *waiting = *link;

        if (waiting->client != client) {
            link = &waiting->next;
            continue;
        }
        *link = waiting->next;
        if (send)
            push_now(clients, client->session->out, waiting->msg, XS_ENTRY_CONTROL,
                     waiting->personal ? &waiting->who : NULL);
        xs_message_unref(waiting->msg);
        xs_free(waiting);
    }
    clients->deferred_end = link;
}

/* ---- the host speaks ---- */

void xs_sentence_copy(char to[XS_SENTENCE_SIZE], const char *from)
{
    size_t left = strlen(from), len = 0;

    while (left > 0) {
        bool valid;
        size_t step = xs_utf8_step(from, left, &valid);

        if (len + (valid ? step : 1) >= XS_SENTENCE_SIZE)
            break;
        if (valid)
            memcpy(to + len, from, step);
        else
            to[len] = '?';
        len += valid ? step : 1;
        from += step;
        left -= step;
    }
    to[len] = '\0';
}

static struct xs_personal personal_of(bool has, int64_t correlation)
{
    struct xs_personal who = { .size = sizeof who };

    who.has_correlation = has;
    who.correlation = correlation;
    return who;
}

void xs_session_tell(struct xs_session *session, struct xs_slice controller, const char *topic,
                     struct xs_data data, const struct xs_message *cause)
{
    struct xs_personal who = personal_of(cause != NULL && cause->has_correlation,
                                         cause != NULL ? cause->correlation : 0);
    char name[XS_NAME_MAX + 1];
    struct xs_message msg;

    if (!compose(session->home, &msg, controller, topic, data, name))
        return;
    push_now(session->home, session->out, &msg, XS_ENTRY_CONTROL,
             who.has_correlation ? &who : NULL);
}

static void tell(struct xs_client *client, const char *topic, struct xs_data data,
                 const struct xs_personal *who)
{
    struct xs_clients *clients = client->stage->home;
    char name[XS_NAME_MAX + 1];
    struct xs_message msg;

    if (!compose(clients, &msg, client->stage->name, topic, data, name))
        return;
    if (client->session != NULL)
        xs_client_push(client, &msg, XS_ENTRY_CONTROL, who);
    else if (!client->is_me)
        (void)xs_post_reply(client->id, &msg, who);
}

void xs_client_tell(struct xs_client *client, const char *topic, struct xs_data data,
                    const struct xs_message *cause)
{
    struct xs_personal who = personal_of(cause != NULL && cause->has_correlation,
                                         cause != NULL ? cause->correlation : 0);

    tell(client, topic, data, who.has_correlation ? &who : NULL);
}

/* Safe for every client that exists: the .NET one makes an exception of it, and dies of less.
 */
static struct xs_data exception(struct xs_buf *buf, const char *sentence)
{
    xs_buf_append(buf, XS_SLICE("{\"ClassName\":\"System.Exception\",\"Message\":\""));
    xs_buf_append_escaped(buf, xs_slice_of(sentence));
    xs_buf_append(buf, XS_SLICE("\",\"Data\":null,\"InnerException\":null,\"HelpURL\":null,"
                                "\"StackTraceString\":null,\"RemoteStackTraceString\":null,"
                                "\"RemoteStackIndex\":0,\"ExceptionMethod\":null,"
                                "\"HResult\":-2146233088,\"Source\":\"server\","
                                "\"WatsonBuckets\":null}"));
    return (struct xs_data){ { buf->at, buf->len }, XS_JSON };
}

void xs_session_fail(struct xs_session *session, struct xs_client *client, const char *sentence,
                     const struct xs_message *cause)
{
    bool names = cause != NULL && session->home->host->names_errors(session->conn);
    struct xs_buf buf = { 0 };
    struct xs_data data = exception(&buf, sentence);

    XS_COUNT(errors_sent);
    if (client != NULL && client->state == XS_CLIENT_OPEN)
        xs_client_tell(client, "4", data, cause);
    else
        xs_session_tell(session, names ? cause->controller : XS_SLICE(""), "4", data, cause);
    xs_free(buf.at);
}

void xs_client_fail(struct xs_client *client, const char *sentence, bool has_correlation,
                    int64_t correlation)
{
    struct xs_personal who = personal_of(has_correlation, correlation);
    struct xs_buf buf = { 0 };
    struct xs_data data = exception(&buf, sentence);

    XS_COUNT(errors_sent);
    tell(client, "4", data, has_correlation ? &who : NULL);
    xs_free(buf.at);
}

void xs_client_tell_info(struct xs_client *client, const char *topic,
                         const struct xs_message *cause)
{
    char ci[XS_GUID_TEXT], pi[XS_GUID_TEXT];
    struct xs_session *session = client->session;
    struct xs_buf buf = { 0 };

    xs_guid_write(client->ci, ci);
    xs_guid_write(session->pi, pi);
    xs_buf_append(&buf, XS_SLICE("{\"CI\":\""));
    xs_buf_append(&buf, (struct xs_slice){ ci, sizeof ci });
    xs_buf_append(&buf, XS_SLICE("\",\"PI\":\""));
    xs_buf_append(&buf, (struct xs_slice){ pi, sizeof pi });
    xs_buf_append(&buf, XS_SLICE("\",\"C\":\""));
    xs_buf_append_escaped(&buf, client->stage->name);
    xs_buf_append(&buf, XS_SLICE("\"}"));
    xs_session_tell(session, client->stage->name, topic,
                    (struct xs_data){ { buf.at, buf.len }, XS_JSON }, cause);
    xs_free(buf.at);
}

/* ---- controllers speak ---- */

static enum xs_err reply(struct xs_client *client, const char *topic, struct xs_data data,
                         const struct xs_slice *blob)
{
    struct xs_call *call = client->stage->home->call;
    struct xs_personal who = personal_of(false, 0);
    char name[XS_NAME_MAX + 1];
    struct xs_message msg;

    if (client->state == XS_CLIENT_CLOSED || client->is_me)
        return XS_EGONE;
    if (!compose(client->stage->home, &msg, client->stage->name, topic, data, name))
        return XS_ETOOBIG;
    if (blob != NULL) {
        msg.blob = *blob;
        msg.has_blob = true;
    }
    /* The first reply of a handler is the answer to its request. */
    if (call != NULL && call->client == client && !call->replied && !call->later) {
        call->replied = true;
        who = personal_of(call->has_correlation, call->correlation);
    }
    if (client->session == NULL)
        return xs_post_reply(client->id, &msg, who.has_correlation ? &who : NULL);
    xs_client_push(client, &msg, XS_ENTRY_CONTROL, who.has_correlation ? &who : NULL);
    return XS_OK;
}

enum xs_err xs_reply(struct xs_client *client, const char *topic, struct xs_data data)
{
    XS_ON_WORKER(client->stage->home->worker);
    return reply(client, topic, data, NULL);
}

enum xs_err xs_reply_blob(struct xs_client *client, const char *topic, struct xs_data data,
                          struct xs_slice blob)
{
    XS_ON_WORKER(client->stage->home->worker);
    return reply(client, topic, data, &blob);
}

struct xs_request xs_later(struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    struct xs_call *call = client->stage->home->call;
    struct xs_request request = { .client = client->id };

    if (call != NULL && call->client == client) {
        call->later = true;
        request.has_correlation = call->has_correlation;
        request.correlation = call->correlation;
    }
    return request;
}

/* The controller's name is looked up on the client's own worker: here it is left empty. */
static enum xs_err answer(struct xs_client_id to, const char *topic, struct xs_data data,
                          const struct xs_personal *who)
{
    struct xs_clients *here = xs_clients_here;
    char name[XS_NAME_MAX + 1];
    struct xs_client *client;
    struct xs_message msg;

    if (!compose(here, &msg, XS_SLICE(""), topic, data, name))
        return XS_ETOOBIG;
    if (here == NULL || to.worker != here->worker || to.node != here->node)
        return xs_post_reply(to, &msg, who);
    client = xs_clients_find(here, to);
    if (client == NULL || client->session == NULL || client->state == XS_CLIENT_CLOSED) {
        XS_COUNT(gone);
        return XS_EGONE;
    }
    msg.controller = client->stage->name;
    xs_client_push(client, &msg, XS_ENTRY_CONTROL, who);
    return XS_OK;
}

enum xs_err xs_reply_to(struct xs_client_id client, const char *topic, struct xs_data data)
{
    return answer(client, topic, data, NULL);
}

enum xs_err xs_answer(struct xs_request request, const char *topic, struct xs_data data)
{
    struct xs_personal who = personal_of(request.has_correlation, request.correlation);

    return answer(request.client, topic, data, request.has_correlation ? &who : NULL);
}

void xs_fail_text(struct xs_client *client, const char *sentence)
{
    XS_ON_WORKER(client->stage->home->worker);
    struct xs_call *call = client->stage->home->call;

    if (call == NULL || sentence == NULL)
        return;
    xs_sentence_copy(call->sentence, sentence);
}
