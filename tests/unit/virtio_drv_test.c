/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_drv: starting devices, refusing devices, links. (Frames: virtio_rx_test.c and
 * virtio_tx_test.c.)
 */
#include <linux/virtio_pci.h>

#include "tests/unit/virtio_fixture.h"

static void the_handshake_has_the_order_of_the_standard(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_string_equal(rig->fake[0]->trace, "status 0\n" /* reset */
                                             "status 1\n" /* ACKNOWLEDGE */
                                             "status 3\n" /* DRIVER */
                                             "features 0\n"
                                             "features 1\n"
                                             "status 11\n" /* FEATURES_OK */
                                             "queue 0: 128 entries, vector 0\n"
                                             "queue 1: 256 entries, vector 1\n"
                                             "status 15\n"); /* DRIVER_OK */
    assert_int_equal(rig->fake[0]->config_vector, 2);
}

static void only_known_features_are_accepted(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    const uint64_t known = 1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_GUEST_CSUM |
                           1ull << VIRTIO_NET_F_MTU | 1ull << VIRTIO_NET_F_MAC |
                           1ull << VIRTIO_NET_F_MRG_RXBUF | 1ull << VIRTIO_NET_F_STATUS |
                           1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1 |
                           1ull << VIRTIO_F_ACCESS_PLATFORM | 1ull << VIRTIO_F_ORDER_PLATFORM;
    assert_true(rig->fake[0]->accepted == known);
}

static void a_device_with_version_1_alone_will_do(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered = 1ull << VIRTIO_F_VERSION_1;
    rig_start(rig);
    assert_true(rig->fake[0]->accepted == 1ull << VIRTIO_F_VERSION_1);
    assert_true(fake_domain_logged(rig->domain, " features none, rx 128 tx 256\n"));
}

static void without_the_right_to_read_nothing_is_asked_of_headers(void **state)
{
    struct rig *rig = *state;
    struct pool *rx = (struct pool *)(uintptr_t)domain_pool(rig->domain, POOL_RX);
    rx->rights = POOL_DMA;
    rx->base = NULL;
    rig_start(rig);
    assert_false(fake_virtio_has(rig->fake[0], VIRTIO_NET_F_MRG_RXBUF));
    assert_false(fake_virtio_has(rig->fake[0], VIRTIO_NET_F_GUEST_CSUM));
    assert_true(fake_virtio_receive(rig->fake[0], "0123456789abcdef", 16, 0));
    rig_round(rig);
    assert_int_equal(rig_expect_rx(rig).data.length, 16);
}

static void the_log_says_what_was_found(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_string_equal(fake_domain_log(rig->domain),
                        "net0: virtio-net 0000:00:03.0 mac 52:54:00:12:34:56 features csum "
                        "guest_csum mrg_rxbuf event_idx iommu, rx 128 tx 256\n"
                        "ready: device 0000:00:03.0 (1af4:1041), MSI-X\n");
}

static void a_transitional_device_is_driven_the_modern_way(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->id = 0x1000;
    rig_start(rig);
}

static void expect_refusal(struct rig *rig, const char *why)
{
    assert_int_equal(fake_domain_start(rig->domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(rig->domain, "device 0000:00:03.0 ("));
    assert_true(fake_domain_logged(rig->domain, why));
    assert_int_equal(rig_counter(rig, "devices_refused"), 1);
    assert_int_equal(rig->fake[0]->status & VIRTIO_CONFIG_S_DRIVER_OK, 0);
}

/* As above, after the driver has begun to talk to the device: it is told so. */
static void expect_failed(struct rig *rig, const char *why)
{
    expect_refusal(rig, why);
    assert_int_not_equal(rig->fake[0]->status & VIRTIO_CONFIG_S_FAILED, 0);
}

static void other_devices_are_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->id = 0x1042;
    expect_refusal(rig, "it isn't a virtio device of this driver's type");
    assert_string_equal(rig->fake[0]->trace, "");
}

