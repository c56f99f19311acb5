/* SPDX-License-Identifier: ISC
 *
 * kernel/cap.c, kernel/captable.c: deriving, moving, removing; removing in every order, and that it
 * always ends.
 */
#include "tests/unit/kernel_machine.h"

#include <stdio.h>
#include <string.h>

#include "kernel/untyped.h"

static uint32_t copy_to(uint32_t table, uint32_t from, uint64_t to)
{
    must(INVOKE(table, captable_copy, from, to, RIGHT_ALL));
    return (uint32_t)to;
}

static uint32_t copy(uint32_t from)
{
    return copy_to(SLOT_TABLE, from, slot_new());
}

static struct cap *cap_in(uint32_t table, uint64_t slot)
{
    return captable_slot(object_at(table), slot);
}

static void rights_never_grow(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(INVOKE(SLOT_TABLE, captable_copy, page, 100, RIGHT_READ | RIGHT_DMA));
    must(INVOKE(SLOT_TABLE, captable_copy, 100, 101, RIGHT_ALL));
    assert_int_equal(cap_at(101)->rights, RIGHT_READ | RIGHT_DMA);
    must(INVOKE(SLOT_TABLE, captable_copy, 101, 102, RIGHT_READ | RIGHT_WRITE));
    assert_int_equal(cap_at(102)->rights, RIGHT_READ);
}

static void minting_keeps_badge_and_rights_apart(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    must(INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_SEND, 77, 0));
    must(INVOKE(SLOT_TABLE, captable_info, 100));
    assert_int_equal(machine.result[0], OBJECT_port);
    assert_int_equal(machine.result[1], RIGHT_SEND);
    assert_int_equal(machine.result[2], 77);
    must(INVOKE(SLOT_TABLE, captable_copy, 100, 101, RIGHT_ALL)); /* a copy has the same badge */
    assert_int_equal(cap_at(101)->port.badge, 77);
    assert_int_equal(cap_at(101)->rights, RIGHT_SEND);
}

static void info_of_an_empty_slot_is_nothing(void **state)
{
    (void)state;
    must(INVOKE(SLOT_TABLE, captable_info, 100));
    assert_int_equal(machine.result[0] | machine.result[1] | machine.result[2], 0);
    must(INVOKE(SLOT_TABLE, captable_info, 0));
    assert_int_equal(machine.result[0] | machine.result[1] | machine.result[2], 0);
}

static void a_moved_capability_keeps_children_and_mapping(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), child;
    for (int level = 3; level > 0; level--)
        must(INVOKE(make(OBJECT_table, 1), table_map, SLOT_SPACE, AT));
    child = copy(page);
    must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ));
    must(INVOKE(child, page_map, SLOT_SPACE, AT + PAGE_BYTES, RIGHT_READ));
    must(INVOKE(SLOT_TABLE, captable_move, page, 100));
    must(INVOKE(SLOT_TABLE, captable_move, child, 101));
    must(INVOKE(100, page_info, 0));
    assert_int_equal(machine.result[2], AT);
    delete_all(100);
    assert_int_equal(cap_at(101)->type, OBJECT_none);
}

static void an_unmapped_page_can_be_moved_then_mapped(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), reused;
    for (int level = 3; level > 0; level--)
        must(INVOKE(make(OBJECT_table, 1), table_map, SLOT_SPACE, AT));
    must(INVOKE(SLOT_TABLE, captable_move, page, 100));
    reused = page; /* whatever comes to the old slot has nothing to do with it */
    must(INVOKE(SLOT_MEMORY, untyped_retype, OBJECT_page, 1, reused));
    must(INVOKE(100, page_map, SLOT_SPACE, AT, RIGHT_READ));
    must(INVOKE(reused, page_map, SLOT_SPACE, AT + PAGE_BYTES, RIGHT_READ));
    must(INVOKE(100, page_unmap, 0));
    must(INVOKE(reused, page_unmap, 0));
}

static void a_table_stays_where_it_was_made(void **state)
{
    (void)state;
    uint32_t outer = make(OBJECT_captable, 1), inner = make(OBJECT_captable, 1);
    refused(BAD_STATE, INVOKE(outer, captable_move, inner, 5));
    refused(BAD_STATE, INVOKE(inner, captable_move, inner, 5));
    uint32_t other = copy(inner); /* a copy may go anywhere */
    must(INVOKE(inner, captable_move, other, 5));
}

