/* scaleout.h - the same message on other nodes: own subscribers, then other workers, then other
 * nodes. */
#ifndef XSOCKETS_SCALEOUT_H
#define XSOCKETS_SCALEOUT_H

#include <xsockets/message.h>
#include <xsockets/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The host's side of one scale-out module. */
struct xs_scaleout;

/* What crosses: the host's own bytes (message, condition, sender), opaque to the module.
 * `subject` is <scope>/<controller>/<topic>, folded. Takes what arrived from another node.
 * [any] */
XS_API void xs_scaleout_deliver(struct xs_scaleout *host, struct xs_slice subject,
                                struct xs_slice bytes);

struct xs_scaleout_ops {
    size_t size;
    const char *name;
    size_t state_size;        /* one per daemon, zeroed */
    struct xs_table settings; /* of struct xs_setting */
    /* Connects; may be called with the other side away and then goes on by itself. [main] */
    enum xs_err (*open)(void *state, struct xs_scaleout *host, uint16_t node,
                        const struct xs_settings *settings);
    void (*close)(void *state); /* [main] */
    /* Sends to every other node that is interested. Never blocks; XS_EBUSY: the bounded box is
     * full. [any] */
    enum xs_err (*publish)(void *state, struct xs_slice subject, struct xs_slice bytes);
    /* This node begins, or ceases, to have receivers of a subject. [any] */
    enum xs_err (*interested)(void *state, struct xs_slice subject, bool is);
};

#ifdef __cplusplus
}
#endif

#endif
