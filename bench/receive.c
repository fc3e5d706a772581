/* receive - holds what a server sends against what it should send. */
#include "receive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inflate.h"
#include "wire.h"

enum {
    FRAME_MAX = 16 * 1024 * 1024, /* nothing that is expected is near this */
    EXCERPT = 160                 /* bytes of a wrong message that are shown */
};

/* Of a message that the stream has passed. */
enum mark {
    MARK_NONE,
    MARK_MISSING, /* a later one came; it may still come */
    MARK_REPLACED /* something wrong came in its place, and was counted */
};

uint64_t xs_bench_errors(const struct errors *errors)
{
    return errors->lost + errors->twice + errors->order + errors->wrong + errors->closed;
}

/* ---- telling ---- */

static const uint8_t *frame_of(const struct lane *lane, uint32_t index)
{
    return lane->ring->at + (size_t)index * lane->ring->size;
}

static uint32_t index_of(const struct lane *lane)
{
    return (uint32_t)((lane->at - lane->part) / lane->ring->size);
}

/* Bytes for people: what cannot be printed is a dot. */
static const char *readable(const uint8_t *at, size_t len, bool ws, char *text)
{
    struct wire_head head;
    size_t shown;

    if (ws && xs_bench_head_read(at, len, &head) && head.size <= len) {
        at += head.size;
        len -= head.size;
    }
    shown = len < EXCERPT ? len : EXCERPT;
    for (size_t i = 0; i < shown; i++)
        text[i] = (char)(at[i] >= 0x20 && at[i] < 0x7f ? at[i] : '.');
    snprintf(text + shown, 4, "%s", shown < len ? "..." : "");
    return text;
}

static void tell(const struct receiver *receiver, uint64_t number, const char *what)
{
    xs_bench_say("message %llu of client %u %s (the first of its kind)",
                 (unsigned long long)number, receiver->number, what);
}

static void tell_wrong(const struct receiver *receiver, const struct lane *lane,
                       const uint8_t *at, size_t len)
{
    char text[EXCERPT + 4], wanted[EXCERPT + 4] = "nothing";

    if (receiver->rules->errors->wrong != 1)
        return;
    if (lane != NULL && lane->next < *lane->sent)
        readable(frame_of(lane, index_of(lane)), lane->ring->size, receiver->rules->ws, wanted);
    xs_bench_say(
        "client %u got wrong bytes (the first of their kind)\n  %s\nand expected\n  %s",
        receiver->number, readable(at, len, receiver->rules->ws, text), wanted);
}

/* ---- settling messages ---- */

static uint8_t *marks_of(struct lane *lane)
{
    if (lane->marks == NULL)
        lane->marks = xs_bench_must(calloc(lane->ring->count, 1));
    return lane->marks;
}

/* What was missing a whole ring ago will not come any more. */
static void pass_marks(struct receiver *receiver, struct lane *lane, uint64_t count)
{
    uint32_t at = index_of(lane);

    for (uint64_t i = 0; i < count; i++) {
        if (lane->marks[at] == MARK_MISSING)
            receiver->rules->errors->lost++;
        lane->marks[at] = MARK_NONE;
        at = at + 1 < lane->ring->count ? at + 1 : 0;
    }
}

/* Goes on by whole messages; only with part == 0. */
static void settle(struct receiver *receiver, struct lane *lane, uint64_t count)
{
    const struct rules *rules = receiver->rules;
    uint64_t from = lane->next;

    if (lane->marks != NULL)
        pass_marks(receiver, lane, count);
    lane->next += count;
    lane->at =
        (lane->at + (size_t)count * lane->ring->size) % (lane->ring->size * lane->ring->count);
    rules->moved(rules->context, receiver, lane, from, lane->next);
}

static void settle_as(struct receiver *receiver, struct lane *lane, enum mark mark)
{
    uint32_t index = index_of(lane);

    settle(receiver, lane, 1);
    marks_of(lane)[index] = (uint8_t)mark;
}

/* Whose message this is: of several senders the one that its tag names, if any. */
static struct lane *lane_of(const struct receiver *receiver, const uint8_t *at, size_t len)
{
    size_t tag = receiver->rules->tag;
    uint32_t sender;

    if (receiver->lane_count < 2)
        return receiver->lane_count == 1 ? receiver->lanes : NULL;
    if (len < tag + 2)
        return NULL;
    sender = (uint32_t)(at[tag] - '0') * 10 + (uint32_t)(at[tag + 1] - '0');
    return sender < receiver->lane_count ? &receiver->lanes[sender] : NULL;
}

