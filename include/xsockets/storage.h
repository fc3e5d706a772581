/* storage.h - what must outlive a connection: offline queues, properties, key/value. A module
 * offers any of the three.
 *
 * All calls come on threads of the storage room, may block, and answer by their return value;
 * the host carries the answer back to the worker. Calls with the same `owner` come in order and
 * never at the same time. */
#ifndef XSOCKETS_STORAGE_H
#define XSOCKETS_STORAGE_H

#include <xsockets/message.h>
#include <xsockets/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whose data: scope and persistent id are part of every key. */
struct xs_owner {
    struct xs_slice scope;
    struct xs_slice persistent_id; /* 36 characters */
};

/* A stored message as bytes of the host's making: opaque to the module, kept whole. */
struct xs_record {
    uint64_t sequence; /* given by the module, growing per owner */
    struct xs_slice bytes;
};

/* Receives what a module has read; borrows for the call. False: enough. [store] */
typedef bool (*xs_record_cb)(void *context, const struct xs_record *record);
typedef bool (*xs_pair_cb)(void *context, struct xs_slice key, struct xs_slice value);

struct xs_queue_ops {
    size_t size;
    /* Appends for an owner that is away. Returns when it is as safe as the module promises.
     * [store] */
    enum xs_err (*append)(void *state, const struct xs_owner *owner, struct xs_slice bytes,
                          uint64_t expires_ms, uint64_t *sequence);
    /* Everything after `sequence`, oldest first. [store] */
    enum xs_err (*read)(void *state, const struct xs_owner *owner, uint64_t sequence,
                        xs_record_cb each, void *context);
    /* Forgets everything up to `sequence`. [store] */
    enum xs_err (*remove)(void *state, const struct xs_owner *owner, uint64_t sequence);
};

struct xs_pairs_ops {
    size_t size;
    /* XS_ENOTFOUND: no such key; else `each` is called once. [store] */
    enum xs_err (*get)(void *state, const struct xs_owner *owner, struct xs_slice table,
                       struct xs_slice key, xs_pair_cb each, void *context);
    enum xs_err (*put)(void *state, const struct xs_owner *owner, struct xs_slice table,
                       struct xs_slice key, struct xs_slice value, uint64_t expires_ms);
    enum xs_err (*remove)(void *state, const struct xs_owner *owner, struct xs_slice table,
                          struct xs_slice key);
    enum xs_err (*clear)(void *state, const struct xs_owner *owner, struct xs_slice table);
    /* Every pair of a table. [store] */
    enum xs_err (*each)(void *state, const struct xs_owner *owner, struct xs_slice table,
                        xs_pair_cb each, void *context);
};

struct xs_storage_ops {
    size_t size;
    const char *name;
    size_t state_size;        /* one per daemon, zeroed */
    unsigned threads;         /* how many at once may call; 1 if the module does not say */
    struct xs_table settings; /* of struct xs_setting */
    enum xs_err (*open)(void *state, const struct xs_settings *settings); /* [main] */
    void (*close)(void *state);                                           /* [main] */
    const struct xs_queue_ops *queue; /* offline messages, or NULL */
    const struct xs_pairs_ops
        *properties;                  /* persistent properties, table = controller, or NULL */
    const struct xs_pairs_ops *pairs; /* key/value of clients (s1 to s4), or NULL */
};

#ifdef __cplusplus
}
#endif

#endif
