/* SPDX-License-Identifier: ISC
 *
 * Checks of single steps. See check_step.h. Written without the kernel's functions for what they
 * check, over copies made before the step.
 */
#include "kernel/arch/sim/check_step.h"

#include <string.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/check_trace.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/captable.h"
#include "kernel/dmaspace.h"
#include "kernel/irq.h"
#include "kernel/port.h"

/* Before the step: who called, with what. */
static struct {
    struct thread *thread;
    struct registers registers;
    uint64_t call, operation;
    /* send, signal: through what, to where */
    const struct cap *cap;
    struct port *port;
    struct thread *receiver; /* that waits there */
    uint64_t badge;
    uint8_t count;
    struct cap sent[2];        /* what goes along; type none: nothing */
    const struct cap *slot[2]; /* where it must arrive; NULL: it gets lost */
    /* wait: what it must bring */
    struct port *own;
    uint64_t header, tag, pending, w[MSG_WORDS];
    bool no_room; /* a slot to receive in that isn't empty */
    /* a thread that waits and will be woken without a message */
    struct thread *waiter;
    /* invoke on a table: the slots named, and what was in them */
    struct captable *table;
    struct cap *source, *destination;
    struct cap was;
    bool reached;      /* unmap: of what a device can reach */
    uint32_t flushes;  /* of the IOMMU so far */
    struct cap *above; /* delete, revoke: of what goes first, what it is derived from */
} step;

static struct trace_before trace;

/* --- errors --- */

static const char *const error_names[ERROR_COUNT] = {
#define ERROR(name, text) [ERROR_##name] = #name,
#include "motet/errors.def"
#undef ERROR
};

static const char *const call_errors[CALL_COUNT] = {
#define CALL(name, summary, errors, bound) [CALL_##name] = errors,
#include "motet/calls.def"
};

static const char *const operation_errors[OPERATION_COUNT] = {
#define OPERATION(object, name, right, arguments, summary, errors, bound)                          \
    [OPERATION_##object##_##name] = errors,
#include "motet/calls.def"
};

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0))
            return true;
    return false;
}

static uint64_t errors_in(const char *text)
{
    uint64_t errors = 1ull << OK;
    for (int error = 1; error < ERROR_COUNT; error++)
        if (has_word(text, error_names[error]))
            errors |= 1ull << error;
    return errors;
}

bool check_error_documented(uint64_t call, uint64_t operation, enum error error)
{
    static uint64_t calls[CALL_COUNT], operations[OPERATION_COUNT]; /* sets, made once */
    if (!calls[0]) {
        for (int i = 0; i < CALL_COUNT; i++)
            calls[i] = errors_in(call_errors[i]);
        for (int i = 0; i < OPERATION_COUNT; i++)
            operations[i] = errors_in(operation_errors[i]);
        calls[CALL_send_wait] = /* it has no slots to receive into */
            (calls[CALL_send] | calls[CALL_wait]) & ~(1ull << ERROR_OCCUPIED);
    }
    if (error >= ERROR_COUNT)
        return false;
    if (call >= CALL_COUNT)
        return error == ERROR_UNKNOWN_CALL;
    bool invoked = call == CALL_invoke && operation < OPERATION_COUNT;
    return (calls[call] | (invoked ? operations[operation] : 0)) >> error & 1;
}

/* --- before --- */

static const struct cap *port_cap(uint64_t slot, uint8_t right)
{
    const struct cap *cap = captable_slot(step.thread->captable, slot);
    return cap && cap->type == OBJECT_port && (cap->rights & right) ? cap : NULL;
}

/* The n-th slot that a thread's r14 names; NULL: none. */
static const struct cap *message_slot(const struct thread *thread, unsigned n)
{
    uint64_t number = thread->registers.r14 >> (32 * n) & UINT32_MAX;
    return number && thread->captable ? captable_slot(thread->captable, number) : NULL;
}

/* Which of what was sent finds an empty slot at the receiver. */
static void before_arrival(const struct thread *receiver)
{
    for (unsigned n = 0; n < 2; n++) {
        const struct cap *slot = message_slot(receiver, n);
        if (step.sent[n].type == OBJECT_none || !slot || slot->type != OBJECT_none)
            continue;
        if (!receiver->captable->dying && slot != step.slot[0])
            step.slot[n] = slot;
    }
}

