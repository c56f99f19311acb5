/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_drv against clients that send anything and devices that write anything: the driver
 * keeps to memory that it may touch (the sanitizers and the fake device watch), hands back only
 * what it was given, and once a device is honest or reset, all of it.
 */
#include "tests/unit/virtio_fixture.h"

static struct fake_frame frame; /* too large for a stack */

static uint32_t random_below(uint32_t bound)
{
    return (uint32_t)rand() % bound;
}

/* Mostly sensible numbers, now and then a wild one. */
static uint16_t wild(uint32_t sensible)
{
    return (uint16_t)(random_below(8) ? random_below(sensible) : (uint32_t)rand());
}

static struct netdev_rx_provide random_provide(struct rig *rig)
{
    struct netdev_rx_provide give = {.interface = wild(NETDEV_INTERFACES_MAX),
                                     .pool = random_below(8) ? POOL_RX : wild(8),
                                     .count = wild(NETDEV_PROVIDE_MAX + 1)};
    bool taken = give.interface < NETDEV_INTERFACES_MAX && give.pool == POOL_RX &&
                 give.count <= NETDEV_PROVIDE_MAX;
    for (uint32_t i = 0; i < NETDEV_PROVIDE_MAX; i++) {
        uint16_t index = give.index[i] = wild(RX_BUFFERS);
        if (taken && i < give.count && index < RX_BUFFERS && !rig->lent[index]) {
            rig->lent[index] = true;
            rig->lent_count++;
        }
    }
    return give;
}

static struct netdev_tx random_frame(struct rig *rig)
{
    struct netdev_tx tx = {.interface = wild(2),
                           .flags = wild(2),
                           .csum_start = wild(60),
                           .csum_offset = wild(20),
                           .segments = random_below(16) ? 1 + random_below(3) : (uint32_t)rand()};
    do
        tx.cookie = random_below(COOKIES);
    while (rig->sent[tx.cookie]);
    for (uint32_t i = 0; i < NETDEV_TX_SEGMENTS; i++)
        tx.segment[i] = (struct buffer_ref){.pool = random_below(8) ? POOL_SEND : wild(8),
                                            .index = wild(SEND_BUFFERS),
                                            .offset = wild(100),
                                            .length = wild(600)};
    return tx;
}

static void random_message(struct rig *rig)
{
    struct msg m;
    if (random_below(2)) {
        struct netdev_rx_provide give = random_provide(rig);
        assert_true(rig_deliver(rig, NETDEV_RX_PROVIDE, &give, sizeof(give)));
    } else if (random_below(16)) {
        struct netdev_tx tx = random_frame(rig);
        if (rig->sent_count < NETDEV_TX_OUTSTANDING)
            rig_transmit(rig, &tx);
    } else {
        for (uint32_t i = 0; i < MSG_BYTES; i++)
            m.bytes[i] = (uint8_t)rand();
        m.op = wild(8);
        if (m.op != NETDEV_RX_PROVIDE && m.op != NETDEV_TX)
            assert_true(fake_domain_deliver(rig->domain, rig->net, &m));
    }
}

static void honest_device(struct fake_virtio *fake)
{
    static const uint8_t data[4000];
    for (uint32_t i = random_below(20); i; i--)
        fake_virtio_receive(fake, data, 1 + random_below(sizeof(data)), (uint8_t)rand());
    for (uint32_t i = random_below(20); i && fake_virtio_transmit(fake, &frame); i--)
        ;
    if (!random_below(50))
        fake_virtio_set_link(fake, random_below(2));
}

