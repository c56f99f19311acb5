/* SPDX-License-Identifier: ISC
 *
 * A function of the simulated machine's PCI bus: configuration space, BARs, and how it interrupts:
 * by MSI-X, MSI or its pin. What it does otherwise is device.h's.
 *
 * Invariant: a message that got lost stays in `lost` until it is repeated or its device is reset.
 */
#ifndef TOOLS_SIM_FUNCTION_H
#define TOOLS_SIM_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/device.h"

enum {
    FUNCTION_BARS = 6,
    FUNCTION_MSIX_BAR = 1,
    FUNCTION_VECTORS_MAX = 3,
    FUNCTION_MSIX_WORDS = 4, /* of an entry: address low, high, data, control */
};

/* The BAR of the registers. */
struct function_registers {
    uint8_t bar;
    bool wide; /* 64 bits */
    uint32_t bytes;
};

struct pci_function {
    struct device device; /* as a driver sees it; its model fills in ids and capabilities */
    uint64_t bar_address[FUNCTION_BARS], bar_bytes[FUNCTION_BARS];
    uint32_t command, bar[FUNCTION_BARS];
    uint32_t vectors; /* of the MSI-X table; 0: there is none, nor MSI */
    uint32_t wide;    /* the BAR that has 64 bits; FUNCTION_BARS: none */
    uint32_t msix[FUNCTION_VECTORS_MAX * FUNCTION_MSIX_WORDS];
    uint32_t msi_at; /* the capability's place in configuration space; 0: none */
    uint32_t line;   /* of the pin */
    uint32_t lost;   /* messages told and not heard, a bit each */
};

/* Its model has described itself in `device`. The number gives it addresses and a line of its own;
 * the options say how it interrupts. */
void function_start(struct pci_function *f, uint32_t number, uint32_t vectors,
                    const struct function_registers *registers);

uint32_t function_config_read(const struct pci_function *f, uint32_t offset);
void function_config_write(struct pci_function *f, uint32_t offset, uint32_t value);

/* Whether a physical address is in a BAR, and where. */
bool function_bar(const struct pci_function *f, uint32_t bar, uint64_t physical, uint32_t *offset);
void function_msix_write(struct pci_function *f, uint32_t offset, uint32_t value);

/* Sends these messages, a bit each, as far as they aren't masked; some get lost. Nothing if it has
 * a pin. */
void function_send(struct pci_function *f, uint32_t messages);

/* Once more those that got lost. */
void function_repeat(struct pci_function *f);

#endif
