/* SPDX-License-Identifier: ISC
 *
 * What page tables mean for the host: the memory of a space is mapped into the host process at the
 * addresses that its page tables say, with their rights (but execution: text runs from the
 * process's own). Spaces of a composition don't overlap (boot.h); where some do, they take turns.
 * Like a TLB this belongs to the host process, not to the machine.
 */
#ifndef KERNEL_SIM_MAPPINGS_H
#define KERNEL_SIM_MAPPINGS_H

#include "kernel/space.h"

/* Page tables may have changed: look again at all of them. */
void sim_mappings_changed(void);

/* The machine is another one: nothing is mapped. */
void sim_mappings_forget(void);

/* Before user code of this space runs. */
void sim_mappings_load(const struct space *space);

/* The physical address behind an address of the space, 0: none. */
uint64_t sim_translate(const struct space *space, uint64_t address);

#endif
