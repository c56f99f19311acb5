/* SPDX-License-Identifier: ISC
 *
 * Fibers: see fiber.h. Those that are READY are a ring; the running one is its place in it, so that
 * yielding moves nothing.
 */
#include "libos/fiber.h"

#include <string.h>

#include "libos/assert.h"
#include "libos/fiber_watch.h"

enum {
    FRESH_BYTE = 0xa5, /* in a stack that nobody has used yet */
    GUARD = 0x25a5a5a5 /* at its end; not negative, to be compared in one instruction */
};

static bool guard_holds(const struct fiber *fiber)
{
    return *fiber->stack == GUARD;
}

static void to_loop(struct fibers *fibers, struct fiber *self, struct fiber *next)
{
    fibers->running = NULL;
    fibers->next = next;
    watched_switch_to_loop(&self->stack_pointer, fibers->loop_stack_pointer);
}

/* The running fiber stops here, and `next` goes on; itself: nothing happens. */
static inline __attribute__((always_inline)) void stop(struct fibers *fibers, struct fiber *self,
                                                       struct fiber *next)
{
    SERVER_ASSERT(guard_holds(self));
    if (__builtin_expect(--fibers->switches_left < 0, 0)) {
        to_loop(fibers, self, next);
        return;
    }
    if (next == self)
        return;
    fibers->running = next;
    watched_switch(&self->stack_pointer, next);
}

/* The same for one that isn't ready any more; NULL: the loop goes on. */
static void leave(struct fibers *fibers, struct fiber *self, struct fiber *next)
{
    if (!next)
        fibers->switches_left = 0;
    stop(fibers, self, next);
}

static void ring_add(struct fibers *fibers, struct fiber *fiber)
{
    struct fiber *at = fibers->running ? fibers->running : fibers->next;
    fiber->state = FIBER_READY;
    if (!at) {
        fibers->next = fiber->next = fiber->prev = fiber;
        return;
    }
    fiber->next = at;
    fiber->prev = at->prev;
    at->prev->next = fiber;
    at->prev = fiber;
}

/* Returns who comes next; NULL: nobody is left. */
static struct fiber *ring_remove(struct fiber *fiber)
{
    struct fiber *next = fiber->next;
    if (next == fiber)
        return NULL;
    next->prev = fiber->prev;
    fiber->prev->next = next;
    return next;
}

static struct fiber *timer_of(struct chain *link)
{
    return CHAIN_OF(link, struct fiber, timer);
}

static void timer_add(struct fibers *fibers, struct fiber *fiber, uint64_t deadline)
{
    struct chain *at = fibers->timers.next;
    fiber->deadline = deadline;
    while (at != &fibers->timers && timer_of(at)->deadline <= deadline)
        at = at->next;
    chain_append(at, &fiber->timer); /* before it */
}

static void timers_expire(struct fibers *fibers, uint64_t now)
{
    struct chain *first;
    while ((first = fibers->timers.next) != &fibers->timers && timer_of(first)->deadline <= now) {
        timer_of(first)->late = true;
        fiber_wake(timer_of(first));
    }
}

void fibers_init(struct fibers *fibers)
{
    *fibers = (struct fibers){0};
    chain_init(&fibers->timers);
}

uint64_t fibers_run(struct fibers *fibers, uint64_t now)
{
    SERVER_ASSERT(!fibers->running);
    timers_expire(fibers, now);
    fibers->switches_left = FIBER_SWITCHES - 1; /* and the first */
    if (fibers->next) {
        fibers->running = fibers->next;
        watched_switch_from_loop(&fibers->loop_stack_pointer, fibers->running);
    }
    if (fibers->next)
        return 1; /* a time long past */
    return chain_empty(&fibers->timers) ? 0 : timer_of(fibers->timers.next)->deadline;
}

void fiber_create(struct fibers *fibers, struct fiber *fiber, void *stack, size_t stack_bytes,
                  void (*function)(void *argument), void *argument)
{
    SERVER_ASSERT(fiber->state == FIBER_DONE && stack_bytes >= FIBER_STACK_MIN &&
                  (uintptr_t)stack % 16 == 0 && stack_bytes % 16 == 0);
    *fiber = (struct fiber){
        .fibers = fibers,
        .function = function,
        .argument = argument,
        .stack = stack,
        .stack_bytes = stack_bytes,
    };
    watched_stack_clear(stack, stack_bytes);
    memset(stack, FRESH_BYTE, stack_bytes);
    *fiber->stack = GUARD;
    fiber->stack_pointer = fiber_first_frame((char *)stack + stack_bytes, fiber);
    chain_init(&fiber->timer);
    ring_add(fibers, fiber);
}

void fiber_begin(struct fiber *fiber)
{
    watched_arrival();
    fiber->function(fiber->argument);
    fiber_exit(fiber->fibers);
}

void fiber_yield(struct fibers *fibers)
{
    struct fiber *self = fibers->running;
    stop(fibers, self, self->next);
}

enum error fiber_wait(struct fibers *fibers, uint64_t deadline)
{
    struct fiber *self = fibers->running;
    SERVER_ASSERT(self);
    if (self->woken) {
        self->woken = false;
        return OK;
    }
    self->state = FIBER_WAITING;
    self->late = false;
    if (deadline)
        timer_add(fibers, self, deadline);
    leave(fibers, self, ring_remove(self));
    return self->late ? ERROR_TIMEOUT : OK;
}

void fiber_exit(struct fibers *fibers)
{
    struct fiber *self = fibers->running;
    SERVER_ASSERT(self);
    self->state = FIBER_DONE;
    leave(fibers, self, ring_remove(self));
    __builtin_unreachable();
}

void fiber_on_loop_stack(struct fibers *fibers, void (*function)(void *argument), void *argument)
{
    SERVER_ASSERT(fibers->running && guard_holds(fibers->running));
    watched_call_on_loop(fibers->running, fibers->loop_stack_pointer, function, argument);
}

void fiber_wake(struct fiber *fiber)
{
    if (fiber->state == FIBER_READY)
        fiber->woken = true;
    if (fiber->state != FIBER_WAITING)
        return;
    chain_remove(&fiber->timer);
    ring_add(fiber->fibers, fiber);
}

UNWATCHED size_t fiber_stack_unused(const struct fiber *fiber)
{
    const uint8_t *byte = (const uint8_t *)fiber->stack;
    size_t n = sizeof(*fiber->stack);
    while (n < fiber->stack_bytes && byte[n] == FRESH_BYTE)
        n++;
    return n;
}

bool fibers_check(const struct fibers *fibers)
{
    const struct fiber *first = fibers->running ? fibers->running : fibers->next, *f = first;
    uint64_t before = 0;
    if (f)
        do {
            if (f->state != FIBER_READY || f->next->prev != f || f->fibers != fibers ||
                !chain_empty(&f->timer) || !guard_holds(f))
                return false;
            f = f->next;
        } while (f != first);
    for (struct chain *link = fibers->timers.next; link != &fibers->timers; link = link->next) {
        f = timer_of(link);
        if (f->state != FIBER_WAITING || f->deadline < before || link->next->prev != link)
            return false;
        before = f->deadline;
    }
    return true;
}
