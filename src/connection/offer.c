/* offer - what an endpoint offers: names become modules. */
#include <string.h>

#include "base/alloc.h"
#include "connection/connection.h"

static void add_protocol(struct xs_offer *offer, struct xs_module_protocol *module)
{
    offer->protocols[offer->protocol_count] = module;
    offer->ops[offer->protocol_count++] = &module->ops;
}

static void offer_all(struct xs_offer *offer, const struct xs_registry *registry)
{
    for (size_t i = 0; i < registry->protocol_count; i++)
        add_protocol(offer, registry->protocols[i]);
    for (size_t i = 0; i < registry->subprotocol_count; i++)
        offer->subs[offer->sub_count++] = registry->subprotocols[i];
}

/* An alias of a subprotocol stands in the registry under the same name with another token. */
static bool add_subs(struct xs_offer *offer, const struct xs_registry *registry,
                     const char *name)
{
    size_t before = offer->sub_count;

    for (size_t i = 0; i < registry->subprotocol_count; i++)
        if (strcmp(registry->subprotocols[i]->name, name) == 0)
            offer->subs[offer->sub_count++] = registry->subprotocols[i];
    return offer->sub_count > before;
}

enum xs_err xs_offer_init(struct xs_offer *offer, const struct xs_registry *registry,
                          struct xs_endpoint *endpoint, const struct xs_config_endpoint *config,
                          const char **missing)
{
    memset(offer, 0, sizeof *offer);
    offer->endpoint = endpoint;
    offer->config = config;
    offer->protocols = xs_alloc((registry->protocol_count + 1) * sizeof *offer->protocols);
    offer->ops = xs_alloc((registry->protocol_count + 1) * sizeof(void *));
    offer->subs = xs_alloc((registry->subprotocol_count + 1) * sizeof *offer->subs);
    *missing = config->transport;
    offer->transport = xs_registry_transport(registry, config->transport);
    if (offer->transport == NULL)
        return XS_ENOTFOUND;
    if (config->protocols == NULL) {
        offer_all(offer, registry);
        return XS_OK;
    }
    for (char **name = config->protocols; *name != NULL; name++) {
        struct xs_module_protocol *module = xs_registry_protocol(registry, *name);

        *missing = *name;
        if (module != NULL && offer->protocol_count < registry->protocol_count)
            add_protocol(offer, module);
        else if (offer->sub_count >= registry->subprotocol_count ||
                 !add_subs(offer, registry, *name))
            return XS_ENOTFOUND;
    }
    return XS_OK;
}

void xs_offer_fini(struct xs_offer *offer)
{
    xs_free(offer->protocols);
    xs_free((void *)(uintptr_t)offer->ops);
    xs_free(offer->subs);
    memset(offer, 0, sizeof *offer);
}
