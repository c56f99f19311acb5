/* SPDX-License-Identifier: ISC
 *
 * A netd in a fake domain, with a test that plays driver and clients: frames go in, frames come
 * out. Checksums are computed here the slow way, by nothing of what is tested.
 */
#ifndef MOTET_TESTS_NETD_FIXTURE_H
#define MOTET_TESTS_NETD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/netd/netd.h"
#include "tests/unit/fake_domain.h"

extern const struct server motet_server_netd;

enum {
    POOL_RX = 1,
    POOL_HEADERS = 2,
    POOL_RECV = 10, /* + client */
    POOL_SEND = 20, /* + client */
    RX_BUFFERS = 64,
    HEADER_BUFFERS = 128,
    CLIENT_BUFFERS = 64,
    CLIENT_BUFFER_BYTES = 8192, /* of a send buffer: long datagrams too */
    FRAME_MAX = 2048,
};

/* Who is who: us, the gateway, a neighbour, somebody far away. */
#define OUR_IP       0x0a00020fu
#define GATEWAY_IP   0x0a000202u
#define NEIGHBOUR_IP 0x0a000217u
#define FAR_IP       0xc0000201u
static const uint8_t our_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const uint8_t gateway_mac[6] = {0x52, 0x55, 0x0a, 0x00, 0x02, 0x02};
static const uint8_t neighbour_mac[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x17};
static const uint8_t all_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct world {
    struct domain *domain;
    struct netd *netd;
    struct conn *net, *client[CLIENTS_MAX];
    uint16_t provided[NETDEV_INTERFACES_MAX][RX_BUFFERS]; /* buffers that the driver has */
    uint32_t provided_count[NETDEV_INTERFACES_MAX];
    uint32_t sends[CLIENTS_MAX]; /* that netd took and hasn't reported done */
    bool keep_transmits;         /* the driver doesn't complete what it gets */
};

/* What left: the frame in one piece. */
struct sent {
    struct netdev_tx tx;
    uint32_t length;
    uint8_t bytes[FRAME_MAX];
};

