/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_drv: sending. Chains are what the standard wants, bad frames never reach the
 * device, and every cookie comes back exactly once and in bounded time without waste of interrupts.
 */
#include "tests/unit/virtio_fixture.h"

static struct fake_frame frame; /* too large for a stack */

static bool device_sends(struct rig *rig)
{
    return fake_virtio_transmit(rig->fake[0], &frame);
}

static uint32_t device_sends_all(struct rig *rig)
{
    uint32_t count = 0;
    while (device_sends(rig))
        count++;
    return count;
}

static void transmit_many(struct rig *rig, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct netdev_tx tx = rig_frame(first + i, 60);
        assert_true(rig_transmit(rig, &tx));
    }
}

static void a_frame_in_pieces_leaves_as_one(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    uint8_t *memory = fake_pool_memory(rig->domain, POOL_SEND);
    uint32_t part = 0, at = 0;
    struct netdev_tx tx = {.cookie = 7, .segments = 3};
    const uint16_t index[] = {0, 9, 255}, offset[] = {0, 100, 1548}, length[] = {42, 3, 500};
    for (; part < 3; part++) {
        tx.segment[part] = (struct buffer_ref){POOL_SEND, index[part], offset[part], length[part]};
        memset(memory + index[part] * SEND_BYTES + offset[part], 'a' + (int)part, length[part]);
    }
    assert_true(rig_transmit(rig, &tx));
    assert_false(device_sends(rig)); /* not before the batch ends */
    rig_round(rig);
    assert_true(device_sends(rig));
    assert_int_equal(frame.descriptors, 4);
    assert_int_equal(frame.length, 545);
    for (part = 0; part < 3; at += length[part++])
        for (uint32_t i = 0; i < length[part]; i++)
            assert_int_equal(frame.data[at + i], 'a' + part);
    const struct virtio_net_hdr_v1 zero = {0};
    assert_memory_equal(&frame.header, &zero, sizeof(zero));
    assert_int_equal(rig_counter(rig, "tx_frames"), 1);
}

static void slots_are_used_again_for_frames_of_other_shapes(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t i = 0; i < 30; i++) {
        struct netdev_tx tx = rig_frame(i, 60);
        tx.segments = 1 + i % 3;
        tx.segment[1] = tx.segment[2] = tx.segment[0];
        assert_true(rig_transmit(rig, &tx));
        rig_round(rig);
        assert_true(device_sends(rig));
        assert_int_equal(frame.descriptors, 2 + i % 3);
        assert_int_equal(frame.length, 60 * (1 + i % 3));
    }
}

static void the_device_is_told_where_the_checksum_goes(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t round = 0; round < 2; round++) {
        struct netdev_tx tx = rig_frame(2 * round, 60);
        tx.flags = NETDEV_TX_CSUM;
        tx.csum_start = 34;
        tx.csum_offset = 6;
        assert_true(rig_transmit(rig, &tx));
        rig_round(rig);
        assert_true(device_sends(rig));
        const struct virtio_net_hdr_v1 wanted = {
            .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};
        assert_memory_equal(&frame.header, &wanted, sizeof(wanted));
        rig_round(rig);
        tx = rig_frame(2 * round + 1, 60); /* the next frame in that slot isn't */
        tx.csum_start = 99;
        assert_true(rig_transmit(rig, &tx));
        rig_round(rig);
        assert_true(device_sends(rig));
        assert_int_equal(frame.header.flags, 0);
    }
}

/* The frame is dropped: the device doesn't get it, the client gets its buffers back. */
static void expect_dropped(struct rig *rig, const struct netdev_tx *tx, const char *counter)
{
    uint64_t before = rig_counter(rig, counter);
    assert_true(rig_transmit(rig, tx));
    rig_round(rig);
    assert_false(device_sends(rig));
    assert_int_equal(rig_counter(rig, counter), before + 1);
    assert_int_equal(rig_drain(rig, NETDEV_TX_DONE), 1);
    assert_int_equal(rig->sent_count, 0);
}

