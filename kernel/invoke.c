/* SPDX-License-Identifier: ISC
 *
 * Operations on objects: one function each, found through a table made from calls.def. A function
 * gets a capability of the right type that carries the right the table asks for.
 */
#include "kernel/arch.h"
#include "kernel/captable.h"
#include "kernel/dmaspace.h"
#include "kernel/irq.h"
#include "kernel/port.h"
#include "kernel/space.h"
#include "kernel/syscall.h"
#include "kernel/untyped.h"
#include "motet/rare.h"

/* One invocation: who, on what, with what, and up to three results. */
struct invocation {
    struct thread *thread;
    struct cap *cap;
    uint64_t a[5];
    uint64_t result[3];
};

/* A capability of the caller's own table, of this type. */
static enum error own_cap(struct invocation *i, uint64_t number, enum object type, struct cap **cap)
{
    struct cap *found = captable_slot(i->thread->captable, number);
    if (!found)
        return ERROR_EMPTY_SLOT;
    if (found->type != type)
        return found->type == OBJECT_none ? ERROR_EMPTY_SLOT : ERROR_WRONG_TYPE;
    *cap = found;
    return OK;
}

/* As own_cap, for an object that something new is going to depend on: it must carry `right` and not
 * be on its way out. */
static enum error own_live_cap(struct invocation *i, uint64_t number, enum object type,
                               uint8_t right, struct cap **cap)
{
    enum error error = own_cap(i, number, type, cap);
    if (error)
        return error;
    if (!((*cap)->rights & right))
        return ERROR_NO_RIGHT;
    return cap_frozen(*cap) ? ERROR_BAD_STATE : OK;
}

static RARE enum error invoke_untyped_retype(struct invocation *i)
{
    struct cap *slot;
    enum error error = captable_free_slot(i->thread->captable, i->a[2], &slot);
    if (error)
        return error;
    if (i->a[0] >= OBJECT_COUNT)
        return ERROR_BAD_ARGUMENT;
    return untyped_retype(i->cap, (enum object)i->a[0], i->a[1], i->a[3], i->thread->captable,
                          slot);
}

static RARE enum error invoke_untyped_info(struct invocation *i)
{
    i->result[0] = i->cap->address;
    i->result[1] = i->cap->pages;
    i->result[2] = i->cap->untyped.used;
    return OK;
}

/* The space of a space or dmaspace capability, to map something in. */
static enum error space_to_map_in(struct invocation *i, struct cap **space)
{
    struct cap *found = captable_slot(i->thread->captable, i->a[0]);
    if (!found || found->type == OBJECT_none)
        return ERROR_EMPTY_SLOT;
    if (found->type != OBJECT_space && found->type != OBJECT_dmaspace)
        return ERROR_WRONG_TYPE;
    if (!(found->rights & RIGHT_CONTROL))
        return ERROR_NO_RIGHT;
    *space = found;
    return cap_frozen(found) ? ERROR_BAD_STATE : OK;
}

static enum error invoke_page_map(struct invocation *i)
{
    struct cap *space;
    enum error error = space_to_map_in(i, &space);
    if (error)
        return error;
    if (i->a[2] & ~(uint64_t)(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE))
        return ERROR_BAD_ARGUMENT;
    return cpu_self()->steps.map(space->object, i->cap, i->a[1], (uint8_t)i->a[2], &i->result[0]);
}

static enum error invoke_page_unmap(struct invocation *i)
{
    return cpu_self()->steps.unmap(i->cap);
}

static RARE enum error invoke_page_info(struct invocation *i)
{
    i->result[0] = i->cap->address;
    i->result[1] = i->cap->pages;
    i->result[2] = i->cap->map.space ? i->cap->map.at : 0;
    return OK;
}

static RARE enum error invoke_table_map(struct invocation *i)
{
    struct cap *space;
    enum error error = space_to_map_in(i, &space);
    return error ? error : space_map_table(space->object, i->cap, i->a[1], &i->result[0]);
}

