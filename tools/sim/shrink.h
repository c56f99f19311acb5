/* SPDX-License-Identifier: ISC
 *
 * Looks for a simpler run that fails in the same way.
 */
#ifndef TOOLS_SIM_SHRINK_H
#define TOOLS_SIM_SHRINK_H

#include "tools/sim/run.h"

/* Makes one option after the other calm and asks for less, as long as the run fails with the same
 * text. True: *options is simpler than it was. */
bool shrink(struct options *options, const struct how *how, const struct run_result *failure);

#endif