static void before_message(void)
{
    for (unsigned n = 0; n < 2; n++) {
        const struct cap *sent = message_slot(step.thread, n);
        if (sent)
            step.sent[n] = *sent;
    }
    if (step.receiver)
        before_arrival(step.receiver);
}

static void before_send(uint8_t right)
{
    step.cap = port_cap(step.registers.rdi, right);
    if (!step.cap)
        return;
    step.port = step.cap->object;
    step.receiver = step.port->waiter;
    step.badge = step.cap->port.badge;
    step.count = step.port->count;
    step.pending = step.port->pending | step.badge;
    if (right == RIGHT_SEND)
        before_message();
}

static void before_wait(void)
{
    const struct cap *cap = port_cap(step.registers.rdi, RIGHT_WAIT);
    const struct cap *bell = port_cap(step.registers.rbx, RIGHT_SIGNAL);
    if (!cap)
        return;
    for (unsigned n = 0; n < 2; n++) {
        const struct cap *slot = message_slot(step.thread, n);
        step.no_room = step.no_room || (slot && slot->type != OBJECT_none);
    }
    step.own = cap->object;
    if (step.own->waiter)
        return; /* BUSY, unless the doorbell wakes it */
    step.pending = step.own->pending;
    if (bell && bell->object == step.own)
        step.pending |= bell->port.badge;
    if (step.own->count) {
        const struct port_entry *entry = &step.own->entries[step.own->head];
        memcpy(&step.header, &entry->msg, sizeof(step.header));
        step.tag = entry->msg.tag;
        memcpy(step.w, entry->msg.w, sizeof(step.w));
        step.sent[0] = entry->caps[0];
        step.sent[1] = entry->caps[1];
        before_arrival(step.thread);
    } else if (!list_empty(&step.own->faulted)) {
        const struct thread *faulted = CONTAINER_OF(step.own->faulted.next, struct thread, link);
        const struct registers *r = &faulted->registers;
        step.header = KERNEL_FAULT;
        step.tag = faulted->fault.badge;
        memcpy(step.w,
               (const uint64_t[]){faulted->fault.cause, faulted->fault.address, r->rip, r->rsp,
                                  faulted->fault.error, r->rdi},
               sizeof(step.w));
    }
}

static void before_invoke(void)
{
    const struct registers *r = &step.registers;
    const struct cap *cap = captable_slot(step.thread->captable, r->rdi);
    bool from_own = r->rsi == OPERATION_captable_copy || r->rsi == OPERATION_captable_mint ||
                    r->rsi == OPERATION_captable_move;
    if (cap && cap->type == OBJECT_thread && r->rsi == OPERATION_thread_suspend)
        step.waiter = cap->object;
    if (step.waiter && step.waiter->state != THREAD_WAITING)
        step.waiter = NULL;
    if (cap && (cap->type == OBJECT_page || cap->type == OBJECT_table))
        step.reached = cap->map.space && cap->map.space->dma && !(cap->flags & CAP_FLUSHING) &&
                       ((const struct dmaspace *)cap->map.space)->count;
    step.flushes = sim.iommu.begun;
    if (!cap || cap->type != OBJECT_captable)
        return;
    step.table = cap->object;
    step.source = captable_slot(from_own ? step.thread->captable : step.table, r->rdx);
    if (step.source)
        step.was = *step.source;
    if (from_own)
        step.destination = captable_slot(step.table, r->r10);
    if (step.was.type == OBJECT_none)
        return; /* what stands in an empty slot says nothing */
    for (struct cap *at = step.source; cap_has_children(at); at = at->next)
        step.above = at;
    if (step.was.type == OBJECT_port)
        step.waiter = ((struct port *)step.was.object)->waiter;
}

