/* unmask - plain C that the compiler makes vectors of, once for every machine and once more for
 * those with wider ones. */
#include "unmask.h"

#include <stdint.h>
#include <string.h>

/* The compiler takes what registers there are for it. */
typedef uint64_t wide __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) bool unmask(char *at, size_t len,
                                                         const unsigned char key[4])
{
    uint64_t word, mask, high;
    wide block, seen = { 0 };
    char *end = at + len;

    memcpy(&mask, key, 4);
    memcpy((char *)&mask + 4, key, 4);
    for (; (size_t)(end - at) >= sizeof block; at += sizeof block) {
        memcpy(&block, at, sizeof block);
        block ^= mask;
        seen |= block;
        memcpy(at, &block, sizeof block);
    }
    high = seen[0] | seen[1] | seen[2] | seen[3];
    for (; (size_t)(end - at) >= sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        word ^= mask;
        high |= word;
        memcpy(at, &word, sizeof word);
    }
    if (end - at >= 4) {
        uint32_t half;

        memcpy(&half, at, sizeof half);
        half ^= (uint32_t)mask;
        high |= half;
        memcpy(at, &half, sizeof half);
        at += sizeof half;
    }
    for (; at < end; at++, key++) {
        *at = (char)((unsigned char)*at ^ *key);
        high |= (unsigned char)*at;
    }
    return (high & UINT64_C(0x8080808080808080)) == 0;
}

static bool unmask_anywhere(char *at, size_t len, const unsigned char key[4])
{
    return unmask(at, len, key);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static bool unmask_avx2(char *at, size_t len,
                                                        const unsigned char key[4])
{
    return unmask(at, len, key);
}
#endif

xs_unmask *xs_unmask_number(size_t n)
{
    if (n == 0)
        return unmask_anywhere;
#ifdef __x86_64__
    if (n == 1 && __builtin_cpu_supports("avx2"))
        return unmask_avx2;
#endif
    return NULL;
}

xs_unmask *xs_unmask_choose(void)
{
    size_t n = 0;

    while (xs_unmask_number(n + 1) != NULL)
        n++;
    return xs_unmask_number(n);
}
