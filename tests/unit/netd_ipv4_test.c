/* SPDX-License-Identifier: ISC
 *
 * servers/netd/ipv4.c, udp.c and icmp.c: headers, checked and built.
 */
#include "tests/unit/netd_fixture.h"

static uint8_t bytes[2048];

static struct interface our_interface(void)
{
    struct interface interface = {.mtu = 1500, .up = true};
    assert_true(interface_set_address(&interface, "10.0.2.15/24"));
    return interface;
}

static void a_good_header_is_read(void **state)
{
    (void)state;
    struct ipv4_header header;
    build_ip(bytes, FAR_IP, OUR_IP, 17, 30, 0);
    assert_int_equal(ipv4_parse(bytes, 50, &header), NO_DROP);
    assert_int_equal(header.source, FAR_IP);
    assert_int_equal(header.destination, OUR_IP);
    assert_int_equal(header.length, 30);
    assert_int_equal(header.header_length, 20);
    assert_int_equal(header.protocol, 17);
    assert_int_equal(header.id, 0x1234);
    assert_int_equal(header.fragment, 0);
}

static void padding_behind_the_datagram_is_cut_off(void **state)
{
    (void)state;
    struct ipv4_header header;
    build_ip(bytes, FAR_IP, OUR_IP, 17, 10, 0);
    assert_int_equal(ipv4_parse(bytes, 46, &header), NO_DROP);
    assert_int_equal(header.length, 10);
}

static void options_are_skipped(void **state)
{
    (void)state;
    struct ipv4_header header;
    for (uint32_t words = 6; words <= 15; words++) {
        build_ip(bytes, FAR_IP, OUR_IP, 17, 30, 0);
        bytes[0] = (uint8_t)(0x40 | words);
        memset(bytes + 20, 1, 40);
        put16(bytes + 2, words * 4 + 30);
        fix_ip_checksum(bytes);
        assert_int_equal(ipv4_parse(bytes, words * 4 + 30, &header), NO_DROP);
        assert_int_equal(header.header_length, words * 4);
        assert_int_equal(header.length, 30);
    }
}

static void every_truncation_is_malformed(void **state)
{
    (void)state;
    struct ipv4_header header;
    build_ip(bytes, FAR_IP, OUR_IP, 17, 30, 0);
    for (size_t length = 0; length < 50; length++)
        assert_int_equal(ipv4_parse(bytes, length, &header), COUNTER_IP_MALFORMED);
}

static void impossible_versions_and_lengths_are_malformed(void **state)
{
    (void)state;
    struct ipv4_header header;
    for (int first = 0; first < 256; first++) {
        build_ip(bytes, FAR_IP, OUR_IP, 17, 0, 0); /* no payload: options don't fit either */
        bytes[0] = (uint8_t)first;
        if (first == 0x45)
            continue;
        assert_int_equal(ipv4_parse(bytes, 20, &header), COUNTER_IP_MALFORMED);
    }
    build_ip(bytes, FAR_IP, OUR_IP, 17, 0, 0);
    put16(bytes + 2, 19);
    fix_ip_checksum(bytes);
    assert_int_equal(ipv4_parse(bytes, 20, &header), COUNTER_IP_MALFORMED);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct ipv4_header header;
    for (int bit = 0; bit < 160; bit++) {
        build_ip(bytes, FAR_IP, OUR_IP, 17, 30, 0);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(ipv4_parse(bytes, 50, &header), NO_DROP);
    }
}

static enum counter accept(uint32_t source, uint32_t destination, bool *broadcast)
{
    struct interface interface = our_interface();
    struct ipv4_header header = {.source = source, .destination = destination};
    return ipv4_accept(&interface, &header, broadcast);
}

