/* host: fake
 * needs: modules/protocols/photon/photon.c
 * needs: tests/conformance/suite.c tests/conformance/protocol_suite.c */
/* photon - the protocol suite over PhotonProtocol. */
#include "bars.h"

const struct xs_plugin *xs_plugin_entry(void);

int main(void)
{
    return xt_protocol_suite(&(struct xt_protocol_suite){
        .ops = xt_plugin_protocol(xs_plugin_entry(), "photon"),
        .greeting =
            XS_SLICE("PhotonProtocol?PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        .welcome = XS_SLICE("\0welcome\xff"),
        .examples = examples,
        .example_count = EXAMPLES - 1,
        .frames = frames,
        .symmetric = true });
}
