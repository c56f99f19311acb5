/* SPDX-License-Identifier: ISC
 *
 * The direct switch from who sends or signals, and then waits, to who waits for that. See
 * fastpath.h.
 */
#include "kernel/fastpath.h"

#include "kernel/arch.h"
#include "kernel/captable.h"
#include "kernel/port.h"

static inline const struct cap *port_cap(struct captable *table, uint64_t slot, uint8_t right)
{
    const struct cap *cap = captable_slot(table, slot);
    return cap && cap->type == OBJECT_port && cap->rights & right ? cap : NULL;
}

static inline void message_copy(struct registers *to, const struct registers *from)
{
    to->rsi = from->rsi;
    to->rdx = from->rdx;
    to->r10 = from->r10;
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r12 = from->r12;
    to->r13 = from->r13;
}

/* Is it the waiting `receiver` that runs next, if the running thread waits on `own`? It would
 * block, and then nobody else would be chosen. */
static inline bool receiver_is_next(const struct cpu *cpu, const struct thread *receiver,
                                    const struct port *own)
{
    return receiver && !receiver->deadline.time && !receiver->budget.ticks && !cpu->budget_end &&
           !own->waiter && !(own->pending | own->count) && list_empty(&own->faulted) &&
           !(cpu->ready_bits >> receiver->priority);
}

/* `sender` waits on `own`; the waiter of `port`, whose registers are filled in but for what all
 * have, runs. */
static inline void hand_over(struct cpu *cpu, struct thread *sender, struct port *own,
                             struct port *port)
{
    struct thread *receiver = port->waiter;
    receiver->registers.rax = OK;
    receiver->registers.r14 = 0;
    receiver->state = THREAD_RUNNING;
    receiver->port = NULL;
    port->waiter = NULL;
    sender->registers.rax = OK;
    sender->state = THREAD_WAITING;
    sender->port = own;
    own->waiter = sender;
    cpu->current = receiver;
    cpu->slice_end = 0;
    if (receiver->space != cpu->space)
        arch_space_load(receiver->space);
    arch_thread_load(receiver);
}

bool send_wait_fast(struct thread *sender)
{
    struct registers *from = &sender->registers;
    /* No capabilities go along, no deadline is set, there is a message. */
    if ((from->r14 | from->r15) || !(uint16_t)from->rsi)
        return false;
    const struct cap *cap = port_cap(sender->captable, from->rdi, RIGHT_SEND);
    const struct cap *own_cap = port_cap(sender->captable, from->rbx, RIGHT_WAIT);
    if (!cap || !own_cap)
        return false;
    struct port *port = cap->object, *own = own_cap->object;
    struct thread *receiver = port->waiter;
    struct cpu *cpu = cpu_self();
    if (!receiver_is_next(cpu, receiver, own))
        return false;
    message_copy(&receiver->registers, from);
    receiver->registers.rbx = cap->port.badge;
    receiver->registers.rdi = 0;
    hand_over(cpu, sender, own, port);
    return true;
}

bool wait_fast(struct thread *waiter)
{
    struct registers *from = &waiter->registers;
    /* No capabilities are received, no deadline is set. */
    if (from->r14 | from->r15)
        return false;
    const struct cap *own_cap = port_cap(waiter->captable, from->rdi, RIGHT_WAIT);
    const struct cap *bell = port_cap(waiter->captable, from->rbx, RIGHT_SIGNAL);
    if (!own_cap || !bell || !bell->port.badge)
        return false;
    struct port *port = bell->object, *own = own_cap->object;
    struct thread *receiver = port->waiter;
    struct cpu *cpu = cpu_self();
    if (!receiver_is_next(cpu, receiver, own))
        return false;
    receiver->registers.rdi = bell->port.badge; /* nothing else is pending where somebody waits */
    receiver->registers.rsi = 0;
    hand_over(cpu, waiter, own, port);
    return true;
}
