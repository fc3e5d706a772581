/* protocol_suite.h - one call that tests a whole struct xs_protocol_ops. */
#ifndef XT_PROTOCOL_SUITE_H
#define XT_PROTOCOL_SUITE_H

#include "suite.h"

struct xt_protocol_suite {
    const struct xs_protocol_ops *ops;
    const char *const *settings; /* as for xt_host_protocol() */
    struct xs_slice greeting; /* what a client sends first; match() answers yes to all of it */
    struct xs_slice welcome;  /* what it gets for it */
    /* One message each, as a client sends it; at least one. */
    const struct xt_example *examples;
    size_t example_count;
    /* How many frames these bytes are for a client; SIZE_MAX if they are broken. */
    size_t (*frames)(struct xs_slice bytes);
    /* Whether a client sends messages in the form in which it gets them: then what encode()
     * makes is given to decode() too. */
    bool symmetric;
};

/* Runs the suite as a group of cmocka tests; for the `return` of main(). */
int xt_protocol_suite(const struct xt_protocol_suite *suite);

#endif
