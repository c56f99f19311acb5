/* SPDX-License-Identifier: ISC
 *
 * Walking and filling page tables. See paging.h.
 */
#include "kernel/arch/x86_64/paging.h"

#include "kernel/arch.h"

/* Level 1 is the table of 4 KiB pages, level 4 the root. */
static uint64_t index_at(uint64_t address, uint64_t level)
{
    return address >> (12 + 9 * (level - 1)) & (PAGING_ENTRIES - 1);
}

uint64_t *paging_table_entry(uint64_t *root, uint64_t address, uint64_t level)
{
    uint64_t *table = root;
    for (uint64_t at = PAGING_LEVELS; at > level + 1; at--) {
        uint64_t entry = table[index_at(address, at)];
        if (!(entry & PTE_PRESENT))
            return NULL;
        table = phys_to_virt(entry & PTE_ADDRESS);
    }
    return &table[index_at(address, level + 1)];
}

uint64_t *paging_entry(uint64_t *root, uint64_t address, uint64_t *missing)
{
    uint64_t *table = root;
    for (uint64_t at = PAGING_LEVELS; at > 1; at--) {
        uint64_t *entry = &table[index_at(address, at)];
        if (!(*entry & PTE_PRESENT)) {
            *missing = at - 1;
            return NULL;
        }
        if (*entry & PTE_LARGE)
            return entry;
        table = phys_to_virt(*entry & PTE_ADDRESS);
    }
    return &table[index_at(address, 1)];
}

uint64_t paging_user_entry(uint64_t physical, uint8_t rights, bool device, bool nx)
{
    /* Accessed and dirty are set beforehand: the processor then never writes to the table. */
    uint64_t entry = physical | PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
    if (rights & RIGHT_WRITE)
        entry |= PTE_WRITE;
    if (!(rights & RIGHT_EXECUTE) && nx)
        entry |= PTE_NO_EXECUTE;
    if (device)
        entry |= PTE_UNCACHED;
    return entry;
}

bool paging_table_empty(const uint64_t *table)
{
    uint64_t present = 0;
    for (int i = 0; i < PAGING_ENTRIES; i++)
        present |= table[i];
    return !(present & PTE_PRESENT);
}
