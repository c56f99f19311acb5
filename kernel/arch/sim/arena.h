/* SPDX-License-Identifier: ISC
 *
 * The memory of the simulated machine as the host has it: one file, mapped at SIM_ARENA as the
 * kernel's direct map, and piece by piece at the addresses where domains have it (mappings.h).
 * Belongs to the host process, not to the machine: a saved machine doesn't contain it.
 */
#ifndef KERNEL_SIM_ARENA_H
#define KERNEL_SIM_ARENA_H

#include <stdbool.h>

/* The file, SIM_PAGES_MAX pages; pages that no machine uses cost nothing. */
int sim_arena_file(void);

/* Maps the arena, the first time in a process. With `copy` the kernel from now on works on a copy:
 * what it writes is seen neither by domains nor after the next call without. */
void sim_arena_map(bool copy);

/* Ends the process: the host can't give what a machine needs. */
__attribute__((noreturn)) void sim_host_failed(const char *what);

#endif
