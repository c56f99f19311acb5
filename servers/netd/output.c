/* SPDX-License-Identifier: ISC
 *
 * Everything that leaves. A client's datagram that finds no room stays in the client's channel; the
 * stack's own frames (ARP, ICMP) and those that waited for ARP are dropped and counted then.
 */
#include <stddef.h>

#include "servers/netd/checksum.h"
#include "servers/netd/netd.h"

enum { HEADERS_IPV4 = ETHERNET_BYTES + IPV4_BYTES, HEADERS_UDP = HEADERS_IPV4 + UDP_BYTES };

void output_done(struct netd *netd, uint32_t n)
{
    uint32_t owner, index;
    if (!transmit_release(&netd->transmit, n, &owner, &index))
        return;
    if (owner == PAYLOAD_RECEIVE) {
        pool_take_back(&netd->receive, index, RECEIVE_STACK);
        return;
    }
    netd->client[owner - PAYLOAD_CLIENT].sending--;
    client_done(netd, owner - PAYLOAD_CLIENT, index);
}

COLD static void frame_drop(struct netd *netd, uint32_t n, enum counter why)
{
    netd_count(netd, why);
    output_done(netd, n);
}

static void ethernet_build(const struct netd *netd, uint32_t n, uint16_t type)
{
    const struct slot *slot = &netd->transmit.slot[n];
    uint8_t *to = transmit_header(&netd->transmit, n);
    mac_copy(to + ETHERNET_ADDRESS, netd->interface[slot->interface].mac);
    store_be16(to + 2 * ETHERNET_ADDRESS, type);
}

/* Sends an IPv4 frame to a neighbour, or leaves it waiting for the neighbour's address, or drops
 * it. False: the driver's channel is full, and the slot is still the caller's. */
static bool frame_send(struct netd *netd, uint32_t n, uint32_t next_hop)
{
    uint8_t interface = netd->transmit.slot[n].interface;
    bool ask;
    struct arp_entry *entry =
        arp_use(&netd->arp, interface, next_hop, netd_now(netd), netd->counters, &ask);
    if (!entry) {
        frame_drop(netd, n, COUNTER_ARP_FULL);
        return true;
    }
    if (ask) {
        const uint8_t *mac = entry->state == ARP_CHECKED ? entry->mac : NULL;
        netd->deadline_moved = true;
        output_arp(netd, interface, ARP_REQUEST, mac, next_hop);
    }
    if (arp_usable(entry)) {
        mac_copy(transmit_header(&netd->transmit, n), entry->mac);
        return driver_transmit(netd, n);
    }
    if (!arp_wait(&netd->arp, entry, (uint8_t)n))
        frame_drop(netd, n, COUNTER_ARP_WAITING_FULL);
    return true;
}

/* The same for the stack's own frames, which don't wait for room. */
static void frame_send_or_drop(struct netd *netd, uint32_t n, uint32_t next_hop)
{
    if (!frame_send(netd, n, next_hop))
        frame_drop(netd, n, COUNTER_TX_NO_ROOM);
}

COLD void output_waiting(struct netd *netd, struct arp_entry *entry)
{
    int n;
    while ((n = arp_next_waiting(&netd->arp, entry)) >= 0) {
        mac_copy(transmit_header(&netd->transmit, (uint32_t)n), entry->mac);
        if (!driver_transmit(netd, (uint32_t)n))
            frame_drop(netd, (uint32_t)n, COUNTER_TX_NO_ROOM);
    }
}

COLD void output_retry(struct netd *netd, struct arp_entry *entry)
{
    int n;
    if (entry->requests < ARP_REQUESTS) {
        arp_asked(entry, netd_now(netd));
        output_arp(netd, entry->interface, ARP_REQUEST, NULL, entry->address);
        return;
    }
    netd_count(netd, COUNTER_ARP_NO_ANSWER);
    while ((n = arp_next_waiting(&netd->arp, entry)) >= 0)
        frame_drop(netd, (uint32_t)n, COUNTER_ARP_WAITING_LOST);
    arp_forget(&netd->arp, entry);
}

/* A slot for a frame of the stack's own; -1 (counted): none. */
static int own_slot(struct netd *netd, uint8_t interface, uint16_t ethertype, uint32_t bytes)
{
    int n = transmit_take(&netd->transmit, 0);
    if (n < 0) {
        netd_count(netd, COUNTER_TX_NO_SLOT);
        return -1;
    }
    netd->transmit.slot[n].interface = interface;
    netd->transmit.slot[n].header_length = (uint16_t)bytes;
    ethernet_build(netd, (uint32_t)n, ethertype);
    return n;
}

