/* text - PuttyProtocol: lines for people with a terminal and devices with a socket.
 *
 *   C: PuttyProtocol?name=value            the greeting; the query is optional
 *   S: Welcome to PuttyProtocol
 *   C: controller|topic|data               from then on a line is a message, both ways
 *
 * Only data may hold a '|'. The greeting ends at a line end or a zero byte; some clients send
 * none and wait, so it may also just fall silent ("quiet"), and end later. */
#include <stdlib.h>

#include <xsockets/protocol.h>

enum {
    GREETING_MAX = 4096 /* bytes behind the name; the host looks no further at once either */
};

struct text {
    bool in_greeting; /* welcomed already, but the greeting's end is still to come */
    size_t seen;      /* bytes at the front of the input that hold no line end */
};

static const struct xs_slice greeting = { "PuttyProtocol", 13 };

/* ---- the greeting ---- */

/* The place of the greeting's end, `rest.len` if it has none yet. */
static size_t greeting_end(struct xs_slice rest, size_t from)
{
    while (from < rest.len && rest.at[from] != '\n' && rest.at[from] != '\0')
        from++;
    return from;
}

static struct xs_slice without_cr(struct xs_slice line)
{
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* What may stand between the name and the end. */
static bool is_tail(struct xs_slice tail)
{
    tail = without_cr(tail);
    return tail.len == 0 || tail.at[0] == '?';
}

static enum xs_match text_match(struct xs_slice head)
{
    size_t n = head.len < greeting.len ? head.len : greeting.len;
    struct xs_slice rest;
    size_t end;

    if (n > 0 && memcmp(head.at, greeting.at, n) != 0)
        return XS_MATCH_NO;
    if (n < greeting.len)
        return XS_MATCH_MORE;
    rest = (struct xs_slice){ head.at + n, head.len - n };
    end = greeting_end(rest, 0);
    if (!is_tail((struct xs_slice){ rest.at, end }))
        return XS_MATCH_NO;
    return end < rest.len ? XS_MATCH_YES : XS_MATCH_QUIET;
}

static void skip(struct xs_input *in, size_t n)
{
    in->at += n;
    in->len -= n;
}

/* Reads the greeting to its end. What comes late is judged as if it had come at once, so that
 * the result does not depend on timing. */
static enum xs_err finish_greeting(struct text *me, struct xs_conn *conn, struct xs_input *in)
{
    struct xs_slice tail = { in->at,
                             greeting_end((struct xs_slice){ in->at, in->len }, me->seen) };

    if (tail.len > GREETING_MAX)
        return XS_ETOOBIG;
    if (tail.len == in->len) {
        me->seen = in->len;
        return XS_OK;
    }
    me->in_greeting = false;
    me->seen = 0;
    skip(in, tail.len + 1);
    if (!is_tail(tail)) {
        xs_conn_error(conn, "the greeting PuttyProtocol ends with a line end");
        return XS_EPROTO;
    }
    return xs_conn_set_query(conn, without_cr(tail));
}

static enum xs_err text_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct text *me = self;
    enum xs_err err;

    skip(in, greeting.len);
    me->in_greeting = true;
    err = finish_greeting(me, conn, in);
    if (err != XS_OK)
        return err;
    xs_conn_write(conn, XS_SLICE("Welcome to PuttyProtocol\r\n"));
    xs_conn_ready(conn);
    return XS_OK;
}

/* ---- lines in ---- */

/* Cuts *rest at the first `stop`: the part before is returned, the part after stays. */
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

/* Delivers a key, and a value unless it is NULL, in the form that storage takes. */
static enum xs_err deliver_pair(struct xs_conn *conn, struct xs_incoming *incoming,
                                struct xs_slice key, const struct xs_slice *value)
{
    /* An escape takes at most six bytes for one (RFC 8259 section 7). */
    size_t size = 6 * (key.len + (value != NULL ? value->len : 0)) + sizeof "{'K':'','V':null}";
    struct xs_buf json = { malloc(size), 0, size, size, false };
    enum xs_err err;

    if (json.at == NULL)
        return XS_ENOMEM;
    xs_buf_append(&json, XS_SLICE("{\"K\":\""));
    xs_buf_append_escaped(&json, key);
    xs_buf_append(&json, XS_SLICE("\",\"V\":"));
    if (value != NULL) {
        xs_buf_append_byte(&json, '"');
        xs_buf_append_escaped(&json, *value);
        xs_buf_append_byte(&json, '"');
    } else {
        xs_buf_append(&json, XS_SLICE("null"));
    }
    xs_buf_append_byte(&json, '}');
    incoming->data = xs_json_slice((struct xs_slice){ json.at, json.len });
    err = xs_conn_deliver(conn, incoming);
    free(json.at);
    return err;
}

static enum xs_err take_line(struct xs_conn *conn, struct xs_slice line)
{
    struct xs_incoming incoming;
    struct xs_slice key;

