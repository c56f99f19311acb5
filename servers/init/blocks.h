/* SPDX-License-Identifier: ISC
 *
 * Whose the blocks of heap memory are, and who has to give way: plain functions over a table,
 * without a system call. heaps.c does what they decide.
 *
 * Invariants: a block has one owner or is free; held[d] is the number of blocks whose owner is d;
 * there are never fewer free blocks than domains can still claim of what is kept for them. So a
 * request within `kept` is always granted.
 */
#ifndef SERVERS_INIT_BLOCKS_H
#define SERVERS_INIT_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/image.h"

struct block_table {
    uint32_t count; /* in the machine */
    struct block_owner {
        uint8_t owner;  /* domain; 0: free */
        uint8_t number; /* in the owner's heap */
    } block[HEAP_BLOCKS_IMAGE_MAX];
    uint8_t held[IMAGE_DOMAINS_MAX], kept[IMAGE_DOMAINS_MAX];
};

/* A free block becomes `domain`'s number-th: its index. -1: all that is free is kept for others. */
int blocks_take(struct block_table *blocks, uint32_t domain, uint32_t number);

/* The index of the domain's number-th block, -1: it doesn't hold that. */
int blocks_find(const struct block_table *blocks, uint32_t domain, uint32_t number);

/* The block is free again. */
void blocks_free(struct block_table *blocks, int index);

/* How many the domain holds beyond what is kept for it. */
uint32_t blocks_surplus(const struct block_table *blocks, uint32_t domain);

/* Who is to be asked so that `domain` gets a block: of those not in `asked` (a bit each) the one
 * with the largest surplus, if that is larger than what `domain` has beyond its own. 0: nobody. */
uint32_t blocks_victim(const struct block_table *blocks, uint32_t domain, uint64_t asked);

/* Whether `victim` must give a block to `domain`, also one in use: only if it has more left over
 * than `domain` afterwards, so that the two don't take the same block from each other in turn. */
bool blocks_force(const struct block_table *blocks, uint32_t victim, uint32_t domain);

/* The number of the domain's last block, -1: it has none. */
int blocks_last(const struct block_table *blocks, uint32_t domain);

#endif
