/* SPDX-License-Identifier: ISC
 *
 * The virtio network driver: a server with one port, "net" (ipc/proto/netdev.h), one client and up
 * to NETDEV_INTERFACES_MAX devices. Here the messages are checked and the buffers accounted for;
 * net.c drives the devices.
 *
 * Who has a receive buffer: the client; or the driver, and then it is in one interface's receive
 * queue, or in that interface's list of spare ones. `next` says which.
 *
 * No deadlock: the only thing that `receive` ever waits for is the device's sending, never room in
 * the channel to the client. What goes there has its own bounded place until there is room: sent
 * frames in `done`, received ones in the device's ring, unused buffers in the spare lists.
 */
#include "servers/virtio_drv/virtio_drv.h"

#include <string.h>

#include "libos/assert.h"
#include "libos/restart.h"
#include "libos/swap.h"

static void count(struct virtio_drv *drv, enum counter counter)
{
    drv->counters[counter]++;
}

/* Start */

static void log_interface(struct virtio_drv *drv, const struct interface *interface,
                          const struct device *device)
{
    const struct net *net = &interface->net;
    const uint8_t *mac = net->mac;
    char features[NET_FEATURES_TEXT], place[DEVICE_TEXT_BYTES];
    net_features_text(net, features);
    device_text(device, place);
    domain_log(drv->domain,
               "net%u: virtio-net %s mac %02x:%02x:%02x:%02x:%02x:%02x features%s, rx %u tx %u",
               net->number, place, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
               features[0] ? features : " none", net->rx.ring.num, net->tx.ring.num);
}

struct net_setup interface_setup(struct virtio_drv *drv, uint16_t n, const struct device *device)
{
    uint64_t offset = (uint64_t)n * drv->queues->buffer_size;
    return (struct net_setup){.device = device,
                              .rx_pool = drv->rx,
                              .sendable = drv->sendable,
                              .memory = drv->queues->base + offset,
                              .physical = drv->queues->physical + offset,
                              .bytes = drv->queues->buffer_size,
                              .number = n};
}

/* Brings up the domain's n-th device as the next interface, or says why not. */
static void device_start(struct virtio_drv *drv, const struct device *device, uint8_t n)
{
    struct interface *interface = &drv->interface[drv->interfaces];
    struct net_setup setup = interface_setup(drv, drv->interfaces, device);
    setup.random = domain_random(drv->domain);
    if (net_start(&interface->net, &setup) == OK) {
        interface->device = n;
        log_interface(drv, interface, device);
        drv->interfaces++;
        return;
    }
    count(drv, COUNTER_DEVICES_REFUSED);
    char place[DEVICE_TEXT_BYTES];
    device_text(device, place);
    domain_log(drv->domain, "device %s (%04x:%04x) not used: %s", place, device->vendor, device->id,
               interface->net.fault);
    memset(&interface->net, 0, sizeof(interface->net));
}

/* What the manifest must give. NULL: all is there. */
static const char *drv_missing(const struct virtio_drv *drv)
{
    if (!drv->conn)
        return "port \"net\" is connected to nobody";
    if (!drv->rx || !(drv->rx->rights & POOL_DMA) || drv->rx->buffer_size < BUFFER_BYTES_MIN ||
        drv->rx->buffer_size > BUFFER_BYTES_MAX || drv->rx->buffers > POOL_BUFFERS_MAX)
        return "pool \"rx\" is missing, has no dma right or no buffers of 128 to 32768 bytes";
    if (!drv->queues || !drv->queues->base || !(drv->queues->rights & POOL_DMA))
        return "pool \"queues\" is missing or not writable with dma right";
    return NULL;
}

/* Looked up once, since each frame needs them. The driver's own memory isn't for sending. */
static void find_sendable(struct virtio_drv *drv)
{
    for (uint32_t number = 0; number < NET_POOLS; number++) {
        const struct pool *pool = domain_pool(drv->domain, number);
        if (pool && pool->rights & POOL_DMA && pool != drv->queues)
            drv->sendable[number] = pool;
    }
}

