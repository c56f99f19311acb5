/* SPDX-License-Identifier: ISC
 *
 * The ARP table and packets: see arp.h.
 */
#include <stddef.h>

#include "servers/netd/arp.h"

enum { HARDWARE_ETHERNET = 1 };

static bool entry_is(const struct arp_entry *entry, uint8_t interface, uint32_t address)
{
    return entry->address == address && entry->interface == interface && entry->state != ARP_FREE;
}

/* Neighbours differ in their last bits: those spread best. */
static struct arp_entry *set_of(struct arp *arp, uint32_t address)
{
    return &arp->entry[NETDEV_INTERFACES_MAX + address % ARP_SETS * ARP_WAYS];
}

static bool is_gateway(const struct arp *arp, uint8_t interface, uint32_t address)
{
    return arp->entry[interface].address == address;
}

static struct arp_entry *entry_find(struct arp *arp, uint8_t interface, uint32_t address)
{
    struct arp_entry *entry = &arp->entry[interface];
    if (is_gateway(arp, interface, address))
        return entry->state == ARP_FREE ? NULL : entry;
    entry = set_of(arp, address);
    for (int i = 0; i < ARP_WAYS; i++)
        if (entry_is(&entry[i], interface, address))
            return &entry[i];
    return NULL;
}

/* A free entry for `address`, or the one of its set that was confirmed longest ago; NULL: all
 * others are being asked for. */
COLD static struct arp_entry *entry_take(struct arp *arp, uint8_t interface, uint32_t address,
                                         uint64_t *counters)
{
    struct arp_entry *best = NULL, *entry = set_of(arp, address);
    if (is_gateway(arp, interface, address)) {
        best = &arp->entry[interface];
    } else {
        for (int i = 0; i < ARP_WAYS; i++)
            if (entry[i].state == ARP_FREE ||
                (entry[i].state == ARP_KNOWN &&
                 (!best || (best->state != ARP_FREE && entry[i].time < best->time))))
                best = &entry[i];
        if (!best)
            return NULL;
        counters[COUNTER_ARP_EVICTED] += best->state == ARP_KNOWN;
    }
    *best = (struct arp_entry){.address = address, .interface = interface};
    return best;
}

static void entry_ask(struct arp *arp, struct arp_entry *entry, enum arp_state state, uint64_t now)
{
    entry->state = state;
    entry->requests = 0;
    arp->asking++;
    arp_asked(entry, now);
}

struct arp_entry *arp_use(struct arp *arp, uint8_t interface, uint32_t address, uint64_t now,
                          uint64_t *counters, bool *ask)
{
    struct arp_entry *entry = entry_find(arp, interface, address);
    *ask = false;
    if (entry && (entry->state != ARP_KNOWN || now - entry->time < ARP_FRESH))
        return entry;
    if (arp->asking >= ARP_ASKING_MAX && !is_gateway(arp, interface, address))
        return entry; /* what is known, though not fresh, will do */
    enum arp_state state = ARP_CHECKED;
    if (!entry) {
        state = ARP_ASKED;
        entry = entry_take(arp, interface, address, counters);
        if (!entry)
            return NULL;
    }
    entry_ask(arp, entry, state, now);
    *ask = true;
    return entry;
}

bool arp_wait(struct arp *arp, struct arp_entry *entry, uint8_t frame)
{
    if (entry->waiting >= ARP_WAITING || arp->waiting >= ARP_WAITING_MAX)
        return false;
    entry->frame[entry->waiting++] = frame;
    arp->waiting++;
    return true;
}

int arp_next_waiting(struct arp *arp, struct arp_entry *entry)
{
    if (!entry->waiting)
        return -1;
    uint8_t frame = entry->frame[0];
    entry->waiting--;
    arp->waiting--;
    memmove(entry->frame, entry->frame + 1, entry->waiting);
    return frame;
}

COLD struct arp_entry *arp_due(struct arp *arp, uint64_t now)
{
    for (uint32_t i = 0; arp->asking && i < ARP_ENTRIES; i++) {
        struct arp_entry *entry = &arp->entry[i];
        if ((entry->state == ARP_ASKED || entry->state == ARP_CHECKED) && entry->time <= now)
            return entry;
    }
    return NULL;
}

void arp_asked(struct arp_entry *entry, uint64_t now)
{
    entry->requests++;
    entry->time = now + ARP_RETRY;
}

