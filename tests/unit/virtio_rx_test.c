/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_drv: receiving. What comes in reaches the client once and in order, buffers are
 * never lost, and interrupts come exactly when they are needed.
 */
#include "tests/unit/virtio_fixture.h"

static uint8_t pattern[FAKE_FRAME_MAX];

static void fill_pattern(uint32_t seed)
{
    for (uint32_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + seed);
}

/* A frame that carries a number. */
static bool receive_number(struct rig *rig, uint32_t number)
{
    uint8_t frame[60] = {0};
    memcpy(frame, &number, 4);
    return fake_virtio_receive(rig->fake[0], frame, sizeof(frame), 0);
}

static const uint8_t *rx_data(struct rig *rig, const struct netdev_rx *rx)
{
    return fake_pool_memory(rig->domain, POOL_RX) + rx->data.index * RX_BYTES + rx->data.offset;
}

static uint32_t expect_number(struct rig *rig)
{
    uint32_t number;
    struct netdev_rx rx = rig_expect_rx(rig);
    assert_int_equal(rx.data.length, 60);
    memcpy(&number, rx_data(rig, &rx), 4);
    return number;
}

static void a_frame_reaches_the_client(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fill_pattern(1);
    assert_true(fake_virtio_receive(rig->fake[0], pattern, 1514, 0));
    assert_int_equal(rig->fake[0]->interrupts, 1);
    rig_round(rig);
    struct netdev_rx rx = rig_expect_rx(rig);
    assert_int_equal(rx.interface, 0);
    assert_int_equal(rx.flags, 0);
    assert_int_equal(rx.data.offset, HEADER);
    assert_int_equal(rx.data.length, 1514);
    assert_memory_equal(rx_data(rig, &rx), pattern, 1514);
    assert_int_equal(rig_counter(rig, "rx_frames"), 1);
    assert_int_equal(rig_counter(rig, "rx_parts"), 0);
}

static void checksums_that_the_device_vouches_for_are_marked(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    const uint8_t flags[] = {0, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_DATA_VALID, 0xfc};
    const uint16_t expected[] = {0, NETDEV_RX_CSUM_OK, NETDEV_RX_CSUM_OK, 0};
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(fake_virtio_receive(rig->fake[0], pattern, 60, flags[i]));
        rig_round(rig);
        assert_int_equal(rig_expect_rx(rig).flags, expected[i]);
    }
}

static void checksums_are_not_believed_unless_negotiated(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_NET_F_GUEST_CSUM);
    rig_start(rig);
    assert_true(fake_virtio_receive(rig->fake[0], pattern, 60, VIRTIO_NET_HDR_F_DATA_VALID));
    rig_round(rig);
    assert_int_equal(rig_expect_rx(rig).flags, 0);
}

static void a_long_frame_comes_in_parts(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->config.mtu = 9000;
    rig_start(rig);
    fill_pattern(2);
    assert_true(fake_virtio_receive(rig->fake[0], pattern, 5000, VIRTIO_NET_HDR_F_DATA_VALID));
    rig_round(rig);
    uint32_t at = 0;
    for (uint32_t i = 0; i < 3; i++) {
        struct netdev_rx rx = rig_expect_rx(rig);
        assert_int_equal(rx.flags, NETDEV_RX_CSUM_OK | (i < 2 ? NETDEV_RX_CONTINUES : 0));
        assert_int_equal(rx.data.offset, i ? 0 : HEADER);
        assert_memory_equal(rx_data(rig, &rx), pattern + at, rx.data.length);
        at += rx.data.length;
    }
    assert_int_equal(at, 5000);
    assert_int_equal(rig_counter(rig, "rx_frames"), 1);
    assert_int_equal(rig_counter(rig, "rx_parts"), 2);
    assert_true(receive_number(rig, 5)); /* the next one begins anew */
    rig_round(rig);
    assert_int_equal(expect_number(rig), 5);
}

