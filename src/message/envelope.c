/* envelope - {"C":controller,"T":topic,"D":data,...}: read in one validating pass that copies
 * nothing, and written from slices. docs/PROTOCOLS.md lists the members. */
#include "message/message.h"

#include "base/thread.h"
#include "base/utf8.h"
#include "message/json.h"
#include "message/scan.h"
#include "message/scratch.h"

/* A member as it lies in the text. */
struct member {
    enum xs_json_kind kind;
    bool escaped;         /* a string with a backslash in it */
    bool json;            /* a string whose inside is JSON */
    struct xs_slice text; /* of a string its inside */
};

/* The members that mean something. */
enum { C, T, D, Q, I, R, N, LETTERS };

struct envelope {
    struct member members[LETTERS];
    unsigned present; /* a bit each */
};

static unsigned letter_of(char key)
{
    switch (key | 0x20) {
    case 'c':
        return C;
    case 't':
        return T;
    case 'd':
        return D;
    case 'q':
        return Q;
    case 'i':
        return I;
    case 'r':
        return R;
    case 'n':
        return N;
    default:
        return LETTERS;
    }
}

/* Which member a key names: LETTERS if none of ours. The letter may be written as an escape. */
static unsigned letter_of_key(struct xs_slice key)
{
    char letter[6];

    if (key.len == 1)
        return letter_of(*key.at);
    if (key.len != 6 || *key.at != '\\' || xs_json_unescape(key, letter) != 1)
        return LETTERS;
    return letter_of(*letter);
}

static enum xs_json_kind kind_of(char first)
{
    switch (first) {
    case '{':
        return XS_JSON_OBJECT;
    case '[':
        return XS_JSON_ARRAY;
    case 't':
    case 'f':
        return XS_JSON_BOOL;
    case 'n':
        return XS_JSON_NULL;
    default:
        return XS_JSON_NUMBER;
    }
}

/* A string from behind its first quote. If it may hold JSON, that is tried first: then one pass
 * has read both the string and what is in it. */
static inline enum xs_err take_string(const char **from, const char *end, struct member *member,
                                      unsigned depth)
{
    const char *behind = *from;

    member->kind = XS_JSON_STRING;
    member->escaped = false;
    member->json = false;
    if (depth > 0) {
        enum xs_err err = xs_scan_inside(&behind, end, depth);

        if (err == XS_ETOOBIG)
            return err;
        member->json = err == XS_OK && behind < end;
    }
    if (member->json)
        behind++;
    else
        behind = scan_string(*from, end, &member->escaped);
    if (behind == NULL)
        return XS_EINVAL;
    member->text = slice_between(*from, behind - 1);
    *from = behind;
    return XS_OK;
}

/* A value that is no string. */
static enum xs_err take_other(const char **from, const char *end, struct member *member,
                              unsigned depth)
{
    const char *behind = *from;
    enum xs_err err;

    if (behind == end)
        return XS_EINVAL;
    err = xs_scan_value(&behind, end, depth);
    member->kind = kind_of(**from);
    member->json = member->escaped = false;
    member->text = slice_between(*from, behind);
    *from = behind;
    return err;
}

/* Only within the data JSON is looked for. */
static inline enum xs_err take_any(const char **from, const char *end, struct member *member,
                                   unsigned depth, bool is_data)
{
    if (*from == end || **from != '"')
        return take_other(from, end, member, depth);
    ++*from;
    return take_string(from, end, member, is_data ? depth : 0);
}

/* Behind a sign and the white space around it; NULL if it is not the next one. */
static inline const char *behind_sign(const char *at, const char *end, char sign)
{
    if (at == end || *at != sign) {
        at = skip_space(at, end);
        if (at == end || *at != sign)
            return NULL;
    }
    return skip_space(at + 1, end);
}

/* Behind a key, from behind its first quote, and its colon; NULL if it is none. */
static inline const char *take_key(const char *at, const char *end, unsigned *letter)
{
    const char *behind;
    bool escaped;

    if (end - at > 2 && memcmp(at + 1, "\":", 2) == 0) {
        *letter = letter_of(*at);
        if (*letter != LETTERS)
            return skip_space(at + 3, end);
    }
    behind = scan_string(at, end, &escaped);
    if (behind == NULL)
        return NULL;
    *letter = letter_of_key(slice_between(at, behind - 1));
    return behind_sign(behind, end, ':');
}

