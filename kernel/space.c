/* SPDX-License-Identifier: ISC
 *
 * Address spaces: mapping and unmapping by capability. See space.h.
 */
#include "kernel/space.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/dmaspace.h"
#include "kernel/iommu.h"
#include "kernel/panic.h"
#include "kernel/thread.h"
#include "motet/rare.h"

RARE void space_init(struct space *space)
{
    list_init(&space->maps);
    list_init(&space->threads);
    space->root = (uint64_t *)((char *)space + PAGE_BYTES);
    space->root_physical = virt_to_phys(space->root);
    space->end = USER_ADDRESS_END;
    arch_space_init(space->root);
}

static bool range_allowed(const struct space *space, uint64_t at, uint64_t pages)
{
    return at % PAGE_BYTES == 0 && at >= USER_ADDRESS_FIRST && at < space->end &&
           pages * PAGE_BYTES <= space->end - at;
}

/* How many of `pages` pages from `at` on have their entries in one table, side by side. */
static uint64_t in_one_table(uint64_t at, uint64_t pages)
{
    uint64_t rest = PAGING_ENTRIES - at / PAGE_BYTES % PAGING_ENTRIES;
    return pages < rest ? pages : rest;
}

static bool entries_free(const uint64_t *entry, uint64_t count)
{
    uint64_t any = entry[0];
    if (any & PTE_PRESENT)
        return false; /* it may be a large one, which has no neighbours here */
    const uint64_t *end = entry + count;
    do
        any |= *entry++;
    while (entry < end);
    return !(any & PTE_PRESENT);
}

/* All tables on the way exist and all entries are free: then mapping can't fail half-way. A run has
 * its entries in two tables at most: pages at `at` at first[0], the others at first[1]. */
static enum error range_free(struct space *space, uint64_t at, uint64_t pages, uint64_t *level,
                             uint64_t *first[2])
{
    for (int n = 0; pages; n++) {
        uint64_t count = in_one_table(at, pages);
        first[n] = paging_entry(space->root, at, level);
        if (!first[n])
            return ERROR_NO_TABLE;
        if (!entries_free(first[n], count))
            return ERROR_OCCUPIED;
        at += count * PAGE_BYTES;
        pages -= count;
    }
    return OK;
}

static void entries_written(const struct space *space, const uint64_t *entry, uint64_t count)
{
    if (space->dma)
        arch_iommu_written(entry, count * sizeof(*entry));
}

static void entries_fill(const struct space *space, uint64_t *entry, uint64_t count, uint64_t value)
{
    /* These two loops make the longest entry of all: an instruction in them counts 512 times. */
    uint64_t *at = entry, *end = entry + count; /* count isn't 0 */
    do {
        *at++ = value;
        value += PAGE_BYTES;
    } while (at < end);
    entries_written(space, entry, count);
}

/* The entry that maps a whole, aligned run at once: free, and with no table in its place. */
static uint64_t *large_entry(struct space *space, const struct cap *page, uint64_t at)
{
    if (page->pages != PAGING_ENTRIES || (at | page->address) % PAGING_LARGE_BYTES)
        return NULL;
    if (space->dma && !iommu.large)
        return NULL;
    uint64_t *entry = paging_table_entry(space->root, at, 1);
    return entry && !(*entry & PTE_PRESENT) ? entry : NULL;
}

static uint64_t entry_of(const struct space *space, const struct cap *page, uint8_t rights)
{
    if (space->dma)
        return paging_dma_entry(page->address, rights);
    return paging_user_entry(page->address, rights, page->flags & CAP_DEVICE, arch_no_execute());
}

enum error space_map(struct space *space, struct cap *page, uint64_t at, uint8_t rights,
                     uint64_t *level)
{
    const uint8_t both = RIGHT_WRITE | RIGHT_EXECUTE;
    uint8_t needed = rights;
    if (!range_allowed(space, at, page->pages) || (rights & both) == both || !(rights & RIGHT_READ))
        return ERROR_BAD_ARGUMENT;
    if (space->dma) {
        if (rights & RIGHT_EXECUTE)
            return ERROR_BAD_ARGUMENT;
        if (dmaspace_settled(space))
            return ERROR_BAD_STATE;
        needed |= RIGHT_DMA;
    }
    if (needed & ~page->rights)
        return ERROR_NO_RIGHT;
    if (page->map.space)
        return ERROR_MAPPED;
    uint64_t value = entry_of(space, page, rights);
    uint64_t *first[2] = {NULL}, *large = large_entry(space, page, at);
    if (large) {
        entries_fill(space, large, 1, value | PTE_LARGE);
    } else {
        enum error error = range_free(space, at, page->pages, level, first);
        if (error)
            return error;
        uint64_t count = in_one_table(at, page->pages);
        entries_fill(space, first[0], count, value);
        if (count < page->pages)
            entries_fill(space, first[1], page->pages - count, value + count * PAGE_BYTES);
    }
    page->map.space = space;
    page->map.at = at;
    list_append(&space->maps, &page->map.maps);
    return OK; /* nothing to flush: the processor doesn't remember absent entries */
}

