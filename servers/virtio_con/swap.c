/* SPDX-License-Identifier: ISC
 *
 * What virtio_con hands over when it is swapped (libos/swap.h). The device runs on, with its queues
 * and their data in the pool "queues", which outlives the driver: it notices nothing. Each value is
 * checked: a state that makes no sense is refused.
 */
#include <linux/virtio_ids.h>

#include "libos/swap.h"
#include "libos/virtio/virtqueue_state.h"
#include "servers/virtio_con/virtio_con.h"

extern const struct server motet_server_virtio_con;

struct saved_console {
    uint64_t features;
    uint32_t rx_doorbell, tx_doorbell;
    uint32_t open, piece, in_hand, piece_read;
    uint8_t state; /* enum con_state */
    uint8_t config_vector;
    uint8_t state_due;
    uint8_t reserved[5];
    struct virtqueue_state rx, tx;
};

static uint32_t console_save(const void *state, void *to)
{
    const struct virtio_con *drv = state;
    const struct con *con = &drv->con;
    struct saved_console *saved = to;
    *saved = (struct saved_console){.state = con->state, .state_due = drv->state_due};
    if (con->state != CON_RUNNING)
        return sizeof(*saved); /* nothing is done to it any more */
    *saved = (struct saved_console){.features = con->features,
                                    .rx_doorbell = con->rx_doorbell,
                                    .tx_doorbell = con->tx_doorbell,
                                    .open = con->open,
                                    .piece = con->piece,
                                    .in_hand = con->in_hand,
                                    .piece_read = con->piece_read,
                                    .state = con->state,
                                    .config_vector = con->config_vector,
                                    .state_due = drv->state_due};
    virtqueue_save(&con->rx, &saved->rx);
    virtqueue_save(&con->tx, &saved->tx);
    return sizeof(*saved);
}

/* Slot s owns piece s. */
static bool tokens_check(const struct virtqueue *queue)
{
    for (uint32_t slot = 0; slot < queue->slots; slot++)
        if (queue->busy[slot] && queue->token[slot] != slot)
            return false;
    return true;
}

static bool pieces_check(const struct con *con)
{
    if (con->open > CON_PIECE_BYTES || (con->open && virtqueue_full(&con->tx)))
        return false;
    return !con->in_hand ||
           (con->piece < CON_ENTRIES && !con->rx.busy[con->piece] &&
            con->in_hand <= CON_PIECE_BYTES && con->piece_read <= CON_PIECE_BYTES - con->in_hand);
}

static bool registers_check(const struct con *con, const struct con_setup *setup)
{
    return virtio_doorbell_check(&con->virtio, con->rx_doorbell) &&
           virtio_doorbell_check(&con->virtio, con->tx_doorbell) &&
           con->config_vector < setup->device->vectors;
}

static enum error con_load(struct con *con, const struct con_setup *setup,
                           const struct saved_console *from)
{
    if (!setup->device || setup->bytes < con_bytes() ||
        virtio_find(&con->virtio, setup->device, VIRTIO_ID_CONSOLE))
        return ERROR_NOT_FOUND;
    con->features = from->features;
    con->rx_doorbell = from->rx_doorbell;
    con->tx_doorbell = from->tx_doorbell;
    con->open = from->open;
    con->piece = from->piece;
    con->in_hand = from->in_hand;
    con->piece_read = from->piece_read;
    con->config_vector = from->config_vector;
    enum error error = virtqueue_load(&con->rx, setup->memory, CON_ENTRIES, 0, &from->rx);
    if (!error)
        error =
            virtqueue_load(&con->tx, setup->memory + con_ring_bytes(), CON_ENTRIES, 0, &from->tx);
    con_place_data(con, setup);
    if (!error && (!registers_check(con, setup) || !tokens_check(&con->rx) ||
                   !tokens_check(&con->tx) || !pieces_check(con) || con_fault(con)))
        error = ERROR_BAD_ARGUMENT;
    return error;
}

static enum error console_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct virtio_con *drv = state;
    const struct saved_console *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved) || saved->state > CON_BROKEN)
        return ERROR_BAD_ARGUMENT;
    drv->state_due = saved->state_due != 0;
    drv->con.state = saved->state;
    if (saved->state != CON_RUNNING)
        return OK; /* nothing is done to it any more */
    struct con_setup setup = console_setup(drv);
    return con_load(&drv->con, &setup, saved);
}

/* A device that has just broken the rules is dealt with first. */
static bool rest(void *state)
{
    const struct virtio_con *drv = state;
    return drv->con.state != CON_RUNNING || !con_fault(&drv->con);
}

static const struct state_record records[] = {
    {.name = "console",
     .id = 1,
     .version = 1,
     .bytes_max = sizeof(struct saved_console),
     .save = console_save,
     .load = console_load},
};
SERVER_SWAP(motet_server_virtio_con, .records = records, .record_count = 1, .rest = rest);
