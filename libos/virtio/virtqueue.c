/* SPDX-License-Identifier: ISC
 *
 * Split virtqueues: see virtqueue.h. Called by drivers. Refuses used entries that name no
 * outstanding chain and used indices beyond what was published.
 */
#include <string.h>

#include "libos/virtio/virtqueue.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtio 1 rings are little-endian");

void virtqueue_place(struct virtqueue *queue, void *memory)
{
    vring_init(&queue->ring, queue->ring.num, memory, VIRTQUEUE_USED_ALIGN);
    /* Four bytes behind a multiple of eight no entry crosses a page: behind an IOMMU, QEMU 7.2
     * writes the part beyond to another address. */
    queue->ring.used = (struct vring_used *)((uintptr_t)queue->ring.used | VIRTQUEUE_USED_ALIGN);
    queue->mask = (uint16_t)(queue->ring.num - 1);
}

void virtqueue_slots_init(struct virtqueue *queue, uint32_t size, uint32_t shift, bool event_idx)
{
    memset(queue, 0, sizeof(*queue));
    queue->ring.num = size;
    queue->shift = (uint8_t)shift;
    queue->slots = (uint16_t)(size >> shift);
    queue->event_idx = event_idx;
    SERVER_ASSERT(queue->slots && queue->slots <= VIRTQUEUE_SLOTS_MAX);
    while (queue->free_count < queue->slots) {
        queue->free[queue->free_count] = (uint8_t)(queue->slots - 1 - queue->free_count);
        queue->free_count++;
    }
}

void virtqueue_init(struct virtqueue *queue, void *memory, uint32_t size, uint32_t shift,
                    bool event_idx)
{
    virtqueue_slots_init(queue, size, shift, event_idx);
    virtqueue_place(queue, memory);
    for (uint32_t i = 0; i < size; i++)
        queue->ring.desc[i].next = (uint16_t)(i + 1); /* of each chain */
    queue->interrupt_at = 0xffff;                     /* just behind entry 0: far away */
    vring_used_event(&queue->ring) = queue->interrupt_at;
    if (!event_idx)
        queue->ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}

bool virtqueue_publish(struct virtqueue *queue)
{
    uint16_t old = queue->published, new = queue->put;
    if (!virtqueue_unpublished(queue))
        return false;
    queue->published = new;
    /* Release: the chains and the ring entries are written before the index. The device reads the
     * index before them. */
    __atomic_store_n(&queue->ring.avail->idx, new, __ATOMIC_RELEASE);
    /* Full: the index is written before avail_event (or flags) is read. The device writes those
     * before it reads the index for the last time and goes to sleep; so one of both sides sees the
     * other's write. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (queue->event_idx) {
        const uint16_t *event = &vring_avail_event(&queue->ring);
        return vring_need_event(__atomic_load_n(event, __ATOMIC_RELAXED), new, old);
    }
    return !(__atomic_load_n(&queue->ring.used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY);
}

void virtqueue_fail(struct virtqueue *queue, const char *fault)
{
    queue->fault = fault;
    queue->seen = queue->taken;
}

bool virtqueue_advance(struct virtqueue *queue, uint16_t seen)
{
    if (queue->fault)
        return false;
    if ((uint16_t)(seen - queue->taken) > (uint16_t)(queue->published - queue->taken)) {
        virtqueue_fail(queue, "it used more buffers than it had");
        return false;
    }
    queue->seen = seen;
    return true;
}

void virtqueue_put_chain(struct virtqueue *queue, uint32_t token, const struct dma_segment *segment,
                         uint32_t reads, uint32_t writes)
{
    struct vring_desc *desc = virtqueue_put(queue, token);
    const uint32_t count = reads + writes;
    SERVER_ASSERT(count && count <= 1u << queue->shift);
    for (uint32_t i = 0; i < count; i++)
        virtqueue_describe(&desc[i], segment[i],
                           (uint16_t)((i < reads ? 0 : VRING_DESC_F_WRITE) |
                                      (i + 1 < count ? VRING_DESC_F_NEXT : 0)));
}

bool virtqueue_arm(struct virtqueue *queue, uint16_t count)
{
    if (queue->event_idx) {
        uint16_t at = (uint16_t)(queue->taken + count - 1);
        if (queue->interrupt_at == at)
            return false;
        queue->interrupt_at = at;
        __atomic_store_n(&vring_used_event(&queue->ring), at, __ATOMIC_RELAXED);
    } else {
        if (queue->interrupts_on)
            return false;
        count = 1;
        queue->interrupts_on = true;
        __atomic_store_n(&queue->ring.avail->flags, 0, __ATOMIC_RELAXED);
    }
    /* The race: the device may have used the chain just before it could see the wish, and then it
     * sends no interrupt. Full: used_event (or flags) is written before the used index is read. The
     * device writes the index before it reads those; so either it interrupts or we see its index.
     */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return virtqueue_look(queue) && virtqueue_pending(queue) >= count;
}

bool virtqueue_armed(const struct virtqueue *queue)
{
    if (!queue->event_idx)
        return queue->interrupts_on;
    return (uint16_t)(queue->interrupt_at - queue->taken) < virtqueue_outstanding(queue);
}

void virtqueue_disarm(struct virtqueue *queue)
{
    if (queue->event_idx || !queue->interrupts_on)
        return;
    queue->interrupts_on = false;
    __atomic_store_n(&queue->ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT, __ATOMIC_RELAXED);
}

bool virtqueue_check(const struct virtqueue *queue)
{
    uint32_t busy = 0;
    for (uint32_t slot = 0; slot < queue->slots; slot++)
        busy += queue->busy[slot];
    for (uint32_t i = 0; i < queue->free_count; i++)
        if (queue->free[i] >= queue->slots || queue->busy[queue->free[i]])
            return false;
    uint16_t outstanding = virtqueue_outstanding(queue);
    uint16_t published = (uint16_t)(queue->published - queue->taken);
    return busy + queue->free_count == queue->slots && busy == outstanding &&
           (queue->fault || (published <= outstanding && virtqueue_pending(queue) <= published));
}
