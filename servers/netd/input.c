/* SPDX-License-Identifier: ISC
 *
 * A received frame, from the Ethernet header to the one who gets it. Headers are copied out of the
 * receive buffer once and only the copy is looked at: the device can rewrite the buffer at any
 * time.
 */
#include "servers/netd/netd.h"

enum {
    HEAD_BYTES =
        ETHERNET_BYTES + IPV4_BYTES + TRANSPORT_BYTES, /* without options; also all of ARP */
    HEAD_BYTES_MAX = ETHERNET_BYTES + REASSEMBLY_QUOTE,
};
_Static_assert(HEAD_BYTES == ETHERNET_BYTES + ARP_BYTES, "one copy serves both");

#define DEFEND_INTERVAL                                                                            \
    10000000000ull /* ns between two defences of our address (RFC 5227, 2.4)                       \
                    */

/* A frame whose headers are private. */
struct frame {
    struct buffer_ref ref;
    uint8_t interface;
    bool broadcast; /* Ethernet's */
    bool checksum_ok;
    uint8_t head[HEAD_BYTES_MAX]; /* valid: HEAD_BYTES, or all that IPv4 options make of it */
};

static const uint8_t broadcast_mac[ETHERNET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void head_copy(struct frame *frame, const uint8_t *from)
{
    if (frame->ref.length >= HEAD_BYTES) {
        __builtin_memcpy(frame->head, from, HEAD_BYTES);
        return;
    }
    memset(frame->head, 0, HEAD_BYTES);
    memcpy(frame->head, from, frame->ref.length);
}

/* Copies what follows, up to `bytes`, when there are IPv4 options. */
COLD static void head_extend(struct frame *frame, const uint8_t *from, uint32_t bytes)
{
    uint32_t there = frame->ref.length < bytes ? frame->ref.length : bytes;
    memset(frame->head + HEAD_BYTES, 0, bytes - HEAD_BYTES);
    if (there > HEAD_BYTES)
        memcpy(frame->head + HEAD_BYTES, from + HEAD_BYTES, there - HEAD_BYTES);
}

static void address_defend(struct netd *netd, uint8_t number, const uint8_t *mac)
{
    struct interface *interface = &netd->interface[number];
    uint64_t now = netd_now(netd);
    netd_count(netd, COUNTER_ARP_CONFLICT);
    if (interface->defended && now - interface->defended < DEFEND_INTERVAL)
        return;
    interface->defended = now;
    domain_log(netd->domain,
               "net%u: our address is also used by %02x:%02x:%02x:%02x:%02x:%02x: change one",
               number, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    output_arp(netd, number, ARP_REQUEST, NULL, interface->address);
}

COLD static void arp_input(struct netd *netd, const struct frame *frame)
{
    const struct interface *interface = &netd->interface[frame->interface];
    struct arp_packet packet;
    netd_count(netd, COUNTER_ARP_RECEIVED);
    if (frame->ref.length < ETHERNET_BYTES + ARP_BYTES ||
        !arp_parse(frame->head + ETHERNET_BYTES, &packet) ||
        mac_equal(packet.sender_mac, interface->mac)) {
        netd_count(netd, COUNTER_ARP_MALFORMED);
        return;
    }
    if (packet.sender == interface->address) {
        address_defend(netd, frame->interface, packet.sender_mac);
        return;
    }
    bool for_us = packet.target == interface->address;
    bool probe = !packet.sender; /* asks without having an address: nothing to learn */
    if ((!for_us && packet.sender != packet.target) ||
        (!probe && !(interface_on_link(interface, packet.sender) &&
                     interface_is_peer(interface, packet.sender)))) {
        netd_count(netd, COUNTER_ARP_OTHERS);
        return;
    }
    if (!probe) {
        struct arp_entry *entry = arp_learn(&netd->arp, frame->interface, &packet, for_us,
                                            netd_now(netd), netd->counters);
        netd->deadline_moved = true;
        if (entry)
            output_waiting(netd, entry);
    }
    if (for_us && packet.operation == ARP_REQUEST)
        output_arp(netd, frame->interface, ARP_REPLY, packet.sender_mac, packet.sender);
}

COLD static bool icmp_input(struct netd *netd, const struct datagram *datagram)
{
    const uint8_t *header = datagram_transport(datagram);
    if (datagram->length < ICMP_BYTES) {
        netd_count(netd, COUNTER_ICMP_MALFORMED);
        return false;
    }
    if (!icmp_checksum_ok(datagram, netd->receive_pool)) {
        netd_count(netd, COUNTER_ICMP_BAD_CHECKSUM);
        return false;
    }
    if (header[0] == ICMP_ECHO)
        return output_echo_reply(netd, datagram);
    netd_count(netd, icmp_is_error(header[0]) ? COUNTER_ICMP_ERRORS_IN : COUNTER_ICMP_IGNORED);
    return false;
}

static void udp_input(struct netd *netd, const struct datagram *datagram)
{
    struct udp_header header;
    enum counter drop = udp_parse(datagram, netd->receive_pool, &header);
    if (drop != NO_DROP) {
        netd_count(netd, drop);
        return;
    }
    int socket = sockets_find(&netd->sockets, header.destination);
    if (socket >= 0) {
        client_deliver(netd, (uint32_t)socket, datagram, &header);
        return;
    }
    netd_count(netd, COUNTER_UDP_NO_PORT);
    output_icmp_error(netd, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, datagram);
}

static bool datagram_input(struct netd *netd, const struct datagram *datagram)
{
    if (datagram->protocol == IP_UDP) {
        udp_input(netd, datagram);
        return false;
    }
    if (datagram->protocol == IP_ICMP)
        return icmp_input(netd, datagram);
    netd_count(netd, COUNTER_IP_UNKNOWN);
    output_icmp_error(netd, ICMP_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE, datagram);
    return false;
}

/* The pieces of a reassembled datagram (or, for an error about it, those that came). */
static struct datagram entry_datagram(const struct reassembly_entry *entry)
{
    return (struct datagram){
        .header = entry->header,
        .piece = entry->piece,
        .pieces = entry->pieces,
        .source = entry->source,
        .destination = entry->destination,
        .length = (uint16_t)entry->bytes,
        .header_length = entry->header_length,
        .protocol = entry->protocol,
        .interface = entry->interface,
        .broadcast = entry->broadcast,
    };
}

COLD void input_expired(struct netd *netd, struct reassembly_entry *entry)
{
    struct datagram datagram = entry_datagram(entry);
    netd_count(netd, COUNTER_REASSEMBLY_TIMEOUT);
    if (entry->header_length && !entry->refused) /* RFC 792: only with the first fragment */
        output_icmp_error(netd, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_TIMEOUT, &datagram);
    reassembly_drop(&netd->reassembly, &netd->receive, entry);
}

COLD static bool fragment_input(struct netd *netd, const struct frame *frame,
                                const struct ipv4_header *header, struct buffer_ref piece,
                                bool broadcast)
{
    struct fragment fragment = {.header = header,
                                .bytes = frame->head + ETHERNET_BYTES,
                                .piece = piece,
                                .interface = frame->interface,
                                .broadcast = broadcast};
    uint64_t now = netd_now(netd);
    struct reassembly_entry *entry;
    netd_count(netd, COUNTER_FRAGMENTS);
    netd->deadline_moved = true;
    while ((entry = reassembly_expired(&netd->reassembly, now)))
        input_expired(netd, entry);
    bool kept =
        reassembly_add(&netd->reassembly, &netd->receive, &fragment, now, netd->counters, &entry);
    if (!entry)
        return kept;
    struct datagram datagram = entry_datagram(entry);
    netd_count(netd, COUNTER_REASSEMBLED);
    if (datagram_input(netd, &datagram))
        reassembly_free(&netd->reassembly, entry);
    else
        reassembly_drop(&netd->reassembly, &netd->receive, entry);
    return true; /* the buffers, this one too, went where the entry's went */
}

static bool ipv4_input(struct netd *netd, struct frame *frame, const uint8_t *from)
{
    const struct interface *interface = &netd->interface[frame->interface];
    const uint8_t *bytes = frame->head + ETHERNET_BYTES;
    struct ipv4_header header;
    bool broadcast;
    uint32_t header_length = ipv4_claimed_length(bytes);
    if (header_length > IPV4_BYTES)
        head_extend(frame, from, ETHERNET_BYTES + header_length + TRANSPORT_BYTES);
    enum counter drop = ipv4_parse(bytes, frame->ref.length - (size_t)ETHERNET_BYTES, &header);
    if (drop == NO_DROP)
        drop = ipv4_accept(interface, &header, &broadcast);
    if (drop == NO_DROP && frame->broadcast && !broadcast)
        drop = COUNTER_IP_OTHERS; /* RFC 1122, 3.3.6 */
    if (drop != NO_DROP) {
        netd_count(netd, drop);
        return false;
    }
    struct buffer_ref payload = {
        .pool = frame->ref.pool,
        .index = frame->ref.index,
        .offset = (uint16_t)(frame->ref.offset + ETHERNET_BYTES + header.header_length),
        .length = header.length,
    };
    if (header.fragment)
        return fragment_input(netd, frame, &header, payload, broadcast);
    struct datagram datagram = {
        .header = bytes,
        .piece = &payload,
        .pieces = 1,
        .source = header.source,
        .destination = header.destination,
        .length = header.length,
        .header_length = header.header_length,
        .protocol = header.protocol,
        .interface = frame->interface,
        .broadcast = broadcast,
        .checksum_ok = frame->checksum_ok,
    };
    return datagram_input(netd, &datagram);
}

bool input_frame(struct netd *netd, uint8_t interface, struct buffer_ref ref, uint32_t flags)
{
    const uint8_t *from = pool_data(netd->receive_pool, ref);
    const struct interface *own = &netd->interface[interface];
    struct frame frame;
    if (!own->up) {
        netd_count(netd, COUNTER_RX_DOWN);
        return false;
    }
    if (ref.length < ETHERNET_BYTES) {
        netd_count(netd, COUNTER_ETHERNET_SHORT);
        return false;
    }
    frame.ref = ref;
    frame.interface = interface;
    frame.checksum_ok = flags & NETDEV_RX_CSUM_OK;
    head_copy(&frame, from);
    frame.broadcast = mac_equal(frame.head, broadcast_mac);
    enum counter drop;
    if (!frame.broadcast && !mac_equal(frame.head, own->mac)) {
        drop = COUNTER_ETHERNET_OTHERS;
    } else if (frame.head[ETHERNET_ADDRESS] & 1) {
        drop = COUNTER_ETHERNET_BAD_SOURCE;
    } else if (load_be16(frame.head + 12) == ETHERTYPE_IPV4) {
        return ipv4_input(netd, &frame, from);
    } else if (load_be16(frame.head + 12) == ETHERTYPE_ARP) {
        arp_input(netd, &frame);
        return false;
    } else {
        drop = COUNTER_ETHERNET_UNKNOWN;
    }
    netd_count(netd, drop);
    return false;
}
