/* trial_storage - remembers the last pair that it was given. Proves storage.h. */
#include <xsockets/storage.h>

struct trial {
    char key[32], value[32];
    size_t key_len, value_len;
};

static enum xs_err trial_open(void *state, const struct xs_settings *settings)
{
    (void)state;
    (void)settings;
    return XS_OK;
}

static void trial_close(void *state)
{
    (void)state;
}

static bool is(const struct trial *me, struct xs_slice key)
{
    return me->key_len > 0 && xs_slice_equal(key, (struct xs_slice){ me->key, me->key_len });
}

static enum xs_err trial_get(void *state, const struct xs_owner *owner, struct xs_slice table,
                             struct xs_slice key, xs_pair_cb each, void *context)
{
    const struct trial *me = state;

    (void)owner;
    (void)table;
    if (!is(me, key))
        return XS_ENOTFOUND;
    each(context, key, (struct xs_slice){ me->value, me->value_len });
    return XS_OK;
}

static enum xs_err trial_put(void *state, const struct xs_owner *owner, struct xs_slice table,
                             struct xs_slice key, struct xs_slice value, uint64_t expires_ms)
{
    struct trial *me = state;

    (void)owner;
    (void)table;
    (void)expires_ms;
    if (key.len == 0 || key.len > sizeof me->key || value.len > sizeof me->value)
        return XS_ETOOBIG;
    memcpy(me->key, key.at, key.len);
    memcpy(me->value, value.at, value.len);
    me->key_len = key.len;
    me->value_len = value.len;
    return XS_OK;
}

static enum xs_err trial_remove(void *state, const struct xs_owner *owner,
                                struct xs_slice table, struct xs_slice key)
{
    struct trial *me = state;

    (void)owner;
    (void)table;
    if (!is(me, key))
        return XS_ENOTFOUND;
    me->key_len = 0;
    return XS_OK;
}

static enum xs_err trial_clear(void *state, const struct xs_owner *owner, struct xs_slice table)
{
    struct trial *me = state;

    (void)owner;
    (void)table;
    me->key_len = 0;
    return XS_OK;
}

static enum xs_err trial_each(void *state, const struct xs_owner *owner, struct xs_slice table,
                              xs_pair_cb each, void *context)
{
    const struct trial *me = state;

    (void)owner;
    (void)table;
    if (me->key_len > 0)
        each(context, (struct xs_slice){ me->key, me->key_len },
             (struct xs_slice){ me->value, me->value_len });
    return XS_OK;
}

static const struct xs_pairs_ops trial_pairs = {
    .size = sizeof(struct xs_pairs_ops),
    .get = trial_get,
    .put = trial_put,
    .remove = trial_remove,
    .clear = trial_clear,
    .each = trial_each,
};

static const struct xs_storage_ops trial_ops = {
    .size = sizeof(struct xs_storage_ops),
    .name = "trial",
    .state_size = sizeof(struct trial),
    .threads = 1,
    .open = trial_open,
    .close = trial_close,
    .pairs = &trial_pairs,
};

XS_PLUGIN(.name = "trial_storage", .version = "1.0.0", .storages = { &trial_ops })
