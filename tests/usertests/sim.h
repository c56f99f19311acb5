/* SPDX-License-Identifier: ISC
 *
 * The machine of usertests' simulator.
 */
#ifndef TESTS_USERTESTS_SIM_H
#define TESTS_USERTESTS_SIM_H

#include <stdint.h>

/* Boots a composition and runs it until it ends the machine; what it wrote to the debug exit port.
 * Panics as the kernel does. */
int usertests_machine_run(const void *image, uint64_t bytes, const char *command_line);

#endif
