/* log.h - lines for people and machines: made on any thread without waiting, put into a bounded
 * ring, written by a thread of their own. */
#ifndef XS_BASE_LOG_H
#define XS_BASE_LOG_H

#include <xsockets/base.h>

enum xs_log_format { XS_LOG_KEYVALUE, XS_LOG_JSON };

struct xs_log_options {
    enum xs_log_level level;
    enum xs_log_format format;
    bool with_time; /* false under journald */
    bool colour;    /* key=value on a terminal only */
    int fd;
};

/* Before start, lines are written at once by the caller. [main] */
void xs_log_set(const struct xs_log_options *options);
/* Starts and stops the writer thread; stop writes all that waits, for two seconds if nobody
 * reads. Lines made by other threads during and after the stop may be lost. [main] */
void xs_log_start(void);
void xs_log_stop(void);
/* Changes the level and format while running (reload). [main] */
void xs_log_reload(const struct xs_log_options *options);
bool xs_log_enabled(enum xs_log_level level); /* [any] */
/* Lines dropped because the ring was full, so far. [any] */
uint64_t xs_log_dropped(void);

/* A line with fields: XS_LOG(INFO, "a connection has ended", XS_F("conn", "%u", id),
 * XS_F("why", "%s", text)); the values are formatted and quoted where they must be; control
 * characters never reach the output raw. */
struct xs_log_field {
    const char *key;
    bool number; /* bare in JSON: the format was %d, %u or %i, any length, and nothing else */
    char value[160];
};
struct xs_log_field xs_log_field(const char *key, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void xs_log_write(enum xs_log_level level, const char *event, const struct xs_log_field *fields,
                  size_t count);

#define XS_F(key, ...) xs_log_field((key), __VA_ARGS__)
#define XS_LOG(severity, event, ...)                                                           \
    do {                                                                                       \
        if (xs_log_enabled(XS_LOG_##severity)) {                                               \
            struct xs_log_field xs_fields_[] = { __VA_ARGS__ };                                \
            xs_log_write(XS_LOG_##severity, (event), xs_fields_,                               \
                         sizeof xs_fields_ / sizeof xs_fields_[0]);                            \
        }                                                                                      \
    } while (0)

#endif
