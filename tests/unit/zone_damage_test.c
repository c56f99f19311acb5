/* SPDX-License-Identifier: ISC
 *
 * Damaged zone databases: dnsd may answer wrongly or SERVFAIL, but never reads outside of the
 * database (it lies in a block of exactly its size, under AddressSanitizer), never hangs, and never
 * sends more than the limit.
 */
#include "tests/unit/dns_zones.h"

#include <unistd.h>

enum { HANG_SECONDS = 100 };

static int setup(void **state)
{
    struct zones *zones = malloc(sizeof *zones);

    alarm(HANG_SECONDS);
    zones_make_every_kind(zones);
    *state = zones;
    return 0;
}

static int teardown(void **state)
{
    zones_free(*state);
    free(*state);
    alarm(0);
    return 0;
}

/* Asks everything there is to ask; returns how many answers were SERVFAIL. */
static unsigned ask_all(const struct zone_db *db)
{
    struct answer_counters counters = {{0}};
    struct answer_config config = {.udp_size = 1232};
    uint8_t answer[2048];

    for (unsigned kind = 0; kind < EVERY_KIND_QUERIES; kind++) {
        struct packet query =
            query_make(every_kind_queries[kind].name, every_kind_queries[kind].type);
        query_add(&query, ".", DNS_TYPE_OPT, 1232, 0x8000, "", 0); /* DO */
        size_t length =
            answer_query(db, &config, &counters, query.bytes, query.length, answer, sizeof answer);
        assert_in_range(length, DNS_HEADER_SIZE + DNS_OPT_SIZE, 1232);
    }
    assert_int_equal(counters.count[ANSWER_COUNT_servfail],
                     counters.count[ANSWER_COUNT_database_damaged]);
    return (unsigned)counters.count[ANSWER_COUNT_servfail];
}

/* Opens the block and asks, if it can be opened. */
static unsigned try_database(const uint8_t *bytes, size_t size)
{
    struct zone_db db;
    struct zone_node apex;

    if (zone_db_open(&db, bytes, size) != OK)
        return 0;
    for (uint32_t zone = 0; zone < db.zone_count && zone < 100; zone++)
        zone_db_zone(&db, zone, &apex);
    return ask_all(&db);
}

static void whole_database_answers_everything(void **state)
{
    struct zones *zones = *state;

    assert_int_equal(try_database(zones->bytes, zones->size), 0);
}

static void every_octet_changed(void **state)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    struct zones *zones = *state;
    unsigned failures = 0;

    for (size_t at = 0; at < zones->size; at++) {
        for (size_t mask = 0; mask < sizeof masks; mask++) {
            zones->bytes[at] ^= masks[mask];
            failures += try_database(zones->bytes, zones->size);
            zones->bytes[at] ^= masks[mask];
        }
    }
    /* The checks are reached, so they are tested. */
    assert_in_range(failures, 100, 1000000);
}

static void octets_changed_at_random(void **state)
{
    struct zones *zones = *state;
    uint8_t *copy = malloc(zones->size);

    for (uint64_t seed = 1; seed <= 10000; seed++) {
        uint64_t random = seed;
        memcpy(copy, zones->bytes, zones->size);
        for (uint32_t change = 1u << random_below(&random, 8); change > 0; change--) {
            uint32_t at = random_below(&random, (uint32_t)zones->size);
            /* The first words decide whether it opens at all. */
            if (at >= ZONE_AT_CHECKSUM)
                copy[at] = (uint8_t)random_next(&random);
        }
        try_database(copy, zones->size);
    }
    free(copy);
}

