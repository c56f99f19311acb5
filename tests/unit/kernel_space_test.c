/* SPDX-License-Identifier: ISC
 *
 * kernel/space.c and kernel/arch/x86_64/paging.c: mapping by capability, and spaces that go. That
 * entries, capabilities and flushes agree is checked after every step by check_paging.c.
 */
#include "tests/unit/kernel_machine.h"

#include <string.h>

enum { LARGE = 128 }; /* an entry's bit, SDM volume 3, 4.5 */

static uint32_t space;

static int setup(void **state)
{
    machine_setup(state);
    space = make(OBJECT_space, SPACE_PAGES);
    return 0;
}

/* Makes and installs the tables that `address` needs. */
static void tables_for(uint32_t in, uint64_t address)
{
    for (;;) {
        uint32_t table = make(OBJECT_table, 1);
        if (INVOKE(table, table_map, in, address) == OK)
            continue;
        delete_all(table);
        return;
    }
}

static uint32_t mapped_page(uint64_t pages, uint64_t address, uint64_t rights)
{
    uint32_t page = make(OBJECT_page, pages);
    must(INVOKE(page, page_map, space, address, rights));
    return page;
}

/* The entry for `address`, found without the kernel's walker. */
static uint64_t entry_of(uint32_t in, uint64_t address)
{
    const uint64_t *table = ((const struct space *)object_at(in))->root;
    for (int shift = 39;; shift -= 9) {
        uint64_t entry = table[address >> shift & 511];
        if (shift == 12 || !(entry & 1) || entry & LARGE)
            return entry;
        table = phys_to_virt(entry & 0x000ffffffffff000);
    }
}

static void a_page_is_where_it_was_mapped(void **state)
{
    (void)state;
    tables_for(space, AT);
    uint32_t page = mapped_page(3, AT, RIGHT_READ | RIGHT_WRITE);
    must(INVOKE(page, page_info, 0));
    assert_int_equal(machine.result[0], cap_at(page)->address);
    assert_int_equal(machine.result[1], 3);
    assert_int_equal(machine.result[2], AT);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(entry_of(space, AT + i * PAGE_BYTES) & 0x000ffffffffff000,
                         cap_at(page)->address + i * PAGE_BYTES);
    must(INVOKE(page, page_unmap, 0));
    must(INVOKE(page, page_info, 0));
    assert_int_equal(machine.result[2], 0);
    assert_int_equal(entry_of(space, AT), 0);
}

static void rights_become_bits(void **state)
{
    (void)state;
    const uint64_t write = 2, no_execute = 1ull << 63;
    tables_for(space, AT);
    mapped_page(1, AT, RIGHT_READ);
    mapped_page(1, AT + 0x1000, RIGHT_READ | RIGHT_WRITE);
    mapped_page(1, AT + 0x2000, RIGHT_READ | RIGHT_EXECUTE);
    assert_int_equal(entry_of(space, AT) & (write | no_execute), no_execute);
    assert_int_equal(entry_of(space, AT + 0x1000) & (write | no_execute), write | no_execute);
    assert_int_equal(entry_of(space, AT + 0x2000) & (write | no_execute), 0);
}

static void devices_are_mapped_uncached(void **state)
{
    (void)state;
    uint32_t page = slot_new(), copy = slot_new();
    tables_for(space, AT);
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 2, page, DEVICE_ADDRESS + 0x3000));
    must(INVOKE(SLOT_TABLE, captable_copy, page, copy, RIGHT_READ | RIGHT_WRITE));
    must(INVOKE(copy, page_map, space, AT, RIGHT_READ | RIGHT_WRITE));
    assert_int_equal(entry_of(space, AT) & 0x18, 0x18);
    assert_int_equal(entry_of(space, AT + 0x1000) & 0x000ffffffffff000, DEVICE_ADDRESS + 0x4000);
}

