/* SPDX-License-Identifier: ISC
 *
 * A state of virtio_con that is damaged: refused, or the driver goes on and keeps its invariants.
 * The client and the device are those of virtio_con_test.c; the device is an honest one.
 */
int whole_tests(void);
#define main whole_tests
#include "tests/unit/virtio_con_test.c"
#undef main
#include "servers/virtio_con/virtio_con.h"
#include "tests/unit/fake_swap.h"

/* The world outside of the driver. */
struct outside {
    struct rig *rig;
    struct fake_virtio fake;
    uint8_t queues[QUEUE_BYTES];
};

static void tables_check(const struct virtio_con *drv)
{
    if (!driver_runs(&drv->driver))
        return;
    assert_true(virtqueue_check(&drv->rx.ring) && virtqueue_check(&drv->tx.ring));
    if (drv->rx.format)
        assert_true(virtqueue_packed_check(&drv->rx_packed) &&
                    virtqueue_packed_check(&drv->tx_packed));
    assert_true(!drv->unread || drv->read + drv->unread <= PIECE);
}

static void after(void *context)
{
    struct outside *outside = context;
    struct rig *rig = outside->rig;
    const struct virtio_con *drv = fake_domain_state(rig->domain);
    static const uint8_t bytes[32];
    struct fake_chain chain;
    tables_check(drv);
    for (uint32_t round = 0; round < 6; round++) {
        client_gives(rig, bytes, sizeof(bytes));
        rig_round(rig);
        if (rig->fake->status & VIRTIO_CONFIG_S_DRIVER_OK) {
            device_receives(rig, bytes, sizeof(bytes), sizeof(bytes));
            while (fake_virtio_pop(rig->fake, TX, &chain)) {
                assert_in_range(chain.desc[0].len, 1, PIECE);
                fake_virtio_push(rig->fake, TX, chain.head, 0);
                fake_virtio_flush(rig->fake, TX);
            }
        }
        fake_domain_batch_end(rig->domain);
        fake_conn_clear(rig->conn);
        tables_check(drv);
    }
    *rig->fake = outside->fake;
    memcpy(fake_pool_memory(rig->domain, QUEUES), outside->queues, QUEUE_BYTES);
}

static void a_damaged_state_does_no_harm(void **state)
{
    struct rig *rig = *state;
    static struct outside outside;
    static const uint8_t bytes[PIECE];
    uint32_t taken, refused;
    start(rig);
    fake_conn_set_capacity(rig->conn, 2);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(device_receives(rig, bytes, PIECE, PIECE));
    for (uint32_t i = 0; i < 20; i++)
        assert_true(client_gives(rig, bytes, CONSOLE_DATA_MAX));
    rig_round(rig);                                          /* half of a piece is read */
    assert_true(client_gives(rig, bytes, CONSOLE_DATA_MAX)); /* and one is open */
    fake_conn_set_capacity(rig->conn, FAKE_QUEUE_MAX);
    fake_conn_clear(rig->conn);
    const struct virtio_con *drv = fake_domain_state(rig->domain);
    assert_true(drv->unread && drv->gathered);
    rig->fake->any_doorbell = true;
    outside.rig = rig;
    outside.fake = *rig->fake;
    memcpy(outside.queues, fake_pool_memory(rig->domain, QUEUES), QUEUE_BYTES);
    refused = fake_swap_damage(rig->domain, after, &outside, &taken);
    print_message("%u refused, %u taken\n", refused, taken);
    assert_true(refused && taken);
    after(&outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_damaged_state_does_no_harm),
                                       TEST_PACKED(a_damaged_state_does_no_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
