/* host: fake
 * needs: modules/subprotocols/demo/demo.c
 * needs: tests/conformance/suite.c tests/conformance/subprotocol_suite.c */
/* demo - the subprotocol suite over {M,J}. */
#include "subprotocol_suite.h"

const struct xs_plugin *xs_plugin_entry(void);

static const struct xt_example examples[] = {
    { XT_BYTES("{\"M\":\"foo\",\"J\":\"{s:'bar',i:42}\"}"), false, "demo", "foo",
      XT_TEXT("{s:'bar',i:42}"), NULL },
    { XT_BYTES("{\"M\":\"foo\",\"J\":\"{\\\"s\\\":\\\"bar\\\"}\"}"), false, "demo", "foo",
      XT_JSON("{\"s\":\"bar\"}"), NULL },
    { XT_BYTES("{'m':'say','j':[1]}"), false, "demo", "say", XT_JSON("[1]"), NULL },
};

int main(void)
{
    return xt_subprotocol_suite(&(struct xt_subprotocol_suite){
        .ops = xt_plugin_subprotocol(xs_plugin_entry(), "demo"),
        .examples = examples,
        .example_count = sizeof examples / sizeof examples[0] });
}
