/* SPDX-License-Identifier: ISC
 *
 * The pager of a domain with a heap of its own: a second thread in the same space. docs/paging.md
 * has its states.
 */
#ifndef MOTET_LIBOS_PAGER_H
#define MOTET_LIBOS_PAGER_H

#include "libos/heap.h"
#include "libos/start.h"
#include "motet/msg.h"

/* Invariants: `held` are the blocks whose memory is in the domain's table, as far as we were told;
 * `closed` is a part of it: offered to the supervisor. At most one fault waits, since the domain
 * has one thread beside this one. */
struct pager {
    const struct start_page *start;
    struct heap *heap;
    uint32_t held, closed;
    uint32_t wanted;  /* so many blocks were asked for, and the servers are looking; 0: no answer is
                         owed */
    struct msg fault; /* waits for its block; op 0: none does */
};

/* Where the capability of a page of the heap is. */
static inline uint32_t pager_page_slot(const struct start_heap *heap, uint32_t block, uint32_t page)
{
    return heap->slot + PAGER_SLOT_BLOCKS + heap->blocks + block * HEAP_BLOCK_PAGES + page;
}

void pager_init(struct pager *pager, const struct start_page *start);

/* Deals with one message to the pager's port. */
void pager_handle(struct pager *pager, const struct msg *m);

/* The servers have freed what they could. */
void pager_signalled(struct pager *pager);

/* The thread's first instruction. */
_Noreturn void pager_start(const struct start_page *start);

#endif
