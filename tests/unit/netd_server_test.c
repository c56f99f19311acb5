/* SPDX-License-Identifier: ISC
 *
 * netd as a whole, from messages to messages: start, link, ARP, ping, UDP in and out, fragments,
 * back-pressure, and who is told what is wrong.
 */
#include <stdio.h>

#include "tests/unit/netd_fixture.h"

static struct world world;
static uint8_t frame[FRAME_MAX];
static struct sent sent;
static struct sock_datagram datagram;

static int start(void **state)
{
    (void)state;
    world_start_plain(&world);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_check_rest(&world);
    world_destroy(&world);
    return 0;
}

static uint64_t counted(const char *name)
{
    return fake_domain_counter(world.domain, name);
}

/* Start */

static void start_asks_for_the_interfaces(void **state)
{
    (void)state;
    struct msg m;
    world_create(&world, 1);
    assert_int_equal(fake_domain_start(world.domain), OK);
    assert_true(fake_conn_pop(world.net, &m));
    assert_int_equal(m.op, NETDEV_OPEN);
    fake_domain_batch_end(world.domain);
    assert_false(fake_conn_pop(world.net, &m)); /* no buffers before the link is known */
    world_destroy(&world);
}

/* What an earlier life left, or a driver that lies. */
static void a_connection_that_is_full_at_the_start_is_waited_for(void **state)
{
    (void)state;
    struct msg m;
    world_create(&world, 1);
    fake_conn_set_capacity(world.net, 0);
    assert_int_equal(fake_domain_start(world.domain), OK);
    fake_domain_batch_end(world.domain);
    fake_conn_set_capacity(world.net, 1);
    fake_domain_batch_end(world.domain);
    assert_true(fake_conn_pop(world.net, &m));
    assert_int_equal(m.op, NETDEV_OPEN);
    fake_domain_batch_end(world.domain);
    assert_false(fake_conn_pop(world.net, &m));
    world_destroy(&world);
}

static void start_without_a_driver_says_so(void **state)
{
    (void)state;
    struct domain *domain = fake_domain_create(&motet_server_netd);
    assert_int_equal(fake_domain_start(domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(domain, "port net"));
    fake_domain_destroy(domain);
}

static enum error start_with(uint8_t rx_rights, uint32_t rx_buffers, uint32_t rx_size,
                             uint8_t header_rights, uint32_t header_buffers, uint32_t header_size,
                             const char *log)
{
    struct domain *domain = fake_domain_create(&motet_server_netd);
    fake_domain_connect(domain, "net", 0);
    fake_domain_add_pool(domain, "rx", 1, rx_buffers, rx_size, rx_rights);
    fake_domain_add_pool(domain, "headers", 2, header_buffers, header_size, header_rights);
    enum error error = fake_domain_start(domain);
    assert_true(error == OK || fake_domain_logged(domain, log));
    fake_domain_destroy(domain);
    return error;
}

static void start_without_fitting_pools_says_which(void **state)
{
    (void)state;
    assert_int_equal(start_with(POOL_READ, 16, 2048, POOL_WRITE, 24, 128, ""), OK);
    assert_int_not_equal(start_with(POOL_DMA, 16, 2048, POOL_WRITE, 24, 128, "pool rx"), OK);
    assert_int_not_equal(start_with(POOL_READ, 15, 2048, POOL_WRITE, 24, 128, "pool rx"), OK);
    assert_int_not_equal(start_with(POOL_READ, 16, 1024, POOL_WRITE, 24, 128, "pool rx"), OK);
    assert_int_not_equal(start_with(POOL_READ, 16, 2048, POOL_READ, 24, 128, "pool headers"), OK);
    assert_int_not_equal(start_with(POOL_READ, 16, 2048, POOL_WRITE, 23, 128, "pool headers"), OK);
    assert_int_not_equal(start_with(POOL_READ, 16, 2048, POOL_WRITE, 24, 64, "pool headers"), OK);
}

static void start_with_a_client_without_pools_says_which(void **state)
{
    (void)state;
    world_create(&world, 1);
    fake_domain_connect(world.domain, "sock", 1);
    assert_int_equal(fake_domain_start(world.domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(world.domain, "recv1 and send1"));
    world_destroy(&world);
}

static void start_with_a_receive_pool_to_read_only_is_refused(void **state)
{
    (void)state;
    world_create(&world, 0);
    fake_domain_connect(world.domain, "sock", 0);
    fake_domain_add_pool(world.domain, "recv0", POOL_RECV, 8, 2048, POOL_READ);
    fake_domain_add_pool(world.domain, "send0", POOL_SEND, 8, 2048, POOL_READ);
    assert_int_equal(fake_domain_start(world.domain), ERROR_NO_RIGHT);
    assert_true(fake_domain_logged(world.domain, "recv0"));
    world_destroy(&world);
}

static void start_with_too_many_clients_is_refused(void **state)
{
    (void)state;
    world_create(&world, CLIENTS_MAX);
    fake_domain_connect(world.domain, "sock", CLIENTS_MAX);
    assert_int_equal(fake_domain_start(world.domain), ERROR_LIMIT);
    world_destroy(&world);
}

static void counter_names_are_unique_and_short(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < motet_server_netd.counter_count; i++) {
        assert_in_range(strlen(motet_server_netd.counters[i]), 1, 23);
        for (uint64_t j = 0; j < i; j++)
            assert_string_not_equal(motet_server_netd.counters[i], motet_server_netd.counters[j]);
    }
}

static void state_fits_a_small_machine(void **state)
{
    (void)state;
    assert_in_range(motet_server_netd.state_size, 1, 32 * 1024);
}

/* Link and addresses */

static void the_link_is_logged_once_and_announced(void **state)
{
    (void)state;
    world_create(&world, 0);
    assert_int_equal(fake_domain_start(world.domain), OK);
    world_link_up(&world, 0, 1);
    assert_true(fake_domain_logged(
        world.domain, "net0: 10.0.2.15/24 gateway 10.0.2.2 mac 52:54:00:12:34:56 mtu 1500\n"));
    assert_true(world_pop(&world, &sent));
    uint8_t expected[64];
    build_arp(expected, all_mac, 1, our_mac, OUR_IP, OUR_IP);
    assert_int_equal(sent.length, 42);
    assert_memory_equal(sent.bytes, expected, 42);
    fake_domain_clear_log(world.domain);
    world_link_up(&world, 0, 1);
    assert_string_equal(fake_domain_log(world.domain), "");
    assert_false(world_pop(&world, &sent));
    world_destroy(&world);
}

static void the_driver_gets_all_receive_buffers(void **state)
{
    (void)state;
    world_drain(&world);
    assert_in_range(world.provided_count[0], RX_BUFFERS - RECEIVE_BATCH, RX_BUFFERS);
    assert_int_equal(fake_domain_deadline(world.domain), 0);
}

static void settings_replace_the_defaults(void **state)
{
    (void)state;
    world_create(&world, 0);
    fake_domain_set(world.domain, "net0.ip", "192.0.2.5/28");
    fake_domain_set(world.domain, "net0.gw", "192.0.2.1");
    assert_int_equal(fake_domain_start(world.domain), OK);
    world_link_up(&world, 0, 1);
    assert_true(fake_domain_logged(world.domain, "net0: 192.0.2.5/28 gateway 192.0.2.1 "));
    world_destroy(&world);
}

static void an_address_of_ones_own_has_no_default_gateway(void **state)
{
    (void)state;
    world_create(&world, 0);
    fake_domain_set(world.domain, "net0.ip", "10.0.2.5/24");
    assert_int_equal(fake_domain_start(world.domain), OK);
    world_link_up(&world, 0, 1);
    assert_true(fake_domain_logged(world.domain, "net0: 10.0.2.5/24 gateway 0.0.0.0 "));
    world_destroy(&world);
}

static void a_malformed_address_keeps_the_interface_down(void **state)
{
    (void)state;
    world_create(&world, 0);
    fake_domain_set(world.domain, "net0.ip", "10.0.2.15");
    assert_int_equal(fake_domain_start(world.domain), OK);
    assert_true(fake_domain_logged(world.domain, "net0.ip=10.0.2.15 "));
    world_link_up(&world, 0, 1);
    assert_false(world.netd->interface[0].up);
    assert_int_equal(world_drain(&world), 0);
    assert_int_equal(world.provided_count[0], 0);
    world_destroy(&world);
}

static void a_malformed_gateway_leaves_none(void **state)
{
    (void)state;
    world_create(&world, 0);
    fake_domain_set(world.domain, "net0.gw", "10.0.3.1");
    assert_int_equal(fake_domain_start(world.domain), OK);
    assert_true(fake_domain_logged(world.domain, "net0.gw=10.0.3.1 "));
    assert_int_equal(world.netd->interface[0].gateway, 0);
    assert_int_equal(world.netd->interface[0].address, OUR_IP);
    world_destroy(&world);
}

static void an_interface_without_address_stays_down_and_says_so(void **state)
{
    (void)state;
    world_create(&world, 0);
    assert_int_equal(fake_domain_start(world.domain), OK);
    world_link_up(&world, 0, 2);
    world_link_up(&world, 1, 2);
    assert_true(fake_domain_logged(world.domain, "set net1.ip"));
    assert_false(world.netd->interface[1].up);
    world_destroy(&world);
}

static void a_link_that_goes_down_and_comes_back(void **state)
{
    (void)state;
    struct netdev_link link = {.interfaces = 1, .mtu = 1500};
    memcpy(link.mac, our_mac, 6);
    world_net_message(&world, MESSAGE(NETDEV_LINK, link));
    assert_true(fake_domain_logged(world.domain, "net0: link down"));
    world_rx(&world, frame, build_ping(frame, FAR_IP, 56));
    assert_int_equal(counted("rx_down"), 1);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 0, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("send_unroutable"), 1);
    world_link_up(&world, 0, 1);
    assert_int_equal(world_drain(&world), 1); /* announced again */
    world_rx(&world, frame, build_ping(frame, FAR_IP, 56));
    assert_int_equal(counted("icmp_echo"), 1);
}

