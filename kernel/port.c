/* SPDX-License-Identifier: ISC
 *
 * Message ports: sending, signalling, waiting. See port.h for the invariants and motet/abi.h for
 * which register means what.
 */
#include "kernel/port.h"

#include "kernel/counters.h"
#include "kernel/captable.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "motet/rare.h"

RARE void port_init(struct port *port)
{
    list_init(&port->faulted);
    port->shares[0].reserved = PORT_QUEUE_SLOTS;
}

RARE enum error port_share_open(struct port *port, uint64_t slots, uint8_t *share)
{
    struct port_share *rest = &port->shares[0];
    if (slots > rest->reserved || rest->reserved - slots < rest->used)
        return ERROR_LIMIT;
    for (uint8_t i = 1; i <= PORT_SHARES; i++) {
        struct port_share *free = &port->shares[i];
        if (free->reserved)
            continue;
        *free = (struct port_share){.reserved = (uint8_t)slots};
        rest->reserved -= (uint8_t)slots;
        *share = i;
        DEBUG_CHECK(port_check(port));
        return OK;
    }
    return ERROR_LIMIT;
}

static void share_end_if_unused(struct port *port, struct port_share *share)
{
    if (!share->closing || share->used)
        return;
    port->shares[0].reserved += share->reserved;
    *share = (struct port_share){0};
}

RARE void port_share_close(struct port *port, uint8_t share)
{
    ASSERT(share != 0 && !port->shares[share].closing);
    port->shares[share].closing = 1;
    share_end_if_unused(port, &port->shares[share]);
    DEBUG_CHECK(port_check(port));
}

/* Puts a message into the registers with which a wait returns. */
static void set_message(struct registers *to, uint64_t header, uint64_t badge, const uint64_t *w)
{
    to->rsi = header;
    to->rbx = badge;
    to->rdx = w[0];
    to->r10 = w[1];
    to->r8 = w[2];
    to->r9 = w[3];
    to->r12 = w[4];
    to->r13 = w[5];
}

static void set_result(struct registers *to, enum error error, uint64_t pending)
{
    to->rax = error;
    to->rdi = pending;
}

/* No message, no bits. */
static void set_nothing(struct registers *to)
{
    to->rdi = to->rsi = to->r14 = 0;
}

/* The slot for the n-th capability of a message, as the receiver asked in r14; NULL: none. */
static struct cap *receive_slot(struct thread *receiver, unsigned n)
{
    uint64_t number = receiver->registers.r14 >> (32 * n) & UINT32_MAX;
    struct cap *slot;
    if (!receiver->captable || captable_free_slot(receiver->captable, number, &slot) != OK)
        return NULL;
    return slot;
}

/* The capability that a sender's r14 names as the n-th to go along; NULL: none. */
static enum error sent_cap(struct thread *sender, unsigned n, struct cap **cap)
{
    uint64_t number = sender->registers.r14 >> (32 * n) & UINT32_MAX;
    *cap = NULL;
    if (!number)
        return OK;
    struct cap *found = captable_slot(sender->captable, number);
    if (!found || found->type == OBJECT_none)
        return ERROR_EMPTY_SLOT;
    if (found->type == OBJECT_untyped || found->type == OBJECT_table)
        return ERROR_WRONG_TYPE;
    if (found->depth >= DERIVATION_DEPTH_MAX || cap_frozen(found))
        return ERROR_LIMIT;
    *cap = found;
    return OK;
}

/* Straight from the sender's registers to the waiting receiver's. */
static void deliver(struct port *port, struct thread *sender, struct cap *caps[2], uint64_t badge)
{
    struct thread *receiver = port->waiter;
    struct registers *from = &sender->registers, *to = &receiver->registers;
    uint64_t arrived = 0;
    if (caps[0] || caps[1]) {
        struct cap *slots[2] = {receive_slot(receiver, 0), receive_slot(receiver, 1)};
        for (unsigned n = 0; n < 2; n++)
            if (caps[n] && slots[n] && slots[n]->type == OBJECT_none)
                arrived |= (cap_copy(caps[n], slots[n], RIGHT_ALL) == OK ? 1u : 0u) << n;
    }
    to->rsi = from->rsi;
    to->rbx = badge;
    to->rdx = from->rdx;
    to->r10 = from->r10;
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = arrived;
    set_result(to, OK, 0);
    port->waiter = NULL;
    cpu_self()->steps.wake(receiver);
}

static enum error enqueue(struct port *port, struct thread *sender, struct cap *caps[2],
                          const struct cap *cap)
{
    struct port_share *share = &port->shares[cap->port.share];
    if (share->used >= share->reserved)
        return ERROR_FULL;
    ASSERT(port->count < PORT_QUEUE_SLOTS);
    unsigned index = (port->head + port->count) % PORT_QUEUE_SLOTS;
    struct port_entry *entry = &port->entries[index];
    const struct registers *from = &sender->registers;
    __builtin_memcpy(&entry->msg, &from->rsi, 8);
    entry->msg.tag = cap->port.badge;
    entry->msg.w[0] = from->rdx;
    entry->msg.w[1] = from->r10;
    entry->msg.w[2] = from->r8;
    entry->msg.w[3] = from->r9;
    entry->msg.w[4] = from->r12;
    entry->msg.w[5] = from->r13;
    for (unsigned n = 0; n < 2; n++)
        if (caps[n])
            cap_copy(caps[n], &entry->caps[n], RIGHT_ALL);
    port->entry_share[index] = cap->port.share;
    share->used++;
    port->count++;
    DEBUG_CHECK(port_check(port));
    return OK;
}

