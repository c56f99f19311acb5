/* SPDX-License-Identifier: ISC
 *
 * A virtio device for drivers of libos/driver/driver.h, behind PCI or over MMIO: from reset to
 * running in three calls, and queues whose buffers are pieces of DMA memory.
 *
 *     start      virtio_device_open, virtio_device_queue for each queue, virtio_device_run
 *     interrupt  virtio_device_interrupt
 *     silence    virtio_device_silence
 *
 * A slot of a queue holds a chain of segments wherever they are (virtio_device_put,
 * virtio_device_used), or, in a queue of up to VIRTIO_DEVICE_PIECES_MAX slots, one piece of the
 * driver's DMA memory (virtio_device_give, virtio_device_take). Invariant: a piece is lent as long
 * as its slot is busy; a used entry that names no busy slot, or says more bytes than the piece has,
 * is a fault of the device. How much may have been written to a chain is its driver's to check.
 *
 * Queues are split or packed (2.6, 2.7). The functions here hide which, and so do those of
 * virtqueue.h that know nothing of rings (virtqueue_full, virtqueue_next_slot,
 * virtqueue_outstanding, virtqueue_unpublished, virtqueue_fail), on `ring`; only a driver that
 * calls virtio_device_queue_packed links what packed ones need. A driver for which each frame
 * counts asks for split ones, and uses the rest of virtqueue.h.
 */
#ifndef MOTET_LIBOS_VIRTIO_DEVICE_H
#define MOTET_LIBOS_VIRTIO_DEVICE_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "libos/driver/driver.h"
#include "libos/virtio/virtio.h"
#include "libos/virtio/virtqueue.h"

enum {
    VIRTIO_DEVICE_PIECES_MAX = 16,
    VIRTIO_DEVICE_LOOKS_MAX = 8, /* a configuration that changes as often in a row isn't believed */
};

struct virtio_device {
    struct virtio virtio;
    uint64_t features; /* negotiated */
};

struct virtio_device_queue;
struct virtqueue_packed;

/* What differs in packed queues: libos/driver/virtio_packed.c. */
struct virtio_device_format {
    void (*put)(struct virtio_device_queue *queue, uint32_t token,
                const struct dma_segment *segment, uint32_t reads, uint32_t writes);
    bool (*used)(struct virtio_device_queue *queue, struct virtqueue_used *used);
    bool (*publish)(struct virtio_device_queue *queue);
    bool (*arm)(struct virtio_device_queue *queue);
    void (*disarm)(struct virtio_device_queue *queue);
};
extern const struct virtio_device_format virtio_device_packed;

struct virtio_device_queue {
    struct virtqueue ring; /* of a packed queue: slots, tokens, fault */
    struct virtio_device *device;
    const struct virtio_device_format *format; /* NULL: split */
    struct virtqueue_packed *packed;           /* else the rest of it */
    struct dma memory;
    struct dma *piece[VIRTIO_DEVICE_PIECES_MAX]; /* of busy slots */
    uint32_t room[VIRTIO_DEVICE_PIECES_MAX];     /* bytes that the device may write there */
    uint32_t doorbell;
    uint16_t index;
};

static inline bool virtio_device_has(const struct virtio_device *device, uint32_t feature)
{
    return device->features >> feature & 1;
}

/* Finds a device of that type, resets it and negotiates: `wanted` are bits of features beside those
 * of every device. Queue n interrupts by vector n and the configuration by the last one; with fewer
 * vectors than queues the last ones share it, and with a pin all do. ERROR_BAD_STATE: it was
 * refused, and the log says why. */
enum error virtio_device_open(struct virtio_device *device, struct driver *driver, uint16_t type,
                              uint64_t wanted);

/* Features that are worth a word in the log, and those words for what was negotiated, each after a
 * blank: at most VIRTIO_DEVICE_TEXT bytes with the terminator. */
struct virtio_device_feature {
    uint8_t bit;
    char name[11];
};
enum { VIRTIO_DEVICE_TEXT = 64 };
void virtio_device_text(const struct virtio_device *device,
                        const struct virtio_device_feature *feature, uint32_t features,
                        char text[VIRTIO_DEVICE_TEXT]);

