/* SPDX-License-Identifier: ISC
 *
 * virtio_blk: drives one virtio disk (virtio 1.1, section 5.2), behind PCI or over MMIO. The
 * class's server side is libos/driver/block.c.
 *
 * A request is a chain: a header, the data where the client has it, a status. Header and status of
 * place n are piece[n], the device's as long as the request is under way.
 */
#include <linux/virtio_blk.h>

#include "libos/driver/block.h"
#include "libos/driver/virtio_device.h"
#include "libos/virtio/virtqueue_packed.h"

enum { SEGMENTS_SHIFT = 2, STATUS_UNKNOWN = 0xff };

/* What the device reads and writes beside the data. */
struct envelope {
    struct virtio_blk_outhdr header;
    uint8_t status;
};

struct virtio_blk {
    struct driver driver;
    struct block block;
    struct virtio_device device;
    struct virtio_device_queue queue;
    struct virtqueue_packed packed; /* the queue, if the device has such */
    struct dma piece[BLOCK_PLACES];
    uint32_t expected[BLOCK_PLACES]; /* bytes that the device is to write */
};

static struct virtio_blk *blk_of(struct driver *driver)
{
    return (struct virtio_blk *)driver;
}

/* The size is two registers, which belong together. */
static bool capacity_read(const struct virtio_device *device, uint64_t *blocks)
{
    const struct virtio_region *config = &device->virtio.config;
    uint64_t low = 0, high = 0;
    if (config->length < sizeof(*blocks) ||
        !VIRTIO_DEVICE_CONFIG(device, (low = device_read32(config->bar, config->offset),
                                       high = device_read32(config->bar, config->offset + 4))))
        return false;
    *blocks = low | high << 32;
    return true;
}

static void blk_begin(struct driver *driver, uint32_t place, const struct msg *request,
                      uint64_t address)
{
    static const uint32_t types[] = {[BLOCK_READ] = VIRTIO_BLK_T_IN,
                                     [BLOCK_WRITE] = VIRTIO_BLK_T_OUT,
                                     [BLOCK_FLUSH] = VIRTIO_BLK_T_FLUSH};
    struct virtio_blk *blk = blk_of(driver);
    struct dma *piece = &blk->piece[place];
    struct envelope *envelope = dma_memory(piece);
    struct block_io io = {0};
    if (request->op != BLOCK_FLUSH)
        msg_get(request, &io, sizeof(io));
    envelope->header = (struct virtio_blk_outhdr){.type = types[request->op], .sector = io.block};
    envelope->status = STATUS_UNKNOWN;
    const uint64_t own = dma_give(piece);
    const bool data = request->op != BLOCK_FLUSH, reads = request->op == BLOCK_READ;
    const uint32_t segments = data ? 3 : 2;
    struct dma_segment segment[3] = {{own, sizeof(envelope->header)}, {address, io.data.length}};
    segment[segments - 1] = (struct dma_segment){own + offsetof(struct envelope, status), 1};
    blk->expected[place] = 1 + (reads ? io.data.length : 0u);
    virtio_device_put(&blk->queue, place, segment, reads ? 1 : segments - 1, reads ? 2 : 1);
}

static const struct block_ops block_ops = {.begin = blk_begin};

static enum error blk_start(struct driver *driver)
{
    struct virtio_blk *blk = blk_of(driver);
    struct block_info info = {0};
    enum error error = virtio_device_open(&blk->device, driver, VIRTIO_ID_BLOCK,
                                          1ull << VIRTIO_BLK_F_RO | 1ull << VIRTIO_BLK_F_FLUSH |
                                              1ull << VIRTIO_F_RING_PACKED);
    if (error == OK)
        error = virtio_device_queue_packed(&blk->queue, &blk->packed, &blk->device, driver, 0,
                                           BLOCK_PLACES, SEGMENTS_SHIFT);
    for (uint32_t i = 0; i < BLOCK_PLACES && error == OK; i++)
        error = driver_dma(driver, sizeof(struct envelope), 8, &blk->piece[i]);
    if (error != OK)
        return error;
    if (!capacity_read(&blk->device, &info.blocks))
        return driver_refuse(driver, "its configuration is too short, or doesn't keep still");
    info.read_only = virtio_device_has(&blk->device, VIRTIO_BLK_F_RO);
    info.flushes = virtio_device_has(&blk->device, VIRTIO_BLK_F_FLUSH);
    block_start(&blk->block, &block_ops, &info);
    virtio_device_run(&blk->device);
    domain_log(driver->domain, "%lu blocks%s", (unsigned long)info.blocks,
               info.read_only ? ", read-only" : "");
    return OK;
}

/* Takes what the device is done with. What it says that it has read must be there, as a whole. */
static void requests_take(struct virtio_blk *blk)
{
    struct virtqueue_used used;
    while (virtio_device_used(&blk->queue, &used)) {
        const uint32_t place = used.token, expected = blk->expected[place];
        dma_take(&blk->piece[place]);
        const struct envelope *envelope = dma_memory(&blk->piece[place]);
        uint8_t status = __atomic_load_n(&envelope->status, __ATOMIC_RELAXED);
        if (status > VIRTIO_BLK_S_UNSUPP || used.length > expected) {
            virtqueue_fail(&blk->queue.ring, "it said nothing, or nothing known, of a request");
            block_done(&blk->block, place, true);
            return;
        }
        block_done(&blk->block, place, status != VIRTIO_BLK_S_OK || used.length < expected);
    }
}

static void blk_work(struct driver *driver)
{
    struct virtio_blk *blk = blk_of(driver);
    do
        requests_take(blk);
    while (virtio_device_flush(&blk->queue));
    if (blk->queue.ring.fault)
        driver_fail(driver, blk->queue.ring.fault);
}

static void blk_round(struct driver *driver)
{
    block_round(driver, &blk_of(driver)->block);
}

static void blk_interrupt(struct driver *driver, uint32_t vector)
{
    virtio_device_interrupt(&blk_of(driver)->device, driver, vector); /* blk_work follows */
}

static bool blk_silence(struct driver *driver)
{
    return virtio_device_silence(&blk_of(driver)->device);
}

static bool blk_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct virtio_blk *blk = state;
    return block_receive(&blk->driver, &blk->block, conn, m);
}

static bool blk_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct virtio_blk *blk = state;
    return block_restarted(&blk->block, conn, what);
}

static const struct driver_ops ops = {
    .what = "disk (QEMU: -device virtio-blk-pci,drive=...)",
    .vectors = 1,
    .pool = "dma",
    .start = blk_start,
    .interrupt = blk_interrupt,
    .work = blk_work,
    .round = blk_round,
    .silence = blk_silence,
};

static const char *const counters[] = {BLOCK_COUNTER_NAMES};

DRIVER(virtio_blk, struct virtio_blk, ops, counters, .ports = block_ports, .port_count = 1,
       .receive = blk_receive);
SERVER_RESTARTED(motet_server_virtio_blk, blk_restarted);
