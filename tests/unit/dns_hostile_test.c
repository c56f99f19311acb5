/* SPDX-License-Identifier: ISC
 *
 * Queries that nobody should send. Whatever comes in, what goes out is a well-formed answer to it
 * or nothing; the sanitizers watch what is read and written.
 */
#include "tests/unit/dns_zones.h"

static int setup(void **state)
{
    struct zones *zones = malloc(sizeof *zones);

    zones_make_every_kind(zones);
    *state = zones;
    return 0;
}

static int teardown(void **state)
{
    zones_free(*state);
    free(*state);
    return 0;
}

static uint64_t counted(const struct answer_counters *counters)
{
    uint64_t sum = 0;

    for (unsigned counter = 0; counter <= ANSWER_COUNT_badvers; counter++)
        sum += counters->count[counter];
    return sum;
}

/* Sends a packet. The answer must be well-formed, within the limit, and counted. */
static void send_packet(const struct zones *zones, const struct packet *packet)
{
    struct answer_counters counters = {{0}};
    struct answer_config config = {.udp_size = 1232};
    static struct reply reply;
    uint8_t *question = malloc(packet->length + 1), *answer = malloc(1500);

    /* One octet in front, so that the query's address is odd. */
    memcpy(question + 1, packet->bytes, packet->length);
    reply.length =
        answer_query(&zones->db, &config, &counters, question + 1, packet->length, answer, 1500);
    memcpy(reply.bytes, answer, reply.length);
    free(question);
    free(answer);
    assert_int_equal(counted(&counters), 1);
    if (reply.length == 0)
        return;
    assert_in_range(reply.length, DNS_HEADER_SIZE, 1232);
    reply_parse(&reply, packet);
    assert_false(reply.ra);
    assert_int_equal(counters.count[ANSWER_COUNT_servfail], 0);
    if (!reply.edns)
        assert_in_range(reply.length, DNS_HEADER_SIZE, 512);
}

static struct packet query_of_kind(unsigned kind, bool edns)
{
    struct packet packet = query_make(every_kind_queries[kind].name, every_kind_queries[kind].type);

    if (edns)
        query_add(&packet, ".", DNS_TYPE_OPT, 1232, 0, "\0\x0a\0\4abcd", 8);
    return packet;
}

static void queries_cut_at_every_octet(void **state)
{
    for (unsigned kind = 0; kind < EVERY_KIND_QUERIES; kind++) {
        struct packet packet = query_of_kind(kind, true);
        for (size_t whole = packet.length; packet.length > 0; packet.length--) {
            send_packet(*state, &packet);
            assert_true(packet.length <= whole);
        }
        send_packet(*state, &packet);
    }
}

static void every_octet_with_every_value(void **state)
{
    for (unsigned kind = 0; kind < EVERY_KIND_QUERIES; kind += 3) {
        struct packet packet = query_of_kind(kind, true);
        for (size_t at = 2; at < packet.length; at++) {
            uint8_t kept = packet.bytes[at];
            for (unsigned value = 0; value < 256; value++) {
                packet.bytes[at] = (uint8_t)value;
                send_packet(*state, &packet);
            }
            packet.bytes[at] = kept;
        }
    }
}

static void several_octets_changed_at_random(void **state)
{
    uint64_t random = 1;

    for (unsigned round = 0; round < 20000; round++) {
        struct packet packet = query_of_kind(random_below(&random, EVERY_KIND_QUERIES), round & 1);
        for (unsigned change = random_below(&random, 6) + 1; change > 0; change--) {
            uint32_t at = random_below(&random, (uint32_t)packet.length);
            packet.bytes[at] = (uint8_t)random_next(&random);
        }
        packet.length -= random_below(&random, 8) == 0;
        send_packet(*state, &packet);
    }
}

static void noise_behind_a_header(void **state)
{
    uint64_t random = 2;

    for (unsigned round = 0; round < 20000; round++) {
        struct packet packet = {{0, 0, 0, 0, 0, 1}, 0};
        packet.length = DNS_HEADER_SIZE + random_below(&random, 300);
        for (size_t at = DNS_HEADER_SIZE; at < packet.length; at++) {
            uint32_t noise = random_next(&random);
            packet.bytes[at] = (uint8_t)(noise & 0x100 ? noise & 3 : noise);
        }
        packet.bytes[7] = (uint8_t)random_below(&random, 2);
        packet.bytes[11] = (uint8_t)random_below(&random, 3);
        send_packet(*state, &packet);
    }
}

