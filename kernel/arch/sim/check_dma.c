/* SPDX-License-Identifier: ISC
 *
 * Checks DMA spaces and what devices may reach, written without the code that makes either. Called
 * by check.c.
 *
 * An IOMMU may remember whatever was in its tables since an invalidation that is over began. So
 * each mapping that was seen in a space with a domain is kept here until then, and meanwhile must
 * still be the mapping of a live capability: its pages can't be anything else.
 */
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/dmaspace.h"
#include "kernel/iommu.h"

enum {
    ENTRIES = 512,
    REMEMBERED_MAX = 1024, /* mappings; those beyond aren't checked */
    READABLE = 1,          /* bits of an entry, VT-d specification 9.8 */
    WRITABLE = 2,
    LARGE = 128,
};
#define PHYSICAL_BITS 0x000ffffffffff000ull

static struct mapping {
    const struct space *space;
    uint64_t at, pages;
    uint64_t what; /* a page's physical address, a table's kernel address */
    uint8_t type;
    bool old; /* gone when the invalidation that runs began: over with it */
} remembered[REMEMBERED_MAX];
static int remembered_count;

static struct mapping mapping_of(const struct cap *cap)
{
    return (struct mapping){cap->map.space, cap->map.at, cap->pages,
                            cap->address,   cap->type,   false};
}

static bool same(const struct mapping *a, const struct mapping *b)
{
    return a->space == b->space && a->at == b->at && a->pages == b->pages && a->what == b->what &&
           a->type == b->type;
}

/* Spaces that are gone are in no list: their memory is not to be looked at. */
static const struct space *spaces[IOMMU_DOMAINS_MAX];
static int space_count;

static bool space_lives(const struct space *space)
{
    for (int i = 0; i < space_count; i++)
        if (spaces[i] == space)
            return true;
    return false;
}

#define FOR_EACH_MAP(cap, space)                                                                   \
    for (const struct cap *cap = CONTAINER_OF((space)->maps.next, struct cap, map.maps);           \
         &cap->map.maps != &(space)->maps;                                                         \
         cap = CONTAINER_OF(cap->map.maps.next, struct cap, map.maps))

/* Whether a capability has that mapping; with `present` one whose entries are there. */
static bool is_mapped(const struct mapping *mapping, bool present)
{
    FOR_EACH_MAP(cap, mapping->space)
    {
        struct mapping here = mapping_of(cap);
        if (same(&here, mapping) && !(present && cap->flags & CAP_FLUSHING))
            return true;
    }
    return false;
}

static void began(void)
{
    for (int i = 0; i < remembered_count; i++)
        remembered[i].old = !((const struct dmaspace *)remembered[i].space)->count ||
                            !is_mapped(&remembered[i], true);
}

static void ended(void)
{
    int kept = 0;
    for (int i = 0; i < remembered_count; i++)
        if (!remembered[i].old)
            remembered[kept++] = remembered[i];
    remembered_count = kept;
}

void check_dma_reset(void)
{
    remembered_count = 0;
    sim.iommu.began = began;
    sim.iommu.ended = ended;
}

static void remember(const struct mapping *mapping)
{
    for (int i = 0; i < remembered_count; i++)
        if (same(&remembered[i], mapping)) {
            remembered[i].old = mapping->old;
            return;
        }
    if (remembered_count < REMEMBERED_MAX)
        remembered[remembered_count++] = *mapping;
}

/* What waits for the invalidation with a ticket: it may be remembered until that is over. */
static void remember_until(struct mapping *mapping, uint8_t ticket)
{
    /* What is over counts, whether the kernel has seen it or not. */
    uint8_t done = sim.iommu.running ? iommu.done : iommu.begun;
    uint8_t ahead = (ticket - done) & 3;
    mapping->old = ahead == 1 && sim.iommu.running;
    if (ahead == 1 || ahead == 2)
        remember(mapping);
}

static void remember_map(const struct dmaspace *dmaspace, const struct cap *cap)
{
    struct mapping mapping = mapping_of(cap);
    if (cap->flags & CAP_FLUSHING)
        remember_until(&mapping, cap->flags >> CAP_TICKET_SHIFT);
    else if (dmaspace->count)
        remember(&mapping);
    else if (dmaspace->domain)
        remember_until(&mapping, dmaspace->ticket);
}

/* --- one space --- */

static const uint64_t *entry_at(const struct space *space, uint64_t address, int level)
{
    const uint64_t *table = space->root;
    for (int at = 4;; at--) {
        const uint64_t *entry = &table[address >> (3 + 9 * at) & (ENTRIES - 1)];
        if (at == level)
            return entry;
        if (!(*entry & READABLE) || *entry & LARGE)
            return NULL;
        table = phys_to_virt(*entry & PHYSICAL_BITS);
    }
}

