/* host: fake
 * needs: modules/protocols/len16/len16.c
 * needs: tests/conformance/suite.c tests/conformance/protocol_suite.c */
/* len16 - the protocol suite over Len16Protocol. */
#include "protocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xt_example examples[] = {
    { XT_BYTES("\0\x0e"
               "chat|say|hello"),
      false, "chat", "say", XT_TEXT("hello"), NULL },
    { XT_BYTES("\0\x10"
               "Chat|Say|{\"a\":1}"),
      false, "chat", "say", XT_JSON("{\"a\":1}"), NULL },
    { XT_BYTES("\0\x06"
               "foo|1|"),
      false, "foo", "1", XT_TEXT(""), NULL },
    { XT_BYTES("\0\x05"
               "foo|1"),
      false, "foo", "1", XT_TEXT(""), NULL },
    { XT_BYTES("\0\x11"
               "foo|Subscribe|bar"),
      false, "foo", "5", XT_TEXT("bar"), NULL },
    { XT_BYTES("\0\x09"
               "foo|6|bar"),
      false, "foo", "6", XT_TEXT("bar"), NULL },
    { XT_BYTES("\0\x0e"
               "foo|s1|k\"y,a,b"),
      false, "foo", "s1", XT_JSON("{\"K\":\"k\\\"y\",\"V\":\"a,b\"}"), NULL },
    { XT_BYTES("\0\x0d"
               "foo|say|a|b||"),
      false, "foo", "say", XT_TEXT("a|b||"), NULL },
    { XT_BYTES("\0\x13"
               "foo|say|line\r\nline\n"),
      false, "foo", "say", XT_TEXT("line\r\nline\n"), NULL },
    { XT_BYTES("\0\x15"
               "foo|say|r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"),
      false, "foo", "say", XT_TEXT("r\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s"), NULL },
};

/* Two bytes of length, then so many bytes with two bars at least. */
static size_t frames(struct xs_slice bytes)
{
    size_t count = 0;

    while (bytes.len >= 2) {
        size_t len = (size_t)(unsigned char)bytes.at[0] << 8 | (unsigned char)bytes.at[1];
        const char *bar = len <= bytes.len - 2 ? memchr(bytes.at + 2, '|', len) : NULL;

        if (bar == NULL || memchr(bar + 1, '|', (size_t)(bytes.at + 2 + len - bar - 1)) == NULL)
            return SIZE_MAX;
        bytes.at += 2 + len;
        bytes.len -= 2 + len;
        count++;
    }
    return bytes.len == 0 ? count : SIZE_MAX;
}

int main(void)
{
    return xt_protocol_suite(&(struct xt_protocol_suite){
        .ops = xt_plugin_protocol(xs_plugin_entry(), "len16"),
        .greeting =
            XS_SLICE("Len16Protocol?a=b&PersistentId=7c9e6679-7425-40de-944b-e07fc1f90ae7\r\n"),
        .welcome = XS_SLICE("\0\7welcome"),
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0],
        .frames = frames,
        .symmetric = true });
}
