/* stats.h - what is counted, in one table. Each worker writes numbers of its own without a
 * lock; a reader sums them. */
#ifndef XS_BASE_STATS_H
#define XS_BASE_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* COUNTER only grows; GAUGE goes up and down and comes back to zero when everybody has left. */
#define XS_STATS(X)                                                                            \
    X(connections, GAUGE) /* objects, until their memory goes */                               \
    X(sockets, GAUGE)     /* open file descriptors of clients */                               \
    X(sniffing, GAUGE)    /* connections whose protocol is not known yet */                    \
    X(instances, GAUGE)   /* controller instances of clients */                                \
    X(subscriptions, GAUGE)                                                                    \
    X(messages, GAUGE)     /* counted messages alive */                                        \
    X(encoded, GAUGE)      /* encoded buffers alive */                                         \
    X(queued_bytes, GAUGE) /* encoded, not yet taken by the kernel */                          \
    X(queued_entries, GAUGE)                                                                   \
    X(held_bytes, GAUGE)      /* received, part of an incomplete frame */                      \
    X(inbox_messages, GAUGE)  /* received, waiting for an answer from elsewhere */             \
    X(letters_waiting, GAUGE) /* kept by the sender because a box is full */                   \
    X(stalled, GAUGE)         /* connections not read because of that */                       \
    X(timers, GAUGE)          /* of controllers */                                             \
    X(file_requests, GAUGE)   /* asked of the file thread, not answered yet */                 \
    X(files_open, GAUGE)      /* file descriptors of files */                                  \
    X(accepted, COUNTER)                                                                       \
    X(accept_errors, COUNTER)                                                                  \
    X(accept_paused, COUNTER) /* times a listener rested: the fd reserve was reached */        \
    X(refused_full, COUNTER)  /* endpoint at max_connections */                                \
    X(refused_held, COUNTER)  /* too much of unfinished messages */                            \
    X(unclaimed, COUNTER)     /* first bytes that no protocol claims */                        \
    X(handshake_timeouts, COUNTER)                                                             \
    X(sniff_timeouts, COUNTER)                                                                 \
    X(idle_timeouts, COUNTER)                                                                  \
    X(slow_closed, COUNTER)  /* slow readers that still got their goodbye */                   \
    X(slow_reset, COUNTER)   /* slow readers that did not */                                   \
    X(reads_paused, COUNTER) /* connections not read because their own answers pile up */      \
    X(protocol_errors, COUNTER)                                                                \
    X(bytes_in, COUNTER)                                                                       \
    X(bytes_out, COUNTER)                                                                      \
    X(frames_in, COUNTER)                                                                      \
    X(frames_out, COUNTER)                                                                     \
    X(writes, COUNTER) /* calls that gave bytes to a transport */                              \
    X(messages_in, COUNTER)                                                                    \
    X(messages_dropped, COUNTER) /* no action and no on_message */                             \
    X(reserved_topics, COUNTER)  /* a client tried to speak as the server */                   \
    X(errors_sent, COUNTER)      /* topic 4 */                                                 \
    X(duplicates, COUNTER)       /* QoS 1 resends that were not delivered again */             \
    X(encodes, COUNTER)                                                                        \
    X(encode_refused, COUNTER) /* a message that a format cannot say, per encoding */          \
    X(encode_too_big, COUNTER)                                                                 \
    X(gone, COUNTER)    /* answers for clients that have left */                               \
    X(letters, COUNTER) /* sent to other workers */                                            \
    X(wakes, COUNTER)   /* of other workers, for letters: one for all of a turn at most */     \
    X(controllers_opened, COUNTER)                                                             \
    X(controllers_refused, COUNTER)                                                            \
    X(slow_callbacks, COUNTER)                                                                 \
    X(files_sent, COUNTER)    /* files, or parts, to clients */                                \
    X(file_hits, COUNTER)     /* asked for and still in memory */                              \
    X(files_refused, COUNTER) /* asked for and too many others waited, or for too long */

enum xs_stat {
#define X(name, kind) XS_STAT_##name,
    XS_STATS(X)
#undef X
        XS_STAT_COUNT
};

struct xs_stats {
    _Atomic uint64_t values[XS_STAT_COUNT];
};

/* This thread's; NULL on a thread that is no worker. Set once by the worker. */
extern _Thread_local struct xs_stats *xs_stats_here;
/* For threads that are no workers. */
extern struct xs_stats xs_stats_elsewhere;

/* [any] */
static inline void xs_stat_add(enum xs_stat which, int64_t by)
{
    struct xs_stats *here = xs_stats_here;

    if (here == NULL) {
        atomic_fetch_add_explicit(&xs_stats_elsewhere.values[which], (uint64_t)by,
                                  memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&here->values[which],
                          atomic_load_explicit(&here->values[which], memory_order_relaxed) +
                              (uint64_t)by,
                          memory_order_relaxed);
}

static inline uint64_t xs_stat_read(const struct xs_stats *stats, enum xs_stat which)
{
    return atomic_load_explicit(&((struct xs_stats *)(uintptr_t)stats)->values[which],
                                memory_order_relaxed);
}

#define XS_COUNT(name)        xs_stat_add(XS_STAT_##name, 1)
#define XS_COUNT_BY(name, by) xs_stat_add(XS_STAT_##name, (int64_t)(by))

/* "name" of a number, and whether it is a gauge. [any] */
const char *xs_stat_name(enum xs_stat which);

#endif
