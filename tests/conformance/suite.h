/* suite.h - what the two conformance suites share: examples, and messages to attack a format
 * with. */
#ifndef XT_SUITE_H
#define XT_SUITE_H

#include "host.h"
#include "message/message.h"

/* The bytes of one message on the wire (or in one payload), and the message that they are. */
struct xt_example {
    struct xs_slice bytes;
    bool binary; /* subprotocols: a binary payload */
    const char *controller;
    const char *topic;
    struct xs_data data;
    const char *blob; /* NULL for none */
};

#define XT_BYTES(literal)                                                                      \
    {                                                                                          \
        (literal), sizeof(literal) - 1                                                         \
    }
#define XT_JSON(literal)                                                                       \
    {                                                                                          \
        { (literal), sizeof(literal) - 1 }, XS_JSON                                            \
    }
#define XT_ESCAPED(literal)                                                                    \
    {                                                                                          \
        { (literal), sizeof(literal) - 1 }, XS_JSON_ESCAPED                                    \
    }
#define XT_TEXT(literal)                                                                       \
    {                                                                                          \
        { (literal), sizeof(literal) - 1 }, XS_TEXT                                            \
    }

/* Bytes that mean something in one format or another. */
#define XT_HOSTILE_BYTES "\0\xff|\r\n\"\\'{}[]:,?#+ \t\x7f\x1b\x80\xc0\xed"

/* Compares a delivered message with what the example says it is. */
void xt_check_example(const struct xt_delivered *got, const struct xt_example *wanted);

/* Fails the test unless what a module delivered may be believed: names and data are UTF-8, JSON
 * is JSON, the QoS is 0 or 1. */
void xt_check_delivered(const struct xs_conn *conn);

/* All that a connection did, as bytes: two ways of feeding the same must give the same. */
void xt_outcome(const struct xs_conn *conn, struct xt_bytes *out);
void xt_assert_same(const struct xt_bytes *a, const struct xt_bytes *b, const char *what);

/* Messages as other protocols may have made them, with whatever can be put into a name, data or
 * blob. The message is valid until the next call; NULL behind the last. */
const struct xs_message *xt_hostile_message(size_t number);

/* A message that every format can say. */
const struct xs_message *xt_plain_message(void);

/* The topics by which the server speaks (docs/PROTOCOLS.md), NULL-terminated. */
extern const char *const xt_reserved_topics[];

#endif
