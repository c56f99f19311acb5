/* SPDX-License-Identifier: ISC
 *
 * Hostile threads make random system calls: all calls, all operations, arguments of all classes,
 * while a supervisor tears down and restarts what they have. The whole system is checked after
 * every step. KERNEL_SEED and KERNEL_STEPS in the environment repeat or prolong a run.
 */
#include "tests/unit/kernel_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/arch/sim/check_step.h"

enum {
    STEPS = 100000,       /* of all machines together: a few seconds */
    MACHINE_STEPS = 1000, /* then another machine */
    DOMAINS = 3,
    DOMAIN_THREADS = 2,
    DOMAIN_SLOTS = SLOTS_PER_PAGE,
    REMOVAL_MAX = 20000, /* steps to remove all there is */
};

/* A domain's table, in order. */
enum {
    OWN_TABLE = 1,
    OWN_SPACE,
    OWN_PORT,
    OWN_MEMORY,
    OWN_PAGE,
    OWN_FAULTS,
    OWN_THREADS,
    OWN_NEIGHBOUR = OWN_THREADS + DOMAIN_THREADS,
    OWN_IRQS,
    OWN_IOPORTS,
    OWN_IMAGE_PAGE,
    OWN_TRACE,
};

static uint64_t random_state;

static uint64_t random_number(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 16) % limit;
}

static bool chance(uint64_t percent)
{
    return random_number(100) < percent;
}

/* --- arguments --- */

static uint64_t hostile_number(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     63,
                                     64,
                                     127,
                                     128,
                                     511,
                                     512,
                                     513,
                                     4095,
                                     4096,
                                     0xffff,
                                     0xffffffff,
                                     0x100000000,
                                     USER_ADDRESS_END,
                                     USER_ADDRESS_END - 1,
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     UINT64_MAX - 4095,
                                     UINT64_MAX};
    return edges[random_number(sizeof(edges) / sizeof(edges[0]))] + (chance(20) ? ~0ull : 0);
}

/* A slot of `table` that is in use (by a capability of `type`, unless none), or empty. */
static uint64_t find_slot(struct captable *table, bool used, uint64_t type)
{
    uint64_t first = random_number(table->slots);
    for (uint64_t i = 0; i < table->slots; i++) {
        uint64_t slot = (first + i) % table->slots;
        const struct cap *cap = captable_slot(table, slot);
        if (slot && used == (cap->type != OBJECT_none) &&
            (!used || type == OBJECT_none || cap->type == type))
            return slot;
    }
    return random_number(table->slots);
}

static uint64_t random_address(void)
{
    static const uint64_t bases[] = {
        AT,         AT + 0x1000,  AT + 0x3000,    AT + 0x1ff000,
        0x40000000, 0x8000000000, 0x3fffffe00000, USER_ADDRESS_END - 0x1000};
    uint64_t address = chance(60) ? AT : bases[random_number(sizeof(bases) / sizeof(bases[0]))];
    return address + random_number(4) * PAGE_BYTES + (chance(3) ? 1 : 0);
}

static uint64_t device_or_image_address(void)
{
    uint64_t base = chance(50) ? DEVICE_ADDRESS : cap_at(SLOT_IMAGE)->address;
    return base + random_number(6) * PAGE_BYTES;
}