void check_step_before(void)
{
    check_trace_before(&trace);
    memset(&step, 0, sizeof(step));
    step.thread = sim_cpu.current;
    step.registers = step.thread->registers;
    step.call = step.registers.rax;
    step.operation = step.registers.rsi;
    if (step.call == CALL_send || step.call == CALL_send_wait)
        before_send(RIGHT_SEND);
    else if (step.call == CALL_signal)
        before_send(RIGHT_SIGNAL);
    else if (step.call == CALL_wait)
        before_wait();
    else if (step.call == CALL_invoke)
        before_invoke();
}

/* --- after --- */

/* The n-th capability of the message arrived in `slot`: derived from the sender's. */
static void check_sent(const struct cap *slot, unsigned n)
{
    const struct cap *sent = &step.sent[n];
    ASSERT(slot->type == sent->type && slot->object == sent->object);
    ASSERT(slot->rights == sent->rights && slot->depth == sent->depth + 1);
    ASSERT(slot->type != OBJECT_port || slot->port.badge == sent->port.badge);
}

static void check_queued(void)
{
    unsigned last = (step.port->head + step.count) % PORT_QUEUE_SLOTS;
    const struct msg *msg = &step.port->entries[last].msg;
    const struct registers *r = &step.registers;
    const uint64_t w[MSG_WORDS] = {r->rdx, r->r10, r->r8, r->r9, r->r12, r->r13};
    ASSERT(msg->tag == step.badge);
    ASSERT(memcmp(msg, &r->rsi, sizeof(r->rsi)) == 0 && memcmp(msg->w, w, sizeof(w)) == 0);
    for (unsigned n = 0; n < 2; n++)
        if (step.sent[n].type != OBJECT_none)
            check_sent(&step.port->entries[last].caps[n], n);
}

/* The words of a message as a receiver gets them. */
static void check_words(const struct registers *r, const uint64_t w[MSG_WORDS])
{
    ASSERT(r->rdx == w[0] && r->r10 == w[1] && r->r8 == w[2]);
    ASSERT(r->r9 == w[3] && r->r12 == w[4] && r->r13 == w[5]);
}

static void check_delivered(void)
{
    const struct registers *to = &step.receiver->registers, *r = &step.registers;
    ASSERT(to->rax == OK && to->rdi == 0 && to->rsi == r->rsi && to->rbx == step.badge);
    check_words(to, (const uint64_t[]){r->rdx, r->r10, r->r8, r->r9, r->r12, r->r13});
    ASSERT(to->r14 == ((step.slot[0] ? 1u : 0u) | (step.slot[1] ? 2u : 0u)));
    for (unsigned n = 0; n < 2; n++)
        if (step.slot[n])
            check_sent(step.slot[n], n);
}

/* A send_wait that ends with an error may have sent: seen from what became of the message. */
static void after_send(enum error error)
{
    if (!step.cap)
        return;
    bool delivered = step.receiver && step.port->waiter != step.receiver;
    bool queued = !step.receiver && step.port->count == step.count + 1;
    const struct cap *own = port_cap(step.registers.rbx, RIGHT_WAIT);
    bool taken = step.call == CALL_send_wait && own && own->object == step.port; /* by itself */
    ASSERT(error || delivered || queued || taken);
    if (delivered)
        check_delivered();
    else if (queued)
        check_queued();
}

static void after_signal(enum error error)
{
    if (error || !step.badge)
        return;
    const struct registers *to = step.receiver ? &step.receiver->registers : NULL;
    if (to)
        ASSERT(to->rdi == step.pending && to->rax == OK && to->rsi == 0 && to->r14 == 0 &&
               step.port->waiter == NULL && step.port->pending == 0);
    else
        ASSERT(step.port->pending == step.pending);
}

/* Capabilities of a queued message move from its entry to the receiver's slots. */
static void after_dequeue(const struct registers *r)
{
    ASSERT(r->r14 == ((step.slot[0] ? 1u : 0u) | (step.slot[1] ? 2u : 0u)));
    for (unsigned n = 0; n < 2; n++) {
        const struct cap *slot = step.slot[n], *sent = &step.sent[n];
        if (slot)
            ASSERT(slot->type == sent->type && slot->object == sent->object &&
                   slot->rights == sent->rights && slot->depth == sent->depth);
    }
}

