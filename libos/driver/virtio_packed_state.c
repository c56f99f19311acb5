/* SPDX-License-Identifier: ISC
 *
 * Queues of drivers that are swapped and may have packed ones: see virtio_device_state.h. Refuses a
 * queue of another format than the one that was negotiated.
 */
#include "libos/driver/virtio_device_state.h"

void virtio_device_queue_packed_save(const struct virtio_device_queue *queue,
                                     struct virtio_device_packed_state *state)
{
    *state = (struct virtio_device_packed_state){0};
    virtio_device_queue_save(queue, &state->queue);
    if (queue->format)
        virtqueue_packed_save(queue->packed, &state->packed);
}

enum error virtio_device_queue_packed_load(struct virtio_device_queue *queue,
                                           struct virtqueue_packed *packed,
                                           struct virtio_device *device, struct driver *driver,
                                           uint16_t index, uint32_t slots, uint8_t shift,
                                           const struct virtio_device_packed_state *state)
{
    const uint32_t size = slots << shift;
    if (!virtio_device_has(device, VIRTIO_F_RING_PACKED))
        return state->packed.size ? ERROR_BAD_ARGUMENT
                                  : virtio_device_queue_load(queue, device, driver, index, slots,
                                                             slots, shift, &state->queue);
    enum error error = virtio_device_queue_load_memory(queue, device, driver, index,
                                                       virtqueue_packed_bytes(size), &state->queue);
    if (error == OK)
        error = virtqueue_slots_load(&queue->ring, size, shift, &state->queue.ring);
    if (error == OK)
        error = virtqueue_packed_load(packed, &queue->ring, queue->memory.memory, &state->packed);
    queue->format = &virtio_device_packed;
    queue->packed = packed;
    return error;
}