static void senseless_links_are_refused(void **state)
{
    (void)state;
    static const struct netdev_link bad[] = {
        {.interface = 1, .interfaces = 1, .mtu = 1500, .up = 1},
        {.interface = 0, .interfaces = 0, .mtu = 1500, .up = 1},
        {.interface = 4, .interfaces = 5, .mtu = 1500, .up = 1},
        {.interface = 0xffff, .interfaces = 0xffff, .mtu = 1500, .up = 1},
        {.interface = 0, .interfaces = 1, .mtu = 575, .up = 1},
        {.interface = 0, .interfaces = 1, .mtu = 1500, .up = 1, .mac = {1}},
    };
    size_t count = sizeof(bad) / sizeof(bad[0]);
    for (size_t i = 0; i < count; i++)
        world_net_message(&world, MESSAGE(NETDEV_LINK, bad[i]));
    assert_int_equal(counted("net_bad_message"), count);
    assert_memory_equal(world.netd->interface[0].mac, our_mac, 6);
}

/* ARP */

static void requests_for_our_address_are_answered(void **state)
{
    (void)state;
    uint8_t expected[64];
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, NEIGHBOUR_IP, OUR_IP));
    assert_true(world_pop(&world, &sent));
    build_arp(expected, neighbour_mac, 2, our_mac, OUR_IP, NEIGHBOUR_IP);
    memcpy(expected + 32, neighbour_mac, 6);
    assert_int_equal(sent.length, 42);
    assert_memory_equal(sent.bytes, expected, 42);
}

static void probes_are_answered_but_not_learned(void **state)
{
    (void)state;
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, 0, OUR_IP));
    assert_true(world_pop(&world, &sent));
    assert_int_equal(load_be16(sent.bytes + 20), ARP_REPLY);
    assert_int_equal(world.netd->arp.entry[1].state, ARP_FREE);
}

static void arp_for_others_is_ignored(void **state)
{
    (void)state;
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, NEIGHBOUR_IP, GATEWAY_IP));
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, FAR_IP, OUR_IP));
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, 0x0a0002ff, OUR_IP));
    assert_false(world_pop(&world, &sent));
    assert_int_equal(counted("arp_others"), 3);
}

static void arp_cut_anywhere_does_nothing(void **state)
{
    (void)state;
    uint32_t length = build_arp(frame, all_mac, 1, neighbour_mac, NEIGHBOUR_IP, OUR_IP);
    for (uint32_t i = 1; i < length; i++)
        world_rx(&world, frame, i);
    assert_int_equal(world_drain(&world), 0);
    assert_int_equal(counted("arp_malformed") + counted("eth_short"), length - 1);
}

static void our_own_packet_looped_back_is_no_conflict(void **state)
{
    (void)state;
    world_rx(&world, frame, build_arp(frame, all_mac, 1, our_mac, OUR_IP, OUR_IP));
    assert_int_equal(counted("arp_conflict"), 0);
    assert_int_equal(world_drain(&world), 0);
}

static void a_conflict_is_logged_and_defended_once_in_ten_seconds(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, OUR_IP, OUR_IP));
    assert_int_equal(counted("arp_conflict"), 100);
    assert_int_equal(counted("arp_requests"), 2); /* at the link's start, and now */
    assert_true(
        fake_domain_logged(world.domain, "net0: our address is also used by 02:00:00:00:00:17"));
    world_drain(&world);
    fake_domain_advance(world.domain, 11000000000);
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, OUR_IP, OUR_IP));
    assert_int_equal(counted("arp_requests"), 3);
}

static void a_datagram_waits_until_its_neighbour_answers(void **state)
{
    (void)state;
    struct sock_datagram answer = answer_to(0, NEIGHBOUR_IP, 4000, 3, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    uint8_t expected[64];
    build_arp(expected, all_mac, 1, our_mac, OUR_IP, NEIGHBOUR_IP);
    assert_memory_equal(sent.bytes, expected, 42);
    assert_false(world_pop(&world, &sent));
    fake_domain_batch_end(world.domain);
    assert_int_not_equal(fake_domain_deadline(world.domain), 0);
    world_check(&world);
    world_rx(&world, frame, build_arp(frame, our_mac, 2, neighbour_mac, NEIGHBOUR_IP, OUR_IP));
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, neighbour_mac, NEIGHBOUR_IP, 17);
    assert_int_equal(fake_domain_deadline(world.domain), 0); /* idle again */
}

static void a_neighbour_that_never_answers_is_asked_three_times(void **state)
{
    (void)state;
    struct sock_datagram answer = answer_to(0, NEIGHBOUR_IP, 4000, 3, 10);
    assert_true(world_send(&world, 0, &answer));
    fake_domain_batch_end(world.domain);
    fake_domain_advance(world.domain, 10000000000);
    uint32_t requests = 0;
    while (world_pop(&world, &sent)) {
        assert_int_equal(load_be16(sent.bytes + 12), ETHERTYPE_ARP);
        requests++;
    }
    assert_int_equal(requests, ARP_REQUESTS);
    assert_int_equal(counted("arp_no_answer"), 1);
    assert_int_equal(counted("arp_waiting_lost"), 1);
    assert_int_equal(fake_domain_deadline(world.domain), 0);
}

static void datagrams_beyond_what_may_wait_are_dropped(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < ARP_WAITING + 5; i++) {
        struct sock_datagram answer = answer_to(0, NEIGHBOUR_IP, 4000, i, 10);
        assert_true(world_send(&world, 0, &answer));
    }
    assert_int_equal(counted("arp_waiting_full"), 5);
    world_check(&world);
}

static void answers_to_many_unknown_neighbours_are_bounded(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 40; i++) {
        struct sock_datagram answer = answer_to(0, 0x0a000240u + i, 4000, i, 10);
        assert_true(world_send(&world, 0, &answer));
    }
    assert_int_equal(counted("arp_full"), 40 - ARP_ASKING_MAX);
    assert_int_equal(counted("arp_requests"), 1 + ARP_ASKING_MAX);
}

static void an_old_entry_is_polled_at_its_address_and_used_meanwhile(void **state)
{
    (void)state;
    fake_domain_advance(world.domain, 2 * ARP_FRESH);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 3, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    assert_memory_equal(sent.bytes, gateway_mac, 6);
    assert_int_equal(load_be16(sent.bytes + 12), ETHERTYPE_ARP);
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 17);
}

