/* SPDX-License-Identifier: ISC
 *
 * What is done for each chain, apart from what is done once per batch: see virtqueue.h. Compiled
 * for speed, since a network driver does it for each frame.
 */
#include "libos/virtio/virtqueue.h"

#include "libos/assert.h"

void virtqueue_put_one(struct virtqueue *queue, uint32_t token, struct dma_segment segment,
                       bool fill)
{
    struct vring_desc *desc = virtqueue_chain(queue, virtqueue_next_slot(queue));
    desc->addr = segment.address;
    desc->len = segment.bytes;
    desc->flags = fill ? VRING_DESC_F_WRITE : 0;
    virtqueue_put(queue, token);
}

/* `next` stands in each descriptor from the beginning: a slot's descriptors follow each other. */
void virtqueue_put_chain(struct virtqueue *queue, uint32_t token, const struct dma_segment *segment,
                         uint32_t reads, uint32_t writes)
{
    struct vring_desc *desc = virtqueue_chain(queue, virtqueue_next_slot(queue));
    const uint32_t last = reads + writes - 1;
    uint16_t flags = VRING_DESC_F_NEXT;
    DEBUG_ASSERT(last < 1u << queue->shift);
    for (uint32_t i = 0; i <= last; i++) {
        if (i == reads)
            flags |= VRING_DESC_F_WRITE;
        desc[i].addr = segment[i].address;
        desc[i].len = segment[i].bytes;
        desc[i].flags = flags;
    }
    desc[last].flags = writes ? VRING_DESC_F_WRITE : 0;
    virtqueue_put(queue, token);
}

bool virtqueue_used(struct virtqueue *queue, struct virtqueue_used *used)
{
    return virtqueue_take(queue, used);
}
