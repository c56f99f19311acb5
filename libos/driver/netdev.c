/* SPDX-License-Identifier: ISC
 *
 * The server's side of the network class: see netdev.h. Called by drivers. Refuses buffers that
 * aren't the client's and frames that make no sense or lie where the device has no right.
 */
#include "libos/driver/netdev.h"

#include <string.h>

#include "motet/rare.h"

const struct server_port netdev_ports[1] = {{"net", NETDEV_PROTOCOL, NETDEV_VERSION, CONN_SERVER}};

/* Nothing is the driver's, nothing under way; what is known of the links stays. */
RARE static void account_clear(struct netdev_account *account)
{
    memset(account->next, 0xff, sizeof(account->next)); /* NETDEV_CLIENT */
    memset(account->owner, NETDEV_NOBODY, sizeof(account->owner));
    account->opened = account->done_count = account->links_due = 0;
    account->free_count = NETDEV_TX_OUTSTANDING;
    for (uint8_t i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        account->free[i] = i;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        account->interface[i].spare = NETDEV_SPARE_END;
        account->interface[i].reclaimed = 0;
    }
}

RARE enum error netdev_open(struct netdev *netdev, struct domain *domain, const char *own,
                            uint32_t buffer_bytes)
{
    const struct pool *rx = domain_pool_named(domain, "rx");
    netdev->counters = domain_counters(domain);
    netdev->conn = domain_conn(domain, "net", 0);
    netdev->rx = rx;
    netdev->received.op = NETDEV_RX;
    account_clear(&netdev->account);
    if (!netdev->conn) {
        domain_log(domain, "port \"net\" is connected to nobody");
        return ERROR_NOT_FOUND;
    }
    if (!rx || !(rx->rights & POOL_DMA) || rx->buffer_size < buffer_bytes) {
        domain_log(domain,
                   "pool \"rx\": the manifest must give it, with right dma and buffers of %u bytes",
                   buffer_bytes);
        return ERROR_NO_RIGHT;
    }
    ((struct netdev_rx *)(void *)netdev->received.bytes)->data.pool = rx->number;
    for (uint32_t number = 0; number < NETDEV_POOLS; number++) {
        const struct pool *pool = domain_pool(domain, number);
        if (pool && pool->rights & POOL_DMA && pool != domain_pool_named(domain, own))
            netdev->sendable[number] = pool;
    }
    return OK;
}

/* The client hears of it, if it wants to. */
RARE static void link_due(struct netdev_account *account, uint16_t interface)
{
    account->links_due |= (uint8_t)(account->opened << interface);
}

RARE uint16_t netdev_attach(struct netdev *netdev, struct driver *driver,
                            const struct netdev_link *link)
{
    struct netdev_account *account = &netdev->account;
    uint16_t n = 0;
    while (n < account->interfaces && netdev->driver[n] != driver)
        n++;
    SERVER_ASSERT(n < NETDEV_INTERFACES_MAX);
    if (n == account->interfaces)
        account->interfaces++;
    netdev->driver[n] = driver;
    account->interface[n].link = *link;
    account->interface[n].link.interface = n;
    link_due(account, n);
    return n;
}

RARE void netdev_up(struct netdev *netdev, uint16_t interface, bool up)
{
    netdev->account.interface[interface].link.up = up;
    link_due(&netdev->account, interface);
}

/* Towards the client */

RARE static void done_send(struct netdev *netdev)
{
    struct netdev_account *account = &netdev->account;
    while (account->done_count) {
        struct msg m = {.op = NETDEV_TX_DONE};
        struct netdev_tx_done *done = (void *)m.bytes;
        const uint32_t all = account->done_count,
                       count = all < NETDEV_TX_DONE_MAX ? all : NETDEV_TX_DONE_MAX;
        done->count = count;
        memcpy(done->cookie, &account->done[all - count], count * sizeof(done->cookie[0]));
        if (conn_send(netdev->conn, &m) != OK)
            return;
        account->done_count = (uint8_t)(all - count);
    }
}

RARE static void links_send(struct netdev *netdev)
{
    struct netdev_account *account = &netdev->account;
    for (uint32_t i = 0; i < account->interfaces; i++) {
        struct netdev_link link = account->interface[i].link;
        struct msg m;
        link.interfaces = account->interfaces;
        msg_set(&m, NETDEV_LINK, &link, sizeof(link));
        if (account->links_due >> i & 1 && conn_send(netdev->conn, &m) == OK)
            account->links_due &= (uint8_t) ~(1u << i);
    }
}

/* What the client waits for. */
static void due_send(struct netdev *netdev)
{
    if (netdev->account.done_count)
        done_send(netdev);
    if (netdev->account.links_due)
        links_send(netdev);
}

RARE uint32_t netdev_room(struct netdev *netdev)
{
    due_send(netdev);
    uint32_t room = conn_room(netdev->conn);
    if (!room)
        netdev->counters[NETDEV_RX_HELD]++;
    return room;
}

/* Receive buffers */

/* There is no card for them: the client gets them back, as far as there is room. */
RARE static void spares_return(struct netdev *netdev, uint16_t interface)
{
    uint16_t index;
    while (conn_room(netdev->conn) && netdev_buffer(netdev, interface, &index)) {
        netdev->counters[NETDEV_RX_RETURNED]++;
        netdev_buffer_send(netdev, interface, index, 0, 0, 0);
    }
}

