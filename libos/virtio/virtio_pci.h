/* SPDX-License-Identifier: ISC
 *
 * A virtio device behind PCI (virtio 1.1, section 4.1). Called by virtio.c.
 */
#ifndef MOTET_LIBOS_VIRTIO_PCI_H
#define MOTET_LIBOS_VIRTIO_PCI_H

#include "libos/virtio/virtio.h"

enum {
    VIRTIO_PCI_VENDOR = 0x1af4,
    VIRTIO_PCI_TRANSITIONAL_NET = 0x1000, /* 4.1.2.1 */
    VIRTIO_PCI_TRANSITIONAL_BLOCK = 0x1001,
    VIRTIO_PCI_TRANSITIONAL_CONSOLE = 0x1003,
    VIRTIO_PCI_TRANSITIONAL_RNG = 0x1005,
    VIRTIO_PCI_MODERN_FIRST = 0x1040, /* plus the type */
};

/* As virtio_find. */
const char *virtio_pci_find(struct virtio *virtio, const struct device *device, uint16_t type);

#endif
