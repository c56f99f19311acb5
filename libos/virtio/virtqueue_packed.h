/* SPDX-License-Identifier: ISC
 *
 * One packed virtqueue (virtio 1.1, section 2.7), the driver's side: memory and positions, no
 * device register in sight. Drivers have it by libos/driver/virtio_device.h.
 *
 * One ring of descriptors, which both sides write. The driver writes a chain into the next ones and
 * makes them available; the device overwrites the first of them, in the order in which it is done,
 * with the chain's number and what it wrote. A bit pair in each says whose it is, and is meant
 * inversely in every other lap: each side has a wrap counter for the position that it is at.
 *
 * A chain has a slot, and the slot's number as its own. Invariants:
 *  - a slot is either free or busy; busy slots have `length` descriptors, at most 2^shift, and so
 *    the ring has room for all slots;
 *  - of the chains that were put since the last publish the first one's first descriptor isn't
 *    available yet: the device sees all of them at once, or none;
 *  - what the device can write is read once, into private memory, and then checked; nothing that
 *    this side relies on is read back from shared memory.
 *
 * A device that breaks the rules sets `fault`, for good: from then on nothing is taken any more.
 */
#ifndef MOTET_LIBOS_VIRTQUEUE_PACKED_H
#define MOTET_LIBOS_VIRTQUEUE_PACKED_H

#include "libos/virtio/virtqueue.h"

enum { VIRTQUEUE_PACKED_SLOTS_MAX = 16 }; /* bounds the private tables */

struct virtqueue_packed {
    /* In memory shared with the device. */
    struct vring_packed_desc *desc;
    struct vring_packed_desc_event *wish;   /* when we want to be interrupted; we write it */
    struct vring_packed_desc_event *theirs; /* when the device wants to be notified */

    const char *fault;   /* what the device did wrong; NULL: nothing */
    uint16_t size;       /* descriptors */
    uint16_t put_at;     /* where the next chain goes */
    uint16_t held_at;    /* the descriptor that isn't available yet */
    uint16_t held_flags; /* what makes it so; 0: nothing was put */
    uint16_t added;      /* descriptors since the last publish */
    uint16_t used_at;    /* where the next used chain stands */
    bool put_wrap, used_wrap;
    bool event_idx;
    uint8_t shift, slots, free_count;
    uint8_t free[VIRTQUEUE_PACKED_SLOTS_MAX]; /* a stack of free slots */
    bool busy[VIRTQUEUE_PACKED_SLOTS_MAX];
    uint8_t length[VIRTQUEUE_PACKED_SLOTS_MAX];
    uint32_t token[VIRTQUEUE_PACKED_SLOTS_MAX];
};

/* Bytes of shared memory for a queue of `size` descriptors. */
static inline uint32_t virtqueue_packed_bytes(uint32_t size)
{
    return size * (uint32_t)sizeof(struct vring_packed_desc) +
           2 * (uint32_t)sizeof(struct vring_packed_desc_event);
}

/* Sets up an empty queue of `size` descriptors (2^shift to 2^shift * VIRTQUEUE_PACKED_SLOTS_MAX, a
 * power of two) in zeroed `memory` of virtqueue_packed_bytes(size). Interrupts are off. */
void virtqueue_packed_init(struct virtqueue_packed *queue, void *memory, uint32_t size,
                           uint32_t shift, bool event_idx);

static inline bool virtqueue_packed_full(const struct virtqueue_packed *queue)
{
    return !queue->free_count;
}

/* The slot that the next virtqueue_packed_put uses; not when full. */
static inline uint32_t virtqueue_packed_next_slot(const struct virtqueue_packed *queue)
{
    return queue->free[queue->free_count - 1];
}

/* Puts a chain: first the segments that the device reads, then those that it writes, 1 to 2^shift
 * in all. The device sees it after virtqueue_packed_publish. Not when full. */
void virtqueue_packed_put(struct virtqueue_packed *queue, uint32_t token,
                          const struct dma_segment *segment, uint32_t reads, uint32_t writes);

/* Shows the device what was put. True: it wants to be notified of that. */
bool virtqueue_packed_publish(struct virtqueue_packed *queue);

/* Takes back the next used chain: its slot is free again. False: there is none (or a fault). */
bool virtqueue_packed_take(struct virtqueue_packed *queue, struct virtqueue_used *used);

/* Asks for an interrupt when the next chain is used, if there is one under way. True: it is used
 * already, the interrupt may not come, take it now. */
bool virtqueue_packed_arm(struct virtqueue_packed *queue);

/* The invariants; for tests. */
bool virtqueue_packed_check(const struct virtqueue_packed *queue);

#endif
