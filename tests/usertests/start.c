/* SPDX-License-Identifier: ISC
 *
 * usertests as an image of its own.
 */
#include "tests/usertests/supervisor.h"

const bool usertests_in_simulator = false;

void _start(void);

__attribute__((force_align_arg_pointer)) void _start(void)
{
    usertests_start();
}
