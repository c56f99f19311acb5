/* SPDX-License-Identifier: ISC
 *
 * servers/netd/sockets.c and transmit.c: the table of ports and the slots of outgoing frames.
 */
#include "tests/unit/netd_fixture.h"

static struct sockets sockets;
static struct transmit transmit;
static const struct pool headers = {.buffers = 200, .buffer_size = 128, .number = 2};

static int reset(void **state)
{
    (void)state;
    memset(&sockets, 0, sizeof(sockets));
    memset(&transmit, 0, sizeof(transmit));
    transmit_init(&transmit, &headers, 0xabcdef);
    return 0;
}

static void a_port_is_found_until_it_is_closed(void **state)
{
    (void)state;
    assert_int_equal(sockets_find(&sockets, 53), -1);
    assert_int_equal(sockets_bind(&sockets, 9, 53), OK);
    assert_int_equal(sockets_find(&sockets, 53), 9);
    assert_int_equal(sockets_find(&sockets, 54), -1);
    assert_int_equal(sockets_find(&sockets, 53 + SOCKET_BUCKETS), -1);
    sockets_close(&sockets, 9);
    assert_int_equal(sockets_find(&sockets, 53), -1);
}

static void binding_twice_is_the_same_as_once(void **state)
{
    (void)state;
    assert_int_equal(sockets_bind(&sockets, 9, 53), OK);
    assert_int_equal(sockets_bind(&sockets, 9, 53), OK);
    sockets_close(&sockets, 9);
    sockets_close(&sockets, 9);
    assert_int_equal(sockets_find(&sockets, 53), -1);
}

static void ports_and_sockets_that_are_in_use_are_refused(void **state)
{
    (void)state;
    assert_int_equal(sockets_bind(&sockets, 9, 53), OK);
    assert_int_equal(sockets_bind(&sockets, 10, 53), ERROR_OCCUPIED);
    assert_int_equal(sockets_bind(&sockets, 9, 54), ERROR_OCCUPIED);
    assert_int_equal(sockets_bind(&sockets, 1, 0), ERROR_BAD_ARGUMENT);
    assert_int_equal(sockets_bind(&sockets, SOCKETS_MAX, 99), ERROR_BAD_ARGUMENT);
    assert_int_equal(sockets_find(&sockets, 53), 9);
    assert_int_equal(sockets_find(&sockets, 54), -1);
}

static void colliding_ports_are_all_found_in_any_order_of_closing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SOCKETS_MAX; i++)
        assert_int_equal(sockets_bind(&sockets, i, (uint16_t)(63 + i * SOCKET_BUCKETS)), OK);
    for (uint32_t closed = 0; closed < SOCKETS_MAX; closed++) {
        uint32_t victim = closed * 7 % SOCKETS_MAX;
        assert_int_equal(sockets_find(&sockets, (uint16_t)(63 + victim * SOCKET_BUCKETS)), victim);
        sockets_close(&sockets, victim);
        for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
            uint16_t port = sockets.port[i];
            if (port)
                assert_int_equal(sockets_find(&sockets, port), i);
        }
    }
    for (uint32_t port = 1; port < 65536; port++)
        assert_int_equal(sockets_find(&sockets, (uint16_t)port), -1);
}

static int taken_and_sent(void)
{
    int n = transmit_take(&transmit, 0);
    if (n >= 0)
        transmit.slot[n].state = SLOT_SENT;
    return n;
}

static void slots_are_as_many_as_the_protocol_allows(void **state)
{
    (void)state;
    uint32_t taken = 0;
    while (transmit_take(&transmit, 0) >= 0)
        taken++;
    assert_int_equal(taken, NETDEV_TX_OUTSTANDING);
    assert_true(transmit_check(&transmit));
}

static void slots_are_no_more_than_header_buffers(void **state)
{
    (void)state;
    const struct pool few = {.buffers = 24, .buffer_size = 128};
    uint32_t taken = 0;
    transmit_init(&transmit, &few, 0);
    while (transmit_take(&transmit, 0) >= 0)
        taken++;
    assert_int_equal(taken, 24);
    assert_int_equal(transmit_find(&transmit, 100), -1);
}

