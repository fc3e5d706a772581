/* histogram.h - counts durations; fixed memory, any value, an error of less than 1 %.
 *
 * Log-linear: every power of two is cut into 128 buckets of equal width, so a bucket is at most
 * 1/128 of its values wide, and its middle, which is what is told, at most 0.4 % off. */
#ifndef XS_BENCH_HISTOGRAM_H
#define XS_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BITS = 7, HISTOGRAM_BUCKETS = (64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS };

struct histogram {
    uint64_t count, min, max;
    double sum;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Zeroed memory is an empty histogram. */
void xs_bench_histogram_add(struct histogram *histogram, uint64_t value, uint64_t times);

/* The value below or at which this share (0..1) of all lies; 0 of an empty one. Of 0 and 1 it
 * is min and max, exactly. */
uint64_t xs_bench_histogram_at(const struct histogram *histogram, double share);

double xs_bench_histogram_mean(const struct histogram *histogram);

#endif
