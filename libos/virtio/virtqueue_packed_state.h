/* SPDX-License-Identifier: ISC
 *
 * What a packed virtqueue has beside its slots, as a record; the slots are a split one's
 * (virtqueue_state.h). Only of a queue that has nothing unpublished: what is written there and not
 * available yet would be known from shared memory only.
 */
#ifndef MOTET_LIBOS_VIRTQUEUE_PACKED_STATE_H
#define MOTET_LIBOS_VIRTQUEUE_PACKED_STATE_H

#include "libos/virtio/virtqueue_packed.h"
#include "libos/virtio/virtqueue_state.h"

struct virtqueue_packed_state {
    uint16_t size; /* descriptors; 0: the queue is a split one */
    uint16_t put_at, used_at;
    uint8_t put_wrap, used_wrap;
    uint8_t length[VIRTQUEUE_SLOTS_MAX]; /* of busy slots */
};

void virtqueue_packed_save(const struct virtqueue_packed *packed,
                           struct virtqueue_packed_state *state);

/* Goes on with a queue whose slots are loaded, in `memory`, whose contents are left as they are.
 * ERROR_BAD_ARGUMENT: the state isn't one of a queue with those slots. */
enum error virtqueue_packed_load(struct virtqueue_packed *packed, struct virtqueue *queue,
                                 void *memory, const struct virtqueue_packed_state *state);

#endif