static void idle_means_no_deadline(void **state)
{
    (void)state;
    fake_domain_advance(world.domain, 3600ull * 1000000000);
    assert_int_equal(fake_domain_deadline(world.domain), 0);
    assert_int_equal(world_drain(&world), 0);
}

/* Ethernet and IPv4 */

static void frames_for_others_are_dropped(void **state)
{
    (void)state;
    uint32_t length = build_ping(frame, FAR_IP, 56);
    frame[5] ^= 1;
    world_rx(&world, frame, length);
    build_ping(frame, FAR_IP, 56);
    frame[0] = 0x33; /* a group that we aren't in */
    world_rx(&world, frame, length);
    assert_int_equal(counted("eth_others"), 2);
    build_ping(frame, FAR_IP, 56);
    frame[6] |= 1;
    world_rx(&world, frame, length);
    assert_int_equal(counted("eth_bad_source"), 1);
    build_ping(frame, FAR_IP, 56);
    put16(frame + 12, 0x86dd);
    world_rx(&world, frame, length);
    assert_int_equal(counted("eth_unknown"), 1);
    assert_int_equal(world_drain(&world), 0);
}

static void an_ethernet_broadcast_to_our_address_is_dropped(void **state)
{
    (void)state;
    uint32_t length = build_ping(frame, FAR_IP, 56);
    memcpy(frame, all_mac, 6);
    world_rx(&world, frame, length);
    assert_int_equal(counted("ip_others"), 1);
    assert_int_equal(world_drain(&world), 0);
}

static void a_datagram_cut_anywhere_is_never_answered(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    for (uint32_t i = 1; i < length; i++)
        world_rx(&world, frame, i);
    assert_int_equal(world_drain(&world), 0);
    assert_false(world_recv(&world, 0, &datagram));
    assert_int_equal(counted("eth_short") + counted("ip_malformed"), length - 1);
}

static void a_frame_in_several_buffers_is_dropped_whole(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    assert_true(world_rx_flags(&world, 0, frame, length, NETDEV_RX_CONTINUES));
    assert_true(world_rx_flags(&world, 0, frame, length, NETDEV_RX_CONTINUES));
    assert_true(world_rx_flags(&world, 0, frame, length, 0));
    assert_int_equal(counted("rx_split"), 3);
    assert_false(world_recv(&world, 0, &datagram));
    assert_true(world_rx_flags(&world, 0, frame, length, 0));
    assert_true(world_recv(&world, 0, &datagram));
}

static void an_unknown_protocol_gets_an_error(void **state)
{
    (void)state;
    build_ethernet(frame, our_mac, gateway_mac, 0x0800);
    build_ip(frame + 14, FAR_IP, OUR_IP, 132, 20, 0);
    world_rx(&world, frame, 54);
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 1);
    assert_int_equal(sent.bytes[34], 3);
    assert_int_equal(sent.bytes[35], 2);
    assert_memory_equal(sent.bytes + 42, frame + 14, 28);
}

/* Ping */

static void assert_pong(uint32_t data)
{
    uint8_t expected[FRAME_MAX];
    uint32_t length = build_echo(expected, data);
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 1);
    assert_int_equal(sent.length, 34 + length);
    assert_int_equal(plain_sum(0, sent.bytes + 34, length), 0xffff);
    assert_int_equal(sent.bytes[34], 0);
    assert_memory_equal(sent.bytes + 38, expected + 4, length - 4);
}

static void pings_of_every_size_up_to_the_mtu_are_answered(void **state)
{
    (void)state;
    for (uint32_t data = 0; data <= 1472; data += data < 70 ? 1 : 41) {
        world_rx(&world, frame, build_ping(frame, FAR_IP, data));
        assert_pong(data);
    }
    world_rx(&world, frame, build_ping(frame, FAR_IP, 1472));
    assert_pong(1472);
}

static void a_ping_with_options_is_answered(void **state)
{
    (void)state;
    build_ping(frame, FAR_IP, 56);
    memmove(frame + 14 + 60, frame + 34, 64);
    memset(frame + 34, 1, 40);
    frame[14] = 0x4f;
    put16(frame + 16, 60 + 64);
    fix_ip_checksum(frame + 14);
    world_rx(&world, frame, 14 + 60 + 64);
    assert_pong(56);
}

static void a_ping_to_all_is_not_answered(void **state)
{
    (void)state;
    uint32_t length = build_ping(frame, FAR_IP, 56);
    memcpy(frame, all_mac, 6);
    put32(frame + 14 + 16, 0x0a0002ff);
    fix_ip_checksum(frame + 14);
    world_rx(&world, frame, length);
    assert_int_equal(counted("icmp_echo_refused"), 1);
    assert_int_equal(world_drain(&world), 0);
}

static void broken_pings_are_not_answered(void **state)
{
    (void)state;
    uint32_t length = build_ping(frame, FAR_IP, 56);
    frame[60] ^= 1;
    world_rx(&world, frame, length);
    assert_int_equal(counted("icmp_bad_checksum"), 1);
    for (uint32_t bytes = 0; bytes < 8; bytes++) {
        build_ping(frame, FAR_IP, 56);
        build_ip(frame + 14, FAR_IP, OUR_IP, 1, bytes, 0);
        world_rx(&world, frame, 34 + bytes);
    }
    assert_int_equal(counted("icmp_malformed"), 8);
    assert_int_equal(world_drain(&world), 0);
}

static void received_errors_and_replies_are_counted_not_answered(void **state)
{
    (void)state;
    for (int type = 0; type < 256; type++) {
        if (type == 8)
            continue;
        uint32_t length = build_ping(frame, FAR_IP, 56);
        frame[34] = (uint8_t)type;
        put16(frame + 36, 0);
        put16(frame + 36, 0xffffu & ~(uint32_t)plain_sum(0, frame + 34, 64));
        world_rx(&world, frame, length);
    }
    assert_int_equal(counted("icmp_errors_in"), 5);
    assert_int_equal(counted("icmp_ignored"), 250);
    assert_int_equal(world_drain(&world), 0);
}

/* A ping in fragments, as a host with that MTU sends it; the reply is put together by the test. */
static void big_ping(uint32_t data, uint32_t step)
{
    static uint8_t request[65536], reply[65536];
    uint32_t length = build_echo(request, data), got = 0;
    for (uint32_t start = 0; start < length; start += step) {
        uint32_t part = length - start < step ? length - start : step;
        assert_false(world_pop(&world, &sent));
        world_rx(&world, frame, build_fragment(frame, FAR_IP, 1, 77, request, start, part, length));
    }
    uint16_t id = 0;
    while (world_pop(&world, &sent)) {
        assert_ip_frame(&sent, gateway_mac, FAR_IP, 1);
        uint16_t fragment = load_be16(sent.bytes + 20);
        assert_int_equal((fragment & 0x1fff) * 8, got);
        assert_int_equal(got ? load_be16(sent.bytes + 18) : id, id);
        id = load_be16(sent.bytes + 18);
        memcpy(reply + got, sent.bytes + 34, sent.length - 34);
        got += sent.length - 34;
        assert_int_equal(fragment & 0x2000, got < length ? 0x2000 : 0);
        if (!id) /* keep the comparison above honest when the id happens to be 0 */
            id = load_be16(sent.bytes + 18);
    }
    assert_int_equal(got, length);
    assert_int_equal(plain_sum(0, reply, length), 0xffff);
    assert_memory_equal(reply + 4, request + 4, length - 4);
    assert_int_equal(reply[0], 0);
}

static void fragmented_pings_are_answered_in_fragments(void **state)
{
    (void)state;
    big_ping(1473, 1480);
    big_ping(4000, 1480);
    big_ping(8192, 1480);
    big_ping(4000, 552);
    big_ping(1480 * REASSEMBLY_PIECES - 8, 1480);
}

static void a_ping_beyond_the_pieces_is_dropped(void **state)
{
    (void)state;
    static uint8_t request[65536];
    uint32_t length = build_echo(request, 1480 * REASSEMBLY_PIECES);
    for (uint32_t start = 0; start < length; start += 1480) {
        uint32_t part = length - start < 1480 ? length - start : 1480;
        world_rx(&world, frame, build_fragment(frame, FAR_IP, 1, 77, request, start, part, length));
    }
    assert_int_equal(counted("fragment_refused"), 1);
    assert_int_equal(world_drain(&world), 0);
}

