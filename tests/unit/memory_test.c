/* SPDX-License-Identifier: ISC
 *
 * libos/memory.h (what libos/string.c is made of on the target) against the C library's functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/memory.h"

enum { AREA = 160 };

static uint8_t got[AREA], expected[AREA], source[AREA];

static void fill_random(void)
{
    for (int i = 0; i < AREA; i++) {
        got[i] = expected[i] = (uint8_t)random();
        source[i] = (uint8_t)random();
    }
}

static void copies_of_all_lengths_and_alignments(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 100; size++)
        for (size_t at = 0; at < 16; at++) {
            fill_random();
            memory_copy(got + at, source + (at * 5) % 16, size);
            memcpy(expected + at, source + (at * 5) % 16, size);
            assert_memory_equal(got, expected, AREA);
        }
}

static void moves_of_all_lengths_and_distances(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 70; size++)
        for (size_t to = 0; to < 40; to += 3)
            for (size_t from = 0; from < 40; from++) {
                fill_random();
                memory_move(got + to, got + from, size);
                memmove(expected + to, expected + from, size);
                assert_memory_equal(got, expected, AREA);
            }
}

static void fills_of_all_lengths(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 140; size++) {
        fill_random();
        memory_fill(got + size % 8, 0xa5, size);
        memset(expected + size % 8, 0xa5, size);
        assert_memory_equal(got, expected, AREA);
    }
}

static void compares_find_the_first_difference(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++) {
        fill_random();
        memcpy(source, got, AREA);
        assert_int_equal(memory_compare(got, source, size), 0);
        for (size_t at = 0; at < size; at++) {
            source[at] = (uint8_t)(got[at] + 1 + random() % 255);
            int sign = memory_compare(got, source, size);
            assert_true(got[at] < source[at] ? sign < 0 : sign > 0);
            source[size - 1] ^= size - 1 == at ? 0 : 0x55;
            assert_true((memory_compare(got, source, size) < 0) == (sign < 0));
            memcpy(source, got, AREA);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_of_all_lengths_and_alignments),
        cmocka_unit_test(moves_of_all_lengths_and_distances),
        cmocka_unit_test(fills_of_all_lengths),
        cmocka_unit_test(compares_find_the_first_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
