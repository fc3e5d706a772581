/* online - who is here. It is shared: one instance knows all clients, whichever worker has
 * them.
 *
 *   online   sent to everybody when somebody came or left: how many there are now
 *   name     a client tells its name: {"name":"anna"} or just "anna"; an empty one takes it
 * back who      answered with {"count":3,"names":["anna","bert"]}, the first 1,000 names; the
 * same is published to the subscribers of `who` when somebody came, left or told a name
 *
 * Changes are gathered for a moment, so that a thousand clients who come at once are told once.
 */
#include <stdio.h>
#include <stdlib.h>

#include <xsockets/controller.h>

enum { NAMES_ANSWERED = 1000 };

struct person {
    struct xs_client_id id;
    char name[32];
};

struct online {
    uint64_t count;        /* clients that are here */
    struct person *people; /* those of them that have a name */
    size_t named, room;
    struct xs_client *me;
    uint64_t gather; /* ms */
    bool told_soon;  /* the timer runs */
    bool count_new;  /* somebody came or left since it was told */
};

static const struct xs_setting online_settings[] = {
    { "gather", "time", "20ms", "How long changes are gathered before the count is sent." },
};

/* ---- the people ---- */

static struct person *find(const struct online *here, struct xs_client_id id)
{
    for (size_t i = 0; i < here->named; i++)
        if (xs_client_id_equal(here->people[i].id, id))
            return &here->people[i];
    return NULL;
}

static struct person *find_or_add(struct online *here, struct xs_client_id id)
{
    struct person *person = find(here, id);

    if (person != NULL)
        return person;
    if (here->named == here->room) {
        size_t room = here->room == 0 ? 16 : 2 * here->room;
        struct person *grown = realloc(here->people, room * sizeof *grown);

        if (grown == NULL)
            return NULL;
        here->people = grown;
        here->room = room;
    }
    person = &here->people[here->named++];
    memset(person, 0, sizeof *person);
    person->id = id;
    return person;
}

static void forget(struct online *here, struct xs_client_id id)
{
    struct person *person = find(here, id);

    if (person != NULL)
        *person = here->people[--here->named];
}

/* ---- telling ---- */

/* {"count":3,"names":["anna","bert"]} in memory that the caller frees; failed if there is none.
 */
static struct xs_buf list(const struct online *here)
{
    size_t names = here->named < NAMES_ANSWERED ? here->named : NAMES_ANSWERED;
    /* Every byte of a name may become an escape of six (RFC 8259 section 7). */
    size_t size = 64 + names * (6 * sizeof here->people->name + 3);
    struct xs_buf json = { malloc(size), 0, size, size, false };
    char count[32];

    if (json.at == NULL)
        return json;
    snprintf(count, sizeof count, "{\"count\":%llu", (unsigned long long)here->count);
    xs_buf_append(&json, xs_slice_of(count));
    xs_buf_append(&json, XS_SLICE(",\"names\":["));
    for (size_t i = 0; i < names; i++) {
        xs_buf_append(&json, i == 0 ? XS_SLICE("\"") : XS_SLICE(",\""));
        xs_buf_append_escaped(&json, xs_slice_of(here->people[i].name));
        xs_buf_append_byte(&json, '"');
    }
    xs_buf_append(&json, XS_SLICE("]}"));
    return json;
}

static enum xs_err publish_who(const struct online *here, struct xs_client *me)
{
    struct xs_buf json = list(here);
    enum xs_err err;

    if (json.at == NULL)
        return XS_ENOMEM;
    err = xs_publish_all(me, "who", xs_json_slice((struct xs_slice){ json.at, json.len }));
    free(json.at);
    return err;
}

static void on_gathered(void *self, struct xs_client *me)
{
    struct online *here = self;
    char json[24];

    here->told_soon = false;
    snprintf(json, sizeof json, "%llu", (unsigned long long)here->count);
    if (here->count_new && xs_invoke_all(me, "online", xs_json(json)) != XS_OK)
        xs_log(XS_LOG_WARNING, "who is online could not be told");
    here->count_new = false;
    if (publish_who(here, me) != XS_OK)
        xs_log(XS_LOG_WARNING, "the names of who is online could not be published");
}

static void tell_soon(struct online *here)
{
    if (!here->told_soon)
        here->told_soon = xs_timer_start(here->me, here->gather, false, on_gathered) != NULL;
}

static enum xs_err on_who(void *self, struct xs_client *client, const struct xs_message *msg)
{
    struct xs_buf json = list(self);
    enum xs_err err;

    (void)msg;
    if (json.at == NULL)
        return XS_ENOMEM;
    err = xs_reply(client, "who", xs_json_slice((struct xs_slice){ json.at, json.len }));
    free(json.at);
    return err;
}

static enum xs_err on_name(void *self, struct xs_client *client, const struct xs_message *msg)
{
    static const struct xs_property name_rows[] = { XS_STRING(struct person, name, 0) };
    static const struct xs_table rows = XS_TABLE(name_rows);
    struct online *here = self;
    struct person told, *person;
    enum xs_err err;

    memset(&told, 0, sizeof told);
    err = xs_bind(msg, rows, &told);
    if (err != XS_OK)
        return err;
    if (told.name[0] == '\0') {
        forget(here, xs_client_id(client));
    } else {
        person = find_or_add(here, xs_client_id(client));
        if (person == NULL)
            return XS_ENOMEM;
        memcpy(person->name, told.name, sizeof person->name);
    }
    tell_soon(here);
    return XS_OK;
}

/* ---- coming and going ---- */

static enum xs_err online_started(void *self, struct xs_client *me)
{
    struct online *here = self;
    int64_t gather = xs_setting_number(xs_client_settings(me), "gather");

    here->me = me;
    here->gather = gather > 0 ? (uint64_t)gather : 1;
    return XS_OK;
}

static void online_stopped(void *self, struct xs_client *me)
{
    struct online *here = self;

    (void)me;
    free(here->people);
}

static enum xs_err online_opened(void *self, struct xs_client *client)
{
    struct online *here = self;

    (void)client;
    here->count++;
    here->count_new = true;
    tell_soon(here);
    return XS_OK;
}

static void online_closed(void *self, struct xs_client *client)
{
    struct online *here = self;

    forget(here, xs_client_id(client));
    here->count--;
    here->count_new = true;
    tell_soon(here);
}

static const struct xs_action online_actions[] = { { "who", on_who }, { "name", on_name } };

static const struct xs_controller_ops online_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "online",
    .sharing = XS_SHARED,
    .state_size = sizeof(struct online),
    .settings = XS_TABLE(online_settings),
    .actions = XS_TABLE(online_actions),
    .started = online_started,
    .stopped = online_stopped,
    .opened = online_opened,
    .closed = online_closed,
};

XS_PLUGIN(.name = "online", .version = "1.0.0", .controllers = { &online_ops })
