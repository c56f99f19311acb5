/* SPDX-License-Identifier: ISC
 *
 * Intel VT-d (specification 3.3) in legacy mode: second-level tables, invalidation through
 * registers, faults recorded in registers. All units share one root table; each bus with an
 * assigned device has one of VTD_BUSES context tables. Root and context tables are boot memory,
 * which nobody else ever gets.
 *
 * Invariants: a context entry is present only for a device that arch_iommu_assign named. Tables are
 * written where the unit sees it before it is told of them (vtd_written).
 */
#ifndef KERNEL_VTD_H
#define KERNEL_VTD_H

#include "kernel/arch.h"
#include "kernel/arch/x86_64/dmar.h"

enum {
    VTD_BUSES = 8,
    VTD_TABLE_PAGES = 1 + VTD_BUSES,
};

/* Switches the units on, their registers being at DEVICE_PAGE_VTD and behind; no device reaches
 * anything then. `tables`: VTD_TABLE_PAGES zeroed pages of the direct map, to keep. NULL: done;
 * else why they aren't used, and all that were reached are off. */
const char *vtd_start(uint32_t units, uint64_t *tables);

/* Raises `vector` when a fault is recorded and none was left. BAD_ARGUMENT: there is no unit. */
enum error vtd_route(uint64_t vector);
void vtd_mask(bool masked);

#endif
