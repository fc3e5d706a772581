/* log - one line at a time, made where it happened and written by a thread of its own.
 *
 * Between them lies a bounded ring of slots, each with a turn number (the queue of D. Vyukov):
 * a producer claims the next position, copies its line in and says so by the number. Nobody
 * takes a lock and no producer waits; when all slots are taken the line is counted and dropped.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/utf8.h"

#define SLOTS           1024
#define LINE_MAX_BYTES  504 /* of a line with its newline; makes a slot 512 bytes */
#define LINE_TAIL       16  /* kept free for what closes a line that was cut */
#define EVENT_MAX_BYTES 400
#define PIPE_BUF_BYTES                                                                         \
    4096 /* Linux: a pipe that polls writable takes this much without blocking */
#define STOP_PATIENCE 2000 /* ms for a reader that takes nothing while the daemon stops */

struct line {
    size_t len;
    char at[LINE_MAX_BYTES];
};

struct slot {
    _Atomic uint32_t turn; /* position: free for it; position + 1: holds its line */
    uint32_t len;
    char at[LINE_MAX_BYTES];
};

static struct {
    atomic_int level, format, fd;
    atomic_bool with_time, colour;
    atomic_bool running;  /* lines go to the ring */
    atomic_bool stopping; /* the writer ends when the ring is empty */
    atomic_bool asleep;   /* the writer waits for `wake` */
    atomic_uint_fast64_t dropped;
    _Atomic uint32_t head; /* next position to claim */
    uint32_t tail;         /* next position to write; the writer's */
    uint64_t dropped_told; /* the writer's */
    atomic_int waited;     /* ms for a reader since stopping began */
    struct slot *slots;
    pthread_t writer;
    sem_t wake;
} the = { .level = XS_LOG_INFO, .fd = STDERR_FILENO, .with_time = true };

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const char *const level_colours[] = { "\033[31m", "\033[33m", "\033[32m", "\033[2m" };

/* ---- making a line ---- */

/* False, and nothing added, when it does not fit. */
static bool put(struct line *line, const char *at, size_t len)
{
    if (line->len + len > LINE_MAX_BYTES - LINE_TAIL)
        return false;
    memcpy(line->at + line->len, at, len);
    line->len += len;
    return true;
}

static bool put_text(struct line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* Into the room that put() leaves. */
static void put_end(struct line *line, const char *text)
{
    size_t len = strlen(text);

    XS_ASSERT(len <= LINE_MAX_BYTES - line->len);
    memcpy(line->at + line->len, text, len);
    line->len += len;
}

/* C0, DEL and C1: a terminal would obey them. */
static bool is_control(const char *at, size_t step)
{
    uint8_t first = (uint8_t)at[0];

    if (step == 1)
        return first < 0x20 || first == 0x7F;
    return step == 2 && first == 0xC2 && (uint8_t)at[1] < 0xA0;
}

/* Quoted, with JSON's escapes in both formats; cut at a whole character when it does not fit.
 */
static void put_quoted(struct line *line, const char *text)
{
    size_t len = strlen(text), n = 0, step;

    if (!put_text(line, "\""))
        return;
    for (; n < len; n += step) {
        char escape[8];
        bool valid, fits;

        step = xs_utf8_step(text + n, len - n, &valid);
        if (!valid) {
            fits = put_text(line, "\xEF\xBF\xBD");
        } else if (is_control(text + n, step)) {
            unsigned code = (uint8_t)text[n + step - 1];

            snprintf(escape, sizeof escape, "\\u%04x", code);
            fits = put_text(line, code == '\n' ? "\\n" : code == '\t' ? "\\t" : escape);
        } else if (text[n] == '"' || text[n] == '\\') {
            escape[0] = '\\';
            escape[1] = text[n];
            fits = put(line, escape, 2);
        } else {
            fits = put(line, text + n, step);
        }
        if (!fits)
            break;
    }
    put_end(line, "\"");
}

static bool is_bare(const char *text)
{
    const char *s;

    for (s = text; *s != '\0'; s++) {
        bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

        if (!letter && !(*s >= '0' && *s <= '9') && strchr("._:/@+-,%[]", *s) == NULL)
            return false;
    }
    return s != text;
}

static void put_field(struct line *line, int format, const struct xs_log_field *field)
{
    struct line before = { .len = line->len };
    bool fits = true;

    if (format == XS_LOG_JSON)
        fits = put_text(line, ",\"") && put_text(line, field->key) && put_text(line, "\":");
    else
        fits = put_text(line, " ") && put_text(line, field->key) && put_text(line, "=");
    if (fits && (field->number || (format == XS_LOG_KEYVALUE && is_bare(field->value))))
        fits = put_text(line, field->value);
    else if (fits && (fits = line->len < LINE_MAX_BYTES - LINE_TAIL))
        put_quoted(line, field->value);
    if (!fits)
        line->len = before.len;
}

/* The date of a day counted from 1970-01-01, in the Gregorian calendar; gmtime_r takes a lock.
 */
static void civil(int64_t days, int *year, int *month, int *day)
{
    int64_t y = 1970, length;
    static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int m = 0;

    /* 400 years are 146,097 days. */
    y += days / 146097 * 400;
    days %= 146097;
    for (;; y++, days -= length) {
        length = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 366 : 365;
        if (days < length)
            break;
    }
    for (;; m++, days -= length) {
        int64_t this_february = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

        length = lengths[m] + (m == 1 ? this_february : 0);
        if (days < length)
            break;
    }
    *year = (int)y;
    *month = m + 1;
    *day = (int)days + 1;
}

static void put_time(struct line *line)
{
    struct timespec t;
    char text[64];
    int year, month, day, second;

    clock_gettime(CLOCK_REALTIME, &t);
    if (t.tv_sec < 0)
        t.tv_sec = 0;
    civil(t.tv_sec / 86400, &year, &month, &day);
    second = (int)(t.tv_sec % 86400);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day,
             second / 3600, second / 60 % 60, second % 60, (int)(t.tv_nsec / 1000000));
    put_text(line, text);
}

