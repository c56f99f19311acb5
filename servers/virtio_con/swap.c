/* SPDX-License-Identifier: ISC
 *
 * What virtio_con hands over when it is swapped (libos/swap.h). The device runs on, with its queues
 * and their pieces in the pool "queues": it notices nothing. Each value is checked: a state that
 * makes no sense is refused.
 */
#include "libos/swap.h"

#include "libos/driver/virtio_device_state.h"
#include "servers/virtio_con/virtio_con.h"

extern const struct server motet_server_virtio_con;

struct saved_console {
    struct driver_saved driver;
    uint8_t state_due, broken_told;
    uint8_t reserved[4];
    /* All below is of a device that runs. */
    uint64_t features;
    uint32_t gathered, piece, unread, read;
    struct virtio_device_packed_state rx, tx;
};

static uint32_t console_save(const void *state, void *to)
{
    const struct virtio_con *con = state;
    struct saved_console *saved = to;
    *saved = (struct saved_console){.driver = driver_save(&con->driver),
                                    .state_due = con->console.state_due,
                                    .broken_told = con->console.broken_told};
    if (!driver_runs(&con->driver))
        return sizeof(*saved);
    saved->features = con->device.features;
    saved->gathered = con->gathered;
    saved->piece = con->piece;
    saved->unread = con->unread;
    saved->read = con->read;
    virtio_device_queue_packed_save(&con->rx, &saved->rx);
    virtio_device_queue_packed_save(&con->tx, &saved->tx);
    return sizeof(*saved);
}

/* Slot s has piece s, which is the device's as long as the slot is busy. */
static bool pieces_load(const struct virtqueue *ring, struct dma piece[PIECES])
{
    for (uint32_t slot = 0; slot < PIECES; slot++) {
        if (!ring->busy[slot])
            continue;
        if (ring->token[slot] != slot)
            return false;
        dma_give(&piece[slot]);
    }
    return true;
}

static bool places_check(const struct virtio_con *con)
{
    if (con->gathered > PIECE_BYTES || (con->gathered && virtqueue_full(&con->tx.ring)))
        return false;
    return !con->unread || (con->piece < PIECES && !con->rx.ring.busy[con->piece] &&
                            con->unread <= PIECE_BYTES && con->read <= PIECE_BYTES - con->unread);
}

static enum error device_load(struct virtio_con *con, const struct saved_console *from)
{
    struct driver *driver = &con->driver;
    con->gathered = from->gathered;
    con->piece = from->piece;
    con->unread = from->unread;
    con->read = from->read;
    enum error error = virtio_device_load(&con->device, driver, VIRTIO_ID_CONSOLE, from->features);
    if (error == OK)
        error = virtio_device_queue_packed_load(&con->rx, &con->rx_packed, &con->device, driver,
                                                QUEUE_RX, PIECES, 0, &from->rx);
    if (error == OK)
        error = virtio_device_queue_packed_load(&con->tx, &con->tx_packed, &con->device, driver,
                                                QUEUE_TX, PIECES, 0, &from->tx);
    if (error == OK)
        error = pieces_place(con);
    if (error == OK && (!pieces_load(&con->rx.ring, con->in) ||
                        !pieces_load(&con->tx.ring, con->out) || !places_check(con)))
        error = ERROR_BAD_ARGUMENT;
    return error;
}

static enum error console_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct virtio_con *con = state;
    const struct saved_console *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    con->console.state_due = saved->state_due;
    con->console.broken_told = saved->broken_told;
    enum error error = driver_load(&con->driver, &saved->driver);
    return error == OK && driver_runs(&con->driver) ? device_load(con, saved) : error;
}

/* What was put is shown at the end of each round. */
static bool console_rest(void *state)
{
    const struct virtio_con *con = state;
    return !driver_runs(&con->driver) ||
           (!virtqueue_unpublished(&con->rx.ring) && !virtqueue_unpublished(&con->tx.ring));
}

/* 1 was that of a driver that wasn't on libos/driver/. */
static const struct state_record records[] = {
    {.name = "console",
     .id = 2,
     .version = 2, /* 1: split queues only */
     .bytes_max = sizeof(struct saved_console),
     .save = console_save,
     .load = console_load},
};
SERVER_SWAP(motet_server_virtio_con, .records = records, .record_count = 1, .rest = console_rest);
