/* SPDX-License-Identifier: ISC
 *
 * The device of fake_virtio.h.
 */
#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>

#include "tests/unit/fake_virtio.h"

/* QEMU's layout of the modern BAR. */
enum { COMMON = 0x0000, ISR = 0x1000, CONFIG = 0x2000, NOTIFY = 0x3000, PART = 0x1000 };
enum { NOTIFY_MULTIPLIER = 4 };

/* The label of a register: its offset, and the only width that it may be accessed with. */
#define FIELD(field)                                                                               \
    offsetof(struct virtio_pci_common_cfg, field) << 3 |                                           \
        sizeof(((struct virtio_pci_common_cfg *)0)->field)

__attribute__((format(printf, 2, 3))) static void trace(struct fake_virtio *fake,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof(fake->trace) - fake->trace_length;
    int length = vsnprintf(fake->trace + fake->trace_length, room, format, arguments);
    va_end(arguments);
    assert(length >= 0 && (size_t)length < room);
    fake->trace_length += (uint32_t)length;
}

static void device_reset(struct fake_virtio *fake)
{
    fake->accepted = 0;
    fake->config_vector = VIRTIO_MSI_NO_VECTOR;
    for (uint32_t i = 0; i < FAKE_QUEUES; i++) {
        uint16_t size_max = fake->queue[i].size_max, notify_offset = fake->queue[i].notify_offset;
        uint32_t notified = fake->queue[i].notified;
        fake->queue[i] = (struct fake_queue){.size_max = size_max,
                                             .size = size_max,
                                             .vector = VIRTIO_MSI_NO_VECTOR,
                                             .notify_offset = notify_offset,
                                             .packed = {.wrap = true, .used_wrap = true},
                                             .notified = notified};
    }
}

static void status_write(struct fake_virtio *fake, uint8_t value)
{
    trace(fake, "status %u\n", value);
    if (!value) {
        if (fake->never_resets)
            return;
        device_reset(fake);
    } else {
        assert(!(fake->status & 0x3f & ~value)); /* bits aren't taken back (2.1.1) */
    }
    if (value & VIRTIO_CONFIG_S_FEATURES_OK && fake->refuses_features)
        value &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
    fake->status = value;
}

static uint32_t common_read(struct fake_virtio *fake, uint32_t offset, uint32_t bytes)
{
    struct fake_queue none = {0};
    bool there = fake->queue_select < fake->queues && fake->queue_select < FAKE_QUEUES;
    const struct fake_queue *queue = there ? &fake->queue[fake->queue_select] : &none;
    switch (offset << 3 | bytes) {
    case FIELD(device_feature):
        return fake->feature_select < 2 ? (uint32_t)(fake->offered >> 32 * fake->feature_select)
                                        : 0;
    case FIELD(msix_config):
        return fake->config_vector;
    case FIELD(num_queues):
        return fake->queues;
    case FIELD(device_status):
        return fake->status;
    case FIELD(config_generation):
        if (fake->restless) {
            fake->restless--;
            fake->generation++;
        }
        return fake->generation;
    case FIELD(queue_size):
        return queue->size;
    case FIELD(queue_msix_vector):
        return queue->vector;
    case FIELD(queue_enable):
        return queue->enabled;
    case FIELD(queue_notify_off):
        return queue->notify_offset;
    default:
        assert(!"a register that the driver has no business to read");
        return 0;
    }
}

static uint16_t vector_of(const struct fake_virtio *fake, uint32_t value)
{
    bool there = value < fake->device->vectors && !fake->refuses_vectors;
    return there ? (uint16_t)value : VIRTIO_MSI_NO_VECTOR;
}

