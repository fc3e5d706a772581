/* thread.h - which thread is this? Asked by debug builds at the head of what modules call. */
#ifndef XS_BASE_THREAD_H
#define XS_BASE_THREAD_H

#include "base/assert.h"

/* 0 for a thread that is no worker, else the worker's number + 1. Set once by the worker. */
extern _Thread_local unsigned xs_thread_here;

/* A function with the tag [worker] was called where its object does not live. One compare in
 * debug builds, nothing in release. */
#ifdef XS_DEBUG
#define XS_ON_WORKER(worker) XS_ASSERT(xs_thread_here == (worker) + 1)
#else
#define XS_ON_WORKER(worker) ((void)0)
#endif

/* The same for what lives on no object of one worker, but in memory that every worker has. */
#ifdef XS_DEBUG
#define XS_ON_SOME_WORKER() XS_ASSERT(xs_thread_here != 0)
#else
#define XS_ON_SOME_WORKER() ((void)0)
#endif

#endif