/* One argument, of the class that a letter stands for. */
static uint64_t argument(char class, struct captable *own, struct captable *invoked)
{
    static const uint16_t sizes[] = {1, 1, 1, 1, 2, 2, 3, 3, 8, 9, 20, 64};
    static const uint8_t types[] = {
        OBJECT_none,  OBJECT_untyped,  OBJECT_page,     OBJECT_page,   OBJECT_page, OBJECT_table,
        OBJECT_table, OBJECT_space,    OBJECT_captable, OBJECT_thread, OBJECT_port, OBJECT_port,
        OBJECT_irq,   OBJECT_dmaspace, OBJECT_dmaspace, OBJECT_COUNT};
    if (chance(4))
        return hostile_number();
    switch (class) {
    case 's': /* slots of the own table: in use, a space, a captable, a port, empty */
        return find_slot(own, true, OBJECT_none);
    case 'S':
        return find_slot(own, true, OBJECT_space);
    case 'M':
        return find_slot(own, true, chance(50) ? OBJECT_space : OBJECT_dmaspace);
    case 'D':
        return find_slot(own, true, OBJECT_dmaspace);
    case 'z': /* devices on three buses */
        return random_number(3) << 8 | random_number(6);
    case 'C':
        return find_slot(own, true, OBJECT_captable);
    case 'P':
        return find_slot(own, true, OBJECT_port);
    case 'e':
        return find_slot(own, false, OBJECT_none);
    case 'd': /* of the invoked table: empty, in use */
        return find_slot(invoked, false, OBJECT_none);
    case 'u':
        return find_slot(invoked, true, OBJECT_none);
    case 'a':
        return random_address();
    case 'A':
        return device_or_image_address();
    case 'r':
        return chance(50) ? RIGHT_ALL : random_number(RIGHT_ALL + 1);
    case 'm':
        return RIGHT_READ | random_number(8);
    case 't':
        return types[random_number(sizeof(types))];
    case 'n':
        return sizes[random_number(sizeof(sizes) / sizeof(sizes[0]))];
    case 'b':
        return chance(50) ? 0 : 1ull << random_number(64);
    case 'q':
        return chance(60) ? 0 : random_number(PORT_QUEUE_SLOTS + 2);
    case 'p':
        return PRIORITY - 2 + random_number(5);
    case 'v':
        return 0x2f + random_number(8);
    case 'i':
        return random_number(70);
    case 'G':
        return find_slot(own, true, OBJECT_page);
    case 'y':
        return chance(95) ? 0 : 1;
    case 'Y':
        return chance(60) ? TRACE_EVENTS_ALL : random_number(2 * TRACE_EVENTS_ALL);
    case 'I':
        return chance(30)   ? IRQ_MESSAGE
               : chance(20) ? IRQ_PIN_IOMMU
                            : random_number(SIM_PINS + 2) | random_number(2) << 15;
    default:
        return hostile_number();
    }
}

static const char *const operation_arguments[OPERATION_COUNT] = {
    [OPERATION_untyped_retype] = "tneA-",
    [OPERATION_page_map] = "Mam--",
    [OPERATION_table_map] = "Ma---",
    [OPERATION_captable_copy] = "sdr--",
    [OPERATION_captable_mint] = "Pdrbq",
    [OPERATION_captable_move] = "sd---",
    [OPERATION_captable_delete] = "u----",
    [OPERATION_captable_revoke] = "u----",
    [OPERATION_captable_info] = "u----",
    [OPERATION_thread_configure] = "SCpP-",
    [OPERATION_thread_set_registers] = "aa---",
    [OPERATION_irq_derive] = "ve---",
    [OPERATION_irq_bind] = "PiI--",
    [OPERATION_ioport_derive] = "nne--",
    [OPERATION_ioport_in] = "nn---",
    [OPERATION_ioport_out] = "nn---",
    [OPERATION_trace_attach] = "yG---",
    [OPERATION_trace_mask] = "yY---",
    [OPERATION_trace_label] = "Sn---",
    [OPERATION_iommu_assign] = "zD---",
};

static const uint8_t operation_objects[OPERATION_COUNT] = {
#define OPERATION(object, name, ...) [OPERATION_##object##_##name] = OBJECT_##object,
#include "motet/calls.def"
};

/* --- calls --- */

/* How often each succeeded: a fuzzer that only ever meets errors tests little. */
static uint64_t operations_done[OPERATION_COUNT], calls_done[CALL_COUNT];

static void random_invocation(struct thread *thread)
{
    struct registers *r = prepare(thread, CALL_invoke);
    uint64_t operation = random_number(OPERATION_COUNT + (chance(5) ? 2 : 0));
    struct captable *own = thread->captable, *invoked = own;
    const char *classes = "xxxxx";
    uint64_t a[5];
    r->rsi = operation;
    r->rdi = find_slot(own, true, OBJECT_none);
    if (operation < OPERATION_COUNT && !chance(5)) {
        r->rdi = find_slot(own, true, operation_objects[operation]);
        if (operation_arguments[operation])
            classes = operation_arguments[operation];
    }
    const struct cap *cap = captable_slot(own, r->rdi);
    if (cap && cap->type == OBJECT_captable)
        invoked = cap->object;
    for (int i = 0; i < 5; i++)
        a[i] = argument(classes[i], own, invoked);
    r->rdx = a[0];
    r->r10 = a[1];
    r->r8 = a[2];
    r->r9 = a[3];
    r->r12 = a[4];
}

static uint64_t random_deadline(void)
{
    return chance(70) ? sim_clock + random_number(3000) : hostile_number();
}

