/* SPDX-License-Identifier: ISC
 *
 * Destruction: of what one runs on, of what others still name, in every order; and nesting to the
 * limits. Inner domains are made of a part of the test's memory, which must be whole afterwards.
 */
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

enum { PART_PAGES = 24 };

/* All that was made of `part` is gone: it can be had as one again. */
static void part_is_whole(uint32_t part)
{
    uint32_t slot = slot_new();
    must(INVOKE(part, untyped_retype, OBJECT_untyped, PART_PAGES, slot));
    must(INVOKE(E->table, captable_delete, slot));
    E->next_slot--;
}

/* --- one's own --- */

void test_delete_own_copies(void)
{
    delete_all(E->space);
    delete_all(E->thread);
    delete_all(E->memory);
    must(INVOKE(E->table, captable_delete, E->table));
    refused(EMPTY_SLOT, INVOKE(E->table, captable_info, E->table));
    must(sys_yield());
}

void test_delete_every_slot(void)
{
    for (uint32_t slot = 1; slot < TABLE_SLOTS; slot++)
        if (slot != E->table && slot != E->verdict)
            INVOKE(E->table, captable_delete, slot);
    must(INVOKE(E->table, captable_delete, E->table));
    refused(EMPTY_SLOT, INVOKE(E->table, captable_delete, E->table));
    refused(EMPTY_SLOT, INVOKE(E->memory, untyped_info, 0));
}

/* A helper that removes a first capability of what it runs on: note 3 the table, note 4 the slot.
 */
static void removes(uint64_t operation)
{
    E->note[0] = 1;
    for (;;) {
        struct invoked result;
        enum error error =
            sys_invoke(E->note[3], (enum operation)operation, E->note[4], 0, 0, 0, 0, &result);
        if (error && error != ERROR_MORE)
            break;
        if (!error)
            E->note[0] = 2;
    }
    helper_end();
}

static void reads_nothing(uint64_t address)
{
    (void)*(const volatile uint8_t *)address;
}

/* An inner domain: its own space with this program in it is the test's; its table has its parent's
 * table in slot 1. */
static uint32_t inner_thread(uint32_t table, uint32_t space, uint32_t part, uint64_t priority,
                             void (*entry)(uint64_t), uint64_t argument)
{
    uint32_t thread = make_from(part, OBJECT_thread, 1);
    must(INVOKE(thread, thread_configure, space, table, priority, 0));
    must(INVOKE(thread, thread_set_registers, (uint64_t)entry, helper_stack(), argument));
    return thread;
}

void test_delete_own_thread(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES);
    uint32_t thread =
        inner_thread(E->table, E->space, part, HIGHER, removes, OPERATION_captable_delete);
    E->note[3] = E->table;
    E->note[4] = thread;
    start(thread);
    check(E->note[0] == 1);
    refused(EMPTY_SLOT, INVOKE(thread, thread_info, 0));
    part_is_whole(part);
}

void test_delete_own_captable(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES);
    uint32_t table = make_from(part, OBJECT_captable, 1);
    must(INVOKE(table, captable_copy, E->table, 1, RIGHT_ALL));
    uint32_t thread =
        inner_thread(table, E->space, part, HIGHER, removes, OPERATION_captable_delete);
    E->note[3] = 1;
    E->note[4] = table;
    start(thread);
    check(E->note[0] == 1 && thread_state_of(thread) == THREAD_FAULTED); /* slot 1 went first */
    delete_all(table);
    check(thread_state_of(thread) == THREAD_SUSPENDED);
    refused(BAD_STATE, INVOKE(thread, thread_resume, 0));
    delete_all(thread);
    part_is_whole(part);
}

/* A space of which the thread that removes it runs in: the space is empty of threads first. */
void test_delete_own_space(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES);
    uint32_t space = make_from(part, OBJECT_space, SPACE_PAGES);
    uint32_t thread = inner_thread(E->table, space, part, HIGHER, removes, 0);
    start(thread); /* nothing is mapped there: it faults at its first instruction */
    check(thread_state_of(thread) == THREAD_FAULTED);
    delete_all(space);
    check(thread_state_of(thread) == THREAD_SUSPENDED);
    refused(BAD_STATE, INVOKE(thread, thread_resume, 0));
    delete_all(thread);
    part_is_whole(part);
}

void test_revoke_what_one_runs_on(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES);
    uint32_t table = make_from(part, OBJECT_captable, 1);
    uint32_t port = make_from(part, OBJECT_port, 1);
    must(INVOKE(table, captable_copy, port, 2, RIGHT_ALL));
    uint32_t thread =
        inner_thread(E->table, E->space, part, HIGHER, removes, OPERATION_captable_revoke);
    E->note[3] = E->table;
    E->note[4] = part;
    start(thread);
    check(E->note[0] == 1); /* stopped in the middle of it */
    revoke_all(part);
    part_is_whole(part);
}

