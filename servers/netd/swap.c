/* SPDX-License-Identifier: ISC
 *
 * What netd hands over when it is swapped (libos/swap.h): one record per table. Linked only into
 * domains that can be swapped. What comes from the settings (addresses, gateways) and from the
 * manifest (pools, clients) is the new version's own; the records must fit it.
 *
 * Each value is checked when it is loaded, and netd_loaded looks at all of them together: every
 * buffer is in one place (netd.h), every frame in one slot, every waiting frame in one list.
 *
 * Identifiers from 32 on are kept for TCP: its tables join as records of their own.
 */
#include <stddef.h>
#include <string.h>

#include "libos/swap.h"
#include "servers/netd/netd.h"

extern const struct server motet_server_netd;

struct saved_interface {
    uint64_t defended;
    uint16_t mtu, rx_quota, rx_lent, rx_low;
    uint8_t mac[ETHERNET_ADDRESS];
    uint8_t up, tx_csum, receives, rx_split;
    uint8_t reserved[6];
};

struct saved_stack {
    uint64_t icmp_time;
    uint16_t id, id_step;
    uint8_t interfaces, opened;
    uint8_t reserved[2];
    struct saved_interface interface[NETDEV_INTERFACES_MAX];
};

struct saved_transmit {
    uint32_t slots, free_count;
    uint8_t free[TRANSMIT_SLOTS];
    struct slot slot[TRANSMIT_SLOTS];
};

struct saved_reassembly {
    uint16_t held;
    uint8_t used;
    uint8_t reserved[5];
    struct reassembly_entry entry[REASSEMBLY_DATAGRAMS];
};

struct saved_client {
    uint16_t sending, done_count;
    uint8_t driver_asked;
    uint8_t reserved[3];
    uint16_t done[CLIENT_SENDS_MAX];
};

/* Interfaces and what belongs to no table. */

static uint32_t stack_save(const void *state, void *to)
{
    const struct netd *netd = state;
    struct saved_stack *saved = to;
    saved->icmp_time = netd->icmp_limit.time;
    saved->id = netd->id;
    saved->id_step = netd->id_step;
    saved->interfaces = netd->interfaces;
    saved->opened = netd->opened;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        const struct interface *from = &netd->interface[i];
        saved->interface[i] = (struct saved_interface){.defended = from->defended,
                                                       .mtu = from->mtu,
                                                       .rx_quota = from->rx_quota,
                                                       .rx_lent = from->rx_lent,
                                                       .rx_low = from->rx_low,
                                                       .up = from->up,
                                                       .tx_csum = from->tx_csum,
                                                       .receives = from->receives,
                                                       .rx_split = from->rx_split};
        mac_copy(saved->interface[i].mac, from->mac);
    }
    return sizeof(*saved);
}

static bool interface_load(struct netd *netd, struct interface *to,
                           const struct saved_interface *from)
{
    if (from->rx_quota > netd->receive.buffers || from->rx_low > from->rx_quota + 1u ||
        from->rx_lent > netd->receive.buffers || from->mac[0] & 1 ||
        (from->up && (!to->address || from->mtu < MTU_MIN || from->mtu > MTU_MAX)))
        return false;
    to->defended = from->defended;
    to->mtu = from->mtu;
    to->rx_quota = from->rx_quota;
    to->rx_lent = from->rx_lent;
    to->rx_low = from->rx_low;
    to->up = from->up != 0;
    to->tx_csum = from->tx_csum != 0;
    to->receives = from->receives != 0;
    to->rx_split = from->rx_split != 0;
    mac_copy(to->mac, from->mac);
    return true;
}

static enum error stack_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct netd *netd = state;
    const struct saved_stack *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved) || saved->interfaces > NETDEV_INTERFACES_MAX)
        return ERROR_BAD_ARGUMENT;
    netd->icmp_limit.time = saved->icmp_time;
    netd->id = saved->id;
    netd->id_step = saved->id_step | 1;
    netd->interfaces = saved->interfaces;
    netd->opened = saved->opened != 0;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        if (!interface_load(netd, &netd->interface[i], &saved->interface[i]))
            return ERROR_BAD_ARGUMENT;
    return OK;
}

/* Sockets: the ports; the buckets follow from them. */

static uint32_t sockets_save(const void *state, void *to)
{
    const struct netd *netd = state;
    memcpy(to, netd->sockets.port, sizeof(netd->sockets.port));
    return sizeof(netd->sockets.port);
}

