/* SPDX-License-Identifier: ISC
 *
 * kernel/thread.c: who runs, slices, the timer, deadlines, suspending, faults.
 */
#include "tests/unit/kernel_machine.h"

enum { SLICE = 10000 /* ticks: 10 ms of the simulated clock */ };

static uint32_t port;

static int setup(void **state)
{
    machine_setup(state);
    port = make(OBJECT_port, 1);
    return 0;
}

static struct thread *started(uint64_t priority)
{
    return object_at(make_thread(priority, 0));
}

static void yield(void)
{
    sim_cpu.current->registers.rax = CALL_yield;
    sim_syscall();
    machine_check();
}

static void advance(uint64_t ticks)
{
    sim_advance(ticks);
    machine_check();
}

/* Main waits for ever, so that others run. */
static void main_waits(void)
{
    must(wait_by(machine.main, port, 0, 0));
}

/* --- who runs --- */

static void the_highest_priority_runs(void **state)
{
    (void)state;
    struct thread *low = started(PRIORITY - 1);
    assert_ptr_equal(sim_cpu.current, machine.main);
    struct thread *high = started(PRIORITY + 1);
    assert_ptr_equal(sim_cpu.current, high);
    yield(); /* only to equals */
    assert_ptr_equal(sim_cpu.current, high);
    must(wait_by(high, port, 0, 0));
    assert_ptr_equal(sim_cpu.current, machine.main);
    uint32_t second = make(OBJECT_port, 1);
    must(wait_by(machine.main, second, 0, 0));
    assert_ptr_equal(sim_cpu.current, low);
    must(send_by(low, port, 1, 0, 0)); /* wakes the highest, which runs at once */
    assert_ptr_equal(sim_cpu.current, high);
}

static void all_priorities_have_a_queue(void **state)
{
    (void)state;
    struct thread *lowest = started(0), *highest = started(PRIORITY_COUNT - 1);
    assert_ptr_equal(sim_cpu.current, highest);
    must(wait_by(highest, port, 0, 0));
    must(wait_by(machine.main, make(OBJECT_port, 1), 0, 0));
    assert_ptr_equal(sim_cpu.current, lowest);
}

static void equals_take_turns(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY), *third = started(PRIORITY);
    assert_ptr_equal(sim_cpu.current, machine.main); /* waking an equal doesn't preempt */
    for (int i = 0; i < 3; i++) {
        yield();
        assert_ptr_equal(sim_cpu.current, second);
        yield();
        assert_ptr_equal(sim_cpu.current, third);
        yield();
        assert_ptr_equal(sim_cpu.current, machine.main);
    }
}

static void a_preempted_thread_goes_on_before_its_equals(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY);
    struct thread *high = started(PRIORITY + 1);
    must(wait_by(high, port, 0, 0));
    assert_ptr_equal(sim_cpu.current, machine.main);
    yield();
    assert_ptr_equal(sim_cpu.current, second);
    must(send_by(second, port, 1, 0, 0));
    assert_ptr_equal(sim_cpu.current, high);
    must(wait_by(high, port, 0, 0));
    assert_ptr_equal(sim_cpu.current, second);
}

/* --- slices --- */

static void a_slice_ends_among_equals(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(sim_cpu.current, machine.main);
        advance(SLICE - 1);
        assert_ptr_equal(sim_cpu.current, machine.main);
        advance(1);
        assert_ptr_equal(sim_cpu.current, second);
        advance(SLICE);
    }
}

static void a_thread_alone_has_no_timer(void **state)
{
    (void)state;
    started(PRIORITY - 1); /* a lower one doesn't compete */
    assert_int_equal(sim.timer_sets, 0);
    advance(100 * SLICE);
    assert_int_equal(sim.timer_interrupts, 0);
    assert_ptr_equal(sim_cpu.current, machine.main);
}

