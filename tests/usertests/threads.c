/* SPDX-License-Identifier: ISC
 *
 * The errors of the operations on threads, interrupts and I/O ports.
 */
#include "tests/usertests/tests.h"
#include "tests/usertests/usertests.h"

#define CONFIGURE(thread, space, table, priority, faults)                                          \
    INVOKE(thread, thread_configure, space, table, priority, faults)

void test_thread_configure_bad_argument(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    refused(BAD_ARGUMENT, CONFIGURE(thread, E->space, E->table, PRIORITY_COUNT, 0));
    refused(BAD_ARGUMENT, CONFIGURE(thread, E->space, E->table, 256, 0));
    refused(BAD_ARGUMENT, CONFIGURE(thread, E->space, E->table, UINT64_MAX, 0));
    refused(BAD_ARGUMENT, CONFIGURE(thread, E->space, E->table, 1, 1ull << 32));
    refused(BAD_ARGUMENT, CONFIGURE(thread, E->space, E->table, 1, UINT64_MAX));
}

void test_thread_configure_empty_slot(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    refused(EMPTY_SLOT, CONFIGURE(thread, EMPTY, E->table, 1, 0));
    refused(EMPTY_SLOT, CONFIGURE(thread, E->space, EMPTY, 1, 0));
    refused(EMPTY_SLOT, CONFIGURE(thread, UINT64_MAX, E->table, 1, 0));
}

void test_thread_configure_wrong_type(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    refused(WRONG_TYPE, CONFIGURE(thread, E->table, E->table, 1, 0));
    refused(WRONG_TYPE, CONFIGURE(thread, E->space, E->space, 1, 0));
}

void test_thread_configure_bad_state(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    refused(BAD_STATE, CONFIGURE(E->thread, E->space, E->table, 1, 0)); /* it runs */
    refused(BAD_STATE, CONFIGURE(thread, E->space, dying_table(), 1, 0));
    refused(BAD_STATE, CONFIGURE(thread, half_revoked(E->space), E->table, 1, 0));
    refused(BAD_STATE, CONFIGURE(thread, E->space, half_revoked(E->table), 1, 0));
}

void test_thread_configure_no_right(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    uint64_t others = RIGHT_ALL & ~RIGHT_CONTROL;
    refused(NO_RIGHT, CONFIGURE(thread, copy_with(E->space, others), E->table, 1, 0));
    refused(NO_RIGHT, CONFIGURE(thread, E->space, copy_with(E->table, others), 1, 0));
}

/* Where a thread may never be: what is loaded into rip and rsp must be canonical, or the way out of
 * the kernel would fault in it. */
void test_thread_set_registers_bad_argument(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    static const uint64_t bad[] = {USER_ADDRESS_END, NOT_CANONICAL - 1, NOT_CANONICAL,
                                   KERNEL_HALF - 1,  KERNEL_HALF,       KERNEL_TEXT,
                                   1ull << 63,       UINT64_MAX - 15,   UINT64_MAX};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        refused(BAD_ARGUMENT, INVOKE(thread, thread_set_registers, bad[i], 0, 0));
        refused(BAD_ARGUMENT, INVOKE(thread, thread_set_registers, 0, bad[i], 0));
    }
    must(INVOKE(thread, thread_set_registers, USER_ADDRESS_END - 1, USER_ADDRESS_END - 1, 0));
}

void test_thread_set_registers_bad_state(void)
{
    uint32_t port = make(OBJECT_port, 1), waiting = helper(helper_waits, port, HIGHER, 0);
    start(waiting);
    refused(BAD_STATE, INVOKE(E->thread, thread_set_registers, 0, 0, 0));
    refused(BAD_STATE, INVOKE(waiting, thread_set_registers, 0, 0, 0));
}

void test_thread_resume_bad_state(void)
{
    uint32_t port = make(OBJECT_port, 1), waiting = helper(helper_waits, port, HIGHER, 0);
    refused(BAD_STATE, INVOKE(make(OBJECT_thread, 1), thread_resume, 0)); /* not configured */
    refused(BAD_STATE, INVOKE(E->thread, thread_resume, 0));
    start(waiting);
    refused(BAD_STATE, INVOKE(waiting, thread_resume, 0));
}

