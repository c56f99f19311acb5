/* SPDX-License-Identifier: ISC
 *
 * ipc/pool.c: references from a hostile peer, and buffers that are lent and taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/pool.h"

static uint8_t memory[4 * 64];
static const struct pool four = {
    .base = memory, .physical = 0x10000, .buffers = 4, .buffer_size = 64, .number = 7};

static struct buffer_ref ref(uint16_t pool, uint16_t index, uint16_t offset, uint16_t length)
{
    return (struct buffer_ref){pool, index, offset, length};
}

static void a_whole_buffer_is_valid(void **state)
{
    (void)state;
    assert_int_equal(pool_ref_check(&four, ref(7, 3, 0, 64)), OK);
    assert_int_equal(pool_ref_check(&four, ref(7, 0, 64, 0)), OK);
}

static void pieces_outside_the_buffer_are_refused(void **state)
{
    (void)state;
    assert_int_equal(pool_ref_check(&four, ref(7, 0, 0, 65)), ERROR_BAD_ARGUMENT);
    assert_int_equal(pool_ref_check(&four, ref(7, 0, 1, 64)), ERROR_BAD_ARGUMENT);
    assert_int_equal(pool_ref_check(&four, ref(7, 0, 65, 0)), ERROR_BAD_ARGUMENT);
    assert_int_equal(pool_ref_check(&four, ref(7, 0, 0xffff, 0xffff)), ERROR_BAD_ARGUMENT);
}

static void buffers_and_pools_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    assert_int_equal(pool_ref_check(&four, ref(7, 4, 0, 1)), ERROR_BAD_ARGUMENT);
    assert_int_equal(pool_ref_check(&four, ref(8, 0, 0, 1)), ERROR_BAD_ARGUMENT);
    assert_int_equal(pool_ref_check(&four, ref(7 + 256, 0, 0, 1)), ERROR_BAD_ARGUMENT);
    assert_int_equal(pool_ref_check(NULL, ref(7, 0, 0, 1)), ERROR_BAD_ARGUMENT);
}

static void every_piece_that_passes_lies_inside(void **state)
{
    (void)state;
    for (uint32_t offset = 0; offset <= 70; offset++)
        for (uint32_t length = 0; length <= 70; length++) {
            struct buffer_ref piece = ref(7, 2, (uint16_t)offset, (uint16_t)length);
            assert_int_equal(pool_ref_check(&four, piece) == OK, offset + length <= 64);
        }
}

static void data_and_device_address_agree(void **state)
{
    (void)state;
    struct buffer_ref piece = ref(7, 2, 5, 10);
    assert_ptr_equal(pool_data(&four, piece), memory + 2 * 64 + 5);
    assert_int_equal(pool_device_address(&four, piece), 0x10000 + 2 * 64 + 5);
}

static void all_buffers_are_lent_once_then_none(void **state)
{
    (void)state;
    static struct pool_owner owner;
    bool seen[4] = {false};
    pool_owner_init(&owner, &four);
    for (int i = 0; i < 4; i++) {
        int index = pool_lend(&owner, 1);
        assert_in_range(index, 0, 3);
        assert_false(seen[index]);
        seen[index] = true;
    }
    assert_int_equal(pool_lend(&owner, 1), -1);
}

static void only_the_holder_gives_back_and_only_once(void **state)
{
    (void)state;
    static struct pool_owner owner;
    pool_owner_init(&owner, &four);
    int index = pool_lend(&owner, 1);
    assert_false(pool_take_back(&owner, (uint32_t)index, 2));
    assert_true(pool_take_back(&owner, (uint32_t)index, 1));
    assert_false(pool_take_back(&owner, (uint32_t)index, 1));
    assert_int_equal(owner.free_count, 4);
}

static void invented_buffers_change_nothing(void **state)
{
    (void)state;
    static struct pool_owner owner;
    pool_owner_init(&owner, &four);
    assert_false(pool_take_back(&owner, 0, 0)); /* a free one's holder is 0: not a peer */
    assert_false(pool_take_back(&owner, 4, 1));
    assert_false(pool_take_back(&owner, 0xffffffff, 1));
    assert_false(pool_pass(&owner, 4, 1, 2));
    assert_false(pool_pass(&owner, 0, 0, 2));
    assert_int_equal(owner.free_count, 4);
    assert_int_equal(pool_lend(&owner, 0), -1);
}

static void passing_on_moves_the_duty(void **state)
{
    (void)state;
    static struct pool_owner owner;
    pool_owner_init(&owner, &four);
    uint32_t index = (uint32_t)pool_lend(&owner, 1);
    assert_false(pool_pass(&owner, index, 2, 3));
    assert_false(pool_pass(&owner, index, 1, 0));
    assert_true(pool_pass(&owner, index, 1, 2));
    assert_false(pool_take_back(&owner, index, 1));
    assert_true(pool_take_back(&owner, index, 2));
}

static void a_pool_beyond_the_bound_is_used_up_to_it(void **state)
{
    (void)state;
    static struct pool_owner owner;
    const struct pool big = {.buffers = POOL_BUFFERS_MAX + 1, .buffer_size = 64};
    pool_owner_init(&owner, &big);
    for (int i = 0; i < POOL_BUFFERS_MAX; i++)
        assert_true(pool_lend(&owner, 1) >= 0);
    assert_int_equal(pool_lend(&owner, 1), -1);
}

static void after_any_sequence_all_are_accounted_for(void **state)
{
    (void)state;
    static struct pool_owner owner;
    uint32_t random = 1, lent = 0;
    pool_owner_init(&owner, &four);
    for (int step = 0; step < 10000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t index = random >> 16 & 7;
        uint8_t holder = random >> 20 & 3;
        if (random >> 30)
            lent -= pool_take_back(&owner, index, holder);
        else
            lent += pool_lend(&owner, holder) >= 0;
        assert_int_equal(owner.free_count + lent, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_buffer_is_valid),
        cmocka_unit_test(pieces_outside_the_buffer_are_refused),
        cmocka_unit_test(buffers_and_pools_that_do_not_exist_are_refused),
        cmocka_unit_test(every_piece_that_passes_lies_inside),
        cmocka_unit_test(data_and_device_address_agree),
        cmocka_unit_test(all_buffers_are_lent_once_then_none),
        cmocka_unit_test(only_the_holder_gives_back_and_only_once),
        cmocka_unit_test(invented_buffers_change_nothing),
        cmocka_unit_test(passing_on_moves_the_duty),
        cmocka_unit_test(a_pool_beyond_the_bound_is_used_up_to_it),
        cmocka_unit_test(after_any_sequence_all_are_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
