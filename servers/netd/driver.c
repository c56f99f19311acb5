/* SPDX-License-Identifier: ISC
 *
 * The connection to the driver. A driver that lies can lose its own frames and starve the stack of
 * receive buffers: no more, since whatever it returns must have been given to it.
 */
#include <stddef.h>

#include "servers/netd/netd.h"

COLD void driver_open(struct netd *netd)
{
    struct msg m = {.op = NETDEV_OPEN};
    netd->opened = conn_send(netd->net, &m) == OK;
}

static void log_interface(struct netd *netd, uint32_t number)
{
    const struct interface *i = &netd->interface[number];
    const uint8_t *mac = i->mac;
    uint32_t ip = i->address, gateway = i->gateway;
    domain_log(netd->domain,
               "net%u: %u.%u.%u.%u/%u gateway %u.%u.%u.%u mac %02x:%02x:%02x:%02x:%02x:%02x mtu %u",
               number, ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255,
               i->mask ? 32 - (uint32_t)__builtin_ctz(i->mask) : 0, gateway >> 24,
               gateway >> 16 & 255, gateway >> 8 & 255, gateway & 255, mac[0], mac[1], mac[2],
               mac[3], mac[4], mac[5], i->mtu);
}

static bool link_sane(const struct netdev_link *link)
{
    return link->interfaces <= NETDEV_INTERFACES_MAX && link->interface < link->interfaces &&
           link->mtu >= MTU_MIN && !(link->mac[0] & 1);
}

COLD static void link_changed(struct netd *netd, const struct netdev_link *link)
{
    struct interface *interface = &netd->interface[link->interface];
    bool up = link->up && interface->address;
    uint16_t mtu = link->mtu < MTU_MAX ? link->mtu : MTU_MAX;
    bool same =
        up == interface->up && mtu == interface->mtu && mac_equal(interface->mac, link->mac);
    if (!interface->address && !interface->receives)
        domain_log(netd->domain, "net%u: no address, stays down: set net%u.ip", link->interface,
                   link->interface);
    interface->receives = true;
    if (netd->interfaces <= link->interface)
        netd->interfaces = (uint8_t)(link->interface + 1);
    interface_set_quota(interface,
                        interface->address ? netd->receive.buffers / link->interfaces : 0);
    interface->tx_csum = link->tx_csum;
    if (same)
        return;
    if (interface->up && !up)
        domain_log(netd->domain, "net%u: link down", link->interface);
    interface->up = up;
    interface->mtu = mtu;
    mac_copy(interface->mac, link->mac);
    if (!up)
        return;
    log_interface(netd, link->interface);
    /* RFC 5227, 2.3: announce the address to those who remember another one for it. */
    output_arp(netd, (uint8_t)link->interface, ARP_REQUEST, NULL, interface->address);
}

static void frame_received(struct netd *netd, const struct netdev_rx *rx)
{
    struct interface *interface = &netd->interface[rx->interface];
    bool split = interface->rx_split || rx->flags & NETDEV_RX_CONTINUES;
    uint32_t index = rx->data.index;
    interface->rx_lent--;
    interface->rx_split = rx->flags & NETDEV_RX_CONTINUES;
    bool kept = false;
    if (!rx->data.length) {
        netd_count(netd, COUNTER_RX_UNUSED);
        if (interface->rx_quota) /* or they would go to and fro for ever */
            interface_set_quota(interface, interface->rx_quota - 1u);
    } else if (split) {
        netd_count(netd, COUNTER_RX_SPLIT);
    } else {
        netd_count(netd, COUNTER_RX_FRAMES);
        kept = input_frame(netd, (uint8_t)rx->interface, rx->data, rx->flags);
    }
    if (!kept)
        pool_take_back(&netd->receive, index, RECEIVE_STACK);
}

static void frames_done(struct netd *netd, const struct netdev_tx_done *done)
{
    for (uint32_t i = 0; i < done->count; i++) {
        int n = transmit_find(&netd->transmit, done->cookie[i]);
        if (n < 0)
            netd_count(netd, COUNTER_TX_BAD_COOKIE);
        else
            output_done(netd, (uint32_t)n);
    }
}

void driver_receive(struct netd *netd, const struct msg *m)
{
    union {
        struct netdev_rx rx;
        struct netdev_tx_done done;
        struct netdev_link link;
    } from;
    if (m->op == NETDEV_RX) {
        msg_get(m, &from.rx, sizeof(from.rx));
        if (from.rx.interface < NETDEV_INTERFACES_MAX &&
            pool_ref_check(netd->receive_pool, from.rx.data) == OK &&
            pool_pass(&netd->receive, from.rx.data.index,
                      (uint8_t)(RECEIVE_DRIVER + from.rx.interface), RECEIVE_STACK))
            frame_received(netd, &from.rx);
        else
            netd_count(netd, COUNTER_RX_BAD_BUFFER);
        return;
    }
    if (m->op == NETDEV_TX_DONE) {
        msg_get(m, &from.done, sizeof(from.done));
        if (from.done.count <= NETDEV_TX_DONE_MAX) {
            frames_done(netd, &from.done);
            return;
        }
    }
    if (m->op == NETDEV_LINK) {
        msg_get(m, &from.link, sizeof(from.link));
        if (link_sane(&from.link)) {
            link_changed(netd, &from.link);
            return;
        }
    }
    netd_count(netd, COUNTER_NET_BAD_MESSAGE);
}

bool driver_transmit(struct netd *netd, uint32_t n)
{
    struct netdev_tx tx;
    struct msg m;
    transmit_message(&netd->transmit, n, &tx);
    msg_set(&m, NETDEV_TX, &tx, sizeof(tx));
    if (conn_send(netd->net, &m) != OK)
        return false;
    netd->transmit.slot[n].state = SLOT_SENT;
    netd_count(netd, COUNTER_TX_FRAMES);
    return true;
}

/* One message of buffers for the interface. False: it wasn't sent, the buffers stay free. */
static bool provide(struct netd *netd, uint32_t number, uint32_t count)
{
    struct netdev_rx_provide give = {.interface = (uint16_t)number,
                                     .pool = netd->receive_pool->number};
    uint8_t holder = (uint8_t)(RECEIVE_DRIVER + number);
    struct msg m;
    for (; give.count < count && give.count < NETDEV_PROVIDE_MAX; give.count++) {
        int index = pool_lend(&netd->receive, holder);
        if (index < 0)
            break;
        give.index[give.count] = (uint16_t)index;
    }
    msg_set(&m, NETDEV_RX_PROVIDE, &give, sizeof(give));
    if (give.count && conn_send(netd->net, &m) == OK) {
        netd->interface[number].rx_lent += give.count;
        return true;
    }
    while (give.count)
        pool_take_back(&netd->receive, give.index[--give.count], holder);
    return false;
}

COLD void driver_provide(struct netd *netd, uint32_t number)
{
    const struct interface *interface = &netd->interface[number];
    while (interface->rx_lent < interface->rx_quota &&
           provide(netd, number, (uint32_t)(interface->rx_quota - interface->rx_lent)))
        ;
}
