/* histogram - counts durations; fixed memory, any value, an error of less than 1 %. */
#include "histogram.h"

static uint32_t bucket_of(uint64_t value)
{
    uint32_t shift;

    if (value < 1U << HISTOGRAM_BITS)
        return (uint32_t)value;
    /* The highest bit and the seven below it choose the bucket. */
    shift = 63 - (uint32_t)__builtin_clzll(value) - HISTOGRAM_BITS;
    return ((shift + 1) << HISTOGRAM_BITS) + (uint32_t)(value >> shift) -
           (1U << HISTOGRAM_BITS);
}

static uint64_t middle_of(uint32_t bucket)
{
    uint32_t shift = bucket >> HISTOGRAM_BITS;
    uint64_t low;

    if (shift == 0)
        return bucket;
    shift--;
    low = (uint64_t)((bucket & ((1U << HISTOGRAM_BITS) - 1)) | 1U << HISTOGRAM_BITS) << shift;
    return low + ((UINT64_C(1) << shift) - 1) / 2;
}

void xs_bench_histogram_add(struct histogram *histogram, uint64_t value, uint64_t times)
{
    if (times == 0)
        return;
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count += times;
    histogram->sum += (double)value * (double)times;
    histogram->buckets[bucket_of(value)] += times;
}

uint64_t xs_bench_histogram_at(const struct histogram *histogram, double share)
{
    /* (0.07 * 100 is a little more than 7.) */
    double wanted = share * (double)histogram->count * (1 - 1e-12);
    uint64_t seen = 0, value;

    if (histogram->count == 0 || share <= 0)
        return histogram->min;
    if (share >= 1)
        return histogram->max;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if ((double)seen < wanted || seen == 0)
            continue;
        value = middle_of(i);
        if (value < histogram->min)
            return histogram->min;
        return value < histogram->max ? value : histogram->max;
    }
    return histogram->max;
}

double xs_bench_histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->sum / (double)histogram->count;
}
