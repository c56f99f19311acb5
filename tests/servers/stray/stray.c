/* SPDX-License-Identifier: ISC
 *
 * A driver for tests that points its devices, sources of entropy (virtio 1.1, 5.4), at memory that
 * isn't its own: the first at a buffer to fill, the second at a table of descriptors to read.
 * Memory is the kernel's text. It says what it did; what comes of it others say.
 */
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "ipc/barrier.h"
#include "libos/domain.h"
#include "libos/server.h"

enum { FOREIGN = 0x100000, BYTES = 64, QUEUE_SIZE = 8, AVAIL = 256, USED = 512, PER_DEVICE = 1024 };
enum { CAPABILITY_VENDOR = 9, CAPABILITIES_MAX = 16 };

/* One device after the other: QEMU's VT-d has one record, and a fault that finds it in use is lost.
 */
#define TURN_NS 1000000000ull

struct stray {
    struct domain *domain;
    uint32_t next;
};

#define COMMON(field) (at + (uint32_t)offsetof(struct virtio_pci_common_cfg, field))

/* A structure of the device's: its BAR, and where in it. */
static const struct device_bar *structure(const struct device *device, uint8_t type, uint32_t *at)
{
    uint8_t place = device->config[0x34];
    for (int i = 0; place && i < CAPABILITIES_MAX; i++, place = device->config[place + 1]) {
        if (device->config[place] != CAPABILITY_VENDOR || device->config[place + 3] != type)
            continue;
        memcpy(at, &device->config[place + 8], sizeof(*at));
        return &device->bar[device->config[place + 4]];
    }
    return NULL;
}

static void address_write(const struct device_bar *bar, uint32_t offset, uint64_t address)
{
    device_write32(bar, offset, (uint32_t)address);
    device_write32(bar, offset + 4, (uint32_t)(address >> 32));
}

/* Sets queue 0 up with one buffer for the device to fill, and tells the device. */
static void drive(const struct device *device, uint8_t *memory, uint64_t own, bool writes)
{
    uint32_t at = 0, bell = 0;
    const struct device_bar *bar = structure(device, VIRTIO_PCI_CAP_COMMON_CFG, &at);
    const struct device_bar *bells = structure(device, VIRTIO_PCI_CAP_NOTIFY_CFG, &bell);
    struct vring_desc *descriptor = (struct vring_desc *)memory;
    struct vring_avail *avail = (struct vring_avail *)(memory + AVAIL);
    *descriptor = (struct vring_desc){.addr = writes ? FOREIGN : own + PER_DEVICE - BYTES,
                                      .len = BYTES,
                                      .flags = VRING_DESC_F_WRITE};
    device_write8(bar, COMMON(device_status), 0);
    device_write8(bar, COMMON(device_status), VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    device_write32(bar, COMMON(guest_feature_select), 1); /* VERSION_1 and ACCESS_PLATFORM */
    device_write32(bar, COMMON(guest_feature), 3);
    device_write8(bar, COMMON(device_status),
                  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                      VIRTIO_CONFIG_S_FEATURES_OK);
    device_write16(bar, COMMON(queue_select), 0);
    device_write16(bar, COMMON(queue_size), QUEUE_SIZE);
    address_write(bar, COMMON(queue_desc_lo), writes ? own : FOREIGN);
    address_write(bar, COMMON(queue_avail_lo), own + AVAIL);
    address_write(bar, COMMON(queue_used_lo), own + USED);
    device_write16(bar, COMMON(queue_enable), 1);
    device_write8(bar, COMMON(device_status),
                  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                      VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
    __atomic_store_n(&avail->idx, 1, __ATOMIC_RELEASE); /* the entry, 0, before the index */
    device_write16(bells, bell, 0);
}

static void turn(void *state)
{
    struct stray *s = state;
    const struct pool *pool = domain_pool_named(s->domain, "stray");
    const struct device *device = domain_device(s->domain, s->next);
    if (!device) {
        domain_log(s->domain, "goes on");
        return;
    }
    uint32_t n = s->next++;
    drive(device, pool->base + n * PER_DEVICE, pool->physical + n * PER_DEVICE, n == 0);
    domain_log(s->domain, "device %u was pointed at 0x%x", n, FOREIGN);
    domain_set_deadline(s->domain, domain_time(s->domain) + TURN_NS);
}

static enum error start(void *state, struct domain *domain)
{
    ((struct stray *)state)->domain = domain;
    turn(state);
    return OK;
}

extern const struct server motet_server_stray;
const struct server motet_server_stray = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "stray",
    .state_size = sizeof(struct stray),
    .stack_bytes = 2048,
    .start = start,
    .deadline = turn,
};
SERVER_EXPORT(motet_server_stray);
