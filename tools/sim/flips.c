/* SPDX-License-Identifier: ISC
 *
 * See flips.h. Not flipped: what is the address of code or constants, since the simulator's own are
 * beside the servers' in one process, and where a domain's thread goes on.
 */
#include "tools/sim/flips.h"

#include <string.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/user.h"
#include "tools/sim/composition.h"
#include "tools/sim/step.h"
#include "tools/sim/world.h"

enum {
    ACCESSES_MOST = 5 * 1000 * 1000, /* beyond that a server goes round in a circle */
    TRIES = 64,                      /* for a word that may be flipped */
    REGISTERS = 14,                  /* all but the stack pointer and the instruction pointer */
};

extern char __executable_start[], end[];

static uint64_t chosen(void)
{
    uint64_t domains = world.options.flip_domains;
    for (uint32_t d = 1; d < domain_count() && !world.options.flip_domains; d++)
        if (!strcmp(domain_at(d)->name, "netd") || !strcmp(domain_at(d)->name, "dnsd"))
            domains |= 1ull << d;
    return domains;
}

/* Flips a bit of it, unless it is the address of something in this process. */
static bool flip(uint64_t *word)
{
    if (*word >= (uint64_t)__executable_start && *word < (uint64_t)end)
        return false;
    *word ^= 1ull << random_below(64);
    return true;
}

static bool flip_register(struct registers *r)
{
    uint64_t *const all[REGISTERS] = {&r->rbx, &r->rbp, &r->r12, &r->r13, &r->r14,
                                      &r->r15, &r->rdi, &r->rsi, &r->rdx, &r->rcx,
                                      &r->r8,  &r->r9,  &r->r10, &r->r11};
    return flip(all[random_below(REGISTERS)]);
}

/* A word of that range of the domain's addresses. */
static bool flip_memory(uint64_t address, uint64_t bytes)
{
    uint64_t *word = (uint64_t *)domain_memory((address + random_below(bytes)) & ~7ull);
    return word && flip(word);
}

static bool flip_something(struct thread *thread, const struct start_page *start, uint32_t window)
{
    const uint64_t top = SIM_WINDOWS + window * SIM_WINDOW_BYTES + SIM_STACK;
    switch (random_below(3)) {
    case 0:
        return flip_register(&thread->registers);
    case 1:
        return flip_memory(start->private_address, start->private_bytes);
    default:
        return thread->registers.rsp < top &&
               flip_memory(thread->registers.rsp, top - thread->registers.rsp);
    }
}

static void flip_due(struct thread *thread, uint32_t window, uint32_t domain)
{
    const struct start_page *start = domain_start_page(window);
    for (int i = 0; start && i < TRIES; i++) {
        if (!flip_something(thread, start, window))
            continue;
        world.flips++;
        world.flipped |= 1ull << domain;
        world.killed |= 1ull << domain;
        break;
    }
    world.flip_wait = 1 + (uint32_t)random_below(world.options.flip_every);
}

static bool is_due(uint32_t domain)
{
    const struct options *options = &world.options;
    if (world.phase != PHASE_FAULTS || world.flips == options->flips || !(chosen() >> domain & 1))
        return false;
    return !world.flip_wait || !--world.flip_wait;
}

bool flips_disturb(void)
{
    if (!world.options.flips)
        return false;
    struct thread *thread = sim_cpu.current;
    const uint32_t window = sim_window(thread->registers.rsp);
    const uint32_t domain = window ? body_domain(window) : 0;
    if (world.renew >> domain & 1) {
        world.renew &= ~(1ull << domain);
        step_kill();
        return true;
    }
    if (domain && is_due(domain))
        flip_due(thread, window, domain);
    sim_user_accesses = 0;
    sim_user_accesses_most = world.flipped >> domain & 1 ? ACCESSES_MOST : 0;
    return false;
}

/* Who waits goes on, to be killed then: it may be deaf. */
void flips_end(void)
{
    world.renew = world.flipped;
    for (uint32_t d = 1; d < domain_count(); d++) {
        struct thread *thread = (struct thread *)domain_thread(domain_body(d));
        if (!(world.flipped >> d & 1) || !thread || thread->state != THREAD_WAITING)
            continue;
        thread_suspend(thread);
        thread_resume(thread);
    }
    sim_interrupt(IRQ_VECTOR_LAST); /* of nobody: the kernel chooses who runs */
}