static void a_legacy_device_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->id = 0x1000;
    fake_virtio_capability(rig->fake[0], VIRTIO_PCI_CAP_COMMON_CFG)[VIRTIO_PCI_CAP_BAR] = 6;
    expect_refusal(rig, "it has no modern interface (QEMU: disable-modern=off)");
    assert_string_equal(rig->fake[0]->trace, "");
}

static void a_device_without_interrupts_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->vectors = 0;
    expect_refusal(rig, "it has no interrupt");
}

static void a_device_that_does_not_reset_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
    rig->fake[0]->never_resets = true;
    expect_failed(rig, "it doesn't reset");
}

static void a_device_without_version_1_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered = ~(1ull << VIRTIO_F_VERSION_1);
    expect_failed(rig, "it doesn't offer VERSION_1");
}

static void a_device_that_refuses_the_features_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->refuses_features = true;
    expect_failed(rig, "it refuses our features");
}

static void a_configuration_that_is_too_short_is_refused(void **state)
{
    struct rig *rig = *state;
    uint32_t length = offsetof(struct virtio_net_config, mtu) + 1;
    memcpy(fake_virtio_capability(rig->fake[0], VIRTIO_PCI_CAP_DEVICE_CFG) + VIRTIO_PCI_CAP_LENGTH,
           &length, 4);
    expect_failed(rig, "its configuration is too short");
}

static void a_configuration_that_changes_once_is_read_again(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->restless = 3;
    rig_start(rig);
}

static void a_configuration_that_never_keeps_still_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->restless = 1000;
    expect_failed(rig, "its configuration doesn't keep still");
}

static void an_impossible_mtu_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->config.mtu = 67;
    expect_failed(rig, "its MTU is impossible");
}

static void a_group_address_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->config.mac[0] = 1;
    expect_failed(rig, "its MAC address is a group's");
}

static void frames_that_fit_no_buffer_need_merging(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->config.mtu = RX_BYTES - HEADER - 14 + 1;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
    expect_failed(rig, "its MTU is larger than a receive buffer");
}

static void a_frame_that_just_fits_a_buffer_needs_no_merging(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->config.mtu = RX_BYTES - HEADER - 14;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
    rig_start(rig);
}

static void a_device_without_a_transmit_queue_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->queues = 1;
    expect_failed(rig, "its queues are missing or too small");
}

static void a_queue_without_room_for_a_frame_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->queue[1].size_max = rig->fake[0]->queue[1].size = 3;
    expect_failed(rig, "its queues are missing or too small");
}

static void a_refused_vector_is_noticed(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->refuses_vectors = true;
    expect_failed(rig, "it refuses a queue or an interrupt vector");
}

static void smaller_queues_are_taken_as_powers_of_two(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->queue[0].size_max = 100;
    rig->fake[0]->queue[1].size_max = 32;
    rig_start(rig);
    assert_true(fake_domain_logged(rig->domain, "rx 64 tx 32\n"));
}

static void queues_shrink_to_fit_their_memory(void **state)
{
    struct rig *rig = *state;
    ((struct pool *)(uintptr_t)domain_pool(rig->domain, POOL_QUEUES))->buffer_size = 4096;
    rig_start(rig);
    assert_true(fake_domain_logged(rig->domain, "rx 16 tx 32\n"));
}

static void memory_too_small_for_any_queue_is_named(void **state)
{
    struct rig *rig = *state;
    ((struct pool *)(uintptr_t)domain_pool(rig->domain, POOL_QUEUES))->buffer_size = 256;
    assert_int_equal(fake_domain_start(rig->domain), ERROR_NO_MEMORY);
    assert_true(fake_domain_logged(rig->domain, "pool \"queues\": it has 256 bytes, "));
}

