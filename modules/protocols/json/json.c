/* json - JsonProtocol: the NodeJS client, envelopes in frames.
 *
 *   C: JsonProtocol                                  the greeting, without an end
 *   S: 00 {"T":"1","D":"Welcome","C":""} FF
 *   C: 00 {"T":"say","D":"hello","C":"Chat"} FF      from then on, both ways
 *
 * To this client whatever it reads at once is one frame, hence a write for each and a pause
 * between them. It knows controllers by the name it typed, and dies of any other: of an empty
 * one, and of one in another case. So the names are remembered as they first came. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <xsockets/framing.h>

/* What stands in a frame before the controller's name. */
#define HEAD "\0{\"C\":\""

enum {
    HEAD_SIZE = sizeof HEAD - 1,
    NAME_SIZE = 64 /* bytes of the longest name that a controller may have */
};

/* A controller's name as the client first wrote it, and as it stands in JSON. */
struct name {
    uint8_t len;
    char text[NAME_SIZE];
};

struct json {
    struct xs_frames frames;
    struct name *names;
    size_t count;
};

static const struct xs_format json = { .greeting = "JsonProtocol",
                                       .framing = XS_FRAMING_XFRAME };

static const struct xs_setting json_settings[] = {
    { "pace", "time", "5ms",
      "Pause between two messages to one client; without it the original client loses some." },
};

static enum xs_match json_match(struct xs_slice head)
{
    return xs_greeting_match(&json, head);
}

static enum xs_err json_open(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct json *me = self;
    enum xs_err err = xs_conn_greeting(&json, &me->frames, conn, in);

    if (err != XS_OK)
        return err;
    xs_conn_set_pace(conn,
                     (unsigned)xs_setting_number(xs_conn_protocol_settings(conn), "pace"));
    xs_conn_write(conn, XS_SLICE("\0{\"T\":\"1\",\"D\":\"Welcome\",\"C\":\"\"}\xff"));
    xs_conn_ready(conn);
    return XS_OK;
}

/* ---- names ---- */

/* Where a name is that differs at most in case, NULL if it has never come. */
static const struct name *find(const struct json *me, struct xs_slice text)
{
    for (size_t i = 0; i < me->count; i++)
        if (xs_slice_equal_nocase((struct xs_slice){ me->names[i].text, me->names[i].len },
                                  text))
            return &me->names[i];
    return NULL;
}

/* XS_EINVAL: no controller can have this name. */
static enum xs_err remember(struct json *me, const struct xs_conn *conn, struct xs_slice raw)
{
    char memory[NAME_SIZE];
    struct xs_buf text = { memory, 0, sizeof memory, sizeof memory, false };
    struct name *grown;

    xs_buf_append_escaped(&text, raw);
    if (text.failed)
        return XS_EINVAL;
    if (find(me, (struct xs_slice){ text.at, text.len }) != NULL)
        return XS_OK;
    if (me->count >= xs_conn_limits(conn)->controllers)
        return XS_ETOOBIG;
    grown = realloc(me->names, (me->count + 1) * sizeof *grown);
    if (grown == NULL)
        return XS_ENOMEM;
    me->names = grown;
    memcpy(grown[me->count].text, text.at, text.len);
    grown[me->count++].len = (uint8_t)text.len;
    return XS_OK;
}

/* ---- frames in ---- */

/* A client that writes more than ASCII cuts its own JSON short: what is no message is no reason
 * to go. */
static enum xs_err take_frame(struct json *me, struct xs_conn *conn, struct xs_slice payload)
{
    struct xs_incoming incoming;
    const char *why;
    enum xs_err err =
        xs_envelope_read((char *)(uintptr_t)payload.at, payload.len, &incoming, &why);

    if (err == XS_OK)
        err = remember(me, conn, incoming.controller);
    else
        err = XS_EINVAL;
    if (err == XS_OK)
        return xs_conn_deliver(conn, &incoming);
    xs_conn_count_frame(conn);
    return err == XS_EINVAL ? XS_OK : err;
}

static enum xs_err json_decode(void *self, struct xs_conn *conn, struct xs_input *in)
{
    struct json *me = self;
    size_t longest = xs_conn_limits(conn)->message;
    enum xs_err err = XS_OK;
    struct xs_slice payload;

    if (!me->frames.greeted)
        err = xs_conn_greeting(&json, &me->frames, conn, in);
    while (err == XS_OK && me->frames.greeted && !xs_conn_busy(conn)) {
        err = xs_frame_take(&json, &me->frames, longest, in, &payload);
        if (err == XS_OK)
            err = take_frame(me, conn, payload);
        else if (err == XS_EPROTO)
            err = XS_OK; /* bytes between frames: nothing that it hears could say so */
    }
    return err == XS_EAGAIN || err == XS_EGONE ? XS_OK : err;
}

/* ---- frames out ---- */

static enum xs_err json_encode(const struct xs_encoder *by, const struct xs_message *msg,
                               struct xs_slice data, struct xs_buf *out)
{
    size_t begun;
    bool has_blob;

    (void)by;
    (void)xs_message_blob(msg, &has_blob);
    if (has_blob)
        return XS_EREFUSED;
    if (xs_message_controller(msg).len == 0)
        return XS_OK; /* of the connection itself: nothing for this client */
    begun = xs_frame_begin(&json, out);
    xs_envelope_write(out, msg, data);
    return xs_frame_end(&json, out, begun);
}

/* The name as this client wrote it, in place of the one in lower case; and what stands behind D
 * for it alone. */
static void json_personal(const struct xs_encoder *by, const struct xs_personal *who,
                          struct xs_slice shared, struct xs_edges *edges)
{
    const char *start = shared.at + HEAD_SIZE;
    const char *quote = start;
    const struct name *name;
    size_t size = sizeof edges->tail, len = 0;

    (void)by;
    while (*quote != '"')
        quote += *quote == '\\' ? 2 : 1;
    name = find(who->self, (struct xs_slice){ start, (size_t)(quote - start) });
    if (name != NULL && memcmp(name->text, start, name->len) != 0) {
        memcpy(edges->head, HEAD, HEAD_SIZE);
        memcpy(edges->head + HEAD_SIZE, name->text, name->len);
        edges->skip = edges->head_len = (uint8_t)(HEAD_SIZE + name->len);
    }
    if (who->has_correlation)
        len += (size_t)snprintf(edges->tail + len, size - len, ",\"N\":%" PRId64,
                                who->correlation);
    if (who->qos_id != 0)
        len +=
            (size_t)snprintf(edges->tail + len, size - len, ",\"Q\":1,\"I\":%u", who->qos_id);
    if (len == 0)
        return;
    memcpy(edges->tail + len, "}\xff", 2);
    edges->tail_len = (uint8_t)(len + 2);
    edges->drop = 2;
}

static void json_close(void *self, struct xs_conn *conn)
{
    struct json *me = self;

    (void)conn;
    free(me->names);
}

static const char *const json_beginnings[] = { "JsonProtocol", NULL };

static const struct xs_protocol_ops json_ops = {
    .size = sizeof(struct xs_protocol_ops),
    .name = "json",
    .state_size = sizeof(struct json),
    .settings = XS_TABLE(json_settings),
    .beginnings = json_beginnings,
    .view = XS_VIEW_ESCAPED,
    .names_errors = true,
    .personal_always = true,
    .match = json_match,
    .open = json_open,
    .decode = json_decode,
    .encode = json_encode,
    .personal = json_personal,
    .close = json_close,
};

XS_PLUGIN(.name = "json", .version = "1.0.0", .protocols = { &json_ops })