static void after_wait(const struct registers *r, enum error error)
{
    ASSERT(error || !step.no_room);
    if (error || !(step.pending | step.header))
        return; /* refused, or it waits */
    ASSERT(step.thread->state != THREAD_WAITING);
    ASSERT(r->rsi == step.header && r->rdi == step.pending && step.own->pending == 0);
    if (step.header) {
        ASSERT(r->rbx == step.tag);
        check_words(r, step.w);
    }
    after_dequeue(r);
}

static void after_copy(void)
{
    const struct cap *made = step.destination;
    const struct registers *r = &step.registers;
    ASSERT(made->type == step.was.type && made->object == step.was.object);
    ASSERT(made->rights == (step.was.rights & (uint8_t)r->r8));
    ASSERT(made->depth == step.was.depth + 1 && made->prev == step.source);
    ASSERT(made->type != OBJECT_ioport || made->ioport.count == step.was.ioport.count);
    if (made->type != OBJECT_port)
        return;
    bool minted = step.operation == OPERATION_captable_mint;
    ASSERT(made->port.badge == (minted ? r->r9 : step.was.port.badge));
    ASSERT(minted || made->port.share == step.was.port.share);
    const struct port *port = made->object;
    ASSERT(!minted || !r->r12 || port->shares[made->port.share].reserved == r->r12);
}

static void after_move(void)
{
    const struct cap *to = step.destination, *from = step.source;
    ASSERT(from->type == OBJECT_none && to->type == step.was.type);
    ASSERT(to->object == step.was.object && to->rights == step.was.rights);
    ASSERT(to->depth == step.was.depth && to->flags == step.was.flags);
}

/* The table itself may have gone; then its memory says nothing any more. */
static void after_removal(enum error error)
{
    if (step.was.type == OBJECT_captable && step.was.object == step.table)
        return;
    bool revoke = step.operation == OPERATION_captable_revoke;
    uint8_t mark = revoke ? CAP_REVOKING : CAP_DYING;
    if (error == ERROR_MORE) {
        ASSERT(step.source->type == step.was.type && (step.source->flags & mark));
        /* Else more could be derived from it than is removed. */
        ASSERT(!step.above || cap_frozen(step.above));
    }
    if (!error && revoke)
        ASSERT(!cap_has_children(step.source) && !(step.source->flags & CAP_REVOKING));
    else if (!error)
        ASSERT(step.source->type == OBJECT_none);
}

/* A wait that is given up says why. */
static void check_given_up(enum error error)
{
    const struct registers *r = &step.waiter->registers;
    ASSERT(r->rax == error && r->rdi == 0 && r->rsi == 0 && r->r14 == 0);
}

/* What the info operations returned. */
static void after_info(const struct cap *cap)
{
    const struct registers *r = &step.thread->registers;
    const struct cap *slot = step.source;
    switch (step.operation) {
    case OPERATION_untyped_info:
        ASSERT(r->rdx == cap->address && r->r10 == cap->pages && r->r8 == cap->untyped.used);
        break;
    case OPERATION_page_info:
        ASSERT(r->rdx == cap->address && r->r10 == cap->pages);
        ASSERT(r->r8 == (cap->map.space ? cap->map.at : 0));
        break;
    case OPERATION_captable_info:
        ASSERT(r->rdx == slot->type && r->r10 == (slot->type ? slot->rights : 0));
        ASSERT(r->r8 == (slot->type == OBJECT_port ? slot->port.badge : 0));
        break;
    case OPERATION_thread_info:
        ASSERT(r->rdx == ((const struct thread *)cap->object)->state);
        break;
    default:
        break;
    }
}

