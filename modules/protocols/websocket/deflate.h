/* deflate.h - permessage-deflate (RFC 7692): the offers of a handshake, and what packs and
 * unpacks the messages of all connections of one worker. */
#ifndef XS_DEFLATE_H
#define XS_DEFLATE_H

#include <xsockets/http.h>

enum { XS_DEFLATE_LEAST_WINDOW = 9, XS_DEFLATE_WINDOW = 15 };

/* An offer that is taken. */
struct xs_deflate_offer {
    unsigned window;   /* bits, XS_DEFLATE_LEAST_WINDOW to XS_DEFLATE_WINDOW, of what we send */
    bool names_window; /* and so must the answer */
};

/* The first offer of the head that can be taken; false if there is none. [any] */
bool xs_deflate_choose(const struct xs_http_head *head, struct xs_deflate_offer *offer);

/* One worker's. No connection has anything in it between two messages: both sides have agreed
 * to forget (no_context_takeover). */
struct xs_packer;
/* Nothing large is taken before the first message. NULL: no memory. [worker] */
struct xs_packer *xs_packer_new(unsigned level);
/* May be NULL. [worker] */
void xs_packer_free(struct xs_packer *packer);

/* False: it would not be smaller, or there is no memory. `*packed` is valid until the next
 * call. [worker] */
bool xs_pack(struct xs_packer *packer, unsigned window, struct xs_slice plain,
             struct xs_slice *packed);

/* An unpacked message, the receiver's until it is given back. */
struct xs_plain {
    char *at; /* not NULL when there was no error */
    size_t len;
    size_t cap;
};

/* How many bytes a message of at most `limit` bytes may have when it is packed: no deflate
 * makes it larger by more than an eighth and a little. */
static inline size_t xs_packed_limit(size_t limit)
{
    return limit + limit / 8 + 64;
}

/* XS_ETOOBIG: over `limit`; nothing beyond the first byte too many is inflated. XS_EPROTO: no
 * deflate, or cut off. XS_ENOMEM. With an error, too, `plain` is to be given back. [worker] */
XS_MUST_CHECK enum xs_err xs_unpack(struct xs_packer *packer, struct xs_slice packed,
                                    size_t limit, struct xs_plain *plain);
void xs_plain_give_back(struct xs_packer *packer, struct xs_plain *plain);

#endif