void test_thread_suspend_in_every_state(void)
{
    uint32_t port = make(OBJECT_port, 1), thread = helper(helper_waits, port, LOWER, 0);
    must(INVOKE(thread, thread_suspend, 0));
    start(thread);
    check(thread_state_of(thread) == THREAD_READY);
    must(INVOKE(thread, thread_suspend, 0));
    check(thread_state_of(thread) == THREAD_SUSPENDED);
    must(CONFIGURE(thread, E->space, E->table, HIGHER, 0));
    start(thread);
    check(thread_state_of(thread) == THREAD_WAITING);
    must(INVOKE(thread, thread_suspend, 0));
    must(INVOKE(thread, thread_set_registers, 0, 0, 0));
    start(thread); /* at address 0: it faults, to nobody */
    check(thread_state_of(thread) == THREAD_FAULTED);
    must(INVOKE(thread, thread_suspend, 0));
    check(thread_state_of(thread) == THREAD_SUSPENDED);
}

static void resumes(uint64_t thread)
{
    E->note[0]++;
    must(INVOKE(thread, thread_resume, 0));
    helper_end();
}

void test_thread_suspends_itself(void)
{
    start(helper(resumes, E->thread, LOWER, 0));
    must(INVOKE(E->thread, thread_suspend, 0));
    check(E->note[0] == 1);
}

void test_thread_budget_bad_argument(void)
{
    uint32_t thread = make(OBJECT_thread, 1);
    static const struct {
        uint64_t ticks, period;
    } bad[] = {{2, 1},
               {(1ull << 60) + 1, 0},
               {0, 1},
               {1, (1ull << 60) + 1},
               {UINT64_MAX, 1},
               {1, UINT64_MAX},
               {UINT64_MAX, UINT64_MAX},
               {0, 1ull << 63}};
    for (unsigned i = 0; i < COUNT(bad); i++)
        refused(BAD_ARGUMENT, INVOKE(thread, thread_budget, bad[i].ticks, bad[i].period));
}

void test_thread_budget_bad_state(void)
{
    refused(BAD_STATE, INVOKE(E->thread, thread_budget, 1, 2));
    refused(BAD_STATE, INVOKE(E->thread, thread_budget, 0, 0));
}

static void notes(uint64_t value)
{
    E->note[0] = value;
    helper_end();
}

void test_thread_budget_of_one_tick(void)
{
    uint32_t thread = helper(notes, 9, HIGHER, 0);
    must(INVOKE(thread, thread_budget, 1, 1ull << 60));
    must(INVOKE(thread, thread_budget_info, 0));
    check(E->result[0] == 0 && E->result[1] == 1 && E->result[2] == 0);
    start(thread);
    must(INVOKE(thread, thread_suspend, 0)); /* wherever it is by now */
    must(INVOKE(thread, thread_budget, 0, 0));
}

/* --- interrupts --- */

void test_irq_derive_bad_argument(void)
{
    static const uint64_t bad[] = {0,
                                   1,
                                   14,
                                   0x20,
                                   IRQ_VECTOR_FIRST - 1,
                                   IRQ_VECTOR_LAST + 1,
                                   0xff,
                                   1ull << 32 | IRQ_VECTOR_FIRST,
                                   1ull << 63,
                                   UINT64_MAX};
    for (unsigned i = 0; i < COUNT(bad); i++)
        refused(BAD_ARGUMENT, INVOKE(E->irqs, irq_derive, bad[i], EMPTY));
    refused(BAD_ARGUMENT, INVOKE(E->irqs, irq_derive, IRQ_VECTOR_FIRST, 0));
    refused(BAD_ARGUMENT, INVOKE(E->irqs, irq_derive, IRQ_VECTOR_FIRST, UINT64_MAX));
}

void test_irq_derive_occupied(void)
{
    uint32_t irq = slot_new();
    must(INVOKE(E->irqs, irq_derive, IRQ_VECTOR_LAST, irq));
    refused(OCCUPIED, INVOKE(E->irqs, irq_derive, IRQ_VECTOR_LAST, EMPTY));
    refused(OCCUPIED, INVOKE(E->irqs, irq_derive, IRQ_VECTOR_FIRST, irq));
    refused(BAD_ARGUMENT, INVOKE(irq, irq_derive, IRQ_VECTOR_FIRST, EMPTY));
}

void test_irq_derive_limit(void)
{
    refused(LIMIT, INVOKE(deepest(E->irqs), irq_derive, IRQ_VECTOR_FIRST, EMPTY));
    must(INVOKE(E->irqs, irq_derive, IRQ_VECTOR_FIRST, slot_new())); /* it wasn't taken */
}

