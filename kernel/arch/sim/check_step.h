/* SPDX-License-Identifier: ISC
 *
 * What one system call must have done: facts about a step that the state after it doesn't show.
 * Called by tests around sim_syscall; the second call panics at the first thing that is wrong.
 *
 *  - the error is one that calls.def lists;
 *  - a message arrives, or is queued, as it was sent, with the badge of the capability used;
 *  - a fault is told to the port in the thread's fault slot, with its badge;
 *  - what a wait brings is what waited first, and all pending bits; a wait that is given up says
 * why;
 *  - a copy, a mint and a move made what was asked for, with no more rights than their source;
 *  - what is being removed is frozen until that is done, and not afterwards.
 */
#ifndef KERNEL_SIM_CHECK_STEP_H
#define KERNEL_SIM_CHECK_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "motet/error.h"

/* The running thread is about to make the call that is in its registers. */
void check_step_before(void);

/* It has made it. */
void check_step_after(void);

/* The same around sim_fault. */
void check_fault_before(void);
void check_fault_after(uint64_t cause, uint64_t address, uint64_t error);

/* The same around sim_interrupt: a bound vector is heard, and its level-triggered pin masked. */
void check_interrupt_before(uint64_t vector);
void check_interrupt_after(void);

/* The same around sim_advance: who waited until then waits no more. */
void check_time_before(uint64_t ticks);
void check_time_after(void);

/* Whether calls.def says that this call, or this operation of invoke, may return this error. */
bool check_error_documented(uint64_t call, uint64_t operation, enum error error);

#endif
