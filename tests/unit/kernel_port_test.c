/* SPDX-License-Identifier: ISC
 *
 * kernel/port.c, kernel/irq.c: messages with and without a waiter, shares, capabilities in transit,
 * signals, interrupts, and ports that go.
 */
#include "tests/unit/kernel_machine.h"

static uint32_t port, other_slot;
static struct thread *other; /* of main's priority */

static int setup(void **state)
{
    machine_setup(state);
    port = make(OBJECT_port, 1);
    other_slot = make_thread(PRIORITY, 0);
    other = object_at(other_slot);
    return 0;
}

static struct port *port_at(uint32_t slot)
{
    return object_at(slot);
}

static uint32_t mint(uint64_t badge, uint64_t share)
{
    uint32_t slot = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, port, slot, RIGHT_ALL, badge, share));
    return slot;
}

static uint32_t copy(uint32_t from)
{
    uint32_t slot = slot_new();
    must(INVOKE(SLOT_TABLE, captable_copy, from, slot, RIGHT_ALL));
    return slot;
}

/* send by main of a message with all fields set. */
static void send_full(uint32_t slot)
{
    struct registers *r = prepare(machine.main, CALL_send);
    r->rdi = slot;
    r->rsi = 0x1122334455660777;
    r->rdx = 1;
    r->r10 = 2;
    r->r8 = 3;
    r->r9 = 4;
    r->r12 = 5;
    r->r13 = 6;
    must(perform(machine.main));
}

static void check_full(const struct registers *r, uint64_t badge)
{
    assert_int_equal(r->rax, OK);
    assert_int_equal(r->rdi, 0);
    assert_int_equal(r->rsi, 0x1122334455660777);
    assert_int_equal(r->rbx, badge);
    assert_int_equal(r->rdx, 1);
    assert_int_equal(r->r10, 2);
    assert_int_equal(r->r8, 3);
    assert_int_equal(r->r9, 4);
    assert_int_equal(r->r12, 5);
    assert_int_equal(r->r13, 6);
    assert_int_equal(r->r14, 0);
}

static void a_message_is_queued_and_taken(void **state)
{
    (void)state;
    send_full(mint(99, 0));
    must(wait_by(other, port, 0, 0));
    check_full(&other->registers, 99);
}

static void a_message_goes_straight_to_a_waiter(void **state)
{
    (void)state;
    uint32_t sender = mint(98, 0);
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->state, THREAD_WAITING);
    send_full(sender);
    assert_int_equal(port_at(port)->count, 0);
    assert_int_equal(other->state, THREAD_READY);
    check_full(&other->registers, 98);
}

static void messages_come_in_order(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 5; round++) {
        for (uint64_t i = 0; i < 7; i++)
            must(send_by(machine.main, port, 1, 10 * round + i, 0));
        for (uint64_t i = 0; i < 7; i++) {
            must(wait_by(other, port, 0, 0));
            assert_int_equal(other->registers.rdx, 10 * round + i);
        }
    }
}

static void pending_bits_and_a_message_come_together(void **state)
{
    (void)state;
    must(signal_by(machine.main, mint(4, 0)));
    must(signal_by(machine.main, mint(1, 0)));
    must(send_by(machine.main, port, 7, 42, 0));
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->registers.rdi, 5);
    assert_int_equal(other->registers.rsi, 7);
    assert_int_equal(other->registers.rdx, 42);
}

static void bits_alone_come_without_a_message(void **state)
{
    (void)state;
    must(signal_by(machine.main, mint(1ull << 63, 0)));
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->registers.rdi, 1ull << 63);
    assert_int_equal(other->registers.rsi, 0);
    refused(TIMEOUT, wait_by(other, port, 0, 1)); /* they are taken */
}

static void a_signal_wakes_the_waiter(void **state)
{
    (void)state;
    uint32_t sender = mint(8, 0);
    must(wait_by(other, port, 0, 0));
    must(signal_by(machine.main, port)); /* no badge, no bit */
    assert_int_equal(other->state, THREAD_WAITING);
    must(signal_by(machine.main, sender));
    assert_int_equal(other->state, THREAD_READY);
    assert_int_equal(other->registers.rdi, 8);
    assert_int_equal(other->registers.rsi, 0);
    must(signal_by(machine.main, sender));
    must(signal_by(machine.main, sender));
    assert_int_equal(port_at(port)->pending, 8);
}

