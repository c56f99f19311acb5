/* SPDX-License-Identifier: ISC
 *
 * A virtio device behind PCI (virtio 1.1, section 4.1), always by its modern interface, for any
 * type of device. net.c calls it. Everything that the device says about itself is checked against
 * its BARs first, so that no later access leaves them.
 */
#ifndef MOTET_VIRTIO_DRV_VIRTIO_PCI_H
#define MOTET_VIRTIO_DRV_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/device.h"
#include "motet/error.h"

enum {
    VIRTIO_PCI_VENDOR = 0x1af4,
    VIRTIO_PCI_TRANSITIONAL_NET = 0x1000, /* 4.1.2.1 */
    VIRTIO_PCI_MODERN_NET = 0x1041,       /* 0x1040 + VIRTIO_ID_NET */
};

/* A structure inside a BAR; length 0: the device hasn't got it. */
struct virtio_region {
    const struct device_bar *bar;
    uint32_t offset; /* offset + length lies inside the BAR */
    uint32_t length;
};

struct virtio_pci {
    struct virtio_region common, notify, config;
    struct virtio_region isr; /* needed with a pin only */
    bool pin;                 /* the device interrupts by its pin: it has no vectors */
    uint32_t notify_multiplier;
};

/* A queue to hand to the device. Addresses are device addresses. */
struct virtio_queue {
    uint16_t index;
    uint16_t size;
    uint16_t vector;
    uint64_t desc, avail, used;
};

/* Finds the structures (4.1.4). ERROR_NOT_FOUND: there is no usable modern interface. */
enum error virtio_pci_find(struct virtio_pci *pci, const struct device *device);

/* Resets the device and waits, bounded, until it says that it has (4.1.4.3.2). */
bool virtio_pci_reset(const struct virtio_pci *pci);

uint8_t virtio_pci_status(const struct virtio_pci *pci);

/* Sets bits, beside those that are set already (2.1.1). */
void virtio_pci_add_status(const struct virtio_pci *pci, uint8_t bits);

uint64_t virtio_pci_offered(const struct virtio_pci *pci);
void virtio_pci_accept(const struct virtio_pci *pci, uint64_t features);

/* Changes when the device changes its configuration (2.4.1). */
uint8_t virtio_pci_generation(const struct virtio_pci *pci);

/* What the pin was raised for, VIRTIO_PCI_ISR_...; reading lowers it (4.1.4.5). */
enum { VIRTIO_PCI_ISR_QUEUE = 1 << 0, VIRTIO_PCI_ISR_CHANGED = 1 << 1 };
uint8_t virtio_pci_take_isr(const struct virtio_pci *pci);

/* False: the device has no vector to spare. With a pin there is nothing to set. */
bool virtio_pci_set_config_vector(const struct virtio_pci *pci, uint16_t vector);

/* The largest size that the device takes for that queue; 0: it hasn't got it. */
uint16_t virtio_pci_queue_size(const struct virtio_pci *pci, uint16_t index);

/* Gives the device a queue. False: it refuses the size or the vector, or asks to be notified
 * outside its notification structure. Else `doorbell` is where: see virtio_pci_notify. */
bool virtio_pci_queue_start(const struct virtio_pci *pci, const struct virtio_queue *queue,
                            uint32_t *doorbell);

static inline void virtio_pci_notify(const struct virtio_pci *pci, uint32_t doorbell,
                                     uint16_t queue)
{
    device_write16(pci->notify.bar, doorbell, queue);
}

#endif
