/* SPDX-License-Identifier: ISC
 *
 * A space of device addresses: DMASPACE_PAGES pages, this header, the root table, and the table
 * below its first entry, which covers all of DMA_ADDRESS_END: an IOMMU with three levels starts
 * there, one with four at the root. Pages and tables are mapped as in any space (space.h).
 *
 * Invariants: the devices in `devices` are those whose context entry points here. `domain` isn't 0
 * while there are any, nor until the invalidation that begins after the last one went is over: so
 * without a domain the IOMMU remembers nothing of these tables.
 */
#ifndef KERNEL_DMASPACE_H
#define KERNEL_DMASPACE_H

#include "kernel/space.h"

struct dmaspace {
    struct space space;                 /* first: a pointer to one is a pointer to the other */
    uint16_t devices[DMASPACE_DEVICES]; /* source ids */
    uint8_t count;
    uint8_t domain; /* number, from iommu.domains; 0: none */
    uint8_t ticket; /* of the invalidation after the last change of `devices` */
};

void dmaspace_init(struct dmaspace *dmaspace);

/* Gives a device what is mapped here. ERROR_MORE: call again, until then it may not have it. */
enum error dmaspace_assign(struct dmaspace *dmaspace, uint64_t source);

/* Nothing may be mapped any more: the IOMMU could remember that it wasn't there. */
bool dmaspace_settled(const struct space *space);

/* The entries of a page or table capability are gone. True: the IOMMU has forgotten them too. */
bool dmaspace_forgotten(struct space *space, struct cap *cap);

/* Takes the devices away. True: no device reaches anything here any more. */
bool dmaspace_abandoned(struct space *space);

#endif
