/* SPDX-License-Identifier: ISC
 *
 * Threads: their states, and choosing which one runs. See thread.h.
 */
#include "kernel/thread.h"

#include "kernel/arch.h"
#include "kernel/captable.h"
#include "kernel/counters.h"
#include "kernel/deadline.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/space.h"
#include "motet/rare.h"

enum { SLICE_FRACTION = 100 }; /* of a second: 10 ms among equals */

#define PERIOD_MAX (1ull << 60) /* ticks: so that no sum of times overflows */

RARE void cpu_init(struct cpu *cpu)
{
    for (int i = 0; i < PRIORITY_COUNT; i++)
        list_init(&cpu->ready[i]);
    trace_init(cpu);
}

RARE void thread_init(struct thread *thread)
{
    thread->state = THREAD_SUSPENDED;
    list_init(&thread->link);
    list_init(&thread->space_link);
    list_init(&thread->captable_link);
    arch_registers_init(&thread->registers);
}

RARE enum error thread_configure(struct thread *thread, struct space *space,
                                 struct captable *captable, uint64_t priority, uint64_t fault_slot)
{
    if (priority >= PRIORITY_COUNT || fault_slot > UINT32_MAX)
        return ERROR_BAD_ARGUMENT;
    if (thread->state != THREAD_SUSPENDED || captable->dying)
        return ERROR_BAD_STATE;
    list_remove(&thread->space_link);
    list_remove(&thread->captable_link);
    list_append(&space->threads, &thread->space_link);
    list_append(&captable->threads, &thread->captable_link);
    thread->space = space;
    thread->captable = captable;
    thread->priority = thread->ceiling = (uint8_t)priority;
    thread->fault_slot = (uint32_t)fault_slot;
    return OK;
}

RARE enum error thread_budget(struct thread *thread, uint64_t ticks, uint64_t period)
{
    const uint64_t most = period ? period : PERIOD_MAX;
    if (ticks > most || period > PERIOD_MAX || (!ticks && period))
        return ERROR_BAD_ARGUMENT;
    if (thread->state != THREAD_SUSPENDED)
        return ERROR_BAD_STATE;
    thread->budget.ticks = thread->budget.left = ticks;
    thread->budget.period = period;
    thread->budget.refill = 0;
    return OK;
}

/* The running thread stops. Something is always left: a budget ends by the timer, in one place. */
static void budget_stop(struct cpu *cpu, struct thread *thread)
{
    if (!cpu->budget_end)
        return;
    uint64_t now = arch_clock(), before = thread->budget.left;
    thread->budget.left = cpu->budget_end > now ? cpu->budget_end - now : 1;
    thread->budget.ran += before - thread->budget.left;
    cpu->budget_end = 0;
}

/* It begins with all of its ticks again. */
RARE void thread_waits(struct cpu *cpu, struct thread *thread)
{
    budget_stop(cpu, thread);
    thread->budget.left = thread->budget.ticks;
    cpu->budget_end = arch_clock() + thread->budget.left;
}

static void ready_insert(struct cpu *cpu, struct thread *thread, bool first)
{
    struct list *queue = &cpu->ready[thread->priority];
    thread->state = THREAD_READY;
    if (first)
        list_prepend(queue, &thread->link);
    else
        list_append(queue, &thread->link);
    cpu->ready_bits |= 1ull << thread->priority;
}

static void ready_remove(struct cpu *cpu, struct thread *thread)
{
    list_remove(&thread->link);
    if (list_empty(&cpu->ready[thread->priority]))
        cpu->ready_bits &= ~(1ull << thread->priority);
}

/* A thread that isn't running or ready becomes ready. */
static void make_ready(struct thread *thread)
{
    struct cpu *cpu = cpu_self();
    ready_insert(cpu, thread, false);
    if (!cpu->current || thread->priority >= cpu->current->priority)
        cpu->reschedule = 1;
}

enum error thread_resume(struct thread *thread)
{
    if (thread->state != THREAD_SUSPENDED && thread->state != THREAD_FAULTED)
        return ERROR_BAD_STATE;
    if (!thread->space || !thread->captable)
        return ERROR_BAD_STATE;
    list_remove(&thread->link); /* a fault message not yet taken is withdrawn */
    thread->port = NULL;
    make_ready(thread);
    return OK;
}

RARE enum error thread_retry(struct thread *thread)
{
    return thread->state == THREAD_FAULTED ? thread_resume(thread) : ERROR_BAD_STATE;
}

