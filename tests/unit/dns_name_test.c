/* SPDX-License-Identifier: ISC
 *
 * Tests of servers/dnsd/name.c.
 */
#include "tests/unit/dns_helper.h"

/* Parses octets from a buffer that ends where `available` says. */
static size_t parse(struct dns_name *name, const void *wire, size_t available)
{
    static uint8_t kept[512];
    uint8_t *exact = malloc(available + 1);

    memcpy(exact + 1, wire, available);
    size_t length = name_parse(name, exact + 1, available);
    free(exact);
    memcpy(kept, wire, available);
    name->wire = kept;
    return length;
}

static void root_has_one_octet_and_no_labels(void **state)
{
    struct dns_name name;

    (void)state;
    assert_int_equal(parse(&name, "", 1), 1);
    assert_int_equal(name.length, 1);
    assert_int_equal(name.labels, 0);
    assert_int_equal(name.label_at[0], 0);
}

static void labels_are_found_and_folded(void **state)
{
    struct dns_name name;

    (void)state;
    assert_int_equal(parse(&name, "\3WwW\7eXample\3oRG\0rest", 22), 17);
    assert_int_equal(name.labels, 3);
    assert_int_equal(name.label_at[0], 0);
    assert_int_equal(name.label_at[1], 4);
    assert_int_equal(name.label_at[2], 12);
    assert_int_equal(name.label_at[3], 16);
    assert_memory_equal(name.folded, "\3www\7example\3org", 17);
    assert_int_equal(name_suffix_length(&name, 1), 13);
}

static void only_ascii_letters_are_folded(void **state)
{
    struct dns_name name;
    uint8_t wire[64 + 64 + 64 + 64 + 64 + 1];
    unsigned octet = 0;

    (void)state;
    /* Every octet value there is, in two names of 128 octets each. */
    for (unsigned half = 0; half < 2; half++) {
        size_t at = 0;
        for (unsigned label = 0; label < 4; label++) {
            wire[at++] = 32;
            for (unsigned index = 0; index < 32; index++)
                wire[at++] = (uint8_t)octet++;
        }
        wire[at++] = 0;
        assert_int_equal(parse(&name, wire, at), at);
        for (size_t index = 0; index < at; index++) {
            bool upper = wire[index] >= 'A' && wire[index] <= 'Z';
            assert_int_equal(name.folded[index], upper ? wire[index] + 32 : wire[index]);
            assert_int_equal(name_fold(wire[index]), name.folded[index]);
        }
    }
}

static void folding_is_right_for_every_length(void **state)
{
    struct dns_name name;

    (void)state;
    for (uint8_t length = 1; length <= 63; length++) {
        uint8_t wire[65] = {length};
        memset(wire + 1, 'Q', length);
        assert_int_equal(parse(&name, wire, length + 2u), length + 2);
        for (uint8_t index = 1; index <= length; index++)
            assert_int_equal(name.folded[index], 'q');
        assert_int_equal(name.folded[length + 1], 0);
    }
}

static void a_name_of_255_octets_is_the_longest(void **state)
{
    struct dns_name name;
    uint8_t wire[300] = {0};

    (void)state;
    for (size_t label = 0; label < 4; label++)
        wire[64 * label] = 63;
    wire[192] = 61;
    assert_int_equal(parse(&name, wire, 300), 255);
    wire[192] = 62;
    assert_int_equal(parse(&name, wire, 300), 0);
}

static void a_name_of_127_labels_is_the_longest(void **state)
{
    struct dns_name name;
    uint8_t wire[300];

    (void)state;
    memset(wire, 1, sizeof wire);
    wire[254] = 0;
    assert_int_equal(parse(&name, wire, 300), 255);
    assert_int_equal(name.labels, 127);
    wire[254] = 1;
    wire[256] = 0;
    assert_int_equal(parse(&name, wire, 300), 0);
}

static void pointers_and_reserved_labels_are_refused(void **state)
{
    struct dns_name name;

    (void)state;
    assert_int_equal(parse(&name, "\xc0\x0c", 2), 0);
    assert_int_equal(parse(&name, "\3www\xc0\x0c", 6), 0);
    for (unsigned label = 64; label < 256; label++) {
        uint8_t wire[300] = {(uint8_t)label};
        assert_int_equal(parse(&name, wire, 300), 0);
    }
}

static void a_name_cut_anywhere_is_refused(void **state)
{
    struct dns_name name;

    (void)state;
    for (size_t length = 0; length < 17; length++)
        assert_int_equal(parse(&name, "\3www\7example\3org", length), 0);
}

static void hashes_depend_on_every_octet_length_and_seed(void **state)
{
    uint8_t octets[64 + NAME_WORD] = {0};

    (void)state;
    for (size_t length = 1; length <= 64; length++) {
        uint32_t hash = name_hash(octets, length, 1);
        assert_int_not_equal(hash, name_hash(octets, length, 2));
        for (size_t at = 0; at < length; at++) {
            octets[at] ^= 0x10;
            assert_int_not_equal(hash, name_hash(octets, length, 1));
            octets[at] ^= 0x10;
        }
    }
}

static void hashes_ignore_what_is_behind(void **state)
{
    uint8_t octets[32] = "abcdefghijklmnopqrstuvwxyz";

    (void)state;
    for (size_t length = 1; length <= 16; length++) {
        uint8_t other[32];
        memset(other, 0xff, sizeof other);
        memcpy(other, octets, length);
        assert_int_equal(name_hash(octets, length, 7), name_hash(other, length, 7));
    }
}

static void octets_are_compared_exactly(void **state)
{
    uint8_t left[64], right[64];

    (void)state;
    for (size_t length = 0; length <= 40; length++) {
        memset(left, 'a', sizeof left);
        memset(right, 'b', sizeof right);
        memset(right, 'a', length);
        assert_true(name_octets_equal(left, right, length));
        for (size_t at = 0; at < length; at++) {
            right[at] = 'x';
            assert_false(name_octets_equal(left, right, length));
            right[at] = 'a';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_has_one_octet_and_no_labels),
        cmocka_unit_test(labels_are_found_and_folded),
        cmocka_unit_test(only_ascii_letters_are_folded),
        cmocka_unit_test(folding_is_right_for_every_length),
        cmocka_unit_test(a_name_of_255_octets_is_the_longest),
        cmocka_unit_test(a_name_of_127_labels_is_the_longest),
        cmocka_unit_test(pointers_and_reserved_labels_are_refused),
        cmocka_unit_test(a_name_cut_anywhere_is_refused),
        cmocka_unit_test(hashes_depend_on_every_octet_length_and_seed),
        cmocka_unit_test(hashes_ignore_what_is_behind),
        cmocka_unit_test(octets_are_compared_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
