/* SPDX-License-Identifier: ISC
 *
 * kernel/untyped.c: making objects, clearing, and memory that is used again.
 */
#include "tests/unit/kernel_machine.h"

#include <string.h>

#include "kernel/untyped.h"

static uint32_t memory; /* 40 pages */

static int setup(void **state)
{
    machine_setup(state);
    memory = make(OBJECT_untyped, 40);
    return 0;
}

static uint32_t cut(enum object type, uint64_t pages)
{
    uint32_t slot = slot_new();
    enum error error;
    do
        error = INVOKE(memory, untyped_retype, type, pages, slot);
    while (error == ERROR_MORE);
    must(error);
    return slot;
}

static uint8_t *contents(uint32_t page)
{
    return phys_to_virt(cap_at(page)->address);
}

static uint64_t used(uint32_t slot)
{
    must(INVOKE(slot, untyped_info, 0));
    return machine.result[2];
}

static void objects_are_cut_off_in_order(void **state)
{
    (void)state;
    must(INVOKE(memory, untyped_info, 0));
    uint64_t start = machine.result[0];
    assert_int_equal(machine.result[1], 40);
    assert_int_equal(machine.result[2], 0);
    uint32_t first = cut(OBJECT_page, 2), second = cut(OBJECT_untyped, 3);
    uint32_t third = cut(OBJECT_page, 1);
    assert_int_equal(cap_at(first)->address, start);
    assert_int_equal(cap_at(second)->address, start + 2 * PAGE_BYTES);
    assert_int_equal(cap_at(third)->address, start + 5 * PAGE_BYTES);
    assert_int_equal(used(memory), 6);
}

static void only_stated_sizes_are_made(void **state)
{
    (void)state;
    static const struct {
        enum object type;
        uint64_t pages;
    } wrong[] = {{OBJECT_none, 1},
                 {OBJECT_irq, 1},
                 {OBJECT_ioport, 1},
                 {OBJECT_untyped, 0},
                 {OBJECT_iommu, 1},
                 {OBJECT_dmaspace, 2},
                 {OBJECT_dmaspace, 4},
                 {OBJECT_page, 0},
                 {OBJECT_page, PAGE_RUN_MAX + 1},
                 {OBJECT_table, 0},
                 {OBJECT_table, 2},
                 {OBJECT_space, 1},
                 {OBJECT_space, 3},
                 {OBJECT_captable, 0},
                 {OBJECT_captable, CAPTABLE_PAGES_MAX + 1},
                 {OBJECT_thread, 2},
                 {OBJECT_port, 0},
                 {OBJECT_port, 1ull << 32},
                 {OBJECT_page, 1 + (1ull << 32)}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refused(BAD_ARGUMENT, INVOKE(memory, untyped_retype, wrong[i].type, wrong[i].pages, 100));
    assert_int_equal(used(memory), 0);
}

static void the_end_of_memory(void **state)
{
    (void)state;
    cut(OBJECT_untyped, 39);
    refused(NO_MEMORY, INVOKE(memory, untyped_retype, OBJECT_space, 2, 100));
    cut(OBJECT_port, 1);
    refused(NO_MEMORY, INVOKE(memory, untyped_retype, OBJECT_port, 1, 100));
}

static void rights_at_birth(void **state)
{
    (void)state;
    assert_int_equal(cap_at(cut(OBJECT_page, 1))->rights,
                     RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_DMA | RIGHT_CONTROL);
    assert_int_equal(cap_at(cut(OBJECT_port, 1))->rights,
                     RIGHT_SEND | RIGHT_SIGNAL | RIGHT_WAIT | RIGHT_CONTROL);
    assert_int_equal(cap_at(cut(OBJECT_thread, 1))->rights, RIGHT_CONTROL | RIGHT_SIGNAL);
}

static void memory_for_pages_makes_nothing_else(void **state)
{
    (void)state;
    uint32_t pages = slot_new(), part = slot_new(), page = slot_new();
    refused(BAD_ARGUMENT, INVOKE(memory, untyped_retype, OBJECT_untyped, 8, pages, 2));
    must(INVOKE(memory, untyped_retype, OBJECT_untyped, 8, pages, UNTYPED_PAGES_ONLY));
    must(INVOKE(pages, untyped_retype, OBJECT_page, 1, page, 0));
    must(INVOKE(pages, untyped_retype, OBJECT_untyped, 4, part, 0));
    const enum object objects[] = {OBJECT_thread, OBJECT_port, OBJECT_table};
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        refused(BAD_ARGUMENT, INVOKE(pages, untyped_retype, objects[i], 1, 100, 0));
        refused(BAD_ARGUMENT, INVOKE(part, untyped_retype, objects[i], 1, 100, 0));
    }
    refused(BAD_ARGUMENT, INVOKE(part, untyped_retype, OBJECT_captable, 1, 100, 0));
    refused(BAD_ARGUMENT, INVOKE(part, untyped_retype, OBJECT_space, 2, 100, 0));
}

