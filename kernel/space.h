/* SPDX-License-Identifier: ISC
 *
 * An address space: SPACE_PAGES pages, this header and the root page table.
 *
 * Invariants: every present user entry belongs to a page or table capability in `maps`, at its
 * address, but for those that are CAP_FLUSHING, which have none; a thread runs in a space only
 * while it is in `threads`. The space of a dmaspace (dmaspace.h) has no threads.
 */
#ifndef KERNEL_SPACE_H
#define KERNEL_SPACE_H

#include "kernel/cap.h"
#include "kernel/list.h"

struct space {
    struct list maps;    /* capabilities of mapped pages and tables, oldest first, by map.maps */
    struct list threads; /* by thread->space_link */
    uint64_t *root;      /* the root table, in the second page */
    uint64_t root_physical;
    uint64_t end;   /* of the addresses that can be mapped */
    bool dma;       /* it is a dmaspace's: an IOMMU walks its tables */
    uint16_t label; /* what records of a trace call it */
};

void space_init(struct space *space);

/* Maps a page capability's run. On ERROR_NO_TABLE *level says which table is missing (3 to 1). The
 * ways back return ERROR_MORE while an IOMMU may remember what is taken away: call again. */
enum error space_map(struct space *space, struct cap *page, uint64_t at, uint8_t rights,
                     uint64_t *level);
enum error space_unmap(struct cap *page);

enum error space_map_table(struct space *space, struct cap *table, uint64_t at, uint64_t *level);

/* Takes a table out. ERROR_BAD_STATE if something is mapped below it. */
enum error space_unmap_table(struct cap *table);

/* One step of emptying a space before it goes: unmaps one page or table, or stops one thread.
 * False when it is empty. */
bool space_release(struct space *space);

#endif