/* --- shares --- */

static void full_means_the_own_share(void **state)
{
    (void)state;
    uint32_t small = mint(1, 2), large = mint(2, 10);
    for (int i = 0; i < 2; i++)
        must(send_by(machine.main, small, 1, 0, 0));
    refused(FULL, send_by(machine.main, small, 1, 0, 0));
    for (int i = 0; i < PORT_QUEUE_SLOTS - 12; i++)
        must(send_by(machine.main, port, 1, 0, 0));
    refused(FULL, send_by(machine.main, port, 1, 0, 0));
    for (int i = 0; i < 10; i++)
        must(send_by(machine.main, large, 1, 0, 0));
    refused(FULL, send_by(machine.main, large, 1, 0, 0));
    must(wait_by(other, port, 0, 0)); /* the first was from `small` */
    refused(FULL, send_by(machine.main, large, 1, 0, 0));
    must(send_by(machine.main, small, 1, 0, 0));
    refused(FULL, send_by(machine.main, small, 1, 0, 0));
}

static void copies_use_the_same_share(void **state)
{
    (void)state;
    uint32_t minted = mint(1, 1), second = copy(minted);
    must(send_by(machine.main, minted, 1, 0, 0));
    refused(FULL, send_by(machine.main, second, 1, 0, 0));
    delete_all(second); /* doesn't end the share */
    refused(FULL, send_by(machine.main, minted, 1, 0, 0));
    assert_int_equal(port_at(port)->shares[1].reserved, 1);
}

static void a_waiting_receiver_costs_no_share(void **state)
{
    (void)state;
    uint32_t minted = mint(1, 1);
    for (int i = 0; i < 50; i++) {
        must(wait_by(other, port, 0, 0));
        must(send_by(machine.main, minted, 1, 0, 0));
    }
}

static void shares_are_limited_and_come_back(void **state)
{
    (void)state;
    uint32_t first = mint(1, 1);
    for (int i = 1; i < PORT_SHARES; i++)
        mint(1, 1);
    refused(LIMIT, INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_ALL, 1, 1));
    must(INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_ALL, 1, 0)); /* none needed */
    delete_all(first);
    mint(1, 1);
}

static void a_share_can_not_take_what_is_queued(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        must(send_by(machine.main, port, 1, 0, 0));
    refused(LIMIT,
            INVOKE(SLOT_TABLE, captable_mint, port, 100, RIGHT_ALL, 1, PORT_QUEUE_SLOTS - 4));
    mint(1, PORT_QUEUE_SLOTS - 5);
}

static void a_closed_share_ends_with_its_last_message(void **state)
{
    (void)state;
    uint32_t minted = mint(1, 3);
    must(send_by(machine.main, minted, 1, 0, 0));
    must(send_by(machine.main, minted, 1, 1, 0));
    delete_all(minted);
    assert_int_equal(port_at(port)->shares[1].reserved, 3);
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->registers.rbx, 1);
    assert_int_equal(port_at(port)->shares[1].reserved, 3);
    must(wait_by(other, port, 0, 0));
    assert_int_equal(port_at(port)->shares[1].reserved, 0);
    assert_int_equal(port_at(port)->shares[0].reserved, PORT_QUEUE_SLOTS);
}

static void a_failed_mint_keeps_no_share(void **state)
{
    (void)state;
    uint32_t deep = port;
    while (cap_at(deep)->depth < DERIVATION_DEPTH_MAX)
        deep = copy(deep);
    refused(LIMIT, INVOKE(SLOT_TABLE, captable_mint, deep, 120, RIGHT_ALL, 1, 5));
    assert_int_equal(port_at(port)->shares[0].reserved, PORT_QUEUE_SLOTS);
}

static void a_moved_capability_takes_its_share_along(void **state)
{
    (void)state;
    uint32_t minted = mint(1, 4);
    must(INVOKE(SLOT_TABLE, captable_move, minted, 100));
    delete_all(100);
    assert_int_equal(port_at(port)->shares[0].reserved, PORT_QUEUE_SLOTS);
}

/* --- capabilities in messages --- */

static uint64_t two(uint64_t first, uint64_t second)
{
    return second << 32 | first;
}

