/* binding.h - JSON into members of C structs by a table, and single members back to JSON. */
#ifndef XS_CONTROLLER_BINDING_H
#define XS_CONTROLLER_BINDING_H

#include <xsockets/controller.h>

/* Sets one member of `state` to the message's bare value; an object with the single member
 * `value` is unwrapped (5.0.0 clients send that). Nothing is changed unless XS_OK. XS_EINVAL:
 * xs_bind_error() says why. XS_EINTERNAL: a row that is no property. [worker] */
enum xs_err xs_property_set(const struct xs_property *row, void *state,
                            const struct xs_message *msg);
/* Appends the member's value as JSON. Numbers that JSON has not (infinities) are null. [worker]
 */
void xs_property_get(const struct xs_property *row, const void *state, struct xs_buf *json);

/* The sentence of the last xs_bind() or xs_property_set() on this thread; empty if that one
 * went well. Good until the next. [worker] */
const char *xs_bind_error(void);
/* Sets it; empties it. [worker] */
void xs_bind_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
void xs_bind_forget(void);

#endif
