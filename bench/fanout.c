/* fanout - publishers send, and every subscriber of the topic gets each message, those of one
 * publisher in order.
 *
 * With T topics message j goes to topic j % T. With no more topics than subscribers, subscriber
 * i has topic i % T; with more, subscriber i of S has the topics i, i + S and so on. Either way
 * the subscribers that get a message are one group of G = min(T, S), message j is for group j %
 * G, and it is its message number j / G. */
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { READS_A_LOOK = 16, TAIL_MAX = 1024 * 1024, KINDS = 4 };

/* What one publisher sends to one group. */
struct group {
    uint64_t sent; /* messages so far */
    uint64_t done; /* messages that all have */
    uint32_t *at;  /* closed loop: how many subscribers have got so far, by message number */
};

struct source {
    struct link *link;
    struct ring ring;
    uint64_t published, done;
    uint64_t *when; /* closed loop: when message j was sent, by j */
    struct group *groups;
};

struct fanout {
    uint32_t publishers, publishers_alive, subscribers, group_count, kinds, mask;
    uint32_t *alive; /* subscribers of each group */
    bool each;       /* every subscriber has frames of its own */
    struct speech publisher, speech[KINDS];
    struct rules publisher_rules, rules[KINDS];
    struct source *sources;
    struct lane *lanes; /* of each subscriber one for each publisher */
    struct ring *rings; /* [kind or subscriber][publisher][group] */
    size_t ring_count;
};

/* ---- while it runs ---- */

static void settle_group(struct fanout *fanout, struct source *source, struct group *group)
{
    while (group->done < group->sent && group->at[group->done & fanout->mask] == 0) {
        group->done++;
        source->done++;
    }
}

static void count_latency(struct run *run, const struct source *source, uint32_t group,
                          uint64_t from, uint64_t to)
{
    const struct fanout *fanout = run->own;
    uint64_t since = from, step = fanout->group_count, when, last = 0;

    if (run->phase == PHASE_WARMING)
        return;
    for (uint64_t i = from; i < to; i++) {
        uint64_t number = i * step + group;

        if (run->interval > 0)
            when = xs_bench_run_when(run, number * fanout->publishers +
                                              (uint64_t)(source - fanout->sources));
        else
            when = source->when[number & fanout->mask];
        if (i > from && when != last) {
            xs_bench_run_latency(run, last, i - since);
            since = i;
        }
        last = when;
    }
    xs_bench_run_latency(run, last, to - since);
}

/* A group's number is that of its subscribers' first topic. */
static void on_moved(void *context, struct receiver *receiver, const struct lane *lane,
                     uint64_t from, uint64_t to)
{
    struct run *run = context;
    struct fanout *fanout = run->own;
    struct source *source = &fanout->sources[lane->index];
    uint32_t which = run->links.at[receiver->number].topic;
    struct group *group = &source->groups[which];

    if (from == to)
        return;
    run->outstanding -= to - from;
    count_latency(run, source, which, from, to);
    if (run->interval > 0)
        return;
    group->at[from & fanout->mask]--;
    group->at[to & fanout->mask]++;
    settle_group(fanout, source, group);
}

static void publish(struct run *run, struct source *source, uint64_t count)
{
    struct fanout *fanout = run->own;

    if (source->link->state != LINK_READY)
        return;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t group = (uint32_t)(source->published % fanout->group_count);

        source->groups[group].sent++;
        run->outstanding += fanout->alive[group];
        if (run->interval <= 0)
            source->when[source->published & fanout->mask] = run->links.now;
        source->published++;
        /* (A group of which nobody is left has it at once.) */
        if (run->interval <= 0 && fanout->alive[group] == 0)
            settle_group(fanout, source, &source->groups[group]);
    }
    source->link->owing += (size_t)count * source->ring.size;
}

static void publish_due(struct run *run)
{
    struct fanout *fanout = run->own;
    uint64_t due = xs_bench_run_due(run);

    while (run->issued < due && xs_bench_run_take(run, 1) == 1)
        publish(run, &fanout->sources[run->issued++ % fanout->publishers], 1);
}

static void turn(struct run *run)
{
    struct fanout *fanout = run->own;

    run->links.now = xs_bench_now();
    if (run->interval > 0)
        publish_due(run);
    for (uint32_t i = 0; i < fanout->publishers; i++) {
        struct source *source = &fanout->sources[i];
        uint64_t under_way = source->published - source->done;

        if (run->interval <= 0 && under_way < run->options->in_flight)
            publish(run, source, xs_bench_run_take(run, run->options->in_flight - under_way));
        xs_bench_link_pump(source->link);
    }
}

static void gone(struct run *run, struct link *link)
{
    struct fanout *fanout = run->own;
    uint32_t number = link->receiver.number;

    if (number < fanout->publishers) {
        if (--fanout->publishers_alive == 0)
            run->left = 0;
        return;
    }
    fanout->alive[link->topic]--;
    for (uint32_t i = 0; i < fanout->publishers && run->interval <= 0; i++) {
        struct source *source = &fanout->sources[i];
        struct group *group = &source->groups[link->topic];

        group->at[link->receiver.lanes[i].next & fanout->mask]--;
        settle_group(fanout, source, group);
    }
}

