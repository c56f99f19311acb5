/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's IOMMU: the kernel's arch_iommu_* over a list of assigned devices, and
 * what a device's access becomes. It looks into tables at each access; what a real one may remember
 * is the business of the checks (check_dma.c), which hear of invalidations.
 */
#ifndef KERNEL_SIM_IOMMU_H
#define KERNEL_SIM_IOMMU_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch.h"

enum {
    SIM_CONTEXTS = 24, /* devices assigned at once */
    SIM_BUSES = 2,     /* with assigned devices */
    SIM_FAULTS = 4,    /* recorded at once */
};

struct sim_iommu {
    bool present;
    bool slow;     /* invalidations end with sim_iommu_finish, else when they are looked at */
    uint8_t looks; /* ... once more than this */
    uint8_t looked;
    bool running;   /* an invalidation */
    uint32_t begun; /* invalidations so far */
    struct sim_context {
        uint64_t root; /* 0: unused */
        uint16_t source;
        uint8_t domain;
    } context[SIM_CONTEXTS];
    uint8_t bus[SIM_BUSES], buses;
    struct iommu_fault fault[SIM_FAULTS]; /* oldest first */
    uint8_t faults;
    bool lost;

    void (*began)(void), (*ended)(void); /* an invalidation; may be NULL */
};

/* The machine has one, with that many domain numbers. After sim_reset. */
void sim_iommu_start(uint32_t domains, bool caching);

/* The invalidation that runs is over. */
void sim_iommu_finish(void);

/* Where a device's access to `bytes` bytes, none beyond the page, goes: NULL: nowhere, it is
 * recorded and told. Without an IOMMU all of memory is in reach. */
void *sim_dma(uint16_t source, uint64_t address, uint64_t bytes, bool write);

#endif