static void half_write(uint64_t *to, uint32_t shift, uint32_t value)
{
    *to = (*to & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

static void queue_write(struct fake_virtio *fake, uint32_t offset, uint32_t bytes, uint32_t value)
{
    assert(fake->queue_select < fake->queues && fake->queue_select < FAKE_QUEUES);
    struct fake_queue *queue = &fake->queue[fake->queue_select];
    assert(!queue->enabled); /* nothing changes afterwards */
    switch (offset << 3 | bytes) {
    case FIELD(queue_size):
        if (!fake->refuses_sizes)
            queue->size = (uint16_t)value;
        break;
    case FIELD(queue_msix_vector):
        queue->vector = vector_of(fake, value);
        break;
    case FIELD(queue_desc_lo):
        half_write(&queue->desc, 0, value);
        break;
    case FIELD(queue_desc_hi):
        half_write(&queue->desc, 32, value);
        break;
    case FIELD(queue_avail_lo):
        half_write(&queue->avail, 0, value);
        break;
    case FIELD(queue_avail_hi):
        half_write(&queue->avail, 32, value);
        break;
    case FIELD(queue_used_lo):
        half_write(&queue->used, 0, value);
        break;
    case FIELD(queue_used_hi):
        half_write(&queue->used, 32, value);
        break;
    case FIELD(queue_enable):
        assert(value == 1 && queue->size && !(queue->size & (queue->size - 1)));
        assert(!(queue->desc % 16) && !(queue->avail % 2) && !(queue->used % 4)); /* 2.6 */
        queue->enabled = 1;
        trace(fake, "queue %u: %u entries, vector %u\n", fake->queue_select, queue->size,
              queue->vector);
        break;
    default:
        assert(!"a register that the driver has no business to write");
    }
}

static void common_write(struct fake_virtio *fake, uint32_t offset, uint32_t bytes, uint32_t value)
{
    switch (offset << 3 | bytes) {
    case FIELD(device_feature_select):
        fake->feature_select = value;
        break;
    case FIELD(guest_feature_select):
        fake->accept_select = value;
        break;
    case FIELD(guest_feature):
        assert(fake->accept_select < 2);
        assert(!(fake->status & VIRTIO_CONFIG_S_FEATURES_OK));
        half_write(&fake->accepted, 32 * fake->accept_select, value);
        trace(fake, "features %u\n", fake->accept_select);
        assert(!(fake->accepted & ~fake->offered)); /* 2.2.1 */
        break;
    case FIELD(msix_config):
        fake->config_vector = vector_of(fake, value);
        break;
    case FIELD(device_status):
        status_write(fake, (uint8_t)value);
        break;
    case FIELD(queue_select):
        fake->queue_select = (uint16_t)value;
        break;
    default:
        queue_write(fake, offset, bytes, value);
    }
}

static uint32_t config_read(struct fake_virtio *fake, uint32_t offset, uint32_t bytes)
{
    uint32_t value = 0;
    assert(fake->status & VIRTIO_CONFIG_S_FEATURES_OK);
    /* Each field with its own width (4.1.3.1); 64 bits are two halves. */
    if (fake->type == VIRTIO_ID_BLOCK)
        assert(bytes == 4);
    else
        assert(offset < 6 ? bytes == 1 : bytes == 2);
    assert(offset + bytes <= sizeof(fake->config));
    memcpy(&value, (uint8_t *)&fake->config + offset, bytes);
    return value;
}

static uint32_t fake_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_virtio *fake = (struct fake_virtio *)model;
    assert(!(offset % bytes) && offset + bytes <= FAKE_BAR_BYTES);
    if (offset < ISR)
        return common_read(fake, offset - COMMON, bytes);
    if (offset == ISR) {
        uint8_t isr = fake->isr;
        assert(bytes == 1 && (fake->device->pin || fake->device->msi));
        fake->isr = 0;
        return isr;
    }
    assert(offset >= CONFIG && offset < NOTIFY);
    return config_read(fake, offset - CONFIG, bytes);
}

static void fake_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct fake_virtio *fake = (struct fake_virtio *)model;
    assert(!(offset % bytes) && offset + bytes <= FAKE_BAR_BYTES);
    if (offset < ISR) {
        common_write(fake, offset - COMMON, bytes, value);
        return;
    }
    assert(offset >= NOTIFY && bytes == 2 && value < FAKE_QUEUES);
    bool place = offset - NOTIFY == (uint32_t)fake->queue[value].notify_offset * NOTIFY_MULTIPLIER;
    assert(place || fake->any_doorbell);
    if (!place)
        return;
    assert(fake->status & VIRTIO_CONFIG_S_DRIVER_OK);
    fake->queue[value].notified++;
    if (fake->on_notify)
        fake->on_notify(fake, value);
}

