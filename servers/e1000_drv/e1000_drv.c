/* SPDX-License-Identifier: ISC
 *
 * e1000_drv: drives one of Intel's 8254x network cards, by its pin and with the older kind of
 * descriptors. The class's server side is libos/driver/netdev.c. docs/e1000_drv.md.
 *
 * Both rings are private memory and the device's: what it writes into an entry is read once. Entry
 * n of the receive ring has buffer rx_index[n]; the first entry of a frame to send has its place
 * and how many entries it takes, of which the last one reports.
 */
#include "libos/driver/netdev.h"
#include "libos/driver/ring.h"
#include "servers/e1000_drv/registers.h"

enum {
    RX_ENTRIES = 128,
    TX_ENTRIES = 512, /* as many as frames may be under way, of three segments each */
    RESET_NS = 10000000,
    CAUSES = CAUSE_TX_DONE | CAUSE_LINK | CAUSE_RX_FEW | CAUSE_RX_OVERRUN | CAUSE_RX,
};

enum { RX_SPOILED = NETDEV_COUNTERS };

struct e1000 {
    struct driver driver;
    struct e1000_registers registers;
    struct netdev net;
    struct ring rx, tx;
    uint32_t rx_shown, tx_shown; /* what the device was told of each ring's `put` */
    uint16_t rx_index[RX_ENTRIES];
    uint8_t tx_place[TX_ENTRIES], tx_segments[TX_ENTRIES];
    uint16_t interface;
};

static struct e1000 *e1000_of(struct driver *driver)
{
    return (struct e1000 *)driver;
}

/* Receive side */

static void rx_refill(struct e1000 *own)
{
    uint16_t index;
    while (ring_room(&own->rx) && netdev_buffer(&own->net, own->interface, &index)) {
        struct rx_entry *entry = ring_entry(&own->rx, own->rx.put);
        *entry = (struct rx_entry){.address = netdev_buffer_address(&own->net, index)};
        own->rx_index[ring_slot(&own->rx, own->rx.put++)] = index;
    }
}

/* Hands over what is received, as far as there is room: the rest stays with the device. */
static void rx_drain(struct e1000 *own)
{
    uint32_t room = 0;
    while (own->rx.taken != own->rx.put) {
        const struct rx_entry *entry = ring_entry(&own->rx, own->rx.taken);
        uint8_t status = ring_load(&entry->status);
        if (!(status & RX_DONE) || (!room && !(room = netdev_room(&own->net))))
            return;
        const uint16_t length = ring_load(&entry->length);
        const bool spoiled = ring_load(&entry->errors);
        if (!spoiled &&
            (!(status & RX_END) || length < NETDEV_ETHERNET || length > RX_BUFFER_BYTES)) {
            driver_fail(&own->driver, "it received a frame of impossible length");
            return;
        }
        const uint16_t index = own->rx_index[ring_slot(&own->rx, own->rx.taken++)];
        if (spoiled) {
            own->driver.counters[RX_SPOILED]++;
            netdev_spare(&own->net, own->interface, index);
            continue;
        }
        netdev_received(&own->net, own->interface, index, 0, length, 0);
        room--;
    }
}

/* Transmit side */

static bool tx_put(struct e1000 *own, const struct netdev_frame *frame)
{
    const uint32_t first = ring_slot(&own->tx, own->tx.put), segments = frame->tx->segments;
    uint32_t put = own->tx.put;
    if (ring_room(&own->tx) < segments)
        return false;
    own->tx_place[first] = frame->place;
    own->tx_segments[first] = (uint8_t)segments;
    for (uint32_t i = 0; i < segments; i++)
        *(struct tx_entry *)ring_entry(&own->tx, put++) =
            (struct tx_entry){.address = frame->segment[i].address,
                              .length = (uint16_t)frame->segment[i].bytes,
                              .command = TX_CRC | (i + 1 == segments ? TX_END | TX_REPORT : 0)};
    own->tx.put = put;
    return true;
}

static void tx_collect(struct e1000 *own)
{
    while (own->tx.taken != own->tx.put) {
        uint32_t first = ring_slot(&own->tx, own->tx.taken), segments = own->tx_segments[first];
        const struct tx_entry *last = ring_entry(&own->tx, own->tx.taken + segments - 1);
        if (!(ring_load(&last->status) & TX_DONE))
            return;
        own->tx.taken += segments;
        netdev_sent(&own->net, own->tx_place[first]);
    }
}

/* The device */

/* 14.3: nothing of it is to be read for a while; then it must be forbidden to interrupt again. */
static bool e1000_silence(struct driver *driver)
{
    const struct e1000_registers *registers = &e1000_of(driver)->registers;
    e1000_write_mask_clear(registers, UINT32_MAX);
    e1000_write_rx_control(registers, 0);
    e1000_write_tx_control(registers, 0);
    e1000_write_control(registers, CONTROL_RESET);
    bool done = DRIVER_WAIT(driver, RESET_NS, !(e1000_read_control(registers) & CONTROL_RESET));
    e1000_write_mask_clear(registers, UINT32_MAX);
    e1000_read_causes(registers);
    return done;
}

