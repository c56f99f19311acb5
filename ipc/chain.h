/* SPDX-License-Identifier: ISC
 *
 * Circular doubly linked lists through their members, for message ports and fibers. A link that is
 * in no list points to itself: taking it out is always safe, and membership is a comparison.
 */
#ifndef MOTET_IPC_CHAIN_H
#define MOTET_IPC_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

struct chain {
    struct chain *next, *prev;
};

/* The struct that `link` is the member of. */
#define CHAIN_OF(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void chain_init(struct chain *c)
{
    c->next = c->prev = c;
}

static inline bool chain_empty(const struct chain *c)
{
    return c->next == c;
}

static inline void chain_append(struct chain *head, struct chain *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void chain_remove(struct chain *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    chain_init(link);
}

/* The first link, taken out; NULL: none. */
static inline struct chain *chain_take(struct chain *head)
{
    struct chain *link = head->next;
    if (link == head)
        return NULL;
    chain_remove(link);
    return link;
}

#endif
