/* SPDX-License-Identifier: ISC
 *
 * One virtio console device (virtio 1.1, section 5.3) with one port and without the control
 * queues: negotiation, two queues, bytes in and out. Called by virtio_con.c, which knows the
 * client.
 *
 *   CON_ABSENT   no device, or one that was refused: nothing but con_start
 *   CON_RUNNING  everything
 *   CON_BROKEN   the device broke the rules or asked for a reset and was reset: nothing
 *
 * Slot s of a queue owns piece s of its data, for good. A piece to send is `open` while bytes are
 * gathered in it; a piece received is `in_hand` until its last byte was read, and then goes back to
 * the device.
 *
 * The caller watches con_fault: as soon as it isn't NULL, con_fail is due.
 */
#ifndef MOTET_VIRTIO_CON_CON_H
#define MOTET_VIRTIO_CON_CON_H

#include "libos/virtio/virtio.h"
#include "libos/virtio/virtqueue.h"

enum {
    CON_ENTRIES = 16,      /* of each queue, one piece each */
    CON_PIECE_BYTES = 256, /* 4 KiB each way: what comes while the driver waits for its turn */
};

enum con_state { CON_ABSENT, CON_RUNNING, CON_BROKEN };

struct con {
    struct virtqueue rx, tx;
    struct virtio virtio;
    uint8_t *rx_data, *tx_data; /* CON_ENTRIES pieces each, in memory shared with the device */
    const char *fault;          /* why it was refused or reset; see con_fault */
    uint64_t features;          /* negotiated */
    uint32_t rx_doorbell, tx_doorbell;
    uint32_t open;       /* bytes gathered in the piece of tx's next slot */
    uint32_t piece;      /* received and being read */
    uint32_t in_hand;    /* bytes of it that are left */
    uint32_t piece_read; /* bytes of it that were read */
    uint8_t state;       /* enum con_state */
    uint8_t config_vector;
};

struct con_setup {
    const struct device *device;
    uint8_t *memory;   /* for queues and data, reachable by the device */
    uint64_t physical; /* its device address */
    uint32_t bytes;    /* its size */
};

/* Bytes of memory that con_start needs; and of each of the two queues at its beginning. */
uint32_t con_bytes(void);
uint32_t con_ring_bytes(void);

/* Says where the data of both queues is, behind them. */
void con_place_data(struct con *con, const struct con_setup *setup);

/* Resets the device and brings it up. Not OK: `fault` says why the device can't be used. */
enum error con_start(struct con *con, const struct con_setup *setup);

/* What a running device did wrong; NULL: nothing. */
static inline const char *con_fault(const struct con *con)
{
    return con->fault ? con->fault : con->rx.fault ? con->rx.fault : con->tx.fault;
}

/* Copies the next bytes that came, at most `most`, to `out`. 0: there are none, and an interrupt
 * will say when there are. */
uint32_t con_read(struct con *con, uint8_t *out, uint32_t most);

/* Gathers bytes to send, at most CON_PIECE_BYTES. False: there is no room, nothing was taken, and
 * an interrupt will say when there is. */
bool con_write(struct con *con, const uint8_t *data, uint32_t length);

/* Shows the device what was gathered and which pieces are free again. */
void con_flush(struct con *con);

/* After a configuration interrupt: does the device ask for a reset? Then con_fault says so. */
void con_changed(struct con *con);

/* Resets a device that broke the rules. False: it doesn't confirm that. */
bool con_fail(struct con *con);

#endif