static enum error sockets_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct netd *netd = state;
    const uint16_t *port = from;
    enum error error = bytes == sizeof(netd->sockets.port) ? OK : ERROR_BAD_ARGUMENT;
    (void)version; /* there is one */
    for (uint32_t i = 0; i < SOCKETS_MAX && !error; i++)
        if (port[i])
            error = i < netd->clients * (uint32_t)SOCK_PER_CLIENT
                        ? sockets_bind(&netd->sockets, i, port[i])
                        : ERROR_BAD_ARGUMENT;
    return error;
}

/* Frames on their way. */

static uint32_t transmit_save(const void *state, void *to)
{
    const struct transmit *transmit = &((const struct netd *)state)->transmit;
    struct saved_transmit *saved = to;
    saved->slots = transmit->slots;
    saved->free_count = transmit->free_count;
    memcpy(saved->free, transmit->free, transmit->free_count);
    memcpy(saved->slot, transmit->slot, sizeof(saved->slot));
    return sizeof(*saved);
}

static enum error transmit_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct transmit *transmit = &((struct netd *)state)->transmit;
    const struct saved_transmit *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved) || saved->slots != transmit->slots ||
        saved->free_count > transmit->slots)
        return ERROR_BAD_ARGUMENT;
    transmit->free_count = saved->free_count;
    memcpy(transmit->free, saved->free, saved->free_count);
    memcpy(transmit->slot, saved->slot, sizeof(saved->slot));
    return OK;
}

/* The payload lies in a buffer of whom the slot names. */
static bool payload_check(const struct netd *netd, const struct slot *slot)
{
    const uint32_t client = slot->owner - (uint32_t)PAYLOAD_CLIENT;
    if (slot->owner == PAYLOAD_NONE)
        return !slot->payload.length;
    if (slot->owner == PAYLOAD_RECEIVE)
        return pool_ref_check(netd->receive_pool, slot->payload) == OK;
    return client < netd->clients &&
           pool_ref_check(netd->client[client].send_pool, slot->payload) == OK;
}

/* What transmit_check doesn't know: whose the payloads are. Each client counts its sends. */
static bool slots_check(const struct netd *netd)
{
    const struct transmit *transmit = &netd->transmit;
    uint32_t sending[CLIENTS_MAX] = {0};
    if (!transmit_check(transmit))
        return false;
    for (uint32_t i = 0; i < transmit->slots; i++) {
        const struct slot *slot = &transmit->slot[i];
        if (slot->state == SLOT_FREE)
            continue;
        if (!payload_check(netd, slot) || slot->owner != transmit->slot[slot->first].owner ||
            slot->flags & ~NETDEV_TX_CSUM || slot->header_length < ETHERNET_BYTES)
            return false;
        if (slot->first == i && slot->owner >= PAYLOAD_CLIENT)
            sending[slot->owner - PAYLOAD_CLIENT]++;
    }
    for (uint32_t n = 0; n < netd->clients; n++)
        if (sending[n] != netd->client[n].sending)
            return false;
    return true;
}

/* ARP: each entry will be looked at in time, and has each waiting frame alone. */

static bool arp_entry_check(const struct netd *netd, const struct arp_entry *entry, uint64_t now,
                            bool waits[TRANSMIT_SLOTS])
{
    const bool asking = entry->state == ARP_ASKED || entry->state == ARP_CHECKED;
    if (entry->state != ARP_FREE && entry->time > now + (asking ? ARP_RETRY : 0))
        return false;
    for (uint32_t i = 0; i < entry->waiting; i++) {
        const uint32_t frame = entry->frame[i];
        if (frame >= netd->transmit.slots || waits[frame] ||
            netd->transmit.slot[frame].state != SLOT_TAKEN ||
            netd->transmit.slot[frame].interface != entry->interface)
            return false;
        waits[frame] = true;
    }
    return true;
}

static bool arp_table_check(const struct netd *netd, uint64_t now)
{
    bool waits[TRANSMIT_SLOTS] = {false};
    if (!arp_check(&netd->arp))
        return false;
    for (uint32_t n = 0; n < ARP_ENTRIES; n++)
        if (!arp_entry_check(netd, &netd->arp.entry[n], now, waits))
            return false;
    for (uint32_t n = 0; n < NETDEV_INTERFACES_MAX; n++)
        if (netd->arp.entry[n].address != netd->interface[n].gateway)
            return false;
    for (uint32_t i = 0; i < netd->transmit.slots; i++)
        if (netd->transmit.slot[i].state == SLOT_TAKEN && !waits[i])
            return false; /* nobody would ever send it */
    return true;
}