/* As driver_refuse, and tells the device so. */
enum error virtio_device_refuse(const struct virtio_device *device, struct driver *driver,
                                const char *why);

/* Reads fields of the configuration that belong together: does so again while they change (2.4.1).
 * False: they don't keep still. */
#define VIRTIO_DEVICE_CONFIG(device, reads)                                                        \
    ({                                                                                             \
        bool still_ = false;                                                                       \
        for (uint32_t n_ = 0; n_ < VIRTIO_DEVICE_LOOKS_MAX && !still_; n_++) {                     \
            const uint32_t generation_ = virtio_generation(&(device)->virtio);                     \
            reads;                                                                                 \
            still_ = virtio_generation(&(device)->virtio) == generation_;                          \
        }                                                                                          \
        still_;                                                                                    \
    })

/* The largest power of two of descriptors, up to `most`, that the device takes for that queue; 0:
 * it hasn't got it. */
uint16_t virtio_device_entries(const struct virtio_device *device, uint16_t index, uint16_t most);

/* Queue `index` with so many slots (a power of two) of 2^shift segments. */
enum error virtio_device_queue(struct virtio_device_queue *queue, struct virtio_device *device,
                               struct driver *driver, uint16_t index, uint16_t slots,
                               uint8_t shift);

/* The same; a packed one, if the device has agreed to that (VIRTIO_F_RING_PACKED among what was
 * wanted). `packed` is the driver's. */
enum error virtio_device_queue_packed(struct virtio_device_queue *queue,
                                      struct virtqueue_packed *packed, struct virtio_device *device,
                                      struct driver *driver, uint16_t index, uint16_t slots,
                                      uint8_t shift);

/* What both end with: the queue that lies in queue->memory, with the size and the addresses in
 * `setup`, is the device's. */
enum error virtio_device_queue_start(struct virtio_device_queue *queue,
                                     struct virtio_device *device, struct driver *driver,
                                     struct virtio_queue *setup);

void virtio_device_run(const struct virtio_device *device);

/* Lets a pin go. True: the configuration may have changed. A device that asks for a reset is
 * failed. */
bool virtio_device_interrupt(const struct virtio_device *device, struct driver *driver,
                             uint32_t vector);

/* Resets it: it has nothing any more. */
bool virtio_device_silence(const struct virtio_device *device);

/* Gives a piece to the device, to fill or to read. Not when virtqueue_full. */
void virtio_device_give(struct virtio_device_queue *queue, struct dma *piece, bool fill);

/* Gives the device a chain of segments: first those that it reads, then those that it writes. At
 * most as many chains as slots are under way. */
void virtio_device_put(struct virtio_device_queue *queue, uint32_t token,
                       const struct dma_segment *segment, uint32_t reads, uint32_t writes);

/* Takes the next chain that the device is done with: its token, and how many bytes it says that it
 * wrote. False: none yet, or a fault: queue->ring.fault. */
bool virtio_device_used(struct virtio_device_queue *queue, struct virtqueue_used *used);

/* Shows the device what was given. True: it was notified of that, since it wanted to be. */
bool virtio_device_show(struct virtio_device_queue *queue);

/* Asks for an interrupt when the next chain is used. True: it is used already, the interrupt may
 * not come, take it now. And: no interrupts, as far as the device heeds it. */
bool virtio_device_arm(struct virtio_device_queue *queue);
void virtio_device_disarm(struct virtio_device_queue *queue);

/* Shows the device what was given, and has it interrupt when it is done with the next piece. True:
 * it is done with one already, and may not interrupt: go on with virtio_device_take. */
bool virtio_device_flush(struct virtio_device_queue *queue);

/* Takes the next piece that the device is done with; `length` is what it wrote. NULL: none yet, or
 * a fault: queue->ring.fault. */
struct dma *virtio_device_take(struct virtio_device_queue *queue, uint32_t *length);

#endif
