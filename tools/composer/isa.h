/* SPDX-License-Identifier: ISC
 *
 * Legacy devices: what a claim names by `isa`. Each is there once, at ports and on a line that
 * every PC has had for it; init is told these, and knows no table.
 */
#ifndef COMPOSE_ISA_H
#define COMPOSE_ISA_H

#include "tools/composer/manifest.h"

struct isa_device {
    const char *name;
    uint16_t port, ports; /* the first, and how many */
    uint16_t pnp;         /* its number, as Plug and Play BIOSes and ACPI have it */
    uint8_t line;         /* input of the I/O APIC */
    const char *what;
};

/* The device, or NULL after reporting: there is none of that name, or it is init's. */
const struct isa_device *isa_find(struct place at, const char *name);

/* The device at these ports. */
const struct isa_device *isa_at(uint16_t port);

/* What a claim by `isa` may say besides. */
void isa_check_claim(const struct manifest_claim *claim);

/* Reports devices that are claimed twice, once all domains are read. */
void isa_check(const struct manifest *manifest);

#endif
