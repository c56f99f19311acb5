/* SPDX-License-Identifier: ISC
 *
 * For a server that serves the heap of another domain (`pager` in that domain's manifest): what its
 * `message` entry does with a KERNEL_FAULT. The pages come out of the server's own heap; while one
 * is given, the server can't touch it. docs/paging.md.
 */
#ifndef MOTET_LIBOS_PAGING_H
#define MOTET_LIBOS_PAGING_H

#include "libos/domain.h"
#include "libos/start.h"

/* Whose fault it is, and at which page of that domain's heap. NULL: it's no fault in the heap of a
 * domain that this one pages for; paging_refuse is the answer then, too. */
const struct start_paged *paging_find(struct domain *domain, const struct msg *fault,
                                      uint32_t *page);

/* Moves a page of the own heap (from domain_heap_alloc, touched) with its contents to `page` of the
 * other domain's. ERROR_OCCUPIED: something is there already. */
enum error paging_give(struct domain *domain, const struct start_paged *paged, uint32_t page,
                       void *memory);

/* Takes it back with what the other domain wrote. */
enum error paging_take(struct domain *domain, void *memory);

/* Lets the thread that faulted go on. */
void paging_retry(struct domain *domain, const struct start_paged *paged);

/* Tells the supervisor of a fault that isn't to be served: the domain that faulted is stopped.
 * False: it is none of ours. */
bool paging_refuse(struct domain *domain, const struct msg *fault);

#endif