void test_delete_the_port_one_waits_on(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES), port = make_from(part, OBJECT_port, 1);
    uint32_t thread = inner_thread(E->table, E->space, part, HIGHER, helper_waits, port);
    start(thread);
    delete_all(port);
    check(E->note[0] == ERROR_PEER_DIED);
    revoke_all(part);
    part_is_whole(part);
}

void test_delete_the_port_of_a_fault_not_taken(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES), port = make_from(part, OBJECT_port, 1);
    uint32_t thread = make_from(part, OBJECT_thread, 1);
    must(INVOKE(thread, thread_configure, E->space, E->table, HIGHER, port));
    must(INVOKE(thread, thread_set_registers, 0, 0, 0));
    start(thread);
    delete_all(port);
    check(thread_state_of(thread) == THREAD_FAULTED);
    delete_all(thread);
    part_is_whole(part);
}

void test_delete_a_table_that_is_in_use(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES), space = make_from(part, OBJECT_space, 2);
    uint32_t tables[3];
    for (int i = 0; i < 3; i++) {
        tables[i] = make_from(part, OBJECT_table, 1);
        must(INVOKE(tables[i], table_map, space, PLACE));
    }
    uint32_t page = make_from(part, OBJECT_page, 2);
    must(INVOKE(page, page_map, space, PLACE, RIGHT_READ));
    delete_all(tables[0]); /* takes the space's mappings with it */
    refused(NOT_MAPPED, INVOKE(page, page_unmap, 0));
    refused(NOT_MAPPED, INVOKE(tables[2], table_unmap, 0));
    revoke_all(part);
    part_is_whole(part);
}

/* --- every order --- */

enum { SET = 6 };

enum set_state { SET_SUSPENDED, SET_READY, SET_WAITING, SET_FAULTED };

/* A captable with copies of the others, a space with a table and a page, a port with a message that
 * carries a capability, and a thread that refers to all of them. */
static void set_make(uint32_t part, uint32_t set[SET], enum set_state state)
{
    set[0] = make_from(part, OBJECT_captable, 1);
    set[1] = make_from(part, OBJECT_space, SPACE_PAGES);
    set[2] = make_from(part, OBJECT_thread, 1);
    set[3] = make_from(part, OBJECT_port, 1);
    set[4] = make_from(part, OBJECT_page, 1);
    set[5] = make_from(part, OBJECT_table, 1);
    must(INVOKE(set[5], table_map, set[1], PLACE));
    for (uint32_t i = 1; i < 5; i++)
        must(INVOKE(set[0], captable_copy, set[i], i, RIGHT_ALL));
    must(INVOKE(set[0], captable_mint, set[3], 10, RIGHT_ALL, 5, 4));
    must(INVOKE(set[2], thread_configure, state == SET_WAITING ? E->space : set[1],
                state == SET_WAITING ? E->table : set[0], state == SET_READY ? LOWER : HIGHER, 10));
    if (state == SET_WAITING) {
        must(INVOKE(set[2], thread_set_registers, (uint64_t)helper_waits, E->note[6], set[3]));
    } else {
        must(INVOKE(set[2], thread_set_registers, PLACE, PLACE, 0));
        must(ut_send(set[3], 1, (uint64_t)set[0] << 32 | set[4]));
    }
    if (state != SET_SUSPENDED)
        start(set[2]);
}

static void every_order(enum set_state state)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES), base = E->next_slot, orders = 1;
    if (state == SET_WAITING)
        E->note[6] = helper_stack();
    for (uint32_t i = 2; i <= SET; i++)
        orders *= i;
    for (uint32_t order = 0; order < orders; order++) {
        uint32_t set[SET], left = SET, rest = order;
        E->next_slot = base;
        set_make(part, set, state);
        for (; left; left--) {
            uint32_t chosen = rest % left;
            rest /= left;
            remove_all(OPERATION_captable_delete, E->table, set[chosen]);
            set[chosen] = set[left - 1];
        }
        part_is_whole(part);
    }
}

void test_every_order_of_destruction(void)
{
    every_order(SET_SUSPENDED);
}

void test_every_order_of_destruction_with_a_ready_thread(void)
{
    every_order(SET_READY);
}

void test_every_order_of_destruction_with_a_waiting_thread(void)
{
    every_order(SET_WAITING);
}

void test_every_order_of_destruction_with_a_faulted_thread(void)
{
    every_order(SET_FAULTED);
}

