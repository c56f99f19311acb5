/* SPDX-License-Identifier: ISC
 *
 * Bits of a running server that flip: docs/faults.md. What a server that was hit does to itself is
 * its own; the kernel's invariants hold, no other server stops, and when the faults are over and
 * those that were hit have begun anew, each client gets an answer. Invariants above the kernel
 * aren't looked at in such runs, since they read what was hit.
 */
#ifndef TOOLS_SIM_FLIPS_H
#define TOOLS_SIM_FLIPS_H

#include <stdbool.h>

/* Before a domain runs. True: it is dead. */
bool flips_disturb(void);

/* No more of them: those that were hit begin anew, as if somebody had restarted them by hand. */
void flips_end(void);

#endif
