/* ring.h - frames made beforehand: the messages that a sender repeats, each with a number. */
#ifndef XS_BENCH_RING_H
#define XS_BENCH_RING_H

#include "protocol.h"

struct ring {
    uint8_t *at;
    size_t size;    /* of one frame; all are as long */
    uint32_t count; /* frames that differ */
    uint32_t tail;  /* of the first ones, a second time behind the last */
    /* Frames as a server packs them, one for each of ours, as soon as it was seen and found to
     * be right; NULL where nothing is packed. */
    struct bytes *packed;
};

/* Which frames. Message i of the ring is message first + i * step of the sender. */
struct recipe {
    const struct template *template; /* of a message */
    const char *controller, *topic;  /* with more than one topic, its beginning */
    uint32_t topics;                 /* message n goes to topic n modulo this */
    uint32_t client;                 /* {number} */
    uint32_t publisher, publishers;
    enum form form;
    bool escaped; /* `size` is the payload's length as it is inside a JSON string */
    bool ws, masked, packed;
    size_t size;
    uint32_t first, step, count, tail;
};

struct ring xs_bench_ring(const struct recipe *recipe);
void xs_bench_ring_free(struct ring *ring);

/* The name of a topic; `name` has room for TOPIC_NAME. */
enum { TOPIC_NAME = 32 };
void xs_bench_topic(char *name, const char *topic, uint32_t topics, uint32_t number);

/* Message `number` as text: exactly recipe->size bytes, escaped if it is told so. NULL when the
 * size is too small. To be freed. */
char *xs_bench_payload(const struct recipe *recipe, uint32_t number);

#endif
