/* SPDX-License-Identifier: ISC
 *
 * The device of fake_e1000.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_e1000.h"

enum {
    CONTROL = 0x0000,
    STATUS = 0x0008,
    CAUSES = 0x00c0,
    MASK_SET = 0x00d0,
    MASK_CLEAR = 0x00d8,
    RX_CONTROL = 0x0100,
    TX_CONTROL = 0x0400,
    TX_GAP_AT = 0x0410,
    RX_BASE = 0x2800,
    RX_BYTES = 0x2808,
    RX_HEAD = 0x2810,
    RX_TAIL = 0x2818,
    RX_DELAY = 0x2820,
    TX_BASE = 0x3800,
    TX_BYTES = 0x3808,
    TX_HEAD = 0x3810,
    TX_TAIL = 0x3818,
    ADDRESS_LOW = 0x5400,
    ADDRESS_HIGH = 0x5404,
    BAR_BYTES = 0x20000,
    ENTRY = 16,
};

static void reset(struct fake_e1000 *fake)
{
    fake->causes = fake->mask = fake->rx_control = fake->tx_control = 0;
    fake->rx_bytes = fake->rx_head = fake->rx_tail = 0;
    fake->tx_bytes = fake->tx_head = fake->tx_tail = 0;
}

static uint32_t causes_take(struct fake_e1000 *fake)
{
    uint32_t causes = fake->causes;
    fake->causes = 0;
    return causes;
}

static uint32_t e1000_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_e1000 *fake = (struct fake_e1000 *)model;
    assert(bytes == 4);
    switch (offset) {
    case CONTROL:
        return fake->control;
    case STATUS:
        return fake->link ? STATUS_LINK_UP : 0;
    case CAUSES:
        return causes_take(fake);
    case ADDRESS_LOW:
        return fake->address_low;
    case ADDRESS_HIGH:
        return fake->address_high;
    default:
        assert(!"no such register to read");
        return 0;
    }
}

static void control_write(struct fake_e1000 *fake, uint32_t value)
{
    fake->control = value;
    if (!(value & CONTROL_RESET) || fake->never_resets)
        return;
    reset(fake);
    fake->control = 0;
}

static void ring_write(uint32_t *field, uint32_t value, uint32_t bytes)
{
    assert(!bytes || value < bytes / ENTRY);
    *field = value;
}

static void base_write(uint64_t *base, uint32_t value, bool high)
{
    *base = high ? (*base & UINT32_MAX) | (uint64_t)value << 32 : value;
}

static void e1000_write(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value)
{
    struct fake_e1000 *fake = (struct fake_e1000 *)model;
    assert(bytes == 4);
    switch (offset) {
    case CONTROL:
        control_write(fake, value);
        break;
    case MASK_SET:
        fake->mask |= value;
        break;
    case MASK_CLEAR:
        fake->mask &= ~value;
        break;
    case RX_CONTROL:
        fake->rx_control = value;
        break;
    case TX_CONTROL:
        fake->tx_control = value;
        break;
    case TX_GAP_AT:
    case RX_DELAY:
        break;
    case RX_BASE:
    case RX_BASE + 4:
        base_write(&fake->rx_base, value, offset != RX_BASE);
        break;
    case RX_BYTES:
        fake->rx_bytes = value;
        break;
    case RX_HEAD:
        ring_write(&fake->rx_head, value, fake->rx_bytes);
        break;
    case RX_TAIL:
        ring_write(&fake->rx_tail, value, fake->rx_bytes);
        break;
    case TX_BASE:
    case TX_BASE + 4:
        base_write(&fake->tx_base, value, offset != TX_BASE);
        break;
    case TX_BYTES:
        fake->tx_bytes = value;
        break;
    case TX_HEAD:
        ring_write(&fake->tx_head, value, fake->tx_bytes);
        break;
    case TX_TAIL:
        ring_write(&fake->tx_tail, value, fake->tx_bytes);
        break;
    default:
        assert(!"no such register to write");
    }
}

void fake_e1000_init(struct fake_e1000 *fake, struct device *device)
{
    *fake = (struct fake_e1000){.model = {.read = e1000_read, .write = e1000_write},
                                .device = device,
                                .address_low = 0x12005452,
                                .address_high = 0x80005634,
                                .link = true};
    *device = (struct device){.vendor = 0x8086, .id = 0x100e, .slot = 3, .vectors = 1, .pin = 1};
    device->bar[0] = (struct device_bar){.base = (volatile uint8_t *)fake, .size = BAR_BYTES};
}

struct fake_e1000 *fake_e1000_create(struct device *device)
{
    struct fake_e1000 *fake = calloc(1, sizeof(*fake));
    assert(fake);
    fake_e1000_init(fake, device);
    return fake;
}

void fake_e1000_destroy(struct fake_e1000 *fake)
{
    free(fake);
}

void fake_e1000_grant_at(struct fake_e1000 *fake, uint64_t address, void *memory, uint64_t bytes)
{
    assert(fake->regions < FAKE_E1000_REGIONS);
    fake->region[fake->regions].address = address;
    fake->region[fake->regions].base = memory;
    fake->region[fake->regions++].bytes = bytes;
}

void fake_e1000_grant(struct fake_e1000 *fake, void *memory, uint64_t bytes)
{
    fake_e1000_grant_at(fake, (uint64_t)(uintptr_t)memory, memory, bytes);
}

/* DMA: the bytes at a device address, all of them granted. */
static void *reach(const struct fake_e1000 *fake, uint64_t address, uint64_t bytes)
{
    for (uint32_t i = 0; i < fake->regions; i++) {
        const uint64_t first = fake->region[i].address;
        if (address >= first && bytes <= fake->region[i].bytes &&
            address - first <= fake->region[i].bytes - bytes)
            return fake->region[i].base + (address - first);
    }
    assert(!"DMA outside of what was granted");
    return NULL;
}

