/* echo - each client sends messages and gets each of them back, in order. */
#include <stdlib.h>

#include "run.h"

enum { TAIL_MAX = 1024 * 1024 };

/* Messages of a client that were sent at the same time. */
struct batch {
    uint64_t when;
    uint64_t count;
};

/* Those that are on their way, the oldest first; not used in an open loop, where a message's
 * number tells when it was due. */
struct batches {
    uint32_t first, count, room;
    struct batch at[];
};

struct echo {
    struct speech speech;
    struct rules rules;
    struct lane *lanes;    /* one a link */
    struct ring *out, *in; /* one, or one a link */
    uint32_t rings;
};

static void push(struct batches *batches, uint64_t when, uint64_t count)
{
    uint32_t last = (batches->first + batches->count) % batches->room;

    /* (There are no more of them than messages on their way.) */
    batches->at[last] = (struct batch){ .when = when, .count = count };
    batches->count++;
}

static void allow(struct run *run, struct link *link, uint64_t count)
{
    if (count == 0)
        return;
    link->owing += (size_t)count * link->sends->size;
    link->sent += count;
    run->outstanding += count;
    if (link->own != NULL)
        push(link->own, run->links.now, count);
}

static void count_latency(struct run *run, struct batches *batches, uint64_t count)
{
    while (count > 0 && batches->count > 0) {
        struct batch *oldest = &batches->at[batches->first];
        uint64_t of_it = count < oldest->count ? count : oldest->count;

        xs_bench_run_latency(run, oldest->when, of_it);
        oldest->count -= of_it;
        count -= of_it;
        if (oldest->count > 0)
            return;
        batches->first = batches->first + 1 < batches->room ? batches->first + 1 : 0;
        batches->count--;
    }
}

/* Clients begin at different numbers of the ring; see equip. */
static uint64_t first_number(const struct link *link)
{
    return link->receiver.number % link->sends->count;
}

static void on_moved(void *context, struct receiver *receiver, const struct lane *lane,
                     uint64_t from, uint64_t to)
{
    struct run *run = context;
    struct link *link = &run->links.at[receiver->number];

    (void)lane;
    run->outstanding -= to - from;
    if (run->interval > 0) {
        uint64_t clients = run->links.count, first = first_number(link);

        for (uint64_t i = from - first; i < to - first; i++)
            xs_bench_run_latency(run, xs_bench_run_when(run, i * clients + receiver->number),
                                 1);
        return;
    }
    count_latency(run, link->own, to - from);
    allow(run, link, xs_bench_run_take(run, to - from));
}

/* Open loop: what is due goes to the clients in turn. */
static void send_due(struct run *run)
{
    uint64_t due = xs_bench_run_due(run), first = run->issued, clients = run->links.count;

    while (run->issued < due && xs_bench_run_take(run, 1) == 1) {
        struct link *link = &run->links.at[run->issued++ % clients];

        if (link->state == LINK_READY)
            allow(run, link, 1);
    }
    for (uint64_t i = first; i < run->issued && i < first + clients; i++) {
        struct link *link = &run->links.at[i % clients];

        if (link->state == LINK_READY)
            xs_bench_link_pump(link);
    }
}

static void turn(struct run *run)
{
    if (run->interval > 0) {
        send_due(run);
        return;
    }
    if (run->issued > 0)
        return;
    /* From then on answers bring messages forth. */
    for (uint32_t i = 0; i < run->links.count; i++) {
        uint64_t count = xs_bench_run_take(run, run->options->in_flight);

        run->links.now = xs_bench_now();
        allow(run, &run->links.at[i], count);
        run->issued += count;
        xs_bench_link_pump(&run->links.at[i]);
    }
}

static void gone(struct run *run, struct link *link)
{
    (void)run;
    (void)link;
}