static int claim_page(const struct space *space, const struct cap *page)
{
    ASSERT((page->rights & (RIGHT_READ | RIGHT_DMA)) == (RIGHT_READ | RIGHT_DMA));
    ASSERT(page->map.at + page->pages * (uint64_t)PAGE_BYTES <= DMA_ADDRESS_END);
    const uint64_t *large = entry_at(space, page->map.at, 2);
    bool is_large = large && *large & LARGE;
    for (uint64_t i = 0; i < page->pages; i++) {
        const uint64_t *entry =
            is_large ? large : entry_at(space, page->map.at + i * PAGE_BYTES, 1);
        uint64_t expected = is_large ? page->address | LARGE : page->address + i * PAGE_BYTES;
        ASSERT(entry && (*entry & ~(uint64_t)WRITABLE) == (expected | READABLE));
        ASSERT(!(*entry & WRITABLE) || (page->rights & RIGHT_WRITE));
    }
    return is_large ? 1 : (int)page->pages;
}

static int claim_table(const struct space *space, const struct cap *table)
{
    int found = 0;
    for (int level = 3; level >= 2; level--) {
        const uint64_t *entry = entry_at(space, table->map.at, level);
        found += entry && *entry == (virt_to_phys(table->object) | READABLE | WRITABLE);
    }
    ASSERT(found == 1);
    return found;
}

static int count_present(const uint64_t *table, int level)
{
    int present = 0;
    for (int i = 0; i < ENTRIES; i++) {
        if (!table[i])
            continue;
        ASSERT(table[i] & READABLE);
        present++;
        if (level > 1 && !(table[i] & LARGE))
            present += count_present(phys_to_virt(table[i] & PHYSICAL_BITS), level - 1);
    }
    return present;
}

static void check_header(const struct dmaspace *dmaspace)
{
    const struct space *space = &dmaspace->space;
    ASSERT(space->dma && space->end == DMA_ADDRESS_END && list_empty(&space->threads));
    ASSERT((uint64_t)space->root == (uint64_t)space + PAGE_BYTES);
    ASSERT(space->root_physical == virt_to_phys(space->root));
    ASSERT(space->root[0] == (space->root_physical + PAGE_BYTES) + (READABLE | WRITABLE));
    ASSERT(dmaspace->count <= DMASPACE_DEVICES && (dmaspace->domain || !dmaspace->count));
}

void check_dmaspace_entries(const struct space *space)
{
    const struct dmaspace *dmaspace = (const struct dmaspace *)space;
    int claimed = 1; /* the root's own */
    check_header(dmaspace);
    ASSERT(space_count < IOMMU_DOMAINS_MAX);
    spaces[space_count++] = space;
    FOR_EACH_MAP(cap, space)
    {
        remember_map(dmaspace, cap);
        if (cap->flags & CAP_FLUSHING)
            continue;
        claimed += cap->type == OBJECT_page ? claim_page(space, cap) : claim_table(space, cap);
    }
    ASSERT(count_present(space->root, 4) == claimed);
}

/* --- all of them, and the devices --- */

void check_dma_begin(void)
{
    space_count = 0;
}

static int contexts_of(const struct dmaspace *dmaspace)
{
    int found = 0;
    for (int i = 0; i < SIM_CONTEXTS; i++) {
        const struct sim_context *context = &sim.iommu.context[i];
        if (context->root != dmaspace->space.root_physical)
            continue;
        ASSERT(context->domain == dmaspace->domain);
        bool listed = false;
        for (int n = 0; n < dmaspace->count; n++)
            listed |= dmaspace->devices[n] == context->source;
        ASSERT(listed);
        found++;
    }
    return found;
}

void check_dma(void)
{
    uint64_t domains = 0;
    int contexts = 0, used = 0;
    for (int i = 0; i < space_count; i++) {
        const struct dmaspace *dmaspace = (const struct dmaspace *)spaces[i];
        ASSERT(contexts_of(dmaspace) == dmaspace->count);
        contexts += dmaspace->count;
        if (!dmaspace->domain)
            continue;
        ASSERT(!((domains | iommu.domains) >> dmaspace->domain & 1));
        domains |= 1ull << dmaspace->domain;
    }
    for (int i = 0; i < SIM_CONTEXTS; i++)
        used += sim.iommu.context[i].root != 0;
    ASSERT(used == contexts);
    ASSERT(iommu.begun == iommu.done || iommu.begun == (uint8_t)(iommu.done + 1));
    ASSERT(!sim.iommu.running || iommu.begun != iommu.done);
    for (int i = 0; i < remembered_count; i++) {
        ASSERT(space_lives(remembered[i].space)); /* else devices may walk what is no table */
        ASSERT(is_mapped(&remembered[i], false)); /* else they may reach what was taken back */
    }
}