RARE void thread_suspend(struct thread *thread)
{
    struct cpu *cpu = cpu_self();
    switch (thread->state) {
    case THREAD_READY:
        ready_remove(cpu, thread);
        break;
    case THREAD_RUNNING:
        budget_stop(cpu, thread);
        cpu->current = NULL;
        cpu->reschedule = 1;
        break;
    case THREAD_WAITING:
        thread->port->waiter = NULL;
        deadline_remove(&cpu->deadlines, &thread->deadline);
        port_wait_end(thread, ERROR_BAD_STATE);
        break;
    case THREAD_FAULTED:
        list_remove(&thread->link);
        break;
    case THREAD_EXHAUSTED:
        deadline_remove(&cpu->deadlines, &thread->deadline);
        break;
    default:
        break;
    }
    thread->port = NULL;
    thread->state = THREAD_SUSPENDED;
    DEBUG_CHECK(thread_check(thread));
}

RARE void thread_release(struct thread *thread)
{
    thread_suspend(thread);
    list_remove(&thread->space_link);
    list_remove(&thread->captable_link);
    thread->space = NULL;
    thread->captable = NULL;
}

void thread_wake(struct thread *thread)
{
    ASSERT(thread->state == THREAD_WAITING || thread->state == THREAD_EXHAUSTED);
    deadline_remove(&cpu_self()->deadlines, &thread->deadline);
    thread->port = NULL;
    make_ready(thread);
}

void thread_block(struct thread *thread, enum thread_state state)
{
    struct cpu *cpu = cpu_self();
    budget_stop(cpu, thread);
    thread->state = (uint8_t)state;
    cpu->current = NULL;
    cpu->reschedule = 1;
}

void thread_yield(struct thread *thread)
{
    struct cpu *cpu = cpu_self();
    budget_stop(cpu, thread);
    ready_insert(cpu, thread, false);
    cpu->current = NULL;
    cpu->reschedule = 1;
}

void thread_fault(struct thread *thread, uint64_t cause, uint64_t address, uint64_t error)
{
    if (thread->vital)
        panic("init died: cause %lu, address 0x%lx, error 0x%lx", (unsigned long)cause,
              (unsigned long)address, (unsigned long)error);
    arch_counters()->faults[cause % COUNTED_FAULTS]++;
    thread->fault.cause = cause;
    thread->fault.address = address;
    thread->fault.error = error;
    thread_block(thread, THREAD_FAULTED);
    thread->port = NULL;
    struct cap *cap = captable_slot(thread->captable, thread->fault_slot);
    if (!cap || cap->type != OBJECT_port || !(cap->rights & RIGHT_SEND))
        return; /* nobody is told: it stays as it is until somebody looks */
    thread->fault.badge = cap->port.badge;
    port_fault(cap->object, thread);
}

/* The hardware timer is only ever moved earlier: one that comes too early finds nothing to do. */
static void timer_at(struct cpu *cpu, uint64_t time)
{
    if (cpu->timer && cpu->timer <= time)
        return;
    cpu->timer = time;
    arch_timer_set(time);
}

static void budget_start(struct cpu *cpu, struct thread *thread)
{
    if (!thread->budget.ticks)
        return;
    uint64_t now = arch_clock();
    if (thread->budget.period && thread->budget.refill <= now) {
        thread->budget.left = thread->budget.ticks;
        thread->budget.refill = now + thread->budget.period;
    }
    cpu->budget_end = now + thread->budget.left;
    timer_at(cpu, cpu->budget_end);
}

static void slice_start(struct cpu *cpu, struct thread *thread)
{
    cpu->slice_end = 0;
    if (list_empty(&cpu->ready[thread->priority]))
        return; /* no equal competes: no slice, no timer */
    uint64_t ticks = thread->slice_left;
    thread->slice_left = 0;
    cpu->slice_end = arch_clock() + (ticks ? ticks : arch_clock_frequency() / SLICE_FRACTION);
    timer_at(cpu, cpu->slice_end);
}

/* A better thread takes over. The rest of the slice is kept: with a new one each time, equals would
 * wait forever behind a thread that is often interrupted. */
static void preempt(struct cpu *cpu, struct thread *thread)
{
    uint64_t now = cpu->slice_end ? arch_clock() : 0;
    bool used_up = cpu->slice_end && cpu->slice_end <= now;
    budget_stop(cpu, thread);
    thread->slice_left = used_up || !cpu->slice_end ? 0 : cpu->slice_end - now;
    ready_insert(cpu, thread, !used_up);
}

