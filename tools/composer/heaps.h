/* SPDX-License-Identifier: ISC
 *
 * Heaps and who serves them (docs/paging.md): what a manifest may say, and where it all goes.
 */
#ifndef COMPOSE_HEAPS_H
#define COMPOSE_HEAPS_H

#include "tools/composer/layout.h"

/* Checks heap, heap_kept and pager of all domains, once all are read; sets pager's index. */
void heaps_check(struct manifest *manifest);

/* Whether the domain has a pager thread of its own, and so a program with it. */
bool has_pager(const struct manifest_domain *domain);

/* Blocks of memory that the heaps of the image can have in all. */
uint32_t heap_blocks(const struct manifest *manifest);

/* The heap of a domain at its next free address, and the slots of its pager; the slots of what it
 * pages for. */
void heap_layout(struct composition *c, uint32_t d);

/* What is known only now that all domains have their addresses. */
void heap_layout_finish(struct composition *c);

#endif
