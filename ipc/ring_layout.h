/* SPDX-License-Identifier: ISC
 *
 * How large a ring's memory is: what compose allots and the ring transport relies on. A connection
 * has two such regions, each written by one side: its header (indices, on cache lines of their own)
 * and then the entries that it sends.
 */
#ifndef MOTET_IPC_RING_LAYOUT_H
#define MOTET_IPC_RING_LAYOUT_H

#include <stdint.h>

enum {
    RING_HEADER_BYTES = 256, /* four cache lines: no two indices written by one side share one */
    RING_ENTRY_BYTES = 64,   /* struct msg */
    RING_SLOTS_MIN = 2,
    RING_SLOTS_MAX = 1024, /* 17 pages a side; more waits in a queue than two batches can drain */
};

/* Bytes of one side's region, for `slots` entries (a power of two in the range above). */
static inline uint64_t ring_bytes(uint32_t slots)
{
    return RING_HEADER_BYTES + (uint64_t)slots * RING_ENTRY_BYTES;
}

#endif
