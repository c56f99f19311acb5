/* SPDX-License-Identifier: ISC
 *
 * Capabilities and the derivation tree.
 *
 * A capability lives in a slot: 64 bytes in a capability table or in a port's queue entry. All
 * capabilities of the machine form one doubly linked list that is a preorder walk of the derivation
 * tree: what follows a capability with a greater depth is derived from it.
 *
 * Invariants:
 *  - a derived capability has at most its parent's rights and names the same object or a part;
 *  - the first capability of an object (CAP_FIRST, made by retype) is an ancestor of all others of
 *    it; it goes last, and takes the object with it;
 *  - a capability with descendants isn't removed before them (cap_remove_step works leaf first), so
 *    no capability ever names an object that is gone;
 *  - depth is at most DERIVATION_DEPTH_MAX, which bounds the walk to a leaf.
 */
#ifndef KERNEL_CAP_H
#define KERNEL_CAP_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/list.h"
#include "motet/abi.h"

struct space;

enum cap_flag {
    CAP_FIRST = 1u << 0,  /* the object lives and dies with this one */
    CAP_DYING = 1u << 1,  /* being removed with all that is derived: nothing new may be derived */
    CAP_DEVICE = 1u << 2, /* page: device memory, mapped uncached; inherited */
    /* One bit, that says something else of each type. */
    CAP_OWNS_SHARE = 1u << 3, /* port: the share of the queue ends with this one */
    CAP_TRACE = 1u << 3,      /* page: a CPU's trace ring, until this one goes */
    CAP_PAGES_ONLY = 1u << 3, /* untyped: only pages and such memory are made of it; inherited */
    CAP_REVOKING = 1u << 4,   /* what is derived is being removed: nothing new until that is done */
    /* page, table: its entries in a dmaspace are gone, but it stays mapped until the invalidation
     * with this ticket (iommu.h), in the two bits above, is over. */
    CAP_FLUSHING = 1u << 5,
    CAP_TICKET_SHIFT = 6,
};

struct cap {
    uint8_t type;   /* enum object; OBJECT_none: the slot is empty */
    uint8_t rights; /* enum right */
    uint8_t depth;  /* in the derivation tree; roots have 0 */
    uint8_t flags;  /* enum cap_flag */
    uint32_t pages; /* untyped, page, captable: size of the object */
    union {
        void *object;     /* kernel address (direct map) */
        uint64_t address; /* untyped, page: physical address */
        uint64_t number;  /* irq: vector, 0 for the source of all; ioport: first port */
    };
    struct cap *prev, *next; /* derivation order; NULL at the ends */
    union {
        struct {                 /* page, table */
            uint64_t at;         /* user address, when `space` isn't NULL */
            struct space *space; /* where it is mapped */
            struct list maps;    /* in space->maps */
        } map;
        struct {              /* untyped */
            uint64_t used;    /* pages handed out, from the start */
            uint64_t cleared; /* pages known to be zero, from the start */
            uint32_t kind;    /* enum untyped_kind */
        } untyped;
        struct { /* port */
            uint64_t badge;
            uint8_t share; /* index into the port's shares */
        } port;
        struct { /* ioport */
            uint32_t count;
        } ioport;
    };
};
_Static_assert(sizeof(struct cap) == 64, "a slot is one cache line");

/* Makes `child`, an empty slot, the newest capability derived from `parent`, with the parent's
 * object and at most `rights`. ERROR_LIMIT when the tree would get too deep, ERROR_BAD_STATE when
 * the parent is going away. The caller fills in what its type needs. */
enum error cap_derive(struct cap *parent, struct cap *child, uint8_t rights);

/* As cap_derive, and copies what a plain copy carries over (badge and share, not a mapping). */
enum error cap_copy(struct cap *parent, struct cap *child, uint8_t rights);

/* Moves a capability to an empty slot; its place in the tree stays. */
void cap_move(struct cap *from, struct cap *to);

/* Going away, or losing what is derived: nothing may be derived from it now, nor bound to it. */
static inline bool cap_frozen(const struct cap *cap)
{
    return cap->flags & (CAP_DYING | CAP_REVOKING);
}

static inline bool cap_has_children(const struct cap *cap)
{
    return cap->next && cap->next->depth > cap->depth;
}

/* Takes one bounded step towards removing all that is derived from `cap`, and with `self` also
 * `cap`. OK: finished; ERROR_MORE: call again. */
enum error cap_remove_step(struct cap *cap, bool self);

/* Panics if the invariants above don't hold around `cap`. */
void cap_check(const struct cap *cap);

#endif