static void a_flood_of_pings_leaves_the_driver_half_of_the_buffers(void **state)
{
    (void)state;
    world.keep_transmits = true; /* a driver that sends slowly */
    uint32_t length = build_ping(frame, FAR_IP, 1000);
    for (int i = 0; i < 200; i++)
        world_rx(&world, frame, length);
    world_check(&world);
    assert_in_range(world.provided_count[0], RX_BUFFERS / 2 - RECEIVE_BATCH, RX_BUFFERS / 2);
    assert_int_equal(counted("icmp_echo") + counted("icmp_echo_full"), 200);
    assert_in_range(counted("icmp_echo"), RX_BUFFERS / 2, RX_BUFFERS / 2 + 1);
    /* They come back with their completions. */
    uint32_t done = 0;
    for (uint32_t n = 0; n < TRANSMIT_SLOTS; n++)
        if (world.netd->transmit.slot[n].state == SLOT_SENT) {
            world_tx_done(&world, world.netd->transmit.slot[n].cookie);
            done++;
        }
    assert_int_equal(done, counted("icmp_echo"));
    world_check(&world);
}

static void a_driver_whose_channel_is_full_costs_pings_only(void **state)
{
    (void)state;
    world_drain(&world);
    fake_conn_set_capacity(world.net, 0);
    uint32_t length = build_ping(frame, FAR_IP, 56);
    for (int i = 0; i < 5; i++)
        world_rx(&world, frame, length);
    assert_int_equal(counted("icmp_echo_full"), 5);
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, NEIGHBOUR_IP, OUR_IP));
    assert_int_equal(counted("tx_no_room"), 1);
    fake_conn_set_capacity(world.net, FAKE_QUEUE_MAX);
    world_check(&world);
}

/* UDP in */

static void a_datagram_reaches_its_client(void **state)
{
    (void)state;
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 53, "a query", 7));
    assert_true(world_recv(&world, 0, &datagram));
    assert_int_equal(datagram.socket, 0);
    assert_int_equal(datagram.interface, 0);
    assert_int_equal(datagram.local_port, 53);
    assert_int_equal(datagram.peer_port, 4000);
    uint8_t address[16];
    write_address(address, OUR_IP);
    assert_memory_equal(datagram.local, address, 16);
    write_address(address, FAR_IP);
    assert_memory_equal(datagram.peer, address, 16);
    assert_int_equal(datagram.data.pool, POOL_RECV);
    assert_int_equal(datagram.data.length, 7);
    assert_memory_equal(world_data(&world, datagram.data, 2048), "a query", 7);
    world_recv_done(&world, 0, datagram.data.index);
    assert_int_equal(world.netd->client[0].receive.free_count, CLIENT_BUFFERS);
}

static void an_empty_datagram_is_delivered(void **state)
{
    (void)state;
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 53, "", 0));
    assert_true(world_recv(&world, 0, &datagram));
    assert_int_equal(datagram.data.length, 0);
}

static void a_datagram_to_all_is_answered_from_our_address(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, NEIGHBOUR_IP, 4000, 53, "a query", 7);
    memcpy(frame, all_mac, 6);
    put32(frame + 14 + 16, 0x0a0002ff);
    fix_ip_checksum(frame + 14);
    fix_udp_checksum(frame + 14, 15);
    world_rx(&world, frame, length);
    assert_true(world_recv(&world, 0, &datagram));
    uint8_t address[16];
    write_address(address, OUR_IP);
    assert_memory_equal(datagram.local, address, 16);
}

static void broken_datagrams_are_counted(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    frame[45] ^= 1;
    world_rx(&world, frame, length);
    assert_int_equal(counted("udp_bad_checksum"), 1);
    build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    put16(frame + 14 + 20 + 4, 16);
    world_rx(&world, frame, length);
    assert_int_equal(counted("udp_malformed"), 1);
    assert_false(world_recv(&world, 0, &datagram));
}

static void a_checksum_that_the_device_vouches_for_is_not_looked_at(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    frame[45] ^= 1;
    assert_true(world_rx_flags(&world, 0, frame, length, NETDEV_RX_CSUM_OK));
    assert_true(world_recv(&world, 0, &datagram));
}

static void a_port_that_nobody_bound_gets_an_error(void **state)
{
    (void)state;
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 54, "a query", 7));
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 1);
    assert_int_equal(sent.length, 14 + 20 + 8 + 28);
    assert_int_equal(sent.bytes[34], 3);
    assert_int_equal(sent.bytes[35], 3);
    assert_int_equal(plain_sum(0, sent.bytes + 34, 36), 0xffff);
    assert_memory_equal(sent.bytes + 42, frame + 14, 28);
    assert_int_equal(counted("udp_no_port"), 1);
}

static void a_port_scan_gets_ten_errors(void **state)
{
    (void)state;
    for (uint16_t port = 100; port < 300; port++)
        world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, port, "x", 1));
    assert_int_equal(counted("icmp_errors_out"), 10);
    assert_int_equal(counted("icmp_errors_limited"), 190);
}

static void errors_about_broadcasts_are_not_sent(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, FAR_IP, 4000, 54, "a query", 7);
    memcpy(frame, all_mac, 6);
    put32(frame + 14 + 16, 0xffffffff);
    fix_ip_checksum(frame + 14);
    fix_udp_checksum(frame + 14, 15);
    world_rx(&world, frame, length);
    assert_int_equal(counted("udp_no_port"), 1);
    assert_int_equal(world_drain(&world), 0);
}

static void a_client_that_keeps_all_buffers_loses_the_rest(void **state)
{
    (void)state;
    uint32_t length = build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    for (uint32_t i = 0; i < CLIENT_BUFFERS + 3; i++)
        world_rx(&world, frame, length);
    assert_int_equal(counted("udp_no_buffer"), 3);
    assert_int_equal(counted("udp_received"), CLIENT_BUFFERS);
}

static void a_client_whose_channel_is_full_loses_datagrams_not_buffers(void **state)
{
    (void)state;
    fake_conn_set_capacity(world.client[0], 1);
    uint32_t length = build_udp(frame, FAR_IP, 4000, 53, "a query", 7);
    for (uint32_t i = 0; i < 4; i++)
        world_rx(&world, frame, length);
    assert_int_equal(counted("udp_client_full"), 3);
    assert_int_equal(world.netd->client[0].receive.free_count, CLIENT_BUFFERS - 1);
    fake_conn_set_capacity(world.client[0], FAKE_QUEUE_MAX);
}

static void fragments_of_a_datagram_are_put_together(void **state)
{
    (void)state;
    uint8_t udp[2048];
    uint32_t length = build_udp_payload(udp, FAR_IP, 4000, 53, 1901);
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 800, 800, length));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 1600, 309, length));
    fake_domain_batch_end(world.domain);
    assert_int_not_equal(fake_domain_deadline(world.domain), 0);
    assert_false(world_recv(&world, 0, &datagram));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 0, 800, length));
    assert_true(world_recv(&world, 0, &datagram));
    assert_int_equal(datagram.data.length, 1901);
    assert_memory_equal(world_data(&world, datagram.data, 2048), udp + 8, 1901);
    assert_int_equal(fake_domain_deadline(world.domain), 0);
}

static void a_last_fragment_shorter_than_headers_counts(void **state)
{
    (void)state;
    uint8_t udp[2048];
    uint32_t length = build_udp_payload(udp, FAR_IP, 4000, 53, 793);
    assert_int_equal(length, 801);
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 0, 800, length));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 800, 1, length));
    assert_true(world_recv(&world, 0, &datagram));
    assert_memory_equal(world_data(&world, datagram.data, 2048), udp + 8, 793);
}

static void a_datagram_longer_than_the_clients_buffers_is_dropped(void **state)
{
    (void)state;
    uint8_t udp[4096];
    uint32_t length = build_udp_payload(udp, FAR_IP, 4000, 53, 2049);
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 0, 1480, length));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 1480, 577, length));
    assert_int_equal(counted("reassembled"), 1);
    assert_int_equal(counted("udp_too_long"), 1);
}

