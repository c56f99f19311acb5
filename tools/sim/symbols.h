/* SPDX-License-Identifier: ISC
 *
 * Names for addresses in this program's own text.
 */
#ifndef TOOLS_SIM_SYMBOLS_H
#define TOOLS_SIM_SYMBOLS_H

#include <stdint.h>

enum { SYMBOL_BYTES = 80 };

/* "function+0x12", or the number if it isn't in a function of ours. */
void symbol_name(uint64_t address, char text[SYMBOL_BYTES]);

#endif
