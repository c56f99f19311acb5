/* SPDX-License-Identifier: ISC
 *
 * virtio_rng: drives one virtio source of entropy (virtio 1.1, section 5.4), behind PCI or over
 * MMIO. The class's server side is libos/driver/entropy.c; here are the device's buffers.
 */
#include "libos/driver/entropy.h"
#include "libos/driver/virtio_device.h"
#include "libos/virtio/virtqueue_packed.h"

enum { SLOTS = 2, PIECE_BYTES = 64 };

struct virtio_rng {
    struct driver driver;
    struct entropy entropy;
    struct virtio_device device;
    struct virtio_device_queue queue;
    struct virtqueue_packed packed; /* the queue, if the device has such */
    struct dma piece[SLOTS];
};

static enum error rng_start(struct driver *driver)
{
    struct virtio_rng *rng = (struct virtio_rng *)driver;
    enum error error =
        virtio_device_open(&rng->device, driver, VIRTIO_ID_RNG, 1ull << VIRTIO_F_RING_PACKED);
    if (error == OK)
        error = virtio_device_queue_packed(&rng->queue, &rng->packed, &rng->device, driver, 0,
                                           SLOTS, 0);
    for (uint32_t i = 0; i < SLOTS && error == OK; i++)
        error = driver_dma(driver, PIECE_BYTES, 1, &rng->piece[i]);
    if (error == OK)
        virtio_device_run(&rng->device);
    return error;
}

/* What the device has filled goes to the stock, and buffers to the device for what it has room. */
static void rng_work(struct driver *driver)
{
    struct virtio_rng *rng = (struct virtio_rng *)driver;
    struct dma *piece;
    uint32_t length;
    do {
        while ((piece = virtio_device_take(&rng->queue, &length)))
            entropy_add(&rng->entropy, dma_memory(piece), length);
        bool room = entropy_room(&rng->entropy) >= SLOTS * PIECE_BYTES;
        for (uint32_t i = 0; i < SLOTS && room && !rng->queue.ring.fault; i++)
            if (!rng->piece[i].lent)
                virtio_device_give(&rng->queue, &rng->piece[i], true);
    } while (virtio_device_flush(&rng->queue));
    if (rng->queue.ring.fault)
        driver_fail(driver, rng->queue.ring.fault);
}

static void rng_interrupt(struct driver *driver, uint32_t vector)
{
    virtio_device_interrupt(&((struct virtio_rng *)driver)->device, driver, vector);
}

static bool rng_silence(struct driver *driver)
{
    return virtio_device_silence(&((struct virtio_rng *)driver)->device);
}

static bool rng_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct virtio_rng *rng = state;
    return entropy_receive(&rng->driver, &rng->entropy, conn, m);
}

static const struct driver_ops ops = {
    .what = "source of entropy (QEMU: -device virtio-rng-pci)",
    .vectors = 1,
    .pool = "dma",
    .start = rng_start,
    .interrupt = rng_interrupt,
    .work = rng_work,
    .silence = rng_silence,
};

static const char *const counters[] = {ENTROPY_COUNTER_NAMES};

DRIVER(virtio_rng, struct virtio_rng, ops, counters, .ports = entropy_ports, .port_count = 1,
       .receive = rng_receive);
