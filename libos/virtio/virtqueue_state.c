/* SPDX-License-Identifier: ISC
 *
 * See virtqueue_state.h. Refuses states that break the invariants of virtqueue.h.
 */
#include "libos/virtio/virtqueue_state.h"

#include <string.h>

void virtqueue_save(const struct virtqueue *queue, struct virtqueue_state *state)
{
    *state = (struct virtqueue_state){.size = (uint16_t)queue->ring.num,
                                      .put = queue->put,
                                      .published = queue->published,
                                      .taken = queue->taken,
                                      .interrupt_at = queue->interrupt_at,
                                      .free_count = queue->free_count,
                                      .shift = queue->shift,
                                      .event_idx = queue->event_idx,
                                      .interrupts_on = queue->interrupts_on,
                                      .broken = queue->fault != NULL};
    for (uint32_t slot = 0; slot < queue->slots; slot++)
        state->busy[slot] = queue->busy[slot];
    memcpy(state->free, queue->free, queue->free_count);
    memcpy(state->token, queue->token, queue->slots * sizeof(state->token[0]));
}

/* No slot is listed twice. */
static bool free_is_a_set(const struct virtqueue *queue)
{
    bool listed[VIRTQUEUE_SLOTS_MAX] = {false};
    for (uint32_t i = 0; i < queue->free_count; i++) {
        if (queue->free[i] >= queue->slots || listed[queue->free[i]])
            return false;
        listed[queue->free[i]] = true;
    }
    return true;
}

enum error virtqueue_slots_load(struct virtqueue *queue, uint32_t size, uint32_t shift,
                                const struct virtqueue_state *state)
{
    const uint32_t slots = size >> shift;
    memset(queue, 0, sizeof(*queue));
    if (state->size != size || (size && state->shift != shift) || size & (size - 1) ||
        slots > VIRTQUEUE_SLOTS_MAX || state->free_count > slots)
        return ERROR_BAD_ARGUMENT;
    if (!size)
        return OK;
    queue->ring.num = size;
    queue->shift = (uint8_t)shift;
    queue->slots = (uint16_t)slots;
    queue->fault = state->broken ? "it broke the rules before the driver was swapped" : NULL;
    queue->put = state->put;
    queue->published = state->published;
    queue->seen = state->taken;
    queue->taken = state->taken;
    queue->interrupt_at = state->interrupt_at;
    queue->free_count = state->free_count;
    queue->event_idx = state->event_idx != 0;
    queue->interrupts_on = state->interrupts_on != 0;
    for (uint32_t slot = 0; slot < slots; slot++)
        queue->busy[slot] = state->busy[slot] != 0;
    memcpy(queue->free, state->free, state->free_count);
    memcpy(queue->token, state->token, slots * sizeof(state->token[0]));
    return free_is_a_set(queue) && virtqueue_check(queue) ? OK : ERROR_BAD_ARGUMENT;
}

enum error virtqueue_load(struct virtqueue *queue, void *memory, uint32_t size, uint32_t shift,
                          const struct virtqueue_state *state)
{
    enum error error = virtqueue_slots_load(queue, size, shift, state);
    if (error == OK && size)
        virtqueue_place(queue, memory);
    return error;
}
