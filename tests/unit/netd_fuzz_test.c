/* SPDX-License-Identifier: ISC
 *
 * netd under random and hostile input, seeded and bounded: broken frames, a driver and clients that
 * send senseless messages, a device that rewrites receive buffers, full channels, time passing.
 * After every step each buffer is in exactly one place; at the end, with well-behaved peers again,
 * all are back and the service works.
 */
#include "tests/unit/netd_fixture.h"

enum { STEPS = 6000, CLIENTS = 3 };

static struct world world;
static uint64_t random_state;

static uint32_t any(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static uint32_t below(uint32_t bound)
{
    return any() % bound;
}

/* Mostly plausible, sometimes anything. */
static uint32_t plausible(uint32_t bound)
{
    return below(8) ? below(bound) : any();
}

static void random_bytes(uint8_t *to, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        to[i] = (uint8_t)any();
}

static uint32_t some_ip(void)
{
    static const uint32_t known[] = {OUR_IP,     GATEWAY_IP, NEIGHBOUR_IP, FAR_IP, 0x0a0002ff,
                                     0xffffffff, 0xe0000001, 0x7f000001,   0};
    return below(3) ? known[below(sizeof(known) / sizeof(known[0]))] : 0x0a000200 + below(256);
}

static const uint8_t *some_mac(void)
{
    static const uint8_t *const known[] = {our_mac, gateway_mac, neighbour_mac, all_mac};
    return known[below(4)];
}

static uint32_t any_fragment(uint8_t *frame)
{
    static uint8_t payload[8192];
    uint8_t protocol = below(2) ? 17 : 1;
    uint32_t total = below(2) ? 1909 : 3008, step = below(2) ? 800 : 8 * (1 + below(180));
    uint32_t start = step * below(4);
    if (protocol == 1)
        build_echo(payload, total - 8);
    else
        build_udp_payload(payload, FAR_IP, 4000, 53, total - 8);
    if (start >= total)
        start = 0;
    uint32_t length = total - start < step ? total - start : step;
    return build_fragment(frame, FAR_IP + below(12), protocol, (uint16_t)below(3), payload, start,
                          length, total);
}

static uint32_t any_frame(uint8_t *frame)
{
    uint8_t data[600];
    uint32_t length = below(sizeof(data));
    random_bytes(data, length);
    switch (below(6)) {
    case 0:
        return build_ping(frame, some_ip(), below(1473));
    case 1:
        return build_arp(frame, some_mac(), (uint16_t)(1 + below(2)), some_mac(), some_ip(),
                         some_ip());
    case 2:
    case 3:
        return any_fragment(frame);
    case 4:
        random_bytes(frame, length + 42);
        memcpy(frame, our_mac, 6);
        return length + 42;
    default:
        return build_udp(frame, some_ip(), (uint16_t)any(), (uint16_t)(53 + below(4)), data,
                         length);
    }
}

static void frame_step(void)
{
    uint8_t frame[FRAME_MAX];
    uint32_t length = any_frame(frame);
    for (uint32_t flips = below(4) ? 0 : 1 + below(4); flips; flips--)
        frame[below(length < 60 ? length : 60)] = (uint8_t)any();
    if (below(2) && length >= 34 && frame[14] >> 4 == 4)
        fix_ip_checksum(frame + 14);
    if (!below(6))
        length = 1 + below(length);
    world_rx_flags(&world, (uint16_t)below(2), frame, length, (uint16_t)(below(10) ? 0 : any()));
}

/* What the driver has, after messages that only netd understood. */
static void recount(void)
{
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++)
        world.provided_count[i] = 0;
    for (uint16_t n = 0; n < RX_BUFFERS; n++) {
        uint32_t holder = world.netd->receive.holder[n];
        if (holder >= RECEIVE_DRIVER)
            world.provided[holder - RECEIVE_DRIVER]
                          [world.provided_count[holder - RECEIVE_DRIVER]++] = n;
    }
}

