/* SPDX-License-Identifier: ISC
 *
 * Capability tables. See captable.h.
 */
#include "kernel/captable.h"

#include "kernel/thread.h"

enum { CAPTABLE_SCAN = 64 }; /* slots looked at per kernel entry */

void captable_init(struct captable *table, uint32_t pages, uint8_t nesting)
{
    table->slots = pages * SLOTS_PER_PAGE;
    table->nesting = nesting;
    table->scan = 1;
    list_init(&table->threads);
}

enum error captable_free_slot(struct captable *table, uint64_t number, struct cap **slot)
{
    struct cap *found = captable_slot(table, number);
    if (!found || number == 0)
        return ERROR_BAD_ARGUMENT;
    if (table->dying)
        return ERROR_BAD_STATE;
    if (found->type != OBJECT_none)
        return ERROR_OCCUPIED;
    *slot = found;
    return OK;
}

struct cap *captable_any(struct captable *table, bool *more)
{
    uint32_t at = table->scan, end = at + CAPTABLE_SCAN;
    if (end > table->slots)
        end = table->slots;
    struct cap *cap = (struct cap *)table + at, *last = (struct cap *)table + end;
    while (cap < last && cap->type == OBJECT_none)
        cap++;
    table->scan = (uint32_t)(cap - (struct cap *)table);
    *more = cap == last && end < table->slots;
    return cap < last ? cap : NULL;
}

bool captable_release_thread(struct captable *table)
{
    if (list_empty(&table->threads))
        return false;
    thread_release(CONTAINER_OF(table->threads.next, struct thread, captable_link));
    return true;
}
