/* template.h - what a client sends or expects, with places for what differs.
 *
 *   {payload} {json} {size} {number} {topic} {controller}      \r \n \\ \xHH
 *
 * Any other brace stands for itself, unless it looks like a place that is not known. */
#ifndef XS_BENCH_TEMPLATE_H
#define XS_BENCH_TEMPLATE_H

#include "base.h"

enum place {
    PLACE_TEXT, /* what stands there */
    PLACE_PAYLOAD,
    PLACE_JSON, /* the payload as it stands inside a JSON string: " and \ escaped */
    PLACE_SIZE, /* its length in bytes, decimal */
    PLACE_NUMBER,
    PLACE_TOPIC,
    PLACE_CONTROLLER
};

enum { TEMPLATE_PARTS = 24, TEMPLATE_ERROR = 128 };

struct template
{
    struct bytes text;
    size_t count;
    struct {
        enum place place;
        size_t from, len; /* of `text` */
    } parts[TEMPLATE_PARTS];
};

struct values {
    const char *payload, *topic, *controller;
    uint32_t number; /* of the client */
};

/* False, and a sentence, for what is no template. */
bool xs_bench_template_read(struct template *to, const char *from, char error[TEMPLATE_ERROR]);
bool xs_bench_template_has(const struct template *template, enum place place);
void xs_bench_template_put(const struct template *template, const struct values *values,
                           struct bytes *to);
void xs_bench_template_free(struct template *template);

#endif
