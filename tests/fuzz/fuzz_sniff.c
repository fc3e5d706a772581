/* host: fake
 * libs: http_parser
 * needs: modules/protocols/http/answer.c modules/protocols/http/conditions.c
 * needs: modules/protocols/http/date.c modules/protocols/http/files.c
 * needs: modules/protocols/http/path.c tests/conformance/entry_http.c
 * needs: modules/protocols/http/request.c modules/protocols/http/types.c
 * needs: modules/protocols/text/text.c src/protocol/sniff.c */
/* fuzz_sniff - any first bytes before the real modules. The answer must not depend on how they
 * come: once somebody has got a connection, or nobody, more bytes change nothing, and in every
 * order of the modules it is the same one unless both claim it. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "protocol/sniff.h"

const struct xs_plugin *xs_plugin_entry(void);
const struct xs_plugin *xs_entry_http(void);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A third one, which is quiet and short, so that silence is met in every place. */
static enum xs_match hush_match(struct xs_slice head)
{
    if (head.at[0] != 'P')
        return XS_MATCH_NO;
    return head.len == 1 ? XS_MATCH_QUIET : XS_MATCH_NO;
}

static const struct xs_protocol_ops hush = { .name = "hush", .match = hush_match };

/* What comes of the bytes, byte by byte: the first answer that is final. */
static enum xs_sniff byte_by_byte(const struct xs_protocol_ops *const *ops, size_t count,
                                  struct xs_slice head, size_t *who)
{
    for (size_t n = 1; n <= head.len; n++) {
        enum xs_sniff said = xs_sniff(ops, count, (struct xs_slice){ head.at, n }, false, who);

        XS_ASSERT(said == XS_SNIFF_NOBODY || *who < count);
        if (said == XS_SNIFF_FOUND || said == XS_SNIFF_NOBODY)
            return said;
    }
    return xs_sniff(ops, count, head, true, who);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct xs_protocol_ops *ops[3];
    struct xs_slice head;
    size_t who_whole = 0, who_slow = 0;
    enum xs_sniff whole, slow;

    if (size < 2)
        return 0;
    ops[data[0] % 3] = xs_plugin_entry()->protocols[0];
    ops[(data[0] + 1u) % 3] = xs_entry_http()->protocols[0];
    ops[(data[0] + 2u) % 3] = &hush;
    head = (struct xs_slice){ (const char *)data + 1, size - 1 };
    whole = xs_sniff(ops, 3, head, true, &who_whole);
    slow = byte_by_byte(ops, 3, head, &who_slow);
    XS_ASSERT(whole == XS_SNIFF_FOUND || whole == XS_SNIFF_NOBODY);
    XS_ASSERT(slow == whole);
    XS_ASSERT(whole == XS_SNIFF_NOBODY || who_slow == who_whole);
    return 0;
}
