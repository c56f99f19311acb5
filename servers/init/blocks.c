/* SPDX-License-Identifier: ISC
 *
 * See blocks.h.
 */
#include "servers/init/blocks.h"

uint32_t blocks_surplus(const struct block_table *blocks, uint32_t domain)
{
    uint32_t held = blocks->held[domain], kept = blocks->kept[domain];
    return held > kept ? held - kept : 0;
}

/* Free blocks that others can still claim. */
static uint32_t reserved(const struct block_table *blocks, uint32_t domain)
{
    uint32_t sum = 0;
    for (uint32_t d = 1; d < IMAGE_DOMAINS_MAX; d++)
        if (d != domain && blocks->kept[d] > blocks->held[d])
            sum += blocks->kept[d] - blocks->held[d];
    return sum;
}

int blocks_take(struct block_table *blocks, uint32_t domain, uint32_t number)
{
    uint32_t available = 0;
    int first = -1;
    for (uint32_t i = 0; i < blocks->count; i++) {
        if (blocks->block[i].owner)
            continue;
        available++;
        if (first < 0)
            first = (int)i;
    }
    if (available <= reserved(blocks, domain))
        return -1;
    blocks->block[first] =
        (struct block_owner){.owner = (uint8_t)domain, .number = (uint8_t)number};
    blocks->held[domain]++;
    return first;
}

int blocks_find(const struct block_table *blocks, uint32_t domain, uint32_t number)
{
    for (uint32_t i = 0; i < blocks->count; i++)
        if (blocks->block[i].owner == domain && blocks->block[i].number == number)
            return (int)i;
    return -1;
}

void blocks_free(struct block_table *blocks, int index)
{
    blocks->held[blocks->block[index].owner]--;
    blocks->block[index] = (struct block_owner){0};
}

uint32_t blocks_victim(const struct block_table *blocks, uint32_t domain, uint64_t asked)
{
    uint32_t victim = 0, most = blocks_surplus(blocks, domain);
    for (uint32_t d = 1; d < IMAGE_DOMAINS_MAX; d++) {
        if (d == domain || asked >> d & 1 || blocks_surplus(blocks, d) <= most)
            continue;
        victim = d;
        most = blocks_surplus(blocks, d);
    }
    return victim;
}

bool blocks_force(const struct block_table *blocks, uint32_t victim, uint32_t domain)
{
    return blocks_surplus(blocks, victim) >= blocks_surplus(blocks, domain) + 2;
}

int blocks_last(const struct block_table *blocks, uint32_t domain)
{
    int last = -1;
    for (uint32_t i = 0; i < blocks->count; i++)
        if (blocks->block[i].owner == domain && blocks->block[i].number > last)
            last = blocks->block[i].number;
    return last;
}
