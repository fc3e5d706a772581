/* host: fake
 * needs: modules/subprotocols/xsocketsnet/xsocketsnet.c
 * needs: tests/conformance/suite.c tests/conformance/subprotocol_suite.c */
/* xsocketsnet - the subprotocol suite over the envelope of the original clients. */
#include "message/json.h"
#include "subprotocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xt_example examples[] = {
    { XT_BYTES("{\"C\":\"chat\",\"D\":\"{\\\"a\\\":1}\",\"T\":\"say\"}"), false, "chat", "say",
      XT_ESCAPED("{\\\"a\\\":1}"), NULL },
    { XT_BYTES("{\"I\":0,\"Q\":0,\"R\":false,\"B\":null,\"D\":\"hello\",\"MessageType\":0,"
               "\"C\":\"Generic\",\"T\":\"say\"}"),
      false, "generic", "say", XT_TEXT("hello"), NULL },
    { XT_BYTES("{'T':'8','D':'x','C':''}"), false, "", "8", XT_TEXT("x"), NULL },
    { XT_BYTES("{\"C\":\"foo\",\"T\":1,\"D\":42}"), false, "foo", "1", XT_JSON("42"), NULL },
    { XT_BYTES("{\"C\":\"foo\",\"T\":\"1\"}"), false, "foo", "1", XT_JSON("null"), NULL },
    { XT_BYTES("\x1b\0\0\0\0\0\0\0{\"C\":\"pic\",\"T\":\"up\",\"D\":\"\"}raw\xff"), true, "pic",
      "up", XT_TEXT(""), "raw\xff" },
};

/* A little-endian length, an envelope of ASCII, and bytes; or just an envelope. */
static bool readable(struct xs_slice payload, bool binary)
{
    uint64_t n = 0;

    if (!binary)
        return xs_json_valid(payload, 4) && payload.at[0] == '{';
    for (int i = 7; i >= 0; i--)
        n = n << 8 | (unsigned char)payload.at[i];
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)payload.at[8 + i] >= 0x80)
            return false;
    return n <= payload.len - 8 && xs_json_valid((struct xs_slice){ payload.at + 8, n }, 4);
}

int main(void)
{
    return xt_subprotocol_suite(&(struct xt_subprotocol_suite){
        .ops = xt_plugin_subprotocol(xs_plugin_entry(), "xsocketsnet"),
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0],
        .readable = readable });
}