static void vectors_are_shared_when_there_are_few(void **state)
{
    for (uint8_t vectors = 1; vectors <= 4; vectors++) {
        assert_int_equal(rig_set_up(state), 0);
        struct rig *rig = *state;
        struct fake_virtio *fake = rig->fake[0];
        fake->device->vectors = vectors;
        assert_int_equal(fake_domain_start(rig->domain), OK);
        assert_int_equal(fake->queue[0].vector, 0);
        assert_int_equal(fake->queue[1].vector, vectors > 1 ? 1 : 0);
        assert_int_equal(fake->config_vector, vectors - 1);
        rig_tear_down(state);
    }
}

static void a_missing_mac_address_is_made_up(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_NET_F_MAC);
    assert_int_equal(fake_domain_start(rig->domain), OK);
    rig_deliver(rig, NETDEV_OPEN, NULL, 0);
    rig_round(rig);
    struct netdev_link link = rig_expect_link(rig);
    assert_int_equal(link.mac[0] & 3, 2); /* local, not a group */
    assert_memory_not_equal(link.mac, rig->fake[0]->config.mac, 6);
}

static void open_tells_the_state_of_every_interface(void **state)
{
    struct rig *rig = *state;
    struct fake_virtio *second = rig_add_device(rig);
    second->config.mac[5] = 0x57;
    second->config.status = 0;
    second->config.mtu = 9000;
    second->offered &= ~(1ull << VIRTIO_NET_F_CSUM);
    assert_int_equal(fake_domain_start(rig->domain), OK);
    rig_round(rig);
    assert_int_equal(fake_conn_waiting(rig->net), 0); /* nobody asked yet */
    for (uint32_t times = 0; times < 2; times++) {
        rig_deliver(rig, NETDEV_OPEN, NULL, 0);
        rig_round(rig);
        struct netdev_link link = rig_expect_link(rig);
        assert_int_equal(link.interface, 0);
        assert_int_equal(link.interfaces, 2);
        assert_memory_equal(link.mac, rig->fake[0]->config.mac, 6);
        assert_int_equal(link.mtu, 1500);
        assert_int_equal(link.up, 1);
        assert_int_equal(link.tx_csum, 1);
        assert_int_equal(link.rx_headroom, HEADER);
        link = rig_expect_link(rig);
        assert_int_equal(link.interface, 1);
        assert_memory_equal(link.mac, second->config.mac, 6);
        assert_int_equal(link.mtu, 9000);
        assert_int_equal(link.up, 0);
        assert_int_equal(link.tx_csum, 0);
    }
}

static void link_messages_wait_for_room(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    fake_conn_set_capacity(rig->net, 0);
    rig_deliver(rig, NETDEV_OPEN, NULL, 0);
    rig_round(rig);
    fake_conn_set_capacity(rig->net, 8);
    rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_LINK), 1);
}

static void a_link_that_goes_down_and_up_is_reported(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t up = 0; up < 2; up++) {
        fake_virtio_set_link(rig->fake[0], up);
        rig_round(rig);
        assert_int_equal(rig_expect_link(rig).up, up);
        rig_round(rig);
        assert_int_equal(fake_conn_waiting(rig->net), 0);
    }
    assert_true(fake_domain_logged(rig->domain, "net0: link down\nnet0: link up\n"));
    assert_int_equal(rig_counter(rig, "link_changes"), 2);
}

static void a_configuration_interrupt_without_change_says_nothing(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fake_virtio_set_link(rig->fake[0], true);
    rig_round(rig);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
}

static void with_one_vector_links_are_noticed_too(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->vectors = 1;
    rig_start(rig);
    fake_virtio_set_link(rig->fake[0], false);
    rig_round(rig);
    assert_int_equal(rig_expect_link(rig).up, 0);
}

