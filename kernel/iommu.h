/* SPDX-License-Identifier: ISC
 *
 * The machine's IOMMU: domain numbers, and invalidations.
 *
 * An IOMMU remembers what it read from tables. What was taken out of them is out of reach only when
 * an invalidation that began later is over. There is one kind, of everything, and one at a time, so
 * that a number says which: a ticket is the number, modulo 4, of the next one to begin when it was
 * drawn.
 *
 * Invariants: done <= begun <= done + 1; a ticket that was just drawn is at most done + 2. So a
 * ticket is pending if it is one or two ahead of `done`, modulo 4. One that is kept for long may
 * look pending again; it then waits for two invalidations too many at most, and never too short.
 */
#ifndef KERNEL_IOMMU_H
#define KERNEL_IOMMU_H

#include <stdbool.h>
#include <stdint.h>

enum { IOMMU_DOMAINS_MAX = 64 };

struct iommu {
    uint64_t domains;    /* bit n: domain number n is free; never 0 in a machine that has one */
    uint8_t begun, done; /* invalidations, modulo 256 */
    bool large;          /* it knows entries of 2 MiB */
    bool caching;        /* it remembers absent entries too */
};
extern struct iommu iommu;

/* The machine has one, on, with `domains` (2 or more) domain numbers; no device reaches anything.
 */
void iommu_start(uint32_t domains, bool large, bool caching);

uint8_t iommu_ticket(void);

/* Works towards the end of the invalidation that the ticket means; true when it is over. */
bool iommu_flushed(uint8_t ticket);

#endif
