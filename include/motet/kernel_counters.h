/* SPDX-License-Identifier: ISC
 *
 * What the kernel counts, in pages of its own that init can map read-only (INIT_COUNTERS). All
 * values only grow, and are never cleared.
 */
#ifndef MOTET_KERNEL_COUNTERS_H
#define MOTET_KERNEL_COUNTERS_H

#include "motet/abi.h"

/* Rows of `refused`: calls by number, with `invoke` for operations that don't exist; one for calls
 * that don't exist; then operations. */
enum {
    COUNTED_UNKNOWN_CALL = CALL_COUNT,
    COUNTED_OPERATIONS,
    COUNTED_ROWS = COUNTED_OPERATIONS + OPERATION_COUNT,
    COUNTED_FAULTS = 32, /* exception vectors of the processor */
};

struct kernel_counters {
    uint64_t interrupts_spurious;  /* the interrupt controller took one back; first: entry.S */
    uint64_t interrupts_unclaimed; /* of vectors that are bound to no port */
    uint64_t budgets_used_up;
    uint64_t faults[COUNTED_FAULTS]; /* of user code, by exception */
    /* Every error that was returned, ERROR_MORE and ERROR_TIMEOUT too. Of a wait that was under
     * way: in the row of `wait`, also if it began as a send_wait. */
    uint64_t refused[COUNTED_ROWS][ERROR_COUNT];
};

enum { KERNEL_COUNTER_PAGES = (sizeof(struct kernel_counters) + PAGE_BYTES - 1) / PAGE_BYTES };

#endif
