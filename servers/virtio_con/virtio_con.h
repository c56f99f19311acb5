/* SPDX-License-Identifier: ISC
 *
 * What the virtio console driver remembers; for virtio_con.c and, when it is swapped, swap.c.
 */
#ifndef MOTET_VIRTIO_CON_VIRTIO_CON_H
#define MOTET_VIRTIO_CON_VIRTIO_CON_H

#include "libos/driver/console.h"
#include "libos/driver/virtio_device.h"
#include "libos/virtio/virtqueue_packed.h"

enum { QUEUE_RX = 0, QUEUE_TX = 1 }; /* 5.3.2: port 0 */

enum {
    PIECES = 16,       /* of each queue: its slot s has piece s, for good */
    PIECE_BYTES = 256, /* 4 KiB each way: what comes while the driver waits for its turn */
};

struct virtio_con {
    struct driver driver; /* comes first */
    struct console console;
    struct virtio_device device;
    struct virtio_device_queue rx, tx;
    struct virtqueue_packed rx_packed, tx_packed; /* the queues, if the device has such */
    struct dma in[PIECES], out[PIECES];
    uint32_t gathered; /* bytes in the piece of tx's next slot */
    uint32_t piece;    /* of `in`, being read */
    uint32_t unread;   /* bytes of it that are left; 0: none is being read */
    uint32_t read;     /* bytes of it that were read */
};

/* The next of the driver's memory are the pieces, all the processor's. */
enum error pieces_place(struct virtio_con *con);

#endif
