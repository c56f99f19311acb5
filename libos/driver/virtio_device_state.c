/* SPDX-License-Identifier: ISC
 *
 * See virtio_device_state.h. Refuses what start can't have made, and doorbells that aren't the
 * device's.
 */
#include "libos/driver/virtio_device_state.h"

void virtio_device_queue_save(const struct virtio_device_queue *queue,
                              struct virtio_device_queue_state *state)
{
    *state = (struct virtio_device_queue_state){.doorbell = queue->doorbell};
    virtqueue_save(&queue->ring, &state->ring);
}

enum error virtio_device_load(struct virtio_device *device, struct driver *driver, uint16_t type,
                              uint64_t features)
{
    device->features = features;
    return virtio_find(&device->virtio, driver->device, type) ? ERROR_BAD_ARGUMENT : OK;
}

enum error virtio_device_queue_load_memory(struct virtio_device_queue *queue,
                                           struct virtio_device *device, struct driver *driver,
                                           uint16_t index, uint32_t bytes,
                                           const struct virtio_device_queue_state *state)
{
    queue->device = device;
    queue->index = index;
    queue->doorbell = state->doorbell;
    if (state->ring.broken || !virtio_device_has(device, VIRTIO_F_VERSION_1) ||
        !state->ring.event_idx == virtio_device_has(device, VIRTIO_RING_F_EVENT_IDX) ||
        bytes > driver_dma_left(driver, VIRTQUEUE_ALIGN) ||
        !virtio_doorbell_check(&device->virtio, state->doorbell))
        return ERROR_BAD_ARGUMENT;
    enum error error = driver_dma(driver, bytes, VIRTQUEUE_ALIGN, &queue->memory);
    dma_give(&queue->memory);
    return error;
}

enum error virtio_device_queue_load(struct virtio_device_queue *queue, struct virtio_device *device,
                                    struct driver *driver, uint16_t index, uint32_t slots_min,
                                    uint32_t slots_max, uint8_t shift,
                                    const struct virtio_device_queue_state *state)
{
    const uint32_t entries = state->ring.size;
    if (entries < slots_min << shift || entries > slots_max << shift)
        return ERROR_BAD_ARGUMENT;
    enum error error = virtio_device_queue_load_memory(queue, device, driver, index,
                                                       virtqueue_bytes(entries), state);
    return error == OK
               ? virtqueue_load(&queue->ring, queue->memory.memory, entries, shift, &state->ring)
               : error;
}
