/* SPDX-License-Identifier: ISC
 *
 * See kernel_conn.h.
 */
#include "libos/kernel_conn.h"

#include "ipc/chain.h"
#include "libos/kernel.h"

enum { TAG_WORD = MSG_WORDS - 1 };

static enum error kernel_put(struct conn *conn, const struct msg *m)
{
    struct kernel_conn *kernel = CHAIN_OF(conn, struct kernel_conn, conn);
    struct msg sent = *m;
    sent.w[TAG_WORD] = m->tag;
    if (kernel_send(kernel->slot, &sent) == OK)
        return OK;
    kernel->refused++;
    return ERROR_FULL;
}

/* Nobody knows; the next put says. */
static uint32_t kernel_room(struct conn *conn)
{
    (void)conn;
    return UINT16_MAX;
}

void kernel_conn_init(struct kernel_conn *kernel, uint64_t slot)
{
    *kernel = (struct kernel_conn){
        .conn = {.put = kernel_put, .room = kernel_room, .role = CONN_CLIENT}, .slot = slot};
}

struct msg kernel_conn_arrived(const struct msg *m, uint64_t *badge)
{
    struct msg arrived = *m;
    *badge = m->tag;
    arrived.tag = m->w[TAG_WORD];
    arrived.w[TAG_WORD] = 0;
    return arrived;
}