void test_irq_derive_bad_state(void)
{
    refused(BAD_STATE, INVOKE(half_revoked(E->irqs), irq_derive, IRQ_VECTOR_FIRST, EMPTY));
}

static uint32_t irq_new(uint64_t vector)
{
    uint32_t irq = slot_new();
    must(INVOKE(E->irqs, irq_derive, vector, irq));
    return irq;
}

void test_irq_bind_bad_argument(void)
{
    uint32_t irq = irq_new(IRQ_VECTOR_FIRST), port = make(OBJECT_port, 1);
    static const uint64_t pins[] = {24 | IRQ_PIN_LEVEL, 0x7fff,     0x10000 | IRQ_MESSAGE,
                                    UINT32_MAX,         1ull << 63, UINT64_MAX};
    refused(BAD_ARGUMENT, INVOKE(irq, irq_bind, port, 64, IRQ_MESSAGE));
    refused(BAD_ARGUMENT, INVOKE(irq, irq_bind, port, UINT64_MAX, IRQ_MESSAGE));
    refused(BAD_ARGUMENT, INVOKE(E->irqs, irq_bind, port, 0, IRQ_MESSAGE));
    for (unsigned i = 0; i < COUNT(pins); i++)
        refused(BAD_ARGUMENT, INVOKE(irq, irq_bind, port, 0, pins[i]));
    must(INVOKE(irq, irq_bind, port, 0, IRQ_MESSAGE));
}

void test_irq_bind_empty_slot(void)
{
    refused(EMPTY_SLOT, INVOKE(irq_new(IRQ_VECTOR_FIRST), irq_bind, EMPTY, 0, IRQ_MESSAGE));
}

void test_irq_bind_wrong_type(void)
{
    refused(WRONG_TYPE, INVOKE(irq_new(IRQ_VECTOR_FIRST), irq_bind, E->space, 0, IRQ_MESSAGE));
}

void test_irq_bind_no_right(void)
{
    uint32_t port = copy_with(make(OBJECT_port, 1), RIGHT_ALL & ~RIGHT_WAIT);
    refused(NO_RIGHT, INVOKE(irq_new(IRQ_VECTOR_FIRST), irq_bind, port, 0, IRQ_MESSAGE));
}

void test_irq_bind_occupied(void)
{
    enum { PIN = 19 }; /* no device's */
    uint32_t irq = irq_new(IRQ_VECTOR_FIRST), other = irq_new(IRQ_VECTOR_FIRST + 1);
    uint32_t port = make(OBJECT_port, 1);
    must(INVOKE(irq, irq_bind, port, 0, PIN));
    refused(OCCUPIED, INVOKE(irq, irq_bind, port, 1, IRQ_MESSAGE));
    refused(OCCUPIED, INVOKE(other, irq_bind, port, 1, PIN));
    refused(OCCUPIED, INVOKE(other, irq_bind, port, 1, PIN | IRQ_PIN_LEVEL));
    delete_all(irq); /* with it the pin is free */
    must(INVOKE(other, irq_bind, port, 1, PIN));
}

void test_irq_bind_bad_state(void)
{
    uint32_t port = half_revoked(make(OBJECT_port, 1));
    refused(BAD_STATE, INVOKE(irq_new(IRQ_VECTOR_FIRST), irq_bind, port, 0, IRQ_MESSAGE));
}

void test_irq_ack_bad_state(void)
{
    uint32_t irq = irq_new(IRQ_VECTOR_FIRST), port = make(OBJECT_port, 1);
    refused(BAD_STATE, INVOKE(E->irqs, irq_ack, 0));
    refused(BAD_STATE, INVOKE(irq, irq_ack, 0)); /* bound to nothing */
    must(INVOKE(irq, irq_bind, port, 0, IRQ_MESSAGE));
    refused(BAD_STATE, INVOKE(irq, irq_ack, 0)); /* no pin */
}

void test_every_vector_taken(void)
{
    for (uint64_t vector = IRQ_VECTOR_FIRST; vector <= IRQ_VECTOR_LAST; vector++)
        irq_new(vector);
    for (uint64_t vector = IRQ_VECTOR_FIRST; vector <= IRQ_VECTOR_LAST; vector++)
        refused(OCCUPIED, INVOKE(E->irqs, irq_derive, vector, EMPTY));
}

