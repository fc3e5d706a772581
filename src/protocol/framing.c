/* framing - greetings by name, frames, and the three parts of a message. */
#include <string.h>

#include "base/thread.h"
#include "message/scratch.h"
#include <xsockets/framing.h>

/* Bytes behind the name of a greeting; the host looks no further at once either. */
#define QUERY_MAX ((size_t)4096)
/* Digits and hyphens of a persistent id. */
#define GUID_SIZE ((size_t)36)
/* What two bytes can count. */
#define LENGTH_MAX ((size_t)0xffff)

static void skip(struct xs_input *in, size_t n)
{
    if (n == 0)
        return; /* an empty input may lie nowhere */
    in->at += n;
    in->len -= n;
}

static struct xs_slice without_cr(struct xs_slice line)
{
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* ---- the greeting ---- */

/* The place of the greeting's end, `rest.len` if it has none yet. */
static size_t greeting_end(const struct xs_format *format, struct xs_slice rest, size_t from)
{
    while (from < rest.len && rest.at[from] != '\n' &&
           (rest.at[from] != '\0' || format->framing == XS_FRAMING_LENGTH))
        from++;
    return from;
}

/* What may stand between the name and the end. */
static bool is_tail(struct xs_slice tail)
{
    tail = without_cr(tail);
    return tail.len == 0 || tail.at[0] == '?';
}

/* A persistent id that nothing need follow. */
static bool is_whole_id(struct xs_slice tail)
{
    static const struct xs_slice key = { "?persistentid=", 14 };

    return tail.len == key.len + GUID_SIZE &&
           xs_slice_equal_nocase((struct xs_slice){ tail.at, key.len }, key) &&
           memchr(tail.at, '&', tail.len) == NULL;
}

enum xs_match xs_greeting_match(const struct xs_format *format, struct xs_slice head)
{
    struct xs_slice name = xs_slice_of(format->greeting), tail;
    size_t n = head.len < name.len ? head.len : name.len;
    size_t end;

    if (n > 0 && memcmp(head.at, name.at, n) != 0)
        return XS_MATCH_NO;
    if (n < name.len)
        return XS_MATCH_MORE;
    tail = (struct xs_slice){ head.at + n, head.len - n };
    end = greeting_end(format, tail, 0);
    if (!is_tail((struct xs_slice){ tail.at, end }))
        return XS_MATCH_NO;
    if (end < tail.len)
        return XS_MATCH_YES;
    if (format->framing == XS_FRAMING_LENGTH)
        return XS_MATCH_MORE;
    return is_whole_id(tail) ? XS_MATCH_YES : XS_MATCH_QUIET;
}

enum xs_err xs_greeting_take(const struct xs_format *format, struct xs_frames *frames,
                             struct xs_input *in, struct xs_slice *query)
{
    struct xs_slice tail;
    bool keeps_end;

    if (!frames->named) {
        skip(in, strlen(format->greeting));
        frames->named = true;
    }
    tail = (struct xs_slice){ in->at, in->len };
    tail.len = greeting_end(format, tail, frames->seen);
    if (tail.len > QUERY_MAX)
        return XS_ETOOBIG;
    if (tail.len == in->len) {
        frames->seen = in->len;
        return XS_EAGAIN;
    }
    /* The zero byte of an XFrame is the frame's own. */
    keeps_end = format->framing == XS_FRAMING_XFRAME && in->at[tail.len] == '\0';
    skip(in, keeps_end ? tail.len : tail.len + 1);
    frames->greeted = true;
    frames->seen = 0;
    if (!is_tail(tail))
        return XS_EPROTO;
    *query = without_cr(tail);
    if (query->len > 0) {
        query->at++;
        query->len--;
    }
    return XS_OK;
}

/* ---- frames in ---- */

static enum xs_err take_line(struct xs_frames *frames, size_t longest, struct xs_input *in,
                             struct xs_slice *payload)
{
    size_t left = in->len - frames->seen;
    const char *end = left > 0 ? memchr(in->at + frames->seen, '\n', left) : NULL;
    struct xs_slice line = { in->at, end != NULL ? (size_t)(end - in->at) : in->len };

    /* A CR may be the beginning of its end. */
    if (line.len > longest + 1 || without_cr(line).len > longest)
        return XS_ETOOBIG;
    if (end == NULL) {
        frames->seen = in->len;
        return XS_EAGAIN;
    }
    skip(in, line.len + 1);
    frames->seen = 0;
    *payload = without_cr(line);
    return XS_OK;
}

/* Takes what lies before the next frame. */
static enum xs_err take_stray(struct xs_frames *frames, size_t longest, struct xs_input *in)
{
    size_t n = 0;

    for (; n < in->len && in->at[n] != '\0'; n++)
        if (in->at[n] != '\r' && in->at[n] != '\n')
            frames->stray++;
    skip(in, n);
    if (frames->stray > 0 && !frames->told) {
        frames->told = true;
        return XS_EPROTO;
    }
    return frames->stray > longest ? XS_ETOOBIG : XS_OK;
}

static enum xs_err take_xframe(struct xs_frames *frames, size_t longest, struct xs_input *in,
                               struct xs_slice *payload)
{
    const char *end;
    size_t len;