static void random_message(struct thread *thread)
{
    static const uint8_t calls[] = {CALL_send, CALL_send, CALL_send,      CALL_signal,
                                    CALL_wait, CALL_wait, CALL_send_wait, CALL_yield};
    struct registers *r = prepare(thread, calls[random_number(sizeof(calls))]);
    struct captable *own = thread->captable;
    char slots = r->rax == CALL_wait ? 'e' : 's';
    r->rdi = argument('P', own, own);
    r->rbx = argument('P', own, own);
    r->rsi = chance(5) ? 0 : random_state;
    r->rdx = random_state;
    if (chance(50))
        r->r14 = argument(slots, own, own) | (chance(40) ? argument(slots, own, own) << 32 : 0);
    r->r15 = random_deadline();
}

static void random_registers(struct thread *thread)
{
    struct registers *r = prepare(thread, random_number(CALL_COUNT + 1));
    r->rdi = hostile_number();
    r->rsi = hostile_number();
    r->rdx = hostile_number();
    r->r10 = hostile_number();
    r->r8 = hostile_number();
    r->r9 = hostile_number();
    r->r12 = hostile_number();
    r->rbx = hostile_number();
    r->r14 = hostile_number();
    r->r15 = hostile_number();
}

static void hostile_step(struct thread *thread)
{
    if (chance(2)) {
        uint64_t address = random_address(), error = random_number(32);
        check_fault_before();
        sim_fault(FAULT_PAGE, address, error);
        check_fault_after(FAULT_PAGE, address, error);
        machine_check();
        return;
    }
    if (chance(60))
        random_invocation(thread);
    else if (chance(90))
        random_message(thread);
    else
        random_registers(thread);
    uint64_t call = thread->registers.rax, operation = thread->registers.rsi;
    bool done = perform(thread) == OK;
    if (call == CALL_invoke && operation < OPERATION_COUNT)
        operations_done[operation] += done;
    else if (call < CALL_COUNT)
        calls_done[call] += done;
}

/* --- the supervisor --- */

static uint32_t faults; /* slot of main's port */
static uint32_t threads[DOMAINS * DOMAIN_THREADS];
static uint32_t tables[DOMAINS], spaces[DOMAINS], ports[DOMAINS], buffers[DOMAINS];

static bool running(void)
{
    return machine.main->state == THREAD_RUNNING;
}

static void give(uint64_t domain, uint64_t from, uint64_t to, uint64_t rights)
{
    if (running())
        INVOKE(tables[domain], captable_copy, from, to, rights);
}

/* What a domain starts with and has lost, as far as that still exists. */
static void refill(uint64_t d)
{
    give(d, tables[d], OWN_TABLE, RIGHT_ALL);
    give(d, spaces[d], OWN_SPACE, RIGHT_ALL);
    give(d, ports[d], OWN_PORT, RIGHT_ALL);
    give(d, buffers[d], OWN_PAGE, RIGHT_ALL);
    give(d, tables[(d + 1) % DOMAINS], OWN_NEIGHBOUR, RIGHT_ALL);
    for (uint64_t t = 0; t < DOMAIN_THREADS; t++)
        give(d, threads[d * DOMAIN_THREADS + t], OWN_THREADS + t, RIGHT_ALL);
    if (running())
        INVOKE(tables[d], captable_mint, faults, OWN_FAULTS, RIGHT_SEND | RIGHT_SIGNAL, 1ull << d,
               2);
}

/* Errors don't matter: what it names may be gone by now. */
static void restart(int n)
{
    int domain = n / DOMAIN_THREADS;
    if (cap_at(threads[n])->type != OBJECT_thread)
        return;
    if (INVOKE(threads[n], thread_resume, 0) != ERROR_BAD_STATE)
        return;
    INVOKE(threads[n], thread_configure, spaces[domain], tables[domain],
           PRIORITY - 2 + random_number(4), OWN_FAULTS);
    INVOKE(threads[n], thread_resume, 0);
}

static void supervisor_step(void)
{
    uint64_t slot = SLOT_FREE + random_number(machine.next_slot - SLOT_FREE);
    if (chance(20))
        refill(random_number(DOMAINS));
    for (int n = 0; n < DOMAINS * DOMAIN_THREADS; n++)
        if (chance(60) && running())
            restart(n);
    if (running() && chance(5) && slot != faults)
        machine_invoke(machine.main, SLOT_TABLE,
                       chance(10) ? OPERATION_captable_delete : OPERATION_captable_revoke,
                       (const uint64_t[5]){slot});
    if (running())
        wait_by(machine.main, faults, 0, sim_clock + 1 + random_number(200));
}

