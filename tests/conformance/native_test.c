/* host: fake
 * needs: modules/subprotocols/native/native.c
 * needs: tests/conformance/suite.c tests/conformance/subprotocol_suite.c */
/* native - the subprotocol suite over WebSocket without a subprotocol. */
#include "subprotocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const char *const settings[] = { "controller", "chat", "topic", "say", NULL };

static const struct xt_example examples[] = {
    { XT_BYTES("hello"), false, "chat", "say", XT_TEXT("hello"), NULL },
    { XT_BYTES("{\"a\":[1,2]}"), false, "chat", "say", XT_JSON("{\"a\":[1,2]}"), NULL },
    { XT_BYTES(""), false, "chat", "say", XT_TEXT(""), NULL },
    { XT_BYTES("\xff|\r\n"), true, "chat", "say", XT_JSON("null"), "\xff|\r\n" },
};

static bool readable(struct xs_slice payload, bool binary)
{
    (void)payload;
    (void)binary;
    return true;
}

int main(void)
{
    return xt_subprotocol_suite(&(struct xt_subprotocol_suite){
        .ops = xt_plugin_subprotocol(xs_plugin_entry(), "native"),
        .settings = settings,
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0],
        .readable = readable });
}
