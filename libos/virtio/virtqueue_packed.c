/* SPDX-License-Identifier: ISC
 *
 * Packed virtqueues: see virtqueue_packed.h. Called by libos/driver/virtio_packed.c. Refuses used
 * descriptors that name no chain that the device was shown.
 */
#include "libos/virtio/virtqueue_packed.h"

#include <string.h>

#include "libos/assert.h"

enum {
    FLAG_AVAILABLE = 1 << VRING_PACKED_DESC_F_AVAIL,
    FLAG_USED = 1 << VRING_PACKED_DESC_F_USED,
    EVENT_WRAP = 1 << VRING_PACKED_EVENT_F_WRAP_CTR, /* of a position in an event structure */
};

void virtqueue_packed_place(struct virtqueue_packed *packed, struct virtqueue *queue, void *memory,
                            uint32_t size)
{
    memset(packed, 0, sizeof(*packed));
    packed->queue = queue;
    packed->desc = memory;
    packed->wish = (void *)(packed->desc + size);
    packed->theirs = packed->wish + 1;
    packed->size = (uint16_t)size;
}

void virtqueue_packed_init(struct virtqueue_packed *packed, struct virtqueue *queue, void *memory,
                           uint32_t size, uint32_t shift, bool event_idx)
{
    virtqueue_packed_place(packed, queue, memory, size);
    virtqueue_slots_init(queue, size, shift, event_idx);
    packed->put_wrap = packed->used_wrap = true; /* 2.7.1 */
    packed->wish->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
}

/* What makes a descriptor available in a lap with that wrap counter (2.7.1). */
static uint16_t flags_available(bool wrap)
{
    return wrap ? FLAG_AVAILABLE : FLAG_USED;
}

static void step(const struct virtqueue_packed *packed, uint16_t *at, bool *wrap, uint32_t count)
{
    *at = (uint16_t)(*at + count);
    if (*at < packed->size)
        return;
    *at = (uint16_t)(*at - packed->size);
    *wrap = !*wrap;
}

/* Where the first descriptor is that wasn't published. */
static uint16_t held_at(const struct virtqueue_packed *packed)
{
    const bool behind = packed->added > packed->put_at;
    return (uint16_t)(packed->put_at + (behind ? packed->size : 0) - packed->added);
}

/* The first descriptor of a batch keeps the flags that it had: the device goes no further. */
static void desc_put(struct virtqueue_packed *packed, struct dma_segment segment, uint32_t slot,
                     uint16_t flags)
{
    struct vring_packed_desc *desc = &packed->desc[packed->put_at];
    flags |= flags_available(packed->put_wrap);
    desc->addr = segment.address;
    desc->len = segment.bytes;
    desc->id = (uint16_t)slot;
    if (packed->added++)
        desc->flags = flags;
    else
        packed->held_flags = flags;
    step(packed, &packed->put_at, &packed->put_wrap, 1);
}

void virtqueue_packed_put(struct virtqueue_packed *packed, uint32_t token,
                          const struct dma_segment *segment, uint32_t reads, uint32_t writes)
{
    struct virtqueue *queue = packed->queue;
    const uint32_t segments = reads + writes;
    SERVER_ASSERT(queue->free_count && segments && segments <= 1u << queue->shift);
    const uint32_t slot = virtqueue_slot_take(queue, token);
    packed->length[slot] = (uint8_t)segments;
    for (uint32_t i = 0; i < segments; i++)
        desc_put(packed, segment[i], slot,
                 (i < reads ? 0 : VRING_DESC_F_WRITE) | (i + 1 < segments ? VRING_DESC_F_NEXT : 0));
}

/* Of a structure that the device writes, both fields at one time. */
static struct vring_packed_desc_event event_read(const struct vring_packed_desc_event *from)
{
    struct vring_packed_desc_event event;
    const uint32_t word = __atomic_load_n((const uint32_t *)(const void *)from, __ATOMIC_RELAXED);
    memcpy(&event, &word, sizeof(event));
    return event;
}

/* The same for the one that the device reads: it never sees where without whether. */
static void event_write(struct vring_packed_desc_event *to, struct vring_packed_desc_event event)
{
    uint32_t word;
    memcpy(&word, &event, sizeof(word));
    __atomic_store_n((uint32_t *)(void *)to, word, __ATOMIC_RELAXED);
}

/* Has the device asked to hear of one of the `added` descriptors before put_at? (2.7.10) */
static bool wants_notification(const struct virtqueue_packed *packed, uint16_t added)
{
    const struct vring_packed_desc_event event = event_read(packed->theirs);
    if (!packed->queue->event_idx || event.flags != VRING_PACKED_EVENT_FLAG_DESC)
        return event.flags != VRING_PACKED_EVENT_FLAG_DISABLE;
    uint16_t at = event.off_wrap & (uint16_t)~EVENT_WRAP;
    if (!(event.off_wrap & EVENT_WRAP) == packed->put_wrap)
        at = (uint16_t)(at - packed->size); /* of the lap before */
    return vring_need_event(at, packed->put_at, (uint16_t)(packed->put_at - added));
}

