/* SPDX-License-Identifier: ISC
 *
 * Which client's socket has which local UDP port. Sockets are numbered over all clients:
 * client * SOCK_PER_CLIENT + the client's own number.
 */
#ifndef MOTET_NETD_SOCKETS_H
#define MOTET_NETD_SOCKETS_H

#include <stdint.h>

#include "ipc/proto/sock.h"
#include "motet/error.h"
#include "servers/netd/wire.h"

enum {
    CLIENTS_MAX = 4,
    SOCKETS_MAX = CLIENTS_MAX * SOCK_PER_CLIENT,
    SOCKET_BUCKETS = 64, /* a power of two; at most half are used, so that a search is short */
};
_Static_assert(SOCKET_BUCKETS >= 2 * SOCKETS_MAX, "half empty");

struct sockets {
    uint16_t port[SOCKETS_MAX];     /* 0: closed */
    uint8_t bucket[SOCKET_BUCKETS]; /* 1 + socket, from the port's own place on; 0: nothing */
};

/* Opens a socket. OK also when it is open on that port already; ERROR_OCCUPIED when it is open on
 * another one or another socket has the port. */
enum error sockets_bind(struct sockets *sockets, uint32_t socket, uint16_t port);

void sockets_close(struct sockets *sockets, uint32_t socket);

/* The socket on that port; -1: none. */
static inline int sockets_find(const struct sockets *sockets, uint16_t port)
{
    for (uint32_t i = port;; i++) {
        uint32_t found = sockets->bucket[i % SOCKET_BUCKETS];
        if (!found)
            return -1;
        if (sockets->port[found - 1] == port)
            return (int)found - 1;
    }
}

#endif
