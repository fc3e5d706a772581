/* scratch.h - memory that a thread keeps for making views and for reading envelopes. */
#ifndef XS_MESSAGE_SCRATCH_H
#define XS_MESSAGE_SCRATCH_H

#include "message/message.h"

/* Gives back the buffer that xs_message_scratch() gave last: nothing was put into it. [any] */
void xs_scratch_untake(void);

/* The one buffer for an envelope that had to be rewritten, emptied. It is not of the ring: a
 * handler may make any number of views while the message still lies in it. [any] */
struct xs_buf *xs_scratch_envelope(void);

#endif
