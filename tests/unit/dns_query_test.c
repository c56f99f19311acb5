/* SPDX-License-Identifier: ISC
 *
 * Tests of servers/dnsd/query.c: what is a well-formed query, and what is wrong with the others.
 */
#include "tests/unit/dns_helper.h"

#include "servers/dnsd/query.h"

/* Parses a copy that ends where the packet does. */
static enum dns_rcode parse(struct query *query, const struct packet *packet)
{
    uint8_t *exact = malloc(packet->length);

    memcpy(exact, packet->bytes, packet->length);
    enum dns_rcode rcode = query_parse(query, exact, packet->length);
    free(exact);
    return rcode;
}

static void plain_query_is_understood(void **state)
{
    struct packet packet = query_make("www.example.org.", "AAAA");
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, &packet), DNS_NOERROR);
    assert_int_equal(query.type, DNS_TYPE_AAAA);
    assert_int_equal(query.class, DNS_CLASS_IN);
    assert_int_equal(query.question_end, packet.length);
    assert_int_equal(query.name.labels, 3);
    assert_false(query.edns);
}

static void opt_record_is_understood(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add(&packet, ".", DNS_TYPE_OPT, 1400, 0x00008000, "\0\x0b\0\2ab\0\3\0\0", 10);
    assert_int_equal(parse(&query, &packet), DNS_NOERROR);
    assert_true(query.edns);
    assert_true(query.dnssec_ok);
    assert_int_equal(query.udp_size, 1400);
    assert_true(query.nsid);
}

static void other_opcodes_are_not_implemented(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    for (unsigned opcode = 1; opcode < 16; opcode++) {
        packet.bytes[2] = (uint8_t)(opcode << 3);
        assert_int_equal(parse(&query, &packet), DNS_NOTIMP);
        assert_int_equal(query.question_end, 0);
    }
}

static void any_number_of_questions_but_one_is_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    for (unsigned count = 0; count < 4; count++) {
        packet.bytes[5] = (uint8_t)count;
        assert_int_equal(parse(&query, &packet), count == 1 ? DNS_NOERROR : DNS_FORMERR);
    }
}

static void edns_is_noticed_without_a_question(void **state)
{
    struct packet packet = {{0}, DNS_HEADER_SIZE};
    struct query query;

    (void)state;
    query_add_opt(&packet, 1232);
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
    assert_true(query.edns);
    assert_int_equal(query.question_end, 0);
}

static void query_cut_anywhere_is_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add(&packet, ".", DNS_TYPE_OPT, 1232, 0, "\0\x0a\0\2ab", 6);
    size_t whole = packet.length;
    for (packet.length = DNS_HEADER_SIZE; packet.length < whole; packet.length++) {
        assert_int_equal(parse(&query, &packet), DNS_FORMERR);
        assert_false(query.edns);
    }
}

static void octets_behind_the_last_record_are_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    packet.length++;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
    packet.length--;
    query_add_opt(&packet, 1232);
    packet.length++;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
}

static void uncounted_opt_record_is_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add_opt(&packet, 1232);
    packet.bytes[11] = 0;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
}

static void second_opt_record_is_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add_opt(&packet, 1232);
    query_add_opt(&packet, 1232);
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
    assert_false(query.edns);
}

static void opt_record_with_an_owner_is_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add(&packet, "a.", DNS_TYPE_OPT, 1232, 0, "", 0);
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
}

static void opt_record_outside_of_additional_data_is_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add_opt(&packet, 1232);
    packet.bytes[11] = 0;
    packet.bytes[7] = 1;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
    packet.bytes[7] = 0;
    packet.bytes[9] = 1;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
}

static void option_that_leaves_its_record_is_refused(void **state)
{
    static const char *const options[] = {"\0",           "\0\x0a",       "\0\x0a\0",
                                          "\0\x0a\0\3ab", "\0\x0a\0\1ab", "\0\x0a\xff\xff??"};
    static const size_t lengths[] = {1, 2, 3, 6, 6, 6};
    struct query query;

    (void)state;
    for (size_t index = 0; index < 6; index++) {
        struct packet packet = query_make("www.example.org.", "A");
        query_add(&packet, ".", DNS_TYPE_OPT, 1232, 0, options[index], lengths[index]);
        assert_int_equal(parse(&query, &packet), DNS_FORMERR);
    }
}

static void other_edns_versions_are_bad(void **state)
{
    struct query query;

    (void)state;
    for (unsigned version = 1; version < 256; version++) {
        struct packet packet = query_make("www.example.org.", "A");
        query_add(&packet, ".", DNS_TYPE_OPT, 1232, version << 16, "what is this", 12);
        assert_int_equal(parse(&query, &packet), DNS_BADVERS);
        assert_true(query.edns);
        assert_int_not_equal(query.question_end, 0);
    }
}

static void other_records_are_skipped(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    query_add(&packet, "a.b.c.", DNS_TYPE_A, DNS_CLASS_IN, 1, "\1\2\3\4", 4);
    query_add_opt(&packet, 1232);
    /* An owner that is a pointer to the question. */
    memcpy(packet.bytes + packet.length, "\xc0\x0c\0\1\0\1\0\0\0\1\0\0", 12);
    packet.length += 12;
    packet.bytes[11]++;
    assert_int_equal(parse(&query, &packet), DNS_NOERROR);
    assert_true(query.edns);
}

static void huge_record_counts_end_with_the_packet(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    memset(packet.bytes + 6, 0xff, 6);
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
}

static void other_classes_are_refused(void **state)
{
    struct packet packet = query_make("www.example.org.", "A");
    struct query query;

    (void)state;
    for (unsigned class = 0; class < 512; class ++) {
        bool ours = class == DNS_CLASS_IN || class == DNS_CLASS_CH || class == DNS_CLASS_ANY;
        store_be16(packet.bytes + packet.length - 2, class);
        assert_int_equal(parse(&query, &packet), ours ? DNS_NOERROR : DNS_REFUSED);
    }
}

static void pointer_in_the_question_is_refused(void **state)
{
    struct packet packet = {{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1}, 18};
    struct query query;

    (void)state;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
    packet.bytes[13] = 0;
    assert_int_equal(parse(&query, &packet), DNS_FORMERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_query_is_understood),
        cmocka_unit_test(opt_record_is_understood),
        cmocka_unit_test(other_opcodes_are_not_implemented),
        cmocka_unit_test(any_number_of_questions_but_one_is_refused),
        cmocka_unit_test(edns_is_noticed_without_a_question),
        cmocka_unit_test(query_cut_anywhere_is_refused),
        cmocka_unit_test(octets_behind_the_last_record_are_refused),
        cmocka_unit_test(uncounted_opt_record_is_refused),
        cmocka_unit_test(second_opt_record_is_refused),
        cmocka_unit_test(opt_record_with_an_owner_is_refused),
        cmocka_unit_test(opt_record_outside_of_additional_data_is_refused),
        cmocka_unit_test(option_that_leaves_its_record_is_refused),
        cmocka_unit_test(other_edns_versions_are_bad),
        cmocka_unit_test(other_records_are_skipped),
        cmocka_unit_test(huge_record_counts_end_with_the_packet),
        cmocka_unit_test(other_classes_are_refused),
        cmocka_unit_test(pointer_in_the_question_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