static uint32_t entry_next(uint32_t n, uint32_t bytes)
{
    assert(bytes && bytes % 128 == 0);
    return n + 1 == bytes / ENTRY ? 0 : n + 1;
}

bool fake_e1000_receive(struct fake_e1000 *fake, const uint8_t *frame, uint32_t bytes,
                        uint32_t said, uint8_t status)
{
    if (!(fake->rx_control & RX_ENABLE) || fake->rx_head == fake->rx_tail)
        return false;
    assert(fake->rx_control & RX_STRIP_CRC);
    struct rx_entry *entry = reach(fake, fake->rx_base + fake->rx_head * ENTRY, ENTRY);
    assert(!entry->status);
    uint8_t *buffer = reach(fake, entry->address, RX_BUFFER_BYTES);
    memcpy(buffer, frame, bytes);
    entry->length = (uint16_t)said;
    __atomic_store_n(&entry->status, status, __ATOMIC_RELEASE);
    fake->rx_head = entry_next(fake->rx_head, fake->rx_bytes);
    fake->causes |= CAUSE_RX;
    return true;
}

bool fake_e1000_spoil(struct fake_e1000 *fake)
{
    if (!(fake->rx_control & RX_ENABLE) || fake->rx_head == fake->rx_tail)
        return false;
    struct rx_entry *entry = reach(fake, fake->rx_base + fake->rx_head * ENTRY, ENTRY);
    entry->errors = 1;
    return fake_e1000_receive(fake, (const uint8_t[60]){0}, 60, 60, RX_DONE | RX_END);
}

uint32_t fake_e1000_transmit(struct fake_e1000 *fake, uint8_t frame[FAKE_E1000_FRAME])
{
    uint32_t bytes = 0;
    bool end = false;
    if (!(fake->tx_control & TX_ENABLE) || fake->tx_head == fake->tx_tail)
        return 0;
    while (!end) {
        assert(fake->tx_head != fake->tx_tail); /* a frame is shown as a whole */
        struct tx_entry *entry = reach(fake, fake->tx_base + fake->tx_head * ENTRY, ENTRY);
        assert(entry->length && bytes + entry->length <= FAKE_E1000_FRAME);
        memcpy(frame + bytes, reach(fake, entry->address, entry->length), entry->length);
        bytes += entry->length;
        end = entry->command & TX_END;
        if (entry->command & TX_REPORT)
            __atomic_store_n(&entry->status, TX_DONE, __ATOMIC_RELEASE);
        fake->tx_head = entry_next(fake->tx_head, fake->tx_bytes);
    }
    fake->causes |= CAUSE_TX_DONE;
    return bytes;
}

void fake_e1000_set_link(struct fake_e1000 *fake, bool up)
{
    fake->link = up;
    fake->causes |= CAUSE_LINK;
}
