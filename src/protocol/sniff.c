/* sniff - the first that does not say no decides. */
#include "protocol/sniff.h"

static enum xs_match ask(const struct xs_protocol_ops *ops, struct xs_slice head, bool last)
{
    size_t limit = ops->sniff_limit > XS_SNIFF_BYTES ? ops->sniff_limit : XS_SNIFF_BYTES;
    enum xs_match match;

    if (ops->match == NULL)
        return XS_MATCH_NO;
    match = ops->match(head);
    if (match == XS_MATCH_QUIET && last)
        return XS_MATCH_YES;
    if (match == XS_MATCH_MORE && (last || head.len >= limit))
        return XS_MATCH_NO;
    return match;
}

enum xs_sniff xs_sniff(const struct xs_protocol_ops *const *protocols, size_t count,
                       struct xs_slice head, bool last, size_t *who)
{
    for (size_t i = 0; i < count; i++) {
        enum xs_match match = ask(protocols[i], head, last);

        if (match == XS_MATCH_NO)
            continue;
        *who = i;
        if (match == XS_MATCH_YES)
            return XS_SNIFF_FOUND;
        return match == XS_MATCH_QUIET ? XS_SNIFF_QUIET : XS_SNIFF_MORE;
    }
    return XS_SNIFF_NOBODY;
}