static void a_slice_ends_though_the_timer_came_early(void **state)
{
    (void)state;
    uint32_t other_port = make(OBJECT_port, 1);
    struct thread *second = started(PRIORITY), *third = started(PRIORITY);
    must(wait_by(third, other_port, 0, sim_clock + 100));
    run(machine.main);
    uint64_t end = sim_cpu.slice_end;
    must(send_by(machine.main, other_port, 1, 0, 0)); /* the deadline is no more, its timer is */
    assert_true(sim.timer < end);
    sim_advance(end - sim_clock);
    assert_ptr_not_equal(sim_cpu.current, machine.main);
    assert_int_equal(sim_cpu.current->state, THREAD_RUNNING);
    (void)second;
    machine_check();
}

static void a_wait_gives_the_rest_of_the_slice_up(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY), *third = started(PRIORITY);
    advance(SLICE / 2);
    main_waits();
    assert_ptr_equal(sim_cpu.current, second);
    advance(SLICE - 1);
    assert_ptr_equal(sim_cpu.current, second); /* it has a whole one */
    advance(1);
    assert_ptr_equal(sim_cpu.current, third);
}

/* A better thread that runs again and again doesn't start the slice anew each time. */
static void being_interrupted_does_not_prolong_a_slice(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY), *high = started(PRIORITY + 1);
    uint64_t turns[2] = {0, 0};
    for (int i = 0; i < 20; i++) {
        must(wait_by(high, port, 0, sim_clock + SLICE / 2));
        turns[sim_cpu.current == second]++;
        advance(SLICE / 2);
        assert_ptr_equal(sim_cpu.current, high);
    }
    assert_in_range(turns[0], 8, 12);
    assert_in_range(turns[1], 8, 12);
}

static void equals_that_come_later_start_a_slice(void **state)
{
    (void)state;
    advance(5 * SLICE);
    struct thread *second = started(PRIORITY);
    advance(SLICE - 1);
    assert_ptr_equal(sim_cpu.current, machine.main);
    advance(1);
    assert_ptr_equal(sim_cpu.current, second);
}

/* --- the timer --- */

static void an_idle_machine_sets_no_timer(void **state)
{
    (void)state;
    uint32_t slot = make_thread(PRIORITY, 0);
    assert_int_not_equal(sim_cpu.slice_end, 0);
    must(INVOKE(slot, thread_suspend, 0)); /* the slice has nobody to compete with any more */
    main_waits();
    assert_null(sim_cpu.current);
    uint64_t before = sim.timer_interrupts;
    advance(1000 * SLICE);
    assert_true(sim.timer_interrupts - before <= 1); /* the stale one, once */
    assert_int_equal(sim.timer, 0);
}

static void a_stale_deadline_fires_once_at_most(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY);
    must(wait_by(second, port, 0, sim_clock + 3 * SLICE));
    must(send_by(machine.main, port, 1, 0, 0));
    must(wait_by(second, port, 0, 0));
    must(wait_by(machine.main, make(OBJECT_port, 1), 0, 0));
    assert_null(sim_cpu.current);
    uint64_t before = sim.timer_interrupts;
    advance(1000 * SLICE);
    assert_true(sim.timer_interrupts - before <= 2); /* a slice's and the deadline's */
}

static void the_timer_is_only_moved_earlier(void **state)
{
    (void)state;
    uint32_t ports[] = {make(OBJECT_port, 1), make(OBJECT_port, 1), make(OBJECT_port, 1)};
    struct thread *first = started(PRIORITY + 1);
    must(wait_by(first, ports[0], 0, sim_clock + 5000));
    uint64_t sets = sim.timer_sets, timer = sim.timer;
    struct thread *second = started(PRIORITY + 1);
    must(wait_by(second, ports[1], 0, sim_clock + 6000));
    assert_int_equal(sim.timer, timer);
    assert_int_equal(sim.timer_sets, sets);
    struct thread *third = started(PRIORITY + 1);
    must(wait_by(third, ports[2], 0, sim_clock + 100));
    assert_int_equal(sim.timer, sim_clock + 100);
    assert_int_equal(sim.timer_sets, sets + 1);
    advance(100);
    assert_int_equal(third->registers.rax, ERROR_TIMEOUT);
    assert_int_equal(sim.timer, timer); /* for the next one */
}

