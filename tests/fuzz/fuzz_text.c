/* host: fake
 * needs: modules/protocols/text/text.c */
/* fuzz_text - the greeting and the lines of PuttyProtocol. */
#define TARGET_NAME     "text"
#define TARGET_GREETING "PuttyProtocol"

#include "framed.h"

static void check_message(const struct xs_incoming *got)
{
    check_parts(got);
}

static void check_frame(struct xs_slice line)
{
    DEMAND(line.len >= 4 && memcmp(line.at + line.len - 2, "\r\n", 2) == 0);
    DEMAND(memchr(line.at, '\n', line.len) == line.at + line.len - 1);
    DEMAND(memchr(line.at, '\r', line.len) == line.at + line.len - 2);
}