static void only_datagrams_for_us_are_accepted(void **state)
{
    (void)state;
    bool broadcast;
    assert_int_equal(accept(FAR_IP, OUR_IP, &broadcast), NO_DROP);
    assert_false(broadcast);
    assert_int_equal(accept(FAR_IP, 0x0a0002ff, &broadcast), NO_DROP);
    assert_true(broadcast);
    assert_int_equal(accept(FAR_IP, 0xffffffff, &broadcast), NO_DROP);
    assert_true(broadcast);
    assert_int_equal(accept(FAR_IP, NEIGHBOUR_IP, &broadcast), COUNTER_IP_OTHERS);
    assert_int_equal(accept(FAR_IP, 0xe0000001, &broadcast), COUNTER_IP_OTHERS);
    assert_int_equal(accept(FAR_IP, 0x7f000001, &broadcast), COUNTER_IP_OTHERS);
    assert_int_equal(accept(FAR_IP, 0, &broadcast), COUNTER_IP_OTHERS);
}

static void martians_are_refused(void **state)
{
    (void)state;
    bool broadcast;
    static const uint32_t bad[] = {0,          0x00010203, 0x7f000001, 0x7fffffff, 0xe0000001,
                                   0xf0000001, 0xffffffff, OUR_IP,     0x0a0002ff};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(accept(bad[i], OUR_IP, &broadcast), COUNTER_IP_BAD_SOURCE);
}

static void a_built_header_is_right(void **state)
{
    (void)state;
    struct ipv4_header from = {.source = OUR_IP,
                               .destination = FAR_IP,
                               .length = 30,
                               .id = 0xfffe,
                               .fragment = 0x2001,
                               .protocol = 17};
    struct ipv4_header to;
    ipv4_build(bytes, &from);
    assert_int_equal(plain_sum(0, bytes, 20), 0xffff);
    assert_int_equal(ipv4_parse(bytes, 50, &to), NO_DROP);
    assert_int_equal(to.source, OUR_IP);
    assert_int_equal(to.destination, FAR_IP);
    assert_int_equal(to.length, 30);
    assert_int_equal(to.id, 0xfffe);
    assert_int_equal(to.fragment, 0x2001);
    assert_int_equal(bytes[8], IPV4_TTL);
}

/* A datagram in one buffer of a pool: header at 0. */
static uint8_t pool_memory[4096];
static const struct pool pool = {.base = pool_memory, .buffers = 2, .buffer_size = 2048};
static struct buffer_ref piece[2];

static struct datagram datagram_in_pool(const uint8_t *ip, uint32_t length)
{
    memcpy(pool_memory, ip, 20 + length);
    piece[0] = (struct buffer_ref){.offset = 20, .length = (uint16_t)length};
    return (struct datagram){.header = ip,
                             .piece = piece,
                             .pieces = 1,
                             .source = load_be32(ip + 12),
                             .destination = load_be32(ip + 16),
                             .length = (uint16_t)length,
                             .header_length = 20,
                             .protocol = ip[9]};
}

static struct datagram udp_datagram(uint8_t *ip, uint32_t length)
{
    build_ip(ip, FAR_IP, OUR_IP, 17, 8 + length, 0);
    build_udp_payload(ip + 20, FAR_IP, 4000, 53, length);
    return datagram_in_pool(ip, 8 + length);
}

static void udp_checksums_of_every_length_hold(void **state)
{
    (void)state;
    struct udp_header header;
    for (uint32_t length = 0; length < 70; length++) {
        struct datagram datagram = udp_datagram(bytes, length);
        assert_int_equal(udp_parse(&datagram, &pool, &header), NO_DROP);
        assert_int_equal(header.source, 4000);
        assert_int_equal(header.destination, 53);
        assert_int_equal(header.length, length);
    }
}