/* ---- before ---- */

static struct recipe recipe_of(const struct fanout *fanout, const struct options *options)
{
    struct recipe recipe = {
        .controller = fanout->publisher.controller,
        .topic = "news",
        .topics = options->topics,
        .publishers = fanout->publishers,
        /* A subscriber gets the publisher's text, whatever its own protocol is. */
        .form = fanout->publisher.form,
        .escaped = xs_bench_template_has(&fanout->publisher.send, PLACE_JSON),
        .size = options->size,
        .step = 1,
        .count = xs_bench_ring_count(options, options->topics),
    };

    while (recipe.count / fanout->group_count < 4)
        recipe.count += options->topics;
    return recipe;
}

static void make_source(struct fanout *fanout, struct run *run, uint32_t number)
{
    const struct options *options = run->options;
    struct source *source = &fanout->sources[number];
    struct recipe recipe = recipe_of(fanout, options);

    recipe.template = &fanout->publisher.send;
    recipe.client = recipe.publisher = number;
    recipe.ws = fanout->publisher.ws;
    recipe.masked = true;
    recipe.tail = options->in_flight * options->size <= TAIL_MAX ? options->in_flight : 0;
    if (recipe.tail > recipe.count)
        recipe.tail = recipe.count;
    source->ring = xs_bench_ring(&recipe);
    source->link = &run->links.at[number];
    source->link->sends = &source->ring;
    source->link->speech = &fanout->publisher;
    source->link->receiver.rules = &fanout->publisher_rules;
    source->when = xs_bench_must(calloc(fanout->mask + 1, sizeof *source->when));
    source->groups = xs_bench_must(calloc(fanout->group_count, sizeof *source->groups));
    for (uint32_t i = 0; i < fanout->group_count; i++) {
        source->groups[i].at =
            xs_bench_must(calloc(fanout->mask + 1, sizeof *source->groups[i].at));
        source->groups[i].at[0] = fanout->alive[i];
    }
}

/* Frames of every publisher for every group, as a kind of subscriber, or a single one, gets
 * them. */
static void make_rings(struct fanout *fanout, const struct options *options,
                       const struct speech *speech, uint32_t client, struct ring *rings)
{
    struct recipe recipe = recipe_of(fanout, options);

    recipe.template = &speech->expect;
    recipe.ws = speech->ws;
    recipe.client = client;
    recipe.packed = speech->deflate;
    recipe.step = fanout->group_count;
    recipe.count /= fanout->group_count;
    for (uint32_t i = 0; i < fanout->publishers; i++) {
        recipe.publisher = i;
        for (uint32_t j = 0; j < fanout->group_count; j++) {
            recipe.first = j;
            rings[i * fanout->group_count + j] = xs_bench_ring(&recipe);
        }
    }
}

/* Where the publisher's digits stand in the frames of a kind of subscriber. */
static size_t find_tag(const struct fanout *fanout, const struct options *options,
                       const struct speech *speech)
{
    struct recipe recipe = recipe_of(fanout, options);
    struct ring a, b;
    size_t tag = 0, size;

    recipe.template = &speech->expect;
    recipe.ws = speech->ws;
    recipe.count = 1;
    a = xs_bench_ring(&recipe);
    recipe.publisher = 11;
    b = xs_bench_ring(&recipe);
    while (tag < a.size && a.at[tag] == b.at[tag])
        tag++;
    size = a.size;
    xs_bench_ring_free(&a);
    xs_bench_ring_free(&b);
    if (tag + 2 > size)
        xs_bench_die(EXIT_USAGE, "with several --publishers --expect needs the {payload}");
    return tag;
}

static void make_kind(struct fanout *fanout, struct run *run, uint32_t kind,
                      enum protocol protocol)
{
    struct speech *speech = &fanout->speech[kind];

    xs_bench_speech(speech, run->options, protocol, ROLE_SUBSCRIBER);
    fanout->each = fanout->each || xs_bench_template_has(&speech->expect, PLACE_NUMBER);
    fanout->rules[kind] = (struct rules){ .ws = speech->ws,
                                          .loose = speech->loose,
                                          .deflate = speech->deflate,
                                          .ping = speech->ping,
                                          .pong = speech->pong,
                                          .errors = &run->errors,
                                          .came = &run->came,
                                          .context = run,
                                          .moved = on_moved,
                                          .answer = xs_bench_link_answer };
    if (fanout->publishers > 1)
        fanout->rules[kind].tag = find_tag(fanout, run->options, speech);
}

static void make_all_rings(struct fanout *fanout, struct run *run)
{
    const struct options *options = run->options;
    size_t of_one = (size_t)fanout->publishers * fanout->group_count;
    uint32_t owners = fanout->each ? fanout->subscribers : fanout->kinds;

    xs_bench_check_memory(options, (uint64_t)recipe_of(fanout, options).count *
                                       fanout->publishers * (owners + 1));
    fanout->ring_count = owners * of_one;
    fanout->rings = xs_bench_must(calloc(fanout->ring_count, sizeof *fanout->rings));
    for (uint32_t i = 0; i < owners; i++)
        make_rings(fanout, options, &fanout->speech[i % fanout->kinds], i + fanout->publishers,
                   fanout->rings + i * of_one);
}

