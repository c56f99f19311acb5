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

/* Another reader's word on it. */
static void parses(const uint8_t *answer, size_t length)
{
    ldns_pkt *packet = NULL;
    assert_int_equal(ldns_wire2pkt(&packet, answer, length), LDNS_STATUS_OK);
    ldns_pkt_free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct answer_counters counters = {{0}};
    struct answer_config config = {LIMIT};
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
        assert_in_range(length, DNS_HEADER_SIZE, LIMIT);
        assert_memory_equal(answer, data, 2);
        assert_true(answer[2] & 0x80);
        parses(answer, length);
        /* Without an OPT record in the query there is none in the answer, and no more than 512. */
        if (size >= DNS_HEADER_SIZE && !data[10] && !data[11])
            assert_in_range(length, DNS_HEADER_SIZE, LIMIT_PLAIN);
    }
    free(query);
    free(answer);
    return 0;
}