/* Over MMIO: the same device behind other registers, all of 32 bits (virtio 1.1, section 4.2.2). */

static bool is_queue_field(uint32_t offset)
{
    return offset >= VIRTIO_MMIO_QUEUE_NUM && offset <= VIRTIO_MMIO_QUEUE_USED_HIGH &&
           offset != VIRTIO_MMIO_QUEUE_NOTIFY && offset != VIRTIO_MMIO_INTERRUPT_ACK &&
           offset != VIRTIO_MMIO_STATUS;
}

/* The register's place in the PCI structure. */
static uint32_t queue_field(struct fake_virtio *fake, uint32_t offset)
{
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM:
        return offsetof(struct virtio_pci_common_cfg, queue_size);
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
        return offsetof(struct virtio_pci_common_cfg, queue_desc_lo);
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
        return offsetof(struct virtio_pci_common_cfg, queue_desc_hi);
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
        return offsetof(struct virtio_pci_common_cfg, queue_avail_lo);
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
        return offsetof(struct virtio_pci_common_cfg, queue_avail_hi);
    case VIRTIO_MMIO_QUEUE_USED_LOW:
        return offsetof(struct virtio_pci_common_cfg, queue_used_lo);
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
        return offsetof(struct virtio_pci_common_cfg, queue_used_hi);
    default:
        assert(offset == VIRTIO_MMIO_QUEUE_READY && !fake->refuses_queues);
        return offsetof(struct virtio_pci_common_cfg, queue_enable);
    }
}

static uint32_t mmio_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_virtio *fake = (struct fake_virtio *)model;
    bool there = fake->queue_select < fake->queues && fake->queue_select < FAKE_QUEUES;
    const struct fake_queue none = {0};
    const struct fake_queue *queue = there ? &fake->queue[fake->queue_select] : &none;
    assert(!(offset % bytes) && offset + bytes <= FAKE_BLOCK_BYTES);
    if (offset >= VIRTIO_MMIO_CONFIG)
        return config_read(fake, offset - VIRTIO_MMIO_CONFIG, bytes);
    assert(bytes == 4);
    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE:
        return fake->magic;
    case VIRTIO_MMIO_VERSION:
        return fake->version;
    case VIRTIO_MMIO_DEVICE_ID:
        return fake->type;
    case VIRTIO_MMIO_DEVICE_FEATURES:
        return common_read(fake, offsetof(struct virtio_pci_common_cfg, device_feature), 4);
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
        return queue->size_max;
    case VIRTIO_MMIO_QUEUE_READY:
        return queue->enabled;
    case VIRTIO_MMIO_INTERRUPT_STATUS:
        return fake->isr;
    case VIRTIO_MMIO_STATUS:
        return fake->status;
    case VIRTIO_MMIO_CONFIG_GENERATION:
        return common_read(fake, offsetof(struct virtio_pci_common_cfg, config_generation), 1);
    default:
        assert(!"a register that the driver has no business to read");
        return 0;
    }
}

static void mmio_notify(struct fake_virtio *fake, uint32_t queue)
{
    assert(queue < FAKE_QUEUES && fake->status & VIRTIO_CONFIG_S_DRIVER_OK);
    fake->queue[queue].notified++;
    if (fake->on_notify)
        fake->on_notify(fake, queue);
}