/* The card takes them after the round. */
static void provided(struct netdev *netdev, const struct netdev_rx_provide *provide)
{
    struct netdev_account *account = &netdev->account;
    const uint16_t interface = provide->interface;
    if (interface >= NETDEV_INTERFACES_MAX || provide->pool != netdev->rx->number ||
        provide->count > NETDEV_PROVIDE_MAX) {
        netdev->counters[NETDEV_PROVIDE_REFUSED]++;
        return;
    }
    for (uint32_t i = 0; i < provide->count; i++) {
        const uint16_t index = provide->index[i];
        if (index >= netdev->rx->buffers || account->next[index] != NETDEV_CLIENT)
            netdev->counters[NETDEV_PROVIDE_REFUSED]++;
        else
            netdev_spare(netdev, interface, index);
    }
}

/* Messages */

RARE void netdev_not_sent(struct netdev *netdev, const struct netdev_tx *tx, uint32_t counter)
{
    struct netdev_account *account = &netdev->account;
    netdev->counters[counter]++;
    if (counter == NETDEV_TX_REFUSED || counter == NETDEV_TX_DOWN)
        account->done[account->done_count++] = tx->cookie;
}

RARE static void opened(struct netdev_account *account)
{
    account->opened = 1;
    account->links_due = (uint8_t)((1u << account->interfaces) - 1);
}

void netdev_other(struct netdev *netdev, const struct conn *conn, const struct msg *m)
{
    const uint32_t op = conn == netdev->conn ? m->op : 0;
    if (op == NETDEV_RX_PROVIDE)
        provided(netdev, msg_payload(m));
    else if (op == NETDEV_OPEN)
        opened(&netdev->account);
    else
        netdev->counters[NETDEV_BAD_MESSAGE]++;
}

/* What a silenced card had is nobody's: buffers to give back, frames that are done. */
RARE static void reclaim(struct netdev *netdev, uint16_t n)
{
    struct netdev_account *account = &netdev->account;
    account->interface[n].reclaimed = 1;
    for (uint16_t i = 0; i < netdev->rx->buffers; i++)
        if (account->next[i] == NETDEV_CARD + n)
            netdev_spare(netdev, n, i);
    for (uint8_t place = 0; place < NETDEV_TX_OUTSTANDING; place++)
        if (account->owner[place] == n)
            netdev_sent(netdev, place);
}

RARE static void broken(struct netdev *netdev, uint16_t n)
{
    struct netdev_interface *interface = &netdev->account.interface[n];
    if (interface->link.up)
        netdev_up(netdev, n, false);
    if (netdev->driver[n]->silent && !interface->reclaimed)
        reclaim(netdev, n);
}

void netdev_round(struct netdev *netdev)
{
    for (uint16_t n = 0; n < netdev->account.interfaces; n++)
        if (!driver_runs(netdev->driver[n]))
            broken(netdev, n);
    due_send(netdev);
    for (uint16_t n = 0; n < NETDEV_INTERFACES_MAX; n++)
        if (netdev->account.interface[n].spare != NETDEV_SPARE_END && !netdev_running(netdev, n))
            spares_return(netdev, n);
}

RARE bool netdev_restarted(struct netdev *netdev, const struct conn *conn, enum restarted what)
{
    if (conn != netdev->conn || what != RESTARTED_FORGET)
        return true; /* the client speaks first */
    for (uint32_t i = 0; i < netdev->account.interfaces; i++)
        if (!driver_again(netdev->driver[i]))
            return false;
    account_clear(&netdev->account);
    return true;
}

/* Each place is free, or an interface's. */
RARE static bool places_check(const struct netdev_account *account)
{
    bool seen[NETDEV_TX_OUTSTANDING] = {false};
    uint32_t owned = 0;
    if (account->free_count > NETDEV_TX_OUTSTANDING || account->done_count > account->free_count)
        return false;
    for (uint32_t i = 0; i < account->free_count; i++) {
        const uint8_t place = account->free[i];
        if (place >= NETDEV_TX_OUTSTANDING || seen[place] || account->owner[place] != NETDEV_NOBODY)
            return false;
        seen[place] = true;
    }
    for (uint32_t i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        owned += account->owner[i] < account->interfaces;
    return account->free_count + owned == NETDEV_TX_OUTSTANDING;
}

/* The list of spare buffers ends, and has none that is elsewhere too. */
RARE static bool spares_check(const struct netdev *netdev, uint32_t index,
                              bool seen[POOL_BUFFERS_MAX])
{
    for (; index != NETDEV_SPARE_END; index = netdev->account.next[index]) {
        if (index >= netdev->rx->buffers || seen[index])
            return false;
        seen[index] = true;
    }
    return true;
}

RARE enum error netdev_loaded(const struct netdev *netdev)
{
    const struct netdev_account *account = &netdev->account;
    bool seen[POOL_BUFFERS_MAX] = {false};
    if (account->interfaces > NETDEV_INTERFACES_MAX || account->opened > 1 ||
        account->links_due >> account->interfaces || !places_check(account))
        return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        if (!spares_check(netdev, account->interface[i].spare, seen) ||
            (i < account->interfaces) != (netdev->driver[i] != NULL) ||
            (i < account->interfaces && account->interface[i].link.interface != i) ||
            (account->interface[i].reclaimed && netdev_running(netdev, (uint16_t)i)))
            return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < POOL_BUFFERS_MAX; i++) {
        const uint16_t next = account->next[i];
        const bool card = i < netdev->rx->buffers && next >= NETDEV_CARD &&
                          next < NETDEV_CARD + account->interfaces;
        if (!seen[i] && !card && next != NETDEV_CLIENT)
            return ERROR_BAD_ARGUMENT;
    }
    return OK;
}
