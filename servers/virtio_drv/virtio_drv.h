/* SPDX-License-Identifier: ISC
 *
 * What the virtio network driver remembers, and its parts: virtio_drv.c, frames.c and, when it is
 * swapped, swap.c.
 */
#ifndef MOTET_VIRTIO_DRV_VIRTIO_DRV_H
#define MOTET_VIRTIO_DRV_VIRTIO_DRV_H

#define VIRTIO_NET_NO_LEGACY
#include <linux/virtio_net.h>

#include "libos/driver/netdev.h"
#include "libos/driver/virtio_device.h"

enum { QUEUE_RX = 0, QUEUE_TX = 1 }; /* 5.1.2 */

enum {
    HEADER_BYTES = 12, /* before each frame, both ways (5.1.6, with VERSION_1) */
    RX_ENTRIES = 128,  /* one receive buffer each: a burst of that many is absorbed */
    TX_FRAMES = 64,    /* frames in the device: 256 descriptors, what QEMU offers */
    TX_SHIFT = 2,      /* a header and three segments */
};
_Static_assert(sizeof(struct virtio_net_hdr_v1) == HEADER_BYTES, "the device's layout");
_Static_assert(1 << TX_SHIFT == 1 + NETDEV_TX_SEGMENTS, "a frame fits its slot");

enum { RX_NOTIFIES = NETDEV_COUNTERS, TX_NOTIFIES, LINK_CHANGES, COUNTERS };

/* One device. Tokens of the receive queue are indices of buffers, those of the transmit queue
 * places of frames. */
struct card {
    struct driver driver; /* comes first */
    struct virtio_device device;
    struct virtio_device_queue rx, tx;
    struct netdev *net;
    struct virtio_net_hdr_v1 *headers; /* of the frame in each place; the device reads them */
    uint64_t headers_address;          /* the device's */
    uint16_t interface;
    uint16_t parts_left; /* buffers that the frame being received still has */
    uint16_t part_flags; /* its enum netdev_rx_flags */
    bool tx_waiting;     /* a frame was held back: keep the transmit interrupt until one fits */
};

struct virtio_drv {
    struct netdev net;
    struct card card[NETDEV_INTERFACES_MAX]; /* card n is device n */
    uint32_t cards;                          /* as many as there are devices, 1 at least */
};

static inline bool card_has(const struct card *card, uint32_t feature)
{
    return virtio_device_has(&card->device, feature);
}

/* frames.c: the server's `receive`; and what is done after each round, for a card that runs. Takes
 * back sent frames and shows the card more; hands over received ones as far as there is room, asks
 * for an interrupt, and gives the card buffers to receive into. */
bool frames_message(void *state, struct conn *conn, const struct msg *m);
void frames_send(struct card *card);
void frames_receive(struct card *card);

/* The next of the driver's memory is the headers'. */
enum error card_headers(struct card *card);

#endif
