/* SPDX-License-Identifier: ISC
 *
 * The six system calls. Arguments are register values and slots, never pointers.
 */
#include "kernel/syscall.h"

#include "kernel/arch.h"
#include "kernel/captable.h"
#include "kernel/counters.h"
#include "kernel/port.h"

/* The port capability in the caller's slot `number`, if it carries `right`. */
static inline enum error port_cap(struct thread *thread, uint64_t number, uint8_t right,
                                  struct cap **cap)
{
    struct cap *found = captable_slot(thread->captable, number);
    if (!found)
        return ERROR_EMPTY_SLOT;
    if (found->type != OBJECT_port)
        return found->type == OBJECT_none ? ERROR_EMPTY_SLOT : ERROR_WRONG_TYPE;
    if (!(found->rights & right))
        return ERROR_NO_RIGHT;
    *cap = found;
    return OK;
}

static enum error call_send(struct thread *thread)
{
    struct cap *cap;
    enum error error = port_cap(thread, thread->registers.rdi, RIGHT_SEND, &cap);
    return error ? error : cpu_self()->steps.send(thread, cap);
}

static enum error call_signal(struct thread *thread)
{
    struct cap *cap;
    enum error error = port_cap(thread, thread->registers.rdi, RIGHT_SIGNAL, &cap);
    if (error)
        return error;
    if (cap->port.badge)
        cpu_self()->steps.signal(cap->object, cap->port.badge);
    return OK;
}

/* The receive slots in r14 must be empty before anything is taken. */
static enum error receive_slots_free(struct thread *thread)
{
    uint64_t r14 = thread->registers.r14;
    for (int n = 0; r14; n++, r14 >>= 32) {
        struct cap *slot;
        uint64_t number = r14 & UINT32_MAX;
        enum error error = number ? captable_free_slot(thread->captable, number, &slot) : OK;
        if (error)
            return error;
    }
    return OK;
}

/* A doorbell may be rung on the way: whoever has nothing left to do but to tell a peer saves an
 * entry and, if the peer is the more important one, a switch there and back. */
/* Not inline, nor is the next: what they keep in registers the short calls would save and restore.
 */
__attribute__((noinline)) static enum error call_wait(struct thread *thread)
{
    struct cap *cap, *bell = NULL;
    enum error error = port_cap(thread, thread->registers.rdi, RIGHT_WAIT, &cap);
    if (!error)
        error = receive_slots_free(thread);
    if (!error && thread->registers.rbx)
        error = port_cap(thread, thread->registers.rbx, RIGHT_SIGNAL, &bell);
    if (error)
        return error;
    if (bell && bell->port.badge)
        cpu_self()->steps.signal(bell->object, bell->port.badge);
    return port_wait(thread, cap);
}

__attribute__((noinline)) static enum error call_send_wait(struct thread *thread)
{
    struct cap *to, *own;
    enum error error = port_cap(thread, thread->registers.rdi, RIGHT_SEND, &to);
    if (!error)
        error = port_cap(thread, thread->registers.rbx, RIGHT_WAIT, &own);
    if (!error)
        error = cpu_self()->steps.send(thread, to);
    if (error)
        return error;
    thread->registers.r14 = 0; /* nothing is received into slots */
    return port_wait(thread, own);
}

static inline enum error counted(uint64_t row, enum error error)
{
    if (__builtin_expect(error != OK, 0))
        counters_refused(row, error);
    return error;
}

/* The operation is in its register still, for one that was refused. */
static enum error call_invoke(struct thread *thread)
{
    if (thread->registers.rsi >= OPERATION_COUNT)
        return counted(CALL_invoke, ERROR_UNKNOWN_CALL);
    enum error error = invoke_handle(thread);
    return counted(COUNTED_OPERATIONS + thread->registers.rsi, error);
}

void syscall_handle(struct thread *thread)
{
    enum error error;
    switch (thread->registers.rax) {
    case CALL_send:
        error = counted(CALL_send, call_send(thread));
        break;
    case CALL_signal:
        error = counted(CALL_signal, call_signal(thread));
        break;
    case CALL_wait:
        if (thread->registers.rbx && cpu_self()->steps.wait_fast(thread))
            return;
        error = counted(CALL_wait, call_wait(thread));
        break;
    case CALL_send_wait:
        if (cpu_self()->steps.send_wait_fast(thread))
            return;
        error = counted(CALL_send_wait, call_send_wait(thread));
        break;
    case CALL_yield:
        thread_yield(thread);
        error = OK;
        break;
    case CALL_invoke:
        error = call_invoke(thread);
        break;
    default:
        error = counted(COUNTED_UNKNOWN_CALL, ERROR_UNKNOWN_CALL);
    }
    thread->registers.rax = error;
}