/* Something came that is none of the messages. */
static void count_wrong(struct receiver *receiver, const uint8_t *at, size_t len)
{
    struct lane *lane = lane_of(receiver, at, len);

    receiver->rules->errors->wrong++;
    tell_wrong(receiver, lane, at, len);
    if (lane != NULL && lane->next < *lane->sent)
        settle_as(receiver, lane, MARK_REPLACED);
}

/* A right message that was not sent yet: the server repeats what it heard a ring ago. Where
 * that leads cannot be followed. */
static void count_early(struct receiver *receiver, const struct lane *lane)
{
    if (++receiver->rules->errors->wrong == 1)
        tell(receiver, *lane->sent, "came before it was sent");
    receiver->ended = true;
}

/* Message `index` of the ring came, and another one was expected. */
static void place(struct receiver *receiver, struct lane *lane, uint32_t index)
{
    struct errors *errors = receiver->rules->errors;
    uint32_t count = lane->ring->count, here = index_of(lane);
    uint32_t ahead = (index + count - here) % count;

    if (ahead == 0 && lane->next >= *lane->sent) {
        count_early(receiver, lane);
        return;
    }
    if (ahead <= count / 2 && lane->next + ahead < *lane->sent) {
        for (uint32_t i = 0; i < ahead; i++)
            settle_as(receiver, lane, MARK_MISSING);
        settle(receiver, lane, 1);
        ++*receiver->rules->came;
        return;
    }
    if (lane->marks != NULL && lane->marks[index] != MARK_NONE) {
        if (lane->marks[index] == MARK_MISSING && ++errors->order == 1)
            tell(receiver, lane->next - (count - ahead), "came after a later one");
        lane->marks[index] = MARK_NONE;
        ++*receiver->rules->came;
        return;
    }
    if (++errors->twice == 1)
        tell(receiver, lane->next - (count - ahead), "came twice");
}

enum found { FOUND_NONE, FOUND_BEGINNING, FOUND_WHOLE };

/* Which message begins at `at`? A whole one, or perhaps the beginning of one. */
static enum found find(const struct receiver *receiver, const uint8_t *at, size_t len,
                       struct lane **lane, uint32_t *index)
{
    enum found found = FOUND_NONE;

    for (uint32_t i = 0; i < receiver->lane_count; i++) {
        const struct ring *ring = receiver->lanes[i].ring;
        uint32_t here = index_of(&receiver->lanes[i]);

        for (uint32_t j = 0; j < ring->count; j++) {
            uint32_t at_index = here + j < ring->count ? here + j : here + j - ring->count;
            size_t shared = len < ring->size ? len : ring->size;

            if (memcmp(at, ring->at + (size_t)at_index * ring->size, shared) != 0)
                continue;
            if (shared < ring->size) {
                found = FOUND_BEGINNING;
                continue;
            }
            *lane = &receiver->lanes[i];
            *index = at_index;
            return FOUND_WHOLE;
        }
    }
    return found;
}

/* ---- what is as it should be ---- */

/* `len` bytes were compared; they do not go beyond the end of the ring. */
static void advance(struct receiver *receiver, struct lane *lane, size_t len)
{
    const struct rules *rules = receiver->rules;
    const struct ring *ring = lane->ring;
    size_t whole = (lane->part + len) / ring->size;
    uint64_t from = lane->next;

    if (lane->marks != NULL)
        pass_marks(receiver, lane, whole);
    lane->part = (uint32_t)(lane->part + len - whole * ring->size);
    lane->at += len;
    if (lane->at == ring->size * ring->count)
        lane->at = 0;
    if (whole == 0)
        return;
    lane->next += whole;
    if (lane->next > *lane->sent) {
        lane->next = *lane->sent;
        count_early(receiver, lane);
    }
    if (lane->next == from)
        return;
    *rules->came += lane->next - from;
    rules->moved(rules->context, receiver, lane, from, lane->next);
}

/* Takes the bytes that are as expected and returns how many they are. A message that turns out
 * to be another one is not taken, but for what had come of it earlier. */
