/* alloc.h - memory. Small allocations do not fail: the process ends with a sentence instead.
 * What a peer can make large is bounded by configuration first and taken with xs_try_alloc. */
#ifndef XS_BASE_ALLOC_H
#define XS_BASE_ALLOC_H

#include <stddef.h>

/* Zeroed; never NULL. Free with xs_free. [any] */
void *xs_alloc(size_t size);
/* Not zeroed; NULL when there is none. [any] */
void *xs_try_alloc(size_t size);
/* Grows or shrinks; NULL (old memory untouched) when there is none. [any] */
void *xs_try_realloc(void *at, size_t size);
/* Never NULL. [any] */
void *xs_realloc(void *at, size_t size);
char *xs_strdup(const char *text);
void xs_free(void *at);

/* Fixed-size pieces of one worker: taken and given back without malloc, never returned to the
 * system. Not thread safe. */
struct xs_pool {
    void *free;
    size_t size; /* of one piece, at least sizeof(void *) */
    size_t free_count;
    size_t keep; /* pieces kept free at most; the rest goes back to malloc */
};
void xs_pool_init(struct xs_pool *pool, size_t size, size_t keep);
/* Not zeroed; never NULL. */
void *xs_pool_take(struct xs_pool *pool);
void xs_pool_give(struct xs_pool *pool, void *piece);
/* Frees what lies free; all pieces must have been given back. */
void xs_pool_fini(struct xs_pool *pool);

#endif
