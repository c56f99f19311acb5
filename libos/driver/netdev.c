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
    account->opened = account->done_count = 0;
    account->free_count = NETDEV_TX_OUTSTANDING;
    for (uint8_t i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        account->free[i] = i;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        account->interface[i].spare = NETDEV_SPARE_END;
        account->interface[i].link_due = account->interface[i].reclaimed = 0;
    }
}

RARE enum error netdev_open(struct netdev *netdev, struct domain *domain,
                            const struct netdev_ops *ops, const char *own, uint32_t buffer_bytes)
{
    const struct pool *rx = domain_pool_named(domain, "rx");
    netdev->domain = domain;
    netdev->counters = domain_counters(domain);
    netdev->ops = ops;
    netdev->conn = domain_conn(domain, "net", 0);
    netdev->rx = rx;
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
    for (uint32_t number = 0; number < NETDEV_POOLS; number++) {
        const struct pool *pool = domain_pool(domain, number);
        if (pool && pool->rights & POOL_DMA && pool != domain_pool_named(domain, own))
            netdev->sendable[number] = pool;
    }
    return OK;
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
    account->interface[n].link_due = account->opened;
    return n;
}

RARE void netdev_up(struct netdev *netdev, uint16_t interface, bool up)
{
    struct netdev_interface *of = &netdev->account.interface[interface];
    of->link.up = up;
    of->link_due = netdev->account.opened;
}

/* Towards the client */

RARE static void done_send(struct netdev *netdev)
{
    struct netdev_account *account = &netdev->account;
    uint32_t told = 0;
    while (told < account->done_count) {
        struct netdev_tx_done done = {.count = account->done_count - told};
        struct msg m;
        if (done.count > NETDEV_TX_DONE_MAX)
            done.count = NETDEV_TX_DONE_MAX;
        for (uint32_t i = 0; i < done.count; i++)
            done.cookie[i] = account->cookie[account->done[told + i]];
        msg_set(&m, NETDEV_TX_DONE, &done, sizeof(done));
        if (conn_send(netdev->conn, &m) != OK)
            break;
        memcpy(account->free + account->free_count, account->done + told, done.count);
        account->free_count += (uint8_t)done.count;
        told += done.count;
    }
    if (!told)
        return;
    account->done_count -= (uint8_t)told;
    memmove(account->done, account->done + told, account->done_count);
}

RARE static void link_send(struct netdev *netdev, struct netdev_interface *interface)
{
    struct netdev_link link = interface->link;
    struct msg m;
    link.interfaces = netdev->account.interfaces;
    msg_set(&m, NETDEV_LINK, &link, sizeof(link));
    interface->link_due = conn_send(netdev->conn, &m) != OK;
}

/* What the client waits for. */
RARE static void due_send(struct netdev *netdev)
{
    struct netdev_account *account = &netdev->account;
    done_send(netdev);
    for (uint32_t i = 0; i < account->interfaces; i++)
        if (account->interface[i].link_due)
            link_send(netdev, &account->interface[i]);
}

RARE uint32_t netdev_room(struct netdev *netdev)
{
    due_send(netdev);
    uint32_t room = conn_room(netdev->conn);
    if (!room)
        netdev->counters[NETDEV_RX_HELD]++;
    return room;
}

void netdev_received(struct netdev *netdev, uint16_t interface, struct buffer_ref data,
                     uint16_t flags)
{
    struct msg m = {.op = NETDEV_RX};
    struct netdev_rx *rx = (void *)m.bytes;
    DEBUG_ASSERT(netdev->account.next[data.index] == NETDEV_CARD + interface);
    netdev->account.next[data.index] = NETDEV_CLIENT;
    rx->interface = interface;
    rx->flags = flags;
    rx->data = data;
    netdev->counters[!data.length                  ? NETDEV_RX_RETURNED
                     : flags & NETDEV_RX_CONTINUES ? NETDEV_RX_PARTS
                                                   : NETDEV_RX_FRAMES]++;
    conn_send(netdev->conn, &m);
}

void netdev_sent(struct netdev *netdev, uint8_t place)
{
    struct netdev_account *account = &netdev->account;
    DEBUG_ASSERT(account->owner[place] != NETDEV_NOBODY);
    account->owner[place] = NETDEV_NOBODY;
    account->done[account->done_count++] = place;
}

/* Receive buffers */

