/* SPDX-License-Identifier: ISC
 *
 * The instruction that enters the kernel. It leaves its own traces in rcx and r11 only. The
 * simulator puts its own header in this one's place.
 */
#ifndef MOTET_LIBOS_TRAP_H
#define MOTET_LIBOS_TRAP_H

#define TRAP "syscall"

#endif
