/* assert - ends the process, with the place and the claim that did not hold. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void xs_assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "xsocketsd: %s:%d: this should hold and does not: %s\n", file, line, claim);
    abort();
}