static size_t agree(struct receiver *receiver, struct lane *lane, const uint8_t *at, size_t len)
{
    const struct ring *ring = lane->ring;
    size_t done = 0, run;

    for (; done < len && !receiver->ended; done += run) {
        run = ring->size * ring->count - lane->at;
        if (run > len - done)
            run = len - done;
        if (memcmp(at + done, ring->at + lane->at, run) == 0) {
            advance(receiver, lane, run);
            continue;
        }
        while (!receiver->ended) {
            run = ring->size - lane->part;
            if (run > len - done || memcmp(at + done, ring->at + lane->at, run) != 0)
                return done;
            advance(receiver, lane, run);
            done += run;
        }
        return done;
    }
    return done;
}

/* The same where several senders share a stream: whole messages, their sender told by its tag.
 */
static size_t agree_many(struct receiver *receiver, const uint8_t *at, size_t len)
{
    size_t size = receiver->lanes->ring->size, done = 0;

    for (; len - done >= size && !receiver->ended; done += size) {
        struct lane *lane = lane_of(receiver, at + done, size);

        if (lane == NULL || memcmp(at + done, lane->ring->at + lane->at, size) != 0)
            break;
        advance(receiver, lane, size);
    }
    return done;
}

/* ---- what is not ---- */

void xs_bench_receive_closed(struct receiver *receiver, const char *why)
{
    receiver->ended = true;
    if (++receiver->rules->errors->closed == 1)
        xs_bench_say("the server closed the connection of client %u: %s (the first one)",
                     receiver->number, why);
}

static void take_control(struct receiver *receiver, const struct wire_head *head,
                         const uint8_t *payload)
{
    unsigned opcode = head->first & 0x0f;
    char why[128], reason[EXCERPT + 4];

    if (opcode == WIRE_PING)
        receiver->rules->answer(receiver->rules->context, receiver, payload, head->payload);
    if (opcode != WIRE_CLOSE)
        return;
    if (head->payload < 2)
        snprintf(why, sizeof why, "a close frame without a code");
    else
        snprintf(why, sizeof why, "%u %.100s", payload[0] * 256U + payload[1],
                 readable(payload + 2, head->payload - 2, false, reason));
    xs_bench_receive_closed(receiver, why);
}

/* A frame as it would be if it had not been packed; false if it cannot be unpacked. */
static bool unpack(const struct wire_head *head, const uint8_t *payload, struct bytes *frame)
{
    size_t len;

    frame->len = WIRE_HEAD_MAX;
    if (!xs_bench_inflate(frame, payload, (size_t)head->payload, FRAME_MAX))
        return false;
    /* The head goes directly before what was unpacked. */
    len = frame->len - WIRE_HEAD_MAX;
    frame->len = xs_bench_head_write(frame->at, (uint8_t)(head->first & ~0x40U), len, NULL);
    memmove(frame->at + frame->len, frame->at + WIRE_HEAD_MAX, len);
    frame->len += len;
    return true;
}

/* A whole data frame. */
static void take_message(struct receiver *receiver, const struct wire_head *head,
                         const uint8_t *at, size_t size)
{
    static struct bytes plain; /* kept from message to message */
    struct lane *lane;
    uint32_t index;

    xs_bench_room(&plain, WIRE_HEAD_MAX);
    if (receiver->rules->loose)
        return;
    if ((head->first & 0x40) == 0) {
        if (find(receiver, at, size, &lane, &index) == FOUND_WHOLE && lane->ring->size == size)
            place(receiver, lane, index);
        else
            count_wrong(receiver, at, size);
        return;
    }
    if (!unpack(head, at + head->size, &plain))
        count_wrong(receiver, at, size);
    else if (find(receiver, plain.at, plain.len, &lane, &index) != FOUND_WHOLE ||
             lane->ring->size != plain.len)
        count_wrong(receiver, plain.at, plain.len);
    else {
        if (lane->ring->packed[index].len == 0)
            xs_bench_put(&lane->ring->packed[index], at, size);
        place(receiver, lane, index);
    }
}

/* The next message of a sender, packed as it was the last time; returns its length, else 0. */
static size_t agree_packed(struct receiver *receiver, const uint8_t *at, size_t len)
{
    for (uint32_t i = 0; i < receiver->lane_count; i++) {
        struct lane *lane = &receiver->lanes[i];
        const struct bytes *packed = &lane->ring->packed[index_of(lane)];

        if (packed->len == 0 || packed->len > len || lane->next >= *lane->sent ||
            memcmp(at, packed->at, packed->len) != 0)
            continue;
        settle(receiver, lane, 1);
        ++*receiver->rules->came;
        return packed->len;
    }
    return 0;
}

