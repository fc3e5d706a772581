/* endpoints - whether what an endpoint names is there, and who wins when two claim the same. */
#include "base/alloc.h"
#include "config/ini.h"
#include "config/value.h"
#include "plugin/plugin.h"

struct check {
    const struct xs_registry *registry;
    const struct xs_config_endpoint *endpoint;
    struct xs_module_protocol **protocols; /* that the endpoint allows, in its order */
    size_t protocol_count;
    struct xs_module_subprotocol **subprotocols;
    size_t subprotocol_count;
    void (*say)(void *context, const char *sentence);
    void *context;
};

/* ---- names ---- */

static char *no_such(const struct xs_config *config, const struct xs_config_endpoint *endpoint,
                     unsigned line, const char *key, const char *name, const char *near)
{
    char *place = line > 0 ? xs_sentence("%s:%u", config->path, line) : xs_strdup("-D");
    char *error =
        near != NULL
            ? xs_sentence("%s: [endpoint %s] %s: there is no \"%s\" (did you mean \"%s\"?)",
                          place, endpoint->name, key, name, near)
            : xs_sentence("%s: [endpoint %s] %s: there is no \"%s\"; no module brings it",
                          place, endpoint->name, key, name);

    xs_free(place);
    return error;
}

static const char *nearest_protocol(const struct xs_registry *registry, const char *name)
{
    size_t count = 0, i;
    const char **names =
        xs_alloc((registry->protocol_count + registry->subprotocol_count) * sizeof *names);
    const char *near;

    for (i = 0; i < registry->protocol_count; i++)
        names[count++] = registry->protocols[i]->name;
    for (i = 0; i < registry->subprotocol_count; i++)
        names[count++] = registry->subprotocols[i]->name;
    near = xs_nearest(name, names, count);
    xs_free(names);
    return near;
}

static const char *nearest_transport(const struct xs_registry *registry, const char *name)
{
    const char **names = xs_alloc(registry->transport_count * sizeof *names), *near;
    size_t i;

    for (i = 0; i < registry->transport_count; i++)
        names[i] = registry->transports[i]->name;
    near = xs_nearest(name, names, registry->transport_count);
    xs_free(names);
    return near;
}

/* What is wrong with the names of an endpoint, or NULL. */
static char *check_names(const struct xs_registry *registry, const struct xs_config *config,
                         const struct xs_config_endpoint *endpoint)
{
    char **name = endpoint->protocols;

    if (xs_registry_transport(registry, endpoint->transport) == NULL)
        return no_such(config, endpoint,
                       endpoint->transport_line > 0 ? endpoint->transport_line : endpoint->line,
                       "transport", endpoint->transport,
                       nearest_transport(registry, endpoint->transport));
    for (; name != NULL && *name != NULL; name++)
        if (xs_registry_protocol(registry, *name) == NULL &&
            xs_registry_subprotocol(registry, *name) == NULL)
            return no_such(config, endpoint, endpoint->protocols_line, "protocols", *name,
                           nearest_protocol(registry, *name));
    return NULL;
}

/* ---- what the endpoint allows, in order ---- */

static void allow(struct check *check, const char *name)
{
    const struct xs_registry *registry = check->registry;
    size_t i;

    for (i = 0; i < registry->protocol_count; i++)
        if (name == NULL || strcmp(registry->protocols[i]->name, name) == 0)
            check->protocols[check->protocol_count++] = registry->protocols[i];
    for (i = 0; i < registry->subprotocol_count; i++)
        if (name == NULL || strcmp(registry->subprotocols[i]->name, name) == 0)
            check->subprotocols[check->subprotocol_count++] = registry->subprotocols[i];
}

/* ---- sentences ---- */

static void say_take(const struct check *check, char *sentence)
{
    char *whole = xs_sentence("endpoint %s: %s", check->endpoint->name, sentence);

    check->say(check->context, whole);
    xs_free(whole);
    xs_free(sentence);
}

static bool claims(const struct xs_module_protocol *protocol, const char *beginning)
{
    enum xs_match match = protocol->ops.match(xs_slice_of(beginning));

    return match == XS_MATCH_YES || match == XS_MATCH_QUIET;
}

