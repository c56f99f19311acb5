/* SPDX-License-Identifier: ISC
 *
 * One split virtqueue (virtio 1.1, section 2.6), the driver's side: memory and indices, no device
 * register and no port in sight. Drivers call it.
 *
 * The queue is cut into slots of 2^shift descriptors, one chain each: slot s owns descriptors
 * s << shift and following, for good. Invariants (virtqueue_check states them as code):
 *  - a slot is either free or busy; busy slots number put - taken;
 *  - taken, seen, published and put follow each other in that order, modulo 2^16, and put is at
 *    most `slots` ahead of taken;
 *  - what the device can write is read once, into private memory, and then checked; nothing that
 *    this side relies on is read back from shared memory.
 *
 * A device that breaks the rules sets `fault`, for good: from then on nothing is taken any more.
 */
#ifndef MOTET_LIBOS_VIRTQUEUE_H
#define MOTET_LIBOS_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include "ipc/barrier.h"
#include "libos/assert.h"
#include "libos/device.h"

enum {
    VIRTQUEUE_SLOTS_MAX = 128, /* bounds the private tables */
    VIRTQUEUE_ALIGN = 16,      /* bytes, of a queue's memory: the descriptor table's (2.6) */
    VIRTQUEUE_USED_ALIGN = 4,  /* bytes, of the used ring (2.6) */
};

struct virtqueue {
    struct vring ring; /* in memory shared with the device; `num` descriptors */

    /* All below is private. Indices count modulo 2^16, as in the rings. */
    const char *fault;     /* what the device did wrong; NULL: nothing */
    uint16_t put;          /* chains put into the available ring */
    uint16_t published;    /* of those, shown to the device */
    uint16_t seen;         /* chains that the device says it has used */
    uint16_t taken;        /* of those, taken back */
    uint16_t interrupt_at; /* what stands in used_event: this entry's use interrupts */
    uint16_t mask;         /* an index's place in the rings: entries - 1 */
    uint16_t slots;        /* 1 to VIRTQUEUE_SLOTS_MAX */
    uint16_t free_count;
    uint8_t shift;
    bool event_idx;     /* VIRTIO_RING_F_EVENT_IDX: else the rings' flags */
    bool interrupts_on; /* without event_idx: the flag allows them */
    bool busy[VIRTQUEUE_SLOTS_MAX];
    uint8_t free[VIRTQUEUE_SLOTS_MAX];   /* a stack of free slots */
    uint32_t token[VIRTQUEUE_SLOTS_MAX]; /* what the caller remembers about a busy slot */
};

/* A chain that came back. */
struct virtqueue_used {
    uint32_t token;
    uint32_t length; /* bytes that the device says it has written: not checked */
};

/* Bytes of shared memory for a queue of `size` descriptors. */
static inline uint32_t virtqueue_bytes(uint32_t size)
{
    return (uint32_t)vring_size(size, VIRTQUEUE_USED_ALIGN) + VIRTQUEUE_USED_ALIGN;
}

/* Sets up an empty queue of `size` descriptors (a power of two, 2^shift to 2^shift *
 * VIRTQUEUE_SLOTS_MAX) in zeroed `memory` of virtqueue_bytes(size). Interrupts are off. */
void virtqueue_init(struct virtqueue *queue, void *memory, uint32_t size, uint32_t shift,
                    bool event_idx);

/* The two parts of that. Slots only, all free; for a queue whose rings are another's
 * (virtqueue_packed.h). And where the rings are: nothing of the memory is touched. */
void virtqueue_slots_init(struct virtqueue *queue, uint32_t size, uint32_t shift, bool event_idx);
void virtqueue_place(struct virtqueue *queue, void *memory);

static inline bool virtqueue_full(const struct virtqueue *queue)
{
    return !queue->free_count;
}

/* Chains that the device has, or will have with the next virtqueue_publish. */
static inline uint16_t virtqueue_outstanding(const struct virtqueue *queue)
{
    return (uint16_t)(queue->put - queue->taken);
}

/* The slot that the next virtqueue_put uses; not when full. */
static inline uint32_t virtqueue_next_slot(const struct virtqueue *queue)
{
    return queue->free[queue->free_count - 1];
}