/* One frame; returns its length, 0 when it is not whole yet. */
static size_t take_frame(struct receiver *receiver, const uint8_t *at, size_t len)
{
    uint8_t forbidden = receiver->rules->deflate ? 0x30 : 0x70;
    struct wire_head head;
    size_t size;

    if (!xs_bench_head_read(at, len, &head))
        return 0;
    if ((head.first & 0x08) != 0)
        forbidden = 0x70;
    /* RFC 6455 5.1, 5.2 and 5.5: a server masks nothing, no extension was agreed on, and a
     * control frame is short and in one piece. */
    if (head.masked || (head.first & forbidden) != 0 || head.payload > FRAME_MAX ||
        ((head.first & 0x08) != 0 && (head.payload > 125 || (head.first & 0x80) == 0))) {
        if (receiver->rules->errors->wrong == 0)
            xs_bench_say("client %u got a frame of %llu bytes, beginning with %02x %02x, which "
                         "RFC 6455 forbids or nobody asked for",
                         receiver->number, (unsigned long long)head.payload, at[0], at[1]);
        count_wrong(receiver, at, head.size);
        receiver->ended = true;
        return len;
    }
    size = head.size + (size_t)head.payload;
    if (len < size)
        return 0;
    if ((head.first & 0x08) != 0)
        take_control(receiver, &head, at + head.size);
    else
        take_message(receiver, &head, at, size);
    return size;
}

static bool begins_with(const uint8_t *at, size_t len, const struct bytes *what)
{
    size_t shared = len < what->len ? len : what->len;

    return shared > 0 && memcmp(at, what->at, shared) == 0;
}

/* How many bytes, up to two, all messages of a ring end with. */
static size_t ending_of(const struct ring *ring)
{
    const uint8_t *end = ring->at + ring->size;
    size_t len = 0;

    for (uint32_t i = 1; i < ring->count; i++) {
        const uint8_t *other = end + (size_t)i * ring->size;

        for (len = 0;
             len < 2 && len < ring->size && end[-1 - (long)len] == other[-1 - (long)len];)
            len++;
        if (len == 0)
            return 0;
    }
    return len;
}

/* Where something known begins again behind bytes that are not; 0: that cannot be told yet. If
 * every message has its end, like a line, and has it once, then behind the next such end. Else
 * one message of the usual length with other bytes in it is the likeliest. */
static size_t resume(const struct receiver *receiver, const uint8_t *at, size_t len)
{
    const struct ring *ring = receiver->lanes->ring;
    size_t ending = ending_of(ring);
    const uint8_t *end = ring->at + ring->size - ending, *found;
    struct lane *lane;
    uint32_t index;

    if (ending > 0 && memmem(ring->at, ring->size, end, ending) == end) {
        found = memmem(at, len, end, ending);
        return found == NULL ? 0 : (size_t)(found - at) + ending;
    }
    if (len < ring->size)
        return 0;
    if (len == ring->size || find(receiver, at + ring->size, len - ring->size, &lane, &index))
        return ring->size;
    for (size_t i = 1; i < len; i++) {
        if (find(receiver, at + i, len - i, &lane, &index) == FOUND_WHOLE)
            return i;
    }
    return ring->size;
}

/* Bare bytes have no frames: what is no message and no ping reaches to where one begins. */
static size_t take_bare(struct receiver *receiver, const uint8_t *at, size_t len)
{
    const struct rules *rules = receiver->rules;
    struct lane *lane;
    uint32_t index;
    size_t skipped;

    if (begins_with(at, len, &rules->ping)) {
        if (len < rules->ping.len)
            return 0;
        rules->answer(rules->context, receiver, rules->pong.at, rules->pong.len);
        return rules->ping.len;
    }
    if (receiver->lane_count == 0) {
        count_wrong(receiver, at, len);
        return len;
    }
    /* (Beginnings are looked for in one lane only: of many that takes too long.) */
    if (len < receiver->lanes->ring->size && receiver->lane_count > 1)
        return 0;
    switch (find(receiver, at, len, &lane, &index)) {
    case FOUND_WHOLE:
        place(receiver, lane, index);
        return lane->ring->size;
    case FOUND_BEGINNING:
        return 0;
    case FOUND_NONE:
        break;
    }
    skipped = resume(receiver, at, len);
    if (skipped == 0 && len > FRAME_MAX) {
        receiver->ended = true;
        skipped = len;
    }
    if (skipped > 0)
        count_wrong(receiver, at, skipped);
    return skipped;
}

