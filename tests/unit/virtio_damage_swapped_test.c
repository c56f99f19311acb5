/* SPDX-License-Identifier: ISC
 *
 * A state of virtio_drv that is damaged: refused, or the driver goes on and keeps its invariants.
 * The device is an honest one: what it finds in its queues must make sense to it.
 */
#include <linux/virtio_pci.h>

#include "servers/virtio_drv/virtio_drv.h"
#include "tests/unit/fake_swap.h"
#include "tests/unit/virtio_fixture.h"

enum { FRAME = 100, FIRST_COOKIE = 100 };

/* The world outside of the driver: the device, and the queues in memory. */
struct outside {
    struct rig *rig;
    struct fake_virtio fake;
    uint8_t queues[QUEUE_BYTES];
};

static void tables_check(const struct virtio_drv *drv)
{
    const struct card *card = &drv->card[0];
    assert_true(!driver_runs(&card->driver) ||
                (virtqueue_check(&card->rx.ring) && virtqueue_check(&card->tx.ring)));
    assert_int_equal(netdev_loaded(&drv->net), OK);
}

/* Messages make sense, whatever they say of whom. */
static void client_takes(struct rig *rig)
{
    struct msg m;
    while (fake_conn_pop(rig->net, &m)) {
        struct netdev_rx rx;
        struct netdev_tx_done done;
        msg_get(&m, &rx, sizeof(rx));
        msg_get(&m, &done, sizeof(done));
        if (m.op == NETDEV_RX)
            assert_true(rx.data.index < RX_BUFFERS &&
                        (uint32_t)rx.data.offset + rx.data.length <= RX_BYTES);
        else if (m.op == NETDEV_TX_DONE)
            assert_in_range(done.count, 1, NETDEV_TX_DONE_MAX);
        else
            assert_int_equal(m.op, NETDEV_LINK);
    }
}

static void client_gives(struct rig *rig, uint32_t round)
{
    struct netdev_rx_provide give = {.pool = POOL_RX, .count = NETDEV_PROVIDE_MAX};
    for (uint16_t i = 0; i < NETDEV_PROVIDE_MAX; i++)
        give.index[i] = (uint16_t)((round * NETDEV_PROVIDE_MAX + i) % RX_BUFFERS);
    struct netdev_tx tx = rig_frame(FIRST_COOKIE + round, FRAME);
    rig_deliver(rig, NETDEV_RX_PROVIDE, &give, sizeof(give));
    rig_deliver(rig, NETDEV_TX, &tx, sizeof(tx));
}

static void after(void *context)
{
    struct outside *outside = context;
    struct rig *rig = outside->rig;
    const struct virtio_drv *drv = fake_domain_state(rig->domain);
    static struct fake_frame sent;
    static uint8_t bytes[FRAME];
    tables_check(drv);
    for (uint32_t round = 0; round < 6; round++) {
        fake_domain_batch_end(rig->domain);
        if (rig->fake[0]->status & VIRTIO_CONFIG_S_DRIVER_OK) {
            fake_virtio_receive(rig->fake[0], bytes, sizeof(bytes), 0);
            while (fake_virtio_transmit(rig->fake[0], &sent))
                ;
        }
        client_gives(rig, round);
        rig_round(rig);
        client_takes(rig);
        tables_check(drv);
    }
    *rig->fake[0] = outside->fake;
    memcpy(fake_pool_memory(rig->domain, POOL_QUEUES), outside->queues, QUEUE_BYTES);
}

/* Frames that wait on both sides, to be reported and to be looked at, and spare buffers. */
static void fill(struct rig *rig)
{
    static uint8_t bytes[3 * RX_BYTES];
    static struct fake_frame sent;
    rig_start(rig);
    for (uint32_t i = 0; i < 12; i++) {
        struct netdev_tx tx = rig_frame(i, FRAME);
        assert_true(rig_transmit(rig, &tx));
    }
    rig_round(rig);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(fake_virtio_transmit(rig->fake[0], &sent));
    fake_conn_set_capacity(rig->net, 1);
    assert_true(fake_virtio_receive(rig->fake[0], bytes, FRAME, 0));
    assert_true(fake_virtio_receive(rig->fake[0], bytes, sizeof(bytes), 0));
    rig_round(rig);
    struct netdev_tx tx = rig_frame(20, FRAME);
    assert_true(rig_transmit(rig, &tx));
    fake_conn_clear(rig->net);
    fake_conn_set_capacity(rig->net, FAKE_QUEUE_MAX);
}

