/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_blk/ is a driver of the block class, behind PCI and over MMIO.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "tests/unit/conform_block.h"
#include "tests/unit/fake_virtio.h"

extern const struct server motet_server_virtio_blk;

enum { OWN_BYTES = 4096, HAND_MAX = 64 };

struct disk {
    struct fake_virtio *fake;
    struct conform_medium *medium;
    uint64_t offered;                 /* beside what the medium says */
    struct fake_chain hand[HAND_MAX]; /* requests taken, not done */
    uint32_t held;
};

/* What the device offers is known when the driver asks: the medium may have been changed since. */
static void offer(void *state)
{
    struct disk *disk = state;
    disk->fake->offered = 1ull << VIRTIO_F_VERSION_1 | disk->offered |
                          (disk->medium->read_only ? 1ull << VIRTIO_BLK_F_RO : 0) |
                          (disk->medium->no_flush ? 0 : 1ull << VIRTIO_BLK_F_FLUSH);
}

static void *attach(struct domain *domain, bool present, struct conform_medium *medium, bool mmio)
{
    const uint64_t capacity = CONFORM_BLOCKS;
    struct disk *disk = calloc(1, sizeof(*disk));
    assert(disk);
    disk->medium = medium;
    disk->offered = 1ull << VIRTIO_RING_F_EVENT_IDX;
    fake_domain_add_pool(domain, "dma", CONFORM_BLOCK_OWN, 1, OWN_BYTES,
                         POOL_READ | POOL_WRITE | POOL_DMA);
    if (!present)
        return disk;
    struct device *device = fake_domain_add_device(domain);
    disk->fake = mmio ? fake_virtio_create_mmio(device) : fake_virtio_create(device);
    disk->fake->type = VIRTIO_ID_BLOCK;
    device->id = mmio ? VIRTIO_ID_BLOCK : 0x1001; /* QEMU's, a transitional device */
    device->vectors = 1;
    memcpy(&disk->fake->config, &capacity, sizeof(capacity));
    fake_virtio_grant(disk->fake, fake_pool_memory(domain, CONFORM_BLOCK_OWN), OWN_BYTES);
    fake_virtio_grant(disk->fake, fake_pool_memory(domain, CONFORM_BLOCK_POOL),
                      CONFORM_BLOCK_BUFFERS * CONFORM_BLOCK_BUFFER_BYTES);
    return disk;
}

static void *attach_pci(struct domain *domain, bool device, struct conform_medium *medium)
{
    return attach(domain, device, medium, false);
}

static void *attach_mmio(struct domain *domain, bool device, struct conform_medium *medium)
{
    return attach(domain, device, medium, true);
}

/* Queues are packed; without event indices in the second. */
static void *attach_packed(struct domain *domain, bool device, struct conform_medium *medium)
{
    struct disk *disk = attach(domain, device, medium, false);
    disk->offered |= 1ull << VIRTIO_F_RING_PACKED;
    return disk;
}

static void *attach_packed_plain(struct domain *domain, bool device, struct conform_medium *medium)
{
    struct disk *disk = attach(domain, device, medium, false);
    disk->offered = 1ull << VIRTIO_F_RING_PACKED;
    return disk;
}

static void detach(void *state)
{
    struct disk *disk = state;
    if (disk->fake)
        fake_virtio_destroy(disk->fake);
    free(disk);
}

static uint32_t interrupts(void *state)
{
    struct disk *disk = state;
    if (!disk->fake)
        return 0;
    return fake_virtio_interrupts(disk->fake);
}

static void *at(const struct fake_chain *chain, uint32_t n)
{
    return (void *)(uintptr_t)chain->desc[n].addr;
}

static void *medium_at(struct disk *disk, uint64_t sector, uint32_t bytes)
{
    assert(sector * 512 + bytes <= sizeof(disk->medium->bytes));
    return disk->medium->bytes + sector * 512;
}