static void a_reassembled_datagram_without_port_gets_an_error(void **state)
{
    (void)state;
    uint8_t udp[2048];
    uint32_t length = build_udp_payload(udp, FAR_IP, 4000, 99, 1900);
    uint32_t first = build_fragment(frame, FAR_IP, 17, 5, udp, 0, 800, length);
    uint8_t quote[28];
    memcpy(quote, frame + 14, 28);
    world_rx(&world, frame, first);
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 800, 1108, length));
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 1);
    assert_memory_equal(sent.bytes + 42, quote, 28);
}

static void an_incomplete_datagram_times_out_with_an_error(void **state)
{
    (void)state;
    uint8_t udp[2048];
    uint32_t length = build_udp_payload(udp, FAR_IP, 4000, 53, 1900);
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 0, 800, length));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 6, udp, 800, 800, length));
    world_drain(&world);
    fake_domain_advance(world.domain, 31000000000);
    assert_int_equal(counted("reassembly_timeout"), 2);
    assert_int_equal(counted("icmp_errors_out"), 1); /* only where the first fragment had come */
    bool found = false;
    while (world_pop(&world, &sent))
        if (load_be16(sent.bytes + 12) == ETHERTYPE_IPV4) {
            assert_int_equal(sent.bytes[34], 11);
            assert_int_equal(sent.bytes[35], 1);
            found = true;
        }
    assert_true(found);
}

static void overlapping_fragments_reach_nobody(void **state)
{
    (void)state;
    uint8_t udp[2048];
    uint32_t length = build_udp_payload(udp, FAR_IP, 4000, 53, 1900);
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 0, 800, length));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 792, 808, length));
    world_rx(&world, frame, build_fragment(frame, FAR_IP, 17, 5, udp, 800, 1108, length));
    assert_false(world_recv(&world, 0, &datagram));
    assert_int_equal(counted("fragment_overlap"), 1);
    assert_int_equal(counted("fragment_refused"), 1);
}

static void a_flood_of_fragments_leaves_the_driver_most_buffers(void **state)
{
    (void)state;
    uint8_t udp[2048];
    build_udp_payload(udp, FAR_IP, 4000, 53, 1900);
    for (uint32_t i = 0; i < 1000; i++)
        world_rx(&world, frame,
                 build_fragment(frame, FAR_IP + i % 50, 17, (uint16_t)(i / 50), udp, 8, 8, 1900));
    world_check(&world);
    world_drain(&world);
    assert_in_range(world.netd->reassembly.held, 1, RX_BUFFERS / 4);
    assert_in_range(world.provided_count[0], RX_BUFFERS / 2, RX_BUFFERS);
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 53, "a query", 7));
    assert_true(world_recv(&world, 0, &datagram));
}

/* UDP out */

static void put_data(uint16_t index, uint32_t length)
{
    uint8_t *data = fake_pool_memory(world.domain, POOL_SEND) + index * CLIENT_BUFFER_BYTES;
    for (uint32_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 13 + i / 256);
}

static void an_answer_leaves_without_being_copied(void **state)
{
    (void)state;
    for (uint16_t length = 0; length <= 1472; length = (uint16_t)(length + 1 + length / 8)) {
        put_data(5, length);
        struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, length);
        assert_true(world_send(&world, 0, &answer));
        assert_true(world_pop(&world, &sent));
        assert_ip_frame(&sent, gateway_mac, FAR_IP, 17);
        assert_int_equal(sent.length, 42 + length);
        assert_int_equal(load_be16(sent.bytes + 34), 53);
        assert_int_equal(load_be16(sent.bytes + 36), 4000);
        assert_int_equal(load_be16(sent.bytes + 38), 8 + length);
        assert_int_equal(plain_transport_sum(sent.bytes + 14, 8u + length), 0xffff);
        assert_int_equal(sent.tx.flags, 0);
        assert_int_equal(sent.tx.segments, length ? 2 : 1);
        if (length)
            assert_int_equal(sent.tx.segment[1].pool, POOL_SEND);
        assert_memory_equal(sent.bytes + 42,
                            fake_pool_memory(world.domain, POOL_SEND) + 5 * CLIENT_BUFFER_BYTES,
                            length);
    }
}

static void offload(void)
{
    struct netdev_link link = {.interfaces = 1, .mtu = 1500, .up = 1, .tx_csum = 1};
    memcpy(link.mac, our_mac, 6);
    world_net_message(&world, MESSAGE(NETDEV_LINK, link));
}

static void a_device_completes_the_checksum(void **state)
{
    (void)state;
    offload();
    put_data(5, 100);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 100);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    assert_int_equal(sent.tx.flags, NETDEV_TX_CSUM);
    assert_int_equal(sent.tx.csum_start, 34);
    assert_int_equal(sent.tx.csum_offset, 6);
    /* What a device does. */
    uint32_t sum = plain_sum(0, sent.bytes + 34, sent.length - 34);
    put16(sent.bytes + 40, 0xffffu & ~sum);
    assert_int_equal(plain_transport_sum(sent.bytes + 14, 108), 0xffff);
}

static void a_send_pool_that_is_not_ours_to_read_gets_no_checksum(void **state)
{
    (void)state;
    world_destroy(&world);
    world_create(&world, 0);
    world.client[0] = fake_domain_connect(world.domain, "sock", 0);
    fake_domain_add_pool(world.domain, "recv0", POOL_RECV, CLIENT_BUFFERS, 2048, POOL_WRITE);
    fake_domain_add_pool(world.domain, "send0", POOL_SEND, CLIENT_BUFFERS, CLIENT_BUFFER_BYTES,
                         POOL_DMA);
    world_start(&world);
    put_data(5, 100);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 100);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 17);
    assert_int_equal(load_be16(sent.bytes + 40), 0);
}

static void without_a_gateway_only_neighbours_are_reached(void **state)
{
    (void)state;
    world_destroy(&world);
    world_create(&world, 1);
    fake_domain_set(world.domain, "net0.ip", "10.0.2.15/24");
    world_start(&world);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    assert_true(world_send(&world, 0, &answer));
    memset(answer.local, 0, 16);
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("send_unroutable"), 2);
    world_rx(&world, frame, build_ping(frame, FAR_IP, 10));
    assert_int_equal(counted("icmp_echo_refused"), 1);
    answer = answer_to(0, GATEWAY_IP, 4000, 5, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("udp_sent"), 1);
}

static void buffers_that_could_not_be_provided_are_later(void **state)
{
    (void)state;
    world_create(&world, 0);
    assert_int_equal(fake_domain_start(world.domain), OK);
    fake_conn_set_capacity(world.net, 0);
    world_link_up(&world, 0, 1);
    assert_int_equal(world.netd->receive.free_count, RX_BUFFERS);
    fake_conn_set_capacity(world.net, FAKE_QUEUE_MAX);
    world_drain(&world);
    assert_in_range(world.provided_count[0], RX_BUFFERS - RECEIVE_BATCH, RX_BUFFERS);
    world_destroy(&world);
}

static void no_local_address_lets_the_stack_choose(void **state)
{
    (void)state;
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    memset(answer.local, 0, 16);
    answer.interface = 77; /* not looked at */
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    assert_ip_frame(&sent, gateway_mac, FAR_IP, 17);
}

static void forged_senders_are_refused(void **state)
{
    (void)state;
    struct sock_datagram bad[7];
    for (int i = 0; i < 7; i++)
        bad[i] = answer_to(0, FAR_IP, 4000, (uint16_t)i, 10);
    bad[0].local_port = 54;
    bad[1].socket = 1; /* not bound */
    bad[2].socket = SOCK_PER_CLIENT;
    write_address(bad[3].local, GATEWAY_IP);
    bad[4].interface = 1;
    bad[5].peer_port = 0;
    bad[6].local[0] = 0x20; /* not IPv4 */
    for (int i = 0; i < 7; i++)
        assert_true(world_send(&world, 0, &bad[i]));
    assert_int_equal(counted("send_refused"), 7);
    assert_int_equal(world_drain(&world), 0);
    assert_int_equal(world.netd->client[0].done_count, 7); /* their buffers come back */
}

static void an_unbound_socket_zero_port_is_refused(void **state)
{
    (void)state;
    struct sock_datagram bad = answer_to(0, FAR_IP, 4000, 0, 10);
    bad.socket = 1;
    bad.local_port = 0; /* as the closed socket's own */
    assert_true(world_send(&world, 0, &bad));
    assert_int_equal(counted("send_refused"), 1);
}

