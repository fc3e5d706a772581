/* host: fake
 * needs: modules/protocols/mcu/mcu.c
 * needs: tests/conformance/suite.c tests/conformance/protocol_suite.c */
/* mcu - the protocol suite over McuProtocol. */
#include "bars.h"

const struct xs_plugin *xs_plugin_entry(void);

int main(void)
{
    return xt_protocol_suite(&(struct xt_protocol_suite){
        .ops = xt_plugin_protocol(xs_plugin_entry(), "mcu"),
        .greeting =
            XS_SLICE("McuProtocol?a=b&PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7\r\n"),
        .welcome = XS_SLICE("\0McuProtocol\xff"),
        .examples = examples,
        .example_count = EXAMPLES,
        .frames = frames,
        .symmetric = true });
}