static void capabilities_arrive_by_the_queue(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(send_by(machine.main, port, 1, 0, two(page, SLOT_SPACE)));
    must(wait_by(other, port, two(100, 101), 0));
    assert_int_equal(other->registers.r14, 3);
    assert_int_equal(cap_at(100)->type, OBJECT_page);
    assert_int_equal(cap_at(101)->type, OBJECT_space);
    revoke_all(page);
    assert_int_equal(cap_at(100)->type, OBJECT_none);
}

static void capabilities_arrive_at_a_waiter(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(wait_by(other, port, two(100, 101), 0));
    must(send_by(machine.main, port, 1, 0, two(page, SLOT_SPACE)));
    assert_int_equal(other->registers.r14, 3);
    assert_int_equal(cap_at(100)->object, cap_at(page)->object);
    assert_int_equal(cap_at(101)->type, OBJECT_space);
    revoke_all(page);
    assert_int_equal(cap_at(100)->type, OBJECT_none);
}

static void who_offers_no_slot_gets_none(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(send_by(machine.main, port, 1, 0, two(page, page)));
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->registers.r14, 0);
    must(wait_by(other, port, 0, 0));
    must(send_by(machine.main, port, 1, 0, two(page, page)));
    assert_int_equal(other->registers.r14, 0);
    assert_false(cap_has_children(cap_at(page)));
}

static void only_the_offered_slot_is_filled(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(send_by(machine.main, port, 1, 0, two(page, SLOT_SPACE)));
    must(wait_by(other, port, two(0, 100), 0));
    assert_int_equal(other->registers.r14, 2);
    assert_int_equal(cap_at(100)->type, OBJECT_space);
    must(wait_by(other, port, two(101, 101), 0)); /* the same slot twice: the first one counts */
    must(send_by(machine.main, port, 1, 0, two(page, SLOT_SPACE)));
    assert_int_equal(other->registers.r14, 1);
    assert_int_equal(cap_at(101)->type, OBJECT_page);
    must(send_by(machine.main, port, 1, 0, two(page, SLOT_SPACE)));
    must(wait_by(other, port, two(102, 102), 0));
    assert_int_equal(other->registers.r14, 1);
    assert_int_equal(cap_at(102)->type, OBJECT_page);
}

static void a_slot_filled_meanwhile_is_not_overwritten(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(wait_by(other, port, two(100, 0), 0));
    must(INVOKE(SLOT_TABLE, captable_copy, SLOT_SPACE, 100, RIGHT_ALL));
    must(send_by(machine.main, port, 1, 0, two(page, 0)));
    assert_int_equal(other->registers.r14, 0);
    assert_int_equal(cap_at(100)->type, OBJECT_space);
}

static void a_refused_message_leaves_nothing_behind(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), minted = mint(1, 1);
    must(send_by(machine.main, minted, 1, 0, 0));
    refused(FULL, send_by(machine.main, minted, 1, 0, two(page, page)));
    refused(EMPTY_SLOT, send_by(machine.main, port, 1, 0, two(page, 119)));
    refused(WRONG_TYPE, send_by(machine.main, port, 1, 0, two(page, SLOT_MEMORY)));
    assert_false(cap_has_children(cap_at(page)));
}

static void a_wait_rings_a_doorbell_first(void **state)
{
    (void)state;
    uint32_t mine = make(OBJECT_port, 1), bell = slot_new(), mute = slot_new();
    must(INVOKE(SLOT_TABLE, captable_mint, port, bell, RIGHT_SIGNAL, 4, 0));
    must(INVOKE(SLOT_TABLE, captable_mint, port, mute, RIGHT_SEND, 4, 0));
    prepare(machine.main, CALL_wait)->rdi = mine;
    machine.main->registers.r15 = 1; /* long past: it doesn't block */
    machine.main->registers.rbx = bell;
    refused(TIMEOUT, perform(machine.main));
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->registers.rdi, 4);
    prepare(machine.main, CALL_wait)->rdi = mine;
    machine.main->registers.rbx = mute;
    refused(NO_RIGHT, perform(machine.main));
    prepare(machine.main, CALL_wait)->rdi = mine;
    machine.main->registers.rbx = SLOT_SPACE;
    refused(WRONG_TYPE, perform(machine.main));
    prepare(machine.main, CALL_wait)->rdi = mine;
    machine.main->registers.rbx = 100;
    refused(EMPTY_SLOT, perform(machine.main));
}

