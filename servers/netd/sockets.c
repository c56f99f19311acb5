/* SPDX-License-Identifier: ISC
 *
 * The table of local ports: see sockets.h.
 */
#include <string.h>

#include "servers/netd/sockets.h"

static void bucket_fill(struct sockets *sockets, uint32_t socket)
{
    uint32_t i = sockets->port[socket];
    while (sockets->bucket[i % SOCKET_BUCKETS])
        i++;
    sockets->bucket[i % SOCKET_BUCKETS] = (uint8_t)(1 + socket);
}

COLD enum error sockets_bind(struct sockets *sockets, uint32_t socket, uint16_t port)
{
    if (!port || socket >= SOCKETS_MAX)
        return ERROR_BAD_ARGUMENT;
    if (sockets->port[socket] == port)
        return OK;
    if (sockets->port[socket] || sockets_find(sockets, port) >= 0)
        return ERROR_OCCUPIED;
    sockets->port[socket] = port;
    bucket_fill(sockets, socket);
    return OK;
}

COLD void sockets_close(struct sockets *sockets, uint32_t socket)
{
    sockets->port[socket] = 0;
    memset(sockets->bucket, 0, sizeof(sockets->bucket));
    for (uint32_t i = 0; i < SOCKETS_MAX; i++)
        if (sockets->port[i])
            bucket_fill(sockets, i);
}