static inline uint16_t plain_sum(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static inline uint16_t plain_transport_sum(const uint8_t *ip, uint32_t length)
{
    uint32_t sum = plain_sum(ip[9] + length, ip + 12, 8);
    return plain_sum(sum, ip + (ip[0] & 15) * 4, length);
}

static inline struct msg message(uint16_t op, const void *payload, size_t size)
{
    struct msg m;
    msg_set(&m, op, payload, size);
    return m;
}

#define MESSAGE(op, payload) message(op, &(payload), sizeof(payload))

/* Before start; tests may still change settings and pools. */
static inline void world_create(struct world *world, uint32_t clients)
{
    *world = (struct world){.domain = fake_domain_create(&motet_server_netd)};
    struct domain *domain = world->domain;
    world->netd = fake_domain_state(domain);
    world->net = fake_domain_connect(domain, "net", 0);
    fake_domain_add_pool(domain, "rx", POOL_RX, RX_BUFFERS, 2048, POOL_READ);
    fake_domain_add_pool(domain, "headers", POOL_HEADERS, HEADER_BUFFERS, 128, POOL_WRITE);
    for (uint32_t i = 0; i < clients; i++) {
        char receive[] = "recv0", send[] = "send0";
        receive[4] = send[4] = (char)('0' + i);
        world->client[i] = fake_domain_connect(domain, "sock", i);
        fake_domain_add_pool(domain, receive, (uint8_t)(POOL_RECV + i), CLIENT_BUFFERS, 2048,
                             POOL_WRITE);
        fake_domain_add_pool(domain, send, (uint8_t)(POOL_SEND + i), CLIENT_BUFFERS,
                             CLIENT_BUFFER_BYTES, POOL_READ);
    }
}

static inline void world_destroy(struct world *world)
{
    fake_domain_destroy(world->domain);
}

static inline bool world_net_message(struct world *world, struct msg m)
{
    return fake_domain_deliver(world->domain, world->net, &m);
}

static inline void world_tx_done(struct world *world, uint32_t cookie)
{
    struct netdev_tx_done done = {.count = 1, .cookie = {cookie}};
    assert_true(world_net_message(world, MESSAGE(NETDEV_TX_DONE, done)));
}

static inline uint8_t *world_data(struct world *world, struct buffer_ref ref, uint32_t buffer_size)
{
    return fake_pool_memory(world->domain, ref.pool) + (size_t)ref.index * buffer_size + ref.offset;
}

static inline uint32_t world_buffer_size(uint32_t pool)
{
    return pool == POOL_HEADERS ? 128 : pool >= POOL_SEND ? CLIENT_BUFFER_BYTES : 2048;
}

static inline void world_gather(struct world *world, struct sent *sent)
{
    sent->length = 0;
    assert_in_range(sent->tx.segments, 1, NETDEV_TX_SEGMENTS);
    for (uint32_t i = 0; i < sent->tx.segments; i++) {
        struct buffer_ref ref = sent->tx.segment[i];
        assert_in_range(ref.offset + ref.length, 1, world_buffer_size(ref.pool));
        assert_in_range(sent->length + ref.length, 1, FRAME_MAX);
        memcpy(sent->bytes + sent->length, world_data(world, ref, world_buffer_size(ref.pool)),
               ref.length);
        sent->length += ref.length;
    }
}

/* The driver's turn: takes buffers that netd provides, until a frame to send turns up. */
static inline bool world_pop(struct world *world, struct sent *sent)
{
    struct msg m;
    while (fake_conn_pop(world->net, &m)) {
        if (m.op == NETDEV_RX_PROVIDE) {
            struct netdev_rx_provide give;
            msg_get(&m, &give, sizeof(give));
            assert_int_equal(give.pool, POOL_RX);
            assert_in_range(give.count, 1, NETDEV_PROVIDE_MAX);
            for (uint32_t i = 0; i < give.count; i++) {
                uint32_t *count = &world->provided_count[give.interface];
                assert_in_range(*count, 0, RX_BUFFERS - 1);
                world->provided[give.interface][(*count)++] = give.index[i];
            }
        } else if (m.op == NETDEV_TX) {
            msg_get(&m, &sent->tx, sizeof(sent->tx));
            world_gather(world, sent);
            if (!world->keep_transmits)
                world_tx_done(world, sent->tx.cookie);
            return true;
        } else {
            assert_int_equal(m.op, NETDEV_OPEN);
        }
    }
    return false;
}

static inline void world_link_up(struct world *world, uint16_t interface, uint16_t interfaces)
{
    struct netdev_link link = {
        .interface = interface, .interfaces = interfaces, .mtu = 1500, .up = 1};
    memcpy(link.mac, our_mac, 6);
    link.mac[5] = (uint8_t)(link.mac[5] + interface);
    assert_true(world_net_message(world, MESSAGE(NETDEV_LINK, link)));
    fake_domain_batch_end(world->domain);
}

/* Every frame netd has sent is taken (and completed). */
static inline uint32_t world_drain(struct world *world)
{
    struct sent sent;
    uint32_t frames = 0;
    fake_domain_batch_end(world->domain);
    while (world_pop(world, &sent))
        frames++;
    return frames;
}

static inline bool world_rx_flags(struct world *world, uint16_t interface, const uint8_t *bytes,
                                  uint32_t length, uint16_t flags)
{
    world_drain(world);
    if (!world->provided_count[interface])
        return false;
    uint16_t index = world->provided[interface][--world->provided_count[interface]];
    /* Headroom, so that a frame that starts at an odd place is the rule. */
    struct netdev_rx rx = {
        .interface = interface, .flags = flags, .data = {POOL_RX, index, 12, (uint16_t)length}};
    uint8_t *to = world_data(world, rx.data, 2048);
    memset(to, 0xa5, 2048 - 12);
    memcpy(to, bytes, length);
    assert_true(world_net_message(world, MESSAGE(NETDEV_RX, rx)));
    fake_domain_batch_end(world->domain);
    return true;
}

static inline void world_rx(struct world *world, const uint8_t *bytes, uint32_t length)
{
    assert_true(world_rx_flags(world, 0, bytes, length, 0));
}

/* Frames */

static inline uint32_t build_ethernet(uint8_t *frame, const uint8_t *to, const uint8_t *from,
                                      uint16_t type)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    return 14;
}