void test_every_order_of_removing_a_chain_of_copies(void)
{
    for (uint32_t order = 0; order < 24; order++) {
        uint32_t base = E->next_slot, slots[4], left = 4, rest = order;
        slots[0] = make(OBJECT_page, 1);
        for (int i = 1; i < 4; i++)
            slots[i] = copy_with(slots[i - 1], RIGHT_ALL);
        for (; left; left--) {
            uint32_t chosen = rest % left;
            rest /= left;
            enum error error;
            do
                error = INVOKE(E->table, captable_delete, slots[chosen]);
            while (error == ERROR_MORE);
            check(error == OK || error == ERROR_EMPTY_SLOT);
            slots[chosen] = slots[left - 1];
        }
        for (uint32_t slot = base; slot < E->next_slot; slot++)
            refused(EMPTY_SLOT, INVOKE(slot, page_info, 0));
        E->next_slot = base;
    }
}

/* --- limits of nesting --- */

/* The inner table comes first and far behind: removing looks at every slot before it. */
enum { N_INNER = 59, N_SPACE, N_MEMORY, N_PART, N_THREAD };

/* Runs in a table of its own, makes another in it and a thread there that does the same. Notes how
 * deep it went and why it ended. */
static void nests(uint64_t depth)
{
    enum error error;
    E->note[1] = depth;
    do
        error = INVOKE(N_MEMORY, untyped_retype, OBJECT_captable, 1, N_INNER);
    while (error == ERROR_MORE);
    E->note[0] = error;
    if (error)
        helper_end();
    do
        error = INVOKE(N_MEMORY, untyped_retype, OBJECT_thread, 1, N_THREAD);
    while (error == ERROR_MORE);
    must(error);
    must(INVOKE(N_MEMORY, untyped_retype, OBJECT_untyped, 4 * (10 - depth), N_PART));
    must(INVOKE(N_INNER, captable_copy, N_SPACE, N_SPACE, RIGHT_ALL));
    must(INVOKE(N_INNER, captable_move, N_PART, N_MEMORY));
    must(INVOKE(N_THREAD, thread_configure, N_SPACE, N_INNER, HIGHER + depth, 0, CEILING));
    must(INVOKE(N_THREAD, thread_set_registers, (uint64_t)nests, helper_stack(), depth + 1));
    must(INVOKE(N_THREAD, thread_resume, 0));
    helper_end();
}

enum { NEST_PAGES = 256 };

/* The outermost table of as many as there can be in each other, all of `part`. */
static uint32_t nested_tables(uint32_t part)
{
    uint32_t table = make_from(part, OBJECT_captable, 1);
    uint32_t thread = make_from(part, OBJECT_thread, 1);
    uint32_t memory = make_from(part, OBJECT_untyped, 60);
    must(INVOKE(table, captable_copy, E->space, N_SPACE, RIGHT_ALL));
    must(INVOKE(table, captable_move, memory, N_MEMORY));
    must(INVOKE(thread, thread_configure, E->space, table, HIGHER, 0, CEILING));
    must(INVOKE(thread, thread_set_registers, (uint64_t)nests, helper_stack(), 2));
    start(thread);
    check(E->note[0] == ERROR_LIMIT && E->note[1] == 8);
    return table;
}

void test_captables_nest_to_the_limit(void)
{
    uint32_t part = make(OBJECT_untyped, NEST_PAGES);
    nested_tables(part);
    revoke_all(part);
    must(INVOKE(part, untyped_retype, OBJECT_untyped, NEST_PAGES, slot_new()));
}

void test_nested_captables_from_the_outermost(void)
{
    uint32_t part = make(OBJECT_untyped, NEST_PAGES), table = nested_tables(part);
    delete_all(table);
    revoke_all(part);
    must(INVOKE(part, untyped_retype, OBJECT_untyped, NEST_PAGES, slot_new()));
}

/* --- the most that one step removes --- */

/* As many capabilities under way, vectors and pins as a port can have. */
void test_delete_a_port_with_all_it_can_hold(void)
{
    enum { PIN_FIRST = 12, PINS = 24 };
    uint32_t port = make(OBJECT_port, 1), page = make(OBJECT_page, 1), irq = slot_new();
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(ut_send(port, 1, (uint64_t)page << 32 | page));
    for (uint64_t v = IRQ_VECTOR_FIRST; v <= IRQ_VECTOR_LAST; v++, irq = slot_new()) {
        uint64_t pin = v - IRQ_VECTOR_FIRST + PIN_FIRST;
        must(INVOKE(E->irqs, irq_derive, v, irq));
        must(INVOKE(irq, irq_bind, port, v - IRQ_VECTOR_FIRST, pin < PINS ? pin : IRQ_MESSAGE));
    }
    start(helper(reads_nothing, 0, HIGHER, port));
    delete_all(port);
    must(INVOKE(page, page_info, 0));
}

