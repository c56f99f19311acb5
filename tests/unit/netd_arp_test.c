/* SPDX-License-Identifier: ISC
 *
 * servers/netd/arp.c: the table's states, bounds and ageing; packets.
 */
#include "tests/unit/netd_fixture.h"

static struct arp arp;
static uint64_t counters[COUNTER_COUNT];

static int reset(void **state)
{
    (void)state;
    memset(&arp, 0, sizeof(arp));
    memset(counters, 0, sizeof(counters));
    arp.entry[0].address = GATEWAY_IP;
    return 0;
}

static struct arp_entry *use(uint32_t address, uint64_t now, bool *ask)
{
    struct arp_entry *entry = arp_use(&arp, 0, address, now, counters, ask);
    assert_true(arp_check(&arp));
    return entry;
}

static struct arp_entry *hear(uint16_t operation, uint32_t sender, const uint8_t *mac, bool for_us,
                              uint64_t now)
{
    struct arp_packet packet = {
        .operation = operation, .sender = sender, .target = for_us ? OUR_IP : sender};
    memcpy(packet.sender_mac, mac, 6);
    struct arp_entry *entry = arp_learn(&arp, 0, &packet, for_us, now, counters);
    assert_true(arp_check(&arp));
    return entry;
}

static void the_first_use_asks_and_the_next_wait(void **state)
{
    (void)state;
    bool ask;
    struct arp_entry *entry = use(NEIGHBOUR_IP, 1000, &ask);
    assert_non_null(entry);
    assert_true(ask);
    assert_false(arp_usable(entry));
    assert_ptr_equal(use(NEIGHBOUR_IP, 2000, &ask), entry);
    assert_false(ask);
    assert_int_equal(arp_deadline(&arp), 1000 + ARP_RETRY);
}

static void an_answer_makes_it_known_and_ends_the_deadline(void **state)
{
    (void)state;
    bool ask;
    struct arp_entry *entry = use(NEIGHBOUR_IP, 1000, &ask);
    assert_ptr_equal(hear(ARP_REPLY, NEIGHBOUR_IP, neighbour_mac, true, 2000), entry);
    assert_true(arp_usable(entry));
    assert_memory_equal(entry->mac, neighbour_mac, 6);
    assert_int_equal(arp_deadline(&arp), 0);
    assert_null(arp_due(&arp, UINT64_MAX));
}

static void replies_that_nobody_asked_for_teach_nothing(void **state)
{
    (void)state;
    bool ask;
    assert_null(hear(ARP_REPLY, NEIGHBOUR_IP, neighbour_mac, true, 1000));
    assert_int_equal(counters[COUNTER_ARP_UNASKED], 1);
    use(NEIGHBOUR_IP, 1000, &ask);
    hear(ARP_REPLY, NEIGHBOUR_IP, neighbour_mac, true, 1000);
    assert_null(hear(ARP_REPLY, NEIGHBOUR_IP, gateway_mac, true, 1001));
    assert_memory_equal(use(NEIGHBOUR_IP, 1002, &ask)->mac, neighbour_mac, 6);
}

static void requests_to_us_teach(void **state)
{
    (void)state;
    bool ask;
    hear(ARP_REQUEST, NEIGHBOUR_IP, neighbour_mac, true, 1000);
    struct arp_entry *entry = use(NEIGHBOUR_IP, 2000, &ask);
    assert_true(arp_usable(entry));
    assert_false(ask);
}

static void an_old_answer_is_checked_while_it_is_used(void **state)
{
    (void)state;
    bool ask;
    hear(ARP_REQUEST, NEIGHBOUR_IP, neighbour_mac, true, 1000);
    use(NEIGHBOUR_IP, 1000 + ARP_FRESH - 1, &ask);
    assert_false(ask);
    struct arp_entry *entry = use(NEIGHBOUR_IP, 1000 + ARP_FRESH, &ask);
    assert_true(ask);
    assert_true(arp_usable(entry));
    use(NEIGHBOUR_IP, 1001 + ARP_FRESH, &ask);
    assert_false(ask);
    assert_int_equal(arp.asking, 1);
    assert_non_null(hear(ARP_REPLY, NEIGHBOUR_IP, neighbour_mac, true, 1002 + ARP_FRESH));
    assert_int_equal(arp.asking, 0);
}