static void one_page_in_two_spaces_needs_two_capabilities(void **state)
{
    (void)state;
    tables_for(space, AT);
    tables_for(SLOT_SPACE, AT);
    uint32_t page = mapped_page(1, AT, RIGHT_READ), copy = slot_new();
    refused(MAPPED, INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
    must(INVOKE(SLOT_TABLE, captable_copy, page, copy, RIGHT_ALL));
    must(INVOKE(copy, page_map, SLOT_SPACE, AT, RIGHT_READ));
    assert_int_equal(entry_of(space, AT), entry_of(SLOT_SPACE, AT));
    delete_all(page);
    assert_int_equal(entry_of(space, AT) | entry_of(SLOT_SPACE, AT), 0);
}

static void a_run_may_cross_tables(void **state)
{
    (void)state;
    const uint64_t edge = 0x600000 - 2 * PAGE_BYTES;
    uint32_t page = make(OBJECT_page, 4);
    tables_for(space, edge);
    refused(NO_TABLE, INVOKE(page, page_map, space, edge, RIGHT_READ));
    assert_int_equal(machine.result[0], 1);
    tables_for(space, edge + 2 * PAGE_BYTES);
    must(INVOKE(page, page_map, space, edge, RIGHT_READ));
    must(INVOKE(page, page_unmap, 0));
}

static void nothing_is_mapped_half_way(void **state)
{
    (void)state;
    tables_for(space, AT);
    mapped_page(1, AT + 3 * PAGE_BYTES, RIGHT_READ);
    refused(OCCUPIED, INVOKE(make(OBJECT_page, 4), page_map, space, AT, RIGHT_READ));
    assert_int_equal(entry_of(space, AT), 0);
}

static void the_edges_of_user_addresses(void **state)
{
    (void)state;
    const uint64_t last = USER_ADDRESS_END - PAGE_BYTES;
    tables_for(space, USER_ADDRESS_FIRST);
    tables_for(space, last);
    mapped_page(1, USER_ADDRESS_FIRST, RIGHT_READ);
    mapped_page(1, last, RIGHT_READ);
    refused(BAD_ARGUMENT, INVOKE(make(OBJECT_page, 2), page_map, space, last, RIGHT_READ));
    refused(BAD_ARGUMENT, INVOKE(make(OBJECT_table, 1), table_map, space, USER_ADDRESS_END));
    refused(BAD_ARGUMENT, INVOKE(make(OBJECT_table, 1), table_map, space, 1ull << 63));
}

static void the_largest_run(void **state)
{
    (void)state;
    uint32_t page = slot_new();
    tables_for(space, AT + PAGE_BYTES);
    tables_for(space, AT + 0x200000);
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, PAGE_RUN_MAX, page, DEVICE_ADDRESS));
    must(INVOKE(page, page_map, space, AT + PAGE_BYTES, RIGHT_READ | RIGHT_WRITE));
    assert_int_equal(entry_of(space, AT + 0x200000) & 0x000ffffffffff000,
                     DEVICE_ADDRESS + 511 * PAGE_BYTES);
    delete_all(page);
}

/* Maps 2 MiB of aligned device memory at AT; returns the lowest table that this needed. */
static uint32_t large_mapped(uint32_t in, uint32_t page)
{
    uint32_t table = 0;
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, PAGE_RUN_MAX, page, DEVICE_ADDRESS));
    while (INVOKE(page, page_map, in, AT, RIGHT_READ | RIGHT_WRITE) == ERROR_NO_TABLE) {
        assert_in_range(machine.result[0], 2, 3);
        table = make(OBJECT_table, 1);
        must(INVOKE(table, table_map, in, AT));
    }
    assert_int_equal(machine.after.rax, OK);
    return table;
}

static void an_aligned_run_of_2_mib_is_one_entry(void **state)
{
    (void)state;
    uint32_t page = slot_new(), small = make(OBJECT_page, 1), none = make(OBJECT_table, 1);
    uint32_t table = large_mapped(SLOT_SPACE, page);
    assert_int_equal(entry_of(SLOT_SPACE, AT + 0x1ff000) & ~(1ull << 63),
                     DEVICE_ADDRESS | LARGE | 0x7f);
    refused(OCCUPIED, INVOKE(small, page_map, SLOT_SPACE, AT + 0x1000, RIGHT_READ));
    refused(OCCUPIED, INVOKE(none, table_map, SLOT_SPACE, AT));
    refused(BAD_STATE, INVOKE(table, table_unmap, 0));
    must(INVOKE(page, page_unmap, 0));
    assert_int_equal(entry_of(SLOT_SPACE, AT), 0);
    must(INVOKE(table, table_unmap, 0));
}

