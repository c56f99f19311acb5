/* SPDX-License-Identifier: ISC
 *
 * kernel/thread.c: budgets. A hog, more urgent than main and always running when it may, has 100
 * ticks in each 1000.
 */
#include "tests/unit/kernel_machine.h"

enum { TICKS = 100, PERIOD = 1000 };

static uint32_t hog_slot;
static struct thread *hog;

static int setup(void **state)
{
    machine_setup(state);
    hog_slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY + 1, 0);
    hog = object_at(hog_slot);
    must(INVOKE(hog_slot, thread_budget, TICKS, PERIOD));
    return 0;
}

static void advance(uint64_t ticks)
{
    sim_advance(ticks);
    machine_check();
}

static void runs(const struct thread *thread)
{
    assert_ptr_equal(sim_cpu.current, thread);
}

static uint64_t used_up(void)
{
    must(INVOKE(hog_slot, thread_budget_info, 0));
    return machine.result[2];
}

static void a_budget_ends_and_comes_back_each_period(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_resume, 0));
    for (uint64_t period = 1; period <= 3; period++) {
        runs(hog);
        advance(TICKS - 1);
        runs(hog);
        advance(1);
        runs(machine.main);
        assert_int_equal(hog->state, THREAD_EXHAUSTED);
        assert_int_equal(used_up(), period);
        assert_int_equal(machine.result[1], 0);
        advance(PERIOD - TICKS - 1);
        runs(machine.main);
        advance(1);
    }
}

static void what_is_left_outlives_a_wait(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(60);
    must(wait_by(hog, port, 0, sim_clock + 20));
    runs(machine.main);
    must(INVOKE(hog_slot, thread_budget_info, 0));
    assert_int_equal(machine.result[1], 40);
    advance(20);
    runs(hog);
    advance(39);
    runs(hog);
    advance(1);
    runs(machine.main);
    assert_int_equal(used_up(), 1);
}

static void a_new_period_brings_the_whole_budget(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(60);
    must(wait_by(hog, port, 0, sim_clock + PERIOD));
    advance(PERIOD);
    runs(hog);
    advance(TICKS - 1);
    runs(hog);
    advance(1);
    runs(machine.main);
}

static void being_preempted_costs_nothing(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY + 2, 0);
    struct thread *urgent = object_at(slot);
    must(INVOKE(slot, thread_resume, 0));
    runs(urgent);
    must(wait_by(urgent, port, 0, sim_clock + 30));
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(30);
    runs(urgent);
    advance(200);
    must(wait_by(urgent, port, 0, 0));
    runs(hog);
    advance(69);
    runs(hog);
    advance(1);
    runs(machine.main);
}

static void suspending_and_resuming_gains_nothing(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(TICKS);
    must(INVOKE(hog_slot, thread_suspend, 0));
    machine_check();
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(0);
    runs(machine.main);
    assert_int_equal(hog->state, THREAD_EXHAUSTED);
    advance(PERIOD - TICKS - 1);
    runs(machine.main);
    advance(1);
    runs(hog);
}

static void a_thread_that_stands_still_can_be_deleted(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(TICKS);
    refused(BAD_STATE, INVOKE(hog_slot, thread_resume, 0));
    refused(BAD_STATE, INVOKE(hog_slot, thread_budget, 0, 0));
    delete_all(hog_slot);
    advance(2 * PERIOD);
    runs(machine.main);
}

static void a_running_thread_with_a_budget_can_go(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(5);
    while (INVOKE_BY(hog, SLOT_TABLE, captable_delete, hog_slot) == ERROR_MORE)
        ;
    runs(machine.main);
    advance(2 * PERIOD);
    runs(machine.main);
}

static void a_fault_ends_the_charge(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(10);
    sim_fault(FAULT_PAGE, 0x1000, 4);
    machine_check();
    advance(50);
    must(INVOKE(hog_slot, thread_budget_info, 0));
    assert_int_equal(machine.result[1], 90);
    assert_int_equal(machine.result[2], 0);
    must(INVOKE(hog_slot, thread_resume, 0));
    runs(hog);
}

static void equals_run_while_a_budget_is_used_up(void **state)
{
    (void)state;
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY + 1, 0);
    must(INVOKE(slot, thread_resume, 0));
    struct thread *equal = object_at(slot);
    runs(equal);
    must(INVOKE_BY(equal, hog_slot, thread_resume, 0));
    prepare(equal, CALL_yield);
    must(perform(equal));
    runs(hog);
    advance(TICKS);
    runs(equal);
    advance(PERIOD - TICKS);
    assert_int_equal(hog->state, THREAD_READY);
    runs(equal);
}

static void the_whole_period_may_be_the_budget(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_budget, PERIOD, PERIOD));
    must(INVOKE(hog_slot, thread_resume, 0));
    for (int i = 0; i < 5; i++) {
        advance(PERIOD);
        runs(hog);
    }
    assert_int_equal(hog->budget.used_up, 5);
}

