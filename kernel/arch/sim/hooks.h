/* SPDX-License-Identifier: ISC
 *
 * Watching memory accesses: the checked simulator is compiled with -fsanitize=thread, whose calls
 * at every load and store come to hooks.c instead of that sanitizer. From them is known which pages
 * the kernel has written to; the kernel never touches a page that belongs to a domain; and user
 * code never touches another domain's addresses, though all are in one process.
 */
#ifndef KERNEL_SIM_HOOKS_H
#define KERNEL_SIM_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this build has hooks: else changes aren't known. */
bool sim_changes_known(void);

/* The pages of the arena that the kernel has written to since they were forgotten, one at a time.
 * False: no more. */
bool sim_change_take(uint64_t *index);
void sim_changes_forget(void);

#endif
