/* SPDX-License-Identifier: ISC
 *
 * The kernel's console: the first serial port, output only, used until init owns it and in a panic.
 */
#ifndef KERNEL_UART_H
#define KERNEL_UART_H

void uart_start(void);

/* The end: tells QEMU's isa-debug-exit if it is there, then resets the machine. */
__attribute__((noreturn)) void machine_reset(void);

#endif
