/* SPDX-License-Identifier: ISC
 *
 * User code in the simulator: it runs in the host process, on the stacks that its domains have in
 * simulated memory, at the addresses where they have it. It leaves by a trap (a system call, or a
 * call to the simulator) or by a fault, which the host tells by a signal. The thread's page then
 * holds all its registers.
 */
#ifndef KERNEL_SIM_USER_H
#define KERNEL_SIM_USER_H

#include <stdbool.h>

#include "kernel/thread.h"

enum sim_exit { SIM_TRAP, SIM_FAULT };

/* Calls to the simulator instead of the kernel: what would be done by the processor or by a device.
 * In rax, like the number of a system call. */
enum sim_call {
    SIM_CALL_FIRST = 0x5100,
    SIM_CALL_READ =
        SIM_CALL_FIRST, /* rdi: address of a device's register, rsi: bytes; value in rax */
    SIM_CALL_WRITE,     /* rdx: the value */
    SIM_CALL_POINT,     /* an instruction at which an interrupt may come */
    SIM_CALL_RANDOM,    /* 64 random bits in rax */
};

/* What the processor would say about a fault. */
struct sim_fault {
    uint64_t cause, address, error;
};

/* Once per process: faults of user code become exits. */
void sim_user_start(void);

/* Runs the thread until it leaves. */
enum sim_exit sim_user_run(struct thread *thread, struct sim_fault *fault);

/* Whether user code is running: for signal handlers, and for checks of its memory accesses. */
extern int sim_in_user;

/* In builds with hooks: called before user code reads; NULL: nobody wants to know. */
extern void (*sim_user_reads)(uint64_t address);

/* Likewise: user code whose data may be wrong leaves by a fault if it makes more than so many
 * accesses to memory without leaving, writes outside its window, or reads outside that and the
 * program. 0: it is trusted. */
extern uint64_t sim_user_accesses_most, sim_user_accesses;

#endif
