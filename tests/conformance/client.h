/* client.h - fake clients for controller modules under test: what a module sends is recorded,
 * timers go off when the test says so. Linked with src/base and src/message.
 *
 *   struct xs_client *client = xt_client_new(&chat_ops, NULL);
 *   xt_say(client, "say", xs_text("hi"));
 *   assert_int_equal(client->sent_count, 1);
 *   xt_client_free(client);
 *
 * A shared controller has an instance, which is a client too (`me` of started()), and its
 * clients are made of it by xt_client_join(). */
#ifndef XT_CLIENT_H
#define XT_CLIENT_H

#include <xsockets/controller.h>

#define XT_SENT   64
#define XT_TIMERS 8

enum xt_how { XT_REPLY, XT_PUBLISH, XT_FORWARD, XT_SEND };

/* What was sent; texts are terminated copies. */
struct xt_sent {
    enum xt_how how;
    char *topic;
    char *data; /* as it was given */
    enum xs_form form;
    char *blob;
    size_t blob_len;
    bool has_blob;
    bool subscribers_only;
    bool but_me;
    char *where_property; /* of the only condition, NULL if there is none */
    char *where_text;
};

struct xs_timer_handle {
    uint64_t ms;
    bool repeat;
    bool runs;
    xs_timer_cb call;
    struct xs_client *owner;
};

struct xs_client {
    const struct xs_controller_ops *ops;
    void *state;
    bool owns_state; /* the instance; not a client that shares it */
    struct xs_client_id id;
    const char *const *settings; /* key, value, ..., NULL: instead of the standard ones */
    struct xt_sent sent[XT_SENT];
    size_t sent_count;
    struct xs_timer_handle timers[XT_TIMERS];
    size_t timer_count;
    bool opened;
};

/* The ops of that name in a plugin. */
const struct xs_controller_ops *xt_plugin_controller(const struct xs_plugin *plugin,
                                                     const char *name);

/* A client with an instance of its own, opened; or the instance of a shared controller,
 * started. */
struct xs_client *xt_client_new(const struct xs_controller_ops *ops,
                                const char *const *settings);
/* A client of a shared instance, opened. */
struct xs_client *xt_client_join(struct xs_client *shared);
/* Closed or stopped, and freed. */
void xt_client_free(struct xs_client *client);

/* The client sends a message; the answer of the action or of on_message(). */
enum xs_err xt_say(struct xs_client *client, const char *topic, struct xs_data data);
enum xs_err xt_say_blob(struct xs_client *client, const char *topic, struct xs_data data,
                        struct xs_slice blob);
/* Every timer that runs goes off once. How many did. */
size_t xt_ring(struct xs_client *owner);
/* Forgets what was sent. */
void xt_client_forget(struct xs_client *client);

#endif