static void equip(struct fanout *fanout, struct run *run, uint32_t subscriber)
{
    const struct options *options = run->options;
    struct link *link = &run->links.at[fanout->publishers + subscriber];
    struct lane *lanes = &fanout->lanes[(size_t)subscriber * fanout->publishers];
    uint32_t owner = fanout->each ? subscriber : subscriber % fanout->kinds;
    const struct ring *rings =
        fanout->rings + (size_t)owner * fanout->publishers * fanout->group_count;

    link->speech = &fanout->speech[subscriber % fanout->kinds];
    link->topic = subscriber % fanout->group_count;
    link->topic_step = fanout->subscribers;
    link->topic_count =
        options->topics > fanout->subscribers ? options->topics / fanout->subscribers : 1;
    for (uint32_t i = 0; i < fanout->publishers; i++)
        lanes[i] = (struct lane){ .ring = &rings[i * fanout->group_count + link->topic],
                                  .sent = &fanout->sources[i].groups[link->topic].sent,
                                  .index = i };
    link->receiver.rules = &fanout->rules[subscriber % fanout->kinds];
    link->receiver.lanes = lanes;
    link->receiver.lane_count = fanout->publishers;
}

static void prepare(struct fanout *fanout, struct run *run)
{
    const struct options *options = run->options;
    bool own =
        options->limit || options->protocol == PROTOCOL_WS || options->protocol == PROTOCOL_TCP;

    /* Publishers of a native room would need another configuration, and limit has none. */
    xs_bench_speech(&fanout->publisher, options, own ? options->protocol : PROTOCOL_XSOCKETSNET,
                    ROLE_PUBLISHER);
    fanout->publisher_rules = (struct rules){ .ws = fanout->publisher.ws,
                                              .loose = fanout->publisher.loose,
                                              .deflate = fanout->publisher.deflate,
                                              .ping = fanout->publisher.ping,
                                              .pong = fanout->publisher.pong,
                                              .errors = &run->errors,
                                              .came = &run->came,
                                              .context = run,
                                              .moved = on_moved,
                                              .answer = xs_bench_link_answer };
    fanout->kinds = options->protocol == PROTOCOL_MIXED ? KINDS : 1;
    for (uint32_t i = 0; i < fanout->kinds; i++)
        make_kind(fanout, run, i, fanout->kinds > 1 ? (enum protocol)i : options->protocol);
    make_all_rings(fanout, run);
    for (uint32_t i = 0; i < fanout->subscribers; i++)
        fanout->alive[i % fanout->group_count]++;
    for (uint32_t i = 0; i < fanout->publishers; i++)
        make_source(fanout, run, i);
    for (uint32_t i = 0; i < fanout->subscribers; i++)
        equip(fanout, run, i);
}

static void clear(struct fanout *fanout)
{
    for (uint32_t i = 0; i < fanout->publishers; i++) {
        for (uint32_t j = 0; j < fanout->group_count; j++)
            free(fanout->sources[i].groups[j].at);
        free(fanout->sources[i].groups);
        free(fanout->sources[i].when);
        xs_bench_ring_free(&fanout->sources[i].ring);
    }
    for (size_t i = 0; i < fanout->ring_count; i++)
        xs_bench_ring_free(&fanout->rings[i]);
    for (uint32_t i = 0; i < fanout->kinds; i++)
        xs_bench_speech_free(&fanout->speech[i]);
    xs_bench_speech_free(&fanout->publisher);
    free(fanout->sources);
    free(fanout->rings);
    free(fanout->lanes);
    free(fanout->alive);
}

void xs_bench_fanout(struct run *run, const struct options *options)
{
    static const struct load load = { .turn = turn, .gone = gone };
    struct fanout fanout = { .publishers = options->publishers,
                             .publishers_alive = options->publishers,
                             .subscribers = options->connections,
                             .group_count = options->topics < options->connections
                                                ? options->topics
                                                : options->connections };

    for (fanout.mask = 1; fanout.mask < options->in_flight + 1; fanout.mask *= 2) {
    }
    fanout.mask--;
    fanout.alive = xs_bench_must(calloc(fanout.group_count, sizeof *fanout.alive));
    fanout.sources = xs_bench_must(calloc(fanout.publishers, sizeof *fanout.sources));
    fanout.lanes = xs_bench_must(
        calloc((size_t)fanout.publishers * fanout.subscribers, sizeof *fanout.lanes));
    xs_bench_run_init(run, options, fanout.publishers + fanout.subscribers);
    run->load = &load;
    run->own = &fanout;
    run->links.topics = options->topics;
    run->links.every = run->links.until_now = READS_A_LOOK;
    prepare(&fanout, run);
    xs_bench_run(run);
    xs_bench_run_fini(run);
    clear(&fanout);
}
