/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's disk: a device (virtio.h) with DISK_BLOCKS blocks. They begin as
 * tests/servers/block_check expects them: byte i of block b is b * 7 + i. A request is done when it
 * is used, not before, and in any order: so what a driver gives on too early isn't there yet.
 */
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "kernel/panic.h"
#include "tools/sim/virtio.h"

enum { DISK_BLOCKS = 256, BLOCK_BYTES = 512 };

static uint8_t medium[DISK_BLOCKS * BLOCK_BYTES];

static void disk_start(struct machine_device *d)
{
    const uint64_t capacity = DISK_BLOCKS;
    memcpy(&d->virtio.config, &capacity, sizeof(capacity));
    d->virtio.offered = 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_BLK_F_FLUSH |
                        (d->virtio.offered & 1ull << VIRTIO_RING_F_EVENT_IDX);
    if (world.options.card_packed)
        d->virtio.offered |= 1ull << VIRTIO_F_RING_PACKED;
    for (uint32_t i = 0; i < sizeof(medium); i++)
        medium[i] = (uint8_t)(i / BLOCK_BYTES * 7 + i % BLOCK_BYTES);
}

static void disk_take(struct machine_device *d, const struct fake_chain *chain)
{
    (void)chain;
    device_tempt(d);
}

static uint8_t *segment(struct machine_device *d, const struct fake_chain *chain, uint32_t n)
{
    return fake_virtio_reach(&d->virtio, chain->desc[n].addr, chain->desc[n].len);
}

/* Header, data but with a flush, status (virtio 1.1, section 5.2.6). */
static void request_check(const struct fake_chain *chain, uint32_t type)
{
    const uint32_t last = chain->count - 1;
    const bool in = type == VIRTIO_BLK_T_IN, flush = type == VIRTIO_BLK_T_FLUSH;
    if (!in && !flush && type != VIRTIO_BLK_T_OUT)
        panic("the disk has a request of type %u", type);
    if (last != (flush ? 1 : 2) || chain->desc[0].len != sizeof(struct virtio_blk_outhdr) ||
        chain->desc[last].len != 1)
        panic("the disk has a request of %u pieces that makes no sense", chain->count);
    for (uint32_t n = 0; n <= last; n++)
        if (!!(chain->desc[n].flags & VRING_DESC_F_WRITE) != (n == last || (n == 1 && in)))
            panic("piece %u of a request to the disk is written the wrong way", n);
}

static bool data_move(struct machine_device *d, const struct fake_chain *chain,
                      const struct virtio_blk_outhdr *header)
{
    const uint32_t bytes = chain->desc[1].len;
    if (header->sector >= DISK_BLOCKS || bytes > (DISK_BLOCKS - header->sector) * BLOCK_BYTES)
        return false;
    uint8_t *at = medium + header->sector * BLOCK_BYTES;
    if (header->type == VIRTIO_BLK_T_IN)
        memcpy(segment(d, chain, 1), at, bytes);
    else
        memcpy(at, segment(d, chain, 1), bytes);
    return true;
}

static uint32_t disk_finish(struct machine_device *d, const struct fake_chain *chain)
{
    struct virtio_blk_outhdr header;
    memcpy(&header, segment(d, chain, 0), sizeof(header));
    request_check(chain, header.type);
    const bool done = header.type == VIRTIO_BLK_T_FLUSH || data_move(d, chain, &header);
    *segment(d, chain, chain->count - 1) = done ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
    return done && header.type == VIRTIO_BLK_T_IN ? chain->desc[1].len + 1 : 1;
}

enum { LIE_STATUS, LIE_CAPACITY, LIES };

/* A request that it has came to nothing, or to no known end: and that is what it says. */
static void lie_about_status(struct machine_device *d)
{
    struct fake_chain chain;
    if (!virtio_pop(d, 0, &chain))
        return;
    *segment(d, &chain, chain.count - 1) = (uint8_t)(1 + random_below(255));
    virtio_push(d, 0, &chain, 1);
}

static void disk_lie(struct machine_device *d, uint32_t n)
{
    const uint64_t capacity = random_below(2 * DISK_BLOCKS);
    if (n == LIE_STATUS) {
        lie_about_status(d);
        return;
    }
    memcpy(&d->virtio.config, &capacity, sizeof(capacity));
    d->virtio.restless = (uint32_t)random_below(20);
}

static void disk_honest(struct machine_device *d)
{
    const uint64_t capacity = DISK_BLOCKS;
    memcpy(&d->virtio.config, &capacity, sizeof(capacity));
    d->virtio.restless = 0;
}

extern const struct virtio_kind disk_kind;
const struct virtio_kind disk_kind = {
    .device = {.interface = &virtio_interface,
               .vendor = 0x1af4,
               .id = 0x1042, /* modern */
               .type = VIRTIO_ID_BLOCK,
               .vectors = 2},
    .queues = 1,
    .lies = LIES,
    .start = disk_start,
    .take = disk_take,
    .finish = disk_finish,
    .lie = disk_lie,
    .honest = disk_honest,
};
