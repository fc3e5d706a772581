/* fuzz_lenient - whatever comes in, what comes out is strict JSON or nothing; strict JSON stays
 * as it is.
 *
 * rooms: base message */
#include <stdio.h>

#include "base/alloc.h"
#include "json_reference.h"
#include "message/json.h"

#define DEPTH 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(claim)                                                                           \
    do {                                                                                       \
        if (!(claim)) {                                                                        \
            fprintf(stderr, "%d: %s\n", __LINE__, #claim);                                     \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

/* Without quotes in the text, quotes around keys are all that may be new. */
static void only_keys_were_quoted(struct xs_slice text, struct xs_slice strict)
{
    size_t n = 0;

    if (memchr(text.at, '"', text.len) != NULL || memchr(text.at, '\'', text.len) != NULL)
        return;
    for (size_t i = 0; i < strict.len; i++) {
        if (strict.at[i] == '"')
            continue;
        CHECK(n < text.len && text.at[n] == strict.at[i]);
        n++;
    }
    CHECK(n == text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xs_slice text = { (const char *)data, size };
    struct xs_buf out = { 0 };
    enum xs_err err;

    xs_buf_append(&out, XS_SLICE("before"));
    err = xs_json_from_lenient(text, DEPTH, &out);
    CHECK(memcmp(out.at, "before", 6) == 0);
    if (err == XS_OK) {
        struct xs_slice strict = { out.at + 6, out.len - 6 };

        CHECK(ref_valid(strict, DEPTH));
        if (ref_valid(text, DEPTH))
            CHECK(xs_slice_equal(strict, text));
        only_keys_were_quoted(text, strict);
    } else {
        CHECK(out.len == 6);
        CHECK(!ref_valid(text, DEPTH));
    }
    xs_free(out.at);
    return 0;
}
