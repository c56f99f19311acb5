/* SPDX-License-Identifier: ISC
 *
 * libos/heap.c: what is allocated, what the pager may give back, what was lost; against a model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/heap.h"

enum { BLOCKS = 3, PAGES = BLOCKS * HEAP_BLOCK_PAGES };

static struct heap heap;
static _Alignas(IMAGE_PAGE) uint8_t memory[PAGES * IMAGE_PAGE];

static int setup(void **state)
{
    (void)state;
    memset(&heap, 0, sizeof(heap));
    memset(memory, 0, sizeof(memory));
    heap_init(&heap, (uint64_t)memory, BLOCKS);
    return 0;
}

static void *at(uint32_t block, uint32_t page)
{
    return memory + (block * HEAP_BLOCK_PAGES + page) * (uint64_t)IMAGE_PAGE;
}

static void pages_come_one_after_the_other(void **state)
{
    (void)state;
    assert_ptr_equal(heap_alloc(&heap, 1), at(0, 0));
    assert_ptr_equal(heap_alloc(&heap, IMAGE_PAGE), at(0, 1));
    assert_ptr_equal(heap_alloc(&heap, IMAGE_PAGE + 1), at(0, 2));
    assert_ptr_equal(heap_alloc(&heap, 1), at(0, 4));
}

static void nothing_crosses_a_block(void **state)
{
    (void)state;
    heap_alloc(&heap, 1);
    assert_ptr_equal(heap_alloc(&heap, HEAP_BLOCK_BYTES), at(1, 0));
    assert_ptr_equal(heap_alloc(&heap, HEAP_BLOCK_BYTES - IMAGE_PAGE), at(0, 1));
    assert_ptr_equal(heap_alloc(&heap, HEAP_BLOCK_BYTES), at(2, 0));
    assert_null(heap_alloc(&heap, 1));
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_null(heap_alloc(&heap, 0));
    assert_null(heap_alloc(&heap, HEAP_BLOCK_BYTES + 1));
    assert_null(heap_alloc(&heap, UINT64_MAX));
    assert_null(heap_alloc(&heap, UINT64_MAX - IMAGE_PAGE));
}

static void what_was_never_given_is_not_taken(void **state)
{
    (void)state;
    void *two = heap_alloc(&heap, 2 * IMAGE_PAGE);
    assert_false(heap_free(&heap, two, 3 * IMAGE_PAGE));
    assert_false(heap_free(&heap, (char *)two + 1, IMAGE_PAGE));
    assert_false(heap_free(&heap, two, 0));
    assert_false(heap_free(&heap, two, UINT64_MAX));
    assert_false(heap_free(&heap, memory - IMAGE_PAGE, IMAGE_PAGE));
    assert_false(heap_free(&heap, memory + sizeof(memory), IMAGE_PAGE));
    assert_false(heap_free(&heap, at(0, 63), 2 * IMAGE_PAGE));
    assert_true(heap_free(&heap, two, 2 * IMAGE_PAGE));
    assert_false(heap_free(&heap, two, 2 * IMAGE_PAGE));
}

static void memory_that_was_used_is_zero_again(void **state)
{
    (void)state;
    uint8_t *page = heap_alloc(&heap, IMAGE_PAGE);
    heap_present(&heap, 0, 0);
    memset(page, 7, IMAGE_PAGE);
    heap_free(&heap, page, IMAGE_PAGE);
    assert_ptr_equal(heap_alloc(&heap, IMAGE_PAGE), page);
    for (int i = 0; i < IMAGE_PAGE; i++)
        assert_int_equal(page[i], 0);
}

/* Touching it would be a fault, and cost memory. */
static void memory_that_is_not_there_is_not_touched(void **state)
{
    (void)state;
    memory[0] = 7;
    assert_ptr_equal(heap_alloc(&heap, IMAGE_PAGE), memory);
    assert_int_equal(memory[0], 7);
}