/* The first beginning that a module gives for its own and the other claims too, or NULL. */
static const char *stolen(const struct xs_module_protocol *from,
                          const struct xs_module_protocol *by)
{
    const char *const *beginning = from->ops.beginnings;

    for (; beginning != NULL && *beginning != NULL; beginning++)
        if (claims(by, *beginning))
            return *beginning;
    return NULL;
}

static void check_pair(const struct check *check, const struct xs_module_protocol *first,
                       const struct xs_module_protocol *second)
{
    const char *both = NULL;
    struct xs_buf shown = { NULL, 0, 0, 0, false };

    if (first->ops.upgrade != NULL && second->ops.upgrade != NULL &&
        xs_slice_equal_nocase(xs_slice_of(first->ops.upgrade),
                              xs_slice_of(second->ops.upgrade)))
        say_take(check,
                 xs_sentence("\"%s\" and \"%s\" both take the upgrade to \"%s\"; \"%s\" "
                             "stands first and gets it",
                             first->name, second->name, first->ops.upgrade, first->name));
    if (first->ops.match == NULL || second->ops.match == NULL)
        return;
    both = stolen(first, second);
    if (both == NULL)
        both = stolen(second, first);
    if (both == NULL)
        return;
    xs_buf_append_escaped(&shown, xs_slice_of(both));
    say_take(check,
             xs_sentence("\"%s\" and \"%s\" both claim \"%.*s\"; \"%s\" stands first and "
                         "gets it",
                         first->name, second->name, (int)shown.len, shown.at, first->name));
    xs_free(shown.at);
}

static void check_tokens(const struct check *check, const struct xs_module_subprotocol *first,
                         const struct xs_module_subprotocol *second)
{
    if (strcmp(first->token, second->token) != 0)
        return;
    if (first->token[0] == '\0')
        say_take(check,
                 xs_sentence("\"%s\" and \"%s\" both take WebSocket clients that ask for "
                             "no subprotocol; \"%s\" stands first and gets them",
                             first->name, second->name, first->name));
    else
        say_take(check, xs_sentence("\"%s\" and \"%s\" both answer to the subprotocol \"%s\"; "
                                    "\"%s\" stands first and gets it",
                                    first->name, second->name, first->token, first->name));
}

static void check_claims(const struct check *check)
{
    bool reached = false;
    size_t i, j;

    for (i = 0; i < check->protocol_count; i++) {
        reached = reached || check->protocols[i]->ops.match != NULL;
        for (j = i + 1; j < check->protocol_count; j++)
            check_pair(check, check->protocols[i], check->protocols[j]);
    }
    for (i = 0; i < check->subprotocol_count; i++)
        for (j = i + 1; j < check->subprotocol_count; j++)
            check_tokens(check, check->subprotocols[i], check->subprotocols[j]);
    if (!reached)
        say_take(check, xs_sentence("none of its protocols recognises a connection by its "
                                    "first bytes, so nobody can be served"));
}

static void check_endpoint(const struct xs_registry *registry,
                           const struct xs_config_endpoint *endpoint,
                           void (*say)(void *context, const char *sentence), void *context)
{
    struct check check = {
        .registry = registry, .endpoint = endpoint, .say = say, .context = context
    };
    char **name = endpoint->protocols;

    check.protocols = xs_alloc(registry->protocol_count * sizeof(void *));
    check.subprotocols = xs_alloc(registry->subprotocol_count * sizeof(void *));
    if (name == NULL)
        allow(&check, NULL);
    for (; name != NULL && *name != NULL; name++)
        allow(&check, *name);
    check_claims(&check);
    xs_free(check.protocols);
    xs_free(check.subprotocols);
}

bool xs_registry_check(const struct xs_registry *registry, const struct xs_config *config,
                       void (*say)(void *context, const char *sentence), void *context,
                       char **error)
{
    size_t i;

    *error = NULL;
    for (i = 0; i < config->endpoint_count && *error == NULL; i++)
        *error = check_names(registry, config, &config->endpoints[i]);
    for (i = 0; i < config->endpoint_count && *error == NULL; i++)
        check_endpoint(registry, &config->endpoints[i], say, context);
    return *error == NULL;
}