static RARE enum error invoke_table_unmap(struct invocation *i)
{
    return space_unmap_table(i->cap);
}

/* Source slot in the caller's table, empty destination slot in the invoked one. */
static RARE enum error source_and_destination(struct invocation *i, struct cap **from,
                                              struct cap **to)
{
    *from = captable_slot(i->thread->captable, i->a[0]);
    if (!*from || (*from)->type == OBJECT_none)
        return ERROR_EMPTY_SLOT;
    return captable_free_slot(i->cap->object, i->a[1], to);
}

static RARE enum error invoke_captable_copy(struct invocation *i)
{
    struct cap *from, *to;
    enum error error = source_and_destination(i, &from, &to);
    return error ? error : cap_copy(from, to, (uint8_t)i->a[2]);
}

static RARE enum error invoke_captable_mint(struct invocation *i)
{
    struct cap *from, *to;
    uint8_t share = 0;
    enum error error = source_and_destination(i, &from, &to);
    if (error)
        return error;
    if (from->type != OBJECT_port)
        return ERROR_WRONG_TYPE;
    if (!(from->rights & RIGHT_CONTROL) || from->port.badge)
        return ERROR_NO_RIGHT;
    if (i->a[4] > PORT_QUEUE_SLOTS)
        return ERROR_BAD_ARGUMENT;
    if (i->a[4])
        error = port_share_open(from->object, i->a[4], &share);
    if (error)
        return error;
    error = cap_copy(from, to, (uint8_t)i->a[2]);
    if (error) {
        if (share)
            port_share_close(from->object, share);
        return error;
    }
    to->port.badge = i->a[3];
    to->port.share = share;
    if (share)
        to->flags |= CAP_OWNS_SHARE;
    return OK;
}

/* Tables contain each other in a tree (`nesting`), and nothing made of untyped memory is in a table
 * nearer to the tree's root than the memory itself. So following "derived from" and "contained in"
 * never leads in a circle, which is what lets removal end. Both hold at birth; a move keeps them.
 */
static bool move_allowed(const struct invocation *i, const struct cap *from)
{
    const struct captable *own = i->thread->captable, *to = i->cap->object;
    if (from->type == OBJECT_captable)
        return !(from->flags & CAP_FIRST);
    if (from->type != OBJECT_untyped || to->nesting == own->nesting)
        return true;
    return to->nesting > own->nesting && !cap_has_children(from);
}

static RARE enum error invoke_captable_move(struct invocation *i)
{
    struct cap *from, *to;
    enum error error = source_and_destination(i, &from, &to);
    if (error)
        return error;
    if (cap_frozen(from) || !move_allowed(i, from))
        return ERROR_BAD_STATE;
    cap_move(from, to);
    return OK;
}

/* A slot in use of the invoked table. */
static enum error used_slot(struct invocation *i, struct cap **cap)
{
    *cap = captable_slot(i->cap->object, i->a[0]);
    if (!*cap || i->a[0] == 0)
        return ERROR_BAD_ARGUMENT;
    return (*cap)->type == OBJECT_none ? ERROR_EMPTY_SLOT : OK;
}

static RARE enum error invoke_captable_delete(struct invocation *i)
{
    struct cap *cap;
    enum error error = used_slot(i, &cap);
    return error ? error : cap_remove_step(cap, true);
}

static RARE enum error invoke_captable_revoke(struct invocation *i)
{
    struct cap *cap;
    enum error error = used_slot(i, &cap);
    return error ? error : cap_remove_step(cap, false);
}

static RARE enum error invoke_captable_info(struct invocation *i)
{
    const struct cap *cap = captable_slot(i->cap->object, i->a[0]);
    if (!cap)
        return ERROR_BAD_ARGUMENT;
    i->result[0] = cap->type;
    i->result[1] = cap->type == OBJECT_none ? 0 : cap->rights;
    i->result[2] = cap->type == OBJECT_port ? cap->port.badge : 0;
    return OK;
}