static void words_changed_to_other_offsets(void **state)
{
    struct zones *zones = *state;
    uint8_t *copy = malloc(zones->size);

    /* Offsets that look right are the worst: rings of parents, buckets that overlap. */
    for (uint64_t seed = 1; seed <= 10000; seed++) {
        uint64_t random = seed;
        memcpy(copy, zones->bytes, zones->size);
        for (uint32_t change = random_below(&random, 20) + 1; change > 0; change--) {
            uint32_t from = random_below(&random, (uint32_t)zones->store.node_count);
            uint32_t to = random_below(&random, (uint32_t)zones->store.node_count);
            uint32_t field = random_below(&random, 2);
            uint8_t *word = copy + zones->store.nodes[from].offset + ZONE_NODE_PARENT;
            if (field == 1)
                word = copy + zones->db.bucket_table + from % zones->db.bucket_count * 4;
            store_le32(word, zones->store.nodes[to].offset);
        }
        try_database(copy, zones->size);
    }
    free(copy);
}

static void every_node_is_its_own_parent(void **state)
{
    struct zones *zones = *state;

    for (size_t index = 0; index < zones->store.node_count; index++) {
        uint8_t *word = zones->bytes + zones->store.nodes[index].offset + ZONE_NODE_PARENT;
        uint32_t kept = load_le32(word);
        store_le32(word, zones->store.nodes[index].offset);
        try_database(zones->bytes, zones->size);
        store_le32(word, kept);
    }
}

static void zone_without_soa_is_servfail(void **state)
{
    struct zones *zones = *state;
    struct answer_counters counters = {{0}};
    struct packet query = query_make("nothing.example.org.", "A");
    uint8_t *apex = zones->bytes + zones->store.nodes[0].offset;

    /* Its NS and SOA RRsets become one that nobody asks for. */
    uint8_t *name_end = apex + ZONE_NODE_NAME + apex[ZONE_NODE_NAME_LENGTH];
    uint16_t size = load_le16(name_end);
    name_end[size + ZONE_RRSET_TYPE] ^= 0x40;
    struct reply *reply = reply_get(zones, &query, 1232, 2048, &counters);
    expect_reply(reply, DNS_SERVFAIL, "", NULL);
    assert_int_equal(counters.count[ANSWER_COUNT_servfail], 1);
    assert_int_equal(counters.count[ANSWER_COUNT_database_damaged], 1);
    name_end[size + ZONE_RRSET_TYPE] ^= 0x40;
    free(reply);
}

static void record_that_leaves_its_set_is_servfail(void **state)
{
    struct zones *zones = *state;
    struct answer_counters counters = {{0}};
    struct packet query = query_make("mail.example.org.", "A");
    uint8_t *address = memmem(zones->bytes, zones->size, "\0\4\xc0\0\2\x19", 6);

    assert_non_null(address);
    address[1] = 5;
    struct reply *reply = reply_get(zones, &query, 1232, 2048, &counters);
    expect_reply(reply, DNS_SERVFAIL, "", NULL);
    assert_int_equal(reply->questions, 1);
    address[1] = 4;
    free(reply);
}

static void bucket_without_end_is_bounded(void **state)
{
    struct zones zones;
    char *text = calloc(1, 1 << 17), *out = text;

    (void)state;
    out += sprintf(out, "@ 300 SOA ns admin 7 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n");
    for (int index = 0; index < 1000; index++)
        out += sprintf(out, "h%d 300 A 10.0.0.1\n", index);
    zones_make(&zones, "test", text);
    free(text);
    /* Every bucket now reaches from the first node to the last. */
    uint8_t *table = zones.bytes + zones.db.bucket_table;
    for (uint32_t bucket = 0; bucket <= zones.db.bucket_count; bucket++)
        store_le32(table + bucket * 4,
                   load_le32(table + (bucket % 2 ? zones.db.bucket_count * 4 : 0)));
    struct reply *reply = ask(&zones, "nothing.test.", "A");
    assert_true(reply->rcode == DNS_SERVFAIL || reply->rcode == DNS_REFUSED);
    free(reply);
    zones_free(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_database_answers_everything),
        cmocka_unit_test(every_octet_changed),
        cmocka_unit_test(octets_changed_at_random),
        cmocka_unit_test(words_changed_to_other_offsets),
        cmocka_unit_test(every_node_is_its_own_parent),
        cmocka_unit_test(zone_without_soa_is_servfail),
        cmocka_unit_test(record_that_leaves_its_set_is_servfail),
        cmocka_unit_test(bucket_without_end_is_bounded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