static inline void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static inline void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

static inline void fix_ip_checksum(uint8_t *ip)
{
    put16(ip + 10, 0);
    put16(ip + 10, 0xffffu & ~(uint32_t)plain_sum(0, ip, (ip[0] & 15) * 4));
}

/* An IPv4 header in front of `length` bytes of payload that follow it. */
static inline void build_ip(uint8_t *ip, uint32_t source, uint32_t destination, uint8_t protocol,
                            uint32_t length, uint16_t fragment)
{
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, 20 + length);
    put16(ip + 4, 0x1234);
    put16(ip + 6, fragment);
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + 12, source);
    put32(ip + 16, destination);
    fix_ip_checksum(ip);
}

static inline void fix_udp_checksum(uint8_t *ip, uint32_t length)
{
    uint8_t *udp = ip + (ip[0] & 15) * 4;
    put16(udp + 6, 0);
    uint32_t sum = 0xffffu & ~(uint32_t)plain_transport_sum(ip, length);
    put16(udp + 6, sum ? sum : 0xffff);
}

/* A UDP frame to us from behind the gateway; returns its length. */
static inline uint32_t build_udp(uint8_t *frame, uint32_t source, uint16_t source_port,
                                 uint16_t port, const void *data, uint32_t length)
{
    build_ethernet(frame, our_mac, gateway_mac, 0x0800);
    uint8_t *ip = frame + 14, *udp = ip + 20;
    build_ip(ip, source, OUR_IP, 17, 8 + length, 0);
    put16(udp, source_port);
    put16(udp + 2, port);
    put16(udp + 4, 8 + length);
    memcpy(udp + 8, data, length);
    fix_udp_checksum(ip, 8 + length);
    return 14 + 20 + 8 + length;
}

/* An echo request with `length` bytes of data into a buffer; returns the ICMP message's length. */
static inline uint32_t build_echo(uint8_t *icmp, uint32_t length)
{
    memset(icmp, 0, 8);
    icmp[0] = 8;
    put16(icmp + 4, 0xbeef);
    put16(icmp + 6, 1);
    for (uint32_t i = 0; i < length; i++)
        icmp[8 + i] = (uint8_t)(i * 7 + i / 256);
    put16(icmp + 2, 0xffffu & ~(uint32_t)plain_sum(0, icmp, 8 + length));
    return 8 + length;
}

static inline uint32_t build_ping(uint8_t *frame, uint32_t source, uint32_t length)
{
    build_ethernet(frame, our_mac, gateway_mac, 0x0800);
    uint32_t icmp = build_echo(frame + 34, length);
    build_ip(frame + 14, source, OUR_IP, 1, icmp, 0);
    return 34 + icmp;
}

static inline uint32_t build_arp(uint8_t *frame, const uint8_t *to, uint16_t operation,
                                 const uint8_t *sender_mac, uint32_t sender, uint32_t target)
{
    build_ethernet(frame, to, sender_mac, 0x0806);
    uint8_t *arp = frame + 14;
    memset(arp, 0, 28);
    put16(arp, 1);
    put16(arp + 2, 0x0800);
    arp[4] = 6;
    arp[5] = 4;
    put16(arp + 6, operation);
    memcpy(arp + 8, sender_mac, 6);
    put32(arp + 14, sender);
    put32(arp + 24, target);
    return 42;
}