static void an_announcement_by_a_known_neighbour_has_it_asked_again(void **state)
{
    (void)state;
    bool ask;
    hear(ARP_REQUEST, NEIGHBOUR_IP, neighbour_mac, true, 1000);
    assert_null(hear(ARP_REQUEST, NEIGHBOUR_IP, neighbour_mac, false, 2000));
    use(NEIGHBOUR_IP, 2001, &ask);
    assert_false(ask); /* nothing has changed */
    assert_null(hear(ARP_REQUEST, NEIGHBOUR_IP, gateway_mac, false, 2002));
    struct arp_entry *entry = use(NEIGHBOUR_IP, 2003, &ask);
    assert_true(ask);
    assert_memory_equal(entry->mac, neighbour_mac, 6); /* not believed, only asked about */
}

static void strangers_overheard_are_not_learned(void **state)
{
    (void)state;
    assert_null(hear(ARP_REQUEST, NEIGHBOUR_IP, neighbour_mac, false, 1000));
    for (int i = 0; i < ARP_ENTRIES; i++)
        assert_int_equal(arp.entry[i].state, ARP_FREE);
}

static void requests_are_repeated_then_given_up(void **state)
{
    (void)state;
    bool ask;
    struct arp_entry *entry = use(NEIGHBOUR_IP, 1000, &ask);
    uint64_t now = 1000;
    for (int i = 1; i < ARP_REQUESTS; i++) {
        assert_null(arp_due(&arp, now + ARP_RETRY - 1));
        now += ARP_RETRY;
        assert_ptr_equal(arp_due(&arp, now), entry);
        assert_int_equal(entry->requests, i);
        arp_asked(entry, now);
    }
    assert_ptr_equal(arp_due(&arp, now + ARP_RETRY), entry);
    assert_int_equal(entry->requests, ARP_REQUESTS);
    arp_forget(&arp, entry);
    assert_true(arp_check(&arp));
    assert_int_equal(arp_deadline(&arp), 0);
    assert_non_null(use(NEIGHBOUR_IP, now, &ask));
    assert_true(ask);
}

static void waiting_frames_come_in_order_up_to_the_bound(void **state)
{
    (void)state;
    bool ask;
    struct arp_entry *entry = use(NEIGHBOUR_IP, 1000, &ask);
    for (uint8_t i = 0; i < ARP_WAITING; i++)
        assert_true(arp_wait(&arp, entry, (uint8_t)(100 + i)));
    assert_false(arp_wait(&arp, entry, 99));
    assert_true(arp_check(&arp));
    for (int i = 0; i < ARP_WAITING; i++)
        assert_int_equal(arp_next_waiting(&arp, entry), 100 + i);
    assert_int_equal(arp_next_waiting(&arp, entry), -1);
}

static void waiting_frames_of_all_entries_are_bounded(void **state)
{
    (void)state;
    bool ask;
    uint32_t waiting = 0;
    for (uint32_t host = 0; host < ARP_ASKING_MAX; host++) {
        struct arp_entry *entry = use(NEIGHBOUR_IP + host, 1000, &ask);
        for (uint8_t i = 0; i < ARP_WAITING; i++)
            waiting += arp_wait(&arp, entry, i);
    }
    assert_int_equal(waiting, ARP_WAITING_MAX);
    assert_true(arp_check(&arp));
}

static void unanswered_addresses_are_bounded_but_not_the_gateway(void **state)
{
    (void)state;
    bool ask;
    for (uint32_t host = 0; host < ARP_ASKING_MAX; host++)
        assert_non_null(use(NEIGHBOUR_IP + host, 1000, &ask));
    assert_null(use(NEIGHBOUR_IP + ARP_ASKING_MAX, 1000, &ask));
    assert_false(ask);
    assert_non_null(use(GATEWAY_IP, 1000, &ask));
    assert_true(ask);
}

static void a_full_set_gives_up_the_oldest(void **state)
{
    (void)state;
    bool ask;
    for (uint32_t i = 0; i <= ARP_WAYS; i++)
        hear(ARP_REQUEST, 0x0a000300 + i * ARP_SETS, neighbour_mac, true, 1000 + i);
    assert_int_equal(counters[COUNTER_ARP_EVICTED], 1);
    use(0x0a000300, 2000, &ask);
    assert_true(ask); /* the first was forgotten */
    use(0x0a000300 + ARP_WAYS * ARP_SETS, 2000, &ask);
    assert_false(ask);
}