static void clearing_goes_in_bounded_steps(void **state)
{
    (void)state;
    unsigned more = 0;
    while (INVOKE(memory, untyped_retype, OBJECT_page, 33, 100) == ERROR_MORE)
        assert_true(++more < 10);
    assert_int_equal(more, 33 / UNTYPED_CLEAR_PAGES);
    assert_int_equal(cap_at(100)->pages, 33);
}

static void what_was_cleared_for_one_serves_another(void **state)
{
    (void)state;
    refused(MORE, INVOKE(memory, untyped_retype, OBJECT_page, 20, 100));
    uint32_t first = cut(OBJECT_untyped, 4), second = cut(OBJECT_page, 3);
    uint32_t port = cut(OBJECT_port, 1), rest = cut(OBJECT_page, 20);
    (void)first, (void)second, (void)port, (void)rest; /* the check looks whether they are clear */
}

static void memory_is_cleared_before_it_is_used_again(void **state)
{
    (void)state;
    uint32_t first = cut(OBJECT_page, 4), second = cut(OBJECT_page, 12);
    memset(contents(first), 0x5e, 4 * PAGE_BYTES);
    memset(contents(second), 0x5e, 12 * PAGE_BYTES);
    revoke_all(memory);
    uint32_t again = cut(OBJECT_page, 16);
    assert_int_equal(contents(again)[0], 0);
    assert_memory_equal(contents(again), contents(again) + 1, 16 * PAGE_BYTES - 1);
}

/* Found by tests/explore. */
static void a_refused_retype_changes_nothing(void **state)
{
    (void)state;
    delete_all(cut(OBJECT_page, 20));
    assert_int_equal(used(memory), 20);
    refused(NO_MEMORY, INVOKE(memory, untyped_retype, OBJECT_page, 41, 100));
    assert_int_equal(used(memory), 20);
}

static void memory_comes_back_when_all_of_it_is_free(void **state)
{
    (void)state;
    uint32_t first = cut(OBJECT_page, 20), second = cut(OBJECT_page, 20);
    delete_all(first);
    refused(NO_MEMORY, INVOKE(memory, untyped_retype, OBJECT_page, 1, 100));
    delete_all(second);
    cut(OBJECT_page, 20);
    cut(OBJECT_page, 20);
}

static void partly_cleared_memory_is_clear_after_a_revoke(void **state)
{
    (void)state;
    uint32_t page = cut(OBJECT_page, 1);
    refused(MORE, INVOKE(memory, untyped_retype, OBJECT_page, 30, 100));
    memset(contents(page), 0x5e, PAGE_BYTES);
    revoke_all(memory);
    for (int i = 0; i < 5; i++)
        cut(OBJECT_page, 8);
}

static void memory_of_memory_is_cleared_too(void **state)
{
    (void)state;
    uint32_t inner = cut(OBJECT_untyped, 10), page = slot_new();
    refused(MORE, INVOKE(inner, untyped_retype, OBJECT_page, 9, page));
    must(INVOKE(inner, untyped_retype, OBJECT_page, 9, page));
    memset(contents(page), 0x5e, 9 * PAGE_BYTES);
    delete_all(inner);
    inner = cut(OBJECT_untyped, 10);
    refused(MORE, INVOKE(inner, untyped_retype, OBJECT_page, 9, page));
    must(INVOKE(inner, untyped_retype, OBJECT_page, 9, page));
    assert_int_equal(contents(page)[0], 0);
}

