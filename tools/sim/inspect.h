/* SPDX-License-Identifier: ISC
 *
 * Looking at a simulated machine, and leading it on, by commands.
 */
#ifndef TOOLS_SIM_INSPECT_H
#define TOOLS_SIM_INSPECT_H

#include "tools/sim/options.h"

/* Boots or loads, then reads commands from standard input until its end. Returns the program's exit
 * status. */
int inspect(struct options *options, const struct how *how);

#endif
