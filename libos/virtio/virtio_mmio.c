/* SPDX-License-Identifier: ISC
 *
 * Virtio over MMIO: see virtio_mmio.h. Called by virtio.c. Refuses what isn't a virtio device, the
 * legacy interface, and a block too short for the registers. All registers in front of the
 * configuration are 32 bits wide and accessed so (4.2.2.2); there is one interrupt, a pin.
 */
#include <stddef.h>

#include <linux/virtio_mmio.h>

#include "libos/virtio/virtio_mmio.h"

enum {
    MAGIC = 0x74726976, /* "virt" */
    VERSION_LEGACY = 1,
    VERSION_MODERN = 2,
    QUEUE_SIZE_MAX = 0x8000, /* 2.6: whatever a device says */
};

static uint32_t mmio_read(const struct virtio *virtio, uint32_t offset)
{
    return device_read32(virtio->mmio, offset);
}

static void mmio_write(const struct virtio *virtio, uint32_t offset, uint32_t value)
{
    device_write32(virtio->mmio, offset, value);
}

/* 64-bit fields are two registers (4.2.2). */
static void mmio_write64(const struct virtio *virtio, uint32_t offset, uint64_t value)
{
    mmio_write(virtio, offset, (uint32_t)value);
    mmio_write(virtio, offset + 4, (uint32_t)(value >> 32));
}

static uint8_t mmio_status(const struct virtio *virtio)
{
    return (uint8_t)mmio_read(virtio, VIRTIO_MMIO_STATUS);
}

static void mmio_set_status(const struct virtio *virtio, uint8_t status)
{
    mmio_write(virtio, VIRTIO_MMIO_STATUS, status);
}

static uint64_t mmio_offered(const struct virtio *virtio)
{
    uint64_t features = 0;
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write(virtio, VIRTIO_MMIO_DEVICE_FEATURES_SEL, half);
        features |= (uint64_t)mmio_read(virtio, VIRTIO_MMIO_DEVICE_FEATURES) << 32 * half;
    }
    return features;
}

static void mmio_accept(const struct virtio *virtio, uint64_t features)
{
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write(virtio, VIRTIO_MMIO_DRIVER_FEATURES_SEL, half);
        mmio_write(virtio, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * half));
    }
}

static uint32_t mmio_generation(const struct virtio *virtio)
{
    return mmio_read(virtio, VIRTIO_MMIO_CONFIG_GENERATION);
}

/* 4.2.2.2: what isn't acknowledged keeps the pin up, and only what was read may be. */
static uint8_t mmio_take_isr(const struct virtio *virtio)
{
    uint32_t raised = mmio_read(virtio, VIRTIO_MMIO_INTERRUPT_STATUS);
    mmio_write(virtio, VIRTIO_MMIO_INTERRUPT_ACK, raised);
    return (uint8_t)raised;
}

static bool mmio_set_config_vector(const struct virtio *virtio, uint16_t vector)
{
    (void)virtio;
    return vector == 0; /* there is one */
}

/* 4.2.3.2: a queue that is in use already isn't ours. */
static uint16_t mmio_queue_size(const struct virtio *virtio, uint16_t index)
{
    mmio_write(virtio, VIRTIO_MMIO_QUEUE_SEL, index);
    if (mmio_read(virtio, VIRTIO_MMIO_QUEUE_READY))
        return 0;
    uint32_t size = mmio_read(virtio, VIRTIO_MMIO_QUEUE_NUM_MAX);
    return (uint16_t)(size < QUEUE_SIZE_MAX ? size : QUEUE_SIZE_MAX);
}

static bool mmio_queue_start(const struct virtio *virtio, const struct virtio_queue *queue,
                             uint32_t *doorbell)
{
    mmio_write(virtio, VIRTIO_MMIO_QUEUE_SEL, queue->index);
    mmio_write(virtio, VIRTIO_MMIO_QUEUE_NUM, queue->size);
    mmio_write64(virtio, VIRTIO_MMIO_QUEUE_DESC_LOW, queue->desc);
    mmio_write64(virtio, VIRTIO_MMIO_QUEUE_AVAIL_LOW, queue->avail);
    mmio_write64(virtio, VIRTIO_MMIO_QUEUE_USED_LOW, queue->used);
    mmio_write(virtio, VIRTIO_MMIO_QUEUE_READY, 1);
    *doorbell = VIRTIO_MMIO_QUEUE_NOTIFY;
    return mmio_read(virtio, VIRTIO_MMIO_QUEUE_READY) == 1;
}

static const struct virtio_transport mmio_transport = {
    .status = mmio_status,
    .set_status = mmio_set_status,
    .offered = mmio_offered,
    .accept = mmio_accept,
    .generation = mmio_generation,
    .take_isr = mmio_take_isr,
    .set_config_vector = mmio_set_config_vector,
    .queue_size = mmio_queue_size,
    .queue_start = mmio_queue_start,
};

/* 4.2.3.1.1: magic, version and type come first, and nothing else is touched if they don't fit. */
const char *virtio_mmio_find(struct virtio *virtio, const struct device *device, uint16_t type)
{
    const struct device_bar *block = &device->bar[0];
    *virtio = (struct virtio){.transport = &mmio_transport,
                              .config = {.bar = block, .offset = VIRTIO_MMIO_CONFIG},
                              .notify_bar = block,
                              .notify_bytes = sizeof(uint32_t),
                              .single = true,
                              .mmio = block};
    if (!block->base || block->size < VIRTIO_MMIO_CONFIG || block->size > UINT32_MAX)
        return "its registers are missing or too few";
    if (mmio_read(virtio, VIRTIO_MMIO_MAGIC_VALUE) != MAGIC)
        return "it isn't a virtio device";
    uint32_t version = mmio_read(virtio, VIRTIO_MMIO_VERSION);
    if (version == VERSION_LEGACY)
        return "it has only the legacy interface (QEMU: -global virtio-mmio.force-legacy=false)";
    if (version != VERSION_MODERN)
        return "its interface is newer than this driver";
    if (mmio_read(virtio, VIRTIO_MMIO_DEVICE_ID) != type)
        return "it isn't a virtio device of this driver's type";
    virtio->config.length = (uint32_t)block->size - VIRTIO_MMIO_CONFIG;
    return NULL;
}