static void mmio_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct fake_virtio *fake = (struct fake_virtio *)model;
    assert(!(offset % 4) && offset < VIRTIO_MMIO_CONFIG && bytes == 4);
    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        fake->feature_select = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        fake->accept_select = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        common_write(fake, offsetof(struct virtio_pci_common_cfg, guest_feature), 4, value);
        break;
    case VIRTIO_MMIO_QUEUE_SEL:
        fake->queue_select = (uint16_t)value;
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY:
        mmio_notify(fake, value);
        break;
    case VIRTIO_MMIO_INTERRUPT_ACK:
        assert(!(value & ~(uint32_t)fake->isr)); /* 4.2.2.2: only what was read */
        fake->isr &= (uint8_t)~value;
        break;
    case VIRTIO_MMIO_STATUS:
        status_write(fake, (uint8_t)value);
        break;
    default:
        assert(is_queue_field(offset));
        if (offset == VIRTIO_MMIO_QUEUE_READY && fake->refuses_queues)
            break;
        bool half = offset != VIRTIO_MMIO_QUEUE_NUM && offset != VIRTIO_MMIO_QUEUE_READY;
        queue_write(fake, queue_field(fake, offset), half ? 4 : 2, value);
    }
}

static void add_capability(struct device *device, uint8_t *at, uint8_t type, uint32_t offset,
                           uint32_t length)
{
    struct virtio_pci_notify_cap cap = {
        .cap = {.cap_vndr = PCI_CAP_ID_VNDR,
                .cap_len = type == VIRTIO_PCI_CAP_NOTIFY_CFG ? sizeof(cap) : sizeof(cap.cap),
                .cfg_type = type,
                .bar = FAKE_BAR,
                .offset = offset,
                .length = length},
        .notify_off_multiplier = NOTIFY_MULTIPLIER};
    uint8_t *list = &device->config[PCI_CAPABILITY_LIST];
    cap.cap.cap_next = *list;
    *list = *at;
    memcpy(&device->config[*at], &cap, cap.cap.cap_len);
    *at = (uint8_t)(*at + cap.cap.cap_len);
}

static void add_capabilities(struct device *device)
{
    uint8_t at = 0x40;
    device->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    add_capability(device, &at, VIRTIO_PCI_CAP_COMMON_CFG, COMMON, PART);
    add_capability(device, &at, VIRTIO_PCI_CAP_ISR_CFG, ISR, PART);
    add_capability(device, &at, VIRTIO_PCI_CAP_DEVICE_CFG, CONFIG, PART);
    add_capability(device, &at, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY, PART);
    device->config[at] = PCI_CAP_ID_MSIX;
    device->config[at + 1] = device->config[PCI_CAPABILITY_LIST];
    device->config[PCI_CAPABILITY_LIST] = at;
}

/* What is the same on both buses. */
static void init(struct fake_virtio *fake, struct device *device, struct device_model model)
{
    memset(fake, 0, sizeof(*fake));
    fake->model = model;
    fake->device = device;
    fake->offered = ~(1ull << VIRTIO_F_RING_PACKED);
    fake->queues = FAKE_QUEUES;
    for (uint32_t i = 0; i < FAKE_QUEUES; i++)
        fake->queue[i] = (struct fake_queue){.size_max = 256, .notify_offset = (uint16_t)i};
    fake->config = (struct virtio_net_config){
        .mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}, .status = VIRTIO_NET_S_LINK_UP, .mtu = 1500};
    device_reset(fake);
}

static struct fake_virtio *allocate(void)
{
    struct fake_virtio *fake = malloc(sizeof(*fake));
    assert(fake);
    return fake;
}

void fake_virtio_init(struct fake_virtio *fake, struct device *device)
{
    *device = (struct device){.vendor = 0x1af4, .id = 0x1041, .slot = 3, .vectors = 3};
    init(fake, device, (struct device_model){.read = fake_read, .write = fake_write});
    device->bar[FAKE_BAR] =
        (struct device_bar){.base = (volatile uint8_t *)&fake->model, .size = FAKE_BAR_BYTES};
    add_capabilities(device);
}

struct fake_virtio *fake_virtio_create(struct device *device)
{
    struct fake_virtio *fake = allocate();
    fake_virtio_init(fake, device);
    return fake;
}

struct fake_virtio *fake_virtio_create_mmio(struct device *device)
{
    *device = (struct device){.bus_kind = DEVICE_VIRTIO_MMIO,
                              .id = VIRTIO_ID_NET,
                              .address = 0xfeb00e00,
                              .vectors = 1,
                              .pin = 1,
                              .line = 12};
    struct fake_virtio *fake = allocate();
    init(fake, device, (struct device_model){.read = mmio_read, .write = mmio_write});
    device->bar[0] =
        (struct device_bar){.base = (volatile uint8_t *)&fake->model, .size = FAKE_BLOCK_BYTES};
    fake->magic = 0x74726976;
    fake->version = 2;
    fake->type = VIRTIO_ID_NET;
    return fake;
}

