/* SPDX-License-Identifier: ISC
 *
 * The device's side of packed queues (virtio 1.1, section 2.7), for fake_virtio.c.
 */
#include <assert.h>

#include "tests/unit/fake_virtio.h"

enum { AVAILABLE = 1 << VRING_PACKED_DESC_F_AVAIL, USED = 1 << VRING_PACKED_DESC_F_USED };

static struct vring_packed_desc *descriptors(struct fake_virtio *fake, uint32_t number)
{
    const struct fake_queue *queue = &fake->queue[number];
    assert(queue->enabled && fake->status & VIRTIO_CONFIG_S_DRIVER_OK);
    return fake_virtio_reach(fake, queue->desc, queue->size * sizeof(struct vring_packed_desc));
}

static struct vring_packed_desc_event *event_at(struct fake_virtio *fake, uint64_t address)
{
    return fake_virtio_reach(fake, address, sizeof(struct vring_packed_desc_event));
}

static bool is_available(const struct fake_packed *packed, uint16_t flags)
{
    return !!(flags & AVAILABLE) == packed->wrap && !!(flags & USED) != packed->wrap;
}

uint16_t fake_packed_available(struct fake_virtio *fake, uint32_t queue)
{
    const struct fake_packed *packed = &fake->queue[queue].packed;
    return is_available(packed, descriptors(fake, queue)[packed->at].flags);
}

void fake_packed_ask(struct fake_virtio *fake, uint32_t queue)
{
    const struct fake_packed *packed = &fake->queue[queue].packed;
    struct vring_packed_desc_event *event = event_at(fake, fake->queue[queue].used);
    const bool event_idx = fake_virtio_has(fake, VIRTIO_RING_F_EVENT_IDX);
    event->off_wrap = (uint16_t)(packed->at | packed->wrap << VRING_PACKED_EVENT_F_WRAP_CTR);
    event->flags = event_idx ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE;
}

static void step(uint16_t *at, bool *wrap, uint16_t count, uint16_t size)
{
    *at = (uint16_t)(*at + count);
    if (*at < size)
        return;
    *at = (uint16_t)(*at - size);
    *wrap = !*wrap;
}

void fake_packed_pop(struct fake_virtio *fake, uint32_t number, struct fake_chain *chain)
{
    struct fake_queue *queue = &fake->queue[number];
    struct fake_packed *packed = &queue->packed;
    const struct vring_packed_desc *ring = descriptors(fake, number);
    if (!fake_virtio_has(fake, VIRTIO_RING_F_EVENT_IDX))
        event_at(fake, queue->used)->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
    *chain = (struct fake_chain){0};
    for (bool more = true; more;) {
        const struct vring_packed_desc desc = ring[packed->at];
        assert(is_available(packed, desc.flags)); /* a chain is there as a whole */
        const uint16_t flags = desc.flags & (uint16_t) ~(AVAILABLE | USED);
        assert(!(flags & ~(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE)));
        assert(desc.len && chain->count < FAKE_CHAIN_MAX && desc.id < FAKE_IDS);
        chain->desc[chain->count++] =
            (struct vring_desc){.addr = desc.addr, .len = desc.len, .flags = flags};
        chain->head = desc.id;
        more = flags & VRING_DESC_F_NEXT;
        step(&packed->at, &packed->wrap, 1, queue->size);
    }
    queue->popped++;
    packed->length[chain->head] = (uint16_t)chain->count;
}

void fake_packed_push(struct fake_virtio *fake, uint32_t number, uint32_t id, uint32_t length)
{
    struct fake_packed *packed = &fake->queue[number].packed;
    assert(packed->pending < FAKE_PENDING);
    packed->used[packed->pending++] = (struct vring_used_elem){.id = id, .len = length};
}

/* The first one's flags are written last: the driver sees all or none. */
void fake_packed_flush(struct fake_virtio *fake, uint32_t number)
{
    struct fake_queue *queue = &fake->queue[number];
    struct fake_packed *packed = &queue->packed;
    struct vring_packed_desc *ring = descriptors(fake, number), *first = &ring[packed->used_at];
    const uint16_t first_flags = packed->used_wrap ? AVAILABLE | USED : 0;
    for (uint32_t i = 0; i < packed->pending; i++) {
        const struct vring_used_elem used = packed->used[i];
        struct vring_packed_desc *desc = &ring[packed->used_at];
        const uint16_t length = used.id < FAKE_IDS ? packed->length[used.id] : 1;
        desc->id = (uint16_t)used.id;
        desc->len = used.len;
        if (desc != first)
            desc->flags = packed->used_wrap ? AVAILABLE | USED : 0;
        step(&packed->used_at, &packed->used_wrap, length ? length : 1, queue->size);
        packed->moved = (uint16_t)(packed->moved + (length ? length : 1));
    }
    packed->pending = 0;
    __atomic_store_n(&first->flags, first_flags, __ATOMIC_RELEASE);
}

bool fake_packed_wanted(struct fake_virtio *fake, uint32_t number)
{
    const struct fake_queue *queue = &fake->queue[number];
    struct fake_packed *packed = &fake->queue[number].packed;
    const struct vring_packed_desc_event event = *event_at(fake, queue->avail);
    const uint16_t moved = packed->moved, wrap = 1 << VRING_PACKED_EVENT_F_WRAP_CTR;
    uint16_t at = event.off_wrap & (uint16_t)~wrap;
    packed->moved = 0;
    assert(event.flags <= VRING_PACKED_EVENT_FLAG_DESC);
    if (event.flags != VRING_PACKED_EVENT_FLAG_DESC)
        return event.flags == VRING_PACKED_EVENT_FLAG_ENABLE;
    assert(fake_virtio_has(fake, VIRTIO_RING_F_EVENT_IDX) && at < queue->size);
    if (!!(event.off_wrap & wrap) != packed->used_wrap)
        at = (uint16_t)(at - queue->size);
    return vring_need_event(at, packed->used_at, (uint16_t)(packed->used_at - moved));
}
