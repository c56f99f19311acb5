/* SPDX-License-Identifier: ISC
 *
 * Memory that a hostile domain may write, changed while others read it: as if it ran on another
 * processor. In builds that see user code's accesses (checked), a read of the entries of its rings
 * or of a pool that it may write is preceded, `torn` times in a million, by a write of something
 * else there. Called by invariants.c.
 */
#ifndef TOOLS_SIM_TORN_H
#define TOOLS_SIM_TORN_H

#include <stdint.h>

/* Nothing is torn any more. */
void torn_reset(void);

/* `bytes` from the user address on; `memory` is what is there. Bounds: TORN_RANGES, others stay
 * whole. */
void torn_add(uint64_t address, const void *memory, uint64_t bytes);

#endif
