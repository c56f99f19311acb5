/* SPDX-License-Identifier: ISC
 *
 * servers/netd/checksum.c against the slow way.
 */
#include "servers/netd/checksum.h"
#include "tests/unit/netd_fixture.h"

static void example_of_rfc_1071(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t sum[2];
    checksum_store(sum, checksum_fold(checksum_add(0, bytes, sizeof(bytes))));
    assert_int_equal(load_be16(sum), 0xddf2);
}

static void every_length_and_alignment(void **state)
{
    (void)state;
    uint8_t bytes[300], sum[2];
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 151 + 17);
    for (uint32_t start = 0; start < 9; start++)
        for (uint32_t length = 0; length < 290; length++) {
            checksum_store(sum, checksum_fold(checksum_add(0, bytes + start, length)));
            assert_int_equal(load_be16(sum), plain_sum(0, bytes + start, length));
        }
}

static void carries_are_not_lost(void **state)
{
    (void)state;
    uint8_t bytes[256], sum[2];
    memset(bytes, 0xff, sizeof(bytes));
    uint64_t total = 0;
    for (int i = 0; i < 1000; i++)
        total = checksum_add(total, bytes, sizeof(bytes));
    checksum_store(sum, checksum_fold(total));
    assert_int_equal(load_be16(sum), 0xffff);
    assert_int_equal(checksum_fold(UINT64_MAX), 0xffff);
    assert_int_equal(checksum_fold(0), 0);
}

static void parts_add_up(void **state)
{
    (void)state;
    uint8_t bytes[101];
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(255 - i * 3);
    for (uint32_t cut = 0; cut <= sizeof(bytes); cut += 2) {
        uint64_t sum = checksum_add(0, bytes, cut);
        sum = checksum_add(sum, bytes + cut, sizeof(bytes) - cut);
        assert_int_equal(checksum_fold(sum), checksum_fold(checksum_add(0, bytes, sizeof(bytes))));
    }
}

static void the_pseudo_header_counts(void **state)
{
    (void)state;
    uint8_t ip[28];
    build_ip(ip, OUR_IP, FAR_IP, 17, 8, 0);
    memset(ip + 20, 0, 8);
    uint8_t sum[2];
    checksum_store(sum, checksum_fold(checksum_pseudo(OUR_IP, FAR_IP, 17, 8)));
    assert_int_equal(load_be16(sum), plain_transport_sum(ip, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_1071),      cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(carries_are_not_lost),     cmocka_unit_test(parts_add_up),
        cmocka_unit_test(the_pseudo_header_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
