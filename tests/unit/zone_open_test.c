/* SPDX-License-Identifier: ISC
 *
 * Tests of zone_db_open and the checksum: which databases are accepted.
 */
#include "tests/unit/dns_zones.h"

#include "servers/dnsd/zone_checksum.h"

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

/* Opens the database with one word of its header changed. */
static enum error open_with(const struct zones *zones, size_t at, uint32_t value)
{
    uint8_t *copy = malloc(zones->size);
    struct zone_db db;

    memcpy(copy, zones->bytes, zones->size);
    store_le32(copy + at, value);
    enum error error = zone_db_open(&db, copy, zones->size);
    free(copy);
    return error;
}

static void database_opens_with_its_counts(void **state)
{
    struct zones *zones = *state;
    struct zone_node apex;

    assert_int_equal(zones->db.zone_count, 4);
    assert_int_equal(zones->db.record_count, 50);
    assert_true(zones->db.node_count > 20);
    assert_int_equal(zone_db_zone(&zones->db, 0, &apex), ZONE_FOUND);
    assert_memory_equal(apex.name, "\7example\3org", 13);
    assert_int_equal(zone_db_zone(&zones->db, 1, &apex), ZONE_FOUND);
    assert_memory_equal(apex.name, "\5child\7example\3org", 19);
}

static void database_opens_at_any_address(void **state)
{
    struct zones *zones = *state;

    for (size_t shift = 0; shift < 16; shift++) {
        uint8_t *copy = malloc(zones->size + shift);
        struct zones moved = {.size = zones->size};
        memcpy(copy + shift, zones->bytes, zones->size);
        assert_int_equal(zone_db_open(&moved.db, copy + shift, zones->size), OK);
        struct reply *reply = ask(&moved, "mail.example.org.", "A");
        expect_reply(reply, 0, "a", "an|mail.example.org. 300 A 192.0.2.25", NULL);
        free(reply);
        free(copy);
    }
}

static void more_memory_than_the_database_takes_is_fine(void **state)
{
    struct zones *zones = *state;
    uint8_t *copy = calloc(1, zones->size + 4096);
    struct zone_db db;

    memcpy(copy, zones->bytes, zones->size);
    assert_int_equal(zone_db_open(&db, copy, zones->size + 4096), OK);
    free(copy);
}

static void every_shorter_size_is_refused(void **state)
{
    struct zones *zones = *state;
    struct zone_db db;

    for (size_t size = 0; size < zones->size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, zones->bytes, size);
        assert_int_equal(zone_db_open(&db, copy, size), ERROR_BAD_ARGUMENT);
        free(copy);
    }
}

static void other_files_are_refused(void **state)
{
    assert_int_equal(open_with(*state, ZONE_AT_MAGIC, 0), ERROR_BAD_ARGUMENT);
    assert_int_equal(open_with(*state, ZONE_AT_MAGIC + 4, 0), ERROR_BAD_ARGUMENT);
}

static void other_versions_are_refused(void **state)
{
    assert_int_equal(open_with(*state, ZONE_AT_VERSION, 0), ERROR_VERSION);
    assert_int_equal(open_with(*state, ZONE_AT_VERSION, ZONE_VERSION + 1), ERROR_VERSION);
}

static void impossible_sizes_are_refused(void **state)
{
    struct zones *zones = *state;

    assert_int_equal(open_with(zones, ZONE_AT_TOTAL_SIZE, 0), ERROR_BAD_ARGUMENT);
    assert_int_equal(open_with(zones, ZONE_AT_TOTAL_SIZE, ZONE_HEADER_SIZE), ERROR_BAD_ARGUMENT);
    assert_int_equal(open_with(zones, ZONE_AT_TOTAL_SIZE, (uint32_t)zones->size + 1),
                     ERROR_BAD_ARGUMENT);
    assert_int_equal(open_with(zones, ZONE_AT_TOTAL_SIZE, UINT32_MAX), ERROR_BAD_ARGUMENT);
}

static void tables_outside_are_refused(void **state)
{
    struct zones *zones = *state;
    static const size_t fields[] = {ZONE_AT_BUCKET_TABLE, ZONE_AT_BUCKET_COUNT, ZONE_AT_ZONE_TABLE,
                                    ZONE_AT_ZONE_COUNT};

    for (size_t index = 0; index < 4; index++) {
        assert_int_equal(open_with(zones, fields[index], UINT32_MAX), ERROR_BAD_ARGUMENT);
        assert_int_equal(open_with(zones, fields[index], UINT32_MAX / 4), ERROR_BAD_ARGUMENT);
        assert_int_equal(open_with(zones, fields[index], UINT32_MAX / 4 + 1), ERROR_BAD_ARGUMENT);
        assert_int_equal(open_with(zones, fields[index], (uint32_t)zones->size - 7),
                         ERROR_BAD_ARGUMENT);
    }
    assert_int_equal(open_with(zones, ZONE_AT_BUCKET_COUNT, 0), ERROR_BAD_ARGUMENT);
    /* The last entry of the bucket table just leaves the database. */
    uint32_t inside = (uint32_t)(zones->size - ZONE_PADDING - ZONE_HEADER_SIZE) / 4 - 1;
    assert_int_equal(open_with(zones, ZONE_AT_BUCKET_COUNT, inside), OK);
    assert_int_equal(open_with(zones, ZONE_AT_BUCKET_COUNT, inside + 1), ERROR_BAD_ARGUMENT);
}

static void checksum_is_right_and_notices_every_bit(void **state)
{
    struct zones *zones = *state;
    uint64_t checksum = zone_checksum(zones->bytes, zones->size);

    assert_memory_equal(&checksum, zones->bytes + ZONE_AT_CHECKSUM, sizeof checksum);
    for (size_t at = 0; at < zones->size; at++) {
        bool itself = at >= ZONE_AT_CHECKSUM && at < ZONE_AT_CHECKSUM + 8;
        for (unsigned bit = 0; bit < 8; bit++) {
            zones->bytes[at] ^= (uint8_t)(1 << bit);
            assert_int_equal(zone_checksum(zones->bytes, zones->size) == checksum, itself);
            zones->bytes[at] ^= (uint8_t)(1 << bit);
        }
    }
    assert_true(zone_checksum(zones->bytes, zones->size - 1) != checksum);
}

static void database_without_zones_refuses_everything(void **state)
{
    struct zones zones;

    (void)state;
    zones_begin(&zones);
    zones_end(&zones);
    assert_true(zones.good);
    struct reply *reply = ask(&zones, "www.example.org.", "A");
    expect_reply(reply, DNS_REFUSED, "", NULL);
    free(reply);
    zones_free(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(database_opens_with_its_counts),
        cmocka_unit_test(database_opens_at_any_address),
        cmocka_unit_test(more_memory_than_the_database_takes_is_fine),
        cmocka_unit_test(every_shorter_size_is_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(tables_outside_are_refused),
        cmocka_unit_test(checksum_is_right_and_notices_every_bit),
        cmocka_unit_test(database_without_zones_refuses_everything),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