static void impossible_destinations_are_refused(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0,          0x7f000001, 0xe0000001, 0xffffffff,
                                   0x0a0002ff, 0x0a000200, OUR_IP};
    size_t count = sizeof(bad) / sizeof(bad[0]);
    for (size_t i = 0; i < count; i++) {
        struct sock_datagram answer = answer_to(0, bad[i], 4000, 0, 10);
        assert_true(world_send(&world, 0, &answer));
        memset(answer.local, 0, 16);
        assert_true(world_send(&world, 0, &answer));
    }
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 0, 10);
    answer.peer[3] = 1;
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("send_unroutable"), 2 * count + 1);
    assert_int_equal(world_drain(&world), 0);
}

static void buffers_of_others_are_refused(void **state)
{
    (void)state;
    struct sock_datagram bad = answer_to(0, FAR_IP, 4000, 0, 10);
    for (uint16_t pool = 0; pool < 40; pool++) {
        bad.data.pool = pool;
        if (pool != POOL_SEND)
            assert_true(world_send(&world, 0, &bad));
    }
    bad = answer_to(0, FAR_IP, 4000, CLIENT_BUFFERS, 10);
    assert_true(world_send(&world, 0, &bad));
    assert_int_equal(counted("send_bad_buffer"), 40);
    assert_int_equal(world.netd->client[0].done_count, 0);
    bad = answer_to(0, FAR_IP, 4000, 1, 10);
    bad.data.offset = CLIENT_BUFFER_BYTES - 9;
    assert_true(world_send(&world, 0, &bad));
    assert_int_equal(counted("send_bad_buffer"), 41);
    assert_int_equal(world.netd->client[0].done_count, 1); /* its own at least: it comes back */
    assert_int_equal(world_drain(&world), 0);
}

static void sends_are_reported_done_in_batches(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < CLIENT_BUFFERS; i++) {
        struct sock_datagram answer = answer_to(0, FAR_IP, 4000, i, 10);
        assert_true(world_send(&world, 0, &answer));
        world_drain(&world);
    }
    fake_domain_batch_end(world.domain);
    while (world_recv(&world, 0, &datagram))
        ;
    assert_in_range(world.sends[0], 0, CLIENT_BUFFERS / 4 - 1);
}

/* Sends one long datagram and puts its fragments together. */
static void long_send(uint32_t length, uint32_t mtu)
{
    static uint8_t got[65536];
    uint32_t bytes = 0, step = (mtu - 20) & ~7u;
    uint8_t ip[20] = {0};
    put_data(5, length);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, (uint16_t)length);
    assert_true(world_send(&world, 0, &answer));
    while (world_pop(&world, &sent)) {
        assert_ip_frame(&sent, gateway_mac, FAR_IP, 17);
        assert_in_range(sent.length, 35, 14 + mtu);
        uint16_t fragment = load_be16(sent.bytes + 20);
        assert_int_equal((fragment & 0x1fff) * 8, bytes);
        if (bytes)
            assert_int_equal(load_be16(sent.bytes + 18), load_be16(ip + 4));
        memcpy(ip, sent.bytes + 14, 20);
        memcpy(got + 20 + bytes, sent.bytes + 34, sent.length - 34);
        bytes += sent.length - 34;
        assert_int_equal(fragment & 0x2000, bytes < 8 + length ? 0x2000 : 0);
        if (fragment & 0x2000)
            assert_int_equal(sent.length - 34, step);
        assert_int_equal(sent.tx.flags, 0);
    }
    assert_int_equal(bytes, 8 + length);
    memcpy(got, ip, 20);
    assert_int_equal(plain_transport_sum(got, bytes), 0xffff);
    assert_memory_equal(
        got + 28, fake_pool_memory(world.domain, POOL_SEND) + 5 * CLIENT_BUFFER_BYTES, length);
    world_check(&world);
    assert_int_equal(world.netd->client[0].sending, 0);
}

static void long_answers_leave_in_fragments(void **state)
{
    (void)state;
    long_send(1473, 1500);
    long_send(2952, 1500);
    long_send(2953, 1500);
    long_send(4096, 1500);
    long_send(8192, 1500);
    offload(); /* a device can't sum over several frames */
    long_send(4096, 1500);
}

static void fragments_follow_the_mtu_and_are_bounded(void **state)
{
    (void)state;
    struct netdev_link link = {.interfaces = 1, .mtu = 576, .up = 1};
    memcpy(link.mac, our_mac, 6);
    world_net_message(&world, MESSAGE(NETDEV_LINK, link));
    world_drain(&world);
    long_send(552 * TRANSMIT_FRAGMENTS - 8, 576);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 552 * TRANSMIT_FRAGMENTS - 7);
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("send_too_long"), 1);
    assert_int_equal(world_drain(&world), 0);
}

static void fragments_wait_for_arp_together(void **state)
{
    (void)state;
    put_data(5, 8192);
    struct sock_datagram answer = answer_to(0, NEIGHBOUR_IP, 4000, 5, 8192);
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(world_drain(&world), 1); /* the ARP request */
    world_check(&world);
    world_rx(&world, frame, build_arp(frame, our_mac, 2, neighbour_mac, NEIGHBOUR_IP, OUR_IP));
    assert_int_equal(world_drain(&world), 6);
    assert_int_equal(world.netd->client[0].sending, 0);
}

static void a_full_driver_channel_holds_sends_back(void **state)
{
    (void)state;
    world_drain(&world);
    fake_conn_set_capacity(world.net, 2);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_send(&world, 0, &answer));
    assert_false(world_send(&world, 0, &answer));
    answer = answer_to(0, FAR_IP, 4000, 6, 4000);
    assert_false(world_send(&world, 0, &answer));
    world_check(&world);
    assert_int_equal(counted("udp_sent"), 2);
    assert_true(world_pop(&world, &sent));
    answer = answer_to(0, FAR_IP, 4000, 5, 10);
    assert_true(world_send(&world, 0, &answer));
    fake_conn_set_capacity(world.net, FAKE_QUEUE_MAX);
}

static void a_driver_that_completes_nothing_holds_sends_back(void **state)
{
    (void)state;
    world.keep_transmits = true;
    uint32_t taken = 0;
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    while (world_send(&world, 0, &answer)) {
        taken++;
        assert_true(world_pop(&world, &sent));
    }
    assert_int_equal(taken, TRANSMIT_SLOTS - TRANSMIT_RESERVED);
    /* The stack still has slots for its own. */
    world_rx(&world, frame, build_arp(frame, all_mac, 1, neighbour_mac, NEIGHBOUR_IP, OUR_IP));
    assert_true(world_pop(&world, &sent));
    world_check(&world);
    for (uint32_t n = 0; n < TRANSMIT_SLOTS; n++)
        if (world.netd->transmit.slot[n].state == SLOT_SENT)
            world_tx_done(&world, world.netd->transmit.slot[n].cookie);
    assert_true(world_send(&world, 0, &answer));
}

static void a_client_that_takes_nothing_is_held_back_alone(void **state)
{
    (void)state;
    world_destroy(&world);
    world_create(&world, 2);
    world_start(&world);
    assert_int_equal(world_bind(&world, 1, 0, 54), OK);
    fake_conn_set_capacity(world.client[0], 0);
    uint32_t taken = 0;
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    while (world_send(&world, 0, &answer)) {
        taken++;
        world_drain(&world);
    }
    assert_int_equal(taken, CLIENT_SENDS_MAX);
    assert_int_equal(world.netd->client[0].done_count, CLIENT_SENDS_MAX);
    answer = answer_to(1, FAR_IP, 4000, 5, 10);
    answer.local_port = 54;
    for (int i = 0; i < 1000; i++) {
        assert_true(world_send(&world, 1, &answer));
        world_drain(&world);
        while (world_recv(&world, 1, &datagram))
            ;
    }
    fake_conn_set_capacity(world.client[0], FAKE_QUEUE_MAX);
}

/* Sockets */

