/* host: fake
 * needs: modules/protocols/len16/len16.c */
/* fuzz_len16 - the greeting and the counted frames of Len16Protocol. */
#define TARGET_NAME     "len16"
#define TARGET_GREETING "Len16Protocol"

#include "framed.h"

static void check_message(const struct xs_incoming *got)
{
    check_parts(got);
}

static void check_frame(struct xs_slice bytes)
{
    DEMAND(bytes.len >= 2);
    DEMAND(((size_t)(unsigned char)bytes.at[0] << 8 | (unsigned char)bytes.at[1]) ==
           bytes.len - 2);
}