/* Brings up the domain's devices, with nothing in the driver's hands yet. Returns how many there
 * are. */
static uint32_t devices_start(struct virtio_drv *drv)
{
    struct domain *domain = drv->domain;
    memset(drv->next, 0xff, sizeof(drv->next)); /* BUFFER_CLIENT */
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        drv->interface[i].spare = LIST_END;
    const struct device *device;
    uint32_t n = 0;
    for (; (device = domain_device(domain, n)) && n < NETDEV_INTERFACES_MAX; n++) {
        if (drv->interfaces == drv->queues->buffers) {
            domain_log(domain, "pool \"queues\" has no buffer left for another network card");
            break;
        }
        device_start(drv, device, (uint8_t)n);
    }
    if (!n)
        domain_log(domain, "no network card: the manifest grants none or the machine has none "
                           "(QEMU: -device virtio-net-pci; on microvm virtio-net-device)");
    return drv->interfaces;
}

static enum error drv_start(void *state, struct domain *domain)
{
    struct virtio_drv *drv = state;
    drv->domain = domain;
    drv->counters = domain_counters(domain);
    drv->conn = domain_conn(domain, "net", 0);
    drv->rx = domain_pool_named(domain, "rx");
    drv->queues = domain_pool_named(domain, "queues");
    const char *missing = drv_missing(drv);
    if (missing) {
        domain_log(domain, "%s: see the manifest", missing);
        return ERROR_NOT_FOUND;
    }
    find_sendable(drv);
    if (domain_swaps(domain))
        return OK; /* the devices are running: swap.c */
    return devices_start(drv) ? OK : ERROR_NOT_FOUND;
}

/* The client has begun anew: all buffers and frames are forgotten, the devices' too. A device that
 * doesn't reset may still write to the client's buffers: then the client is never accepted. */
static bool drv_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct virtio_drv *drv = state;
    (void)conn; /* there is one */
    if (what != RESTARTED_FORGET)
        return true; /* the client speaks first */
    for (uint32_t i = 0; i < drv->interfaces; i++)
        if (!virtio_reset(&drv->interface[i].net.virtio))
            return false;
    memset(drv->interface, 0, sizeof(drv->interface));
    drv->interfaces = drv->outstanding = drv->done_count = 0;
    devices_start(drv);
    return true;
}
/* Towards the client: each of these stops when there is no room, and goes on at the next call. */

static void link_send(struct virtio_drv *drv, struct interface *interface)
{
    const struct net *net = &interface->net;
    struct netdev_link link = {.interface = net->number,
                               .interfaces = drv->interfaces,
                               .mtu = net->mtu,
                               .up = net->link_up,
                               .tx_csum = net_has(net, VIRTIO_NET_F_CSUM),
                               .rx_headroom = NET_HEADER_BYTES};
    struct msg m;
    memcpy(link.mac, net->mac, sizeof(link.mac));
    msg_set(&m, NETDEV_LINK, &link, sizeof(link));
    interface->link_due = conn_send(drv->conn, &m) != OK;
}

static bool rx_send(struct virtio_drv *drv, const struct netdev_rx *rx)
{
    struct msg m;
    msg_set(&m, NETDEV_RX, rx, sizeof(*rx));
    drv->next[rx->data.index] = BUFFER_CLIENT;
    return conn_send(drv->conn, &m) == OK;
}