static void bind_checks_what_it_is_given(void **state)
{
    (void)state;
    struct sock_bind bad[] = {
        {SOCK_PER_CLIENT, 17, 99, POOL_RECV}, {1, 6, 99, POOL_RECV},        {1, 17, 0, POOL_RECV},
        {1, 17, 99, POOL_RECV + 1},           {1, 17, 99, POOL_SEND},       {1, 17, 99, POOL_RX},
        {0xffff, 17, 99, POOL_RECV},          {1, 17, 99, POOL_RECV + 256},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct msg m = MESSAGE(SOCK_BIND, bad[i]);
        m.tag = 0x1234567890abcdef;
        assert_true(fake_domain_deliver(world.domain, world.client[0], &m));
        struct msg reply;
        assert_true(fake_conn_pop(world.client[0], &reply));
        assert_int_equal(reply.op, SOCK_BIND);
        assert_int_equal(reply.flags, MSG_REPLY);
        assert_int_equal(reply.status, ERROR_BAD_ARGUMENT);
        assert_true(reply.tag == m.tag);
    }
    assert_int_equal(world_bind(&world, 0, 1, 53), ERROR_OCCUPIED);
    assert_int_equal(world_bind(&world, 0, 0, 53), OK);
    assert_int_equal(world_bind(&world, 0, 1, 99), OK);
}

static void clients_do_not_share_ports_or_pools(void **state)
{
    (void)state;
    world_destroy(&world);
    world_create(&world, 2);
    world_start(&world);
    assert_int_equal(world_bind(&world, 1, 0, 53), ERROR_OCCUPIED);
    assert_int_equal(world_bind(&world, 1, 0, 54), OK);
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 54, "for one", 7));
    assert_false(world_recv(&world, 0, &datagram));
    assert_true(world_recv(&world, 1, &datagram));
    assert_int_equal(datagram.data.pool, POOL_RECV + 1);
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    answer.local_port = 54; /* the other's */
    assert_true(world_send(&world, 0, &answer));
    answer = answer_to(1, FAR_IP, 4000, 5, 10); /* the other's buffers */
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("send_refused"), 1);
    assert_int_equal(counted("send_bad_buffer"), 1);
}

static void a_closed_socket_receives_nothing(void **state)
{
    (void)state;
    struct sock_close close = {.socket = 0};
    for (int i = 0; i < 2; i++) {
        struct msg m = MESSAGE(SOCK_CLOSE, close);
        assert_true(fake_domain_deliver(world.domain, world.client[0], &m));
        assert_int_equal(world_reply(&world, 0, SOCK_CLOSE), OK);
    }
    world_rx(&world, frame, build_udp(frame, FAR_IP, 4000, 53, "a query", 7));
    assert_false(world_recv(&world, 0, &datagram));
    assert_int_equal(counted("udp_no_port"), 1);
    close.socket = SOCK_PER_CLIENT;
    struct msg m = MESSAGE(SOCK_CLOSE, close);
    assert_true(fake_domain_deliver(world.domain, world.client[0], &m));
    assert_int_equal(world_reply(&world, 0, SOCK_CLOSE), ERROR_BAD_ARGUMENT);
}

static void a_request_waits_for_room_to_reply(void **state)
{
    (void)state;
    fake_conn_set_capacity(world.client[0], 0);
    struct sock_bind bind = {1, 17, 99, POOL_RECV};
    struct msg m = MESSAGE(SOCK_BIND, bind);
    assert_false(fake_domain_deliver(world.domain, world.client[0], &m));
    assert_int_equal(sockets_find(&world.netd->sockets, 99), -1);
    fake_conn_set_capacity(world.client[0], FAKE_QUEUE_MAX);
    assert_int_equal(world_bind(&world, 0, 1, 99), OK);
}

/* Several interfaces */

static void an_answer_leaves_by_the_interface_that_was_asked(void **state)
{
    (void)state;
    world_destroy(&world);
    world_create(&world, 1);
    fake_domain_set(world.domain, "net1.ip", "192.0.2.9/24");
    world_start(&world);
    world_link_up(&world, 0, 2);
    world_link_up(&world, 1, 2);
    world_drain(&world);
    uint8_t second_mac[6];
    memcpy(second_mac, our_mac, 6);
    second_mac[5]++;
    /* The first interface's address isn't the second's: strong hosts (RFC 1122, 3.3.4.2). */
    uint32_t length = build_udp(frame, 0xc0000263, 4000, 53, "a query", 7);
    memcpy(frame, second_mac, 6);
    assert_true(world_rx_flags(&world, 1, frame, length, 0));
    assert_int_equal(counted("ip_others"), 1);
    put32(frame + 14 + 16, 0xc0000209);
    fix_ip_checksum(frame + 14);
    fix_udp_checksum(frame + 14, 15);
    assert_true(world_rx_flags(&world, 1, frame, length, 0));
    assert_true(world_recv(&world, 0, &datagram));
    assert_int_equal(datagram.interface, 1);
    assert_int_equal(load_be32(datagram.local + 12), 0xc0000209);
    struct sock_datagram answer = datagram;
    answer.data = (struct buffer_ref){POOL_SEND, 1, 0, 10};
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent)); /* asks for its neighbour there */
    assert_int_equal(sent.tx.interface, 1);
    assert_memory_equal(sent.bytes + 6, second_mac, 6);
    assert_int_equal(load_be32(sent.bytes + 28), 0xc0000209);
    /* Without a local address the neighbour's interface is chosen. */
    memset(answer.local, 0, 16);
    answer.interface = 0;
    assert_true(world_send(&world, 0, &answer));
    assert_int_equal(counted("send_refused") + counted("send_unroutable"), 0);
    assert_int_equal(world.netd->arp.waiting, 2);
}

/* Peers that lie */

static void buffers_that_the_driver_has_not_got_are_refused(void **state)
{
    (void)state;
    world_drain(&world);
    uint16_t index = world.provided[0][0];
    struct netdev_rx bad[] = {
        {.data = {POOL_HEADERS, index, 0, 60}},
        {.data = {POOL_RX, RX_BUFFERS, 0, 60}},
        {.data = {POOL_RX, index, 2000, 60}},
        {.interface = 1, .data = {POOL_RX, index, 0, 60}},
        {.interface = 4, .data = {POOL_RX, index, 0, 60}},
        {.interface = 0xfffe, .data = {POOL_RX, index, 0, 60}},
    };
    size_t count = sizeof(bad) / sizeof(bad[0]);
    for (size_t i = 0; i < count; i++)
        world_net_message(&world, MESSAGE(NETDEV_RX, bad[i]));
    assert_int_equal(counted("rx_bad_buffer"), count);
    assert_int_equal(counted("rx_frames"), 1); /* the fixture's */
    world_check(&world);
}

static void a_buffer_returned_twice_counts_once(void **state)
{
    (void)state;
    world_drain(&world);
    uint16_t index = world.provided[0][--world.provided_count[0]];
    struct netdev_rx rx = {.data = {POOL_RX, index, 0, 60}};
    world_net_message(&world, MESSAGE(NETDEV_RX, rx));
    world_net_message(&world, MESSAGE(NETDEV_RX, rx));
    assert_int_equal(counted("rx_bad_buffer"), 1);
    world_check(&world);
}

static void refused_buffers_are_not_offered_for_ever(void **state)
{
    (void)state;
    uint32_t rounds = 0, refused;
    do {
        world_drain(&world);
        for (refused = 0; world.provided_count[0]; refused++) {
            struct netdev_rx rx = {
                .data = {POOL_RX, world.provided[0][--world.provided_count[0]], 0, 0}};
            world_net_message(&world, MESSAGE(NETDEV_RX, rx));
        }
        assert_in_range(++rounds, 1, 100);
    } while (refused);
    assert_in_range(counted("rx_unused"), RX_BUFFERS, 64 * RX_BUFFERS);
    world_link_up(&world, 0, 1);
    world_drain(&world);
    assert_in_range(world.provided_count[0], RX_BUFFERS - RECEIVE_BATCH, RX_BUFFERS);
}

