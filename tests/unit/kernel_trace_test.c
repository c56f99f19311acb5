/* SPDX-License-Identifier: ISC
 *
 * kernel/trace.c: what is recorded, when nothing is, where the records go, and for how long. And
 * kernel/counters.h: each error that a call returns is counted where it belongs.
 */
#include "tests/unit/kernel_machine.h"

#include <string.h>

#include "kernel/arch/sim/check_trace.h"

enum { LABEL = 7, SEEN_MAX = 64 };

static uint32_t ring; /* slot of the capability that the trace lives by */

static const struct trace_header *header(void)
{
    return phys_to_virt(cap_at(ring)->address);
}

static const struct trace_record *record(uint64_t number)
{
    return (const struct trace_record *)(header() + 1) + number % header()->capacity;
}

static uint32_t name_of(const void *object)
{
    return (uint32_t)(virt_to_phys(object) / PAGE_BYTES);
}

static void start(uint64_t pages, uint32_t mask)
{
    ring = make(OBJECT_page, pages);
    must(INVOKE(SLOT_TRACE, trace_label, SLOT_SPACE, LABEL));
    must(INVOKE(SLOT_TRACE, trace_attach, 0, ring));
    must(INVOKE(SLOT_TRACE, trace_mask, 0, mask));
}

/* The next record from *number on is this one. */
static const struct trace_record *expect(uint64_t *number, enum trace_event event,
                                         const struct thread *thread, const struct thread *other,
                                         uint64_t argument, uint64_t detail)
{
    assert_true(*number < header()->written);
    const struct trace_record *r = record((*number)++);
    assert_int_equal(r->event, event);
    assert_int_equal(r->thread, thread ? name_of(thread) : 0);
    assert_int_equal(r->domain, thread ? LABEL : 0);
    assert_int_equal(r->other, other ? name_of(other) : 0);
    assert_int_equal(r->other_domain, other ? LABEL : 0);
    assert_int_equal(r->argument, argument);
    assert_int_equal(r->detail, detail);
    assert_int_equal(r->time, sim_clock);
    return r;
}

static void expect_end(uint64_t number)
{
    assert_int_equal(number, header()->written);
}

/* --- what is recorded --- */

static void a_header_tells_what_the_ring_is(void **state)
{
    (void)state;
    start(3, 1u << TRACE_send);
    assert_int_equal(header()->magic, TRACE_MAGIC);
    assert_int_equal(header()->version, TRACE_VERSION);
    assert_int_equal(header()->capacity, 3 * PAGE_BYTES / 32 - 2);
    assert_int_equal(header()->mask, 1u << TRACE_send);
    assert_int_equal(header()->frequency, sim_frequency);
    assert_int_equal(header()->written, 0);
}

static void a_message_to_who_waits(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    struct thread *urgent = object_at(make_thread(PRIORITY + 1, 0));
    wait_by(urgent, port, 0, 0);
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written, port_name = name_of(object_at(port));
    must(send_by(machine.main, port, 0x123, 0, 0));
    expect(&n, TRACE_send, machine.main, urgent, port_name, 0x123);
    expect(&n, TRACE_wake, urgent, machine.main, port_name, TRACE_WAKE_message);
    expect(&n, TRACE_switch, urgent, machine.main, PRIORITY + 1, THREAD_READY);
    expect_end(n);
    wait_by(urgent, port, 0, 0);
    expect(&n, TRACE_switch, machine.main, urgent, PRIORITY, THREAD_WAITING);
    expect_end(n);
}

static void a_message_that_is_queued_and_one_that_is_refused(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), minted = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, port, minted, RIGHT_SEND, 1, 1));
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written;
    must(send_by(machine.main, minted, 5, 0, 0));
    expect(&n, TRACE_send, machine.main, NULL, name_of(object_at(port)), 5);
    refused(FULL, send_by(machine.main, minted, 5, 0, 0));
    expect_end(n);
}

static void a_signal(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), bell = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, port, bell, RIGHT_SIGNAL, 1ull << 40, 0));
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written, port_name = name_of(object_at(port));
    must(signal_by(machine.main, bell));
    expect(&n, TRACE_signal, machine.main, NULL, port_name, 40);
    expect_end(n);
}

static void a_signal_that_wakes(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), bell = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, port, bell, RIGHT_SIGNAL, 1ull << 40, 0));
    struct thread *urgent = object_at(make_thread(PRIORITY + 1, 0));
    wait_by(urgent, port, 0, 0);
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written, port_name = name_of(object_at(port));
    must(signal_by(machine.main, bell));
    expect(&n, TRACE_signal, machine.main, urgent, port_name, 40);
    expect(&n, TRACE_wake, urgent, machine.main, port_name, TRACE_WAKE_signal);
    expect(&n, TRACE_switch, urgent, machine.main, PRIORITY + 1, THREAD_READY);
    expect_end(n);
}