static void senseless_frames_are_dropped(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct netdev_tx tx = rig_frame(1, 60);
    tx.segments = 0;
    expect_dropped(rig, &tx, "tx_refused");
    tx.segments = NETDEV_TX_SEGMENTS + 1;
    expect_dropped(rig, &tx, "tx_refused");
    tx.segments = 0xffffffff;
    expect_dropped(rig, &tx, "tx_refused");
    tx = rig_frame(1, 60);
    tx.flags = NETDEV_TX_CSUM << 1;
    expect_dropped(rig, &tx, "tx_refused");
    tx = rig_frame(1, 60);
    tx.segments = 2;
    tx.segment[1] = (struct buffer_ref){.pool = POOL_SEND};
    expect_dropped(rig, &tx, "tx_refused"); /* an empty segment */
}

static void frames_of_impossible_length_are_dropped(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct netdev_tx tx = rig_frame(1, 13);
    expect_dropped(rig, &tx, "tx_refused");
    tx = rig_frame(1, 1515);
    expect_dropped(rig, &tx, "tx_refused");
    tx = rig_frame(1, 1514);
    assert_true(rig_transmit(rig, &tx));
    tx = rig_frame(2, 14);
    assert_true(rig_transmit(rig, &tx));
    rig_round(rig);
    assert_int_equal(device_sends_all(rig), 2);
}

static void memory_that_is_not_for_sending_is_not_sent(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct netdev_tx tx = rig_frame(1, 60);
    const struct buffer_ref bad[] = {
        {POOL_QUEUES, 0, 0, 60},            /* the driver's own */
        {POOL_PRIVATE, 0, 0, 60},           /* no dma right */
        {POOL_MISSING, 0, 0, 60},           /* no right at all */
        {POOL_SEND + 256, 0, 0, 60},        /* no such number */
        {POOL_SEND, SEND_BUFFERS, 0, 60},   /* beyond the pool */
        {POOL_SEND, 0, SEND_BYTES - 1, 60}, /* beyond the buffer */
    };
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tx.segments = 1;
        tx.segment[0] = bad[i];
        expect_dropped(rig, &tx, "tx_refused");
        tx = rig_frame(1, 60);
        tx.segments = 3;
        tx.segment[1] = tx.segment[0];
        tx.segment[2] = bad[i];
        expect_dropped(rig, &tx, "tx_refused");
    }
}

static void checksums_beyond_the_frame_are_refused(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct netdev_tx tx = rig_frame(1, 60);
    tx.flags = NETDEV_TX_CSUM;
    tx.csum_start = 40;
    tx.csum_offset = 19; /* 40 + 19 + 2 > 60 */
    expect_dropped(rig, &tx, "tx_refused");
    tx.csum_start = 0xffff;
    tx.csum_offset = 0xffff;
    expect_dropped(rig, &tx, "tx_refused");
    tx.csum_start = 40;
    tx.csum_offset = 18;
    assert_true(rig_transmit(rig, &tx));
    rig_round(rig);
    assert_true(device_sends(rig));
}

static void checksums_are_refused_unless_negotiated(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_NET_F_CSUM);
    rig_start(rig);
    struct netdev_tx tx = rig_frame(1, 60);
    tx.flags = NETDEV_TX_CSUM;
    tx.csum_start = 34;
    expect_dropped(rig, &tx, "tx_refused");
}

static void frames_to_nowhere_come_back(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    const uint16_t nowhere[] = {1, NETDEV_INTERFACES_MAX, 0x100, 0xffff};
    for (uint32_t i = 0; i < 4; i++) {
        struct netdev_tx tx = rig_frame(1, 60);
        tx.interface = nowhere[i];
        expect_dropped(rig, &tx, "tx_down");
    }
}

/* Notifications and interrupts */

