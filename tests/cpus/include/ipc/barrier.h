/* SPDX-License-Identifier: ISC
 *
 * In the place of ipc/barrier.h: the same accesses to rings on CPUs with store buffers
 * (tests/cpus/memory.h). See there for what orders what. Another CPU may do anything between any
 * two of them.
 */
#ifndef MOTET_IPC_BARRIER_H
#define MOTET_IPC_BARRIER_H

#include <stdint.h>

#include "tests/cpus/memory.h"

static inline void ring_publish(uint32_t *index, uint32_t value)
{
    memory_store(index, value, sizeof(value));
}

static inline uint32_t ring_read(const uint32_t *index)
{
    return (uint32_t)memory_load(index, sizeof(*index));
}

static inline void ring_wish_set(uint64_t *wish, uint64_t value)
{
    memory_store(wish, value, sizeof(value));
}

static inline uint64_t ring_wish_get(const uint64_t *wish)
{
    return memory_load(wish, sizeof(*wish));
}

static inline void ring_entry_write(void *entry, const void *from)
{
    for (int i = 0; i < 8; i++)
        memory_store((uint64_t *)entry + i, ((const uint64_t *)from)[i], sizeof(uint64_t));
}

static inline void ring_entry_read(void *to, const void *entry)
{
    for (int i = 0; i < 8; i++)
        ((uint64_t *)to)[i] = memory_load((const uint64_t *)entry + i, sizeof(uint64_t));
}

/* No device here. */
static inline uint16_t device_index_read(const uint16_t *index)
{
    return *index;
}

void ring_fence(void);

#endif