struct fake_virtio *fake_virtio_offer_packed(struct fake_virtio *fake, bool event_idx)
{
    if (!fake)
        return NULL;
    fake->offered |= 1ull << VIRTIO_F_RING_PACKED;
    if (!event_idx)
        fake->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    return fake;
}

void fake_virtio_destroy(struct fake_virtio *fake)
{
    free(fake);
}

void fake_virtio_grant(struct fake_virtio *fake, void *memory, uint64_t bytes)
{
    fake_virtio_grant_at(fake, (uint64_t)(uintptr_t)memory, memory, bytes);
}

void fake_virtio_grant_at(struct fake_virtio *fake, uint64_t address, void *memory, uint64_t bytes)
{
    assert(fake->regions < FAKE_REGIONS_MAX);
    fake->region[fake->regions].address = address;
    fake->region[fake->regions].base = memory;
    fake->region[fake->regions++].bytes = bytes;
}

uint8_t *fake_virtio_capability(struct fake_virtio *fake, uint8_t type)
{
    uint8_t *config = fake->device->config;
    uint8_t at = config[PCI_CAPABILITY_LIST];
    while (config[at] != PCI_CAP_ID_VNDR || config[at + VIRTIO_PCI_CAP_CFG_TYPE] != type) {
        at = config[at + 1];
        assert(at);
    }
    return &config[at];
}

bool fake_virtio_has(const struct fake_virtio *fake, uint32_t feature)
{
    return fake->accepted >> feature & 1;
}

/* DMA */

void *fake_virtio_reach(struct fake_virtio *fake, uint64_t address, uint64_t bytes)
{
    for (uint32_t i = 0; i < fake->regions; i++) {
        uint64_t offset = address - fake->region[i].address;
        if (offset < fake->region[i].bytes && bytes <= fake->region[i].bytes - offset)
            return fake->region[i].base + offset;
    }
    assert(!"DMA outside of what was granted");
    return NULL;
}

static struct vring ring_of(struct fake_virtio *fake, uint32_t number)
{
    const struct fake_queue *queue = &fake->queue[number];
    uint64_t size = queue->size;
    assert(queue->enabled && fake->status & VIRTIO_CONFIG_S_DRIVER_OK);
    return (struct vring){
        .num = queue->size,
        .desc = fake_virtio_reach(fake, queue->desc, size * sizeof(struct vring_desc)),
        .avail = fake_virtio_reach(fake, queue->avail, 6 + size * 2),
        .used = fake_virtio_reach(fake, queue->used, 6 + size * 8)};
}

static void raise_vector(struct fake_virtio *fake, uint16_t vector, uint8_t isr)
{
    if (fake->device->pin || fake->device->msi) {
        fake->isr |= isr;
        vector = 0;
    }
    if (vector == VIRTIO_MSI_NO_VECTOR)
        return;
    fake->interrupts |= 1u << vector;
    fake->interrupt_count[vector]++;
}

uint32_t fake_virtio_interrupts(struct fake_virtio *fake)
{
    uint32_t bits = fake->device->pin ? fake->isr != 0 : fake->interrupts;
    fake->interrupts = 0;
    return bits;
}

void fake_virtio_set_link(struct fake_virtio *fake, bool up)
{
    fake->config.status = up ? VIRTIO_NET_S_LINK_UP : 0;
    fake->generation++;
    raise_vector(fake, fake->config_vector, 2);
}

void fake_virtio_ask_reset(struct fake_virtio *fake)
{
    fake->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    raise_vector(fake, fake->config_vector, 2);
}

static bool is_packed(const struct fake_virtio *fake)
{
    return fake_virtio_has(fake, VIRTIO_F_RING_PACKED);
}

