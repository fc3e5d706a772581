/* host: fake
 * needs: modules/protocols/json/json.c
 * needs: tests/conformance/suite.c tests/conformance/protocol_suite.c */
/* json - the protocol suite over JsonProtocol. */
#include "protocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xt_example examples[] = {
    { XT_BYTES("\0{\"T\":\"1\",\"D\":\"{\\\"init\\\":true}\",\"C\":\"generic\"}\xff"), false,
      "generic", "1", XT_ESCAPED("{\\\"init\\\":true}"), NULL },
    { XT_BYTES("\0{\"T\":\"Say\",\"D\":\"\\\"hi\\\"\",\"C\":\"Chat\"}\xff"), false, "chat",
      "say", XT_ESCAPED("\\\"hi\\\""), NULL },
    { XT_BYTES("\0{\"T\":\"say\",\"D\":\"bare\",\"C\":\"chat\"}\xff\r\n"), false, "chat", "say",
      XT_TEXT("bare"), NULL },
    { XT_BYTES("\0{'T':'say','D':{'a':[1]},'C':'chat'}\xff"), false, "chat", "say",
      XT_JSON("{\"a\":[1]}"), NULL },
    { XT_BYTES(
          "\0\0{\"T\":\"say\",\"D\":\"r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s\",\"C\":\"chat\"}\xff"),
      false, "chat", "say", XT_TEXT("r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"), NULL },
    { XT_BYTES("\0{\"T\":\"say\",\"C\":\"chat\"}\xff"), false, "chat", "say", XT_JSON("null"),
      NULL },
};

/* What stands between each 0x00 and the next 0xFF, with nothing between; an envelope. */
static size_t frames(struct xs_slice bytes)
{
    size_t count = 0, begun = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        struct xs_slice envelope = { bytes.at + begun + 1, i - begun - 1 };
        struct xs_data value;

        if ((bytes.at[i] == '\0') != (i == begun))
            return SIZE_MAX;
        if (bytes.at[i] != '\xff')
            continue;
        if (xs_data_of(envelope).form != XS_JSON)
            return SIZE_MAX;
        if (xs_json_member(envelope, "C", &value) != XS_OK || value.form != XS_TEXT ||
            value.bytes.len == 0)
            return SIZE_MAX;
        if (xs_json_member(envelope, "D", &value) != XS_OK || value.form != XS_TEXT ||
            xs_data_of(value.bytes).form != XS_JSON)
            return SIZE_MAX;
        begun = i + 1;
        count++;
    }
    return begun == bytes.len ? count : SIZE_MAX;
}

int main(void)
{
    return xt_protocol_suite(&(struct xt_protocol_suite){
        .ops = xt_plugin_protocol(xs_plugin_entry(), "json"),
        .greeting = XS_SLICE("JsonProtocol?a=b\n"),
        .welcome = XS_SLICE("\0{\"T\":\"1\",\"D\":\"Welcome\",\"C\":\"\"}\xff"),
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0],
        .frames = frames,
        .symmetric = true });
}