/* 14.5.1, 14.5.2 */
static void rings_start(const struct e1000 *own)
{
    const struct e1000_registers *registers = &own->registers;
    e1000_write_rx_base(registers, own->rx.address);
    e1000_write_rx_bytes(registers, RX_ENTRIES * sizeof(struct rx_entry));
    e1000_write_rx_head(registers, 0);
    e1000_write_rx_tail(registers, 0);
    e1000_write_rx_delay(registers, 0);
    e1000_write_tx_base(registers, own->tx.address);
    e1000_write_tx_bytes(registers, TX_ENTRIES * sizeof(struct tx_entry));
    e1000_write_tx_head(registers, 0);
    e1000_write_tx_tail(registers, 0);
    e1000_write_tx_gap(registers, TX_GAP);
    e1000_write_rx_control(registers, RX_ENABLE | RX_BROADCAST | RX_STRIP_CRC);
    e1000_write_tx_control(registers, TX_ENABLE | TX_PAD | TX_COLLISIONS);
}

/* The reset has read it from the card's memory. */
static bool mac_read(const struct e1000 *own, uint8_t mac[6])
{
    uint32_t low = e1000_read_address_low(&own->registers);
    uint32_t high = e1000_read_address_high(&own->registers);
    memcpy(mac, &low, 4);
    memcpy(mac + 4, &high, 2);
    return (high & ADDRESS_VALID) && !(mac[0] & 1);
}

static bool link_is_up(const struct e1000 *own)
{
    return e1000_read_status(&own->registers) & STATUS_LINK_UP;
}

static enum error e1000_class_open(struct driver *driver)
{
    return netdev_open(&e1000_of(driver)->net, driver->domain, "queues", RX_BUFFER_BYTES);
}

static enum error e1000_start(struct driver *driver)
{
    struct e1000 *own = e1000_of(driver);
    struct netdev_link link = {.mtu = NETDEV_MTU};
    enum error error = e1000_open(&own->registers, driver, 0, 0);
    if (error == OK && !e1000_silence(driver))
        return driver_refuse(driver, "it doesn't reset");
    if (error == OK)
        error = ring_open(driver, &own->rx, RX_ENTRIES, sizeof(struct rx_entry), RING_ALIGN);
    if (error == OK)
        error = ring_open(driver, &own->tx, TX_ENTRIES, sizeof(struct tx_entry), RING_ALIGN);
    if (error != OK)
        return error;
    if (!mac_read(own, link.mac))
        return driver_refuse(driver, "it has no MAC address, or a group's");
    own->rx_shown = own->tx_shown = 0;
    rings_start(own);
    e1000_write_control(&own->registers, CONTROL_SET_LINK_UP);
    link.up = link_is_up(own);
    own->interface = netdev_attach(&own->net, driver, &link);
    e1000_write_mask_set(&own->registers, CAUSES);
    return OK;
}

/* Reading the causes lets the pin go; e1000_work follows. */
static void e1000_interrupt(struct driver *driver, uint32_t vector)
{
    struct e1000 *own = e1000_of(driver);
    (void)vector; /* there is one */
    if (e1000_read_causes(&own->registers) & CAUSE_LINK)
        netdev_up(&own->net, own->interface, link_is_up(own));
}

static void e1000_work(struct driver *driver)
{
    struct e1000 *own = e1000_of(driver);
    tx_collect(own);
    rx_drain(own);
}

/* What the round gave the device is shown to it, each ring once. */
static void e1000_round(struct driver *driver)
{
    struct e1000 *own = e1000_of(driver);
    netdev_round(&own->net);
    if (!driver_runs(driver))
        return;
    rx_refill(own);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* the entries before the tails */
    if (own->rx_shown != own->rx.put)
        e1000_write_rx_tail(&own->registers, ring_slot(&own->rx, own->rx.put));
    if (own->tx_shown != own->tx.put)
        e1000_write_tx_tail(&own->registers, ring_slot(&own->tx, own->tx.put));
    own->rx_shown = own->rx.put;
    own->tx_shown = own->tx.put;
}

static bool e1000_receive(void *state, struct conn *conn, const struct msg *m)
{
    struct e1000 *own = state;
    struct netdev_frame frame;
    return !netdev_receive(&own->net, conn, m, &frame) ||
           netdev_put(&own->net, &frame, tx_put(own, &frame));
}

static bool e1000_restarted(void *state, struct conn *conn, enum restarted what)
{
    return netdev_restarted(&((struct e1000 *)state)->net, conn, what);
}

static const struct driver_ops ops = {
    .what = "network card of this kind (QEMU: -device e1000)",
    .vendor = 0x8086,
    .id = 0x100e,
    .id_last = 0x100f,
    .vectors = 1,
    .pool = "queues",
    .open = e1000_class_open,
    .start = e1000_start,
    .interrupt = e1000_interrupt,
    .work = e1000_work,
    .round = e1000_round,
    .silence = e1000_silence,
};

static const char *const counters[] = {NETDEV_COUNTER_NAMES, [RX_SPOILED] = "rx_spoiled"};

DRIVER(e1000_drv, struct e1000, ops, counters, .ports = netdev_ports, .port_count = 1,
       .receive = e1000_receive);
SERVER_RESTARTED(motet_server_e1000_drv, e1000_restarted);
