/* shared - letters of controllers that clients have in common: the instance lives on one
 * worker, its clients everywhere. A client's letters travel in order: open, messages, close. */
#include <string.h>

#include "base/alloc.h"
#include "base/stats.h"
#include "controller/clients.h"

enum note_kind {
    NOTE_OPEN,       /* to the shared controller: may this client in? */
    NOTE_OPENED,     /* back: its answer */
    NOTE_MESSAGE,    /* to the shared controller */
    NOTE_CLOSE,      /* to the shared controller: the client has gone */
    NOTE_REPLY,      /* to a client */
    NOTE_DISCONNECT, /* to a client's connection */
};

struct note {
    struct xs_letter letter;
    enum note_kind kind;
    unsigned stage;
    struct xs_client_id id;
    const struct xs_message *msg;
    struct xs_personal who;
    bool personal;
    uint8_t ci[16], pi[16];
    struct xs_return how;
    bool reopened;
    enum xs_err err;
    char sentence[XS_SENTENCE_SIZE];
};

static void read_note(struct xs_letter *letter, void *at);

static struct note *write_note(enum note_kind kind, struct xs_client_id id)
{
    struct note *note = xs_alloc(sizeof *note);

    note->kind = kind;
    note->id = id;
    note->letter.read = read_note;
    note->letter.bytes = sizeof *note;
    note->letter.owed = kind != NOTE_MESSAGE;
    note->letter.from =
        xs_clients_here != NULL ? (uint16_t)xs_clients_here->worker : XS_FROM_OUTSIDE;
    return note;
}

bool xs_clients_post(struct xs_clients *clients, unsigned to, struct xs_letter *letter)
{
    bool room;

    XS_COUNT(letters);
    room = clients->mail->post(clients->mail, to, letter);
    if (!room && clients->causing != NULL)
        clients->host->stall(clients->causing->conn);
    return room;
}

/* ---- from the client's worker ---- */

void xs_shared_open(struct xs_client *client, const struct xs_return *how)
{
    struct note *note = write_note(NOTE_OPEN, client->id);

    note->stage = client->stage->index;
    memcpy(note->ci, client->ci, sizeof note->ci);
    memcpy(note->pi, client->session->pi, sizeof note->pi);
    note->reopened = client->session->pi_given;
    note->how = *how;
    (void)xs_clients_post(client->stage->home, client->stage->shared_worker, &note->letter);
}

void xs_shared_message(struct xs_client *client, const struct xs_message *msg)
{
    const struct xs_message *kept;
    struct note *note;

    if (client->stage->shared != NULL) {
        xs_client_dispatch(client, msg);
        return;
    }
    kept = xs_session_keep(client->session, msg);
    if (kept == NULL)
        return;
    note = write_note(NOTE_MESSAGE, client->id);
    note->stage = client->stage->index;
    note->msg = kept;
    note->letter.bytes += (uint32_t)(msg->data.len + msg->blob.len);
    (void)xs_clients_post(client->stage->home, client->stage->shared_worker, &note->letter);
}

void xs_shared_close(struct xs_client *client)
{
    struct note *note = write_note(NOTE_CLOSE, client->id);

    note->stage = client->stage->index;
    (void)xs_clients_post(client->stage->home, client->stage->shared_worker, &note->letter);
}

static enum xs_err post_reply(struct xs_clients *here, struct xs_client_id to,
                              const struct xs_message *msg, const struct xs_personal *who)
{
    const struct xs_message *kept;
    struct note *note;

    if (to.generation == 0 || to.worker >= xs_everybody.count) {
        XS_COUNT(gone);
        return XS_EGONE;
    }
    kept = xs_message_ref(msg);
    if (kept == NULL)
        return XS_ENOMEM;
    note = write_note(NOTE_REPLY, to);
    note->msg = kept;
    note->letter.bytes += (uint32_t)(msg->data.len + msg->blob.len);
    note->personal = who != NULL;
    if (who != NULL)
        note->who = *who;
    if (here != NULL)
        (void)xs_clients_post(here, to.worker, &note->letter);
    else
        (void)xs_everybody.mail->post(xs_everybody.mail, to.worker, &note->letter);
    return XS_OK;
}

enum xs_err xs_post_reply(struct xs_client_id to, const struct xs_message *msg,
                          const struct xs_personal *who)
{
    struct xs_clients *here = xs_clients_here;
    enum xs_err err;

    if (here != NULL)
        return post_reply(here, to, msg, who);
    if (!xs_everybody_enter())
        return XS_EGONE;
    err = post_reply(NULL, to, msg, who);
    xs_everybody_leave();
    return err;
}

void xs_post_disconnect(struct xs_client_id to, const char *sentence)
{
    struct note *note = write_note(NOTE_DISCONNECT, to);

    xs_sentence_copy(note->sentence, sentence);
    (void)xs_clients_post(xs_clients_here, to.worker, &note->letter);
}

/* ---- on the shared controller's worker ---- */

