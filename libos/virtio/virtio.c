/* SPDX-License-Identifier: ISC
 *
 * What all transports have in common: see virtio.h.
 */
#include "libos/virtio/virtio.h"

#include <linux/virtio_mmio.h>

#include "libos/virtio/virtio_mmio.h"
#include "libos/virtio/virtio_pci.h"

/* Reads of the status until a reset is given up: one takes a microsecond or so (an exit to the
 * hypervisor, a PCIe round trip), so this is about ten milliseconds. */
enum { RESET_READS_MAX = 10000 };

const char *virtio_find(struct virtio *virtio, const struct device *device, uint16_t type)
{
    const char *why = device->bus_kind == DEVICE_VIRTIO_MMIO
                          ? virtio_mmio_find(virtio, device, type)
                          : virtio_pci_find(virtio, device, type);
    return why || device->vectors ? why : "it has no interrupt";
}

bool virtio_reset(const struct virtio *virtio)
{
    virtio->transport->set_status(virtio, 0);
    for (uint32_t i = 0; i < RESET_READS_MAX; i++)
        if (!virtio_status(virtio))
            return true;
    return false;
}

bool virtio_doorbell_check(const struct virtio *virtio, uint32_t doorbell)
{
    const struct virtio_region *notify = &virtio->pci.notify;
    if (virtio->notify_bytes == sizeof(uint32_t)) /* virtio_mmio.c: all queues have the same */
        return doorbell == VIRTIO_MMIO_QUEUE_NOTIFY;
    return doorbell >= notify->offset && doorbell % sizeof(uint16_t) == 0 &&
           (uint64_t)doorbell + sizeof(uint16_t) <= (uint64_t)notify->offset + notify->length;
}
