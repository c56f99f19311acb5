/* SPDX-License-Identifier: ISC
 *
 * Four-level page tables (SDM volume 3, 4.5). Plain functions over tables in the direct map, so
 * that they compile into a host process too. They know nothing of capabilities.
 */
#ifndef KERNEL_PAGING_H
#define KERNEL_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/abi.h"

enum { PAGING_ENTRIES = 512, PAGING_LEVELS = 4 };

#define PAGING_LARGE_BYTES (PAGING_ENTRIES * 4096ull)

#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE   (1ull << 1)
#define PTE_USER    (1ull << 2)
#define PTE_UNCACHED                                                                               \
    (1ull << 3 | 1ull << 4) /* PWT and PCD: strong uncacheable in the default PAT */
#define PTE_ACCESSED   (1ull << 5)
#define PTE_DIRTY      (1ull << 6)
#define PTE_LARGE      (1ull << 7) /* level 2: 2 MiB, level 3: 1 GiB */
#define PTE_GLOBAL     (1ull << 8)
#define PTE_NO_EXECUTE (1ull << 63)
#define PTE_ADDRESS    0x000ffffffffff000ull

/* The entry that maps the page at `address`: of level 1, or of level 2 if that is a large one (2
 * MiB, PTE_LARGE, which no entry of level 1 has). NULL: there is none; then *missing is the level
 * (3: page directory pointer, 2: page directory, 1: page table) of the first table that isn't
 * there. */
uint64_t *paging_entry(uint64_t *root, uint64_t address, uint64_t *missing);

/* The entry of the table at `level` + 1 that points, or would point, to the table of `level`
 * covering `address`; NULL if a table above is missing. */
uint64_t *paging_table_entry(uint64_t *root, uint64_t address, uint64_t level);

/* An entry for a user page with these rights (enum right). `nx`: the processor has the no-execute
 * bit. */
uint64_t paging_user_entry(uint64_t physical, uint8_t rights, bool device, bool nx);

/* An entry of VT-d's second level, whose tables look the same to this code: readable where a
 * processor's entry is present, and of a table nothing but readable and writable (VT-d
 * specification, 9.8). */
static inline uint64_t paging_dma_entry(uint64_t physical, uint8_t rights)
{
    return physical | PTE_PRESENT | (rights & RIGHT_WRITE ? PTE_WRITE : 0);
}

/* Whether a table has no present entry. */
bool paging_table_empty(const uint64_t *table);

#endif