static void answer_open(struct xs_clients *clients, const struct note *asked, enum xs_err err,
                        const char *sentence)
{
    struct note *note = write_note(NOTE_OPENED, asked->id);

    note->err = err;
    xs_sentence_copy(note->sentence, sentence);
    (void)xs_clients_post(clients, asked->id.worker, &note->letter);
}

static struct xs_client *proxy_new(struct xs_stage *stage, const struct note *note)
{
    struct xs_client *proxy = xs_alloc(sizeof *proxy);

    proxy->stage = stage;
    xs_list_init(&proxy->timers);
    proxy->self = stage->shared->self;
    proxy->id = note->id;
    proxy->state = XS_CLIENT_OPEN;
    memcpy(proxy->ci, note->ci, sizeof proxy->ci);
    proxy->pi = xs_alloc(16);
    memcpy(proxy->pi, note->pi, 16);
    return proxy;
}

static struct xs_slice key_of(const struct xs_client_id *id)
{
    return (struct xs_slice){ (const char *)id, sizeof *id };
}

static void on_open(struct xs_clients *clients, const struct note *note)
{
    struct xs_stage *stage = &clients->stages[note->stage];
    const struct xs_controller_ops *ops = &stage->controller->ops;
    struct xs_client *proxy;
    struct xs_call call;
    enum xs_err err = XS_OK;

    if (stage->shared == NULL) {
        answer_open(clients, note, XS_EGONE, "The server stops");
        return;
    }
    proxy = proxy_new(stage, note);
    xs_bind_forget();
    xs_call_begin(proxy, &call);
    if (ops->opened != NULL)
        err = ops->opened(proxy->self, proxy);
    if (err == XS_OK && note->reopened && ops->reopened != NULL)
        ops->reopened(proxy->self, proxy, &note->how);
    xs_call_end(proxy, &call);
    answer_open(clients, note, err, call.sentence);
    if (err != XS_OK) {
        xs_client_free(proxy);
        return;
    }
    xs_map_put(&stage->proxies, key_of(&proxy->id), proxy);
}

static void on_close(struct xs_clients *clients, const struct note *note)
{
    struct xs_stage *stage = &clients->stages[note->stage];
    struct xs_client *proxy = xs_map_remove(&stage->proxies, key_of(&note->id));
    struct xs_call call;

    if (proxy == NULL)
        return;
    proxy->state = XS_CLIENT_CLOSED;
    xs_call_begin(proxy, &call);
    if (stage->controller->ops.closed != NULL)
        stage->controller->ops.closed(proxy->self, proxy);
    xs_call_end(proxy, &call);
    xs_client_free(proxy);
}

static void on_message(struct xs_clients *clients, const struct note *note)
{
    struct xs_stage *stage = &clients->stages[note->stage];
    struct xs_client *proxy = xs_map_get(&stage->proxies, key_of(&note->id));

    if (proxy != NULL)
        xs_client_dispatch(proxy, note->msg);
}

/* ---- on the client's worker ---- */

static void on_reply(struct xs_clients *clients, const struct note *note)
{
    struct xs_client *client = xs_clients_find(clients, note->id);
    struct xs_message msg;

    if (client == NULL || client->session == NULL || client->state == XS_CLIENT_CLOSED) {
        XS_COUNT(gone);
        return;
    }
    /* From outside a reply does not know the controller's name. */
    if (note->msg->controller.len > 0) {
        xs_client_push(client, note->msg, XS_ENTRY_CONTROL, note->personal ? &note->who : NULL);
        return;
    }
    memcpy(&msg, note->msg, sizeof msg);
    atomic_init(&msg.refs, 0);
    msg.controller = client->stage->name;
    xs_client_push(client, &msg, XS_ENTRY_CONTROL, note->personal ? &note->who : NULL);
}

/* To the shared controller, on its worker. */
static void on_asked(struct xs_clients *clients, const struct note *note)
{
    if (note->kind == NOTE_OPEN)
        on_open(clients, note);
    else if (note->kind == NOTE_MESSAGE)
        on_message(clients, note);
    else
        on_close(clients, note);
}

/* To a client, on its worker. */
static void on_told(struct xs_clients *clients, const struct note *note)
{
    struct xs_client *client = xs_clients_find(clients, note->id);

    if (note->kind == NOTE_REPLY)
        on_reply(clients, note);
    else if (note->kind == NOTE_OPENED && client != NULL)
        xs_client_opened(client, note->err, note->sentence);
    else if (note->kind == NOTE_DISCONNECT && client != NULL && client->session != NULL)
        clients->host->disconnect(client->session->conn, XS_CLOSE_REFUSED, note->sentence);
}

static void read_note(struct xs_letter *letter, void *at)
{
    struct note *note = (struct note *)letter;

    if (at != NULL &&
        (note->kind == NOTE_OPEN || note->kind == NOTE_MESSAGE || note->kind == NOTE_CLOSE))
        on_asked(at, note);
    else if (at != NULL)
        on_told(at, note);
    xs_message_unref(note->msg);
    xs_free(note);
}
