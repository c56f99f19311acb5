/* SPDX-License-Identifier: ISC
 *
 * Packed virtqueues: see virtqueue_packed.h. Called by libos/driver/virtio_packed.c. Refuses used
 * descriptors that name no outstanding chain.
 */
#include "libos/virtio/virtqueue_packed.h"

#include <string.h>

#include "libos/assert.h"

enum {
    FLAG_AVAILABLE = 1 << VRING_PACKED_DESC_F_AVAIL,
    FLAG_USED = 1 << VRING_PACKED_DESC_F_USED,
    EVENT_WRAP = 1 << VRING_PACKED_EVENT_F_WRAP_CTR, /* of a position in an event structure */
};

void virtqueue_packed_init(struct virtqueue_packed *queue, void *memory, uint32_t size,
                           uint32_t shift, bool event_idx)
{
    memset(queue, 0, sizeof(*queue));
    queue->desc = memory;
    queue->wish = (void *)(queue->desc + size);
    queue->theirs = queue->wish + 1;
    queue->size = (uint16_t)size;
    queue->shift = (uint8_t)shift;
    queue->slots = (uint8_t)(size >> shift);
    queue->event_idx = event_idx;
    queue->put_wrap = queue->used_wrap = true; /* 2.7.1 */
    SERVER_ASSERT(queue->slots && queue->slots <= VIRTQUEUE_PACKED_SLOTS_MAX);
    while (queue->free_count < queue->slots) {
        queue->free[queue->free_count] = (uint8_t)(queue->slots - 1 - queue->free_count);
        queue->free_count++;
    }
    queue->wish->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
}

/* What makes a descriptor at our position available (2.7.1). */
static uint16_t flags_available(const struct virtqueue_packed *queue)
{
    return queue->put_wrap ? FLAG_AVAILABLE : FLAG_USED;
}

/* The first descriptor of a batch keeps the flags that it had: the device goes no further. */
static void desc_flag(struct virtqueue_packed *queue, uint16_t flags)
{
    if (queue->held_flags) {
        queue->desc[queue->put_at].flags = flags;
    } else {
        queue->held_at = queue->put_at;
        queue->held_flags = flags;
    }
}

void virtqueue_packed_put(struct virtqueue_packed *queue, uint32_t token,
                          const struct dma_segment *segment, uint32_t reads, uint32_t writes)
{
    const uint32_t segments = reads + writes;
    SERVER_ASSERT(queue->free_count && segments && segments <= 1u << queue->shift);
    const uint8_t slot = queue->free[--queue->free_count];
    queue->busy[slot] = true;
    queue->token[slot] = token;
    queue->length[slot] = (uint8_t)segments;
    queue->added = (uint16_t)(queue->added + segments);
    for (uint32_t i = 0; i < segments; i++) {
        struct vring_packed_desc *desc = &queue->desc[queue->put_at];
        desc->addr = segment[i].address;
        desc->len = segment[i].bytes;
        desc->id = slot;
        desc_flag(queue, (uint16_t)(flags_available(queue) | (i < reads ? 0 : VRING_DESC_F_WRITE) |
                                    (i + 1 < segments ? VRING_DESC_F_NEXT : 0)));
        if (++queue->put_at == queue->size) {
            queue->put_at = 0;
            queue->put_wrap = !queue->put_wrap;
        }
    }
}

/* Of a structure that the device writes, both fields at one time. */
static struct vring_packed_desc_event event_read(const struct vring_packed_desc_event *from)
{
    struct vring_packed_desc_event event;
    const uint32_t word = __atomic_load_n((const uint32_t *)(const void *)from, __ATOMIC_RELAXED);
    memcpy(&event, &word, sizeof(event));
    return event;
}

/* Has the device asked to hear of one of the `added` descriptors before put_at? (2.7.10) */
static bool wants_notification(const struct virtqueue_packed *queue, uint16_t added)
{
    const struct vring_packed_desc_event event = event_read(queue->theirs);
    if (!queue->event_idx || event.flags != VRING_PACKED_EVENT_FLAG_DESC)
        return event.flags != VRING_PACKED_EVENT_FLAG_DISABLE;
    uint16_t at = event.off_wrap & (uint16_t)~EVENT_WRAP;
    if (!(event.off_wrap & EVENT_WRAP) == queue->put_wrap)
        at = (uint16_t)(at - queue->size); /* of the lap before */
    return vring_need_event(at, queue->put_at, (uint16_t)(queue->put_at - added));
}

