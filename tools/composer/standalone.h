/* SPDX-License-Identifier: ISC
 *
 * A program as a file of its own, to be swapped in: text and constants, and nothing else.
 */
#ifndef COMPOSE_STANDALONE_H
#define COMPOSE_STANDALONE_H

#include "tools/composer/program.h"

/* How long the file is. */
uint64_t standalone_bytes(const struct program *program);

/* Writes it. False: reported. */
bool standalone_write(const struct program *program, const char *path);

#endif
