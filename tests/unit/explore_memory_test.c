/* SPDX-License-Identifier: ISC
 *
 * tests/explore/memory.c: what is undone, what is noticed. Loads and stores are told to it as the
 * compiler's instrumentation does.
 */
#include "tests/explore/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/panic.h"
#include "motet/abi.h"

void __tsan_read1(void *address);
void __tsan_write8(void *address);
void __tsan_write_range(void *address, size_t bytes);
void *explore_memset(void *to, int byte, size_t bytes);

enum { PAGES = 4 };

static _Alignas(PAGE_BYTES) uint8_t pages[PAGES * PAGE_BYTES];
static _Alignas(LINE_BYTES) uint64_t variable[LINE_BYTES / 8];
static jmp_buf panicked;
static char said[200];

void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof(said), format, arguments);
    va_end(arguments);
    longjmp(panicked, 1);
}

static void store(uint64_t *at, uint64_t value)
{
    __tsan_write8(at);
    *at = value;
}

static uint64_t *word(size_t offset)
{
    return (uint64_t *)(pages + offset);
}

static int setup(void **state)
{
    (void)state;
    static bool once;
    if (!once)
        memory_init(pages, PAGES);
    once = true;
    memory_commit();
    memset(pages, 0, sizeof(pages));
    return 0;
}

static void steps_are_undone_in_order(void **state)
{
    (void)state;
    store(word(8), 1);
    size_t first = memory_step(0);
    store(word(8), 2);
    store(word(8), 3);
    size_t second = memory_step(0);
    store(word(8), 4);
    store(word(PAGE_BYTES), 5);
    memory_undo(second);
    assert_int_equal(*word(8), 3);
    assert_int_equal(*word(PAGE_BYTES), 0);
    memory_undo(first);
    assert_int_equal(*word(8), 1);
}

static void static_variables_are_undone_too(void **state)
{
    (void)state;
    variable[0] = 1;
    size_t mark = memory_step(0);
    store(variable, 2);
    memory_undo(mark);
    assert_int_equal(variable[0], 1);
}

static void the_stack_is_left_alone(void **state)
{
    (void)state;
    uint64_t local = 1;
    size_t mark = memory_step(0);
    store(&local, 2);
    memory_undo(mark);
    assert_int_equal(local, 2);
}

static void ranges_across_lines_are_undone(void **state)
{
    (void)state;
    size_t mark = memory_step(0);
    explore_memset(pages + 60, 0xee, 2 * LINE_BYTES);
    __tsan_write_range(pages + 1000, 100);
    memset(pages + 1000, 0xee, 100);
    memory_undo(mark);
    for (size_t i = 0; i < sizeof(pages); i++)
        assert_int_equal(pages[i], 0);
}

static void what_is_the_same_again_is_no_change(void **state)
{
    (void)state;
    size_t mark = memory_step(0);
    store(word(128), 1);
    assert_true(memory_changed(mark, NULL, 0));
    assert_false(memory_changed(mark, pages + 128, 1));
    assert_true(memory_changed(mark, pages, 2));
    store(word(128), 0);
    assert_false(memory_changed(mark, NULL, 0));
}

static void memory_that_is_gone_is_not_touched(void **state)
{
    (void)state;
    memory_step(1u << 2);
    __tsan_read1(pages + PAGE_BYTES);
    if (setjmp(panicked) == 0) {
        __tsan_read1(pages + 2 * PAGE_BYTES + 8);
        fail();
    }
    assert_string_equal(said, "an object that is gone is touched, at page 2, offset 0x8");
    if (setjmp(panicked) == 0) {
        explore_memset(pages + 2 * PAGE_BYTES, 0, 1);
        fail();
    }
    memory_step(0);
    __tsan_read1(pages + 2 * PAGE_BYTES + 8);
}

static void a_step_that_does_not_end_is_ended(void **state)
{
    (void)state;
    static volatile int count;
    memory_step(0);
    count = 0;
    if (setjmp(panicked) == 0)
        for (;; count++)
            __tsan_read1(pages);
    assert_int_equal(count, ACCESSES_MAX);
    memory_step(0);
    __tsan_read1(pages);
    assert_int_equal(memory_accesses(), 1);
}

static const void *looked_at;

static void look(const void *line, const void *was)
{
    assert_null(looked_at);
    assert_int_equal(*(const uint64_t *)was, 0);
    looked_at = line;
}

static void lines_of_the_machine_can_be_compared(void **state)
{
    (void)state;
    size_t mark = memory_step(0);
    store(variable, 7);
    store(word(192), 7);
    looked_at = NULL;
    memory_compare(mark, look);
    assert_ptr_equal(looked_at, pages + 192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(steps_are_undone_in_order, setup),
        cmocka_unit_test_setup(static_variables_are_undone_too, setup),
        cmocka_unit_test_setup(the_stack_is_left_alone, setup),
        cmocka_unit_test_setup(ranges_across_lines_are_undone, setup),
        cmocka_unit_test_setup(what_is_the_same_again_is_no_change, setup),
        cmocka_unit_test_setup(memory_that_is_gone_is_not_touched, setup),
        cmocka_unit_test_setup(a_step_that_does_not_end_is_ended, setup),
        cmocka_unit_test_setup(lines_of_the_machine_can_be_compared, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