/* A member from behind the first quote of its key. */
static inline enum xs_err take_member(const char **from, const char *end,
                                      struct envelope *envelope, unsigned depth)
{
    struct member ignored;
    struct member *member = &ignored;
    unsigned letter;

    *from = take_key(*from, end, &letter);
    if (*from == NULL)
        return XS_EINVAL;
    if (letter != LETTERS) {
        member = &envelope->members[letter]; /* of equal keys the last one counts */
        envelope->present |= 1u << letter;
    }
    return take_any(from, end, member, depth, letter == D);
}

/* The rest of an envelope, from the next member's quote on; NULL: there is none. */
static enum xs_err scan_members(const char *next, const char *at, const char *end,
                                struct envelope *envelope, unsigned depth)
{
    while (next != NULL) {
        enum xs_err err;

        if (next == end || *next != '"')
            return XS_EINVAL;
        at = next + 1;
        err = take_member(&at, end, envelope, depth);
        if (err != XS_OK)
            return err;
        next = behind_sign(at, end, ',');
    }
    return behind_sign(at, end, '}') == end ? XS_OK : XS_EINVAL;
}

/* All of the text as an envelope: RFC 8259, and nothing is changed yet. */
static enum xs_err scan(struct xs_slice text, struct envelope *envelope)
{
    const char *end = end_of(text);
    const char *at = behind_sign(text.at, end, '{');

    envelope->present = 0;
    if (at == NULL)
        return XS_EINVAL;
    return scan_members(at < end && *at == '}' ? NULL : at, at, end, envelope,
                        xs_message_limits()->json_depth);
}

/* The member, or NULL if it is missing or null. */
static struct member *given(struct envelope *envelope, unsigned letter)
{
    if ((envelope->present & 1u << letter) == 0 ||
        envelope->members[letter].kind == XS_JSON_NULL)
        return NULL;
    return &envelope->members[letter];
}

/* Replaces a string by what it says, in its own place. */
static void unescape(struct member *member)
{
    if (member->escaped)
        member->text.len = xs_json_unescape(member->text, (char *)(uintptr_t)member->text.at);
    member->escaped = false;
}

/* A controller or topic: a string, or a number as its text. */
static enum xs_err read_name(struct member *member, struct xs_slice *name)
{
    *name = (struct xs_slice){ "", 0 };
    if (member == NULL)
        return XS_OK;
    if (member->kind != XS_JSON_STRING && member->kind != XS_JSON_NUMBER)
        return XS_EINVAL;
    unescape(member);
    *name = member->text;
    return name->len > xs_message_limits()->name ? XS_ETOOBIG : XS_OK;
}

/* An integer from 0 to `max`, also as a string; nothing is 0. */
static bool read_small(struct member *member, unsigned max, unsigned *value)
{
    uint64_t magnitude;
    bool negative;

    *value = 0;
    if (member == NULL)
        return true;
    if (member->kind != XS_JSON_NUMBER && member->kind != XS_JSON_STRING)
        return false;
    unescape(member);
    if (xs_json_integer(member->text, &negative, &magnitude) != XS_OK || negative ||
        magnitude > max)
        return false;
    *value = (unsigned)magnitude;
    return true;
}

/* true, false, or the same as 1, 0 or a string; nothing is false. */
static bool read_bool(struct member *member, bool *value)
{
    unsigned number;

    *value = false;
    if (member == NULL)
        return true;
    unescape(member);
    if (xs_slice_equal_nocase(member->text, XS_SLICE("true"))) {
        *value = true;
        return true;
    }
    if (xs_slice_equal_nocase(member->text, XS_SLICE("false")))
        return true;
    if (!read_small(member, 1, &number))
        return false;
    *value = number == 1;
    return true;
}

