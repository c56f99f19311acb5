/* SPDX-License-Identifier: ISC
 *
 * A device that the manifest granted to this domain.
 *
 * On PCI, init's broker has enumerated it and programmed its interrupts; the driver sees a copy of
 * configuration space as it was, the BARs but for the one that holds the MSI-X table, and its
 * interrupts as signals. Bus mastering is on. Vector v arrives as bit v of `signal`'s `bits`.
 *
 * A virtio device over MMIO has one block of registers, bar[0], and a pin; init has read its type
 * and nothing else.
 *
 * Vectors are MSI-X's, or the MSI's of a device without that: 1, 2 or 4 then, and a device with
 * fewer than it could use sends several causes by one. Each message is a signal, nothing is masked:
 * what happens after the driver has looked sends another one, and one can come that means nothing
 * any more.
 *
 * A device without either has its pin instead, as vector 0: level-triggered, maybe shared with
 * another device, and masked from delivery until domain_acknowledge, which the driver calls when it
 * has silenced the device.
 *
 * A legacy device (ISA) has a range of I/O ports as bar[0], which libos/ports.h reads and writes by
 * the domain's capability for just that range, and a pin of its own that is edge-triggered and
 * never masked: if the device lets it go and wants it again there is another signal, and not
 * before. Nobody has looked whether it is there.
 */
#ifndef MOTET_LIBOS_DEVICE_H
#define MOTET_LIBOS_DEVICE_H

#include <stdint.h>

enum { DEVICE_BARS = 6, DEVICE_CONFIG_BYTES = 256, DEVICE_VECTORS_MAX = 4 };

enum device_bus { DEVICE_PCI, DEVICE_VIRTIO_MMIO, DEVICE_ISA };

/* The vendor of legacy devices: "PNP" as EISA compresses it. Their ids are the numbers after it. */
enum { DEVICE_VENDOR_PNP = 0x41d0 };

struct device_bar {
    union {
        volatile uint8_t *base; /* NULL: no memory BAR, or not mapped (it holds the MSI-X table) */
        struct {
            uint32_t slot; /* of the capability; never 0 */
            uint16_t first;
        } ports; /* of DEVICE_ISA */
    };
    uint64_t size; /* bytes, or ports */
};

struct device {
    uint16_t vendor, id;         /* PCI's; over MMIO: 0 and VIRTIO_ID_...; ISA: DEVICE_VENDOR_PNP */
    uint8_t bus, slot, function; /* for messages to people; PCI */
    uint8_t vectors;             /* granted, 0 to DEVICE_VECTORS_MAX */
    uint8_t pin;                 /* 1: `vectors` is 1 and it is the pin, no message */
    uint8_t line;                /* with a pin: its input of the interrupt controller */
    uint8_t bus_kind;            /* enum device_bus */
    uint8_t msi;                 /* 1: the vectors are MSI's, not MSI-X's */
    uint64_t address;            /* for messages to people; MMIO: physical; ISA: first port */
    struct device_bar bar[DEVICE_BARS];
    uint8_t config[DEVICE_CONFIG_BYTES]; /* PCI */
};

/* What a device is pointed at, wherever it lies. */
struct dma_segment {
    uint64_t address; /* the device's */
    uint32_t bytes;
};

/* Where it is, as people write it: "0000:00:03.0", "mmio 0xfeb00e00", "isa 0x2f8". */
enum { DEVICE_TEXT_BYTES = 24 }; /* with the terminator */
void device_text(const struct device *device, char text[DEVICE_TEXT_BYTES]);

/* Registers. `offset` is aligned to the access and inside the BAR: the driver has checked that. */
#if __STDC_HOSTED__

/* On the host no BAR is memory: `base` points at the model of the device, which sees each access.
 */
struct device_model {
    uint32_t (*read)(struct device_model *model, uint32_t offset, uint32_t bytes);
    void (*write)(struct device_model *model, uint32_t offset, uint32_t bytes, uint32_t value);
};

static inline uint32_t device_read(const struct device_bar *bar, uint32_t offset, uint32_t bytes)
{
    struct device_model *model = (struct device_model *)(uintptr_t)bar->base;
    return model->read(model, offset, bytes);
}

static inline void device_write(const struct device_bar *bar, uint32_t offset, uint32_t bytes,
                                uint32_t value)
{
    struct device_model *model = (struct device_model *)(uintptr_t)bar->base;
    model->write(model, offset, bytes, value);
}

#else

static inline uint32_t device_read(const struct device_bar *bar, uint32_t offset, uint32_t bytes)
{
    volatile uint8_t *at = bar->base + offset;
    return bytes == 1 ? *at : bytes == 2 ? *(volatile uint16_t *)at : *(volatile uint32_t *)at;
}

static inline void device_write(const struct device_bar *bar, uint32_t offset, uint32_t bytes,
                                uint32_t value)
{
    volatile uint8_t *at = bar->base + offset;
    if (bytes == 1)
        *at = (uint8_t)value;
    else if (bytes == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else
        *(volatile uint32_t *)at = value;
}

#endif

static inline uint8_t device_read8(const struct device_bar *bar, uint32_t offset)
{
    return (uint8_t)device_read(bar, offset, 1);
}

static inline uint16_t device_read16(const struct device_bar *bar, uint32_t offset)
{
    return (uint16_t)device_read(bar, offset, 2);
}

static inline uint32_t device_read32(const struct device_bar *bar, uint32_t offset)
{
    return device_read(bar, offset, 4);
}

static inline void device_write8(const struct device_bar *bar, uint32_t offset, uint8_t value)
{
    device_write(bar, offset, 1, value);
}

static inline void device_write16(const struct device_bar *bar, uint32_t offset, uint16_t value)
{
    device_write(bar, offset, 2, value);
}

static inline void device_write32(const struct device_bar *bar, uint32_t offset, uint32_t value)
{
    device_write(bar, offset, 4, value);
}

#endif
