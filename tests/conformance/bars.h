/* bars - what the two protocols of boards have in common: 0x00 controller | topic | data 0xFF.
 */
#ifndef XT_BARS_H
#define XT_BARS_H

#include "protocol_suite.h"

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
    /* Without a second bar: this one only mcu takes. */
    { XT_BYTES("\0"
               "foo|1"
               "\xff"),
      false, "foo", "1", XT_TEXT(""), NULL },
};

#define EXAMPLES (sizeof examples / sizeof examples[0])

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

#endif
