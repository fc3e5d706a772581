/* sniff.h - which protocol is this? Asks the modules of an endpoint, in its order, and knows no
 * socket. */
#ifndef XS_PROTOCOL_SNIFF_H
#define XS_PROTOCOL_SNIFF_H

#include <xsockets/protocol.h>

/* Bytes that a module is shown at most, unless it asks for more. */
#define XS_SNIFF_BYTES ((size_t)4096)

enum xs_sniff {
    XS_SNIFF_NOBODY, /* nobody claims these bytes */
    XS_SNIFF_MORE,
    XS_SNIFF_QUIET, /* `who` has it if nothing more comes for sniff_quiet */
    XS_SNIFF_FOUND  /* `who` has it */
};

/* What the modules say of `head`, all the bytes so far. The first in the order that does not
 * say no decides, so that the answer does not depend on how the bytes came. `last`: no more
 * bytes will come (time or size), so "more" counts as no, and who was quiet has it. `*who` is
 * an index into `protocols`. */
enum xs_sniff xs_sniff(const struct xs_protocol_ops *const *protocols, size_t count,
                       struct xs_slice head, bool last, size_t *who);

#endif
