/* SPDX-License-Identifier: ISC
 *
 * See regions.h.
 */
#include "tools/composer/regions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "motet/abi.h"

uint64_t pages_of(uint64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

uint32_t add_region(struct composition *c, enum image_region_kind kind, uint64_t pages,
                    const char *format, ...)
{
    if (c->region_count == IMAGE_REGIONS_MAX)
        abort(); /* check_regions */
    uint32_t index = c->region_count++;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->labels[index], LABEL_BYTES, format, arguments);
    va_end(arguments);
    c->regions[index] = (struct image_region){.pages = (uint32_t)pages, .kind = (uint8_t)kind};
    if (kind == IMAGE_CONTENT) {
        c->regions[index].offset = (uint32_t)(c->content_pages * PAGE_BYTES);
        c->content_pages += pages;
    } else {
        c->memory_pages += pages;
    }
    return index;
}

void put_content(struct composition *c, const uint8_t *bytes, uint64_t size, uint64_t offset)
{
    c->contents[c->content_count++] = (struct content){bytes, size, offset};
}

uint64_t add_content(struct composition *c, const uint8_t *bytes, uint64_t size)
{
    uint64_t offset = c->content_pages * PAGE_BYTES;
    put_content(c, bytes, size, offset);
    c->content_pages += pages_of(size);
    return offset;
}

const struct program_regions *program_regions(const struct composition *c,
                                              const struct program *program)
{
    const struct program_regions *p = c->programs;
    while (p->program != program)
        p++;
    return p;
}

void count_tables(struct composed_domain *domain, uint64_t address, uint64_t pages)
{
    static const unsigned shifts[] = {21, 30};
    for (size_t level = 0; level < 2; level++) {
        uint64_t first = (address >> shifts[level]) + 1;
        uint64_t last = ((address + pages * PAGE_BYTES - 1) >> shifts[level]) + 1;
        if (first <= domain->last_table[level])
            first = domain->last_table[level] + 1;
        if (last >= first) {
            domain->tables += last - first + 1;
            domain->last_table[level] = last;
        }
    }
}

struct image_mapping *map_at(struct composition *c, uint32_t d, uint32_t region, uint8_t rights,
                             uint64_t address)
{
    struct composed_domain *domain = &c->domains[d];
    uint32_t pages = c->regions[region].pages;
    if (c->mapping_count == MAPPINGS_MAX)
        abort(); /* the manifest's own bounds keep below */
    struct image_mapping *mapping = &c->mappings[c->mapping_count];
    c->mapping_region[c->mapping_count++] = region;
    *mapping = (struct image_mapping){.address = address, .domain = (uint16_t)d, .rights = rights};
    if (d) {
        mapping->slot = domain->slots;
        domain->slots += (pages + PAGE_RUN_MAX - 1) / PAGE_RUN_MAX;
        if (rights & IMAGE_DMA)
            domain->dma_runs += (pages + PAGE_RUN_MAX - 1) / PAGE_RUN_MAX;
    }
    if (address)
        count_tables(domain, address, pages);
    return mapping;
}

struct image_mapping *map_next(struct composition *c, uint32_t d, uint32_t region, uint8_t rights)
{
    struct composed_domain *domain = &c->domains[d];
    uint64_t address = domain->cursor;
    domain->cursor += ((uint64_t)c->regions[region].pages + 1) * PAGE_BYTES;
    return map_at(c, d, region, rights, address);
}

uint32_t map_own(struct composition *c, uint32_t d, uint64_t bytes, const char *what,
                 uint64_t *address)
{
    uint32_t region = add_region(c, IMAGE_MEMORY, pages_of(bytes), "%s", what);
    c->domains[d].memory_pages += c->regions[region].pages;
    *address = map_next(c, d, region, IMAGE_READ | IMAGE_WRITE)->address;
    return region;
}
