/* SPDX-License-Identifier: ISC
 *
 * The inline part of kernel/arch.h for a host process. Physical memory is one arena that lies at
 * the same host address in every run, so that a saved machine can be loaded again, pointers and
 * all.
 */
#ifndef KERNEL_ARCH_INLINE_H
#define KERNEL_ARCH_INLINE_H

#include <stdbool.h>

#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/registers.h"
#include "motet/kernel_counters.h"

#ifndef SIM_MACHINE_PAGES
#define SIM_MACHINE_PAGES 512 /* 2 MiB: small enough to look at all of it after every step */
#endif
enum {
    SIM_PAGES = SIM_MACHINE_PAGES, /* of the kernel's tests */
    SIM_PAGES_MAX = 2048,
};

/* Where the direct map is in the host: free in every build, with AddressSanitizer's shadow below
 * it. */
#define SIM_ARENA 0x180000000000ull

/* Where memory starts: not at 0, so that an empty page table entry names no memory. */
#define SIM_MEMORY_FIRST 0x100000ull

#define sim_memory ((uint8_t *)SIM_ARENA)
extern uint64_t sim_pages; /* how many the machine has */
#define SIM_MEMORY_BYTES (sim_pages * PAGE_BYTES)
extern struct cpu sim_cpu;
extern uint64_t sim_clock, sim_frequency;

static inline void *phys_to_virt(uint64_t physical)
{
    ASSERT(physical >= SIM_MEMORY_FIRST && physical - SIM_MEMORY_FIRST < SIM_MEMORY_BYTES);
    return sim_memory + (physical - SIM_MEMORY_FIRST);
}

static inline uint64_t virt_to_phys(const void *address)
{
    uint64_t offset = (uint64_t)address - (uint64_t)sim_memory;
    ASSERT(offset < SIM_MEMORY_BYTES);
    return SIM_MEMORY_FIRST + offset;
}

static inline struct cpu *cpu_self(void)
{
    return &sim_cpu;
}

/* In the machine's memory, if it was booted: init can map them. */
extern struct kernel_counters *sim_counters;

static inline struct kernel_counters *arch_counters(void)
{
    return sim_counters;
}

static inline uint64_t arch_clock(void)
{
    return sim_clock;
}

static inline void arch_clear(void *memory, uint64_t bytes)
{
    __builtin_memset(memory, 0, bytes);
}

static inline uint64_t arch_clock_frequency(void)
{
    return sim_frequency;
}

static inline bool arch_no_execute(void)
{
    return true;
}

#endif
