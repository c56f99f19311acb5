/* SPDX-License-Identifier: ISC
 *
 * Invalidations, in order. See iommu.h.
 */
#include "kernel/iommu.h"

#include "kernel/arch.h"

struct iommu iommu;

void iommu_start(uint32_t domains, bool large, bool caching)
{
    if (domains > IOMMU_DOMAINS_MAX)
        domains = IOMMU_DOMAINS_MAX;
    /* 0 is kept free: dmaspaces without devices have it, and with `caching` the hardware. */
    iommu = (struct iommu){.large = large, .caching = caching};
    iommu.domains = (~0ull >> (IOMMU_DOMAINS_MAX - domains)) & ~1ull;
}

uint8_t iommu_ticket(void)
{
    return (iommu.begun + 1) & 3;
}

static bool pending(uint8_t ticket)
{
    uint8_t ahead = (ticket - iommu.done) & 3;
    return ahead == 1 || ahead == 2;
}

bool iommu_flushed(uint8_t ticket)
{
    if (!pending(ticket))
        return true;
    if (iommu.begun != iommu.done && arch_iommu_invalidated())
        iommu.done = iommu.begun;
    if (iommu.begun == iommu.done && pending(ticket)) {
        arch_iommu_invalidate();
        iommu.begun++;
        if (arch_iommu_invalidated())
            iommu.done = iommu.begun;
    }
    return !pending(ticket);
}
