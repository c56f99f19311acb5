/* SPDX-License-Identifier: ISC
 *
 * kernel/fastpath.c against what it replaces: in states made by random calls, each send_wait and
 * each wait with a doorbell is made twice, by the fast path and by port_send or port_signal,
 * port_wait and schedule. All memory and the CPU
 * must be the same afterwards; where the fast path declines, it must have touched nothing.
 */
#include "tests/unit/kernel_machine.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/captable.h"
#include "kernel/fastpath.h"

enum {
    THREADS = 2,
    PORTS = 4,
    STATES = 100,
    CALLS = 100, /* per state */
    MEMORY = SIM_PAGES_MAX * PAGE_BYTES,
};

struct all {
    struct cpu cpu;
    struct sim_machine sim;
    uint8_t *memory;
};

static struct all before, fast;
static uint32_t ports[PORTS], empty;
static unsigned taken[2], declined[2]; /* send_wait, wait */
static uint64_t seed;

static uint32_t random_below(uint32_t end)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % end;
}

static void all_save(struct all *to)
{
    to->cpu = sim_cpu;
    to->sim = sim;
    memcpy(to->memory, sim_memory, sim_pages * PAGE_BYTES);
}

static void all_restore(const struct all *from)
{
    sim_cpu = from->cpu;
    sim = from->sim;
    memcpy(sim_memory, from->memory, sim_pages * PAGE_BYTES);
}

static void all_equal(const struct all *expected)
{
    assert_memory_equal(&sim_cpu, &expected->cpu, sizeof(sim_cpu));
    assert_memory_equal(&sim, &expected->sim, sizeof(sim));
    assert_memory_equal(sim_memory, expected->memory, sim_pages * PAGE_BYTES);
}

/* As syscall_handle does without the fast path; both capabilities are good, or the fast path would
 * have declined. */
static void general_send_wait(struct thread *thread)
{
    struct cap *to = captable_slot(thread->captable, thread->registers.rdi);
    struct cap *own = captable_slot(thread->captable, thread->registers.rbx);
    must(port_send(thread, to));
    thread->registers.r14 = 0;
    must(port_wait(thread, own));
}

static void general_wait(struct thread *thread)
{
    struct cap *own = captable_slot(thread->captable, thread->registers.rdi);
    struct cap *bell = captable_slot(thread->captable, thread->registers.rbx);
    port_signal(bell->object, bell->port.badge);
    must(port_wait(thread, own));
}

static void both(struct thread *thread)
{
    bool waits = thread->registers.rax == CALL_wait;
    all_save(&before);
    if (!(waits ? wait_fast : send_wait_fast)(thread)) {
        declined[waits]++;
        all_equal(&before);
        sim_syscall();
        return;
    }
    taken[waits]++;
    all_save(&fast);
    all_restore(&before);
    (waits ? general_wait : general_send_wait)(thread);
    thread->registers.rax = OK;
    if (sim_cpu.reschedule)
        schedule(&sim_cpu);
    all_equal(&fast);
}

static uint32_t random_slot(void)
{
    static const uint32_t others[] = {0, SLOT_TABLE, SLOT_MEMORY, ROOT_SLOTS};
    uint32_t n = random_below(40);
    if (n < 4)
        return n == 3 ? empty : others[n];
    return ports[n % PORTS];
}

static void random_call(struct thread *thread)
{
    static const uint8_t calls[] = {CALL_send,      CALL_signal,    CALL_wait, CALL_wait,
                                    CALL_wait,      CALL_wait,      CALL_wait, CALL_send_wait,
                                    CALL_send_wait, CALL_send_wait, CALL_yield};
    struct registers *r = &thread->registers;
    r->rax = calls[random_below(sizeof(calls))];
    r->rdi = random_slot();
    r->rbx =
        r->rax == CALL_send_wait || (r->rax == CALL_wait && random_below(4)) ? random_slot() : 0;
    r->rsi = random_below(16) ? 0x1234567800000000ull + random_below(0x20000) : 0;
    r->rdx = seed;
    r->r10 = seed + 1;
    r->r8 = seed + 2;
    r->r9 = seed + 3;
    r->r12 = seed + 4;
    r->r13 = seed + 5;
    r->r14 = r->rax != CALL_wait && !random_below(8) ? random_slot() : 0;
    r->r15 = random_below(8) ? 0 : sim_clock + 1 + random_below(50);
    if (r->rax == CALL_send_wait || r->rax == CALL_wait)
        both(thread);
    else
        sim_syscall();
}

/* All wait: a signal comes to one of the ports. */
static void wake_one(void)
{
    port_signal(object_at(ports[random_below(PORTS)]), 1);
    if (sim_cpu.reschedule)
        schedule(&sim_cpu);
}

/* Half of the threads in a space of their own; priorities near each other, every port with a badge
 * and without. */
static void random_machine(void)
{
    machine_create();
    uint32_t space = make(OBJECT_space, SPACE_PAGES);
    for (uint32_t i = 0; i < PORTS; i++) {
        uint32_t port = make(OBJECT_port, 1);
        ports[i] = slot_new();
        must(INVOKE(SLOT_TABLE, captable_mint, port, ports[i], RIGHT_ALL, i ? 1ull << i : 0, 0));
    }
    empty = slot_new();
    for (uint32_t i = 0; i < THREADS; i++) {
        uint32_t thread = make_thread_in(i % 2 ? space : SLOT_SPACE, SLOT_TABLE,
                                         PRIORITY - 2 + random_below(3), 0);
        if (!random_below(4))
            must(INVOKE(thread, thread_budget, 40, 60));
        must(INVOKE(thread, thread_resume, 0));
        run(machine.main);
    }
}

static void the_fast_path_does_what_the_general_one_does(void **state)
{
    (void)state;
    before.memory = malloc(MEMORY);
    fast.memory = malloc(MEMORY);
    memset(taken, 0, sizeof(taken));
    memset(declined, 0, sizeof(declined));
    for (seed = 1; seed < STATES; seed++) {
        uint64_t kept = seed;
        random_machine();
        for (int call = 0; call < CALLS; call++) {
            while (!sim_cpu.current)
                wake_one();
            random_call(sim_cpu.current);
            machine_check();
            if (!random_below(4))
                sim_advance(random_below(30));
        }
        seed = kept;
    }
    free(before.memory);
    free(fast.memory);
    for (int waits = 0; waits < 2; waits++) {
        assert_in_range(taken[waits], STATES / 2, STATES * CALLS);
        assert_in_range(declined[waits], STATES, STATES * CALLS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(the_fast_path_does_what_the_general_one_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