/* One of several fragments of `payload`: bytes [start, start + length) of `total`. */
static inline uint32_t build_fragment(uint8_t *frame, uint32_t source, uint8_t protocol,
                                      uint16_t id, const uint8_t *payload, uint32_t start,
                                      uint32_t length, uint32_t total)
{
    build_ethernet(frame, our_mac, gateway_mac, 0x0800);
    uint16_t more = start + length < total ? 0x2000 : 0;
    build_ip(frame + 14, source, OUR_IP, protocol, length, (uint16_t)(start / 8 | more));
    put16(frame + 14 + 4, id);
    fix_ip_checksum(frame + 14);
    memcpy(frame + 34, payload + start, length);
    return 34 + length;
}

/* Whole UDP datagram (header and data, checksum right) without Ethernet and IP. */
static inline uint32_t build_udp_payload(uint8_t *udp, uint32_t source, uint16_t source_port,
                                         uint16_t port, uint32_t length)
{
    uint8_t *ip = malloc(20 + 8 + length);
    assert_non_null(ip);
    build_ip(ip, source, OUR_IP, 17, 8 + length, 0);
    put16(ip + 20, source_port);
    put16(ip + 22, port);
    put16(ip + 24, 8 + length);
    for (uint32_t i = 0; i < length; i++)
        ip[28 + i] = (uint8_t)(i * 11 + i / 256);
    fix_udp_checksum(ip, 8 + length);
    memcpy(udp, ip + 20, 8 + length);
    free(ip);
    return 8 + length;
}

/* A frame that left has right lengths and checksums, and goes from us to that address. */
static inline void assert_ip_frame(const struct sent *sent, const uint8_t *mac,
                                   uint32_t destination, uint8_t protocol)
{
    const uint8_t *ip = sent->bytes + 14;
    assert_memory_equal(sent->bytes, mac, 6);
    assert_memory_equal(sent->bytes + 6, our_mac, 6);
    assert_int_equal(load_be16(sent->bytes + 12), 0x0800);
    assert_int_equal(ip[0], 0x45);
    assert_int_equal(load_be16(ip + 2), sent->length - 14);
    assert_int_equal(plain_sum(0, ip, 20), 0xffff);
    assert_int_equal(ip[9], protocol);
    assert_int_equal(load_be32(ip + 12), OUR_IP);
    assert_int_equal(load_be32(ip + 16), destination);
}

/* Clients */

static inline int world_reply(struct world *world, uint32_t client, uint16_t op)
{
    struct msg m;
    while (fake_conn_pop(world->client[client], &m))
        if (m.op == op && m.flags & MSG_REPLY)
            return m.status;
    fail_msg("no reply");
    return -1;
}

static inline int world_bind(struct world *world, uint32_t client, uint16_t socket, uint16_t port)
{
    struct sock_bind bind = {socket, 17, port, (uint16_t)(POOL_RECV + client)};
    struct msg m = MESSAGE(SOCK_BIND, bind);
    assert_true(fake_domain_deliver(world->domain, world->client[client], &m));
    return world_reply(world, client, SOCK_BIND);
}

/* The next datagram for the client; takes note of SEND_DONE on the way. */
static inline bool world_recv(struct world *world, uint32_t client, struct sock_datagram *datagram)
{
    struct msg m;
    while (fake_conn_pop(world->client[client], &m)) {
        if (m.op == SOCK_RECV) {
            msg_get(&m, datagram, sizeof(*datagram));
            return true;
        }
        if (m.op == SOCK_SEND_DONE) {
            struct sock_done done;
            msg_get(&m, &done, sizeof(done));
            assert_int_equal(done.pool, POOL_SEND + client);
            assert_in_range(done.count, 1, SOCK_DONE_MAX);
            assert_in_range(done.count, 1, world->sends[client]);
            world->sends[client] -= done.count;
        }
    }
    return false;
}

static inline void world_recv_done(struct world *world, uint32_t client, uint16_t index)
{
    struct sock_done done = {.pool = (uint16_t)(POOL_RECV + client), .count = 1, .index = {index}};
    struct msg m = MESSAGE(SOCK_RECV_DONE, done);
    assert_true(fake_domain_deliver(world->domain, world->client[client], &m));
}