/* One interrupt for all, no MSI-X register is touched, and a pin goes down when it is asked why. */
static void driven_without_vectors(struct rig *rig)
{
    struct fake_virtio *fake = rig->fake[0];
    rig_start(rig);
    assert_int_equal(fake->queue[0].vector, VIRTIO_MSI_NO_VECTOR);
    assert_int_equal(fake->config_vector, VIRTIO_MSI_NO_VECTOR);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(fake_virtio_receive(fake, "0123456789abcdef", 16, 0));
        assert_int_equal(fake->isr, 1);
        rig_round(rig);
        assert_int_equal(fake->isr, 0);
        assert_int_equal(rig_expect_rx(rig).data.length, 16);
    }
    fake_virtio_set_link(fake, false);
    rig_round(rig);
    assert_int_equal(fake->isr, 0);
    assert_int_equal(rig_expect_link(rig).up, 0);
}

static void a_device_with_a_pin_is_driven_without_vectors(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->vectors = rig->fake[0]->device->pin = 1;
    driven_without_vectors(rig);
}

/* However many MSI has: they aren't MSI-X's, which the device's registers name. */
static void a_device_with_msi_is_driven_without_vectors(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->vectors = 2;
    rig->fake[0]->device->msi = 1;
    driven_without_vectors(rig);
}

static void a_pin_without_its_register_is_refused(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->device->vectors = 1;
    rig->fake[0]->device->pin = 1;
    fake_virtio_capability(rig->fake[0], VIRTIO_PCI_CAP_ISR_CFG)[VIRTIO_PCI_CAP_BAR] = 6;
    expect_refusal(rig, "it has no modern interface");
}

static void a_device_that_asks_for_a_reset_gets_it(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fake_virtio_ask_reset(rig->fake[0]);
    rig_round(rig);
    assert_true(fake_domain_logged(rig->domain, "device 0000:00:03.0 broken: it asks for a reset; "
                                                "silenced, out of use until a restart\n"));
    struct netdev_link link = rig_expect_link(rig);
    assert_int_equal(link.up, 0);
    rig_expect_broken(rig);
}

static void a_refused_device_takes_no_number(void **state)
{
    struct rig *rig = *state;
    struct fake_virtio *second = rig_add_device(rig);
    rig->fake[0]->device->id = 0x1042;
    second->device->slot = 4;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(rig->domain, "net0: virtio-net 0000:00:04.0 "));
    assert_true(rig_deliver(rig, NETDEV_OPEN, NULL, 0));
    fake_virtio_set_link(second, false); /* arrives as device 1 */
    rig_round(rig);
    assert_int_equal(rig_expect_link(rig).interface, 0);
}

static void interfaces_have_queues_of_their_own(void **state)
{
    struct rig *rig = *state;
    while (rig->devices < 4)
        rig_add_device(rig);
    rig_start(rig);
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t *memory = fake_pool_memory(rig->domain, POOL_QUEUES) + i * QUEUE_BYTES;
        uint64_t base = (uint64_t)(uintptr_t)memory;
        assert_in_range(rig->fake[i]->queue[0].desc, base, base + QUEUE_BYTES - 1);
        assert_in_range(rig->fake[i]->queue[1].used, base, base + QUEUE_BYTES - 1);
    }
}

static void a_card_without_memory_for_queues_is_named(void **state)
{
    struct rig *rig = *state;
    rig_add_device(rig);
    ((struct pool *)(uintptr_t)domain_pool(rig->domain, POOL_QUEUES))->buffers = 1;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(
        fake_domain_logged(rig->domain, "pool \"queues\": it has no buffer left for device 1"));
}

static void no_card_at_all_is_explained(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), ERROR_NOT_FOUND);
    assert_string_equal(fake_domain_log(rig->domain),
                        "no device: the machine has no network card (QEMU: -device "
                        "virtio-net-pci; on microvm virtio-net-device)\n");
}

