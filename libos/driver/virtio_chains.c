/* SPDX-License-Identifier: ISC
 *
 * What a driver of a virtio device does for each chain, apart from what it does once: see
 * virtio_device.h. Compiled for speed, since a network driver does both for each frame.
 */
#include "libos/driver/virtio_device.h"

void virtio_device_put_one(struct virtio_device_queue *queue, uint32_t token,
                           struct dma_segment segment, bool fill)
{
    struct virtqueue *ring = &queue->ring;
    struct vring_desc *desc = virtqueue_chain(ring, virtqueue_next_slot(ring));
    desc->addr = segment.address;
    desc->len = segment.bytes;
    desc->flags = fill ? VRING_DESC_F_WRITE : 0;
    virtqueue_put(ring, token);
}

/* `next` stands in each descriptor from the beginning: a slot's descriptors follow each other. */
void virtio_device_put(struct virtio_device_queue *queue, uint32_t token,
                       const struct dma_segment *segment, uint32_t reads, uint32_t writes)
{
    struct virtqueue *ring = &queue->ring;
    struct vring_desc *desc = virtqueue_chain(ring, virtqueue_next_slot(ring));
    const uint32_t last = reads + writes - 1;
    DEBUG_ASSERT(last < 1u << ring->shift);
    uint16_t flags = VRING_DESC_F_NEXT;
    for (uint32_t i = 0; i <= last; i++) {
        if (i == reads)
            flags |= VRING_DESC_F_WRITE;
        desc[i].addr = segment[i].address;
        desc[i].len = segment[i].bytes;
        desc[i].flags = flags;
    }
    desc[last].flags = writes ? VRING_DESC_F_WRITE : 0;
    virtqueue_put(ring, token);
}

bool virtio_device_used(struct virtio_device_queue *queue, struct virtqueue_used *used)
{
    return virtqueue_take(&queue->ring, used);
}
