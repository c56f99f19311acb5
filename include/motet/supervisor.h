/* SPDX-License-Identifier: ISC
 *
 * Messages between a domain's libOS and its supervisor (init). The domain sends to SLOT_SUPERVISOR;
 * the badge says who. Faults come to the same port from the kernel (enum kernel_op), and a signal
 * there says that the domain's log has new lines. init sends to the port of the domain's pager;
 * what it all means: docs/paging.md.
 */
#ifndef MOTET_SUPERVISOR_H
#define MOTET_SUPERVISOR_H

#include "motet/msg.h"

/* To the supervisor. */
enum supervisor_op {
    SUPERVISOR_FAILED = 1,   /* the domain couldn't start and waits forever: struct below */
    SUPERVISOR_FAULT,        /* words as KERNEL_FAULT: the pager has nothing to put there */
    SUPERVISOR_BLOCK_WANTED, /* w[0]: the block of the heap that is touched; w[1]:
                                start_page.restarts */
    SUPERVISOR_RETURNED, /* w[0]: blocks that the supervisor may take, a bit each; 0: none; w[1]:
                            likewise */
};

/* From here on, up to the questions of motet/control.h: of swaps, motet/swap.h. */
enum {
    SUPERVISOR_RESTED = 16, /* struct swap_rested */
    SUPERVISOR_BEGUN,       /* struct swap_begun */
    SUPERVISOR_VERDICT,     /* struct swap_verdict; from the loader */
};

/* From the supervisor. */
enum pager_op {
    PAGER_BLOCK = 1, /* answer to WANTED. w[0]: which, w[1]: enum error; OK: its memory is in the
                        domain's table */
    PAGER_RETURN,    /* w[0]: so many blocks are wanted back: answer RETURNED in time. w[1]: until
                        when (clock ticks) */
    PAGER_TAKEN,     /* w[0]: these blocks are gone, a bit each */
};

struct supervisor_failed {
    uint32_t error;  /* enum error */
    uint32_t server; /* which of the domain's servers, in link order */
};
_Static_assert(sizeof(struct supervisor_failed) <= MSG_BYTES, "fits a message");

#endif