static void parts_wait_for_room_too(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->config.mtu = 9000;
    rig_start(rig);
    fake_conn_set_capacity(rig->net, 1);
    assert_true(fake_virtio_receive(rig->fake[0], pattern, 5000, 0));
    for (uint32_t i = 0; i < 3; i++) {
        rig_round(rig);
        assert_int_equal(rig_expect_rx(rig).flags, i < 2 ? NETDEV_RX_CONTINUES : 0);
    }
}

static void an_idle_driver_wants_one_interrupt_for_a_burst(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t round = 0; round < 100; round++) {
        uint32_t before = rig->fake[0]->interrupt_count[0];
        for (uint32_t i = 0; i < 10; i++)
            assert_true(receive_number(rig, i));
        assert_int_equal(rig->fake[0]->interrupt_count[0], before + 1);
        rig_round(rig);
        for (uint32_t i = 0; i < 10; i++)
            assert_int_equal(expect_number(rig), i);
        rig_provide(rig, 0, 10);
        rig_round(rig);
    }
}

static void without_event_idx_interrupts_come_back_after_each_round(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    rig_start(rig);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t before = rig->fake[0]->interrupt_count[0];
        assert_true(receive_number(rig, i));
        assert_int_equal(rig->fake[0]->interrupt_count[0], before + 1);
        rig_round(rig);
        assert_int_equal(expect_number(rig), i);
        rig_provide(rig, 0, 1);
        rig_round(rig);
    }
}

static void superfluous_interrupts_do_no_harm(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->always_signals = true;
    rig_start(rig);
    for (uint32_t i = 0; i < 4; i++)
        fake_domain_signal(rig->domain, i, 0xffffffff);
    rig_round(rig);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
    assert_true(receive_number(rig, 1));
    rig_round(rig);
    rig_round(rig);
    assert_int_equal(expect_number(rig), 1);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
}

/* The client consumes slowly: nothing is lost, nothing overtakes, and no interrupt comes while
 * frames wait. */
static void check_waiting(struct rig *rig)
{
    rig_start(rig);
    fake_conn_set_capacity(rig->net, 3);
    for (uint32_t i = 0; i < RX_RING / 2; i++)
        assert_true(receive_number(rig, i));
    rig_round(rig);
    uint32_t interrupts = rig->fake[0]->interrupt_count[0];
    for (uint32_t i = RX_RING / 2; i < RX_RING; i++)
        assert_true(receive_number(rig, i));
    for (uint32_t i = 0; i < RX_RING; i++) {
        if (!fake_conn_waiting(rig->net))
            rig_round(rig); /* the doorbell "room" */
        assert_int_equal(expect_number(rig), i);
        rig_provide(rig, 0, 1);
    }
    assert_int_equal(rig->fake[0]->interrupt_count[0], interrupts);
    assert_true(rig_counter(rig, "rx_held") > 0);
    rig_round(rig);
    assert_true(receive_number(rig, 1000)); /* and then it does again */
    assert_int_equal(rig->fake[0]->interrupt_count[0], interrupts + 1);
}

static void frames_wait_in_the_device_for_room(void **state)
{
    check_waiting(*state);
}

static void without_event_idx_they_wait_too(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    check_waiting(rig);
}

static void buffers_beyond_the_queue_are_kept_for_later(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    assert_int_equal(rig->lent_count, RX_BUFFERS);
    assert_int_equal(fake_virtio_available(rig->fake[0], 0), RX_RING);
    for (uint32_t i = 0; i < RX_BUFFERS; i++) { /* without giving any back */
        assert_true(receive_number(rig, i));
        rig_round(rig);
        assert_int_equal(expect_number(rig), i);
    }
    assert_false(receive_number(rig, 0));
    assert_int_equal(rig->lent_count, 0);
    assert_int_equal(rig->unused, 0);
}

static void a_device_that_has_run_dry_is_rung_once(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    while (receive_number(rig, 0))
        rig_round(rig);
    rig_drain(rig, NETDEV_RX);
    uint32_t before = rig->fake[0]->queue[0].notified;
    rig_provide(rig, 0, 60);
    assert_int_equal(rig->fake[0]->queue[0].notified, before);
    rig_round(rig);
    assert_int_equal(rig->fake[0]->queue[0].notified, before + 1);
    rig_provide(rig, 0, 60); /* it isn't dry now */
    rig_round(rig);
    assert_int_equal(rig->fake[0]->queue[0].notified, before + 1);
    assert_int_equal(rig_counter(rig, "rx_notifies"), before + 1);
}