/* Else the table would hold the memory that it is in, and removing either would go in circles. */
static void memory_does_not_get_into_a_table_made_from_it(void **state)
{
    (void)state;
    uint32_t memory = make(OBJECT_untyped, 10), table = slot_new();
    must(INVOKE(memory, untyped_retype, OBJECT_captable, 1, table));
    refused(BAD_STATE, INVOKE(table, captable_move, memory, 5));
    refused(BAD_STATE, INVOKE(table, captable_move, SLOT_MEMORY, 5));
    delete_all(table);
    delete_all(memory);
}

static void fresh_memory_is_handed_down_but_not_back_up(void **state)
{
    (void)state;
    uint32_t memory = make(OBJECT_untyped, 10), table = make(OBJECT_captable, 1);
    must(INVOKE(table, captable_move, memory, 5));
    copy_to(table, SLOT_TABLE, 6);
    struct thread *below = object_at(make_thread_in(SLOT_SPACE, table, PRIORITY, 0));
    must(thread_resume(below));
    must(INVOKE_BY(below, 5, untyped_retype, OBJECT_page, 1, 7));
    refused(BAD_STATE, INVOKE_BY(below, 6, captable_move, 5, 100));
    must(INVOKE_BY(below, 6, captable_move, 7, 100)); /* but what is made from it */
    delete_all(table);
    assert_int_equal(cap_at(100)->type, OBJECT_none);
}

static void tables_nest_to_a_stated_depth(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_captable, 1), memory = make(OBJECT_untyped, 60);
    uint32_t thread = make_thread_in(SLOT_SPACE, table, PRIORITY, 0);
    struct thread *below = object_at(thread);
    struct captable *inner = object_at(table);
    must(INVOKE(table, captable_move, memory, 2));
    must(thread_resume(below));
    for (int nesting = 2; nesting <= CAPTABLE_NESTING_MAX; nesting++) {
        must(INVOKE_BY(below, 2, untyped_retype, OBJECT_untyped, 10 - (uint64_t)nesting, 4));
        must(INVOKE_BY(below, 2, untyped_retype, OBJECT_captable, 1, 3));
        must(INVOKE_BY(below, 3, captable_move, 4, 2));
        inner = captable_slot(inner, 3)->object;
        assert_int_equal(inner->nesting, nesting);
        must(INVOKE(thread, thread_suspend, 0));
        must(thread_configure(below, machine.main->space, inner, PRIORITY, 0));
        must(thread_resume(below));
    }
    refused(LIMIT, INVOKE_BY(below, 2, untyped_retype, OBJECT_captable, 1, 3));
    assert_in_range(delete_all(table), 9, 200);
}

static void a_copy_goes_alone(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), child = copy(page), other = copy(page);
    assert_int_equal(delete_all(child), 1);
    assert_int_equal(cap_at(page)->type, OBJECT_page);
    assert_int_equal(cap_at(other)->type, OBJECT_page);
}

static void the_first_takes_all_others_with_it(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), table = make(OBJECT_captable, 1);
    uint32_t child = copy(page), grandchild = copy(child);
    copy_to(table, grandchild, 9);
    assert_int_equal(delete_all(page), 4);
    assert_int_equal(cap_at(child)->type, OBJECT_none);
    assert_int_equal(cap_at(grandchild)->type, OBJECT_none);
    assert_int_equal(cap_in(table, 9)->type, OBJECT_none);
}

static void revoking_leaves_the_capability_itself(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), child = copy(page);
    copy(child);
    copy(child);
    copy(page);
    assert_int_equal(revoke_all(page), 5);
    assert_false(cap_has_children(cap_at(page)));
    copy(page); /* and it can be used again */
}