static void deadlines_expire_in_order_one_per_entry(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    struct thread *threads[COUNT];
    uint64_t now = sim_clock;
    for (int i = 0; i < COUNT; i++) {
        uint32_t own = make(OBJECT_port, 1);
        threads[i] = started(PRIORITY + 1);
        must(wait_by(threads[i], own, 0, now + 1000 + (uint64_t)(i * 5 % COUNT)));
    }
    sim_clock += 5000; /* all are due before the interrupt comes */
    for (int expired = 0; expired < COUNT; expired++) {
        sim.timer = 0;
        timer_expired(&sim_cpu);
        int awake = 0;
        for (int i = 0; i < COUNT; i++) {
            awake += threads[i]->state != THREAD_WAITING;
            assert_true(threads[i]->state == THREAD_WAITING || i * 5 % COUNT <= expired);
        }
        assert_int_equal(awake, expired + 1);
        assert_true(expired == COUNT - 1 || sim.timer <= sim_clock); /* at once again */
    }
    schedule(&sim_cpu);
    machine_check();
}

static void the_farthest_deadline_is_one(void **state)
{
    (void)state;
    struct thread *second = started(PRIORITY);
    must(wait_by(second, port, 0, UINT64_MAX));
    advance(1ull << 40);
    assert_int_equal(second->state, THREAD_WAITING);
}

/* --- suspending --- */

static void a_ready_thread_is_suspended_and_resumed(void **state)
{
    (void)state;
    uint32_t slot = make_thread(PRIORITY, 0);
    struct thread *thread = object_at(slot);
    must(INVOKE(slot, thread_suspend, 0));
    yield();
    assert_ptr_equal(sim_cpu.current, machine.main);
    must(INVOKE(slot, thread_suspend, 0)); /* again does nothing */
    must(INVOKE(slot, thread_info, 0));
    assert_int_equal(machine.result[0], THREAD_SUSPENDED);
    assert_int_equal(machine.result[1], 0x400000);
    assert_int_equal(machine.result[2], 0x500000);
    must(INVOKE(slot, thread_resume, 0));
    refused(BAD_STATE, INVOKE(slot, thread_resume, 0));
    refused(BAD_STATE, INVOKE(slot, thread_set_registers, 0x1000, 0x1000, 0));
    refused(BAD_STATE, INVOKE(slot, thread_configure, SLOT_SPACE, SLOT_TABLE, 1, 0));
    yield();
    assert_ptr_equal(sim_cpu.current, thread);
}

static void a_thread_can_suspend_itself(void **state)
{
    (void)state;
    uint32_t slot = make_thread(PRIORITY, 0);
    struct thread *thread = object_at(slot);
    must(INVOKE_BY(thread, slot, thread_suspend, 0));
    assert_ptr_equal(sim_cpu.current, machine.main);
    must(INVOKE(slot, thread_resume, 0));
    run(thread);
    assert_int_equal(thread->registers.rax, OK); /* what suspend returned */
}

static void suspending_ends_a_wait(void **state)
{
    (void)state;
    uint32_t slot = make_thread(PRIORITY, 0);
    struct thread *thread = object_at(slot);
    must(wait_by(thread, port, 100, sim_clock + 500));
    must(INVOKE(slot, thread_suspend, 0));
    assert_int_equal(thread->registers.rax, ERROR_BAD_STATE);
    assert_int_equal(thread->registers.rsi | thread->registers.rdi | thread->registers.r14, 0);
    must(send_by(machine.main, port, 1, 0, 0)); /* queued: nobody waits */
    must(INVOKE(slot, thread_resume, 0));
    advance(1000);
    assert_int_equal(thread->registers.rax, ERROR_BAD_STATE);
}

