/* host: fake
 * needs: modules/protocols/photon/photon.c
 * needs: tests/conformance/suite.c tests/conformance/protocol_suite.c */
/* photon - the protocol suite over PhotonProtocol. */
#include "protocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xt_example examples[] = {
    { XT_BYTES("\0"
               "chat|say|hello"
               "\xff"),
      false, "chat", "say", XT_TEXT("hello"), NULL },
    { XT_BYTES("\0"
               "Chat|Say|{\"a\":1}"
               "\xff"),
      false, "chat", "say", XT_JSON("{\"a\":1}"), NULL },
    { XT_BYTES("\0"
               "foo|1|"
               "\xff"),
      false, "foo", "1", XT_TEXT(""), NULL },
    { XT_BYTES("\0"
               "foo|Subscribe|bar"
               "\xff"),
      false, "foo", "5", XT_TEXT("bar"), NULL },
    { XT_BYTES("\0"
               "foo|6|bar"
               "\xff"),
      false, "foo", "6", XT_TEXT("bar"), NULL },
    { XT_BYTES("\0"
               "foo|s1|k\"y,a,b"
               "\xff"),
      false, "foo", "s1", XT_JSON("{\"K\":\"k\\\"y\",\"V\":\"a,b\"}"), NULL },
    { XT_BYTES("\0"
               "foo|say|a|b||"
               "\xff"),
      false, "foo", "say", XT_TEXT("a|b||"), NULL },
    { XT_BYTES("\0"
               "foo|say|line\r\nline\n"
               "\xff"),
      false, "foo", "say", XT_TEXT("line\r\nline\n"), NULL },
    { XT_BYTES("\0"
               "foo|say|r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"
               "\xff"),
      false, "foo", "say", XT_TEXT("r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"), NULL },
};

/* What stands between each 0x00 and the next 0xFF, with nothing between; two bars at least. */
static size_t frames(struct xs_slice bytes)
{
    size_t count = 0, bars = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        if ((bytes.at[i] == '\0') != (i == 0 || bytes.at[i - 1] == '\xff'))
            return SIZE_MAX;
        if (bytes.at[i] == '|')
            bars++;
        if (bytes.at[i] != '\xff')
            continue;
        if (bars < 2)
            return SIZE_MAX;
        bars = 0;
        count++;
    }
    return bytes.len > 0 && bytes.at[bytes.len - 1] == '\xff' ? count : SIZE_MAX;
}

int main(void)
{
    return xt_protocol_suite(&(struct xt_protocol_suite){
        .ops = xt_plugin_protocol(xs_plugin_entry(), "photon"),
        .greeting =
            XS_SLICE("PhotonProtocol?PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        .welcome = XS_SLICE("\0welcome\xff"),
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0],
        .frames = frames,
        .symmetric = true });
}
