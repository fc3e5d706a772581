/* member - one member of a JSON object by its name, for formats whose outside is a small
 * object. */
#include "message/message.h"

#include "base/thread.h"
#include "message/json.h"
#include "message/scratch.h"

/* The same object as strict JSON; empty if it is not even lenient JSON. */
static struct xs_slice strict_of(struct xs_slice object)
{
    unsigned depth = xs_message_limits()->json_depth;
    struct xs_buf *strict;

    if (xs_json_valid(object, depth))
        return object;
    strict = xs_message_scratch();
    if (xs_json_from_lenient(object, depth, strict) == XS_OK)
        return (struct xs_slice){ strict->at, strict->len };
    xs_scratch_untake();
    return (struct xs_slice){ NULL, 0 };
}

static enum xs_err unescape(struct xs_slice *text)
{
    struct xs_buf *scratch = xs_message_scratch();

    if (!xs_buf_reserve(scratch, text->len))
        return XS_ENOMEM;
    scratch->len = xs_json_unescape(*text, scratch->at);
    *text = (struct xs_slice){ scratch->at, scratch->len };
    return XS_OK;
}

enum xs_err xs_json_member(struct xs_slice object, const char *name, struct xs_data *value)
{
    XS_ON_SOME_WORKER();
    struct xs_slice wanted = xs_slice_of(name);
    struct xs_json_value member, found;
    struct xs_json_walk walk;
    struct xs_slice key;
    bool any = false;

    if (!xs_json_walk_object(&walk, strict_of(object)))
        return XS_EINVAL;
    while (xs_json_next(&walk, &key, &member)) {
        if (!xs_json_key_is(key, wanted))
            continue;
        found = member; /* of equal keys the last one counts */
        any = true;
    }
    if (!any)
        return XS_ENOTFOUND;
    value->bytes = found.text;
    value->form = found.kind == XS_JSON_STRING ? XS_TEXT : XS_JSON;
    return found.escaped ? unescape(&value->bytes) : XS_OK;
}
