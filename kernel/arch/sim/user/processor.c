/* SPDX-License-Identifier: ISC
 *
 * User code's side of the simulated processor: the half of libos/kernel.h that isn't system calls,
 * the way to device registers, and where domains begin. Compiled as user code.
 */
#include "kernel/arch/sim/user/processor.h"

#include <stddef.h>

#include "ipc/channel.h"
#include "kernel/arch/sim/user.h"
#include "kernel/arch/sim/user/points.h"
#include "libos/kernel.h"
#include "libos/trap.h"

_Static_assert(offsetof(struct ring, current) == RING_CURRENT_OFFSET, "what points.h looks for");

extern uint64_t sim_clock; /* the machine's; as readable as the processor's */

static uint64_t call_simulator(uint64_t call, uint64_t a, uint64_t b, uint64_t c)
{
    __asm__ volatile(TRAP : "+a"(call) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return call;
}

void sim_step_in(void)
{
    call_simulator(SIM_CALL_POINT, 0, 0, 0);
}

void ring_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    sim_point();
}

uint64_t kernel_clock(void)
{
    return sim_clock;
}

uint64_t kernel_random(void)
{
    return call_simulator(SIM_CALL_RANDOM, 0, 0, 0);
}

void kernel_stop(uint64_t code)
{
    for (;;)
        __asm__ volatile("ud2" : : "D"(code));
}

/* The model stands where the BAR begins. */
static uint32_t register_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    return (uint32_t)call_simulator(SIM_CALL_READ, (uint64_t)model + offset, bytes, 0);
}

static void register_write(struct device_model *model, uint32_t offset, uint32_t bytes,
                           uint32_t value)
{
    call_simulator(SIM_CALL_WRITE, (uint64_t)model + offset, bytes, value);
}

const struct device_model sim_registers = {register_read, register_write};

#ifdef __has_feature /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(const volatile void *address, size_t size);

/* A domain that begins anew begins on the stack that its earlier life left: the sanitizer still has
 * borders around what lay there. */
__attribute__((no_sanitize("address"))) static void stack_forget(void)
{
    enum { STACK_MAX = 32 * 1024 };
    const uint8_t *here = __builtin_frame_address(0);
    __asan_unpoison_memory_region(here - STACK_MAX, STACK_MAX);
}
#else
static void stack_forget(void)
{
}
#endif

__attribute__((no_sanitize("address"))) void sim_domain_start(const struct start_page *start)
{
    if (start->restarts || start->swaps)
        stack_forget();
    const struct sim_servers *servers = &sim_servers[start->domain];
    const struct linked linked = {
        .servers = servers->server,
        .count = servers->count,
        .transport = {[START_CHANNEL] = &channel_transport, [START_DIRECT] = &direct_transport},
        .restarts = start->restarting ? &domain_restarts : NULL,
        .swaps = start->state_address ? &domain_swap : NULL,
    };
    domain_run(start, &linked);
}
