/* SPDX-License-Identifier: ISC
 *
 * See heaps.h.
 */
#include "tools/composer/heaps.h"

#include <string.h>

#include "motet/abi.h"
#include "tools/composer/regions.h"

static uint32_t blocks_of(uint64_t bytes)
{
    return (uint32_t)((bytes + HEAP_BLOCK_BYTES - 1) / HEAP_BLOCK_BYTES);
}

bool has_pager(const struct manifest_domain *domain)
{
    return domain->heap && !domain->pager_name;
}

uint32_t heap_blocks(const struct manifest *manifest)
{
    uint32_t blocks = 0;
    for (uint32_t d = 1; d < manifest->domain_count; d++)
        if (has_pager(&manifest->domains[d]))
            blocks += blocks_of(manifest->domains[d].heap);
    return blocks;
}

static bool find_pager(const struct manifest *manifest, struct manifest_domain *domain)
{
    const char *names[IMAGE_DOMAINS_MAX];
    uint32_t count = 0;
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        if (!strcmp(manifest->domains[d].name, domain->pager_name)) {
            domain->pager = d;
            return true;
        }
        names[count++] = manifest->domains[d].name;
    }
    char buffer[SUGGESTION_BYTES];
    return report(domain->at, "unknown domain \"%s\" as pager of \"%s\" — %s", domain->pager_name,
                  domain->name, suggest(buffer, domain->pager_name, names, count));
}

static void check_pager(const struct manifest *manifest, struct manifest_domain *domain,
                        uint32_t *paged)
{
    if (!domain->heap) {
        report(domain->at, "domain \"%s\" has a pager but no heap — give heap = SIZE",
               domain->name);
        return;
    }
    if (domain->heap_kept)
        report(domain->at,
               "the heap of domain \"%s\" is another domain's memory: nothing is kept — drop "
               "heap_kept",
               domain->name);
    if (!find_pager(manifest, domain))
        return;
    const struct manifest_domain *pager = &manifest->domains[domain->pager];
    if (!has_pager(pager))
        report(domain->at,
               "\"%s\" is to serve the heap of \"%s\" out of its own — give it heap = SIZE and no "
               "pager",
               pager->name, domain->name);
    if (pager->priority < domain->priority)
        report(domain->at,
               "\"%s\" has priority %u, \"%s\", which it pages for, %u — a pager's must be at "
               "least as high",
               pager->name, pager->priority, domain->name, domain->priority);
    if (++paged[domain->pager] == START_PAGED_MAX + 1)
        report(domain->at, "\"%s\" pages for more than %d domains — share them out", pager->name,
               START_PAGED_MAX);
}

void heaps_check(struct manifest *manifest)
{
    uint32_t paged[IMAGE_DOMAINS_MAX] = {0};
    for (uint32_t d = 1; d < manifest->domain_count; d++) {
        struct manifest_domain *domain = &manifest->domains[d];
        if (domain->pager_name)
            check_pager(manifest, domain, paged);
        else if (domain->heap_kept && domain->heap_kept > domain->heap)
            report(domain->at, "heap_kept = %llu bytes of a heap of %llu — keep at most all of it",
                   (unsigned long long)domain->heap_kept, (unsigned long long)domain->heap);
    }
    if (heap_blocks(manifest) > HEAP_BLOCKS_IMAGE_MAX)
        report(manifest->at, "the heaps have %u KiB in all — there can be %d: make some smaller",
               heap_blocks(manifest) * HEAP_BLOCK_BYTES / 1024,
               HEAP_BLOCKS_IMAGE_MAX * HEAP_BLOCK_BYTES / 1024);
}

/* The pager thread's stack, and what it shares with the domain's own. */
static void add_pager(struct composition *c, uint32_t d)
{
    const struct manifest_domain *drawn = &c->manifest->domains[d];
    struct composed_domain *domain = &c->domains[d];
    struct image_domain *record = &domain->record;
    uint64_t stack;
    map_own(c, d, PAGE_BYTES, "pager's stack", &stack);
    map_own(c, d, PAGE_BYTES, "heap's state", &domain->page.heap.state);
    record->pager_entry = domain->program->pager_entry;
    record->pager_priority =
        (uint8_t)(drawn->priority < PRIORITY_MAX ? drawn->priority + 1 : PRIORITY_MAX);
    record->pager_stack = stack + PAGE_BYTES;
    record->heap_kept = (uint16_t)blocks_of(drawn->heap_kept);
    record->pager_slot = domain->page.heap.slot = domain->slots;
    domain->slots += pager_slots(record->heap_blocks);
    domain->memory_pages += record->heap_kept * (uint64_t)HEAP_BLOCK_PAGES;
    c->memory_pages += record->heap_kept * (uint64_t)HEAP_BLOCK_PAGES;
}

static void add_heap(struct composition *c, uint32_t d)
{
    const struct manifest_domain *drawn = &c->manifest->domains[d];
    struct composed_domain *domain = &c->domains[d];
    struct image_domain *record = &domain->record;
    record->heap_blocks = (uint16_t)blocks_of(drawn->heap);
    record->fault_slot = domain->slots++;
    if (has_pager(drawn))
        add_pager(c, d);
    uint64_t pages = record->heap_blocks * (uint64_t)HEAP_BLOCK_PAGES;
    record->heap_address =
        (domain->cursor + HEAP_BLOCK_BYTES - 1) / HEAP_BLOCK_BYTES * HEAP_BLOCK_BYTES;
    count_tables(domain, record->heap_address, pages);
    domain->cursor = record->heap_address + (pages + 1) * PAGE_BYTES;
    domain->page.heap.address = record->heap_address;
    domain->page.heap.blocks = record->heap_blocks;
}

/* What it holds of the domains that it pages for. */
static void add_paged(struct composition *c, uint32_t d)
{
    struct composed_domain *pager = &c->domains[d];
    for (uint32_t i = 1; i < c->drawn_count; i++) {
        if (c->manifest->domains[i].pager != d)
            continue;
        struct start_paged *paged = &pager->page.paged_domain[pager->page.paged++];
        strcpy(paged->name, c->manifest->domains[i].name);
        paged->domain = (uint16_t)i;
        paged->slot = c->domains[i].record.pager_slot = pager->slots;
        c->domains[i].record.pager = (uint16_t)d;
        pager->slots += PAGER_SLOTS_OUTSIDE;
    }
}

void heap_layout(struct composition *c, uint32_t d)
{
    if (c->manifest->domains[d].heap)
        add_heap(c, d);
    add_paged(c, d);
}

void heap_layout_finish(struct composition *c)
{
    for (uint32_t d = 1; d < c->drawn_count; d++) {
        struct start_page *page = &c->domains[d].page;
        for (uint32_t i = 0; i < page->paged; i++) {
            const struct image_domain *record = &c->domains[page->paged_domain[i].domain].record;
            page->paged_domain[i].address = record->heap_address;
            page->paged_domain[i].blocks = record->heap_blocks;
        }
    }
}
