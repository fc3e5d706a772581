/* checks - what the host relies on in an ops struct, asked once when it is loaded. */
#include "base/alloc.h"
#include "config/ini.h"
#include "plugin/loader.h"

#define TABLE_MOST 1024 /* elements */

/* A function that a kind cannot do without. */
struct must {
    size_t offset;
    const char *name;
};

#define MUST(word, member)                                                                     \
    {                                                                                          \
        offsetof(struct xs_##word##_ops, member), #member                                      \
    }

static const struct must protocol_musts[] = { MUST(protocol, decode) };
static const struct must subprotocol_musts[] = { MUST(subprotocol, token),
                                                 MUST(subprotocol, decode),
                                                 MUST(subprotocol, encode) };
static const struct must transport_musts[] = { MUST(transport, open), MUST(transport, received),
                                               MUST(transport, send) };
static const struct must storage_musts[] = { MUST(storage, open), MUST(storage, close) };
static const struct must auth_musts[] = { MUST(auth, open), MUST(auth, close),
                                          MUST(auth, authenticate) };
static const struct must scaleout_musts[] = { MUST(scaleout, open), MUST(scaleout, close),
                                              MUST(scaleout, publish),
                                              MUST(scaleout, interested) };

#define MUSTS(table)                                                                           \
    {                                                                                          \
        (table), sizeof(table) / sizeof(table)[0]                                              \
    }

static const struct {
    const struct must *at;
    size_t count;
} musts[XS_MODULE_KINDS] = {
    [XS_MODULE_PROTOCOL] = MUSTS(protocol_musts),
    [XS_MODULE_SUBPROTOCOL] = MUSTS(subprotocol_musts),
    [XS_MODULE_TRANSPORT] = MUSTS(transport_musts),
    [XS_MODULE_STORAGE] = MUSTS(storage_musts),
    [XS_MODULE_AUTH] = MUSTS(auth_musts),
    [XS_MODULE_SCALEOUT] = MUSTS(scaleout_musts),
};

static bool is_null(const void *at, size_t offset)
{
    static const char zero[sizeof(void *)];

    return memcmp((const char *)at + offset, zero, sizeof zero) == 0;
}

static char *lacks(const char *what)
{
    return xs_sentence("has no %s()", what);
}

static char *check_table(const char *what, struct xs_table table, size_t least)
{
    if (table.count > TABLE_MOST || (table.count > 0 && table.at == NULL) ||
        (table.count > 0 && table.element < least))
        return xs_sentence("has a table of %s that was not made with XS_TABLE()", what);
    return NULL;
}

static char *check_protocol(const struct xs_protocol_ops *ops)
{
    if (ops->match == NULL && ops->upgrade == NULL)
        return xs_sentence("has neither match() nor an upgrade: nothing would ever reach it");
    if (ops->match != NULL && ops->open == NULL)
        return lacks("open");
    if (ops->upgrade != NULL && ops->open_upgraded == NULL)
        return lacks("open_upgraded");
    return NULL;
}

/* ---- controllers ---- */

/* Whether a property's size is one that its type has. */
static bool has_size(const struct xs_property *row)
{
    switch (row->type) {
    case XS_TYPE_BOOL:
        return row->size == sizeof(bool);
    case XS_TYPE_INT:
    case XS_TYPE_UINT:
        return row->size == 1 || row->size == 2 || row->size == 4 || row->size == 8;
    case XS_TYPE_DOUBLE:
        return row->size == sizeof(double);
    case XS_TYPE_STRING:
        return row->size > 0;
    default:
        return false; /* the others are for bindings: they hold what lives for one call */
    }
}

static const struct xs_property *property_row(struct xs_table table, size_t at)
{
    return (const void *)((const char *)table.at + at * table.element);
}

static const struct xs_action *action_row(struct xs_table table, size_t at)
{
    return (const void *)((const char *)table.at + at * table.element);
}

static char *check_property(const struct xs_controller_ops *ops, size_t at)
{
    const struct xs_property *row = property_row(ops->properties, at);
    size_t i;

    if (row->name == NULL || row->name[0] == '\0')
        return xs_sentence("has a property without a name");
    if (!has_size(row))
        return xs_sentence("has the property \"%s\" with a type or size that properties cannot "
                           "have",
                           row->name);
    if (row->offset > ops->state_size || row->size > ops->state_size - row->offset)
        return xs_sentence("has the property \"%s\" outside its state_size", row->name);
    for (i = 0; i < at; i++)
        if (xs_slice_equal_nocase(xs_slice_of(row->name),
                                  xs_slice_of(property_row(ops->properties, i)->name)))
            return xs_sentence("has the property \"%s\" twice", row->name);
    return NULL;
}

static char *check_action(const struct xs_controller_ops *ops, size_t at)
{
    const struct xs_action *row = action_row(ops->actions, at);
    size_t i;

    if (row->topic == NULL || row->topic[0] == '\0')
        return xs_sentence("has an action without a topic");
    if (row->call == NULL)
        return xs_sentence("has no function for the action \"%s\"", row->topic);
    for (i = 0; i < at; i++)
        if (xs_slice_equal_nocase(xs_slice_of(row->topic),
                                  xs_slice_of(action_row(ops->actions, i)->topic)))
            return xs_sentence("has the action \"%s\" twice", row->topic);
    return NULL;
}

static char *check_controller(const struct xs_controller_ops *ops)
{
    char *why;
    size_t i;

    if (ops->sharing != XS_PER_CLIENT && ops->sharing != XS_SHARED)
        return xs_sentence("has an unknown sharing");
    why = check_table("properties", ops->properties,
                      offsetof(struct xs_property, flags) + sizeof(uint32_t));
    for (i = 0; why == NULL && i < ops->properties.count; i++)
        why = check_property(ops, i);
    if (why == NULL)
        why = check_table("actions", ops->actions, sizeof(struct xs_action));
    for (i = 0; why == NULL && i < ops->actions.count; i++)
        why = check_action(ops, i);
    return why;
}

/* ---- storage, interceptors ---- */

static char *check_queue(const struct xs_queue_ops *from)
{
    struct xs_queue_ops ops = { 0 };

    if (from == NULL)
        return NULL;
    memcpy(&ops, from, from->size < sizeof ops ? from->size : sizeof ops);
    if (ops.append == NULL || ops.read == NULL || ops.remove == NULL)
        return xs_sentence("has a queue without append(), read() or remove()");
    return NULL;
}

static char *check_pairs(const char *what, const struct xs_pairs_ops *from)
{
    struct xs_pairs_ops ops = { 0 };

    if (from == NULL)
        return NULL;
    memcpy(&ops, from, from->size < sizeof ops ? from->size : sizeof ops);
    if (ops.get == NULL || ops.put == NULL || ops.remove == NULL || ops.clear == NULL ||
        ops.each == NULL)
        return xs_sentence("has %s without get(), put(), remove(), clear() or each()", what);
    return NULL;
}

static char *check_storage(const struct xs_storage_ops *ops)
{
    char *why = check_queue(ops->queue);

    if (why == NULL)
        why = check_pairs("properties", ops->properties);
    if (why == NULL)
        why = check_pairs("pairs", ops->pairs);
    if (why == NULL && ops->queue == NULL && ops->properties == NULL && ops->pairs == NULL)
        why = xs_sentence("stores nothing: it has no queue, no properties and no pairs");
    return why;
}

static char *check_interceptor(const struct xs_interceptor_ops *ops)
{
    if (ops->accept == NULL && ops->connected == NULL && ops->disconnected == NULL &&
        ops->incoming == NULL && ops->outgoing == NULL && ops->failed == NULL)
        return xs_sentence("looks at nothing: it has no function");
    return NULL;
}

char *xs_ops_check(enum xs_module_kind kind, struct xs_ops_head *ops)
{
    struct xs_table settings = *xs_module_settings(kind, ops);
    char *why = NULL;
    size_t i;

    for (i = 0; i < musts[kind].count; i++)
        if (is_null(ops, musts[kind].at[i].offset))
            return strcmp(musts[kind].at[i].name, "token") == 0 ? xs_sentence("has no token")
                                                                : lacks(musts[kind].at[i].name);
    if (kind == XS_MODULE_PROTOCOL)
        why = check_protocol((const void *)ops);
    else if (kind == XS_MODULE_CONTROLLER)
        why = check_controller((const void *)ops);
    else if (kind == XS_MODULE_STORAGE)
        why = check_storage((const void *)ops);
    else if (kind == XS_MODULE_INTERCEPTOR)
        why = check_interceptor((const void *)ops);
    if (why == NULL)
        why = check_table("settings", settings, sizeof(struct xs_setting));
    return why != NULL ? why : xs_settings_check(settings);
}
