/* SPDX-License-Identifier: ISC
 *
 * See step.h.
 */
#include "tools/sim/step.h"

#include "kernel/arch/sim/arena.h"
#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/check_trace.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/mappings.h"
#include "kernel/arch/sim/user.h"
#include "kernel/arch/sim/user/points.h"
#include "kernel/arch/sim/user/processor.h"
#include "kernel/irq.h"
#include "motet/swap.h"
#include "tools/sim/composition.h"
#include "tools/sim/flips.h"
#include "tools/sim/invariants.h"
#include "tools/sim/snapshot.h"
#include "tools/sim/world.h"

#define SOMETIME (1ull << 50) /* ticks: what will happen then doesn't happen */

enum {
    /* What a stay takes: about what it takes on hardware, and never nothing, so that time passes.
     */
    USER_TICKS = 300,
    KERNEL_TICKS = 200,
    POINT_TICKS = 50,
    STOLEN_TICKS_MAX = 2000000, /* while the host runs something else */
};

struct sim_points sim_points;

/* Where the running thread left user code the last time. */
static bool at_boundary;

static uint64_t check_interval = 1;
static bool copies;

void step_check_every(uint64_t steps)
{
    check_interval = steps;
    check_late(steps != 1);
}

void step_copy_first(bool copy)
{
    copies = copy;
}

void step_check(void)
{
    world.checks++;
    check_all(first_cap(), sim_init_table());
    if (!world.options.flips)
        invariants_all();
}

/* Since the last entry into the kernel. */
static struct trace_before trace_before;

static void entered(void)
{
    world.entries++;
    check_trace_after(&trace_before);
    check_trace_before(&trace_before);
    sim_clock += KERNEL_TICKS;
    if (check_interval != 1)
        return;
    world.checks++;
    check_changed(first_cap(), sim_init_table());
}

/* --- what comes from outside --- */

static void interrupts_deliver(void)
{
    while (world.interrupts) {
        uint32_t n = (uint32_t)__builtin_ctzll(world.interrupts);
        world.interrupts &= world.interrupts - 1;
        world_mix(n);
        sim_interrupt(IRQ_VECTOR_FIRST + n);
        entered();
    }
    for (uint32_t lines = device_pins(); lines; lines &= lines - 1) {
        const uint32_t line = (uint32_t)__builtin_ctz(lines);
        if (!sim.pin[line].open)
            continue;
        sim_pin_assert(line);
        entered();
    }
}

static void outside(void)
{
    events_run();
    if (sim.timer && sim.timer <= sim_clock) {
        sim_advance(0);
        entered();
    }
    interrupts_deliver();
}

/* Nobody runs: time goes to where something happens. */
static void idle(void)
{
    uint64_t next = event_next_time();
    if (check_interval == 1)
        if (!world.options.flips)
            invariants_idle();
    if (sim.timer && sim.timer < next && sim.timer < SOMETIME)
        next = sim.timer;
    if (next == UINT64_MAX && world.phase == PHASE_FAULTS)
        next = sim_clock + SIM_TICKS_PER_SECOND; /* until the clients ask again */
    if (next == UINT64_MAX)
        world.ended = true;
    else if (next > sim_clock)
        sim_clock = next;
}

/* --- what the running thread does --- */

/* Operations after which nothing may be as it was. */
static bool is_risky(const struct thread *thread)
{
    if (thread->registers.rax != CALL_invoke)
        return false;
    switch (thread->registers.rsi) {
    case OPERATION_untyped_retype:
    case OPERATION_page_map:
    case OPERATION_page_unmap:
    case OPERATION_table_map:
    case OPERATION_table_unmap:
    case OPERATION_captable_delete:
    case OPERATION_captable_revoke:
        return true;
    default:
        return false;
    }
}

static bool on_copy;

/* The kernel does it to a copy of memory, what must hold is checked there, and the copy is thrown
 * away. A panic leaves by longjmp: step_was_copy puts the machine back. */
static void try_on_copy(void)
{
    world.copies++;
    snapshot_variables_save();
    on_copy = true;
    sim_arena_map(true);
    sim_syscall();
    check_all(first_cap(), sim_init_table());
    on_copy = false;
    sim_arena_map(false);
    snapshot_variables_restore();
}

