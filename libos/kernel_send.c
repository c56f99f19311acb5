/* SPDX-License-Identifier: ISC
 *
 * One more call of libos/kernel.h, in a file of its own: few domains use it.
 */
#include "libos/kernel.h"
#include "libos/syscall.h"

enum error kernel_send(uint64_t slot, const struct msg *m)
{
    return sys_send(slot, m, 0);
}