/* Datagrams of which fragments are missing. */

static uint32_t reassembly_save(const void *state, void *to)
{
    const struct reassembly *reassembly = &((const struct netd *)state)->reassembly;
    struct saved_reassembly *saved = to;
    saved->held = reassembly->held;
    saved->used = reassembly->used;
    memcpy(saved->entry, reassembly->entry, sizeof(saved->entry));
    return sizeof(*saved);
}

/* A bool in memory has no other values than these. */
static bool is_flag(const void *entry, size_t offset)
{
    return ((const uint8_t *)entry)[offset] <= 1;
}

static enum error reassembly_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct netd *netd = state;
    struct reassembly *reassembly = &netd->reassembly;
    const struct saved_reassembly *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++)
        if (!is_flag(&saved->entry[i], offsetof(struct reassembly_entry, broadcast)) ||
            !is_flag(&saved->entry[i], offsetof(struct reassembly_entry, refused)))
            return ERROR_BAD_ARGUMENT;
    reassembly->held = saved->held;
    reassembly->used = saved->used;
    memcpy(reassembly->entry, saved->entry, sizeof(reassembly->entry));
    return OK;
}

/* What reassembly_check doesn't know: time, and what lies in which buffer. */
static bool fragments_check(const struct netd *netd, uint64_t now)
{
    if (!reassembly_check(&netd->reassembly, &netd->receive))
        return false;
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        const struct reassembly_entry *entry = &netd->reassembly.entry[i];
        if (entry->expires > now + REASSEMBLY_TIME || (!entry->expires && entry->pieces) ||
            (entry->pieces && entry->bytes == entry->end))
            return false; /* the last: a whole one, that nobody would take */
        for (uint32_t k = 0; k < entry->pieces; k++)
            if (pool_ref_check(netd->receive_pool, entry->piece[k]) != OK)
                return false;
    }
    return true;
}

/* Pools: who has which buffer. */

static uint32_t receive_save(const void *state, void *to)
{
    return pool_owner_save(&((const struct netd *)state)->receive, to);
}

static enum error receive_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    (void)version; /* there is one */
    return pool_owner_load(&((struct netd *)state)->receive, from, bytes,
                           RECEIVE_DRIVER + NETDEV_INTERFACES_MAX - 1);
}

/* One more use of a buffer of the stack's: is it the first? */
static bool use(const struct netd *netd, uint64_t *used, uint32_t index)
{
    const uint64_t bit = 1ull << index % 64;
    if (netd->receive.holder[index] != RECEIVE_STACK || used[index / 64] & bit)
        return false;
    used[index / 64] |= bit;
    return true;
}

/* The buffers of the stack are a held fragment or a reply's payload, each once. */
static bool stack_buffers_check(const struct netd *netd, uint32_t count)
{
    uint64_t used[POOL_BUFFERS_MAX / 64] = {0};
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        const struct reassembly_entry *entry = &netd->reassembly.entry[i];
        for (uint32_t k = 0; k < entry->pieces; k++, count--)
            if (!use(netd, used, entry->piece[k].index))
                return false;
    }
    for (uint32_t i = 0; i < netd->transmit.slots; i++) {
        const struct slot *slot = &netd->transmit.slot[i];
        if (slot->state == SLOT_FREE || slot->first != i || slot->owner != PAYLOAD_RECEIVE)
            continue;
        if (!use(netd, used, slot->payload.index))
            return false;
        count--;
    }
    return !count;
}

/* The buffers that interfaces count as lent are with the driver. */
static bool receive_check(const struct netd *netd)
{
    uint32_t with[RECEIVE_DRIVER + NETDEV_INTERFACES_MAX] = {0};
    for (uint32_t i = 0; i < netd->receive.buffers; i++)
        with[netd->receive.holder[i]]++;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        if (with[RECEIVE_DRIVER + i] != netd->interface[i].rx_lent)
            return false;
    return stack_buffers_check(netd, with[RECEIVE_STACK]);
}

/* Clients. */