static void done_send(struct virtio_drv *drv)
{
    uint32_t sent = 0;
    if (!drv->done_count)
        return;
    while (sent < drv->done_count) {
        uint32_t left = drv->done_count - sent;
        struct netdev_tx_done done = {.count =
                                          left < NETDEV_TX_DONE_MAX ? left : NETDEV_TX_DONE_MAX};
        struct msg m;
        for (uint32_t i = 0; i < done.count; i++)
            done.cookie[i] = drv->done[sent + i];
        msg_set(&m, NETDEV_TX_DONE, &done, sizeof(done));
        if (conn_send(drv->conn, &m) != OK)
            break;
        sent += done.count;
    }
    drv->done_count -= (uint16_t)sent;
    drv->outstanding -= (uint16_t)sent;
    memmove(drv->done, &drv->done[sent], drv->done_count * sizeof(drv->done[0]));
}

/* Hands the buffers back that an interface without a working device can't use. */
static void spare_return(struct virtio_drv *drv, struct interface *interface, uint32_t number)
{
    while (interface->spare != LIST_END) {
        uint16_t index = interface->spare, next = drv->next[index];
        struct netdev_rx rx = {.interface = (uint16_t)number,
                               .data = {.pool = drv->rx->number, .index = index}};
        if (!rx_send(drv, &rx)) {
            drv->next[index] = next;
            return;
        }
        interface->spare = next;
        count(drv, COUNTER_RX_RETURNED);
    }
}

/* What becomes of a buffer in the driver's hands: the device gets it, or it waits for its turn. */
static void buffer_post(struct virtio_drv *drv, struct interface *interface, uint16_t index)
{
    drv->next[index] = BUFFER_QUEUED;
    net_rx_post(&interface->net, index);
}

static void buffer_spare(struct virtio_drv *drv, struct interface *interface, uint16_t index)
{
    drv->next[index] = interface->spare;
    interface->spare = index;
}

static void frame_done(struct virtio_drv *drv, uint32_t cookie)
{
    drv->done[drv->done_count++] = cookie; /* at most `outstanding` */
}

/* The device broke the rules, or gave up: it is reset, and all that it had goes back. One that
 * doesn't confirm the reset keeps its buffers, since it may still write to them. */
static void interface_fail(struct virtio_drv *drv, struct interface *interface)
{
    struct net *net = &interface->net;
    uint32_t token;
    bool reset = net_fail(net);
    count(drv, COUNTER_DEVICES_BROKEN);
    domain_log(drv->domain, "net%u: device broken: %s; %s, out of use until a restart", net->number,
               net->fault, reset ? "reset" : "it doesn't reset and keeps its buffers");
    link_send(drv, interface);
    while (reset && net_tx_abandon(net, &token))
        frame_done(drv, token);
    while (reset && net_rx_abandon(net, &token))
        buffer_spare(drv, interface, (uint16_t)token);
}

/* The device's side: called after each round, and tx_service also when a frame finds no slot. */

static void tx_service(struct virtio_drv *drv, struct interface *interface)
{
    struct net *net = &interface->net;
    struct virtqueue_used used;
    if (virtqueue_unpublished(&net->tx) && net_tx_publish(net))
        count(drv, COUNTER_TX_NOTIFIES);
    do {
        while (virtqueue_take(&net->tx, &used))
            frame_done(drv, used.token);
    } while (net_tx_settle(net));
    DEBUG_ASSERT(virtqueue_check(&net->tx));
    if (net_fault(net))
        interface_fail(drv, interface);
}

static void rx_count(struct virtio_drv *drv, const struct netdev_rx *rx)
{
    if (!rx->data.length)
        count(drv, COUNTER_RX_RETURNED);
    else
        count(drv, rx->data.offset ? COUNTER_RX_FRAMES : COUNTER_RX_PARTS);
}

/* Hands over what is waiting in the receive queue. False: there isn't room for all of it. */
static bool rx_hand_over(struct virtio_drv *drv, struct net *net)
{
    struct netdev_rx rx;
    uint32_t room = 0;
    do {
        if (!room)
            room = conn_room(drv->conn); /* 0: asks for the doorbell too */
        if (!room) {
            count(drv, COUNTER_RX_HELD);
            return false;
        }
        if (!net_rx_take(net, &rx))
            return true;
        rx_count(drv, &rx);
        rx_send(drv, &rx);
        room--;
    } while (virtqueue_waiting(&net->rx));
    return true;
}

