/* json.h - the JSON scanner: one validating pass, no tree, no copies. RFC 8259, what JSON.parse
 * accepts and nothing else (over valid UTF-8); a value may be looked at while it still lies
 * escaped inside a JSON string. */
#ifndef XS_MESSAGE_JSON_H
#define XS_MESSAGE_JSON_H

#include <xsockets/base.h>

/* Levels beyond this are over every limit: the scanner keeps a bit a level. */
#define XS_JSON_DEPTH_MAX 1024

enum xs_json_kind {
    XS_JSON_NULL,
    XS_JSON_BOOL,
    XS_JSON_NUMBER,
    XS_JSON_STRING,
    XS_JSON_OBJECT,
    XS_JSON_ARRAY
};

/* Whether all of `text` is one valid JSON value with optional white space around it, at most
 * `depth` levels. [any] */
bool xs_json_valid(struct xs_slice text, unsigned depth);
/* The same for the inside of a JSON string (itself already known to be a valid string body)
 * once unescaped, read through the escapes without a copy. [any] */
bool xs_json_valid_escaped(struct xs_slice inside, unsigned depth);

/* Unescapes the inside of a valid JSON string to `to`, which has room for inside.len bytes (and
 * may be inside.at itself); lone surrogates become U+FFFD. Returns the length. [any] */
size_t xs_json_unescape(struct xs_slice inside, char *to);

/* Rewrites the lenient forms (single-quoted strings, bare keys, and numbers stay numbers) to
 * strict JSON appended to `out`. XS_EINVAL if it is not even that; XS_ETOOBIG over `depth`;
 * XS_ENOMEM if `out` took no more. Nothing is appended then. [any] */
enum xs_err xs_json_from_lenient(struct xs_slice text, unsigned depth, struct xs_buf *out);

/* Walks the members of a valid JSON object without recursion into them. */
struct xs_json_walk {
    const char *at, *end;
    bool first;
};
struct xs_json_value {
    enum xs_json_kind kind;
    struct xs_slice text; /* the whole value; of a string its inside, still escaped */
    bool escaped;         /* a string that holds a backslash */
};
/* The one value that a valid JSON text is; false if the text is empty. [any] */
bool xs_json_value_of(struct xs_slice text, struct xs_json_value *value);
/* False if `object` (valid JSON) is no object. [any] */
bool xs_json_walk_object(struct xs_json_walk *walk, struct xs_slice object);
bool xs_json_walk_array(struct xs_json_walk *walk, struct xs_slice array);
/* The next member (key: the inside, still escaped; NULL for arrays); false at the end. [any] */
bool xs_json_next(struct xs_json_walk *walk, struct xs_slice *key, struct xs_json_value *value);

/* Whether a key, still escaped, is that name; the case of ASCII letters is ignored. [any] */
bool xs_json_key_is(struct xs_slice key, struct xs_slice name);

/* The exact value of a JSON number that is an integer in whatever notation: 7, 7.0, 70e-1.
 * XS_EINVAL: no JSON number, or a fraction; XS_ETOOBIG: more than 64 bits (however long or
 * large). [any] */
enum xs_err xs_json_integer(struct xs_slice text, bool *negative, uint64_t *magnitude);

#endif