static RARE enum error invoke_thread_configure(struct invocation *i)
{
    struct cap *space, *captable;
    enum error error = own_live_cap(i, i->a[0], OBJECT_space, RIGHT_CONTROL, &space);
    if (!error)
        error = own_live_cap(i, i->a[1], OBJECT_captable, RIGHT_CONTROL, &captable);
    if (error)
        return error;
    uint64_t priority = i->a[2], ceiling = i->a[4] ? i->a[4] : priority;
    if (ceiling < priority || ceiling >= PRIORITY_COUNT)
        return ERROR_BAD_ARGUMENT;
    if (ceiling > i->thread->ceiling)
        return ERROR_NO_RIGHT;
    struct thread *thread = i->cap->object;
    error = thread_configure(thread, space->object, captable->object, priority, i->a[3]);
    if (!error)
        thread->ceiling = (uint8_t)ceiling;
    return error;
}

static RARE enum error invoke_thread_set_registers(struct invocation *i)
{
    struct thread *thread = i->cap->object;
    if (thread->state != THREAD_SUSPENDED && thread->state != THREAD_FAULTED)
        return ERROR_BAD_STATE;
    if (i->a[0] >= USER_ADDRESS_END || i->a[1] >= USER_ADDRESS_END)
        return ERROR_BAD_ARGUMENT;
    arch_registers_start(&thread->registers, i->a[0], i->a[1], i->a[2]);
    return OK;
}

static RARE enum error invoke_thread_resume(struct invocation *i)
{
    return cpu_self()->steps.resume(i->cap->object);
}

static RARE enum error invoke_thread_retry(struct invocation *i)
{
    return thread_retry(i->cap->object);
}

static RARE enum error invoke_thread_suspend(struct invocation *i)
{
    thread_suspend(i->cap->object);
    return OK;
}

static RARE enum error invoke_thread_info(struct invocation *i)
{
    const struct thread *thread = i->cap->object;
    i->result[0] = thread->state;
    i->result[1] = thread->registers.rip;
    i->result[2] = thread->registers.rsp;
    return OK;
}

static RARE enum error invoke_thread_budget(struct invocation *i)
{
    return thread_budget(i->cap->object, i->a[0], i->a[1]);
}

static RARE enum error invoke_thread_budget_info(struct invocation *i)
{
    const struct thread *thread = i->cap->object;
    i->result[0] = thread->budget.ran;
    i->result[1] = thread->budget.left;
    i->result[2] = thread->budget.used_up;
    return OK;
}

static RARE enum error invoke_irq_derive(struct invocation *i)
{
    struct cap *slot;
    enum error error = captable_free_slot(i->thread->captable, i->a[1], &slot);
    if (error)
        return error;
    if (i->cap->number != 0)
        return ERROR_BAD_ARGUMENT;
    error = irq_take(i->a[0]);
    if (error)
        return error;
    error = cap_derive(i->cap, slot, RIGHT_ALL);
    if (error) {
        irq_release(i->a[0]);
        return error;
    }
    slot->number = i->a[0];
    slot->flags |= CAP_FIRST;
    return OK;
}

static RARE enum error invoke_irq_bind(struct invocation *i)
{
    struct cap *port;
    enum error error = own_live_cap(i, i->a[0], OBJECT_port, RIGHT_WAIT, &port);
    if (error)
        return error;
    error = irq_bind(i->cap, port->object, i->a[1], i->a[2]);
    if (!error)
        arch_irq_message(i->cap->number, &i->result[0], &i->result[1]);
    return error;
}

static enum error invoke_irq_ack(struct invocation *i)
{
    return irq_ack(i->cap);
}

