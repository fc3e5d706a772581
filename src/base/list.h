/* list.h - a doubly linked ring inside the things it links. An unlinked or zeroed node is not
 * in a list. */
#ifndef XS_BASE_LIST_H
#define XS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct xs_list {
    struct xs_list *next, *prev;
};

#define XS_CONTAINER(pointer, type, member)                                                    \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void xs_list_init(struct xs_list *head)
{
    head->next = head->prev = head;
}

static inline bool xs_list_empty(const struct xs_list *head)
{
    return head->next == head || head->next == NULL;
}

static inline bool xs_list_linked(const struct xs_list *node)
{
    return node->next != NULL;
}

static inline void xs_list_append(struct xs_list *head, struct xs_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Harmless on a node that is in no list. */
static inline void xs_list_remove(struct xs_list *node)
{
    if (node->next == NULL)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}

/* The first node taken out, NULL from an empty list. */
static inline struct xs_list *xs_list_shift(struct xs_list *head)
{
    struct xs_list *first = head->next;

    if (xs_list_empty(head))
        return NULL;
    xs_list_remove(first);
    return first;
}

#endif