static void hostile_driver_step(void)
{
    struct msg m = {.op = (uint16_t)plausible(8)};
    random_bytes(m.bytes, sizeof(m.bytes));
    world_drain(&world);
    if (m.op == NETDEV_RX) {
        struct netdev_rx rx = {.interface = (uint16_t)plausible(4),
                               .flags = (uint16_t)any(),
                               .data = {(uint16_t)plausible(3), (uint16_t)plausible(RX_BUFFERS),
                                        (uint16_t)plausible(64), (uint16_t)plausible(2048)}};
        m = MESSAGE(NETDEV_RX, rx);
    } else if (m.op == NETDEV_TX_DONE) {
        uint32_t count = plausible(12);
        memcpy(m.bytes, &count, sizeof(count));
    } else if (m.op == NETDEV_LINK && below(4)) {
        struct netdev_link link = {.interface = (uint16_t)plausible(4),
                                   .interfaces = (uint16_t)plausible(5),
                                   .mtu = (uint16_t)(500 + below(2000)),
                                   .up = (uint8_t)below(2),
                                   .tx_csum = (uint8_t)below(2)};
        memcpy(link.mac, our_mac, 6);
        m = MESSAGE(NETDEV_LINK, link);
    }
    world_net_message(&world, m);
    recount();
}

static void hostile_client_step(void)
{
    uint32_t client = below(CLIENTS);
    struct msg m = {.op = (uint16_t)plausible(8)};
    random_bytes(m.bytes, sizeof(m.bytes));
    if (m.op == SOCK_BIND && below(4)) {
        struct sock_bind bind = {(uint16_t)plausible(8), (uint16_t)(below(8) ? 17 : any()),
                                 (uint16_t)(53 + below(4)), (uint16_t)(POOL_RECV + plausible(3))};
        m = MESSAGE(SOCK_BIND, bind);
    } else if (m.op == SOCK_RECV_DONE) {
        struct sock_done done = {.pool = (uint16_t)(POOL_RECV + plausible(3)),
                                 .count = (uint16_t)plausible(21)};
        for (uint32_t i = 0; i < SOCK_DONE_MAX; i++)
            done.index[i] = (uint16_t)plausible(CLIENT_BUFFERS);
        m = MESSAGE(SOCK_RECV_DONE, done);
    } else if (m.op == SOCK_SEND) {
        struct sock_datagram datagram;
        msg_get(&m, &datagram, sizeof(datagram));
        world_send(&world, client, &datagram);
        return;
    }
    fake_domain_deliver(world.domain, world.client[client], &m);
}

static void send_step(void)
{
    uint32_t client = below(CLIENTS);
    struct sock_datagram datagram = answer_to(
        client, some_ip(), (uint16_t)plausible(65536), (uint16_t)plausible(CLIENT_BUFFERS),
        (uint16_t)(below(4) ? below(1473) : below(CLIENT_BUFFER_BYTES + 10)));
    datagram.socket = (uint16_t)plausible(8);
    datagram.local_port = world.netd->sockets.port[client * SOCK_PER_CLIENT + datagram.socket % 8];
    datagram.interface = (uint16_t)(below(8) ? 0 : plausible(4));
    if (!below(4))
        memset(datagram.local, 0, 16);
    if (!below(16))
        datagram.data.offset = (uint16_t)any();
    world_send(&world, client, &datagram);
}

static void receive_step(void)
{
    struct sock_datagram datagram;
    uint32_t client = below(CLIENTS);
    while (world_recv(&world, client, &datagram))
        if (below(8))
            world_recv_done(&world, client, datagram.data.index);
}

static void complete_step(void)
{
    struct sent sent;
    while (below(8) && world_pop(&world, &sent))
        ;
    for (uint32_t i = 0; world.keep_transmits && i < 16; i++) {
        const struct slot *slot = &world.netd->transmit.slot[below(TRANSMIT_SLOTS)];
        if (slot->state == SLOT_SENT)
            world_tx_done(&world, slot->cookie);
    }
}

