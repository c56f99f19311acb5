/* SPDX-License-Identifier: ISC
 *
 * What is made at boot so that domains can be swapped later: rooms that begin as copies of what the
 * image has, and the staging memory. Second bodies themselves are built as any domain is (build.c).
 * Linked only into images where a domain can be swapped. docs/swap.md.
 */
#include <string.h>

#include "libos/syscall.h"
#include "servers/init/init.h"

/* What is mapped at a swap has its page tables from here on: then there is nobody to ask for more.
 */
static void tables_make(struct init *init, uint32_t space, uint64_t address, uint64_t pages)
{
    tables_add(init, space, address);
    tables_add(init, space, address + (pages - 1) * PAGE_BYTES);
}

void room_fill(struct init *init, const struct image_region *region, uint32_t slot)
{
    const uint64_t inside = region->offset % PAGE_BYTES;
    const uint64_t pages = (inside + region->bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    if (!region->bytes)
        return;
    image_open(init, region->offset - inside, pages, COPY_FROM_WINDOW);
    object_map(init, slot, INIT_SPACE, COPY_TO_WINDOW, RIGHT_READ | RIGHT_WRITE);
    memcpy((void *)COPY_TO_WINDOW, (const void *)(COPY_FROM_WINDOW + inside), region->bytes);
    sys_invoke(slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
    image_close(init);
}

/* The image has the program once, for the first body. */
void program_renew(struct init *init, uint32_t domain)
{
    const struct image_domain *first = &init->domain[domain];
    const struct image_domain *runs = &init->domain[body_of(init, domain)];
    if (!first->body || init->bodies.entry[body_of(init, domain)])
        return;
    room_fill(init, &init->region[first->program_region], init->region_slots[runs->program_region]);
    room_fill(init, &init->region[first->constants_region],
              init->region_slots[runs->constants_region]);
}

uint32_t staging_build(struct init *init, const struct image_region *region)
{
    for (uint32_t m = 0; m < region->mappings; m++) {
        const struct image_mapping *mapping = &init->mapping[region->first_mapping + m];
        tables_make(init, init->child[mapping->domain].space, mapping->address, region->pages);
    }
    tables_make(init, INIT_SPACE, COPY_FROM_WINDOW, PAGE_RUN_MAX);
    tables_make(init, INIT_SPACE, COPY_TO_WINDOW, PAGE_RUN_MAX);
    return object_make(init, OBJECT_page, region->pages);
}
