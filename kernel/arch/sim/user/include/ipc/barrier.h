/* SPDX-License-Identifier: ISC
 *
 * In the place of ipc/barrier.h: the same accesses to ring headers, each of those that a peer may
 * notice followed by a point at which an interrupt may come and another thread run. See there for
 * what orders what.
 */
#ifndef MOTET_IPC_BARRIER_H
#define MOTET_IPC_BARRIER_H

#include <stdint.h>

#include "kernel/arch/sim/user/points.h"

static inline void ring_publish(uint32_t *index, uint32_t value)
{
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
    sim_point_publish(index);
}

static inline uint32_t ring_read(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline void ring_wish_set(uint64_t *wish, uint64_t value)
{
    __atomic_store_n(wish, value, __ATOMIC_RELAXED);
    sim_point();
}

static inline uint64_t ring_wish_get(const uint64_t *wish)
{
    return __atomic_load_n(wish, __ATOMIC_RELAXED);
}

typedef uint64_t __attribute__((may_alias)) ring_word;

static inline void ring_entry_write(void *entry, const void *from)
{
    for (int i = 0; i < 8; i++)
        ((ring_word *)entry)[i] = ((const ring_word *)from)[i];
}

static inline void ring_entry_read(void *to, const void *entry)
{
    for (int i = 0; i < 8; i++)
        ((ring_word *)to)[i] = ((const ring_word *)entry)[i];
}

/* What the driver has read may be out of date by the time it acts on it. */
static inline uint16_t device_index_read(const uint16_t *index)
{
    uint16_t value = __atomic_load_n(index, __ATOMIC_ACQUIRE);
    sim_point();
    return value;
}

static inline void message_point(void)
{
    sim_point_message();
}

void ring_fence(void);

#endif