static uint32_t clients_save(const void *state, void *to)
{
    const struct netd *netd = state;
    struct saved_client *saved = to;
    for (uint32_t i = 0; i < netd->clients; i++) {
        const struct client *client = &netd->client[i];
        saved[i].sending = client->sending;
        saved[i].done_count = client->done_count;
        saved[i].driver_asked = client->driver_asked;
        memcpy(saved[i].done, client->done, client->done_count * sizeof(client->done[0]));
    }
    return netd->clients * (uint32_t)sizeof(*saved);
}

static enum error clients_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct netd *netd = state;
    const struct saved_client *saved = from;
    (void)version; /* there is one */
    if (bytes != netd->clients * sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    for (uint32_t n = 0; n < netd->clients; n++, saved++) {
        struct client *client = &netd->client[n];
        if (saved->done_count > CLIENT_SENDS_MAX ||
            saved->sending > CLIENT_SENDS_MAX - saved->done_count)
            return ERROR_BAD_ARGUMENT;
        for (uint32_t i = 0; i < saved->done_count; i++)
            if (saved->done[i] >= client->send_pool->buffers)
                return ERROR_BAD_ARGUMENT;
        client->sending = saved->sending;
        client->done_count = saved->done_count;
        client->driver_asked = saved->driver_asked != 0;
        memcpy(client->done, saved->done, saved->done_count * sizeof(client->done[0]));
    }
    return OK;
}

/* The clients' receive pools, one behind the other. */
enum { OWNER_BYTES_MAX = POOL_OWNER_BYTES(POOL_BUFFERS_MAX) };

static uint32_t owners_save(const void *state, void *to)
{
    const struct netd *netd = state;
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < netd->clients; i++)
        bytes += pool_owner_save(&netd->client[i].receive, (uint8_t *)to + bytes);
    return bytes;
}

static enum error owners_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct netd *netd = state;
    const uint8_t *at = from;
    enum error error = OK;
    (void)version; /* there is one */
    for (uint32_t i = 0; i < netd->clients && !error; i++) {
        struct pool_owner *owner = &netd->client[i].receive;
        const uint32_t own = POOL_OWNER_BYTES(owner->buffers);
        error = bytes < own ? ERROR_BAD_ARGUMENT : pool_owner_load(owner, at, own, CLIENT_HOLDER);
        at += own;
        bytes -= own;
    }
    return error || !bytes ? error : ERROR_BAD_ARGUMENT;
}

/* ICMP errors are held back for a second or two at most (icmp.c, restarted.c). */
#define ICMP_AHEAD_MAX 3000000000ull /* ns */

static enum error netd_loaded(void *state)
{
    struct netd *netd = state;
    const uint64_t now = domain_time(netd->domain);
    netd->deadline_moved = true;
    return netd->icmp_limit.time <= now + ICMP_AHEAD_MAX && slots_check(netd) &&
                   arp_table_check(netd, now) && fragments_check(netd, now) && receive_check(netd)
               ? OK
               : ERROR_BAD_ARGUMENT;
}

static const struct state_record records[] = {
    {.name = "stack",
     .id = 1,
     .version = 1,
     .bytes_max = sizeof(struct saved_stack),
     .save = stack_save,
     .load = stack_load},
    {.name = "sockets",
     .id = 2,
     .version = 1,
     .bytes_max = SOCKETS_MAX * sizeof(uint16_t),
     .save = sockets_save,
     .load = sockets_load},
    {.name = "transmit",
     .id = 3,
     .version = 1,
     .bytes_max = sizeof(struct saved_transmit),
     .save = transmit_save,
     .load = transmit_load},
    {.name = "arp", .id = 4, .version = 1, RECORD_OF(struct netd, arp)},
    {.name = "reassembly",
     .id = 5,
     .version = 1,
     .bytes_max = sizeof(struct saved_reassembly),
     .save = reassembly_save,
     .load = reassembly_load},
    {.name = "receive",
     .id = 6,
     .version = 1,
     .bytes_max = OWNER_BYTES_MAX,
     .save = receive_save,
     .load = receive_load},
    {.name = "clients",
     .id = 7,
     .version = 1,
     .bytes_max = CLIENTS_MAX * sizeof(struct saved_client),
     .save = clients_save,
     .load = clients_load},
    {.name = "client_buffers",
     .id = 8,
     .version = 1,
     .bytes_max = CLIENTS_MAX * OWNER_BYTES_MAX,
     .save = owners_save,
     .load = owners_load},
};
SERVER_SWAP(motet_server_netd, .records = records,
            .record_count = sizeof(records) / sizeof(records[0]), .loaded = netd_loaded);
