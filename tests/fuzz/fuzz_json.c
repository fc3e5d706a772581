/* host: fake
 * needs: modules/protocols/json/json.c */
/* fuzz_json - the greeting and the framed envelopes of JsonProtocol. */
#define TARGET_NAME     "json"
#define TARGET_GREETING "JsonProtocol"
#define TARGET_KEEPS_NAMES

#include "framed.h"

static void check_message(const struct xs_incoming *got)
{
    DEMAND(got->qos <= 1 && got->qos_id <= 65535);
}

/* One envelope, and not one with an empty name in it. */
static void check_frame(struct xs_slice bytes)
{
    struct xs_slice envelope = { bytes.at + 1, bytes.len - 2 };
    struct xs_data value;

    check_xframe(bytes);
    DEMAND(xs_json_valid(envelope, 2));
    DEMAND(xs_json_member(envelope, "C", &value) == XS_OK && value.form == XS_TEXT);
    DEMAND(value.bytes.len > 0);
    DEMAND(xs_json_member(envelope, "T", &value) == XS_OK && value.form == XS_TEXT);
    DEMAND(xs_json_member(envelope, "D", &value) == XS_OK && value.form == XS_TEXT);
    DEMAND(xs_json_valid(value.bytes, 64));
}
