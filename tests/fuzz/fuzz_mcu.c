/* host: fake
 * needs: modules/protocols/mcu/mcu.c */
/* fuzz_mcu - the greeting and the frames of McuProtocol. */
#define TARGET_NAME     "mcu"
#define TARGET_GREETING "McuProtocol"

#include "framed.h"

static void check_message(const struct xs_incoming *got)
{
    check_parts(got);
}

static void check_frame(struct xs_slice bytes)
{
    check_xframe(bytes);
}
