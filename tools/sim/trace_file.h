/* SPDX-License-Identifier: ISC
 *
 * The kernel's trace of a run in a file, for tools/trace: all records, not just those that a ring
 * holds at the end. Belongs to the host process, not to the machine.
 */
#ifndef TOOLS_SIM_TRACE_FILE_H
#define TOOLS_SIM_TRACE_FILE_H

#include <stdbool.h>

/* Where the next runs' traces go, each in place of the one before. */
void trace_file_name(const char *path);

/* A machine was booted. False: the file can't be written; said. */
bool trace_file_begin(void);

/* After each step. */
void trace_file_step(void);

/* The run is over. */
void trace_file_end(void);

#endif