static void after_thread(const struct registers *r, const struct thread *thread,
                         const struct cap *space)
{
    switch (step.operation) {
    case OPERATION_thread_configure:
        ASSERT(thread->space == space->object && thread->priority == r->r8);
        ASSERT(thread->captable == captable_slot(step.thread->captable, r->r10)->object);
        ASSERT(thread->fault_slot == r->r9 && thread->state == THREAD_SUSPENDED);
        break;
    case OPERATION_thread_suspend:
        ASSERT(thread->state == THREAD_SUSPENDED);
        break;
    case OPERATION_thread_resume:
    case OPERATION_thread_retry:
        ASSERT(thread->state == THREAD_READY || thread->state == THREAD_RUNNING);
        break;
    case OPERATION_thread_set_registers:
        ASSERT(thread->registers.rip == r->rdx && thread->registers.rsp == r->r10);
        ASSERT(thread->registers.rdi == r->r8);
        break;
    default:
        break;
    }
}

static void after_mapping(const struct registers *r, const struct cap *cap, const struct cap *space)
{
    if (step.operation == OPERATION_page_unmap || step.operation == OPERATION_table_unmap)
        ASSERT(!cap->map.space &&
               (!step.reached || (sim.iommu.begun != step.flushes && !sim.iommu.running)));
    if (step.operation == OPERATION_page_map || step.operation == OPERATION_table_map)
        ASSERT(cap->map.space == space->object && cap->map.at == r->r10);
    if (step.operation == OPERATION_page_map && !cap->map.space->dma)
        check_mapped(cap, (uint8_t)r->r8);
}

static void after_irq(const struct registers *r, const struct cap *cap, const struct cap *port)
{
    const struct irq_vector *vector = cap->number ? irq_vector(cap->number) : NULL;
    if (step.operation == OPERATION_irq_bind)
        ASSERT(vector->port == port->object && vector->bit == r->r10);
    else if (step.operation == OPERATION_irq_ack)
        ASSERT(sim_pin(vector->pin)->open);
}

static void after_trace(const struct registers *r)
{
    const struct cap *first = captable_slot(step.thread->captable, r->rdx);
    const struct cap *second = captable_slot(step.thread->captable, r->r10);
    if (step.operation == OPERATION_trace_attach)
        ASSERT(second->flags & CAP_TRACE && sim_cpu.trace.header == phys_to_virt(second->address));
    else if (step.operation == OPERATION_trace_mask)
        ASSERT(sim_cpu.trace.mask == r->r10);
    else if (step.operation == OPERATION_trace_label)
        ASSERT(((const struct space *)first->object)->label == r->r10);
}

static void after_retype(const struct registers *r, const struct cap *untyped)
{
    const struct cap *made = captable_slot(step.thread->captable, r->r8);
    ASSERT(made->type == r->rdx && made->pages == r->r10 && made->prev == untyped);
    ASSERT(made->depth == untyped->depth + 1 && made->flags & CAP_FIRST);
    ASSERT(untyped->untyped.kind == UNTYPED_MEMORY || made->address == r->r9);
}

/* What an operation on another object than a table has made of it. */
static void after_object(const struct registers *r)
{
    struct captable *table = step.thread->captable;
    const struct cap *cap = captable_slot(table, r->rdi), *with = captable_slot(table, r->rdx);
    if (cap->type == OBJECT_thread)
        after_thread(r, cap->object, with);
    else if (cap->type == OBJECT_page || cap->type == OBJECT_table)
        after_mapping(r, cap, with);
    else if (cap->type == OBJECT_irq)
        after_irq(r, cap, with);
    else if (cap->type == OBJECT_trace)
        after_trace(r);
    else if (step.operation == OPERATION_untyped_retype)
        after_retype(r, cap);
    after_info(cap);
}

static void after_invoke(enum error error)
{
    if (!error && step.thread->captable)
        after_object(&step.registers);
    if (step.waiter && step.waiter->state != THREAD_WAITING)
        check_given_up(step.table ? ERROR_PEER_DIED : ERROR_BAD_STATE);
    if (!step.table)
        return;
    if (step.operation == OPERATION_captable_delete || step.operation == OPERATION_captable_revoke)
        after_removal(error);
    else if (error || !step.destination)
        return;
    else if (step.operation == OPERATION_captable_move)
        after_move();
    else
        after_copy();
}

