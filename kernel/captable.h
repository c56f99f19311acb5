/* SPDX-License-Identifier: ISC
 *
 * A capability table: 1 to CAPTABLE_PAGES_MAX pages of slots. A slot number is an index, so a
 * lookup costs the same in any table. Slot 0 holds the table's header and reads as an empty slot.
 */
#ifndef KERNEL_CAPTABLE_H
#define KERNEL_CAPTABLE_H

#include "kernel/cap.h"
#include "kernel/list.h"

enum { CAPTABLE_NESTING_MAX = 8 };

struct captable {
    uint8_t type;    /* OBJECT_none: slot 0 is no capability */
    uint8_t dying;   /* nothing may be put in */
    uint8_t nesting; /* tables made from within tables: 0 for init's; bounds destruction */
    uint32_t slots;
    uint32_t scan;       /* destruction: slots below are empty */
    struct list threads; /* bound to this table, by thread->captable_link */
};
_Static_assert(sizeof(struct captable) <= sizeof(struct cap), "fits slot 0");

void captable_init(struct captable *table, uint32_t pages, uint8_t nesting);

/* The slot, or NULL outside the table. Slot 0 and unused slots have type OBJECT_none. */
static inline struct cap *captable_slot(struct captable *table, uint64_t slot)
{
    return slot < table->slots ? (struct cap *)table + slot : NULL;
}

/* OK and *slot if `number` is an empty slot that may be filled; BAD_ARGUMENT, OCCUPIED, BAD_STATE.
 */
enum error captable_free_slot(struct captable *table, uint64_t number, struct cap **slot);

/* The first slot in use, looking at 64 at most: NULL with *more when the search isn't over. */
struct cap *captable_any(struct captable *table, bool *more);

/* Stops all threads bound to the table, one per call. False when none is left. */
bool captable_release_thread(struct captable *table);

#endif