static void udp_flipped_bits_are_noticed_unless_the_device_vouches(void **state)
{
    (void)state;
    struct udp_header header;
    for (int bit = 8 * 8; bit < 8 * 28; bit++) {
        struct datagram datagram = udp_datagram(bytes, 20);
        pool_memory[20 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(udp_parse(&datagram, &pool, &header), COUNTER_UDP_BAD_CHECKSUM);
        datagram.checksum_ok = true;
        assert_int_equal(udp_parse(&datagram, &pool, &header), NO_DROP);
    }
}

static void udp_without_checksum_is_taken(void **state)
{
    (void)state;
    struct udp_header header;
    struct datagram datagram = udp_datagram(bytes, 20);
    put16(bytes + 26, 0);
    pool_memory[30] ^= 1;
    assert_int_equal(udp_parse(&datagram, &pool, &header), NO_DROP);
}

static void udp_impossible_lengths_are_malformed(void **state)
{
    (void)state;
    struct udp_header header;
    for (uint32_t length = 0; length < 8; length++) {
        struct datagram datagram = udp_datagram(bytes, 20);
        datagram.length = (uint16_t)length;
        assert_int_equal(udp_parse(&datagram, &pool, &header), COUNTER_UDP_MALFORMED);
    }
    for (uint32_t claimed = 0; claimed < 65536; claimed++) {
        if (claimed >= 8 && claimed <= 28)
            continue;
        struct datagram datagram = udp_datagram(bytes, 20);
        put16(bytes + 24, claimed);
        assert_int_equal(udp_parse(&datagram, &pool, &header), COUNTER_UDP_MALFORMED);
    }
}

static void udp_shorter_than_its_datagram_is_cut(void **state)
{
    (void)state;
    struct udp_header header;
    struct datagram datagram = udp_datagram(bytes, 12);
    datagram.length = 40; /* padding inside the datagram */
    piece[0].length = 40;
    assert_int_equal(udp_parse(&datagram, &pool, &header), NO_DROP);
    assert_int_equal(header.length, 12);
}

static void built_udp_checksums_are_right_and_never_zero(void **state)
{
    (void)state;
    uint8_t data[64];
    uint32_t zeros = 0;
    for (uint32_t value = 0; value < 65536; value++) {
        struct udp_header header = {53, 4000, 2};
        put16(data, value);
        build_ip(bytes, OUR_IP, FAR_IP, 17, 10, 0);
        uint16_t checksum = udp_checksum(OUR_IP, FAR_IP, &header, data);
        assert_int_not_equal(checksum, 0);
        zeros += checksum == 0xffff;
        udp_build(bytes + 20, &header, checksum);
        memcpy(bytes + 28, data, 2);
        assert_int_equal(plain_transport_sum(bytes, 10), 0xffff);
    }
    assert_in_range(zeros, 1, 2); /* the case was among them */
}

static void pieces_are_summed_and_copied_in_order(void **state)
{
    (void)state;
    struct udp_header header;
    uint8_t copy[100];
    struct datagram datagram = udp_datagram(bytes, 85);
    memcpy(pool_memory + 2048 + 100, pool_memory + 20 + 40, 53);
    memset(pool_memory + 20 + 40, 0xee, 53);
    piece[0].length = 40;
    piece[1] = (struct buffer_ref){.index = 1, .offset = 100, .length = 53};
    datagram.pieces = 2;
    assert_int_equal(udp_parse(&datagram, &pool, &header), NO_DROP);
    datagram_copy(&datagram, &pool, copy, 85);
    assert_memory_equal(copy, bytes + 28, 85);
}

static struct datagram icmp_datagram(uint8_t *ip, uint32_t length)
{
    build_ip(ip, FAR_IP, OUR_IP, 1, 8 + length, 0);
    build_echo(ip + 20, length);
    return datagram_in_pool(ip, 8 + length);
}

static void icmp_checksums_hold_and_break(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 70; length++) {
        struct datagram datagram = icmp_datagram(bytes, length);
        assert_true(icmp_checksum_ok(&datagram, &pool));
    }
    for (int bit = 0; bit < 8 * 28; bit++) {
        struct datagram datagram = icmp_datagram(bytes, 20);
        bytes[20 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        pool_memory[20 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(icmp_checksum_ok(&datagram, &pool));
    }
}

static void an_echo_reply_has_the_right_checksum_for_all_sums(void **state)
{
    (void)state;
    uint8_t message[10];
    for (uint32_t value = 0; value < 65536; value++) {
        build_echo(message, 2);
        put16(message + 4, value);
        put16(message + 2, 0);
        put16(message + 2, 0xffffu & ~(uint32_t)plain_sum(0, message, 10));
        icmp_build_reply(message, message);
        assert_int_equal(message[0], ICMP_ECHO_REPLY);
        assert_int_equal(plain_sum(0, message, 10), 0xffff);
        assert_int_equal(load_be16(message + 4), value);
    }
}

static void an_error_quotes_header_and_eight_bytes(void **state)
{
    (void)state;
    uint8_t error[ICMP_ERROR_MAX];
    struct datagram datagram = udp_datagram(bytes, 20);
    uint32_t length = icmp_build_error(error, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, &datagram);
    assert_int_equal(length, 8 + 20 + 8);
    assert_int_equal(error[0], 3);
    assert_int_equal(error[1], 3);
    assert_int_equal(load_be32(error + 4), 0);
    assert_int_equal(plain_sum(0, error, length), 0xffff);
    assert_memory_equal(error + 8, bytes, 28);
    datagram.length = 3;
    assert_int_equal(icmp_build_error(error, 3, 2, &datagram), 8 + 20 + 3);
}

static void errors_and_broadcasts_deserve_no_error(void **state)
{
    (void)state;
    struct datagram datagram = udp_datagram(bytes, 20);
    assert_true(icmp_deserves_error(&datagram));
    datagram.broadcast = true;
    assert_false(icmp_deserves_error(&datagram));
    datagram = icmp_datagram(bytes, 20);
    for (int type = 0; type < 256; type++) {
        bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        bytes[20] = (uint8_t)type;
        assert_int_equal(icmp_deserves_error(&datagram), !error);
    }
}

static void errors_are_limited_to_ten_and_ten_a_second(void **state)
{
    (void)state;
    struct icmp_limit limit = {0};
    uint64_t now = 5000000000;
    uint32_t allowed = 0;
    for (int i = 0; i < 100; i++)
        allowed += icmp_limit_allows(&limit, now);
    assert_int_equal(allowed, 10);
    for (int i = 0; i < 1000; i++)
        allowed += icmp_limit_allows(&limit, now += 10000000); /* ten seconds */
    assert_in_range(allowed, 108, 111);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_header_is_read),
        cmocka_unit_test(padding_behind_the_datagram_is_cut_off),
        cmocka_unit_test(options_are_skipped),
        cmocka_unit_test(every_truncation_is_malformed),
        cmocka_unit_test(impossible_versions_and_lengths_are_malformed),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(only_datagrams_for_us_are_accepted),
        cmocka_unit_test(martians_are_refused),
        cmocka_unit_test(a_built_header_is_right),
        cmocka_unit_test(udp_checksums_of_every_length_hold),
        cmocka_unit_test(udp_flipped_bits_are_noticed_unless_the_device_vouches),
        cmocka_unit_test(udp_without_checksum_is_taken),
        cmocka_unit_test(udp_impossible_lengths_are_malformed),
        cmocka_unit_test(udp_shorter_than_its_datagram_is_cut),
        cmocka_unit_test(built_udp_checksums_are_right_and_never_zero),
        cmocka_unit_test(pieces_are_summed_and_copied_in_order),
        cmocka_unit_test(icmp_checksums_hold_and_break),
        cmocka_unit_test(an_echo_reply_has_the_right_checksum_for_all_sums),
        cmocka_unit_test(an_error_quotes_header_and_eight_bytes),
        cmocka_unit_test(errors_and_broadcasts_deserve_no_error),
        cmocka_unit_test(errors_are_limited_to_ten_and_ten_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
