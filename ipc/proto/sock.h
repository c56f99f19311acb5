/* SPDX-License-Identifier: ISC
 *
 * Protocol: datagram sockets, version 1. Client: a service. Server: a network stack.
 *
 * Two pools go with a connection: the receive pool, owned and written by the stack and read by the
 * client; and the send pool, owned and written by the client, read by the stack (and reachable by
 * the device, when the manifest says dma).
 *
 * Addresses are 16 bytes; IPv4 is written as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). Ports are in host
 * byte order.
 *
 * Bounds: SOCK_PER_CLIENT sockets per connection; the stack lends at most as many receive buffers
 * as its pool has and drops (and counts) datagrams beyond that; the client has at most as many
 * sends outstanding as its send pool has buffers.
 *
 * | op        | direction       | idempotent | |
 * |-----------|-----------------|------------|-|
 * | BIND      | client to stack | yes | opens socket `socket` on a local port; replied to |
 * | CLOSE     | client to stack | yes | closes it; replied to |
 * | RECV      | stack to client | no  | a datagram in a lent receive buffer |
 * | RECV_DONE | client to stack | no  | gives receive buffers back |
 * | SEND      | client to stack | no  | a datagram; its buffer is the stack's until SEND_DONE |
 * | SEND_DONE | stack to client | no  | these send buffers are the client's again |
 */
#ifndef MOTET_PROTO_SOCK_H
#define MOTET_PROTO_SOCK_H

#include "ipc/pool.h"
#include "motet/msg.h"

#define SOCK_PROTOCOL "sock"

enum { SOCK_VERSION = 1, SOCK_PER_CLIENT = 8 };

enum sock_op {
    SOCK_BIND = 1,
    SOCK_CLOSE,
    SOCK_RECV,
    SOCK_RECV_DONE,
    SOCK_SEND,
    SOCK_SEND_DONE,
};

struct sock_bind {
    uint16_t socket;    /* 0 to SOCK_PER_CLIENT - 1, chosen by the client */
    uint16_t protocol;  /* IP protocol number: 17 (UDP) */
    uint16_t port;      /* local port, 1 to 65535 */
    uint16_t recv_pool; /* pool for RECV: image-wide number; must be readable by the client */
};

struct sock_close {
    uint16_t socket;
};

/* RECV and SEND: the same shape, so that an answer is the question with the two sides swapped. In
 * SEND an all-zero `local` lets the stack choose. */
struct sock_datagram {
    uint16_t socket;
    uint16_t interface;
    uint16_t local_port;
    uint16_t peer_port;
    struct buffer_ref data;
    uint8_t local[16];
    uint8_t peer[16];
};

enum { SOCK_DONE_MAX = 20 };

/* RECV_DONE and SEND_DONE */
struct sock_done {
    uint16_t pool;
    uint16_t count; /* 1 to SOCK_DONE_MAX */
    uint32_t reserved;
    uint16_t index[SOCK_DONE_MAX];
};

_Static_assert(sizeof(struct sock_bind) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct sock_datagram) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct sock_done) <= MSG_BYTES, "fits a message");

#endif
