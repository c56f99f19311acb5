/* SPDX-License-Identifier: ISC
 *
 * See pager.h. Linked only where the manifest gives a heap (compose). What comes from the kernel
 * and from init is believed; what the domain's own thread does to `heap` can spoil this domain
 * alone.
 */
#include "libos/pager.h"

#include "libos/syscall.h"
#include "motet/supervisor.h"

enum {
    PAGE_FAULT_PRESENT = 1
}; /* error code: the page is there, the access isn't allowed (SDM 3A, 4.7) */

static uint32_t slot(const struct pager *pager, uint32_t which)
{
    return pager->start->heap.slot + which;
}

/* The supervisor runs above us and empties its queue: FULL lasts until it has run. */
static void report(const struct pager *pager, const struct msg *m)
{
    while (sys_send(slot(pager, PAGER_SLOT_SUPERVISOR), m, 0) == ERROR_FULL)
        sys_yield();
}

/* Nothing belongs there: the supervisor stops the domain and says where. */
static void fault_refuse(struct pager *pager, const struct msg *fault)
{
    struct msg m = *fault;
    m.op = SUPERVISOR_FAULT;
    report(pager, &m);
    pager->fault.op = 0;
}

static enum error page_make(const struct pager *pager, uint32_t block, uint32_t page)
{
    const struct start_heap *heap = &pager->start->heap;
    uint32_t to = pager_page_slot(heap, block, page);
    uint64_t address =
        heap->address + block * (uint64_t)HEAP_BLOCK_BYTES + page * (uint64_t)IMAGE_PAGE;
    enum error error;
    do
        error = sys_invoke(slot(pager, PAGER_SLOT_BLOCKS + block), OPERATION_untyped_retype,
                           OBJECT_page, 1, to, 0, 0, NULL);
    while (error == ERROR_MORE);
    if (error)
        return error;
    return sys_invoke(to, OPERATION_page_map, slot(pager, PAGER_SLOT_SPACE), address,
                      RIGHT_READ | RIGHT_WRITE, 0, 0, NULL);
}

static void block_ask(struct pager *pager, const struct msg *fault, uint32_t block)
{
    struct msg m = {.op = SUPERVISOR_BLOCK_WANTED, .w = {block, pager->start->restarts}};
    pager->fault = *fault;
    report(pager, &m);
}

static void fault_serve(struct pager *pager, const struct msg *fault)
{
    uint32_t block, page;
    if (fault->w[0] != FAULT_PAGE || fault->w[4] & PAGE_FAULT_PRESENT ||
        !heap_find(pager->heap, fault->w[1], &block, &page)) {
        fault_refuse(pager, fault);
        return;
    }
    if (!(pager->held >> block & 1)) {
        block_ask(pager, fault, block);
        return;
    }
    /* EMPTY_SLOT: the block was taken, and the message that says so is still under way. */
    if (page_make(pager, block, page)) {
        fault_refuse(pager, fault);
        return;
    }
    heap_present(pager->heap, block, page);
    pager->fault.op = 0;
    sys_invoke(slot(pager, PAGER_SLOT_THREAD), OPERATION_thread_retry, 0, 0, 0, 0, 0, NULL);
}

static void block_came(struct pager *pager, uint64_t block, uint64_t error)
{
    struct msg fault = pager->fault;
    if (!fault.op || block >= pager->start->heap.blocks)
        return; /* we didn't ask */
    if (error) {
        fault_refuse(pager, &fault);
        return;
    }
    pager->held |= 1u << block;
    fault_serve(pager, &fault);
}

static uint32_t bits(uint32_t word)
{
    uint32_t count = 0;
    for (; word; word &= word - 1)
        count++;
    return count;
}

/* Offers so many blocks in which nothing is allocated, the highest first: allocation begins at the
 * lowest. False: there aren't so many. */
static bool blocks_close(struct pager *pager)
{
    for (uint32_t b = pager->start->heap.blocks; b--;) {
        uint32_t bit = 1u << b;
        if (bits(pager->closed) >= pager->wanted)
            break;
        if (pager->held & bit && !(pager->closed & bit) && heap_close(pager->heap, b))
            pager->closed |= bit;
    }
    return bits(pager->closed) >= pager->wanted;
}

static void blocks_offer(struct pager *pager)
{
    struct msg m = {.op = SUPERVISOR_RETURNED, .w = {pager->closed, pager->start->restarts}};
    pager->wanted = 0;
    report(pager, &m);
}

/* If nothing is free, the servers are asked to free something, and signal us. */
static void blocks_return(struct pager *pager, uint64_t wanted)
{
    pager->wanted = wanted < HEAP_BLOCKS_MAX ? (uint32_t)wanted : HEAP_BLOCKS_MAX;
    if (blocks_close(pager))
        blocks_offer(pager);
    else
        sys_signal(slot(pager, PAGER_SLOT_DOMAIN));
}

void pager_signalled(struct pager *pager)
{
    if (!pager->wanted)
        return; /* it was too late */
    blocks_close(pager);
    blocks_offer(pager);
}

static void blocks_gone(struct pager *pager, uint32_t blocks)
{
    for (uint32_t b = 0; b < pager->start->heap.blocks; b++)
        if (blocks >> b & pager->held >> b & 1)
            heap_gone(pager->heap, b, pager->closed >> b & 1);
    pager->held &= ~blocks;
    pager->closed &= ~blocks;
}

void pager_init(struct pager *pager, const struct start_page *start)
{
    *pager = (struct pager){.start = start, .heap = (struct heap *)start->heap.state};
}

void pager_handle(struct pager *pager, const struct msg *m)
{
    switch (m->op) {
    case KERNEL_FAULT:
        fault_serve(pager, m);
        break;
    case PAGER_BLOCK:
        block_came(pager, m->w[0], m->w[1]);
        break;
    case PAGER_RETURN:
        blocks_return(pager, m->w[0]);
        break;
    case PAGER_TAKEN:
        blocks_gone(pager, (uint32_t)m->w[0]);
        break;
    default:
        break;
    }
}

void pager_start(const struct start_page *start)
{
    struct pager pager;
    pager_init(&pager, start);
    for (;;) {
        struct received received = {0};
        sys_wait(slot(&pager, PAGER_SLOT_PORT), 0, 0, &received);
        if (received.msg.op)
            pager_handle(&pager, &received.msg);
        if (received.pending)
            pager_signalled(&pager);
    }
}