static void nothing_is_derived_while_it_is_revoked(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), child = copy(page), port = make(OBJECT_port, 1);
    uint32_t grandchild = copy(child);
    copy(grandchild);
    refused(MORE, INVOKE(SLOT_TABLE, captable_revoke, page));
    const uint32_t passed[] = {page, child, grandchild};
    for (int i = 0; i < 3; i++) {
        refused(BAD_STATE, INVOKE(SLOT_TABLE, captable_copy, passed[i], 100, RIGHT_ALL));
        refused(BAD_STATE, INVOKE(SLOT_TABLE, captable_move, passed[i], 100));
        refused(LIMIT, send_by(machine.main, port, 1, 0, passed[i]));
    }
    revoke_all(page);
    copy(page);
}

/* A child's holder revokes it meanwhile, and finishes: that mustn't make it usable again. */
static void a_revoke_below_does_not_end_a_removal_above(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), child = copy(page);
    copy(child);
    refused(MORE, INVOKE(SLOT_TABLE, captable_revoke, page));
    must(INVOKE(SLOT_TABLE, captable_revoke, child));
    refused(BAD_STATE, INVOKE(SLOT_TABLE, captable_copy, child, 100, RIGHT_ALL));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, page));
    must(INVOKE(SLOT_TABLE, captable_revoke, page));
    refused(BAD_STATE, INVOKE(SLOT_TABLE, captable_copy, page, 100, RIGHT_ALL));
    delete_all(page);
}

static void what_is_being_removed_gets_nothing_new(void **state)
{
    (void)state;
    uint32_t space = make(OBJECT_space, SPACE_PAGES), table = make(OBJECT_captable, 1);
    uint32_t port = make(OBJECT_port, 1), thread = make(OBJECT_thread, 1), irq = slot_new();
    uint32_t page = make(OBJECT_page, 1), map = make(OBJECT_table, 1);
    must(INVOKE(SLOT_IRQS, irq_derive, 0x30, irq));
    copy(copy(space));
    copy(copy(table));
    copy(copy(port));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, space));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, table));
    refused(MORE, INVOKE(SLOT_TABLE, captable_delete, port));
    refused(BAD_STATE, INVOKE(page, page_map, space, AT, RIGHT_READ));
    refused(BAD_STATE, INVOKE(map, table_map, space, AT));
    refused(BAD_STATE, INVOKE(irq, irq_bind, port, 0, IRQ_MESSAGE));
    refused(BAD_STATE, INVOKE(thread, thread_configure, space, SLOT_TABLE, 1, 0));
    refused(BAD_STATE, INVOKE(thread, thread_configure, SLOT_SPACE, table, 1, 0));
}

static void a_table_takes_its_contents_with_it(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_captable, 2), page = make(OBJECT_page, 1), outside;
    must(INVOKE(table, captable_move, page, 127));
    copy_to(table, table, 3); /* a copy of itself, too */
    outside = slot_new();
    must(INVOKE(table, captable_copy, SLOT_SPACE, 4, RIGHT_ALL));
    struct thread *inside = object_at(make_thread_in(SLOT_SPACE, table, PRIORITY, 0));
    copy_to(table, SLOT_TABLE, 5);
    must(thread_resume(inside));
    must(INVOKE_BY(inside, 5, captable_copy, 127, outside, RIGHT_ALL));
    assert_in_range(delete_all(table), 6, 20);
    assert_int_equal(cap_at(outside)->type, OBJECT_none); /* the page went */
    assert_int_equal(inside->state, THREAD_SUSPENDED);
    assert_null(inside->captable);
}

static void a_big_empty_table_goes_in_bounded_steps(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_captable, CAPTABLE_PAGES_MAX);
    assert_in_range(delete_all(table), CAPTABLE_PAGES_MAX, CAPTABLE_PAGES_MAX + 3);
}

static void a_removal_given_up_half_way_can_be_finished(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_captable, 1);
    for (uint64_t slot = 1; slot < 20; slot++)
        copy_to(table, SLOT_SPACE, slot);
    for (int i = 0; i < 5; i++)
        refused(MORE, INVOKE(SLOT_TABLE, captable_delete, table));
    must(INVOKE(table, captable_delete, 15));
    delete_all(table);
}

/* --- destroying what is in use --- */

static void a_thread_can_delete_itself(void **state)
{
    (void)state;
    uint32_t slot = make_thread(PRIORITY, 0);
    struct thread *thread = object_at(slot);
    must(INVOKE_BY(thread, SLOT_TABLE, captable_delete, slot));
    assert_ptr_equal(sim_cpu.current, machine.main);
    assert_int_equal(cap_at(slot)->type, OBJECT_none);
}