/* --- I/O ports --- */

void test_ioport_derive_bad_argument(void)
{
    static const struct {
        uint64_t first, count;
    } bad[] = {{65536, 1}, {65535, 2},         {8, 0},          {8, UINT64_MAX},
               {0, 65537}, {UINT64_MAX, 1},    {1ull << 32, 1}, {UINT64_MAX, UINT64_MAX},
               {1, 65536}, {65535, 1ull << 63}};
    for (unsigned i = 0; i < COUNT(bad); i++)
        refused(BAD_ARGUMENT, INVOKE(E->ioports, ioport_derive, bad[i].first, bad[i].count, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(E->ioports, ioport_derive, 8, 1, 0));
    refused(BAD_ARGUMENT, INVOKE(E->ioports, ioport_derive, 8, 1, E->slots));
}

static uint32_t ports(uint64_t first, uint64_t count)
{
    uint32_t slot = slot_new();
    must(INVOKE(E->ioports, ioport_derive, first, count, slot));
    return slot;
}

void test_ioport_derive_beyond_the_part(void)
{
    uint32_t part = ports(0x3f8, 8);
    refused(BAD_ARGUMENT, INVOKE(part, ioport_derive, 0x3f7, 1, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(part, ioport_derive, 0x3ff, 2, EMPTY));
    refused(BAD_ARGUMENT, INVOKE(part, ioport_derive, 0x400, 1, EMPTY));
}

void test_ioport_derive_occupied(void)
{
    refused(OCCUPIED, INVOKE(E->ioports, ioport_derive, 8, 1, E->table));
}

void test_ioport_derive_limit(void)
{
    refused(LIMIT, INVOKE(deepest(E->ioports), ioport_derive, 8, 1, EMPTY));
}

void test_ioport_derive_bad_state(void)
{
    refused(BAD_STATE, INVOKE(half_revoked(E->ioports), ioport_derive, 8, 1, EMPTY));
}

static const struct {
    uint64_t port, bytes;
} bad_accesses[] = {{0x3f7, 1},
                    {0x400, 1},
                    {0x3fd, 4},
                    {0x3ff, 2},
                    {0x3f8, 0},
                    {0x3f8, 3},
                    {0x3f8, 8},
                    {0x3f8, UINT64_MAX},
                    {0, 1},
                    {UINT64_MAX, 4},
                    {1ull << 32 | 0x3f8, 1},
                    {0x3f8, 1ull << 32 | 1}};

void test_ioport_in_bad_argument(void)
{
    uint32_t part = ports(0x3f8, 8);
    for (unsigned i = 0; i < COUNT(bad_accesses); i++)
        refused(BAD_ARGUMENT, INVOKE(part, ioport_in, bad_accesses[i].port, bad_accesses[i].bytes));
    must(INVOKE(part, ioport_in, 0x3fd, 1));
}

void test_ioport_out_bad_argument(void)
{
    uint32_t part = ports(0x3f8, 8);
    for (unsigned i = 0; i < COUNT(bad_accesses); i++)
        refused(BAD_ARGUMENT,
                INVOKE(part, ioport_out, bad_accesses[i].port, bad_accesses[i].bytes, '!'));
}

/* --- many at once --- */

static void waits_far(uint64_t port)
{
    ut_wait(port, 0, E->note[2], NULL);
    helper_end();
}

/* As many waiting threads as memory holds, each with a deadline of its own, go at once. */
void test_many_deadlines(void)
{
    enum { THREADS = 80 };
    uint32_t part = make(OBJECT_untyped, 2 * THREADS);
    uint64_t stack = helper_stack();
    for (uint64_t i = 0; i < THREADS; i++) {
        uint32_t port = make_from(part, OBJECT_port, 1), thread = make_from(part, OBJECT_thread, 1);
        must(INVOKE(thread, thread_configure, E->space, E->table, HIGHER, 0));
        must(INVOKE(thread, thread_set_registers, (uint64_t)waits_far, stack, port));
        E->note[2] = (1ull << 62) - (i * 7919 % THREADS) * 1000;
        start(thread);
        check(thread_state_of(thread) == THREAD_WAITING);
    }
    remove_all(OPERATION_captable_revoke, E->table, part);
    must(INVOKE(part, untyped_retype, OBJECT_untyped, 2 * THREADS, slot_new()));
}
