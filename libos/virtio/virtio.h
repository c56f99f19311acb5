/* SPDX-License-Identifier: ISC
 *
 * A virtio device of any type, behind whichever bus it is on: what drivers call, and what a
 * transport implements (virtio_pci.c, virtio_mmio.c). Always by the modern interface of virtio 1.1.
 *
 * What a device says about itself is checked when it is found, so that no later access leaves its
 * registers.
 */
#ifndef MOTET_LIBOS_VIRTIO_H
#define MOTET_LIBOS_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/device.h"
#include "motet/error.h"

/* A structure of registers; length 0: the device hasn't got it. */
struct virtio_region {
    const struct device_bar *bar;
    uint32_t offset; /* offset + length lies inside the BAR */
    uint32_t length;
};

/* A queue to hand to the device. Addresses are device addresses. */
struct virtio_queue {
    uint16_t index;
    uint16_t size;
    uint16_t vector;
    uint64_t desc, avail, used;
};

struct virtio;

/* What differs from bus to bus. */
struct virtio_transport {
    uint8_t (*status)(const struct virtio *virtio);
    void (*set_status)(const struct virtio *virtio, uint8_t status);
    uint64_t (*offered)(const struct virtio *virtio);
    void (*accept)(const struct virtio *virtio, uint64_t features);
    uint32_t (*generation)(const struct virtio *virtio);
    uint8_t (*take_isr)(const struct virtio *virtio);
    bool (*set_config_vector)(const struct virtio *virtio, uint16_t vector);
    uint16_t (*queue_size)(const struct virtio *virtio, uint16_t index);
    bool (*queue_start)(const struct virtio *virtio, const struct virtio_queue *queue,
                        uint32_t *doorbell);
};

struct virtio {
    const struct virtio_transport *transport;
    struct virtio_region config;         /* the device type's own structure */
    const struct device_bar *notify_bar; /* where doorbells are */
    uint8_t notify_bytes;                /* width of a doorbell: 2 or 4 */
    bool single; /* one interrupt for everything (a pin, MSI): the ISR register says what for */
    union {
        struct { /* virtio_pci.c */
            struct virtio_region common, notify;
            struct virtio_region isr; /* needed with a single interrupt only */
            uint32_t notify_multiplier;
        } pci;
        const struct device_bar *mmio; /* virtio_mmio.c: the register block */
    };
};

/* Finds the registers of a device that must be of type `type` (VIRTIO_ID_...). NULL: it can be
 * used; else why it can't, in words that follow "not used: ". */
const char *virtio_find(struct virtio *virtio, const struct device *device, uint16_t type);

/* Resets the device and waits, bounded, until it says that it has (4.1.4.3.2, 4.2.3.1). */
bool virtio_reset(const struct virtio *virtio);

static inline uint8_t virtio_status(const struct virtio *virtio)
{
    return virtio->transport->status(virtio);
}

/* Sets bits, beside those that are set already (2.1.1). */
static inline void virtio_add_status(const struct virtio *virtio, uint8_t bits)
{
    virtio->transport->set_status(virtio, virtio_status(virtio) | bits);
}

static inline uint64_t virtio_offered(const struct virtio *virtio)
{
    return virtio->transport->offered(virtio);
}

static inline void virtio_accept(const struct virtio *virtio, uint64_t features)
{
    virtio->transport->accept(virtio, features);
}

/* Changes when the device changes its configuration (2.4.1). */
static inline uint32_t virtio_generation(const struct virtio *virtio)
{
    return virtio->transport->generation(virtio);
}

/* What the single interrupt is for; taking it lowers the pin. */
enum { VIRTIO_ISR_QUEUE = 1 << 0, VIRTIO_ISR_CHANGED = 1 << 1 };
static inline uint8_t virtio_take_isr(const struct virtio *virtio)
{
    return virtio->transport->take_isr(virtio);
}

/* False: the device has no vector to spare. With a single interrupt there is nothing to set. */
static inline bool virtio_set_config_vector(const struct virtio *virtio, uint16_t vector)
{
    return virtio->single || virtio->transport->set_config_vector(virtio, vector);
}

/* The largest size that the device takes for that queue; 0: it hasn't got it. */
static inline uint16_t virtio_queue_size(const struct virtio *virtio, uint16_t index)
{
    return virtio->transport->queue_size(virtio, index);
}

/* Gives the device a queue. False: it refuses the size or the vector, or asks to be notified
 * outside its notification structure. Else `doorbell` is where: see virtio_notify. */
static inline bool virtio_queue_start(const struct virtio *virtio, const struct virtio_queue *queue,
                                      uint32_t *doorbell)
{
    return virtio->transport->queue_start(virtio, queue, doorbell);
}

/* Could virtio_queue_start have said so? For a doorbell that was taken over (libos/swap.h). */
bool virtio_doorbell_check(const struct virtio *virtio, uint32_t doorbell);

static inline void virtio_notify(const struct virtio *virtio, uint32_t doorbell, uint16_t queue)
{
    device_write(virtio->notify_bar, doorbell, virtio->notify_bytes, queue);
}

#endif
