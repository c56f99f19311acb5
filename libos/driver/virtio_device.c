/* SPDX-License-Identifier: ISC
 *
 * Virtio devices for drivers: see virtio_device.h. Refuses whatever a device offers or uses that
 * contradicts the specification (virtio 1.1; the section is named at each step).
 */
#include "libos/driver/virtio_device.h"

#include <string.h>

static const uint64_t features_always =
    1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1 |
    1ull << VIRTIO_F_ACCESS_PLATFORM | 1ull << VIRTIO_F_ORDER_PLATFORM;

enum error virtio_device_refuse(const struct virtio_device *device, struct driver *driver,
                                const char *why)
{
    virtio_add_status(&device->virtio, VIRTIO_CONFIG_S_FAILED); /* 3.1.1, last sentence */
    return driver_refuse(driver, why);
}

static const char no_queue[] = "it refuses a queue or an interrupt vector";

static uint16_t last_vector(const struct driver *driver)
{
    return driver->device->vectors - 1u;
}

/* 3.1.1, steps 1 to 6. */
enum error virtio_device_open(struct virtio_device *device, struct driver *driver, uint16_t type,
                              uint64_t wanted)
{
    struct virtio *virtio = &device->virtio;
    const char *why = virtio_find(virtio, driver->device, type);
    if (why)
        return driver_refuse(driver, why);
    if (!virtio_reset(virtio))
        return virtio_device_refuse(device, driver, "it doesn't reset");
    virtio_add_status(virtio, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    virtio_add_status(virtio, VIRTIO_CONFIG_S_DRIVER);
    device->features = virtio_offered(virtio) & (features_always | wanted);
    if (!virtio_device_has(device, VIRTIO_F_VERSION_1))
        return virtio_device_refuse(device, driver, "it doesn't offer VERSION_1");
    virtio_accept(virtio, device->features);
    virtio_add_status(virtio, VIRTIO_CONFIG_S_FEATURES_OK);
    if (!(virtio_status(virtio) & VIRTIO_CONFIG_S_FEATURES_OK))
        return virtio_device_refuse(device, driver, "it refuses our features");
    if (!virtio_set_config_vector(virtio, last_vector(driver)))
        return virtio_device_refuse(device, driver, no_queue);
    return OK;
}

void virtio_device_text(const struct virtio_device *device,
                        const struct virtio_device_feature *feature, uint32_t features,
                        char text[VIRTIO_DEVICE_TEXT])
{
    for (; features; features--, feature++) {
        const size_t length = strlen(feature->name);
        if (!virtio_device_has(device, feature->bit))
            continue;
        *text++ = ' ';
        memcpy(text, feature->name, length);
        text += length;
    }
    *text = 0;
}

uint16_t virtio_device_entries(const struct virtio_device *device, uint16_t index, uint16_t most)
{
    const uint16_t offered = virtio_queue_size(&device->virtio, index);
    while (most > offered)
        most /= 2;
    return most;
}

/* Step 7 (4.1.5.1). */
enum error virtio_device_queue_start(struct virtio_device_queue *queue,
                                     struct virtio_device *device, struct driver *driver,
                                     struct virtio_queue *setup)
{
    const uint16_t last = last_vector(driver);
    queue->device = device;
    queue->index = setup->index;
    setup->vector = setup->index < last ? setup->index : last;
    if (virtio_queue_size(&device->virtio, setup->index) >= setup->size &&
        virtio_queue_start(&device->virtio, setup, &queue->doorbell))
        return OK;
    return virtio_device_refuse(device, driver, no_queue);
}

enum error virtio_device_queue(struct virtio_device_queue *queue, struct virtio_device *device,
                               struct driver *driver, uint16_t index, uint16_t slots, uint8_t shift)
{
    const uint16_t entries = (uint16_t)(slots << shift);
    const struct vring *ring = &queue->ring.ring;
    enum error error =
        driver_dma(driver, virtqueue_bytes(entries), VIRTQUEUE_ALIGN, &queue->memory);
    if (error != OK)
        return error;
    virtqueue_init(&queue->ring, dma_memory(&queue->memory), entries, shift,
                   virtio_device_has(device, VIRTIO_RING_F_EVENT_IDX));
    const uint64_t base = dma_give(&queue->memory) - (uintptr_t)queue->memory.memory;
    struct virtio_queue setup = {.index = index,
                                 .size = entries,
                                 .desc = base + (uintptr_t)ring->desc,
                                 .avail = base + (uintptr_t)ring->avail,
                                 .used = base + (uintptr_t)ring->used};
    return virtio_device_queue_start(queue, device, driver, &setup);
}

/* Step 8. */
void virtio_device_run(const struct virtio_device *device)
{
    virtio_add_status(&device->virtio, VIRTIO_CONFIG_S_DRIVER_OK);
}

bool virtio_device_interrupt(const struct virtio_device *device, struct driver *driver,
                             uint32_t vector)
{
    const bool changed = device->virtio.single
                             ? virtio_take_isr(&device->virtio) & VIRTIO_ISR_CHANGED
                             : vector == last_vector(driver);
    if (changed && virtio_status(&device->virtio) & VIRTIO_CONFIG_S_NEEDS_RESET) {
        driver_fail(driver, "it asks for a reset"); /* 2.1.2 */
        return false;
    }
    return changed;
}

bool virtio_device_silence(const struct virtio_device *device)
{
    return virtio_reset(&device->virtio);
}

void virtio_device_put(struct virtio_device_queue *queue, uint32_t token,
                       const struct dma_segment *segment, uint32_t reads, uint32_t writes)
{
    if (queue->format)
        queue->format->put(queue, token, segment, reads, writes);
    else
        virtqueue_put_chain(&queue->ring, token, segment, reads, writes);
}

bool virtio_device_used(struct virtio_device_queue *queue, struct virtqueue_used *used)
{
    return queue->format ? queue->format->used(queue, used) : virtqueue_take(&queue->ring, used);
}

bool virtio_device_show(struct virtio_device_queue *queue)
{
    if (queue->format ? !queue->format->publish(queue) : !virtqueue_publish(&queue->ring))
        return false;
    virtio_notify(&queue->device->virtio, queue->doorbell, queue->index);
    return true;
}

bool virtio_device_arm(struct virtio_device_queue *queue)
{
    return queue->format ? queue->format->arm(queue) : virtqueue_arm(&queue->ring, 1);
}

void virtio_device_disarm(struct virtio_device_queue *queue)
{
    if (queue->format)
        queue->format->disarm(queue);
    else
        virtqueue_disarm(&queue->ring);
}

bool virtio_device_flush(struct virtio_device_queue *queue)
{
    virtio_device_show(queue);
    return virtqueue_outstanding(&queue->ring) && virtio_device_arm(queue);
}

void virtio_device_give(struct virtio_device_queue *queue, struct dma *piece, bool fill)
{
    const struct dma_segment segment = {dma_give(piece), piece->bytes};
    const uint32_t slot = virtqueue_next_slot(&queue->ring);
    SERVER_ASSERT(slot < VIRTIO_DEVICE_PIECES_MAX);
    queue->piece[slot] = piece;
    queue->room[slot] = fill ? piece->bytes : 0;
    virtio_device_put(queue, slot, &segment, !fill, fill);
}

struct dma *virtio_device_take(struct virtio_device_queue *queue, uint32_t *length)
{
    struct virtqueue_used used;
    if (!virtio_device_used(queue, &used))
        return NULL;
    struct dma *piece = queue->piece[used.token];
    dma_take(piece);
    *length = used.length;
    if (used.length <= queue->room[used.token])
        return piece;
    virtqueue_fail(&queue->ring, "it wrote more than a buffer holds");
    return NULL;
}
