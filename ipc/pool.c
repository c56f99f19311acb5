/* SPDX-License-Identifier: ISC
 *
 * Pools: see pool.h. Called by every server for each reference that a peer sends, and by the owners
 * of pools. Refuses references outside the pool and buffers that the peer hasn't got.
 */
#include <stddef.h>
#include <string.h>

#include "ipc/pool.h"

#include "libos/assert.h"

enum error pool_ref_check(const struct pool *pool, struct buffer_ref ref)
{
    return pool && ref.pool == pool->number && pool_has(pool, ref) ? OK : ERROR_BAD_ARGUMENT;
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
    uint64_t listed[POOL_BUFFERS_MAX / 64] = {0};
    if (owner->buffers > POOL_BUFFERS_MAX || owner->free_count > owner->buffers)
        return false;
    for (uint32_t i = 0; i < owner->buffers; i++)
        lent += owner->holder[i] != 0;
    for (uint32_t i = 0; i < owner->free_count; i++) {
        const uint32_t index = owner->free[i];
        if (index >= owner->buffers || owner->holder[index] || listed[index / 64] >> index % 64 & 1)
            return false;
        listed[index / 64] |= 1ull << index % 64;
    }
    return lent + owner->free_count == owner->buffers;
}

uint32_t pool_owner_save(const struct pool_owner *owner, uint8_t *to)
{
    const uint32_t buffers = owner->buffers;
    memcpy(to, &owner->buffers, 2);
    memcpy(to + 2, &owner->free_count, 2);
    memset(to + 4, 0, 2 * buffers);
    memcpy(to + 4, owner->free, 2u * owner->free_count);
    memcpy(to + 4 + 2 * buffers, owner->holder, buffers);
    return POOL_OWNER_BYTES(buffers);
}

enum error pool_owner_load(struct pool_owner *owner, const uint8_t *from, uint32_t bytes,
                           uint8_t holder_max)
{
    const uint32_t buffers = owner->buffers;
    uint16_t saved;
    if (bytes != POOL_OWNER_BYTES(buffers))
        return ERROR_BAD_ARGUMENT;
    memcpy(&saved, from, 2);
    memcpy(&owner->free_count, from + 2, 2);
    if (saved != buffers || owner->free_count > buffers)
        return ERROR_BAD_ARGUMENT;
    memcpy(owner->free, from + 4, 2u * owner->free_count);
    memcpy(owner->holder, from + 4 + 2 * buffers, buffers);
    for (uint32_t i = 0; i < buffers; i++)
        if (owner->holder[i] > holder_max)
            return ERROR_BAD_ARGUMENT;
    return pool_owner_check(owner) ? OK : ERROR_BAD_ARGUMENT;
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