enum error port_send(struct thread *sender, struct cap *cap)
{
    struct port *port = cap->object;
    struct cap *caps[2] = {NULL, NULL};
    if ((sender->registers.rsi & 0xffff) == 0)
        return ERROR_BAD_ARGUMENT;
    if (sender->registers.r14) {
        enum error error = sent_cap(sender, 0, &caps[0]);
        if (!error)
            error = sent_cap(sender, 1, &caps[1]);
        if (error)
            return error;
    }
    if (!port->waiter)
        return enqueue(port, sender, caps, cap);
    deliver(port, sender, caps, cap->port.badge);
    return OK;
}

void port_signal(struct port *port, uint64_t bits)
{
    port->pending |= bits;
    struct thread *waiter = port->waiter;
    if (!waiter)
        return;
    set_result(&waiter->registers, OK, port->pending);
    waiter->registers.rsi = 0;
    waiter->registers.r14 = 0;
    port->pending = 0;
    port->waiter = NULL;
    cpu_self()->steps.wake(waiter);
}

/* Hands the oldest queued message to `receiver`. */
static void dequeue(struct port *port, struct thread *receiver)
{
    unsigned index = port->head;
    struct port_entry *entry = &port->entries[index];
    uint64_t header, arrived = 0;
    __builtin_memcpy(&header, &entry->msg, 8);
    for (unsigned n = 0; n < 2; n++) {
        if (entry->caps[n].type == OBJECT_none)
            continue;
        struct cap *slot = receive_slot(receiver, n);
        if (slot) {
            cap_move(&entry->caps[n], slot);
            arrived |= 1u << n;
        } else {
            /* A copy in transit has no descendants and owns nothing: one step removes it. */
            cap_remove_step(&entry->caps[n], true);
        }
    }
    set_message(&receiver->registers, header, entry->msg.tag, entry->msg.w);
    receiver->registers.r14 = arrived;
    port->head = (uint8_t)((index + 1) % PORT_QUEUE_SLOTS);
    port->count--;
    struct port_share *share = &port->shares[port->entry_share[index]];
    ASSERT(share->used > 0);
    share->used--;
    share_end_if_unused(port, share);
    DEBUG_CHECK(port_check(port));
}

/* The message about a fault, made when it is taken: it needs no room in the queue. */
static void deliver_fault(struct thread *faulted, struct thread *receiver)
{
    const struct registers *r = &faulted->registers;
    uint64_t w[MSG_WORDS] = {
        faulted->fault.cause, faulted->fault.address, r->rip, r->rsp, faulted->fault.error, r->rdi};
    list_remove(&faulted->link);
    faulted->port = NULL;
    /* A header with flags and status zero is the operation alone. */
    set_message(&receiver->registers, KERNEL_FAULT, faulted->fault.badge, w);
    receiver->registers.r14 = 0;
}

void port_fault(struct port *port, struct thread *thread)
{
    struct thread *waiter = port->waiter;
    if (!waiter) {
        thread->port = port;
        list_append(&port->faulted, &thread->link);
        return;
    }
    deliver_fault(thread, waiter);
    set_result(&waiter->registers, OK, 0);
    port->waiter = NULL;
    cpu_self()->steps.wake(waiter);
}

enum error port_wait(struct thread *thread, struct cap *cap)
{
    struct port *port = cap->object;
    struct registers *r = &thread->registers;
    if (port->waiter)
        return ERROR_BUSY;
    if (thread_is_watched(thread))
        thread_waits(cpu_self(), thread);
    if (port->pending | port->count || !list_empty(&port->faulted)) {
        uint64_t pending = port->pending;
        port->pending = 0;
        if (port->count) {
            dequeue(port, thread);
        } else if (!list_empty(&port->faulted)) {
            deliver_fault(CONTAINER_OF(port->faulted.next, struct thread, link), thread);
        } else {
            r->rsi = 0;
            r->r14 = 0;
        }
        r->rdi = pending;
        return OK;
    }
    if (r->r15 && r->r15 <= arch_clock()) {
        set_nothing(r);
        return ERROR_TIMEOUT;
    }
    port->waiter = thread;
    thread->port = port;
    if (r->r15)
        deadline_set(cpu_self(), thread, r->r15);
    thread_block(thread, THREAD_WAITING);
    return OK;
}

void port_wait_end(struct thread *thread, enum error error)
{
    set_nothing(&thread->registers);
    thread->registers.rax = error;
    counters_refused(CALL_wait, error);
}

RARE bool port_release(struct port *port)
{
    if (port->waiter) {
        struct thread *waiter = port->waiter;
        port_wait_end(waiter, ERROR_PEER_DIED);
        port->waiter = NULL;
        cpu_self()->steps.wake(waiter);
    }
    irq_forget_port(port);
    if (!list_empty(&port->faulted)) {
        struct thread *thread = CONTAINER_OF(port->faulted.next, struct thread, link);
        list_remove(&thread->link);
        thread->port = NULL;
        return true;
    }
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        for (int n = 0; n < 2; n++)
            if (port->entries[i].caps[n].type != OBJECT_none)
                cap_remove_step(&port->entries[i].caps[n], true);
    port->count = 0;
    return false;
}

void port_check(const struct port *port)
{
    unsigned reserved = 0, used = 0;
    for (int i = 0; i <= PORT_SHARES; i++) {
        ASSERT(port->shares[i].used <= port->shares[i].reserved);
        reserved += port->shares[i].reserved;
        used += port->shares[i].used;
    }
    ASSERT(reserved == PORT_QUEUE_SLOTS && used == port->count);
    if (port->waiter)
        ASSERT(!port->pending && !port->count && list_empty(&port->faulted));
}