static void make_rings(struct echo *echo, const struct options *options, uint32_t which)
{
    struct recipe recipe = {
        .template = &echo->speech.send,
        .controller = echo->speech.controller,
        .topic = "e",
        .topics = options->topics,
        .client = which,
        .publishers = 1,
        .form = echo->speech.form,
        .escaped = xs_bench_template_has(&echo->speech.send, PLACE_JSON),
        .ws = echo->speech.ws,
        .masked = true,
        .size = options->size,
        .step = 1,
        .count = xs_bench_ring_count(options, options->topics),
    };

    recipe.tail = options->in_flight * options->size <= TAIL_MAX ? options->in_flight : 0;
    echo->out[which] = xs_bench_ring(&recipe);
    recipe.template = &echo->speech.expect;
    recipe.masked = false;
    recipe.packed = echo->speech.deflate;
    recipe.tail = 0;
    echo->in[which] = xs_bench_ring(&recipe);
}

static void make_all_rings(struct echo *echo, const struct options *options)
{
    bool each = xs_bench_template_has(&echo->speech.send, PLACE_NUMBER) ||
                xs_bench_template_has(&echo->speech.expect, PLACE_NUMBER);

    echo->rings = each ? options->connections : 1;
    xs_bench_check_memory(options, UINT64_C(2) * echo->rings *
                                       xs_bench_ring_count(options, options->topics));
    echo->out = xs_bench_must(calloc(echo->rings, sizeof *echo->out));
    echo->in = xs_bench_must(calloc(echo->rings, sizeof *echo->in));
    for (uint32_t i = 0; i < echo->rings; i++)
        make_rings(echo, options, i);
}

static void equip(struct echo *echo, struct run *run, struct link *link)
{
    const struct options *options = run->options;
    uint32_t number = link->receiver.number, ring = echo->rings > 1 ? number : 0;
    struct lane *lane = &echo->lanes[number];

    /* Each begins elsewhere, so that an answer sent to the wrong client is seen. */
    *lane = (struct lane){ .ring = &echo->in[ring], .sent = &link->sent };
    lane->next = number % lane->ring->count;
    lane->at = lane->next * lane->ring->size;
    link->sends = &echo->out[ring];
    link->sent = lane->next;
    link->out = lane->next * link->sends->size;
    link->speech = &echo->speech;
    link->receiver.rules = &echo->rules;
    link->receiver.lanes = lane;
    link->receiver.lane_count = 1;
    if (run->interval > 0)
        return;
    link->own = xs_bench_must(
        calloc(1, sizeof(struct batches) + options->in_flight * sizeof(struct batch)));
    ((struct batches *)link->own)->room = options->in_flight;
}

void xs_bench_echo(struct run *run, const struct options *options)
{
    static const struct load load = { .turn = turn, .gone = gone };
    struct echo echo = { .rings = 0 };

    xs_bench_speech(&echo.speech, options, options->protocol, ROLE_ECHO);
    make_all_rings(&echo, options);
    xs_bench_run_init(run, options, options->connections);
    run->load = &load;
    run->own = &echo;
    run->links.topic = "e";
    echo.rules = (struct rules){ .ws = echo.speech.ws,
                                 .loose = echo.speech.loose,
                                 .deflate = echo.speech.deflate,
                                 .ping = echo.speech.ping,
                                 .pong = echo.speech.pong,
                                 .errors = &run->errors,
                                 .came = &run->came,
                                 .context = run,
                                 .moved = on_moved,
                                 .answer = xs_bench_link_answer };
    echo.lanes = xs_bench_must(calloc(options->connections, sizeof *echo.lanes));
    for (uint32_t i = 0; i < options->connections; i++)
        equip(&echo, run, &run->links.at[i]);
    xs_bench_run(run);
    for (uint32_t i = 0; i < options->connections; i++)
        free(run->links.at[i].own);
    xs_bench_run_fini(run);
    for (uint32_t i = 0; i < echo.rings; i++) {
        xs_bench_ring_free(&echo.out[i]);
        xs_bench_ring_free(&echo.in[i]);
    }
    free(echo.out);
    free(echo.in);
    free(echo.lanes);
    xs_bench_speech_free(&echo.speech);
}
