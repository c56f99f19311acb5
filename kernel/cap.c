/* SPDX-License-Identifier: ISC
 *
 * Capabilities: deriving, moving, removing. See cap.h for the invariants.
 */
#include "kernel/cap.h"

#include "kernel/arch.h"
#include "kernel/captable.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/space.h"
#include "kernel/thread.h"

enum error cap_derive(struct cap *parent, struct cap *child, uint8_t rights)
{
    ASSERT(child->type == OBJECT_none);
    if (parent->depth >= DERIVATION_DEPTH_MAX)
        return ERROR_LIMIT;
    if (cap_frozen(parent))
        return ERROR_BAD_STATE;
    *child = (struct cap){
        .type = parent->type,
        .rights = parent->rights & rights,
        .depth = (uint8_t)(parent->depth + 1),
        .flags = parent->flags & CAP_DEVICE,
        .pages = parent->pages,
        .object = parent->object,
        .prev = parent,
        .next = parent->next,
    };
    if (child->next)
        child->next->prev = child;
    parent->next = child;
    DEBUG_CHECK(cap_check(parent));
    return OK;
}

enum error cap_copy(struct cap *parent, struct cap *child, uint8_t rights)
{
    /* Two capabilities for one stretch of untyped memory could make two objects of it; a table has
     * one place in one space. */
    if (parent->type == OBJECT_untyped || parent->type == OBJECT_table)
        return ERROR_WRONG_TYPE;
    enum error error = cap_derive(parent, child, rights);
    if (error)
        return error;
    if (child->type == OBJECT_port)
        child->port = parent->port;
    else if (child->type == OBJECT_ioport)
        child->ioport = parent->ioport;
    else if (child->type == OBJECT_page)
        list_init(&child->map.maps);
    return OK;
}

void cap_move(struct cap *from, struct cap *to)
{
    ASSERT(from->type != OBJECT_none && to->type == OBJECT_none);
    *to = *from;
    if (to->prev)
        to->prev->next = to;
    if (to->next)
        to->next->prev = to;
    if (to->type == OBJECT_page || to->type == OBJECT_table) {
        list_init(&to->map.maps);
        if (to->map.space)
            list_replace(&from->map.maps, &to->map.maps);
    }
    from->type = OBJECT_none;
    DEBUG_CHECK(cap_check(to));
}

/* The object of a CAP_FIRST capability goes: one step. False when it is gone. */
static bool object_release(struct cap *cap)
{
    switch (cap->type) {
    case OBJECT_space:
    case OBJECT_dmaspace: /* begins with its space */
        return space_release(cap->object);
    case OBJECT_captable: /* its slots are emptied by cap_remove_step */
        return captable_release_thread(cap->object);
    case OBJECT_thread:
        thread_release(cap->object);
        return false;
    case OBJECT_port:
        return port_release(cap->object);
    case OBJECT_irq:
        irq_release(cap->number);
        return false;
    default:
        return false;
    }
}

/* What a capability holds beside its object goes: one step. False when it holds nothing more. */
static bool cap_release(struct cap *cap)
{
    if (cap->type == OBJECT_page && cap->flags & CAP_TRACE)
        trace_forget(cap);
    if (cap->type == OBJECT_page && cap->map.space) {
        if (cpu_self()->steps.unmap(cap) == ERROR_MORE)
            return true;
    } else if (cap->type == OBJECT_table && cap->map.space) {
        enum error error = space_unmap_table(cap);
        if (error == ERROR_MORE)
            return true;
        /* A table that is in use goes together with what its space has mapped. */
        if (error == ERROR_BAD_STATE)
            return space_release(cap->map.space);
    } else if (cap->type == OBJECT_port && cap->flags & CAP_OWNS_SHARE) {
        port_share_close(cap->object, cap->port.share);
        cap->flags &= (uint8_t)~CAP_OWNS_SHARE;
    }
    return (cap->flags & CAP_FIRST) && object_release(cap);
}

static void cap_unlink(struct cap *cap)
{
    ASSERT(!cap_has_children(cap));
    DEBUG_CHECK(cap_check(cap));
    if (cap->prev)
        cap->prev->next = cap->next;
    if (cap->next)
        cap->next->prev = cap->prev;
    cap->type = OBJECT_none;
}

/* The capability to take next so that `root` can go: a leaf, or inside a table a leaf below one of
 * its slots. Everything passed is marked, so that nothing is derived from it any more. Bounded by
 * DERIVATION_DEPTH_MAX x CAPTABLE_NESTING_MAX steps. NULL: a table's search isn't over. */
static struct cap *removal_victim(struct cap *root, bool self)
{
    struct cap *cap = root;
    root->flags |= self ? CAP_DYING : CAP_REVOKING;
    for (;;) {
        if (cap != root)
            cap->flags |= CAP_DYING;
        if (cap_has_children(cap)) {
            cap = cap->next;
            continue;
        }
        if (cap->type != OBJECT_captable || !(cap->flags & CAP_FIRST))
            return cap;
        bool more = false;
        struct captable *table = cap->object;
        table->dying = 1;
        struct cap *inside = captable_any(table, &more);
        if (more)
            return NULL;
        if (!inside)
            return cap;
        cap = inside;
    }
}

enum error cap_remove_step(struct cap *cap, bool self)
{
    if (!self && !cap_has_children(cap)) {
        cap->flags &= (uint8_t)~CAP_REVOKING;
        return OK;
    }
    struct cap *victim = removal_victim(cap, self);
    if (!victim || cap_release(victim))
        return ERROR_MORE;
    cap_unlink(victim);
    if (self)
        return victim == cap ? OK : ERROR_MORE;
    return ERROR_MORE;
}

static uint64_t cap_first_byte(const struct cap *cap)
{
    return cap->address;
}

void cap_check(const struct cap *cap)
{
    ASSERT(cap->type > OBJECT_none && cap->type < OBJECT_COUNT);
    ASSERT(cap->depth <= DERIVATION_DEPTH_MAX);
    ASSERT(!cap->next || cap->next->prev == cap);
    ASSERT(!cap->prev || cap->prev->next == cap);
    ASSERT(!cap->next || cap->next->depth <= cap->depth + 1);
    const struct cap *child = cap->next;
    if (!child || child->depth <= cap->depth)
        return;
    if (cap->type != OBJECT_untyped) {
        ASSERT(child->type == cap->type);
        ASSERT((child->rights & ~cap->rights) == 0);
        ASSERT(cap->type == OBJECT_irq || cap->type == OBJECT_ioport ||
               child->object == cap->object);
    } else if (child->type == OBJECT_untyped || child->type == OBJECT_page) {
        ASSERT(cap_first_byte(child) >= cap->address);
        ASSERT(cap_first_byte(child) + child->pages * (uint64_t)PAGE_BYTES <=
               cap->address + cap->pages * (uint64_t)PAGE_BYTES);
    }
}
