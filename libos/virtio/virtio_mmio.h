/* SPDX-License-Identifier: ISC
 *
 * A virtio device behind a block of registers (virtio 1.1, section 4.2), as virtual machines
 * without PCI have them. Called by virtio.c.
 */
#ifndef MOTET_LIBOS_VIRTIO_MMIO_H
#define MOTET_LIBOS_VIRTIO_MMIO_H

#include "libos/virtio/virtio.h"

/* As virtio_find. */
const char *virtio_mmio_find(struct virtio *virtio, const struct device *device, uint16_t type);

#endif