struct thread *schedule(struct cpu *cpu)
{
    cpu->reschedule = 0;
    struct thread *current = cpu->current;
    if (!current)
        cpu->slice_end = 0; /* it ended with the thread: an idle CPU sets no timer for it */
    if (!cpu->ready_bits)
        return current;
    int best = 63 - __builtin_clzll(cpu->ready_bits);
    if (current && current->priority >= best) {
        if (current->priority == best && !cpu->slice_end)
            slice_start(cpu, current);
        return current;
    }
    if (current)
        preempt(cpu, current);
    struct thread *next = CONTAINER_OF(cpu->ready[best].next, struct thread, link);
    DEBUG_CHECK(thread_check(next));
    ready_remove(cpu, next);
    next->state = THREAD_RUNNING;
    cpu->current = next;
    if (next->space != cpu->space)
        arch_space_load(next->space);
    arch_thread_load(next);
    slice_start(cpu, next);
    budget_start(cpu, next);
    return next;
}

static RARE void expire(struct cpu *cpu, struct deadline *deadline)
{
    struct thread *thread = CONTAINER_OF(deadline, struct thread, deadline);
    deadline_remove(&cpu->deadlines, deadline);
    DEBUG_CHECK(deadline_check(cpu->deadlines));
    if (thread->state == THREAD_WAITING) {
        ASSERT(thread->port->waiter == thread);
        thread->port->waiter = NULL;
        port_wait_end(thread, ERROR_TIMEOUT);
    }
    cpu->steps.wake(thread);
}

/* The running thread's budget is used up: it stands still until its period ends, or goes on when
 * that has ended meanwhile. Without a period that is a fault. */
static RARE void budget_expire(struct cpu *cpu, struct thread *thread, uint64_t now)
{
    cpu->budget_end = 0;
    thread->budget.used_up++;
    thread->budget.ran += thread->budget.left;
    arch_counters()->budgets_used_up++;
    if (!thread->budget.period) {
        thread->budget.left = thread->budget.ticks; /* for when it is begun again */
        thread_fault(thread, FAULT_STUCK, 0, 0);
        return;
    }
    if (thread->budget.refill <= now) {
        budget_start(cpu, thread);
        return;
    }
    thread->budget.left = 0;
    thread_block(thread, THREAD_EXHAUSTED);
    deadline_set(cpu, thread, thread->budget.refill);
}

RARE void timer_expired(struct cpu *cpu)
{
    uint64_t now = arch_clock();
    cpu->timer = 0;
    struct deadline *first = deadline_first(cpu->deadlines);
    if (first && first->time <= now) {
        expire(cpu, first);
        first = deadline_first(cpu->deadlines);
    }
    if (cpu->budget_end && cpu->budget_end <= now)
        budget_expire(cpu, cpu->current, now);
    if (cpu->slice_end && cpu->slice_end <= now && cpu->current) {
        cpu->slice_end = 0;
        thread_yield(cpu->current);
    }
    if (first)
        timer_at(cpu, first->time);
    if (cpu->slice_end && cpu->current)
        timer_at(cpu, cpu->slice_end);
    if (cpu->budget_end)
        timer_at(cpu, cpu->budget_end);
}

void deadline_set(struct cpu *cpu, struct thread *thread, uint64_t time)
{
    thread->deadline.time = time;
    deadline_insert(&cpu->deadlines, &thread->deadline);
    DEBUG_CHECK(deadline_check(cpu->deadlines));
    timer_at(cpu, time);
}

void thread_check(const struct thread *thread)
{
    bool listed = !list_empty(&thread->link);
    ASSERT(thread->state <= THREAD_EXHAUSTED);
    ASSERT(listed ==
           (thread->state == THREAD_READY || (thread->state == THREAD_FAULTED && thread->port)));
    ASSERT((thread->state == THREAD_WAITING) == (thread->port && thread->port->waiter == thread));
    ASSERT(thread->deadline.time == 0 || thread->state == THREAD_WAITING ||
           thread->state == THREAD_EXHAUSTED);
    if (thread->state == THREAD_EXHAUSTED)
        ASSERT(thread->deadline.time && thread->budget.ticks && !thread->budget.left);
    ASSERT(thread->budget.left <= thread->budget.ticks);
    if (thread->state != THREAD_SUSPENDED)
        ASSERT(thread->space && thread->captable);
}
