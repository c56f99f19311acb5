/* SPDX-License-Identifier: ISC
 *
 * Retyping untyped memory into objects. See untyped.h.
 */
#include "kernel/untyped.h"

#include "kernel/arch.h"
#include "kernel/dmaspace.h"
#include "kernel/port.h"
#include "kernel/space.h"
#include "kernel/thread.h"

/* How many pages an object of this type may have. */
static bool size_allowed(enum object type, uint64_t pages)
{
    switch (type) {
    case OBJECT_untyped:
        return pages >= 1;
    case OBJECT_page:
        return pages >= 1 && pages <= PAGE_RUN_MAX;
    case OBJECT_captable:
        return pages >= 1 && pages <= CAPTABLE_PAGES_MAX;
    case OBJECT_space:
        return pages == SPACE_PAGES;
    case OBJECT_dmaspace:
        return pages == DMASPACE_PAGES;
    case OBJECT_table:
    case OBJECT_thread:
    case OBJECT_port:
        return pages == 1;
    default:
        return false;
    }
}

static uint8_t rights_at_birth(enum object type, uint32_t kind)
{
    switch (type) {
    case OBJECT_page:
        if (kind == UNTYPED_IMAGE) /* shared by all who start from it: never written */
            return RIGHT_READ | RIGHT_EXECUTE | RIGHT_CONTROL;
        if (kind == UNTYPED_DEVICE) /* no device is pointed at another one */
            return RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_CONTROL;
        return RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_DMA | RIGHT_CONTROL;
    case OBJECT_port:
        return RIGHT_SEND | RIGHT_SIGNAL | RIGHT_WAIT | RIGHT_CONTROL;
    case OBJECT_thread:
        return RIGHT_CONTROL | RIGHT_SIGNAL;
    default:
        return RIGHT_CONTROL;
    }
}

/* Clears up to `end` (pages from the start), a bounded piece at a time. True when it is done. */
static bool clear_up_to(struct cap *untyped, uint64_t end)
{
    uint64_t first = untyped->untyped.cleared;
    if (first < untyped->untyped.used)
        first = untyped->untyped.used;
    if (first >= end)
        return true;
    uint64_t pages = end - first;
    if (pages > UNTYPED_CLEAR_PAGES)
        pages = UNTYPED_CLEAR_PAGES;
    arch_clear(phys_to_virt(untyped->address + first * PAGE_BYTES), pages * PAGE_BYTES);
    untyped->untyped.cleared = first + pages;
    return first + pages == end;
}

/* Where the next object starts, in pages from the start; *address for device memory. */
static enum error place(struct cap *untyped, enum object type, uint64_t pages, uint64_t address,
                        uint64_t *first)
{
    bool memory = untyped->untyped.kind == UNTYPED_MEMORY;
    bool unused = memory && !cap_has_children(untyped); /* all of it is free, perhaps again */
    if (!memory && type != OBJECT_page)
        return ERROR_BAD_ARGUMENT;
    if (memory && type == OBJECT_untyped && address > UNTYPED_PAGES_ONLY)
        return ERROR_BAD_ARGUMENT;
    if (untyped->flags & CAP_PAGES_ONLY && type != OBJECT_page && type != OBJECT_untyped)
        return ERROR_BAD_ARGUMENT;
    if (!memory && (address < untyped->address || address % PAGE_BYTES))
        return ERROR_BAD_ARGUMENT;
    if (memory)
        *first = unused ? 0 : untyped->untyped.used;
    else
        *first = (address - untyped->address) / PAGE_BYTES;
    if (*first > untyped->pages || pages > untyped->pages - *first)
        return ERROR_NO_MEMORY;
    if (unused && untyped->untyped.used)
        untyped->untyped.used = untyped->untyped.cleared = 0;
    if (memory && type != OBJECT_untyped && !clear_up_to(untyped, *first + pages))
        return ERROR_MORE;
    return OK;
}

static void object_init(enum object type, void *memory, uint32_t pages, struct captable *maker)
{
    switch (type) {
    case OBJECT_captable:
        captable_init(memory, pages, (uint8_t)(maker->nesting + 1));
        break;
    case OBJECT_space:
        space_init(memory);
        break;
    case OBJECT_dmaspace:
        dmaspace_init(memory);
        break;
    case OBJECT_thread:
        thread_init(memory);
        break;
    case OBJECT_port:
        port_init(memory);
        break;
    default:
        break;
    }
}

enum error untyped_retype(struct cap *untyped, enum object type, uint64_t pages, uint64_t address,
                          struct captable *table, struct cap *slot)
{
    if (!size_allowed(type, pages))
        return ERROR_BAD_ARGUMENT;
    if (type == OBJECT_captable && table->nesting >= CAPTABLE_NESTING_MAX)
        return ERROR_LIMIT;
    if (untyped->depth >= DERIVATION_DEPTH_MAX)
        return ERROR_LIMIT;
    if (cap_frozen(untyped))
        return ERROR_BAD_STATE;
    uint64_t first;
    enum error error = place(untyped, type, pages, address, &first);
    if (error)
        return error;
    error = cap_derive(untyped, slot, RIGHT_ALL);
    if (error)
        return error;
    uint64_t start = untyped->address + first * PAGE_BYTES;
    bool by_address = type == OBJECT_untyped || type == OBJECT_page;
    slot->type = (uint8_t)type;
    slot->rights = rights_at_birth(type, untyped->untyped.kind);
    slot->flags = CAP_FIRST;
    if (untyped->untyped.kind == UNTYPED_DEVICE)
        slot->flags |= CAP_DEVICE;
    if (type == OBJECT_untyped &&
        (address == UNTYPED_PAGES_ONLY || untyped->flags & CAP_PAGES_ONLY))
        slot->flags |= CAP_PAGES_ONLY;
    slot->pages = (uint32_t)pages;
    if (by_address)
        slot->address = start;
    else
        slot->object = phys_to_virt(start);
    if (untyped->untyped.kind == UNTYPED_MEMORY)
        untyped->untyped.used = first + pages;
    if (type == OBJECT_page || type == OBJECT_table)
        list_init(&slot->map.maps);
    if (!by_address)
        object_init(type, slot->object, (uint32_t)pages, table);
    return OK;
}
