/* SPDX-License-Identifier: ISC
 *
 * A ring of descriptors in memory that a device reads and writes, as network cards have them. The
 * device owns the entries from `taken` to `put`, the driver all others; both count modulo 2^32, and
 * there is always one that is the driver's, so that full and empty differ.
 *
 * What the device writes into an entry is read once (ring_load), and then checked.
 */
#ifndef MOTET_LIBOS_RING_H
#define MOTET_LIBOS_RING_H

#include "libos/driver/driver.h"

struct ring {
    uint8_t *base;
    uint64_t address; /* the device's */
    uint32_t entries; /* a power of two */
    uint32_t entry_bytes;
    uint32_t put, taken;
};

/* An empty ring of zeroed entries. Not OK: the pool is too small, which was said. */
static inline enum error ring_open(struct driver *driver, struct ring *ring, uint32_t entries,
                                   uint32_t entry_bytes, uint32_t alignment)
{
    struct dma dma;
    SERVER_ASSERT(entries && !(entries & (entries - 1)));
    enum error error = driver_dma(driver, entries * entry_bytes, alignment, &dma);
    if (error == OK)
        *ring = (struct ring){.base = dma.memory,
                              .address = dma.address,
                              .entries = entries,
                              .entry_bytes = entry_bytes};
    return error;
}

static inline uint32_t ring_room(const struct ring *ring)
{
    return ring->entries - 1 - (ring->put - ring->taken);
}

static inline uint32_t ring_slot(const struct ring *ring, uint32_t n)
{
    return n & (ring->entries - 1);
}

static inline void *ring_entry(const struct ring *ring, uint32_t n)
{
    return ring->base + (uint64_t)ring_slot(ring, n) * ring->entry_bytes;
}

/* A word of an entry that the device may write; what is read afterwards was written before it. */
#define ring_load(field) __atomic_load_n((field), __ATOMIC_ACQUIRE)

#endif
