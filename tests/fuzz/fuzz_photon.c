/* host: fake
 * needs: modules/protocols/photon/photon.c */
/* fuzz_photon - the greeting and the frames of PhotonProtocol. */
#define TARGET_NAME     "photon"
#define TARGET_GREETING "PhotonProtocol"

#include "framed.h"

static void check_message(const struct xs_incoming *got)
{
    check_parts(got);
}

static void check_frame(struct xs_slice bytes)
{
    check_xframe(bytes);
}
