/* SPDX-License-Identifier: ISC
 *
 * servers/init/blocks.c: who gets a block of heap memory, and who has to give way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/init/blocks.h"

static struct block_table table;

static int setup(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    table.count = 8;
    return 0;
}

static void take(uint32_t domain, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_true(blocks_take(&table, domain, i) >= 0);
}

static void blocks_are_found_by_owner_and_number(void **state)
{
    (void)state;
    take(3, 2);
    take(4, 1);
    assert_int_equal(blocks_find(&table, 3, 1), 1);
    assert_int_equal(blocks_find(&table, 4, 0), 2);
    assert_int_equal(blocks_find(&table, 4, 1), -1);
    assert_int_equal(blocks_last(&table, 3), 1);
    assert_int_equal(blocks_last(&table, 5), -1);
    blocks_free(&table, 1);
    assert_int_equal(blocks_find(&table, 3, 1), -1);
    assert_int_equal(table.held[3], 1);
}

static void what_is_kept_for_others_is_not_given(void **state)
{
    (void)state;
    table.kept[1] = 3;
    take(2, 5);
    assert_int_equal(blocks_take(&table, 2, 5), -1);
    take(1, 3);
    assert_int_equal(blocks_take(&table, 1, 3), -1);
}

static void the_largest_surplus_is_asked_first(void **state)
{
    (void)state;
    table.kept[1] = 4;
    take(1, 4);
    take(2, 1);
    take(3, 3);
    assert_int_equal(blocks_victim(&table, 4, 0), 3);
    assert_int_equal(blocks_victim(&table, 4, 1 << 3), 2);
    assert_int_equal(blocks_victim(&table, 4, 1 << 3 | 1 << 2), 0); /* 1 has only what is kept */
    assert_int_equal(blocks_victim(&table, 3, 0), 0);               /* nobody has more than it */
    assert_int_equal(blocks_victim(&table, 2, 0), 3);
}

static void only_who_is_better_off_afterwards_is_forced(void **state)
{
    (void)state;
    take(1, 3);
    take(2, 2);
    assert_false(blocks_force(&table, 1, 2));
    assert_true(blocks_force(&table, 1, 3));
    take(3, 1);
    assert_true(blocks_force(&table, 1, 3));
    assert_false(blocks_force(&table, 2, 3));
}

/* What is kept is always there, numbers add up, and force comes to an end. */
static void invariants_hold_in_random_use(void **state)
{
    (void)state;
    enum { DOMAINS = 6, STEPS = 100000 };
    srand(1);
    table.count = 20;
    for (uint32_t d = 1; d <= DOMAINS; d++)
        table.kept[d] = (uint8_t)(rand() % 4);
    for (int step = 0; step < STEPS; step++) {
        uint32_t d = (uint32_t)rand() % DOMAINS + 1, number = (uint32_t)rand() % 16;
        int index = blocks_find(&table, d, number);
        if (index >= 0) {
            blocks_free(&table, index);
        } else if (blocks_take(&table, d, number) < 0) {
            assert_true(table.held[d] >= table.kept[d]);
            uint32_t victim = blocks_victim(&table, d, 0);
            if (victim && blocks_force(&table, victim, d)) {
                blocks_free(&table,
                            blocks_find(&table, victim, (uint32_t)blocks_last(&table, victim)));
                assert_true(blocks_take(&table, d, number) >= 0);
                assert_false(blocks_force(&table, d, victim));
            }
        }
        uint32_t free = 0, claims = 0, held[DOMAINS + 1] = {0};
        for (uint32_t i = 0; i < table.count; i++) {
            free += !table.block[i].owner;
            held[table.block[i].owner]++;
        }
        for (uint32_t i = 1; i <= DOMAINS; i++) {
            assert_int_equal(held[i], table.held[i]);
            claims += table.kept[i] > held[i] ? table.kept[i] - held[i] : 0;
        }
        assert_true(free >= claims);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_are_found_by_owner_and_number, setup),
        cmocka_unit_test_setup(what_is_kept_for_others_is_not_given, setup),
        cmocka_unit_test_setup(the_largest_surplus_is_asked_first, setup),
        cmocka_unit_test_setup(only_who_is_better_off_afterwards_is_forced, setup),
        cmocka_unit_test_setup(invariants_hold_in_random_use, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