void check_step_after(void)
{
    check_trace_after(&trace);
    const struct registers *r = &step.thread->registers;
    /* A thread that waits has no result yet: its wait was accepted. */
    enum error error = step.thread->state == THREAD_WAITING ? OK : (enum error)r->rax;
    ASSERT(check_error_documented(step.call, step.operation, error));
    if (step.call == CALL_send || step.call == CALL_send_wait)
        after_send(error);
    else if (step.call == CALL_signal)
        after_signal(error);
    else if (step.call == CALL_wait)
        after_wait(r, error);
    else if (step.call == CALL_invoke)
        after_invoke(error);
}

/* --- faults --- */

void check_fault_before(void)
{
    check_trace_before(&trace);
    memset(&step, 0, sizeof(step));
    step.thread = sim_cpu.current;
    step.registers = step.thread->registers;
    step.cap = port_cap(step.thread->fault_slot, RIGHT_SEND);
    if (!step.cap)
        return;
    step.port = step.cap->object;
    step.receiver = step.port->waiter;
    step.badge = step.cap->port.badge;
}

void check_fault_after(uint64_t cause, uint64_t address, uint64_t error)
{
    check_trace_after(&trace);
    const struct thread *thread = step.thread;
    ASSERT(thread->state == THREAD_FAULTED);
    if (!step.port || step.receiver) {
        ASSERT(!thread->port);
    } else {
        ASSERT(thread->port == step.port && thread->fault.badge == step.badge);
        ASSERT(thread->fault.cause == cause && thread->fault.address == address);
        ASSERT(thread->fault.error == error);
    }
    if (!step.receiver)
        return;
    const struct registers *to = &step.receiver->registers, *r = &step.registers;
    ASSERT(to->rax == OK && to->rsi == KERNEL_FAULT && to->rbx == step.badge && to->r14 == 0);
    ASSERT(to->rdx == cause && to->r10 == address && to->r8 == r->rip);
    ASSERT(to->r9 == r->rsp && to->r12 == error && to->r13 == r->rdi);
}

/* --- interrupts --- */

static const struct irq_vector *raised; /* NULL: bound to nothing */

void check_interrupt_before(uint64_t vector)
{
    check_trace_before(&trace);
    memset(&step, 0, sizeof(step));
    bool known = vector >= IRQ_VECTOR_FIRST && vector <= IRQ_VECTOR_LAST;
    raised = known && irq_vector(vector)->port ? irq_vector(vector) : NULL;
    if (!raised)
        return;
    step.port = raised->port;
    step.receiver = step.port->waiter;
    step.badge = 1ull << raised->bit;
    step.pending = step.port->pending | step.badge;
}

void check_interrupt_after(void)
{
    check_trace_after(&trace);
    if (!raised)
        return;
    after_signal(OK);
    ASSERT(!raised->level || !sim_pin(raised->pin)->open);
}

/* --- time --- */

enum { DUE_MAX = 8 }; /* more than the machines of tests have */
static struct thread *due[DUE_MAX];
static int due_count;

static void find_due(const struct deadline *node, uint64_t until)
{
    if (!node)
        return;
    struct thread *thread = CONTAINER_OF(node, struct thread, deadline);
    if (node->time <= until && thread->state == THREAD_WAITING && due_count < DUE_MAX)
        due[due_count++] = thread; /* the others' budgets are refilled: they waited for nothing */
    find_due(node->child[0], until);
    find_due(node->child[1], until);
}

void check_time_before(uint64_t ticks)
{
    check_trace_before(&trace);
    due_count = 0;
    find_due(sim_cpu.deadlines, sim_clock + ticks);
}

void check_time_after(void)
{
    check_trace_after(&trace);
    for (int i = 0; i < due_count; i++) {
        const struct registers *r = &due[i]->registers;
        ASSERT(due[i]->state == THREAD_READY || due[i]->state == THREAD_RUNNING ||
               due[i]->state == THREAD_EXHAUSTED); /* it ran meanwhile */
        /* The fault of a watched thread, whose time was over too, may have come first. */
        ASSERT((r->rax == ERROR_TIMEOUT && r->rdi == 0 && r->rsi == 0 && r->r14 == 0) ||
               (r->rax == OK && r->rsi == KERNEL_FAULT && r->rdx == FAULT_STUCK));
    }
}