RARE static void buffer_spare(struct netdev *netdev, uint16_t interface, uint16_t index)
{
    struct netdev_account *account = &netdev->account;
    account->next[index] = account->interface[interface].spare;
    account->interface[interface].spare = index;
}

static bool buffer_post(struct netdev *netdev, uint16_t interface, uint16_t index)
{
    const struct pool *rx = netdev->rx;
    if (!netdev->ops->rx_post(netdev->driver[interface], index,
                              rx->physical + (uint64_t)index * rx->buffer_size))
        return false;
    netdev->account.next[index] = (uint16_t)(NETDEV_CARD + interface);
    return true;
}

/* The driver of an interface that works; else NULL. */
static struct driver *running(const struct netdev *netdev, uint16_t interface)
{
    struct driver *driver =
        interface < netdev->account.interfaces ? netdev->driver[interface] : NULL;
    return driver && driver_runs(driver) ? driver : NULL;
}

RARE void netdev_spares(struct netdev *netdev, uint16_t interface)
{
    struct netdev_account *account = &netdev->account;
    uint16_t *spare = &account->interface[interface].spare;
    while (*spare != NETDEV_SPARE_END) {
        const uint16_t index = *spare, next = account->next[index];
        if (!buffer_post(netdev, interface, index))
            return;
        *spare = next;
    }
}

/* There is no card for them. */
RARE static void spares_return(struct netdev *netdev, uint16_t interface)
{
    struct netdev_account *account = &netdev->account;
    uint16_t *spare = &account->interface[interface].spare;
    while (*spare != NETDEV_SPARE_END && conn_room(netdev->conn)) {
        const uint16_t index = *spare;
        *spare = account->next[index];
        account->next[index] = (uint16_t)(NETDEV_CARD + interface);
        netdev_received(netdev, interface,
                        (struct buffer_ref){.pool = netdev->rx->number, .index = index}, 0);
    }
}

/* Apart from netdev_receive: the registers there are for frames. */
__attribute__((noinline)) static void provided(struct netdev *netdev,
                                               const struct netdev_rx_provide *provide)
{
    const uint16_t interface = provide->interface;
    if (interface >= NETDEV_INTERFACES_MAX || provide->pool != netdev->rx->number ||
        provide->count > NETDEV_PROVIDE_MAX) {
        netdev->counters[NETDEV_PROVIDE_REFUSED]++;
        return;
    }
    const bool runs = running(netdev, interface);
    for (uint32_t i = 0; i < provide->count; i++) {
        const uint16_t index = provide->index[i];
        if (index >= netdev->rx->buffers || netdev->account.next[index] != NETDEV_CLIENT)
            netdev->counters[NETDEV_PROVIDE_REFUSED]++;
        else if (!runs || !buffer_post(netdev, interface, index))
            buffer_spare(netdev, interface, index);
    }
}

/* Frames */

/* Where the segments are; false: the frame makes no sense, or lies where the card has no right. */
static bool gather(const struct netdev *netdev, const struct netdev_tx *tx,
                   struct netdev_frame *frame)
{
    const struct netdev_link *link = &netdev->account.interface[tx->interface].link;
    uint32_t length = 0;
    if (!tx->segments || tx->segments > NETDEV_TX_SEGMENTS)
        return false;
    for (uint32_t i = 0; i < tx->segments; i++) {
        const struct buffer_ref ref = tx->segment[i];
        const struct pool *pool = ref.pool < NETDEV_POOLS ? netdev->sendable[ref.pool] : NULL;
        if (!pool || !pool_has(pool, ref) || !ref.length)
            return false;
        frame->segment[1 + i].address = pool_device_address(pool, ref);
        frame->segment[1 + i].bytes = ref.length;
        length += ref.length;
    }
    frame->segments = tx->segments;
    frame->csum = tx->flags;
    frame->csum_start = tx->csum_start;
    frame->csum_offset = tx->csum_offset;
    return length >= NETDEV_ETHERNET && length <= NETDEV_ETHERNET + (uint32_t)link->mtu &&
           (!tx->flags || (tx->flags == NETDEV_TX_CSUM && link->tx_csum &&
                           (uint32_t)tx->csum_start + tx->csum_offset + 2 <= length));
}

