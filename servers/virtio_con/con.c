/* SPDX-License-Identifier: ISC
 *
 * Virtio consoles: see con.h. Called by virtio_con.c. Refuses legacy devices and whatever a device
 * uses that contradicts the specification (virtio 1.1; the section is named at each step).
 */
#include "servers/virtio_con/con.h"

#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

enum { QUEUE_RX = 0, QUEUE_TX = 1 }; /* 5.3.2: port 0 */

/* MULTIPORT isn't among them: port 0 works without, and without control queues (5.3.3). */
static const uint64_t features_wanted =
    1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1 |
    1ull << VIRTIO_F_ACCESS_PLATFORM | 1ull << VIRTIO_F_ORDER_PLATFORM;

static uint32_t align(uint32_t bytes)
{
    return (bytes + VIRTQUEUE_ALIGN - 1) & ~(uint32_t)(VIRTQUEUE_ALIGN - 1);
}

enum { DATA_BYTES = CON_ENTRIES * CON_PIECE_BYTES };

uint32_t con_ring_bytes(void)
{
    return align(virtqueue_bytes(CON_ENTRIES));
}

uint32_t con_bytes(void)
{
    return 2 * (con_ring_bytes() + DATA_BYTES);
}

void con_place_data(struct con *con, const struct con_setup *setup)
{
    con->rx_data = setup->memory + 2 * con_ring_bytes();
    con->tx_data = con->rx_data + DATA_BYTES;
}

static enum error con_refuse(struct con *con, const char *why)
{
    con->fault = why;
    return ERROR_BAD_STATE;
}

