/* SPDX-License-Identifier: ISC
 *
 * Is a staged file a program that may take the place of a domain's? No port, no domain: bytes go
 * in, numbers come out. The file may hold anything; nothing outside of it is read, whatever it
 * says, and each value is copied out before it is looked at. docs/swap.md.
 */
#ifndef MOTET_LOADER_CHECK_H
#define MOTET_LOADER_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "motet/swap.h"

/* What the running composition demands of a program for domain `number`; NULL: that domain can't be
 * swapped. */
const struct swap_program *loader_find(const struct swap_program *table, size_t bytes,
                                       uint32_t number);

/* Looks at all of the file, whose CRC-32 is to be `check`. */
void loader_check(const uint8_t *file, uint32_t size, uint32_t check,
                  const struct swap_program *wanted, struct swap_verdict *verdict);

#endif
