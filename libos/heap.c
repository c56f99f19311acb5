/* SPDX-License-Identifier: ISC
 *
 * See heap.h. Servers reach it through domain.h.
 */
#include "libos/heap.h"

#include <stddef.h>
#include <string.h>

#define CLOSED UINT64_MAX

void heap_init(struct heap *heap, uint64_t address, uint32_t blocks)
{
    heap->address = address;
    heap->blocks = blocks;
}

static uint64_t pages_of(uint64_t bytes)
{
    return bytes / IMAGE_PAGE + (bytes % IMAGE_PAGE != 0);
}

static uint64_t mask_of(uint64_t pages, uint32_t first)
{
    return (pages == HEAP_BLOCK_PAGES ? UINT64_MAX : (1ull << pages) - 1) << first;
}

/* The first of `pages` clear bits in a row, HEAP_BLOCK_PAGES if there aren't so many. */
static uint32_t room_in(uint64_t used, uint64_t pages)
{
    uint64_t starts = ~used; /* bits from which on so many are clear as were looked at */
    for (uint64_t i = 1; i < pages; i++)
        starts &= ~used >> i; /* zeroes come in from above: a row ends with the block */
    return starts ? (uint32_t)__builtin_ctzll(starts) : HEAP_BLOCK_PAGES;
}

static bool exchange(uint64_t *word, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* What was mapped before has its former contents. A page that isn't present any more when it is
 * cleared is brought in, zero, by the fault: closing needs a block without use. */
static void clear_present(const struct heap_block *block, char *memory, uint64_t pages,
                          uint32_t first)
{
    uint64_t present = load(&block->present) >> first;
    for (uint64_t i = 0; i < pages; i++)
        if (present >> i & 1)
            memset(memory + i * IMAGE_PAGE, 0, IMAGE_PAGE);
}

void *heap_alloc(struct heap *heap, uint64_t bytes)
{
    uint64_t pages = pages_of(bytes);
    if (pages == 0 || pages > HEAP_BLOCK_PAGES)
        return NULL;
    for (uint32_t b = 0; b < heap->blocks; b++) {
        struct heap_block *block = &heap->block[b];
        uint64_t used;
        uint32_t first;
        do {
            used = load(&block->used);
            first = room_in(used, pages);
        } while (first < HEAP_BLOCK_PAGES &&
                 !exchange(&block->used, used, used | mask_of(pages, first)));
        if (first == HEAP_BLOCK_PAGES)
            continue;
        char *memory =
            (char *)heap->address + b * (uint64_t)HEAP_BLOCK_BYTES + first * (uint64_t)IMAGE_PAGE;
        clear_present(block, memory, pages, first);
        return memory;
    }
    return NULL;
}

static bool inside(const struct heap *heap, uint64_t address, uint32_t *block, uint32_t *page)
{
    uint64_t offset = address - heap->address;
    if (address < heap->address || offset >= heap->blocks * (uint64_t)HEAP_BLOCK_BYTES)
        return false;
    *block = (uint32_t)(offset / HEAP_BLOCK_BYTES);
    *page = (uint32_t)(offset % HEAP_BLOCK_BYTES / IMAGE_PAGE);
    return true;
}

bool heap_free(struct heap *heap, void *memory, uint64_t bytes)
{
    uint64_t pages = pages_of(bytes);
    uint32_t b, first;
    if (!inside(heap, (uint64_t)memory, &b, &first) || (uint64_t)memory % IMAGE_PAGE ||
        pages == 0 || pages > HEAP_BLOCK_PAGES - first)
        return false;
    uint64_t mask = mask_of(pages, first);
    struct heap_block *block = &heap->block[b];
    if ((load(&block->used) & mask) != mask)
        return false;
    __atomic_and_fetch(&block->lost, ~mask, __ATOMIC_SEQ_CST);
    __atomic_and_fetch(&block->used, ~mask, __ATOMIC_SEQ_CST); /* last: now it may be closed */
    return true;
}

bool heap_find(const struct heap *heap, uint64_t address, uint32_t *block, uint32_t *page)
{
    if (!inside(heap, address, block, page))
        return false;
    const struct heap_block *b = &heap->block[*block];
    return load(&b->used) >> *page & ~load(&b->lost) >> *page & 1;
}

void heap_present(struct heap *heap, uint32_t block, uint32_t page)
{
    __atomic_or_fetch(&heap->block[block].present, 1ull << page, __ATOMIC_SEQ_CST);
}

bool heap_close(struct heap *heap, uint32_t block)
{
    return exchange(&heap->block[block].used, 0, CLOSED);
}

void heap_gone(struct heap *heap, uint32_t block, bool closed)
{
    struct heap_block *b = &heap->block[block];
    uint64_t present = __atomic_exchange_n(&b->present, 0, __ATOMIC_SEQ_CST);
    if (closed)
        __atomic_store_n(&b->used, 0, __ATOMIC_SEQ_CST);
    else
        __atomic_or_fetch(&b->lost, present & load(&b->used), __ATOMIC_SEQ_CST);
}