    if (frames->seen == 0) {
        enum xs_err err = take_stray(frames, longest, in);

        if (err != XS_OK)
            return err;
    }
    /* Several zero bytes are one beginning. */
    while (frames->seen <= 1 && in->len > 1 && in->at[1] == '\0')
        skip(in, 1);
    if (in->len == 0)
        return XS_EAGAIN;
    if (frames->seen == 0)
        frames->seen = 1;
    len = in->len - frames->seen;
    end = len > 0 ? memchr(in->at + frames->seen, 0xff, len) : NULL;
    len = end != NULL ? (size_t)(end - in->at) - 1 : in->len - 1;
    if (len > longest)
        return XS_ETOOBIG;
    if (end == NULL) {
        frames->seen = in->len;
        return XS_EAGAIN;
    }
    *payload = (struct xs_slice){ in->at + 1, len };
    skip(in, len + 2);
    frames->seen = frames->stray = 0;
    frames->told = false;
    return XS_OK;
}

static enum xs_err take_length(size_t longest, struct xs_input *in, struct xs_slice *payload)
{
    size_t len;

    if (in->len < 2)
        return XS_EAGAIN;
    len = (size_t)(unsigned char)in->at[0] << 8 | (unsigned char)in->at[1];
    if (len > longest)
        return XS_ETOOBIG;
    if (in->len - 2 < len)
        return XS_EAGAIN;
    *payload = (struct xs_slice){ in->at + 2, len };
    skip(in, len + 2);
    return XS_OK;
}

enum xs_err xs_frame_take(const struct xs_format *format, struct xs_frames *frames,
                          size_t longest, struct xs_input *in, struct xs_slice *payload)
{
    switch (format->framing) {
    case XS_FRAMING_LINE:
        return take_line(frames, longest, in, payload);
    case XS_FRAMING_XFRAME:
        return take_xframe(frames, longest, in, payload);
    case XS_FRAMING_LENGTH:
        return take_length(longest, in, payload);
    }
    return XS_EINTERNAL;
}

/* ---- frames out ---- */

size_t xs_frame_begin(const struct xs_format *format, struct xs_buf *out)
{
    size_t begun = out->len;

    if (format->framing == XS_FRAMING_XFRAME)
        xs_buf_append_byte(out, '\0');
    if (format->framing == XS_FRAMING_LENGTH)
        xs_buf_append(out, XS_SLICE("\0\0"));
    return begun;
}

static void blank(struct xs_buf *out, size_t begun, char sign)
{
    char *at, *end;

    if (out->len == begun)
        return;
    at = out->at + begun;
    end = out->at + out->len;
    while (at < end && (at = memchr(at, sign, (size_t)(end - at))) != NULL)
        *at++ = ' ';
}

enum xs_err xs_frame_end(const struct xs_format *format, struct xs_buf *out, size_t begun)
{
    struct xs_slice frame = { out->at, out->len - begun };

    if (out->failed)
        return XS_OK; /* the host drops it */
    switch (format->framing) {
    case XS_FRAMING_LINE:
        blank(out, begun, '\r');
        blank(out, begun, '\n');
        xs_buf_append(out, XS_SLICE("\r\n"));
        return XS_OK;
    case XS_FRAMING_XFRAME:
        frame.at += begun;
        if (memchr(frame.at + 1, '\0', frame.len - 1) != NULL ||
            memchr(frame.at, 0xff, frame.len) != NULL)
            break;
        xs_buf_append_byte(out, '\xff');
        return XS_OK;
    case XS_FRAMING_LENGTH:
        if (frame.len - 2 > LENGTH_MAX)
            break;
        out->at[begun] = (char)((frame.len - 2) >> 8);
        out->at[begun + 1] = (char)((frame.len - 2) & 0xff);
        return XS_OK;
    }
    out->len = begun;
    return XS_EREFUSED;
}

/* ---- the three parts ---- */

size_t xs_parts_longest(const struct xs_limits *limits)
{
    /* The bars, and a word that may be longer than a name. */
    return limits->message + 2 * limits->name + 8;
}

/* Cuts *rest at the first `stop`: the part before is given, the part behind stays. */
static bool cut(struct xs_slice *rest, char stop, struct xs_slice *part)
{
    const char *end = rest->len > 0 ? memchr(rest->at, stop, rest->len) : NULL;

    if (end == NULL)
        return false;
    *part = (struct xs_slice){ rest->at, (size_t)(end - rest->at) };
    rest->len -= part->len + 1;
    rest->at = end + 1;
    return true;
}

static bool is_word(struct xs_slice topic, const char *word, const char *number)
{
    return xs_slice_equal_nocase(topic, xs_slice_of(word)) ||
           xs_slice_equal(topic, xs_slice_of(number));
}

/* The data of a subscription: a bare topic, even one that reads as a number, or what other
 * clients send, {"T":topic,"A":true} or "topic". */
static struct xs_data topic_data(struct xs_slice data)
{
    bool is_json = data.len > 0 && (data.at[0] == '{' || data.at[0] == '"');

