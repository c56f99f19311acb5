/* SPDX-License-Identifier: ISC
 *
 * The direct switch from a sender to the receiver that waits. See fastpath.h.
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
    if (!receiver || receiver->deadline.time || receiver->budget.ticks)
        return false;
    /* The sender would block, and then nobody else would be chosen. */
    struct cpu *cpu = cpu_self();
    if (cpu->budget_end || own->waiter || own->pending | own->count || !list_empty(&own->faulted) ||
        cpu->ready_bits >> receiver->priority)
        return false;

    message_copy(&receiver->registers, from);
    receiver->registers.rbx = cap->port.badge;
    receiver->registers.rax = receiver->registers.rdi = receiver->registers.r14 = 0;
    receiver->state = THREAD_RUNNING;
    receiver->port = NULL;
    port->waiter = NULL;
    from->rax = OK;
    sender->state = THREAD_WAITING;
    sender->port = own;
    own->waiter = sender;
    cpu->current = receiver;
    cpu->slice_end = 0;
    if (receiver->space != cpu->space)
        arch_space_load(receiver->space);
    arch_thread_load(receiver);
    return true;
}