static void revoke_finds_capabilities_in_transit(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    must(send_by(machine.main, port, 1, 7, two(page, SLOT_SPACE)));
    assert_int_equal(revoke_all(page), 2);
    must(wait_by(other, port, two(100, 101), 0));
    assert_int_equal(other->registers.rdx, 7); /* the message itself still comes */
    assert_int_equal(other->registers.r14, 2);
    assert_int_equal(cap_at(100)->type, OBJECT_none);
    assert_int_equal(cap_at(101)->type, OBJECT_space);
}

static void a_port_can_travel_through_itself(void **state)
{
    (void)state;
    must(send_by(machine.main, port, 1, 0, two(port, port)));
    must(wait_by(other, port, two(100, 0), 0));
    assert_int_equal(cap_at(100)->object, object_at(port));
    must(send_by(machine.main, port, 1, 0, two(port, 100)));
    delete_all(port);
    assert_int_equal(cap_at(100)->type, OBJECT_none);
}

static void a_sent_copy_does_not_own_the_share(void **state)
{
    (void)state;
    uint32_t minted = mint(1, 2);
    must(send_by(machine.main, port, 1, 0, two(minted, 0)));
    must(wait_by(other, port, two(100, 0), 0));
    assert_int_equal(cap_at(100)->port.share, cap_at(minted)->port.share);
    delete_all(100);
    assert_int_equal(port_at(port)->shares[1].reserved, 2);
}

/* --- waiting --- */

static void only_one_waits(void **state)
{
    (void)state;
    must(wait_by(other, port, 0, 0));
    refused(BUSY, wait_by(machine.main, port, 0, 0));
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    must(wait_by(other, port, 100, sim_clock + 500));
    sim_advance(499);
    assert_int_equal(other->state, THREAD_WAITING);
    sim_advance(1);
    assert_int_equal(other->state, THREAD_READY);
    assert_int_equal(other->registers.rax, ERROR_TIMEOUT);
    assert_int_equal(other->registers.rsi | other->registers.rdi | other->registers.r14, 0);
    assert_null(port_at(port)->waiter);
    machine_check();
}

static void a_message_in_time_ends_the_deadline(void **state)
{
    (void)state;
    must(wait_by(other, port, 0, sim_clock + 500));
    must(send_by(machine.main, port, 9, 0, 0));
    sim_advance(1000);
    assert_int_equal(other->registers.rsi, 9);
    assert_int_equal(other->registers.rax, OK);
    machine_check();
}

static void send_wait_switches_to_the_receiver(void **state)
{
    (void)state;
    uint32_t reply = make(OBJECT_port, 1);
    must(wait_by(other, port, 0, 0));
    struct registers *r = prepare(machine.main, CALL_send_wait);
    r->rdi = port;
    r->rbx = reply;
    r->rsi = 3;
    r->rdx = 33;
    must(perform(machine.main));
    assert_ptr_equal(sim_cpu.current, other);
    assert_int_equal(other->registers.rdx, 33);
    assert_int_equal(machine.main->state, THREAD_WAITING);
    r = prepare(other, CALL_send_wait);
    r->rdi = reply;
    r->rbx = port;
    r->rsi = 4;
    r->rdx = 44;
    must(perform(other));
    assert_ptr_equal(sim_cpu.current, machine.main);
    assert_int_equal(machine.main->registers.rdx, 44);
}

static void send_wait_sends_capabilities_and_receives_none(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    struct registers *r = prepare(machine.main, CALL_send_wait);
    r->rdi = port;
    r->rbx = port;
    r->rsi = 3;
    r->r14 = page;
    must(perform(machine.main)); /* to itself */
    assert_int_equal(machine.after.rsi, 3);
    assert_int_equal(machine.after.r14, 0);
    assert_false(cap_has_children(cap_at(page)));
}

/* --- ports that go --- */

static void a_waiter_learns_that_its_port_died(void **state)
{
    (void)state;
    must(wait_by(other, port, 100, sim_clock + 500));
    delete_all(port);
    assert_int_equal(other->registers.rax, ERROR_PEER_DIED);
    assert_int_equal(other->registers.rsi | other->registers.rdi | other->registers.r14, 0);
    sim_advance(1000);
    machine_check();
}