static RARE enum error invoke_ioport_derive(struct invocation *i)
{
    struct cap *slot;
    uint64_t first = i->a[0], count = i->a[1], end = i->cap->number + i->cap->ioport.count;
    if (first < i->cap->number || first >= end || count == 0 || count > end - first)
        return ERROR_BAD_ARGUMENT;
    enum error error = captable_free_slot(i->thread->captable, i->a[2], &slot);
    if (!error)
        error = cap_derive(i->cap, slot, RIGHT_ALL);
    if (error)
        return error;
    slot->number = first;
    slot->ioport.count = (uint32_t)count;
    return OK;
}

static enum error ioport_range(const struct invocation *i)
{
    uint64_t port = i->a[0], bytes = i->a[1], end = i->cap->number + i->cap->ioport.count;
    if (bytes != 1 && bytes != 2 && bytes != 4)
        return ERROR_BAD_ARGUMENT;
    if (port < i->cap->number || port >= end || bytes > end - port)
        return ERROR_BAD_ARGUMENT;
    return OK;
}

static RARE enum error invoke_ioport_in(struct invocation *i)
{
    enum error error = ioport_range(i);
    if (!error)
        i->result[0] = arch_ioport_in(i->a[0], i->a[1]);
    return error;
}

static RARE enum error invoke_ioport_out(struct invocation *i)
{
    enum error error = ioport_range(i);
    if (!error)
        arch_ioport_out(i->a[0], i->a[1], i->a[2]);
    return error;
}

static RARE enum error invoke_trace_attach(struct invocation *i)
{
    struct cap *page;
    enum error error = own_live_cap(i, i->a[1], OBJECT_page, RIGHT_WRITE, &page);
    if (error)
        return error;
    if (i->a[0] || page->flags & CAP_DEVICE) /* one CPU is started: number 0 */
        return ERROR_BAD_ARGUMENT;
    return trace_attach(cpu_self(), page);
}

static RARE enum error invoke_trace_mask(struct invocation *i)
{
    return i->a[0] ? ERROR_BAD_ARGUMENT : trace_mask(cpu_self(), i->a[1]);
}

static RARE enum error invoke_trace_label(struct invocation *i)
{
    struct cap *space;
    enum error error = own_live_cap(i, i->a[0], OBJECT_space, RIGHT_CONTROL, &space);
    if (error)
        return error;
    if (i->a[1] > UINT16_MAX)
        return ERROR_BAD_ARGUMENT;
    ((struct space *)space->object)->label = (uint16_t)i->a[1];
    return OK;
}

static RARE enum error invoke_iommu_assign(struct invocation *i)
{
    struct cap *dmaspace;
    enum error error = own_live_cap(i, i->a[1], OBJECT_dmaspace, RIGHT_CONTROL, &dmaspace);
    return error ? error : dmaspace_assign(dmaspace->object, i->a[0]);
}

static RARE enum error invoke_iommu_fault(struct invocation *i)
{
    struct iommu_fault fault = {0};
    arch_iommu_fault(&fault);
    i->result[0] = fault.source;
    i->result[1] = fault.address;
    i->result[2] = fault.reason;
    return OK;
}

static const struct {
    enum error (*function)(struct invocation *i);
    uint8_t object;
    uint8_t right;
} operations[OPERATION_COUNT] = {
#define OPERATION(object, name, right, ...)                                                        \
    [OPERATION_##object##_##name] = {invoke_##object##_##name, OBJECT_##object, RIGHT_##right},
#include "motet/calls.def"
};

enum error invoke_handle(struct thread *thread)
{
    struct registers *r = &thread->registers;
    struct invocation i = {.thread = thread, .a = {r->rdx, r->r10, r->r8, r->r9, r->r12}};
    enum error error = own_cap(&i, r->rdi, (enum object)operations[r->rsi].object, &i.cap);
    if (error)
        return error;
    if ((i.cap->rights & operations[r->rsi].right) != operations[r->rsi].right)
        return ERROR_NO_RIGHT;
    error = operations[r->rsi].function(&i);
    r->rdx = i.result[0];
    r->r10 = i.result[1];
    r->r8 = i.result[2];
    return error;
}