static inline bool world_send(struct world *world, uint32_t client,
                              const struct sock_datagram *datagram)
{
    struct msg m = MESSAGE(SOCK_SEND, *datagram);
    bool taken = fake_domain_deliver(world->domain, world->client[client], &m);
    if (taken && datagram->data.pool == POOL_SEND + client && datagram->data.index < CLIENT_BUFFERS)
        world->sends[client]++;
    return taken;
}

static inline void write_address(uint8_t *to, uint32_t address)
{
    memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    put32(to + 12, address);
}

static inline struct sock_datagram answer_to(uint32_t client, uint32_t peer, uint16_t peer_port,
                                             uint16_t index, uint16_t length)
{
    struct sock_datagram datagram = {.local_port = 53,
                                     .peer_port = peer_port,
                                     .data = {(uint16_t)(POOL_SEND + client), index, 0, length}};
    write_address(datagram.local, OUR_IP);
    write_address(datagram.peer, peer);
    return datagram;
}

/* Started, link up, gateway known; client 0 listens on port 53. */
static inline void world_start(struct world *world)
{
    uint8_t frame[64];
    struct sent sent;
    assert_int_equal(fake_domain_start(world->domain), OK);
    world_link_up(world, 0, 1);
    assert_true(world_pop(world, &sent)); /* the announcement */
    world_rx(world, frame, build_arp(frame, our_mac, 1, gateway_mac, GATEWAY_IP, OUR_IP));
    assert_int_equal(world_drain(world), 1); /* our reply */
    if (world->client[0])
        assert_int_equal(world_bind(world, 0, 0, 53), OK);
}

static inline void world_start_plain(struct world *world)
{
    world_create(world, 1);
    world_start(world);
}

/* Every buffer is in exactly one place; all tables keep their invariants. */
static inline void world_check(struct world *world)
{
    struct netd *netd = world->netd;
    uint32_t lent = 0, stack = netd->reassembly.held, sending[CLIENTS_MAX] = {0};
    assert_true(transmit_check(&netd->transmit));
    assert_true(arp_check(&netd->arp));
    assert_true(reassembly_check(&netd->reassembly, &netd->receive));
    for (uint32_t i = 0; i < netd->transmit.slots; i++) {
        const struct slot *slot = &netd->transmit.slot[i];
        if (slot->state == SLOT_FREE || slot->first != i)
            continue;
        if (slot->owner == PAYLOAD_RECEIVE)
            stack++;
        else if (slot->owner >= PAYLOAD_CLIENT)
            sending[slot->owner - PAYLOAD_CLIENT]++;
    }
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        lent += netd->interface[i].rx_lent;
    assert_int_equal(netd->receive.free_count + lent + stack, RX_BUFFERS);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        const struct client *client = &netd->client[i];
        if (!world->client[i])
            continue;
        assert_int_equal(client->sending, sending[i]);
        assert_in_range(client->sending + client->done_count, 0, CLIENT_SENDS_MAX);
    }
}

/* At rest: nothing is under way, whatever came before. */
static inline void world_check_rest(struct world *world)
{
    struct sock_datagram datagram;
    world->keep_transmits = false;
    for (int i = 0; i < 4; i++) { /* requests, retries and time-outs end */
        world_drain(world);
        fake_domain_advance(world->domain, 40000000000);
    }
    world_drain(world);
    world_check(world);
    assert_int_equal(fake_domain_deadline(world->domain), 0);
    assert_int_equal(world->netd->transmit.free_count, world->netd->transmit.slots);
    assert_int_equal(world->netd->reassembly.held, 0);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        if (!world->client[i])
            continue;
        fake_domain_batch_end(world->domain);
        while (world_recv(world, i, &datagram))
            ;
        assert_int_equal(world->sends[i], world->netd->client[i].done_count);
    }
}

#endif
