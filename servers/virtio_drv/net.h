/* SPDX-License-Identifier: ISC
 *
 * One virtio network device (virtio 1.1, section 5.1): negotiation, its two queues, frames in and
 * out. Called by virtio_drv.c, which knows the client; here there are buffers and cookies only.
 *
 *   NET_ABSENT   no device, or one that was refused: nothing but net_start
 *   NET_RUNNING  everything
 *   NET_BROKEN   the device broke the rules or asked for a reset and was reset: only net_abandon_*
 *
 * The caller watches net_fault: as soon as it isn't NULL, net_fail is due.
 */
#ifndef MOTET_VIRTIO_DRV_NET_H
#define MOTET_VIRTIO_DRV_NET_H

#define VIRTIO_NET_NO_LEGACY
#include <linux/virtio_net.h>

#include "ipc/pool.h"
#include "ipc/proto/netdev.h"
#include "libos/virtio/virtio.h"
#include "libos/virtio/virtqueue.h"

enum {
    NET_RX_ENTRIES = 128, /* one receive buffer each: a burst of that many is absorbed */
    NET_TX_ENTRIES = 256, /* what QEMU offers; NET_TX_CHAIN for each frame */
    NET_TX_SHIFT = 2,
    NET_TX_CHAIN = 1 << NET_TX_SHIFT, /* descriptors per frame: header and segments */
    NET_POOLS = 256,                  /* struct pool has 8 bits for its number */
    NET_HEADER_BYTES = 12,            /* before each frame, both ways (5.1.6, with VERSION_1) */
};
_Static_assert(NET_TX_CHAIN == 1 + NETDEV_TX_SEGMENTS, "a frame fits its slot");
_Static_assert(sizeof(struct virtio_net_hdr_v1) == NET_HEADER_BYTES, "the device's layout");
_Static_assert((int)NET_RX_ENTRIES <= (int)VIRTQUEUE_SLOTS_MAX, "slots fit");
_Static_assert(NET_TX_ENTRIES / NET_TX_CHAIN <= (int)VIRTQUEUE_SLOTS_MAX, "slots fit");

enum net_state { NET_ABSENT, NET_RUNNING, NET_BROKEN };

struct net {
    struct virtqueue rx, tx;
    struct virtio virtio;
    const struct pool *rx_pool;         /* where received frames go */
    const struct pool *const *sendable; /* as in struct net_setup */
    struct virtio_net_hdr_v1 *headers;  /* one per transmit slot, read by the device */
    const char *fault;                  /* why it was refused or reset; see net_fault */
    uint64_t features;                  /* negotiated */
    uint32_t rx_doorbell, tx_doorbell;
    uint16_t number;     /* of the interface */
    uint16_t mtu;        /* bytes after the Ethernet header */
    uint16_t parts_left; /* buffers that the frame being received still has */
    uint16_t part_flags; /* its enum netdev_rx_flags */
    uint8_t mac[ETH_ALEN];
    uint8_t state; /* enum net_state */
    uint8_t config_vector;
    bool link_up;
    bool tx_waiting; /* a frame was held back: keep the transmit interrupt until one fits */
};

/* What a device is started with. */
struct net_setup {
    const struct device *device;
    const struct pool *rx_pool; /* with dma right; without read right no merging, no checksums */
    const struct pool *const *sendable; /* NET_POOLS by number: what frames may lie in; else NULL */
    uint8_t *memory;                    /* for the queues, reachable by the device */
    uint64_t physical;                  /* its device address */
    uint32_t bytes;                     /* its size */
    uint64_t random;                    /* for a MAC address, if the device has none */
    uint16_t number;
};

/* Where things are in the memory: offsets in bytes, the receive queue first. */
struct net_layout {
    uint32_t tx, headers, bytes;
};
struct net_layout net_layout(uint32_t rx_entries, uint32_t tx_entries);

/* Resets the device and brings it up. Not OK: `fault` says why the device can't be used. */
enum error net_start(struct net *net, const struct net_setup *setup);

static inline bool net_has(const struct net *net, uint32_t feature)
{
    return net->features >> feature & 1;
}

/* What a running device did wrong; NULL: nothing. */
static inline const char *net_fault(const struct net *net)
{
    return net->fault ? net->fault : net->rx.fault ? net->rx.fault : net->tx.fault;
}

/* The names of the negotiated features that matter to people, each after a space. */
enum { NET_FEATURES_TEXT = 64 }; /* bytes, with the terminator */
void net_features_text(const struct net *net, char text[NET_FEATURES_TEXT]);

/* After a configuration interrupt: reads the link state. True: it changed. */
bool net_link_changed(struct net *net);

/* Gives buffer `index` of the receive pool to the device; not when the receive queue is full. */
static inline void net_rx_post(struct net *net, uint32_t index)
{
    const struct pool *pool = net->rx_pool;
    struct vring_desc *chain = virtqueue_chain(&net->rx, virtqueue_next_slot(&net->rx));
    chain->addr = pool->physical + (uint64_t)index * pool->buffer_size;
    virtqueue_put(&net->rx, index);
}

/* Takes the next received buffer. False: there is none. Length 0: it comes back unused. */
bool net_rx_take(struct net *net, struct netdev_rx *rx);

/* Queues a frame; not when the transmit queue is full. False: the device mustn't see it. */
bool net_tx_put(struct net *net, const struct netdev_tx *tx);

/* Show the device what was queued, and notify it if it wants that: true. */
bool net_rx_publish(struct net *net);
bool net_tx_publish(struct net *net);

/* After all used frames were taken: asks for an interrupt if too many are left, see net.c. True:
 * there is something to take again. */
bool net_tx_settle(struct net *net);

/* Resets a device that broke the rules. False: it doesn't confirm that, so it may still use its
 * buffers. */
bool net_fail(struct net *net);

/* After net_fail: take back what the device had, one at a time. */
bool net_rx_abandon(struct net *net, uint32_t *index);
bool net_tx_abandon(struct net *net, uint32_t *cookie);

#endif