/* Gives the card a frame; the counter that says what became of it. */
static uint32_t frame_put(struct netdev *netdev, const struct netdev_tx *tx, uint8_t place)
{
    struct driver *driver = running(netdev, tx->interface);
    struct netdev_frame frame;
    if (!driver)
        return NETDEV_TX_DOWN;
    if (!gather(netdev, tx, &frame))
        return NETDEV_TX_REFUSED;
    if (netdev->ops->tx_put(driver, place, &frame))
        return NETDEV_TX_FRAMES;
    return driver_runs(driver) ? NETDEV_TX_HELD : NETDEV_TX_DOWN;
}

/* False: the frame waits until the card has sent others; an interrupt will say so. */
static bool frame_taken(struct netdev *netdev, const struct netdev_tx *tx)
{
    struct netdev_account *account = &netdev->account;
    if (!account->free_count) {
        netdev->counters[NETDEV_TX_EXCESS]++;
        return true;
    }
    const uint8_t place = account->free[account->free_count - 1];
    const uint32_t became = frame_put(netdev, tx, place);
    netdev->counters[became]++;
    if (became == NETDEV_TX_HELD)
        return false;
    account->free_count--;
    account->cookie[place] = tx->cookie;
    if (became == NETDEV_TX_FRAMES)
        account->owner[place] = (uint8_t)tx->interface;
    else
        account->done[account->done_count++] = place;
    return true;
}

RARE static void opened(struct netdev_account *account)
{
    account->opened = 1;
    for (uint32_t i = 0; i < account->interfaces; i++)
        account->interface[i].link_due = 1;
}

bool netdev_receive(struct netdev *netdev, const struct conn *conn, const struct msg *m)
{
    switch (conn == netdev->conn ? m->op : 0) {
    case NETDEV_OPEN:
        opened(&netdev->account);
        return true;
    case NETDEV_RX_PROVIDE:
        provided(netdev, msg_payload(m));
        return true;
    case NETDEV_TX:
        return frame_taken(netdev, msg_payload(m));
    default:
        netdev->counters[NETDEV_BAD_MESSAGE]++;
        return true;
    }
}

/* What a silenced card had is nobody's: buffers to give back, frames that are done. */
RARE static void reclaim(struct netdev *netdev, uint16_t n)
{
    struct netdev_account *account = &netdev->account;
    account->interface[n].reclaimed = 1;
    for (uint16_t i = 0; i < netdev->rx->buffers; i++)
        if (account->next[i] == NETDEV_CARD + n)
            buffer_spare(netdev, n, i);
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

RARE void netdev_round(struct netdev *netdev)
{
    for (uint16_t n = 0; n < netdev->account.interfaces; n++)
        if (!running(netdev, n))
            broken(netdev, n);
    due_send(netdev);
    for (uint16_t n = 0; n < NETDEV_INTERFACES_MAX; n++)
        if (running(netdev, n))
            netdev_spares(netdev, n);
        else
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

/* Each place is in one of the two lists, or an interface's. */
RARE static bool places_check(const struct netdev_account *account)
{
    bool seen[NETDEV_TX_OUTSTANDING] = {false};
    uint32_t listed = account->free_count + account->done_count, owned = 0;
    if (listed > NETDEV_TX_OUTSTANDING)
        return false;
    for (uint32_t i = 0; i < listed; i++) {
        const uint8_t place =
            i < account->free_count ? account->free[i] : account->done[i - account->free_count];
        if (place >= NETDEV_TX_OUTSTANDING || seen[place] || account->owner[place] != NETDEV_NOBODY)
            return false;
        seen[place] = true;
    }
    for (uint32_t i = 0; i < NETDEV_TX_OUTSTANDING; i++)
        owned += account->owner[i] < account->interfaces;
    return listed + owned == NETDEV_TX_OUTSTANDING;
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
    if (account->interfaces > NETDEV_INTERFACES_MAX || !places_check(account))
        return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        if (!spares_check(netdev, account->interface[i].spare, seen) ||
            (i < account->interfaces) != (netdev->driver[i] != NULL) ||
            (i < account->interfaces && account->interface[i].link.interface != i))
            return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < netdev->rx->buffers; i++) {
        const uint16_t next = account->next[i];
        const bool card = next >= NETDEV_CARD && next < NETDEV_CARD + account->interfaces;
        if (!seen[i] && !card && next != NETDEV_CLIENT)
            return ERROR_BAD_ARGUMENT;
    }
    return OK;
}