static void old_and_invented_cookies_change_nothing(void **state)
{
    (void)state;
    world.keep_transmits = true;
    struct sock_datagram answer = answer_to(0, FAR_IP, 4000, 5, 10);
    assert_true(world_send(&world, 0, &answer));
    assert_true(world_pop(&world, &sent));
    uint32_t cookie = sent.tx.cookie;
    for (uint32_t bit = 0; bit < 32; bit++)
        world_tx_done(&world, cookie ^ 1u << bit);
    assert_int_equal(counted("tx_bad_cookie"), 32);
    assert_int_equal(world.netd->client[0].sending, 1);
    world_tx_done(&world, cookie);
    assert_int_equal(world.netd->client[0].sending, 0);
    world_tx_done(&world, cookie);
    assert_int_equal(counted("tx_bad_cookie"), 33);
    assert_true(world_send(&world, 0, &answer));
    world_tx_done(&world, cookie);
    assert_int_equal(world.netd->client[0].sending, 1);
    world_check(&world);
    fake_conn_clear(world.net);
    for (uint32_t n = 0; n < TRANSMIT_SLOTS; n++)
        if (world.netd->transmit.slot[n].state == SLOT_SENT)
            world_tx_done(&world, world.netd->transmit.slot[n].cookie);
}

static void a_done_message_that_claims_too_much_is_refused(void **state)
{
    (void)state;
    struct netdev_tx_done done = {.count = NETDEV_TX_DONE_MAX + 1};
    world_net_message(&world, MESSAGE(NETDEV_TX_DONE, done));
    done.count = 0xffffffff;
    world_net_message(&world, MESSAGE(NETDEV_TX_DONE, done));
    assert_int_equal(counted("net_bad_message"), 2);
    struct sock_done receive_done = {.pool = POOL_RECV, .count = 0xffff};
    struct msg m = MESSAGE(SOCK_RECV_DONE, receive_done);
    assert_true(fake_domain_deliver(world.domain, world.client[0], &m));
    receive_done = (struct sock_done){.pool = POOL_RX, .count = 1};
    m = MESSAGE(SOCK_RECV_DONE, receive_done);
    assert_true(fake_domain_deliver(world.domain, world.client[0], &m));
    assert_int_equal(counted("sock_bad_message"), 2);
}

static void receive_buffers_not_lent_are_not_taken_back(void **state)
{
    (void)state;
    world_recv_done(&world, 0, 3);
    world_recv_done(&world, 0, CLIENT_BUFFERS);
    world_recv_done(&world, 0, 0xffff);
    assert_int_equal(counted("recv_done_bad"), 3);
    assert_int_equal(world.netd->client[0].receive.free_count, CLIENT_BUFFERS);
}

static void unknown_operations_are_counted(void **state)
{
    (void)state;
    for (uint32_t op = 0; op < 100; op++) {
        struct msg m = {.op = (uint16_t)op};
        if (op != NETDEV_LINK && op != NETDEV_RX && op != NETDEV_TX_DONE)
            world_net_message(&world, m);
        if (op > SOCK_SEND_DONE)
            assert_true(fake_domain_deliver(world.domain, world.client[0], &m));
    }
    assert_int_equal(counted("net_bad_message"), 97);
    assert_int_equal(counted("sock_bad_message"), 93);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_asks_for_the_interfaces),
        cmocka_unit_test(a_connection_that_is_full_at_the_start_is_waited_for),
        cmocka_unit_test(start_without_a_driver_says_so),
        cmocka_unit_test(start_without_fitting_pools_says_which),
        cmocka_unit_test(start_with_a_client_without_pools_says_which),
        cmocka_unit_test(start_with_a_receive_pool_to_read_only_is_refused),
        cmocka_unit_test(start_with_too_many_clients_is_refused),
        cmocka_unit_test(counter_names_are_unique_and_short),
        cmocka_unit_test(state_fits_a_small_machine),
        cmocka_unit_test(the_link_is_logged_once_and_announced),
        cmocka_unit_test(settings_replace_the_defaults),
        cmocka_unit_test(an_address_of_ones_own_has_no_default_gateway),
        cmocka_unit_test(a_malformed_address_keeps_the_interface_down),
        cmocka_unit_test(a_malformed_gateway_leaves_none),
        cmocka_unit_test(an_interface_without_address_stays_down_and_says_so),
        TEST(the_driver_gets_all_receive_buffers),
        TEST(a_link_that_goes_down_and_comes_back),
        TEST(senseless_links_are_refused),
        TEST(requests_for_our_address_are_answered),
        TEST(probes_are_answered_but_not_learned),
        TEST(arp_for_others_is_ignored),
        TEST(arp_cut_anywhere_does_nothing),
        TEST(our_own_packet_looped_back_is_no_conflict),
        TEST(a_conflict_is_logged_and_defended_once_in_ten_seconds),
        TEST(a_datagram_waits_until_its_neighbour_answers),
        TEST(a_neighbour_that_never_answers_is_asked_three_times),
        TEST(datagrams_beyond_what_may_wait_are_dropped),
        TEST(answers_to_many_unknown_neighbours_are_bounded),
        TEST(an_old_entry_is_polled_at_its_address_and_used_meanwhile),
        TEST(idle_means_no_deadline),
        TEST(frames_for_others_are_dropped),
        TEST(an_ethernet_broadcast_to_our_address_is_dropped),
        TEST(a_datagram_cut_anywhere_is_never_answered),
        TEST(a_frame_in_several_buffers_is_dropped_whole),
        TEST(an_unknown_protocol_gets_an_error),
        TEST(pings_of_every_size_up_to_the_mtu_are_answered),
        TEST(a_ping_with_options_is_answered),
        TEST(a_ping_to_all_is_not_answered),
        TEST(broken_pings_are_not_answered),
        TEST(received_errors_and_replies_are_counted_not_answered),
        TEST(fragmented_pings_are_answered_in_fragments),
        TEST(a_ping_beyond_the_pieces_is_dropped),
        TEST(a_flood_of_pings_leaves_the_driver_half_of_the_buffers),
        TEST(a_driver_whose_channel_is_full_costs_pings_only),
        TEST(a_datagram_reaches_its_client),
        TEST(an_empty_datagram_is_delivered),
        TEST(a_datagram_to_all_is_answered_from_our_address),
        TEST(broken_datagrams_are_counted),
        TEST(a_checksum_that_the_device_vouches_for_is_not_looked_at),
        TEST(a_port_that_nobody_bound_gets_an_error),
        TEST(a_port_scan_gets_ten_errors),
        TEST(errors_about_broadcasts_are_not_sent),
        TEST(a_client_that_keeps_all_buffers_loses_the_rest),
        TEST(a_client_whose_channel_is_full_loses_datagrams_not_buffers),
        TEST(fragments_of_a_datagram_are_put_together),
        TEST(a_last_fragment_shorter_than_headers_counts),
        TEST(a_datagram_longer_than_the_clients_buffers_is_dropped),
        TEST(a_reassembled_datagram_without_port_gets_an_error),
        TEST(an_incomplete_datagram_times_out_with_an_error),
        TEST(overlapping_fragments_reach_nobody),
        TEST(a_flood_of_fragments_leaves_the_driver_most_buffers),
        TEST(an_answer_leaves_without_being_copied),
        TEST(a_device_completes_the_checksum),
        TEST(a_send_pool_that_is_not_ours_to_read_gets_no_checksum),
        TEST(without_a_gateway_only_neighbours_are_reached),
        cmocka_unit_test(buffers_that_could_not_be_provided_are_later),
        TEST(no_local_address_lets_the_stack_choose),
        TEST(forged_senders_are_refused),
        TEST(an_unbound_socket_zero_port_is_refused),
        TEST(impossible_destinations_are_refused),
        TEST(buffers_of_others_are_refused),
        TEST(sends_are_reported_done_in_batches),
        TEST(long_answers_leave_in_fragments),
        TEST(fragments_follow_the_mtu_and_are_bounded),
        TEST(fragments_wait_for_arp_together),
        TEST(a_full_driver_channel_holds_sends_back),
        TEST(a_driver_that_completes_nothing_holds_sends_back),
        TEST(a_client_that_takes_nothing_is_held_back_alone),
        TEST(bind_checks_what_it_is_given),
        TEST(clients_do_not_share_ports_or_pools),
        TEST(a_closed_socket_receives_nothing),
        TEST(a_request_waits_for_room_to_reply),
        TEST(an_answer_leaves_by_the_interface_that_was_asked),
        TEST(buffers_that_the_driver_has_not_got_are_refused),
        TEST(a_buffer_returned_twice_counts_once),
        TEST(refused_buffers_are_not_offered_for_ever),
        TEST(old_and_invented_cookies_change_nothing),
        TEST(a_done_message_that_claims_too_much_is_refused),
        TEST(receive_buffers_not_lent_are_not_taken_back),
        TEST(unknown_operations_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
