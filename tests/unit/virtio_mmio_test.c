/* SPDX-License-Identifier: ISC
 *
 * libos/virtio/virtio_mmio.c: what the registers say is checked before anything is written,
 * and the driver behind it does over MMIO what it does over PCI.
 */
#include "tests/unit/virtio_fixture.h"

#include <linux/virtio_ids.h>

#include "libos/virtio/virtio.h"

static struct fake_frame frame; /* too large for a stack */

/* A driver with one device over MMIO, not started. */
static int mmio_set_up(void **state)
{
    if (rig_set_up_bare(state))
        return -1;
    struct rig *rig = *state;
    rig_adopt(rig, fake_virtio_create_mmio(fake_domain_add_device(rig->domain)));
    return 0;
}

static void the_handshake_is_that_of_the_standard(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_string_equal(rig->fake[0]->trace, "status 0\n"
                                             "status 1\n"
                                             "status 3\n"
                                             "features 0\n"
                                             "features 1\n"
                                             "status 11\n"
                                             "queue 0: 128 entries, vector 65535\n"
                                             "queue 1: 256 entries, vector 65535\n"
                                             "status 15\n");
}

static void the_log_says_where_it_was_found(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_string_equal(fake_domain_log(rig->domain),
                        "net0: virtio-net mmio 0xfeb00e00 mac 52:54:00:12:34:56 features csum "
                        "guest_csum mrg_rxbuf event_idx iommu, rx 128 tx 256\n"
                        "ready: device mmio 0xfeb00e00 (0000:0001), pin\n");
}

static void frames_come_and_go(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t i = 0; i < 1000; i++) {
        struct netdev_tx tx = rig_frame(i, 60);
        assert_true(fake_virtio_receive(rig->fake[0], "0123456789abcdef", 16, 0));
        rig_round(rig);
        assert_int_equal(rig->fake[0]->isr, 0); /* the pin is down */
        assert_int_equal(rig_expect_rx(rig).data.length, 16);
        assert_true(rig_transmit(rig, &tx));
        rig_round(rig);
        assert_true(fake_virtio_transmit(rig->fake[0], &frame));
        assert_int_equal(frame.length, 60);
        rig_provide(rig, 0, 1);
        rig_round(rig);
        rig_drain(rig, NETDEV_RX);
    }
    assert_int_equal(rig_counter(rig, "rx_frames"), 1000);
    assert_int_equal(rig_counter(rig, "tx_frames"), 1000);
}

static void both_reasons_of_one_interrupt_are_seen(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    assert_true(fake_virtio_receive(rig->fake[0], "0123456789abcdef", 16, 0));
    fake_virtio_set_link(rig->fake[0], false);
    assert_int_equal(rig->fake[0]->isr, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CHANGED);
    rig_round(rig);
    assert_int_equal(rig->fake[0]->isr, 0);
    assert_false(rig_expect_link(rig).up);
    assert_int_equal(rig_expect_rx(rig).data.length, 16);
}

static void expect_refusal(struct rig *rig, const char *why)
{
    assert_int_equal(fake_domain_start(rig->domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(rig->domain, "device mmio 0xfeb00e00 ("));
    assert_true(fake_domain_logged(rig->domain, why));
    assert_int_equal(rig_counter(rig, "devices_refused"), 1);
}

/* As above, and nothing was written to the device. */
static void expect_untouched(struct rig *rig, const char *why)
{
    expect_refusal(rig, why);
    assert_string_equal(rig->fake[0]->trace, "");
}

static void the_legacy_interface_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->version = 1;
    expect_untouched(rig, "(QEMU: -global virtio-mmio.force-legacy=false)");
}

static void a_newer_interface_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->version = 3;
    expect_untouched(rig, "its interface is newer than this driver");
}

static void what_is_no_virtio_device_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->magic = 0xffffffff;
    expect_untouched(rig, "it isn't a virtio device");
}

static void another_type_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->type = VIRTIO_ID_BLOCK;
    expect_untouched(rig, "it isn't a virtio device of this driver's type");
}

static void an_empty_slot_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->type = 0;
    expect_untouched(rig, "it isn't a virtio device of this driver's type");
}

static void too_few_registers_are_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->bar[0].size = 0xff;
    expect_untouched(rig, "its registers are missing or too few");
}

static void missing_registers_are_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->bar[0] = (struct device_bar){0};
    expect_untouched(rig, "its registers are missing or too few");
}

static void a_block_without_room_for_the_configuration_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->bar[0].size = 0x100 + 8; /* MTU stands at 10 */
    expect_refusal(rig, "its configuration is too short");
}

static void a_device_without_an_interrupt_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->vectors = rig->fake[0]->device->pin = 0;
    expect_untouched(rig, "it has no interrupt");
}

