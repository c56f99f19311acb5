/* SPDX-License-Identifier: ISC
 *
 * Is a file a program that can take a domain's place? A function over buffers: no domain, nothing
 * is remembered, nothing outside the file and the table is read. docs/swap.md.
 */
#ifndef MOTET_LOADER_CHECK_H
#define MOTET_LOADER_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "motet/swap.h"

/* The entry of domain `number` in compose's table of `bytes` bytes; NULL: it can't be swapped. */
const struct swap_program *loader_find(const void *table, size_t bytes, uint32_t number);

/* Looks at all of the file, of which the host says that its CRC-32 is `check`. The verdict is
 * filled in any case; FINE: everything in it lies inside the file and the rooms of `wanted`. */
void loader_check(const struct swap_program *wanted, const uint8_t *file, uint32_t bytes,
                  uint32_t check, struct swap_verdict *verdict);

#endif
