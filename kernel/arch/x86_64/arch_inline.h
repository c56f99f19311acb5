/* SPDX-License-Identifier: ISC
 *
 * The inline part of kernel/arch.h for x86-64.
 */
#ifndef KERNEL_ARCH_INLINE_H
#define KERNEL_ARCH_INLINE_H

#include <stdbool.h>

#include "kernel/cpu.h"
#include "kernel/registers.h"
#include "motet/kernel_counters.h"

#define DIRECT_MAP  0xffff800000000000ull
#define KERNEL_BASE 0xffffffff80000000ull /* kernel.ld: physical 0 of the kernel's own mapping */

static inline void *phys_to_virt(uint64_t physical)
{
    return (void *)(physical + DIRECT_MAP);
}

static inline uint64_t virt_to_phys(const void *address)
{
    return (uint64_t)address - DIRECT_MAP;
}

/* One CPU is started; each would have its own behind GS. */
extern struct cpu boot_cpu;

static inline struct cpu *cpu_self(void)
{
    return &boot_cpu;
}

/* Pages that init sees read-only (main.c). */
extern struct kernel_counters kernel_counters;

static inline struct kernel_counters *arch_counters(void)
{
    return &kernel_counters;
}

static inline uint64_t arch_clock(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* By 8 bytes at a time: where the repetition isn't one step for the processor (emulation counts
 * each as an instruction), bytes would be eight times as many. */
static inline void arch_clear(void *memory, uint64_t bytes)
{
    uint64_t words = bytes / 8;
    __asm__ volatile("rep stosq" : "+D"(memory), "+c"(words) : "a"(0) : "memory");
}

extern uint64_t clock_frequency; /* ticks per second */

static inline uint64_t arch_clock_frequency(void)
{
    return clock_frequency;
}

extern bool no_execute; /* the processor has the NX bit */

static inline bool arch_no_execute(void)
{
    return no_execute;
}

#endif