/* Untraced, send_wait takes the direct switch; traced, it is the same, and told. */
static void a_direct_switch(void **state)
{
    (void)state;
    uint32_t there = make(OBJECT_port, 1), own = make(OBJECT_port, 1);
    struct thread *low = object_at(make_thread(PRIORITY, 0));
    wait_by(low, there, 0, 0);
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written;
    struct registers *r = prepare(machine.main, CALL_send_wait);
    r->rdi = there;
    r->rbx = own;
    r->rsi = 9;
    must(perform(machine.main));
    expect(&n, TRACE_send, machine.main, low, name_of(object_at(there)), 9);
    expect(&n, TRACE_wake, low, machine.main, name_of(object_at(there)), TRACE_WAKE_message);
    expect(&n, TRACE_switch, low, machine.main, PRIORITY, THREAD_WAITING);
    expect_end(n);
}

static void an_interrupt(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), irq = slot_new();
    must(INVOKE(SLOT_IRQS, irq_derive, IRQ_VECTOR_FIRST, irq));
    must(INVOKE(irq, irq_bind, port, 33, IRQ_MESSAGE));
    struct thread *urgent = object_at(make_thread(PRIORITY + 1, 0));
    wait_by(urgent, port, 0, 0);
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written;
    sim_interrupt(IRQ_VECTOR_FIRST);
    expect(&n, TRACE_irq, machine.main, urgent, IRQ_VECTOR_FIRST, 33);
    expect(&n, TRACE_wake, urgent, NULL, name_of(object_at(port)), TRACE_WAKE_signal);
    expect(&n, TRACE_switch, urgent, machine.main, PRIORITY + 1, THREAD_READY);
    sim_interrupt(IRQ_VECTOR_LAST);
    expect(&n, TRACE_irq, urgent, NULL, IRQ_VECTOR_LAST, UINT16_MAX);
    sim_interrupt(0xff);
    expect(&n, TRACE_irq, urgent, NULL, 0xff, UINT16_MAX);
    expect_end(n);
    assert_int_equal(sim_counters->interrupts_unclaimed, 2);
}

static void a_fault_and_who_hears_of_it(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY + 1, port);
    struct thread *bad = object_at(slot), *pager = object_at(make_thread(PRIORITY, 0));
    wait_by(pager, port, 0, 0);
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written;
    must(INVOKE(slot, thread_resume, 0));
    expect(&n, TRACE_wake, bad, machine.main, 0, TRACE_WAKE_resume);
    expect(&n, TRACE_switch, bad, machine.main, PRIORITY + 1, THREAD_READY);
    sim_fault(FAULT_PAGE, 0x1234, 6);
    expect(&n, TRACE_fault, bad, NULL, 0x1234, FAULT_PAGE | 6 << 8);
    expect(&n, TRACE_wake, pager, bad, name_of(object_at(port)), TRACE_WAKE_message);
    expect(&n, TRACE_switch, machine.main, bad, PRIORITY, THREAD_FAULTED);
    expect_end(n);
    assert_int_equal(sim_counters->faults[FAULT_PAGE], 1);
}

static void a_deadline_and_idleness(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written;
    wait_by(machine.main, port, 0, sim_clock + 50);
    expect(&n, TRACE_idle, NULL, machine.main, 0, THREAD_WAITING);
    sim_advance(50);
    expect(&n, TRACE_wake, machine.main, NULL, name_of(object_at(port)), TRACE_WAKE_timeout);
    expect(&n, TRACE_switch, machine.main, NULL, PRIORITY, THREAD_SUSPENDED);
    expect_end(n);
    assert_int_equal(sim_counters->refused[CALL_wait][ERROR_TIMEOUT], 1);
}

static void a_port_that_goes(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1);
    struct thread *other = object_at(make_thread(PRIORITY, 0));
    wait_by(other, port, 0, 0);
    start(1, 1u << TRACE_wake);
    uint64_t n = header()->written, port_name = name_of(object_at(port));
    delete_all(port);
    expect(&n, TRACE_wake, other, machine.main, port_name, TRACE_WAKE_port_gone);
    expect_end(n);
    assert_int_equal(sim_counters->refused[CALL_wait][ERROR_PEER_DIED], 1);
}

