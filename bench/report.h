/* report.h - a run's results, for people and for programs. */
#ifndef XS_BENCH_REPORT_H
#define XS_BENCH_REPORT_H

#include "run.h"

void xs_bench_report_text(const struct run *run);
void xs_bench_report_json(const struct run *run);

/* Whether our own thread and not the server was what could not do more. */
enum limited { LIMITED_NO, LIMITED_YES, LIMITED_UNKNOWN };
enum limited xs_bench_limited(const struct run *run);

#endif
