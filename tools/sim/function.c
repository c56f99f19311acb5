/* SPDX-License-Identifier: ISC
 *
 * See function.h.
 */
#include "tools/sim/function.h"

#include <string.h>

#include <linux/pci_regs.h>

#include "kernel/arch/sim/boot.h"
#include "tools/sim/world.h"

enum {
    MSIX_BAR_BYTES = 4096,
    MSIX_DATA = 2,
    MSIX_CONTROL = 3,
    MSI_CAPABLE = 2, /* logarithm: 4 messages, of which the function sends one */
    MSI_ADDRESS = 0xfee00000,
    MSI_WORDS = 5, /* that can be written: flags, address low, high, data, mask */
    LINE_LAST = 11,
    BAR_OFFSET = 0x10,
    BAR_64 = 4,
    ADDRESSES = 0x20000, /* for each function */
};

/* --- configuration space --- */

static void bar_set(struct pci_function *f, uint32_t n, uint64_t address, uint64_t bytes)
{
    f->bar_address[n] = address;
    f->bar_bytes[n] = bytes;
    f->bar[n] = (uint32_t)address;
}

static void msi_write(struct pci_function *f, uint32_t word, uint32_t value)
{
    static const uint32_t writable[MSI_WORDS] = {
        (uint32_t)(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE) << 16, ~3u, UINT32_MAX, 0xffff,
        (1u << (1 << MSI_CAPABLE)) - 1};
    uint8_t *at = &f->device.config[f->msi_at + 4 * word];
    uint32_t old;
    memcpy(&old, at, sizeof(old));
    value = (old & ~writable[word]) | (value & writable[word]);
    memcpy(at, &value, sizeof(value));
}

static void msix_describe(const struct pci_function *f, uint8_t *capability)
{
    capability[PCI_MSIX_FLAGS] = (uint8_t)(f->vectors - 1);
    capability[PCI_MSIX_TABLE] = FUNCTION_MSIX_BAR;
}

static void msi_describe(struct pci_function *f, uint8_t *capability)
{
    const uint16_t flags = PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | MSI_CAPABLE << 1;
    capability[PCI_CAP_LIST_ID] = PCI_CAP_ID_MSI;
    memcpy(&capability[PCI_MSI_FLAGS], &flags, sizeof(flags));
    f->msi_at = (uint32_t)(capability - f->device.config);
    for (uint32_t word = 1; word < MSI_WORDS; word++)
        msi_write(f, word, UINT32_MAX); /* whatever it was */
}

/* How it interrupts: MSI-X, or instead of that MSI, or neither. */
static void interrupts_describe(struct pci_function *f)
{
    uint8_t *config = f->device.config, *at = &config[config[PCI_CAPABILITY_LIST]];
    while (*at != PCI_CAP_ID_MSIX)
        at = &config[at[PCI_CAP_LIST_NEXT]];
    f->msi_at = 0;
    if (f->device.msi)
        msi_describe(f, at);
    else if (f->device.pin)
        *at = 0; /* an id that nobody looks for */
    else
        msix_describe(f, at);
}

static uint32_t bar_number(uint32_t offset)
{
    return offset < BAR_OFFSET ? FUNCTION_BARS : (offset - BAR_OFFSET) / 4;
}

uint32_t function_config_read(const struct pci_function *f, uint32_t offset)
{
    uint32_t value, n = bar_number(offset);
    if (n < FUNCTION_BARS)
        return f->bar[n] | (n == f->wide ? BAR_64 : 0);
    switch (offset) {
    case PCI_VENDOR_ID:
        return (uint32_t)f->device.id << 16 | f->device.vendor;
    case PCI_COMMAND:
        return (f->vectors ? (uint32_t)PCI_STATUS_CAP_LIST << 16 : 0) | f->command;
    case PCI_INTERRUPT_LINE:
        return f->device.pin ? 1 << 8 | f->line : 0;
    default:
        memcpy(&value, &f->device.config[offset], 4);
        return value;
    }
}