    memset(&incoming, 0, sizeof incoming);
    incoming.size = sizeof incoming;
    if (!cut(&line, '|', &incoming.controller)) {
        xs_conn_error(conn, "a line is controller|topic|data");
        return XS_OK;
    }
    if (!cut(&line, '|', &incoming.topic)) {
        incoming.topic = line;
        line.len = 0;
    }
    if (is_word(incoming.topic, "subscribe", "5")) {
        incoming.topic = XS_SLICE("5");
        incoming.data = topic_data(line);
        return xs_conn_deliver(conn, &incoming);
    }
    if (is_word(incoming.topic, "unsubscribe", "6")) {
        incoming.topic = XS_SLICE("6");
        incoming.data = topic_data(line);
        return xs_conn_deliver(conn, &incoming);
    }
    if (xs_slice_equal_nocase(incoming.topic, XS_SLICE("s1"))) {
        if (cut(&line, ',', &key))
            return deliver_pair(conn, &incoming, key, &line);
        xs_conn_error(conn, "s1 takes key,value");
        return XS_OK;
    }
    if (xs_slice_equal_nocase(incoming.topic, XS_SLICE("s2")) ||
        xs_slice_equal_nocase(incoming.topic, XS_SLICE("s3")))
        return deliver_pair(conn, &incoming, line, NULL);
    incoming.data = xs_data_of(line);
    return xs_conn_deliver(conn, &incoming);
}

/* The longest line that can hold a message within the limits, with its CR. */
static size_t longest_line(const struct xs_conn *conn)
{
    const struct xs_limits *limits = xs_conn_limits(conn);

    return limits->message + 2 * limits->name + 8;
}

static enum xs_err text_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct text *me = self;
    size_t longest = longest_line(conn);
    enum xs_err err;

    if (me->in_greeting) {
        err = finish_greeting(me, conn, in);
        if (err != XS_OK || me->in_greeting)
            return err;
    }
    while (in->len > me->seen && !xs_conn_busy(conn)) {
        const char *end = memchr(in->at + me->seen, '\n', in->len - me->seen);
        struct xs_slice line = { in->at, end != NULL ? (size_t)(end - in->at) : in->len };

        if (line.len > longest) {
            xs_conn_error(conn, "the line is too long");
            return XS_ETOOBIG;
        }
        if (end == NULL) {
            me->seen = in->len;
            return XS_OK;
        }
        skip(in, line.len + 1);
        me->seen = 0;
        line = without_cr(line);
        if (line.len == 0) {
            xs_conn_count_frame(conn);
            continue;
        }
        if (!xs_utf8_valid(line.at, line.len)) {
            xs_conn_error(conn, "the line is no UTF-8");
            return XS_EUTF8;
        }
        err = take_line(conn, line);
        if (err != XS_OK)
            return err == XS_EGONE ? XS_OK : err;
    }
    return XS_OK;
}

/* ---- lines out ---- */

/* A message comes from any protocol, with anything in its names: what would read as the end of
 * a part, or as the end of the line, must not get onto this wire. */
static bool is_plain(struct xs_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];

        if (c < 0x20 || c == 0x7f || c == '|')
            return false;
    }
    return true;
}

/* JSON has line ends only between its values, where a blank means the same. */
static void append_on_one_line(struct xs_buf *out, struct xs_slice data)
{
    size_t start = 0;

    for (size_t i = 0; i < data.len; i++) {
        if (data.at[i] != '\r' && data.at[i] != '\n')
            continue;
        xs_buf_append(out, (struct xs_slice){ data.at + start, i - start });
        xs_buf_append_byte(out, ' ');
        start = i + 1;
    }
    if (start < data.len)
        xs_buf_append(out, (struct xs_slice){ data.at + start, data.len - start });
}

/* What opened and closed tell, as the devices of this protocol expect it. False if it is not
 * there. */
static bool append_ids(struct xs_buf *out, struct xs_slice data)
{
    struct xs_data persistent, connection;

    if (xs_json_member(data, "PI", &persistent) != XS_OK ||
        xs_json_member(data, "CI", &connection) != XS_OK)
        return false;
    xs_buf_append(out, XS_SLICE("PI:"));
    append_on_one_line(out, persistent.bytes);
    xs_buf_append(out, XS_SLICE(",CI:"));
    append_on_one_line(out, connection.bytes);
    return true;
}

static enum xs_err text_encode(const struct xs_encoder *by, const struct xs_message *msg,
                               struct xs_slice data, struct xs_buf *out)
{
    struct xs_slice controller = xs_message_controller(msg);
    struct xs_slice topic = xs_message_topic(msg);
    bool has_blob, is_life;

    (void)by;
    (void)xs_message_blob(msg, &has_blob);
    if (has_blob || !is_plain(controller) || !is_plain(topic))
        return XS_EREFUSED;
    is_life = xs_slice_equal(topic, XS_SLICE("2")) || xs_slice_equal(topic, XS_SLICE("3"));
    xs_buf_append(out, controller);
    xs_buf_append_byte(out, '|');
    xs_buf_append(out, topic);
    xs_buf_append_byte(out, '|');
    if (!is_life || !append_ids(out, data))
        append_on_one_line(out, data);
    xs_buf_append(out, XS_SLICE("\r\n"));
    return XS_OK;
}

static const char *const text_beginnings[] = { "PuttyProtocol", NULL };

static const struct xs_protocol_ops text_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "text",
    .state_size = sizeof(struct text),
    .beginnings = text_beginnings,
    .view = XS_VIEW_JSON,
    .match = text_match,
    .open = text_open,
    .decode = text_decode,
    .encode = text_encode,
};

XS_PLUGIN(.name = "text", .version = "1.0.0", .protocols = { &text_ops })