static void a_batch_rings_once(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, 20);
    rig_round(rig);
    assert_int_equal(rig->fake[0]->queue[1].notified, 1);
    transmit_many(rig, 20, 5); /* the device is at it and hasn't asked */
    rig_round(rig);
    assert_int_equal(rig->fake[0]->queue[1].notified, 1);
    assert_int_equal(device_sends_all(rig), 25);
    transmit_many(rig, 30, 1);
    rig_round(rig);
    assert_int_equal(rig->fake[0]->queue[1].notified, 2);
    assert_int_equal(rig_counter(rig, "tx_notifies"), 2);
}

static void few_frames_cause_no_interrupt(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, 1);
    rig_round(rig);
    device_sends_all(rig);
    fake_virtio_interrupts(rig->fake[0]); /* QEMU's first comes anyway */
    for (uint32_t i = 1; i < 2000; i += TX_SLOTS / 2) {
        transmit_many(rig, i, TX_SLOTS / 2);
        rig_round(rig);
        assert_int_equal(device_sends_all(rig), TX_SLOTS / 2);
        assert_int_equal(rig->fake[0]->interrupts, 0);
        rig_round(rig); /* whatever else happens */
        rig_drain(rig, NETDEV_TX_DONE);
        assert_int_equal(rig->sent_count, 0);
    }
}

static void without_event_idx_few_frames_cause_no_interrupt(void **state)
{
    struct rig *rig = *state;
    rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    rig_start(rig);
    transmit_many(rig, 0, TX_SLOTS / 2);
    rig_round(rig);
    device_sends_all(rig);
    assert_int_equal(rig->fake[0]->interrupts, 0);
}

static void many_frames_cause_one_interrupt(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t before = rig->fake[0]->interrupt_count[1];
        transmit_many(rig, i * TX_SLOTS, TX_SLOTS);
        rig_round(rig);
        assert_int_equal(device_sends_all(rig), TX_SLOTS);
        uint32_t more = rig->fake[0]->interrupt_count[1] - before;
        assert_in_range(more, 1, i ? 1 : 2); /* QEMU's first comes anyway */
        rig_round(rig);
        rig_drain(rig, NETDEV_TX_DONE);
        assert_int_equal(rig->sent_count, 0);
    }
}

static void a_slow_device_does_not_interrupt_for_each_frame(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, TX_SLOTS);
    rig_round(rig);
    while (device_sends(rig))
        if (rig->fake[0]->interrupts)
            rig_round(rig);
    assert_in_range(rig->fake[0]->interrupt_count[1], 1, 3);
    rig_drain(rig, NETDEV_TX_DONE);
    assert_in_range(rig->sent_count, 0, TX_SLOTS / 2);
}

static void a_full_queue_holds_frames_back(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, TX_SLOTS);
    struct netdev_tx tx = rig_frame(TX_SLOTS, 60);
    assert_false(rig_transmit(rig, &tx));
    assert_int_equal(rig_counter(rig, "tx_held"), 1);
    assert_true(rig->fake[0]->queue[1].notified); /* the device can begin at once */
    assert_true(device_sends(rig));
    assert_true(rig_transmit(rig, &tx));
    rig_round(rig);
    assert_int_equal(device_sends_all(rig), TX_SLOTS);
}

static void more_outstanding_than_allowed_are_dropped(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fake_conn_set_capacity(rig->net, 0);
    for (uint32_t i = 0; i < NETDEV_TX_OUTSTANDING; i++) {
        transmit_many(rig, i, 1);
        rig_round(rig);
        assert_true(device_sends(rig));
    }
    struct netdev_tx excess = rig_frame(1000, 60);
    assert_true(rig_deliver(rig, NETDEV_TX, &excess, sizeof(excess)));
    rig_round(rig);
    assert_false(device_sends(rig));
    assert_int_equal(rig_counter(rig, "tx_excess"), 1);
    fake_conn_set_capacity(rig->net, 64);
    rig_round(rig);
    rig_drain(rig, NETDEV_TX_DONE);
    assert_int_equal(rig->sent_count, 0);
    transmit_many(rig, 0, 1);
    rig_round(rig);
    assert_true(device_sends(rig));
}