/* All ones ask for the size; what init writes back is what it read. */
static void bar_write(struct pci_function *f, uint32_t n, uint32_t value)
{
    if (value != UINT32_MAX)
        f->bar[n] = (uint32_t)f->bar_address[n];
    else if (n == f->wide + 1)
        f->bar[n] = UINT32_MAX;
    else
        f->bar[n] = -(uint32_t)f->bar_bytes[n];
}

void function_config_write(struct pci_function *f, uint32_t offset, uint32_t value)
{
    const uint32_t n = bar_number(offset);
    if (n < FUNCTION_BARS)
        bar_write(f, n, value);
    else if (offset == PCI_COMMAND)
        f->command = value & 0xffff;
    else if (f->msi_at && offset >= f->msi_at && offset < f->msi_at + MSI_WORDS * 4)
        msi_write(f, (offset - f->msi_at) / 4, value);
}

bool function_bar(const struct pci_function *f, uint32_t bar, uint64_t physical, uint32_t *offset)
{
    *offset = (uint32_t)(physical - f->bar_address[bar]);
    return physical >= f->bar_address[bar] && physical - f->bar_address[bar] < f->bar_bytes[bar];
}

void function_msix_write(struct pci_function *f, uint32_t offset, uint32_t value)
{
    if (offset < sizeof(f->msix))
        f->msix[offset / 4] = value;
}

/* --- interrupts --- */

/* Whether message `v` may be sent, and what it says then. */
static bool msi_open(const struct pci_function *f, uint32_t v, uint32_t *data)
{
    uint32_t word[MSI_WORDS];
    memcpy(word, &f->device.config[f->msi_at], sizeof(word));
    const uint32_t flags = word[0] >> 16;
    *data = (word[3] & 0xffff) | v;
    return (flags & PCI_MSI_FLAGS_ENABLE) && v < 1u << ((flags & PCI_MSI_FLAGS_QSIZE) >> 4) &&
           word[1] == MSI_ADDRESS && !word[2] && !(word[4] >> v & 1);
}

static bool message_open(const struct pci_function *f, uint32_t v, uint32_t *data)
{
    const uint32_t *entry = &f->msix[v * FUNCTION_MSIX_WORDS];
    if (!(f->command & PCI_COMMAND_MASTER))
        return false;
    if (f->msi_at)
        return msi_open(f, v, data);
    *data = entry[MSIX_DATA];
    return v < f->vectors && !(entry[MSIX_CONTROL] & 1);
}

void function_send(struct pci_function *f, uint32_t messages)
{
    uint32_t data;
    for (uint32_t v = 0; v < FUNCTION_VECTORS_MAX && !f->device.pin; v++) {
        if (!(messages >> v & 1) || !message_open(f, v, &data))
            continue;
        if (chance(world.options.lost_interrupts)) {
            world.count.interrupts_lost++;
            f->lost |= 1u << v;
            continue;
        }
        interrupt_raise(data);
    }
}

void function_repeat(struct pci_function *f)
{
    const uint32_t messages = f->lost;
    f->lost = 0;
    function_send(f, messages);
}

/* --- */

void function_start(struct pci_function *f, uint32_t number, uint32_t vectors,
                    const struct function_registers *registers)
{
    const uint64_t addresses = SIM_DEVICE_FIRST + number * (uint64_t)ADDRESSES;
    f->device.pin = world.options.card_pin || !vectors;
    f->device.msi = world.options.card_msi && !f->device.pin;
    f->device.vectors = (uint8_t)(f->device.pin || f->device.msi ? 1 : vectors);
    f->vectors = vectors;
    f->line = LINE_LAST - number;
    f->wide = registers->wide ? registers->bar : FUNCTION_BARS;
    bar_set(f, registers->bar, addresses + ADDRESSES / 2, registers->bytes);
    if (vectors) {
        bar_set(f, FUNCTION_MSIX_BAR, addresses, MSIX_BAR_BYTES);
        interrupts_describe(f);
    }
    memset(f->msix, 0xff, sizeof(f->msix)); /* masked */
}
