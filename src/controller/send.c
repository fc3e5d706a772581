/* send - a message to many: own receivers, then one letter to each other worker that has some.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/stats.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "controller/clients.h"

/* Who gets it, besides being a member or subscriber: data, so it crosses workers. */
struct filter {
    const struct xs_where *where;
    size_t where_count;
    xs_predicate predicate;
    const void *argument;
    const struct xs_client_id *except;
    size_t except_count;
    bool subscribers_only;
};

/* ---- conditions ---- */

static int order_of(double a, double b)
{
    return a < b ? -1 : a > b;
}

static bool holds(enum xs_compare compare, int order)
{
    switch (compare) {
    case XS_EQ:
        return order == 0;
    case XS_NE:
        return order != 0;
    case XS_LT:
        return order < 0;
    case XS_LE:
        return order <= 0;
    case XS_GT:
        return order > 0;
    case XS_GE:
        return order >= 0;
    }
    return false;
}

static int compare_text(struct xs_slice a, struct xs_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static int64_t signed_at(const void *at, uint32_t size)
{
    int64_t wide = 0;

    /* Two's complement, little endian or not: read at its own width. */
    switch (size) {
    case 1:
        return *(const int8_t *)at;
    case 2:
        return *(const int16_t *)at;
    case 4:
        return *(const int32_t *)at;
    default:
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
}

static uint64_t unsigned_at(const void *at, uint32_t size)
{
    uint64_t wide = 0;

    switch (size) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
}

static bool integer_term(const struct xs_where *term, const struct xs_property *row,
                         const void *at)
{
    int64_t value;

    if (row->type == XS_TYPE_UINT) {
        uint64_t wide = unsigned_at(at, row->size);

        if (term->kind != XS_VALUE_INT)
            return holds(term->compare, order_of((double)wide, term->number));
        if (term->integer < 0)
            return holds(term->compare, 1);
        return holds(term->compare,
                     wide < (uint64_t)term->integer ? -1 : wide > (uint64_t)term->integer);
    }
    value = signed_at(at, row->size);
    if (term->kind != XS_VALUE_INT)
        return holds(term->compare, order_of((double)value, term->number));
    return holds(term->compare, value < term->integer ? -1 : value > term->integer);
}

/* A value of another kind than the property matches nobody. */
static bool term_holds(const struct xs_where *term, const struct xs_property *row,
                       const void *state)
{
    const char *at = (const char *)state + row->offset;
    double number;

    switch (row->type) {
    case XS_TYPE_STRING:
        return term->kind == XS_VALUE_TEXT &&
               holds(term->compare,
                     compare_text((struct xs_slice){ at, strnlen(at, row->size) }, term->text));
    case XS_TYPE_BOOL:
        return term->kind == XS_VALUE_BOOL &&
               holds(term->compare, *(const bool *)(const void *)at - (term->integer != 0));
    case XS_TYPE_INT:
    case XS_TYPE_UINT:
        return (term->kind == XS_VALUE_INT || term->kind == XS_VALUE_DOUBLE) &&
               integer_term(term, row, at);
    case XS_TYPE_DOUBLE:
        memcpy(&number, at, sizeof number);
        if (term->kind == XS_VALUE_INT)
            return holds(term->compare, order_of(number, (double)term->integer));
        return term->kind == XS_VALUE_DOUBLE &&
               holds(term->compare, order_of(number, term->number));
    default:
        return false;
    }
}

static const struct xs_property *row_of(const struct xs_stage *stage, const char *name)
{
    const struct xs_table *table = &stage->controller->ops.properties;
    const struct xs_property *rows = table->at;

    for (size_t i = 0; i < table->count; i++)
        if (xs_slice_equal_nocase(xs_slice_of(rows[i].name), xs_slice_of(name)))
            return &rows[i];
    return NULL;
}

/* ---- own receivers ---- */

#define TERMS_MAX 8

struct walk {
    struct xs_clients *clients;
    const struct filter *filter;
    const struct xs_property *rows[TERMS_MAX];
};

static bool is_excepted(const struct filter *filter, struct xs_client_id id)
{
    for (size_t i = 0; i < filter->except_count; i++)
        if (xs_client_id_equal(filter->except[i], id))
            return true;
    return false;
}

static bool wanted(const struct walk *walk, const struct xs_client *client)
{
    const struct filter *filter = walk->filter;

    if (filter->except_count > 0 && is_excepted(filter, client->id))
        return false;
    for (size_t i = 0; i < filter->where_count; i++)
        if (!term_holds(&filter->where[i], walk->rows[i], client->self))
            return false;
    return filter->predicate == NULL || filter->predicate(client->self, filter->argument);
}

static void visit(void *context, struct xs_member *member)
{
    struct walk *walk = context;
    struct xs_client *client = XS_CONTAINER(member, struct xs_client, member);

    if (wanted(walk, client))
        (void)xs_outbound_push(walk->clients->out, client->session->out, XS_ENTRY_DATA, NULL);
}

static void send_here(struct xs_clients *clients, struct xs_stage *stage,
                      const struct xs_message *msg, const struct filter *filter)
{
    struct walk walk = { .clients = clients, .filter = filter };

    for (size_t i = 0; i < filter->where_count; i++) {
        walk.rows[i] = row_of(stage, filter->where[i].property);
        if (walk.rows[i] == NULL)
            return; /* a property that nobody has matches nobody */
    }
    xs_outbound_begin(clients->out, msg);
    if (filter->subscribers_only)
        (void)xs_hall_publish(&stage->hall, msg->topic, visit, &walk);
    else
        (void)xs_hall_each(&stage->hall, visit, &walk);
    xs_outbound_end(clients->out);
}

/* ---- to other workers ---- */

/* A letter with all that it needs, copied. */
struct parcel {
    struct xs_letter letter;
    unsigned stage;
    const struct xs_message *msg;
    struct filter filter;
    struct xs_where where[TERMS_MAX];
    char *bytes; /* names, texts, argument, exceptions */
};

static void read_parcel(struct xs_letter *letter, void *at)
{
    struct parcel *parcel = (struct parcel *)letter;
    struct xs_clients *clients = at;

    if (clients != NULL)
        send_here(clients, &clients->stages[parcel->stage], parcel->msg, &parcel->filter);
    xs_message_unref(parcel->msg);
    xs_free(parcel->bytes);
    xs_free(parcel);
}

static size_t aligned(size_t size)
{
    return (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

static size_t bytes_of(const struct filter *filter, size_t argument_size)
{
    size_t size =
        aligned(argument_size) + aligned(filter->except_count * sizeof(struct xs_client_id));

    for (size_t i = 0; i < filter->where_count; i++)
        size += strlen(filter->where[i].property) + 1 + filter->where[i].text.len;
    return size;
}

static const char *put(char **at, const void *from, size_t len)
{
    const char *start = *at;

    if (len > 0)
        memcpy(*at, from, len);
    *at += len;
    return start;
}

static struct parcel *pack(const struct xs_stage *stage, const struct xs_message *msg,
                           const struct filter *filter, size_t argument_size)
{
    struct parcel *parcel = xs_alloc(sizeof *parcel);
    size_t size = bytes_of(filter, argument_size);
    char *at = size > 0 ? xs_alloc(size) : NULL, *start;

    parcel->bytes = at;
    parcel->stage = stage->index;
    parcel->msg = xs_message_ref(msg);
    parcel->filter = *filter;
    parcel->letter.read = read_parcel;
    parcel->letter.bytes = (uint32_t)(sizeof *parcel + size + msg->data.len + msg->blob.len);
    parcel->letter.from =
        xs_clients_here != NULL ? (uint16_t)xs_clients_here->worker : XS_FROM_OUTSIDE;
    if (size == 0)
        return parcel;
    start = at;
    parcel->filter.argument = put(&at, filter->argument, argument_size);
    at = start + aligned(argument_size);
    start = at;
    parcel->filter.except = (const void *)put(
        &at, filter->except, filter->except_count * sizeof(struct xs_client_id));
    at = start + aligned(filter->except_count * sizeof(struct xs_client_id));
    parcel->filter.where = parcel->where;
    for (size_t i = 0; i < filter->where_count; i++) {
        const struct xs_where *from = &filter->where[i];

        parcel->where[i] = *from;
        parcel->where[i].property = put(&at, from->property, strlen(from->property) + 1);
        parcel->where[i].text.at = put(&at, from->text.at, from->text.len);
    }
    return parcel;
}

static enum xs_err send_elsewhere(struct xs_clients *here, const struct xs_stage *stage,
                                  const struct xs_message *msg, const struct filter *filter,
                                  size_t argument_size, struct xs_interest *interest)
{
    uint64_t mask = filter->subscribers_only
                        ? xs_interest_subscribers(interest, stage->hall.hash, msg->topic)
                        : xs_interest_members(interest, stage->hall.hash);
    const struct xs_message *kept;

    if (here != NULL)
        mask &= ~(UINT64_C(1) << here->worker);
    if (mask == 0)
        return XS_OK;
    kept = xs_message_ref(msg); /* one copy for all of them */
    if (kept == NULL)
        return XS_ENOMEM;
    for (unsigned to = 0; mask != 0; to++, mask >>= 1) {
        struct parcel *parcel;

        if ((mask & 1) == 0)
            continue;
        parcel = pack(stage, kept, filter, argument_size);
        if (here != NULL)
            (void)xs_clients_post(here, to, &parcel->letter);
        else
            (void)xs_everybody.mail->post(xs_everybody.mail, to, &parcel->letter);
    }
    xs_message_unref(kept);
    return XS_OK;
}

/* ---- the verbs ---- */

static bool topic_is_sound(struct xs_slice topic)
{
    if (topic.len == 0 || topic.len > XS_NAME_MAX)
        return false;
    for (size_t i = 0; i < topic.len; i++)
        if ((unsigned char)topic.at[i] < 0x20)
            return false;
    return true;
}

static void compose(struct xs_message *msg, const struct xs_stage *stage,
                    const struct xs_send *what, char topic[XS_NAME_MAX + 1])
{
    memset(msg, 0, sizeof *msg);
    xs_fold(topic, what->topic.at, what->topic.len);
    topic[what->topic.len] = '\0';
    msg->controller = stage->name;
    msg->topic = (struct xs_slice){ topic, what->topic.len };
    msg->data = what->data.bytes.at != NULL ? what->data.bytes : XS_SLICE("null");
    msg->form = (uint8_t)(what->data.bytes.at != NULL ? what->data.form : XS_JSON);
    msg->blob = what->blob;
    msg->has_blob = what->has_blob;
    msg->retain = what->retain;
    msg->qos = (uint8_t)(what->qos != 0);
}

static enum xs_err send_from(struct xs_clients *here, struct xs_stage *stage,
                             const struct xs_client *me, const struct xs_send *what)
{
    struct xs_client_id except[33];
    struct filter filter = { .where = what->where,
                             .where_count = what->where_count,
                             .predicate = what->predicate,
                             .argument = what->argument,
                             .except = what->except,
                             .except_count = what->except_count,
                             .subscribers_only = what->subscribers_only };
    char topic[XS_NAME_MAX + 1];
    struct xs_message msg;

    if (!topic_is_sound(what->topic))
        return XS_EINVAL;
    /* What clients have in common is no property of one of them. */
    if (stage->controller->ops.sharing == XS_SHARED &&
        (what->where_count > 0 || what->predicate != NULL))
        return XS_EINVAL;
    if (what->where_count > TERMS_MAX || what->except_count > 32)
        return XS_ETOOBIG;
    compose(&msg, stage, what, topic);
    if (what->but_me && me != NULL) {
        if (what->except_count > 0)
            memcpy(except, what->except, what->except_count * sizeof except[0]);
        except[filter.except_count++] = me->id;
        filter.except = except;
    }
    if (here != NULL) {
        msg.id.node = here->node;
        msg.id.worker = (uint16_t)here->worker;
        msg.id.sequence = ++here->sequence;
        send_here(here, stage, &msg, &filter);
    }
    return send_elsewhere(here, stage, &msg, &filter, what->argument_size,
                          xs_everybody.workers[0]->interest);
}

static struct xs_stage *stage_named(struct xs_clients *clients, unsigned scope,
                                    const char *controller)
{
    struct xs_slice name = xs_slice_of(controller);
    char folded[XS_NAME_MAX];

    if (name.len > sizeof folded)
        return NULL;
    xs_fold(folded, name.at, name.len);
    return xs_clients_stage(clients, scope, (struct xs_slice){ folded, name.len });
}

enum xs_err xs_send(struct xs_client *from, const struct xs_send *what)
{
    XS_ON_WORKER(from->stage->home->worker);
    struct xs_stage *stage = from->stage;

    if (what->controller != NULL)
        stage = stage_named(stage->home, stage->scope, what->controller);
    if (stage == NULL)
        return XS_ENOTFOUND;
    return send_from(stage->home, stage, from, what);
}

static enum xs_err send_in(struct xs_clients *here, const char *scope,
                           const struct xs_send *what)
{
    /* From outside, only what never changes of the first worker is read. */
    struct xs_clients *known = here != NULL ? here : xs_everybody.workers[0];
    struct xs_stage *stage = NULL;

    for (unsigned i = 0; i < known->scope_count && what->controller != NULL; i++)
        if (strcmp(known->scopes[i], scope) == 0)
            stage = stage_named(known, i, what->controller);
    if (stage == NULL)
        return XS_ENOTFOUND;
    return send_from(here, stage, NULL, what);
}

enum xs_err xs_send_in(const char *scope, const struct xs_send *what)
{
    struct xs_clients *here = xs_clients_here;
    enum xs_err err;

    if (here != NULL)
        return send_in(here, scope, what);
    if (!xs_everybody_enter())
        return XS_EGONE;
    err = send_in(NULL, scope, what);
    xs_everybody_leave();
    return err;
}

enum xs_err xs_publish(struct xs_client *client, const char *topic, struct xs_data data)
{
    XS_ON_WORKER(client->stage->home->worker);
    struct xs_slice name = xs_slice_of(topic);
    char folded[XS_NAME_MAX + 1];
    struct xs_message msg;

    if (client->session == NULL || client->state != XS_CLIENT_OPEN)
        return XS_EGONE;
    if (!topic_is_sound(name))
        return XS_EINVAL;
    compose(&msg, client->stage,
            &(struct xs_send){ .size = sizeof(struct xs_send), .topic = name, .data = data },
            folded);
    if (xs_member_subscribed(&client->member, msg.topic))
        xs_client_push(client, &msg, XS_ENTRY_DATA, NULL);
    return XS_OK;
}

enum xs_err xs_forward(struct xs_client *from, const struct xs_message *msg,
                       bool subscribers_only)
{
    XS_ON_WORKER(from->stage->home->worker);
    struct xs_send what = { .size = sizeof what };

    what.topic = msg->topic;
    what.data = (struct xs_data){ msg->data, (enum xs_form)msg->form };
    what.blob = msg->blob;
    what.has_blob = msg->has_blob;
    what.retain = msg->retain;
    what.qos = msg->qos;
    what.subscribers_only = subscribers_only;
    return xs_send(from, &what);
}

/* ---- who is asking ---- */

struct xs_client_id xs_client_id(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    return client->id;
}

/* Two ids may be looked at together: one place for each. */
struct xs_slice xs_client_connection_id(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    static _Thread_local char text[XS_GUID_TEXT];

    xs_guid_write(client->ci, text);
    return (struct xs_slice){ text, sizeof text };
}

struct xs_slice xs_client_persistent_id(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    static _Thread_local char text[XS_GUID_TEXT];

    if (client->session == NULL && client->pi == NULL)
        return XS_SLICE("");
    xs_guid_write(client->pi != NULL ? client->pi : client->session->pi, text);
    return (struct xs_slice){ text, sizeof text };
}

const char *xs_client_protocol(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    struct xs_clients *clients = client->stage->home;

    return client->session != NULL ? clients->host->protocol(client->session->conn) : "";
}

const char *xs_client_endpoint(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    struct xs_clients *clients = client->stage->home;

    return client->session != NULL ? clients->host->endpoint(client->session->conn) : "";
}

const char *xs_client_controller(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    return client->stage->controller->name;
}

const struct xs_settings *xs_client_settings(const struct xs_client *client)
{
    XS_ON_WORKER(client->stage->home->worker);
    return &client->stage->controller->settings;
}

void xs_client_disconnect(struct xs_client *client, const char *sentence)
{
    XS_ON_WORKER(client->stage->home->worker);
    if (client->session != NULL)
        client->stage->home->host->disconnect(client->session->conn, XS_CLOSE_REFUSED,
                                              sentence);
    else if (!client->is_me)
        xs_post_disconnect(client->id, sentence);
}