void arp_forget(struct arp *arp, struct arp_entry *entry)
{
    arp->asking -= entry->state == ARP_ASKED || entry->state == ARP_CHECKED;
    entry->state = ARP_FREE;
}

COLD uint64_t arp_deadline(const struct arp *arp)
{
    uint64_t earliest = 0;
    for (uint32_t i = 0; arp->asking && i < ARP_ENTRIES; i++) {
        const struct arp_entry *entry = &arp->entry[i];
        if ((entry->state == ARP_ASKED || entry->state == ARP_CHECKED) &&
            (!earliest || entry->time < earliest))
            earliest = entry->time;
    }
    return earliest;
}

COLD bool arp_parse(const uint8_t *from, struct arp_packet *packet)
{
    uint16_t operation = load_be16(from + 6);
    if (load_be16(from) != HARDWARE_ETHERNET || load_be16(from + 2) != ETHERTYPE_IPV4 ||
        from[4] != ETHERNET_ADDRESS || from[5] != 4)
        return false;
    if (operation != ARP_REQUEST && operation != ARP_REPLY)
        return false;
    packet->operation = operation;
    mac_copy(packet->sender_mac, from + 8);
    packet->sender = load_be32(from + 14);
    packet->target = load_be32(from + 24);
    return !(packet->sender_mac[0] & 1); /* a group isn't a sender */
}

COLD void arp_build(uint8_t *to, enum arp_operation operation, const uint8_t *sender_mac,
                    uint32_t sender, const uint8_t *target_mac, uint32_t target)
{
    store_be16(to, HARDWARE_ETHERNET);
    store_be16(to + 2, ETHERTYPE_IPV4);
    to[4] = ETHERNET_ADDRESS;
    to[5] = 4;
    store_be16(to + 6, (uint16_t)operation);
    mac_copy(to + 8, sender_mac);
    store_be32(to + 14, sender);
    if (target_mac)
        mac_copy(to + 18, target_mac);
    else
        memset(to + 18, 0, ETHERNET_ADDRESS);
    store_be32(to + 24, target);
}

COLD struct arp_entry *arp_learn(struct arp *arp, uint8_t interface,
                                 const struct arp_packet *packet, bool for_us, uint64_t now,
                                 uint64_t *counters)
{
    struct arp_entry *entry = entry_find(arp, interface, packet->sender);
    if (!for_us) {
        if (entry && entry->state == ARP_KNOWN && !mac_equal(entry->mac, packet->sender_mac))
            entry->time = now - ARP_FRESH; /* it may have moved: ask it on next use */
        return NULL;
    }
    if (packet->operation == ARP_REPLY && (!entry || entry->state == ARP_KNOWN)) {
        counters[COUNTER_ARP_UNASKED]++;
        return NULL;
    }
    if (!entry)
        entry = entry_take(arp, interface, packet->sender, counters);
    if (!entry)
        return NULL;
    arp->asking -= entry->state == ARP_ASKED || entry->state == ARP_CHECKED;
    entry->state = ARP_KNOWN;
    entry->time = now;
    mac_copy(entry->mac, packet->sender_mac);
    return entry;
}

static bool place_check(const struct arp_entry *entry, uint32_t place)
{
    const uint32_t set = (place - NETDEV_INTERFACES_MAX) / ARP_WAYS;
    if (entry->state > ARP_CHECKED || entry->waiting > ARP_WAITING ||
        (entry->waiting && entry->state != ARP_ASKED))
        return false;
    if (entry->state == ARP_FREE)
        return true;
    if (place < NETDEV_INTERFACES_MAX
            ? entry->interface != place
            : entry->interface >= NETDEV_INTERFACES_MAX || entry->address % ARP_SETS != set)
        return false;
    return entry->state == ARP_KNOWN || (entry->requests && entry->requests <= ARP_REQUESTS);
}

bool arp_check(const struct arp *arp)
{
    uint32_t asking = 0, waiting = 0;
    for (uint32_t i = 0; i < ARP_ENTRIES; i++) {
        const struct arp_entry *entry = &arp->entry[i];
        asking += entry->state == ARP_ASKED || entry->state == ARP_CHECKED;
        waiting += entry->waiting;
        if (!place_check(entry, i))
            return false;
    }
    return asking == arp->asking && waiting == arp->waiting &&
           asking <= ARP_ASKING_MAX + NETDEV_INTERFACES_MAX && waiting <= ARP_WAITING_MAX;
}