COLD void output_arp(struct netd *netd, uint8_t interface, enum arp_operation operation,
                     const uint8_t *target_mac, uint32_t target)
{
    const struct interface *from = &netd->interface[interface];
    int n = own_slot(netd, interface, ETHERTYPE_ARP, ETHERNET_BYTES + ARP_BYTES);
    if (n < 0)
        return;
    uint8_t *frame = transmit_header(&netd->transmit, (uint32_t)n);
    if (target_mac)
        mac_copy(frame, target_mac);
    else
        memset(frame, 0xff, ETHERNET_ADDRESS);
    arp_build(frame + ETHERNET_BYTES, operation, from->mac, from->address, target_mac, target);
    if (driver_transmit(netd, (uint32_t)n))
        netd_count(netd, operation == ARP_REQUEST ? COUNTER_ARP_REQUESTS : COUNTER_ARP_REPLIES);
    else
        frame_drop(netd, (uint32_t)n, COUNTER_TX_NO_ROOM);
}

static uint16_t next_id(struct netd *netd)
{
    return netd->id = (uint16_t)(netd->id + netd->id_step);
}

COLD void output_icmp_error(struct netd *netd, enum icmp_type type, enum icmp_code code,
                            const struct datagram *datagram)
{
    const struct interface *interface = &netd->interface[datagram->interface];
    uint32_t next_hop = interface_next_hop(interface, datagram->source);
    if (!icmp_deserves_error(datagram) || !interface->up || !next_hop)
        return;
    if (!icmp_limit_allows(&netd->icmp_limit, netd_now(netd))) {
        netd_count(netd, COUNTER_ICMP_ERRORS_LIMITED);
        return;
    }
    int n = own_slot(netd, datagram->interface, ETHERTYPE_IPV4, HEADERS_IPV4);
    if (n < 0)
        return;
    uint8_t *frame = transmit_header(&netd->transmit, (uint32_t)n);
    uint32_t length = icmp_build_error(frame + HEADERS_IPV4, type, code, datagram);
    struct ipv4_header header = {.source = interface->address,
                                 .destination = datagram->source,
                                 .length = (uint16_t)length,
                                 .id = next_id(netd),
                                 .protocol = IP_ICMP};
    ipv4_build(frame + ETHERNET_BYTES, &header);
    netd->transmit.slot[n].header_length = (uint16_t)(HEADERS_IPV4 + length);
    netd_count(netd, COUNTER_ICMP_ERRORS_OUT);
    frame_send_or_drop(netd, (uint32_t)n, next_hop);
}

/* May the reply to an echo request be sent, fragmented as the request was? */
static enum counter echo_refusal(struct netd *netd, const struct datagram *request)
{
    const struct interface *interface = &netd->interface[request->interface];
    const struct pool_owner *receive = &netd->receive;
    if (request->broadcast || !interface_next_hop(interface, request->source))
        return COUNTER_ICMP_ECHO_REFUSED;
    for (uint32_t i = 0; i < request->pieces; i++)
        if (request->piece[i].length + (uint32_t)IPV4_BYTES > interface->mtu)
            return COUNTER_ICMP_ECHO_REFUSED;
    /* A flood of requests mustn't leave the driver without buffers: half of them stay with it. */
    uint32_t with_driver = 0;
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        with_driver += netd->interface[i].rx_lent;
    if (with_driver + receive->free_count < receive->buffers / 2u ||
        netd->transmit.free_count < request->pieces + TRANSMIT_RESERVED ||
        conn_room(netd->net) < request->pieces)
        return COUNTER_ICMP_ECHO_FULL;
    return NO_DROP;
}

/* The i-th fragment of the reply, from byte `start` of the ICMP message: the same receive buffer.
 */
static void echo_fragment(struct netd *netd, const struct datagram *request, uint32_t i,
                          uint32_t start, struct ipv4_header *header)
{
    uint32_t icmp = i ? 0 : ICMP_BYTES; /* bytes of ICMP header in this frame */
    struct buffer_ref piece = request->piece[i];
    int n = own_slot(netd, request->interface, ETHERTYPE_IPV4, HEADERS_IPV4 + icmp);
    uint8_t *frame = transmit_header(&netd->transmit, (uint32_t)n);
    struct slot *slot = &netd->transmit.slot[n];
    header->length = piece.length;
    header->fragment = (uint16_t)(start / 8 | (i + 1 < request->pieces ? IPV4_MORE : 0));
    ipv4_build(frame + ETHERNET_BYTES, header);
    if (icmp)
        icmp_build_reply(frame + HEADERS_IPV4, datagram_transport(request));
    slot->payload = piece;
    slot->payload.offset = (uint16_t)(piece.offset + icmp);
    slot->payload.length = (uint16_t)(piece.length - icmp);
    slot->owner = PAYLOAD_RECEIVE;
    frame_send_or_drop(netd, (uint32_t)n,
                       interface_next_hop(&netd->interface[request->interface], request->source));
}

