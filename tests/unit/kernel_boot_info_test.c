/* SPDX-License-Identifier: ISC
 *
 * kernel/arch/x86_64/boot_info.c: memory maps with holes, in any order, with lies. The information
 * lies in the simulated memory, where the loader would have put it.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/sim/machine.h"
#include "kernel/arch/x86_64/boot.h"
#include "tests/unit/kernel_machine.h"

/* Where the kernel is linked, and where in memory it ends with its image. */
#define KERNEL_BASE 0xffffffff80000000ull
#define IMAGE_LAST  0x130000ull
#define image_end   ((char *)(KERNEL_BASE + IMAGE_LAST))

#include "kernel/arch/x86_64/boot_info.c"

enum { ENTRIES_MAX = 80, MIB = 1 << 20 };
#define INFORMATION (SIM_MEMORY_FIRST + 0x1000)

static struct boot_info found;

/* A Multiboot2 information in the making. */
static struct {
    uint8_t *at;
    struct multiboot_memory_map *map;
} made;

static int setup(void **state)
{
    (void)state;
    memset(&found, 0, sizeof(found));
    sim_reset(SIM_PAGES);
    made.at = (uint8_t *)phys_to_virt(INFORMATION) + 8;
    made.map = NULL;
    return 0;
}

static void add_tag(uint32_t type, const void *content, uint32_t bytes)
{
    struct multiboot_tag tag = {type, (uint32_t)sizeof(tag) + bytes};
    memcpy(made.at, &tag, sizeof(tag));
    if (bytes)
        memcpy(made.at + sizeof(tag), content, bytes);
    made.at += (tag.size + 7) & ~7u;
}

static void add_map(void)
{
    const uint32_t head[2] = {sizeof(struct multiboot_memory_entry), 0};
    made.map = (void *)made.at;
    add_tag(MULTIBOOT_TAG_MEMORY_MAP, head, sizeof(head));
}

static void add_entry(uint64_t address, uint64_t size, uint32_t type)
{
    struct multiboot_memory_entry entry = {address, size, type, 0};
    memcpy(made.at, &entry, sizeof(entry));
    made.at += sizeof(entry);
    made.map->tag.size += (uint32_t)sizeof(entry);
}

static void read_it(void)
{
    uint8_t *start = phys_to_virt(INFORMATION);
    add_tag(MULTIBOOT_TAG_END, NULL, 0);
    uint32_t total = (uint32_t)(made.at - start);
    memcpy(start, &total, sizeof(total));
    boot_info_read(BOOT_MULTIBOOT2, INFORMATION, &found);
}

static void expect_range(uint32_t n, uint64_t start, uint64_t end)
{
    assert_true(n < found.range_count);
    assert_true(found.ranges[n].start == start);
    assert_true(found.ranges[n].end == end);
}

static void the_kernel_and_the_first_page_are_left_out(void **state)
{
    (void)state;
    add_map();
    add_entry(0, 0x9fc00, 1);
    add_entry(0xf0000, 0x10000, 2);
    add_entry(MIB, 63 * MIB, 1);
    read_it();
    assert_int_equal(found.range_count, 2);
    expect_range(0, 0x1000, 0x9f000);
    expect_range(1, IMAGE_LAST, 64 * MIB);
}

/* As OVMF leaves it: firmware's tables between pieces of memory, which aren't whole pages. */
static void holes_stay_holes(void **state)
{
    (void)state;
    add_map();
    add_entry(0x100000000, 0x40000000, 1);
    add_entry(0x808800, 0x7800, 1);
    add_entry(0x800000, 0x8800, 4);
    add_entry(MIB, 7 * MIB, 1);
    add_entry(0x810000, 0xf0000, 4);
    add_entry(0x900000, 0x1000000, 1);
    add_entry(0x1900000, 0x800, 1); /* less than a page */
    add_entry(0, 0xa0000, 1);
    read_it();
    assert_int_equal(found.range_count, 5);
    expect_range(0, 0x100000000, 0x140000000);
    expect_range(1, 0x809000, 0x810000);
    expect_range(2, IMAGE_LAST, 8 * MIB);
    expect_range(3, 0x900000, 0x1900000);
    expect_range(4, 0x1000, 0xa0000);
}

static void memory_around_the_kernel_in_one_piece_is_cut_in_two(void **state)
{
    (void)state;
    add_map();
    add_entry(0, 16 * MIB, 1);
    read_it();
    assert_int_equal(found.range_count, 2);
    expect_range(0, 0x1000, MIB);
    expect_range(1, IMAGE_LAST, 16 * MIB);
}

static void what_is_reported_twice_is_used_once(void **state)
{
    (void)state;
    add_map();
    add_entry(MIB, 15 * MIB, 1);
    add_entry(8 * MIB, 16 * MIB, 1);
    add_entry(16 * MIB, 16 * MIB, 1);
    read_it();
    assert_int_equal(found.range_count, 2);
    expect_range(0, IMAGE_LAST, 16 * MIB);
    expect_range(1, 16 * MIB, 32 * MIB);
}

