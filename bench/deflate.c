/* deflate - what permessage-deflate costs: packs and unpacks chat messages as the daemon does
 * for its clients, and prints a table.
 *
 *   build/release/bench/deflate
 *
 * A message is an envelope as XSocketsNET clients get it, its text made of common English
 * words, the more common the more often; no two are alike. Times are CPU time of this thread,
 * the median of the rounds. Ratio: bytes packed by bytes plain, without frame headers. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../modules/protocols/websocket/deflate.h"

enum { MESSAGES = 64, ROUNDS = 15, LARGEST = 16384 };

static const char *const words[] = {
    "the",      "to",      "and",      "a",       "of",        "in",       "is",
    "it",       "you",     "that",     "we",      "for",       "on",       "have",
    "with",     "be",      "not",      "this",    "are",       "at",       "can",
    "but",      "so",      "do",       "was",     "if",        "will",     "just",
    "what",     "all",     "there",    "about",   "when",      "one",      "they",
    "out",      "get",     "now",      "from",    "know",      "good",     "like",
    "think",    "time",    "see",      "today",   "how",       "who",      "back",
    "then",     "some",    "here",     "more",    "should",    "work",     "over",
    "after",    "meeting", "ready",    "server",  "please",    "thanks",   "check",
    "before",   "would",   "because",  "morning", "really",    "people",   "anyone",
    "tomorrow", "message", "project",  "release", "testing",   "changes",  "problem",
    "lunch",    "minutes", "question", "already", "something", "probably", "yesterday",
    "coffee",   "branch",  "window",   "kitchen", "deploy",    "customer", "number",
    "another",  "weekend", "machine",  "version", "answer"
};

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

/* Word n about as often as 1 in n, as in speech (Zipf). */
static const char *word(void)
{
    uint32_t n = sizeof words / sizeof words[0];

    return words[any(1 + any(1 + any(n)))];
}

static void make(char *text, size_t len)
{
    static const char end[] = "\\\"}\"}";
    int n = snprintf(
        text, len,
        "{\"C\":\"chat\",\"T\":\"said\",\"D\":\"{\\\"id\\\":%u,\\\"from\\\":\\\"%s%u\\\","
        "\\\"room\\\":\\\"%s\\\",\\\"at\\\":17%08u,\\\"text\\\":\\\"",
        any(1000000), word(), any(100), word(), any(100000000));
    size_t at = (size_t)n, last = len - (sizeof end - 1);

    while (at < last) {
        const char *next = word();

        for (; *next != '\0' && at < last; next++)
            text[at++] = *next;
        if (at < last)
            text[at++] = any(9) == 0 ? ',' : ' ';
    }
    memcpy(text + last, end, sizeof end - 1);
}

static double now(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *times)
{
    qsort(times, ROUNDS, sizeof times[0], compare);
    return times[ROUNDS / 2];
}

static void or_end(bool good)
{
    if (good)
        return;
    (void)fprintf(stderr, "deflate: a message did not come back as it was\n");
    exit(1);
}

static void row(size_t size, unsigned level)
{
    static char plain[MESSAGES][LARGEST], packed[MESSAGES][LARGEST];
    struct xs_packer *packer = xs_packer_new(level);
    double deflating[ROUNDS], inflating[ROUNDS], begin;
    struct xs_slice made[MESSAGES];
    size_t bytes = 0;

    or_end(packer != NULL);
    seed = 1;
    for (size_t i = 0; i < MESSAGES; i++)
        make(plain[i], size);
    for (size_t round = 0; round < ROUNDS; round++) {
        begin = now();
        for (size_t i = 0; i < MESSAGES; i++)
            or_end(xs_pack(packer, XS_DEFLATE_WINDOW, (struct xs_slice){ plain[i], size },
                           &made[i]));
        deflating[round] = (now() - begin) / MESSAGES;
    }
    for (size_t i = 0; i < MESSAGES; i++) {
        or_end(
            xs_pack(packer, XS_DEFLATE_WINDOW, (struct xs_slice){ plain[i], size }, &made[i]));
        memcpy(packed[i], made[i].at, made[i].len);
        made[i].at = packed[i];
        bytes += made[i].len;
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        begin = now();
        for (size_t i = 0; i < MESSAGES; i++) {
            struct xs_plain out;

            or_end(xs_unpack(packer, made[i], size, &out) == XS_OK && out.len == size &&
                   memcmp(out.at, plain[i], size) == 0);
            xs_plain_give_back(packer, &out);
        }
        inflating[round] = (now() - begin) / MESSAGES;
    }
    printf("| %zu B | %u | %.2f | %.1f | %.1f |\n", size, level,
           (double)bytes / (double)(MESSAGES * size), median(deflating), median(inflating));
    xs_packer_free(packer);
}

/* What one worker keeps, once it has packed and unpacked something. */
static void memory(void)
{
    struct xs_packer *packer;
    struct xs_slice packed;
    struct xs_plain out;
    char plain[1024];
    size_t before = mallinfo2().uordblks, between;

    make(plain, sizeof plain);
    packer = xs_packer_new(3);
    or_end(packer != NULL && xs_pack(packer, XS_DEFLATE_WINDOW,
                                     (struct xs_slice){ plain, sizeof plain }, &packed));
    between = mallinfo2().uordblks;
    or_end(xs_unpack(packer, packed, sizeof plain, &out) == XS_OK);
    xs_plain_give_back(packer, &out);
    printf("\nKept by a worker: %zu KiB to deflate, %zu KiB to inflate.\n",
           (between - before + 512) / 1024, (mallinfo2().uordblks - between + 512) / 1024);
    xs_packer_free(packer);
}

int main(void)
{
    static const size_t sizes[] = { 128, 1024, LARGEST };
    static const unsigned levels[] = { 1, 3, 6 };

    printf(
        "| message | level | ratio | us to deflate | us to inflate |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++)
            row(sizes[i], levels[k]);
    memory();
    return 0;
}
