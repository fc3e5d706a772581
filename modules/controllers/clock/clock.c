/* clock - publishes the time to the subscribers of `time`, and tells it to whoever asks.
 *
 * It is shared: one clock for all clients, however many there are, on one worker. */
#include <time.h>

#include <xsockets/controller.h>

static const struct xs_setting clock_settings[] = {
    { "interval", "time", "1s", "How long between two publications of the time." },
};

/* {"utc":"2026-01-31T23:59:59Z"}, terminated; false if the system does not know the time. */
static bool format_time(char *to, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;

    return gmtime_r(&now, &utc) != NULL &&
           strftime(to, size, "{\"utc\":\"%Y-%m-%dT%H:%M:%SZ\"}", &utc) > 0;
}

static void on_tick(void *self, struct xs_client *me)
{
    char json[64];

    (void)self;
    if (!format_time(json, sizeof json) || xs_publish_all(me, "time", xs_json(json)) != XS_OK)
        xs_log(XS_LOG_WARNING, "the clock could not publish the time");
}

static enum xs_err on_time(void *self, struct xs_client *client, const struct xs_message *msg)
{
    char json[64];

    (void)self;
    (void)msg;
    if (!format_time(json, sizeof json))
        return XS_EINTERNAL;
    return xs_reply(client, "time", xs_json(json));
}

static enum xs_err clock_started(void *self, struct xs_client *me)
{
    int64_t interval = xs_setting_number(xs_client_settings(me), "interval");

    (void)self;
    if (xs_timer_start(me, interval > 0 ? (uint64_t)interval : 1, true, on_tick) == NULL)
        return XS_ENOMEM;
    return XS_OK;
}

static const struct xs_action clock_actions[] = { { "time", on_time } };

static const struct xs_controller_ops clock_ops = {
    .size = sizeof(struct xs_controller_ops),
    .name = "clock",
    .sharing = XS_SHARED,
    .settings = XS_TABLE(clock_settings),
    .actions = XS_TABLE(clock_actions),
    .started = clock_started,
};

XS_PLUGIN(.name = "clock", .version = "1.0.0", .controllers = { &clock_ops })
