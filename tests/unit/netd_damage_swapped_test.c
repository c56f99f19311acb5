/* SPDX-License-Identifier: ISC
 *
 * A state of netd that is damaged: refused, or netd goes on and keeps its invariants.
 */
#include "tests/unit/fake_swap.h"
#include "tests/unit/netd_fixture.h"

enum { LONG = 3000, LATER = 50 };

static void send_from(struct world *world, uint32_t peer, uint16_t index, uint16_t length)
{
    struct sock_datagram datagram = answer_to(0, peer, 4000, index, length);
    assert_true(world_send(world, 0, &datagram));
}

/* Something of everything: fragments that wait for others, frames that wait for a neighbour, whole
 * ones and fragmented ones with the driver, an echo reply, buffers to report and buffers lent. */
static void fill(struct world *world)
{
    static uint8_t udp[LONG + 8];
    uint8_t frame[FRAME_MAX];
    world_start_plain(world);
    uint32_t total = build_udp_payload(udp, FAR_IP, 4000, 53, LONG);
    send_from(world, FAR_IP, 0, 100);
    world_drain(world); /* done, to be reported */
    world->keep_transmits = true;
    world_rx(world, frame, build_fragment(frame, FAR_IP, 17, 7, udp, 0, 1480, total));
    world_rx(world, frame, build_fragment(frame, FAR_IP, 17, 7, udp, 2960, total - 2960, total));
    world_rx(world, frame, build_fragment(frame, NEIGHBOUR_IP, 17, 8, udp, 1480, 1480, total));
    world_rx(world, frame, build_ping(frame, FAR_IP, 64));
    world_rx(world, frame, build_udp(frame, FAR_IP, 4001, 53, "query", 5));
    send_from(world, FAR_IP, 1, 200);
    send_from(world, FAR_IP, 2, LONG);
    send_from(world, NEIGHBOUR_IP, 3, 50);
    send_from(world, NEIGHBOUR_IP, 4, LONG);
    world_drain(world);
    world_check(world);
    assert_int_equal(world->netd->reassembly.held, 3);
    assert_true(world->netd->arp.waiting > 1);
}

static void take_all_done(struct world *world)
{
    const struct transmit *transmit = &world->netd->transmit;
    for (uint32_t i = 0; i < transmit->slots; i++) {
        struct netdev_tx_done done = {.count = 1, .cookie = {transmit->slot[i].cookie}};
        struct msg m = MESSAGE(NETDEV_TX_DONE, done);
        fake_domain_deliver(world->domain, world->net, &m);
    }
}

static void receive(struct world *world, uint16_t index, const uint8_t *bytes, uint32_t length)
{
    struct netdev_rx rx = {.data = {POOL_RX, index, 12, (uint16_t)length}};
    struct msg m = MESSAGE(NETDEV_RX, rx);
    memcpy(world_data(world, rx.data, 2048), bytes, length);
    fake_domain_deliver(world->domain, world->net, &m);
}

static void tables_check(struct world *world)
{
    const struct netd *netd = world->netd;
    assert_true(transmit_check(&netd->transmit));
    assert_true(arp_check(&netd->arp));
    assert_true(reassembly_check(&netd->reassembly, &netd->receive));
    assert_true(pool_owner_check(&netd->receive));
    assert_true(pool_owner_check(&netd->client[0].receive));
    assert_in_range(netd->client[0].sending + netd->client[0].done_count, 0, CLIENT_SENDS_MAX);
}

/* A life of frames in and out, until all that waited has gone its way. */
static void after(void *context)
{
    struct world *world = context;
    static uint8_t headers[HEADER_BUFFERS * 128];
    uint8_t *const header_memory = fake_pool_memory(world->domain, POOL_HEADERS);
    uint8_t frame[FRAME_MAX];
    memcpy(headers, header_memory, sizeof(headers));
    tables_check(world);
    fake_domain_batch_end(world->domain);
    for (uint16_t index = 0; index < RX_BUFFERS; index += 7)
        receive(world, index, frame, build_udp(frame, FAR_IP, 4000, 53, "more", 4));
    receive(world, 1, frame, build_arp(frame, our_mac, 2, neighbour_mac, NEIGHBOUR_IP, OUR_IP));
    struct sock_datagram datagram = answer_to(0, FAR_IP, 4000, 9, LONG);
    struct msg m = MESSAGE(SOCK_SEND, datagram);
    fake_domain_deliver(world->domain, world->client[0], &m);
    fake_domain_batch_end(world->domain);
    take_all_done(world);
    for (uint32_t i = 0; i < 4; i++)
        fake_domain_advance(world->domain, LATER * 1000000000ull);
    take_all_done(world);
    fake_domain_batch_end(world->domain);
    tables_check(world);
    assert_int_equal(world->netd->arp.waiting, 0);
    assert_int_equal(world->netd->reassembly.held, 0);
    assert_int_equal(world->netd->transmit.free_count, world->netd->transmit.slots);
    for (uint32_t i = 0; i < world->netd->receive.buffers; i++)
        assert_int_not_equal(world->netd->receive.holder[i], RECEIVE_STACK);
    memcpy(header_memory, headers, sizeof(headers));
}

static void a_damaged_state_does_no_harm(void **state)
{
    struct world world;
    uint32_t taken, refused;
    (void)state;
    fill(&world);
    refused = fake_swap_damage(world.domain, after, &world, &taken);
    assert_true(refused > taken / 8 && taken);
    print_message("%u refused, %u taken\n", refused, taken);
    after(&world);
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_damaged_state_does_no_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
