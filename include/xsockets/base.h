/* base.h - the few types that every kind of module shares.
 *
 * Thread tags, used in all public headers: [main] before the workers start; [worker] on the
 * loop that owns the object; [store] on a thread of a storage module; [any] anywhere, at any
 * time. What each tag allows is said in docs/PLUGINS.md. */
#ifndef XSOCKETS_BASE_H
#define XSOCKETS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what the daemon exports to modules. Everything else in the daemon is hidden. */
#define XS_API        __attribute__((visibility("default")))
#define XS_MUST_CHECK __attribute__((warn_unused_result))

/* Every error of the public interface: code, text. */
#define XS_ERRORS(X)                                                                           \
    X(OK, "no error")                                                                          \
    X(EINVAL, "not valid")                                                                     \
    X(EPROTO, "the peer broke its protocol")                                                   \
    X(ETOOBIG, "over a limit")                                                                 \
    X(ENOMEM, "out of memory")                                                                 \
    X(ENOTFOUND, "not found")                                                                  \
    X(EEXIST, "exists already")                                                                \
    X(EREFUSED, "refused")                                                                     \
    X(EGONE, "the client has gone")                                                            \
    X(EBUSY, "busy, try again later")                                                          \
    X(EAGAIN, "more bytes are needed")                                                         \
    X(EUTF8, "not valid UTF-8")                                                                \
    X(EIO, "input or output failed")                                                           \
    X(EINTERNAL, "internal fault")

enum xs_err {
#define X(name, text) XS_##name,
    XS_ERRORS(X)
#undef X
};

/* The text of an error, never NULL, static. [any] */
XS_API const char *xs_err_text(enum xs_err err);

/* A view of bytes that somebody else owns. `at` may be NULL only when `len` is 0. Not
 * terminated. */
struct xs_slice {
    const char *at;
    size_t len;
};

/* A slice over a string literal. */
#define XS_SLICE(literal) ((struct xs_slice){ (literal), sizeof(literal) - 1 })

/* A slice over a terminated string; NULL gives the empty slice. [any] */
static inline struct xs_slice xs_slice_of(const char *text)
{
    struct xs_slice slice = { text, text != NULL ? strlen(text) : 0 };
    return slice;
}

static inline bool xs_slice_equal(struct xs_slice a, struct xs_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Equal but for the case of ASCII letters; other letters are compared as they are. [any] */
XS_API bool xs_slice_equal_nocase(struct xs_slice a, struct xs_slice b);

/* Whether all of it is valid UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above
 * U+10FFFF. [any] */
XS_API bool xs_utf8_valid(const char *at, size_t len);

/* Bytes being written. The host makes it, a module appends; growth is the host's. When a limit
 * is passed or memory is short, `failed` is set, later appends do nothing, and the host drops
 * the result: an encoder needs no error path of its own. `at` may move with every append. A
 * plain value: whoever has it may use it, one thread at a time. [any] */
struct xs_buf {
    char *at;
    size_t len;
    size_t cap;
    size_t limit; /* bytes; 0 = none */
    bool failed;
};

/* Makes room for `more` bytes behind `len`. False, and `failed` set, if it may not be. [any] */
XS_API bool xs_buf_reserve(struct xs_buf *buf, size_t more);

static inline void xs_buf_append(struct xs_buf *buf, struct xs_slice bytes)
{
    if (bytes.len == 0 || (buf->cap - buf->len < bytes.len && !xs_buf_reserve(buf, bytes.len)))
        return;
    memcpy(buf->at + buf->len, bytes.at, bytes.len);
    buf->len += bytes.len;
}

static inline void xs_buf_append_byte(struct xs_buf *buf, char byte)
{
    if (buf->cap == buf->len && !xs_buf_reserve(buf, 1))
        return;
    buf->at[buf->len++] = byte;
}

/* Appends `text` as the inside of a JSON string (RFC 8259 section 7): quotes, backslashes and
 * control characters escaped; bytes that are no UTF-8 become U+FFFD. [any] */
XS_API void xs_buf_append_escaped(struct xs_buf *buf, struct xs_slice text);

/* A client, named by value for later use: valid to keep, copy and compare for ever. When the
 * client has gone the name stays unused; it is never given to another. All zero names nobody.
 */
struct xs_client_id {
    uint16_t node;
    uint16_t worker;
    uint32_t slot;
    uint64_t generation;
};

static inline bool xs_client_id_equal(struct xs_client_id a, struct xs_client_id b)
{
    return a.generation == b.generation && a.slot == b.slot && a.worker == b.worker &&
           a.node == b.node;
}

/* Levels of the log, the most severe first. */
enum xs_log_level { XS_LOG_ERROR, XS_LOG_WARNING, XS_LOG_INFO, XS_LOG_DEBUG };

/* Writes a line to the daemon's log: never blocks; a line too many is counted and dropped.
 * `format` is as for printf, and makes one sentence; never log a payload, a persistent id or a
 * token. [any] */
XS_API void xs_log(enum xs_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Milliseconds on a clock that never goes back; read once a turn of the loop. [any] */
XS_API uint64_t xs_now(void);

#ifdef __cplusplus
}
#endif

#endif
