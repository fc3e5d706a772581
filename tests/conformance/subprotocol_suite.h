/* subprotocol_suite.h - one call that tests a whole struct xs_subprotocol_ops. */
#ifndef XT_SUBPROTOCOL_SUITE_H
#define XT_SUBPROTOCOL_SUITE_H

#include "suite.h"

struct xt_subprotocol_suite {
    const struct xs_subprotocol_ops *ops;
    const char *const *settings;       /* as for xt_host_subprotocol() */
    const struct xt_example *examples; /* one payload each */
    size_t example_count;
    /* Whether a client can make something of this payload. NULL: text must be one JSON value.
     */
    bool (*readable)(struct xs_slice payload, bool binary);
};

/* Runs the suite as a group of cmocka tests; for the `return` of main(). */
int xt_subprotocol_suite(const struct xt_subprotocol_suite *suite);

#endif
