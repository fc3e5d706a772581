/* message.h - the one thing that travels: <controller, topic, data>, never changed once made.
 */
#ifndef XSOCKETS_MESSAGE_H
#define XSOCKETS_MESSAGE_H

#include <xsockets/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The form in which data came, kept until somebody wants another. */
enum xs_form {
    XS_JSON,         /* JSON text (RFC 8259), checked */
    XS_JSON_ESCAPED, /* the inside of a JSON string that holds JSON text, escapes as they were
                        sent */
    XS_TEXT          /* UTF-8 that is no JSON; as JSON it is the quoted string */
};

/* The form that a format asks for. */
enum xs_view {
    XS_VIEW_JSON,    /* JSON text: a bare string comes quoted */
    XS_VIEW_ESCAPED, /* the same, ready to stand between the quotes of a JSON string */
    XS_VIEW_RAW      /* JSON text, but a bare string comes byte for byte as it was given */
};

/* Data and its form. Made by the functions below; no function of this interface takes bare
 * bytes. */
struct xs_data {
    struct xs_slice bytes;
    enum xs_form form;
};

/* JSON text that the caller vouches for; debug builds check it. Borrows `json`. [any] */
XS_API struct xs_data xs_json(const char *json);
XS_API struct xs_data xs_json_slice(struct xs_slice json);

/* Text that the host quotes where JSON is wanted. Borrows `text`, which must be UTF-8. [any] */
XS_API struct xs_data xs_text(const char *text);
XS_API struct xs_data xs_text_slice(struct xs_slice text);

/* What arrived from a peer: JSON if it is strictly valid (RFC 8259), else text. Borrows. [any]
 */
XS_API struct xs_data xs_data_of(struct xs_slice bytes);

/* `null`, the data of a message that has none. [any] */
static inline struct xs_data xs_null(void)
{
    struct xs_data data = { { "null", 4 }, XS_JSON };
    return data;
}

/* A message. A handler borrows it until it returns; who keeps it longer takes a reference. */
struct xs_message;

/* The message to keep: the same one counted once more, or a counted copy when the given one
 * still lies in a read buffer. Use what is returned, give it back with unref. NULL when there
 * is no memory for the copy. [any] */
XS_API XS_MUST_CHECK const struct xs_message *xs_message_ref(const struct xs_message *msg);
/* Gives back one reference; NULL is harmless. [any] */
XS_API void xs_message_unref(const struct xs_message *msg);

/* Views, valid as long as the message is. Controller and topic are folded to lower case; a zero
 * stands behind each, so `at` is a C string too. [any] */
XS_API struct xs_slice xs_message_controller(const struct xs_message *msg);
XS_API struct xs_slice xs_message_topic(const struct xs_message *msg);
XS_API struct xs_data xs_message_data(const struct xs_message *msg);

/* The binary part; `has` tells an empty blob from none (has may be NULL). [any] */
XS_API struct xs_slice xs_message_blob(const struct xs_message *msg, bool *has);

/* The data in another form, in scratch memory of the calling worker: valid until the handler
 * returns or 16 further views were made, whichever is first. The plain views give valid UTF-8.
 * [worker] */
XS_API struct xs_slice xs_message_view(const struct xs_message *msg, enum xs_view view);

/* Delivery wishes of the sender: QoS 0 or 1, its id (0 = none), and whether to retain. [any] */
XS_API unsigned xs_message_qos(const struct xs_message *msg);
XS_API unsigned xs_message_qos_id(const struct xs_message *msg);
XS_API bool xs_message_retain(const struct xs_message *msg);

/* What a protocol module read from its peer. All slices are borrowed for the call. Names in any
 * case. The member `size` is set to sizeof(struct xs_incoming), the rest may stay zero. */
struct xs_incoming {
    size_t size;
    struct xs_slice controller;
    struct xs_slice topic;
    struct xs_data data;
    struct xs_slice blob;
    bool has_blob;
    bool retain;
    bool has_correlation;
    int64_t
        correlation; /* the client's N; copied into the direct reply and the error it causes */
    unsigned qos;    /* 0 or 1 */
    unsigned qos_id; /* 1..65535, or 0 for none */
};

/* Reads an envelope {"C":..,"T":..,"D":..} (also Q, I, R, N; keys in any case; unknown keys
 * ignored; RFC 8259, then the lenient forms: single quotes, bare keys, numbers as strings). One
 * validating pass; `at` may be overwritten, and `out` points into it. On failure `*why` is a
 * static sentence. XS_EINVAL: no JSON, or no envelope; XS_ETOOBIG: deeper than allowed, or a
 * name over the limit. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_envelope_read(char *at, size_t len, struct xs_incoming *out,
                                                  const char **why);

/* Appends {"C":..,"T":..,["Q":1,"I":n,]"D":"<data>"} in the exact order that the original
 * clients accept. `data` is the XS_VIEW_ESCAPED view. [worker] */
XS_API void xs_envelope_write(struct xs_buf *out, const struct xs_message *msg,
                              struct xs_slice data);

/* The same for the header of a binary message: pure ASCII, no Q and I, "{}" when data is null
 * or an empty string. (The original clients read it as Latin-1.) [worker] */
XS_API void xs_envelope_write_ascii(struct xs_buf *out, const struct xs_message *msg,
                                    struct xs_slice data);

/* A member of a JSON object, by name, case ignored, strict or lenient JSON; the last of equal
 * names. The value's text as XS_JSON, or of a string its inside as XS_TEXT (unescaped in the
 * worker's scratch memory when it has escapes, lives as a view does). XS_ENOTFOUND: no such
 * member; XS_EINVAL: not an object. [worker] */
XS_API XS_MUST_CHECK enum xs_err xs_json_member(struct xs_slice object, const char *name,
                                                struct xs_data *value);

#ifdef __cplusplus
}
#endif

#endif