static void an_address_being_asked_for_is_not_evicted(void **state)
{
    (void)state;
    bool ask;
    for (uint32_t i = 0; i < ARP_WAYS; i++)
        assert_non_null(use(0x0a000300 + i * ARP_SETS, 1000, &ask));
    assert_null(use(0x0a000300 + ARP_WAYS * ARP_SETS, 1000, &ask));
    assert_null(hear(ARP_REQUEST, 0x0a000300 + ARP_WAYS * ARP_SETS, neighbour_mac, true, 1000));
    assert_int_equal(arp.asking, ARP_WAYS);
}

static void a_flood_of_requests_never_evicts_the_gateway(void **state)
{
    (void)state;
    bool ask;
    hear(ARP_REQUEST, GATEWAY_IP, gateway_mac, true, 1000);
    for (uint32_t i = 0; i < 5000; i++)
        if (0x0a000000 + i != GATEWAY_IP)
            hear(ARP_REQUEST, 0x0a000000 + i, neighbour_mac, true, 2000 + i);
    struct arp_entry *entry = use(GATEWAY_IP, 9000, &ask);
    assert_true(arp_usable(entry));
    assert_false(ask);
    assert_memory_equal(entry->mac, gateway_mac, 6);
}

static void interfaces_do_not_share_entries(void **state)
{
    (void)state;
    bool ask;
    hear(ARP_REQUEST, NEIGHBOUR_IP, neighbour_mac, true, 1000);
    struct arp_entry *entry = arp_use(&arp, 1, NEIGHBOUR_IP, 1000, counters, &ask);
    assert_true(ask);
    assert_false(arp_usable(entry));
}

static void packets_are_built_as_they_are_read(void **state)
{
    (void)state;
    uint8_t frame[64], built[ARP_BYTES];
    struct arp_packet packet;
    build_arp(frame, all_mac, 1, our_mac, OUR_IP, NEIGHBOUR_IP);
    arp_build(built, ARP_REQUEST, our_mac, OUR_IP, NULL, NEIGHBOUR_IP);
    assert_memory_equal(built, frame + 14, ARP_BYTES);
    assert_true(arp_parse(built, &packet));
    assert_int_equal(packet.operation, ARP_REQUEST);
    assert_int_equal(packet.sender, OUR_IP);
    assert_int_equal(packet.target, NEIGHBOUR_IP);
    assert_memory_equal(packet.sender_mac, our_mac, 6);
    arp_build(built, ARP_REPLY, our_mac, OUR_IP, neighbour_mac, NEIGHBOUR_IP);
    assert_memory_equal(built + 18, neighbour_mac, 6);
}

static void packets_of_another_kind_are_refused(void **state)
{
    (void)state;
    uint8_t frame[64];
    struct arp_packet packet;
    for (int i = 0; i < 8; i++) { /* hardware, protocol, lengths, operation */
        build_arp(frame, all_mac, 1, neighbour_mac, NEIGHBOUR_IP, OUR_IP);
        frame[14 + i] ^= 0x40;
        assert_false(arp_parse(frame + 14, &packet));
    }
    build_arp(frame, all_mac, 3, neighbour_mac, NEIGHBOUR_IP, OUR_IP);
    assert_false(arp_parse(frame + 14, &packet));
    build_arp(frame, all_mac, 1, all_mac, NEIGHBOUR_IP, OUR_IP);
    assert_false(arp_parse(frame + 14, &packet));
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_use_asks_and_the_next_wait),
        TEST(an_answer_makes_it_known_and_ends_the_deadline),
        TEST(replies_that_nobody_asked_for_teach_nothing),
        TEST(requests_to_us_teach),
        TEST(an_old_answer_is_checked_while_it_is_used),
        TEST(an_announcement_by_a_known_neighbour_has_it_asked_again),
        TEST(strangers_overheard_are_not_learned),
        TEST(requests_are_repeated_then_given_up),
        TEST(waiting_frames_come_in_order_up_to_the_bound),
        TEST(waiting_frames_of_all_entries_are_bounded),
        TEST(unanswered_addresses_are_bounded_but_not_the_gateway),
        TEST(a_full_set_gives_up_the_oldest),
        TEST(an_address_being_asked_for_is_not_evicted),
        TEST(a_flood_of_requests_never_evicts_the_gateway),
        TEST(interfaces_do_not_share_entries),
        TEST(packets_are_built_as_they_are_read),
        TEST(packets_of_another_kind_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
