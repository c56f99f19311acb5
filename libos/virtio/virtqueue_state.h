/* SPDX-License-Identifier: ISC
 *
 * A virtqueue's private side as a record: for drivers that can be swapped (libos/swap.h). The
 * rings stay where they are, in memory shared with the device, which notices nothing.
 */
#ifndef MOTET_LIBOS_VIRTQUEUE_STATE_H
#define MOTET_LIBOS_VIRTQUEUE_STATE_H

#include "libos/virtio/virtqueue.h"
#include "motet/error.h"

/* Which chains the device says it has used isn't in it: that is looked at again. */
struct virtqueue_state {
    uint16_t size; /* descriptors */
    uint16_t put, published, taken, interrupt_at;
    uint16_t free_count;
    uint8_t shift;
    uint8_t event_idx;
    uint8_t interrupts_on;
    uint8_t broken; /* it had a fault */
    uint8_t busy[VIRTQUEUE_SLOTS_MAX];
    uint8_t free[VIRTQUEUE_SLOTS_MAX];
    uint32_t token[VIRTQUEUE_SLOTS_MAX];
};

void virtqueue_save(const struct virtqueue *queue, struct virtqueue_state *state);

/* Goes on with a queue of `size` descriptors (0: none was set up) in `memory`, whose contents are
 * left as they are. ERROR_BAD_ARGUMENT: the state isn't one of such a queue. Tokens are the
 * caller's to check. */
enum error virtqueue_load(struct virtqueue *queue, void *memory, uint32_t size, uint32_t shift,
                          const struct virtqueue_state *state);

/* The same without rings: a packed queue's (virtqueue_packed_state.h). */
enum error virtqueue_slots_load(struct virtqueue *queue, uint32_t size, uint32_t shift,
                                const struct virtqueue_state *state);

#endif