/* Only a JSON number that is an integer. */
static bool read_correlation(const struct member *member, int64_t *value)
{
    uint64_t magnitude;
    bool negative;

    if (member->kind != XS_JSON_NUMBER ||
        xs_json_integer(member->text, &negative, &magnitude) != XS_OK ||
        magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *value = (int64_t)(negative ? ~magnitude + 1 : magnitude);
    return true;
}

static struct xs_data read_data(struct member *member)
{
    if (member == NULL)
        return xs_null();
    if (member->kind != XS_JSON_STRING)
        return (struct xs_data){ member->text, XS_JSON };
    if (member->json)
        return (struct xs_data){ member->text, XS_JSON_ESCAPED };
    unescape(member);
    return (struct xs_data){ member->text, XS_TEXT };
}

/* Q, I, R and N. The sentence for what is wrong, or NULL. */
static const char *read_wishes(struct envelope *envelope, struct xs_incoming *out)
{
    if (!read_small(given(envelope, Q), 1, &out->qos))
        return "Q must be 0 or 1";
    if (!read_small(given(envelope, I), UINT16_MAX, &out->qos_id))
        return "I must be an integer from 0 to 65535";
    if (!read_bool(given(envelope, R), &out->retain))
        return "R must be true or false";
    out->has_correlation = (envelope->present & 1u << N) != 0;
    if (out->has_correlation && !read_correlation(&envelope->members[N], &out->correlation))
        return "N must be an integer of 64 bits";
    return NULL;
}

/* Makes the incoming message of the members; strings are unescaped where they lie. */
static enum xs_err read_members(struct envelope *envelope, struct xs_incoming *out,
                                const char **why)
{
    enum xs_err err = read_name(given(envelope, C), &out->controller);

    if (err == XS_OK)
        err = read_name(given(envelope, T), &out->topic);
    if (err != XS_OK) {
        *why = err == XS_ETOOBIG ? "the name of a controller or topic is too long"
                                 : "the controller and the topic must be strings";
        return err;
    }
    if (out->topic.len == 0) {
        *why = "the message has no topic";
        return XS_EINVAL;
    }
    if ((envelope->present & (1u << Q | 1u << I | 1u << R | 1u << N)) != 0) {
        *why = read_wishes(envelope, out);
        if (*why != NULL)
            return XS_EINVAL;
    }
    out->data = read_data(given(envelope, D));
    return XS_OK;
}

/* The same for an envelope of an older client: made strict in memory of this thread, then read
 * again. */
static enum xs_err scan_lenient(struct xs_slice text, struct envelope *envelope)
{
    const char *end = end_of(text);
    const char *at = skip_space(text.at, end);
    struct xs_buf *strict;
    enum xs_err err;

    if (at == end || *at != '{')
        return XS_EINVAL;
    strict = xs_scratch_envelope();
    /* The envelope itself is a level more than its data. */
    err = xs_json_from_lenient(text, xs_message_limits()->json_depth + 1, strict);
    if (err != XS_OK)
        return err;
    return scan((struct xs_slice){ strict->at, strict->len }, envelope);
}

/* Member by member: cheaper than a memset of this size, which becomes a slow string
 * instruction. */
static void empty(struct xs_incoming *out)
{
    out->size = sizeof *out;
    out->controller = (struct xs_slice){ "", 0 };
    out->topic = (struct xs_slice){ "", 0 };
    out->blob = (struct xs_slice){ "", 0 };
    out->data = xs_null();
    out->has_blob = out->retain = out->has_correlation = false;
    out->correlation = 0;
    out->qos = out->qos_id = 0;
}

static enum xs_err read_any(struct xs_slice text, struct envelope *envelope, enum xs_err err,
                            struct xs_incoming *out, const char **why)
{
    empty(out);
    if (err == XS_EINVAL)
        err = scan_lenient(text, envelope);
    if (err == XS_OK)
        return read_members(envelope, out, why);
    *why = err == XS_ETOOBIG  ? "the message is nested too deep"
           : err == XS_ENOMEM ? "there is no memory for the message"
                              : "the message is no JSON object";
    return err;
}

/* Takes a plain string of at most `limit` bytes and what stands after it. */
static inline bool take_plain(const char **from, const char *end, size_t limit,
                              struct xs_slice *text, const char *after, size_t after_len)
{
    const char *behind = skip_plain(*from, end);

    *text = slice_between(*from, behind);
    if ((size_t)(end - behind) < after_len || memcmp(behind, after, after_len) != 0)
        return false;
    *from = behind + after_len;
    return text->len <= limit;
}

static inline struct member plain_member(struct xs_slice text)
{
    return (struct member){ .kind = XS_JSON_STRING, .text = text };
}

/* The data of nearly every message: a string with a plain string in it. */
static inline bool take_plain_data(const char **from, const char *end, struct member *data)
{
    const char *at = *from, *behind;

    if (end - at < 3 || memcmp(at, "\"\\\"", 3) != 0)
        return false;
    behind = skip_plain(at + 3, end);
    if (end - behind < 3 || memcmp(behind, "\\\"\"", 3) != 0)
        return false;
    *data = (struct member){ .kind = XS_JSON_STRING,
                             .json = true,
                             .text = slice_between(at + 1, behind + 2) };
    *from = behind + 3;
    return true;
}

enum xs_err xs_envelope_read(char *at, size_t len, struct xs_incoming *out, const char **why)
{
    XS_ON_SOME_WORKER();
    static const char open[] = "{\"C\":\"", topic[] = "\",\"T\":\"", data[] = "\",\"D\":";
    const struct xs_message_limits *limits = xs_message_limits();
    struct xs_slice text = { at, len }, c, t;
    const char *from = at + (sizeof open - 1), *end = at + len;
    struct envelope envelope;
    enum xs_err err;

    /* Nearly every envelope begins like this; every other one is read member by member. */
    if (len < sizeof open || memcmp(at, open, sizeof open - 1) != 0 ||
        !take_plain(&from, end, limits->name, &c, topic, sizeof topic - 1) ||
        !take_plain(&from, end, limits->name, &t, data, sizeof data - 1) || t.len == 0 ||
        from == end || is_space((unsigned char)*from))
        return read_any(text, &envelope, scan(text, &envelope), out, why);
    err = XS_OK;
    if (!take_plain_data(&from, end, &envelope.members[D]))
        err = take_any(&from, end, &envelope.members[D], limits->json_depth, true);
    if (err == XS_OK && end - from == 1 && *from == '}') {
        empty(out);
        out->controller = c;
        out->topic = t;
        out->data = envelope.members[D].kind == XS_JSON_NULL ? xs_null()
                                                             : read_data(&envelope.members[D]);
        return XS_OK;
    }
    envelope.members[C] = plain_member(c);
    envelope.members[T] = plain_member(t);
    envelope.present = 1u << C | 1u << T | 1u << D;
    if (err == XS_OK)
        err =
            scan_members(behind_sign(from, end, ','), from, end, &envelope, limits->json_depth);
    return read_any(text, &envelope, err, out, why);
}

/* A name as the inside of a JSON string; nearly all are plain. */
static void append_name(struct xs_buf *out, struct xs_slice name)
{
    if (name.len == 0)
        return;
    if (skip_plain(name.at, name.at + name.len) == name.at + name.len)
        xs_buf_append(out, name);
    else
        xs_buf_append_escaped(out, name);
}

/* `"Q":1,"I":65535,` */
static void append_qos(struct xs_buf *out, unsigned id)
{
    char digits[5];
    size_t n = sizeof digits;

    do {
        digits[--n] = (char)('0' + id % 10);
        id /= 10;
    } while (id > 0 && n > 0);
    xs_buf_append(out, XS_SLICE("\"Q\":1,\"I\":"));
    xs_buf_append(out, (struct xs_slice){ digits + n, sizeof digits - n });
    xs_buf_append_byte(out, ',');
}

/* Bytes of a short name in one word, some of them twice. */
static inline uint64_t word_of(const char *at, size_t len)
{
    uint32_t first, last;

    if (len < 4)
        return (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[len / 2] << 8 |
               (uint8_t)at[len - 1] | UINT64_C(0x2020202020000000);
    memcpy(&first, at, sizeof first);
    memcpy(&last, at + len - sizeof last, sizeof last);
    return (uint64_t)last << 32 | first;
}

/* Whether a name needs no escape. */
static inline bool is_plain(struct xs_slice name)
{
    if (name.len == 0)
        return true;
    if (name.len <= 8)
        return skip_marks(word_of(name.at, name.len)) == 0;
    return skip_plain(name.at, name.at + name.len) == name.at + name.len;
}

static inline char *put(char *to, const char *from, size_t len)
{
    if (len > 0)
        memcpy(to, from, len);
    return to + len;
}

/* The same without a call for a short one, some bytes twice. */
static inline char *put_name(char *to, struct xs_slice name)
{
    size_t len = name.len;
    uint32_t first, last;

    if (len > 8 || len == 0)
        return put(to, name.at, len);
    if (len < 4) {
        char middle = name.at[len / 2], end = name.at[len - 1];

        to[0] = name.at[0];
        to[len / 2] = middle;
        to[len - 1] = end;
        return to + len;
    }
    memcpy(&first, name.at, sizeof first);
    memcpy(&last, name.at + len - sizeof last, sizeof last);
    memcpy(to, &first, sizeof first);
    memcpy(to + len - sizeof last, &last, sizeof last);
    return to + len;
}

/* Nearly every envelope: room is looked for once. False: it is another one. */
static inline bool write_usual(struct xs_buf *out, const struct xs_message *msg,
                               struct xs_slice data)
{
    static const char open[] = "{\"C\":\"", topic[] = "\",\"T\":\"", d[] = "\",\"D\":\"";
    size_t need = sizeof open + sizeof topic + sizeof d + 2 + msg->controller.len +
                  msg->topic.len + data.len;
    char *to;

    if (out->cap - out->len < need || msg->qos != 0 || !is_plain(msg->controller) ||
        !is_plain(msg->topic))
        return false;
    to = put(out->at + out->len, open, sizeof open - 1);
    to = put_name(to, msg->controller);
    to = put(to, topic, sizeof topic - 1);
    to = put_name(to, msg->topic);
    to = put(to, d, sizeof d - 1);
    to = put(to, data.at, data.len);
    to = put(to, "\"}", 2);
    out->len = (size_t)(to - out->at);
    return true;
}

void xs_envelope_write(struct xs_buf *out, const struct xs_message *msg, struct xs_slice data)
{
    XS_ON_SOME_WORKER();
    if (write_usual(out, msg, data))
        return;
    xs_buf_append(out, XS_SLICE("{\"C\":\""));
    append_name(out, msg->controller);
    xs_buf_append(out, XS_SLICE("\",\"T\":\""));
    append_name(out, msg->topic);
    xs_buf_append(out, XS_SLICE("\","));
    if (msg->qos != 0 && msg->qos_id != 0)
        append_qos(out, msg->qos_id);
    xs_buf_append(out, XS_SLICE("\"D\":\""));
    xs_buf_append(out, data);
    xs_buf_append(out, XS_SLICE("\"}"));
}

static void append_unit(struct xs_buf *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {
        '\\',          'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
        hex[unit & 15]
    };

    xs_buf_append(out, (struct xs_slice){ text, sizeof text });
}

/* One well-formed sequence of UTF-8 above ASCII as \u escapes. */
static void append_code(struct xs_buf *out, const char *at, size_t len)
{
    static const uint8_t masks[] = { 0, 0, 0x1F, 0x0F, 0x07 };
    uint32_t code = (uint8_t)at[0] & masks[len];
    size_t i;

    for (i = 1; i < len; i++)
        code = code << 6 | ((uint8_t)at[i] & 0x3F);
    if (code < 0x10000) {
        append_unit(out, code);
        return;
    }
    append_unit(out, 0xD800 + ((code - 0x10000) >> 10));
    append_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

/* Text with all that is no ASCII as \u escapes; the rest as it is, or escaped, too. */
static void append_ascii(struct xs_buf *out, struct xs_slice text, bool escape)
{
    const char *at = text.at;
    const char *end = end_of(text);

    while (at < end && !out->failed) {
        struct xs_slice run = { at, 0 };
        const char *wide;
        bool valid;

        while (at < end && (unsigned char)*at < 0x80)
            at++;
        run.len = (size_t)(at - run.at);
        if (escape)
            xs_buf_append_escaped(out, run);
        else
            xs_buf_append(out, run);
        if (at == end)
            return;
        wide = at;
        at += xs_utf8_step(at, (size_t)(end - at), &valid);
        if (valid)
            append_code(out, wide, (size_t)(at - wide));
        else
            append_unit(out, 0xFFFD);
    }
}

/* The .NET client writes an empty string for none, and an object is what all of the original
 * clients take: the JavaScript client 5.0.0 parses a string once more and fails at that one. */
static bool is_no_metadata(struct xs_slice data)
{
    return xs_slice_equal(data, XS_SLICE("null")) || xs_slice_equal(data, XS_SLICE("\\\"\\\""));
}

void xs_envelope_write_ascii(struct xs_buf *out, const struct xs_message *msg,
                             struct xs_slice data)
{
    XS_ON_SOME_WORKER();
    xs_buf_append(out, XS_SLICE("{\"C\":\""));
    append_ascii(out, msg->controller, true);
    xs_buf_append(out, XS_SLICE("\",\"T\":\""));
    append_ascii(out, msg->topic, true);
    xs_buf_append(out, XS_SLICE("\",\"D\":\""));
    append_ascii(out, is_no_metadata(data) ? XS_SLICE("{}") : data, false);
    xs_buf_append(out, XS_SLICE("\"}"));
}