/* Makes the slot that is next busy, and the other way; for what puts and takes chains. */
static inline uint32_t virtqueue_slot_take(struct virtqueue *queue, uint32_t token)
{
    DEBUG_ASSERT(queue->free_count);
    const uint16_t left = (uint16_t)(queue->free_count - 1);
    const uint32_t slot = queue->free[left];
    queue->free_count = left;
    queue->busy[slot] = true;
    queue->token[slot] = token;
    queue->put++;
    return slot;
}

static inline void virtqueue_slot_free(struct virtqueue *queue, uint32_t slot)
{
    queue->busy[slot] = false;
    queue->free[queue->free_count++] = (uint8_t)slot;
    queue->taken++;
}

/* Puts a chain into the available ring, and returns its descriptors: they are the caller's to write
 * until virtqueue_publish, when the device sees them; `next` stands in each from the beginning. Not
 * when full. */
static inline struct vring_desc *virtqueue_put(struct virtqueue *queue, uint32_t token)
{
    const uint32_t at = queue->put & queue->mask;
    const uint32_t first = virtqueue_slot_take(queue, token) << queue->shift;
    queue->ring.avail->ring[at] = (uint16_t)first;
    return &queue->ring.desc[first];
}

/* All of a descriptor but `next`. */
static inline void virtqueue_describe(struct vring_desc *desc, struct dma_segment segment,
                                      uint16_t flags)
{
    desc->addr = segment.address;
    desc->len = segment.bytes;
    desc->flags = flags;
}

/* Was anything put that the device hasn't been shown? */
static inline bool virtqueue_unpublished(const struct virtqueue *queue)
{
    return queue->put != queue->published;
}

/* Shows the device what was put. True: it wants to be notified of that. */
bool virtqueue_publish(struct virtqueue *queue);

/* Believes the device's used index, if it makes sense. True: there is something to take. */
bool virtqueue_advance(struct virtqueue *queue, uint16_t seen);

/* Looks for chains that the device has used. True: there are some to take. */
static inline bool virtqueue_look(struct virtqueue *queue)
{
    /* Acquire: the index is read before the used entries and the buffers. The device writes it
     * after them. */
    uint16_t seen = device_index_read(&queue->ring.used->idx);
    return seen != queue->taken && virtqueue_advance(queue, seen);
}

/* The same, without looking again at what is known already. */
static inline bool virtqueue_waiting(struct virtqueue *queue)
{
    return queue->seen != queue->taken || virtqueue_look(queue);
}

/* Nothing is taken any more; for `fault`. */
void virtqueue_fail(struct virtqueue *queue, const char *fault);

/* Takes back the next used chain: its slot is free again. False: there is none (or a fault). */
static inline bool virtqueue_take(struct virtqueue *queue, struct virtqueue_used *used)
{
    if (!virtqueue_waiting(queue))
        return false;
    const struct vring_used_elem *entry = &queue->ring.used->ring[queue->taken & queue->mask];
    uint32_t id = __atomic_load_n(&entry->id, __ATOMIC_RELAXED);
    used->length = __atomic_load_n(&entry->len, __ATOMIC_RELAXED);
    uint32_t slot = id >> queue->shift;
    if (slot >= queue->slots || slot << queue->shift != id || !queue->busy[slot]) {
        virtqueue_fail(queue, "it used a buffer that it hadn't got");
        return false;
    }
    used->token = queue->token[slot];
    virtqueue_slot_free(queue, slot);
    return true;
}

/* Chains known to be used and not yet taken. */
static inline uint16_t virtqueue_pending(const struct virtqueue *queue)
{
    return (uint16_t)(queue->seen - queue->taken);
}

/* Puts a chain and writes it: first the segments that the device reads, then those that it writes,
 * 1 to 2^shift in all. Not when full. */
void virtqueue_put_chain(struct virtqueue *queue, uint32_t token, const struct dma_segment *segment,
                         uint32_t reads, uint32_t writes);

/* Asks for an interrupt when `count` (at least 1) more chains are used; without event_idx, at the
 * next one. True: so many are used already, the interrupt may not come, take them now. */
bool virtqueue_arm(struct virtqueue *queue, uint16_t count);

/* Is an interrupt to come before all that is outstanding has been used? */
bool virtqueue_armed(const struct virtqueue *queue);

/* No interrupts, as far as the device heeds it. With event_idx there is nothing to do: a mark that
 * was passed stays behind. */
void virtqueue_disarm(struct virtqueue *queue);

/* The invariants. */
bool virtqueue_check(const struct virtqueue *queue);

#endif
