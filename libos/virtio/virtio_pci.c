/* SPDX-License-Identifier: ISC
 *
 * Virtio over PCI: see virtio_pci.h. Called by virtio.c. Refuses structures that aren't wholly
 * inside a mapped BAR, misaligned ones, and notification addresses outside their structure. The ISR
 * structure isn't looked for: with MSI-X nothing reads it (4.1.4.5).
 */
#include <stddef.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>

#include "libos/virtio/virtio_pci.h"

/* Capabilities are at least four bytes long and stand behind the 64-byte header: a longer list than
 * this one goes round in a circle. */
enum { CAPABILITIES_MAX = (DEVICE_CONFIG_BYTES - 64) / 4 };

#define COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common_cfg, field))

static uint8_t read8(const struct virtio_region *region, uint32_t offset)
{
    return device_read8(region->bar, region->offset + offset);
}

static uint16_t read16(const struct virtio_region *region, uint32_t offset)
{
    return device_read16(region->bar, region->offset + offset);
}

static uint32_t read32(const struct virtio_region *region, uint32_t offset)
{
    return device_read32(region->bar, region->offset + offset);
}

static void write8(const struct virtio_region *region, uint32_t offset, uint8_t value)
{
    device_write8(region->bar, region->offset + offset, value);
}

static void write16(const struct virtio_region *region, uint32_t offset, uint16_t value)
{
    device_write16(region->bar, region->offset + offset, value);
}

static void write32(const struct virtio_region *region, uint32_t offset, uint32_t value)
{
    device_write32(region->bar, region->offset + offset, value);
}

/* 64-bit fields are written as two halves (4.1.3.1). */
static void write64(const struct virtio_region *region, uint32_t offset, uint64_t value)
{
    write32(region, offset, (uint32_t)value);
    write32(region, offset + 4, (uint32_t)(value >> 32));
}

/* Takes the structure that `cap` describes, if the driver can use it; the first usable one of each
 * type counts (4.1.4). */
static void region_take(struct virtio_region *region, const struct device *device,
                        const struct virtio_pci_cap *cap, uint32_t length_min, uint32_t alignment)
{
    if (region->length || cap->bar >= DEVICE_BARS)
        return;
    const struct device_bar *bar = &device->bar[cap->bar];
    if (!bar->base || cap->length < length_min || cap->offset % alignment ||
        (uint64_t)cap->offset + cap->length > bar->size)
        return;
    *region = (struct virtio_region){.bar = bar, .offset = cap->offset, .length = cap->length};
}

static void capability_take(struct virtio *virtio, const struct device *device, uint32_t at)
{
    struct virtio_pci_notify_cap cap = {0};
    uint32_t length = device->config[at + offsetof(struct virtio_pci_cap, cap_len)];
    if (length < sizeof(cap.cap) || at + length > DEVICE_CONFIG_BYTES)
        return;
    memcpy(&cap, &device->config[at], length < sizeof(cap) ? length : sizeof(cap));
    switch (cap.cap.cfg_type) {
    case VIRTIO_PCI_CAP_COMMON_CFG:
        region_take(&virtio->pci.common, device, &cap.cap, sizeof(struct virtio_pci_common_cfg), 4);
        break;
    case VIRTIO_PCI_CAP_NOTIFY_CFG:
        if (length < sizeof(cap) || virtio->pci.notify.length)
            break;
        region_take(&virtio->pci.notify, device, &cap.cap, sizeof(uint16_t), 2);
        virtio->pci.notify_multiplier = cap.notify_off_multiplier;
        break;
    case VIRTIO_PCI_CAP_ISR_CFG:
        region_take(&virtio->pci.isr, device, &cap.cap, 1, 1);
        break;
    case VIRTIO_PCI_CAP_DEVICE_CFG:
        region_take(&virtio->config, device, &cap.cap, 1, 4);
        break;
    default: /* others are to be ignored (4.1.4) */
        break;
    }
}

static uint8_t pci_status(const struct virtio *virtio)
{
    return read8(&virtio->pci.common, COMMON(device_status));
}

static void pci_set_status(const struct virtio *virtio, uint8_t status)
{
    write8(&virtio->pci.common, COMMON(device_status), status);
}

static uint64_t pci_offered(const struct virtio *virtio)
{
    write32(&virtio->pci.common, COMMON(device_feature_select), 0);
    uint64_t low = read32(&virtio->pci.common, COMMON(device_feature));
    write32(&virtio->pci.common, COMMON(device_feature_select), 1);
    return low | (uint64_t)read32(&virtio->pci.common, COMMON(device_feature)) << 32;
}

