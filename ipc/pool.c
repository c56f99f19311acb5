/* SPDX-License-Identifier: ISC
 *
 * Pools: see pool.h. Called by every server for each reference that a peer sends, and by the owners
 * of pools. Refuses references outside the pool and buffers that the peer hasn't got.
 */
#include <stddef.h>

#include "ipc/pool.h"

#include "libos/assert.h"

enum error pool_ref_check(const struct pool *pool, struct buffer_ref ref)
{
    if (pool && ref.pool == pool->number && ref.index < pool->buffers &&
        (uint32_t)ref.offset + ref.length <= pool->buffer_size)
        return OK;
    return ERROR_BAD_ARGUMENT;
}

void pool_owner_init(struct pool_owner *owner, const struct pool *pool)
{
    uint32_t buffers = pool->buffers < POOL_BUFFERS_MAX ? pool->buffers : POOL_BUFFERS_MAX;
    owner->buffers = (uint16_t)buffers;
    owner->free_count = (uint16_t)buffers;
    for (uint32_t i = 0; i < buffers; i++) {
        owner->free[i] = (uint16_t)(buffers - 1 - i); /* buffer 0 is lent first */
        owner->holder[i] = 0;
    }
}

bool pool_owner_check(const struct pool_owner *owner)
{
    uint32_t lent = 0;
    for (uint32_t i = 0; i < owner->buffers; i++)
        lent += owner->holder[i] != 0;
    for (uint32_t i = 0; i < owner->free_count; i++)
        if (owner->free[i] >= owner->buffers || owner->holder[owner->free[i]])
            return false;
    return lent + owner->free_count == owner->buffers;
}

int pool_lend(struct pool_owner *owner, uint8_t holder)
{
    if (!owner->free_count || !holder)
        return -1;
    uint16_t index = owner->free[--owner->free_count];
    SERVER_ASSERT(index < owner->buffers && !owner->holder[index]);
    owner->holder[index] = holder;
    DEBUG_ASSERT(pool_owner_check(owner));
    return index;
}

bool pool_pass(struct pool_owner *owner, uint32_t index, uint8_t from, uint8_t to)
{
    if (index >= owner->buffers || owner->holder[index] != from || !from || !to)
        return false;
    owner->holder[index] = to;
    return true;
}

bool pool_take_back(struct pool_owner *owner, uint32_t index, uint8_t holder)
{
    if (index >= owner->buffers || owner->holder[index] != holder || !holder)
        return false;
    SERVER_ASSERT(owner->free_count < owner->buffers);
    owner->holder[index] = 0;
    owner->free[owner->free_count++] = (uint16_t)index;
    DEBUG_ASSERT(pool_owner_check(owner));
    return true;
}