static void a_full_queue_of_capabilities_goes_with_its_port(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1), space = make(OBJECT_space, SPACE_PAGES);
    for (int i = 0; i < 7; i++) /* so that the queue's start is in the middle */
        must(send_by(machine.main, port, 1, 0, 0));
    for (int i = 0; i < 7; i++)
        must(wait_by(other, port, 0, 0));
    for (int i = 0; i < PORT_QUEUE_SLOTS; i++)
        must(send_by(machine.main, port, 1, 0, two(page, space)));
    delete_all(port);
    assert_false(cap_has_children(cap_at(page)));
    assert_false(cap_has_children(cap_at(space)));
}

/* --- interrupts --- */

static uint32_t bound_irq(uint64_t vector, uint64_t bit)
{
    uint32_t irq = slot_new();
    must(INVOKE(SLOT_IRQS, irq_derive, vector, irq));
    must(INVOKE(irq, irq_bind, port, bit, IRQ_MESSAGE));
    assert_int_equal(machine.result[1], vector);
    return irq;
}

static void an_interrupt_is_a_bit(void **state)
{
    (void)state;
    bound_irq(0x30, 5);
    bound_irq(0x6f, 63);
    must(wait_by(other, port, 0, 0));
    sim_interrupt(0x30);
    assert_int_equal(other->registers.rdi, 1 << 5);
    sim_interrupt(0x6f);
    sim_interrupt(0x30);
    must(wait_by(other, port, 0, 0));
    assert_int_equal(other->registers.rdi, 1ull << 63 | 1 << 5);
}

static void an_interrupt_wakes_an_idle_machine(void **state)
{
    (void)state;
    bound_irq(0x30, 0);
    must(INVOKE(other_slot, thread_suspend, 0));
    must(wait_by(machine.main, port, 0, 0));
    assert_null(sim_cpu.current);
    sim_interrupt(0x31);
    assert_null(sim_cpu.current);
    sim_interrupt(0x30);
    assert_ptr_equal(sim_cpu.current, machine.main);
    machine_check();
}

static void interrupts_outside_the_table_do_nothing(void **state)
{
    (void)state;
    sim_interrupt(0x2f);
    sim_interrupt(0x70);
    sim_interrupt(0x6f);
    machine_check();
}

static void nothing_is_delivered_to_a_port_that_went(void **state)
{
    (void)state;
    bound_irq(0x30, 0);
    delete_all(port);
    sim_interrupt(0x30); /* the port's memory is poisoned */
    machine_check();
}

static void nothing_is_delivered_for_a_capability_that_went(void **state)
{
    (void)state;
    uint32_t irq = bound_irq(0x30, 0), child = copy(irq);
    delete_all(child); /* a copy doesn't count */
    sim_interrupt(0x30);
    assert_int_equal(port_at(port)->pending, 1);
    delete_all(irq);
    must(wait_by(other, port, 0, 1));
    assert_int_equal(other->registers.rdi, 1);
    sim_interrupt(0x30);
    assert_int_equal(port_at(port)->pending, 0);
    bound_irq(0x30, 1); /* and it can be derived again */
}

static void a_pin_interrupts_at_each_edge(void **state)
{
    (void)state;
    uint32_t irq = slot_new();
    must(INVOKE(SLOT_IRQS, irq_derive, 0x40, irq));
    must(INVOKE(irq, irq_bind, port, 2, 4));
    for (int i = 0; i < 3; i++) {
        sim_pin_assert(4);
        must(wait_by(other, port, 0, 0));
        assert_int_equal(other->registers.rdi, 4);
    }
}

static void a_level_pin_is_masked_until_it_is_acknowledged(void **state)
{
    (void)state;
    uint32_t irq = slot_new(), second = slot_new();
    must(INVOKE(SLOT_IRQS, irq_derive, 0x40, irq));
    must(INVOKE(SLOT_IRQS, irq_derive, 0x41, second));
    must(INVOKE(irq, irq_bind, port, 2, IRQ_PIN_LEVEL | 11));
    refused(OCCUPIED, INVOKE(second, irq_bind, port, 3, IRQ_PIN_LEVEL | 11));
    for (int i = 0; i < 3; i++) {
        sim_pin_assert(11);
        must(wait_by(other, port, 0, 0));
        assert_int_equal(other->registers.rdi, 4);
        assert_false(sim.pin[11].open);
        refused(OCCUPIED, INVOKE(second, irq_bind, port, 3, IRQ_PIN_LEVEL | 11));
        must(INVOKE(irq, irq_ack, 0));
        assert_true(sim.pin[11].open);
    }
}