static void the_last_thread_can_delete_itself(void **state)
{
    (void)state;
    must(INVOKE(SLOT_TABLE, captable_delete, SLOT_THREAD));
    assert_null(sim_cpu.current);
}

static void a_thread_can_delete_its_own_space(void **state)
{
    (void)state;
    uint32_t space = make(OBJECT_space, SPACE_PAGES);
    struct thread *thread = object_at(make_thread_in(space, SLOT_TABLE, PRIORITY, 0));
    must(thread_resume(thread));
    refused(MORE, INVOKE_BY(thread, SLOT_TABLE, captable_delete, space));
    assert_int_equal(thread->state, THREAD_SUSPENDED);
    assert_null(thread->space);
    assert_ptr_equal(sim_cpu.current, machine.main);
    delete_all(space);
}

static void a_thread_can_delete_its_own_table(void **state)
{
    (void)state;
    uint32_t table = make(OBJECT_captable, 1);
    struct thread *thread = object_at(make_thread_in(SLOT_SPACE, table, PRIORITY, 0));
    copy_to(table, SLOT_TABLE, 1);
    must(thread_resume(thread));
    /* Its capability for the root table is inside, so it goes before the end. */
    refused(MORE, INVOKE_BY(thread, 1, captable_delete, table));
    refused(EMPTY_SLOT, INVOKE_BY(thread, 1, captable_delete, table));
    delete_all(table);
    assert_int_equal(thread->state, THREAD_SUSPENDED);
}

static void revoking_memory_takes_the_revoker_with_it(void **state)
{
    (void)state;
    uint32_t memory = make(OBJECT_untyped, 20), table = slot_new(), port = slot_new();
    must(INVOKE(memory, untyped_retype, OBJECT_captable, 1, table));
    must(INVOKE(memory, untyped_retype, OBJECT_port, 1, port));
    struct thread *thread = object_at(make_thread_in(SLOT_SPACE, table, PRIORITY, 0));
    copy_to(table, SLOT_TABLE, 1);
    copy_to(table, port, 2);
    must(thread_resume(thread));
    enum error error = ERROR_MORE;
    for (int steps = 0; error == ERROR_MORE; steps++) {
        error = INVOKE_BY(thread, 1, captable_revoke, memory);
        assert_true(steps < 20);
    }
    assert_int_equal(error, ERROR_EMPTY_SLOT);
    revoke_all(memory);
    assert_false(cap_has_children(cap_at(memory)));
    assert_int_equal(thread->state, THREAD_SUSPENDED);
}

/* --- everything at once, in any order --- */

enum { OBJECTS = 14, SEEDS = 150 };

static uint64_t random_state;

static uint64_t random_number(uint64_t limit)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (random_state >> 33) % limit;
}

/* A domain in which everything refers to everything. Fills in the slots of its objects. */
static void tangle(uint32_t slots[OBJECTS])
{
    uint32_t memory = make(OBJECT_untyped, 60), n = 0;
    uint32_t table = slots[n++] = make(OBJECT_captable, 1);
    uint32_t second = slots[n++] = make(OBJECT_captable, 2);
    uint32_t space = slots[n++] = make(OBJECT_space, SPACE_PAGES);
    uint32_t port = slots[n++] = make(OBJECT_port, 1);
    uint32_t page = slots[n++] = make(OBJECT_page, 3);
    for (int level = 3; level > 0; level--)
        must(INVOKE(slots[n++] = make(OBJECT_table, 1), table_map, space, AT));
    uint32_t waiter = slots[n++] = make_thread_in(space, table, PRIORITY, 0);
    uint32_t faulty = slots[n++] = make_thread_in(space, second, PRIORITY, 4);
    uint32_t ready = slots[n++] = make_thread_in(space, table, PRIORITY, 4);
    uint32_t minted = slots[n++] = slot_new(), mapped = slots[n++] = copy(page);
    slots[n++] = memory;
    assert_int_equal(n, OBJECTS);

    must(INVOKE(SLOT_TABLE, captable_mint, port, minted, RIGHT_SEND | RIGHT_SIGNAL, 1, 3));
    must(INVOKE(page, page_map, space, AT, RIGHT_READ));
    must(INVOKE(mapped, page_map, space, AT + 8 * PAGE_BYTES, RIGHT_READ | RIGHT_WRITE));
    copy_to(table, table, 1);
    copy_to(table, second, 2);
    copy_to(table, port, 3);
    copy_to(table, minted, 4);
    copy_to(second, table, 2);
    copy_to(second, second, 3);
    copy_to(second, minted, 4);
    copy_to(second, waiter, 5);
    copy_to(second, mapped, 6);
    uint32_t own = make(OBJECT_port, 1);
    copy_to(table, own, 6);
    must(thread_resume(object_at(waiter)));
    must(wait_by(object_at(waiter), 6, 0, sim_clock + 1000000));
    must(thread_resume(object_at(faulty)));
    run(object_at(faulty));
    sim_fault(FAULT_PAGE, AT, 0);
    must(send_by(machine.main, minted, 1, 0, (uint64_t)mapped << 32 | port));
    must(send_by(machine.main, port, 1, 0, (uint64_t)second << 32 | table));
    must(send_by(machine.main, port, 1, 0, (uint64_t)waiter << 32 | space));
    must(thread_resume(object_at(ready)));
    must(INVOKE(second, captable_move, memory, 60));
    machine_check();
}