static void objects_start_empty_on_used_memory(void **state)
{
    (void)state;
    static const enum object types[] = {OBJECT_captable, OBJECT_port, OBJECT_thread, OBJECT_table};
    for (int i = 0; i < 4; i++) {
        uint32_t page = cut(OBJECT_page, 8);
        memset(contents(page), 0xff, 8 * PAGE_BYTES);
        delete_all(page);
        cut(types[i], 1); /* the check looks at all of it */
        cut(OBJECT_space, SPACE_PAGES);
        revoke_all(memory);
    }
}

static void the_image_keeps_its_contents_and_is_never_written(void **state)
{
    (void)state;
    const uint64_t start = cap_at(SLOT_IMAGE)->address;
    uint32_t first = slot_new(), second = slot_new();
    memset(phys_to_virt(start), 0x77, IMAGE_PAGES * PAGE_BYTES);
    must(INVOKE(SLOT_IMAGE, untyped_retype, OBJECT_page, 3, first, start + PAGE_BYTES));
    must(INVOKE(SLOT_IMAGE, untyped_retype, OBJECT_page, 4, second, start)); /* shared */
    assert_int_equal(contents(first)[0], 0x77);
    assert_int_equal(cap_at(first)->rights & RIGHT_WRITE, 0);
    refused(NO_RIGHT, INVOKE(first, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_WRITE));
    revoke_all(SLOT_IMAGE);
    assert_int_equal(*(uint8_t *)phys_to_virt(start), 0x77);
    static const enum object types[] = {OBJECT_untyped, OBJECT_table, OBJECT_captable,
                                        OBJECT_thread, OBJECT_port};
    for (int i = 0; i < 5; i++)
        refused(BAD_ARGUMENT, INVOKE(SLOT_IMAGE, untyped_retype, types[i], 1, 100, start));
}

static void device_memory_is_named_by_address_and_not_touched(void **state)
{
    (void)state;
    const uint64_t end = DEVICE_ADDRESS + DEVICE_PAGES * PAGE_BYTES;
    uint32_t page = slot_new();
    must(INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 16, page, end - 16 * PAGE_BYTES));
    assert_int_equal(cap_at(page)->address, end - 16 * PAGE_BYTES);
    assert_true(cap_at(page)->flags & CAP_DEVICE);
    refused(NO_MEMORY, INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 2, 100, end - PAGE_BYTES));
    refused(NO_MEMORY, INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 1, 100, 0ull - PAGE_BYTES));
    refused(BAD_ARGUMENT, INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_page, 1, 100, 0));
    refused(BAD_ARGUMENT,
            INVOKE(SLOT_DEVICE, untyped_retype, OBJECT_thread, 1, 100, DEVICE_ADDRESS));
}

static void memory_in_removal_makes_nothing(void **state)
{
    (void)state;
    cut(OBJECT_page, 1);
    cut(OBJECT_page, 1);
    refused(MORE, INVOKE(SLOT_TABLE, captable_revoke, memory));
    refused(BAD_STATE, INVOKE(memory, untyped_retype, OBJECT_page, 1, 100));
    revoke_all(memory);
    cut(OBJECT_page, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(objects_are_cut_off_in_order, setup),
        cmocka_unit_test_setup(only_stated_sizes_are_made, setup),
        cmocka_unit_test_setup(the_end_of_memory, setup),
        cmocka_unit_test_setup(rights_at_birth, setup),
        cmocka_unit_test_setup(memory_for_pages_makes_nothing_else, setup),
        cmocka_unit_test_setup(clearing_goes_in_bounded_steps, setup),
        cmocka_unit_test_setup(what_was_cleared_for_one_serves_another, setup),
        cmocka_unit_test_setup(memory_is_cleared_before_it_is_used_again, setup),
        cmocka_unit_test_setup(a_refused_retype_changes_nothing, setup),
        cmocka_unit_test_setup(memory_comes_back_when_all_of_it_is_free, setup),
        cmocka_unit_test_setup(partly_cleared_memory_is_clear_after_a_revoke, setup),
        cmocka_unit_test_setup(memory_of_memory_is_cleared_too, setup),
        cmocka_unit_test_setup(objects_start_empty_on_used_memory, setup),
        cmocka_unit_test_setup(the_image_keeps_its_contents_and_is_never_written, setup),
        cmocka_unit_test_setup(device_memory_is_named_by_address_and_not_touched, setup),
        cmocka_unit_test_setup(memory_in_removal_makes_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