static void label_lengths_of_every_value(void **state)
{
    for (unsigned length = 0; length < 256; length++) {
        struct packet packet = {{0, 0, 0, 0, 0, 1}, 600};
        memset(packet.bytes + DNS_HEADER_SIZE, (int)length, 500);
        send_packet(*state, &packet);
    }
}

static void names_of_every_length(void **state)
{
    for (unsigned length = 1; length < 300; length++) {
        struct packet packet = {{0, 0, 0, 0, 0, 1}, DNS_HEADER_SIZE};
        /* Labels of one letter; where the length is even, one of two. */
        for (unsigned left = length - 1; left > 0; left -= left % 2 == 0 ? 2 : 3) {
            unsigned label = left % 2 == 0 ? 1 : 2;
            if (left < label + 1)
                break;
            packet.bytes[packet.length++] = (uint8_t)label;
            for (unsigned letter = 0; letter < label; letter++)
                packet.bytes[packet.length++] = 'x';
        }
        packet.length++;
        memcpy(packet.bytes + packet.length, "\0\1\0\1", 4);
        packet.length += 4;
        send_packet(*state, &packet);
    }
}

static void pointers_in_the_question(void **state)
{
    for (unsigned target = 0; target < 64; target++) {
        struct packet packet = {{0, 0, 0, 0, 0, 1}, DNS_HEADER_SIZE};
        packet.bytes[packet.length++] = 1;
        packet.bytes[packet.length++] = 'a';
        packet.bytes[packet.length++] = 0xc0;
        packet.bytes[packet.length++] = (uint8_t)target;
        memcpy(packet.bytes + packet.length, "\0\1\0\1", 4);
        packet.length += 4;
        send_packet(*state, &packet);
    }
}

static void responses_are_never_answered(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet packet = query_make("mail.example.org.", "A");

    for (unsigned flags = 0x80; flags < 0x100; flags++) {
        packet.bytes[2] = (uint8_t)flags;
        struct reply *reply = reply_get(*state, &packet, 1232, 2048, &counters);
        assert_int_equal(reply->length, 0);
        free(reply);
    }
    assert_int_equal(counters.count[ANSWER_COUNT_dropped_response], 0x80);
    assert_int_equal(counted(&counters), 0x80);
}

static void less_than_a_header_is_never_answered(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet packet = query_make("mail.example.org.", "A");

    for (packet.length = 0; packet.length < DNS_HEADER_SIZE; packet.length++) {
        struct reply *reply = reply_get(*state, &packet, 1232, 2048, &counters);
        assert_int_equal(reply->length, 0);
        free(reply);
    }
    assert_int_equal(counters.count[ANSWER_COUNT_dropped_short], DNS_HEADER_SIZE);
    assert_int_equal(counted(&counters), DNS_HEADER_SIZE);
}

static void broken_query_gets_formerr_without_records(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet packet = query_make("mail.example.org.", "A");

    packet.length -= 3;
    struct reply *reply = reply_get(*state, &packet, 1232, 2048, &counters);
    expect_reply(reply, DNS_FORMERR, "", NULL);
    assert_int_equal(reply->length, DNS_HEADER_SIZE);
    assert_int_equal(counters.count[ANSWER_COUNT_formerr], 1);
    free(reply);
}

static void other_opcode_gets_notimp_without_question(void **state)
{
    struct answer_counters counters = {{0}};
    struct packet packet = query_make("mail.example.org.", "A");

    packet.bytes[2] = 5 << 3;
    struct reply *reply = reply_get(*state, &packet, 1232, 2048, &counters);
    expect_reply(reply, DNS_NOTIMP, "", NULL);
    assert_int_equal(reply->length, DNS_HEADER_SIZE);
    assert_int_equal(counters.count[ANSWER_COUNT_notimp], 1);
    free(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_cut_at_every_octet),
        cmocka_unit_test(every_octet_with_every_value),
        cmocka_unit_test(several_octets_changed_at_random),
        cmocka_unit_test(noise_behind_a_header),
        cmocka_unit_test(label_lengths_of_every_value),
        cmocka_unit_test(names_of_every_length),
        cmocka_unit_test(pointers_in_the_question),
        cmocka_unit_test(responses_are_never_answered),
        cmocka_unit_test(less_than_a_header_is_never_answered),
        cmocka_unit_test(broken_query_gets_formerr_without_records),
        cmocka_unit_test(other_opcode_gets_notimp_without_question),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
