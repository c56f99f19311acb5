/* SPDX-License-Identifier: ISC
 *
 * See virtqueue_packed_state.h. Refuses states that break the invariants of virtqueue_packed.h.
 */
#include "libos/virtio/virtqueue_packed_state.h"

#include <string.h>

#include "libos/assert.h"

void virtqueue_packed_save(const struct virtqueue_packed *packed,
                           struct virtqueue_packed_state *state)
{
    SERVER_ASSERT(!packed->added);
    *state = (struct virtqueue_packed_state){.size = packed->size,
                                             .put_at = packed->put_at,
                                             .used_at = packed->used_at,
                                             .put_wrap = packed->put_wrap,
                                             .used_wrap = packed->used_wrap};
    for (uint32_t slot = 0; slot < packed->queue->slots; slot++)
        state->length[slot] = packed->queue->busy[slot] ? packed->length[slot] : 0;
}

enum error virtqueue_packed_load(struct virtqueue_packed *packed, struct virtqueue *queue,
                                 void *memory, const struct virtqueue_packed_state *state)
{
    if (state->size != queue->ring.num)
        return ERROR_BAD_ARGUMENT;
    virtqueue_packed_place(packed, queue, memory, state->size);
    packed->put_at = state->put_at;
    packed->used_at = state->used_at;
    packed->put_wrap = state->put_wrap != 0;
    packed->used_wrap = state->used_wrap != 0;
    memcpy(packed->length, state->length, queue->slots);
    memcpy(packed->shown, queue->busy, queue->slots);
    return virtqueue_packed_check(packed) ? OK : ERROR_BAD_ARGUMENT;
}
