/* message - the one thing that travels: how it is kept, counted and looked at. */
#include "message/message.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/thread.h"
#include "message/scratch.h"

static _Thread_local struct xs_message_limits limits_here = { 255, 64 };

/* Puts a copy of the bytes where *put points, and moves it behind them. */
static struct xs_slice keep(char **put, struct xs_slice bytes)
{
    struct xs_slice kept = { *put, bytes.len };

    if (bytes.len > 0)
        memcpy(*put, bytes.at, bytes.len);
    *put += bytes.len;
    return kept;
}

struct xs_message *xs_message_copy(const struct xs_message *msg)
{
    size_t size = sizeof *msg + msg->controller.len + 1 + msg->topic.len + 1 + msg->data.len +
                  msg->blob.len;
    struct xs_message *copy = xs_try_alloc(size);
    char *put;

    if (copy == NULL)
        return NULL;
    put = (char *)(copy + 1);
    copy->controller = keep(&put, msg->controller);
    *put++ = '\0';
    copy->topic = keep(&put, msg->topic);
    *put++ = '\0';
    copy->data = keep(&put, msg->data);
    copy->blob = keep(&put, msg->blob);
    copy->id = msg->id;
    copy->correlation = msg->correlation;
    atomic_init(&copy->refs, 1);
    copy->qos_id = msg->qos_id;
    copy->form = msg->form;
    copy->qos = msg->qos;
    copy->retain = msg->retain;
    copy->has_blob = msg->has_blob;
    copy->has_correlation = msg->has_correlation;
    return copy;
}

/* Who counts a reference owns one already, or the message is borrowed and of this thread alone:
 * the count cannot fall to 0 meanwhile. The public interface says const because nothing that
 * one can see changes. */
static atomic_uint *refs_of(const struct xs_message *msg)
{
    return &((struct xs_message *)(uintptr_t)msg)->refs;
}

const struct xs_message *xs_message_ref(const struct xs_message *msg)
{
    atomic_uint *refs = refs_of(msg);

    if (atomic_load_explicit(refs, memory_order_relaxed) == 0)
        return xs_message_copy(msg);
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
    return msg;
}

void xs_message_unref(const struct xs_message *msg)
{
    unsigned before;

    if (msg == NULL)
        return;
    before = atomic_fetch_sub_explicit(refs_of(msg), 1, memory_order_acq_rel);
    XS_ASSERT(before > 0);
    if (before == 1)
        xs_free((void *)(uintptr_t)msg);
}

struct xs_slice xs_message_controller(const struct xs_message *msg)
{
    return msg->controller;
}

struct xs_slice xs_message_topic(const struct xs_message *msg)
{
    return msg->topic;
}

struct xs_data xs_message_data(const struct xs_message *msg)
{
    return (struct xs_data){ msg->data, (enum xs_form)msg->form };
}

struct xs_slice xs_message_blob(const struct xs_message *msg, bool *has)
{
    if (has != NULL)
        *has = msg->has_blob;
    return msg->blob;
}

unsigned xs_message_qos(const struct xs_message *msg)
{
    return msg->qos;
}

unsigned xs_message_qos_id(const struct xs_message *msg)
{
    return msg->qos_id;
}

bool xs_message_retain(const struct xs_message *msg)
{
    return msg->retain;
}

struct xs_slice xs_message_view(const struct xs_message *msg, enum xs_view view)
{
    XS_ON_SOME_WORKER();
    struct xs_buf *scratch = xs_message_scratch();
    struct xs_slice out;
    enum xs_err err = xs_data_view(xs_message_data(msg), view, scratch, 0, &out);

    if (scratch->len == 0)
        xs_scratch_untake();
    return err == XS_OK ? out : (struct xs_slice){ NULL, 0 };
}

void xs_message_limits_set(const struct xs_message_limits *limits)
{
    limits_here = *limits;
}

const struct xs_message_limits *xs_message_limits(void)
{
    return &limits_here;
}
