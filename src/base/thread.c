/* thread - where the number of this thread lies. */
#include "base/thread.h"

_Thread_local unsigned xs_thread_here;