    return is_json ? xs_data_of(data) : xs_text_slice(data);
}

/* A key, and a value unless it is NULL, in the form that storage takes. The buffer is not of
 * the ring for views: a handler may make any number of them while the message lies in it. */
static enum xs_err pair_data(struct xs_slice key, const struct xs_slice *value,
                             struct xs_data *data)
{
    struct xs_buf *json = xs_scratch_envelope();

    xs_buf_append(json, XS_SLICE("{\"K\":\""));
    xs_buf_append_escaped(json, key);
    if (value != NULL) {
        xs_buf_append(json, XS_SLICE("\",\"V\":\""));
        xs_buf_append_escaped(json, *value);
        xs_buf_append(json, XS_SLICE("\"}"));
    } else {
        xs_buf_append(json, XS_SLICE("\",\"V\":null}"));
    }
    if (json->failed)
        return XS_ENOMEM;
    *data = xs_json_slice((struct xs_slice){ json->at, json->len });
    return XS_OK;
}

static enum xs_err read_data(struct xs_slice data, struct xs_incoming *incoming,
                             const char **why)
{
    struct xs_slice topic = incoming->topic, key;

    if (is_word(topic, "subscribe", "5")) {
        incoming->topic = XS_SLICE("5");
        incoming->data = topic_data(data);
        return XS_OK;
    }
    if (is_word(topic, "unsubscribe", "6")) {
        incoming->topic = XS_SLICE("6");
        incoming->data = topic_data(data);
        return XS_OK;
    }
    *why = "there is no memory for the message";
    if (is_word(topic, "s1", "s1")) {
        if (cut(&data, ',', &key))
            return pair_data(key, &data, &incoming->data);
        *why = "s1 takes key,value";
        return XS_EINVAL;
    }
    if (is_word(topic, "s2", "s2") || is_word(topic, "s3", "s3"))
        return pair_data(data, NULL, &incoming->data);
    incoming->data = xs_data_of(data);
    return XS_OK;
}

enum xs_err xs_parts_read(const struct xs_format *format, struct xs_slice payload,
                          struct xs_incoming *incoming, const char **why)
{
    XS_ON_SOME_WORKER();
    memset(incoming, 0, sizeof *incoming);
    incoming->size = sizeof *incoming;
    if (!xs_utf8_valid(payload.at, payload.len)) {
        *why = "the message is no UTF-8";
        return XS_EUTF8;
    }
    *why = format->three_parts ? NULL : "a message is controller|topic|data";
    if (!cut(&payload, '|', &incoming->controller))
        return XS_EINVAL;
    if (!cut(&payload, '|', &incoming->topic)) {
        if (format->three_parts)
            return XS_EINVAL;
        incoming->topic = payload;
        payload.len = 0;
    }
    return read_data(payload, incoming, why);
}

/* A message comes from any protocol, with anything in its names: what would read as the end of
 * a part or of a frame must not get onto this wire. */
static bool is_plain(struct xs_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];

        if (c < 0x20 || c == 0x7f || c == '|' || c == 0xff)
            return false;
    }
    return true;
}

/* What opened and closed tell. False if it is not there. */
static bool append_ids(struct xs_buf *out, struct xs_slice data)
{
    struct xs_data persistent, connection;

    if (xs_json_member(data, "PI", &persistent) != XS_OK ||
        xs_json_member(data, "CI", &connection) != XS_OK)
        return false;
    xs_buf_append(out, XS_SLICE("PI:"));
    xs_buf_append(out, persistent.bytes);
    xs_buf_append(out, XS_SLICE(",CI:"));
    xs_buf_append(out, connection.bytes);
    return true;
}

enum xs_err xs_parts_write(const struct xs_format *format, const struct xs_message *msg,
                           struct xs_slice data, struct xs_buf *out)
{
    XS_ON_SOME_WORKER();
    struct xs_slice controller = xs_message_controller(msg);
    struct xs_slice topic = xs_message_topic(msg);
    bool has_blob, is_life;
    size_t begun;

    (void)xs_message_blob(msg, &has_blob);
    if (has_blob || !is_plain(controller) || !is_plain(topic))
        return XS_EREFUSED;
    is_life = xs_slice_equal(topic, XS_SLICE("2")) || xs_slice_equal(topic, XS_SLICE("3"));
    begun = xs_frame_begin(format, out);
    xs_buf_append(out, controller);
    xs_buf_append_byte(out, '|');
    xs_buf_append(out, topic);
    xs_buf_append_byte(out, '|');
    if (!is_life || !append_ids(out, data))
        xs_buf_append(out, data);
    return xs_frame_end(format, out, begun);
}