static void pci_accept(const struct virtio *virtio, uint64_t features)
{
    for (uint32_t half = 0; half < 2; half++) {
        write32(&virtio->pci.common, COMMON(guest_feature_select), half);
        write32(&virtio->pci.common, COMMON(guest_feature), (uint32_t)(features >> 32 * half));
    }
}

static uint32_t pci_generation(const struct virtio *virtio)
{
    return read8(&virtio->pci.common, COMMON(config_generation));
}

static uint8_t pci_take_isr(const struct virtio *virtio)
{
    return read8(&virtio->pci.isr, 0);
}

static bool pci_set_config_vector(const struct virtio *virtio, uint16_t vector)
{
    write16(&virtio->pci.common, COMMON(msix_config), vector);
    return read16(&virtio->pci.common, COMMON(msix_config)) == vector;
}

static uint16_t pci_queue_size(const struct virtio *virtio, uint16_t index)
{
    if (index >= read16(&virtio->pci.common, COMMON(num_queues)))
        return 0;
    write16(&virtio->pci.common, COMMON(queue_select), index);
    return read16(&virtio->pci.common, COMMON(queue_size));
}

static bool pci_queue_start(const struct virtio *virtio, const struct virtio_queue *queue,
                            uint32_t *doorbell)
{
    const struct virtio_region *common = &virtio->pci.common;
    write16(common, COMMON(queue_select), queue->index);
    uint64_t offset =
        (uint64_t)read16(common, COMMON(queue_notify_off)) * virtio->pci.notify_multiplier;
    if (offset % 2 || offset + sizeof(uint16_t) > virtio->pci.notify.length)
        return false;
    *doorbell = virtio->pci.notify.offset + (uint32_t)offset;
    write16(common, COMMON(queue_size), queue->size);
    if (read16(common, COMMON(queue_size)) != queue->size)
        return false;
    write64(common, COMMON(queue_desc_lo), queue->desc);
    write64(common, COMMON(queue_avail_lo), queue->avail);
    write64(common, COMMON(queue_used_lo), queue->used);
    if (!virtio->single) {
        write16(common, COMMON(queue_msix_vector), queue->vector);
        if (read16(common, COMMON(queue_msix_vector)) != queue->vector)
            return false;
    }
    write16(common, COMMON(queue_enable), 1);
    return true;
}

static const struct virtio_transport pci_transport = {
    .status = pci_status,
    .set_status = pci_set_status,
    .offered = pci_offered,
    .accept = pci_accept,
    .generation = pci_generation,
    .take_isr = pci_take_isr,
    .set_config_vector = pci_set_config_vector,
    .queue_size = pci_queue_size,
    .queue_start = pci_queue_start,
};

/* 4.1.4: the structures are where the vendor-specific capabilities say. */
static bool structures_find(struct virtio *virtio, const struct device *device)
{
    if (!(device->config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
        return false;
    uint32_t at = device->config[PCI_CAPABILITY_LIST] & ~3u;
    for (uint32_t i = 0; at && i < CAPABILITIES_MAX; i++) {
        if (device->config[at + PCI_CAP_LIST_ID] == PCI_CAP_ID_VNDR)
            capability_take(virtio, device, at);
        at = device->config[at + PCI_CAP_LIST_NEXT] & ~3u;
    }
    return virtio->pci.common.length && virtio->pci.notify.length &&
           (!virtio->single || virtio->pci.isr.length);
}

/* Of the transitional devices only those that have a driver are known here. */
static bool is_type(const struct device *device, uint16_t type)
{
    return device->vendor == VIRTIO_PCI_VENDOR &&
           (device->id == VIRTIO_PCI_MODERN_FIRST + type ||
            (device->id == VIRTIO_PCI_TRANSITIONAL_NET && type == VIRTIO_ID_NET) ||
            (device->id == VIRTIO_PCI_TRANSITIONAL_BLOCK && type == VIRTIO_ID_BLOCK) ||
            (device->id == VIRTIO_PCI_TRANSITIONAL_CONSOLE && type == VIRTIO_ID_CONSOLE) ||
            (device->id == VIRTIO_PCI_TRANSITIONAL_RNG && type == VIRTIO_ID_RNG));
}

const char *virtio_pci_find(struct virtio *virtio, const struct device *device, uint16_t type)
{
    *virtio = (struct virtio){.transport = &pci_transport,
                              .notify_bytes = sizeof(uint16_t),
                              .single = device->pin || device->msi};
    if (!is_type(device, type))
        return "it isn't a virtio device of this driver's type";
    if (!structures_find(virtio, device))
        return "it has no modern interface (QEMU: disable-modern=off)";
    virtio->notify_bar = virtio->pci.notify.bar;
    return NULL;
}