uint16_t fake_virtio_available(struct fake_virtio *fake, uint32_t queue)
{
    if (is_packed(fake))
        return fake_packed_available(fake, queue);
    struct vring ring = ring_of(fake, queue);
    uint16_t available = (uint16_t)(ring.avail->idx - fake->queue[queue].popped);
    assert(available <= ring.num || fake->lies);
    return available <= ring.num ? available : 0;
}

/* As QEMU: the receive queue wants to be rung when it has run dry, the transmit queue when it has
 * sent all. */
static void ask_to_be_rung(struct fake_virtio *fake, uint32_t queue)
{
    if (is_packed(fake)) {
        fake_packed_ask(fake, queue);
        return;
    }
    struct vring ring = ring_of(fake, queue);
    if (fake_virtio_has(fake, VIRTIO_RING_F_EVENT_IDX))
        vring_avail_event(&ring) = fake->queue[queue].popped;
    else
        ring.used->flags = 0;
}

bool fake_virtio_pop(struct fake_virtio *fake, uint32_t queue, struct fake_chain *chain)
{
    if (!fake_virtio_available(fake, queue)) {
        ask_to_be_rung(fake, queue);
        return false;
    }
    if (is_packed(fake)) {
        fake_packed_pop(fake, queue, chain);
        return true;
    }
    struct vring ring = ring_of(fake, queue);
    if (!fake_virtio_has(fake, VIRTIO_RING_F_EVENT_IDX))
        ring.used->flags = VRING_USED_F_NO_NOTIFY;
    uint16_t at = ring.avail->ring[fake->queue[queue].popped++ % ring.num];
    *chain = (struct fake_chain){.head = at};
    for (bool more = true; more;) {
        assert(at < ring.num && chain->count < FAKE_CHAIN_MAX);
        struct vring_desc desc = ring.desc[at];
        assert(!(desc.flags & ~(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE)));
        assert(desc.len);
        assert(fake->type == VIRTIO_ID_BLOCK ||
               !!(desc.flags & VRING_DESC_F_WRITE) == (queue == 0));
        chain->desc[chain->count++] = desc;
        more = desc.flags & VRING_DESC_F_NEXT;
        at = desc.next;
    }
    return true;
}

void fake_virtio_push(struct fake_virtio *fake, uint32_t queue, uint32_t id, uint32_t length)
{
    if (is_packed(fake)) {
        fake->queue[queue].pushed++;
        fake_packed_push(fake, queue, id, length);
        return;
    }
    struct vring ring = ring_of(fake, queue);
    ring.used->ring[fake->queue[queue].pushed++ % ring.num] =
        (struct vring_used_elem){.id = id, .len = length};
}

void fake_virtio_flush(struct fake_virtio *fake, uint32_t number)
{
    struct fake_queue *queue = &fake->queue[number];
    if (queue->used_index == queue->pushed)
        return;
    queue->used_index = queue->pushed;
    if (is_packed(fake))
        fake_packed_flush(fake, number);
    else
        ring_of(fake, number).used->idx = queue->pushed;
    queue->undecided = true;
    if (!fake->thinks_later)
        fake_virtio_decide(fake, number);
}