static void some_slots_are_kept_back(void **state)
{
    (void)state;
    while (transmit_take(&transmit, TRANSMIT_RESERVED) >= 0)
        ;
    assert_int_equal(transmit.free_count, TRANSMIT_RESERVED);
    assert_true(transmit_take(&transmit, 0) >= 0);
}

static void a_cookie_works_once(void **state)
{
    (void)state;
    uint32_t owner, index;
    int n = taken_and_sent();
    uint32_t cookie = transmit.slot[n].cookie;
    transmit.slot[n].owner = PAYLOAD_CLIENT + 2;
    transmit.slot[n].payload.index = 17;
    assert_int_equal(transmit_find(&transmit, cookie), n);
    assert_true(transmit_release(&transmit, (uint32_t)n, &owner, &index));
    assert_int_equal(owner, PAYLOAD_CLIENT + 2);
    assert_int_equal(index, 17);
    assert_int_equal(transmit_find(&transmit, cookie), -1);
    int again = taken_and_sent();
    assert_int_equal(again, n);
    assert_int_equal(transmit_find(&transmit, cookie), -1); /* the old use isn't the new one */
    assert_true(transmit_check(&transmit));
}

static void a_frame_that_was_not_sent_is_not_done(void **state)
{
    (void)state;
    int n = transmit_take(&transmit, 0);
    assert_int_equal(transmit_find(&transmit, transmit.slot[n].cookie), -1);
}

static void fragments_release_their_payload_together(void **state)
{
    (void)state;
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    uint32_t owner, index;
    for (int o = 0; o < 6; o++) {
        int n[3];
        for (int i = 0; i < 3; i++) {
            n[i] = taken_and_sent();
            transmit.slot[n[i]].first = (uint8_t)n[0];
        }
        transmit.slot[n[0]].parts = 3;
        transmit.slot[n[0]].owner = PAYLOAD_CLIENT;
        assert_true(transmit_check(&transmit));
        for (int i = 0; i < 3; i++) {
            uint32_t slot = (uint32_t)n[orders[o][i]];
            uint32_t cookie = transmit.slot[slot].cookie;
            assert_int_equal(transmit_release(&transmit, slot, &owner, &index), i == 2);
            assert_int_equal(transmit_find(&transmit, cookie), -1);
            assert_true(transmit_check(&transmit));
        }
        assert_int_equal(transmit.free_count, TRANSMIT_SLOTS);
    }
}

static void the_message_names_headers_and_payload(void **state)
{
    (void)state;
    struct netdev_tx tx;
    int n = transmit_take(&transmit, 0);
    struct slot *slot = &transmit.slot[n];
    slot->header_length = 42;
    slot->interface = 3;
    transmit_message(&transmit, (uint32_t)n, &tx);
    assert_int_equal(tx.segments, 1);
    slot->payload = (struct buffer_ref){20, 5, 100, 300};
    slot->flags = NETDEV_TX_CSUM;
    transmit_message(&transmit, (uint32_t)n, &tx);
    assert_int_equal(tx.segments, 2);
    assert_int_equal(tx.interface, 3);
    assert_int_equal(tx.flags, NETDEV_TX_CSUM);
    assert_int_equal(tx.csum_start, 34);
    assert_int_equal(tx.csum_offset, 6);
    assert_int_equal(tx.segment[0].pool, 2);
    assert_int_equal(tx.segment[0].index, n);
    assert_int_equal(tx.segment[0].length, 42);
    assert_memory_equal(&tx.segment[1], &slot->payload, sizeof(slot->payload));
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_port_is_found_until_it_is_closed),
        TEST(binding_twice_is_the_same_as_once),
        TEST(ports_and_sockets_that_are_in_use_are_refused),
        TEST(colliding_ports_are_all_found_in_any_order_of_closing),
        TEST(slots_are_as_many_as_the_protocol_allows),
        TEST(slots_are_no_more_than_header_buffers),
        TEST(some_slots_are_kept_back),
        TEST(a_cookie_works_once),
        TEST(a_frame_that_was_not_sent_is_not_done),
        TEST(fragments_release_their_payload_together),
        TEST(the_message_names_headers_and_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
