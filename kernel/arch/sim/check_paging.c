/* SPDX-License-Identifier: ISC
 *
 * Checks page tables, written without kernel/arch/x86_64/paging.c so that the two can disagree.
 * Called by check.c.
 */
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"

enum {
    ENTRIES = 512,
    USER_ENTRIES = 256,    /* of the root; the rest is the kernel's */
    REMEMBERED_MAX = 8192, /* translations; those beyond aren't checked */
    PRESENT = 1,           /* bits of an entry, SDM volume 3, 4.5 */
    WRITABLE = 2,
    USER = 4,
    UNCACHED = 8 | 16,
    ACCESSED = 32,
    DIRTY = 64,
    LARGE = 128,
};
#define NO_EXECUTE    (1ull << 63)
#define PHYSICAL_BITS 0x000ffffffffff000ull

/* What the processor may have remembered: entries of the space that it ran in. */
static struct remembered {
    uint64_t address;
    uint64_t entry;
    int level; /* 1: a page, above: a table */
} remembered[REMEMBERED_MAX];
static int remembered_count;

/* How many capabilities claim the entry; all zero between two checks. */
static uint8_t claims[SIM_PAGES_MAX * (uint64_t)PAGE_BYTES / sizeof(uint64_t)];

static void forget(uint64_t address, uint64_t pages)
{
    int kept = 0;
    for (int i = 0; i < remembered_count; i++) {
        const struct remembered *r = &remembered[i];
        bool outside = r->address < address || r->address - address >= pages * PAGE_BYTES;
        if (pages && r->level == 1 && outside)
            remembered[kept++] = *r;
    }
    remembered_count = kept;
}

void check_paging_reset(void)
{
    remembered_count = 0;
    sim.flushed = forget;
}

static uint64_t *table_of(uint64_t entry)
{
    return phys_to_virt(entry & PHYSICAL_BITS);
}

/* The entry of the table at `level` for `address`; NULL when the way to it ends earlier. */
static uint64_t *entry_at(const struct space *space, uint64_t address, int level)
{
    uint64_t *table = space->root;
    for (int at = 4;; at--) {
        uint64_t *entry = &table[address >> (3 + 9 * at) & (ENTRIES - 1)];
        if (at == level)
            return entry;
        if (!(*entry & PRESENT) || *entry & LARGE)
            return NULL;
        table = table_of(*entry);
    }
}

void check_translations(const struct space *running)
{
    for (int i = 0; i < remembered_count; i++) {
        const struct remembered *r = &remembered[i];
        const uint64_t *entry = entry_at(running, r->address, r->level);
        ASSERT(entry && *entry == r->entry); /* else a flush is missing */
    }
}

static void remember(const struct space *space, uint64_t address, int level, uint64_t entry)
{
    if (sim_cpu.space != space || remembered_count == REMEMBERED_MAX)
        return;
    remembered[remembered_count++] = (struct remembered){address, entry, level};
}

static uint8_t *claim_of(const uint64_t *entry)
{
    return &claims[((const uint8_t *)entry - sim_memory) / sizeof(uint64_t)];
}

/* Most of a table is empty: eight entries at a time. */
static uint64_t first_used(const uint64_t *table, uint64_t from, uint64_t end)
{
    uint64_t i = from;
    while (i < end && i % 8)
        if (table[i++])
            return i - 1;
    while (i < end && !(table[i] | table[i + 1] | table[i + 2] | table[i + 3] | table[i + 4] |
                        table[i + 5] | table[i + 6] | table[i + 7]))
        i += 8;
    while (i < end && !table[i])
        i++;
    return i;
}

/* Looks at every entry below `table`; all that are present must have been claimed exactly once. */
static int count_present(const struct space *space, uint64_t *table, int level, uint64_t address)
{
    uint64_t end = level == 4 ? USER_ENTRIES : ENTRIES;
    int present = 0;
    for (uint64_t i = first_used(table, 0, end); i < end; i = first_used(table, i + 1, end)) {
        uint64_t here = address | i << (3 + 9 * level);
        ASSERT(table[i] & PRESENT);
        ASSERT(*claim_of(&table[i]) == 1);
        *claim_of(&table[i]) = 0;
        remember(space, here, level, table[i]);
        present++;
        if (level > 1 && !(table[i] & LARGE))
            present += count_present(space, table_of(table[i]), level - 1, here);
    }
    return present;
}

