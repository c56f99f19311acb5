/* SPDX-License-Identifier: ISC
 *
 * hooks.h for builds without: what the kernel has written isn't known.
 */
#include "kernel/arch/sim/hooks.h"

bool sim_changes_known(void)
{
    return false;
}

bool sim_change_take(uint64_t *index)
{
    (void)index;
    return false;
}

void sim_changes_forget(void)
{
}
