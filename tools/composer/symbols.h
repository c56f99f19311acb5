/* SPDX-License-Identifier: ISC
 *
 * The names of a program's functions, for images with symbols = true: init's stack traces of what
 * has faulted (docs/restart.md) look them up.
 */
#ifndef COMPOSE_SYMBOLS_H
#define COMPOSE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/image.h"
#include "tools/composer/elf.h"

/* By ascending offset, no offset twice. */
struct symbol_table {
    struct elf_function *functions;
    uint32_t count;
    uint32_t text_bytes;
};

/* Fills *table, which is empty, from the linked file, which must outlive it. False: no memory. */
bool symbols_read(struct symbol_table *table, const struct elf *elf);

/* Of struct image_symbols and its strings. */
uint32_t symbols_bytes(const struct symbol_table *table);

/* Writes these, at `at` of the block. */
void symbols_put(const struct symbol_table *table, uint8_t *block, uint32_t at);

#endif
