/* SPDX-License-Identifier: ISC
 *
 * What the virtio network driver remembers; for virtio_drv.c and, when it is swapped, swap.c.
 */
#ifndef MOTET_VIRTIO_DRV_VIRTIO_DRV_H
#define MOTET_VIRTIO_DRV_VIRTIO_DRV_H

#include "ipc/proto/netdev.h"
#include "libos/domain.h"
#include "libos/server.h"
#include "servers/virtio_drv/net.h"

enum counter {
#define COUNTER(name, text, meaning) COUNTER_##name,
#include "servers/virtio_drv/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

enum {
    BUFFER_BYTES_MIN = 128,   /* a header and the smallest frame */
    BUFFER_BYTES_MAX = 32768, /* lengths and offsets in messages have 16 bits */
};

/* Values of `next` that are no index of a buffer. */
enum { BUFFER_CLIENT = 0xffff, BUFFER_QUEUED = 0xfffe, LIST_END = 0xfffd };
_Static_assert((int)POOL_BUFFERS_MAX <= (int)LIST_END, "indices and marks differ");

struct interface {
    struct net net;
    uint16_t spare; /* first of the buffers that have no place in the receive queue */
    uint8_t device; /* its number in this domain */
    bool link_due;  /* the client is to hear of the link */
    bool config_due;
};

struct virtio_drv {
    struct domain *domain;
    struct conn *conn;
    uint64_t *counters;
    const struct pool *rx;                  /* the client's receive buffers */
    const struct pool *queues;              /* buffer i: interface i's queues */
    const struct pool *sendable[NET_POOLS]; /* by number: what frames may lie in; else NULL */
    uint16_t interfaces;                    /* that were found */
    uint16_t outstanding; /* transmits without TX_DONE, at most NETDEV_TX_OUTSTANDING */
    uint16_t done_count;  /* of those: only the message is due */
    struct interface interface[NETDEV_INTERFACES_MAX];
    uint32_t done[NETDEV_TX_OUTSTANDING]; /* cookies */
    uint16_t next[POOL_BUFFERS_MAX];
};

/* Where interface n's queues are, and what else its device is started with. */
struct net_setup interface_setup(struct virtio_drv *drv, uint16_t n, const struct device *device);

#endif
