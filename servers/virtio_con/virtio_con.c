/* SPDX-License-Identifier: ISC
 *
 * virtio_con: drives one virtio console (virtio 1.1, section 5.3), its port 0, without the control
 * queues. libos/driver/console.c has the client's side, libos/driver/virtio_device.c what virtio
 * devices have in common. docs/virtio_con.md.
 *
 * A piece to send is gathered until the batch ends or it is full; a piece received is read to its
 * last byte, and then goes back to the device.
 */
#include "servers/virtio_con/virtio_con.h"

#include <string.h>

static struct virtio_con *con_of(struct driver *driver)
{
    return (struct virtio_con *)driver;
}

static void fault_check(struct virtio_con *con)
{
    const char *fault = con->rx.ring.fault ? con->rx.ring.fault : con->tx.ring.fault;
    DEBUG_ASSERT(virtqueue_check(&con->rx.ring) && virtqueue_check(&con->tx.ring));
    if (fault)
        driver_fail(&con->driver, fault);
}

/* Receiving */

/* All pieces that are the driver's go to the device. */
static void rx_post(struct virtio_con *con)
{
    while (!virtqueue_full(&con->rx.ring)) {
        const uint32_t slot = virtqueue_next_slot(&con->rx.ring);
        const struct dma_segment segment = {dma_give(&con->in[slot]), PIECE_BYTES};
        virtio_device_put(&con->rx, slot, &segment, 0, 1);
    }
}

/* The next piece that has bytes. False: there is none. */
static bool piece_take(struct virtio_con *con)
{
    struct virtqueue_used used;
    while (!con->unread) {
        rx_post(con);
        if (!virtio_device_used(&con->rx, &used))
            return false;
        dma_take(&con->in[used.token]);
        if (used.length > PIECE_BYTES) {
            virtqueue_fail(&con->rx.ring, "it received more than a buffer holds");
            return false;
        }
        con->piece = used.token;
        con->unread = used.length;
        con->read = 0;
    }
    return true;
}

static uint32_t con_read(struct driver *driver, uint8_t *bytes, uint32_t most)
{
    struct virtio_con *con = con_of(driver);
    do {
        if (!piece_take(con))
            continue; /* to the condition */
        virtio_device_disarm(&con->rx);
        const uint8_t *piece = dma_memory(&con->in[con->piece]);
        const uint32_t count = con->unread < most ? con->unread : most;
        memcpy(bytes, piece + con->read, count);
        con->read += count;
        con->unread -= count;
        return count;
    } while (virtio_device_arm(&con->rx));
    fault_check(con);
    return 0;
}

/* Sending */

/* What was gathered goes to the device. */
static void piece_put(struct virtio_con *con)
{
    if (!con->gathered)
        return;
    const uint32_t slot = virtqueue_next_slot(&con->tx.ring);
    const struct dma_segment segment = {dma_give(&con->out[slot]), con->gathered};
    virtio_device_put(&con->tx, slot, &segment, 1, 0);
    con->gathered = 0;
}

static void tx_collect(struct virtio_con *con)
{
    struct virtqueue_used used;
    while (virtio_device_used(&con->tx, &used))
        dma_take(&con->out[used.token]);
}

static void con_show(struct virtio_con *con)
{
    piece_put(con);
    virtio_device_show(&con->tx);
    virtio_device_show(&con->rx);
}

/* Is there a free piece? If not, what was gathered is shown first, or nothing would ever change. */
static bool tx_room(struct virtio_con *con)
{
    struct virtqueue *ring = &con->tx.ring;
    if (virtqueue_full(ring))
        tx_collect(con);
    if (!virtqueue_full(ring))
        return true;
    con_show(con);
    while (virtio_device_arm(&con->tx))
        tx_collect(con);
    fault_check(con);
    return driver_runs(&con->driver) && !virtqueue_full(ring);
}

static bool con_write(struct driver *driver, const uint8_t *bytes, uint32_t count)
{
    struct virtio_con *con = con_of(driver);
    if (con->gathered + count > PIECE_BYTES)
        piece_put(con);
    if (!con->gathered && !tx_room(con))
        return false;
    uint8_t *piece = dma_memory(&con->out[virtqueue_next_slot(&con->tx.ring)]);
    memcpy(piece + con->gathered, bytes, count);
    con->gathered += count;
    return true;
}

static const struct console_ops console_ops = {.write = con_write, .read = con_read};

/* The device */

enum error pieces_place(struct virtio_con *con)
{
    enum error error = OK;
    for (uint32_t i = 0; i < 2 * PIECES && error == OK; i++)
        error = driver_dma(&con->driver, PIECE_BYTES, 1,
                           i < PIECES ? &con->in[i] : &con->out[i - PIECES]);
    return error;
}

static enum error con_open(struct driver *driver)
{
    return console_open(driver, &con_of(driver)->console, &console_ops);
}

/* MULTIPORT isn't wanted: port 0 works without, and without control queues (5.3.3). */
static enum error con_start(struct driver *driver)
{
    struct virtio_con *con = con_of(driver);
    enum error error =
        virtio_device_open(&con->device, driver, VIRTIO_ID_CONSOLE, 1ull << VIRTIO_F_RING_PACKED);
    if (error == OK)
        error = virtio_device_queue_packed(&con->rx, &con->rx_packed, &con->device, driver,
                                           QUEUE_RX, PIECES, 0);
    if (error == OK)
        error = virtio_device_queue_packed(&con->tx, &con->tx_packed, &con->device, driver,
                                           QUEUE_TX, PIECES, 0);
    if (error == OK)
        error = pieces_place(con);
    if (error != OK)
        return error;
    con->gathered = con->unread = 0;
    virtio_device_run(&con->device);
    rx_post(con);
    con_show(con);
    return OK;
}

/* The queues are looked at after each round anyway. */
static void con_interrupt(struct driver *driver, uint32_t vector)
{
    virtio_device_interrupt(&con_of(driver)->device, driver, vector);
}

static void con_round(struct driver *driver)
{
    struct virtio_con *con = con_of(driver);
    if (driver_runs(driver)) {
        piece_put(con); /* before the next slot is another one */
        tx_collect(con);
        fault_check(con);
    }
    console_round(driver, &con->console);
    if (driver_runs(driver))
        con_show(con);
}

static bool con_silence(struct driver *driver)
{
    return virtio_device_silence(&con_of(driver)->device);
}

static bool con_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct virtio_con *con = state;
    (void)conn; /* there is one */
    return console_receive(&con->driver, &con->console, m);
}

static const struct driver_ops ops = {
    .what = "console (QEMU: -device virtio-serial-pci -device virtconsole,chardev=...)",
    .pool = "queues",
    .open = con_open,
    .start = con_start,
    .interrupt = con_interrupt,
    .round = con_round,
    .silence = con_silence,
};

static const char *const counters[] = {CONSOLE_COUNTER_NAMES};

DRIVER(virtio_con, struct virtio_con, ops, counters, .version = "1", .ports = console_ports,
       .port_count = 1, .receive = con_receive);
