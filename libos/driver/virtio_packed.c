/* SPDX-License-Identifier: ISC
 *
 * Packed queues for drivers: see virtio_device.h. Linked where a driver asks for them.
 */
#include "libos/assert.h"
#include "libos/driver/virtio_device.h"
#include "libos/virtio/virtqueue_packed.h"

static void put(struct virtio_device_queue *queue, uint32_t token,
                const struct dma_segment *segment, uint32_t reads, uint32_t writes)
{
    virtqueue_packed_put(queue->packed, token, segment, reads, writes);
}

static bool used(struct virtio_device_queue *queue, struct virtqueue_used *to)
{
    DEBUG_ASSERT(virtqueue_packed_check(queue->packed));
    return virtqueue_packed_take(queue->packed, to);
}

static bool publish(struct virtio_device_queue *queue)
{
    DEBUG_ASSERT(virtqueue_packed_check(queue->packed));
    return virtqueue_packed_publish(queue->packed);
}

static bool arm(struct virtio_device_queue *queue)
{
    return virtqueue_packed_arm(queue->packed);
}

static void disarm(struct virtio_device_queue *queue)
{
    virtqueue_packed_disarm(queue->packed);
}

const struct virtio_device_format virtio_device_packed = {
    .put = put, .used = used, .publish = publish, .arm = arm, .disarm = disarm};

enum error virtio_device_queue_packed(struct virtio_device_queue *queue,
                                      struct virtqueue_packed *packed, struct virtio_device *device,
                                      struct driver *driver, uint16_t index, uint16_t slots,
                                      uint8_t shift)
{
    const uint16_t entries = (uint16_t)(slots << shift);
    queue->format = NULL;
    if (!virtio_device_has(device, VIRTIO_F_RING_PACKED))
        return virtio_device_queue(queue, device, driver, index, slots, shift);
    enum error error =
        driver_dma(driver, virtqueue_packed_bytes(entries), VIRTQUEUE_ALIGN, &queue->memory);
    if (error != OK)
        return error;
    virtqueue_packed_init(packed, &queue->ring, dma_memory(&queue->memory), entries, shift,
                          virtio_device_has(device, VIRTIO_RING_F_EVENT_IDX));
    queue->format = &virtio_device_packed;
    queue->packed = packed;
    const uint64_t base = dma_give(&queue->memory) - (uintptr_t)queue->memory.memory;
    struct virtio_queue setup = {.index = index,
                                 .size = entries,
                                 .desc = base + (uintptr_t)packed->desc,
                                 .avail = base + (uintptr_t)packed->wish,
                                 .used = base + (uintptr_t)packed->theirs};
    domain_log(driver->domain, "queue %u is packed", index);
    return virtio_device_queue_start(queue, device, driver, &setup);
}
