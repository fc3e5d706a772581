/* message.h - the insides of struct xs_message, and what the router makes messages with. */
#ifndef XS_MESSAGE_MESSAGE_H
#define XS_MESSAGE_MESSAGE_H

#include <stdatomic.h>

#include <xsockets/message.h>

/* Where a message came from: unique in the cluster. */
struct xs_message_id {
    uint16_t node;
    uint16_t worker;
    uint64_t sequence;
};

/* refs 0: borrowed, its slices point into memory of somebody else (a read buffer, a caller's
 * stack), and xs_message_ref makes a counted copy. refs > 0: one allocation that holds the
 * slices' bytes behind the struct. */
struct xs_message {
    struct xs_slice controller; /* folded to lower case */
    struct xs_slice topic;      /* folded; handed to a callback, a zero stands behind both */
    struct xs_slice data;
    struct xs_slice blob;
    struct xs_message_id id;
    int64_t correlation;
    atomic_uint refs;
    uint16_t qos_id;
    uint8_t form; /* enum xs_form */
    uint8_t qos;
    bool retain;
    bool has_blob;
    bool has_correlation;
};

/* A counted copy with one reference, NULL when there is no memory. [any] */
struct xs_message *xs_message_copy(const struct xs_message *msg);

/* The data in a view, made at most once per (message, view) in `scratch`, which belongs to the
 * caller and is only appended to (so *out is good until the next append): for views equal to
 * the form it is the data itself. XS_ETOOBIG when the view would be over `limit` bytes (0 =
 * none); XS_ENOMEM when `scratch` took no more. Text that is no valid UTF-8 (native binary
 * never comes here) is repaired with U+FFFD. [any] */
enum xs_err xs_data_view(struct xs_data data, enum xs_view view, struct xs_buf *scratch,
                         size_t limit, struct xs_slice *out);

/* Limits for xs_envelope_read, xs_data_of, xs_json_member and xs_bind on this thread; set once
 * by the worker (and by tests). Before: names of 255 bytes, 64 levels. [any] */
struct xs_message_limits {
    size_t name;
    unsigned json_depth;
};
void xs_message_limits_set(const struct xs_message_limits *limits);
const struct xs_message_limits *xs_message_limits(void);

/* An empty buffer of this thread: the next of a ring of 16, so what is in it lives until 16
 * more were taken. [any] */
struct xs_buf *xs_message_scratch(void);

/* Frees what this thread keeps for views and envelopes; called before the thread ends. [any] */
void xs_message_thread_end(void);

#endif