/* The client doesn't look at its channel: the driver goes on taking frames and buffers, so the two
 * never wait for each other. */
static void a_full_channel_does_not_stop_the_sending(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    fake_conn_set_capacity(rig->net, 1);
    for (uint32_t i = 0; i < NETDEV_TX_OUTSTANDING; i++) {
        transmit_many(rig, i, 1);
        rig_round(rig);
        assert_true(device_sends(rig));
    }
    assert_true(rig_deliver(rig, NETDEV_OPEN, NULL, 0));
    rig_round(rig);
    for (uint32_t i = 0; i < 20; i++) {
        rig_drain(rig, NETDEV_TX_DONE);
        rig_round(rig);
    }
    assert_int_equal(rig->sent_count, 0);
}

static void done_messages_go_before_received_frames(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, 3);
    rig_round(rig);
    assert_int_equal(device_sends_all(rig), 3);
    fake_conn_set_capacity(rig->net, 1);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(fake_virtio_receive(rig->fake[0], "0123456789abcdef", 16, 0));
    rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_TX_DONE), 1);
}

static void frames_come_back_in_any_order(void **state)
{
    struct rig *rig = *state;
    struct fake_chain chain[TX_SLOTS];
    rig_start(rig);
    transmit_many(rig, 0, TX_SLOTS);
    rig_round(rig);
    for (uint32_t i = 0; i < TX_SLOTS; i++)
        assert_true(fake_virtio_pop(rig->fake[0], 1, &chain[i]));
    for (uint32_t i = TX_SLOTS; i--;)
        fake_virtio_push(rig->fake[0], 1, chain[i].head, 0);
    fake_virtio_flush(rig->fake[0], 1);
    rig_round(rig);
    rig_drain(rig, NETDEV_TX_DONE);
    assert_int_equal(rig->sent_count, 0);
}

static void all_indices_run_over(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    for (uint32_t i = 0; i < 140000; i += 40) {
        transmit_many(rig, i % 4000, 40);
        rig_round(rig);
        assert_int_equal(device_sends_all(rig), 40);
        rig_round(rig);
        rig_drain(rig, NETDEV_TX_DONE);
        assert_int_equal(rig->sent_count, 0);
    }
}

static void a_broken_device_hands_frames_back(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, 10);
    rig_round(rig);
    transmit_many(rig, 10, 10);              /* two more batches, one unpublished */
    fake_virtio_push(rig->fake[0], 1, 1, 0); /* the middle of a chain */
    fake_virtio_flush(rig->fake[0], 1);
    rig_round(rig);
    rig_expect_broken(rig);
    struct netdev_tx tx = rig_frame(1, 60);
    assert_true(rig_transmit(rig, &tx));
    rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_TX_DONE), 1);
    assert_int_equal(rig_counter(rig, "tx_down"), 1);
}

static void a_device_that_breaks_while_a_frame_waits_drops_it(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    transmit_many(rig, 0, TX_SLOTS);
    rig_round(rig);
    fake_virtio_push(rig->fake[0], 1, 0xffffffff, 0);
    fake_virtio_flush(rig->fake[0], 1);
    struct netdev_tx tx = rig_frame(100, 60);
    assert_true(rig_transmit(rig, &tx));
    rig_round(rig);
    rig_expect_broken(rig);
    assert_int_equal(rig_counter(rig, "tx_down"), 1);
}

/* An idle machine: the driver runs only when an interrupt or a message wakes it, messages that it
 * doesn't take wait for the next time. Whatever the device's habits: all frames get out, and at the
 * end no more than half of the slots still hold buffers. */
struct idle_case {
    bool event_idx;
    bool at_once;      /* the device sends before the ring of its bell is over */
    bool later;        /* it thinks of interrupts long after it has published what it sent */
    uint32_t per_turn; /* frames that it sends at a time */
};

static void send_at_once(struct fake_virtio *fake, uint32_t queue)
{
    if (queue == 1)
        while (fake_virtio_transmit(fake, &frame))
            ;
}

