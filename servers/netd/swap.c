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

static bool payload_check(const struct netd *netd, const struct slot *slot, uint32_t owner)
{
    if (owner == PAYLOAD_NONE)
        return !slot->payload.length;
    if (owner == PAYLOAD_RECEIVE)
        return pool_ref_check(netd->receive_pool, slot->payload) == OK &&
               netd->receive.holder[slot->payload.index] == RECEIVE_STACK;
    return owner - PAYLOAD_CLIENT < netd->clients &&
           pool_ref_check(netd->client[owner - PAYLOAD_CLIENT].send_pool, slot->payload) == OK;
}

static bool slot_check(const struct netd *netd, const struct slot *slot)
{
    const struct transmit *transmit = &netd->transmit;
    if (slot->state > SLOT_ENDED || slot->interface >= NETDEV_INTERFACES_MAX ||
        slot->first >= transmit->slots || slot->header_length > TRANSMIT_HEADER_BYTES)
        return false;
    const struct slot *first = &transmit->slot[slot->first];
    return first->state != SLOT_FREE && first->first == slot->first &&
           payload_check(netd, slot, first->owner);
}

/* No free slot is listed twice; each answering slot counts its parts; each client its sends. */
static bool slots_check(const struct netd *netd)
{
    const struct transmit *transmit = &netd->transmit;
    uint32_t parts[TRANSMIT_SLOTS] = {0}, sending[CLIENTS_MAX] = {0};
    bool listed[TRANSMIT_SLOTS] = {false};
    for (uint32_t i = 0; i < transmit->free_count; i++) {
        if (transmit->free[i] >= transmit->slots || listed[transmit->free[i]])
            return false;
        listed[transmit->free[i]] = true;
    }
    for (uint32_t i = 0; i < transmit->slots; i++) {
        const struct slot *slot = &transmit->slot[i];
        if (slot->state == SLOT_FREE)
            continue;
        if (!slot_check(netd, slot))
            return false;
        parts[slot->first] += slot->state != SLOT_ENDED;
        if (slot->first == i && slot->owner >= PAYLOAD_CLIENT)
            sending[slot->owner - PAYLOAD_CLIENT]++;
    }
    for (uint32_t i = 0; i < transmit->slots; i++)
        if (transmit->slot[i].state != SLOT_FREE && transmit->slot[i].first == i &&
            parts[i] != transmit->slot[i].parts)
            return false;
    for (uint32_t n = 0; n < netd->clients; n++)
        if (sending[n] != netd->client[n].sending)
            return false;
    return transmit_check(transmit);
}

/* ARP: an entry is where it is looked for, and has each waiting frame alone. */

static bool arp_entry_check(const struct netd *netd, uint32_t n, bool waits[TRANSMIT_SLOTS])
{
    const struct arp_entry *entry = &netd->arp.entry[n];
    const bool gateway = n < NETDEV_INTERFACES_MAX;
    if (entry->state > ARP_CHECKED || entry->interface >= NETDEV_INTERFACES_MAX ||
        entry->waiting > ARP_WAITING)
        return false;
    if (gateway && entry->address != netd->interface[n].gateway)
        return false;
    if (entry->state != ARP_FREE && gateway && entry->interface != n)
        return false;
    if (entry->state != ARP_FREE && !gateway &&
        (n - NETDEV_INTERFACES_MAX) / ARP_WAYS != entry->address % ARP_SETS)
        return false;
    for (uint32_t i = 0; i < entry->waiting; i++) {
        const uint32_t frame = entry->frame[i];
        if (frame >= netd->transmit.slots || waits[frame] ||
            netd->transmit.slot[frame].state != SLOT_TAKEN)
            return false;
        waits[frame] = true;
    }
    return true;
}

static bool arp_table_check(const struct netd *netd)
{
    bool waits[TRANSMIT_SLOTS] = {false};
    for (uint32_t n = 0; n < ARP_ENTRIES; n++)
        if (!arp_entry_check(netd, n, waits))
            return false;
    for (uint32_t i = 0; i < netd->transmit.slots; i++)
        if (netd->transmit.slot[i].state == SLOT_TAKEN && !waits[i])
            return false; /* nobody would ever send it */
    return arp_check(&netd->arp);
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

static bool pieces_check(const struct netd *netd, const struct reassembly_entry *entry)
{
    if (entry->pieces > REASSEMBLY_PIECES || entry->header_length > REASSEMBLY_QUOTE ||
        entry->interface >= NETDEV_INTERFACES_MAX)
        return false;
    for (uint32_t i = 0; i < entry->pieces; i++)
        if (pool_ref_check(netd->receive_pool, entry->piece[i]) != OK)
            return false;
    return true;
}

static enum error reassembly_load(void *state, uint32_t version, const void *from, uint32_t bytes)
{
    struct netd *netd = state;
    struct reassembly *reassembly = &netd->reassembly;
    const struct saved_reassembly *saved = from;
    (void)version; /* there is one */
    if (bytes != sizeof(*saved))
        return ERROR_BAD_ARGUMENT;
    reassembly->held = saved->held;
    reassembly->used = saved->used;
    memcpy(reassembly->entry, saved->entry, sizeof(reassembly->entry));
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++)
        if (!pieces_check(netd, &reassembly->entry[i]))
            return ERROR_BAD_ARGUMENT;
    return OK;
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

/* The buffers that interfaces count as lent are with the driver; those of the stack are a held
 * fragment or a reply's payload, each once. */
static bool receive_check(const struct netd *netd)
{
    uint32_t with[RECEIVE_DRIVER + NETDEV_INTERFACES_MAX] = {0}, used = netd->reassembly.held;
    for (uint32_t i = 0; i < netd->receive.buffers; i++)
        with[netd->receive.holder[i]]++;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        if (with[RECEIVE_DRIVER + i] != netd->interface[i].rx_lent)
            return false;
    for (uint32_t i = 0; i < netd->transmit.slots; i++) {
        const struct slot *slot = &netd->transmit.slot[i];
        used += slot->state != SLOT_FREE && slot->first == i && slot->owner == PAYLOAD_RECEIVE;
    }
    return with[RECEIVE_STACK] == used;
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

static enum error netd_loaded(void *state)
{
    struct netd *netd = state;
    netd->deadline_moved = true;
    return slots_check(netd) && arp_table_check(netd) &&
                   reassembly_check(&netd->reassembly, &netd->receive) && receive_check(netd)
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
