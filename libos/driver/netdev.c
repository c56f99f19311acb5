/* SPDX-License-Identifier: ISC
 *
 * The server's side of the network class: see netdev.h. Called by drivers. Refuses buffers that
 * aren't the client's and frames that make no sense or lie where the device has no right.
 */
#include "libos/driver/netdev.h"

#include <string.h>

const struct server_port netdev_ports[1] = {{"net", NETDEV_PROTOCOL, NETDEV_VERSION, CONN_SERVER}};

enum error netdev_start(struct driver *driver, struct netdev *netdev, const struct netdev_ops *ops)
{
    const struct pool *rx = domain_pool_named(driver->domain, "rx");
    memset(netdev, 0, sizeof(*netdev));
    netdev->ops = ops;
    netdev->conn = domain_conn(driver->domain, "net", 0);
    netdev->rx = rx;
    if (!netdev->conn) {
        domain_log(driver->domain, "port \"net\" is connected to nobody");
        return ERROR_NOT_FOUND;
    }
    if (!rx || !(rx->rights & POOL_DMA) || rx->buffer_size < ops->buffer_bytes) {
        domain_log(driver->domain,
                   "pool \"rx\": the manifest must give it, with right dma and buffers of %u bytes",
                   ops->buffer_bytes);
        return ERROR_NO_RIGHT;
    }
    return OK;
}

void netdev_link_set(struct netdev *netdev, const uint8_t mac[6], bool up)
{
    netdev->link = (struct netdev_link){.interfaces = 1, .mtu = NETDEV_MTU, .up = up};
    memcpy(netdev->link.mac, mac, sizeof(netdev->link.mac));
    netdev->link_due = netdev->opened;
}

bool netdev_room(struct driver *driver, struct netdev *netdev)
{
    if (conn_room(netdev->conn))
        return true;
    driver->counters[NETDEV_RX_HELD]++;
    return false;
}

void netdev_received(struct driver *driver, struct netdev *netdev, uint16_t index, uint16_t length)
{
    const struct netdev_rx rx = {
        .data = {.pool = netdev->rx->number, .index = index, .length = length}};
    struct msg m;
    netdev->holder[index] = NETDEV_CLIENT;
    driver->counters[length ? NETDEV_RX_FRAMES : NETDEV_RX_RETURNED]++;
    msg_set(&m, NETDEV_RX, &rx, sizeof(rx));
    conn_send(netdev->conn, &m);
}

void netdev_sent(struct netdev *netdev, uint8_t frame)
{
    netdev->done[netdev->done_count++] = frame;
}

static void provided(struct driver *driver, struct netdev *netdev, const struct msg *m)
{
    struct netdev_rx_provide provide;
    msg_get(m, &provide, sizeof(provide));
    if (provide.interface || provide.pool != netdev->rx->number ||
        provide.count > NETDEV_PROVIDE_MAX) {
        driver->counters[NETDEV_PROVIDE_REFUSED]++;
        return;
    }
    for (uint32_t i = 0; i < provide.count; i++) {
        uint16_t index = provide.index[i];
        if (index >= netdev->rx->buffers || netdev->holder[index] != NETDEV_CLIENT) {
            driver->counters[NETDEV_PROVIDE_REFUSED]++;
            continue;
        }
        netdev->holder[index] = NETDEV_SPARE;
        netdev->spares++;
    }
}

/* Where the segments are; returns the frame's length in bytes, 0: it makes no sense, or lies where
 * the device has no right. The driver's own memory isn't for sending. */
static uint32_t gather(struct driver *driver, const struct netdev_tx *tx,
                       struct netdev_segment segment[NETDEV_TX_SEGMENTS])
{
    uint32_t length = 0;
    if (tx->interface || tx->flags || !tx->segments || tx->segments > NETDEV_TX_SEGMENTS)
        return 0;
    for (uint32_t i = 0; i < tx->segments; i++) {
        const struct buffer_ref *ref = &tx->segment[i];
        const struct pool *pool = domain_pool(driver->domain, ref->pool);
        if (pool == driver->pool || pool_ref_check(pool, *ref) != OK || !ref->length ||
            !(pool->rights & POOL_DMA))
            return 0;
        segment[i] = (struct netdev_segment){pool_device_address(pool, *ref), ref->length};
        length += ref->length;
    }
    return length >= NETDEV_ETHERNET && length <= NETDEV_FRAME_MAX ? length : 0;
}