static void a_budget(void **state)
{
    (void)state;
    uint32_t slot = make_thread_in(SLOT_SPACE, SLOT_TABLE, PRIORITY + 1, 0);
    struct thread *limited = object_at(slot);
    must(INVOKE(slot, thread_budget, 10, 100));
    start(1, TRACE_EVENTS_ALL);
    uint64_t n = header()->written, began = sim_clock;
    must(INVOKE(slot, thread_resume, 0));
    expect(&n, TRACE_wake, limited, machine.main, 0, TRACE_WAKE_resume);
    expect(&n, TRACE_switch, limited, machine.main, PRIORITY + 1, THREAD_READY);
    sim_advance(10);
    expect(&n, TRACE_budget, limited, NULL, began + 100, 1);
    expect(&n, TRACE_switch, machine.main, limited, PRIORITY, THREAD_EXHAUSTED);
    sim_advance(90);
    expect(&n, TRACE_wake, limited, NULL, 0, TRACE_WAKE_refill);
    expect(&n, TRACE_switch, limited, machine.main, PRIORITY + 1, THREAD_READY);
    expect_end(n);
    assert_int_equal(sim_counters->budgets_used_up, 1);
}

static void a_mapping(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 2);
    for (int level = 3; level > 0; level--)
        must(INVOKE(make(OBJECT_table, 1), table_map, SLOT_SPACE, AT));
    start(1, TRACE_EVENTS_ALL);
    uint64_t first = cap_at(page)->address / PAGE_BYTES, n = header()->written;
    must(INVOKE(page, page_map, SLOT_SPACE, AT, RIGHT_READ | RIGHT_WRITE));
    const struct trace_record *r = record(n++);
    assert_int_equal(r->event, TRACE_map);
    assert_int_equal(r->thread, name_of(machine.main));
    assert_int_equal(r->other, first);
    assert_int_equal(r->other_domain, LABEL);
    assert_int_equal(r->argument, AT);
    assert_int_equal(r->detail, 2 | (RIGHT_READ | RIGHT_WRITE) << 12);
    refused(MAPPED, INVOKE(page, page_map, SLOT_SPACE, AT + 0x10000, RIGHT_READ));
    expect_end(n);
    delete_all(page);
    r = record(n++);
    assert_int_equal(r->event, TRACE_unmap);
    assert_int_equal(r->argument, AT);
    assert_int_equal(r->detail, 2);
    expect_end(n);
}

/* Whoever ends itself ran until then. */
static void a_thread_that_goes(void **state)
{
    (void)state;
    uint32_t slot = make_thread(PRIORITY, 0);
    struct thread *going = object_at(slot);
    start(1, 1u << TRACE_switch);
    run(going);
    uint64_t n = header()->written;
    INVOKE_BY(going, SLOT_TABLE, captable_delete, slot);
    const struct trace_record *r = record(n++);
    assert_int_equal(r->event, TRACE_switch);
    assert_int_equal(r->thread, name_of(machine.main));
    assert_int_equal(r->other, name_of(going));
    assert_int_equal(r->detail, THREAD_SUSPENDED);
    expect_end(n);
}

/* --- the ring, the mask, the end --- */

static void many_events(int count)
{
    uint32_t port = make(OBJECT_port, 1);
    for (int i = 0; i < count; i++) {
        struct registers *r = prepare(machine.main, CALL_send);
        r->rdi = port;
        r->rsi = (uint64_t)i % 1000 + 1;
        must(perform(machine.main));
        sim_clock++;
        wait_by(machine.main, port, 0, 0);
    }
}

static void the_ring_wraps_around(void **state)
{
    (void)state;
    start(1, 1u << TRACE_send);
    many_events(400);
    assert_int_equal(header()->written, 400);
    assert_int_equal(header()->capacity, 126);
    for (uint64_t n = 400 - 126; n < 400; n++)
        assert_int_equal(record(n)->detail, n % 1000 + 1);
}

static void only_what_the_mask_names(void **state)
{
    (void)state;
    start(1, 1u << TRACE_wake);
    many_events(3);
    assert_int_equal(header()->written, 0);
    must(INVOKE(SLOT_TRACE, trace_mask, 0, 1u << TRACE_wake | 1u << TRACE_send));
    many_events(3);
    assert_int_equal(header()->written, 3);
    must(INVOKE(SLOT_TRACE, trace_mask, 0, 0));
    assert_int_equal(header()->mask, 0);
    many_events(3);
    assert_int_equal(header()->written, 3);
}

/* Off, the steps are the plain functions, and not a byte of the ring changes. */
static void off_records_nothing(void **state)
{
    (void)state;
    uint8_t before[PAGE_BYTES];
    start(1, 0);
    memcpy(before, header(), PAGE_BYTES);
    many_events(10);
    assert_memory_equal(header(), before, PAGE_BYTES);
    assert_ptr_equal(sim_cpu.steps.schedule, schedule);
    assert_ptr_equal(sim_cpu.steps.send, port_send);
    assert_ptr_equal(sim_cpu.steps.wake, thread_wake);
}

