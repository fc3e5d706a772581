/* scratch - a ring of buffers per thread, so that what was made for a handler needs no owner.
 */
#include "message/scratch.h"

#include "base/alloc.h"

#define RING 16
/* A larger buffer is given back when its turn comes again: a few large messages do not stay for
 * ever. */
#define KEEP (64 * 1024)

static _Thread_local struct {
    struct xs_buf ring[RING];
    struct xs_buf envelope;
    unsigned next;
} here;

static struct xs_buf *emptied(struct xs_buf *buf)
{
    /* A failed one has forgotten how large it is. */
    if (buf->cap > KEEP || buf->failed) {
        xs_free(buf->at);
        memset(buf, 0, sizeof *buf);
    }
    buf->len = 0;
    buf->limit = 0;
    return buf;
}

struct xs_buf *xs_message_scratch(void)
{
    return emptied(&here.ring[here.next++ % RING]);
}

void xs_scratch_untake(void)
{
    here.next--;
}

struct xs_buf *xs_scratch_envelope(void)
{
    return emptied(&here.envelope);
}

void xs_message_thread_end(void)
{
    unsigned i;

    for (i = 0; i < RING; i++)
        xs_free(here.ring[i].at);
    xs_free(here.envelope.at);
    memset(&here, 0, sizeof here);
}
