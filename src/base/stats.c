/* stats - the names of the numbers, and where they lie. */
#include "base/stats.h"

_Thread_local struct xs_stats *xs_stats_here;
struct xs_stats xs_stats_elsewhere;

const char *xs_stat_name(enum xs_stat which)
{
    static const char *const names[] = {
#define X(name, kind) #name,
        XS_STATS(X)
#undef X
    };

    return names[which];
}