static void a_table_in_the_place_of_a_large_entry_is_filled(void **state)
{
    (void)state;
    uint32_t page = slot_new();
    tables_for(space, AT);
    large_mapped(space, page);
    for (uint64_t i = 0; i < PAGE_RUN_MAX; i += 73)
        assert_int_equal(entry_of(space, AT + i * PAGE_BYTES) & (0x000ffffffffff000 | LARGE),
                         DEVICE_ADDRESS + i * PAGE_BYTES);
    delete_all(page);
    assert_int_equal(entry_of(space, AT + 511 * PAGE_BYTES), 0);
}

static void a_run_that_is_not_aligned_needs_tables(void **state)
{
    (void)state;
    uint32_t page = slot_new(), table = 0;
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, PAGE_RUN_MAX, page,
                DEVICE_ADDRESS + PAGE_BYTES));
    for (uint64_t level = 3; level > 0; level--) {
        refused(NO_TABLE, INVOKE(page, page_map, space, AT, RIGHT_READ));
        assert_int_equal(machine.result[0], level);
        table = make(OBJECT_table, 1);
        must(INVOKE(table, table_map, space, AT));
    }
    must(INVOKE(page, page_map, space, AT, RIGHT_READ));
    refused(BAD_STATE, INVOKE(table, table_unmap, 0));
}

static void a_space_goes_with_its_large_pages(void **state)
{
    (void)state;
    large_mapped(space, slot_new());
    delete_all(space);
}

/* In the space that is running, so that the check sees whether the processor was told. */
static void changes_of_the_running_space_are_flushed(void **state)
{
    (void)state;
    tables_for(SLOT_SPACE, AT);
    uint32_t page = make(OBJECT_page, 3), big = make(OBJECT_page, 40);
    for (int i = 0; i < 3; i++) {
        must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
        must(INVOKE(big, page_map, SLOT_SPACE, AT + 0x10000, RIGHT_READ));
        must(INVOKE(page, page_unmap, 0));
        must(INVOKE(big, page_unmap, 0));
        must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_WRITE));
        must(INVOKE(page, page_unmap, 0));
    }
    must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
    revoke_all(page);
    delete_all(page);
}

static void tables_come_out_empty_only(void **state)
{
    (void)state;
    uint32_t directory = make(OBJECT_table, 1), middle = make(OBJECT_table, 1);
    uint32_t leaf = make(OBJECT_table, 1);
    must(INVOKE(directory, table_map, SLOT_SPACE, AT));
    must(INVOKE(middle, table_map, SLOT_SPACE, AT + 0x1000)); /* any address below will do */
    must(INVOKE(leaf, table_map, SLOT_SPACE, AT + 0x5000));
    uint32_t page = make(OBJECT_page, 1);
    must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
    refused(BAD_STATE, INVOKE(leaf, table_unmap, 0));
    refused(BAD_STATE, INVOKE(directory, table_unmap, 0));
    must(INVOKE(page, page_unmap, 0));
    refused(BAD_STATE, INVOKE(middle, table_unmap, 0));
    must(INVOKE(leaf, table_unmap, 0));
    must(INVOKE(middle, table_unmap, 0));
    must(INVOKE(directory, table_unmap, 0));
    must(INVOKE(leaf, table_map, SLOT_SPACE, AT)); /* as any other level now */
    assert_int_equal(machine.result[0], 3);
}

static void deleting_a_table_in_use_empties_its_space(void **state)
{
    (void)state;
    uint32_t directory = make(OBJECT_table, 1);
    must(INVOKE(directory, table_map, space, AT));
    tables_for(space, AT);
    uint32_t page = mapped_page(2, AT, RIGHT_READ);
    uint32_t slot = make_thread_in(space, SLOT_TABLE, PRIORITY, 0);
    must(INVOKE(slot, thread_resume, 0));
    assert_in_range(delete_all(directory), 2, 20);
    assert_null(cap_at(page)->map.space);
    assert_null(((struct thread *)object_at(slot))->space);
    tables_for(space, AT); /* the space itself is still good */
    must(INVOKE(page, page_map, space, AT, RIGHT_READ));
}

static void a_space_goes_with_all_that_is_mapped(void **state)
{
    (void)state;
    static const uint64_t places[] = {AT, 0x40000000, 0x8000000000, AT + 0x200000};
    uint32_t pages[4];
    for (int i = 0; i < 4; i++) {
        tables_for(space, places[i]);
        pages[i] = mapped_page(2, places[i], RIGHT_READ);
    }
    assert_in_range(delete_all(space), 12, 40);
    for (int i = 0; i < 4; i++)
        assert_null(cap_at(pages[i])->map.space);
}

