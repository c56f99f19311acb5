/* SPDX-License-Identifier: ISC
 *
 * Threads and the scheduler. A thread is one page: registers first (the processor and entry.S save
 * them right there), then what the kernel knows. It belongs to one CPU.
 *
 * States and where `link` is:
 *   SUSPENDED  in no list
 *   READY      in cpu->ready[priority]
 *   RUNNING    cpu->current, in no list
 *   WAITING    port->waiter, in no list; in the deadline tree if it has a deadline
 *   EXHAUSTED  in no list; in the deadline tree until its period ends
 *   FAULTED    in port->faulted until the message about it is taken, then in no list
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/list.h"
#include "kernel/registers.h"
#include "motet/abi.h"

struct cpu;
struct port;
struct space;
struct captable;

/* Node of the deadline tree, an AVL tree ordered by time (kernel/deadline.c). */
struct deadline {
    uint64_t time; /* clock ticks; 0: not in the tree */
    struct deadline *parent, *child[2];
    int balance; /* height of child[1] minus height of child[0] */
};

struct thread {
    struct registers registers; /* first: entry.S relies on it */
    uint8_t state;              /* enum thread_state */
    uint8_t priority;
    uint8_t ceiling;     /* the highest priority that it may give to threads, its own at least */
    bool vital;          /* init: nothing can go on without it */
    uint32_t fault_slot; /* in its captable: where its faults are sent; 0: nowhere */
    struct list link;
    struct space *space;
    struct list space_link;
    struct captable *captable;
    struct list captable_link;
    struct port *port; /* WAITING: on which; FAULTED and not yet reported: to which */
    struct deadline deadline;
    uint64_t slice_left; /* ticks of a slice that a better thread cut short; 0: a whole one */
    struct {
        uint64_t ticks, period; /* so many in each period, with period 0 between two waits; ticks 0:
                                   no budget */
        uint64_t left;          /* of them, when it last stopped running */
        uint64_t refill;        /* when the period ends; it begins with the first run in it */
        uint64_t used_up;       /* how often */
        uint64_t ran;           /* ticks, so far */
    } budget;
    struct {
        uint64_t cause; /* enum fault_cause */
        uint64_t address;
        uint64_t error;
        uint64_t badge; /* of the capability in fault_slot when it happened */
    } fault;
};
_Static_assert(sizeof(struct thread) <= PAGE_BYTES, "one page");

void thread_init(struct thread *thread);

/* With its priority as its ceiling. */
enum error thread_configure(struct thread *thread, struct space *space, struct captable *captable,
                            uint64_t priority, uint64_t fault_slot);

/* `ticks` in each `period` from now on; both 0: no budget. With period 0 alone the thread is
 * watched: if it runs for `ticks` without a wait in between, that is a fault (FAULT_STUCK). */
enum error thread_budget(struct thread *thread, uint64_t ticks, uint64_t period);

enum error thread_resume(struct thread *thread);

/* The running thread asks its port for something, and has a budget without a period. */
void thread_waits(struct cpu *cpu, struct thread *thread);

static inline bool thread_is_watched(const struct thread *thread)
{
    return thread->budget.ticks && !thread->budget.period;
}

/* Only out of a fault: a thread that its supervisor suspended stays so. */
enum error thread_retry(struct thread *thread);

/* Takes the thread out of whatever it is in. A wait under way is given up. */
void thread_suspend(struct thread *thread);

/* Suspends, and forgets its space and table. */
void thread_release(struct thread *thread);

/* A WAITING thread, whose registers have been filled in, or an EXHAUSTED one becomes ready. */
void thread_wake(struct thread *thread);

/* The running thread blocks or stops: state is set by the caller, another thread will be chosen. */
void thread_block(struct thread *thread, enum thread_state state);

/* The running thread goes to the end of its queue. */
void thread_yield(struct thread *thread);

/* The running thread did what it must not: sends its fault message. */
void thread_fault(struct thread *thread, uint64_t cause, uint64_t address, uint64_t error);

/* Chooses the thread to run now: the first of the highest priority. NULL: the CPU is idle. */
struct thread *schedule(struct cpu *cpu);

/* Waits no longer than until `time` (clock ticks, not 0). */
void deadline_set(struct cpu *cpu, struct thread *thread, uint64_t time);

/* Time has passed: expires one deadline, ends a budget, ends a slice, and sets the timer for what
 * comes next. */
void timer_expired(struct cpu *cpu);

void thread_check(const struct thread *thread);

#endif
