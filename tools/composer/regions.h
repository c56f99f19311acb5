/* SPDX-License-Identifier: ISC
 *
 * The steps that a layout is made of: pieces of memory, and who maps them where. For layout.c and
 * heaps.c.
 */
#ifndef COMPOSE_REGIONS_H
#define COMPOSE_REGIONS_H

#include "tools/composer/layout.h"

uint64_t pages_of(uint64_t bytes);

/* A new region, nowhere mapped; the text is its label. Contents follow those added before. */
__attribute__((format(printf, 4, 5))) uint32_t add_region(struct composition *c,
                                                          enum image_region_kind kind,
                                                          uint64_t pages, const char *format, ...);

/* Bytes that the image carries at `offset` of its contents; or, on pages of their own, behind those
 * added before: where. */
void put_content(struct composition *c, const uint8_t *bytes, uint64_t size, uint64_t offset);
uint64_t add_content(struct composition *c, const uint8_t *bytes, uint64_t size);

/* Where the contents of that program lie. */
const struct program_regions *program_regions(const struct composition *c,
                                              const struct program *program);

/* Counts the page tables that `pages` at `address` need beyond those counted. Addresses come in
 * ascending order, so only the last ones need to be remembered. */
void count_tables(struct composed_domain *domain, uint64_t address, uint64_t pages);

/* Maps a region at a given address; 0: only the capability. init's mappings are the kernel's work
 * and take no slots. */
struct image_mapping *map_at(struct composition *c, uint32_t d, uint32_t region, uint8_t rights,
                             uint64_t address);

/* Maps a region at the next free address, leaving a page unmapped behind it. */
struct image_mapping *map_next(struct composition *c, uint32_t d, uint32_t region, uint8_t rights);

/* Memory of the domain's own, readable and writable; returns the region. */
uint32_t map_own(struct composition *c, uint32_t d, uint64_t bytes, const char *what,
                 uint64_t *address);

#endif
