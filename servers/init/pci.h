/* SPDX-License-Identifier: ISC
 *
 * A PCI function, its configuration space and the vectors of its interrupts: what pci.c, which
 * knows MSI-X and pins, and pci_msi.c share.
 *
 * Invariants:
 *  - a function is given one of MSI-X, MSI and its pin, the first that it has;
 *  - it is no bus master, and so sends no message, until those that it may send go to vectors of
 *    its domain;
 *  - n vectors by MSI are a block at a multiple of n: the device puts the number of a message into
 *    the low bits of the data;
 *  - what a capability says of itself is checked: nothing is written outside of it.
 */
#ifndef SERVERS_INIT_PCI_H
#define SERVERS_INIT_PCI_H

#include "libos/syscall.h"
#include "servers/init/devices.h"

enum {
    CAPABILITY_MSI = 0x05,
    CAPABILITY_VENDOR = 0x09, /* virtio: where its structures are (virtio 1.1, 4.1.4) */
    CAPABILITY_MSIX = 0x11,
};

struct function {
    uint8_t bus, slot, number;
};

/* A dword of configuration space; `offset` below 256. */
uint32_t config_read(struct function f, uint32_t offset);
void config_write(struct function f, uint32_t offset, uint32_t value);

/* The place of a capability in configuration space, behind the header; 0 if there is none. `type`:
 * of a vendor's, the one with that number. */
uint32_t capability_find(struct function f, uint8_t wanted, uint8_t type);

/* Programs MSI with as many vectors as the claim wants and can be had: out->device.vectors, maybe
 * none. The function is no bus master meanwhile. False: it hasn't got MSI, or describes it wrongly,
 * which is said. Linked only where a claim names PCI ids: a virtio device has MSI-X or a pin. */
OPTIONAL bool msi_give(struct init *init, struct claim *claim, struct function f,
                       struct start_device *out);

#endif