static void a_pin_without_a_port_is_masked(void **state)
{
    (void)state;
    uint32_t irq = slot_new(), again;
    must(INVOKE(SLOT_IRQS, irq_derive, 0x40, irq));
    must(INVOKE(irq, irq_bind, port, 2, IRQ_PIN_LEVEL | 11));
    delete_all(port);
    sim_pin_assert(11);
    assert_false(sim.pin[11].open);
    again = make(OBJECT_port, 1); /* it can be bound again */
    must(INVOKE(irq, irq_bind, again, 2, 11));
    delete_all(irq);
    assert_false(sim.pin[11].open);
    sim_pin_assert(11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_message_is_queued_and_taken, setup),
        cmocka_unit_test_setup(a_message_goes_straight_to_a_waiter, setup),
        cmocka_unit_test_setup(messages_come_in_order, setup),
        cmocka_unit_test_setup(pending_bits_and_a_message_come_together, setup),
        cmocka_unit_test_setup(bits_alone_come_without_a_message, setup),
        cmocka_unit_test_setup(a_signal_wakes_the_waiter, setup),
        cmocka_unit_test_setup(full_means_the_own_share, setup),
        cmocka_unit_test_setup(copies_use_the_same_share, setup),
        cmocka_unit_test_setup(a_waiting_receiver_costs_no_share, setup),
        cmocka_unit_test_setup(shares_are_limited_and_come_back, setup),
        cmocka_unit_test_setup(a_share_can_not_take_what_is_queued, setup),
        cmocka_unit_test_setup(a_closed_share_ends_with_its_last_message, setup),
        cmocka_unit_test_setup(a_failed_mint_keeps_no_share, setup),
        cmocka_unit_test_setup(a_moved_capability_takes_its_share_along, setup),
        cmocka_unit_test_setup(capabilities_arrive_by_the_queue, setup),
        cmocka_unit_test_setup(capabilities_arrive_at_a_waiter, setup),
        cmocka_unit_test_setup(who_offers_no_slot_gets_none, setup),
        cmocka_unit_test_setup(only_the_offered_slot_is_filled, setup),
        cmocka_unit_test_setup(a_slot_filled_meanwhile_is_not_overwritten, setup),
        cmocka_unit_test_setup(a_refused_message_leaves_nothing_behind, setup),
        cmocka_unit_test_setup(a_wait_rings_a_doorbell_first, setup),
        cmocka_unit_test_setup(revoke_finds_capabilities_in_transit, setup),
        cmocka_unit_test_setup(a_port_can_travel_through_itself, setup),
        cmocka_unit_test_setup(a_sent_copy_does_not_own_the_share, setup),
        cmocka_unit_test_setup(only_one_waits, setup),
        cmocka_unit_test_setup(a_wait_ends_at_its_deadline, setup),
        cmocka_unit_test_setup(a_message_in_time_ends_the_deadline, setup),
        cmocka_unit_test_setup(send_wait_switches_to_the_receiver, setup),
        cmocka_unit_test_setup(send_wait_sends_capabilities_and_receives_none, setup),
        cmocka_unit_test_setup(a_waiter_learns_that_its_port_died, setup),
        cmocka_unit_test_setup(a_full_queue_of_capabilities_goes_with_its_port, setup),
        cmocka_unit_test_setup(an_interrupt_is_a_bit, setup),
        cmocka_unit_test_setup(an_interrupt_wakes_an_idle_machine, setup),
        cmocka_unit_test_setup(interrupts_outside_the_table_do_nothing, setup),
        cmocka_unit_test_setup(a_pin_interrupts_at_each_edge, setup),
        cmocka_unit_test_setup(a_level_pin_is_masked_until_it_is_acknowledged, setup),
        cmocka_unit_test_setup(a_pin_without_a_port_is_masked, setup),
        cmocka_unit_test_setup(nothing_is_delivered_to_a_port_that_went, setup),
        cmocka_unit_test_setup(nothing_is_delivered_for_a_capability_that_went, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