/* Empties the receive queue, without interrupts, and then asks for the next one. Without room the
 * frames stay with the device and the interrupt stays off: the client's doorbell brings us back. */
static void rx_drain(struct virtio_drv *drv, struct net *net)
{
    do {
        if (!virtqueue_waiting(&net->rx))
            continue; /* to the condition */
        virtqueue_disarm(&net->rx);
        if (!rx_hand_over(drv, net))
            return;
    } while (virtqueue_arm(&net->rx, 1));
}

static void rx_service(struct virtio_drv *drv, struct interface *interface)
{
    struct net *net = &interface->net;
    rx_drain(drv, net);
    DEBUG_ASSERT(virtqueue_check(&net->rx));
    if (net_fault(net)) {
        interface_fail(drv, interface);
        return;
    }
    while (interface->spare != LIST_END && !virtqueue_full(&net->rx)) {
        uint16_t index = interface->spare;
        interface->spare = drv->next[index];
        buffer_post(drv, interface, index);
    }
    if (virtqueue_unpublished(&net->rx) && net_rx_publish(net))
        count(drv, COUNTER_RX_NOTIFIES);
}

static void config_service(struct virtio_drv *drv, struct interface *interface)
{
    struct net *net = &interface->net;
    interface->config_due = false;
    if (net_link_changed(net)) {
        count(drv, COUNTER_LINK_CHANGES);
        domain_log(drv->domain, "net%u: link %s", net->number, net->link_up ? "up" : "down");
        interface->link_due = true;
    }
    if (net_fault(net))
        interface_fail(drv, interface);
}

static void drv_batch_end(void *state)
{
    struct virtio_drv *drv = state;
    for (uint32_t i = 0; i < drv->interfaces; i++)
        if (drv->interface[i].net.state == NET_RUNNING)
            tx_service(drv, &drv->interface[i]);
    done_send(drv); /* before received frames take the room: the client waits for its buffers */
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        struct interface *interface = &drv->interface[i];
        if (interface->config_due && interface->net.state == NET_RUNNING)
            config_service(drv, interface);
        if (interface->link_due)
            link_send(drv, interface);
        if (interface->net.state == NET_RUNNING)
            rx_service(drv, interface);
        if (interface->net.state != NET_RUNNING)
            spare_return(drv, interface, i);
    }
    done_send(drv); /* what a device had that failed just now */
}

/* From the client */

static void open_received(struct virtio_drv *drv)
{
    for (uint32_t i = 0; i < drv->interfaces; i++)
        drv->interface[i].link_due = true;
}

/* Takes the buffers over that really are the client's. The others are counted; there is nothing to
 * hand back. */
static void provide_received(struct virtio_drv *drv, const struct msg *m)
{
    struct netdev_rx_provide provide;
    msg_get(m, &provide, sizeof(provide));
    if (provide.interface >= NETDEV_INTERFACES_MAX || provide.pool != drv->rx->number ||
        provide.count > NETDEV_PROVIDE_MAX) {
        count(drv, COUNTER_PROVIDE_REFUSED);
        return;
    }
    struct interface *interface = &drv->interface[provide.interface];
    for (uint32_t i = 0; i < provide.count; i++) {
        uint16_t index = provide.index[i];
        if (index >= drv->rx->buffers || drv->next[index] != BUFFER_CLIENT)
            count(drv, COUNTER_PROVIDE_REFUSED);
        else if (interface->net.state == NET_RUNNING && !virtqueue_full(&interface->net.rx))
            buffer_post(drv, interface, index);
        else
            buffer_spare(drv, interface, index);
    }
}