/* One step of removing a random one of the objects. */
static bool remove_something(const uint32_t slots[OBJECTS])
{
    uint32_t slot = slots[random_number(OBJECTS)];
    enum error error =
        machine_invoke(machine.main, SLOT_TABLE,
                       random_number(4) ? OPERATION_captable_delete : OPERATION_captable_revoke,
                       (const uint64_t[5]){slot});
    assert_true(error == OK || error == ERROR_MORE || error == ERROR_EMPTY_SLOT);
    for (int i = 0; i < OBJECTS; i++)
        if (cap_at(slots[i])->type != OBJECT_none)
            return true;
    return false;
}

static void removal_in_any_order_ends(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint32_t slots[OBJECTS];
        unsigned steps = 0;
        random_state = seed;
        machine_create();
        tangle(slots);
        while (remove_something(slots))
            assert_true(++steps < STEPS_MAX);
    }
}

static void a_tangle_goes_with_its_memory(void **state)
{
    (void)state;
    uint32_t slots[OBJECTS];
    tangle(slots);
    unsigned steps = 0;
    enum error error = ERROR_MORE;
    for (; error == ERROR_MORE; steps++) {
        error = cap_remove_step(cap_at(SLOT_MEMORY), false);
        if (sim_cpu.reschedule)
            schedule(&sim_cpu);
        machine_check();
    }
    assert_in_range(steps, 30, 300);
    assert_null(sim_cpu.current);
    sim_advance(2000000); /* no deadline is left behind */
    machine_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rights_never_grow),
        TEST(minting_keeps_badge_and_rights_apart),
        TEST(info_of_an_empty_slot_is_nothing),
        TEST(a_moved_capability_keeps_children_and_mapping),
        TEST(an_unmapped_page_can_be_moved_then_mapped),
        TEST(a_table_stays_where_it_was_made),
        TEST(memory_does_not_get_into_a_table_made_from_it),
        TEST(fresh_memory_is_handed_down_but_not_back_up),
        TEST(tables_nest_to_a_stated_depth),
        TEST(a_copy_goes_alone),
        TEST(the_first_takes_all_others_with_it),
        TEST(revoking_leaves_the_capability_itself),
        TEST(nothing_is_derived_while_it_is_revoked),
        TEST(a_revoke_below_does_not_end_a_removal_above),
        TEST(what_is_being_removed_gets_nothing_new),
        TEST(a_table_takes_its_contents_with_it),
        TEST(a_big_empty_table_goes_in_bounded_steps),
        TEST(a_removal_given_up_half_way_can_be_finished),
        TEST(a_thread_can_delete_itself),
        TEST(the_last_thread_can_delete_itself),
        TEST(a_thread_can_delete_its_own_space),
        TEST(a_thread_can_delete_its_own_table),
        TEST(revoking_memory_takes_the_revoker_with_it),
        TEST(removal_in_any_order_ends),
        TEST(a_tangle_goes_with_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