static void entries_clear(const struct space *space, uint64_t at, uint64_t pages)
{
    while (pages) {
        uint64_t missing, *entry = paging_entry(space->root, at, &missing);
        uint64_t count = in_one_table(at, pages);
        if (count == 1 || *entry & PTE_LARGE)
            *entry = 0;
        else
            memset(entry, 0, count * sizeof(*entry));
        entries_written(space, entry, count);
        at += count * PAGE_BYTES;
        pages -= count;
    }
}

/* The mapping's entries are gone: nobody must go on using them. False: an IOMMU may. */
static bool forgotten(struct space *space, struct cap *cap, uint64_t pages)
{
    if (space->dma)
        return dmaspace_forgotten(space, cap);
    if (cpu_self()->space == space)
        arch_flush(cap->map.at, pages);
    return true;
}

static enum error unlink(struct cap *cap)
{
    list_remove(&cap->map.maps);
    cap->map.space = NULL;
    return OK;
}

enum error space_unmap(struct cap *page)
{
    struct space *space = page->map.space;
    if (!space)
        return ERROR_NOT_MAPPED;
    if (!(page->flags & CAP_FLUSHING))
        entries_clear(space, page->map.at, page->pages);
    return forgotten(space, page, page->pages) ? unlink(page) : ERROR_MORE;
}

RARE enum error space_map_table(struct space *space, struct cap *table, uint64_t at,
                                uint64_t *level)
{
    if (table->map.space)
        return ERROR_MAPPED;
    if (!range_allowed(space, at, 1))
        return ERROR_BAD_ARGUMENT;
    if (space->dma && dmaspace_settled(space))
        return ERROR_BAD_STATE;
    if (paging_entry(space->root, at, level))
        return ERROR_OCCUPIED;
    uint64_t flags = PTE_PRESENT | PTE_WRITE;
    if (space->dma)
        arch_iommu_written(table->object, PAGE_BYTES);
    else
        flags |= PTE_USER | PTE_ACCESSED;
    entries_fill(space, paging_table_entry(space->root, at, *level), 1,
                 virt_to_phys(table->object) | flags);
    table->map.space = space;
    table->map.at = at;
    list_append(&space->maps, &table->map.maps);
    return OK;
}

RARE static void table_entry_clear(const struct space *space, const struct cap *table)
{
    for (uint64_t level = 1; level < PAGING_LEVELS; level++) {
        uint64_t *entry = paging_table_entry(space->root, table->map.at, level);
        if (!entry || (*entry & PTE_ADDRESS) != virt_to_phys(table->object))
            continue;
        *entry = 0;
        entries_written(space, entry, 1);
    }
}

RARE enum error space_unmap_table(struct cap *table)
{
    struct space *space = table->map.space;
    if (!space)
        return ERROR_NOT_MAPPED;
    if (!paging_table_empty(table->object))
        return ERROR_BAD_STATE;
    if (!(table->flags & CAP_FLUSHING))
        table_entry_clear(space, table);
    /* Intermediate entries are remembered too. */
    return forgotten(space, table, PAGE_RUN_MAX) ? unlink(table) : ERROR_MORE;
}

RARE bool space_release(struct space *space)
{
    if (space->dma && !dmaspace_abandoned(space))
        return true;
    if (!list_empty(&space->threads)) {
        thread_release(CONTAINER_OF(space->threads.next, struct thread, space_link));
        return true;
    }
    if (list_empty(&space->maps)) {
        if (cpu_self()->space == space)
            arch_space_load(NULL);
        return false;
    }
    /* Newest first: whatever is in a table was mapped after it, so the table is empty by then. */
    struct cap *cap = CONTAINER_OF(space->maps.prev, struct cap, map.maps);
    enum error error =
        cap->type == OBJECT_page ? cpu_self()->steps.unmap(cap) : space_unmap_table(cap);
    ASSERT(error == OK || error == ERROR_MORE);
    return true;
}