static void all_indices_run_over(void **state)
{
    for (uint32_t event_idx = 0; event_idx < 2; event_idx++) {
        assert_int_equal(rig_set_up(state), 0);
        struct rig *rig = *state;
        if (!event_idx)
            rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
        rig_start(rig);
        for (uint32_t i = 0; i < 70000; i += 7) {
            for (uint32_t k = 0; k < 7; k++)
                assert_true(receive_number(rig, i + k));
            assert_int_equal(rig->fake[0]->interrupts & 1, 1);
            rig_round(rig);
            for (uint32_t k = 0; k < 7; k++)
                assert_int_equal(expect_number(rig), i + k);
            rig_provide(rig, 0, 7);
            rig_round(rig);
        }
        rig_tear_down(state);
    }
}

/* Refused buffers */

static void provide_one(struct rig *rig, uint16_t interface, uint16_t pool, uint16_t index)
{
    struct netdev_rx_provide give = {
        .interface = interface, .pool = pool, .count = 1, .index = {index}};
    assert_true(rig_deliver(rig, NETDEV_RX_PROVIDE, &give, sizeof(give)));
    rig_round(rig);
}

static void a_buffer_given_twice_counts_once(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    provide_one(rig, 0, POOL_RX, 3);   /* in the queue */
    provide_one(rig, 0, POOL_RX, 159); /* spare */
    assert_int_equal(rig_counter(rig, "provide_refused"), 2);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
    while (receive_number(rig, 0))
        rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_RX), RX_BUFFERS); /* each one once: the rig checks */
}

static void buffers_that_do_not_exist_are_refused(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    provide_one(rig, 0, POOL_RX, RX_BUFFERS);
    provide_one(rig, 0, POOL_RX, 0xffff);
    provide_one(rig, 0, POOL_RX, 0xfffe);
    provide_one(rig, 0, POOL_SEND, 0);
    provide_one(rig, 0, POOL_QUEUES, 0);
    provide_one(rig, 0, POOL_RX + 256, 0);
    provide_one(rig, NETDEV_INTERFACES_MAX, POOL_RX, 0);
    provide_one(rig, 0xffff, POOL_RX, 0);
    assert_int_equal(rig_counter(rig, "provide_refused"), 8);
    assert_int_equal(fake_virtio_available(rig->fake[0], 0), 0);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
}

static void a_count_beyond_the_message_is_refused(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    struct netdev_rx_provide give = {.pool = POOL_RX, .count = NETDEV_PROVIDE_MAX + 1};
    assert_true(rig_deliver(rig, NETDEV_RX_PROVIDE, &give, sizeof(give)));
    rig_round(rig);
    assert_int_equal(rig_counter(rig, "provide_refused"), 1);
    assert_int_equal(fake_virtio_available(rig->fake[0], 0), 0);
}

static void an_absent_interface_hands_buffers_back(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    fake_conn_set_capacity(rig->net, 5);
    rig_provide(rig, 2, 30);
    for (uint32_t i = 0; i < 6; i++) {
        rig_round(rig);
        assert_int_equal(rig_drain(rig, NETDEV_RX), 5);
    }
    assert_int_equal(rig->unused, 30);
    assert_int_equal(rig->lent_count, 0);
    assert_int_equal(rig_counter(rig, "rx_returned"), 30);
}

/* Lying devices */

static void check_broken(struct rig *rig, const char *fault)
{
    rig_round(rig);
    assert_true(fake_domain_logged(rig->domain, fault));
    rig_expect_broken(rig);
    rig_provide(rig, 0, 10); /* what is given now comes back */
    rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_RX), 10);
    assert_int_equal(rig->lent_count, 0);
}

