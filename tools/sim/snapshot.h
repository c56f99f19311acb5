/* SPDX-License-Identifier: ISC
 *
 * A simulated machine as a whole: its memory and its variables (the kernel's, the devices', the
 * clients'; the build gathers them in one place). All of its pointers lead to addresses that are
 * the same in each run of the same program, so it can be put back as it was.
 */
#ifndef TOOLS_SIM_SNAPSHOT_H
#define TOOLS_SIM_SNAPSHOT_H

#include <stdbool.h>

/* The variables alone, one copy: for a step that is tried on a copy of memory. */
void snapshot_variables_save(void);
void snapshot_variables_restore(void);

/* The variables as they were before the first run: what a machine starts from, each time. */
void snapshot_first_keep(void);
void snapshot_first_return(void);

/* In memory; one at a time. */
void snapshot_keep(void);
void snapshot_return(void);

/* In a file, which only the same program can load. False: said on stderr. */
bool snapshot_save(const char *path);
bool snapshot_load(const char *path);

#endif
