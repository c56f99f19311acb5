/* SPDX-License-Identifier: ISC
 *
 * A domain's heap: pages that aren't there until they are touched, then zero. Two threads of the
 * domain share the struct: its own allocates and frees here, its pager (libos/pager.c) brings
 * pages, and gives blocks back that nothing is allocated in. docs/paging.md.
 *
 * Invariants, for each block:
 *  - a page's bit in `used` is set and cleared by the domain's own thread. The pager turns 0 into
 * all ones when it gives the block back, so that nothing is allocated there, and 0 again when it is
 * gone;
 *  - `present` are the pages that are mapped; the pager alone writes it;
 *  - `lost` are pages that were in use when the supervisor took the block by force: the pager sets
 *    bits, heap_free clears them. Touching such a page is a fault that nobody serves.
 * Each word is changed by one atomic instruction: either thread may be interrupted by the other.
 */
#ifndef MOTET_LIBOS_HEAP_H
#define MOTET_LIBOS_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/image.h"

struct heap_block {
    uint64_t used, present, lost;
};

struct heap {
    uint64_t address;
    uint32_t blocks;
    struct heap_block block[HEAP_BLOCKS_MAX];
};
_Static_assert(sizeof(struct heap) <= IMAGE_PAGE, "a page of its own: compose");

void heap_init(struct heap *heap, uint64_t address, uint32_t blocks);

/* Whole pages, zero, in one block, so HEAP_BLOCK_BYTES at most. NULL: 0 bytes, too many, or no room
 * in the heap. Memory is found for it when it is touched; is there none, the domain stops there. */
void *heap_alloc(struct heap *heap, uint64_t bytes);

/* Gives back what heap_alloc gave for as many bytes. False, and nothing done: it never did. */
bool heap_free(struct heap *heap, void *memory, uint64_t bytes);

/* For the pager. Whether something is allocated at `address`, of which nothing was lost; sets the
 * block and the page in it. */
bool heap_find(const struct heap *heap, uint64_t address, uint32_t *block, uint32_t *page);

/* The page is mapped now. */
void heap_present(struct heap *heap, uint32_t block, uint32_t page);

/* Nothing will be allocated in the block any more. False: something is. */
bool heap_close(struct heap *heap, uint32_t block);

/* The block's memory is gone: closed, it is as new; else what was in use is lost. */
void heap_gone(struct heap *heap, uint32_t block, bool closed);

#endif
