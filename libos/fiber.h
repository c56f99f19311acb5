/* SPDX-License-Identifier: ISC
 *
 * Light-weight threads inside a domain, called fibers here (a thread is the kernel's). For servers,
 * or parts of them, in synchronous style: a fiber that waits stops itself, not the domain.
 * Switching is a call that saves seven registers; the kernel knows nothing of it.
 *
 * A server keeps a `struct fibers`, the fibers and their stacks in its state, and calls fibers_run
 * in batch_end: fibers run one at a time, each until it waits, yields or ends, until none is ready.
 * None is ever interrupted by another: between two of these calls it has the state for itself, as
 * an entry point has. What wakes fibers happens in `receive`, `signal`, `deadline`, or in other
 * fibers.
 *
 *   READY -> RUNNING -> READY     fiber_yield
 *                    -> WAITING   fiber_wait, until fiber_wake or its deadline: READY
 *                    -> DONE      fiber_exit, or its function returned; may be created again
 *
 * Bounds: FIBER_SWITCHES switches per fibers_run, so that fibers that only yield leave the domain
 * its other work; as many fibers as the server has memory for. fiber_wait with a deadline is linear
 * in the number of fibers that wait with one, all else is constant.
 *
 * A stack has no guard page: its last word is looked at in each switch, and a fiber that wrote
 * over it ends the domain by a failed assertion.
 */
#ifndef MOTET_LIBOS_FIBER_H
#define MOTET_LIBOS_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/chain.h"
#include "motet/error.h"

enum {
    FIBER_STACK_MIN = 1024, /* bytes; what a call or two and a switch need */
    FIBER_SWITCHES = 64,    /* as many as messages of a connection in a round */
};

enum fiber_state { FIBER_DONE, FIBER_READY, FIBER_WAITING };

struct fiber {
    void *stack_pointer;       /* while it doesn't run */
    struct fiber *next, *prev; /* READY: the ring of those that are */
    uint32_t *stack;           /* the end that it grows to: a guard word */
    struct fibers *fibers;
    struct chain timer; /* in fibers->timers, by deadline */
    uint64_t deadline;
    void (*function)(void *argument);
    void *argument;
    size_t stack_bytes;
    uint8_t state; /* enum fiber_state */
    bool woken;    /* while it wasn't waiting: the next fiber_wait returns at once */
    bool late;     /* its deadline woke it */
};

struct fibers {
    struct fiber *running; /* NULL: the domain's loop */
    struct fiber *next;    /* who runs first in the next fibers_run; NULL: nobody is ready */
    void *loop_stack_pointer;
    int32_t switches_left;
    struct chain timers; /* struct fiber, the earliest first */
};

void fibers_init(struct fibers *fibers);

/* Runs those that are ready; `now` as domain_time. Returns when to call again at the latest, for
 * domain_set_deadline: 0: not before something happens. */
uint64_t fibers_run(struct fibers *fibers, uint64_t now);

/* Starts a fiber: zeroed, or DONE. `stack`: aligned to 16 bytes, FIBER_STACK_MIN or more, the
 * fiber's until it is DONE. */
void fiber_create(struct fibers *fibers, struct fiber *fiber, void *stack, size_t stack_bytes,
                  void (*function)(void *argument), void *argument);

/* From here on for the running fiber. */

/* Lets the others that are ready run first. */
void fiber_yield(struct fibers *fibers);

/* Waits for fiber_wake. OK: woken; ERROR_TIMEOUT: the deadline (nanoseconds; 0: none) has passed.
 * What is waited for is looked at again then: being woken says nothing about it. */
enum error fiber_wait(struct fibers *fibers, uint64_t deadline);

_Noreturn void fiber_exit(struct fibers *fibers);

/* Calls the function on the stack of the domain's loop, for what may need more than the fiber has:
 * a conn_send may be a call of another server (compose sums those servers' stacks for the loop).
 * The function mustn't wait. request_call sends so. */
void fiber_on_loop_stack(struct fibers *fibers, void (*function)(void *argument), void *argument);

/* From anywhere in the domain: `fiber` goes on. Not waiting: its next fiber_wait returns at once.
 */
void fiber_wake(struct fiber *fiber);

/* Bytes of its stack that were never used, since it was created. */
size_t fiber_stack_unused(const struct fiber *fiber);

/* Whether ring and timers are in order (for assertions and tests). */
bool fibers_check(const struct fibers *fibers);

/* libos/fiber_x86_64.c: saves the caller's registers on its stack and that stack in *save, and goes
 * on where `to` was saved. A first time comes to fiber_begin with the fiber. */
void fiber_switch(void **save, void *to);
void *fiber_first_frame(void *stack_end, struct fiber *fiber);
_Noreturn void fiber_begin(struct fiber *fiber);
void fiber_call_on(void *stack_pointer, void (*function)(void *argument), void *argument);

#endif