static void a_queue_that_does_not_get_ready_is_noticed(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->refuses_queues = true;
    expect_refusal(rig, "it refuses a queue or an interrupt vector");
}

static void a_device_that_does_not_reset_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
    rig->fake[0]->never_resets = true;
    expect_refusal(rig, "it doesn't reset");
}

static void a_queue_in_use_is_not_ours(void **state)
{
    struct rig *rig = *state;
    struct virtio virtio;
    assert_null(virtio_find(&virtio, rig->fake[0]->device, VIRTIO_ID_NET));
    assert_int_equal(virtio_queue_size(&virtio, 1), 256);
    rig->fake[0]->queue[1].enabled = 1;
    assert_int_equal(virtio_queue_size(&virtio, 1), 0);
    assert_int_equal(virtio_queue_size(&virtio, 9), 0);
}

static void no_size_is_larger_than_the_standard_allows(void **state)
{
    struct rig *rig = *state;
    struct virtio virtio;
    assert_null(virtio_find(&virtio, rig->fake[0]->device, VIRTIO_ID_NET));
    rig->fake[0]->queue[0].size_max = 0xffff;
    assert_int_equal(virtio_queue_size(&virtio, 0), 0x8000);
}

static void features_and_addresses_have_sixty_four_bits(void **state)
{
    struct rig *rig = *state;
    struct virtio virtio;
    struct virtio_queue queue = {
        .index = 1, .size = 64, .desc = 0x123456780, .avail = 0x2222222222, .used = 0x3333333334};
    uint32_t doorbell = 0;
    rig->fake[0]->offered = 0x8123456789abcdef;
    assert_null(virtio_find(&virtio, rig->fake[0]->device, VIRTIO_ID_NET));
    assert_true(virtio_offered(&virtio) == 0x8123456789abcdef);
    virtio_accept(&virtio, 0x8000000080000001);
    assert_true(rig->fake[0]->accepted == 0x8000000080000001);
    assert_true(virtio_queue_start(&virtio, &queue, &doorbell));
    const struct fake_queue *got = &rig->fake[0]->queue[1];
    assert_int_equal(doorbell, 0x50);
    assert_int_equal(got->size, 64);
    assert_true(got->desc == queue.desc && got->avail == queue.avail && got->used == queue.used);
}

/* Whatever the first registers say: either all of them are right, or nothing is written. */
static void no_combination_of_first_registers_is_believed_but_one(void **state)
{
    const uint32_t values[] = {0, 1, 2, 3, 0x74726976, 0x76697274, 0xffffffff, 0x10001};
    enum { VALUES = sizeof(values) / sizeof(values[0]) };
    struct rig *rig = *state;
    struct virtio virtio;
    for (uint32_t i = 0; i < VALUES * VALUES * VALUES; i++) {
        struct fake_virtio *fake = rig->fake[0];
        fake->magic = values[i % VALUES];
        fake->version = values[i / VALUES % VALUES];
        fake->type = values[i / VALUES / VALUES];
        bool right = fake->magic == 0x74726976 && fake->version == 2 && fake->type == 1;
        assert_int_equal(!virtio_find(&virtio, fake->device, VIRTIO_ID_NET), right);
        assert_string_equal(fake->trace, "");
    }
}

#define MMIO_TEST(name) cmocka_unit_test_setup_teardown(name, mmio_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MMIO_TEST(the_handshake_is_that_of_the_standard),
        MMIO_TEST(the_log_says_where_it_was_found),
        MMIO_TEST(frames_come_and_go),
        MMIO_TEST(both_reasons_of_one_interrupt_are_seen),
        MMIO_TEST(the_legacy_interface_is_refused),
        MMIO_TEST(a_newer_interface_is_refused),
        MMIO_TEST(what_is_no_virtio_device_is_refused),
        MMIO_TEST(another_type_is_refused),
        MMIO_TEST(an_empty_slot_is_refused),
        MMIO_TEST(too_few_registers_are_refused),
        MMIO_TEST(missing_registers_are_refused),
        MMIO_TEST(a_block_without_room_for_the_configuration_is_refused),
        MMIO_TEST(a_device_without_an_interrupt_is_refused),
        MMIO_TEST(a_queue_that_does_not_get_ready_is_noticed),
        MMIO_TEST(a_device_that_does_not_reset_is_refused),
        MMIO_TEST(a_queue_in_use_is_not_ours),
        MMIO_TEST(no_size_is_larger_than_the_standard_allows),
        MMIO_TEST(features_and_addresses_have_sixty_four_bits),
        MMIO_TEST(no_combination_of_first_registers_is_believed_but_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