static void a_piece_that_runs_over_is_no_memory(void **state)
{
    (void)state;
    add_map();
    add_entry(MIB, MIB, 1);
    add_entry(0xfffffffffff00000, 0x200000, 1);
    read_it();
    assert_int_equal(found.range_count, 1);
}

static void memory_out_of_the_direct_map_is_cut_off(void **state)
{
    (void)state;
    add_map();
    add_entry(MIB, MIB, 1);
    add_entry(BOOT_MEMORY_END - MIB, 4ull << 30, 1);
    add_entry(BOOT_MEMORY_END + MIB, MIB, 1);
    read_it();
    assert_int_equal(found.range_count, 2);
    expect_range(1, BOOT_MEMORY_END - MIB, BOOT_MEMORY_END);
}

static void pieces_beyond_the_last_are_left_alone(void **state)
{
    (void)state;
    add_map();
    for (uint64_t i = 0; i < 50; i++)
        add_entry((16 + 2 * i) * MIB, MIB, 1);
    read_it();
    assert_int_equal(found.range_count, INIT_MEMORY_MAX);
    expect_range(INIT_MEMORY_MAX - 1, (16 + 2 * (INIT_MEMORY_MAX - 1)) * (uint64_t)MIB,
                 (17 + 2 * (INIT_MEMORY_MAX - 1)) * (uint64_t)MIB);
}

static void a_map_that_claims_more_than_there_is_is_not_read(void **state)
{
    (void)state;
    add_map();
    add_entry(MIB, MIB, 1);
    struct multiboot_memory_map *good = made.map;
    add_map();
    add_entry(16 * MIB, MIB, 1);
    made.map->tag.size = 0x10000000;
    read_it();
    assert_ptr_not_equal(good, made.map);
    assert_int_equal(found.range_count, 1);
}

static void a_longer_entry_is_stepped_over_whole(void **state)
{
    (void)state;
    add_map();
    made.map->entry_size = 2 * sizeof(struct multiboot_memory_entry);
    add_entry(MIB, MIB, 1);
    add_entry(16 * MIB, MIB, 1); /* the part of the entry that nobody knows yet */
    add_entry(32 * MIB, MIB, 1);
    add_entry(48 * MIB, MIB, 1);
    read_it();
    assert_int_equal(found.range_count, 2);
    expect_range(1, 32 * MIB, 33 * MIB);
}

static void a_long_command_line_is_cut_and_ended(void **state)
{
    static char line[3 * BOOT_COMMAND_LINE_BYTES];
    (void)state;
    memset(line, 'a', sizeof(line)); /* with no end of its own */
    add_map();
    add_entry(MIB, MIB, 1);
    add_tag(MULTIBOOT_TAG_COMMAND_LINE, line, sizeof(line));
    read_it();
    assert_int_equal(strlen(found.command_line), BOOT_COMMAND_LINE_BYTES - 1);
}

static uint64_t some_number(void)
{
    const uint64_t near[] = {0, 0x1000, MIB, IMAGE_LAST, 1ull << 32, BOOT_MEMORY_END, 0 - 1ull};
    uint64_t number = near[(size_t)rand() % (sizeof(near) / sizeof(near[0]))];
    if (rand() % 2)
        number += (uint64_t)(rand() % 0x40000) - 0x20000;
    return rand() % 4 ? number : (uint64_t)rand() << (rand() % 32);
}

static void check_ranges(void)
{
    for (uint32_t i = 0; i < found.range_count; i++) {
        const struct memory_range *a = &found.ranges[i];
        assert_true(a->start < a->end && a->end <= BOOT_MEMORY_END && a->start >= PAGE_BYTES);
        assert_true(a->start % PAGE_BYTES == 0 && a->end % PAGE_BYTES == 0);
        assert_true(a->end <= MIB || a->start >= IMAGE_LAST); /* neither kernel nor image */
        for (uint32_t k = 0; k < i; k++)
            assert_true(a->end <= found.ranges[k].start || a->start >= found.ranges[k].end);
    }
}

/* What the kernel relies on, whatever the loader says. */
static void no_map_gives_away_what_is_not_memory(void **state)
{
    srand(7);
    for (uint32_t round = 0; round < 2000; round++) {
        setup(state);
        add_map();
        add_entry(64 * MIB, MIB, 1); /* or it ends with "no usable memory" */
        for (int i = rand() % ENTRIES_MAX; i > 0; i--)
            add_entry(some_number(), some_number(), (uint32_t)rand() % 3);
        read_it();
        check_ranges();
        expect_range(0, 64 * MIB, 65 * MIB);
    }
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_kernel_and_the_first_page_are_left_out),
        CASE(holes_stay_holes),
        CASE(memory_around_the_kernel_in_one_piece_is_cut_in_two),
        CASE(what_is_reported_twice_is_used_once),
        CASE(a_piece_that_runs_over_is_no_memory),
        CASE(memory_out_of_the_direct_map_is_cut_off),
        CASE(pieces_beyond_the_last_are_left_alone),
        CASE(a_map_that_claims_more_than_there_is_is_not_read),
        CASE(a_longer_entry_is_stepped_over_whole),
        CASE(a_long_command_line_is_cut_and_ended),
        CASE(no_map_gives_away_what_is_not_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
