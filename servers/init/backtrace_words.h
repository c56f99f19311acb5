/* SPDX-License-Identifier: ISC
 *
 * What a stack trace goes by: whether a word of a stack looks like a return address, and which
 * function an address is in. Without any state, so that the host can test it.
 */
#ifndef SERVERS_INIT_BACKTRACE_WORDS_H
#define SERVERS_INIT_BACKTRACE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/image.h"

enum { CALL_BYTES_MAX = 7 };

/* Whether the bytes in front of an offset end with a call: E8 to somewhere in the text, or FF /2.
 */
bool is_behind_call(const uint8_t before[CALL_BYTES_MAX], uint64_t offset, uint64_t text_bytes);

/* The function that an offset of the text lies in, or behind; NULL: in front of all. */
const struct image_symbol *symbol_find(const struct image_symbols *symbols, uint64_t offset);

#endif
