/* SPDX-License-Identifier: ISC
 *
 * What bench/kernel/kbench.c measures, with nothing between the two clock readings but the call
 * itself: under -icount the clock counts instructions. Results are clock ticks, the cost of
 * bench_empty still in them. Registers: include/motet/abi.h.
 */
#define CALL_SEND      0
#define CALL_SIGNAL    1
#define CALL_WAIT      2
#define CALL_SEND_WAIT 3

        .text
        .macro save
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        .endm

        .macro restore
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        .endm

        .macro start            /* rbp outlives a system call; rdx is a word of the message */
        rdtsc
        movl %eax, %ebp
        .endm

        .macro stop
        rdtsc
        subl %ebp, %eax
        .endm

/* uint32_t bench_empty(void) */
        .globl bench_empty
bench_empty:
        pushq %rbp
        start
        stop
        popq %rbp
        ret

/* uint32_t bench_null_call(uint64_t empty_slot) */
        .globl bench_null_call
bench_null_call:
        save
        xorl %r14d, %r14d
        movl $1, %esi
        start
        movl $CALL_SEND, %eax
        syscall
        stop
        restore
        ret

/* uint32_t bench_round_trip(uint64_t to, uint64_t own): six words there and back */
        .globl bench_round_trip
bench_round_trip:
        save
        movq %rsi, %rbx
        xorl %r14d, %r14d
        xorl %r15d, %r15d
        movl $2, %r10d
        movl $3, %r8d
        movl $4, %r9d
        movl $5, %r12d
        movl $6, %r13d
        movl $1, %esi
        start
        movl $1, %edx
        movl $CALL_SEND_WAIT, %eax
        syscall
        stop
        restore
        ret

/* void bench_echo(uint64_t to, uint64_t own): sends back what came, for ever. The first message
 * goes out unasked. */
        .globl bench_echo
bench_echo:
        movq %rdi, %rbp
        pushq %rsi
        xorl %r15d, %r15d
        xorl %r14d, %r14d
        movl $1, %esi
1:      movq %rbp, %rdi
        movq (%rsp), %rbx
        movl $CALL_SEND_WAIT, %eax
        syscall
        jmp 1b

/* uint32_t bench_doorbell(uint64_t bell, uint64_t own): rings and waits, and is rung */
        .globl bench_doorbell
bench_doorbell:
        save
        movq %rdi, %rbx
        movq %rsi, %rdi
        xorl %r14d, %r14d
        xorl %r15d, %r15d
        start
        movl $CALL_WAIT, %eax
        syscall
        stop
        restore
        ret

/* void bench_ring_back(uint64_t bell, uint64_t own): rings whenever it is rung, for ever. The first
 * time unasked. */
        .globl bench_ring_back
bench_ring_back:
        movq %rdi, %rbp
        pushq %rsi
        xorl %r14d, %r14d
        xorl %r15d, %r15d
1:      movq (%rsp), %rdi
        movq %rbp, %rbx
        movl $CALL_WAIT, %eax
        syscall
        jmp 1b

/* uint32_t bench_signal(uint64_t slot): the clock just before */
        .globl bench_signal
bench_signal:
        rdtsc
        movl %eax, %esi
        movl $CALL_SIGNAL, %eax
        syscall
        movl %esi, %eax
        ret

/* uint32_t bench_touch(const void *address) */
        .globl bench_touch
bench_touch:
        pushq %rbp
        start
        movb (%rdi), %cl
        stop
        popq %rbp
        ret

        .section .note.GNU-stack, "", @progbits