/* Tables change places, and capabilities move, before everything goes. */
static void a_space_goes_whatever_the_order_of_mapping(void **state)
{
    (void)state;
    uint32_t tables[3], page = make(OBJECT_page, 1);
    for (int i = 0; i < 3; i++)
        tables[i] = make(OBJECT_table, 1);
    for (int turn = 0; turn < 3; turn++) { /* each table once at each level */
        for (int i = 0; i < 3; i++)
            must(INVOKE(tables[(turn + i) % 3], table_map, space, AT));
        must(INVOKE(page, page_map, space, AT, RIGHT_READ));
        if (turn == 2)
            break;
        must(INVOKE(page, page_unmap, 0));
        for (int i = 2; i >= 0; i--)
            must(INVOKE(tables[(turn + i) % 3], table_unmap, 0));
    }
    must(INVOKE(SLOT_TABLE, captable_move, tables[1], 100)); /* changes nothing */
    assert_in_range(delete_all(space), 4, 12);
}

static void threads_of_a_space_stop_when_it_goes(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    struct thread *waiting = object_at(make_thread_in(space, SLOT_TABLE, PRIORITY, 0));
    struct thread *ready = object_at(make_thread_in(space, SLOT_TABLE, PRIORITY, 0));
    must(thread_resume(waiting));
    must(thread_resume(ready));
    must(wait_by(waiting, port, 0, sim_clock + 100));
    run(ready);
    run(machine.main);
    delete_all(space);
    assert_int_equal(waiting->state, THREAD_SUSPENDED);
    assert_int_equal(ready->state, THREAD_SUSPENDED);
    sim_advance(1000);
    machine_check();
}

static void a_space_may_go_while_the_idle_cpu_has_it_loaded(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), second = make(OBJECT_port, 1);
    uint32_t slot = make_thread_in(space, SLOT_TABLE, PRIORITY, 0);
    must(INVOKE(slot, thread_resume, 0));
    must(wait_by(machine.main, port, 0, 0));
    must(wait_by(object_at(slot), second, 0, 0));
    assert_null(sim_cpu.current);
    assert_ptr_equal(sim_cpu.space, object_at(space));
    while (cap_remove_step(cap_at(space), true) == ERROR_MORE)
        ;
    sim_cpu.reschedule = 0;
    assert_null(sim_cpu.space);
    machine_check();
}

static void the_copy_of_a_space_does_not_keep_it(void **state)
{
    (void)state;
    uint32_t copy = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, space, copy, RIGHT_ALL));
    delete_all(copy);
    tables_for(space, AT);
    delete_all(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_page_is_where_it_was_mapped, setup),
        cmocka_unit_test_setup(rights_become_bits, setup),
        cmocka_unit_test_setup(devices_are_mapped_uncached, setup),
        cmocka_unit_test_setup(one_page_in_two_spaces_needs_two_capabilities, setup),
        cmocka_unit_test_setup(a_run_may_cross_tables, setup),
        cmocka_unit_test_setup(nothing_is_mapped_half_way, setup),
        cmocka_unit_test_setup(the_edges_of_user_addresses, setup),
        cmocka_unit_test_setup(the_largest_run, setup),
        cmocka_unit_test_setup(an_aligned_run_of_2_mib_is_one_entry, setup),
        cmocka_unit_test_setup(a_table_in_the_place_of_a_large_entry_is_filled, setup),
        cmocka_unit_test_setup(a_run_that_is_not_aligned_needs_tables, setup),
        cmocka_unit_test_setup(a_space_goes_with_its_large_pages, setup),
        cmocka_unit_test_setup(changes_of_the_running_space_are_flushed, setup),
        cmocka_unit_test_setup(tables_come_out_empty_only, setup),
        cmocka_unit_test_setup(deleting_a_table_in_use_empties_its_space, setup),
        cmocka_unit_test_setup(a_space_goes_with_all_that_is_mapped, setup),
        cmocka_unit_test_setup(a_space_goes_whatever_the_order_of_mapping, setup),
        cmocka_unit_test_setup(threads_of_a_space_stop_when_it_goes, setup),
        cmocka_unit_test_setup(a_space_may_go_while_the_idle_cpu_has_it_loaded, setup),
        cmocka_unit_test_setup(the_copy_of_a_space_does_not_keep_it, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