static void missing_pools_are_named(void **state)
{
    struct rig *rig = *state;
    struct pool *queues = (struct pool *)(uintptr_t)domain_pool(rig->domain, POOL_QUEUES);
    struct pool *rx = (struct pool *)(uintptr_t)domain_pool(rig->domain, POOL_RX);
    queues->rights = POOL_READ | POOL_WRITE;
    assert_int_equal(fake_domain_start(rig->domain), ERROR_NO_RIGHT);
    assert_true(fake_domain_logged(rig->domain, "pool \"queues\": missing rights: dma"));
    rx->rights = POOL_READ;
    assert_int_equal(fake_domain_start(rig->domain), ERROR_NO_RIGHT);
    assert_true(fake_domain_logged(rig->domain, "pool \"rx\": the manifest must give it"));
}

/* The state of a dead driver is gone, its device goes on: a restart is a first start. */
static void a_restart_is_a_first_start(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    assert_true(fake_virtio_receive(rig->fake[0], "0123456789abcdef", 16, 0));
    struct netdev_tx tx = rig_frame(1, 60);
    assert_true(rig_transmit(rig, &tx));
    rig_round(rig);
    memset(fake_domain_state(rig->domain), 0, motet_server_virtio_drv.state_size);
    memset(rig->lent, 0, sizeof(rig->lent));
    memset(rig->sent, 0, sizeof(rig->sent));
    fake_conn_clear(rig->net);
    rig->lent_count = rig->sent_count = 0;
    rig_start(rig);
    assert_true(fake_virtio_receive(rig->fake[0], "fedcba9876543210", 16, 0));
    rig_round(rig);
    assert_int_equal(rig_expect_rx(rig).data.length, 16);
}

#define BARE(name) cmocka_unit_test_setup_teardown(name, rig_set_up_bare, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_handshake_has_the_order_of_the_standard),
        TEST(only_known_features_are_accepted),
        TEST(a_device_with_version_1_alone_will_do),
        TEST(without_the_right_to_read_nothing_is_asked_of_headers),
        TEST(the_log_says_what_was_found),
        TEST(a_transitional_device_is_driven_the_modern_way),
        TEST(other_devices_are_refused),
        TEST(a_legacy_device_is_refused),
        TEST(a_device_without_interrupts_is_refused),
        TEST(a_device_that_does_not_reset_is_refused),
        TEST(a_device_without_version_1_is_refused),
        TEST(a_device_that_refuses_the_features_is_refused),
        TEST(a_configuration_that_is_too_short_is_refused),
        TEST(a_configuration_that_changes_once_is_read_again),
        TEST(a_configuration_that_never_keeps_still_is_refused),
        TEST(an_impossible_mtu_is_refused),
        TEST(a_group_address_is_refused),
        TEST(frames_that_fit_no_buffer_need_merging),
        TEST(a_frame_that_just_fits_a_buffer_needs_no_merging),
        TEST(a_device_without_a_transmit_queue_is_refused),
        TEST(a_queue_without_room_for_a_frame_is_refused),
        TEST(a_refused_vector_is_noticed),
        TEST(smaller_queues_are_taken_as_powers_of_two),
        TEST(queues_shrink_to_fit_their_memory),
        TEST(memory_too_small_for_any_queue_is_named),
        cmocka_unit_test(vectors_are_shared_when_there_are_few),
        TEST(a_missing_mac_address_is_made_up),
        TEST(open_tells_the_state_of_every_interface),
        TEST(link_messages_wait_for_room),
        TEST(a_link_that_goes_down_and_up_is_reported),
        TEST(a_configuration_interrupt_without_change_says_nothing),
        TEST(with_one_vector_links_are_noticed_too),
        TEST(a_device_with_a_pin_is_driven_without_vectors),
        TEST(a_device_with_msi_is_driven_without_vectors),
        TEST(a_pin_without_its_register_is_refused),
        TEST(a_device_that_asks_for_a_reset_gets_it),
        TEST(a_refused_device_takes_no_number),
        TEST(interfaces_have_queues_of_their_own),
        TEST(a_card_without_memory_for_queues_is_named),
        BARE(no_card_at_all_is_explained),
        TEST(missing_pools_are_named),
        TEST(a_restart_is_a_first_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
