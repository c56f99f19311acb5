/* SPDX-License-Identifier: ISC
 *
 * The kernel as a connection's transport, for the control path: one system call per message, no
 * rings, no pages. conn_send is a send to the port whose capability is in a slot (SLOT_SUPERVISOR),
 * and never waits. What comes back comes to the domain's own port, and so to the server's `message`
 * entry point.
 *
 * The kernel writes the sender's badge over the tag, so an answer is known by its operation alone:
 * there is room for one request at a time, also if it was cancelled.
 */
#ifndef MOTET_LIBOS_KERNEL_CONN_H
#define MOTET_LIBOS_KERNEL_CONN_H

#include "ipc/conn.h"

struct kernel_conn {
    struct conn conn;
    uint64_t slot;
    uint64_t tag; /* of the last message sent */
    /* Sends that the kernel refused; most often the sender's share of the port's queue is used up.
     * All are ERROR_FULL here. Nobody tells of room: try again after a while. */
    uint64_t refused;
};

void kernel_conn_init(struct kernel_conn *kernel, uint64_t slot);

/* An answer as `message` got it, for conn_client_receive. What else may come to that entry point
 * has other operations. */
struct msg kernel_conn_answer(const struct kernel_conn *kernel, const struct msg *m);

#endif
