/* ring - frames made beforehand: the messages that a sender repeats, each with a number. */
#include "ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum { NUMBERS = 1000000 };

void xs_bench_topic(char *name, const char *topic, uint32_t topics, uint32_t number)
{
    if (topics == 1)
        snprintf(name, TOPIC_NAME, "%s", topic);
    else
        snprintf(name, TOPIC_NAME, "%s/%06u", topic, number % topics);
}

char *xs_bench_payload(const struct recipe *recipe, uint32_t number)
{
    static const char *const heads[] = { "%06u", "\"%06u", "{\"n\":1%06u,\"text\":\"" };
    static const char *const tails[] = { "", "\"", "\",\"on\":true}" };
    static const size_t quotes[] = { 0, 2, 8 };
    const char *tail = tails[recipe->form];
    char *text = xs_bench_must(malloc(recipe->size + 64)), *at = text;
    size_t len = recipe->size - (recipe->escaped ? quotes[recipe->form] : 0);

    number %= NUMBERS;
    /* (One of the three texts above.) */
    at += snprintf(at, 32, heads[recipe->form], number); // NOLINT
    if (recipe->publishers > 1)
        at += snprintf(at, 16, "%02u", recipe->publisher);
    if ((size_t)(at - text) + strlen(tail) > len) {
        free(text);
        return NULL;
    }
    while ((size_t)(at - text) + strlen(tail) < len) {
        *at = (char)('a' + ((size_t)(at - text) + number) % 26);
        at++;
    }
    strcpy(at, tail);
    return text;
}

static void put_frame(struct bytes *to, const struct recipe *recipe,
                      const struct bytes *message)
{
    uint8_t mask[4], *at;
    size_t head;

    if (!recipe->ws) {
        xs_bench_put(to, message->at, message->len);
        return;
    }
    at = xs_bench_room(to, message->len + WIRE_HEAD_MAX);
    if (recipe->masked)
        xs_bench_random(mask, sizeof mask);
    head =
        xs_bench_head_write(at, 0x80 | WIRE_TEXT, message->len, recipe->masked ? mask : NULL);
    if (recipe->masked)
        xs_bench_mask(at + head, message->at, message->len, mask);
    else
        memcpy(at + head, message->at, message->len);
    to->len += head + message->len;
}

static void put_message(struct bytes *to, const struct recipe *recipe, uint32_t number,
                        struct bytes *message)
{
    char topic[TOPIC_NAME];
    char *payload = xs_bench_payload(recipe, number);
    const struct values values = { .payload = payload,
                                   .topic = topic,
                                   .controller = recipe->controller,
                                   .number = recipe->client };

    if (payload == NULL)
        xs_bench_die(EXIT_USAGE, "--size %zu is too small for a message of this kind",
                     recipe->size);
    xs_bench_topic(topic, recipe->topic, recipe->topics, number);
    message->len = 0;
    xs_bench_template_put(recipe->template, &values, message);
    put_frame(to, recipe, message);
    free(payload);
}

struct ring xs_bench_ring(const struct recipe *recipe)
{
    struct bytes frames = { 0 }, message = { 0 };
    struct ring ring = { .count = recipe->count, .tail = recipe->tail };

    for (uint32_t i = 0; i < recipe->count; i++) {
        put_message(&frames, recipe, recipe->first + i * recipe->step, &message);
        if (i == 0) {
            ring.size = frames.len;
            /* All at once: it is known now how much there will be. */
            xs_bench_room(&frames, ring.size * (recipe->count + recipe->tail));
        }
        if (frames.len != ring.size * (i + 1))
            xs_bench_die(EXIT_FAILURE, "messages of one ring differ in length");
    }
    xs_bench_put(&frames, frames.at, ring.size * recipe->tail);
    xs_bench_free(&message);
    if (recipe->packed)
        ring.packed = xs_bench_must(calloc(ring.count, sizeof *ring.packed));
    ring.at = frames.at;
    return ring;
}

void xs_bench_ring_free(struct ring *ring)
{
    for (uint32_t i = 0; i < ring->count && ring->packed != NULL; i++)
        xs_bench_free(&ring->packed[i]);
    free(ring->packed);
    free(ring->at);
    *ring = (struct ring){ 0 };
}