/* Of the table that goes only the last entry is used, by a run that goes on in another table: all
 * entries are looked at before the run is unmapped. */
void test_delete_a_table_under_a_long_run(void)
{
    uint64_t at = PLACE + RUN_BYTES - PAGE_BYTES;
    uint32_t run = make(OBJECT_page, PAGE_RUN_MAX), space = make(OBJECT_space, SPACE_PAGES);
    uint32_t first = E->next_slot;
    tables_for(space, PLACE);
    tables_for(space, PLACE + RUN_BYTES);
    must(INVOKE(run, page_map, space, at, RIGHT_READ | RIGHT_WRITE));
    refused(BAD_STATE, INVOKE(first + 2, table_unmap, 0)); /* of the three the last is the leaf */
    delete_all(first + 2);
    refused(NOT_MAPPED, INVOKE(run, page_unmap, 0));
}

/* A table that is in use goes with all that its space has, and that stops who runs there. */
static void deletes(uint64_t slot)
{
    remove_all(OPERATION_captable_delete, E->table, (uint32_t)slot);
    E->note[0] = 1;
    helper_end();
}

void test_delete_a_table_that_one_runs_on(void)
{
    uint32_t space = make(OBJECT_space, SPACE_PAGES), table = make(OBJECT_table, 1);
    uint32_t thread = make(OBJECT_thread, 1), inner = make(OBJECT_table, 1);
    must(INVOKE(table, table_map, space, PLACE));
    must(INVOKE(inner, table_map, space, PLACE));
    must(INVOKE(thread, thread_configure, space, E->table, LOWER, 0));
    must(INVOKE(thread, thread_set_registers, (uint64_t)deletes, helper_stack(), table));
    start(thread);
    check(thread_state_of(thread) == THREAD_READY);
    delete_all(table);
    check(thread_state_of(thread) == THREAD_SUSPENDED && E->note[0] == 0);
    refused(NOT_MAPPED, INVOKE(inner, table_unmap, 0));
    refused(BAD_STATE, INVOKE(thread, thread_resume, 0));
}

/* Tables that hold capabilities of each other: neither keeps the other alive. */
void test_captables_that_hold_each_other(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES);
    uint32_t one = make_from(part, OBJECT_captable, 1), two = make_from(part, OBJECT_captable, 1);
    must(INVOKE(one, captable_copy, two, 5, RIGHT_ALL));
    must(INVOKE(two, captable_copy, one, 5, RIGHT_ALL));
    must(INVOKE(one, captable_copy, one, 6, RIGHT_ALL));
    must(INVOKE(two, captable_copy, two, 6, RIGHT_ALL));
    delete_all(one);
    delete_all(two);
    part_is_whole(part);
}

/* Memory inside the table that is made of it. */
void test_memory_inside_what_it_became(void)
{
    uint32_t part = make(OBJECT_untyped, PART_PAGES);
    uint32_t table = make_from(part, OBJECT_captable, 1);
    refused(BAD_STATE, INVOKE(table, captable_move, part, 1)); /* it would have no end */
    uint32_t inner = make_from(part, OBJECT_untyped, 4);
    must(INVOKE(table, captable_move, inner, 1));
    revoke_all(part);
    part_is_whole(part);
}

void test_share_returns_with_its_capability(void)
{
    uint32_t port = make(OBJECT_port, 1);
    for (int i = 0; i < 100; i++) {
        uint32_t minted = mint(port, RIGHT_SEND, 1, PORT_QUEUE_SLOTS);
        must(ut_send(minted, 1, 0));
        delete_all(minted);
        must(ut_wait(port, 0, 1, NULL));
        E->next_slot--;
    }
}

static void wait_into_dying(uint64_t port)
{
    E->note[1] = ut_wait(port, 30, 1, NULL);
    helper_end();
}

/* Who runs in a table that is being removed can't receive into it any more. */
void test_wait_in_a_dying_table(void)
{
    uint32_t table = make(OBJECT_captable, 1), port = make(OBJECT_port, 1);
    must(INVOKE(table, captable_copy, E->space, 1, RIGHT_ALL)); /* what goes first */
    must(INVOKE(table, captable_copy, port, 2, RIGHT_ALL));
    uint32_t thread = make(OBJECT_thread, 1);
    must(INVOKE(thread, thread_configure, E->space, table, HIGHER, 0));
    must(INVOKE(thread, thread_set_registers, (uint64_t)wait_into_dying, helper_stack(), 2));
    refused(MORE, INVOKE(E->table, captable_delete, table));
    start(thread);
    check(E->note[1] == ERROR_BAD_STATE);
    delete_all(table);
    check(thread_state_of(thread) == THREAD_SUSPENDED);
}
