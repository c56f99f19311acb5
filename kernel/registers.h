/* SPDX-License-Identifier: ISC
 *
 * A thread's user registers, in the order in which entry.S and the processor push them. The end is
 * 16-byte aligned: it is the ring 0 stack pointer while the thread runs, so an interrupt's frame
 * lands here by itself.
 */
#ifndef KERNEL_REGISTERS_H
#define KERNEL_REGISTERS_H

#include <stdint.h>

struct registers {
    uint64_t r15, r14, r13, r12, rbp, rbx; /* kept by C functions */
    uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t by_syscall; /* 0x100: entered by `syscall`, so rcx and r11 are free; else the vector */
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss; /* pushed by the processor */
};
_Static_assert(sizeof(struct registers) == 22 * 8, "entry.S knows these offsets");
_Static_assert(sizeof(struct registers) % 16 == 0, "the processor aligns the stack to 16");

#endif
