/* SPDX-License-Identifier: ISC
 *
 * ACPI's DMA remapping table (VT-d specification, 8; ACPI 6.4, 5.2): where the IOMMUs are. All of
 * it is outside data: lengths and checksums are checked, and what isn't as specified is an answer,
 * not a guess. Works on nothing but what `reach` shows, so that it compiles into a host process.
 */
#ifndef KERNEL_DMAR_H
#define KERNEL_DMAR_H

#include <stdint.h>

enum {
    DMAR_UNITS_MAX = 4,
    ACPI_TABLE_BYTES_MAX = 65536, /* of any table that is looked at: bounds each step */
};

struct dmar {
    uint32_t count;
    uint64_t unit[DMAR_UNITS_MAX]; /* physical addresses of their registers, page-aligned */
};

/* Bytes at a physical address; NULL if they can't be reached. */
typedef const void *acpi_reach(uint64_t address, uint64_t bytes);

/* Lists the units that the table names, starting from the root pointer at `rsdp`. NULL: done;
 * `count` is 0 if there is no such table. Else why it can't be used: then `count` is 0 too. */
const char *dmar_find(uint64_t rsdp, acpi_reach *reach, struct dmar *dmar);

#endif
