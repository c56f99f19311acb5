/* SPDX-License-Identifier: ISC
 *
 * What a domain's libOS tells its supervisor (init) by messages to SLOT_SUPERVISOR; the badge says
 * who. Sent by libos/start.c. Faults come to the same port from the kernel (enum kernel_op), and a
 * signal there says that the domain's log has new lines.
 */
#ifndef MOTET_SUPERVISOR_H
#define MOTET_SUPERVISOR_H

#include "motet/msg.h"

enum supervisor_op {
    SUPERVISOR_FAILED = 1, /* the domain couldn't start and waits forever: struct below */
};

struct supervisor_failed {
    uint32_t error;  /* enum error */
    uint32_t server; /* which of the domain's servers, in link order */
};
_Static_assert(sizeof(struct supervisor_failed) <= MSG_BYTES, "fits a message");

#endif
