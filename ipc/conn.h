/* SPDX-License-Identifier: ISC
 *
 * A connection: one server's end of a link to one peer, as the manifest drew it. The server sees
 * messages only; the transport behind `put` (shared rings to another domain; a call or a queue
 * inside one: libos/transport.h) is not its business: one source, any partition.
 */
#ifndef MOTET_IPC_CONN_H
#define MOTET_IPC_CONN_H

#include <stdint.h>

#include "motet/error.h"
#include "motet/msg.h"

enum conn_role { CONN_CLIENT, CONN_SERVER };

/* In place of the peer's generation: it broke the rules of the transport, and nothing passes any
 * more. */
#define CONN_BROKEN UINT32_MAX

struct conn {
    /* Transport: copies *m out; OK or ERROR_FULL, never waits. */
    enum error (*put)(struct conn *conn, const struct msg *m);
    /* Transport: how many puts will succeed now. */
    uint32_t (*room)(struct conn *conn);
    void *transport; /* the transport's own state */

    uint8_t role;      /* enum conn_role: what this side is */
    uint8_t port;      /* which of the server's declared ports (index into server->ports) */
    uint16_t instance; /* 0, 1, ... among the connections to the same port */
};

/* Sends without waiting. The message is copied, or handled when the call returns; the caller keeps
 * its own, and has its state in order before it sends. ERROR_FULL means that the peer hasn't
 * consumed what was sent: hold the work back (see `receive` in libos/server.h) or drop and count.
 * After it, or after conn_room returned 0, new room wakes the domain, and batch_end is called. */
static inline enum error conn_send(struct conn *conn, const struct msg *m)
{
    return conn->put(conn, m);
}

static inline uint32_t conn_room(struct conn *conn)
{
    return conn->room(conn);
}

#endif
