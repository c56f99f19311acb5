/* SPDX-License-Identifier: ISC
 *
 * The products: the block of include/motet/image.h, and the map for debuggers and size tables.
 */
#ifndef COMPOSE_WRITE_H
#define COMPOSE_WRITE_H

#include "tools/composer/layout.h"

/* The whole block in fresh memory, checksum and all; composition->block_bytes of it. */
uint8_t *block_make(const struct composition *composition);

/* Writes the file through a temporary one beside it, so that it is whole or not there. False:
 * reported. */
bool file_write(const char *path, const void *bytes, uint64_t size);
bool block_write(const struct composition *composition, const char *path);
bool map_write(const struct composition *composition, const char *path);

#endif