/* Who expects nothing in particular: bare bytes are passed over, but for pings. */
static size_t pass_over(struct receiver *receiver, const uint8_t *at, size_t len)
{
    const struct rules *rules = receiver->rules;
    const uint8_t *ping;

    if (rules->ping.len == 0)
        return len;
    ping = memmem(at, len, rules->ping.at, rules->ping.len);
    if (ping == NULL)
        return len < rules->ping.len ? 0 : len - rules->ping.len + 1;
    rules->answer(rules->context, receiver, rules->pong.at, rules->pong.len);
    return (size_t)(ping - at) + rules->ping.len;
}

/* Takes what can be taken and returns how much that was. */
static size_t sort_out(struct receiver *receiver, const uint8_t *at, size_t len)
{
    struct lane *lane = receiver->lane_count == 1 ? receiver->lanes : NULL;
    size_t from = 0, taken;

    while (from < len && !receiver->ended) {
        if (receiver->lane_count > 0)
            from += lane != NULL ? agree(receiver, lane, at + from, len - from)
                                 : agree_many(receiver, at + from, len - from);
        if (from == len || receiver->ended)
            break;
        /* Anything but a beginning as expected is looked at as a whole, from where it begins.
         */
        if (lane != NULL) {
            size_t part = len - from;

            if (part < lane->ring->size &&
                memcmp(at + from, lane->ring->at + lane->at, part) == 0) {
                advance(receiver, lane, part);
                return len;
            }
        }
        taken = receiver->rules->deflate ? agree_packed(receiver, at + from, len - from) : 0;
        if (taken > 0) {
            from += taken;
            continue;
        }
        if (receiver->rules->ws)
            taken = take_frame(receiver, at + from, len - from);
        else if (receiver->rules->loose)
            taken = pass_over(receiver, at + from, len - from);
        else
            taken = take_bare(receiver, at + from, len - from);
        if (taken == 0)
            break;
        from += taken;
    }
    return from;
}

void xs_bench_receive(struct receiver *receiver, const uint8_t *at, size_t len)
{
    struct lane *lane = receiver->lane_count == 1 ? receiver->lanes : NULL;
    size_t done;

    if (receiver->rest.len == 0 && lane != NULL) {
        done = agree(receiver, lane, at, len);
        if (done == len || receiver->ended)
            return;
        at += done;
        len -= done;
        /* What had come of the message that is another one stands in the ring. */
        if (lane->part > 0) {
            lane->at -= lane->part;
            xs_bench_put(&receiver->rest, lane->ring->at + lane->at, lane->part);
            lane->part = 0;
        }
    }
    if (receiver->rest.len == 0) {
        done = sort_out(receiver, at, len);
        xs_bench_put(&receiver->rest, at + done, len - done);
        return;
    }
    xs_bench_put(&receiver->rest, at, len);
    done = sort_out(receiver, receiver->rest.at, receiver->rest.len);
    xs_bench_cut(&receiver->rest, done);
}

uint64_t xs_bench_receive_end(struct receiver *receiver)
{
    struct errors *errors = receiver->rules->errors;
    struct lane *its;
    uint32_t index;
    uint64_t unsettled = 0;

    /* (The beginning of a message is no more than that: the message is lost.) */
    if (receiver->rest.len > 0 && !receiver->rules->loose && !receiver->ended &&
        find(receiver, receiver->rest.at, receiver->rest.len, &its, &index) == FOUND_NONE)
        count_wrong(receiver, receiver->rest.at, receiver->rest.len);
    for (uint32_t i = 0; i < receiver->lane_count; i++) {
        struct lane *lane = &receiver->lanes[i];

        if (lane->next < *lane->sent)
            unsettled += *lane->sent - lane->next;
        for (uint32_t j = 0; lane->marks != NULL && j < lane->ring->count; j++) {
            if (lane->marks[j] == MARK_MISSING)
                errors->lost++;
        }
    }
    if (unsettled > 0 && errors->lost == 0)
        xs_bench_say("client %u did not get %llu messages (the first one)", receiver->number,
                     (unsigned long long)unsettled);
    errors->lost += unsettled;
    xs_bench_receive_free(receiver);
    return unsettled;
}

void xs_bench_receive_free(struct receiver *receiver)
{
    for (uint32_t i = 0; i < receiver->lane_count; i++) {
        free(receiver->lanes[i].marks);
        receiver->lanes[i].marks = NULL;
    }
    xs_bench_free(&receiver->rest);
}
