/* SPDX-License-Identifier: ISC
 *
 * In the place of libos/trap.h: what `syscall` does on a processor, kernel/arch/sim/user.S does
 * here, with the same registers.
 */
#ifndef MOTET_LIBOS_TRAP_H
#define MOTET_LIBOS_TRAP_H

#define TRAP "call sim_trap"

#endif