static void faults_are_served_where_something_is_allocated(void **state)
{
    (void)state;
    uint32_t block, page;
    heap_alloc(&heap, HEAP_BLOCK_BYTES);
    heap_alloc(&heap, 3 * IMAGE_PAGE);
    assert_true(heap_find(&heap, (uint64_t)at(1, 2) + 5, &block, &page));
    assert_int_equal(block, 1);
    assert_int_equal(page, 2);
    assert_false(heap_find(&heap, (uint64_t)at(1, 3), &block, &page));
    assert_false(heap_find(&heap, (uint64_t)memory - 1, &block, &page));
    assert_false(heap_find(&heap, (uint64_t)memory + sizeof(memory), &block, &page));
    assert_false(heap_find(&heap, 0, &block, &page));
    assert_false(heap_find(&heap, UINT64_MAX, &block, &page));
}

static void a_closed_block_is_not_used_until_it_is_gone(void **state)
{
    (void)state;
    assert_true(heap_close(&heap, 0));
    assert_false(heap_close(&heap, 0));
    assert_ptr_equal(heap_alloc(&heap, 1), at(1, 0));
    assert_false(heap_close(&heap, 1));
    heap_gone(&heap, 0, true);
    assert_ptr_equal(heap_alloc(&heap, 1), at(0, 0));
}

static void what_was_taken_by_force_is_lost_until_it_is_freed(void **state)
{
    (void)state;
    uint32_t block, page;
    void *first = heap_alloc(&heap, IMAGE_PAGE), *second = heap_alloc(&heap, IMAGE_PAGE);
    heap_present(&heap, 0, 0);
    heap_gone(&heap, 0, false);
    assert_false(heap_find(&heap, (uint64_t)first, &block, &page));
    assert_true(heap_find(&heap, (uint64_t)second, &block, &page)); /* it never was there */
    assert_true(heap_free(&heap, first, IMAGE_PAGE));
    assert_ptr_equal(heap_alloc(&heap, IMAGE_PAGE), first);
    assert_true(heap_find(&heap, (uint64_t)first, &block, &page));
}

/* Random use against a table of which page belongs to which allocation. */
static void random_use_agrees_with_a_model(void **state)
{
    (void)state;
    enum { STEPS = 200000, HELD = 40 };
    struct {
        uint8_t *memory;
        uint32_t pages;
    } held[HELD] = {0};
    uint8_t owner[PAGES] = {0};
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        uint32_t n = (uint32_t)rand() % HELD;
        if (held[n].memory) {
            assert_true(heap_free(&heap, held[n].memory, held[n].pages * (uint64_t)IMAGE_PAGE));
            memset(owner + (held[n].memory - memory) / IMAGE_PAGE, 0, held[n].pages);
            held[n].memory = NULL;
            continue;
        }
        uint32_t pages = rand() % 8 ? (uint32_t)rand() % 6 + 1 : (uint32_t)rand() % 64 + 1;
        held[n].pages = pages;
        held[n].memory = heap_alloc(&heap, pages * (uint64_t)IMAGE_PAGE);
        uint64_t first = held[n].memory ? (uint64_t)(held[n].memory - memory) / IMAGE_PAGE : 0;
        for (uint32_t i = 0; held[n].memory && i < pages; i++) {
            assert_int_equal(owner[first + i], 0);
            owner[first + i] = 1;
        }
        assert_true(!held[n].memory ||
                    first / HEAP_BLOCK_PAGES == (first + pages - 1) / HEAP_BLOCK_PAGES);
        /* First fit: if there is room in a block, it was found. */
        for (uint32_t b = 0; !held[n].memory && b < BLOCKS; b++)
            for (uint32_t i = 0, row = 0; i < HEAP_BLOCK_PAGES; i++) {
                row = owner[b * HEAP_BLOCK_PAGES + i] ? 0 : row + 1;
                assert_true(row < pages);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pages_come_one_after_the_other, setup),
        cmocka_unit_test_setup(nothing_crosses_a_block, setup),
        cmocka_unit_test_setup(sizes_that_cannot_be_are_refused, setup),
        cmocka_unit_test_setup(what_was_never_given_is_not_taken, setup),
        cmocka_unit_test_setup(memory_that_was_used_is_zero_again, setup),
        cmocka_unit_test_setup(memory_that_is_not_there_is_not_touched, setup),
        cmocka_unit_test_setup(faults_are_served_where_something_is_allocated, setup),
        cmocka_unit_test_setup(a_closed_block_is_not_used_until_it_is_gone, setup),
        cmocka_unit_test_setup(what_was_taken_by_force_is_lost_until_it_is_freed, setup),
        cmocka_unit_test_setup(random_use_agrees_with_a_model, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
