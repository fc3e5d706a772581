/* host: fake
 * needs: modules/protocols/text/text.c
 * needs: tests/conformance/suite.c tests/conformance/protocol_suite.c */
/* text - the protocol suite over PuttyProtocol. */
#include "protocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xt_example examples[] = {
    { XT_BYTES("chat|say|hello\r\n"), false, "chat", "say", XT_TEXT("hello"), NULL },
    { XT_BYTES("Chat|Say|{\"a\":1}\n"), false, "chat", "say", XT_JSON("{\"a\":1}"), NULL },
    { XT_BYTES("foo|1|\r\n"), false, "foo", "1", XT_TEXT(""), NULL },
    { XT_BYTES("foo|1\n"), false, "foo", "1", XT_TEXT(""), NULL },
    { XT_BYTES("foo|Subscribe|bar\r\n"), false, "foo", "5", XT_TEXT("bar"), NULL },
    { XT_BYTES("foo|6|bar\n"), false, "foo", "6", XT_TEXT("bar"), NULL },
    { XT_BYTES("foo|s1|k\"y,a,b\n"), false, "foo", "s1",
      XT_JSON("{\"K\":\"k\\\"y\",\"V\":\"a,b\"}"), NULL },
    { XT_BYTES("foo|say|a|b||\r\n"), false, "foo", "say", XT_TEXT("a|b||"), NULL },
    { XT_BYTES("foo|say|r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s\r\n"), false, "foo", "say",
      XT_TEXT("r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"), NULL },
};

/* Lines of three parts that end in CRLF, and hold no other CR or LF. */
static size_t frames(struct xs_slice bytes)
{
    size_t lines = 0, bars = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] == '|')
            bars++;
        if (bytes.at[i] == '\n')
            return SIZE_MAX;
        if (bytes.at[i] != '\r')
            continue;
        if (bars < 2 || i + 1 == bytes.len || bytes.at[++i] != '\n')
            return SIZE_MAX;
        bars = 0;
        lines++;
    }
    return bytes.len >= 2 && bytes.at[bytes.len - 1] == '\n' ? lines : SIZE_MAX;
}

int main(void)
{
    return xt_protocol_suite(&(struct xt_protocol_suite){
        .ops = xt_plugin_protocol(xs_plugin_entry(), "text"),
        .greeting =
            XS_SLICE("PuttyProtocol?a=b&PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7\r\n"),
        .welcome = XS_SLICE("Welcome to PuttyProtocol\r\n"),
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0],
        .frames = frames,
        .symmetric = true });
}
