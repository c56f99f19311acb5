/* SPDX-License-Identifier: ISC
 *
 * What holds above the kernel: in what the domains of a composition share and remember. Stated over
 * the arena, without the servers' help; panics at the first thing that is wrong.
 *
 *  - channels: done <= current <= produced, at most `slots` apart, on both sides of each;
 *  - inside a domain: at most `slots` messages queued, and none that wasn't refused while it waits;
 *  - counters never fall, no server counts a message of another as senseless, logs are well-formed;
 *  - each byte that a source of entropy's driver gives to a client it had from there, once;
 *  - pools: a buffer is free or lent, never both, and what netd counts is what its tables say;
 *  - when nobody runs: no domain sleeps on a message, on room it waits for, or on a frame that the
 *    card has announced; and while the server has buffers to answer from, each buffer of a query is
 *    free again.
 */
#ifndef TOOLS_SIM_INVARIANTS_H
#define TOOLS_SIM_INVARIANTS_H

#include <stdint.h>

/* Another machine, or its mappings changed: everything is looked up again. */
void invariants_reset(void);
void invariants_moved(void);

/* A domain's counters begin anew. */
void invariants_forget(uint32_t d);

/* After a step: the channels, and one of the rest, in turn. */
void invariants_step(void);

/* Everything. */
void invariants_all(void);

/* Nobody runs, and no interrupt is on its way. */
void invariants_idle(void);

#endif