bool virtqueue_packed_publish(struct virtqueue_packed *packed)
{
    struct virtqueue *queue = packed->queue;
    const uint16_t added = packed->added;
    if (!virtqueue_unpublished(queue))
        return false;
    memcpy(packed->shown, queue->busy, queue->slots);
    queue->published = queue->put;
    /* Release: all chains of the batch are written before the flags of its first descriptor. The
     * device reads those flags before the rest. */
    __atomic_store_n(&packed->desc[held_at(packed)].flags, packed->held_flags, __ATOMIC_RELEASE);
    packed->held_flags = packed->added = 0;
    /* Full: the flags are written before the device's wish is read. The device writes that before
     * it reads the flags for the last time and goes to sleep; so one of both sides sees the
     * other's write. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return wants_notification(packed, added);
}

/* Whether the descriptor at our position is used: both bits are as this lap has them (2.7.1). */
static bool is_used(const struct virtqueue_packed *packed)
{
    /* Acquire: the flags are read before the descriptor's other fields and the buffers. The device
     * writes them after those. */
    const uint16_t flags = __atomic_load_n(&packed->desc[packed->used_at].flags, __ATOMIC_ACQUIRE);
    return !(flags & FLAG_AVAILABLE) == !packed->used_wrap &&
           !(flags & FLAG_USED) == !packed->used_wrap;
}

bool virtqueue_packed_take(struct virtqueue_packed *packed, struct virtqueue_used *used)
{
    struct virtqueue *queue = packed->queue;
    const struct vring_packed_desc *desc = &packed->desc[packed->used_at];
    if (queue->fault || !is_used(packed))
        return false;
    const uint32_t slot = __atomic_load_n(&desc->id, __ATOMIC_RELAXED);
    used->length = __atomic_load_n(&desc->len, __ATOMIC_RELAXED);
    if (slot >= queue->slots || !packed->shown[slot]) {
        virtqueue_fail(queue, "it used a buffer that it hadn't got");
        return false;
    }
    used->token = queue->token[slot];
    packed->shown[slot] = false;
    step(packed, &packed->used_at, &packed->used_wrap, packed->length[slot]);
    virtqueue_slot_free(queue, slot);
    queue->seen = queue->taken;
    return true;
}

bool virtqueue_packed_arm(struct virtqueue_packed *packed)
{
    struct virtqueue *queue = packed->queue;
    if (queue->fault)
        return false;
    const struct vring_packed_desc_event wish = {
        .off_wrap = (uint16_t)(packed->used_at | (packed->used_wrap ? EVENT_WRAP : 0)),
        .flags = queue->event_idx ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE};
    queue->interrupts_on = true;
    event_write(packed->wish, wish);
    /* The race: the device may have used the chain just before it could see the wish, and then it
     * sends no interrupt. Full: the wish is written before the descriptor's flags are read. The
     * device writes those before it reads the wish; so either it interrupts or we see them. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return is_used(packed);
}

void virtqueue_packed_disarm(struct virtqueue_packed *packed)
{
    if (!packed->queue->interrupts_on)
        return;
    packed->queue->interrupts_on = false;
    __atomic_store_n(&packed->wish->flags, VRING_PACKED_EVENT_FLAG_DISABLE, __ATOMIC_RELAXED);
}

/* Slots: what the device was shown is busy, and so much as was published and not taken. */
static bool slots_check(const struct virtqueue_packed *packed)
{
    const struct virtqueue *queue = packed->queue;
    uint32_t shown = 0, descriptors = 0, added = 0;
    for (uint32_t slot = 0; slot < queue->slots; slot++) {
        const uint32_t length = queue->busy[slot] ? packed->length[slot] : 0;
        if ((packed->shown[slot] && !queue->busy[slot]) ||
            (queue->busy[slot] && (!length || length > 1u << queue->shift)))
            return false;
        shown += packed->shown[slot];
        descriptors += length;
        added += packed->shown[slot] ? 0 : length;
    }
    const uint32_t distance = packed->put_at +
                              (packed->put_wrap == packed->used_wrap ? 0 : packed->size) -
                              packed->used_at;
    return descriptors == distance && added == packed->added &&
           shown == (uint16_t)(queue->published - queue->taken);
}

/* What is held back is what a chain begins with. */
static bool held_check(const struct virtqueue_packed *packed)
{
    if (!packed->added)
        return !packed->held_flags;
    const bool wrap = packed->put_wrap != (packed->added > packed->put_at);
    const uint16_t kind = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE;
    return (packed->held_flags & (uint16_t)~kind) == flags_available(wrap);
}

bool virtqueue_packed_check(const struct virtqueue_packed *packed)
{
    return packed->put_at < packed->size && packed->used_at < packed->size &&
           virtqueue_check(packed->queue) && slots_check(packed) && held_check(packed);
}
