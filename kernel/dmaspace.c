/* SPDX-License-Identifier: ISC
 *
 * DMA spaces and their devices. See dmaspace.h.
 */
#include "kernel/dmaspace.h"

#include "kernel/arch.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/iommu.h"

static struct dmaspace *dmaspace_of(struct space *space)
{
    return (struct dmaspace *)space;
}

void dmaspace_init(struct dmaspace *dmaspace)
{
    struct space *space = &dmaspace->space;
    list_init(&space->maps);
    list_init(&space->threads);
    space->root = (uint64_t *)((char *)dmaspace + PAGE_BYTES);
    space->root_physical = virt_to_phys(space->root);
    space->end = DMA_ADDRESS_END;
    space->dma = true;
    space->root[0] = (space->root_physical + PAGE_BYTES) | PTE_PRESENT | PTE_WRITE;
    arch_iommu_written(space->root, 2 * PAGE_BYTES);
}

static bool has_device(const struct dmaspace *dmaspace, uint64_t source)
{
    for (int i = 0; i < dmaspace->count; i++)
        if (dmaspace->devices[i] == source)
            return true;
    return false;
}

static enum error device_add(struct dmaspace *dmaspace, uint64_t source)
{
    uint8_t domain = dmaspace->domain;
    if (dmaspace->count == DMASPACE_DEVICES || (!domain && !iommu.domains))
        return ERROR_LIMIT;
    if (!domain)
        domain = (uint8_t)__builtin_ctzll(iommu.domains);
    enum error error = arch_iommu_assign(source, dmaspace->space.root_physical, domain);
    if (error)
        return error;
    iommu.domains &= ~(1ull << domain);
    dmaspace->domain = domain;
    dmaspace->devices[dmaspace->count++] = (uint16_t)source;
    dmaspace->ticket = iommu_ticket();
    return OK;
}

enum error dmaspace_assign(struct dmaspace *dmaspace, uint64_t source)
{
    enum error error = OK;
    if (source > UINT16_MAX)
        return ERROR_BAD_ARGUMENT;
    if (!has_device(dmaspace, source))
        error = device_add(dmaspace, source);
    if (error)
        return error;
    return iommu_flushed(dmaspace->ticket) ? OK : ERROR_MORE;
}

bool dmaspace_settled(const struct space *space)
{
    return iommu.caching && ((const struct dmaspace *)space)->domain;
}

bool dmaspace_forgotten(struct space *space, struct cap *cap)
{
    if (!(cap->flags & CAP_FLUSHING)) {
        if (!dmaspace_of(space)->domain)
            return true;
        cap->flags |= (uint8_t)(CAP_FLUSHING | iommu_ticket() << CAP_TICKET_SHIFT);
    }
    if (!iommu_flushed(cap->flags >> CAP_TICKET_SHIFT))
        return false;
    cap->flags &= CAP_FLUSHING - 1;
    return true;
}

bool dmaspace_abandoned(struct space *space)
{
    struct dmaspace *dmaspace = dmaspace_of(space);
    if (!dmaspace->domain)
        return true;
    if (dmaspace->count) {
        for (int i = 0; i < dmaspace->count; i++)
            arch_iommu_unassign(dmaspace->devices[i]);
        dmaspace->count = 0;
        dmaspace->ticket = iommu_ticket();
    }
    if (!iommu_flushed(dmaspace->ticket))
        return false;
    iommu.domains |= 1ull << dmaspace->domain;
    dmaspace->domain = 0;
    return true;
}