static void make_keyvalue(struct line *line, enum xs_log_level level, const char *event)
{
    bool colour = atomic_load_explicit(&the.colour, memory_order_relaxed);

    if (atomic_load_explicit(&the.with_time, memory_order_relaxed)) {
        put_time(line);
        put_text(line, " ");
    }
    if (colour)
        put_text(line, level_colours[level]);
    put_text(line, level_names[level]);
    if (colour)
        put_text(line, "\033[0m");
    put_text(line, " event=");
    put_quoted(line, event);
}

static void make_json(struct line *line, enum xs_log_level level, const char *event)
{
    put_text(line, "{");
    if (atomic_load_explicit(&the.with_time, memory_order_relaxed)) {
        put_text(line, "\"time\":\"");
        put_time(line);
        put_text(line, "\",");
    }
    put_text(line, "\"level\":\"");
    put_text(line, level_names[level]);
    put_text(line, "\",\"event\":");
    put_quoted(line, event);
}

static void make(struct line *line, enum xs_log_level level, const char *event,
                 const struct xs_log_field *fields, size_t count)
{
    int format = atomic_load_explicit(&the.format, memory_order_relaxed);
    size_t i;

    line->len = 0;
    if (format == XS_LOG_JSON)
        make_json(line, level, event);
    else
        make_keyvalue(line, level, event);
    for (i = 0; i < count; i++)
        put_field(line, format, &fields[i]);
    put_end(line, format == XS_LOG_JSON ? "}\n" : "\n");
}

/* ---- writing ---- */

/* Waits until the reader takes bytes; while stopping not for ever, and after it not at all. */
static bool wait_writable(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
    const int step = 100;

    for (;;) {
        bool patient = atomic_load(&the.waited) < STOP_PATIENCE;
        int n = poll(&poll_fd, 1, patient ? step : 0);

        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0 && !patient)
            return false;
        if (n == 0 && atomic_load(&the.stopping))
            atomic_fetch_add(&the.waited, step);
    }
}

