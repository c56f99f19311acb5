/* SPDX-License-Identifier: ISC
 *
 * Between the simulator and user code, as entry.S is between the kernel and user code: a thread's
 * registers live in its page, and nothing of it is on the simulator's stack. User code has no
 * vector registers (it is compiled with -mgeneral-regs-only) and no red zone.
 */
#define R15        0
#define R14        8
#define R13        16
#define R12        24
#define RBP        32
#define RBX        40
#define R11        48
#define R10        56
#define R9         64
#define R8         72
#define RDI        80
#define RSI        88
#define RDX        96
#define RCX        104
#define RAX        112
#define BY_SYSCALL 120
#define RIP        136
#define RFLAGS     152
#define RSP        160

    .text

/* enum sim_exit sim_enter(struct registers *registers): runs user code until it leaves. */
    .globl sim_enter
sim_enter:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rdi, sim_user_registers(%rip)
    movq %rsp, sim_host_stack(%rip)
    movl $1, sim_in_user(%rip)
    movq RSP(%rdi), %rsp
    pushq RIP(%rdi)
    pushq RFLAGS(%rdi)
    popfq
    movq R15(%rdi), %r15
    movq R14(%rdi), %r14
    movq R13(%rdi), %r13
    movq R12(%rdi), %r12
    movq RBP(%rdi), %rbp
    movq RBX(%rdi), %rbx
    movq R11(%rdi), %r11
    movq R10(%rdi), %r10
    movq R9(%rdi), %r9
    movq R8(%rdi), %r8
    movq RSI(%rdi), %rsi
    movq RDX(%rdi), %rdx
    movq RCX(%rdi), %rcx
    movq RAX(%rdi), %rax
    movq RDI(%rdi), %rdi
    ret
    .globl sim_enter_end
sim_enter_end:

/* What user code calls where a processor has `syscall`; rcx and r11 are free. */
    .globl sim_trap
sim_trap:
    movq sim_user_registers(%rip), %rcx
    popq %r11
    movq %r11, RIP(%rcx)
    movq %rsp, RSP(%rcx)
    movq %r15, R15(%rcx)
    movq %r14, R14(%rcx)
    movq %r13, R13(%rcx)
    movq %r12, R12(%rcx)
    movq %rbp, RBP(%rcx)
    movq %rbx, RBX(%rcx)
    movq %r10, R10(%rcx)
    movq %r9, R9(%rcx)
    movq %r8, R8(%rcx)
    movq %rdi, RDI(%rcx)
    movq %rsi, RSI(%rcx)
    movq %rdx, RDX(%rcx)
    movq %rax, RAX(%rcx)
    movq $0x100, BY_SYSCALL(%rcx)
    xorl %eax, %eax
    jmp leave

/* Where the signal handler continues after a fault: the registers are saved already. */
    .globl sim_fault_exit
sim_fault_exit:
    movl $1, %eax
leave:
    movq sim_host_stack(%rip), %rsp
    movl $0, sim_in_user(%rip)
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

    .section .note.GNU-stack, "", @progbits
