/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: DNS queries. The input is a query of its own, asked of zones with every kind of
 * data. Whatever it is, what goes out is nothing or a well-formed answer to it that is no larger
 * than its limit, and exactly one counter says which.
 */
#include "tests/unit/dns_zones.h"

#include <ldns/ldns.h>

#include "tests/fuzz/input.h"

enum { LIMIT = 1232, LIMIT_PLAIN = 512, CAPACITY = 1500 };

static struct zones zones;

static uint64_t counted(const struct answer_counters *counters)
{
    uint64_t sum = 0;
    for (unsigned counter = 0; counter <= ANSWER_COUNT_badvers; counter++)
        sum += counters->count[counter];
    return sum;
}

static void expect_same_records(ldns_rr_list *left, ldns_rr_list *right)
{
    assert_int_equal(ldns_rr_list_rr_count(left), ldns_rr_list_rr_count(right));
    for (size_t i = 0; i < ldns_rr_list_rr_count(left); i++) {
        ldns_rr *a = ldns_rr_list_rr(left, i), *b = ldns_rr_list_rr(right, i);
        assert_int_equal(ldns_rr_compare(a, b), 0);
        assert_int_equal(ldns_rr_ttl(a), ldns_rr_ttl(b));
    }
}

/* Another reader's word on it: it parses, and written again, compressed in another way, it parses
 * to the same. */
static void parses(const uint8_t *answer, size_t length)
{
    ldns_pkt *packet = NULL, *again = NULL;
    uint8_t *written = NULL;
    size_t size = 0;
    assert_int_equal(ldns_wire2pkt(&packet, answer, length), LDNS_STATUS_OK);
    assert_int_equal(ldns_pkt2wire(&written, packet, &size), LDNS_STATUS_OK);
    assert_int_equal(ldns_wire2pkt(&again, written, size), LDNS_STATUS_OK);
    assert_memory_equal(answer, written, DNS_HEADER_SIZE - 2); /* all but the OPT record's count */
    expect_same_records(ldns_pkt_question(packet), ldns_pkt_question(again));
    expect_same_records(ldns_pkt_answer(packet), ldns_pkt_answer(again));
    expect_same_records(ldns_pkt_authority(packet), ldns_pkt_authority(again));
    expect_same_records(ldns_pkt_additional(packet), ldns_pkt_additional(again));
    assert_int_equal(ldns_pkt_edns_udp_size(packet), ldns_pkt_edns_udp_size(again));
    assert_int_equal(ldns_pkt_edns_do(packet), ldns_pkt_edns_do(again));
    free(written);
    ldns_pkt_free(packet);
    ldns_pkt_free(again);
}

/* Octets that the answer to a query may have (RFC 6891 6.2.3): what it says itself, if another
 * reader understands it. */
static size_t limit_of(const uint8_t *query, size_t length)
{
    ldns_pkt *packet = NULL;
    size_t limit = LIMIT;
    if (length < DNS_HEADER_SIZE || (!query[10] && !query[11]))
        return LIMIT_PLAIN;
    if (ldns_wire2pkt(&packet, query, length) != LDNS_STATUS_OK)
        return LIMIT;
    if (!ldns_pkt_edns(packet))
        limit = LIMIT_PLAIN;
    else if (ldns_pkt_edns_udp_size(packet) < LIMIT)
        limit = ldns_pkt_edns_udp_size(packet);
    ldns_pkt_free(packet);
    return limit < LIMIT_PLAIN ? LIMIT_PLAIN : limit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct answer_counters counters = {{0}};
    struct answer_config config = {.udp_size = LIMIT};
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (!made)
        zones_make_every_kind(&zones);
    made = true;
    /* Allocated, so that the sanitizer sees every octet beyond; at an odd address. */
    uint8_t *query = malloc(size + 1), *answer = malloc(CAPACITY);
    memcpy(query + 1, data, size);
    size_t length = answer_query(&zones.db, &config, &counters, query + 1, size, answer, CAPACITY);
    assert_int_equal(counted(&counters), 1);
    assert_int_equal(counters.count[ANSWER_COUNT_database_damaged], 0);
    if (length) {
        assert_in_range(length, DNS_HEADER_SIZE, limit_of(data, size));
        assert_memory_equal(answer, data, 2);
        assert_true(answer[2] & 0x80);
        parses(answer, length);
    }
    free(query);
    free(answer);
    return 0;
}