bool step_was_copy(void)
{
    check_watch(false);
    if (!on_copy)
        return false;
    on_copy = false;
    sim_arena_map(false);
    snapshot_variables_restore();
    return true;
}

/* What the call means, whatever else a compiler left in registers. */
static void mix_call(const struct registers *r)
{
    world_mix(r->rax);
    if (r->rax != CALL_yield)
        world_mix(r->rdi);
    if (r->rax == CALL_invoke)
        world_mix(r->rsi);
}

static void kernel_call(struct thread *thread)
{
    bool risky = is_risky(thread);
    if (risky && copies)
        try_on_copy();
    mix_call(&thread->registers);
    sim_syscall();
    if (risky) {
        sim_mappings_changed();
        invariants_moved();
    }
    entered();
}

static void simulator_call(struct thread *thread)
{
    struct registers *r = &thread->registers;
    uint64_t physical;
    switch (r->rax) {
    case SIM_CALL_READ:
        physical = sim_translate(thread->space, r->rdi);
        r->rax = device_register_read(physical, (uint32_t)r->rsi);
        break;
    case SIM_CALL_WRITE:
        physical = sim_translate(thread->space, r->rdi);
        device_register_write(physical, (uint32_t)r->rsi, (uint32_t)r->rdx);
        break;
    case SIM_CALL_RANDOM:
        r->rax = world.user_random =
            world.user_random * 6364136223846793005ull + 1442695040888963407ull;
        break;
    default:
        at_boundary = sim_points.boundaries < 0;
        sim_clock += POINT_TICKS;
        if (chance(world.options.stolen))
            sim_clock += random_below(STOLEN_TICKS_MAX);
    }
}

bool step_at_boundary(void)
{
    return at_boundary && sim_cpu.current;
}

void step_kill(void)
{
    struct thread *thread = sim_cpu.current;
    world.killed |= 1ull << body_domain(sim_window(thread->registers.rsp));
    sim_fault(FAULT_INVALID_OPCODE, thread->registers.rip, 0);
    entered();
}

/* The start page of a new version that hasn't begun; NULL: the running thread is none. */
static const struct start_page *takes_over(const struct thread *thread)
{
    const uint32_t d = sim_window(thread->registers.rsp);
    const struct start_page *start = d ? domain_start_page(d) : NULL;
    return start && start->swaps ? start : NULL;
}

/* True: it is dead. */
static bool swap_disturb(void)
{
    struct thread *thread = sim_cpu.current;
    if (!(world.options.swap_deaths | world.options.swap_flips | world.options.swap_damage))
        return false;
    const struct start_page *start = takes_over(thread);
    if (!start)
        return false;
    if (world.options.swap_damage) /* its file may be one that it must refuse */
        world.killed |= 1ull << body_domain(start->domain);
    if (thread->registers.rip == (uint64_t)sim_domain_start && chance(world.options.swap_flips)) {
        struct state_header *state = (struct state_header *)domain_memory(start->state_address);
        const uint64_t bit = random_below(state->bytes * 8ull);
        ((uint8_t *)state)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        world.killed |= 1ull << body_domain(start->domain);
    }
    if (!chance(world.options.swap_deaths))
        return false;
    step_kill();
    return true;
}

static void user(void)
{
    if (swap_disturb() || flips_disturb())
        return;
    struct thread *thread = sim_cpu.current;
    struct sim_fault fault;
    sim_mappings_load(sim_cpu.space);
    sim_points.left = (int64_t)random_below(world.options.preempt);
    at_boundary = false;
    enum sim_exit left = sim_user_run(thread, &fault);
    sim_clock += USER_TICKS;
    if (left == SIM_FAULT) {
        world_mix(fault.cause ^ fault.address);
        sim_fault(fault.cause, fault.address, fault.error);
        entered();
    } else if (thread->registers.rax >= SIM_CALL_FIRST) {
        simulator_call(thread);
    } else {
        kernel_call(thread);
    }
}

void step(void)
{
    world.steps++;
    check_watch(true);
    outside();
    if (sim_cpu.current)
        user();
    else
        idle();
    check_watch(false);
    world_mix(sim_clock);
    if (check_interval == 1 && !world.options.flips)
        invariants_step();
    if (check_interval > 1 && world.steps % check_interval == 0)
        step_check();
}
