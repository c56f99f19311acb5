/* SPDX-License-Identifier: ISC
 *
 * What is to be known of a virtio device and its queues when its driver is swapped (libos/swap.h).
 * The device runs on, and its queues stay where they are, in the driver's pool: it notices nothing.
 *
 *     save   virtio_device_queue_save for each queue; the device's `features`; driver_save
 *     load   driver_load; unless it is absent or silent: virtio_device_load; if it runs:
 *            virtio_device_queue_load for each queue in the order in which `start` made them, and
 *            driver_dma for other pieces in their places
 *
 * Loading touches no register, and checks all but tokens, which are the driver's.
 */
#ifndef MOTET_LIBOS_VIRTIO_DEVICE_STATE_H
#define MOTET_LIBOS_VIRTIO_DEVICE_STATE_H

#include "libos/driver/virtio_device.h"
#include "libos/virtio/virtqueue_packed_state.h"

struct virtio_device_queue_state {
    uint32_t doorbell;
    uint32_t reserved;
    struct virtqueue_state ring;
};

void virtio_device_queue_save(const struct virtio_device_queue *queue,
                              struct virtio_device_queue_state *state);

/* ERROR_BAD_ARGUMENT: the domain has no such device. */
enum error virtio_device_load(struct virtio_device *device, struct driver *driver, uint16_t type,
                              uint64_t features);

/* Slots of 2^shift descriptors, slots_min to slots_max of them. ERROR_BAD_ARGUMENT: the state isn't
 * one of such a queue of that device. */
enum error virtio_device_queue_load(struct virtio_device_queue *queue, struct virtio_device *device,
                                    struct driver *driver, uint16_t index, uint32_t slots_min,
                                    uint32_t slots_max, uint8_t shift,
                                    const struct virtio_device_queue_state *state);

/* The same for virtio_device_queue_packed, whatever format the queue has got; with exactly so many
 * slots. Saved is a queue that has nothing unpublished. */
struct virtio_device_packed_state {
    struct virtio_device_queue_state queue;
    struct virtqueue_packed_state packed;
};

void virtio_device_queue_packed_save(const struct virtio_device_queue *queue,
                                     struct virtio_device_packed_state *state);
enum error virtio_device_queue_packed_load(struct virtio_device_queue *queue,
                                           struct virtqueue_packed *packed,
                                           struct virtio_device *device, struct driver *driver,
                                           uint16_t index, uint32_t slots, uint8_t shift,
                                           const struct virtio_device_packed_state *state);

/* What both begin with: where the queue is, and where it is notified. */
enum error virtio_device_queue_load_memory(struct virtio_device_queue *queue,
                                           struct virtio_device *device, struct driver *driver,
                                           uint16_t index, uint32_t bytes,
                                           const struct virtio_device_queue_state *state);

#endif
