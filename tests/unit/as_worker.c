/* as_worker - linked into the programs of tests: their main thread is worker 0, so that what a
 * worker calls may be called there. */
#include "base/thread.h"

__attribute__((constructor)) static void be_a_worker(void)
{
    xs_thread_here = 1;
}
