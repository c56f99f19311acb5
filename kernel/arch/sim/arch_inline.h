/* SPDX-License-Identifier: ISC
 *
 * The inline part of kernel/arch.h for a host process: physical memory is an array.
 */
#ifndef KERNEL_ARCH_INLINE_H
#define KERNEL_ARCH_INLINE_H

#include <stdbool.h>

#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/registers.h"

#ifndef SIM_MACHINE_PAGES
#define SIM_MACHINE_PAGES 512 /* 2 MiB: small enough to look at all of it after every step */
#endif
enum { SIM_PAGES = SIM_MACHINE_PAGES };

/* Where memory starts: not at 0, so that an empty page table entry names no memory. */
#define SIM_MEMORY_FIRST 0x100000ull
#define SIM_MEMORY_BYTES (SIM_PAGES * (uint64_t)PAGE_BYTES)

extern uint8_t sim_memory[];
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

static inline uint64_t arch_clock(void)
{
    return sim_clock;
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
