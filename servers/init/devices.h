/* SPDX-License-Identifier: ISC
 *
 * Devices and the manifest's claims on them: what the buses (pci.c, mmio.c, isa.c) share.
 * devices_grant() in devices.c goes through them in this order: PCI, MMIO, ISA.
 *
 * Invariants: a device goes to one claim, the first that fits and has room; a domain gets at most
 * START_DEVICES_MAX; a pin goes to one domain.
 */
#ifndef SERVERS_INIT_DEVICES_H
#define SERVERS_INIT_DEVICES_H

#include "servers/init/init.h"

struct invoked;

enum { CLAIMS_MAX = 32, LINES = 24 /* inputs of the first I/O APIC */ };

/* A claim and how far it is fulfilled. */
struct claim {
    const struct image_device *device;
    uint32_t given;   /* devices so far */
    uint64_t address; /* where the next registers go in the domain */
    uint32_t slot;    /* the domain's next capability slot */
};

struct claims {
    struct claim claim[CLAIMS_MAX];
    uint32_t count;
};

/* What a device is; a claim fits by one or the other. */
struct identity {
    uint16_t vendor, id; /* PCI; 0: it isn't there */
    uint16_t virtio;     /* VIRTIO_ID_...; 0: no virtio device */
};

/* The claim that gets a device; NULL: none fits, or those that fit have as many as they may, which
 * is said. `name` is the device's, for people. */
struct claim *claim_find(struct init *init, struct claims *claims, struct identity identity,
                         const char *name);

/* Whether the claim's device may be given, which the IOMMU contains or not. If not, that is said,
 * and the claim has room again. */
bool containment_allows(struct init *init, struct claim *claim, bool contained, const char *name);

/* Maps registers at a physical address into the claiming domain, both bodies of it. */
void registers_give(struct init *init, struct claim *claim, struct device_bar *bar,
                    uint64_t physical, uint64_t size);

/* Gives a level-triggered input of the I/O APIC to the device. Devices of one domain may share it.
 * Afterwards out->device.pin says whether it has one; if not, that was said. */
void pin_give(struct init *init, struct claim *claim, uint32_t line, struct start_device *out,
              const char *name);

/* Binds the next vector to the next bit of the domain's port. `how`: an input of the I/O APIC, or
 * IRQ_MESSAGE, and then `message` is what raises it: address and data. False: there is none left,
 * or the input is somebody's. */
bool vector_bind(struct init *init, struct child *child, uint64_t how, struct invoked *message);

/* Appends the finished device to the domain's start page. */
void device_append(struct init *init, struct claim *claim, const struct start_device *device);

/* The buses. False: the machine has none of that kind. */
bool pci_scan(struct init *init, struct claims *claims);
bool mmio_scan(struct init *init, struct claims *claims);

/* Legacy devices, which can't be looked for: all that are claimed are given. Linked only where a
 * claim names one. */
OPTIONAL void isa_give(struct init *init, struct claims *claims);

#endif
