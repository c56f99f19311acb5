/* SPDX-License-Identifier: ISC
 *
 * See kernel_conn.h.
 */
#include "libos/kernel_conn.h"

#include "ipc/chain.h"
#include "libos/kernel.h"

static enum error kernel_put(struct conn *conn, const struct msg *m)
{
    struct kernel_conn *kernel = CHAIN_OF(conn, struct kernel_conn, conn);
    if (kernel_send(kernel->slot, m) == OK) {
        kernel->tag = m->tag;
        return OK;
    }
    kernel->refused++;
    return ERROR_FULL;
}

/* For all that is known. A client keeps to it: one request under way. */
static uint32_t kernel_room(struct conn *conn)
{
    (void)conn;
    return 1;
}

void kernel_conn_init(struct kernel_conn *kernel, uint64_t slot)
{
    *kernel = (struct kernel_conn){
        .conn = {.put = kernel_put, .room = kernel_room, .role = CONN_CLIENT}, .slot = slot};
}

struct msg kernel_conn_answer(const struct kernel_conn *kernel, const struct msg *m)
{
    struct msg answer = *m;
    answer.flags = MSG_REPLY;
    answer.tag = kernel->tag;
    return answer;
}