static void use_with_length(struct rig *rig, uint32_t length)
{
    struct fake_chain chain;
    rig_start(rig);
    assert_true(fake_virtio_pop(rig->fake[0], 0, &chain));
    fake_virtio_push(rig->fake[0], 0, chain.head, length);
    fake_virtio_flush(rig->fake[0], 0);
}

static void a_length_beyond_the_buffer_breaks_the_device(void **state)
{
    struct rig *rig = *state;
    use_with_length(rig, RX_BYTES + 1);
    check_broken(rig, "it received a frame of impossible length");
}

static void a_frame_without_a_byte_breaks_the_device(void **state)
{
    struct rig *rig = *state;
    use_with_length(rig, HEADER);
    check_broken(rig, "it received a frame of impossible length");
}

static void a_frame_of_one_byte_does_not(void **state)
{
    struct rig *rig = *state;
    uint8_t *memory = fake_pool_memory(rig->domain, POOL_RX);
    for (uint32_t i = 0; i < RX_BUFFERS; i++)
        memory[i * RX_BYTES + offsetof(struct virtio_net_hdr_v1, num_buffers)] = 1;
    use_with_length(rig, HEADER + 1);
    rig_round(rig);
    assert_int_equal(rig_expect_rx(rig).data.length, 1);
}

static void more_parts_than_were_used_break_the_device(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    assert_true(receive_number(rig, 1));
    rig->fake[0]->num_buffers_lie = 2;
    assert_true(receive_number(rig, 2));
    check_broken(rig, "it received a frame of impossible length");
    assert_int_equal(rig_counter(rig, "rx_frames"), 1); /* the one before */
}

static void a_frame_of_no_parts_breaks_the_device(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    rig->fake[0]->num_buffers_lie = 0x10000;
    assert_true(receive_number(rig, 1));
    check_broken(rig, "it received a frame of impossible length");
}

static void without_merging_the_number_of_parts_is_not_read(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
    rig_start(rig);
    rig->fake[0]->num_buffers_lie = 9;
    assert_true(receive_number(rig, 1));
    rig_round(rig);
    assert_int_equal(expect_number(rig), 1);
}

static void an_empty_part_breaks_the_device(void **state)
{
    struct rig *rig = *state;
    struct fake_chain chain[2];
    rig_start(rig);
    for (uint32_t i = 0; i < 2; i++)
        assert_true(fake_virtio_pop(rig->fake[0], 0, &chain[i]));
    struct virtio_net_hdr_v1 header = {.num_buffers = 2};
    memcpy((void *)(uintptr_t)chain[0].desc[0].addr, &header, sizeof(header));
    fake_virtio_push(rig->fake[0], 0, chain[0].head, RX_BYTES);
    fake_virtio_push(rig->fake[0], 0, chain[1].head, 0);
    fake_virtio_flush(rig->fake[0], 0);
    check_broken(rig, "it received a frame of impossible length");
}

static void a_buffer_that_it_has_not_got_breaks_the_device(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fake_virtio_push(rig->fake[0], 0, RX_RING, 60);
    fake_virtio_flush(rig->fake[0], 0);
    check_broken(rig, "it used a buffer that it hadn't got");
}

static void more_buffers_than_it_has_break_the_device(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    rig->fake[0]->queue[0].pushed = RX_RING + 1;
    fake_virtio_flush(rig->fake[0], 0);
    check_broken(rig, "it used more buffers than it had");
}

static void a_device_that_does_not_reset_keeps_its_buffers(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    rig->fake[0]->never_resets = true;
    fake_virtio_push(rig->fake[0], 0, 0xffffffff, 60);
    fake_virtio_flush(rig->fake[0], 0);
    rig_round(rig);
    assert_true(fake_domain_logged(rig->domain, "it can't be silenced, out of use"));
    assert_int_equal(rig_expect_link(rig).up, 0);
    rig_drain(rig, NETDEV_RX);
    assert_int_equal(rig->lent_count, RX_RING); /* the spare ones came back */
}