bool virtqueue_packed_publish(struct virtqueue_packed *queue)
{
    const uint16_t added = queue->added;
    if (!queue->held_flags)
        return false;
    /* Release: all chains of the batch are written before the flags of its first descriptor. The
     * device reads those flags before the rest. */
    __atomic_store_n(&queue->desc[queue->held_at].flags, queue->held_flags, __ATOMIC_RELEASE);
    queue->held_flags = queue->added = 0;
    /* Full: the flags are written before the device's wish is read. The device writes that before
     * it reads the flags for the last time and goes to sleep; so one of both sides sees the
     * other's write. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return wants_notification(queue, added);
}

/* Whether the descriptor at our position is used: both bits are as this lap has them (2.7.1). */
static bool is_used(const struct virtqueue_packed *queue)
{
    /* Acquire: the flags are read before the descriptor's other fields and the buffers. The device
     * writes them after those. */
    const uint16_t flags = __atomic_load_n(&queue->desc[queue->used_at].flags, __ATOMIC_ACQUIRE);
    return !(flags & FLAG_AVAILABLE) == !queue->used_wrap &&
           !(flags & FLAG_USED) == !queue->used_wrap;
}

bool virtqueue_packed_take(struct virtqueue_packed *queue, struct virtqueue_used *used)
{
    const struct vring_packed_desc *desc = &queue->desc[queue->used_at];
    if (queue->fault || !is_used(queue))
        return false;
    const uint16_t slot = __atomic_load_n(&desc->id, __ATOMIC_RELAXED);
    used->length = __atomic_load_n(&desc->len, __ATOMIC_RELAXED);
    if (slot >= queue->slots || !queue->busy[slot]) {
        queue->fault = "it used a buffer that it hadn't got";
        return false;
    }
    used->token = queue->token[slot];
    queue->busy[slot] = false;
    queue->free[queue->free_count++] = (uint8_t)slot;
    queue->used_at = (uint16_t)(queue->used_at + queue->length[slot]);
    if (queue->used_at >= queue->size) {
        queue->used_at = (uint16_t)(queue->used_at - queue->size);
        queue->used_wrap = !queue->used_wrap;
    }
    return true;
}

bool virtqueue_packed_arm(struct virtqueue_packed *queue)
{
    if (queue->fault || queue->free_count == queue->slots)
        return false;
    queue->wish->off_wrap = (uint16_t)(queue->used_at | (queue->used_wrap ? EVENT_WRAP : 0));
    /* Release: where, before whether. The device reads whether first. */
    __atomic_store_n(&queue->wish->flags,
                     queue->event_idx ? VRING_PACKED_EVENT_FLAG_DESC
                                      : VRING_PACKED_EVENT_FLAG_ENABLE,
                     __ATOMIC_RELEASE);
    /* The race: the device may have used the chain just before it could see the wish, and then it
     * sends no interrupt. Full: the wish is written before the descriptor's flags are read. The
     * device writes those before it reads the wish; so either it interrupts or we see them. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return is_used(queue);
}

bool virtqueue_packed_check(const struct virtqueue_packed *queue)
{
    uint32_t busy = 0, descriptors = 0;
    for (uint32_t slot = 0; slot < queue->slots; slot++) {
        busy += queue->busy[slot];
        descriptors += queue->busy[slot] ? queue->length[slot] : 0;
    }
    for (uint32_t i = 0; i < queue->free_count; i++)
        if (queue->free[i] >= queue->slots || queue->busy[queue->free[i]])
            return false;
    const uint32_t distance =
        queue->put_at + (queue->put_wrap == queue->used_wrap ? 0 : queue->size) - queue->used_at;
    return busy + queue->free_count == queue->slots && descriptors == distance &&
           queue->added <= descriptors && !queue->held_flags == !queue->added;
}
