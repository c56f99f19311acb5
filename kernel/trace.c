/* SPDX-License-Identifier: ISC
 *
 * Records of what happens. See trace.h.
 */
#include "kernel/trace.h"

#include "kernel/arch.h"
#include "kernel/fastpath.h"
#include "kernel/irq.h"
#include "kernel/port.h"
#include "kernel/space.h"

static const struct steps plain, traced;

/* A thread, or a page, as records name it: its number in the low half, its domain's above. */
static uint64_t name_of(uint64_t physical, const struct space *space)
{
    return (uint32_t)(physical / PAGE_BYTES) | (uint64_t)(space ? space->label : 0) << 32;
}

static uint32_t page_number(const void *object)
{
    return object ? (uint32_t)(virt_to_phys(object) / PAGE_BYTES) : 0;
}

static uint64_t thread_name(const struct thread *thread)
{
    return thread ? name_of(virt_to_phys(thread), thread->space) : 0;
}

/* The slot of the next record is nobody's to read: it is filled whether or not it becomes one. A
 * record is written before `written` counts it: release. The next one, which overwrites the oldest,
 * is written after that: the fence. On x86-64 both only keep the compiler from changing the order.
 */
static void record(enum trace_event event, uint64_t thread, uint64_t other, uint64_t argument,
                   uint64_t detail)
{
    struct trace *trace = &cpu_self()->trace;
    struct trace_record *to = trace->next;
    to->time = arch_clock();
    to->event = (uint8_t)event;
    to->domain = (uint16_t)(thread >> 32);
    to->thread = (uint32_t)thread;
    to->argument = argument;
    to->other = (uint32_t)other;
    to->other_domain = (uint16_t)(other >> 32);
    to->detail = (uint16_t)detail;
    if (!(trace->mask >> event & 1))
        return;
    if (++trace->next == trace->end)
        trace->next = (struct trace_record *)(trace->header + 1);
    __atomic_store_n(&trace->header->written, ++trace->written, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void note(enum trace_event event, const struct thread *thread, const struct thread *other,
                 uint64_t argument, uint64_t detail)
{
    record(event, thread_name(thread), thread_name(other), argument, detail);
}

/* The thread that made this entry; NULL: it is an interrupt. */
static struct thread *doer(void)
{
    const struct trace *trace = &cpu_self()->trace;
    return trace->interrupt ? NULL : trace->running;
}

/* --- the steps --- */

/* The general path does the same, in steps that are traced. */
static bool no_fast_path(struct thread *thread)
{
    (void)thread;
    return false;
}

static enum trace_wake why(const struct thread *thread)
{
    const struct registers *r = &thread->registers;
    if (thread->state == THREAD_EXHAUSTED)
        return TRACE_WAKE_refill;
    if (thread->state != THREAD_WAITING)
        return TRACE_WAKE_resume;
    if (r->rax)
        return r->rax == ERROR_TIMEOUT ? TRACE_WAKE_timeout : TRACE_WAKE_port_gone;
    return r->rsi ? TRACE_WAKE_message : TRACE_WAKE_signal;
}

static void trace_wake(struct thread *thread)
{
    note(TRACE_wake, thread, doer(), page_number(thread->port), why(thread));
    thread_wake(thread);
}

static enum error trace_resume(struct thread *thread)
{
    enum trace_wake reason = why(thread);
    enum error error = thread_resume(thread);
    if (!error)
        note(TRACE_wake, thread, doer(), 0, reason);
    return error;
}

/* Whether it succeeds is known afterwards, and it comes before the wake that it causes. */
static enum error trace_send(struct thread *sender, struct cap *cap)
{
    struct steps *steps = &cpu_self()->steps;
    struct port *port = cap->object;
    struct thread *receiver = port->waiter;
    uint64_t op = sender->registers.rsi;
    steps->wake = thread_wake;
    enum error error = port_send(sender, cap);
    steps->wake = trace_wake;
    if (error)
        return error;
    note(TRACE_send, sender, receiver, page_number(port), op);
    if (receiver)
        note(TRACE_wake, receiver, doer(), page_number(port), TRACE_WAKE_message);
    return OK;
}

static void trace_signal(struct port *port, uint64_t bits)
{
    note(TRACE_signal, doer(), port->waiter, page_number(port), (uint64_t)__builtin_ctzll(bits));
    port_signal(port, bits);
}

static void note_mapping(enum trace_event event, const struct cap *page, uint64_t rights)
{
    record(event, thread_name(doer()), name_of(page->address, page->map.space), page->map.at,
           page->pages | rights << 12);
}

static enum error trace_map(struct space *space, struct cap *page, uint64_t at, uint8_t rights,
                            uint64_t *level)
{
    enum error error = space_map(space, page, at, rights, level);
    if (!error)
        note_mapping(TRACE_map, page, rights);
    return error;
}

static enum error trace_unmap(struct cap *page)
{
    if (page->map.space && !(page->flags & CAP_FLUSHING)) /* once, if it takes several calls */
        note_mapping(TRACE_unmap, page, 0);
    return space_unmap(page);
}

static void trace_fault(struct thread *thread, uint64_t cause, uint64_t address, uint64_t error)
{
    note(TRACE_fault, thread, NULL, address, cause | error << 8);
    thread_fault(thread, cause, address, error);
}

static void trace_interrupt(uint64_t vector)
{
    struct trace *trace = &cpu_self()->trace;
    bool known = vector >= IRQ_VECTOR_FIRST && vector <= IRQ_VECTOR_LAST;
    const struct irq_vector *v = known ? irq_vector(vector) : NULL;
    bool bound = v && v->port;
    note(TRACE_irq, trace->running, bound ? v->port->waiter : NULL, vector,
         bound ? v->bit : UINT16_MAX);
    trace->interrupt = true;
    irq_deliver(vector);
    trace->interrupt = false;
}

static void trace_timer(struct cpu *cpu)
{
    struct thread *running = cpu->current;
    uint64_t used_up = running ? running->budget.used_up : 0;
    cpu->trace.interrupt = true;
    timer_expired(cpu);
    cpu->trace.interrupt = false;
    if (running && running->budget.used_up != used_up)
        note(TRACE_budget, running, NULL, running->budget.refill, running->budget.used_up);
}

static struct thread *trace_schedule(struct cpu *cpu)
{
    struct trace *trace = &cpu->trace;
    struct thread *before = trace->running, *next = schedule(cpu);
    if (next == before)
        return next;
    note(next ? TRACE_switch : TRACE_idle, next, before, next ? next->priority : 0,
         before ? before->state : THREAD_SUSPENDED);
    trace->running = next;
    return next;
}

static const struct steps plain = {send_wait_fast, wait_fast,     port_send,     port_signal,
                                   thread_wake,    thread_resume, space_map,     space_unmap,
                                   thread_fault,   irq_deliver,   timer_expired, schedule};
static const struct steps traced = {no_fast_path, no_fast_path,    trace_send,  trace_signal,
                                    trace_wake,   trace_resume,    trace_map,   trace_unmap,
                                    trace_fault,  trace_interrupt, trace_timer, trace_schedule};

/* --- on and off --- */

void trace_init(struct cpu *cpu)
{
    cpu->steps = plain;
}

enum error trace_mask(struct cpu *cpu, uint64_t mask)
{
    struct trace *trace = &cpu->trace;
    if (mask & ~(uint64_t)TRACE_EVENTS_ALL)
        return ERROR_BAD_ARGUMENT;
    if (!trace->header)
        return ERROR_BAD_STATE;
    trace->running = cpu->current;
    trace->mask = trace->header->mask = (uint32_t)mask;
    cpu->steps = mask ? traced : plain;
    return OK;
}

enum error trace_attach(struct cpu *cpu, struct cap *page)
{
    struct trace *trace = &cpu->trace;
    uint64_t bytes = page->pages * (uint64_t)PAGE_BYTES;
    if (trace->header)
        return ERROR_OCCUPIED;
    trace->header = phys_to_virt(page->address);
    trace->next = (struct trace_record *)(trace->header + 1);
    trace->end = trace->next + trace_capacity(bytes);
    trace->written = 0;
    *trace->header = (struct trace_header){.magic = TRACE_MAGIC,
                                           .version = TRACE_VERSION,
                                           .capacity = (uint32_t)trace_capacity(bytes),
                                           .frequency = arch_clock_frequency()};
    page->flags |= CAP_TRACE;
    return OK;
}

void trace_forget(struct cap *page)
{
    struct cpu *cpu = cpu_self();
    page->flags &= (uint8_t)~CAP_TRACE;
    cpu->trace.header = NULL;
    cpu->trace.mask = 0;
    cpu->steps = plain;
}