/* One lie, of a kind that a device can tell. */
static void lying_device(struct fake_virtio *fake)
{
    uint32_t queue = random_below(2);
    uint16_t size = fake->queue[queue].size;
    struct fake_chain chain;
    switch (random_below(6)) {
    case 0: /* any used entry */
        fake_virtio_push(fake, queue, random_below(2) ? random_below(size) : (uint32_t)rand(),
                         random_below(2) ? random_below(RX_BYTES) : (uint32_t)rand());
        break;
    case 1: /* any index */
        fake->queue[queue].pushed = (uint16_t)rand();
        break;
    case 2: /* a few entries too many */
        fake->queue[queue].pushed = (uint16_t)(fake->queue[queue].pushed + random_below(size));
        break;
    case 3: /* a good entry with a bad length */
        if (fake_virtio_pop(fake, queue, &chain))
            fake_virtio_push(fake, queue, chain.head, (uint32_t)rand() % 5000);
        break;
    case 4: /* a header that isn't true */
        fake->num_buffers_lie = 1 + random_below(5);
        fake_virtio_receive(fake, "0123456789abcdef", 16, 0);
        break;
    default:
        fake_virtio_ask_reset(fake);
    }
    fake_virtio_flush(fake, queue);
}

static void settle(struct rig *rig)
{
    fake_conn_set_capacity(rig->net, FAKE_QUEUE_MAX);
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t k = 0; k < rig->devices; k++)
            while (rig->fake[k]->status & VIRTIO_CONFIG_S_DRIVER_OK &&
                   fake_virtio_transmit(rig->fake[k], &frame))
                ;
        rig_round(rig);
        rig_drain(rig, NETDEV_RX);
    }
}

static void random_clients_lose_nothing_but_their_own(void **state)
{
    for (uint32_t seed = 0; seed < 60; seed++) {
        srand(seed);
        assert_int_equal(rig_set_up(state), 0);
        struct rig *rig = *state;
        rig_add_device(rig);
        if (seed & 1)
            rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
        assert_int_equal(fake_domain_start(rig->domain), OK);
        for (uint32_t i = 0; i < 400; i++) {
            fake_conn_set_capacity(rig->net, random_below(4) ? 100 : random_below(4));
            for (uint32_t k = random_below(10); k; k--)
                random_message(rig);
            honest_device(rig->fake[random_below(2)]);
            rig_round(rig);
            rig_drain(rig, NETDEV_RX); /* or the account would know less than the driver */
        }
        settle(rig);
        assert_int_equal(rig_counter(rig, "devices_broken"), 0);
        assert_int_equal(rig->sent_count, 0);
        uint32_t in_queues = 0;
        for (uint32_t k = 0; k < 2; k++)
            in_queues += fake_virtio_available(rig->fake[k], 0);
        assert_int_equal(rig->lent_count, in_queues);
        rig_tear_down(state);
    }
}

static void lying_devices_are_reset_and_everything_comes_back(void **state)
{
    uint32_t broken = 0;
    for (uint32_t seed = 0; seed < 400; seed++) {
        srand(seed);
        assert_int_equal(rig_set_up(state), 0);
        struct rig *rig = *state;
        if (seed & 1)
            rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
        rig->fake[0]->lies = true;
        rig_start(rig);
        for (uint32_t i = 0; i < 100 && rig->fake[0]->status; i++) {
            if (random_below(20))
                honest_device(rig->fake[0]);
            else
                lying_device(rig->fake[0]);
            if (random_below(2))
                rig_round(rig);
            for (uint32_t k = random_below(20); k; k--) {
                struct netdev_tx tx = random_frame(rig);
                if (rig->sent_count < NETDEV_TX_OUTSTANDING)
                    rig_transmit(rig, &tx);
            }
            rig_provide(rig, 0, random_below(30));
            rig_round(rig);
            rig_drain(rig, NETDEV_RX);
        }
        if (!rig->fake[0]->status) {
            broken++;
            settle(rig);
            rig_expect_broken(rig);
        }
        rig_tear_down(state);
    }
    assert_true(broken > 300); /* else it wasn't worth the trouble */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_clients_lose_nothing_but_their_own),
        cmocka_unit_test(lying_devices_are_reset_and_everything_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
