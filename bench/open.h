/* open.h - from connect() to a connection that is ready: handshake, hellos, subscriptions. */
#ifndef XS_BENCH_OPEN_H
#define XS_BENCH_OPEN_H

#include "link.h"

enum opened { OPEN_MORE, OPEN_READY, OPEN_FAILED };

/* Looks the server up and waits for it, up to options->wait. Ends the program if it is not
 * there. */
void xs_bench_links_init(struct links *links, const struct options *options, uint32_t count);
void xs_bench_links_fini(struct links *links);

/* Begins to open a link that has a speech. */
enum opened xs_bench_open_begin(struct links *links, struct link *link);

/* Goes on with it after these events of epoll; links->failure says why it failed. The link is
 * closed then. */
enum opened xs_bench_open_step(struct links *links, struct link *link, uint32_t events);

/* Opens links from..to and returns when all are ready; one that fails ends the program. */
void xs_bench_links_open(struct links *links, uint32_t from, uint32_t to);

#endif