static void buffers_of_a_broken_device_come_back_as_there_is_room(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fake_conn_set_capacity(rig->net, 7);
    fake_virtio_push(rig->fake[0], 0, 0xffffffff, 60);
    fake_virtio_flush(rig->fake[0], 0);
    for (uint32_t i = 0; i < RX_BUFFERS / 7 + 2; i++) {
        rig_round(rig);
        rig_drain(rig, NETDEV_RX);
    }
    assert_int_equal(rig->lent_count, 0);
}

static void one_broken_device_leaves_the_others_alone(void **state)
{
    struct rig *rig = *state;
    rig_add_device(rig);
    assert_int_equal(fake_domain_start(rig->domain), OK);
    rig_provide(rig, 0, 40);
    rig_provide(rig, 1, 40);
    rig_round(rig);
    fake_virtio_push(rig->fake[0], 0, 0xffffffff, 60);
    fake_virtio_flush(rig->fake[0], 0);
    assert_true(fake_virtio_receive(rig->fake[1], pattern, 60, 0));
    rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_RX), 41);
    assert_true(fake_virtio_receive(rig->fake[1], pattern, 60, 0));
    rig_round(rig);
    assert_int_equal(rig_expect_rx(rig).interface, 1);
}

/* Nonsense from a client is counted. */

static void unknown_messages_are_counted(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    const uint16_t ops[] = {0, NETDEV_LINK, NETDEV_RX, NETDEV_TX_DONE, NETDEV_TX_DONE + 1, 0xffff};
    for (uint32_t i = 0; i < 6; i++)
        assert_true(rig_deliver(rig, ops[i], NULL, 0));
    rig_round(rig);
    assert_int_equal(rig_counter(rig, "bad_message"), 6);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
}

static void a_second_client_is_not_listened_to(void **state)
{
    struct rig *rig = *state;
    struct conn *other = fake_domain_connect(rig->domain, "net", 1);
    struct msg m = {.op = NETDEV_OPEN};
    rig_start(rig);
    assert_true(fake_domain_deliver(rig->domain, other, &m));
    rig_round(rig);
    assert_int_equal(rig_counter(rig, "bad_message"), 1);
    assert_int_equal(fake_conn_waiting(other), 0);
    assert_int_equal(fake_conn_waiting(rig->net), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_reaches_the_client),
        TEST(checksums_that_the_device_vouches_for_are_marked),
        TEST(checksums_are_not_believed_unless_negotiated),
        TEST(a_long_frame_comes_in_parts),
        TEST(parts_wait_for_room_too),
        TEST(an_idle_driver_wants_one_interrupt_for_a_burst),
        TEST(without_event_idx_interrupts_come_back_after_each_round),
        TEST(superfluous_interrupts_do_no_harm),
        TEST(frames_wait_in_the_device_for_room),
        TEST(without_event_idx_they_wait_too),
        TEST(buffers_beyond_the_queue_are_kept_for_later),
        TEST(a_device_that_has_run_dry_is_rung_once),
        cmocka_unit_test(all_indices_run_over),
        TEST(a_buffer_given_twice_counts_once),
        TEST(buffers_that_do_not_exist_are_refused),
        TEST(a_count_beyond_the_message_is_refused),
        TEST(an_absent_interface_hands_buffers_back),
        TEST(a_length_beyond_the_buffer_breaks_the_device),
        TEST(a_frame_without_a_byte_breaks_the_device),
        TEST(a_frame_of_one_byte_does_not),
        TEST(more_parts_than_were_used_break_the_device),
        TEST(a_frame_of_no_parts_breaks_the_device),
        TEST(without_merging_the_number_of_parts_is_not_read),
        TEST(an_empty_part_breaks_the_device),
        TEST(a_buffer_that_it_has_not_got_breaks_the_device),
        TEST(more_buffers_than_it_has_break_the_device),
        TEST(a_device_that_does_not_reset_keeps_its_buffers),
        TEST(buffers_of_a_broken_device_come_back_as_there_is_room),
        TEST(one_broken_device_leaves_the_others_alone),
        TEST(unknown_messages_are_counted),
        TEST(a_second_client_is_not_listened_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