static void a_damaged_state_does_no_harm(void **state)
{
    struct rig *rig = *state;
    static struct outside outside;
    uint32_t taken, refused;
    fill(rig);
    outside.rig = rig;
    rig->fake[0]->any_doorbell = true;
    outside.fake = *rig->fake[0];
    memcpy(outside.queues, fake_pool_memory(rig->domain, POOL_QUEUES), QUEUE_BYTES);
    refused = fake_swap_damage(rig->domain, after, &outside, &taken);
    print_message("%u refused, %u taken\n", refused, taken);
    assert_true(refused && taken);
    after(&outside);
}

/* Queues, registers and interrupts are as they were. */
static void a_swap_touches_neither_device_nor_queues(void **state)
{
    struct rig *rig = *state;
    static struct outside outside;
    fill(rig);
    outside.fake = *rig->fake[0];
    memcpy(outside.queues, fake_pool_memory(rig->domain, POOL_QUEUES), QUEUE_BYTES);
    assert_true(fake_swap(rig->domain));
    assert_memory_equal(&outside.fake, rig->fake[0], sizeof(outside.fake));
    assert_memory_equal(outside.queues, fake_pool_memory(rig->domain, POOL_QUEUES), QUEUE_BYTES);
}

/* Changes that one wrong bit doesn't make, and that agree with the rest. */
enum change {
    BUFFER_BEYOND_THE_POOL,
    OPENED_THRICE,
    RECLAIMED_AND_RUNNING,
    ENDLESS_FRAME,
    UNKNOWN_FLAGS,
    ANOTHER_WAY_OF_INTERRUPTS,
    NO_VERSION_1,
    NO_CONFIGURATION, /* of the device, that the features speak of */
    CHANGES
};

static void change_make(struct virtio_drv *drv, enum change change)
{
    struct card *card = &drv->card[0];
    struct netdev_account *account = &drv->net.account;
    uint32_t slot = 0;
    while (!card->rx.ring.busy[slot])
        slot++;
    if (change == BUFFER_BEYOND_THE_POOL) {
        card->rx.ring.token[slot] = RX_BUFFERS + 3;
        account->next[RX_BUFFERS + 3] = NETDEV_CARD;
    }
    account->opened = change == OPENED_THRICE ? 3 : account->opened;
    account->interface[0].reclaimed |= change == RECLAIMED_AND_RUNNING;
    card->parts_left = change == ENDLESS_FRAME ? 60000 : card->parts_left;
    card->part_flags |= change == UNKNOWN_FLAGS ? 0x80 : 0;
    card->rx.ring.event_idx ^= change == ANOTHER_WAY_OF_INTERRUPTS;
    if (change == NO_VERSION_1)
        card->device.features &= ~(1ull << VIRTIO_F_VERSION_1);
}

static void a_state_that_cannot_be_is_refused(void **state)
{
    for (enum change change = 0; change < CHANGES; change++) {
        struct rig *rig = *state;
        fill(rig);
        struct fake_state changed;
        assert_true(fake_swap(rig->domain));
        change_make(fake_domain_state(rig->domain), change);
        fake_state_save(rig->domain, &changed);
        if (change == NO_CONFIGURATION)
            memset(fake_virtio_capability(rig->fake[0], VIRTIO_PCI_CAP_DEVICE_CFG) +
                       offsetof(struct virtio_pci_cap, length),
                   0, sizeof(uint32_t));
        assert_int_not_equal(fake_state_load(rig->domain, &changed), OK);
        fake_state_free(&changed);
        rig_tear_down(state);
        rig_set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_damaged_state_does_no_harm),
                                       TEST(a_state_that_cannot_be_is_refused),
                                       TEST(a_swap_touches_neither_device_nor_queues)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