/* --- the machine --- */

static void domain_make(uint64_t d)
{
    uint32_t memory = make(OBJECT_untyped, 100), image = slot_new();
    ports[d] = make(OBJECT_port, 1);
    buffers[d] = make(OBJECT_page, 2);
    tables[d] = make(OBJECT_captable, DOMAIN_SLOTS / SLOTS_PER_PAGE);
    spaces[d] = make(OBJECT_space, SPACE_PAGES);
    for (int level = 3; level > 0; level--)
        assert_int_equal(INVOKE(make(OBJECT_table, 1), table_map, spaces[d], AT), OK);
    assert_int_equal(INVOKE(tables[d], captable_move, memory, OWN_MEMORY), OK);
    assert_int_equal(
        INVOKE(SLOT_IMAGE, untyped_retype, OBJECT_page, 2, image, cap_at(SLOT_IMAGE)->address), OK);
    give(d, image, OWN_IMAGE_PAGE, RIGHT_ALL);
    for (uint64_t t = 0; t < DOMAIN_THREADS; t++)
        threads[d * DOMAIN_THREADS + t] =
            make_thread_in(spaces[d], tables[d], PRIORITY - t, OWN_FAULTS);
}

static void machine_build(void)
{
    machine_create();
    faults = make(OBJECT_port, 1);
    for (uint64_t d = 0; d < DOMAINS; d++)
        domain_make(d);
    for (uint64_t d = 0; d < DOMAINS; d++)
        refill(d);
    give(0, SLOT_IRQS, OWN_IRQS, RIGHT_ALL);
    give(2, SLOT_IOMMU, OWN_IRQS, RIGHT_ALL);
    give(1, SLOT_IOPORTS, OWN_IOPORTS, RIGHT_ALL);
    give(2, SLOT_TRACE, OWN_TRACE, RIGHT_ALL);
    assert_int_equal(INVOKE(tables[2], captable_move, SLOT_DEVICE, OWN_IOPORTS), OK);
    supervisor_step();
}

/* The IOMMU is now slow, now quick; devices reach for whatever there may be. */
static void device_step(void)
{
    if (chance(10))
        sim.iommu.slow = !sim.iommu.slow;
    if (chance(30))
        sim_iommu_finish();
    sim_dma((uint16_t)argument('z', machine.table, machine.table), random_address(), 8, chance(50));
}

static void step(void)
{
    if (chance(10))
        device_step();
    if (chance(20))
        sim_advance(random_number(2000));
    if (chance(5))
        sim_interrupt(0x2e + random_number(9));
    if (chance(5))
        sim_pin_assert(random_number(SIM_PINS));
    machine_check();
    if (!sim_cpu.current)
        sim_advance(5000); /* main's deadline comes */
    else if (sim_cpu.current == machine.main)
        supervisor_step();
    else
        hostile_step(sim_cpu.current);
}

/* Everything goes, and in the end all memory is there again. */
static void remove_everything(void)
{
    struct cap *memory = cap_at(SLOT_MEMORY);
    enum error error = ERROR_MORE;
    sim.iommu.slow = false;
    for (int steps = 0; error == ERROR_MORE; steps++) {
        assert_true(steps < REMOVAL_MAX);
        error = cap_remove_step(memory, false);
        if (sim_cpu.reschedule)
            sim_cpu.steps.schedule(&sim_cpu);
        machine_check();
    }
    assert_int_equal(error, OK);
    assert_null(sim_cpu.current);
    assert_false(cap_has_children(memory));
}

static void random_calls_break_nothing(void **state)
{
    (void)state;
    const char *seed = getenv("KERNEL_SEED"), *steps = getenv("KERNEL_STEPS");
    uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;
    int64_t left = steps ? atoll(steps) : STEPS;
    for (uint64_t n = first; left > 0; n++) {
        fprintf(stderr, "\rKERNEL_SEED=%lu ", (unsigned long)n);
        random_state = (n + 1) * 0x9e3779b97f4a7c15ull;
        machine_build();
        for (int i = 0; i < MACHINE_STEPS; i++)
            step();
        remove_everything();
        left -= MACHINE_STEPS;
    }
    fprintf(stderr, "\n");
    for (int i = 0; i < OPERATION_COUNT && !seed; i++)
        assert_int_not_equal(operations_done[i], 0);
    for (int i = 0; i < CALL_invoke && !seed; i++)
        assert_int_not_equal(calls_done[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
