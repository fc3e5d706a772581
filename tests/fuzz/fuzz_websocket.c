/* host: fake
 * needs: modules/protocols/websocket/websocket.c modules/protocols/websocket/handshake.c
 * needs: modules/protocols/websocket/frames.c modules/protocols/websocket/unmask.c
 * needs: modules/protocols/websocket/deflate.c
 * libs: wslay crypto zlib */
/* fuzz_websocket - frames after the handshake.
 *
 * A data frame that lies whole in a read is decoded in place, everything else by wslay:
 * whatever the bytes are, and however they are cut, both ways must deliver the same payloads,
 * write the same bytes and close with the same code.
 *
 * The first byte says how: bit 0 takes the rest as it is, else as a list of frames to be built
 * (first byte, length field, payload); bit 1 says that we have closed already; the rest is the
 * size of the reads. */
#include "websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xt_bytes bytes = { NULL, 0, 0 };
    unsigned how;

    if (size == 0)
        return 0;
    how = *data++;
    size--;
    if ((how & 1) != 0)
        xt_append(&bytes, (struct xs_slice){ (const char *)data, size });
    else
        while (size >= 3)
            build(&bytes, &data, &size);
    check_cuts(xt_slice(&bytes), how, NULL, "");
    xt_bytes_free(&bytes);
    return 0;
}
