/* SPDX-License-Identifier: ISC
 *
 * From the processor's entry points into the kernel's C code.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "kernel/thread.h"

/* A system call of the running thread: arguments in its registers, results go there too. */
void syscall_handle(struct thread *thread);

/* An operation of `invoke` (kernel/invoke.c), one that exists. */
enum error invoke_handle(struct thread *thread);

#endif
