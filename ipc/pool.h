/* SPDX-License-Identifier: ISC
 *
 * Pools: payload buffers in shared pages. The manifest names each pool, its buffers, the one domain
 * that owns it and what each other domain may do with its pages (read, write, dma).
 *
 * Invariants:
 *  - one owner per pool; only the owner hands buffers out, so only it keeps a state per buffer
 *    (struct pool_owner, private memory);
 *  - a buffer is free, or lent to exactly one peer; only a lent buffer is taken back, so a peer
 * that returns a buffer twice or invents one changes nothing;
 *  - a reference from a peer is checked by pool_ref_check before use: afterwards offset + length
 * lies inside the buffer.
 */
#ifndef MOTET_IPC_POOL_H
#define MOTET_IPC_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/error.h"

enum pool_rights {
    POOL_READ = 1u << 0,
    POOL_WRITE = 1u << 1,
    POOL_DMA = 1u << 2, /* a device driven by this domain may be pointed at it */
};

enum { POOL_BUFFERS_MAX = 1024 }; /* per pool: bounds the owners' private tables */

/* One domain's view of a pool. `base` is NULL without read or write right, `physical` 0 without
 * dma. */
struct pool {
    uint8_t *base;
    uint64_t physical;    /* address for devices of the first byte; the pool is contiguous */
    uint32_t buffers;     /* 1 to POOL_BUFFERS_MAX */
    uint32_t buffer_size; /* bytes, a power of two, 64 to 65536 */
    uint8_t rights;       /* enum pool_rights */
    uint8_t number;       /* the image-wide number of the pool, used in references */
};

/* A piece of a buffer, as messages carry it. */
struct buffer_ref {
    uint16_t pool;   /* image-wide number */
    uint16_t index;  /* buffer in the pool */
    uint16_t offset; /* bytes from the buffer's start */
    uint16_t length; /* bytes */
};
_Static_assert(sizeof(struct buffer_ref) == 8, "part of messages");

/* Whether `ref`, of a pool that is known to be this one, names a piece of it. */
static inline bool pool_has(const struct pool *pool, struct buffer_ref ref)
{
    return ref.index < pool->buffers && (uint32_t)ref.offset + ref.length <= pool->buffer_size;
}

/* OK, or ERROR_BAD_ARGUMENT when `ref` doesn't name a piece of `pool` (NULL: no such pool here). */
enum error pool_ref_check(const struct pool *pool, struct buffer_ref ref);

/* The piece's first byte / its device address. Only for references that were checked. */
static inline uint8_t *pool_data(const struct pool *pool, struct buffer_ref ref)
{
    return pool->base + (uint64_t)ref.index * pool->buffer_size + ref.offset;
}

static inline uint64_t pool_device_address(const struct pool *pool, struct buffer_ref ref)
{
    return pool->physical + (uint64_t)ref.index * pool->buffer_size + ref.offset;
}

/* The owner's private state: a stack of free buffers and, per buffer, who has it. */
struct pool_owner {
    uint16_t free_count;
    uint16_t buffers;
    uint16_t free[POOL_BUFFERS_MAX];
    uint8_t holder[POOL_BUFFERS_MAX]; /* 0: free; else the owner's own non-zero number of a peer */
};

/* All buffers of `pool` become free. */
void pool_owner_init(struct pool_owner *owner, const struct pool *pool);

/* Whether the invariants above hold, whatever the table holds: a look at every buffer. */
bool pool_owner_check(const struct pool_owner *owner);

/* The table as bytes, for who takes the owner's place (libos/swap.h): POOL_OWNER_BYTES of them,
 * without alignment. */
#define POOL_OWNER_BYTES(buffers) (4u + 3u * (buffers))
uint32_t pool_owner_save(const struct pool_owner *owner, uint8_t *to);

/* Takes a table over, of as many buffers as `owner` has after pool_owner_init. ERROR_BAD_ARGUMENT:
 * it makes no sense, or has holders above `holder_max`. */
enum error pool_owner_load(struct pool_owner *owner, const uint8_t *from, uint32_t bytes,
                           uint8_t holder_max);

/* Lends a free buffer to `holder` (1 to 255). Returns its index, or -1 when none is free. */
int pool_lend(struct pool_owner *owner, uint8_t holder);

/* Passes a lent buffer on, from one holder to another. False (and no change) if `from` hasn't got
 * it. */
bool pool_pass(struct pool_owner *owner, uint32_t index, uint8_t from, uint8_t to);

/* Takes back what `holder` was lent. False (and no change) if it hasn't got that buffer. */
bool pool_take_back(struct pool_owner *owner, uint32_t index, uint8_t holder);

#endif