/* False when the bytes cannot be written. */
static bool write_all(const char *at, size_t len)
{
    int fd = atomic_load_explicit(&the.fd, memory_order_relaxed);

    while (len > 0) {
        ssize_t n;

        if (!wait_writable(fd))
            return false;
        n = write(fd, at, len < PIPE_BUF_BYTES ? len : PIPE_BUF_BYTES);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool ring_put(const struct line *line)
{
    uint32_t at = atomic_load_explicit(&the.head, memory_order_relaxed);
    struct slot *slot;

    for (;;) {
        int32_t behind;

        slot = &the.slots[at % SLOTS];
        behind = (int32_t)(atomic_load_explicit(&slot->turn, memory_order_acquire) - at);
        if (behind < 0)
            return false;
        if (behind > 0)
            at = atomic_load_explicit(&the.head, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(
                     &the.head, &at, at + 1, memory_order_relaxed, memory_order_relaxed))
            break;
    }
    slot->len = (uint32_t)line->len;
    memcpy(slot->at, line->at, line->len);
    /* In one order with `asleep`, or the writer could miss the line and we its sleep. */
    atomic_store(&slot->turn, at + 1);
    if (atomic_load(&the.asleep) && atomic_exchange(&the.asleep, false))
        sem_post(&the.wake);
    return true;
}

static bool ring_ready(void)
{
    return atomic_load(&the.slots[the.tail % SLOTS].turn) == the.tail + 1;
}

/* Takes lines into `at` until it is full or the ring empty. */
static size_t ring_take(char *at, size_t cap, uint64_t *lines)
{
    size_t len = 0;

    for (*lines = 0; ring_ready(); (*lines)++) {
        struct slot *slot = &the.slots[the.tail % SLOTS];

        if (slot->len > cap - len)
            break;
        memcpy(at + len, slot->at, slot->len);
        len += slot->len;
        atomic_store_explicit(&slot->turn, the.tail + SLOTS, memory_order_release);
        the.tail++;
    }
    return len;
}

static void tell_dropped(void)
{
    uint64_t dropped = atomic_load_explicit(&the.dropped, memory_order_relaxed);
    struct xs_log_field field;
    struct line line;

    if (dropped == the.dropped_told)
        return;
    field = XS_F("lines", "%llu", (unsigned long long)(dropped - the.dropped_told));
    make(&line, XS_LOG_WARNING, "lines of this log were dropped", &field, 1);
    if (write_all(line.at, line.len))
        the.dropped_told = dropped;
}

/* Until the ring is empty. */
static void drain(void)
{
    char batch[PIPE_BUF_BYTES];
    uint64_t lines;
    size_t len;

    do {
        len = ring_take(batch, sizeof batch, &lines);
        if (len > 0 && !write_all(batch, len))
            atomic_fetch_add_explicit(&the.dropped, lines, memory_order_relaxed);
        tell_dropped();
    } while (len > 0);
}

static void *writer_run(void *unused)
{
    (void)unused;
    for (;;) {
        drain();
        if (atomic_load(&the.stopping))
            return NULL;
        atomic_store(&the.asleep, true);
        if (ring_ready() || atomic_load(&the.stopping))
            atomic_store(&the.asleep, false);
        else
            while (sem_wait(&the.wake) != 0)
                continue;
    }
}

/* ---- the doors ---- */

void xs_log_reload(const struct xs_log_options *options)
{
    atomic_store(&the.level, (int)options->level);
    atomic_store(&the.format, (int)options->format);
    atomic_store(&the.with_time, options->with_time);
    atomic_store(&the.colour, options->colour && options->format == XS_LOG_KEYVALUE);
    atomic_store(&the.fd, options->fd);
}

void xs_log_set(const struct xs_log_options *options)
{
    xs_log_reload(options);
}

void xs_log_start(void)
{
    uint32_t i;

    XS_ASSERT(!atomic_load(&the.running));
    /* Made once and never freed: a thread that outlives the stop may still hold a slot. */
    if (the.slots == NULL) {
        the.slots = xs_alloc(SLOTS * sizeof *the.slots);
        for (i = 0; i < SLOTS; i++)
            atomic_store(&the.slots[i].turn, i);
        sem_init(&the.wake, 0, 0);
    }
    atomic_store(&the.stopping, false);
    atomic_store(&the.waited, 0);
    atomic_store(&the.asleep, false);
    /* Without the thread, lines are written by whoever makes them, as before the start. */
    if (pthread_create(&the.writer, NULL, writer_run, NULL) != 0) {
        xs_log(XS_LOG_WARNING, "the log has no thread of its own");
        return;
    }
    atomic_store(&the.running, true);
}

void xs_log_stop(void)
{
    if (!atomic_exchange(&the.running, false))
        return;
    atomic_store(&the.stopping, true);
    sem_post(&the.wake);
    pthread_join(the.writer, NULL);
    drain();
}

bool xs_log_enabled(enum xs_log_level level)
{
    return (int)level <= atomic_load_explicit(&the.level, memory_order_relaxed);
}

uint64_t xs_log_dropped(void)
{
    return atomic_load_explicit(&the.dropped, memory_order_relaxed);
}

/* Whether a format makes a whole decimal number and nothing else: %d, %u, %i with any length.
 */
static bool is_number_format(const char *format)
{
    if (*format++ != '%')
        return false;
    format += strspn(format, "hljzt");
    return (*format == 'd' || *format == 'u' || *format == 'i') && format[1] == '\0';
}

struct xs_log_field xs_log_field(const char *key, const char *format, ...)
{
    struct xs_log_field field = { .key = key, .number = is_number_format(format) };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(field.value, sizeof field.value, format, arguments);
    va_end(arguments);
    return field;
}

void xs_log_write(enum xs_log_level level, const char *event, const struct xs_log_field *fields,
                  size_t count)
{
    struct line line;

    if ((unsigned)level > XS_LOG_DEBUG || !xs_log_enabled(level))
        return;
    make(&line, level, event, fields, count);
    if (!atomic_load_explicit(&the.running, memory_order_acquire)) {
        if (!write_all(line.at, line.len))
            atomic_fetch_add_explicit(&the.dropped, 1, memory_order_relaxed);
        return;
    }
    if (!ring_put(&line))
        atomic_fetch_add_explicit(&the.dropped, 1, memory_order_relaxed);
}

void xs_log(enum xs_log_level level, const char *format, ...)
{
    char event[EVENT_MAX_BYTES];
    va_list arguments;

    if ((unsigned)level > XS_LOG_DEBUG || !xs_log_enabled(level))
        return;
    va_start(arguments, format);
    vsnprintf(event, sizeof event, format, arguments);
    va_end(arguments);
    xs_log_write(level, event, NULL, 0);
}
