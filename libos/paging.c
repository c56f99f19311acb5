/* SPDX-License-Identifier: ISC
 *
 * See paging.h.
 */
#include "libos/paging.h"

#include "libos/pager.h"
#include "libos/state.h"
#include "libos/syscall.h"
#include "motet/supervisor.h"

static const struct start_paged *by_badge(struct domain *domain, uint64_t badge)
{
    const struct start_page *start = domain->libos->start;
    for (uint32_t i = 0; i < start->paged; i++)
        if (badge == 1ull << start->paged_domain[i].domain)
            return &start->paged_domain[i];
    return NULL;
}

const struct start_paged *paging_find(struct domain *domain, const struct msg *fault,
                                      uint32_t *page)
{
    const struct start_paged *paged = by_badge(domain, fault->tag);
    if (!paged || fault->op != KERNEL_FAULT || fault->w[0] != FAULT_PAGE)
        return NULL;
    uint64_t offset = fault->w[1] - paged->address;
    if (fault->w[1] < paged->address || offset >= paged->blocks * (uint64_t)HEAP_BLOCK_BYTES)
        return NULL;
    *page = (uint32_t)(offset / IMAGE_PAGE);
    return paged;
}

/* The slot of a page of the own heap; 0: it isn't one. */
static uint32_t page_slot(const struct start_heap *heap, const void *memory)
{
    uint64_t offset = (uint64_t)memory - heap->address;
    if ((uint64_t)memory < heap->address || (uint64_t)memory % IMAGE_PAGE ||
        offset >= heap->blocks * (uint64_t)HEAP_BLOCK_BYTES)
        return 0;
    return pager_page_slot(heap, (uint32_t)(offset / HEAP_BLOCK_BYTES),
                           (uint32_t)(offset % HEAP_BLOCK_BYTES / IMAGE_PAGE));
}

static enum error page_move(uint32_t page, uint32_t space, uint64_t address)
{
    enum error error = sys_invoke(page, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    if (error)
        return error;
    return sys_invoke(page, OPERATION_page_map, space, address, RIGHT_READ | RIGHT_WRITE, 0, 0,
                      NULL);
}

enum error paging_give(struct domain *domain, const struct start_paged *paged, uint32_t page,
                       void *memory)
{
    uint32_t slot = page_slot(&domain->libos->start->heap, memory);
    if (!slot)
        return ERROR_BAD_ARGUMENT;
    enum error error = page_move(slot, paged->slot + PAGER_SLOT_SPACE,
                                 paged->address + page * (uint64_t)IMAGE_PAGE);
    if (error)
        paging_take(domain, memory);
    return error;
}

enum error paging_take(struct domain *domain, void *memory)
{
    const struct start_heap *heap = &domain->libos->start->heap;
    uint32_t slot = page_slot(heap, memory);
    if (!slot)
        return ERROR_BAD_ARGUMENT;
    sys_invoke(slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    return sys_invoke(slot, OPERATION_page_map, heap->slot + PAGER_SLOT_SPACE, (uint64_t)memory,
                      RIGHT_READ | RIGHT_WRITE, 0, 0, NULL);
}

void paging_retry(struct domain *domain, const struct start_paged *paged)
{
    (void)domain;
    sys_invoke(paged->slot + PAGER_SLOT_THREAD, OPERATION_thread_retry, 0, 0, 0, 0, 0, NULL);
}

bool paging_refuse(struct domain *domain, const struct msg *fault)
{
    const struct start_paged *paged = by_badge(domain, fault->tag);
    struct msg m = *fault;
    if (!paged)
        return false;
    m.op = SUPERVISOR_FAULT;
    while (sys_send(paged->slot + PAGER_SLOT_SUPERVISOR, &m, 0) == ERROR_FULL)
        sys_yield();
    return true;
}
