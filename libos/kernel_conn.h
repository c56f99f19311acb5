/* SPDX-License-Identifier: ISC
 *
 * The kernel as a connection's transport, for the control path: one system call per message, no
 * rings, no pages. conn_send is a send to the port whose capability is in a slot (SLOT_SUPERVISOR),
 * and never waits. The kernel writes the sender's badge over the tag, so the tag crosses in the
 * last word: payload is w[0] to w[4]. What comes back comes to the domain's own port, to the
 * server's `message` entry point.
 */
#ifndef MOTET_LIBOS_KERNEL_CONN_H
#define MOTET_LIBOS_KERNEL_CONN_H

#include "ipc/conn.h"

enum { KERNEL_CONN_BYTES = MSG_BYTES - 8 }; /* of payload */

struct kernel_conn {
    struct conn conn;
    uint64_t slot;
    /* ERROR_FULL: the sender's share of the port's queue is used up. Nobody is told when there is
     * room again: try again with a deadline. Other errors of `send` count as ERROR_FULL too. */
    uint64_t refused;
};

void kernel_conn_init(struct kernel_conn *kernel, uint64_t slot);

/* A message as `message` got it, as the other side meant it. *badge: who sent it, by the kernel's
 * word. */
struct msg kernel_conn_arrived(const struct msg *m, uint64_t *badge);

#endif