static int place_find(const struct netdev *netdev)
{
    for (int i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        if (!netdev->busy[i])
            return i;
    return -1;
}

/* False: the frame waits until the device has sent others; an interrupt will say so. */
static bool frame_taken(struct driver *driver, struct netdev *netdev, const struct msg *m)
{
    struct netdev_segment segment[NETDEV_TX_SEGMENTS];
    struct netdev_tx tx;
    msg_get(m, &tx, sizeof(tx));
    int place = place_find(netdev);
    if (place < 0) {
        driver->counters[NETDEV_TX_EXCESS]++;
        return true;
    }
    const bool runs = driver_runs(driver), sound = gather(driver, &tx, segment);
    if (runs && sound && !netdev->ops->tx_room(driver, tx.segments)) {
        driver->counters[NETDEV_TX_HELD]++;
        return false;
    }
    netdev->busy[place] = true;
    netdev->cookie[place] = tx.cookie;
    driver->counters[!runs ? NETDEV_TX_DOWN : sound ? NETDEV_TX_FRAMES : NETDEV_TX_REFUSED]++;
    if (runs && sound)
        netdev->ops->tx_put(driver, (uint8_t)place, segment, tx.segments);
    else
        netdev_sent(netdev, (uint8_t)place);
    return true;
}

bool netdev_receive(struct driver *driver, struct netdev *netdev, const struct msg *m)
{
    switch (netdev->conn ? m->op : 0) {
    case NETDEV_OPEN:
        netdev->opened = true;
        netdev->link_due = netdev->link.interfaces;
        return true;
    case NETDEV_RX_PROVIDE:
        provided(driver, netdev, m);
        return true;
    case NETDEV_TX:
        return frame_taken(driver, netdev, m);
    default:
        driver->counters[NETDEV_BAD_MESSAGE]++;
        return true;
    }
}

static void done_send(struct netdev *netdev)
{
    uint32_t sent = 0;
    while (sent < netdev->done_count && conn_room(netdev->conn)) {
        struct netdev_tx_done done = {.count = netdev->done_count - sent};
        struct msg m;
        if (done.count > NETDEV_TX_DONE_MAX)
            done.count = NETDEV_TX_DONE_MAX;
        for (uint32_t i = 0; i < done.count; i++) {
            uint8_t place = netdev->done[sent + i];
            done.cookie[i] = netdev->cookie[place];
            netdev->busy[place] = false;
        }
        msg_set(&m, NETDEV_TX_DONE, &done, sizeof(done));
        conn_send(netdev->conn, &m);
        sent += done.count;
    }
    netdev->done_count -= sent;
    memmove(netdev->done, netdev->done + sent, netdev->done_count);
}

/* What a silenced device had is nobody's: buffers to give back, frames that are done. */
static void reclaim(struct netdev *netdev)
{
    netdev->reclaimed = true;
    for (uint32_t i = 0; i < netdev->rx->buffers; i++)
        if (netdev->holder[i] == NETDEV_DEVICE) {
            netdev->holder[i] = NETDEV_SPARE;
            netdev->spares++;
        }
    netdev->done_count = 0;
    for (uint32_t i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        if (netdev->busy[i])
            netdev_sent(netdev, (uint8_t)i);
}

/* Spare buffers go to the device, or back if there is none that works. */
static void spares_settle(struct driver *driver, struct netdev *netdev)
{
    const bool runs = driver_runs(driver);
    for (uint32_t i = 0; netdev->spares && i < netdev->rx->buffers; i++) {
        if (netdev->holder[i] != NETDEV_SPARE)
            continue;
        if (runs ? !netdev->ops->rx_room(driver) : !conn_room(netdev->conn))
            return;
        netdev->spares--;
        if (runs) {
            netdev->holder[i] = NETDEV_DEVICE;
            netdev->ops->rx_post(driver, (uint16_t)i,
                                 netdev->rx->physical + (uint64_t)i * netdev->rx->buffer_size);
        } else {
            netdev_received(driver, netdev, (uint16_t)i, 0);
        }
    }
}

void netdev_round(struct driver *driver, struct netdev *netdev)
{
    if (!netdev->conn || !netdev->rx)
        return;
    if (driver->state == DRIVER_BROKEN && driver->silent && !netdev->reclaimed)
        reclaim(netdev);
    if (driver->state == DRIVER_BROKEN && netdev->link.up) {
        netdev->link.up = 0;
        netdev->link_due = netdev->opened;
    }
    if (netdev->link_due && conn_room(netdev->conn)) {
        struct msg m;
        msg_set(&m, NETDEV_LINK, &netdev->link, sizeof(netdev->link));
        conn_send(netdev->conn, &m);
        netdev->link_due = false;
    }
    done_send(netdev);
    spares_settle(driver, netdev);
}

bool netdev_restarted(struct driver *driver, struct netdev *netdev, enum restarted what)
{
    if (what != RESTARTED_FORGET)
        return true; /* the client speaks first */
    if (!driver_again(driver))
        return false;
    if (!driver_runs(driver)) { /* else netdev_start has forgotten all */
        memset(netdev->holder, NETDEV_CLIENT, sizeof(netdev->holder));
        memset(netdev->busy, 0, sizeof(netdev->busy));
        netdev->spares = netdev->done_count = 0;
        netdev->opened = netdev->link_due = false;
    }
    return true;
}