COLD bool output_echo_reply(struct netd *netd, const struct datagram *request)
{
    struct ipv4_header header = {.source = request->destination,
                                 .destination = request->source,
                                 .id = next_id(netd),
                                 .protocol = IP_ICMP};
    enum counter drop = echo_refusal(netd, request);
    uint32_t start = 0;
    if (drop != NO_DROP) {
        netd_count(netd, drop);
        return false;
    }
    netd_count(netd, COUNTER_ICMP_ECHO);
    for (uint32_t i = 0; i < request->pieces; i++) {
        echo_fragment(netd, request, i, start, &header);
        start += request->piece[i].length;
    }
    return true;
}

/* The UDP header's checksum field; `device`: the device completes it. */
static uint16_t send_checksum(const struct udp_send *send, bool device)
{
    if (device)
        return udp_pseudo_sum(send->source, send->destination, &send->header);
    if (!send->pool->base)
        return 0; /* not ours to read: without, as RFC 768 allows */
    return udp_checksum(send->source, send->destination, &send->header,
                        pool_data(send->pool, send->data));
}

/* Fills slot `n` with the piece of `send` from byte `start` of the UDP datagram (its header
 * included) on: `length` bytes. */
static void send_build(struct netd *netd, const struct udp_send *send, uint32_t n, uint32_t start,
                       struct ipv4_header *header)
{
    struct slot *slot = &netd->transmit.slot[n];
    uint8_t *frame = transmit_header(&netd->transmit, n);
    uint32_t udp = start ? 0 : UDP_BYTES; /* bytes of UDP header in this frame */
    bool device = !header->fragment && netd->interface[send->interface].tx_csum;
    slot->interface = send->interface;
    slot->owner = (uint8_t)(PAYLOAD_CLIENT + send->client);
    slot->header_length = (uint16_t)(HEADERS_IPV4 + udp);
    slot->payload = send->data;
    slot->payload.offset = (uint16_t)(send->data.offset + start + udp - UDP_BYTES);
    slot->payload.length = (uint16_t)(header->length - udp);
    ethernet_build(netd, n, ETHERTYPE_IPV4);
    ipv4_build(frame + ETHERNET_BYTES, header);
    if (start)
        return;
    slot->flags = device ? NETDEV_TX_CSUM : 0;
    udp_build(frame + HEADERS_IPV4, &send->header, send_checksum(send, device));
}

/* Room for all fragments was seen to. */
COLD static void send_fragments(struct netd *netd, const struct udp_send *send, uint32_t count,
                                uint32_t step, struct ipv4_header *header)
{
    uint32_t total = UDP_BYTES + (uint32_t)send->header.length;
    int first = -1;
    for (uint32_t start = 0; start < total; start += step) {
        int n = transmit_take(&netd->transmit, 0);
        bool last = total - start <= step;
        header->length = (uint16_t)(last ? total - start : step);
        header->fragment = (uint16_t)(start / 8 | (last ? 0 : IPV4_MORE));
        send_build(netd, send, (uint32_t)n, start, header);
        if (first < 0) {
            first = n;
            netd->transmit.slot[n].parts = (uint8_t)count;
        }
        netd->transmit.slot[n].first = (uint8_t)first;
        frame_send_or_drop(netd, (uint32_t)n, send->next_hop);
    }
}

bool output_udp(struct netd *netd, const struct udp_send *send)
{
    uint32_t total = UDP_BYTES + (uint32_t)send->header.length;
    uint32_t room = netd->interface[send->interface].mtu - (uint32_t)IPV4_BYTES;
    struct client *client = &netd->client[send->client];
    struct ipv4_header header = {.source = send->source,
                                 .destination = send->destination,
                                 .length = (uint16_t)total,
                                 .protocol = IP_UDP};
    if (total > room) {
        uint32_t step = room & ~7u, count = (total + step - 1) / step;
        if (count > TRANSMIT_FRAGMENTS) {
            netd_count(netd, COUNTER_SEND_TOO_LONG);
            client_done(netd, send->client, send->data.index);
            return true;
        }
        /* One more of each: an ARP request may go first. */
        if (netd->transmit.free_count <= count + TRANSMIT_RESERVED || conn_room(netd->net) <= count)
            return false;
        header.id = next_id(netd);
        client->sending++;
        send_fragments(netd, send, count, step, &header);
        netd_count(netd, COUNTER_UDP_SENT);
        return true;
    }
    int n = transmit_take(&netd->transmit, TRANSMIT_RESERVED);
    if (n < 0)
        return false;
    header.id = next_id(netd);
    send_build(netd, send, (uint32_t)n, 0, &header);
    client->sending++;
    if (frame_send(netd, (uint32_t)n, send->next_hop)) {
        netd_count(netd, COUNTER_UDP_SENT);
        return true;
    }
    netd->transmit.slot[n].owner = PAYLOAD_NONE; /* the message stays in the client's channel */
    client->sending--;
    output_done(netd, (uint32_t)n);
    return false;
}