static void registers_are_set_while_suspended(void **state)
{
    (void)state;
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY, 0);
    struct thread *thread = object_at(slot);
    thread->registers.rax = thread->registers.r15 = 77;
    must(INVOKE(slot, thread_set_registers, 0x1234, 0x5678, 9));
    assert_int_equal(thread->registers.rip, 0x1234);
    assert_int_equal(thread->registers.rsp, 0x5678);
    assert_int_equal(thread->registers.rdi, 9);
    assert_int_equal(thread->registers.rax | thread->registers.r15, 0);
}

static void a_thread_moves_to_another_space_and_table(void **state)
{
    (void)state;
    uint32_t space = make(OBJECT_space, SPACE_PAGES), table = make(OBJECT_captable, 1);
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY, 0);
    struct thread *thread = object_at(slot);
    for (int i = 0; i < 2; i++) { /* twice the same must work too */
        must(INVOKE(slot, thread_configure, space, table, PRIORITY, 3));
        assert_ptr_equal(thread->space, object_at(space));
        assert_ptr_equal(thread->captable, object_at(table));
    }
    must(INVOKE(slot, thread_resume, 0));
    run(thread);
    assert_ptr_equal(sim_cpu.space, object_at(space));
    refused(EMPTY_SLOT, signal_by(thread, SLOT_TABLE));
    run(machine.main);
    assert_ptr_equal(sim_cpu.space, machine.main->space);
    delete_all(space);
    refused(BAD_STATE, INVOKE(slot, thread_resume, 0));
}

/* --- faults --- */

static uint32_t fault_port, faulty_slot;
static struct thread *faulty;

/* A thread whose faults go to fault_port with badge 0xbad. */
static int setup_faults(void **state)
{
    setup(state);
    uint32_t minted = slot_new();
    fault_port = make(OBJECT_port, 1);
    must(INVOKE(SLOT_TABLE, captable_mint, fault_port, minted, RIGHT_SEND, 0xbad, 0));
    faulty_slot = make_thread(PRIORITY, minted);
    faulty = object_at(faulty_slot);
    return 0;
}

static void fault(void)
{
    run(faulty);
    faulty->registers.rdi = 1234;
    sim_fault(FAULT_PAGE, 0xdead000, 6);
    machine_check();
    assert_int_equal(faulty->state, THREAD_FAULTED);
}

static void check_fault_message(const struct registers *r)
{
    assert_int_equal(r->rax, OK);
    assert_int_equal(r->rdi, 0);
    assert_int_equal(r->rsi, KERNEL_FAULT);
    assert_int_equal(r->rbx, 0xbad);
    assert_int_equal(r->rdx, FAULT_PAGE);
    assert_int_equal(r->r10, 0xdead000);
    assert_int_equal(r->r8, 0x400000);
    assert_int_equal(r->r9, 0x500000);
    assert_int_equal(r->r12, 6);
    assert_int_equal(r->r13, 1234);
    assert_int_equal(r->r14, 0);
}

static void a_fault_waits_for_its_receiver(void **state)
{
    (void)state;
    fault();
    must(wait_by(machine.main, fault_port, 0, 0));
    check_fault_message(&machine.main->registers);
    refused(TIMEOUT, wait_by(machine.main, fault_port, 0, 1)); /* once */
}

static void a_fault_wakes_a_waiting_receiver(void **state)
{
    (void)state;
    struct thread *receiver = started(PRIORITY);
    must(wait_by(receiver, fault_port, 0, sim_clock + 100));
    fault();
    check_fault_message(&receiver->registers);
    assert_int_equal(receiver->state, THREAD_READY);
}

static void a_fault_needs_no_room_in_the_queue(void **state)
{
    (void)state;
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(send_by(machine.main, fault_port, 1, 0, 0));
    refused(FULL, send_by(machine.main, fault_port, 1, 0, 0));
    fault();
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(wait_by(machine.main, fault_port, 0, 0));
    must(wait_by(machine.main, fault_port, 0, 0));
    check_fault_message(&machine.main->registers);
}