/* Does a request; returns the bytes written. */
static uint32_t serve(struct disk *disk, const struct fake_chain *chain)
{
    const struct virtio_blk_outhdr *header = at(chain, 0);
    const uint32_t last = chain->count - 1, all = last == 2 ? chain->desc[1].len : 0;
    const uint32_t bytes = disk->medium->short_reads ? all / 2 : all;
    uint8_t *status = at(chain, last);
    assert(chain->count >= 2 && chain->count <= 3);
    assert(chain->desc[0].len == sizeof(*header) && !(chain->desc[0].flags & VRING_DESC_F_WRITE));
    assert(chain->desc[last].len == 1 && (chain->desc[last].flags & VRING_DESC_F_WRITE));
    *status = disk->medium->fails ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
    if (disk->medium->fails)
        return 1;
    switch (header->type) {
    case VIRTIO_BLK_T_IN:
        assert(chain->desc[1].flags & VRING_DESC_F_WRITE);
        memcpy(at(chain, 1), medium_at(disk, header->sector, bytes), bytes);
        return bytes + 1;
    case VIRTIO_BLK_T_OUT:
        assert(!(chain->desc[1].flags & VRING_DESC_F_WRITE) && !disk->medium->read_only);
        memcpy(medium_at(disk, header->sector, bytes), at(chain, 1), bytes);
        return 1;
    case VIRTIO_BLK_T_FLUSH:
        assert(!disk->medium->no_flush);
        disk->medium->flushed++;
        return 1;
    default:
        assert(!"no such request");
        return 0;
    }
}

static struct fake_chain hand_take(struct disk *disk)
{
    uint32_t n = (uint32_t)rand() % disk->held;
    struct fake_chain chain = disk->hand[n];
    disk->hand[n] = disk->hand[--disk->held];
    return chain;
}

static bool work(void *state)
{
    struct disk *disk = state;
    while (disk->held < HAND_MAX && fake_virtio_pop(disk->fake, 0, &disk->hand[disk->held]))
        disk->held++;
    if (!disk->held)
        return false;
    struct fake_chain chain = hand_take(disk);
    fake_virtio_push(disk->fake, 0, chain.head, serve(disk, &chain));
    fake_virtio_flush(disk->fake, 0);
    return true;
}

static void unusable(void *state, uint32_t n)
{
    struct disk *disk = state;
    fake_virtio_unusable(disk->fake, n);
}

enum misbehaviour { TOO_LONG, NOT_GIVEN, TWICE, NO_STATUS, WANTS_RESET, MISBEHAVIOURS };

static void misbehave(void *state, uint32_t n)
{
    struct disk *disk = state;
    struct fake_virtio *fake = disk->fake;
    struct fake_chain chain;
    fake->lies = true;
    if (n == WANTS_RESET) {
        fake_virtio_ask_reset(fake);
        return;
    }
    bool popped = fake_virtio_pop(fake, 0, &chain);
    assert(popped);
    if (n != NO_STATUS)
        *(uint8_t *)at(&chain, chain.count - 1) = VIRTIO_BLK_S_IOERR;
    fake_virtio_push(fake, 0, n == NOT_GIVEN ? 1000 : chain.head, n == TOO_LONG ? 514 : 1);
    if (n == TWICE)
        fake_virtio_push(fake, 0, chain.head, 1);
    fake_virtio_flush(fake, 0);
}

int main(void)
{
    struct conform_block blk = {
        .server = &motet_server_virtio_blk,
        .attach = attach_pci,
        .detach = detach,
        .work = work,
        .interrupts = interrupts,
        .offer = offer,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = FAKE_UNUSABLE_WAYS,
        .misbehaviours = MISBEHAVIOURS,
    };
    int failed = conform_block(&blk);
    blk.attach = attach_mmio;
    failed += conform_block(&blk);
    blk.attach = attach_packed;
    failed += conform_block(&blk);
    blk.attach = attach_packed_plain;
    return failed + conform_block(&blk);
}
