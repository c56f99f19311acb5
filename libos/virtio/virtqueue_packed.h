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
 * Slots, tokens and counts are those of virtqueue.h: `queue` is one whose rings are here. The
 * number of a chain is its slot. Invariants (virtqueue_packed_check states them as code):
 *  - the descriptors from used_at up to put_at, at most one lap of them, are those of the busy
 *    slots: `length` of each, 1 to 2^shift. So the ring has room for all slots;
 *  - the last `added` of them are those of chains that weren't published. The first of those isn't
 *    available yet, and the device goes no further: it sees all of a batch, or nothing;
 *  - a slot is `shown` from publish until it is taken, and no other one may come back;
 *  - what the device can write is read once, into private memory, and then checked; nothing that
 *    this side relies on is read back from shared memory.
 */
#ifndef MOTET_LIBOS_VIRTQUEUE_PACKED_H
#define MOTET_LIBOS_VIRTQUEUE_PACKED_H

#include "libos/virtio/virtqueue.h"

struct virtqueue_packed {
    struct virtqueue *queue; /* slots, tokens, fault */

    /* In memory shared with the device. */
    struct vring_packed_desc *desc;
    struct vring_packed_desc_event *wish;   /* when we want to be interrupted; we write it */
    struct vring_packed_desc_event *theirs; /* when the device wants to be notified */

    /* All below is private. A position is the index of a descriptor, and the wrap counter there. */
    uint16_t size;       /* descriptors */
    uint16_t put_at;     /* where the next chain goes */
    uint16_t used_at;    /* where the next used chain stands */
    uint16_t added;      /* descriptors since the last publish */
    uint16_t held_flags; /* of the first of them, once it is available; 0: there is none */
    bool put_wrap, used_wrap;
    bool shown[VIRTQUEUE_SLOTS_MAX];
    uint8_t length[VIRTQUEUE_SLOTS_MAX]; /* of busy slots: descriptors */
};

/* Bytes of shared memory for a queue of `size` descriptors. */
static inline uint32_t virtqueue_packed_bytes(uint32_t size)
{
    return size * (uint32_t)sizeof(struct vring_packed_desc) +
           2 * (uint32_t)sizeof(struct vring_packed_desc_event);
}

/* Sets up an empty queue of `size` descriptors (a power of two, 2^shift to 2^shift *
 * VIRTQUEUE_SLOTS_MAX) in zeroed `memory` of virtqueue_packed_bytes(size). Interrupts are off. Of
 * virtqueue.h's functions those that know nothing of rings serve it, with `queue`. */
void virtqueue_packed_init(struct virtqueue_packed *packed, struct virtqueue *queue, void *memory,
                           uint32_t size, uint32_t shift, bool event_idx);

/* Only says where the ring is: neither the memory nor `queue` is touched. */
void virtqueue_packed_place(struct virtqueue_packed *packed, struct virtqueue *queue, void *memory,
                            uint32_t size);

/* Puts a chain: first the segments that the device reads, then those that it writes, 1 to 2^shift
 * in all. The device sees it after virtqueue_packed_publish. Not when virtqueue_full. */
void virtqueue_packed_put(struct virtqueue_packed *packed, uint32_t token,
                          const struct dma_segment *segment, uint32_t reads, uint32_t writes);

/* Shows the device what was put. True: it wants to be notified of that. */
bool virtqueue_packed_publish(struct virtqueue_packed *packed);

/* Takes back the next used chain: its slot is free again. False: there is none (or a fault). */
bool virtqueue_packed_take(struct virtqueue_packed *packed, struct virtqueue_used *used);

/* Asks for an interrupt when the next chain is used. True: it is used already, the interrupt may
 * not come, take it now. */
bool virtqueue_packed_arm(struct virtqueue_packed *packed);

/* No interrupts, as far as the device heeds it. */
void virtqueue_packed_disarm(struct virtqueue_packed *packed);

/* The invariants. */
bool virtqueue_packed_check(const struct virtqueue_packed *packed);

#endif