static uint64_t expected_entry(const struct cap *page, uint64_t index, uint64_t found)
{
    uint64_t entry = page->address + index * PAGE_BYTES;
    entry |= PRESENT | USER | ACCESSED | DIRTY;
    if (page->flags & CAP_DEVICE)
        entry |= UNCACHED;
    /* The mapping may have fewer rights than the capability. */
    ASSERT(!(found & WRITABLE) || (page->rights & RIGHT_WRITE));
    ASSERT((found & NO_EXECUTE) || (page->rights & RIGHT_EXECUTE));
    ASSERT(!(found & WRITABLE) || (found & NO_EXECUTE));
    return entry | (found & (WRITABLE | NO_EXECUTE));
}

static int claim_page(const struct space *space, const struct cap *page)
{
    ASSERT(page->map.at >= USER_ADDRESS_FIRST &&
           page->map.at + page->pages * (uint64_t)PAGE_BYTES <= USER_ADDRESS_END);
    const uint64_t *large = entry_at(space, page->map.at, 2);
    if (large && *large & LARGE) {
        ASSERT(page->pages == ENTRIES && page->map.at % (ENTRIES * PAGE_BYTES) == 0);
        ASSERT((*large & PHYSICAL_BITS) % (ENTRIES * PAGE_BYTES) == 0);
        ASSERT(*large == (expected_entry(page, 0, *large) | LARGE));
        ++*claim_of(large);
        return 1;
    }
    for (uint64_t i = 0; i < page->pages; i++) {
        const uint64_t *entry = entry_at(space, page->map.at + i * PAGE_BYTES, 1);
        ASSERT(entry && !(*entry & LARGE));
        ASSERT(*entry == expected_entry(page, i, *entry));
        ++*claim_of(entry);
    }
    return (int)page->pages;
}

void check_mapped(const struct cap *page, uint8_t rights)
{
    for (uint64_t i = 0; i < page->pages; i++) {
        const uint64_t *entry = entry_at(page->map.space, page->map.at + i * PAGE_BYTES, 1);
        if (!entry) /* one large entry stands for all */
            entry = entry_at(page->map.space, page->map.at, 2);
        ASSERT(entry && (*entry & PRESENT));
        ASSERT(((*entry & WRITABLE) != 0) == ((rights & RIGHT_WRITE) != 0));
        ASSERT(((*entry & NO_EXECUTE) == 0) == ((rights & RIGHT_EXECUTE) != 0));
    }
}

/* A table is where its capability says, on exactly one level. */
static int claim_table(const struct space *space, const struct cap *table)
{
    const uint64_t expected = virt_to_phys(table->object) | PRESENT | WRITABLE | USER | ACCESSED;
    int found = 0;
    for (int level = 4; level >= 2; level--) {
        const uint64_t *entry = entry_at(space, table->map.at, level);
        if (!entry || (*entry & PHYSICAL_BITS) != (expected & PHYSICAL_BITS))
            continue;
        ASSERT(*entry == expected);
        ++*claim_of(entry);
        found++;
    }
    ASSERT(found == 1);
    return found;
}

void check_space_entries(const struct space *space)
{
    int claimed = 0;
    for (const struct list *l = space->maps.next; l != &space->maps; l = l->next) {
        const struct cap *cap = CONTAINER_OF(l, struct cap, map.maps);
        claimed += cap->type == OBJECT_page ? claim_page(space, cap) : claim_table(space, cap);
    }
    if (sim_cpu.space == space)
        remembered_count = 0; /* they were checked: what is there now is what may be remembered */
    ASSERT(count_present(space, space->root, 4, 0) == claimed);
    uint64_t different = 0;
    for (int i = USER_ENTRIES; i < ENTRIES; i++)
        different |= space->root[i] ^ SIM_KERNEL_ENTRY;
    ASSERT(!different);
}