/* False: the frame waits until the device has sent others; an interrupt will say so. */
static bool tx_received(struct virtio_drv *drv, const struct msg *m)
{
    struct netdev_tx tx;
    msg_get(m, &tx, sizeof(tx));
    if (drv->outstanding == NETDEV_TX_OUTSTANDING) {
        count(drv, COUNTER_TX_EXCESS);
        return true;
    }
    struct interface *interface = &drv->interface[tx.interface % NETDEV_INTERFACES_MAX];
    struct net *net = &interface->net;
    if (net->state == NET_RUNNING && virtqueue_full(&net->tx)) {
        net->tx_waiting = true;
        tx_service(drv, interface);
    }
    if (tx.interface >= NETDEV_INTERFACES_MAX || net->state != NET_RUNNING) {
        count(drv, COUNTER_TX_DOWN);
        frame_done(drv, tx.cookie);
    } else if (virtqueue_full(&net->tx)) {
        count(drv, COUNTER_TX_HELD);
        return false;
    } else if (!net_tx_put(net, &tx)) {
        count(drv, COUNTER_TX_REFUSED);
        frame_done(drv, tx.cookie);
    } else {
        net->tx_waiting = false;
        count(drv, COUNTER_TX_FRAMES);
    }
    drv->outstanding++;
    return true;
}

static bool drv_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct virtio_drv *drv = state;
    if (conn == drv->conn) {
        switch (m->op) {
        case NETDEV_OPEN:
            open_received(drv);
            return true;
        case NETDEV_RX_PROVIDE:
            provide_received(drv, m);
            return true;
        case NETDEV_TX:
            return tx_received(drv, m);
        default:
            break;
        }
    }
    count(drv, COUNTER_BAD_MESSAGE);
    return true;
}

/* Whether the interrupt is about the configuration. A device that has one for everything is asked;
 * that lowers a pin, which may be shared, and then it may interrupt again. */
static bool interrupt_take(struct virtio_drv *drv, struct interface *interface, uint32_t bits)
{
    const struct virtio *virtio = &interface->net.virtio;
    if (!virtio->single)
        return bits >> interface->net.config_vector & 1;
    uint8_t isr = virtio_take_isr(virtio);
    domain_acknowledge(drv->domain, domain_device(drv->domain, interface->device));
    return isr & VIRTIO_ISR_CHANGED;
}

/* From the devices: queues are looked at after each round anyway, so only the configuration is
 * remembered. */
static void drv_signal(void *state, uint32_t device, uint32_t bits)
{
    struct virtio_drv *drv = state;
    count(drv, COUNTER_INTERRUPTS);
    for (uint32_t i = 0; i < drv->interfaces; i++) {
        struct interface *interface = &drv->interface[i];
        if (interface->device == device && interface->net.state == NET_RUNNING &&
            interrupt_take(drv, interface, bits))
            interface->config_due = true;
    }
}

static const struct server_port ports[] = {
    {.name = "net", .protocol = NETDEV_PROTOCOL, .version = NETDEV_VERSION, .role = CONN_SERVER},
};

static const char *const counter_names[] = {
#define COUNTER(name, text, meaning) text,
#include "servers/virtio_drv/counters.def"
#undef COUNTER
};
_Static_assert(sizeof(counter_names) / sizeof(counter_names[0]) == COUNTER_COUNT, "one list");

const struct server motet_server_virtio_drv = {
    .magic = SERVER_MAGIC,
    .abi = SERVER_ABI,
    .name = "virtio_drv",
    .version = "1",
    .state_size = sizeof(struct virtio_drv),
    .stack_bytes = 2048, /* measured with -fstack-usage: the deepest path needs about 700 */
    .ports = ports,
    .port_count = 1,
    .counters = counter_names,
    .counter_count = COUNTER_COUNT,
    .start = drv_start,
    .signal = drv_signal,
    .receive = drv_receive,
    .batch_end = drv_batch_end,
};
SERVER_EXPORT(motet_server_virtio_drv);
SERVER_RESTARTED(motet_server_virtio_drv, drv_restarted);