static void without_a_budget_there_is_no_timer(void **state)
{
    (void)state;
    must(INVOKE(hog_slot, thread_budget, 0, 0));
    must(INVOKE(hog_slot, thread_resume, 0));
    uint64_t sets = sim.timer_sets;
    advance(10 * PERIOD);
    runs(hog);
    assert_int_equal(sim.timer_sets, sets);
}

/* Without a period: watched. */

static void watch(uint64_t ticks)
{
    must(INVOKE(hog_slot, thread_suspend, 0));
    must(INVOKE(hog_slot, thread_budget, ticks, 0));
    must(INVOKE(hog_slot, thread_resume, 0));
}

static void a_watched_thread_that_never_waits_faults(void **state)
{
    (void)state;
    watch(100);
    advance(99);
    runs(hog);
    advance(1);
    runs(machine.main);
    assert_int_equal(hog->state, THREAD_FAULTED);
    assert_int_equal(hog->fault.cause, FAULT_STUCK);
    assert_int_equal(used_up(), 1);
    advance(1000);
    assert_int_equal(hog->state, THREAD_FAULTED); /* no period brings it back */
    must(INVOKE(hog_slot, thread_resume, 0));
    advance(99);
    runs(hog);
    advance(1);
    assert_int_equal(hog->state, THREAD_FAULTED);
    must(INVOKE(hog_slot, thread_budget_info, 0));
    assert_int_equal(machine.result[0], 200);
}

static void each_wait_gives_a_watched_thread_all_its_time(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    watch(100);
    for (int i = 0; i < 10; i++) {
        advance(60);
        runs(hog);
        must(wait_by(hog, port, 0, sim_clock + 20)); /* it blocks */
        runs(machine.main);
        advance(20);
        runs(hog);
    }
    for (int i = 0; i < 10; i++) {
        advance(60);
        runs(hog);
        assert_int_equal(wait_by(hog, port, 0, 1), ERROR_TIMEOUT); /* it doesn't */
    }
    advance(99);
    runs(hog);
    advance(1);
    assert_int_equal(hog->state, THREAD_FAULTED);
    assert_int_equal(used_up(), 1);
}

static void time_of_others_doesn_t_count(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    uint32_t better_slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY + 2, 0);
    struct thread *better = object_at(better_slot);
    must(INVOKE(better_slot, thread_resume, 0));
    must(wait_by(better, port, 0, sim_clock + 60));
    watch(100);
    advance(60);
    runs(better);
    advance(1000);
    must(wait_by(better, port, 0, 0));
    runs(hog);
    advance(39);
    runs(hog);
    advance(1);
    assert_int_equal(hog->state, THREAD_FAULTED);
}

static void budgets_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refused(BAD_ARGUMENT, INVOKE(hog_slot, thread_budget, 5, 4));
    refused(BAD_ARGUMENT, INVOKE(hog_slot, thread_budget, 0, 4));
    refused(BAD_ARGUMENT, INVOKE(hog_slot, thread_budget, 1, (1ull << 60) + 1));
    refused(BAD_ARGUMENT, INVOKE(hog_slot, thread_budget, UINT64_MAX, UINT64_MAX));
    must(INVOKE(hog_slot, thread_budget, 1, 1ull << 60));
    must(INVOKE(hog_slot, thread_resume, 0));
    runs(hog);
    refused(BAD_STATE, INVOKE_BY(hog, hog_slot, thread_budget, 1, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_budget_ends_and_comes_back_each_period, setup),
        cmocka_unit_test_setup(what_is_left_outlives_a_wait, setup),
        cmocka_unit_test_setup(a_new_period_brings_the_whole_budget, setup),
        cmocka_unit_test_setup(being_preempted_costs_nothing, setup),
        cmocka_unit_test_setup(suspending_and_resuming_gains_nothing, setup),
        cmocka_unit_test_setup(a_thread_that_stands_still_can_be_deleted, setup),
        cmocka_unit_test_setup(a_running_thread_with_a_budget_can_go, setup),
        cmocka_unit_test_setup(a_fault_ends_the_charge, setup),
        cmocka_unit_test_setup(equals_run_while_a_budget_is_used_up, setup),
        cmocka_unit_test_setup(the_whole_period_may_be_the_budget, setup),
        cmocka_unit_test_setup(without_a_budget_there_is_no_timer, setup),
        cmocka_unit_test_setup(a_watched_thread_that_never_waits_faults, setup),
        cmocka_unit_test_setup(each_wait_gives_a_watched_thread_all_its_time, setup),
        cmocka_unit_test_setup(time_of_others_doesn_t_count, setup),
        cmocka_unit_test_setup(budgets_that_make_no_sense_are_refused, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