static void a_resumed_thread_tries_again(void **state)
{
    (void)state;
    fault();
    must(wait_by(machine.main, fault_port, 0, 0));
    must(INVOKE(faulty_slot, thread_info, 0));
    assert_int_equal(machine.result[0], THREAD_FAULTED);
    must(INVOKE(faulty_slot, thread_resume, 0));
    run(faulty);
    assert_int_equal(faulty->registers.rip, 0x400000);
}

/* What a pager holds: enough to let its client go on, not to wake one that the supervisor stopped.
 */
static void a_retry_ends_a_fault_only(void **state)
{
    (void)state;
    uint32_t pager = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, faulty_slot, pager, RIGHT_SIGNAL));
    refused(BAD_STATE, INVOKE(pager, thread_retry, 0));
    fault();
    refused(NO_RIGHT, INVOKE(pager, thread_resume, 0));
    refused(NO_RIGHT, INVOKE(pager, thread_suspend, 0));
    refused(NO_RIGHT, INVOKE(pager, thread_configure, SLOT_SPACE, SLOT_TABLE, PRIORITY, 0));
    must(INVOKE(pager, thread_retry, 0));
    run(faulty);
    assert_int_equal(faulty->registers.rip, 0x400000);
    fault();
    must(INVOKE(faulty_slot, thread_suspend, 0));
    refused(BAD_STATE, INVOKE(pager, thread_retry, 0));
}

static void resuming_withdraws_the_message(void **state)
{
    (void)state;
    fault();
    must(INVOKE(faulty_slot, thread_resume, 0));
    refused(TIMEOUT, wait_by(machine.main, fault_port, 0, 1));
}

static void suspending_withdraws_the_message(void **state)
{
    (void)state;
    fault();
    must(INVOKE(faulty_slot, thread_suspend, 0));
    refused(TIMEOUT, wait_by(machine.main, fault_port, 0, 1));
    must(INVOKE(faulty_slot, thread_configure, SLOT_SPACE, SLOT_TABLE, PRIORITY, 0));
    must(INVOKE(faulty_slot, thread_resume, 0));
}

static void a_thread_that_faulted_can_be_deleted(void **state)
{
    (void)state;
    fault();
    delete_all(faulty_slot);
    refused(TIMEOUT, wait_by(machine.main, fault_port, 0, 1));
}

static void a_fault_outlives_its_port(void **state)
{
    (void)state;
    struct thread *second = object_at(make_thread(PRIORITY, faulty->fault_slot));
    fault();
    run(second);
    sim_fault(FAULT_DIVIDE, 0, 0);
    delete_all(fault_port);
    assert_int_equal(faulty->state, THREAD_FAULTED);
    assert_int_equal(second->state, THREAD_FAULTED);
    must(INVOKE(faulty_slot, thread_resume, 0));
}

static void a_fault_without_a_port_stops_the_thread(void **state)
{
    (void)state;
    static const uint64_t slots[] = {0, 100, SLOT_TABLE, ROOT_SLOTS, UINT32_MAX};
    for (int i = 0; i < 5; i++) {
        uint32_t slot = make_thread(PRIORITY, slots[i]);
        struct thread *thread = object_at(slot);
        run(thread);
        sim_fault(FAULT_PROTECTION, 1, 0);
        machine_check();
        assert_int_equal(thread->state, THREAD_FAULTED);
        assert_ptr_equal(sim_cpu.current, machine.main);
        must(INVOKE(slot, thread_set_registers, 0x2000, 0x3000, 0));
        must(INVOKE(slot, thread_resume, 0));
        must(INVOKE(slot, thread_suspend, 0));
    }
}

static void a_fault_port_must_be_one_to_send_to(void **state)
{
    (void)state;
    uint32_t signal_only = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, fault_port, signal_only, RIGHT_SIGNAL, 1, 0));
    struct thread *thread = object_at(make_thread(PRIORITY, signal_only));
    run(thread);
    sim_fault(FAULT_PROTECTION, 1, 0);
    refused(TIMEOUT, wait_by(machine.main, fault_port, 0, 1));
}

