/* unmask.h - RFC 6455 section 5.3, as wide as this machine can. */
#ifndef XS_WEBSOCKET_UNMASK_H
#define XS_WEBSOCKET_UNMASK_H

#include <stdbool.h>
#include <stddef.h>

/* Unmasks where the bytes lie. True: what came out is all ASCII. [any] */
typedef bool xs_unmask(char *at, size_t len, const unsigned char key[4]);

/* The widest that runs here; chosen once, when a worker starts. [any] */
xs_unmask *xs_unmask_choose(void);
/* The n-th of all that run here, the narrowest first; NULL behind the last. [any] */
xs_unmask *xs_unmask_number(size_t n);

#endif