static bool split_wanted(struct fake_virtio *fake, uint32_t number, uint16_t new, uint16_t old)
{
    struct vring ring = ring_of(fake, number);
    if (!fake_virtio_has(fake, VIRTIO_RING_F_EVENT_IDX))
        return !(ring.avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
    return !fake->queue[number].signalled || vring_need_event(vring_used_event(&ring), new, old);
}

void fake_virtio_decide(struct fake_virtio *fake, uint32_t number)
{
    struct fake_queue *queue = &fake->queue[number];
    uint16_t old = queue->decided, new = queue->used_index;
    if (!queue->undecided)
        return;
    bool wanted = is_packed(fake) ? fake_packed_wanted(fake, number) || !queue->signalled
                                  : split_wanted(fake, number, new, old);
    queue->undecided = false;
    queue->decided = new;
    queue->signalled = true;
    if (wanted || fake->always_signals)
        raise_vector(fake, queue->vector, 1);
}

/* Frames */

/* Writes the frame's next part into a buffer, after a header or not. */
static uint32_t fill(struct fake_virtio *fake, const struct fake_chain *chain, uint32_t header,
                     const uint8_t *data, uint32_t length)
{
    assert(chain->count == 1);
    uint32_t room = chain->desc[0].len - header;
    uint8_t *buffer = fake_virtio_reach(fake, chain->desc[0].addr, chain->desc[0].len);
    uint32_t part = length < room ? length : room;
    memcpy(buffer + header, data, part);
    return part;
}

static uint16_t buffers_needed(struct fake_virtio *fake, uint32_t length)
{
    struct vring ring = ring_of(fake, 0);
    uint32_t header = sizeof(struct virtio_net_hdr_v1), total = 0;
    uint16_t needed = 0, available = fake_virtio_available(fake, 0);
    while (needed < available && total < header + length) {
        uint16_t head = ring.avail->ring[(fake->queue[0].popped + needed++) % ring.num];
        total += ring.desc[head].len;
    }
    bool merge = fake_virtio_has(fake, VIRTIO_NET_F_MRG_RXBUF);
    return total < header + length || (needed > 1 && !merge) ? 0 : needed;
}

bool fake_virtio_receive(struct fake_virtio *fake, const void *data, uint32_t length,
                         uint8_t header_flags)
{
    struct virtio_net_hdr_v1 header = {.flags = header_flags};
    const uint8_t *from = data;
    uint16_t needed = buffers_needed(fake, length);
    if (!needed) {
        ask_to_be_rung(fake, 0);
        return false;
    }
    header.num_buffers = needed;
    if (fake->num_buffers_lie)
        header.num_buffers = (uint16_t)fake->num_buffers_lie;
    fake->num_buffers_lie = 0;
    for (uint16_t i = 0; i < needed; i++) {
        struct fake_chain chain;
        uint32_t skip = i ? 0 : sizeof(header);
        bool popped = fake_virtio_pop(fake, 0, &chain);
        assert(popped);
        uint32_t part = fill(fake, &chain, skip, from, length);
        if (!i)
            memcpy(fake_virtio_reach(fake, chain.desc[0].addr, sizeof(header)), &header,
                   sizeof(header));
        fake_virtio_push(fake, 0, chain.head, skip + part);
        from += part;
        length -= part;
    }
    fake_virtio_flush(fake, 0);
    return true;
}

void fake_virtio_gather(struct fake_virtio *fake, const struct fake_chain *chain,
                        struct fake_frame *frame)
{
    assert(chain->count >= 2 && chain->desc[0].len == sizeof(frame->header));
    memcpy(&frame->header, fake_virtio_reach(fake, chain->desc[0].addr, chain->desc[0].len),
           sizeof(frame->header));
    frame->descriptors = chain->count;
    frame->length = 0;
    for (uint32_t i = 1; i < chain->count; i++) {
        const struct vring_desc *desc = &chain->desc[i];
        assert(frame->length + desc->len <= FAKE_FRAME_MAX);
        memcpy(frame->data + frame->length, fake_virtio_reach(fake, desc->addr, desc->len),
               desc->len);
        frame->length += desc->len;
    }
}

bool fake_virtio_transmit(struct fake_virtio *fake, struct fake_frame *frame)
{
    struct fake_chain chain;
    if (!fake_virtio_pop(fake, 1, &chain))
        return false;
    fake_virtio_gather(fake, &chain, frame);
    fake_virtio_push(fake, 1, chain.head, 0);
    fake_virtio_flush(fake, 1);
    return true;
}

void fake_virtio_unusable(struct fake_virtio *fake, uint32_t way)
{
    fake->refuses_features = way == FAKE_REFUSES_FEATURES;
    fake->refuses_vectors = way == FAKE_REFUSES_QUEUE; /* over PCI, */
    fake->refuses_queues = way == FAKE_REFUSES_QUEUE;  /* over MMIO */
    if (way == FAKE_OLD)
        fake->offered &= ~(1ull << VIRTIO_F_VERSION_1);
    if (way == FAKE_NO_QUEUE)
        fake->queue[0].size_max = 0;
}
