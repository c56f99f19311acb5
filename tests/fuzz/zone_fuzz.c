/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a compiled zone with any bytes. Opening it may refuse it; if it doesn't, every query
 * ends with an answer within its limit or a server failure, without a stray access.
 */
#include "tests/unit/dns_zones.h"

#include "tests/fuzz/input.h"

enum { LIMIT = 1232, CAPACITY = 1500, CHANGES_MAX = 64 };

static const uint8_t query[] = "\x12\x34\0\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1";

/* The input's changes to a zone that is whole: bytes at places. */
static void change(uint8_t *bytes, size_t size, struct input *input)
{
    for (int i = 0; input->left && i < CHANGES_MAX; i++) {
        size_t at = ((size_t)input_16(input) << 2 | (input_8(input) & 3)) % size;
        input_bytes(input, bytes + at, 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zones whole;
    static bool made;
    struct input input = {data, size};
    struct zone_db db;
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (!made)
        zones_make_every_kind(&whole);
    made = true;
    uint8_t types = input_8(&input);
    size_t bytes = types & 0x80 ? input.left : whole.size;
    uint8_t *zone = malloc(bytes + 1);
    if (types & 0x80)
        memcpy(zone, input.at, bytes);
    else
        memcpy(zone, whole.bytes, bytes), change(zone, bytes, &input);
    if (zone_db_open(&db, zone, bytes) == OK) {
        static const uint8_t asked[] = {1, 2, 5, 6, 15, 16, 28, 255};
        for (size_t i = 0; i < sizeof(asked); i++) {
            struct answer_counters counters = {{0}};
            struct answer_config config = {LIMIT};
            uint8_t ask[sizeof(query) - 1], answer[CAPACITY];
            memcpy(ask, query, sizeof(ask));
            ask[sizeof(ask) - 3] = asked[i];
            size_t length =
                answer_query(&db, &config, &counters, ask, sizeof(ask), answer, sizeof(answer));
            assert_in_range(length, DNS_HEADER_SIZE, LIMIT);
        }
    }
    free(zone);
    return 0;
}