static void circumstances_step(void)
{
    switch (below(5)) {
    case 0:
        fake_conn_set_capacity(world.net, below(2) ? below(12) : FAKE_QUEUE_MAX);
        break;
    case 1:
        fake_conn_set_capacity(world.client[below(CLIENTS)], below(2) ? below(12) : FAKE_QUEUE_MAX);
        break;
    case 2:
        fake_domain_advance(world.domain, (uint64_t)any() * 8);
        break;
    case 3:
        world.keep_transmits = below(2);
        break;
    default: /* the device writes where it likes */
        random_bytes(fake_pool_memory(world.domain, POOL_RX) + 2048 * below(RX_BUFFERS), 256);
    }
}

static void step(void)
{
    uint32_t kind = below(16);
    if (kind < 6)
        frame_step();
    else if (kind < 9)
        send_step();
    else if (kind < 10)
        hostile_driver_step();
    else if (kind < 12)
        hostile_client_step();
    else if (kind < 13)
        receive_step();
    else if (kind < 15)
        complete_step();
    else
        circumstances_step();
    if (below(2))
        fake_domain_batch_end(world.domain);
    world_check(&world);
}

static void assert_service_works(void)
{
    uint8_t frame[FRAME_MAX];
    struct sock_datagram datagram;
    struct sent sent;
    /* Client 0 gives everything back and listens again. */
    for (uint16_t i = 0; i < CLIENT_BUFFERS; i++)
        world_recv_done(&world, 0, i);
    for (uint16_t i = 0; i < CLIENTS * SOCK_PER_CLIENT; i++) {
        struct sock_close close = {.socket = i % SOCK_PER_CLIENT};
        struct msg m = MESSAGE(SOCK_CLOSE, close);
        assert_true(fake_domain_deliver(world.domain, world.client[i / SOCK_PER_CLIENT], &m));
    }
    assert_int_equal(world_reply(&world, 0, SOCK_CLOSE), OK);
    while (world_recv(&world, 0, &datagram))
        ;
    assert_int_equal(world_bind(&world, 0, 0, 53), OK);
    for (int i = 0; i < 2; i++) /* the first may end a frame that was in several buffers */
        world_rx(&world, frame, build_arp(frame, our_mac, 1, gateway_mac, GATEWAY_IP, OUR_IP));
    world_drain(&world);
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 53, "a query", 7));
    assert_true(world_recv(&world, 0, &datagram));
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 0, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 17);
}

static void run(uint64_t seed)
{
    random_state = seed;
    world_create(&world, CLIENTS);
    fake_domain_set(world.domain, "net1.ip", "192.0.2.9/24");
    world_start(&world);
    world_link_up(&world, 1, 2);
    for (uint16_t i = 0; i < CLIENTS; i++)
        assert_int_equal(world_bind(&world, i, i, (uint16_t)(53 + i)), OK);
    for (uint32_t i = 0; i < STEPS; i++)
        step();
    /* Peers as they should be. */
    fake_conn_set_capacity(world.net, FAKE_QUEUE_MAX);
    for (uint32_t i = 0; i < CLIENTS; i++)
        fake_conn_set_capacity(world.client[i], FAKE_QUEUE_MAX);
    world.keep_transmits = false;
    world_drain(&world);
    for (uint32_t n = 0; n < TRANSMIT_SLOTS; n++)
        if (world.netd->transmit.slot[n].state == SLOT_SENT)
            world_tx_done(&world, world.netd->transmit.slot[n].cookie);
    world_check_rest(&world);
    world_link_up(&world, 0, 1);
    world_drain(&world);
    assert_service_works();
    world_destroy(&world);
}

/* Seeds 1 to 3, or those of MOTET_SEEDS=FIRST:LAST. */
static void buffers_are_conserved_and_the_service_survives(void **state)
{
    (void)state;
    const char *seeds = getenv("MOTET_SEEDS");
    char *end;
    unsigned long first = 1, last = 3;
    if (seeds) {
        first = strtoul(seeds, &end, 10);
        last = *end ? strtoul(end + 1, NULL, 10) : first;
    }
    for (unsigned long seed = first; seed <= last; seed++) {
        print_message("seed %lu\n", seed);
        run(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_are_conserved_and_the_service_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
