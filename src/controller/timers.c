/* timers - time for controllers, on the worker's wheel. */
#include "base/alloc.h"
#include "base/stats.h"
#include "base/thread.h"
#include "controller/clients.h"

#define FOREVER_MS (UINT64_MAX / 4)

struct xs_timer_handle {
    struct xs_timer timer;
    struct xs_list node; /* of the owner */
    struct xs_client *owner;
    xs_timer_cb call;
    uint64_t every; /* ms; 0 = once */
    bool running;   /* inside its callback */
    bool stopped;   /* meanwhile */
};

static void drop(struct xs_timer_handle *handle)
{
    xs_wheel_stop(handle->owner->stage->home->wheel, &handle->timer);
    xs_list_remove(&handle->node);
    if (handle->running) {
        handle->stopped = true;
        return;
    }
    XS_COUNT_BY(timers, -1);
    xs_free(handle);
}

void xs_client_timer_gone(struct xs_list *node)
{
    drop(XS_CONTAINER(node, struct xs_timer_handle, node));
}

static void on_time(struct xs_timer *timer)
{
    struct xs_timer_handle *handle = XS_CONTAINER(timer, struct xs_timer_handle, timer);
    struct xs_client *owner = handle->owner;
    struct xs_wheel *wheel = owner->stage->home->wheel;
    struct xs_call call;

    handle->running = true;
    xs_call_begin(owner, &call);
    handle->call(owner->self, owner);
    xs_call_end(owner, &call);
    handle->running = false;
    if (!handle->stopped && handle->every > 0) {
        xs_wheel_set(wheel, timer, xs_now() + handle->every, on_time);
        return;
    }
    if (!handle->stopped)
        xs_list_remove(&handle->node);
    XS_COUNT_BY(timers, -1);
    xs_free(handle);
}

struct xs_timer_handle *xs_timer_start(struct xs_client *owner, uint64_t ms, bool repeat,
                                       xs_timer_cb call)
{
    XS_ON_WORKER(owner->stage->home->worker);
    struct xs_timer_handle *handle = xs_alloc(sizeof *handle);
    struct xs_wheel *wheel = owner->stage->home->wheel;

    if (ms == 0)
        ms = 1;
    /* A time beyond every clock would come round to now. */
    if (ms > FOREVER_MS)
        ms = FOREVER_MS;
    handle->owner = owner;
    handle->call = call;
    handle->every = repeat ? ms : 0;
    xs_list_append(&owner->timers, &handle->node);
    xs_wheel_set(wheel, &handle->timer, xs_now() + ms, on_time);
    XS_COUNT(timers);
    return handle;
}

void xs_timer_stop(struct xs_timer_handle *timer)
{
    if (timer == NULL || timer->stopped)
        return;
    XS_ON_WORKER(timer->owner->stage->home->worker);
    drop(timer);
}
