/* SPDX-License-Identifier: ISC */
/*
 * Which part of the system a block of guest code belongs to. Linked into the plugins that say so.
 *
 * All domains are linked at the same addresses, and a plugin sees no page-table root. So a block
 * of user code is told apart by the page it lies in, when it is translated: that page must equal,
 * byte for byte, the same page of a domain's ELF file. The file of domains has one line per
 * executable segment,
 *
 *     NAME ADDRESS OFFSET SIZE PATH
 *
 * with the numbers in hexadecimal (guest virtual address, offset and size in the file PATH).
 * Domains never write to their code, so the comparison can't go stale.
 */
#ifndef BENCH_PLUGIN_DOMAINS_H
#define BENCH_PLUGIN_DOMAINS_H

#include "qemu_plugin.h"

enum {
    DOMAIN_LIMIT = 64,   /* a manifest with more would need another table, not a bigger one */
    SEGMENT_LIMIT = 256, /* four executable segments per domain */
};

#define KERNEL_BASE UINT64_C(0xffff800000000000) /* the upper half of the address space */

enum place {
    PLACE_KERNEL, /* at or above KERNEL_BASE */
    PLACE_OTHER,  /* below it, in no known domain: firmware, start-up, an unlisted program */
    PLACE_SHARED, /* in a page that several domains have alike at the same address */
    PLACE_DOMAIN, /* the first domain, in the order in which the file names them first */
    PLACE_LIMIT = PLACE_DOMAIN + DOMAIN_LIMIT,
};

/* Reads the file of domains. False, with a line on standard error: a bad one, or too many. */
bool domains_read(const char *path);

/* Where the code at guest ADDRESS belongs; HOST is where QEMU has it, or NULL. */
int place_of(uint64_t address, const uint8_t *host);

/* The value of "KEY=value" among a plugin's arguments, or NULL. */
const char *plugin_argument(int argc, char **argv, const char *key);

#endif
