/* SPDX-License-Identifier: ISC
 *
 * Address spaces: mapping and unmapping by capability. See space.h.
 */
#include "kernel/space.h"

#include "kernel/arch.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/panic.h"
#include "kernel/thread.h"

void space_init(struct space *space)
{
    list_init(&space->maps);
    list_init(&space->threads);
    space->root = (uint64_t *)((char *)space + PAGE_BYTES);
    space->root_physical = virt_to_phys(space->root);
    arch_space_init(space->root);
}

static bool user_range(uint64_t at, uint64_t pages)
{
    return at % PAGE_BYTES == 0 && at >= USER_ADDRESS_FIRST && at < USER_ADDRESS_END &&
           pages * PAGE_BYTES <= USER_ADDRESS_END - at;
}

/* All tables on the way exist and all entries are free: then mapping can't fail half-way. */
static enum error range_free(struct space *space, uint64_t at, uint64_t pages, uint64_t *level)
{
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t *entry = paging_entry(space->root, at + i * PAGE_BYTES, level);
        if (!entry)
            return ERROR_NO_TABLE;
        if (*entry & PTE_PRESENT)
            return ERROR_OCCUPIED;
    }
    return OK;
}

enum error space_map(struct space *space, struct cap *page, uint64_t at, uint8_t rights,
                     uint64_t *level)
{
    const uint8_t both = RIGHT_WRITE | RIGHT_EXECUTE;
    if (!user_range(at, page->pages) || (rights & both) == both || !(rights & RIGHT_READ))
        return ERROR_BAD_ARGUMENT;
    if (rights & ~page->rights)
        return ERROR_NO_RIGHT;
    if (page->map.space)
        return ERROR_MAPPED;
    enum error error = range_free(space, at, page->pages, level);
    if (error)
        return error;
    for (uint64_t i = 0; i < page->pages; i++) {
        uint64_t *entry = paging_entry(space->root, at + i * PAGE_BYTES, level);
        *entry = paging_user_entry(page->address + i * PAGE_BYTES, rights, page->flags & CAP_DEVICE,
                                   arch_no_execute());
    }
    page->map.space = space;
    page->map.at = at;
    list_append(&space->maps, &page->map.maps);
    return OK; /* nothing to flush: the processor doesn't remember absent entries */
}

enum error space_unmap(struct cap *page)
{
    struct space *space = page->map.space;
    if (!space)
        return ERROR_NOT_MAPPED;
    for (uint64_t i = 0; i < page->pages; i++) {
        uint64_t missing;
        *paging_entry(space->root, page->map.at + i * PAGE_BYTES, &missing) = 0;
    }
    if (cpu_self()->space == space)
        arch_flush(page->map.at, page->pages);
    list_remove(&page->map.maps);
    page->map.space = NULL;
    return OK;
}

enum error space_map_table(struct space *space, struct cap *table, uint64_t at, uint64_t *level)
{
    if (table->map.space)
        return ERROR_MAPPED;
    if (!user_range(at, 1))
        return ERROR_BAD_ARGUMENT;
    if (paging_entry(space->root, at, level))
        return ERROR_OCCUPIED;
    *paging_table_entry(space->root, at, *level) =
        virt_to_phys(table->object) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;
    table->map.space = space;
    table->map.at = at;
    list_append(&space->maps, &table->map.maps);
    return OK;
}

enum error space_unmap_table(struct cap *table)
{
    struct space *space = table->map.space;
    if (!space)
        return ERROR_NOT_MAPPED;
    if (!paging_table_empty(table->object))
        return ERROR_BAD_STATE;
    for (uint64_t level = 1; level < PAGING_LEVELS; level++) {
        uint64_t *entry = paging_table_entry(space->root, table->map.at, level);
        if (entry && (*entry & PTE_ADDRESS) == virt_to_phys(table->object))
            *entry = 0;
    }
    if (cpu_self()->space == space)
        arch_flush(table->map.at, PAGE_RUN_MAX); /* intermediate entries are remembered too */
    list_remove(&table->map.maps);
    table->map.space = NULL;
    return OK;
}

bool space_release(struct space *space)
{
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
    enum error error = cap->type == OBJECT_page ? space_unmap(cap) : space_unmap_table(cap);
    ASSERT(error == OK);
    return true;
}
