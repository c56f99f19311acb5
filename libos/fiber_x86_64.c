/* SPDX-License-Identifier: ISC
 *
 * The processor's part of libos/fiber.h. What the System V ABI lets a call change needs no saving;
 * there are no vector registers (-mgeneral-regs-only), so flags, MXCSR and the x87 word are not a
 * fiber's own. The same for a domain, the simulator and tests.
 */
#include "libos/fiber.h"

__asm__(".section .text.fiber_switch, \"ax\", @progbits\n"
        ".globl fiber_switch\n"
        ".type fiber_switch, @function\n"
        "fiber_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_switch, . - fiber_switch\n"
        ".globl fiber_call_on\n"
        ".type fiber_call_on, @function\n"
        "fiber_call_on:\n"
        "    pushq %rbx\n"
        "    movq %rsp, %rbx\n"
        "    movq %rdi, %rsp\n"
        "    andq $-16, %rsp\n" /* before a call */
        "    movq %rdx, %rdi\n"
        "    call *%rsi\n"
        "    movq %rbx, %rsp\n"
        "    popq %rbx\n"
        "    ret\n"
        ".size fiber_call_on, . - fiber_call_on\n"
        ".type fiber_first, @function\n"
        "fiber_first:\n" /* the stack is aligned here, as before a call */
        "    movq %rbx, %rdi\n"
        "    call fiber_begin\n"
        "    ud2\n"
        ".size fiber_first, . - fiber_first\n"
        ".text\n");

extern char fiber_first[];

void *fiber_first_frame(void *stack_end, struct fiber *fiber)
{
    uint64_t *frame = (uint64_t *)stack_end - 8; /* six registers, where to, one for alignment */
    for (int i = 0; i < 8; i++)
        frame[i] = 0;
    frame[4] = (uint64_t)fiber; /* rbx */
    frame[6] = (uint64_t)fiber_first;
    return frame;
}
