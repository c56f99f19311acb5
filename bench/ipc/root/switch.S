/* SPDX-License-Identifier: ISC
 *
 * void stack_switch(uint64_t *save, uint64_t to): goes on where the stack `to` was left, and leaves
 * this one in *save.
 */
        .text
        .globl stack_switch
stack_switch:
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %rsp, (%rdi)
        movq %rsi, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        ret

        .section .note.GNU-stack, "", @progbits