static void several_faults_come_in_order(void **state)
{
    (void)state;
    struct thread *threads[3];
    for (uint64_t i = 0; i < 3; i++)
        threads[i] = object_at(make_thread(PRIORITY, faulty->fault_slot));
    for (uint64_t i = 0; i < 3; i++) {
        run(threads[i]);
        sim_fault(FAULT_PAGE, 0x1000 * (i + 1), 0);
    }
    for (uint64_t i = 0; i < 3; i++) {
        must(wait_by(machine.main, fault_port, 0, 0));
        assert_int_equal(machine.main->registers.r10, 0x1000 * (i + 1));
    }
}

static void the_last_runnable_thread_may_fault(void **state)
{
    (void)state;
    must(wait_by(machine.main, port, 0, 0));
    fault();
    assert_null(sim_cpu.current);
}

static void without_init_the_machine_stops(void **state)
{
    (void)state;
    static jmp_buf here;
    machine.main->vital = true;
    sim.panic = &here;
    if (setjmp(here) == 0) {
        sim_fault(FAULT_PAGE, 0, 0);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_highest_priority_runs, setup),
        cmocka_unit_test_setup(all_priorities_have_a_queue, setup),
        cmocka_unit_test_setup(equals_take_turns, setup),
        cmocka_unit_test_setup(a_preempted_thread_goes_on_before_its_equals, setup),
        cmocka_unit_test_setup(a_slice_ends_among_equals, setup),
        cmocka_unit_test_setup(a_thread_alone_has_no_timer, setup),
        cmocka_unit_test_setup(a_slice_ends_though_the_timer_came_early, setup),
        cmocka_unit_test_setup(a_wait_gives_the_rest_of_the_slice_up, setup),
        cmocka_unit_test_setup(being_interrupted_does_not_prolong_a_slice, setup),
        cmocka_unit_test_setup(equals_that_come_later_start_a_slice, setup),
        cmocka_unit_test_setup(an_idle_machine_sets_no_timer, setup),
        cmocka_unit_test_setup(a_stale_deadline_fires_once_at_most, setup),
        cmocka_unit_test_setup(the_timer_is_only_moved_earlier, setup),
        cmocka_unit_test_setup(deadlines_expire_in_order_one_per_entry, setup),
        cmocka_unit_test_setup(the_farthest_deadline_is_one, setup),
        cmocka_unit_test_setup(a_ready_thread_is_suspended_and_resumed, setup),
        cmocka_unit_test_setup(a_thread_can_suspend_itself, setup),
        cmocka_unit_test_setup(suspending_ends_a_wait, setup),
        cmocka_unit_test_setup(registers_are_set_while_suspended, setup),
        cmocka_unit_test_setup(a_thread_moves_to_another_space_and_table, setup),
        cmocka_unit_test_setup(a_fault_waits_for_its_receiver, setup_faults),
        cmocka_unit_test_setup(a_fault_wakes_a_waiting_receiver, setup_faults),
        cmocka_unit_test_setup(a_fault_needs_no_room_in_the_queue, setup_faults),
        cmocka_unit_test_setup(a_resumed_thread_tries_again, setup_faults),
        cmocka_unit_test_setup(a_retry_ends_a_fault_only, setup_faults),
        cmocka_unit_test_setup(resuming_withdraws_the_message, setup_faults),
        cmocka_unit_test_setup(suspending_withdraws_the_message, setup_faults),
        cmocka_unit_test_setup(a_thread_that_faulted_can_be_deleted, setup_faults),
        cmocka_unit_test_setup(a_fault_outlives_its_port, setup_faults),
        cmocka_unit_test_setup(a_fault_without_a_port_stops_the_thread, setup_faults),
        cmocka_unit_test_setup(a_fault_port_must_be_one_to_send_to, setup_faults),
        cmocka_unit_test_setup(several_faults_come_in_order, setup_faults),
        cmocka_unit_test_setup(the_last_runnable_thread_may_fault, setup_faults),
        cmocka_unit_test_setup(without_init_the_machine_stops, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