/* 3.1.1, steps 1 to 6: reset, "we know how to drive it", the features that both sides have. */
static enum error con_negotiate(struct con *con)
{
    if (!virtio_reset(&con->virtio))
        return con_refuse(con, "it doesn't reset");
    virtio_add_status(&con->virtio, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    virtio_add_status(&con->virtio, VIRTIO_CONFIG_S_DRIVER);
    con->features = virtio_offered(&con->virtio) & features_wanted;
    if (!(con->features >> VIRTIO_F_VERSION_1 & 1))
        return con_refuse(con, "it doesn't offer VERSION_1");
    virtio_accept(&con->virtio, con->features);
    virtio_add_status(&con->virtio, VIRTIO_CONFIG_S_FEATURES_OK);
    if (!(virtio_status(&con->virtio) & VIRTIO_CONFIG_S_FEATURES_OK))
        return con_refuse(con, "it refuses our features");
    return OK;
}

/* Queues first, which have an alignment, then the data. Addresses are written once. */
static void con_place(struct con *con, const struct con_setup *setup)
{
    const uint32_t ring = con_ring_bytes();
    const bool event_idx = con->features >> VIRTIO_RING_F_EVENT_IDX & 1;
    const uint64_t rx_address = setup->physical + 2 * ring, tx_address = rx_address + DATA_BYTES;
    memset(setup->memory, 0, con_bytes());
    virtqueue_init(&con->rx, setup->memory, CON_ENTRIES, 0, event_idx);
    virtqueue_init(&con->tx, setup->memory + ring, CON_ENTRIES, 0, event_idx);
    con_place_data(con, setup);
    for (uint32_t i = 0; i < CON_ENTRIES; i++) {
        *virtqueue_chain(&con->rx, i) =
            (struct vring_desc){.addr = rx_address + i * CON_PIECE_BYTES,
                                .len = CON_PIECE_BYTES,
                                .flags = VRING_DESC_F_WRITE};
        *virtqueue_chain(&con->tx, i) =
            (struct vring_desc){.addr = tx_address + i * CON_PIECE_BYTES};
    }
}

static bool con_start_queue(struct con *con, const struct con_setup *setup, uint16_t index,
                            uint16_t vector)
{
    const struct vring *ring = index == QUEUE_RX ? &con->rx.ring : &con->tx.ring;
    uint64_t base = setup->physical - (uintptr_t)setup->memory;
    struct virtio_queue queue = {.index = index,
                                 .size = CON_ENTRIES,
                                 .vector = vector,
                                 .desc = base + (uintptr_t)ring->desc,
                                 .avail = base + (uintptr_t)ring->avail,
                                 .used = base + (uintptr_t)ring->used};
    return virtio_queue_size(&con->virtio, index) >= CON_ENTRIES &&
           virtio_queue_start(&con->virtio, &queue,
                              index == QUEUE_RX ? &con->rx_doorbell : &con->tx_doorbell);
}

/* All pieces that are the driver's go to the device. */
static void rx_post(struct con *con)
{
    while (!virtqueue_full(&con->rx))
        virtqueue_put(&con->rx, virtqueue_next_slot(&con->rx));
}

/* 3.1.1, step 7 (4.1.5.1). Both queues share a vector: whichever interrupts, both are looked at. */
static enum error con_connect(struct con *con, const struct con_setup *setup)
{
    if (setup->bytes < con_bytes())
        return con_refuse(con, "pool \"queues\" has too small buffers (16 KiB are enough)");
    con_place(con, setup);
    con->config_vector = (uint8_t)(setup->device->vectors - 1);
    if (!virtio_set_config_vector(&con->virtio, con->config_vector) ||
        !con_start_queue(con, setup, QUEUE_RX, 0) || !con_start_queue(con, setup, QUEUE_TX, 0))
        return con_refuse(con, "it refuses a queue or an interrupt vector");
    return OK;
}

enum error con_start(struct con *con, const struct con_setup *setup)
{
    memset(con, 0, sizeof(*con));
    const char *why = virtio_find(&con->virtio, setup->device, VIRTIO_ID_CONSOLE);
    if (why)
        return con_refuse(con, why);
    enum error error = con_negotiate(con);
    if (error == OK)
        error = con_connect(con, setup);
    if (error != OK) {
        virtio_add_status(&con->virtio, VIRTIO_CONFIG_S_FAILED); /* 3.1.1, last sentence */
        return error;
    }
    virtio_add_status(&con->virtio, VIRTIO_CONFIG_S_DRIVER_OK); /* step 8 */
    con->state = CON_RUNNING;
    rx_post(con);
    con_flush(con);
    return OK;
}

/* The next piece that has bytes. False: there is none. */
static bool piece_take(struct con *con)
{
    struct virtqueue_used used;
    while (!con->in_hand) {
        rx_post(con);
        if (!virtqueue_take(&con->rx, &used))
            return false;
        if (used.length > CON_PIECE_BYTES) {
            virtqueue_fail(&con->rx, "it received more than a buffer holds");
            return false;
        }
        con->piece = used.token;
        con->in_hand = used.length;
        con->piece_read = 0;
    }
    return true;
}

uint32_t con_read(struct con *con, uint8_t *out, uint32_t most)
{
    do {
        if (!piece_take(con))
            continue; /* to the condition */
        virtqueue_disarm(&con->rx);
        uint32_t count = con->in_hand < most ? con->in_hand : most;
        memcpy(out, con->rx_data + con->piece * CON_PIECE_BYTES + con->piece_read, count);
        con->piece_read += count;
        con->in_hand -= count;
        return count;
    } while (virtqueue_arm(&con->rx, 1));
    return 0;
}

/* The open piece goes to the device, if it has bytes. */
static void piece_put(struct con *con)
{
    if (!con->open)
        return;
    uint32_t slot = virtqueue_next_slot(&con->tx);
    virtqueue_chain(&con->tx, slot)->len = con->open;
    virtqueue_put(&con->tx, slot);
    con->open = 0;
}

static void tx_collect(struct con *con)
{
    struct virtqueue_used used;
    while (virtqueue_take(&con->tx, &used))
        ;
}

/* Is there a free piece? If not, what was gathered is shown first, or nothing would ever change. */
static bool tx_room(struct con *con)
{
    if (virtqueue_full(&con->tx))
        tx_collect(con);
    if (!virtqueue_full(&con->tx))
        return true;
    con_flush(con);
    while (virtqueue_arm(&con->tx, 1))
        tx_collect(con);
    return !virtqueue_full(&con->tx);
}

bool con_write(struct con *con, const uint8_t *data, uint32_t length)
{
    if (con->open + length > CON_PIECE_BYTES)
        piece_put(con);
    if (!con->open && !tx_room(con))
        return false;
    uint32_t slot = virtqueue_next_slot(&con->tx);
    memcpy(con->tx_data + slot * CON_PIECE_BYTES + con->open, data, length);
    con->open += length;
    return true;
}

void con_flush(struct con *con)
{
    piece_put(con);
    if (virtqueue_publish(&con->tx))
        virtio_notify(&con->virtio, con->tx_doorbell, QUEUE_TX);
    if (virtqueue_publish(&con->rx))
        virtio_notify(&con->virtio, con->rx_doorbell, QUEUE_RX);
}

void con_changed(struct con *con)
{
    if (virtio_status(&con->virtio) & VIRTIO_CONFIG_S_NEEDS_RESET)
        con->fault = "it asks for a reset"; /* 2.1.2 */
}

bool con_fail(struct con *con)
{
    con->state = CON_BROKEN;
    con->fault = con_fault(con);
    return virtio_reset(&con->virtio);
}
