/* SPDX-License-Identifier: ISC
 *
 * One step of the simulated machine after the other: what is due happens, interrupts are delivered,
 * the running thread runs until it leaves, and what must hold is checked.
 */
#ifndef TOOLS_SIM_STEP_H
#define TOOLS_SIM_STEP_H

#include "tools/sim/options.h"

/* What must hold is checked so often: steps between two looks at everything. 1: after each step,
 * by what the step has changed (kernel/arch/sim/check.h). */
void step_check_every(uint64_t steps);

/* Whether risky operations are tried on a copy first. */
void step_copy_first(bool copy);

void step(void);

/* After a panic: if it was on the copy, the machine is as it was before the step. */
bool step_was_copy(void);

/* Whether the thread that runs next is at a message boundary; kills its domain there. */
bool step_at_boundary(void);
void step_kill(void);

/* Checks everything now. */
void step_check(void);

#endif
