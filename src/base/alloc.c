/* alloc - memory, and fixed-size pieces that one worker uses again and again. */
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

/* Under AddressSanitizer nothing is kept, so that a piece used after it was given back is
 * found. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define POOLS_KEEP 0
#else
#define POOLS_KEEP 1
#endif

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "xsocketsd: out of memory: %zu bytes were refused\n", size);
    _Exit(1);
}

void *xs_alloc(size_t size)
{
    void *at = calloc(1, size > 0 ? size : 1);

    if (at == NULL)
        out_of_memory(size);
    return at;
}

void *xs_try_alloc(size_t size)
{
    return malloc(size > 0 ? size : 1);
}

void *xs_try_realloc(void *at, size_t size)
{
    return realloc(at, size > 0 ? size : 1);
}

void *xs_realloc(void *at, size_t size)
{
    void *moved = xs_try_realloc(at, size);

    if (moved == NULL)
        out_of_memory(size);
    return moved;
}

char *xs_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = xs_realloc(NULL, size);

    memcpy(copy, text, size);
    return copy;
}

void xs_free(void *at)
{
    free(at);
}

void xs_pool_init(struct xs_pool *pool, size_t size, size_t keep)
{
    pool->free = NULL;
    pool->size = size < sizeof(void *) ? sizeof(void *) : size;
    pool->free_count = 0;
    pool->keep = POOLS_KEEP ? keep : 0;
}

void *xs_pool_take(struct xs_pool *pool)
{
    void *piece = pool->free;

    if (piece == NULL)
        return xs_realloc(NULL, pool->size);
    /* A free piece begins with the pointer to the next one. */
    memcpy(&pool->free, piece, sizeof pool->free);
    pool->free_count--;
    return piece;
}

void xs_pool_give(struct xs_pool *pool, void *piece)
{
    if (piece == NULL)
        return;
    if (pool->free_count >= pool->keep) {
        xs_free(piece);
        return;
    }
    memcpy(piece, &pool->free, sizeof pool->free);
    pool->free = piece;
    pool->free_count++;
}

void xs_pool_fini(struct xs_pool *pool)
{
    while (pool->free != NULL) {
        void *piece = pool->free;

        memcpy(&pool->free, piece, sizeof pool->free);
        pool->free_count--;
        xs_free(piece);
    }
    XS_ASSERT(pool->free_count == 0);
}
