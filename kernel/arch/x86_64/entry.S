/* SPDX-License-Identifier: ISC
 *
 * Every way into the kernel and the one way out.
 *
 * A thread's registers are saved into the thread itself (struct registers, kernel/registers.h): at a
 * system call by stores, at an interrupt by pushes, because the TSS's rsp0 points to the end of that
 * structure. The C code then runs on the CPU's own stack with interrupts off and returns the thread
 * to run. Only the idle CPU takes interrupts in kernel mode; its frame is thrown away.
 */

/* struct cpu, behind GS */
#define CPU_CURRENT   0
#define CPU_STACK_TOP 8
#define CPU_USER_RSP  16

/* struct registers */
#define R15 0
#define R14 8
#define R13 16
#define R12 24
#define RBP 32
#define RBX 40
#define R11 48
#define R10 56
#define R9  64
#define R8  72
#define RDI 80
#define RSI 88
#define RDX 96
#define RCX 104
#define RAX 112
#define BY_SYSCALL 120
#define RIP 136
#define RFLAGS 152
#define RSP 160

#define SYSCALL_MARK 0x100 /* no vector */

        .text
        .globl syscall_entry
        .p2align 4
syscall_entry:
        swapgs
        movq %rsp, %gs:CPU_USER_RSP
        movq %gs:CPU_CURRENT, %rsp
        movq %rcx, RIP(%rsp)
        movq %gs:CPU_USER_RSP, %rcx
        movq %r11, RFLAGS(%rsp)
        movq %rcx, RSP(%rsp)
        movq $SYSCALL_MARK, BY_SYSCALL(%rsp)
        movq %rax, RAX(%rsp)
        movq %rdx, RDX(%rsp)
        movq %rsi, RSI(%rsp)
        movq %rdi, RDI(%rsp)
        movq %r8, R8(%rsp)
        movq %r9, R9(%rsp)
        movq %r10, R10(%rsp)
        movq %rbx, RBX(%rsp)
        movq %rbp, RBP(%rsp)
        movq %r12, R12(%rsp)
        movq %r13, R13(%rsp)
        movq %r14, R14(%rsp)
        movq %r15, R15(%rsp)
        movq %rsp, %rdi
        movq %gs:CPU_STACK_TOP, %rsp
        call kernel_syscall

/* rax: the thread to run. */
leave_kernel:
        movq %rax, %rsp
        cmpq $SYSCALL_MARK, BY_SYSCALL(%rsp)
        jne leave_by_iret
        movq R15(%rsp), %r15
        movq R14(%rsp), %r14
        movq R13(%rsp), %r13
        movq R12(%rsp), %r12
        movq RBP(%rsp), %rbp
        movq RBX(%rsp), %rbx
        movq R10(%rsp), %r10
        movq R9(%rsp), %r9
        movq R8(%rsp), %r8
        movq RDI(%rsp), %rdi
        movq RSI(%rsp), %rsi
        movq RDX(%rsp), %rdx
        movq RAX(%rsp), %rax
        movq RIP(%rsp), %rcx    /* below USER_ADDRESS_END, so sysret can't fault in ring 0 */
        movq RFLAGS(%rsp), %r11
        movq RSP(%rsp), %rsp
        swapgs
        sysretq

leave_by_iret:
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rdi
        popq %rsi
        popq %rdx
        popq %rcx
        popq %rax
        addq $16, %rsp
        swapgs
        iretq

/* The stack holds vector, error code, and the processor's frame. */
interrupt_common:
        cld
        testb $3, 24(%rsp)
        jz interrupt_in_kernel
        .globl interrupt_clac
interrupt_clac:                         /* cpu.c writes `clac` here where the processor has it: */
        .byte 0x0f, 0x1f, 0x00          /* user code can set AC, which turns SMAP off */
        swapgs
        pushq %rax
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %rsp, %rdi
        movq %gs:CPU_STACK_TOP, %rsp
        call kernel_interrupt
        jmp leave_kernel

interrupt_in_kernel:
        popq %rdi               /* vector */
        popq %rsi               /* error code */
        cmpl $32, %edi
        jb 1f
        movq %gs:CPU_STACK_TOP, %rsp
        call kernel_interrupt_idle
        jmp leave_kernel
1:      movq %rsp, %rdx
        movq %rbp, %rcx
        andq $-16, %rsp
        call kernel_trap

/* NMI, double fault, machine check: on stacks of their own, and the end. */
trap_common:
        popq %rdi
        popq %rsi
        jmp 1b

/* rdi: the first thread */
        .globl enter_user
enter_user:
        movq %rdi, %rax
        jmp leave_kernel

/* Interrupt entry points, 16 bytes each so that cpu.c finds them by number. */
        .altmacro
        .macro entry number
        .p2align 4
        .if (\number == 8) || (\number == 10) || (\number == 11) || (\number == 12) || \
            (\number == 13) || (\number == 14) || (\number == 17) || (\number == 21)
        .else
        pushq $0
        .endif
        pushq $\number
        .if (\number == 2) || (\number == 8) || (\number == 18)
        jmp trap_common
        .else
        jmp interrupt_common
        .endif
        .endm

        .globl interrupt_entries
        .p2align 4
interrupt_entries:
        .set number, 0
        .rept 112
        entry %number
        .set number, number + 1
        .endr
        .globl spurious_entry
        .p2align 4
spurious_entry:
        incq kernel_counters    /* interrupts_spurious, its first */
        iretq

/* Waits with interrupts on; the interrupt doesn't come back here. */
        .globl idle_wait
idle_wait:
        movq %gs:CPU_STACK_TOP, %rsp
1:      sti
        hlt
        jmp 1b

/* Loads a new GDT's code and data segments. */
        .globl reload_segments
reload_segments:
        movw $0x10, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        xorl %eax, %eax
        movw %ax, %fs
        movw %ax, %gs
        popq %rax
        pushq $0x08
        pushq %rax
        lretq

        .section .note.GNU-stack, "", @progbits