static void the_ring_goes_with_its_capability(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), copy = slot_new(), moved = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, page, copy, RIGHT_ALL));
    must(INVOKE(SLOT_TRACE, trace_attach, 0, copy));
    must(INVOKE(SLOT_TRACE, trace_mask, 0, TRACE_EVENTS_ALL));
    must(INVOKE(SLOT_TABLE, captable_move, copy, moved));
    refused(OCCUPIED, INVOKE(SLOT_TRACE, trace_attach, 0, page));
    assert_int_equal(revoke_all(page), 2);
    refused(BAD_STATE, INVOKE(SLOT_TRACE, trace_mask, 0, TRACE_EVENTS_ALL));
    assert_ptr_equal(sim_cpu.steps.schedule, schedule);
    must(INVOKE(SLOT_TRACE, trace_attach, 0, page));
}

/* A copy of the marked capability isn't marked. */
static void a_copy_of_the_ring_may_go(void **state)
{
    (void)state;
    uint32_t copy = slot_new();
    start(1, TRACE_EVENTS_ALL);
    must(INVOKE(SLOT_TABLE, captable_copy, ring, copy, RIGHT_READ));
    must(INVOKE(SLOT_TABLE, captable_delete, copy));
    assert_int_not_equal(sim_cpu.trace.mask, 0);
}

/* --- counters --- */

static void errors_are_counted_where_they_belong(void **state)
{
    (void)state;
    const uint64_t(*refused)[ERROR_COUNT] = sim_counters->refused;
    uint32_t port = make(OBJECT_port, 1);
    memset(sim_counters, 0, sizeof(*sim_counters));
    refused(EMPTY_SLOT, send_by(machine.main, 100, 1, 0, 0));
    refused(EMPTY_SLOT, send_by(machine.main, 100, 1, 0, 0));
    refused(BAD_ARGUMENT, send_by(machine.main, port, 0, 0, 0));
    refused(WRONG_TYPE, INVOKE(SLOT_TABLE, page_unmap, 0));
    refused(UNKNOWN_CALL,
            machine_invoke(machine.main, SLOT_TABLE, OPERATION_COUNT, (const uint64_t[5]){0}));
    prepare(machine.main, CALL_COUNT);
    refused(UNKNOWN_CALL, perform(machine.main));
    prepare(machine.main, UINT64_MAX);
    refused(UNKNOWN_CALL, perform(machine.main));
    refused(TIMEOUT, wait_by(machine.main, port, 0, sim_clock));
    must(send_by(machine.main, port, 1, 0, 0));
    assert_int_equal(refused[CALL_send][ERROR_EMPTY_SLOT], 2);
    assert_int_equal(refused[CALL_send][ERROR_BAD_ARGUMENT], 1);
    assert_int_equal(refused[COUNTED_OPERATIONS + OPERATION_page_unmap][ERROR_WRONG_TYPE], 1);
    assert_int_equal(refused[CALL_invoke][ERROR_UNKNOWN_CALL], 1);
    assert_int_equal(refused[COUNTED_UNKNOWN_CALL][ERROR_UNKNOWN_CALL], 2);
    assert_int_equal(refused[CALL_wait][ERROR_TIMEOUT], 1);
    uint64_t sum = 0;
    for (int row = 0; row < COUNTED_ROWS; row++)
        for (int error = 0; error < ERROR_COUNT; error++)
            sum += refused[row][error];
    assert_int_equal(sum, 8);
}

static void a_wait_that_is_given_up_is_counted_once(void **state)
{
    (void)state;
    uint32_t port = make(OBJECT_port, 1), slot = make_thread(PRIORITY, 0);
    wait_by(object_at(slot), port, 0, 0);
    must(INVOKE(slot, thread_suspend, 0));
    assert_int_equal(sim_counters->refused[CALL_wait][ERROR_BAD_STATE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_header_tells_what_the_ring_is),
        TEST(a_message_to_who_waits),
        TEST(a_message_that_is_queued_and_one_that_is_refused),
        TEST(a_signal),
        TEST(a_signal_that_wakes),
        TEST(a_direct_switch),
        TEST(an_interrupt),
        TEST(a_fault_and_who_hears_of_it),
        TEST(a_deadline_and_idleness),
        TEST(a_port_that_goes),
        TEST(a_budget),
        TEST(a_mapping),
        TEST(a_thread_that_goes),
        TEST(the_ring_wraps_around),
        TEST(only_what_the_mask_names),
        TEST(off_records_nothing),
        TEST(the_ring_goes_with_its_capability),
        TEST(a_copy_of_the_ring_may_go),
        TEST(errors_are_counted_where_they_belong),
        TEST(a_wait_that_is_given_up_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
