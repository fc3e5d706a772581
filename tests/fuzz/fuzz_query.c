/* fuzz_query - any bytes as the parameters of a connect request; decoding never grows them.
 * rooms: all */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "controller/clients.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    size_t bytes;
    size_t pairs;
};

static enum xs_err each(void *context, struct xs_slice name, struct xs_slice value)
{
    struct sum *sum = context;
    uint8_t id[16];
    volatile char last = 0;

    XS_ASSERT(name.len > 0 && name.len <= 255);
    last = name.at[name.len - 1];
    if (value.len > 0)
        last = value.at[value.len - 1];
    (void)last;
    (void)xs_guid_read(value, id);
    (void)xs_topic_kind(name);
    (void)xs_topic_subscribable(value);
    sum->bytes += name.len + value.len;
    sum->pairs++;
    return sum->pairs < 64 ? XS_OK : XS_ETOOBIG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum sum = { 0, 0 };

    (void)xs_query_read((struct xs_slice){ (const char *)data, size }, 255, each, &sum);
    XS_ASSERT(sum.bytes <= size && sum.pairs <= 64);
    return 0;
}