static bool idle_device(struct rig *rig, const struct idle_case *c)
{
    bool sending = false;
    for (uint32_t i = 0; i < c->per_turn && device_sends(rig); i++)
        sending = true;
    return sending;
}

/* A round of the loop with up to `burst` new frames, and a device that works while it lasts. True:
 * more messages keep it awake. */
static bool idle_round(struct rig *rig, const struct idle_case *c, uint32_t *next, uint32_t frames,
                       uint32_t burst)
{
    uint32_t bits = fake_virtio_interrupts(rig->fake[0]);
    bool all_out = false, refused = false;
    if (bits)
        fake_domain_signal(rig->domain, 0, bits);
    for (; burst && *next < frames && !all_out && !refused; burst--) {
        struct netdev_tx tx = rig_frame(*next % COOKIES, 60);
        all_out = rig->sent_count == NETDEV_TX_OUTSTANDING;
        refused = !all_out && !rig_transmit(rig, &tx);
        *next += !all_out && !refused;
    }
    idle_device(rig, c);
    fake_domain_batch_end(rig->domain);
    rig_drain(rig, NETDEV_TX_DONE); /* a client that waits for this has more to send then */
    all_out &= rig->sent_count == NETDEV_TX_OUTSTANDING;
    return !all_out && !refused && *next < frames;
}

static void idle_run(struct rig *rig, const struct idle_case *c, uint32_t frames)
{
    uint32_t next = 0;
    bool awake = true, sending = true;
    while (awake || sending) {
        if (awake)
            awake = idle_round(rig, c, &next, frames, 1 + (uint32_t)rand() % 100);
        sending = idle_device(rig, c);
        fake_virtio_decide(rig->fake[0], 1);
        awake |= rig->fake[0]->interrupts != 0;
    }
    assert_int_equal(next, frames); /* else nobody wakes anybody any more */
}

static void no_frame_is_left_behind_on_an_idle_machine(void **state)
{
    srand(3);
    for (uint32_t i = 0; i < 48; i++) {
        const struct idle_case c = {
            .event_idx = i & 1, .at_once = i & 2, .later = i & 4, .per_turn = 1 + i / 8 * 20};
        assert_int_equal(rig_set_up(state), 0);
        struct rig *rig = *state;
        if (!c.event_idx)
            rig->fake[0]->offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
        rig->fake[0]->thinks_later = c.later;
        rig->fake[0]->on_notify = c.at_once ? send_at_once : NULL;
        rig_start(rig);
        idle_run(rig, &c, 3000);
        assert_int_equal(rig_counter(rig, "tx_frames"), 3000);
        assert_in_range(rig->sent_count, 0, TX_SLOTS / 2);
        rig_tear_down(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_in_pieces_leaves_as_one),
        TEST(slots_are_used_again_for_frames_of_other_shapes),
        TEST(the_device_is_told_where_the_checksum_goes),
        TEST(senseless_frames_are_dropped),
        TEST(frames_of_impossible_length_are_dropped),
        TEST(memory_that_is_not_for_sending_is_not_sent),
        TEST(checksums_beyond_the_frame_are_refused),
        TEST(checksums_are_refused_unless_negotiated),
        TEST(frames_to_nowhere_come_back),
        TEST(a_batch_rings_once),
        TEST(few_frames_cause_no_interrupt),
        TEST(without_event_idx_few_frames_cause_no_interrupt),
        TEST(many_frames_cause_one_interrupt),
        TEST(a_slow_device_does_not_interrupt_for_each_frame),
        TEST(a_full_queue_holds_frames_back),
        TEST(more_outstanding_than_allowed_are_dropped),
        TEST(a_full_channel_does_not_stop_the_sending),
        TEST(done_messages_go_before_received_frames),
        TEST(frames_come_back_in_any_order),
        TEST(all_indices_run_over),
        TEST(a_broken_device_hands_frames_back),
        TEST(a_device_that_breaks_while_a_frame_waits_drops_it),
        cmocka_unit_test(no_frame_is_left_behind_on_an_idle_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
