/* notify.h - the words that systemd understands (sd_notify(3)), without its library. */
#ifndef XS_SERVER_NOTIFY_H
#define XS_SERVER_NOTIFY_H

#include <stdint.h>

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET; harmless when there is none. [main] */
void xs_notify(const char *words);
/* Milliseconds between two WATCHDOG=1, 0 when nobody watches. [main] */
uint64_t xs_notify_watchdog(void);

#endif
