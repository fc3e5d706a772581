/* trial_interceptor - counts messages, and stops those to the topic "secret". Proves
 * interceptor.h. */
#include <xsockets/interceptor.h>

struct trial {
    uint64_t count;
};

static bool trial_incoming(void *state, const struct xs_client *from,
                           const struct xs_message *msg)
{
    struct trial *me = state;

    (void)from;
    me->count++;
    return !xs_slice_equal(xs_message_topic(msg), XS_SLICE("secret"));
}

static const struct xs_interceptor_ops trial_ops = {
    .size = sizeof(struct xs_interceptor_ops),
    .name = "trial",
    .worker_size = sizeof(struct trial),
    .incoming = trial_incoming,
};

XS_PLUGIN(.name = "trial_interceptor", .version = "1.0.0", .interceptors = { &trial_ops })
