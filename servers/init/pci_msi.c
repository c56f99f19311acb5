/* SPDX-License-Identifier: ISC
 *
 * MSI (PCI Local Bus 3.0, 6.8.1), for PCI functions without MSI-X. See pci.h. Linked only into
 * images that may need it.
 */
#include "servers/init/pci.h"

enum {
    CONFIG_BYTES = 256,

    /* Of the capability's first dword. */
    MSI_ENABLE = 1 << 16,
    MSI_CAPABLE_SHIFT = 17, /* logarithm of how many vectors the function has */
    MSI_GRANTED_SHIFT = 20, /* and of how many it may use */
    MSI_LOGARITHM = 7,
    MSI_64_BIT = 1 << 23,
    MSI_MASKS = 1 << 24,
};

/* Where the next block of so many vectors, a power of two, can begin. */
static uint32_t block_first(const struct init *init, uint32_t size)
{
    return (init->next_vector + size - 1) & ~(size - 1);
}

/* The largest power of two that is wanted, that the function has, and for which there are vectors
 * and bits of the domain's port; 0: none. */
static uint32_t block_size(const struct init *init, const struct child *child, uint32_t header,
                           uint32_t wanted)
{
    uint32_t size = 1u << (header >> MSI_CAPABLE_SHIFT & MSI_LOGARITHM);
    while (size && (size > wanted || size > SIGNAL_IRQS - child->irq_bits ||
                    block_first(init, size) + size - 1 > IRQ_VECTOR_LAST))
        size /= 2;
    return size;
}

/* Binds a block of vectors; *first is the message of its first. */
static bool block_bind(struct init *init, struct child *child, uint32_t size, struct invoked *first)
{
    struct invoked message;
    init->next_vector = block_first(init, size);
    for (uint32_t n = 0; n < size; n++)
        if (!vector_bind(init, child, IRQ_MESSAGE, n ? &message : first))
            return false;
    return true;
}

/* Address and data of the first message, then how many there are and that it may send them. */
static void msi_program(struct function f, uint32_t at, uint32_t header, uint32_t data,
                        const struct invoked *first, uint32_t count)
{
    config_write(f, at + 4, (uint32_t)first->a[0]);
    if (header & MSI_64_BIT)
        config_write(f, at + 8, (uint32_t)(first->a[0] >> 32));
    config_write(f, data, (uint32_t)first->a[1]);
    if (header & MSI_MASKS)
        config_write(f, data + 4, 0);
    header &= ~((uint32_t)MSI_LOGARITHM << MSI_GRANTED_SHIFT);
    header |= count / 2 << MSI_GRANTED_SHIFT; /* count: 1, 2 or 4, as DEVICE_VECTORS_MAX is 4 */
    config_write(f, at, header | MSI_ENABLE);
}

/* The processor's addresses for messages lie below 4 GiB (SDM volume 3, 10.11.1): every function
 * can be told them. */
bool msi_give(struct init *init, struct claim *claim, struct function f, struct start_device *out)
{
    struct child *child = &init->child[claim->device->domain];
    struct invoked first = {{0}};
    uint32_t at = capability_find(f, CAPABILITY_MSI, 0);
    if (!at)
        return false;
    uint32_t header = config_read(f, at), data = at + (header & MSI_64_BIT ? 12 : 8);
    if (data + (header & MSI_MASKS ? 8 : 4) > CONFIG_BYTES) {
        console_print("init: pci %x:%x.%u: the MSI capability is cut off: it isn't used", f.bus,
                      f.slot, f.number);
        return false;
    }
    config_write(f, at, header & ~(uint32_t)MSI_ENABLE); /* as the firmware left it */
    out->device.msi = 1;
    out->irq_bit = SIGNAL_IRQ_FIRST + child->irq_bits;
    uint32_t count = block_size(init, child, header, claim->device->vectors);
    if (!count || !block_bind(init, child, count, &first))
        return true;
    msi_program(f, at, header, data, &first, count);
    out->device.vectors = (uint8_t)count;
    return true;
}
