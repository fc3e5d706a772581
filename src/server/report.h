/* report.h - every counter and gauge as one line of JSON. */
#ifndef XS_SERVER_REPORT_H
#define XS_SERVER_REPORT_H

#include "server/worker.h"

/* {"pid":..,"uptime_ms":..,"workers":[{..},..],"total":{..}}; total also counts threads that
 * are no workers. [main] */
void xs_report(struct xs_daemon *daemon, int fd);

#endif
